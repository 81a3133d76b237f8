#!/bin/bash
# SIGKILL at any moment of every command, and of a daemon with eight peers and two sticks. What a command had said is stored is there for good,
# the store is whole, and the same command again does what it should. usage: kill.sh [KILLS [SEED]]
kills=${1:-20} seed=${2:-$RANDOM}
. "$(dirname "$0")/../e2e/lib.bash"
. tests/e2e/net.bash
RANDOM=$seed
bad=
wrong() {
	bad="$bad [$*]"
	echo "# kill $number: $*"
}
peers="p1 p2 p3 p4 p5 p6 p7 p8"
found hub $peers || exit 1
{
	mkdir -p "$work/media/usb1" "$work/media/usb2"
	rows 400 | as hub --quiet load message -
	rows 30 "loaded" >"$work/rows.csv"
	head -c 70000 /dev/urandom >"$work/photo"
	printf 'la casa de la esquina\n' >"$work/words"
	rows 40 "elsewhere" | as p1 --quiet load message -
	as p1 --quiet export "$work/other.vb"
	as p2 --json alert "From paper" | jq -r .id >"$work/paper.id"
	as p2 --json export --qr "$(cat "$work/paper.id")" | jq -r '.codes[]' >"$work/paper"
	as hub --quiet export "$work/all.vb"
	some=$(as hub --json list --limit 1 | jq -r .id)
} >/dev/null 2>&1

# Ids that add, alert and ack printed: acknowledged, and by which store.
: >"$work/ledger"
note() { # HOME FILE [COMMAND]
	[[ " add alert ack " = *" ${3:-add} "* ]] || return 0
	grep -o '"id":"[0-9a-f]\{64\}"' "$2" | cut -d'"' -f4 | sed "s/^/$1 /" >>"$work/ledger"
}
missing() { # HOME: how many of what it acknowledged are not there
	as "$1" --json list 2>/dev/null | grep -o '"id":"[0-9a-f]\{64\}"' | cut -d'"' -f4 | sort >"$work/here"
	awk -v home="$1" '$1 == home { print $2 }' "$work/ledger" | sort | comm -23 - "$work/here" | wc -l
}
# Nothing acknowledged is lost, and the store is whole.
holds() { # HOME
	local lost
	lost=$(missing "$1")
	[ "$lost" = 0 ] || wrong "$1 lost $lost records"
	[ "$(as "$1" --json check 2>/dev/null | jq -c '[.bad, .derived_bad]')" = "[0,0]" ] || wrong "$1 is not whole"
}
# Runs a command of the hub and kills it some time after; one that ended before is fine too. A little later than most of them take.
killed() { # HOME COMMAND…
	local home=$1
	shift
	{ timeout -s KILL "0.0$(printf %02d $((RANDOM % 70)))" "$build/vereda" --home "$work/$home" --no-input --lang en --json "$@" >"$work/said" 2>"$work/err" </dev/null; } 2>/dev/null
	note "$home" "$work/said" "$1"
}
again() { # STATUS HOME COMMAND…: the same, undisturbed
	local wanted=$1 home=$2 status
	shift 2
	"$build/vereda" --home "$work/$home" --no-input --lang en --json "$@" >"$work/said" 2>"$work/err" </dev/null
	status=$?
	[[ " $wanted " = *" $status "* ]] || wrong "$*: $status: $(tail -1 "$work/err")"
	note "$home" "$work/said" "$1"
}
both() { # STATUS COMMAND…
	local wanted=$1
	shift
	killed hub "$@"
	holds hub
	again "$wanted" hub "$@"
}
copy() { # of the hub, for what changes it for good
	rm -rf "$work/copy"
	cp -r "$work/hub" "$work/copy"
	sed -n 's/^hub /copy /p' "$work/ledger" >"$work/ledger.copy"
	cat "$work/ledger.copy" >>"$work/ledger"
}

