#!/bin/sh
# The main job with the real netmap.sys under Wine: two programs and a switch, two and a pipe.
# Last line: "demo-windows: vale <Mpps> Mpps, pipe <Mpps> Mpps", the receivers' rates. Exit 0 when
# both moved packets.
set -u
NM_ROOT=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
. "$NM_ROOT/tests/windows/wine-env.sh"
seconds=${NM_DEMO_SECONDS:-6}
work=$NM_ROOT/build/demo-windows

# run_pair NAME RX-PORT TX-PORT: leaves the receiver's rate in Mpps in $rate, 0.000 when none came.
run_pair() {
    echo "--- $1: pkt-gen -i '$3' -f tx  ->  pkt-gen -i '$2' -f rx"
    nm_wine_run "$nm_wine_windows/bin/pkt-gen.exe" -i "$2" -f rx --seconds $((seconds + 3)) --json \
        >"$work/$1-rx.json" 2>"$work/$1-rx.log" &
    receiver=$!
    sleep 1
    nm_wine_run "$nm_wine_windows/bin/pkt-gen.exe" -i "$3" -f tx --seconds "$seconds" --json \
        >"$work/$1-tx.json" 2>"$work/$1-tx.log"
    wait "$receiver"
    tail -n 2 "$work/$1-tx.log" | sed 's/^/tx: /'
    tail -n 2 "$work/$1-rx.log" | sed 's/^/rx: /'
    rate=$(sed -n 's/.*"type":"result".*"packets":\([0-9]*\),.*"pps":\([0-9.]*\),.*/\1 \2/p' \
        "$work/$1-rx.json" | awk '{ if ($1 > 0) r = $2 / 1e6 } END { printf "%.3f", r }')
}

mkdir -p "$work" || exit 1
nm_wine_start || exit 1
trap 'nm_wine_stop' EXIT
trap 'exit 1' INT TERM
nm_wine_unload >/dev/null 2>&1
nm_wine_load || exit 1

run_pair vale vale1:b vale1:a
vale=$rate
run_pair pipe 'netmap:x}1' 'netmap:x{1'
pipe=$rate
nm_wine_unload

status=0
[ "$vale" != 0.000 ] && [ "$pipe" != 0.000 ] || status=1
echo "demo-windows: vale $vale Mpps, pipe $pipe Mpps"
exit $status
