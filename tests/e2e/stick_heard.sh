#!/bin/bash
# Who has not heard of what, where people meet by sticks alone: what they leave there shows it, as soon as it is back. A receipt does; what is written does,
# where somebody leaves no receipts.
. "$(dirname "$0")/cli.inc"

stick() { # STICK HOME…
	local usb=$1 name
	shift
	mkdir -p "$usb"
	for name; do
		v "$name" --no-input sync "$usb" --json
		is "$name visits $usb" "$code" 0
	done
}
unheard() { # HOME: who is not known to have heard of some act
	"$VEREDA" --home "$1" --json status --acts 2>/dev/null | jq -r '.acts[].not_heard[]' | sort -u | tr '\n' ' '
}
found hub Cuenca
enter hub ana --name ana
for name in luz bea paz; do
	enter hub $name --name $name
done
enter hub post --name post --role courier
for name in ana luz bea paz; do
	v $name config set receipts off
done
stick usb hub ana luz bea paz post hub
is "the courier has left what it heard, the others nothing yet" "$(unheard hub)" "ana bea luz paz "
v ana add message -m "of five admissions one was her own"
stick usb ana hub
is "who wrote is known to have heard of all of them" "$(unheard hub)" "bea luz paz "
for name in luz bea paz; do
	v $name add message -m "$name was here"
done
stick usb luz bea paz hub
is "and so is everybody" "$(unheard hub)" ""
stick usb ana luz bea paz post hub # each tells once more what it holds
files=$(ls usb/cache | wc -l)
stick usb ana luz bea paz post hub
is "nothing more is left for it" "$(ls usb/cache | wc -l)" "$files"

# --- with receipts: a removal, and what takes it back
for name in ana luz bea paz; do
	v $name config set receipts on
done
stick usb ana luz bea paz hub
v hub --no-input revoke paz --yes
is "of a removal nobody has heard yet" "$(unheard hub)" "ana bea luz post "
stick usb hub post
v hub --json members
is "nobody was never heard of" "$(key 'select(.heard == null) | .name')" ""
v hub --no-input restore paz --yes
stick usb hub post ana hub
is "who carries only is heard of again, in the place of what it had left, and who left a receipt since" "$(unheard hub)" "bea luz paz "
id=$("$VEREDA" --home hub --json status --acts 2>/dev/null | jq -r '.acts[] | select(.kind == "revoke").id')
v hub --json why "$id"
is "why of the act tells the same" "$(key '[.missing[].name] | sort | join(" ")')" "bea luz paz"
v hub members
is "members, too" "$(grep -c 'is not known to have heard' out)" 3
v hub --json members
is "and when they were heard of last" "$(key 'select(.name == "ana").heard != null')" true
stick usb luz bea paz hub
is "all have heard of the removal and of the way back" "$(unheard hub)" ""
done_testing
