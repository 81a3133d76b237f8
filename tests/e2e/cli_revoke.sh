#!/bin/bash
# Removal: of a device, of a member, of oneself; coordinators who remove each other, in both orders; approve, restore.
. "$(dirname "$0")/cli.inc"

key_of() { # HOME NAME N
	member "$1" "$2" ".devices[$3].device[0:8]"
}
roles() { # HOME: every member's
	"$VEREDA" --home "$1" --quiet --json members --all | jq -r '.name+":"+.role' | sort | tr '\n' ' '
}
act() { # HOME FILTER: of an act
	"$VEREDA" --home "$1" --json status | jq -r "[.acts[] | $2"
}

found ana Lindero
enter ana beto --name Beto
enter ana phone --person Beto
enter ana carla --name Carla
give ana beto phone carla

# Asked for, and not done without a word.
v ana --lang en revoke Beto </dev/null
is "without a terminal it wants --yes" "$code $(grep -c 'was not confirmed' err)" "16 1"
says "having said what it does to data" "kept in quarantine" err
is "and did nothing" "$(member ana Beto .role)" member
v ana revoke Nobody --yes
exits "nobody of that name" 1
v carla --lang en revoke Beto --yes
is "a member removes nobody" "$code $(grep -c 'Only coordinators' err)" "1 1"
v beto --yes revoke Beto
exits "not even themselves" 1
printf 'Betto\r' | script -qec "'$VEREDA' --home ana --lang en revoke Beto" /dev/null >typed 2>&1
is "a name mistyped at a terminal" "$? $(grep -c 'was not confirmed' typed) $(member ana Beto .role)" "16 1 member"

# One device.
v phone --quiet add message -m "from the phone"
give phone ana
phonekey=$(key_of ana Beto 1)
v ana --lang en revoke Beto --device "$phonekey" --reason "taken at the checkpoint" --yes
exits "a device is removed" 0
says "and it is said which" "The device $phonekey of Beto is removed"
is "the member stays, with the other one" "$(member ana Beto '"\(.role) \([.devices[].removed]|map(tostring)|join(" "))"')" "member false true"
is "what it wrote before stays" "$(texts ana)" "from the phone,"
is "the act says whom it is about" "$(act ana 'select(.kind=="revoke")][0]|"\(.member) \(.device[0:8]) \(.counts)"')" "null $phonekey true"
v ana --lang en revoke "$phonekey" --yes
is "a removed device is not removed twice" "$code $(grep -c "That device of Beto (key $phonekey) has no role in the group any more; Beto is in with others" err)" "1 1"
give ana beto carla
v beto --quiet add message -m "beto still writes"
v phone --quiet add message -m "the thief writes"
give phone carla
give beto carla
is "of the device that stays everything is read" "$(texts carla | grep -c 'beto still writes')" 1

# The member, by name; at a terminal the name is typed.
printf 'beto\r' | script -qec "'$VEREDA' --home ana --lang en revoke Beto" /dev/null >typed 2>&1
is "the name typed at a terminal" "$? $(grep -c 'Beto is removed, with all devices' typed)" "0 1"
is "and the member is gone" "$(member ana Beto .role)" none
v ana --quiet --json members
is "members shows those who are in" "$(jq -r .name out | sort | tr '\n' ' ')" "Carla ana "
v ana --lang en members
says "and says that there are others" "Removed members are not shown: 1" err
v ana --quiet --json members --all
is "and shows them when asked" "$(jq -r 'select(.removed).name' out)" Beto
v ana --json status
is "who was not told has not heard" "$(key '[.acts[]|select(.kind=="revoke")][-1].not_heard|join(" ")')" Carla

# restore
v ana --lang en restore Beto
is "a member is restored" "$code $(member ana Beto .role)" "0 member"
is "with both devices" "$(member ana Beto '[.devices[].role]|join(" ")')" "member member"
v ana --lang en restore Beto
is "nothing more to restore" "$code $(grep -c 'Nothing of Beto was removed' err)" "1 1"

# A lost phone: a new device of a removed member is in, the old ones are not.
v ana --quiet revoke Beto --yes
enter ana beto2 --person Beto
is "a new device of a removed member" "$(member ana Beto '"\(.role) \([.devices[].role]|join(" "))"')" "member none none member"

