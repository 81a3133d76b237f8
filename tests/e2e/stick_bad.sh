#!/bin/bash
# Sticks as they are sold: full at any byte, bad at any sector, smaller than they say, in two machines at once, under a clock that stopped in
# 1970, formatted with FAT32 and pulled. Never a lost record, never a refused good chunk, and the next visits repair it. BYTES=12 places each.
. "$(dirname "$0")/lib.bash"
places=${BYTES:-12}
stick=$(realpath "$build/tests/faults/stick.so")
found hub ana || exit 1
rows 1500 | as hub --quiet load message - >/dev/null
for i in 1 2 3; do
	as hub --quiet add message -m "$(head -c 40000 /dev/urandom | base64 -w0)" >/dev/null
done
all=$(count hub)
mkdir "$work/usb"
cp -r "$work/ana" "$work/ana.fresh"
cp -r "$work/hub" "$work/hub.fresh"
restore() { # the stores as they were, and a new stick
	rm -rf "$work/ana" "$work/hub" "$work/usb"
	cp -r "$work/ana.fresh" "$work/ana"
	cp -r "$work/hub.fresh" "$work/hub"
	mkdir "$work/usb"
}
# bad STICK_…=N WHO…: a visit with such a stick; what it said is in said and err
bad() {
	local how=$1
	shift
	env STICK_DIR="$work/usb" $how LD_PRELOAD="$stick" "$build/vereda" --home "$work/$1" --no-input --lang en --json sync "$work/usb" >"$work/said" 2>"$work/err"
}
# Whole files under their names, and no others that a visitor would read.
whole() { [ -z "$(find "$work/usb/cache" -name '*.bin' -printf '%s\n' 2>/dev/null | awk '($1 - 2624) % 65536')" ]; }
sound() { [ "$(as "$1" --json check | jq -c '[.bad, .derived_bad]')" = "[0,0]" ]; }
# Two visits each with the stick as it should be: everything is everywhere, and all of it is on the stick.
repaired() {
	local visit
	for visit in hub ana hub ana; do
		as $visit --json sync "$work/usb" >"$work/said" 2>"$work/err"
	done
	[ $? = 0 ] && same hub ana && [ "$(jq -c '[.complete, .safe_to_remove]' "$work/said")" = "[true,true]" ] || return 1
	rm -rf "$work/late"
	cp -r "$work/ana.fresh" "$work/late"
	as late --json sync "$work/usb" >/dev/null 2>"$work/err" && same hub late
}

