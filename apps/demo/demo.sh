#!/bin/sh
# The main job on Linux, with ordinary processes and a netmapd of its own: packets between two
# programs over a switch and over a pipe, next to what this machine allows at all.
#
# Last line: "demo: vale <Mpps> Mpps, pipe <Mpps> Mpps", medians of the receivers' rates; exit 0
# when packets moved everywhere. Environment: NM_DEMO_ROUNDS (3), NM_DEMO_SECONDS of each run (2).
set -u
cd "$(dirname "$0")/../.." || exit 1
programs=$PWD/build/linux/bin
limits=$PWD/build/linux/bench/limits
rounds=${NM_DEMO_ROUNDS:-3}
seconds=${NM_DEMO_SECONDS:-2}
receiver=

# netmapd's directory must be this user's own, and its name short enough for a socket's address.
choose_directory() {
    work=$PWD/build/demo
    temporary=
    mkdir -p "$work" 2>/dev/null
    if [ ! -O "$work" ] || [ ${#work} -gt 72 ]; then
        work=$(mktemp -d "${TMPDIR:-/tmp}/netmap-demo.XXXXXX") || exit 1
        temporary=$work
    fi
    NETMAP_DIR=$work/instance
    NETMAPD=$programs/netmapd
    NETMAP_IDLE_MS=1000
    export NETMAP_DIR NETMAPD NETMAP_IDLE_MS
    rm -f "$NETMAP_DIR/netmapd.log"
}

clean_up() {
    [ -z "$receiver" ] || kill "$receiver" 2>/dev/null
    [ -z "$temporary" ] || rm -rf "$temporary"
}

fail() {
    echo "demo: $*" >&2
    for file in "$work"/rx.log "$work"/tx.log "$NETMAP_DIR"/netmapd.log; do
        [ ! -s "$file" ] || { echo "---- $file" && tail -n 15 "$file"; } >&2
    done
    exit 1
}

# A number out of the JSON in a file: number FILE KEY
number() {
    sed -n 's/.*"'"$2"'": *\([0-9][0-9.]*\).*/\1/p' "$1" | tail -n 1
}

median() {
    sort -n "$1" | awk '{ v[NR] = $1 }
        END { printf "%.1f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# "median (lowest-highest)"
with_range() {
    printf '%s Mpps (%s)' "$(median "$1")" \
        "$(sort -n "$1" | awk 'NR == 1 { first = $1 } END { printf "%.1f-%.1f", first, $1 }')"
}

# run_pair PROGRAM RX-PORT TX-PORT: the receiver's rate in Mpps, in $rate.
run_pair() {
    "$programs/$1" -i "$2" -f rx --seconds $((seconds + 20)) --json \
        >"$work/rx.json" 2>"$work/rx.log" &
    receiver=$!
    sleep 0.3
    "$programs/$1" -i "$3" -f tx -l 64 --seconds "$seconds" --json \
        >"$work/tx.json" 2>"$work/tx.log" || fail "$1 -i '$3' -f tx failed"
    sleep 0.1
    kill -INT "$receiver" 2>/dev/null
    wait "$receiver" || fail "$1 -i '$2' -f rx failed"
    receiver=
    grep '"result"' "$work/rx.json" >"$work/result.json"
    [ "$(number "$work/result.json" packets)" -gt 0 ] 2>/dev/null ||
        fail "no packets moved from $3 to $2"
    rate=$(number "$work/result.json" pps | awk '{ printf "%.1f", $1 / 1e6 }')
}

measure_limits() {
    "$limits" --json --only descriptor,copy64 >"$work/limits.json" 2>"$work/limits.log" ||
        fail "the machine's limits could not be measured: $(cat "$work/limits.log")"
    number "$work/limits.json" descriptor_mpps >>"$work/descriptor"
    number "$work/limits.json" copy64_mpps >>"$work/copy64"
    number "$work/limits.json" cpu_wait_percent >>"$work/wait"
}

# netmapd leaves when nothing needs it, and complains when anything was left behind.
check_end() {
    tries=50
    while [ -S "$NETMAP_DIR/netmap.sock" ] && [ $tries -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
    [ $tries -gt 0 ] || fail "netmapd is still there, though nothing needs it"
    ! grep -q error "$NETMAP_DIR/netmapd.log" || fail "netmapd reports errors"
    echo "netmapd has ended by itself; nothing was left behind"
}

choose_directory
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
for file in vale pipe copy64 descriptor wait; do
    : >"$work/$file" || exit 1
done

cat <<END
Two programs exchange frames of 64 bytes, over a switch and over a pipe; no kernel module.
Each run is what you would type in two terminals:
    pkt-gen -i vale1:b -f rx            pkt-gen -i 'netmap:x}1' -f rx
    pkt-gen -i vale1:a -f tx -l 64      pkt-gen -i 'netmap:x{1' -f tx -l 64
The programs are in build/linux/bin, netmapd's directory is $NETMAP_DIR.
Received, in millions of packets a second:
END
round=1
while [ "$round" -le "$rounds" ]; do
    measure_limits
    run_pair pkt-gen vale1:b vale1:a
    echo "$rate" >>"$work/vale"
    vale=$rate
    run_pair pkt-gen 'netmap:x}1' 'netmap:x{1'
    echo "$rate" >>"$work/pipe"
    echo "  round $round of $rounds: vale1:a to vale1:b $vale, netmap:x{1 to netmap:x}1 $rate"
    round=$((round + 1))
done
run_pair pkt-gen-b 'vale0:a{1' 'vale0:a}1'
echo "  busy-waiting (pkt-gen-b), a pipe of a switch port: vale0:a}1 to vale0:a{1 $rate"
check_end

vale=$(median "$work/vale")
pipe=$(median "$work/pipe")
cat <<END
This machine's limits, measured between these runs by two processes that busy-poll and have
nothing but memory between them:
  64 B written and copied out: $(with_range "$work/copy64")
  16-byte descriptors: $(with_range "$work/descriptor")
(pkt-gen fills its buffers once and does not read them, less work than the first of these; ./run
bench compares equal work.)
END
awk "BEGIN { printf \"ratios of the medians: vale %.2f of copied out, pipe %.2f of descriptors\n\",
             $vale / $(median "$work/copy64"), $pipe / $(median "$work/descriptor") }"
awk "BEGIN { wait = $(median "$work/wait"); if (wait > 5) printf \"%s\n%s\n\",
     \"(Other programs kept those two from their CPUs for \" wait \" % of the time: their figures are\",
     \"too low and the ratios too high. Run it again when nothing else runs.)\" }"
echo "demo: vale $vale Mpps, pipe $pipe Mpps"
