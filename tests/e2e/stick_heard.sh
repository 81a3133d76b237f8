#!/bin/bash
# Who has not heard of what, where people meet by sticks alone: what they leave there shows it, as soon as it is back.
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

# --- a removal, and what takes it back
v hub --no-input revoke paz --yes
is "of a removal nobody has heard yet" "$(unheard hub)" "ana bea luz post "
stick usb hub post
v hub --no-input restore paz --yes
stick usb hub post ana hub
is "who carries only is heard of again, in the place of what it had left" "$(unheard hub)" "ana bea luz paz "
for name in ana luz bea paz; do
	stick usb $name
	v $name add message -m "$name is here"
	stick usb $name
done
stick usb hub
is "all have heard of the removal and of the way back" "$(unheard hub)" ""
done_testing