as hub --quiet sync "$work/usb" >/dev/null
size=$(cat "$work"/usb/cache/*.bin | wc -c)
largest=$(find "$work/usb/cache" -name '*.bin' -printf '%s\n' | sort -n | tail -1)

# --- full at any byte ---
wrong= ended=
for i in $(seq 0 "$places"); do
	room=$((i < 3 ? i : size * i / (places - 1) + RANDOM % 997 - 500))
	restore
	bad STICK_ROOM=$room hub
	code=$?
	ended="$ended $code"
	{ [ $code = 15 ] || [ $code = 0 ]; } && whole && [ "$code" = 0 -o -s "$work/err" ] || wrong="$wrong room=$room:$code"
	# What fitted is good, and the most urgent of it.
	as ana --quiet sync "$work/usb" >/dev/null 2>&1
	sound ana && sound hub || wrong="$wrong room=$room:unsound"
	repaired || wrong="$wrong room=$room:not-repaired"
done
equal "bad stick: full at any of $((places + 1)) bytes, 15 or done, and the next visits complete it" "$wrong" ""
echo "$ended" | grep -q 15 && echo "$ended" | grep -q ' 0'
check "bad stick: some of them were too small, some were not" $?

# --- a sector that cannot be read ---
wrong= failing=0
for i in $(seq "$places"); do
	at=$((RANDOM * 32768 + RANDOM))
	at=$((at % largest / 512 * 512))
	restore
	as hub --quiet sync "$work/usb" >/dev/null
	file=$(ls -S "$work"/usb/cache/*.bin | head -1)
	bad STICK_BAD=$at,512,$file ana
	code=$?
	# One head is enough, and then nothing is missing.
	{ [ $code = 14 ] || [ $code = 0 ]; } || wrong="$wrong at=$at:$code"
	[ $code = 14 ] && failing=$((failing + 1))
	[ "$(count ana)" -ge $((all * 9 / 10 - 600)) ] && sound ana || wrong="$wrong at=$at:only-$(count ana)"
	# The sector stays bad. Whoever has all of it writes again what was there.
	bad STICK_BAD=$at,512,$file hub
	bad STICK_BAD=$at,512,$file ana
	same hub ana || wrong="$wrong at=$at:not-repaired"
done
equal "bad stick: one bad sector in $places places costs its chunk, until who has it comes by" "$wrong" ""
[ "$failing" -gt $((places / 2)) ]
check "bad stick: and it was said ($failing of $places)" $?

# --- smaller than it says ---
wrong=
for i in $(seq 0 $((places / 2))); do
	holds=$((size * i * 2 / places - RANDOM % 997 - 1))
	[ $holds -lt 0 ] && holds=0
	restore
	bad STICK_HOLDS=$holds hub
	code=$?
	[ $code = 15 ] && [ "$(jq -c '[.complete, .safe_to_remove]' "$work/said")" = "[false,false]" ] && grep -q "smaller than it says" "$work/err" && whole ||
		wrong="$wrong holds=$holds:$code:$(cat "$work/said")"
	sound hub || wrong="$wrong holds=$holds:unsound"
	[ "$(count hub)" = "$all" ] || wrong="$wrong holds=$holds:lost"
	repaired || wrong="$wrong holds=$holds:not-repaired"
done
equal "bad stick: one that keeps less than it says is told from a good one by reading back, past what the kernel remembers" "$wrong" ""

# --- in two machines at once ---
wrong=
for i in $(seq $((places / 4))); do
	restore
	rows 200 "ana $i" | as ana --quiet load message - >/dev/null
	(as hub --quiet sync "$work/usb" >/dev/null 2>&1) &
	first=$!
	(as ana --quiet sync "$work/usb" >/dev/null 2>&1) &
	wait $first $!
	whole && sound hub && sound ana || wrong="$wrong $i:unsound"
	repaired && [ "$(count ana)" = $((all + 200)) ] || wrong="$wrong $i:not-repaired"
done
equal "bad stick: two machines write to it at once" "$wrong" ""

# --- in 1970 ---
cat >"$work/clock.c" <<'C'
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	long rc = syscall(SYS_clock_gettime, id, t);
	if (id == CLOCK_REALTIME)
		t->tv_sec = t->tv_sec % 100000;
	return (int)rc;
}
time_t time(time_t *out)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return out ? *out = t.tv_sec : t.tv_sec;
}
C
gcc -shared -fPIC -o "$work/clock.so" "$work/clock.c" || exit 1
in_1970() { LD_PRELOAD=$work/clock.so "$build/vereda" --home "$work/$1" --no-input --lang en "${@:2}"; }
restore
rows 50 "later" | as ana --quiet load message - >/dev/null
in_1970 hub --json sync "$work/usb" >"$work/said" 2>"$work/err"
equal "bad stick: a clock in 1970 writes it" "$? $(jq -c '[.complete, .safe_to_remove]' "$work/said")" "0 [true,true]"
in_1970 ana --json sync "$work/usb" >"$work/said" 2>"$work/err"
equal "bad stick: and reads it" "$? $(count ana)" "0 $((all + 50))"
in_1970 hub --quiet sync "$work/usb" >/dev/null
same hub ana && sound hub && sound ana && [ "$(as hub --json list --quarantined | wc -l)" = 0 ]
check "bad stick: nothing is lost by it" $?
repaired
check "bad stick: nor when the clock is right again" $?

# --- FAT32, and pulled ---
image=$work/image
driver=
format() {
	rm -f "$image"
	truncate -s 40M "$image" && mkfs.vfat -F 32 "$image" >/dev/null 2>&1
}
plug() {
	fusefat -f -o rw+ "$image" "$work/usb" >/dev/null 2>&1 &
	driver=$!
	within 5 mountpoint -q "$work/usb"
}
unplug() {
	umount "$work/usb" 2>/dev/null || umount -l "$work/usb" 2>/dev/null
	wait $driver 2>/dev/null
}
restore
if command -v fusefat >/dev/null && command -v mkfs.vfat >/dev/null && [ -w /dev/fuse ] && format && plug; then
	trap 'umount -l "$work/usb" 2>/dev/null; finish' EXIT
	echo "my photos" >"$work/usb/foto.txt"
	as hub --json sync "$work/usb" >"$work/said" 2>"$work/err"
	equal "bad stick: a FAT32 image is written" "$? $(jq -c '[.complete, .safe_to_remove]' "$work/said")" "0 [true,true]"
	unplug
	plug
	as ana --json sync "$work/usb" >"$work/said" 2>"$work/err"
	equal "bad stick: and read elsewhere" "$? $(count ana)" "0 $all"
	rows 20 "back" | as ana --quiet load message - >/dev/null
	as ana --quiet sync "$work/usb" >/dev/null
	unplug
	plug
	as hub --quiet sync "$work/usb" >/dev/null
	same hub ana
	check "bad stick: there and back" $?
	equal "bad stick: other files on it are as they were" "$(cat "$work/usb/foto.txt")" "my photos"
	unplug
	# The driver dies with what it had not written yet, and the file system is as it then is.
	wrong=
	for i in $(seq "$places"); do
		restore
		format
		plug || wrong="$wrong $i:no-mount"
		[ $((i % 2)) = 0 ] && as ana --quiet sync "$work/usb" >/dev/null 2>&1
		(as hub --quiet sync "$work/usb" >/dev/null 2>"$work/err") &
		visit=$!
		sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
		kill -9 $driver 2>/dev/null
		umount -l "$work/usb" 2>/dev/null
		wait $driver $visit 2>/dev/null
		fsck.vfat -a "$image" >/dev/null 2>&1
		# A visit that began later wrote into the folder where it had been mounted.
		rm -rf "$work/usb"
		mkdir "$work/usb"
		sound hub && [ "$(count hub)" = "$all" ] || wrong="$wrong $i:unsound"
		# One that cannot be mounted any more is formatted: then it is a new one.
		plug || { format && plug; } || wrong="$wrong $i:no-mount"
		repaired || wrong="$wrong $i:not-repaired:$(tail -1 "$work/err")"
		unplug
	done 2>/dev/null
	equal "bad stick: pulled out of a FAT32 machine in the middle $places times, and the next visits repair it" "$wrong" ""
else
	echo "ok bad stick # SKIP no FAT image can be mounted here"
fi
exit $failed
