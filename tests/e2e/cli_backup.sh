#!/bin/bash
# A backup: made while all goes on, tried, refused when anything is wrong with it, and a device back from it that harms nobody.
. "$(dirname "$0")/cli.inc"
printf 'cuatro palabras del respaldo\n' >words
printf 'otras palabras del respaldo\n' >others
printf 'la casa de la esquina\n' >house
printf 'corta\n' >short
mkdir scratch
findings() { # HOME WHAT: how many
	"$VEREDA" --home "$1" --quiet --json doctor | jq "[.findings[] | select(.what==\"$2\")] | length"
}
create() { # HOME FILE ARGUMENTS…
	local home=$1 file=$2
	shift 2
	v "$home" "$@" backup create "$file" --backup-passphrase-file words
}
verify() { # FILE ARGUMENTS…
	local file=$1
	shift
	v nowhere backup verify "$file" --backup-passphrase-file words --scratch scratch "$@"
}
restore() { # HOME FILE ARGUMENTS…
	local home=$1 file=$2
	shift 2
	v "$home" backup restore "$file" --backup-passphrase-file words "$@"
}
carry() { # FROM TO: all of it, by a file
	"$VEREDA" --home "$1" --quiet --yes export carried.vb >/dev/null
	v "$2" --json import carried.vb
	is "$2 takes what $1 has, and refuses nothing" "$code $(key .refused)" "0 0"
}

found hub Lindero
admit hub field
v field --quiet add message -m "Canary: the boat comes at night"
carry field hub

# Whoever asks is told.
is "doctor asks for a backup" "$(findings field no-backup)" 1
v field --lang en doctor
says "and says how" "vereda backup create FILE"
v field backup
exits "backup alone is no command" 2
v field backup destroy x
exits "nor is anything else" 2
v field backup create mine.dat </dev/null
is "nobody to type a passphrase" "$code $([ -e mine.dat ] && echo made)" "12 "
v field backup create mine.dat --backup-passphrase-file short
is "a short one" "$code $([ -e mine.dat ] && echo made)" "2 "
v field backup create mine.dat --backup-passphrase-file nothing
is "one that is not there" "$code $([ -e mine.dat ] && echo made)" "12 "
v field backup create -- - --backup-passphrase-file words
exits "standard output is no place for it" 2
v field --json backup create nowhere/mine.dat --backup-passphrase-file words
is "nor a folder that is not there" "$code $(key .error err)" "1 not-found"
v nobody backup create mine.dat --backup-passphrase-file words
is "no store, no backup" "$code $([ -e mine.dat ] && echo made)" "10 "

cheap_passphrases
create field mine.dat --json
is "made" "$code $(key '[.file,(.records>3),.bytes]|join(" ")')" "0 mine.dat true $(stat -c %s mine.dat)"
says "with its time" '"made": ?"20[0-9-]+T[0-9:.]+Z"'
silent "nothing of it can be read" "Canary|boat|Lindero|vereda" mine.dat
is "for its owner only" "$(stat -c %a mine.dat)" 600
is "doctor is content" "$(findings field no-backup) $(findings field old-backup)" "0 0"
cat >clock.c <<'END'
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	long rc = syscall(SYS_clock_gettime, id, t);
	if (id == CLOCK_REALTIME)
		t->tv_sec += DAYS * 86400;
	return (int)rc;
}
END
for days in 29 31; do
	gcc -DDAYS=$days -shared -fPIC -o clock.so clock.c || exit 1
	LD_PRELOAD=$PWD/clock.so "$VEREDA" --home field --quiet --json doctor >out 2>err
	is "and after $days days" "$(jq '[.findings[] | select(.what=="old-backup")] | length' out)" $((days > 30))
done
create field mine.dat
is "a file that is there stays" "$code" 1
create field mine.dat --yes
exits "unless --yes" 0

# At a terminal: twice, and nothing appears.
{ sleep 1; echo "una frase larga y mia"; sleep 1; echo "una frase larga y mis"; sleep 1; } |
	script -qec "'$VEREDA' --home field --lang en backup create typed.dat" /dev/null >typed 2>&1
is "two that differ make none" "$? $([ -e typed.dat ] && echo made)" "12 "
{ sleep 1; echo "una frase larga y mia"; sleep 1; echo "una frase larga y mia"; sleep 4; } |
	script -qec "'$VEREDA' --home field --lang en backup create typed.dat" /dev/null >typed 2>&1
is "twice the same does" "$? $([ -e typed.dat ] && echo made)" "0 made"
silent "and does not appear" "frase larga" typed
printf 'una frase larga y mia' >typed.words
v nowhere --quiet backup verify typed.dat --backup-passphrase-file typed.words
exits "it is the one that was typed" 0

