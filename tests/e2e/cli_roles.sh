#!/bin/bash
# The four roles as the command line shows them, several devices of one person, and who has not heard of a change.
. "$(dirname "$0")/cli.inc"
found ana Lindero

# enter COORDINATOR HOME ARGUMENTS…: a new device is admitted and joins.
enter() {
	local by=$1 home=$2
	shift 2
	"$VEREDA" --home "$home" --quiet init --name "$home" --no-passphrase >/dev/null
	v "$by" --json admit "$("$VEREDA" --home "$home" --quiet id)" -o "$home.welcome" "$@"
	is "$by admits $home" "$code" 0
	cp out "$home.admitted"
	v "$home" --json join "$home.welcome"
	is "$home joins with the same words" "$code $(key .words)" "0 $(key .words "$home.admitted")"
}
# pass FROM TO: all that FROM has, by a file for that member
pass() {
	"$VEREDA" --home "$1" --quiet --yes export pass.vb --for "$2" >/dev/null
	v "$2" --json import pass.vb
	rm -f pass.vb
}
member() { # HOME NAME FILTER: of a member's line
	"$VEREDA" --home "$1" --json members | jq -r "select(.name==\"$2\") | $3"
}
prefix() { # HOME NAME N: the first digits of the key of that member's device
	member "$1" "$2" ".devices[$3].device[0:8]"
}

for role in coordinator member reporter courier; do
	enter ana "$role" --name "$role" --role "$role"
	is "join says the role $role" "$(key .role)" "$role"
	is "and so does members" "$(member ana "$role" .role)" "$role"
	is "admit says it to programs" "$(key .role "$role.admitted")" "$role"
done
v ana --lang en admit "$("$VEREDA" --home member --quiet id)" --name X --role reportr -o x
is "a misspelt role" "$code $(grep -c 'Did you mean: --role reporter' err)" "2 1"

# What each role is told.
"$VEREDA" --home rep2 --quiet init --no-passphrase >/dev/null
v ana --lang en admit "$("$VEREDA" --home rep2 --quiet id)" --name Rep --role reporter -o rep2.welcome
says "who admits a reporter is told who reads them" "can be read only by: ana"
v rep2 --lang en join rep2.welcome
says "and so is the reporter" "only by the group's focal points"
v courier --lang en members
is "a courier lists members" "$code" 0
says "by their keys" "^\(no name\)  coordinator.*key [0-9a-f]{8}"
silent "and reads no name" "ana|reporter  member"
says "and is told why" "does not read names" err
v courier --lang en status
says "its group has words for a name" "Group \(no name\)"
v courier --json members
is "for programs names are empty" "$(jq -r .name out | sort -u)" ""
v courier --quiet add message -m x
is "a courier writes nothing" "$([ "$code" != 0 ] && echo refused)" refused
v member --lang en admit vereda1abc --name X -o x
v member --lang en group rotate
is "a member makes no keys" "$code $(grep -c 'Only coordinators' err)" "1 1"

# Focal points.
is "nobody is marked" "$(member ana ana .focal)" false
v ana --lang en admit "$("$VEREDA" --home ana --quiet id)" --name X -o x
is "no own identity" "$code" 2
enter ana luz --name Luz --focal
is "a marked focal point" "$(member ana Luz .focal)" true
pass ana member
v member --lang en members
says "is shown to people" "Luz  member, focal point"

# Grants only add.
card=$("$VEREDA" --home member --quiet id) # of another identity: the next one
v ana --json members
memberkey=$(prefix ana member 0)
"$VEREDA" --home fresh --quiet init --no-passphrase >/dev/null
card=$("$VEREDA" --home fresh --quiet id)
v ana --json admit "$card" --name Fresh --role reporter -o fresh.welcome
exits "a reporter" 0
v ana --json admit "$card" --name Fresh --role coordinator -o fresh.welcome
is "becomes a coordinator" "$code $(member ana Fresh .role)" "0 coordinator"
v ana --lang en admit "$card" --name Fresh --role member -o fresh.welcome
is "and nothing less by admitting again" "$code $(member ana Fresh .role)" "1 coordinator"
says "which says how to" "vereda revoke [0-9a-f]{8}" err
v ana --json admit "$card" --name Fresh --role member -o fresh.welcome
is "for programs too" "$(key .error err)" narrower
v ana --json admit "$card" --name Fresh -o fresh.welcome
is "without a role it is what it was" "$code $(key .role)" "0 coordinator"
v fresh --json join fresh.welcome
is "as which it joins" "$(key .role)" coordinator

