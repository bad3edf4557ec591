#!/bin/sh
# Run cmocka programs one after the other; the last line sums up: "N passed, N failed".
# Output goes to a file beside the program (log.<program>) and is shown of those that fail. A program
# that crashes or hangs counts as one failure more.

passed=0
failed=0

for program; do
    output=$(dirname "$program")/log.$(basename "$program")
    CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "${NM_TIMEOUT:-120}" "$program" >"$output" 2>&1
    status=$?
    good=$(grep -c '^ok ' "$output")
    bad=$(grep -c '^not ok ' "$output")
    # cmocka's status is the number of failed tests; anything else is the end of the program.
    if [ "$status" -ne "$bad" ] || [ $((good + bad)) -eq 0 ]; then
        bad=$((bad + 1))
    fi
    if [ "$bad" -ne 0 ]; then
        cat "$output"
        echo "$program: exit status $status"
    fi
    printf '%-14s %3d passed, %d failed\n' "${program##*/}" "$good" "$bad"
    passed=$((passed + good))
    failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
