#!/bin/bash
# Devices that were restored from a backup, and copies of devices, and nothing but sticks to meet by.
. "$(dirname "$0")/cli.inc"

stick() { # STICK HOME…: each of them visits it
	local usb=$1 name
	shift
	mkdir -p "$usb"
	for name; do
		v "$name" sync "$usb" --json
	done
}
texts() { # HOME: of the messages it shows
	"$VEREDA" --home "$1" --json list message 2>/dev/null | jq -r .fields.text | sort | tr '\n' ' '
}
backup() { # HOME
	rm -f "$dir/$1.backup"
	v "$1" --no-input backup create "$dir/$1.backup" --backup-passphrase-file "$dir/pw"
	is "a backup of $1" "$code" 0
}
restore() { # HOME: in the place of what stands there
	rm -rf "$1"
	v "$1" --no-input backup restore "$dir/$1.backup" --backup-passphrase-file "$dir/pw" --no-passphrase
	is "$1 is restored" "$code" 0
}
printf passpass >pw

# --- the numbers that a restored store leaves out are nothing a stick lacks
found hub Cuenca
admit hub ana
v ana add message -m "before the backup"
stick usb hub ana hub
backup ana
restore ana
stick usb ana
is "a restored member finds the stick as it left it" "$code $(key '[.complete, .sent, .received] | tostring')" "0 [true,0,0]"
stick other ana
is "and fills another one" "$code $(key .complete)" "0 true"
stick other ana
is "for good" "$code $(key '[.complete, .bytes_out] | tostring')" "0 [true,0]"
backup ana
restore ana
v ana add message -m "restored twice"
stick other ana hub ana
is "after a second time too" "$code $(key .complete)" "0 true"
is "and all have all" "$(digests hub)" "$(digests ana)"

# --- nor those that a rebuilt one does
head -c 8192 /dev/urandom | dd of=ana/data.mdb conv=notrunc 2>/dev/null
v ana check --repair --yes --json
is "a broken file is rebuilt" "$code $(($(key .salvaged) > 0))" "0 1"
stick other hub ana hub ana
is "a member whose file was rebuilt" "$code $(key .complete)" "0 true"
is "has all again" "$(digests hub)" "$(digests ana)"
done_testing