# Tried.
verify mine.dat --json
is "verify" "$code $(key .bytes) $(ls -A scratch | wc -l) $([ -e nowhere ] && echo there)" "0 $(stat -c %s mine.dat) 0 "
verify mine.dat --lang en
says "for people" "is good: [0-9]+ records"
v nowhere --json backup verify mine.dat --backup-passphrase-file others
is "another passphrase" "$code $(key .error err)" "12 passphrase"
v nowhere backup verify none.dat --backup-passphrase-file words
exits "a file that is not there" 1
v nowhere backup verify mine.dat --backup-passphrase-file words --scratch words
exits "a scratch that is no folder" 2
head -c 100000 /dev/urandom >noise.dat
verify noise.dat
is "noise is none" "$([ "$code" = 12 ] || [ "$code" = 14 ] && echo refused)" refused
for bytes in 1 1000 65536 "$(($(stat -c %s mine.dat) - 1000))"; do
	head -c -"$bytes" mine.dat >torn.dat
	verify torn.dat --json
	is "without its last $bytes bytes" "$code $(key .error err)" "14 torn"
	restore back torn.dat --no-passphrase
	is "and nothing of it is restored" "$code $(ls -A back 2>/dev/null | wc -l)" "14 0"
done
{ head -c 50000 mine.dat; printf x; tail -c +50002 mine.dat; } >spoilt.dat
verify spoilt.dat --json
is "one byte is another" "$code $(key .error err)" "14 integrity"
restore back spoilt.dat --no-passphrase
is "and nothing of that either" "$code $(ls -A back 2>/dev/null | wc -l)" "14 0"

{ cat mine.dat; printf x; } >longer.dat
verify longer.dat --json
is "something behind its end" "$code $(key .error err) $(grep -c 'added behind the end' err)" "14 integrity 1"
restore back longer.dat --no-passphrase
is "and nothing of that is restored" "$code $(ls -A back 2>/dev/null | wc -l)" "14 0"
{ printf x; tail -c +2 mine.dat; } >start.dat
verify start.dat
is "another start opens with no passphrase" "$code $(grep -c 'start of that file may be damaged' err)" "12 1"

# Restored: a device that was lost, and wrote more than the backup has.
v field --quiet add message -m "after the backup"
carry field hub
restore field mine.dat --no-passphrase
is "never over a store" "$code $("$VEREDA" --home field --json list | wc -l)" "1 2"
restore back mine.dat </dev/null
is "sealed or not must be said" "$code $([ -e back/data.mdb ] && echo made)" "2 "
restore back mine.dat --no-passphrase --json
is "restored" "$code $(key .bytes)" "0 $(stat -c %s mine.dat)"
says "and told what it is" "same device again|mismo equipo" err
is "as it was then" "$("$VEREDA" --home back --json list | jq -r .fields.text)" "Canary: the boat comes at night"
is "its last backup is that one" "$(findings back no-backup)" 0
v back check
exits "and sound" 0
restore sealed mine.dat --passphrase-file house --no-passphrase
exits "restored with a passphrase, whatever else was said" 0
grep -q Canary sealed/data.mdb
is "it is sealed" "$? $([ -f sealed/vault ] && echo vault)" "1 vault"
v sealed --passphrase-file house check
exits "and sound, too" 0

mkdir back/new && touch back/new/lock.mdb
v back --json list
is "what a killed restore left goes with the next command" "$code $([ -e back/new ] && echo there)" "0 "
mkdir taken && echo mine >taken/vault
v taken backup restore mine.dat --backup-passphrase-file words --no-passphrase
is "nothing is restored over somebody else's file" "$code $(cat taken/vault) $(ls taken)" "1 mine vault"
says "and it is named" '"vault" that is not' err
v back --quiet add message -m "the restored device writes before it hears"
carry hub back
carry back hub
v back --quiet add message -m "and after"
carry back hub
v field --quiet add message -m "the old one lives"
carry field hub
carry hub back
carry hub field
is "all are equal" "$(digests back) $(digests field)" "$(digests hub) $(digests hub)"
is "and nothing is lost" "$("$VEREDA" --home hub --json list | wc -l)" 5
is "doctor names it on both, and where others see it" "$(findings back clone) $(findings field clone) $(findings hub forked)" "1 1 1"

