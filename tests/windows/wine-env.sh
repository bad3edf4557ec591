# Source this: a Wine of our own in which netmap.sys and Windows programs run, without a display.
#
#   nm_wine_start             make (once) and enter the prefix build/wine; waits while another
#                             script of this tree is in it
#   nm_wine_run PROGRAM ARG…  run a Windows program in it; its exit status is the result
#   nm_wine_load [SYS]        load netmap.sys with nm-loader; SYS defaults to the built one
#   nm_wine_unload            unload it again
#   nm_wine_stop              end everything that runs in the prefix
#
# Every function returns non-zero on failure; nothing here exits the calling shell. File descriptor
# 9 is the lock. There is one prefix for all, because each takes 700 MB and 6 seconds to make.

nm_wine_root=${nm_wine_root:-$(CDPATH= cd -- "${NM_ROOT:-.}" && pwd)}
nm_wine_windows=$nm_wine_root/build/windows

nm_wine_find() {
    # wine64 is not on the PATH where Debian's wine package is installed without its launcher; the
    # launcher `wine` itself complains on every start when the 32-bit half is missing.
    for nm_wine_program in "$(command -v wine64)" /usr/lib/wine/wine64 "$(command -v wine)"; do
        [ -n "$nm_wine_program" ] && [ -x "$nm_wine_program" ] && return 0
    done
    echo "wine-env: wine is not installed (Debian: apt-get install wine64 wine)" >&2
    return 1
}

nm_wine_start() {
    nm_wine_find || return 1
    WINEPREFIX=$nm_wine_root/build/wine
    WINEDEBUG=${NM_WINEDEBUG:--all}
    WINEDLLOVERRIDES="mscoree,mshtml="
    WINEARCH=win64
    export WINEPREFIX WINEDEBUG WINEDLLOVERRIDES WINEARCH
    unset DISPLAY WAYLAND_DISPLAY
    mkdir -p "$WINEPREFIX" || return 1
    exec 9>"$WINEPREFIX.lock"
    flock 9 || return 1
    # What a script left running that was killed itself.
    wineserver -k 9>&- 2>/dev/null
    if [ ! -f "$WINEPREFIX/.netmap-ready" ]; then
        "$nm_wine_program" wineboot -i >"$WINEPREFIX.log" 2>&1 9>&- || {
            echo "wine-env: wineboot failed, see $WINEPREFIX.log" >&2
            return 1
        }
        wineserver -w 9>&-
        : >"$WINEPREFIX/.netmap-ready"
    fi
    # A server that outlives single programs: without it every program would boot Windows anew.
    wineserver -p 9>&-
}

nm_wine_run() {
    "$nm_wine_program" "$@" 9>&-
}

nm_wine_load() {
    nm_wine_run "$nm_wine_windows/bin/nm-loader.exe" l ${1:+"$1"}
}

nm_wine_unload() {
    nm_wine_run "$nm_wine_windows/bin/nm-loader.exe" u
}

nm_wine_stop() {
    [ -n "${WINEPREFIX:-}" ] || return 0
    wineserver -k 9>&-
    wineserver -w 9>&-
    exec 9>&-
}
