#!/bin/bash
# Somebody is removed, and the keys change, while others are away who only meet by stick and by files: what each of them still gets.
. "$(dirname "$0")/cli.inc"

sums() {
	find usb -type f -exec cksum {} + | sort
}
texts() { # HOME: of the messages it shows
	"$VEREDA" --home "$1" --json list message 2>/dev/null | jq -r .fields.text | sort | tr '\n' ' '
}
stick() { # HOME
	v "$1" sync usb --json
}

mkdir usb
found hub Cuenca
for name in ana luz bea; do
	admit hub $name || not_ok "admits $name" "$(cat $name.admitted)"
done
for name in hub ana luz bea; do
	v $name add message -m "$name was here"
done
for name in hub ana luz bea hub ana luz bea; do
	stick $name
done
is "all have met on the stick" "$(texts bea)" "ana was here bea was here hub was here luz was here "
before=$(ls usb/cache)

# --- files for one member
v hub export for-luz.bundle --for luz --all --json
exits "a bundle for luz" 0
is "its counts" "$(key '[(.records + .known > 4), (.records >= 1), (.bytes == 68160), (.files == 1)] | all')" true
v hub add message -m "for those who read it"
v hub export for-luz.bundle --for luz --yes
says "says who can open it" "[Oo]nly luz can open it"
v ana import for-luz.bundle --json
exits "a third does not open it" 12
says "and hears why" "it is for somebody else" err
v luz import for-luz.bundle --json
exits "luz does" 0
is "and has what is new" "$(key .new)" 1
v hub import for-luz.bundle --json
exits "and its writer" 0
is "who knew it" "$(key .new)" 0
"$VEREDA" --home ana export - --for hub >for-hub.bundle 2>err
v hub import for-hub.bundle
exits "by a pipe too" 0
v hub export some.bundle --for luz --all --since 2099-01-01 alert --json
exits "nothing of a kind" 0
is "membership is always whole" "$(key .records)" "$("$VEREDA" --home hub --json status 2>/dev/null | jq '[.groups[].lanes[] | select(.lane == "control" or .lane == 0) | .records] | add')"
v hub export x.bundle --for nobody
exits "for somebody who is not there" 1
[ -e x.bundle ] && not_ok "writes nothing" "x.bundle" || ok "writes nothing"

# --- bea is removed while luz is away
v luz add message -m "luz wrote on the way"
v hub revoke bea --yes --json
exits "removes bea" 0
v hub add message -m "after the removal"
stick hub
exits "the hub brings it to the stick" 0
is "in one segment for all and one for who may lack the keys" "$(ls usb/cache | comm -13 <(echo "$before") - | wc -l)" 2
now=$(sums)
stick hub
is "a second visit" "$code $(key .bytes_out)" "0 0"
is "changes nothing" "$(sums)" "$now"

stick bea
is "bea gets nothing new" "$(texts bea)" "ana was here bea was here hub was here luz was here "
v bea add message -m "bea wrote when she was out" --json
hers=$(key .id)
stick bea

stick luz
exits "luz catches up in one visit" 0
is "and is complete" "$(key '[.complete, .safe_to_remove] | all')" true
says "with what was written under the new keys" "after the removal" <(texts luz)
stick hub
exits "the hub gets what she wrote meanwhile" 0
says "and shows it" "luz wrote on the way" <(texts hub)
stick ana
stick luz
stick hub
stick ana
is "three of them have the same" "$(digests hub) $(digests luz)" "$(digests ana) $(digests ana)"
silent "what bea wrote is not shown" "bea wrote when she was out" <(texts ana)
v ana show "$hers" --json
is "but kept" "$code $(key .id)" "0 $hers"
now=$(sums)
for name in hub ana luz; do
	stick $name
	is "$name has nothing more to do" "$code $(key '.bytes_out + .bytes_in')" "0 0"
done
is "and the stick stays as it is" "$(sums)" "$now"

# --- and files
v hub export all.bundle
v bea import all.bundle
exits "what is written now is closed to bea" 12
v hub export for-bea.bundle --for bea
exits "and no file is made for her" 1
says "which is said" "no longer in the group" err
[ -e for-bea.bundle ] && not_ok "nothing is written" "for-bea.bundle" || ok "nothing is written"
done_testing
