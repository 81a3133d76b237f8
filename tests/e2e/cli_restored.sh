#!/bin/bash
# A device restored from an old backup, and one whose home was copied: nobody is stopped, all end equal, status tells.
. "$(dirname "$0")/cli.inc"
found hub Lindero
admit hub field

carry() { # FROM TO: by a file
	"$VEREDA" --home "$1" export "$1.vb" >/dev/null
	v "$2" import "$1.vb"
	is "$2 takes what $1 has" "$code" 0
	rm -f "$1.vb"
}
say() { # HOME TEXT
	v "$1" add message "text=$2"
	is "$1 writes" "$code" 0
}
warned() { # HOME: how many warnings of its status speak of a copy
	"$VEREDA" --home "$1" --lang en --json status | jq '[.warnings[] | select(test("restored from a backup"))] | length'
}

say field "before the backup"
cp -r field backup
say field "after the backup"
say field "and once more"
carry field hub
is "no warning where nothing happened" "$(warned field) $(warned hub)" "0 0"

# The old backup takes the place of the device, and writes before it hears of what it had written.
mv field lost
mv backup field
say field "from the restored device"
carry hub field
is "the restored device is told" "$(warned field)" 1
v field --lang en status
says "in words" "somebody has a copy of it"
says "and that nothing is lost" "Nothing is lost"
v field --lang es status
says "in Spanish" "se restauró de un respaldo"
v field --lang en --json status
is "it is the first warning" "$(key '.warnings[0] | test("restored from a backup")')" true

# The other copy turns up as well: both go on.
for round in 1 2 3; do
	say field "field $round"
	say lost "lost $round"
	carry field hub
	carry lost hub
	carry hub field
	carry hub lost
	is "all are equal, round $round" "$(digests field) $(digests lost)" "$(digests hub) $(digests hub)"
done
is "both copies are told, the hub is not" "$(warned field) $(warned lost) $(warned hub)" "1 1 0"
v hub --json list
is "and every record is there" "$(wc -l <out)" 10
v field check
exits "the restored store is sound" 0
done_testing
