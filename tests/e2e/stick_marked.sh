#!/bin/bash
# A marked stick stays marked, whoever writes to it; what only looks like it does not become one; and one device is at a stick once at a time.
. "$(dirname "$0")/lib.bash"
apart --mount "$1" || mounts=no
. tests/e2e/net.bash
found hub ana || exit 1
cheap_passphrases
mkdir "$work/media" "$work/home"
for who in hub ana hub ana; do as $who sync "$work/home" >/dev/null 2>&1; done
said() { as "$@" >"$work/said" 2>"$work/err"; }
is_marked() { as "$1" --json stick sync "$2" 2>/dev/null | jq -r 'if .marked == false then "no" else "yes" end'; }
times() { (cd "$1" && find . -type f -printf '%p %s %T@\n' | sort | sha256sum); }

# --- who marks it has nothing to add, and what it saw there is folded by whom it is of ---
mkdir "$work/usb"
as ana sync "$work/usb" >/dev/null 2>&1
as hub --quiet stick mark "$work/usb" --name azul >/dev/null 2>&1
check "a stick is marked to which there was nothing to add" $?
as ana --quiet alert "they are coming" >/dev/null
as ana --quiet sync "$work/usb" >/dev/null 2>&1
start hub --no-discovery --listen 127.0.0.1:0 --stick-dir "$work/media" || exit 1
mkdir "$work/media/new"
left_alone() { [ "$(grep -c '^<6>stick left alone why=unmarked' "$work/hub.log")" = "$1" ]; }
within 10 left_alone 1
check "of one that nobody marked the log says that it was left alone" $?
mv "$work/usb" "$work/media/usb"
within 20 logged hub '^<6>stick done received=1'
check "the marked one is known, whatever ana folded" $? || cat "$work/hub.log"
sleep 2.2
left_alone 1
check "the other one is told of once" $?
! grep -q "azul\|usb\|new\|$work" "$work/hub.log"
check "without name or place" $?
equal "the alert is here" "$(as hub --json list alert | wc -l)" 1
equal "and each stick is listed once" "$(as hub --json stick list | wc -l) $(as hub --json stick list | jq -rs 'map(select(.marked)) | length')" "2 1"
said hub stick mark "$work/home" --name azul
equal "another one cannot have its name" "$? $(grep -c 'vereda stick forget "azul"' "$work/err")" "1 1"
ends "the daemon ends" TERM hub

# --- a copy, and what a locked device carries ---
usb=$work/media/usb
before=$(times "$usb")
cp -r "$usb" "$work/copy"
as hub --quiet add message -m "for azul" >/dev/null
copied=$(times "$work/copy")
equal "a copy is not the marked one" "$(is_marked hub "$work/copy") $(times "$work/copy")" "no $copied"
printf 'cuatro palabras de noche' >"$work/words"
luz() { "$build/vereda" --home "$work/luz" --passphrase-file "$work/words" "$@"; }
luz --quiet init --name luz >/dev/null
as hub --quiet admit "$(luz --json id | jq -r .id)" --name luz -o "$work/luz.welcome" >/dev/null
luz --quiet join "$work/luz.welcome" >/dev/null
mkdir "$work/other"
as luz sync "$usb" >/dev/null 2>&1
as luz sync "$work/other" >/dev/null 2>&1
equal "a locked device carries the same files to another stick" "$(ls "$work/other/cache")" "$(ls "$usb/cache")"
carried=$(times "$work/other")
equal "which is not the marked one" "$(is_marked hub "$work/other") $(times "$work/other")" "no $carried"
equal "the marked one is as it was" "$(times "$usb")" "$before"
equal "and is marked" "$(is_marked hub "$usb")" "yes"
as ana --quiet sync "$usb" >/dev/null 2>&1
equal "by which ana has what was for it" "$(as ana --json list --search "for azul" | wc -l)" 1
cp -a "$usb" "$work/kept"
as hub --quiet add message -m "later" >/dev/null
as hub --quiet sync "$usb" >/dev/null 2>&1
equal "a copy that keeps times is told once the original was visited" "$(is_marked hub "$work/kept") $(is_marked hub "$usb")" "no yes"

