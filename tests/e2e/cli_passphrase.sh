#!/bin/bash
# A store under a passphrase: nobody reads it without, no file of it says anything, slots change without touching a record, and a readable
# store is sealed where it stands.
. "$(dirname "$0")/cli.inc"

printf 'la casa de la esquina\n' >words
printf 'otra casa, más lejos\r\n' >other
printf 'corta\n' >short
head -c 1100 /dev/zero | tr '\0' 'x' >long
with() { # FILE HOME ARGUMENTS…
	local file=$1 home=$2
	shift 2
	v "$home" --passphrase-file "$file" "$@"
}

with short hub init --name hub
is "a short passphrase makes no store" "$code $([ -e hub/data.mdb ] && echo made)" "2 "
with long hub init --name hub
is "nor one that is too long" "$code $([ -e hub/data.mdb ] && echo made)" "12 "
with missing hub init --name hub
is "nor one that is not there" "$code $([ -e hub/data.mdb ] && echo made)" "12 "
printf 'la casa de la esquina\nla otra\n' >lines
printf 'la casa de la esquina\n\n' >blank
for file in lines blank; do
	with $file hub init --name hub
	is "nor one of two lines ($file)" "$code $([ -e hub/data.mdb ] && echo made) $(grep -c 'more than one line' err)" "12  1"
done
with words hub init --no-passphrase
is "with or without: not both" "$code $([ -e hub/data.mdb ] && echo made)" "2 "
with words hub --json init --name hub-canary
is "init with a passphrase" "$code $(key .sealed)" "0 true"
with words hub init
exits "a second time fails" 1

v hub status </dev/null
exits "locked without it" 12
says "and says what to do" "vereda unlock" err
with other hub status
exits "a wrong one" 12
v hub --json list </dev/null
is "as JSON, too" "$code $(key .error err)" "12 locked"
with words hub group create "Canary group of the river"
exits "the right one" 0
with words hub alert "Canary: two trucks at the ford" --severity severe
with words hub add event place="El Canario" -m "canary description"
"$VEREDA" --home hub --passphrase-fd 7 list 7<words >out 2>err
is "by a descriptor" "$? $(wc -l <out)" "0 2"
v hub --json </dev/null
is "vereda alone says that it is locked" "$code $(key .locked)" "0 true"

# Nothing readable in any file, as text or as raw bytes.
group=$("$VEREDA" --home hub --passphrase-file words --json group list | jq -r .group)
device=$("$VEREDA" --home hub --passphrase-file words --json members | jq -r '.devices[0].device, .member')
ids=$("$VEREDA" --home hub --passphrase-file words --json list | jq -r '.id, .author')
found=0
canaries=0
# as text of digits: bytes may be ends of lines
find hub -type f -exec od -An -v -tx1 {} + | tr -d ' \n' >digits
for hex in $group $device $ids $(printf 'anary' | xxd -p 2>/dev/null || printf 'anary' | od -An -tx1 | tr -d ' \n'); do
	canaries=$((canaries + 1))
	grep -qF "$hex" digits && found=$((found + 1))
	LC_ALL=C grep -rlai "$hex" hub >/dev/null && found=$((found + 1))
done
for word in Canary canary "two trucks" alert event headline "El Can" coordinator hub-canary; do
	canaries=$((canaries + 1))
	LC_ALL=C grep -rlai "$word" hub >/dev/null && found=$((found + 1)) && echo "# found: $word"
done
is "none of $canaries canaries is in its files" "$found" 0
v plain init --no-passphrase --name hub-canary
v plain group create "Canary group of the river"
v plain alert "Canary: two trucks at the ford" --severity severe
LC_ALL=C grep -rlai "hub-canary" plain >/dev/null
is "(in a readable store they are found)" $? 0
find plain -type f -exec od -An -v -tx1 {} + | tr -d ' \n' >digits
v plain --json group list
grep -qF "$(key .group)" digits
is "(and so are bytes)" $? 0

v plain --json doctor
is "doctor says what to do for who is alone" "$(key '.findings[]|select(.what=="alone").next' | grep -c 'vereda admit')" 1

