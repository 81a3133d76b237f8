#!/bin/bash
# SIGKILL at any moment of every command, and of a daemon with eight peers and two sticks. What a command had said is stored is there for good,
# the store is whole, and the same command again does what it should. Only who was still at work when the kill came is counted.
# usage: kill.sh [KILLS [SEED]]; a run of 1,000 comes to every command, a short one to some.
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
# A group apart whose coordinators removed each other; the third may say who stays.
found d1 || exit 1
for who in d2 d3; do
	as $who --quiet init --name $who --no-passphrase >/dev/null
	as d1 --quiet admit "$(as $who --json id | jq -r .id)" --name $who --role coordinator -o "$work/$who.welcome" >/dev/null
	as $who --quiet join "$work/$who.welcome" >/dev/null
done
{
	as d1 --quiet export "$work/d.vb"
	as d2 --quiet import "$work/d.vb"
	as d1 --quiet revoke d2 --yes
	act=$(as d2 --json revoke d1 --yes | jq -r .id)
	as d1 --quiet export "$work/d1.vb" --for d3
	as d2 --quiet export "$work/d2.vb" --for d3
	as d3 --quiet import "$work/d1.vb" "$work/d2.vb"
	mkdir -p "$work/media/usb1" "$work/media/usb2"
	rows 400 | as hub --quiet load message -
	rows 30 "loaded" >"$work/rows.csv"
	head -c 70000 /dev/urandom >"$work/photo"
	head -c 600000 /dev/urandom >"$work/film"
	film=$(as hub --json add message -m film --attach "$work/film" | jq -r .id)
	printf 'la casa de la esquina\n' >"$work/words"
	rows 40 "elsewhere" | as p1 --quiet load message -
	as p1 --quiet export "$work/other.vb"
	as p2 --json alert "From paper" | jq -r .id >"$work/paper.id"
	as p2 --json export --qr "$(cat "$work/paper.id")" | jq -r '.codes[]' >"$work/paper"
	as hub --quiet export "$work/all.vb"
	as hub --quiet export "$work/part" --volumes 256K
	as hub --quiet backup create "$work/saved" --backup-passphrase-file "$work/words"
	cp -r "$work/hub" "$work/shut"
	as shut --quiet passphrase --new-passphrase-file "$work/words"
	mkdir "$work/bin" "$work/got"
	ln -s "$build/vereda" "$work/bin/vereda"
	some=$(as hub --json list --limit 1 | jq -r .id)
} >/dev/null 2>&1

# What runs as ssh, in another home; its far end is killed $SSH_AT seconds later.
cat >"$work/bin/ssh" <<'END'
#!/bin/bash
while [ "$1" != -- ]; do shift; done
shift 2
export VEREDA_HOME=$SSH_HOME
[ "$SSH_AT" ] || exec sh -c "$*"
timeout -s KILL "$SSH_AT" sh -c "exec $*"
echo $? >"$SSH_HOME.ended"
END
chmod +x "$work/bin/ssh"

