#!/bin/bash
# Power cuts and pulled sticks: one run of each workload is recorded; what a cut at any moment could have left, on both sides of a stick, is
# examined, state after state. Then the same with syncs taken for absent, which must be caught. usage: crash.sh [STATES [SEED]]
states=${1:-240} seed=${2:-$RANDOM} number=0 bad=0
cd "$(dirname "$0")/../.." || exit 1
programs=$PWD/build/tests/crash
# Where examining writes nothing to a disk, if there is such a place.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

say() { # status, what
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		bad=1
	fi
}

# campaign STORY STATES
campaign() {
	local log=$work/$1.log half=$(($2 / 2)) first second
	mkdir "$work/$1" && cd "$work/$1" || exit 1
	CRASH_ROOT=. CRASH_LOG=$log LD_PRELOAD=$programs/record.so "$programs/workload" "$1"
	say $? "crash: $1: workload recorded"
	cd "$work" || exit 1
	"$programs/replay" "$log" compare "$1"
	say $? "crash: $1: the log gives the very bytes that were written"
	"$programs/replay" "$log" states $half "$seed" >first &
	"$programs/replay" "$log" states $(($2 - half)) $((seed + 1))
	second=$?
	wait $!
	first=$?
	cat first
	say $((first || second)) "crash: $1: $2 states examined, seed $seed"
}

campaign everything "$states"
campaign sticks "$((states < 1000 ? 200 : states))"

for kind in file folder through; do
	"$programs/replay" everything.log states 40 "$seed" without $kind >caught
	[ $? = 1 ]
	say $? "crash: a control run without syncs of kind $kind is caught ($(sed -n 's/.*states, //p' caught) of 40)"
done

if [ $bad != 0 ] && [ -d "$programs" ]; then
	cp ./*.log "$programs"
	echo "# the logs are kept in build/tests/crash"
fi
exit $bad
