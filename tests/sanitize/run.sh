#!/bin/sh
# run.sh ASAN_BUILD TSAN_BUILD: run what was built in these directories below the sources. The last
# line sums up: "N passed, N failed, N skipped". A sanitizer's report is a failure wherever it comes
# from: reports go to files, because a netmapd in the background has no other place for them.
#
# NM_QUICK=1: shorter runs, one pass of the threads, and not the suite within one process.

top=$(pwd)
asan=$top/$1 tsan=$top/$2
passed=0 failed=0 skipped=0
work=$(mktemp -d /tmp/netmap-sanitize-XXXXXX) # short: it is part of sockets' addresses
reports=$work/report
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# LeakSanitizer and friends write "log_path.PID".
ASAN_OPTIONS=log_path=$reports:detect_leaks=1:abort_on_error=0
UBSAN_OPTIONS=log_path=$reports:print_stacktrace=1
TSAN_OPTIONS=log_path=$reports:second_deadlock_stack=1
NM_TIME_SCALE=${NM_TIME_SCALE:-7}
export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS NM_TIME_SCALE

# Every report file, once: a failure.
count_reports() {
    for report in "$reports".*; do
        [ -e "$report" ] || continue
        failed=$((failed + 1))
        echo "not ok - $1: a sanitizer's report"
        head -n 150 "$report"
        rm -f "$report"
    done
}

# step NAME COMMAND...: run it, show its output, count its totals.
step() {
    name=$1 log=$work/log
    shift
    begin=$(date +%s)
    timeout -k 10 600 "$@" >"$log" 2>&1
    status=$?
    cat "$log"
    totals=$(sed -En 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' "$log" |
        tail -n 1)
    # shellcheck disable=SC2086 # two or three numbers
    set -- $totals
    passed=$((passed + ${1:-0}))
    failed=$((failed + ${2:-0}))
    skipped=$((skipped + ${3:-0}))
    if [ $# -eq 0 ] || { [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; }; then
        failed=$((failed + 1))
        echo "not ok - $name: exit status $status"
    fi
    count_reports "$name"
    echo "# $name: $(($(date +%s) - begin)) s"
}

# ---- ASan and UBSan: processes ----

step "unit tests, ASan" tests/unit/run.sh "$asan"/tests/unit/test_*
mkdir "$work/run"
step "conformance, ASan" env NM_QUICK=1 NETMAP_DIR="$work/run" NETMAPD="$asan/bin/netmapd" \
    NETMAP_IDLE_MS=500 "$asan/tests/conformance"

# The netmapd of the suite leaves when idle, and only then says what it has leaked.
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -e "$work/run/netmap.sock" ] || break
    sleep 0.5
done
if [ -e "$work/run/netmap.sock" ]; then
    failed=$((failed + 1))
    echo "not ok - netmapd, ASan: still running"
fi
sleep 0.5
count_reports "netmapd, ASan"

# ---- TSan: threads ----

# It does not start where the system randomises more address bits than it expects.
randomised=
"$tsan/tests/protocol" --list >/dev/null 2>&1 || randomised="setarch -R"

# shellcheck disable=SC2086 # a command or nothing
{
    step "protocol, TSan" $randomised "$tsan/tests/protocol"
    step "threads with one mapping, TSan" env NM_ONE_MAPPING=1 \
        $randomised "$tsan/tests/threads" threads_
    if [ -z "${NM_QUICK:-}" ]; then
        step "threads, TSan" $randomised "$tsan/tests/threads" threads_
        step "conformance in one process, TSan" env NM_QUICK=1 NM_FRAMES=20000 \
            NM_SCRIBBLE_SECONDS=1 \
            $randomised "$tsan/tests/threads" -threads_ -poll_several_descriptors
    fi
}

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