# Another device of a person.
enter ana phone --person member
is "a second device needs no name" "$(key .name phone.admitted)" member
is "it is the same member" "$(member ana member '.devices|length')" 2
is "with the member's role" "$(member ana member '[.devices[].role]|unique|join(" ")')" member
v ana --lang en members
is "people see both devices" "$(grep -c '^    device [0-9a-f]\{8\}  member' out)" 2
v ana --lang en admit "$card" --person member -o x
is "no device passes to another member" "$code $(grep -c 'cannot pass to member' err)" "1 1"
v ana admit "$("$VEREDA" --home phone --quiet id)" --person Nobody -o x
exits "nor is there a device of nobody" 1
"$VEREDA" --home third --quiet init --no-passphrase >/dev/null
v ana admit "$("$VEREDA" --home third --quiet id)" --name Luz -o x
exits "a name that is taken wants a word" 16
v ana --json admit "$("$VEREDA" --home third --quiet id)" --person luz --role reporter -o third.welcome
is "a device of a member may do less" "$code $(member ana Luz '[.devices[].role]|sort|join(" ")')" "0 member reporter"
is "while the member may do what it may" "$(member ana Luz .role)" member

# id --qr
v ana --lang en id --qr
is "id --qr" "$code $(grep -c '^vereda1' out)" "0 1"
is "draws a code" "$(grep -c '█' out | awk '{ print ($1 > 15) }')" 1
v ana --json id --qr
is "and gives programs the text alone" "$(key '.id[0:7]') $(wc -l <out)" "vereda1 1"

# New keys.
epoch() { "$VEREDA" --home ana --json group rotate | jq -r .epoch; }
first=$(epoch)
second=$(epoch)
is "group rotate makes new keys" "$([ ${#first} = 16 ] && [ "$first" != "$second" ] && echo yes)" yes
v ana --lang en group rotatee
is "a misspelt one" "$code $(grep -c 'Did you mean: rotate' err)" "2 1"

# Who has not heard: before a session, and after.
v ana --json status
is "acts are listed for programs" "$(key '[.acts[].kind]|unique|join(" ")')" "admit epoch found name"
is "each with who did it" "$(key '[.acts[].author_name]|unique|join(" ")')" ana
is "none waits" "$(key '[.acts[]|select(.waiting or (.counts|not))]|length')" 0
last='.acts[-1].not_heard|sort|join(" ")'
is "the new keys nobody has heard of" "$(key "$last")" "Fresh Luz Rep coordinator courier member reporter"
is "members says it of each" "$(member ana courier .not_heard) $(member ana ana .not_heard)" "true false"
v ana --lang en status
says "in words" "ana made new keys; 7 members are not known to have heard: "
says "which a member may be alone with" "What coordinators did:"
v ana --lang es status
says "in Spanish" "no consta que 7 integrantes lo sepan: "
v ana --lang en export keys.vb
is "export says who may not be able to open it" "$code $(grep -c '^7 members are not known to have the present keys' err)" "0 1"
v ana --lang en export keys.vb --for courier --yes
is "but not of one that is for somebody" "$code $(grep -c 'present keys' err)" "0 0"
v ana --json export keys.vb --yes
is "for programs, by name" "$(key '.without_keys|sort|join(" ")')" "Fresh Luz Rep coordinator courier member reporter"

daemon ana
v courier --json sync "$addr"
is "a courier syncs" "$code $(key .complete)" "0 true"
for _ in $(seq 100); do
	[ "$(member ana courier .not_heard)" = false ] && break
	sleep 0.1
