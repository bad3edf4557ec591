#!/bin/sh
# The tests of netmap.sys under Wine: driver-test.exe in Wine.
set -u
NM_ROOT=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
. "$NM_ROOT/tests/windows/wine-env.sh"

nm_wine_start || exit 1
trap 'nm_wine_stop' EXIT
trap 'exit 1' INT TERM
# Whatever an earlier run left behind.
nm_wine_unload >/dev/null 2>&1

nm_wine_run "$nm_wine_windows/tests/driver-test.exe"
