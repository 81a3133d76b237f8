#!/bin/bash
# veredad on a sealed store: locked it holds nothing, the key is lent while it is open, a token opens it and locks it when it is pulled.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

cheap_passphrases
printf 'la casa de la esquina\n' >"$work/words"
open_with() { as "$1" --passphrase-file "$work/words" "${@:2}"; }
sealed() { # name
	as "$1" --quiet --passphrase-file "$work/words" init --name "$1" >/dev/null &&
		open_with "$1" --quiet group create "Canario del rio" >/dev/null && open_with "$1" --quiet add message -m "canary: two boats at the ford" >/dev/null
}
# `locked_start hub …`: as start, but it waits for its key.
locked_start() {
	local who=$1
	shift
	: >"$work/$who.log"
	"$build/veredad" --home "$work/$who" "$@" 2>"$work/$who.log" &
	pid[$who]=$!
	daemons+=($!)
	within 20 logged "$who" '^<6>locked'
}
says() { grep -c "$2" "$work/$1.log"; }
# All the memory of a daemon that can be read, in $work/core. Who is not root cannot look: it is not dumpable.
core() {
	local from to may rest
	: >"$work/core"
	while read -r range may rest; do
		from=$((0x${range%-*} / 4096)) to=$((0x${range#*-} / 4096))
		[[ $may == r* && $rest != *'[v'* ]] || continue
		dd if="/proc/${pid[$1]}/mem" bs=4096 skip=$from count=$((to - from)) 2>/dev/null >>"$work/core"
	done <"/proc/${pid[$1]}/maps"
}
held() { # name: how many of the canaries, as text or, what is hex, as bytes
	local n=0 each
	core "$1"
	# as text of digits: bytes may be ends of lines
	od -An -v -tx1 "$work/core" | tr -d ' \n' >"$work/digits"
	for each in "${canaries[@]}"; do
		if LC_ALL=C grep -qaF "$each" "$work/core" || { [[ $each =~ ^([0-9a-f]{2}){8,}$ ]] && grep -qF "$each" "$work/digits"; }; then
			n=$((n + 1))
		fi
	done
	rm -f "$work/digits"
	rm -f "$work/core"
	echo $n
}

sealed hub || exit 1
locked_start hub --listen 127.0.0.1:0
check "lock: a sealed store without a key is waited for" $?
equal "lock: and nobody is listened to" "$(says hub '^<6>listening')" 0
equal "lock: commands say that it is locked (12)" "$(status_of as hub list)" 12
open_with hub unlock >/dev/null
equal "lock: unlock" $? 0
equal "lock: then commands need no passphrase" "$(as hub --json list | jq -r .fields.text)" "canary: two boats at the ford"
group=$(as hub --json group list | jq -r .group)
author=$(as hub --json list | jq -r .author)
id=$(as hub --json list | jq -r .id)
canaries=("$group" "$author" "$id" "Canario del rio" "canary: two boats")
if [ "$(id -u)" = 0 ]; then
	holds() { [ "$(held hub)" -ge 2 ]; }
	within 20 holds
	check "lock: unlocked, its memory holds the group and who writes" $?
fi
address=$(sed -n 's/^<6>listening addr=//p' "$work/hub.log" | tail -1)

walls=$(as hub --json status | jq -c .walls)
for turn in 1 2; do
	as hub lock >/dev/null
	equal "lock: lock ($turn)" $? 0
	equal "lock: nothing of it is left in memory ($turn)" "$(held hub)" 0
	kill -0 "${pid[hub]}"
	check "lock: it is the same process ($turn)" $?
	equal "lock: locked again for commands ($turn)" "$(status_of as hub list)" 12
	"$build/veredad" --home "$work/hub" 2>/dev/null
	equal "lock: and the store still has one daemon ($turn)" $? 11
	open_with hub unlock >/dev/null
	equal "lock: unlocked ($turn)" $? 0
	equal "lock: it listens where it did ($turn)" "$(sed -n 's/^<6>listening addr=//p' "$work/hub.log" | tail -1)" "$address"
done
equal "lock: the walls that stood stand" "$(as hub --json status | jq -c .walls)" "$walls"

# A signal, while it is at work.
rows 20000 >"$work/rows.csv"
halting "$work/rows.csv" "$work/locked" | as hub --quiet load message - >/dev/null 2>"$work/load.err" &
loading=$!
began() { [ "$(as hub --json status | jq .store.records)" -gt 100 ]; }
within 30 began
kill -USR1 "${pid[hub]}"
says_locked() { [ "$(says hub '^<6>locked')" -ge 4 ]; }
within 20 says_locked
touch "$work/locked"
wait $loading
equal "lock: a command that had borrowed the key gives it back (12)" "$? $(grep -c 'forgot the key' "$work/load.err")" "12 1"
equal "lock: SIGUSR1 locks" "$(status_of as hub list)" 12
equal "lock: with nothing left, either" "$(held hub)" 0
open_with hub unlock >/dev/null
as hub --quiet load message "$work/rows.csv" >/dev/null
equal "lock: nothing that was loaded is lost" "$(as hub --json list | wc -l)" 20001

# Who watches: with a key that was lent, and with the passphrase.
watches() { # file, arguments…
	: >"$work/$1.err"
	"$build/vereda" --home "$work/hub" "${@:2}" watch >"$work/$1" 2>"$work/$1.err" &
	watching=$!
	within 20 grep -q Waiting "$work/$1.err"
}
watches lent
lent=$watching
watches own --passphrase-file "$work/words"
own=$watching
as hub lock >/dev/null 2>"$work/lock.err"
before=$(date +%s%N)
wait $lent
equal "lock: watch ends with the loan (12)" $? 12
check "lock: within a second" $(($(date +%s%N) - before > 1000000000))
grep -q 'forgot the key' "$work/lent.err"
check "lock: and says why" $?
grep -q "passphrase themselves.*process $own" "$work/lock.err"
check "lock: who was given the passphrase is named" $?
open_with hub --quiet add message -m "only for who has the passphrase" >/dev/null
within 10 grep -q 'only for who' "$work/own"
check "lock: and goes on" $?
equal "lock: what came after the lock was not shown on a loan" "$(grep -c 'only for who' "$work/lent")" 0
kill -INT $own
wait $own
equal "lock: until it is interrupted (130)" $? 130
open_with hub unlock >/dev/null
watches lent
kill -KILL "${pid[hub]}"
wait $watching
equal "lock: a daemon that is killed lends no more (12)" $? 12
as hub lock >/dev/null 2>"$work/lock.err"
equal "lock: then nobody holds the keys (13)" "$? $(grep -c 'locked already' "$work/lock.err")" "13 1"
watches own --passphrase-file "$work/words"
as hub lock >/dev/null 2>"$work/lock.err"
grep -q "passphrase themselves.*process $watching" "$work/lock.err"
check "lock: but for who was given the passphrase" $?
kill -INT $watching
wait $watching
as plain --quiet init --name plain --no-passphrase >/dev/null
as plain lock >/dev/null 2>"$work/lock.err"
equal "lock: of a readable store nobody says that it is locked (1)" "$? $(grep -c 'no passphrase' "$work/lock.err")" "1 1"
equal "lock: nor of one that is not there (10)" "$(status_of as nobody lock)" 10
open_with hub check >/dev/null
equal "lock: the store is whole" $? 0

# Two of a group, one of them locked in between: they find each other again.
sealed ana || exit 1
as ben --quiet init --name ben --no-passphrase >/dev/null
open_with ana --quiet admit "$(as ben --json id | jq -r .id)" --name ben -o "$work/ben.welcome" >/dev/null
as ben --quiet join "$work/ben.welcome" >/dev/null
locked_start ana --listen 127.0.0.1:0
open_with ana unlock >/dev/null
port[ana]=$(sed -n 's/^<6>listening addr=.*:\([0-9]*\)$/\1/p' "$work/ana.log" | tail -1)
start ben --listen 127.0.0.1:0 --peer "127.0.0.1:${port[ana]}" || exit 1
within 20 logged ben '^<6>settled'
check "lock: a session" $?
as ana lock >/dev/null
within 20 logged ben '^<6>closed'
check "lock: the other is said goodbye" $?
as ben --quiet alert "canary while she was locked" --severity severe >/dev/null
open_with ana unlock >/dev/null
within 60 lists ana "canary while she was locked"
check "lock: what was said meanwhile comes" $?
ends "lock: SIGTERM (0)" TERM ana ben

# A token.
mkdir "$work/usb" "$work/away"
head -c 64 /dev/urandom >"$work/usb/key"
open_with ana passphrase --token "$work/usb/key" >/dev/null 2>"$work/token.err"
if [ $? = 0 ]; then
	start ana --listen 127.0.0.1:0 --token "$work/usb/key"
	check "token: starts with nobody there" $?
	"$build/vereda" --home "$work/ana" watch >"$work/lent" 2>"$work/lent.err" &
	watching=$!
	within 20 grep -q Waiting "$work/lent.err"
	mv "$work/usb/key" "$work/away/key"
	wait $watching
	equal "token: pulled, a watch with a lent key ends (12)" $? 12
	within 20 logged ana '^<6>locked'
	check "token: pulled, it is locked" $?
	equal "token: and says why" "$(says ana '^<5>token gone')" 1
	equal "token: locked for commands" "$(status_of as ana list)" 12
	mv "$work/away/key" "$work/usb/key"
	within 20 logged ana '^<6>unlocked by=token'
	check "token: back, it opens by itself" $?
	as ana --json list >/dev/null
	equal "token: and commands work" $? 0
	ends "token: SIGTERM (0)" TERM ana
else
	cat "$work/token.err"
	check "token: a slot for it" 1
fi
# At a terminal it asks; whoever types nothing carries.
typed() { # LINE TARGET…
	local line=$1
	shift
	{ for try in 1 2 3; do sleep 1; printf '%s\r' "$line"; done; sleep 3; } | script -qec "'$build/vereda' --home '$work/ana' --lang en sync $*" /dev/null >"$work/typed" 2>&1
}
mkdir "$work/stick" "$work/stick2" "$work/stick3"
typed "$(cat "$work/words")" "$work/stick3"
equal "inbox: with the passphrase it is opened" "$? $(grep -c 'carried without' "$work/typed") $(grep -c 'safe to remove' "$work/typed")" "0 0 1"
typed "no esta" "$work/stick3"
equal "inbox: with a wrong one neither" "$? $(grep -c 'carried without' "$work/typed")" "12 0"
# Locked, it still carries what it cannot read.
as ben --quiet alert "canary on a stick" --severity severe >/dev/null
as ben sync "$work/stick" >/dev/null
out=$(as ana --json sync "$work/stick" 2>/dev/null)
equal "inbox: locked, a stick is copied" "$(jq -c '[.locked, .files_received >= 1, .safe_to_remove]' <<<"$out")" "[true,true,true]"
as ana --json sync "$work/stick2" >/dev/null 2>"$work/err"
equal "inbox: and passed on as it is" "$(cd "$work" && cat stick/cache/* | sha256sum)" "$(cd "$work" && cat stick2/cache/* | sha256sum)"
typed "" "$work/stick2"
equal "inbox: asked and nothing typed, it carries (3)" "$? $(grep -c 'files were carried without opening' "$work/typed")" "3 1"
grep -q 'Enter alone: only carry' "$work/typed"
check "inbox: and the question said so" $?
typed "" "$work/stick2" 127.0.0.1:9
equal "inbox: of a stick and a host only the stick goes on (12)" "$? $(grep -c 'carried without' "$work/typed")" "12 1"
equal "inbox: over a network it says that it is locked (12)" "$(status_of as ana sync 127.0.0.1:9)" 12
locked_start ana --listen 127.0.0.1:0
open_with ana unlock >/dev/null
within 30 lists ana "canary on a stick"
check "inbox: unlocked, it is taken in" $?
within 20 logged ana '^<6>inbox files='
check "inbox: and the log says so" $?
equal "inbox: what was taken in is not kept twice" "$(find "$work/ana/inbox" -size +0 -type f | wc -l)" 0
equal "inbox: nor does a name of it stay" "$(comm -12 <(ls "$work/stick/cache" | cut -c1-32 | sort) <(ls "$work/ana/inbox" | cut -c1-32 | sort) | wc -l)" 0
as ana lock >/dev/null
equal "inbox: and it is not copied again" "$(as ana --json sync "$work/stick" 2>/dev/null | jq .files_received)" 0
ends "inbox: SIGTERM (0)" TERM ana
exit $failed
