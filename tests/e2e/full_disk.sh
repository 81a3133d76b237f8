#!/bin/bash
# A disk that is full, at every step of a day's work and under a running daemon: a clear end, nothing lost, and it goes on once there is room.
. "$(dirname "$0")/lib.bash"
apart --mount "$1" || { echo "ok full # SKIP no mount namespaces here"; exit 0; }
mkdir "$work/small" "$work/other"
mount -t tmpfs -o size=10m tmpfs "$work/small" || { echo "ok full # SKIP no tmpfs here"; exit 0; }
trap 'umount -l "$work/small"; finish' EXIT

at() { # a command of the store on the small disk; what it said is in said and err
	"$build/vereda" --home "$work/small/hub" --no-input --lang en "$@" >"$work/said" 2>"$work/err"
}
fill() { cat /dev/zero >"$work/small/photos" 2>/dev/null; }
stored() { "$build/vereda" --home "$work/small/hub" --json check 2>/dev/null | jq -r '"\(.records) \(.bad) \(.derived_bad)"'; }

as ana --quiet init --name ana --no-passphrase >/dev/null
as eva --quiet init --name eva --no-passphrase >/dev/null
ana=$(as ana --json id | jq -r .id) eva=$(as eva --json id | jq -r .id)
rows 10 "loaded" >"$work/rows.csv"

cheap_passphrases
# A store is made, or nothing is left of it: in so much room, and 4 KiB more each time.
printf 'la casa de la esquina\n' >"$work/words"
mkdir "$work/tiny"
wrong=0 failing=0
for kib in $(seq 12 4 64); do
	for with in --no-passphrase "--passphrase-file $work/words"; do
		mount -t tmpfs -o size=${kib}k tmpfs "$work/tiny" || break 2
		"$build/vereda" --home "$work/tiny/hub" --no-input init $with >/dev/null 2>"$work/err"
		case $? in
		0) "$build/vereda" --home "$work/tiny/hub" --no-input ${with#--no-passphrase} check >/dev/null 2>&1 || wrong=$((wrong + 1)) ;;
		15) failing=$((failing + 1)); [ "$(ls -A "$work/tiny/hub" 2>/dev/null | wc -l)" = 0 ] || wrong=$((wrong + 1)) ;;
		*) wrong=$((wrong + 1)) ;;
		esac
		umount -l "$work/tiny"
	done
done
equal "full: init makes a store, or says that it cannot and leaves nothing" "$wrong $((failing > 4))" "0 1"

# What each step must end with on a full disk: 15, or 0 where it needs no room there or is what the reserve is for.
step() { # name, exit status on a full disk, command…
	local name=$1 wanted=$2 before after status
	shift 2
	before=$(stored)
	fill
	at "$@"
	status=$?
	equal "full: $name" "$status" "$wanted"
	[ "$status" = 0 ] || grep -q . "$work/err"
	check "full: $name says why" $?
	if [ "$status" = 15 ]; then
		equal "full: $name leaves what was stored, and no more" "$(stored)" "$before"
		rm "$work/small/photos"
		at "$@"
		check "full: $name when there is room again" $?
		# made anew beside what the kept-back room needs
		at config get >/dev/null
	fi
	rm -f "$work/small/photos"
	after=$(stored)
	equal "full: what $name leaves is sound" "${after#* }" "0 0"
}
before=
fill
at init --name hub --no-passphrase
equal "full: init" $? 15
[ -s "$work/err" ]
check "full: init says why" $?
rm "$work/small/photos"
at init --name hub --no-passphrase
check "full: init when there is room again" $?
step "group create" 15 --json group create Valle
step "admit" 0 admit "$ana" --name ana -o "$work/ana.welcome"
step "add" 15 add message -m "by the river"
step "alert" 15 alert "boats" --severity severe
step "load" 15 load message "$work/rows.csv"
step "list" 0 --json list
equal "full: list is whole" "$(wc -l <"$work/said")" 12
id=$(head -1 "$work/said" | jq -r .id)
step "show" 0 show "$id"
step "status" 0 --json status
equal "full: status warns" "$(jq '[.warnings[] | select(test("disk"; "i"))] | length > 0' "$work/said")" true
step "check" 0 check
step "export elsewhere" 0 export "$work/other/bundle"
step "export to it" 15 export "$work/small/bundle"
as ana --quiet join "$work/ana.welcome" >/dev/null
as ana --quiet import "$work/other/bundle" >/dev/null
rows 5 "of ana" | as ana --quiet load message - >/dev/null
as ana --quiet export "$work/other/of-ana" >/dev/null
step "import" 15 --json import "$work/other/of-ana"
equal "full: import gave all of them" "$(at --json list; wc -l <"$work/said")" 17
rows 5 "later" | as ana --quiet load message - >/dev/null
mkdir "$work/other/usb"
as ana --quiet sync "$work/other/usb" >/dev/null
step "sync with a stick" 15 --json sync "$work/other/usb"
equal "full: sync gave all of them" "$(at --json list; wc -l <"$work/said")" 22
mkdir "$work/small/usb"
step "sync onto a full stick" 15 --json sync "$work/small/usb"
step "redact" 0 --yes redact "$id"
step "admit once more" 0 admit "$eva" --name eva -o "$work/eva.welcome"
step "revoke" 0 --yes revoke ana
equal "full: no temporary file is left" "$(find "$work/small" -name '*.tmp' | wc -l)" 0

# Under a running daemon.
. "$(dirname "$0")/net.bash"
as eva --quiet join "$work/eva.welcome" >/dev/null
ln -s small/hub "$work/hub"
start hub --listen 127.0.0.1:0 --no-discovery || exit 1
start eva --peer "127.0.0.1:${port[hub]}" --no-discovery || exit 1
same_records() { [ "$(count hub)" = "$(count eva)" ]; }
within 20 same_records
check "full: two daemons agree" $?
told() { as hub --json status | jq -e '[.warnings[] | select(test("full since"))] | length == 1' >/dev/null; }
not_told() { ! told; }
not_told
check "full: no warning while there is room" $?
fill
within 20 told
check "full: status tells since when the daemon's disk is full" $?
as hub --lang es status | grep -q 'lleno desde'
check "full: in Spanish too" $?
logged hub '^<3>disk full'
check "full: its log says so" $?
whole=$(count hub)
as eva --quiet add message -m "sent to a full hub" >/dev/null
# the other one has it and goes on offering it; nothing of the hub's is lost meanwhile
refused() { grep -q 'commit failed why=no-space' "$work/hub.log"; }
within 20 refused
check "full: what arrives is refused" $?
equal "full: and nothing is lost" "$(count hub)" "$whole"
kill -0 "${pid[hub]}"
check "full: the daemon goes on" $?
rm "$work/small/photos"
within 20 not_told
check "full: the warning goes when there is room" $?
within 60 same_records
check "full: and what was refused comes again" $?
logged hub '^<5>disk takes records again'
check "full: its log says that too" $?
ends "full: both end" TERM hub eva
equal "full: the store is sound" "$(as hub --json check | jq -c '[.bad, .derived_bad]')" "[0,0]"
exit $failed
