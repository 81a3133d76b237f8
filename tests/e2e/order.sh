#!/bin/bash
# What people read in order: an author's records as they were written, and an answer behind what it answers.
. "$(dirname "$0")/lib.bash"

found hub ana || exit 1
rows 300 | as hub --quiet load message - >/dev/null
as hub --json list message | jq -r .fields.text >"$work/listed"
rows 300 | tail -n +2 | cmp -s - "$work/listed"
check "order: rows loaded within a millisecond are listed as they stood" $?

# The hub's clock is half an hour ahead of Ana's; her answer still stands behind the alert.
cat >"$work/clock.c" <<'C'
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	long rc = syscall(SYS_clock_gettime, id, t);

	if (id == CLOCK_REALTIME)
		t->tv_sec += AHEAD;
	return (int)rc;
}
C
for ahead in 1800 864000; do
	gcc -shared -fPIC -DAHEAD=$ahead -o "$work/clock.so" "$work/clock.c" || exit 1
	alert=$(LD_PRELOAD=$work/clock.so as hub --json alert "ahead by $ahead" | jq -r .id)
	as hub --quiet --yes export "$work/bundle" >/dev/null
	as ana --quiet import "$work/bundle" >/dev/null
	before=$(date +%s)
	ack=$(as ana --quiet --json ack "$alert" --stage seen | jq -r .id)
	pushed=$(($(date -d "$(as ana --json show "$ack" | jq -r .time)" +%s) - before))
	case $ahead in
	1800)
		[ "$pushed" -ge 1790 ] && [ "$pushed" -le 1900 ]
		check "order: an answer is later than what it answers" $?
		equal "order: and listed behind it on the hub too" "$(as ana --quiet --yes export "$work/back" >/dev/null &&
			LD_PRELOAD=$work/clock.so as hub --quiet import "$work/back" >/dev/null && as hub --json list | tail -1 | jq -r .id)" "$ack"
		;;
	*)
		[ "$pushed" -le 3700 ]
		check "order: a clock ten days ahead pushes ours by an hour at most ($pushed s)" $?
		;;
	esac
done
exit $failed
