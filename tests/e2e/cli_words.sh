#!/bin/bash
# What people are told when something is not as they think: whether it was done, what it means, and how to go on.
. "$(dirname "$0")/cli.inc"
found hub Lindero
count() { "$VEREDA" --home hub --quiet --json list "$@" | wc -l; }

# Output that cannot be written: 15 for all, and never "run it again" for what was done.
for command in id status members "group list" version; do
	"$VEREDA" --home hub $command >/dev/full 2>err
	code=$?
	exits "$command to a full disk" 15
	"$VEREDA" --home hub $command >&- 2>err
	code=$?
	exits "$command to nowhere" 15
done
before=$(count message)
"$VEREDA" --home hub add message -m kept >/dev/full 2>err
code=$?
is "add to a full disk is stored" "$code $(($(count message) - before))" "15 1"
says "and says so, with its id" "is stored, with the id $("$VEREDA" --home hub --json list message | jq -r .id)" err
says "and not to run it again" "Do not run it again" err
"$VEREDA" --home hub add message -m closed >&- 2>err
code=$?
exits "nor is a closed output the store's file" 15
v hub --json check
is "which is whole" "$code $(key .bad)" "0 0"
timeout 20 "$VEREDA" --home hub watch >/dev/full 2>err &
pid=$!
sleep 0.5
v hub add message -m seen
wait $pid
code=$?
exits "watch to a full disk" 15

# For programs.
v hub --json
is "vereda --json alone is an object" "$(key '"\(.store) \(.groups[0].name) \(.next)"')" "true Lindero list --new"
v none --json
is "without a store, too" "$code $(key '"\(.store) \(.next)"')" "0 false init"
v other --json init --no-passphrase
is "a note for programs is said once" "$(jq -r .note err | grep -c '^Note')" 0

# Places that are none.
"$VEREDA" --home "" status 2>err
code=$?
is "no folder at all" "$code $(grep -c 'names no folder' err)" "2 1"
v "$(printf '%05000d' 0)" status
is "a name too long" "$code $(grep -c 'too long' err)" "2 1"
v "$(printf '%04080d' 0)" status
is "a name that the system finds too long" "$code $(grep -c 'too long' err)" "2 1"
echo >file
v file status
is "a file for a store" "$code $(grep -c 'is a file' err)" "10 1"
v file init --no-passphrase
is "and for a new one" "$code $(grep -c 'is a file' err)" "2 1"
mkdir folder
for command in "join folder" "import folder" "load message folder"; do
	v hub $command
	is "$command: it is a folder" "$code $(grep -c 'is a folder' err)" "2 1"
done

# Stores that do not open.
for how in empty noise folder; do
	rm -rf spoilt
	cp -r hub spoilt
	case $how in
	empty) : >spoilt/data.mdb ;;
	noise) head -c 65536 /dev/urandom >spoilt/data.mdb ;;
	folder) rm spoilt/data.mdb && mkdir spoilt/data.mdb ;;
	esac
	for command in status check; do
		v spoilt $command
		is "$command of a store that is $how names the repair" "$code $(grep -c 'vereda check --repair' err)" "14 1"
	done
	v spoilt check --repair
	is "check --repair of a store that is $how" "$code $(grep -c 'Keep that folder' err)" "14 1"
	silent "and no advice to run what fails" "vereda check" err
done

# A store with a damaged record: the others are shown, and then it is said.
found many Otro
{ echo id,text; rows 1 300; } >many.csv
"$VEREDA" --home many --quiet load message many.csv >/dev/null
spoil many spoilt 300
is "list leaves a damaged record out and says so" "$code $(jq -r .error err)" "14 integrity"
v spoilt --json export rest.bundle
is "so does export" "$code $(key .records) $(tail -1 err | jq -r .error)" "3 $((left + 4)) damaged"
v many --json import rest.bundle
is "what it wrote is good" "$code $(key .known)" "0 $((left + 4))"
v spoilt --json list --new
v spoilt --json list --new
is "what was shown is not new again" "$(wc -l <out)" 0
v spoilt --json show "$("$VEREDA" --home spoilt --json list --limit 1 2>/dev/null | jq -r .id)"
is "show shows what it can" "$(key '.body')" present
v spoilt --json check
is "check counts it" "$code $(key .bad)" "14 $((300 - left))"

