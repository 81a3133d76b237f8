#!/bin/bash
# Sticks that sync by themselves: marked once by a person, noticed by veredad below a --stick-dir, or handed to `stick sync` by a unit. Any other is left alone.
. "$(dirname "$0")/lib.bash"
apart --mount "$1" || mounts=no
. tests/e2e/net.bash
root=$PWD
found hub ana || exit 1
rows 20 | as hub --quiet load message - >/dev/null
mkdir "$work/media" "$work/away"
stick=$work/media/blue
state() { (cd "$1" && find . -type f -printf '%p %s %T@\n' | sort | sha256sum); }
said() { as "$@" >"$work/said" 2>"$work/err"; }

# --- marking ---
mkdir "$stick" "$work/media/red"
echo "my own" >"$work/media/red/letter.txt"
said hub --json stick mark "$stick" --name azul
equal "a fresh stick is marked" "$? $(tail -1 "$work/said" | jq -r '"\(.name) \(.marked)"')" "0 azul true"
[ -n "$(ls "$stick/cache")" ]
check "and visited" $?
! grep -rqa "azul" "$stick"
check "nothing on it tells its name" $?
equal "only files like any segment's are on it" "$(find "$stick" -type f | grep -vcE '/cache/[0-9a-f]{32}\.bin$')" 0
said hub stick list
grep -q "azul: marked, last seen" "$work/said"
check "it is listed" $?
equal "a name is of one stick" "$(status_of as hub stick mark "$work/media/red" --name azul)" 1
equal "which is left alone then" "$(find "$work/media/red" -type f)" "$work/media/red/letter.txt"
equal "a stick wants a name" "$(status_of as hub stick mark "$stick")" 2
equal "no folder" "$(status_of as hub stick mark "$work/media/nowhere" --name x)" 15
equal "no such stick" "$(status_of as hub stick unmark verde)" 1
said hub stick unmrk azul
grep -q "Did you mean: unmark" "$work/err"
check "a misspelt word" $?
said hub --json stick mark "$stick" --name celeste
equal "another name" "$? $(tail -1 "$work/said" | jq -r .name) $(as hub --json stick list | jq -rs 'map(select(.marked)) | length')" "0 celeste 1"

as hub --quiet add message -m "before the next mark" >/dev/null
said hub --json stick mark "$stick" --name celeste
equal "to mark one that is known exchanges with it too" "$? $(head -1 "$work/said" | jq -r .sent)" "0 1"

# One that was wiped is another one: the name goes over, and the old one is not said to hold anything.
mkdir "$work/wiped"
as hub --quiet stick mark "$work/wiped" --name rosa >/dev/null
rm -rf "$work/wiped/cache"
said hub stick mark "$work/wiped" --name rosa
equal "a name that another one has is not taken from it" "$? $(grep -c -- "with --yes" "$work/err")" "1 1"
said hub --json --yes stick mark "$work/wiped" --name rosa
equal "but with --yes" "$? $(tail -1 "$work/said" | jq -r .name) $(as hub --json stick list | jq -rs 'map(select(.name == "rosa")) | length')" "0 rosa 1"
equal "and the old one is gone" "$(as hub --json stick list | wc -l)" 2
said hub --json stick sync "$work/wiped"
equal "the new one is synced by itself" "$? $(jq -r .complete "$work/said")" "0 true"
rm -rf "$work/wiped/cache"
said hub --json stick forget rosa
equal "one is forgotten" "$? $(jq -r '"\(.name) \(.forgotten)"' "$work/said") $(as hub --json stick list | wc -l) $(as hub stick list | grep -c rosa)" "0 rosa true 1 0"
equal "once" "$(status_of as hub stick forget rosa)" 1
as hub --quiet sync "$work/wiped" >/dev/null
called=$(as hub --json stick list | jq -r 'select(.name == "") | .id[:8]')
as hub stick list | grep -q "^$called: last seen"
check "one without a name is listed by what why calls it" $?
said hub sync "$work/wiped"
grep -q "stick $called$" "$work/said"
check "and sync says which it is" $? || cat "$work/said"
said hub --json sync "$work/wiped"
equal "for programs, too" "$(jq -r '.stick[:8]' "$work/said")" "$called"
said hub sync "$stick"
grep -q "stick celeste$" "$work/said"
check "by its name, if it has one" $?
said hub stick forget "$called"
equal "by which it can be named" "$? $(as hub --json stick list | wc -l)" "0 1"

