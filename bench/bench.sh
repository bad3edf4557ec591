#!/bin/sh
# The benchmark: this machine's limits and the product's rows, in turns over several rounds, with
# the placement probe between any two of them; then medians, ranges and ratios.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1

usage() {
    cat <<'END'
usage: bench/bench.sh [--full] [--rounds N] [--seconds S] [--only ROW[,ROW]...]
                      [--build DIR] [--output DIR]
  --full         more rows (bench/rows.txt)
  --rounds N     measure everything N times, in turns (default 5)
  --seconds S    each time for S seconds (default 1)
  --only ROW     these rows and the limits
  --build DIR    where the Linux programs are (default build/linux)
  --output DIR   where results go (default build/bench): results.json, results.png, and raw.txt,
                 one measured value a line
END
}

fail() {
    echo "bench: $*" >&2
    exit 2
}

rounds=5 seconds=1 full=no only='' build=build/linux output=build/bench
while [ $# -gt 0 ]; do
    case $1 in
    --full) full=yes ;;
    --help | -h)
        usage
        exit 0
        ;;
    --rounds | --seconds | --only | --build | --output)
        [ $# -ge 2 ] || fail "$1 needs a value"
        case $1 in
        --rounds) rounds=$2 ;;
        --seconds) seconds=$2 ;;
        --only) only=",$2," ;;
        --build) build=$2 ;;
        --output) output=$2 ;;
        esac
        shift
        ;;
    *) fail "unknown argument '$1'; see bench.sh --help" ;;
    esac
    shift
done
case $rounds in
'' | *[!0-9]* | 0) fail "--rounds $rounds: expected a number from 1" ;;
esac
case $seconds in
'' | *[!0-9.]* | *.*.*) fail "--seconds $seconds: expected a number" ;;
esac
limits=$build/bench/limits flow=$build/bench/flow
for program in "$limits" "$flow" "$build/bin/netmapd"; do
    [ -x "$program" ] || fail "$program is missing: run make linux"
done
mkdir -p "$output" || exit 2

# An instance of our own: started by the first row, gone when the last one is over.
NETMAP_DIR=$(mktemp -d /tmp/netmap-bench.XXXXXX) || exit 2
NETMAP_IDLE_MS=2000
NETMAPD=$(cd "$build/bin" && pwd)/netmapd
export NETMAP_DIR NETMAP_IDLE_MS NETMAPD

clean_up() {
    waited=0
    while [ -e "$NETMAP_DIR/netmap.sock" ] && [ "$waited" -lt 10 ]; do
        sleep 1
        waited=$((waited + 1))
    done
    rm -rf "$NETMAP_DIR"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

load=$(cut -d " " -f 1 /proc/loadavg)
raw=$output/raw.txt
: >"$raw"

# What a program printed as JSON, as lines of raw.txt: name, round, key, number.
record() {
    awk -v name="$1" -v round="$2" '{
        gsub(/[{}]/, "")
        number = split($0, pairs, ",")
        for (i = 1; i <= number; i++)
            if (split(pairs[i], pair, "\": ") == 2 && pair[2] ~ /^-?[0-9.]+ *$/) {
                gsub(/[" ]/, "", pair[1])
                print name, round, pair[1], pair[2] + 0
            }
    }' >>"$raw"
}

failures=0

# measure NAME ROUND COMMAND...
measure() {
    name=$1 round=$2
    shift 2
    if answer=$("$@" --json); then
        printf '%s\n' "$answer" | record "$name" "$round"
    else
        echo "bench: $name failed: $*" >&2
        failures=$((failures + 1))
    fi
}

probe() {
    measure "probe_$1" "$round" "$limits" --only pingpong --seconds 0.02
}

wanted() {
    case $only in
    '') [ "$1" = always ] || [ "$full" = yes ] ;;
    *) case $only in *",$2,"*) true ;; *) false ;; esac ;;
    esac
}

round_of_rows() {
    while IFS='|' read -r name when _ _ arguments; do
        name=${name%% *}
        when=${when#"${when%%[! ]*}"}
        case $name in '' | '#'*) continue ;; esac
        wanted "${when%% *}" "$name" || continue
        # The arguments of a row are words without anything to expand.
        # shellcheck disable=SC2086
        measure "$name" "$round" "$flow" $arguments --seconds "$seconds" </dev/null
        probe "$name"
    done <"$here/rows.txt"
}

limit_seconds=$(echo "$seconds" | awk '{ print $1 / 3 < 0.01 ? 0.01 : $1 / 3 }')
round=1
while [ "$round" -le "$rounds" ]; do
    echo "bench: round $round of $rounds" >&2
    probe start
    measure limits "$round" "$limits" --seconds "$limit_seconds"
    probe limits
    round_of_rows
    round=$((round + 1))
done

machine=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
commit=$(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)
awk -v rounds="$rounds" -v seconds="$seconds" -v output="$output" -v machine="$machine" \
    -v cpus="$(getconf _NPROCESSORS_ONLN)" -v kernel="$(uname -r)" -v commit="$commit" -v load="$load" \
    -v date="$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    -f "$here/report.awk" "$here/rows.txt" "$raw" || exit 1

if command -v gnuplot >/dev/null 2>&1; then
    if gnuplot -e "directory='$output'" "$here/plot.gp"; then
        echo "picture: $output/results.png"
    else
        failures=$((failures + 1))
    fi
else
    echo "no picture: gnuplot is missing (package gnuplot-nox)"
fi
echo "results: $output/results.json"
[ "$failures" -eq 0 ]