done
is "then it has heard" "$(member ana courier .not_heard)" false
v ana --json status
is "and the others have not" "$(key "$last")" "Fresh Luz Rep coordinator member reporter"
kill "$pid"
wait "$pid"

# A record under the new keys shows that its author knows.
pass ana reporter
pass ana coordinator
v coordinator --json add message -m "under the new keys"
exits "somebody writes" 0
pass coordinator ana
v ana --json status
is "what is written under new keys shows who has them" "$(key "$last")" "Fresh Luz Rep member reporter"

# More for somebody who is in: by name, without the old identity text and without a file.
v ana --lang en admit "$("$VEREDA" --home reporter --quiet id)" --person reporter -o phantom.welcome
says "a further device is said to be one" "adds a further device of reporter. To change what .*vereda admit \"reporter\" --role ROLE" err
phantom=$(prefix ana reporter 1)
v reporter --lang en join phantom.welcome
is "which the present device is not" "$code $(grep -c 'A coordinator types: vereda admit [0-9a-f]\{8\} --role ROLE' err)" "1 1"
v ana --quiet --yes revoke "$phantom"
v ana --lang en admit reporter --role member
is "a reporter becomes a member" "$code $(member ana reporter .role) $(grep -c 'reporter now has the role: member. It reaches their devices by itself' out)" "0 member 1"
cp -r ana sameana
pass ana reporter
is "of which it hears by a bundle" "$("$VEREDA" --home reporter --json group list | jq -r .role)" member
v reporter --quiet add message -m "as a member"
pass reporter ana
is "and reads and writes as one" "$("$VEREDA" --home ana --quiet --json list message --author reporter | jq -r .fields.text)" "as a member"
v ana --json admit member --focal
is "a member with two devices is marked" "$code $(member ana member .focal) $(key '.devices|length') $(key .file)" "0 true 2 null"
is "and the act says so" "$("$VEREDA" --home ana --lang en status --acts | grep -c 'admitted member (.*) again, as member, focal point')" 2
v ana --lang en admit member --name "$(printf 'ñ%.0s' $(seq 33))"
is "a name too long for its accents is told why" "$code $(grep -c 'one with an accent counts as two' err)" "2 1"
v ana --json admit "$memberkey" --role coordinator -o again.welcome
is "one device of them by its key, with a welcome when asked for" \
	"$code $(member ana member '[.devices[].role]|sort|join(" ")') $(key '.words|split(" ")|length') $([ -s again.welcome ] && echo made)" "0 coordinator member 6 made"
v ana --lang en admit member --role coordinator -o two.welcome
is "a welcome is for one device" "$code $(grep -c 'is for one device, and member has 2' err) $([ -e two.welcome ] && echo made)" "2 1 "
v ana --lang en admit "$memberkey" --role reporter
is "nor is anything taken away so" "$code $(jq -r .error err 2>/dev/null) $(grep -c 'can only add' err)" "1  1"
v ana --lang en admit member
is "what is to change must be said" "$code $(grep -c 'What is to change for member is missing' err)" "2 1"
v ana --lang en admit membre --role member
is "a misspelt name" "$code $(grep -c 'Did you mean: member' err)" "1 1"
v ana --json admit ana --focal
is "oneself, too" "$code $(member ana ana .focal)" "0 true"
v member --json admit reporter --focal
is "who is not known to be a coordinator does nothing of it" "$code $(key .error err)" "1 not-entitled"

# Names that would be taken for something else.
for name in everyone Everyone MEMBERS todos Todas integrantes " ana" "ana " -x --yes deadbeef 3fa2c1 "аna" "anα" $'a\u00a0na' $'an\u200ba'; do
	v ana --lang en admit "$card" --name "$name" -o bad.welcome
	is "nobody is called '$name'" "$code $([ -e bad.welcome ] && echo made)" "2 "
	v nobody --lang en init --no-passphrase --name "$name"
	is "nor calls a device so" "$code $([ -e nobody ] && echo made)" "2 "