# --- by a unit ---
as hub --quiet add message -m "after the mark" >/dev/null
said hub --json stick sync "$stick"
equal "what is marked is synced" "$? $(jq -r '"\(.sent) \(.safe_to_remove)"' "$work/said")" "0 1 true"
before=$(state "$work/media/red")
said hub --json stick sync "$work/media/red"
equal "what is not is left alone" "$? $(cat "$work/said" | jq -r .marked) $(state "$work/media/red")" "0 false $before"
before=$(state "$stick")
said ana --json stick sync "$stick"
equal "nor by a device where nobody marked it" "$? $(jq -r .marked "$work/said") $(count ana) $(state "$stick")" "0 false 0 $before"
if [ "$build" = "$PWD/build" ] && strace true 2>/dev/null; then
	strace -f -e trace=open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat -o "$work/trace" "$build/vereda" --home "$work/ana" --quiet stick sync "$stick" >/dev/null
	equal "of which only the names are looked at" "$(grep -F "$stick" "$work/trace" | grep -vc O_DIRECTORY)" 0
fi
mkdir "$work/bin"
cat >"$work/bin/notify-send" <<'END'
#!/bin/sh
printf '%s\n' "$*" >>"$NOTED"
END
chmod +x "$work/bin/notify-send"
export NOTED=$work/noted
PATH=$work/bin:$PATH DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere as hub --quiet stick sync "$stick" >/dev/null
equal "the desktop is told" "$(cat "$NOTED")" "--app-name=vereda -- vereda: the marked stick is done and can be removed"
rm -f "$NOTED"
PATH=$work/bin:$PATH DBUS_SESSION_BUS_ADDRESS='' as hub --quiet stick sync "$stick" >/dev/null
equal "where there is none, nobody is" "$(cat "$NOTED" 2>/dev/null)" ""

# --- by veredad ---
as ana --quiet stick mark "$stick" --name azul >/dev/null
equal "ana has all by it" "$(count ana)" 22
done_count() { grep -c '^<6>stick done' "$work/$1.log"; }
done_is() { [ "$(done_count "$1")" -ge "$2" ]; }
before=$(state "$work/media/red")
as hub --quiet add message -m "while it is plugged in" >/dev/null
PATH=$work/bin:$PATH DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere LANG=es_CO.UTF-8 LC_ALL= start hub --no-discovery --listen 127.0.0.1:0 --stick-dir "$work/media" || exit 1
within 20 done_is hub 1
check "one that is there is synced" $?
told() { grep -q "vereda: la memoria marcada está lista y ya se puede retirar" "$NOTED" 2>/dev/null; }
within 10 told
check "the desktop is told by veredad too, in its language" $? || cat "$NOTED"
as hub --quiet add message -m "later" >/dev/null
sleep 2.5
equal "who was told that it is done may pull it" "$(done_count hub)" 1
mv "$stick" "$work/away/blue"
as ana --quiet add message -m "of ana" >/dev/null
as ana --quiet sync "$work/away/blue" >/dev/null
sleep 1.2
mv "$work/away/blue" "$stick"
within 20 done_is hub 2
check "one that comes back is synced again" $?
equal "it brought what ana wrote" "$(as hub --json list --search "of ana" | wc -l)" 1
as ana --quiet sync "$stick" >/dev/null
equal "and takes what was written since" "$(as ana --json list --search later | wc -l)" 1
equal "the other one was not touched" "$(state "$work/media/red")" "$before"
! grep -q "celeste\|blue\|$work/media" "$work/hub.log"
check "the log names none" $?

# Two at once, and one of them while somebody copies to it.
as hub --quiet stick mark "$work/away" --name dos >/dev/null
mv "$stick" "$work/blue" && mv "$work/away" "$work/two"
sleep 1.2
as hub --quiet add message -m "for both" >/dev/null
mv "$work/blue" "$stick"; mv "$work/two" "$work/media/two"
within 20 done_is hub 4
check "two at once" $?
as ana --quiet sync "$work/media/two" >/dev/null
equal "both have it" "$(as ana --json list --search "for both" | wc -l)" 1

