#!/bin/bash
# Why of what is wanted nowhere any more, or was let go of; and that it does not stand against wiping a stick. What nobody said that they have does.
. "$(dirname "$0")/cli.inc"
make_clock
found hub Cuenca
enter hub ana --name ana
enter hub luz --name luz
mkdir usb
now=$(date +%s)
round() { # all go to the stick, twice
	local name
	for name in hub ana luz hub ana luz; do
		at $now $name --no-input sync usb --json
	done
}
write() { # HOME ARGUMENTS…: prints the id
	at $now "$@" --json
	key .id
}

over=$(write ana add message -m "until tomorrow" --expires 1d)
taken=$(write ana add message -m "not so")
round
at $now ana --yes redact "$taken" --json
redaction=$(key .id)
at $now ana why "$taken"
says "what is hidden need not arrive" "It is hidden, so it need not arrive any more. Who has heard of that: vereda why ${redaction:0:8}"
silent "nobody is to take it anywhere" "Next: "
at $now ana --json why "$taken"
is "in JSON" "$(key .gone)" redacted
at $now ana --json why "$over"
is "nothing of it is over yet" "$(key .gone)" null
for _ in $(seq 12); do
	now=$((now + 3 * 86400))
	for name in hub ana luz; do
		at $now $name add message -m "the day $now"
	done
	round
done
at $now ana why "$over"
says "what is over" "gave it an end, which is over: its content is gone"
says "and nobody needs it" "Nothing to do: nobody needs it any more"
silent "nobody is said to lack it" "not known to have it|members have it"
at $now ana --lang es why "$over"
says "in Spanish" "le puso un plazo, ya vencido"
at $now hub --json why "$over"
is "in JSON" "$(key '"\(.gone) \(.missing | length)"')" "expired 0"
at $now hub why "$taken"
says "what was hidden is gone" "It was hidden, and its content is gone from this device"
at $now hub --json why "$taken"
is "in JSON, too" "$(key '"\(.gone) \(.missing | length)"')" "redacted 0"
round
at $now ana --json sync --check usb
is "neither stands against wiping the stick" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed)"')" "0 true 0"

# --- let go of, as others keep it
at $now luz config set promise 0
kept=$(write hub add message -m "to be kept")
round
now=$((now + 20 * 86400))
for name in hub ana; do
	at $now $name add message -m "the day $now"
done
round
now=$((now + 35 * 86400))
for name in hub ana; do
	at $now $name add message -m "the day $now"
done
round
at $now luz --yes prune --lane normal --older 30d --json
at $now luz why "$kept"
says "what was let go of" "went from this device to make room, because others keep it"
says "comes back by itself" "Nothing to do: it comes back by itself when too few others keep it"
at $now luz --json why "$kept"
is "in JSON as well" "$(key '"\(.gone) \(.members_with)"')" "pruned 2"

# --- whoever has no photo of their own, and did not hear that its author still has it, is not to wipe what has it
mkdir rojo
at $now ana config set receipts off
at $now luz config set bulk.max 0
head -c 30000 /dev/urandom >photo.pdf
at $now ana add message -m "with a photo" --attach photo.pdf --json
for name in ana luz ana luz; do
	at $now $name --no-input sync rojo --json
done
at $now luz --json sync --check rojo
is "that somebody wrote it is no word that they have it" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed > 0)"')" "3 false true"
at $now ana config set receipts on
for name in ana luz; do
	at $now $name --no-input sync rojo --json
done
at $now luz --json sync --check rojo
is "once they say so it is" "$code $(key .safe_to_wipe)" "0 true"
done_testing
