#!/bin/bash
# The panic button: veredad on SIGUSR2, open, locked, at work, on a full disk.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

cheap_passphrases
printf 'la casa de la esquina\n' >"$work/words"
sealed() { # name
	as "$1" --quiet --passphrase-file "$work/words" init --name "$1" >/dev/null &&
		as "$1" --quiet --passphrase-file "$work/words" group create "Canario del rio" >/dev/null
}
locked_start() {
	: >"$work/$1.log"
	"$build/veredad" --home "$work/$1" --listen 127.0.0.1:0 2>"$work/$1.log" &
	pid[$1]=$!
	daemons+=($!)
	within 20 logged "$1" '^<6>locked'
}
left() { find "$work/$1" -mindepth 1 | wc -l; }
pressed() { # name, check, status
	kill -USR2 "${pid[$1]}"
	wait "${pid[$1]}" 2>/dev/null
	equal "wipe: $2: ends" $? "$3"
}

sealed open || exit 1
locked_start open || exit 1
as open --passphrase-file "$work/words" unlock >/dev/null
exec 8<"$work/open/vault"
pressed open "an open one" 0
equal "wipe: an open one: nothing is left" "$(left open)" 0
logged open '^<5>wiped'
check "wipe: an open one: and says so" $?
logged open '^<5>flash memory may keep old bytes'
check "wipe: an open one: and what nobody can promise of flash" $?
equal "wipe: an open one: its slots were overwritten, not only unlinked" "$(tr -d '\0' <&8 | wc -c)" 0
exec 8<&-
"$build/veredad" --home "$work/open" 2>/dev/null
equal "wipe: then there is no store (10)" $? 10

sealed shut || exit 1
locked_start shut || exit 1
pressed shut "a locked one" 0
equal "wipe: a locked one: nothing is left" "$(left shut)" 0

found plain || exit 1
as plain --quiet add message -m "canary in the clear" >/dev/null
exec 8<"$work/plain/data.mdb"
start plain --listen 127.0.0.1:0 || exit 1
pressed plain "a readable one" 0
equal "wipe: a readable one: nothing is left" "$(left plain)" 0
equal "wipe: a readable one: and it was overwritten" "$(tr -d '\0' <&8 | wc -c)" 0
exec 8<&-

# Again and again: pressing twice is no way to keep something.
sealed twice || exit 1
locked_start twice || exit 1
as twice --passphrase-file "$work/words" unlock >/dev/null
kill -USR2 "${pid[twice]}"
kill -USR2 "${pid[twice]}" 2>/dev/null
kill -USR1 "${pid[twice]}" 2>/dev/null
pressed twice "pressed three times" 0
equal "wipe: pressed three times: nothing is left" "$(left twice)" 0

# While it works.
sealed busy || exit 1
locked_start busy || exit 1
as busy --passphrase-file "$work/words" unlock >/dev/null
rows 20000 >"$work/rows.csv"
halting "$work/rows.csv" "$work/pressed" | as busy --quiet load message - >/dev/null 2>"$work/load.err" &
loading=$!
began() { [ "$(as busy --json status | jq .store.records)" -gt 100 ]; }
within 30 began
pressed busy "while somebody writes" 0
touch "$work/pressed"
wait $loading
equal "wipe: while somebody writes: they end, and are told that the store is gone (10)" "$? $(grep -c 'is gone' "$work/load.err")" "10 1"
[ ! -e "$work/busy/vault" ] && [ ! -e "$work/busy/data.mdb" ]
check "wipe: while somebody writes: neither slots nor records" $?

if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=4m none "$work/small" 2>/dev/null; then
	sealed small/full || exit 1
	: >"$work/full.log"
	"$build/veredad" --home "$work/small/full" --listen 127.0.0.1:0 2>"$work/full.log" &
	pid[full]=$!
	daemons+=($!)
	within 20 logged full '^<6>locked'
	cat /dev/zero >"$work/small/filler" 2>/dev/null
	pressed full "on a full disk" 0
	equal "wipe: on a full disk: nothing is left" "$(left small/full)" 0
	umount -l "$work/small"
else
	echo "# not root: no small disks"
fi
exit $failed
