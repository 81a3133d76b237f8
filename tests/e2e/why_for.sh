#!/bin/bash
# Whom a record is for: why names those first who may read it, and the others as who can carry it.
. "$(dirname "$0")/cli.inc"

stick() { # HOME…
	local name
	for name in "$@"; do
		v "$name" --no-input sync usb --json
	done
}
for_them() { # of why --json: NAME:for of all that are told of, in order
	key '[(.holders[], .missing[]) | select(.kind == "member") | "\(.name):\(.for)"] | join(" ")'
}

mkdir usb
found hub Cuenca
enter hub ana --name ana
enter hub cid --name cid --role courier
enter hub rosa --name rosa --role reporter
stick hub ana cid rosa hub ana cid rosa hub

# A reporter sees no names, but the first digits of each.
called() { # ROLE
	"$VEREDA" --home rosa --json members | jq -r "select(.role==\"$1\") | .devices[0].device[:8]"
}
hub=$(called coordinator) ana=$(called member) cid=$(called courier)

# --- a reporter's, in confidence: for focal points (the coordinator), and carried by all others
v rosa --json alert "they came back"
told=$(key .id)
v rosa --json why "$told"
is "in confidence: those first whom it is for" "$(for_them)" "$hub:true $ana:false $cid:false"
is "of whom one, and none has it" "$(key '"\(.for_with) of \(.for), \(.members_with) of \(.members)"')" "0 of 1, 1 of 4"
says "advice names the focal point" "Next: sync with $hub, or" out
says "the others can carry it" "Can carry it there, without reading it: $ana, $cid\." out
stick rosa ana
v ana why "$told"
says "a member who cannot read it is no reader" "0 of 1 whom it is for have it" out
says "who carries is asked to go to who may read it" "Next: take stick .* to hub, and" out
stick rosa
v rosa why "$told"
says "a carrier is told as one" "$ana: carries it, without being able to read it \(said so by stick" out
says "and nobody is done" "Next: take stick .* to $hub, and" out
v rosa --lang es why "$told"
says "in Spanish" "Lo puede llevar, sin leerlo: $cid\." out
stick hub rosa
v rosa why "$told"
says "it arrived where it is for" "1 of 1 whom it is for have it" out
says "there is nothing to do" "everybody whom it is for has it" out
v rosa --lang es why "$told"
says "in Spanish, too" "lo tienen todos aquellos para quienes es" out

# --- for members: neither a reporter nor a courier reads it
note=$(say ana -m "for members")
v ana --json why "$note"
is "members" "$(for_them | tr ' ' '\n' | sort | tr '\n' ' ')" "cid:false hub:true rosa:false "
is "a member counts itself" "$(key '"\(.for_with) of \(.for)"')" "1 of 2"
# --- for everyone: all but couriers
note=$(say ana -m "for everyone" --to everyone)
v ana --json why "$note"
is "everyone" "$(for_them | tr ' ' '\n' | sort | tr '\n' ' ')" "cid:false hub:true rosa:true "

# --- by name: known to who kept a copy, to nobody else
kept=$(say ana -m "for rosa alone" --to rosa --keep)
v ana --json why "$kept"
is "by name" "$(for_them)" "rosa:true hub:false cid:false"
is "who wrote it is none of them" "$(key '"\(.for_with) of \(.for)"')" "0 of 1"
hidden=$(say ana -m "for rosa, and not kept" --to rosa)
v ana --json why "$hidden"
is "without a copy no name is kept" "$(for_them | tr ' ' '\n' | sort | tr '\n' ' ') $(key '"\(.for) \(.for_with)"')" "cid:false hub:null rosa:null  null null"
v ana why "$hidden"
says "which is said" "to whom was not kept here" out
says "with how many have it" "1 of 4 members have it" out
v ana --lang es why "$hidden"
says "in Spanish as well" "aquí no se guardó para quién" out
stick ana hub
v hub why "$kept"
says "who carries it cannot tell" "cannot tell to whom" out
v hub --json --yes revoke rosa
stick hub ana
v ana why "$kept"
says "who it is for may be gone" "Nobody whom it is for is in the group now" out

# --- a member: what they could only carry is not theirs
v hub --json --yes restore rosa
stick hub ana cid hub ana
v ana --json alert "to members, urgent"
urgent=$(key .id)
v ana why cid
says "urgent ones are marked" "${urgent:0:8} .*\(only to carry\)" out
says "nothing of it is for a courier" "Nothing of that is for cid to read" out
v ana why hub
silent "it is for the hub" "only to carry|could only carry" out
says "who is to get it" "Next: sync with hub" out
v ana --lang es why cid
says "said in Spanish" "solo lo podría llevar" out
done_testing