commands=(
	"both 0 add message -m quick" "both 0 alert Run" "both 0 ack $some --stage seen" "both 0 add event title=Walk --to p1"
	"both 0 add message -m photo --attach $work/photo" "both 0 load message $work/rows.csv --again" "both 0 list" "both 0 show $some"
	"both 0 status" "both 0 doctor" "both 0 members" "both 0 check" "both 0 list --search river" "both 0 group rotate"
	"both 0 config set share.day 300M" "both 0 export $work/out.vb --yes" "both 0 export $work/vol --volumes 256K --yes"
	"both 0 export $work/for.vb --for p1 --yes" "both 0 export --qr $some" "both 0 import $work/other.vb" "both 0 import --text $work/paper"
	"both 0 sync $work/media/usb1" "both 0 sync $work/media/usb2" "both 0 check --repair" "redacts" "enters" "leaves" "seals" "backs_up" "wipes" "takes_all"
)
redacts() {
	local id
	id=$(as hub --json add message -m "to go" | jq -r .id)
	both 0 redact "$id" --yes
}
# A newcomer, killed at every step of the way in.
enters() {
	rm -rf "$work/new" "$work/new.welcome"
	killed new init --name new --no-passphrase
	again "0 1" new init --name new --no-passphrase
	killed new id
	again 0 new id
	local id
	id=$(jq -r .id "$work/said")
	killed hub admit "$id" --name "new$number" -o "$work/new.welcome"
	holds hub
	[ -e "$work/new.welcome" ] || again "0 1" hub admit "$id" --name "new$number" -o "$work/new.welcome"
	[ -e "$work/new.welcome" ] || again 0 hub admit "$id" --name "new$number" -o "$work/new.welcome" --yes
	killed new join "$work/new.welcome"
	again "0 1" new join "$work/new.welcome"
	again 0 new add message -m "I am in"
	holds new
}
leaves() {
	copy
	killed copy revoke p8 --yes
	holds copy
	again "0 1" copy revoke p8 --yes
	[ "$(as copy --json members | grep -c '"name":"p8"')" = 0 ] || wrong "p8 is still in"
}
seals() {
	copy
	{ timeout -s KILL "0.$((RANDOM % 9))" "$build/vereda" --home "$work/copy" --no-input passphrase --new-passphrase-file "$work/words" >/dev/null 2>&1; } 2>/dev/null
	local with="--passphrase-file $work/words"
	as copy list >/dev/null 2>&1 && with=
	"$build/vereda" --home "$work/copy" --no-input $with --json list >"$work/said" 2>"$work/err" || wrong "half sealed: $(tail -1 "$work/err")"
	[ "$(grep -o '"id":"[0-9a-f]\{64\}"' "$work/said" | cut -d'"' -f4 | sort | comm -13 - <(cut -d' ' -f2 "$work/ledger.copy" | sort) | wc -l)" = 0 ] || wrong "sealing lost records"
	sed -i '/^copy /d' "$work/ledger"
	rm -rf "$work/copy"
}
backs_up() {
	{ timeout -s KILL "0.$((RANDOM % 9))" "$build/vereda" --home "$work/hub" --no-input backup create "$work/back" --yes --backup-passphrase-file "$work/words" >/dev/null 2>&1; } 2>/dev/null
	holds hub
	[ ! -e "$work/back" ] || again 0 hub backup verify "$work/back" --backup-passphrase-file "$work/words"
}
# All or nothing: a store that is there is whole, or its keys are gone.
wipes() {
	copy
	killed copy wipe --yes
	"$build/vereda" --home "$work/copy" --no-input --json list >"$work/said" 2>"$work/err"
	case $? in
	0) holds copy ;;
	1 | 10 | 12 | 14) ;;
	*) wrong "wiped: $(tail -1 "$work/err")" ;;
	esac
	sed -i '/^copy /d' "$work/ledger"
	again "0 10" copy wipe --yes
	rm -rf "$work/copy"
}
takes_all() { # a whole bundle, into an empty store
	rm -rf "$work/copy"
	cp -r "$work/p3" "$work/copy"
	killed copy import "$work/all.vb"
	again 0 copy import "$work/all.vb"
	[ "$(as copy --json list | wc -l)" -ge 400 ] || wrong "an import killed lacks records"
	rm -rf "$work/copy"
}

# Three of ten kills are the daemon's.
daemon_kills=$((kills * 3 / 10)) number=0
order=($(shuf -i 0-$((${#commands[@]} - 1)) --random-source=<(yes "$seed")))
while [ $number -lt $((kills - daemon_kills)) ]; do
	eval "${commands[${order[$((number % ${#order[@]}))]}]}"
	sed -i '/^copy /d; /^new /d' "$work/ledger"
	number=$((number + 1))
done
holds hub
equal "kill: $number commands killed, seed $seed: nothing lost, each goes on" "$bad" ""
bad=

# A daemon that eight peers call, some of them writing, and that exchanges with two sticks; and by hand its store goes by them, too.
for stick in usb1 usb2; do
	as hub --quiet stick mark "$work/media/$stick" --name "$stick" >/dev/null || wrong "$stick is not marked"
done
start hub --listen 127.0.0.1:0 --no-discovery --stick-dir "$work/media" || exit 1
at=${port[hub]}
for who in $peers; do
	start $who --listen 127.0.0.1:0 --no-discovery --peer "127.0.0.1:$at" || exit 1
done
writes() { # WHO: until told to end
	local n=0
	while [ ! -e "$work/enough" ]; do
		as "$1" --json add message -m "$1 $((n += 1)) of $number" >>"$work/wrote.$1" 2>/dev/null
	done
}
all_same() {
	local who
	for who in $peers; do
		same hub $who || return 1
	done
}
# A peer that found nobody calls again after up to a minute and a half.
while [ $number -lt "$kills" ]; do
	rm -f "$work/enough" "$work"/wrote.*
	jobs=()
	for who in hub p1 p5; do
		writes $who &
		jobs+=($!)
	done
	for stick in usb1 usb2; do
		as hub --json sync "$work/media/$stick" >/dev/null 2>&1 &
		jobs+=($!)
	done
	sleep "0.$((RANDOM % 6))$((RANDOM % 10))"
	victim=hub
	[ $((RANDOM % 4)) = 0 ] && victim=p$((1 + RANDOM % 8))
	dies $victim
	: >"$work/enough"
	wait "${jobs[@]}" 2>/dev/null
	for who in hub p1 p5; do
		note $who "$work/wrote.$who"
	done
	holds $victim
	if [ $victim = hub ]; then
		start hub --no-discovery --listen "127.0.0.1:$at" --stick-dir "$work/media" || wrong "the hub does not start"
	else
		start $victim --listen 127.0.0.1:0 --no-discovery --peer "127.0.0.1:$at" || wrong "$victim does not start"
	fi
	number=$((number + 1))
	[ $((number % 25)) = 0 ] && ! within 200 all_same && wrong "not the same everywhere"
done
within 300 all_same || wrong "not the same everywhere: $(for who in hub $peers; do count $who; done | tr '\n' ' ')"
for who in hub p1 p5; do
	holds $who
done
for stick in usb1 usb2; do
	as hub --json sync "$work/media/$stick" >"$work/said" 2>"$work/err" && [ "$(jq -c '[.complete, .safe_to_remove]' "$work/said")" = "[true,true]" ] ||
		wrong "$stick: $(tail -1 "$work/err")"
done
equal "kill: $daemon_kills times a daemon with eight peers and two sticks: nothing lost, all have everything in the end" "$bad" ""
ends "kill: and ends cleanly" TERM hub $peers
exit $failed
