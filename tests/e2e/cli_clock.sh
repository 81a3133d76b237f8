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
is "a clock far ahead of the others'" "$code $(grep -c 'last word of others, field' err)" "0 1"
at $((now - 30 * 86400)) hub add message -m "behind"
is "a clock behind them" "$code $(grep -c 'last word of others, field' err)" "0 1"
at $((now - 30 * 86400)) hub --lang es status
says "status, in Spanish" "Advertencia: El reloj de este equipo dice" out
v hub status
silent "and not of a good one" "clock" out

# An end is not signed by it, unless somebody insists.
for when in $((now - 30 * 86400)) 86400 $((now + 40 * 365 * 86400)); do
	at "$when" hub add message -m "has an end" --expires 30d --no-input
	exits "no end by a wrong clock" 16
	says "why" "This device's clock says .*An end that is signed by a wrong clock" err
	says "and what to do" "date -s.* --expires.* --yes" err
done
at $((now - 30 * 86400)) hub --yes add message -m "has an end" --expires 30d
exits "unless one insists" 0
v hub add message -m "has an end" --expires 30d
exits "nor is it said of a good one" 0

# Whose author's clock is behind is kept all the same, also where it is known what time it is.
at $((now - 40 * 86400)) field --yes alert "testimony" --expires 30d
testimony=$(cut -d' ' -f2 out)
pass_on() { # FROM TO
	"$VEREDA" --home "$1" --quiet --yes export pass.bundle
	v "$2" --quiet import pass.bundle
}
pass_on field hub
for day in 1 5 14 23 32; do at $((now + day * 86400)) hub check; done
at $((now + 32 * 86400)) hub --json show "$testimony"
is "it is kept as long as it was meant to be" "$(key .body)" present
at $((now + 41 * 86400)) hub check
at $((now + 41 * 86400)) hub --json show "$testimony"
is "and not for ever" "$(key .body)" stub

# Why nothing is known of who lives in the future: no word of theirs ever came that is believed, or an older one did.
mkdir stick
admit hub luz
admit hub eva
v eva sync stick
v hub sync stick
id=$(say hub -m "where is it")
v hub sync stick
v hub why "$id"
silent "clocks that are right are no reason" "clock"
for who in luz eva; do
	at $((now + 73 * 365 * 86400)) $who add message -m "from the future"
	at $((now + 73 * 365 * 86400)) $who sync stick
done
v hub sync stick
v hub why "$id"
for who in luz eva; do says "why names the clock as the reason ($who)" "$who's clock said 20[89]"; done
v hub --lang es why "$id"
says "in Spanish" "El reloj de luz marcaba el"
v hub --json why "$id"
is "and in JSON" "$(key '[.missing[]|select(.clock).name]|sort|join(" ")')" "eva luz"
v hub why luz
says "so does why of the member" "luz's clock said 20[89]"
v hub --lang es why luz
says "in Spanish, too" "El reloj de luz marcaba el"
v hub --json why luz
is "and in JSON" "$(key '.clock[:3]')" "$(date -u -d @$((now + 73 * 365 * 86400)) +%Y | cut -c1-3)"
v hub sync --check stick
says "so does who asks for the stick" "luz's clock said 20[89]" err
v hub --lang es sync --check stick
says "in Spanish as well" "El reloj de luz marcaba el" err
v hub --json sync --check stick
is "and in JSON" "$(key '"\(.safe_to_wipe) \([.clocks[].name] | sort | join(" "))"')" "false eva luz"
v hub status
says "and status, where something exists only here" "eva's clock said 20[89]"
v hub --json doctor
is "and doctor" "$(key '[.findings[] | select(.what == "clock-of")] | length')" 2

# Once it is right, and said so, nobody is told of it.
v luz sync stick
v hub sync stick
v hub why luz
silent "no more, once it is right" "clock"
v hub --json why luz
is "nor in JSON" "$(key .clock)" null
v hub --json sync --check stick
is "and all is elsewhere" "$(key '"\(.safe_to_wipe) \(.clocks | length)"')" "true 0"

# What was heard by a clock that was wrong was heard nobody knows when.
mkdir new
note=$(say eva -m "who has it")
v eva sync new
v hub sync new
at $((now + 73 * 365 * 86400)) eva sync new
v eva why "$note"
says "that it was said is known" "hub: has it \(said so, at a time that is not known\)"
v eva --lang es why "$note"
says "in Spanish" "hub: lo tiene \(lo dijo, no se sabe cuándo\)"

# Whose last word came while the clock here was wrong is silent from then on all the same.
found pueblo Loma
enter pueblo nora --name nora
v nora add message -m "the last one"
mkdir -p loma
v nora sync loma
at $((now + 400 * 86400)) pueblo sync loma
at $((now + 60 * 86400)) pueblo status
says "silence is counted from what was said" "nora.* (60|59) days" out
at $((now + 60 * 86400)) pueblo why nora
says "and that is the last word" "^nora: last word $(date -u -d @"$now" +%Y-%m-%d)" out
at $((now + 60 * 86400)) pueblo members
says "for members, too" "^nora .*last heard $(date -u -d @"$now" +%Y-%m-%d)" out
done_testing
