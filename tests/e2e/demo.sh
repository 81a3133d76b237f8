#!/bin/bash
# The main job, with real processes: a hub, a community on its LAN, and a field monitor who only has a USB stick.
#
# `make demo` shows it to a person; in `make test` the same script is a test. Nothing leaves this machine: both daemons listen and
# beacon on lo alone.
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-$PWD/build}
input=$PWD/tests/e2e/demo_messages.csv
work=$(mktemp -d "${TMPDIR:-/tmp}/vereda-demo.XXXXXX")
failed=0
daemons=()

if [ -t 1 ]; then bold=$'\e[1m'; plain=$'\e[0m'; else bold=; plain=; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# vereda as one of the three: `as hub list`
as() {
	local who=$1
	shift
	"$build/vereda" --home "$work/$who" --no-input --lang en "$@"
}
show() { printf '  %s$ vereda %s\n' "$1" "${*:2}" | sed "s|$work/||g; s|$PWD/||g"; as "$@" 2>&1 | sed "s|$work/||g; s/^/    /"; }
check() { # what, status
	if [ "$2" = 0 ]; then echo "ok demo: $1"; else echo "not ok demo: $1"; failed=1; fi
}
finish() {
	[ ${#daemons[@]} -gt 0 ] && kill "${daemons[@]}" 2>/dev/null && wait "${daemons[@]}" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
value() { sed -n "s/.*\"$1\": *\"\\([^\"]*\\)\".*/\\1/p"; } # of one JSON string
digests() { as "$1" --json status | grep -o '"digest": *"[0-9a-f]*"' | grep -o '[0-9a-f]\{64\}' | tr '\n' ' '; }
within() { # seconds, command…: until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -ge $end ] && return 1
		sleep 0.1
	done
}
lists() { [ -n "$2" ] && as "$1" --json list | grep -q "$2"; }
same() { [ "$(digests "$1")" = "$(digests "$2")" ]; }

say "1. Three people, three devices. The hub founds a group."
for who in hub community monitor; do as "$who" init --name "$who" --no-passphrase --quiet >/dev/null || failed=1; done
show hub group create "Red del Río"

for who in community monitor; do
	say "2. The $who shows its id; the hub admits it; the $who joins. Both compare six words aloud."
	card=$(as "$who" --json id | value id)
	printf '  %s$ vereda id\n    %.48s…\n' "$who" "$card"
	admitted=$(as hub --json admit "$card" --name "$who" -o "$work/$who.welcome" | value words)
	joined=$(as "$who" --json join "$work/$who.welcome" | value words)
	printf '  hub hears:  %s\n  %s reads: %s\n' "$admitted" "$who" "$joined"
	[ -n "$admitted" ] && [ "$admitted" = "$joined" ]
	check "$who and hub see the same six words" $?
done

say "3. Hub and community are on one LAN. Their daemons find each other; nobody types an address."
for who in hub community; do
	"$build/veredad" --home "$work/$who" --listen 127.0.0.1:0 --discover-on lo 2>"$work/$who.log" &
	daemons+=($!)
done
for who in hub community; do
	within 10 grep -q listening "$work/$who.log"
	check "$who's daemon is ready" $?
done
show hub load message "$input"
within 20 same hub community
check "what the hub loaded is with the community" $?
alert=$(as community --json alert "Desalojo en curso en la vereda El Mango" --severity severe | value id)
printf '  community$ vereda alert "Desalojo en curso en la vereda El Mango" --severity severe\n'
within 5 lists hub "$alert"
check "the alert is on the hub at once" $?
as hub ack "$alert" --stage accepted >/dev/null
check "the hub answers it" $?

say "4. The monitor has no network. A stick goes to the field and back, twice."
stick=$work/stick
mkdir "$stick"
show hub sync "$stick"
show monitor sync "$stick"
event=$(as monitor --json add event title="Amenaza a la lideresa" place="El Mango" violation_status=likely \
	-m "Two men on a motorbike left a written threat at her door." | value id)
printf '  monitor$ vereda add event title="Amenaza a la lideresa" …\n'
show monitor sync "$stick"
show hub sync "$stick"
within 10 lists community "$event"
check "the monitor's event reached the community through stick, hub and LAN" $?
within 10 same hub community
as monitor --quiet sync "$stick" >/dev/null

say "5. All three list, search and show what came."
show monitor list --search pickup
show community list event
show hub show "${alert:0:12}"

say "6. The proof: equal digests."
for who in hub community monitor; do
	printf '  %-10s %s\n' "$who" "$(digests "$who" | sed 's/\([0-9a-f]\{16\}\)[0-9a-f]*/\1…/g')"
done
[ -n "$(digests hub)" ] && same hub community && same hub monitor
check "hub, community and monitor hold the same set" $?
exit $failed