# Pulled in the middle: nothing is lost, and the next time everything comes.
mv "$stick" "$work/blue"
sleep 1.2
rows 3000 pulled | as hub --quiet load message - >/dev/null
seen=$(grep -c '^<.>stick' "$work/hub.log")
mv "$work/blue" "$stick"
sleep 0.9
mv "$stick" "$work/blue"
visited() { [ "$(grep -c '^<.>stick' "$work/hub.log")" -gt "$seen" ]; }
within 3 visited # or it was not yet begun
sleep 1.2
n=$(done_count hub)
mv "$work/blue" "$stick"
within 30 done_is hub $((n + 1))
check "one that was pulled comes back" $?
as ana --quiet sync "$stick" >/dev/null
equal "and nothing is missing" "$(digests ana)" "$(digests hub)"

# Mounted, as real ones are: the folder stays the same, the mount comes and goes. One that can only be read, and one that is full.
if [ "$mounts" != no ] && mkdir "$work/media/slot" && mount -t tmpfs -o size=3m none "$work/media/slot" 2>/dev/null; then
	trap 'umount -l "$work/media/slot" 2>/dev/null; finish' EXIT
	as hub --quiet stick mark "$work/media/slot" --name chica >/dev/null
	umount "$work/media/slot"
	sleep 1.2
	mount -t tmpfs -o size=8m none "$work/media/slot"
	sleep 2.2
	equal "an empty one at the same place is none of ours" "$(find "$work/media/slot" -type f | wc -l)" 0
	as hub --quiet stick mark "$work/media/slot" --name grande >/dev/null
	cp -a "$work/media/slot/cache" "$work/cache"
	umount "$work/media/slot"
	sleep 1.2
	as hub --quiet add message -m "not on it" >/dev/null
	mount -t tmpfs -o size=8m none "$work/media/slot" && cp -a "$work/cache" "$work/media/slot/" && mount -o remount,ro "$work/media/slot"
	only_read() { grep -q '^<6>stick only read' "$work/hub.log"; }
	within 20 only_read
	check "one that is write-protected is read, and said so" $?
	umount "$work/media/slot"
	sleep 1.2
	mount -t tmpfs -o size=8m none "$work/media/slot" && cp -a "$work/cache" "$work/media/slot/"
	head -c 8m /dev/zero >"$work/media/slot/film" 2>/dev/null
	full() { grep -q '^<4>stick full .*why=no-space' "$work/hub.log"; }
	within 20 full
	check "one that is full" $? || grep stick "$work/hub.log"
	full_told() { grep -q "la memoria marcada está llena; lo que tiene llega" "$NOTED"; }
	within 10 full_told
	check "is told to be full, and that it can travel" $? || cat "$NOTED"
	as hub --quiet add message -m "nor this" >/dev/null
	rm -f "$NOTED"
	PATH=$work/bin:$PATH DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere as hub --quiet stick sync "$work/media/slot" >/dev/null 2>&1
	grep -q "the marked stick is full" "$NOTED"
	check "and so says a unit" $? || cat "$NOTED"
	umount "$work/media/slot"
else
	echo "ok mounts # SKIP none here"
fi
ends "a daemon that looks for sticks ends" TERM hub

# A stick that keeps it waiting does not keep it from ending.
cat >"$work/slow.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int fsync(int fd)
{
	char link[64], path[4096] = "";
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof path - 1) > 0 && strstr(path, "/media/"))
		sleep(60);
	return (int)syscall(SYS_fsync, fd);
}
END
gcc -shared -fPIC -D_GNU_SOURCE -o "$work/slow.so" "$work/slow.c" || exit 1
mv "$stick" "$work/blue"
as hub --quiet add message -m "for a slow one" >/dev/null
LD_PRELOAD=$work/slow.so start hub --no-discovery --listen 127.0.0.1:0 --stick-dir "$work/media"
mv "$work/blue" "$stick"
sleep 3
began=$SECONDS
ends "one that is at a slow stick ends" TERM hub
[ $((SECONDS - began)) -le 15 ] && grep -q "stick left in the middle" "$work/hub.log"
check "soon" $? || cat "$work/hub.log"
said hub --json sync "$stick"
equal "and the next visit brings what was to come" "$? $(jq -r .complete "$work/said")" "0 true"

