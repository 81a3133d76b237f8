#!/bin/bash
# Copies of devices: both write, all of it counts, nobody is stopped, doctor names it; a copied coordinator thinks twice.
. "$(dirname "$0")/cli.inc"
found hub Lindero
new() { # HOME: an identity to admit
	"$VEREDA" --home "$1" --quiet init --name "$1" --no-passphrase >/dev/null
	"$VEREDA" --home "$1" --quiet id
}
join() { # COORDINATOR HOME ROLE
	v "$1" --quiet admit "$(new "$2")" --name "$2" --role "$3" -o "$2.welcome"
	v "$2" --quiet join "$2.welcome"
	is "$2 is in" "$code" 0
}
carry() { # FROM TO…
	local from=$1 to
	shift
	"$VEREDA" --home "$from" --quiet --yes export carried.vb >/dev/null
	for to in "$@"; do
		v "$to" --quiet import carried.vb
		is "$to takes what $from has" "$code" 0
	done
}
findings() { # HOME WHAT: how many
	"$VEREDA" --home "$1" --quiet --json doctor | jq "[.findings[] | select(.what==\"$2\")] | length"
}
names() { # HOME
	"$VEREDA" --home "$1" --quiet --json members | jq -r .name | sort | tr '\n' ' '
}

join hub second coordinator
join hub field member
carry hub second field
is "nothing is wrong" "$(findings hub clone) $(findings second forked)" "0 0"
v second --json doctor
is "and a group without others online is no failure" "$code" 0

# A copy of a coordinator's home: both admit somebody.
cp -r hub twin
v hub --quiet admit "$(new xeno)" --name xeno -o x.welcome
v twin --quiet admit "$(new yara)" --name yara -o y.welcome
carry twin hub
is "both acts count" "$(names hub)" "field hub second xeno yara "
is "doctor names the copy" "$(findings hub clone)" 1
v hub --lang en doctor
says "as serious" "^SERIOUS: Records came in under this device's name that it did not write"
card=$(new zoe)
v hub --lang en admit "$card" --name zoe -o z.welcome
is "and its acts are braked where another coordinator is" "$code $(grep -c 'somebody has a copy of it' err) $([ -e z.welcome ] && echo made)" "16 1 "
v hub --json admit "$card" --name zoe -o z.welcome
is "for programs too" "$(jq -r .error err)" braked
for command in "group rotate" "group paper" "approve 123456" "restore field" "review 123456 --accept"; do
	v hub --json $command
	is "$command as well" "$code $(jq -r .error err)" "16 $([ "$command" = "group paper" ] && echo conflict || echo braked)"
done
v hub --json revoke field
is "and revoke" "$code $(jq -r .error err)" "16 braked"
v hub --quiet --yes admit "$card" --name zoe -o z.welcome
is "--yes goes on" "$code $(names hub)" "0 field hub second xeno yara zoe "
carry hub second
is "others see who has forked" "$(findings second forked)" 1
v second --lang en doctor
says "and what to do" "Ask hub in person. If it was not a backup: vereda revoke [0-9a-f]{8}"
v second --lang es doctor
says "in Spanish" "GRAVE: Con la llave de hub"
is "everybody's members are the same" "$(names second)" "$(names hub)"
v second --quiet admit "$(new will)" --name will -o w.welcome
exits "another coordinator is not braked" 0
v hub --lang en status
says "status tells the device, too" "somebody has a copy of it"

# Two removals apart from each other: new keys are due, and a copied device makes none unasked, but by removing somebody.
cp -r hub due
cp -r second apart
v due --quiet --yes revoke yara
v apart --quiet --yes revoke xeno
"$VEREDA" --home apart --quiet --yes export carried.vb --for hub >/dev/null
v due --lang en import carried.vb
says "a copied device makes no keys unasked" "were NOT made" err
v due --lang en --yes revoke zoe
is "who removes somebody makes them, and is told nothing else" "$code $(grep -c 'zoe is removed.* and the group has new keys' out) $(grep -c 'NOT made' err)" "0 1 0"
says "and whom they reach how" "vereda export FILE --for NAME"

