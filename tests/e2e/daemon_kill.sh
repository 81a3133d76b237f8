#!/bin/bash
# kill -9 at any moment of an exchange, on either side, and a disk that is full: nothing acknowledged is lost, the next run
# completes.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

found hub ana || exit 1
rows 20000 | as hub --quiet load message - >/dev/null
rows 2000 "ana" | as ana --quiet load message - >/dev/null
cp -r "$work/ana" "$work/ana.fresh"
cp -r "$work/hub" "$work/hub.fresh"
restore() {
	rm -rf "$work/ana" "$work/hub"
	cp -r "$work/ana.fresh" "$work/ana"
	cp -r "$work/hub.fresh" "$work/hub"
}
bad() { as "$1" --json check | jq -c '[.bad]'; }

for delay in 0.02 0.06 0.1 0.16 0.25; do
	restore
	start hub --listen 127.0.0.1:0 || exit 1
	start ana --listen 127.0.0.1:0 --peer "127.0.0.1:${port[hub]}" || exit 1
	sleep $delay
	victim=$([ "$delay" = 0.1 ] && echo hub || echo ana)
	dies $victim
	had="$(count hub) $(count ana)"
	equal "kill: after $delay s both stores are whole ($had were there)" "$(bad hub) $(bad ana)" "[0] [0]"
	if [ "$victim" = hub ]; then
		start hub --listen "127.0.0.1:${port[hub]}" || exit 1
	else
		start ana --listen 127.0.0.1:0 --peer "127.0.0.1:${port[hub]}" || exit 1
	fi
	within 60 same hub ana
	check "kill: the next exchange after $delay s completes" $?
	equal "kill: everything is there" "$(count hub) $(count ana)" "22000 22000"
	ends "kill: both end cleanly" TERM hub ana
done

# In the middle of an exchange the daemon is asked to end: what it had acknowledged is there.
restore
start hub --listen 127.0.0.1:0 || exit 1
start ana --listen 127.0.0.1:0 --peer "127.0.0.1:${port[hub]}" || exit 1
sleep 0.1
ends "kill: SIGTERM in the middle of an exchange (0)" TERM ana
equal "kill: and the store is whole" "$(bad ana)" "[0]"
start ana --listen 127.0.0.1:0 --peer "127.0.0.1:${port[hub]}" || exit 1
within 60 same hub ana
check "kill: and the rest comes later" $?
ends "kill: ana ends" TERM ana

# A visit of the command line, killed.
restore_ana() { rm -rf "$work/ana"; cp -r "$work/ana.fresh" "$work/ana"; }
for delay in 0.05 0.15; do
	restore_ana
	"$build/vereda" --home "$work/ana" --no-input sync "127.0.0.1:${port[hub]}" >/dev/null 2>&1 &
	visit=$!
	sleep $delay
	kill -9 $visit 2>/dev/null
	wait $visit 2>/dev/null
	as ana --quiet sync "127.0.0.1:${port[hub]}" >/dev/null
	same hub ana
	check "kill: vereda sync killed after $delay s is completed by the next" $?
done

# A disk that fills up under the daemon.
full() {
	mount -t tmpfs -o size=8m tmpfs "$work/small" || return 77
	cp -r "$work/ana.fresh" "$work/small/ana" || return 76
	"$build/veredad" --home "$work/small/ana" --listen 127.0.0.1:0 --peer "127.0.0.1:$1" 2>"$work/small.log" &
	local daemon=$!
	for i in $(seq 200); do
		grep -q 'commit failed' "$work/small.log" && break
		sleep 0.1
	done
	grep -c '^<3>commit failed why=' "$work/small.log" >"$work/full.failed"
	"$build/vereda" --home "$work/small/ana" --json list 2>/dev/null | wc -l >"$work/full.had"
	kill -0 $daemon && echo lives >"$work/full.lives"
	mount -o remount,size=100m "$work/small"
	for i in $(seq 900); do
		"$build/vereda" --home "$work/small/ana" --json status | jq -c '[.groups[] | .lanes[] | .digest]' >"$work/full.digests"
		[ "$(cat "$work/full.digests")" = "$2" ] && break
		sleep 0.1
	done
	kill $daemon
	wait $daemon
	echo $? >"$work/full.status"
}
mkdir "$work/small"
export work build
private=-m
[ "$(id -u)" = 0 ] || private=-rm
if unshare $private true 2>/dev/null && unshare $private bash -c "$(declare -f full); full ${port[hub]} '$(digests hub)'"; then
	[ "$(cat "$work/full.failed")" -ge 1 ]
	check "kill: a full disk is logged" $?
	[ "$(cat "$work/full.had")" -ge 2000 ]
	check "kill: what was there is there ($(cat "$work/full.had"))" $?
	equal "kill: the daemon lives" "$(cat "$work/full.lives")" lives
	equal "kill: and goes on when there is room" "$(cat "$work/full.digests")" "$(digests hub)"
	equal "kill: and ends cleanly" "$(cat "$work/full.status")" 0
else
	echo "not ok kill: this kernel gives us no mount namespace to fill a small disk in"
	failed=1
fi
ends "kill: the hub ends" TERM hub
exit $failed
