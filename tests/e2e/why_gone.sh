#!/bin/bash
# Why of what is wanted nowhere any more, or was let go of; and that it does not stand against wiping a stick. What nobody said that they have does.
. "$(dirname "$0")/cli.inc"
make_clock
found hub Cuenca
enter hub ana --name ana
enter hub luz --name luz
mkdir usb
now=$(date +%s)
go() { # HOME ARGUMENTS…: a second later
	now=$((now + 1))
	at $now "$@"
}
round() { # all go to the stick, twice
	local name
	for name in hub ana luz hub ana luz; do
		go $name --no-input sync usb --json
	done
}

go ana add message -m "until tomorrow" --expires 1d --json
over=$(key .id)
go ana add message -m "not so" --json
taken=$(key .id)
round
go ana --yes redact "$taken" --json
redaction=$(key .id)
go ana why "$taken"
says "what is hidden need not arrive" "It is hidden, so it need not arrive any more. Who has heard of that: vereda why ${redaction:0:8}"
silent "nobody is to take it anywhere" "Next: "
go ana --json why "$taken"
is "in JSON" "$(key .gone)" redacted
go ana --json why "$over"
is "nothing of it is over yet" "$(key .gone)" null
for _ in $(seq 12); do
	now=$((now + 3 * 86400))
	for name in hub ana luz; do
		go $name add message -m "the day $now"
	done
	round
done
go ana why "$over"
says "what is over" "gave it an end, which is over: its content is erased here, and elsewhere once"
says "and nobody needs it" "Nothing to do: nobody needs it any more"
silent "nobody is said to lack it" "not known to have it|members have it"
go ana --lang es why "$over"
says "in Spanish" "le puso un plazo, ya vencido"
go hub --json why "$over"
is "in JSON" "$(key '"\(.gone) \(.missing | length)"')" "expired 0"
go hub why "$taken"
says "what was hidden is gone" "It was taken back: its content is erased here, and elsewhere 30 days after"
go hub --json why "$taken"
is "in JSON, too" "$(key '"\(.gone) \(.missing | length)"')" "redacted 0"
round
go ana --json sync --check usb
is "neither stands against wiping the stick" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed)"')" "0 true 0"

# --- let go of, as others keep it
go luz config set promise 0
go hub add message -m "to be kept" --json
kept=$(key .id)
round
now=$((now + 20 * 86400))
for name in hub ana; do
	go $name add message -m "the day $now"
done
round
now=$((now + 35 * 86400))
for name in hub ana; do
	go $name add message -m "the day $now"
done
round
go luz --yes prune --lane normal --older 30d --json
go luz why "$kept"
says "what was let go of" "went from this device to make room, because others keep it"
says "comes back by itself" "Nothing to do: it comes back by itself when too few others keep it"
go luz --json why "$kept"
is "in JSON as well" "$(key '"\(.gone) \(.members_with)"')" "pruned 2"

# --- whoever has no photo of their own, and did not hear that its author still has it, is not to wipe what has it
mkdir rojo
go ana config set receipts off
go luz config set bulk.max 0
head -c 30000 /dev/urandom >photo.pdf
go ana add message -m "with a photo" --attach photo.pdf --json
for name in ana luz ana luz; do
	go $name --no-input sync rojo --json
done
go luz --json sync --check rojo
is "that somebody wrote it is no word that they have it" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed > 0)"')" "3 false true"
go ana config set receipts on
for name in ana luz; do
	go $name --no-input sync rojo --json
done
go luz --json sync --check rojo
is "once they say so all is confirmed, but has not come here" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed) \(.not_here)"')" "3 false 2 2"
go luz config set bulk.max all
go luz --no-input sync rojo --json
go luz --json sync --check rojo
is "once it came it is safe" "$code $(key .safe_to_wipe)" "0 true"
done_testing