# A removal that was taken back is nothing to hurry for.
cp -r second back
v back --quiet --yes revoke yara
says "who has not heard of a removal is named" "not known to have heard that second removed yara" <("$VEREDA" --home back --lang en doctor)
v back --quiet restore yara
is "not once who was removed is in again" "$("$VEREDA" --home back --lang en doctor | grep -c 'removed yara')" 0
v back --quiet --yes revoke yara
v back --quiet --yes revoke xeno
v back --lang en doctor
is "and each who is out once" "$(grep -c 'removed yara' out) $(grep -c 'removed xeno' out)" "1 1"
v back --json doctor
is "a store without a passphrase says what to do" "$(key '.findings[]|select(.what=="readable").next')" "Give it one: vereda passphrase"
is "and a copied one, too" "$("$VEREDA" --home hub --lang en doctor | grep -A1 'that it did not write' | grep -c 'vereda revoke [0-9a-f]')" 1

# A member's copy forks only what was written.
cp -r field field2
v field --quiet add message -m "one"
v field2 --quiet add message -m "other"
carry field second
carry field2 second
is "a copied member is found by its records" "$(findings second forked)" 2
v second --lang en doctor
says "by name" "Under the key of field"
is "and both records are there" "$("$VEREDA" --home second --quiet --json list message | jq -r .fields.text | sort | tr '\n' ' ')" "one other "

# The only coordinator is not braked: nobody else could act.
found solo Solo
cp -r solo solo2
v solo --quiet admit "$(new ada)" --name ada -o a.welcome
v solo2 --quiet admit "$(new bea)" --name bea -o b.welcome
carry solo2 solo
v solo --quiet admit "$(new cleo)" --name cleo -o c.welcome
is "the only coordinator is not stopped" "$code $(names solo)" "0 ada bea cleo solo "

# What is broken ends with 1: a record whose bytes have changed on the disk.
found many Otro
{ echo text; seq 300; } >many.csv
v many --quiet load message many.csv
v many --json doctor
is "a whole store" "$code $(key '[.findings[]|select(.severity=="broken")]|length')" "0 0"
spoil many spoilt 300
v spoilt --json doctor
is "a damaged record" "$code $(key '[.findings[]|select(.severity=="broken")|.what]|join(" ")')" "1 damaged"
v none doctor
exits "no store" 10
# The report for whoever helps tells nothing of anybody.
v told init --no-passphrase --name canary-device
v told group create "Canary group"
v told alert "canary at the ford"
v told doctor --bundle told.json
is "doctor writes a report" "$code $(jq -r '.version, .store.records' told.json | paste -sd' ')" "0 0.1.0 5"
secrets=$("$VEREDA" --home told --json status | jq -r '.groups[].group, .device'; "$VEREDA" --home told --json list | jq -r '.id, .author')
is "in which nothing tells who or what" "$(grep -ciE "canary|told|$(paste -sd'|' <<<"$secrets")" told.json)" 0
v told doctor --bundle told.json
exits "it overwrites nothing" 1
# Locked: what needs no key is told, and that the rest is not.
printf 'la casa de la esquina\n' >words
v shut --passphrase-file words init
v shut --json doctor
is "a locked store" "$code $(key '[.findings[].what] | index("locked") != null') $(key .error err)" "12 true locked"
v shut --lang es doctor
says "in Spanish" "El almacén está cerrado"
"$VEREDA" --home shut passphrase --list >/dev/null 2>&1
printf xxxx | dd of=shut/vault bs=1 seek=100 conv=notrunc 2>/dev/null
v shut --json doctor
is "its slots are looked at" "$(key '[.findings[]|select(.what=="slots")]|length')" 1
# Each wall has its own next step.
v walled init --no-passphrase
(
	ulimit -l 0
	exec "$VEREDAD" --home walled --no-discovery --listen 127.0.0.1:0 2>walled.log
) &
started+=($!)
for i in $(seq 100); do grep -qs listening walled.log && break; sleep 0.1; done
v walled --json doctor
is "keys that may reach the swap" "$(key '[.findings[]|select(.what=="walls" and (.next|test("ulimit -l")))]|length') $(key '[.findings[]|select(.what=="walls" and (.words|test("swap")) and (.next|test("kernel")))]|length')" "1 0"
done_testing
