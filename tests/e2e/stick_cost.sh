#!/bin/bash
# What a visit to a stick costs: bytes read from and written to all files on it, children's too. On it are RECORDS=100000, and each of two devices brings a
# hundred new ones each time. At most 256 KiB read, and what is new × 1.1 + 96 KiB written; and few files, however often they come.
. "$(dirname "$0")/lib.bash"
records=${RECORDS:-100000} visits=${VISITS:-24}
counter=$(realpath "$build/tests/faults/count.so")
found hub ana luz || exit 1
mkdir "$work/usb"
truncate -s 16 "$work/counts"
next=0
load() { # HOME HOW MANY
	seq $((next + 1)) $((next + $2)) | awk 'BEGIN { print "text" } { printf "\"message %d: by the river, where the road to the north begins, somebody was seen %d\"\n", $1, $1 * 7919 }' >"$work/rows.csv"
	next=$((next + $2))
	"$build/vereda" --home "$work/$1" --quiet load message "$work/rows.csv" >/dev/null || check "cost: $1 writes $2" 1
}
visit() { # HOME: sets $read, $wrote, $sent, $received, $complete
	truncate -s 0 "$work/counts"
	truncate -s 16 "$work/counts"
	COUNT_BELOW=$work/usb COUNT_INTO=$work/counts LD_PRELOAD=$counter "$build/vereda" --home "$work/$1" --json sync "$work/usb" >"$work/said" 2>"$work/err"
	read -r read wrote < <(od -An -tu8 "$work/counts")
	read -r sent received complete < <(jq -r '[.sent, .received, .complete] | map(tostring) | join(" ")' "$work/said")
}
load hub "$records"
visit hub
# Its bytes as they are on the stick, beside which heads and padding count for nothing.
each=$((wrote / records))
# Read back, and how its two heads begin.
equal "cost: all was counted that was written" $((read >= wrote && read <= wrote + 16 * $(ls "$work/usb/cache" | wc -l) && each > 100 && wrote == $(cat "$work"/usb/cache/* | wc -c))) 1
visit ana
equal "cost: and all that was read" $((read >= wrote && received >= records)) 1
visit hub
visit ana
bad= most_read=0 most_wrote=0
for turn in $(seq "$visits"); do
	home=hub
	[ $((turn % 2)) = 0 ] && home=ana
	load $home 100
	visit $home
	[ "$sent" = 100 ] && [ "$complete" = true ] && { [ "$received" = 100 ] || [ "$turn" = 1 ]; } || bad="$bad $turn:sent=$sent,received=$received,$complete"
	[ "$read" -le 262144 ] || bad="$bad $turn:read=$read"
	[ "$wrote" -le $((each * 100 * 11 / 10 + 98304)) ] || bad="$bad $turn:wrote=$wrote"
	[ "$read" -gt $most_read ] && most_read=$read
	[ "$wrote" -gt $most_wrote ] && most_wrote=$wrote
done
equal "cost: $visits visits with 100 new on each side (at most $most_read read, $most_wrote written)" "$bad" ""
files=$(ls "$work/usb/cache" | wc -l)
equal "cost: few files are left ($files)" $((files <= 2 + records / 40000 + visits * 100 * each / 32000)) 1
# Until each has heard of the other's receipt.
for home in ana hub ana hub ana; do
	visit $home
done
equal "cost: when nothing is new ($read bytes)" $((wrote == 0 && read <= 16 * 2624 + 2624)) 1
visit luz
same hub luz && same hub ana
check "cost: all have the same" $?

# Another group's files are tried once, as long as no keys come.
for i in $(seq 100); do
	head -c 68160 /dev/urandom >"$work/usb/cache/$(printf %032x "$i").bin"
done
for home in hub ana luz hub ana luz hub; do
	visit $home
done
equal "cost: a hundred files of another group ($read read, $wrote written)" $((wrote == 0 && read <= (16 + 8 + 1) * 2624)) 1
rm "$work"/usb/cache/00000000000000000000000000*.bin

# A medium that takes no large files: more of them.
rm -rf "$work/usb"
mkdir "$work/usb"
export COUNT_FILE_MAX=3000000
visit hub
unset COUNT_FILE_MAX
largest=$(stat -c %s "$work"/usb/cache/* | sort -n | tail -1)
equal "cost: no file is larger than the medium takes ($largest)" "$((largest <= 3000000 && largest > 500000)) $complete" "1 true"
equal "cost: and all is there" "$sent" "$(as hub --json status | jq .store.records)"
exit $failed
