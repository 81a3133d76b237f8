#!/bin/bash
# wipe: nothing of the store is left, whether it was sealed, readable, locked or in use.
. "$(dirname "$0")/cli.inc"

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
exits "a second time there is nothing left to do" 0
v plain init --no-passphrase
exits "a new one can be made" 0

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
done_testing
