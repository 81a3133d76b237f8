#!/bin/bash
# What is said of sticks that something is odd about: no room, a file that was cut, no writing, no folder where one should be, an interruption.
. "$(dirname "$0")/cli.inc"
found hub Lindero
admit hub field
{ echo id,text; rows 1 3000; } >rows.csv
"$VEREDA" --home hub --quiet load message rows.csv --map text=text >/dev/null
mkdir usb

# --- no room ---
v hub sync usb --max 320K
exits "at its max" 3
says "at its max: what is most urgent went first" "most urgent went first" err
says "at its max: it can travel" "can travel as it is" err
v hub sync usb --max 320K
says "at its max: nothing was put on it" "Nothing was put on it" err
silent "at its max: nor can that travel" "travel" err
"$VEREDA" --home hub --quiet alert "one more" >/dev/null
v hub --json sync usb --max 320K
is "at its max: an alert gets on" "$code $(key '"\(.sent) \(.not_written.urgent)"')" "3 1 0"
for _ in 1 2 3 4 5; do
	"$VEREDA" --home hub --quiet alert "$(head -c 36000 /dev/urandom | base64 -w0)" >/dev/null
done
v hub sync usb --max 320K
exits "alerts that do not fit" 3
says "alerts that do not fit: it says so" "An ALERT did not fit" err
silent "alerts that do not fit: and not that it can travel" "travel|went first" err
v hub --lang es sync usb --max 320K
says "alerts that do not fit: in Spanish" "Una ALERTA no cupo, y no se le puso nada" err

# --- one that fails: one instruction, not three ---
bad() { # STICK_…=… [--lang es]: a visit to a new stick that is so
	local how=$1
	shift
	rm -rf bad && mkdir bad
	env STICK_DIR="$PWD/bad" "$how" LD_PRELOAD="$(dirname "$VEREDA")/tests/faults/stick.so" "$VEREDA" --home hub --no-input "$@" sync bad >out 2>err
	code=$?
}
bad STICK_HOLDS=20000 --lang en
exits "it keeps less than it says" 15
says "it keeps less than it says: another is to be taken" "Do not trust it" err
silent "it keeps less than it says: and nothing else is to be done with it" "NOT remove|safe to remove"
bad STICK_HOLDS=20000 --lang es
says "it keeps less than it says: in Spanish" "No le confíes nada" err
silent "it keeps less than it says: in Spanish nothing else either" "NO retires|puedes retirar"
cat >dead.c <<'END'
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
DIR *opendir(const char *path)
{
	DIR *(*real)(const char *) = (DIR *(*)(const char *))dlsym(RTLD_NEXT, "opendir");

	return strstr(path, "bad/cache") ? (errno = EIO, (DIR *)0) : real(path);
}
END
gcc -shared -fPIC -o dead.so dead.c || exit 1
v hub sync bad
LD_PRELOAD=$PWD/dead.so "$VEREDA" --home hub --no-input --lang en sync bad >out 2>err
code=$?
exits "its mount is dead" 15
says "its mount is dead: it says so" "failed, was taken away" err
silent "its mount is dead: it is not called safe, nor to be left in" "safe to remove|NOT remove"
LD_PRELOAD=$PWD/dead.so "$VEREDA" --home hub --no-input --json sync bad >out 2>err
is "its mount is dead: nor for programs" "$(key .safe_to_remove)" false