# Two coordinators who remove each other: the more senior wins, in whatever order it arrives.
found fun Valle
enter fun sara --name Sara --role coordinator
enter fun tino --name Tino --role coordinator
enter fun ulma --name Ulma --role coordinator
enter fun vera --name Vera
enter fun wido --name Wido
give fun sara tino ulma vera wido
v sara --json revoke Tino --yes
is "Sara removes Tino" "$code $(key .counts)" "0 true"
v tino --json revoke Sara --yes
is "Tino removes Sara, not knowing" "$code $(key .counts)" "0 true"
tinoact=$(key '.id[0:8]')
give sara vera; give tino vera
give tino wido; give sara wido
is "both orders end alike" "$(roles vera)" "$(roles wido)"
is "the more senior stays" "$(roles vera)" "Sara:coordinator Tino:none Ulma:coordinator Vera:member Wido:member fun:coordinator "
give tino ulma; give sara ulma
v ulma --lang en status
says "status shows what does not count" "Tino removed Sara; does NOT count.*vereda approve $tinoact"
says "and what does" "Sara removed Tino"
is "for programs" "$(act ulma "select(.id[0:8]==\"$tinoact\")][0]|\"\(.counts) \(.waiting) \(.approvals)\"")" "false true 0"

# A second voice turns it round.
v tino approve "$tinoact"
exits "nobody backs an own act" 1
for kind in found name epoch; do
	v ulma --lang en approve "$(act ulma "select(.kind==\"$kind\")][0].id[0:12]")"
	is "nobody backs what gains nothing by it ($kind)" "$code $(grep -c 'gains nothing by a second voice' err)" "1 1"
done
v ulma approve 00ff00
exits "nor one that is not" 1
v ulma --json approve "$tinoact"
is "a second coordinator approves" "$code $(key '"\(.backed) \(.counts)"')" "0 true true"
is "and two outrank one" "$(roles ulma)" "Sara:none Tino:coordinator Ulma:coordinator Vera:member Wido:member fun:coordinator "
give ulma vera wido tino fun
is "everywhere" "$(roles vera) $(roles tino)" "$(roles ulma) $(roles ulma)"
v vera --lang en status
says "which status says" "Tino removed Sara; approved by a second coordinator"
v ulma --lang en approve "$tinoact"
is "once is enough" "$code $(grep -c 'already' err)" "0 1"

# Restoring Sara would make her removal of Tino count again: a person must know.
v ulma --lang en restore Sara
is "who comes back with a removal of theirs" "$code $(grep -c 'Sara removed Tino, and that does not count now' err)" "16 1"
is "is not back unasked" "$(member ulma Sara .role)" none
v ulma --json restore Sara --yes
is "but when somebody says so" "$code $(key '.counts')" "0 false"
grant=$(key '.grants[0][0:8]')
give ulma tino
v tino --json approve "$grant"
is "and who backs it is asked as well" "$code $(jq -r .error err)" "16 conflict"

# Restoring who was removed by somebody of higher standing wants a second voice, and the founder is none.
found root Rio
for name in Abel Bela Cira Dina; do
	enter root "$name" --name "$name" --role coordinator
done
give root Abel Bela Cira Dina
v Abel --json revoke Dina --yes
is "Abel removes Dina" "$(key .counts)" true
give Abel Bela Cira root
v Bela --lang en restore Dina
exits "Bela, of lower standing, restores" 0
says "and is told that it waits" "a second coordinator has to approve it. They type: vereda approve [0-9a-f]{8}"
waits=$(sed -n 's/.*vereda approve \([0-9a-f]*\).*/\1/p' out)
is "Dina is still out" "$(member Bela Dina .role)" none
give Bela root Cira
v Cira --lang en status
says "another coordinator is told" "This does not count unless another coordinator approves it: Bela admitted Dina"
says "and what to type" "vereda approve $waits"
enter Bela Hugo --name Hugo --role coordinator
give Bela Hugo
v Hugo --lang en approve "$waits"
is "who is of her line is no second voice" "$code $(grep -c 'You and Bela are of one line' out) $(member Hugo Dina .role)" "0 1 none"
v Hugo --lang en status
is "and is not asked to say it again" "$(grep -c 'If it is right: vereda approve' out) $(grep -c 'this device has given its own' out)" "0 1"
v Hugo --lang en doctor
says "but told who can" "Ask a coordinator whom neither side admitted; they type: vereda approve $waits"
cp -r root found
v found --lang en approve "$waits"
says "the founder's word makes it the founder's own" "weighs like the founder's own act now"
is "by which Dina is back" "$(member found Dina .role)" coordinator
v found --lang en status --acts
says "which status tells" "approved by the founder"
v found --lang en approve "$waits"
is "said once it is said" "$code $(grep -c 'already' err)" "0 1"
v Cira --json approve "$waits"
is "another coordinator's is" "$code $(key '"\(.backed) \(.counts)"')" "0 true true"
is "Dina is back" "$(member Cira Dina .role)" coordinator
# A coordinator who removes others, and is removed for it: what they did is not accepted unless one says so.
for how in undo keep; do
	found "head-$how" Cerro
	enter "head-$how" "evil-$how" --name Evil --role coordinator
	enter "head-$how" "good-$how" --name Good --role coordinator
	give "head-$how" "evil-$how" "good-$how"
	v "evil-$how" --json revoke Good --yes
	is "a coordinator removes another ($how)" "$(key .counts)" true
	give "evil-$how" "head-$how"
	is "who is out" "$(member "head-$how" Good .role)" none
