#!/bin/bash
# An author's share of a device for a day is used up: what came of theirs and waits is said wherever somebody looks for it, and nobody is sent on an errand that
# cannot help.
. "$(dirname "$0")/cli.inc"

found hub Lindero
enter hub ana --name ana
enter hub beto --name beto
v hub config set share.day 300K
docs=()
for i in 1 2 3; do
	head -c 200000 /dev/urandom >"$i.bin"
	v ana --json add document title="T$i" --attach "$i.bin"
	docs+=("$(key .id)")
done
last=${docs[2]}
daemon ana
v hub --json sync "$addr"
is "sync counts what waits, and ends well" "$code $(key '"\(.complete) \(.declined) \(.later)"')" "0 true 0 20"
v hub show "$last"
says "show: whose share it is, and until when" "^ana's share of this device for today is used up \(share.day 300 KiB\); the rest comes tomorrow\."
says "show: and what is here" "3.bin .*, 1 of 14 parts here; the rest waits for a later day"
silent "show: promises nothing with the next sync" "next sync"
v hub get "$last" -o none
exits "get finds them missing" 3
says "get: says so" "^ana's share of this device for today is used up" err
silent "get: asks nobody to run it again" "next sync" err
v hub why "$last"
says "why: says so" "^ana's share of this device for today is used up .*config set share.day"
silent "why: no errand" "Next, for this device"
v hub --lang es why "$last"
says "why: in Spanish" "^Por hoy se agotó la parte de ana en este equipo \(share.day 300 KiB\)"
for command in status doctor; do
	v hub $command
	says "$command: names the author and counts" "ana's share of this device for today is used up \(share.day 300 KiB\); the content of 20 of their records"
done

# --- a text whose content waits, by file
head -c 60000 /dev/urandom | base64 -w0 | head -c 60000 >long.txt
v ana --json add message -m - <long.txt
text=$(key .id)
v ana export all.bundle
v hub --json import all.bundle
is "import ends with 3, and counts" "$code $(key '"\(.new) \(.declined) \(.later)"') $(tail -1 err | jq -r .error)" "3 1 0 21 later"
v hub import all.bundle
exits "the same file again does, too" 3
says "and says why" "content waits for a later day: 21\. .*share.day" err
v hub show "$text"
says "show of a text" "^\(its content is not here: its author's share of this device was used up"
says "show of a text: today" "^ana's share of this device for today is used up"
v hub why "$text"
says "why of a text" "^ana's share of this device for today is used up"
silent "why of a text: no errand" "Next: sync with"
mkdir stick
v ana sync stick
v hub sync stick
exits "a stick ends well" 0
says "and says what waits" "whose content waits for a later day: 21" err

# --- allowed
v hub config set share.day 256M
v hub why "$last"
says "with a share left why names who has it" "^Next, for this device: sync with ana, known to have what is attached"
v hub why "$text"
says "of a text, too" "^Next: sync with ana, known to have its content"
v hub status
silent "status is silent" "share of this device for today"
v hub --json import all.bundle
is "and all comes" "$code $(key '"\(.filled) \(.later)"')" "0 21 0"
v hub --json import all.bundle
is "nothing waits" "$code $(key .later)" "0 0"

# --- nobody is sent to somebody with what this device lacks, too
v hub config set bulk.max 0
v beto config set bulk.max 0
v ana --json add document title=far --attach 1.bin
far=$(key .id)
v hub sync "$addr"
v beto sync "$addr"
daemon hub
v beto sync "$addr"
v hub why "$far"
says "who lacks the parts is told of" "^beto: has the text; 14 parts"
silent "but nobody is sent there without them" "Next: (sync with|take)"
v hub --json check
is "all counts are right" "$(key '"\(.bad) \(.repaired)"')" "0 0"
done_testing
