#!/bin/bash
# Whom a coordinator admitted whom others had removed by then: named, with the way back, and every way that is offered works.
. "$(dirname "$0")/cli.inc"

stick() { # DIR HOME…: in turn; who is out gets nothing by it
	local d=$1 home
	shift
	mkdir -p "$d"
	for home; do
		v "$home" --quiet sync "$d"
	done
}
# B admits n, and only they know; C removes B.
scene() {
	cd "$dir" && rm -rf scene && mkdir scene && cd scene || exit 1
	found A G
	enter A B --name B --role coordinator
	enter A C --name C --role coordinator
	stick S A B C A B C
	enter B n --name n
	say n -m "n saw it" >/dev/null
	v C --lang en revoke B --yes
	cp out revoked
	stick S n B C A n B C A
	key=$(v A --quiet --json members --all && jq -r 'select(.name=="n").devices[0].device[0:8]' out)
}

scene
says "revoke says that there may be such people" "Whom B admitted without this device knowing" revoked
is "members: without a role, and removed in both places" "$(member A n '"\(.role) \(.removed) \(.devices[0].removed) \(.devices[0].fell)"')" "none true true true"
is "members: of somebody who is in neither" "$(member A C '"\(.removed) \(.devices[0].removed) \(.devices[0].fell)"')" "false false false"
v A --lang en status
says "status names them, and by whom" "B admitted n \\($key\\) as member, but B was removed"
says "and says what to type" "vereda restore $key"
v A --lang en doctor
says "doctor too" "B admitted n \\($key\\)"
v A --lang es status
says "in Spanish" "B admitió a n"
act=$(v A --json status && jq -r --arg d "$key" '[.acts[]|select(.kind=="admit" and (.device[0:8]==$d))][0].id[0:8]' out)
v A --lang en approve "$act"
is "approve: done, and says that it does not count" "$code $(grep -c 'still does NOT count' out)" "0 1"
says "and what does" "vereda restore $key"
v A --lang en --json approve "$act"
is "in JSON" "$(key .counts)" false
v A --lang en restore n
is "restore lets them in" "$code $(grep -c 'in by your own word' out)" "0 1"
is "with the role that they were granted" "$(member A n '"\(.role) \(.removed)"')" "member false"
stick T A n C A n
is "what they wrote is read" "$(texts A) $(texts C)" "n saw it, n saw it,"
v n --lang en status
says "and they are told" "you are member"
silent "of nothing wrong" "no role"
v A --lang en status
silent "nobody is named any more" "but B was removed"

# By admit, with another role; by key, by name.
scene
v A --lang en admit n --role reporter
is "admit by name" "$code $(member A n .role)" "0 reporter"
scene
v A --lang en admit "$key" --name Nina --role member -o again.welcome
is "admit by key, with another name and a welcome" "$code $(member A Nina .role)" "0 member"
v n --quiet join again.welcome
exits "which they can take" 0
stick T A n A
is "and are heard" "$(texts A)" "n saw it,"

# Nobody is let in along with somebody else: a device that a removed coordinator added to a member.
cd "$dir" && rm -rf scene && mkdir scene && cd scene || exit 1
found A G
enter A B --name B --role coordinator
enter A m --name m
stick S A B m A B m
enter B spy --name m --person m
v A --quiet revoke B --yes
v A --quiet revoke m --yes
stick S B A
v A --quiet restore m --yes
is "restore of a member restores what was removed of them" "$(member A m '[.devices[].role]|sort|join(",")')" "member,none"
spy=$(member A m '.devices[]|select(.role=="none").device[0:8]')
v A --quiet restore "$spy"
is "and the rest by its key alone" "$code $(member A m '[.devices[].role]|sort|join(",")')" "0 member,member"
v A --lang en restore m
is "of who is in there is nothing to restore" "$code" 1

# What falls when a takeover is not accepted is named at once.
cd "$dir" && rm -rf scene && mkdir scene && cd scene || exit 1
found A G
enter A B --name B --role coordinator
enter A C --name C --role coordinator
stick S A B C A B C
v B --quiet revoke C --yes
enter B n --name n
stick S B A
v A --lang en revoke B --yes
says "revoke names whom it takes along" "n \\([0-9a-f]{8}\\) is not in any more either: B admitted them"
is "and they are not in" "$(member A n .role)" none
done_testing