# Slots. (What stands in hub now was made at full strength, as what doctor looks at below.)
cheap_passphrases
with words hub passphrase --new-passphrase-file short
exits "a short new one" 2
with other hub passphrase --new-passphrase-file other
exits "not by who does not know the old one" 12
with words hub passphrase --new-passphrase-file other
exits "changed" 0
with words hub list
exits "the old one opens nothing" 12
with other hub --json list
is "the new one everything" "$code $(wc -l <out)" "0 2"
with other hub --json passphrase --add --new-passphrase-file words
exits "a second one" 0
with words hub list
exits "opens, too" 0
with other hub --json passphrase --token token
is "a key file is made" "$code $(stat -c '%s %a' token)" "0 64 600"
v hub --json passphrase --list
is "three ways in" "$(key '[.slots[].kind] | sort | join(" ")')" "passphrase passphrase token"
slots=$(key '.slots[].slot')
says "that two passphrases open it is said" 'More than one passphrase.*\(2\)' err
with words hub passphrase --remove 9
exits "a slot that is none" 2
for slot in 99 0 x; do
	with words hub passphrase --remove $slot
	is "no slot $slot, in words" "$code $(grep -c "slot \"$slot\"" err) $(grep -c 'passphrase --list' err)" "2 1 1"
done
with words hub passphrase --remove 8
is "nor one that is free" "$code $(grep -c 'slot "8"' err)" "1 1"
cp -r hub full
for i in 4 5 6 7 8; do with words full passphrase --token "token$i"; done
with words full passphrase --token token9
is "the ninth slot" "$code $(grep -c 'All slots are in use' err) $(grep -c 'passphrase --list' err)" "1 1 1"
refused=0
for slot in $slots; do
	with words hub passphrase --remove "$slot"
	[ "$code" = 12 ] && with other hub passphrase --remove "$slot"
	[ "$code" = 16 ] && refused=$((refused + 1))
done
is "the last passphrase is not removed" "$refused" 1
v hub --json passphrase --list
is "the last stays" "$code $(key '.slots | length')" "0 1"
with words hub list
kept=$code
with other hub list
is "and one of them opens it still" "$(((kept == 0) + (code == 0)))" 1
printf xxxx | dd of=hub/vault bs=1 seek=40 conv=notrunc 2>/dev/null
head -c 100 hub/vault >vault.cut
cp -r hub cut
cp vault.cut cut/vault
with words cut list
case $code in 12 | 14) ok "a torn key file ends in words ($code)" ;; *) not_ok "a torn key file ends in words" "$code" ;; esac

# Where it stands.
with words plain status
exits "a passphrase for a readable store is not believed" 12
before=$("$VEREDA" --home plain --json list | jq -cS 'del(.received)' | sha256sum)
digest=$(digests plain)
v plain passphrase --new-passphrase-file words
exits "sealed where it stands" 0
v plain list </dev/null
exits "and locked" 12
with words plain check
exits "whole" 0
is "the same records" "$("$VEREDA" --home plain --passphrase-file words --json list | jq -cS 'del(.received)' | sha256sum)" "$before"
is "the same sets" "$("$VEREDA" --home plain --passphrase-file words --json status | jq -c '[.groups[].lanes[]|[.lane,.records,.digest]]')" "$digest"
LC_ALL=C grep -rlai "canary" plain >/dev/null
is "nothing readable is left" $? 1
v plain lock
exits "lock without veredad" 13
with words plain unlock
exits "unlock without veredad" 13

# A repair of what is sealed, and of what nothing opens any more.
with words plain --json check --repair
is "check --repair of a sealed store" "$code $(key .salvaged) $(key .bad)" "0 0 0"
with other plain check --repair
exits "not by who does not know the passphrase" 12
v plain check --repair </dev/null
is "nor without any" "$code $(grep -c 'vereda unlock' err)" "12 1"
cp -r plain broken
head -c 8192 /dev/urandom | dd of=broken/data.mdb conv=notrunc 2>/dev/null
with words broken list
exits "a sealed store with a broken database" 14
with words broken --json check --repair
is "is built anew" "$code $(($(key .salvaged) > 0))" "0 1"
is "with the same records" "$("$VEREDA" --home broken --passphrase-file words --json list | jq -cS 'del(.received)' | sha256sum)" "$before"
# One of the two tables of key slots damaged, or cut off.
with words plain --json check
is "whole slots" "$code $(key .slots_damaged)" "0 false"
for how in flipped cut; do
	rm -rf half
	cp -r plain half
	[ $how = cut ] && truncate -s 4096 half/vault
	[ $how = flipped ] && printf xxxx | dd of=half/vault bs=1 seek=40 conv=notrunc 2>/dev/null
	with words half check
	is "check says that a table is $how" "$code $(grep -c 'key slots.*damaged' err) $(grep -c -e 'check --repair' err)" "14 1 1"
	with words half --json doctor
	is "and doctor ($how)" "$(key '.findings[]|select(.what=="slots")|"\(.severity) \(.next)"' | grep -c '^serious .*check --repair')" 1
	with words half check --repair
	is "it is written again ($how)" "$code $(grep -c 'written again' out)" "0 1"
	with words half --json check
	is "and whole ($how)" "$code $(key .slots_damaged) $(cmp half/vault plain/vault && echo same)" "0 false same"
