#!/bin/bash
# Power cuts: one run of the workload is recorded; what a cut at any moment could have left is examined, state after state. Then the
# same with syncs taken for absent, which must be caught. usage: crash.sh [STATES [SEED]]
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

mkdir "$work/root" && cd "$work/root" || exit 1
CRASH_ROOT=. CRASH_LOG=$work/log LD_PRELOAD=$programs/record.so "$programs/workload"
say $? "crash: workload recorded"
cd "$work" || exit 1
"$programs/replay" log compare root
say $? "crash: the log gives the very bytes that were written"

half=$((states / 2))
"$programs/replay" log states $half "$seed" >first &
"$programs/replay" log states $((states - half)) $((seed + 1))
second=$?
wait $!
first=$?
cat first
say $((first || second)) "crash: $states states examined, seed $seed"

for kind in file folder through; do
	"$programs/replay" log states 40 "$seed" without $kind >caught
	[ $? = 1 ]
	say $? "crash: a control run without syncs of kind $kind is caught ($(sed -n 's/.*states, //p' caught) of 40)"
done

if [ $bad != 0 ] && [ -d "$programs" ]; then
	cp log "$programs/failed.log"
	echo "# the log is kept in build/tests/crash/failed.log"
fi
exit $bad