# Permission, as somebody else than root.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && chmod 755 "$dir"; then
	as_nobody() {
		setpriv --reuid 65534 --regid 65534 --clear-groups "$VEREDA" "$@" >out 2>err
		code=$?
	}
	mkdir closed && echo text >closed/rows.csv && chmod 700 closed
	for command in "--home $dir/hub status" "--home $dir/closed/home init --no-passphrase"; do
		as_nobody --json $command
		is "permission: $command" "$code $(jq -r .error err)" "1 permission"
	done
	as_nobody --home "$dir/hub" status
	says "whose account it is" "account [a-z0-9]+ .*permission" err
	cp -r hub theirs && chown -R 65534:65534 theirs
	for command in "load message $dir/closed/rows.csv" "export $dir/closed/x" "import $dir/closed/rows.csv"; do
		as_nobody --home "$dir/theirs" --json $command
		is "permission: $command" "$code $(tail -1 err | jq -r .error)" "1 permission"
	done
	mkdir stick && "$VEREDA" --home hub sync stick >/dev/null && chown -R 0:0 stick && chmod -R go-w stick
	as_nobody --home "$dir/theirs" --quiet add message -m "for the stick"
	as_nobody --home "$dir/theirs" sync "$dir/stick"
	is "a stick that cannot be written" "$code $(grep -c 'write-protected' err)" "3 1"
fi

# Alerts and expiries.
before=$(count alert)
for text in "" "   "; do
	v hub alert "$text"
	is "an alert of '$text' is none" "$code $(count alert)" "2 $before"
	says "and was not sent" "was NOT sent" err
done
v hub --json alert x --severity huge
is "neither is one with a bad field" "$code $(jq -r '.message|test("NOT sent")' err)" "2 true"
v hub add message -m x --expires 2001-01-01
is "an expiry that is over" "$code $(grep -c 'over already' err)" "2 1"
v hub add event title=x colour=red priority=huge
silent "nothing is said to be stored that is not" "stored as it stands" err
v hub add event title=x colour=red
says "what is stored as it stands is said" "no field \"colour\"" err

# Corrections.
v hub --json add message -m "first"
first=$(key .id)
v hub --json add message -m "second" --replaces "$first"
second=$(key .id)
v hub show "$first"
says "show says what replaced it" "^replaced by: $second"
v hub --json show "$first"
is "for programs, too" "$(key .replaced_by)" "$second"
v hub list message
is "a list marks what was replaced" "$(grep -c '(replaced) first' out) $(grep -c '(replaced) second' out)" "1 0"
v hub list --limit 2
is "a short one, too" "$(grep -c '(replaced) first' out)" 1
v hub show ffffffffff
says "what is not here may not have come yet" "not have arrived yet" err

# Kinds and files of an export.
v hub export x.bundle y.bundle
is "a file's name is no kind" "$code $([ -e x.bundle ] && echo made)" "2 "
v hub export x.bundle mesage
says "a kind that is nearly one" "Did you mean message" err
says "what holds nothing but the membership says so" "Only who is in the group" err
v hub list alerta
says "a kind by the name that Spanish lists show" "Did you mean alert" err
sum=$(cat x.bundle | sha256sum)
v hub export x.bundle
is "what is there stays" "$code $(cat x.bundle | sha256sum)" "1 $sum"
v hub --yes export x.bundle
exits "unless --yes" 0
v hub list mesage
says "list knows what was meant" "Did you mean message" err
v hub list "Bad Kind"
exits "and what cannot be" 2

# Tables.
printf 'title,priority\nok,high\nbad,huge\n' >rows.csv
v hub load event rows.csv --dry-run
silent "a dry run stores nothing, and does not say so" "are stored" err
says "but what would not do" "Rows that could not be taken: 1; nothing was changed" err
printf 'title,priority\nbad,huge\n' >bad.csv
v hub load event bad.csv
says "no row at all" "No row could be taken \(refused: 1\); nothing was stored" err
v hub --lang es load event bad.csv
says "in Spanish" "No se pudo tomar ninguna fila" err
{ echo text; head -c 70000 /dev/zero | tr '\0' x; echo; } >long.csv
v hub load message long.csv
says "a text too long says so" "longer than one record holds" err
v hub add message -m "$(head -c 66000 /dev/zero | tr '\0' x)"
says "also in add" "longer than one record holds" err

# Damage that costs nothing.
"$VEREDA" --home hub --quiet export all.bundle >/dev/null
printf '\x00\x01' | dd of=all.bundle bs=1 seek=40 conv=notrunc status=none
v hub import all.bundle
is "a damaged head" "$code $(grep -c 'The beginning or the end of all.bundle was changed' err)" "14 1"
says "costs nothing" "Nothing is lost" err

# Typing errors.
for pair in ad:add hepl:help stat:status; do
	v hub ${pair%:*}
	says "${pair%:*}" "Did you mean: ${pair#*:}" err
done
done_testing
