#!/bin/sh
# Run the conformance suite against netmap.sys under Wine.
# Arguments go to the suite: patterns of test names.
cd "$(dirname "$0")/../.." || exit 1
. tests/windows/wine-env.sh || exit 1

nm_wine_start || exit 1
trap 'nm_wine_stop' EXIT
trap 'exit 1' HUP INT TERM
nm_wine_unload >/dev/null 2>&1 # whatever an earlier run left behind
nm_wine_load || exit 1
nm_wine_run build/windows/tests/conformance.exe "$@"
status=$?
nm_wine_unload || status=1
exit $status
