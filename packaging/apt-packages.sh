# shellcheck shell=sh
# Every Debian/Ubuntu package this project uses, in one place. Sourced by ./run; POSIX sh.
#
#   packages_for NEED...     one line a package: name|check|reason, for each NEED in turn
#   packages_missing NEED... the same lines, only those whose check fails on this machine
#
# A check is a list of programs of which one must be there (wine64,/usr/lib/wine/wine64), or
# header:NAME for a header that gcc finds. So on other systems, whose packages have other names,
# the tools count and not the package.

packages_for() {
    for packages_need in "$@"; do
        case $packages_need in
        linux) cat <<'END'
make|make|runs the makefile
gcc|gcc|compiles netmapd, libnetmap and the programs
libc6-dev|header:stdio.h|the C library's headers, Linux's among them
END
            ;;
        windows) cat <<'END'
make|make|runs the makefile
gcc-mingw-w64-x86-64-win32|x86_64-w64-mingw32-gcc|cross-compiles netmap.sys and the .exe files
END
            ;;
        wine) cat <<'END'
wine64|wine64,/usr/lib/wine/wine64|loads the real netmap.sys and runs the .exe files
wine|wineserver|the commands that start and end Wine
END
            ;;
        tests) cat <<'END'
libcmocka-dev|header:setjmp.h stdarg.h stddef.h stdint.h cmocka.h|the unit tests' framework
clang|clang|a second compiler's warnings on the same sources
shellcheck|shellcheck|checks the shell scripts
END
            ;;
        plots) cat <<'END'
gnuplot-nox|gnuplot|draws the benchmark's pictures
END
            ;;
        esac
    done | awk -F'|' '!seen[$1]++'
}

packages_check() {
    case $1 in
    header:*)
        for packages_header in ${1#header:}; do
            echo "#include <$packages_header>"
        done | gcc -E -x c -o /dev/null - 2>/dev/null
        return
        ;;
    esac
    packages_programs=$1
    while [ -n "$packages_programs" ]; do
        command -v "${packages_programs%%,*}" >/dev/null 2>&1 && return 0
        case $packages_programs in
        *,*) packages_programs=${packages_programs#*,} ;;
        *) packages_programs= ;;
        esac
    done
    return 1
}

packages_missing() {
    packages_for "$@" | while IFS='|' read -r packages_name packages_test packages_reason; do
        packages_check "$packages_test" ||
            echo "$packages_name|$packages_test|$packages_reason"
    done
}
