#!/bin/bash
# kill -9 at any moment and a disk that is full: what was acknowledged is there, and a second run completes.
. "$(dirname "$0")/lib.bash"

found hub ana || exit 1
rows 4000 >"$work/rows.csv"
cp -r "$work/hub" "$work/empty"

# Kills `as WHO …` after a while; a run that ended before is fine too.
killed() { # delay, who, command…
	local pid
	as "${@:2}" >/dev/null 2>&1 &
	pid=$!
	sleep "$1"
	# The shell function runs in a subshell: the program is its child.
	pkill -9 -P $pid 2>/dev/null
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
}

for delay in 0.01 0.05 0.09 0.13; do
	rm -rf "$work/hub"
	cp -r "$work/empty" "$work/hub"
	killed $delay hub load message "$work/rows.csv"
	had=$(count hub)
	as hub --json load message "$work/rows.csv" >"$work/out"
	equal "power: load killed after $delay s goes on where it stood ($had were there)" \
		"$(jq -c '[.new + .known, .refused]' "$work/out") $(count hub)" "[4000,0] 4000"
	equal "power: the store is whole after $delay s" "$(as hub --json check | jq -c '[.bad]')" "[0]"
done

as hub --quiet --yes export "$work/bundle" >/dev/null
for delay in 0.01 0.04 0.08; do
	rm -rf "$work/victim"
	cp -r "$work/ana" "$work/victim"
	killed $delay victim import "$work/bundle"
	as victim --quiet import "$work/bundle" >/dev/null
	same hub victim
	check "power: import killed after $delay s is completed by the next" $?
	rm -rf "$work/stick"
	mkdir "$work/stick"
	killed $delay hub sync "$work/stick"
	as hub --quiet sync "$work/stick" >/dev/null
	equal "power: no half segment is left after $delay s" "$(find "$work/stick" -name '*.bin' -size -68160c | wc -l)" 0
	rm -rf "$work/victim"
	cp -r "$work/ana" "$work/victim"
	killed $delay victim sync "$work/stick"
	as victim --quiet sync "$work/stick" >/dev/null
	same hub victim
	check "power: stick visits killed after $delay s are completed by the next" $?
done

# A large import is killed between its commits, again and again: each run goes on where the one before it stood, and finishes.
rows 30000 many >"$work/many.csv"
as hub --quiet load message "$work/many.csv" >/dev/null
rm -f "$work/bundle.many"
as hub --quiet export "$work/bundle.many" >/dev/null
all=$(count hub)
rm -rf "$work/victim"
cp -r "$work/ana" "$work/victim"
within_commits=0
before=0
for delay in 0.3 0.4 0.5 0.6 0.8; do
	killed $delay victim import "$work/bundle.many"
	had=$(count victim)
	[ "$had" -ge "$before" ] || within_commits=-100
	[ "$had" -gt 0 ] && [ "$had" -lt "$all" ] && within_commits=$((within_commits + 1))
	before=$had
done
as victim --json import "$work/bundle.many" >"$work/out"
equal "power: a large import killed five times ($within_commits of them midway) completes" \
	"$(count victim) $(jq -c '.refused' "$work/out") $((within_commits >= 0))" "$all 0 1"
same hub victim
check "power: and its digests are right" $?
equal "power: and its store is whole" "$(as victim --json check | jq -c '[.bad, .derived_bad]')" "[0,0]"

# Writers killed while a daemon holds the store open: the next one must not build on what the dead one had not told yet.
"$build/veredad" --home "$work/hub" --no-discovery --listen 127.0.0.1:0 2>"$work/veredad.log" &
daemons+=($!)
within 10 grep -q '^<6>ready' "$work/veredad.log"
check "power: a daemon holds the store" $?
{
	for i in $(seq 250); do
		timeout -s KILL "0.00$((1 + i % 4))" "$build/vereda" --home "$work/hub" add message -m "killed $i" >/dev/null 2>&1
	done
} 2>/dev/null
kill "${daemons[0]}" && wait "${daemons[0]}" 2>/dev/null
daemons=()
equal "power: the store is whole after 250 writers killed beside it" "$(as hub --json check | jq -c '[.bad, .derived_bad]')" "[0,0]"

# A full disk, on a small tmpfs in a mount namespace of our own where that is allowed.
full() {
	mount -t tmpfs -o size=1m tmpfs "$work/small" || return 77
	rm -f "$work/empty/reserve"
	cp -r "$work/empty" "$work/small/hub"
	"$build/vereda" --home "$work/small/hub" --json load message "$work/rows.csv" >"$work/out" 2>"$work/err"
	echo "load $?" >"$work/full"
	"$build/vereda" --home "$work/small/hub" --json list >"$work/listed" 2>/dev/null
	echo "list $?" >>"$work/full"
	mount -o remount,size=60m "$work/small"
	"$build/vereda" --home "$work/small/hub" --json load message "$work/rows.csv" >"$work/again" 2>>"$work/err"
	echo "again $?" >>"$work/full"
	"$build/vereda" --home "$work/small/hub" --json list 2>/dev/null | wc -l >"$work/after"
	"$build/vereda" --home "$work/small/hub" --json check >"$work/checked" 2>/dev/null
	cp -r "$work/ana" "$work/small/ana"
	fill=$(($(df --output=avail -B1 "$work/small" | tail -1) - 900000))
	head -c "$fill" /dev/zero >"$work/small/filler"
	"$build/vereda" --home "$work/small/ana" import "$work/bundle" >/dev/null 2>&1
	echo "import $?" >>"$work/full"
	mkdir "$work/small/stick"
	"$build/vereda" --home "$work/hub" sync "$work/small/stick" >/dev/null 2>&1
	echo "sync $?" >>"$work/full"
	rm "$work/small/filler"
	"$build/vereda" --home "$work/small/ana" import "$work/bundle" >/dev/null 2>&1
	echo "import-again $?" >>"$work/full"
	"$build/vereda" --home "$work/hub" sync "$work/small/stick" >/dev/null 2>&1
	echo "sync-again $?" >>"$work/full"
	"$build/vereda" --home "$work/small/ana" --json list | wc -l >"$work/imported"
}
mkdir "$work/small"
export work build
private=-m # a mount namespace; without root, inside a user namespace too
[ "$(id -u)" = 0 ] || private=-rm
if unshare $private true 2>/dev/null && unshare $private bash -c "$(declare -f full); full"; then
	equal "power: a full disk stops load with 15, listing goes on, room lets it finish" \
		"$(sed -n 1,3p "$work/full" | tr '\n' ' ')" "load 15 list 0 again 0 "
	jq -es '.[0].error and .[0].message and .[0].hint' "$work/err" >/dev/null
	check "power: the full disk gets an error with a hint" $?
	equal "power: all rows are there once, after the disk was full" "$(cat "$work/after")" 4000
	equal "power: the store is whole after the disk was full" "$(jq -c '[.bad]' "$work/checked")" "[0]"
	equal "power: a full disk stops import and sync with 15, room lets them finish" "$(sed -n 4,7p "$work/full" | tr '\n' ' ')" \
		"import 15 sync 15 import-again 0 sync-again 0 "
	equal "power: the import is complete" "$(cat "$work/imported")" 4000
else
	echo "not ok power: this kernel gives us no mount namespace to fill a small disk in"
	failed=1
fi
exit $failed
