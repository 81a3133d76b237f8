# What the end-to-end tests share: source it first. Each check prints "ok NAME" or "not ok NAME"; end with `exit $failed`.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
build=${BUILD:-$PWD/build}
work=$(mktemp -d "${TMPDIR:-/tmp}/vereda-e2e.XXXXXX")
failed=0
daemons=()
finish() {
	[ ${#daemons[@]} -gt 0 ] && kill "${daemons[@]}" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

# `apart --net "$1"` (or --mount): the script begins anew, with "inside" as its argument, in a network (or with mounts) of its own; without root in
# a user namespace too. False: this kernel has none.
apart() {
	local private=$1
	[ "$2" = inside ] && return
	[ "$(id -u)" = 0 ] || private="--user --map-root-user $private"
	unshare $private true 2>/dev/null || return
	rm -rf "$work"
	exec unshare $private "tests/e2e/${0##*/}" inside
}

check() { # name, status
	if [ "$2" = 0 ]; then echo "ok $1"; else echo "not ok $1"; failed=1; fi
}
equal() { # name, is, should be
	if [ "$2" = "$3" ]; then echo "ok $1"; else echo "not ok $1: is '$2', should be '$3'"; failed=1; fi
}
# vereda as the owner of the store $work/NAME: `as hub list`
as() {
	local who=$1
	shift
	"$build/vereda" --home "$work/$who" --no-input --lang en "$@"
}
# From here on a new passphrase costs the least there is, in whatever is started: where one is needed, but not what it costs.
cheap_passphrases() { export LD_PRELOAD=$build/tests/faults/small.so; }
status_of() { # command…: its exit status, output dropped
	"$@" >/dev/null 2>&1
	echo $?
}
within() { # seconds, command…: until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -ge $end ] && return 1
		sleep 0.05
	done
}
digests() { as "$1" --json status | jq -c '[.groups[] | .lanes[] | .digest]'; }
count() { as "$1" --json list | wc -l; }
same() { [ "$(digests "$1")" = "$(digests "$2")" ]; }
# A hub with a group, and members admitted to it: `found hub ana ben`
found() {
	local hub=$1 who
	as "$hub" --quiet init --name "$hub" --no-passphrase >/dev/null || return 1
	as "$hub" --quiet group create "Group of $hub" >/dev/null || return 1
	shift
	for who in "$@"; do
		as "$who" --quiet init --name "$who" --no-passphrase >/dev/null || return 1
		as "$hub" --quiet admit "$(as "$who" --json id | jq -r .id)" --name "$who" -o "$work/$who.welcome" >/dev/null || return 1
		as "$who" --quiet join "$work/$who.welcome" >/dev/null || return 1
	done
}
# Rows of which half come, and the rest when a second file is there: who reads them is in their midst, however quick it is.
halting() { # rows file
	head -n $(($(wc -l <"$1") / 2)) "$1"
	until [ -e "$2" ]; do sleep 0.05; done
	tail -n +$(($(wc -l <"$1") / 2 + 1)) "$1"
}
rows() { # n [tag]: a CSV of n messages
	echo text
	seq -f "${2:-row} %.0f of a long night by the river and two boats passed" "$1"
}