# --- no room for a receipt ---
rm -rf usb/cache
"$VEREDA" --home hub config set receipts off >/dev/null
v hub sync usb
"$VEREDA" --home hub --quiet add message -m "for the field" >/dev/null
v hub sync usb
size=$(($(cat usb/cache/* | wc -c) / 1024 + 60)) # less than a file, and none of receipts stands there
[ $size -ge 320 ] || size=320
before=$(ls usb/cache)
v field --json sync usb --max ${size}K
is "no room for a receipt: what came is kept" "$code $(key '"\(.received > 0) \(.unsaid) \(.complete)"')" "3 true true true"
is "no room for a receipt: an error for programs" "$(key .error err | grep -c unsaid)" 1
is "no room for a receipt: and nothing is written" "$(ls usb/cache)" "$before"
v field --lang es sync usb --max ${size}K
exits "no room for a receipt: said each time" 3
says "no room for a receipt: in Spanish" "no hubo espacio para el acuse" err
"$VEREDA" --home hub config set receipts on >/dev/null
v hub sync usb
v field sync usb
exits "no room for a receipt: with room" 0

# --- a file that was cut ---
rm -rf usb/cache
v hub sync usb
exits "a stick with room" 0
for file in usb/cache/*.bin; do
	truncate -s 0 "$file"
done
v field sync usb
exits "cut" 3
says "cut: who mends it" "Whoever wrote them brings anew" err
silent "cut: no bundle is meant" "Copy it again" err
v field sync --check usb
exits "cut: not to be wiped" 3
says "cut: how many" "cut short: 1\." err
says "cut: and what to wait for" "at their next visit" err
silent "cut: not to be read for ever" "Take them first" err
for visitor in hub field hub field; do
	v $visitor sync usb
done
exits "cut: mended" 0

# --- noise over a whole file of one's own ---
for file in usb/cache/*.bin; do
	head -c "$(stat -c %s "$file")" /dev/urandom >file && cat file >"$file"
done
rm file
touch -d "2 days ago" usb/cache/*.bin
v hub sync usb
exits "noise: damaged" 14
says "noise: it says so" "not what was written there any more: [1-9]" err
silent "noise: no parts are counted where none could be told" "0 of 0|of 0" err
v hub --lang es sync usb
rm -rf usb/cache
for visitor in hub field; do
	v $visitor sync usb
done

# --- full of what everybody has ---
rm -rf usb/cache
"$VEREDA" --home hub --quiet add message -m "on this stick alone" >/dev/null
for visitor in hub field hub field hub; do
	v $visitor sync usb
done
exits "full: everybody has it" 0
old=$("$VEREDA" --home hub --json list message --limit 1 | jq -r .id)
v hub why "$old"
says "full: where the old stands" "[Oo]n (a )?stick"
size=$(($(cat usb/cache/* | wc -c) / 1024 + 16))
{ echo id,text; rows 4001 7000; } >rows.csv
"$VEREDA" --home hub --quiet load message rows.csv --map text=text >/dev/null
v hub sync usb --max ${size}K
exits "full: news has room" 0
says "full: what everybody has made it" "Left out of usb, for want of room: [0-9,]+ records that every device" err
is "full: no more stands there than may" $(($(cat usb/cache/* | wc -c) <= size * 1024)) 1
new=$("$VEREDA" --home hub --json list message --limit 1 | jq -r .id)
v hub why "$old"
silent "full: the old is not said to stand there" "[Oo]n (a )?stick"
v hub why "$new"
says "full: the new is" "[Oo]n (a )?stick"
v hub --json sync usb --max ${size}K
is "full: it stays so" "$code $(key '"\(.bytes_out) \(.complete) \(.known > 0)"')" "0 0 true true"
v field --lang es sync usb --max ${size}K
exits "full: it arrives" 0
says "full: and in Spanish" "No están en usb, por falta de espacio" err
is "full: all of it" "$(digests field)" "$(digests hub)"

# --- full of alerts of many ---
mkdir crowd
many=(one two three four five six)
for who in "${many[@]}"; do
	admit hub $who
done
"$VEREDA" --home hub --quiet add document title=crowd --attach <(head -c 2000000 /dev/urandom) >/dev/null 2>&1
v hub sync crowd --max 900K
without=()
for who in "${many[@]}"; do
	"$VEREDA" --home $who --quiet alert "smoke at $who" --severity severe >/dev/null
	v $who sync crowd --max 900K
	grep -q "An ALERT did not fit.*: do not count on this stick for it" err && without+=($who)
	grep -q "safe to remove" out err || not_ok "crowd: $who may take it out"
done
is "crowd: the first have room, the last have not" "$((${#without[@]} > 0 && ${#without[@]} < 6))" 1
v ${without[0]} --json sync crowd --max 900K
is "crowd: in JSON" "$code $(tail -1 err | jq -r .error) $(key .not_written.urgent)" "3 max 1"
v ${without[0]} --lang es sync crowd --max 900K
says "crowd: in Spanish" "Una ALERTA no cupo" err
for who in "${without[@]}"; do
	v $who --json sync crowd --max 2M
	is "crowd: with room it goes, $who" "$code $(key '.sent >= 1 and .complete')" "0 true"
done
v hub sync crowd
"$VEREDA" --home hub --json list alert >out
is "crowd: all of them arrive" "$(grep -c 'smoke at' out)" 6

# --- nothing is mounted there ---
mkdir empty
v hub --json sync "$PWD/empty"
is "on the disk of the store: a note, and it is done" "$code $(key .note err | grep -c "same disk as the store")" "0 1"
# mounted HOW COMMAND…: with an own /run, where /run/media/ana/usb is an empty folder, or a stick
mounted() {
	local how=$1
	shift
	cat >mounted.sh <<'END'
mount -t tmpfs none /run && mkdir -p /run/media/ana/usb || exit 99
[ "$0" = yes ] && mount -t tmpfs none /run/media/ana/usb && mkdir /run/media/ana/usb/in
"$@"
code=$?
find /run/media -name '*.bin' | wc -l >files
exit $code
END
	unshare -m bash -c "$(cat mounted.sh)" "$how" "$@" >out 2>err
	code=$?
}
mounted no true
if [ $code = 0 ]; then
	for how in "sync /run/media/ana/usb" "sync --check /run/media/ana/usb" "stick mark /run/media/ana/usb --name blue"; do
		mounted no "$VEREDA" --home hub $how
		exits "nothing mounted: $how" 15
		says "nothing mounted: it says so: $how" "Nothing is mounted on /run/media/ana/usb" err
		is "nothing mounted: and writes nothing: $how" "$(cat files)" 0
	done
	mounted no "$VEREDA" --home hub sync /run/media/ana/usb --yes
	is "nothing mounted: with --yes it does" "$code $(($(cat files) > 0))" "0 1"
	for where in "" /in; do
		mounted yes "$VEREDA" --home hub sync /run/media/ana/usb$where
		is "mounted$where: it does, and no note" "$code $(($(cat files) > 0)) $(grep -c "same disk" err)" "0 1 0"
	done
else
	echo "ok nothing mounted # SKIP nothing can be mounted here"
fi

# --- something else is named cache ---
for odd in file link; do
	mkdir $odd
	[ $odd = file ] && echo "my photos" >$odd/cache || ln -s "$PWD/usb/cache" $odd/cache
	for how in "" --check; do
		v field sync $how ./$odd
		exits "cache is a $odd $how" 15
		says "cache is a $odd $how: it says so" "$odd/cache is a file or a link" err
	done
done
is "a file is as it was" "$(cat file/cache)" "my photos"

# --- interrupted ---
mkdir big
{ echo id,text; rows 10000 70000; } >rows.csv
"$VEREDA" --home hub --quiet load message rows.csv --map text=text >/dev/null
for _ in 1 2 3 4 5; do
	rm -rf big/cache
	"$VEREDA" --home hub sync big >out 2>err &
	visit=$!
	until [ -e big/cache ] || ! kill -0 $visit 2>/dev/null; do
		sleep 0.01
	done
	kill -TERM $visit 2>/dev/null # it writes now
	wait $visit
	code=$?
	[ $code = 130 ] && break
done
exits "interrupted" 130
says "interrupted: it says so" "Do not remove the stick yet; nothing is lost" err
v hub sync big
exits "interrupted: and again" 0
done_testing
