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
# --- a coordinator goes back behind an act of its own, by which all know that it must have the keys
found chief Loja
enter chief second --name second --role coordinator
for name in rosa nico; do
	enter chief $name --name $name
done
stick loja chief second rosa nico chief
stick loja second rosa chief
backup chief
v chief --no-input revoke nico --yes
v chief add message -m "later"
stick loja chief second rosa
v second add message -m "from the second"
stick loja second rosa second rosa
restore chief
stick loja chief second chief
is "a restored coordinator reads the stick again, after one other visit" "$code $(key .complete) $(texts chief)" "0 true from the second later "
is "and has what the others have" "$(digests chief)" "$(digests second)"
stick loja rosa
files=$(ls loja/cache | wc -l)
v chief group rotate
stick loja chief second rosa chief second rosa
is "the next keys reach all" "$(digests chief) $(digests rosa)" "$(digests second) $(digests second)"

# --- a home is copied, and the copy acts
cp -a chief twin
v twin group rotate
v twin add message -m "from the twin"
stick loja twin second rosa
stick loja chief rosa chief
is "its original catches up" "$code $(key .complete)" "0 true"
stick loja twin second rosa chief
is "and all have all" "$(digests chief) $(digests twin) $(digests rosa)" "$(digests second) $(digests second) $(digests second)"
done_testing