done
v head-undo --lang en revoke Evil --yes
exits "the head removes it" 0
says "and says what is not accepted" "Lately Evil did this alone: Evil removed Good" err
says "and who is back" "Good has a role again"
is "Good is back" "$(roles head-undo)" "Evil:none Good:coordinator head-undo:coordinator "
v head-keep --json revoke Evil --keep --yes
is "with --keep Good stays out" "$code $(key '.undone|length') $(roles head-keep)" "0 0 Evil:none Good:none head-keep:coordinator "
v head-keep revoke Evil --keep --undo 123456 --yes
exits "not both" 1

# Where the line is drawn: --undo names the first act that is not accepted.
found judge Cima
enter judge shady --name Shady --role coordinator
enter judge fair --name Fair --role coordinator
give judge shady fair
enter shady early --name Early
v shady --json group rotate
line=$(act shady 'select(.kind=="epoch" and .author_name=="Shady")][0].id')
enter shady late --name Late
enter shady pup --name Pup --role coordinator
v pup --json group rotate
give shady judge
give pup judge
v judge --json revoke Shady --undo "$(act judge 'select(.author_name=="judge")][0].id')" --yes
exits "only an act of theirs can be the line" 2
v judge --lang en revoke Shady --undo "${line:0:10}" --yes
is "a line is drawn" "$code $(grep -c 'Shady made new keys' err)" "0 1"
says "and what does not count any more is counted" "Acts that do not count any more: [2-9]"
is "before it all counts, behind it nothing" "$(roles judge)" "Early:member Fair:coordinator Late:none Pup:none Shady:none judge:coordinator "
v judge --lang en status --acts
is "of who was never removed nobody is named who did it" "$(grep -c 'no admission of Pup counts' out) $(grep -c 'removed by ?' out)" "1 0"
give judge fair
is "on every device" "$(roles fair)" "$(roles judge)"

# Leaving.
v head-undo --lang en revoke Good --yes
exits "Good leaves" 0
v head-undo --lang en revoke head-undo </dev/null
is "the last coordinator is asked twice" "$code $(grep -c 'cannot be led any more' err)" "16 1"
v head-undo --lang en --yes revoke head-undo
is "and may go" "$code $(grep -c 'You have left the group' out) $(grep -c 'Nobody is left to coordinate' err)" "0 1 1"
v head-undo --lang en status
says "who is out is told, and by whom" "You were removed from Cerro by head-undo on"
v head-undo --lang en members
is "and members go on being shown" "$code" 0

# Keys by themselves: two coordinators who act apart, and a daemon that hears of it from a third.
found north Norte
enter north south --name South --role coordinator
enter north east --name East
enter north mia --name Mia
give north south east mia
v north --json revoke East --yes
give north mia
enter south west --name West
give south mia
is "who carries it holds no keys for West" "$(member mia West .role)" member
daemon north
v mia --json sync "$addr"
exits "Mia meets North" 0
for _ in $(seq 200); do
	grep -q "tended .*sealed=1" north.log && break
	sleep 0.05
done
says "whose daemon gives West the keys" "tended .*sealed=1" north.log
kill "$pid"
wait "$pid"
v north --quiet add message -m "for West"
give north west
is "and West reads what is written under them" "$(texts west)" "for West,"
give west north
give north south
v south --json status
is "the keys to write with are those of nobody removed" "$(key '[.warnings[]|select(test("may read what is written"))]|length')" 0
v south --quiet --yes export all.vb
v east --quiet import all.vb
is "who is out reads none of it" "$("$VEREDA" --home east --quiet --json list | jq -r 'select(.body=="present").fields.text' | grep -c 'for West')" 0

# Who is no second voice is told why, and is not asked to type it again.
enter Abel Egon --name Egon --role coordinator
enter Abel Abel2 --person Abel
give Abel Egon Abel2 root
v Abel --json revoke Cira --yes
cira=$(key '.id[0:12]')
give Abel Egon Abel2
v Egon --lang en approve "$cira"
is "of one line" "$code $(grep -c 'You and Abel are of one line' out)" "0 1"
v Abel2 --lang en approve "$cira"
is "of one member" "$code $(grep -c 'You and Abel are one member' out)" "0 1"
enter root Fito --name Fito --role coordinator
v root --json revoke Bela --yes
bela=$(key '.id[0:12]')
give root Fito
v Fito --lang en approve "$bela"
is "nobody is one with the founder" "$code $(grep -c 'root founded the group' out)" "0 1"
done_testing