# A folder that is none yet, and one that never will be.
: >"$work/letter"
start hub --no-discovery --listen 127.0.0.1:0 --stick-dir "$work/letter" --stick-dir "$work/later"
logged hub '^<4>stick-dir is no folder.*number=1$' && logged hub '^<5>stick-dir is not there yet.*number=2$'
check "who mistyped a folder for sticks is told" $? || cat "$work/hub.log"
n=$(done_count hub)
as hub --quiet add message -m "in a folder that came later" >/dev/null
mkdir "$work/later" && mv "$stick" "$work/later/blue"
within 20 done_is hub $((n + 1))
check "and one that comes later is looked at" $?
mv "$work/later/blue" "$stick"
! grep -q "$work/" "$work/hub.log"
check "the log names no folder" $?
ends "and it ends" TERM hub

# The stick itself where the folder that it is mounted in is meant.
start hub --no-discovery --listen 127.0.0.1:0 --stick-dir "$stick"
within 10 logged hub '^<4>a stick-dir is a stick itself: nothing is exchanged'
check "who names the stick itself is told" $? || cat "$work/hub.log"
ends "and that one ends" TERM hub

# Locked, nothing is touched; unlocked, it is synced, and the desktop is told still.
cheap_passphrases
printf 'siete barcas de noche' >"$work/words"
"$build/vereda" --home "$work/shut" --quiet --passphrase-file "$work/words" init --name shut >/dev/null
as hub --quiet admit "$("$build/vereda" --home "$work/shut" --json --passphrase-file "$work/words" id | jq -r .id)" --name shut -o "$work/shut.welcome" >/dev/null
"$build/vereda" --home "$work/shut" --quiet --passphrase-file "$work/words" join "$work/shut.welcome" >/dev/null
"$build/vereda" --home "$work/shut" --quiet --passphrase-file "$work/words" stick mark "$stick" --name negra >/dev/null
rm -f "$NOTED"
: >"$work/shut.log"
PATH=$work/bin:$PATH DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere "$build/veredad" --home "$work/shut" --no-discovery --listen 127.0.0.1:0 --stick-dir "$work/media" 2>"$work/shut.log" &
shut=$!
daemons+=($shut)
within 20 logged shut '^<6>locked'
before=$(state "$stick")
sleep 2
equal "locked, it is left alone" "$(done_count shut) $(state "$stick")" "0 $before"
"$build/vereda" --home "$work/shut" --quiet --passphrase-file "$work/words" unlock >/dev/null
within 20 done_is shut 1
check "unlocked, it is synced" $?
as shut --quiet lock >/dev/null
locked_again() { [ "$(grep -c '^<6>locked' "$work/shut.log")" = 2 ]; }
within 20 locked_again
rm -f "$NOTED"
"$build/vereda" --home "$work/shut" --quiet --passphrase-file "$work/words" unlock >/dev/null
noted() { grep -q "the marked stick is done" "$NOTED" 2>/dev/null; }
within 20 noted
check "and told after it was locked and unlocked" $?
kill $shut
wait $shut
equal "it ends" $? 0

# --- what is installed ---
make -s install PREFIX="$work/prefix" >/dev/null 2>&1
check "units and rule are installed" $?
grep -q "ExecStart=$work/prefix/bin/vereda --no-input stick sync" "$work/prefix/lib/systemd/system/vereda-stick@.service"
check "with the program's place" $?
if command -v systemd-analyze >/dev/null; then
	SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$work/prefix/lib/systemd/system/vereda-stick@.service" >"$work/verified" 2>&1 && [ ! -s "$work/verified" ]
	check "systemd takes the unit" $? || cat "$work/verified"
	XDG_RUNTIME_DIR=$work systemd-analyze verify --user --man=no "$work/prefix/lib/systemd/user/veredad.service" >"$work/verified" 2>&1 && [ ! -s "$work/verified" ]
	check "and the desktop's" $? || cat "$work/verified"
fi
if command -v udevadm >/dev/null && udevadm verify --help >/dev/null 2>&1; then
	udevadm verify "$work/prefix/lib/udev/rules.d/60-vereda-stick.rules" >"$work/verified" 2>&1
	check "udev takes the rule" $? || cat "$work/verified"
fi
exit $failed
