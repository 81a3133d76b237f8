#!/bin/bash
# A device's clock that cannot be right is said where it matters, and one that gives no time at all stores nothing.
. "$(dirname "$0")/cli.inc"
found hub Lindero
admit hub field
make_clock
now=$(date +%s)
v field add message -m "from the field"
silent "a clock that may be right is no news" "clock" err
for command in "add message -m x" "alert x" "load message -"; do
	at -86400 field --json $command <<<'{"text":"x"}'
	is "a clock before 1970: $command" "$code $(tail -1 err | jq -r .error)" "1 clock"
	says "and what to set" "date -s" err
done
at 86400 field add message -m "in 1970"
is "a clock that cannot be right" "$code $(grep -c 'clock says 1970-01-02.*cannot be' err)" "0 1"
at 86400 field --json status
says "status warns of it" "1970-01-02" out
v field --quiet export field.bundle
v hub --quiet import field.bundle
at $((now + 3 * 365 * 86400)) hub add message -m "far ahead"
is "a clock far ahead of the others'" "$code $(grep -c 'what field wrote last' err)" "0 1"
at $((now - 30 * 86400)) hub add message -m "behind"
is "a clock behind them" "$code $(grep -c 'what field wrote last' err)" "0 1"
at $((now - 30 * 86400)) hub --lang es status
says "status, in Spanish" "Advertencia: El reloj de este equipo dice" out
v hub status
silent "and not of a good one" "clock" out
done_testing
