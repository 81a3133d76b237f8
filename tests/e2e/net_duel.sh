#!/bin/bash
# Two coordinators remove each other, apart. Whichever of the two a member's daemon hears first, over the network, and whether a third
# one decides it: in the end all that stay have the same members, and the loser got nothing.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

roles() { as "$1" --json members --all | jq -r '.name + ":" + .role' | sort | paste -sd' '; }
text() { as "$1" --json list | jq -r '.fields.text' | sort | paste -sd' '; }
visit() { as "$1" --json sync "127.0.0.1:${port[ana]}" >"$work/synced" 2>"$work/why"; }
enter() { # name, role
	as "$1" --quiet init --name "$1" --no-passphrase >/dev/null
	as hub --quiet admit "$(as "$1" --json id | jq -r .id)" --name "$1" --role "$2" -o "$work/$1.welcome" >/dev/null
	as "$1" --quiet join "$work/$1.welcome" >/dev/null
}
found hub || exit 1
for who in ana ben; do enter $who member; done
for who in c2 cam; do enter $who coordinator; done
start hub --listen 127.0.0.1:0 || exit 1
for who in ana ben c2 cam; do
	as $who --quiet sync "127.0.0.1:${port[hub]}" >/dev/null
	check "duel: $who holds what the hub does" $?
done
for who in ana ben c2 cam; do as $who --quiet sync "127.0.0.1:${port[hub]}" >/dev/null; done
ends "duel: all are even" TERM hub
all=$(roles hub)
equal "duel: and all see the same members" "$(for who in ana ben c2 cam; do roles $who; done | sort -u)" "$all"

as hub --quiet revoke c2 --yes >/dev/null 2>&1
as c2 --quiet revoke hub --yes >/dev/null 2>&1
as hub --quiet add message -m "from-hub" >/dev/null
as c2 --quiet add message -m "from-c2" >/dev/null
hub_wins=$(roles hub)
c2_wins=$(roles c2)
[ "$hub_wins" != "$c2_wins" ] && [ "$hub_wins" != "$all" ]
check "duel: each has removed the other" $?
mkdir "$work/before"
for who in hub c2 cam ana ben; do mv "$work/$who" "$work/before/"; done

first_c2() { visit c2; visit hub; }
first_hub() { visit hub; visit c2; }
both() { # at once
	as hub --json sync "127.0.0.1:${port[ana]}" >/dev/null 2>&1 &
	local other=$!
	visit c2
	wait $other
	visit hub
}
# … with daemons that keep calling, and the member's that calls them.
called() {
	as ana --json sync "127.0.0.1:${port[c2]}" >/dev/null 2>&1
	as ana --json sync "127.0.0.1:${port[hub]}" >"$work/synced" 2>&1
}
for order in first_c2 first_hub both called; do
	for third in alone decided; do
		name="duel, $order, $third"
		for who in hub c2 cam ana ben; do
			rm -rf "${work:?}/$who"
			cp -r "$work/before/$who" "$work/"
		done
		running=ana
		if [ $order = called ]; then
			running="hub c2"
			start hub --listen 127.0.0.1:0 --no-discovery || exit 1
			start c2 --listen 127.0.0.1:0 --no-discovery || exit 1
			called
			ends "$name: they end" TERM $running
			running=ana
			start ana --listen 127.0.0.1:0 --no-discovery || exit 1
		else
			start ana --listen 127.0.0.1:0 --no-discovery || exit 1
			$order
		fi
		equal "$name: the founder has removed the other" "$(roles ana)" "$hub_wins"
		winner=hub loser=c2 wins=$hub_wins
		if [ $third = decided ]; then
			visit cam
			equal "$name: a third coordinator hears of it" "$(roles cam)" "$hub_wins"
			act=$(as cam --json status | jq -r '[.acts[] | select(.kind == "revoke" and (.counts | not))][0].id')
			as cam --quiet approve "${act:0:12}" --yes >/dev/null 2>&1
			equal "$name: and decides it the other way" "$(roles cam)" "$c2_wins"
			visit cam
			equal "$name: the member hears that" "$(roles ana)" "$c2_wins"
			winner=c2 loser=hub wins=$c2_wins
		else
			visit cam
		fi
		got=$(digests $loser)
		visit $winner
		equal "$name: the one that stays is served" $? 0
		visit $winner
		visit ben
		visit cam
		equal "$name: all that stay see the same members" "$(for who in ana ben cam $winner; do roles $who; done | sort -u)" "$wins"
		# What devices do unasked then, with the loser's keys, goes round once more.
		for round in 1 2 3 4; do
			same ana $winner && same ana ben && same ana cam && break
			for who in $winner ben cam; do visit $who; done
		done
		same ana $winner && same ana ben && same ana cam
		check "$name: and hold the same" $?
		quiet=$(digests ana)
		for who in $winner ben cam; do visit $who; done
		equal "$name: and have nothing more to say" "$(digests ana)" "$quiet"
		[[ " $(text ben) " = *" from-$winner "* && " $(text ben) " != *" from-$loser "* ]]
		check "$name: what the one that stays wrote is shown, and what the other wrote is not" $?
		for again in 1 2; do
			visit $loser
			[ $? != 0 ]
			check "$name: the other is served nothing" $?
			! grep -qiE 'revo|remov|expuls' "$work/why"
			check "$name: and not told why" $?
		done
		equal "$name: it holds what it held" "$(digests $loser)" "$got"
		ends "$name: the daemon ends" TERM ana
		start $loser --listen 127.0.0.1:0 --no-discovery || exit 1
		as ben sync "127.0.0.1:${port[$loser]}" >"$work/synced" 2>"$work/why"
		equal "$name: a member that calls the other" $? 1
		grep -q "removed from the group: it is $loser's" "$work/why"
		check "$name: learns who was removed" $?
		ends "$name: the other's daemon ends" TERM $loser
	done
done
exit $failed