# A sealed store: its passphrase is not the backup's.
create sealed twice.dat --passphrase-file house
exits "a backup of a sealed store" 0
verify twice.dat
exits "is good" 0
restore plain twice.dat --no-passphrase
is "and can become a readable one" "$code $("$VEREDA" --home plain --json list | wc -l)" "0 1"
v plain check
exits "that is sound" 0
v nowhere backup verify twice.dat --backup-passphrase-file house
exits "the store's passphrase does not open it" 12

# Paper.
v field backup create --paper paper.dat
is "no paper key yet" "$code $([ -e paper.dat ] && echo made)" "12 "
v hub --yes --json group paper
key .paper >paper
v hub backup create --paper paper.dat
is "sealed to the paper key" "$code" 0
v nowhere backup verify --paper paper.dat --words-file paper --scratch scratch
exits "which opens it" 0
v nowhere --json backup restore --paper paper.dat --words-file words --no-passphrase
is "other words do not" "$code $(key .error err)" "12 no-key"
v again backup restore --paper paper.dat --no-passphrase <paper
is "restored by the words" "$code $(digests again)" "0 $(digests hub)"
verify paper.dat
is "a passphrase does not" "$([ "$code" = 12 ] || [ "$code" = 14 ] && echo refused)" refused

# Hot: while veredad runs and another command loads.
{ echo id,text; rows 1 20000; } >rows.csv
"$VEREDAD" --home hub --no-discovery 2>daemon.log &
started+=($!)
"$VEREDA" --home hub --quiet load message rows.csv --map text=text >/dev/null 2>load.err &
load=$!
made=0
while kill -0 $load 2>/dev/null; do
	create hub "hot$made.dat" --quiet
	[ "$code" = 0 ] || not_ok "hot backup $made" "exit $code: $(cat err)"
	made=$((made + 1))
done
wait $load
is "the load did not notice" "$? $("$VEREDA" --home hub --json list message | wc -l)" "0 20005"
is "backups were made meanwhile" "$((made > 0))" 1
for last in 0 $((made / 2)) $((made - 1)); do
	verify "hot$last.dat"
	is "hot backup of some moment is good" "$code $(ls -A scratch | wc -l)" "0 0"
done
unset LD_PRELOAD # at full strength, and interrupted there too
create hub after.dat
restore after after.dat --no-passphrase
is "all of it comes back" "$code $(digests after)" "0 $(digests hub)"

# Interrupted: nothing stays.
for pause in 0.2 1 2; do
	timeout -s INT "$pause" "$VEREDA" --home hub backup create stopped.dat --backup-passphrase-file words >out 2>err
	is "create interrupted after $pause s" "$(ls stopped.dat* 2>/dev/null | grep -cv '^stopped.dat$')" 0
	rm -f stopped.dat
	timeout -s INT "$pause" "$VEREDA" --home nobody backup verify after.dat --backup-passphrase-file words --scratch scratch >out 2>err
	timeout -s KILL "$pause" "$VEREDA" --home nobody backup verify after.dat --backup-passphrase-file words --scratch scratch >out 2>err
	is "verify interrupted or killed after $pause s" "$(ls -A scratch | wc -l)" 0
	timeout -s INT "$pause" "$VEREDA" --home "half$pause" backup restore after.dat --backup-passphrase-file words --no-passphrase >out 2>err
	v "half$pause" --json list
	is "restore interrupted after $pause s: whole, or none" "$([ "$code" = 10 ] || [ "$(wc -l <out)" = 20005 ] && echo yes)" yes
done

# A full disk, as create and restore find it.
cat >full.sh <<'END'
mount -t tmpfs -o size=2m tmpfs small || exit 77
"$VEREDA" --home hub --json backup create small/full.dat --backup-passphrase-file words >/dev/null 2>err
echo "create $? $(jq -r .error err) $(ls -A small | wc -l)"
"$VEREDA" --home small/home --json backup restore after.dat --backup-passphrase-file words --no-passphrase >/dev/null 2>err
echo "restore $? $(jq -r .error err) $(ls -A small/home | wc -l)"
"$VEREDA" --home nobody --json backup verify after.dat --backup-passphrase-file words --scratch small >/dev/null 2>err
echo "verify $? $(jq -r .error err) $(ls -A small | wc -l)"
END
mkdir small
export VEREDA
if unshare -m true 2>/dev/null; then
	unshare -m bash full.sh >full 2>&1
	if [ $? = 77 ]; then
		ok "full disk # SKIP no tmpfs here"
	else
		is "a full disk" "$(paste -sd, full)" "create 15 no-space 0,restore 15 no-space 0,verify 15 no-space 1"
	fi
else
	ok "full disk # SKIP no mount namespaces here"
fi
done_testing