# Acknowledged, and by which store: the ids that add, alert and ack printed, and what there is once load or import said that it is stored.
: >"$work/ledger"
ids() { grep -o '"id":"[0-9a-f]\{64\}"' "$@" | cut -d'"' -f4; }
note() { # HOME FILE [COMMAND]
	local new
	case ${3:-add} in
	add | alert | ack) ids "$2" | sed "s/^/$1 /" >>"$work/ledger" ;;
	load | import)
		new=$(jq -r '.new // empty' "$2" 2>/dev/null | tail -1)
		[ "$new" ] || return 0
		[ "$(total "$1")" -ge $((total_before + new)) ] || wrong "$1 $3: of $new that are stored, it said, not all are there"
		as "$1" --json list 2>/dev/null | ids | sed "s/^/$1 /" >>"$work/ledger"
		;;
	esac
}
total() { as "$1" --json status 2>/dev/null | jq '.store.records'; }
# Before a command of which note will be told.
ahead() { # HOME COMMAND
	case $2 in
	load | import) total_before=$(total "$1") ;;
	esac
}
missing() { # HOME: how many of what it acknowledged are not there
	as "$1" --json list 2>/dev/null | ids | sort >"$work/here"
	awk -v home="$1" '$1 == home { print $2 }' "$work/ledger" | sort -u | comm -23 - "$work/here" | wc -l
}
# Nothing acknowledged is lost, and the store is whole.
holds() { # HOME
	local lost
	lost=$(missing "$1")
	[ "$lost" = 0 ] || wrong "$1 lost $lost records"
	[ "$(as "$1" --json check 2>/dev/null | jq -c '[.bad, .derived_bad]')" = "[0,0]" ] || wrong "$1 is not whole"
}
# How long each command of a scene takes, in microseconds, as it was seen last; and how often it was killed, and tried.
declare -A took hits tries
hit=0
moment() { # COMMAND: `at` gets the seconds after which to kill it, `what` what it is called
	what="$scene $1"
	local us=${took[$what]:=$([[ " backup passphrase unlock " = *" $1 "* ]] && echo 600000 || echo 20000)}
	us=$((300 + (RANDOM * 32768 + RANDOM) % us))
	printf -v at '%d.%06d' $((us / 1000000)) $((us % 1000000))
	began=${EPOCHREALTIME//[!0-9]/}
}
# It ended so; a kill that came too late tells how long it takes, and one that hit lets the next come later.
ended() { # STATUS
	tries[$what]=$((${tries[$what]} + 1))
	if [ "$1" = 137 ]; then
		hits[$what]=$((${hits[$what]} + 1)) hit=$((hit + 1))
		took[$what]=$((${took[$what]} * 5 / 4))
	else
		took[$what]=$((${EPOCHREALTIME//[!0-9]/} - began))
	fi
}
killed() { # HOME COMMAND…: 1: it had ended before
	local home=$1 status
	shift
	ahead "$home" "$1"
	moment "$1"
	{ timeout $only -s KILL "$at" "$build/vereda" --home "$work/$home" --no-input --lang en --json "$@" >"$work/said" 2>"$work/err" </dev/null; } 2>/dev/null
	status=$?
	ended $status
	note "$home" "$work/said" "$1"
	[ $status = 137 ]
}
again() { # STATUS HOME COMMAND…: the same, undisturbed
	local wanted=$1 home=$2 status us
	shift 2
	ahead "$home" "$1"
	us=${EPOCHREALTIME//[!0-9]/}
	"$build/vereda" --home "$work/$home" --no-input --lang en --json "$@" >"$work/said" 2>"$work/err" </dev/null
	status=$?
	us=$((${EPOCHREALTIME//[!0-9]/} - us))
	[ $status != 0 ] || [ $us -lt "${took[$scene $1]:-0}" ] || took[$scene $1]=$us
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
	"both 0 sync $work/media/usb1" "both 0 sync $work/media/usb2" "both 0 check --repair" "redacts" "enters" "leaves" "seals" "backs_up" "wipes" "takes_all $work/all.vb" "takes_all $work/part.*"
	"both 0 add checkin text=here" "both 0 get $film -o $work/got" "both 0 why $some" "both 0 why p1" "both '0 1' prune --yes" "both 0 group list" "both 0 stick list"
	"both 0 config get share.day" "both 0 id" "looks_on" "reviews" "approves" "founds" "gets_back" "marks" "locks" "calls" "by_ssh" "by_ssh --foreground" "far_end"
)
# A copy, whatever stood there.
fresh() { # HOME FROM
	rm -rf "${work:?}/$1"
	cp -r "$work/$2" "$work/$1"
}
looks_on() { # it would go on for ever
	killed hub watch
	holds hub
}
# Who was removed writes, a coordinator takes it out of quarantine, and gives the role back.
reviews() {
	local id
	copy
	fresh new p8
	as copy --quiet revoke p8 --yes >/dev/null
	id=$(as new --json add message -m "I write still" | jq -r .id)
	as new --quiet --yes export "$work/late.vb" >/dev/null
	as copy --quiet import "$work/late.vb" >/dev/null
	killed copy review "$id" --accept
	holds copy
	again "0 1" copy review "$id" --accept
	lists copy "$id" || wrong "what was accepted is not seen"
	killed copy restore p8
	holds copy
	again "0 1" copy restore p8
	[ "$(as copy --json members | grep -c '"name":"p8"')" = 1 ] || wrong "p8 is not back"
	rm -rf "$work/copy" "$work/new"
}
approves() {
	fresh copy d3
	killed copy approve "$act"
	holds copy
	again "0 1" copy approve "$act"
	as copy --json status | jq -e --arg id "$act" '.acts[] | select(.id == $id) | .backed and .counts' >/dev/null || wrong "the act is not backed"
	rm -rf "$work/copy"
}
# A group of one, its paper key, and the group back from the words.
founds() {
	rm -rf "$work/new" "$work/copy"
	as new --quiet init --name new --no-passphrase >/dev/null
	killed new group create Otra
	[ "$(as new --json group list 2>/dev/null | grep -c '"name":"Otra"')" = 1 ] || again 0 new group create Otra
	holds new
	killed new group paper --yes
	holds new
	again 0 new group paper --yes
	jq -r .paper "$work/said" >"$work/twelve"
	as new --quiet add message -m "by the river" >/dev/null
	as new --quiet --yes export "$work/late.vb" >/dev/null
	as copy --quiet init --name copy --no-passphrase >/dev/null
	killed copy group recover "$work/late.vb" --words-file "$work/twelve"
	again "0 1" copy group recover "$work/late.vb" --words-file "$work/twelve"
	again 0 copy import "$work/late.vb" # who is in already is told to
	lists copy "by the river" || wrong "the words do not give the group back"
	holds copy
	rm -rf "$work/copy" "$work/new"
}
gets_back() {
	rm -rf "$work/copy"
	killed copy backup restore "$work/saved" --backup-passphrase-file "$work/words" --no-passphrase
	again "0 1" copy backup restore "$work/saved" --backup-passphrase-file "$work/words" --no-passphrase
	lists copy "$film" || wrong "half restored"
	holds copy
	rm -rf "$work/copy"
}
marks() {
	both 0 stick mark "$work/media/usb1" --name usb1
	both 0 stick sync "$work/media/usb1"
	killed hub stick unmark usb1
	holds hub
	again "0 1" hub stick unmark usb1
}
# The daemon of a sealed store, which goes on whoever of those that speak to it is killed.
locks() {
	fresh copy shut
	"$build/veredad" --home "$work/copy" --no-discovery --listen 127.0.0.1:0 2>"$work/copy.log" &
	pid[copy]=$!
	daemons+=($!)
	within 20 logged copy '^<6>locked' || wrong "veredad does not start"
	killed copy unlock --passphrase-file "$work/words"
	again 0 copy unlock --passphrase-file "$work/words"
	lists copy "$film" || wrong "unlocked, and not read"
	killed copy lock
	again 0 copy lock
	again 12 copy list
	kill "${pid[copy]}" && wait "${pid[copy]}" || wrong "veredad of a locked store ended badly"
	rm -rf "$work/copy"
}
calls() {
	local id
	id=$(as hub --json add message -m "over the wire" | jq -r .id)
	start p4 --no-discovery --listen 127.0.0.1:0 || wrong "veredad does not start"
	killed hub sync "127.0.0.1:${port[p4]}"
	holds hub
	again 0 hub sync "127.0.0.1:${port[p4]}"
	lists p4 "$id" || wrong "what was synced is not there"
	kill "${pid[p4]}" && wait "${pid[p4]}" || wrong "the called veredad ended badly"
	holds p4
}
# Over ssh: both ends killed, or with --foreground ours alone.
by_ssh() {
	local id only=$1 PATH=$work/bin:$PATH
	local -x SSH_HOME=$work/p2
	id=$(as hub --json add message -m "over ssh" | jq -r .id)
	killed hub sync ssh://p2
	holds hub
	holds p2
	again 0 hub sync ssh://p2
	lists p2 "$id" || wrong "what was synced over ssh is not there"
}
far_end() { # the other end alone, which is sync --stdio
	local id PATH=$work/bin:$PATH
	local -x SSH_HOME=$work/p2 SSH_AT
	id=$(as p2 --json add message -m "over ssh" | jq -r .id)
	moment "--stdio"
	SSH_AT=$at
	rm -f "$work/p2.ended"
	as hub --json sync ssh://p2 >"$work/said" 2>"$work/err"
	within 5 [ -s "$work/p2.ended" ] || wrong "the far end goes on"
	ended "$(cat "$work/p2.ended")"
	SSH_AT=
	holds hub
	holds p2
	again 0 hub sync ssh://p2
	lists hub "$id" || wrong "what was synced over ssh is not there"
}
redacts() {
	local id
	id=$(as hub --json add message -m "to go" | jq -r .id)
	both 0 redact "$id" --yes
}
# A newcomer, killed at every step of the way in.
entered=0
enters() {
	local name=new$((entered += 1))
	rm -rf "$work/new" "$work/new.welcome"
	killed new init --name new --no-passphrase
	again "0 1" new init --name new --no-passphrase
	killed new id
	again 0 new id
	local id
	id=$(jq -r .id "$work/said")
	killed hub admit "$id" --name "$name" -o "$work/new.welcome"
	holds hub
	[ -e "$work/new.welcome" ] || again "0 1" hub admit "$id" --name "$name" -o "$work/new.welcome"
	[ -e "$work/new.welcome" ] || again 0 hub admit "$id" --name "$name" -o "$work/new.welcome" --yes
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
	killed copy passphrase --new-passphrase-file "$work/words"
	local with="--passphrase-file $work/words"
	as copy list >/dev/null 2>&1 && with=
	"$build/vereda" --home "$work/copy" --no-input $with --json list >"$work/said" 2>"$work/err" || wrong "half sealed: $(tail -1 "$work/err")"
	[ "$(grep -o '"id":"[0-9a-f]\{64\}"' "$work/said" | cut -d'"' -f4 | sort | comm -13 - <(cut -d' ' -f2 "$work/ledger.copy" | sort -u) | wc -l)" = 0 ] || wrong "sealing lost records"
	sed -i '/^copy /d' "$work/ledger"
	rm -rf "$work/copy"
}
backs_up() {
	killed hub backup create "$work/back" --yes --backup-passphrase-file "$work/words"
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
takes_all() { # FILE…: a whole bundle, or all its volumes, into an empty store
	fresh copy p3
	killed copy import "$@"
	holds copy
	again 0 copy import "$@"
	holds copy
	[ "$(as copy --json list | wc -l)" -ge 400 ] || wrong "an import killed lacks records"
	rm -rf "$work/copy"
}

# Three of ten kills are the daemon's.
daemon_kills=$((kills * 3 / 10)) number=0
order=($(shuf -i 0-$((${#commands[@]} - 1)) --random-source=<(yes "$seed")))
turn=0 late=0
while [ $hit -lt $((kills - daemon_kills)) ]; do
	number=$hit
	scene=${commands[${order[$((turn % ${#order[@]}))]}]}
	eval "$scene"
	sed -i '/^copy /d; /^new /d' "$work/ledger"
	# Once more, where all had ended before.
	[ $hit = $number ] && [ $((late += 1)) -lt 30 ] && continue
	[ $late -lt 30 ] || wrong "ends before any kill: $scene"
	turn=$((turn + 1)) late=0
done
number=$hit
for what in "${!tries[@]}"; do
	[ "${tries[$what]}" -lt 15 ] || [ "${hits[$what]:-0}" -gt 0 ] || wrong "never killed: $what"
done
holds hub
equal "kill: $number commands killed, of $turn scenes, seed $seed: nothing lost, each goes on" "$bad" ""
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
kills=$((number + daemon_kills))
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
