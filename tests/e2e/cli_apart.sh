#!/bin/bash
# Parts of a group that did not hear of each other make new keys each: in the end everybody reads what anybody wrote.
. "$(dirname "$0")/cli.inc"

stick() { # DIR HOME…: in turn
	local d=$1 home
	shift
	mkdir -p "$d"
	for home; do
		v "$home" --quiet sync "$d"
		[ "$code" = 0 ] || [ "$code" = 3 ] || not_ok "sync of $home" "$code $(cat err)"
	done
}
read_by() { # HOME…: what each lists, in order; a body that does not open counts as sealed
	local home
	for home; do
		echo "$home:$(v "$home" --quiet --json list && jq -r '.fields.text // "sealed"' out | sort | tr '\n' ',')"
	done | tr '\n' ' '
}
scene() {
	cd "$dir" && rm -rf scene && mkdir scene && cd scene || exit 1
}

# Two new epochs; m was admitted where one was not known, and that is the older one in the end.
scene
found A G
enter A B --name B --role coordinator
stick S A B A
enter A m --name m
enter A r --name r --role reporter
v B --quiet group rotate
v B --quiet add message -m b-wrote --to everyone
v A --quiet group rotate
stick S A B m A B m
stick S r A r
is "two rotations apart: everybody reads" "$(read_by A B m r)" "A:b-wrote, B:b-wrote, m:b-wrote, r:b-wrote, "
stick S A B m r A B m r
count=$(v A --json status && jq '[.groups[].lanes[]|select(.lane==0 or .lane=="control")|.records]|add' out)
stick S A B m r A B m r
is "and then it is quiet" "$(v A --json status && jq '[.groups[].lanes[]|select(.lane==0 or .lane=="control")|.records]|add' out)" "$count"

# Two removals.
scene
found A G
enter A B --name B --role coordinator
enter A x --name x
enter A y --name y
stick S A B x y A
enter A m --name m
v B --quiet revoke x --yes
v B --quiet add message -m b-wrote
v A --quiet revoke y --yes
stick S A B m A B m A B m
is "two removals apart: everybody reads" "$(read_by A B m)" "A:b-wrote, B:b-wrote, m:b-wrote, "
stick S x y
silent "but nobody who is out" b-wrote <(v x list; cat out; v y list; cat out)

# Two coordinators remove each other, each alone.
duel() {
	found A G
	enter A B --name B --role coordinator
	enter A C --name C --role coordinator
	enter A m --name m
	enter A n --name n
	stick S A B C m n A B C m n
	v B --quiet revoke C --yes
	v C --quiet revoke B --yes
}

# m heard the loser first.
scene
duel
stick far C m
v m --quiet add message -m m-saw
stick far m
stick near B A
stick near A B m A B m A B n
is "the loser's keys: the winner reads too" "$(read_by A B n)" "A:m-saw, B:m-saw, n:m-saw, "

# The same with one stick, on which m writes what the loser's epoch alone opens.
scene
duel
stick one C m
v m --quiet add message -m m-saw
stick one m B A m A B m A B n
is "and by one stick" "$(read_by A B n)" "A:m-saw, B:m-saw, n:m-saw, "

# The founder is removed, and removes.
scene
found A G
enter A C --name C --role coordinator
enter A m --name m
enter A n --name n
stick S A C m n
v C --quiet revoke A --yes
stick far C m
v m --quiet add message -m m-saw
v A --quiet revoke C --yes
stick near A m
v m --lang en sync near
stick near A m
is "the founder reads what was written under a removal that does not count" "$(read_by A)" "A:m-saw, "
stick near n
is "and so does who heard nothing of it" "$(read_by n)" "n:m-saw, "
silent "lists do not show what devices tell each other" keys <(v n list --all 2>/dev/null; v n list; cat out)
v m --quiet --json list keys
is "asked for by its kind it is there" "$(jq -r .kind out)" keys
done_testing
