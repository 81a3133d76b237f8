#!/bin/bash
# wipe: nothing of the store is left, whether it was sealed, readable, locked or in use.
. "$(dirname "$0")/cli.inc"

cheap_passphrases
printf 'la casa de la esquina\n' >words
make() { # HOME [init options…]
	local home=$1
	shift
	"$VEREDA" --home "$home" "$@" init --name "$home" $([ $# = 0 ] && echo --no-passphrase) >/dev/null 2>&1
	"$VEREDA" --home "$home" "$@" group create Canary >/dev/null 2>&1
	"$VEREDA" --home "$home" "$@" add message -m "canary text" >/dev/null 2>&1
}
gone() { # NAME HOME
	v "$2" status
	is "$1" "$code $(ls -A "$2" | wc -l)" "10 0"
}

make plain
v plain wipe </dev/null
is "nobody to confirm it" "$code $(ls plain | grep -c data.mdb)" "16 1"
exec 8<plain/data.mdb
v plain --json wipe --yes
is "a readable store" "$code $(key .wiped)" "0 true"
gone "is gone" plain
LC_ALL=C grep -qa "canary" <&8
is "and was overwritten before it went" $? 1
exec 8<&-
v plain wipe --yes
exits "a second time there is no store" 10
says "and it says that a wipe leaves it so" "empty, as a wipe leaves it" err
v plain init --no-passphrase
exits "a new one can be made" 0

# Whatever else stands in a folder is not the store's.
mkdir -p fam/new fam/inbox
touch fam/backup-family.tar fam/vault.kdbx fam/reserved-seats.txt fam/new/photo.jpg fam/inbox/mail
v fam wipe --yes
is "a folder without a store" "$code $(find fam -type f | wc -l)" "10 5"
says "tells that nothing was touched" "not touched" err
v fam --lang es wipe --yes
says "in Spanish too" "no se tocaron" err
v fam init --no-passphrase
is "no store is made over folders of others" "$code $(find fam -type f | wc -l)" "1 5"
says "and it tells which is in the way" '"new" that is not' err
v nowhere wipe --yes
exits "nor is a folder that is not there" 10
make beside
touch beside/backup-family.tar beside/vault.kdbx beside/reserved-seats.txt
v beside --json wipe --yes
is "beside a store they stay" "$code $(ls beside | sort | tr '\n' ' ')" "0 backup-family.tar reserved-seats.txt vault.kdbx "
is "and are named" "$(key '.left | sort | join(" ")')" "backup-family.tar reserved-seats.txt vault.kdbx"

# A wipe that was interrupted goes on, whatever is left of the store.
for left in data.mdb lock.mdb,data.mdb walked data.mdb.damaged-1,inbox/00112233445566778899aabbccddeeff.bin; do
	make whole
	mkdir half half/inbox
	touch whole/data.mdb.damaged-1
	mkdir -p whole/inbox && echo x >whole/inbox/00112233445566778899aabbccddeeff.bin
	for one in ${left//,/ }; do cp "whole/$one" "half/$one"; done
	rmdir half/inbox 2>/dev/null
	v half wipe --yes
	is "half a wipe: $left" "$code $(find half -type f | wc -l)" "0 0"
	rm -rf whole half
done

make sealed --passphrase-file words
exec 8<sealed/vault
before=$(sha256sum <&8)
v sealed wipe --yes
exits "a sealed one asks for no passphrase" 0
gone "and is gone" sealed
exec 8<&-
[ -n "$before" ]
is "(there were key slots)" $? 0

make running --passphrase-file words
"$VEREDAD" --home running --no-discovery 2>running.log &
started+=($!)
for i in $(seq 100); do grep -qs locked running.log && break; sleep 0.1; done
v running --passphrase-file words unlock
exits "unlocked" 0
v running wipe --yes
exits "with a daemon at work" 0
wait "${started[-1]}"
ended=$?
gone "all is gone" running
is "the daemon, too" "$(kill -0 "${started[-1]}" 2>/dev/null; echo $?) $ended" "1 0"

make panic --passphrase-file words
"$VEREDAD" --home panic --no-discovery 2>panic.log &
started+=($!)
for i in $(seq 100); do grep -qs locked panic.log && break; sleep 0.1; done
kill -USR2 "${started[-1]}"
wait "${started[-1]}" 2>/dev/null
gone "a panic button, while it is locked" panic
# veredad stands still (Ctrl-Z, a dying disk): the slots do not wait for it, and it does not keep its keys.
make still --passphrase-file words
"$VEREDAD" --home still --no-discovery 2>still.log &
started+=($!)
still=$!
for i in $(seq 100); do grep -qs locked still.log && break; sleep 0.1; done
v still --passphrase-file words unlock
"$VEREDA" --home still watch >watched 2>watch.err &
watching=$!
for i in $(seq 100); do grep -qs Waiting watch.err && break; sleep 0.1; done
"$VEREDA" --home still --passphrase-file words watch >own 2>own.err &
owning=$!
for i in $(seq 100); do grep -qs Waiting own.err && break; sleep 0.1; done
kill -STOP "$still"
before=$(date +%s%N)
v still lock
is "lock: a stopped daemon is told, at once" "$code $(($(date +%s%N) - before < 2000000000))" "11 1"
says "with its process" "NOT LOCKED.*process $still" err
before=$(date +%s%N)
"$VEREDA" --home still wipe --yes >out 2>err &
wiping=$!
while [ -e still/vault ] && [ $(($(date +%s%N) - before)) -lt 5000000000 ]; do :; done
is "wipe: the slots are gone before anyone is waited for" "$(($(date +%s%N) - before < 400000000))" 1
wait $wiping
is "wipe: done" $? 0
wait "$still" 2>/dev/null
is "and the stopped daemon was ended" $? 137
wait "$watching"
is "a watch with a lent key ends" "$? $(grep -c 'is gone' watch.err)" "10 1"
wait "$owning"
is "and one with a passphrase of its own" "$? $(grep -c 'is gone' own.err)" "10 1"

# A command that stands still has the key, too.
make stands --passphrase-file words
"$VEREDA" --home stands --passphrase-file words watch >own 2>own.err &
owning=$!
for i in $(seq 100); do grep -qs Waiting own.err && break; sleep 0.1; done
kill -STOP "$owning"
v stands wipe --yes
says "a stopped command is ended" "Other commands had this store open.*: 1" err
wait "$owning" 2>/dev/null
is "and is gone" "$? $(ls -A stands | wc -l)" "137 0"

# While something is loaded.
make full --passphrase-file words
{ echo text; seq 200000; } >many.csv
"$VEREDA" --home full --passphrase-file words --json load message many.csv >loaded 2>load.err &
load=$!
sleep 1.5
v full wipe --yes
exits "wipe in the middle of a load" 0
wait $load
is "the load says that the store is gone" "$? $(tail -n1 load.err | key .error /dev/stdin)" "10 no-store"
silent "and not that all is safe" "safe" load.err
done_testing