done
printf xxxx | dd of=half/vault bs=1 seek=40 conv=notrunc 2>/dev/null
with words half passphrase --token half.token
with words half --json check
is "any change of a slot does the same" "$code $(key .slots_damaged)" "0 false"
printf xxxx | dd of=half/vault bs=1 seek=24 conv=notrunc 2>/dev/null
printf xxxx | dd of=half/vault bs=1 seek=4120 conv=notrunc 2>/dev/null
with words half check --repair
is "both tables damaged, and it opens yet" "$code $(grep -c 'backup create FILE' err)" "14 1"
for command in "--list" "--new-passphrase-file other"; do
	# shellcheck disable=SC2086
	with words half passphrase $command
	is "then slots are neither listed nor changed: $command" "$code $(grep -c 'cannot be listed or changed' err) $(grep -c 'fresh copy' err)" "14 1 0"
done
cp -r plain gone
head -c 8192 /dev/zero >gone/vault
for command in "check --repair" check status unlock "passphrase --list" list; do
	# shellcheck disable=SC2086
	with words gone $command
	is "no key slots any more: $command" "$code $(grep -c 'key slots.*destroyed' err) $(grep -c 'backup restore FILE' err) $(grep -c -e --repair err)" "14 1 1 0"
done
for command in "" status "check --repair"; do
	# shellcheck disable=SC2086
	v gone $command </dev/null
	is "nor is a passphrase asked for: $command" "$code $(grep -c 'key slots.*destroyed' err)" "14 1"
done

# doctor: one passphrase that nobody needs any more opens everything, and one that was set on a faster machine is slow here.
found_by() { # HOME WHAT: the words of that finding
	with words "$1" --json doctor
	key ".findings[] | select(.what == \"$2\") | .words + \" \" + .next"
}
unset LD_PRELOAD
rm -rf two
with words two init --name two
is "of one passphrase doctor says nothing" "$(found_by two passphrases)$(found_by two slow-unlock)" ""
with words two passphrase --add --new-passphrase-file other
is "of two it tells" "$(found_by two passphrases | grep -c '^2 passphrases open this store.*passphrase --list .*--remove')" 1
with words two --lang es doctor
says "in Spanish" "2 contraseñas abren este almacén" out
with words two passphrase --remove 2
is "until one is gone" "$(found_by two passphrases)" ""
cat >slow.c <<'END'
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	long rc = syscall(SYS_clock_gettime, id, t);
	if (id == CLOCK_THREAD_CPUTIME_ID) {
		long long ns = (t->tv_sec * 1000000000LL + t->tv_nsec) * 20;
		t->tv_sec = ns / 1000000000;
		t->tv_nsec = ns % 1000000000;
	}
	return (int)rc;
}
END
gcc -shared -fPIC -o slow.so slow.c || exit 1
LD_PRELOAD=$PWD/slow.so "$VEREDA" --home two --passphrase-file words --lang en doctor >out 2>err
says "on a machine twenty times as slow it says how long a try takes" "takes about [0-9]+ seconds on this machine" out
says "and what to do" "Set it again here.*vereda passphrase" out
LD_PRELOAD=$PWD/slow.so "$VEREDA" --home two --passphrase-file words --lang es doctor >out 2>err
says "in Spanish" "tarda unos [0-9]+ segundos en este equipo" out
LD_PRELOAD=$PWD/slow.so "$VEREDA" --home two --passphrase-file words passphrase --new-passphrase-file words >out 2>err
LD_PRELOAD=$PWD/slow.so "$VEREDA" --home two --passphrase-file words --lang en doctor >out 2>err
silent "set again there it is fine" "seconds on this machine" out

v hub --help
is "the program's help names where a passphrase comes from" "$(grep -c -e --passphrase-file out) $(grep -c -e --passphrase-fd out)" "1 1"
done_testing
