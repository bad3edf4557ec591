#!/bin/sh
# abi-check.sh CC WINCC SOURCE FLAGS... - compiles SOURCE with every compiler this machine has.
# Says what it did; fails when any of them does.
set -u
cc=$1 wincc=$2 source=$3
shift 3
failed=0

try() { # try NAME COMPILER ARGUMENTS...
    name=$1
    shift
    command -v "$1" >/dev/null 2>&1 || { echo "abi-check: no $1 here: left out"; return; }
    if "$@" "$source"; then
        echo "abi-check: ok   $1 $name"
    else
        echo "abi-check: FAIL $*"
        failed=1
    fi
}

# shellcheck disable=SC2086 # $flags is words
{
flags=$*
# _DEFAULT_SOURCE is for u_char, a word of the programs', not of the headers
libs="-D_DEFAULT_SOURCE -DABI_CHECK_WITH_LIBS"
bare="-DNETMAP_FREESTANDING -ffreestanding"

for compiler in "$cc" clang; do
    for std in c99 c11 gnu11; do
        try $std "$compiler" -std=$std $flags $libs
    done
    try freestanding "$compiler" -std=c11 $flags $bare
done
for compiler in g++ clang++; do
    for std in c++11 c++17 gnu++20; do
        try $std "$compiler" -x c++ -std=$std $flags $libs
    done
done
try c11 "$wincc" -std=c11 $flags
try freestanding "$wincc" -std=c11 $flags $bare
try c++17 "${wincc%gcc}g++" -x c++ -std=c++17 $flags
if [ -f include/windows/sys/mman.h ]; then
    try "gnu11, nm_open()" "$wincc" -std=gnu11 $flags -Iinclude/windows $libs
else
    echo "abi-check: no include/windows/sys/mman.h: nm_open() not compiled for Windows"
fi
}
exit $failed