done
for name in "Ana del Río" Ñusta Аня Νίκη face "Eva 2"; do
	"$VEREDA" --home "n$name" --quiet init --no-passphrase >/dev/null
	v ana --quiet admit "$("$VEREDA" --home "n$name" --quiet id)" --name "$name" -o good.welcome
	exits "but '$name' is a name" 0
done

# Two coordinators admit one identity apart from each other: both welcomes are taken, in any order.
found dos1 Dos
enter dos1 dos2 --name Other --role coordinator
"$VEREDA" --home quin --quiet init --name quin --no-passphrase >/dev/null
card=$("$VEREDA" --home quin --quiet id)
v dos1 --quiet admit "$card" --name Quin --role reporter -o q1.welcome
v dos2 --quiet admit "$card" --name Quin --role member -o q2.welcome
for order in "1 2" "2 1"; do
	rm -rf joining
	cp -r quin joining
	for n in $order; do
		v joining --json join "q$n.welcome"
		is "the welcome $n of $order" "$code" 0
	done
	is "it is the most of both" "$("$VEREDA" --home joining --json group list | jq -r .role)" member
	v joining --lang en join q1.welcome
	is "and again it is nothing new" "$code $(grep -c 'nothing was changed' out)" "0 1"
done

# The nag of a group with one coordinator.
found solo Solo
v solo --lang en status
says "one coordinator is too few" "one coordinator and no paper key"
says "and both ways out are named" "vereda group paper .*--role coordinator"
v ana --lang en status
silent "two are not" "one coordinator and no paper key"
"$VEREDA" --home duo --quiet init --name duo --no-passphrase >/dev/null
v solo --quiet admit "$("$VEREDA" --home duo --quiet id)" --name Duo --role coordinator -o duo.welcome
v solo --lang en status
says "one that was only admitted is no second coordinator" "Duo is admitted as coordinator of Solo but has not been heard of yet"
cp -r solo one
"$VEREDA" --home duo --quiet join duo.welcome >/dev/null
"$VEREDA" --home duo --quiet --yes export duo.vb >/dev/null
"$VEREDA" --home solo --quiet import duo.vb >/dev/null
v solo --lang en status
says "nor is one of whom only their own group's records came" "has not been heard of yet"
"$VEREDA" --home duo --quiet add message -m hello >/dev/null
"$VEREDA" --home duo --quiet --yes export duo.vb >/dev/null
"$VEREDA" --home solo --quiet import duo.vb >/dev/null
v solo --lang en status
silent "who has written is one" "has not been heard of yet|one coordinator and no paper key"
rm -rf solo
mv one solo
v solo --json doctor
is "doctor says so, and ends well" "$code $(key '[.findings[]|select(.what=="one-coordinator")]|length')" "0 1"
is "each finding has its parts" "$(key '[.findings[]|(.words|length>10) and (.severity|test("^(note|warning|serious|broken)$")) and has("next")]|all')" true
for command in admit members revoke review approve restore group status doctor id; do
	for lang in en es; do
		v none --lang $lang $command --help
		is "help of $command in $lang begins with examples" "$code $(head -1 out | grep -cE '^(Examples|Ejemplos):')" "0 1"
	done
done

# Marked later, with the identity it was admitted by.
found other Otro
"$VEREDA" --home paz --quiet init --name paz --no-passphrase >/dev/null
card=$("$VEREDA" --home paz --quiet id)
v other --lang en admit "$card" --name Paz -o paz.welcome
says "admitted without a mark" "with the role: member\. "
v paz --quiet join paz.welcome
v other --lang en admit "$card" --name Paz --focal -o paz.welcome
says "the mark is said to who gives it" "Paz is admitted, with the role: member, focal point\."
v paz --lang es join paz.welcome
says "and to who gets it" "Estás en Otro, como integrante, punto focal\."
v paz --lang en join paz.welcome
says "also a second time" "in Otro already, as member, focal point; nothing was changed"
done_testing
