#!/bin/bash
# A failing disk or memory: each main command with its first, second, third… call of a kind failing, once and for good.
# usage: faults.sh [SAMPLES [SCENE…]]: of the allocations, which are many, so many a command; 0: every one.
samples=${1:-5}
shift
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-$PWD/build}
[ -w /dev/shm ] && export TMPDIR=/dev/shm # the thousands of stores of this never need a disk
work=$(mktemp -d) || exit 1
[ "$KEEP" ] && echo "# $work" || trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8 TZ=UTC
mkdir "$work/made" "$work/scenes" "$work/run"

as() {
	local who=$1
	shift
	"$build/vereda" --home "$work/made/$who" --no-input --lang en "$@"
}
rows() { # FIRST LAST
	echo text
	seq -f "row %.0f of a long night by the river" "$1" "$2"
}
# scene NAME HOME ARGUMENT…: that command on a copy of that home; `more` puts files beside it, `after` says what it must have done
scene() {
	local name=$1 home=$2
	shift 2
	here=$work/scenes/$name
	mkdir -p "$here/start"
	[ "$home" = - ] || cp -r "$work/made/$home" "$here/start/home"
	printf '%s\n' --home home --no-input --lang en "$@" >"$here/args"
}
more() { cp -r "$work/made/$1" "$here/start/${2:-$1}"; }
after() { printf '%s\n' --no-input --lang en "$@" >"$here/after"; }

cd "$work/made" || exit 1
{
	as fresh init --name hub --no-passphrase
	cp -r fresh hub
	as hub group create Valle
	for who in ana ben; do
		as $who init --name $who --no-passphrase
		as hub admit "$(as $who --json id | jq -r .id)" --name $who -o $who.welcome
		as $who join $who.welcome
	done
	as new init --name new --no-passphrase
	cp -r hub quiet # nothing in it but the group
	rows 1 10 | as hub load message -
	as hub --json admit "$(as new --json id | jq -r .id)" --name new -o new.welcome
	as hub list
	as hub export bundle
	as hub --json export --qr "$(as hub --json list --limit 1 | jq -r .id)" | jq -r '.codes[]' >paper
	rows 11 12 | as ana load message -
	as ana list
	mkdir usb
	as hub sync usb
	rows 21 30 >rows.csv
	rows 1 10 >known.csv
	as new id --json
} >log 2>&1 || { cat log; exit 1; }
# a device that nobody admitted yet, with its id
as late init --name late --no-passphrase >/dev/null
late=$(as late --json id | jq -r .id)
# The same, sealed: on the small machine that small.so pretends to be a passphrase costs as little as may be.
echo canario1 >words
echo canario2 >others
head -c 64 /dev/urandom >key
sealed() { LD_PRELOAD=$build/tests/faults/small.so as "$@" --passphrase-file words; }
{
	cp -r hub shut
	LD_PRELOAD=$build/tests/faults/small.so as shut passphrase --new-passphrase-file words
	cp -r shut keyed
	sealed keyed passphrase --token key
	cp -r ana closed
	LD_PRELOAD=$build/tests/faults/small.so as closed passphrase --new-passphrase-file words
} >log 2>&1 || { cat log; exit 1; }
id=$(as hub --json list | head -1 | jq -r .id)

scene init - init --name hub --no-passphrase
scene group fresh --json group create Valle
scene admit hub --json admit "$late" --name late -o late.welcome
more late
after --home late --json join late.welcome
scene join new --json join new.welcome
more new.welcome
scene add hub --json add message -m "by the river"
scene alert hub --json alert "boats at the river" --severity severe
scene load hub --json load message rows.csv
more rows.csv
scene reload hub --json load message known.csv
more known.csv
scene list hub --json list
scene show hub --json show "$id"
scene export hub --json export out.bundle
more ben
after --home ben --json import out.bundle
scene volumes hub --json export out --volumes 256K
more ben
after --home ben --json import out.001
scene slip hub --json export --qr "$(as hub --json list --limit 1 | jq -r .id)"
scene text ben --json import --text paper
more paper
scene import ben --json import bundle
touch "$here/foreign"
more bundle
scene sync ana --json sync usb
touch "$here/foreign"
more usb
more ben
after --home ben --json sync usb
scene check hub --json check
scene status hub --json status
scene revoke hub --json --yes revoke ben
scene redact hub --json --yes redact "$id"
scene daemon hub --no-discovery --listen 127.0.0.1:0
printf '%s\n' --home home --no-discovery --listen 127.0.0.1:0 >"$here/args"
touch "$here/daemon"

scene seal hub --json passphrase --new-passphrase-file words
touch "$here/once"
more words
after --home home --passphrase-file words --json check
scene sealed_init - init --name hub --passphrase-file words
more words
scene sealed_add shut --json --passphrase-file words add message -m "by the river"
more words
scene sealed_import closed --json --passphrase-file words import bundle
touch "$here/foreign"
more words
more bundle
scene change shut --json --passphrase-file words passphrase --new-passphrase-file others
touch "$here/once"
more words
more others
after --home home --passphrase-file others --json check
scene add_key shut --json --passphrase-file words passphrase --token key
more words
scene drop_key keyed --json --passphrase-file words passphrase --remove 2
touch "$here/once"
more words
scene sealed_daemon keyed
printf '%s\n' --home home --no-discovery --listen 127.0.0.1:0 --token key >"$here/args"
touch "$here/daemon"
more key

whole="init group admit join add alert load reload list show export import sync check status revoke redact daemon sealed_add sealed_daemon"
# What costs the most, as each needs a passphrase several times: only where time is no matter.
[ "$samples" != 0 ] || whole="$whole seal sealed_init sealed_import change add_key drop_key"
[ $# -gt 0 ] || set -- $whole
"$build/tests/faults/run" -s "$samples" "$build" "$build/tests/faults/fail.so" "$work/run" "${@/#/$work/scenes/}"