# --- killed at any moment, it stays marked ---
lost=
for i in $(seq "${KILLS:-20}"); do
	as hub --quiet add message -m "before kill $i" >/dev/null
	"$build/vereda" --home "$work/hub" --no-input sync "$usb" >/dev/null 2>&1 &
	killed=$!
	sleep "0.0$((RANDOM % 6))$((RANDOM % 10))"
	kill -9 $killed 2>/dev/null
	wait $killed 2>/dev/null
	[ "$(is_marked hub "$usb")" = yes ] || lost="$lost $i"
	[ $((i % 4)) = 0 ] && as ana sync "$usb" >/dev/null 2>&1
done
equal "it stays marked, whenever a visit is killed" "$lost" ""
as ana --quiet sync "$usb" >/dev/null 2>&1
equal "and nothing is missing" "$(digests ana)" "$(digests hub)"

# --- what cannot be marked ---
mkdir "$work/odd"
echo "a letter" >"$work/odd/cache"
said hub stick mark "$work/odd" --name rojo
equal "where cache is a file that is said" "$? $(grep -c 'is a file or a link' "$work/err") $(cat "$work/said")" "15 1 "
mkdir "$work/shut"
as ana --quiet sync "$work/shut" >/dev/null 2>&1
if [ "$mounts" != no ] && mount --bind "$work/shut" "$work/shut" && mount -o remount,bind,ro "$work/shut"; then
	said hub stick mark "$work/shut" --name rojo
	equal "what cannot be written is not marked" "$(($? != 0)) $(grep -c 'it was not marked' "$work/err") $(as hub stick list | grep -c rojo)" "1 1 0"
	umount "$work/shut"
else
	echo "ok what cannot be written is not marked # SKIP no mounts here"
fi

# --- one device twice at once ---
rows 20000 | as ana --quiet load message - >/dev/null
mkdir "$work/both"
for i in 1 2 3; do
	as ana sync "$work/both" >"$work/said$i" 2>&1 &
	pids[$i]=$!
done
codes=
for i in 1 2 3; do wait "${pids[$i]}"; codes="$codes $?"; done
[ -z "$(echo "$codes" | tr -d ' ' | tr -d '0')" ]
check "three visits at once wait for each other" $? || echo "$codes"
once=$(du -sb "$work/both/cache" | cut -f1)
mkdir "$work/alone"
as ana sync "$work/alone" >/dev/null 2>&1
equal "and write what one writes" "$once" "$(du -sb "$work/alone/cache" | cut -f1)"
if command -v python3 >/dev/null; then
	python3 - "$work/ana/ctl.lock" "$work/held" <<'END' &
import fcntl, sys, time
# Whoever holds every place of it is at every stick.
lock = open(sys.argv[1], "r+")
fcntl.lockf(lock, fcntl.LOCK_EX, 0, 1 << 32)
open(sys.argv[2], "w").close()
time.sleep(60)
END
	holder=$!
	within 20 test -e "$work/held"
	began=$SECONDS
	said ana sync "$work/both"
	equal "who waits too long is told" "$? $(grep -c 'do not remove it yet' "$work/err") $(cat "$work/said")" "11 1 "
	[ $((SECONDS - began)) -ge 4 ] && [ $((SECONDS - began)) -le 15 ]
	check "after some seconds" $?
	said ana stick mark "$work/both" --name doble
	equal "and nothing is marked then" "$? $(as ana stick list | grep -c doble)" "11 0"
	kill $holder
	wait $holder 2>/dev/null
	equal "then it goes on" "$(status_of as ana sync "$work/both")" 0
else
	echo "ok who waits too long is told # SKIP no python3"
fi
exit $failed
