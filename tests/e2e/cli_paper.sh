#!/bin/bash
# A paper key: made once, kept apart, and the group back after the only laptop is lost.
. "$(dirname "$0")/cli.inc"
found ana Lindero
admit ana beto

v ana --lang en group paper
is "no paper key into a file unasked" "$code $(grep -c 'shown only on a terminal' err) $(wc -c <out)" "16 1 0"
v beto group paper --yes
exits "a member makes none" 1
script -qec "'$VEREDA' --home ana --lang en group paper" /dev/null >shown 2>&1 </dev/null
is "at a terminal it is shown" "$? $(grep -c 'Paper key of Lindero' shown)" "0 1"
is "twelve words, numbered" "$(grep -oE '(^| )(1[0-2]|[1-9]) [a-z]+' shown | wc -l)" 12
is "and a code" "$(grep -c '█' shown | awk '{ print ($1 > 10) }')" 1
v ana --yes --json group paper
is "for programs, when they say so" "$code $(key '.paper|split(" ")|length')" "0 12"
key .paper >words
silent "the words stand nowhere in the store" "$(cut -d' ' -f1-4 words)" ana/data.mdb
v ana --lang en status
silent "nobody is nagged any more" "no paper key"
is "status says what was made" "$(grep -c 'ana made a paper key ([0-9a-f]*)' out) $(grep -c 'admitted ana\|approved the act' out)" "2 0"
v ana --quiet --json members
is "members shows the paper keys" "$(jq -r 'select(.name=="ana").devices|map(select(.paper))|length' out)" 2
v ana --lang en members
says "to people, too" "paper key [0-9a-f]{8}  coordinator"
v ana --json status
is "and waits for none of them to hear" "$(key '[.acts[].not_heard[]]|unique|join(" ")')" beto

# What is carried from now on opens with the words.
v ana --quiet add message -m "before the loss"
v ana --quiet export all.vb
mkdir stick
v ana --quiet sync stick
for i in 1 2 3; do
	v ana --quiet add document title="long $i" text="$(head -c 36000 /dev/urandom | base64 -w0)"
done
v ana --quiet export long.vb
"$VEREDA" --home ana --quiet export - alert >later.vb
rm -rf ana

"$VEREDA" --home new --quiet init --name new --no-passphrase >/dev/null
v new --lang en group recover all.vb --words-file none
is "no such file of words" "$code $(grep -c 'could not be read' err)" "1 1"
sed 's/^[a-z]*/zzzz/' words >bad
v new --lang en group recover all.vb --words-file bad
is "a word that is none is named" "$code $(grep -c 'Word 1 is none' err)" "12 1"
awk '{ print $2, $1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 }' words >bad
v new --lang en group recover all.vb --words-file bad
is "words in another order" "$code" 12
v new --lang en group recover all.vb --words-file /dev/null
is "no words at all" "$code $(grep -c 'twelve words of the paper key are missing' err)" "2 1"
cut -d' ' -f1-11 words >bad
v new --lang en group recover all.vb --words-file bad
is "eleven words" "$code $(grep -c 'has 12 words, and there are 11 here' err)" "12 1"
{ cat words; cut -d' ' -f12 words; } >bad
v new --lang es group recover all.vb --words-file bad
is "thirteen" "$code $(grep -c 'tiene 12 palabras, y aquí hay 13' err)" "12 1"
v new --lang en group recover /etc/passwd --words-file words
is "a file of something else" "$code $(grep -c "is no file of vereda's" err) $(grep -c damaged err)" "12 1 0"
head -c 40 /dev/urandom >noise
v new --quiet group recover noise --words-file words
is "a file that is none" "$([ "$code" != 0 ] && echo refused) $("$VEREDA" --home new --quiet --json group list | wc -l)" "refused 0"
v new group recover nowhere --words-file words
is "a file that is not there" "$([ "$code" != 0 ] && echo refused)" refused
v new --json group recover all.vb <words
is "the words on standard input" "$code $(key '"\(.name) \(.role) \(.member_name)"')" "0 Lindero coordinator ana"
is "and what was in the bundle" "$("$VEREDA" --home new --json list message | jq -r .fields.text)" "before the loss"
v new --quiet --json members
is "as the same member" "$(jq -r 'select(.name=="ana")|"\(.role) \(.devices|length)"' out)" "coordinator 4"
v new --json group recover all.vb --words-file words
is "a second time says so" "$code $(key .error err)" "1 exists"

# Killed once the group was here, before the rest was: it goes on when it is run again, as from a file of which no more was whole.
"$VEREDA" --home cut --quiet init --name cut --no-passphrase >/dev/null
head -c 70000 long.vb >part.vb
v cut --quiet group recover part.vb --words-file words
is "the group is there, not all else is" "$code $("$VEREDA" --home cut --json list document | awk 'END { print (NR < 3) }')" "0 1"
v cut --json group recover long.vb --words-file words
is "it goes on where it stood" "$code $(key '"\(.name) \(.role) \(.records > 0)"') $("$VEREDA" --home cut --json list document | wc -l)" "0 Lindero coordinator true 3"
v cut --json group recover long.vb --words-file words
is "and says so when nothing is left" "$code $(key .error err)" "1 exists"
v beto --json group recover long.vb --words-file words
is "who was never recovered is told as ever" "$code $(key .error err)" "1 exists"

# The lost laptop is removed, and beto hears of it.
lost=$("$VEREDA" --home new --quiet --json members | jq -r 'select(.name=="ana").devices[0].device[0:8]')
v new --json revoke "$lost" --yes
is "the lost device is removed" "$code $(key .counts)" "0 true"
v new --quiet add message -m "after the loss"
v new --quiet export new.vb --for beto
v beto --quiet import new.vb
is "beto reads what comes after" "$("$VEREDA" --home beto --json list message | jq -r .fields.text | sort | tr '\n' ',')" "after the loss,before the loss,"
v beto --quiet add message -m "beto answers"
v beto --quiet --yes export b.vb
v new --quiet import b.vb
is "and is read" "$("$VEREDA" --home new --json list message | jq -r .fields.text | grep -c answers)" 1

# From a stick, typed at a terminal in two lines; nothing of it appears.
"$VEREDA" --home other --quiet init --name other --no-passphrase >/dev/null
{ sleep 0.5; cut -d' ' -f1-6 words; sleep 0.5; cut -d' ' -f7-12 words | tr a-z A-Z; sleep 0.5; } |
	script -qec "'$VEREDA' --home other --lang en group recover stick --name Anita" /dev/null >typed 2>&1
is "words typed at a terminal, a stick" "$? $(grep -c 'You are back in Lindero, as Anita' typed)" "0 1"
silent "the words do not appear" "$(cut -d' ' -f2-4 words)" typed
v other --quiet sync stick
is "the stick gives the rest" "$("$VEREDA" --home other --json list message | jq -r .fields.text)" "before the loss"
done_testing
