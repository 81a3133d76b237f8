#!/bin/bash
# How veredad starts, refuses and ends.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

veredad() { timeout 20 "$build/veredad" "$@" >"$work/out" 2>"$work/err"; }
veredad --home "$work/nobody"
equal "life: no store there (10)" $? 10
equal "life: and none was made" "$(ls -A "$work" | grep -c nobody)" 0
for wrong in "--wat" "--listen here" "--peer hub" "--stick-dir here" "stray"; do
	veredad --home "$work/nobody" $wrong
	equal "life: '${wrong%% *}' wrongly used (2)" $? 2
	[ -s "$work/err" ]
	check "life: and the message says so" $?
done
veredad --help
equal "life: --help" $? 0
grep -q -- --discover-on "$work/out"
check "life: names the options" $?
veredad --version
equal "life: --version" $? 0

found hub || exit 1
start hub --listen 127.0.0.1:0 || exit 1
veredad --home "$work/hub" --listen 127.0.0.1:0
equal "life: a second one on the same store (11)" $? 11
equal "life: the control socket is its owner's" "$(stat -c %a "$work/hub/ctl")" 600
as hub --quiet add message -m "beside the daemon" >/dev/null
equal "life: commands work beside it" "$(count hub)" 1
veredad --home "$work/nobody" --listen "127.0.0.1:${port[hub]}"
equal "life: no store is said before anything else" $? 10
found other || exit 1
veredad --home "$work/other" --listen "127.0.0.1:${port[hub]}"
equal "life: a port that is taken (1)" $? 1
grep -q 'cannot listen' "$work/err"
check "life: is said so" $?
veredad --home "$work/other" --listen 192.0.2.1:0
equal "life: an address of no machine here (1)" $? 1
grep -q 'cannot listen addr=192.0.2.1:0 why=not-of-this-machine' "$work/err"
check "life: is said so, too" $?
ends "life: SIGTERM (0)" TERM hub
logged hub '^<6>ended'
check "life: the last line says so" $?
start hub --listen 127.0.0.1:0 || exit 1
dies hub
start hub --listen '[::1]:0' --listen 127.0.0.1:0 || start hub --listen 127.0.0.1:0
check "life: starts over what a killed one left" $?
ends "life: SIGINT (0)" INT hub

deep=$work/$(printf 'a%.0s' {1..90})/$(printf 'b%.0s' {1..90})
mkdir -p "$(dirname "$deep")"
cp -r "$work/hub" "$deep"
: >"$work/deep.log"
"$build/veredad" --home "$deep" --listen 127.0.0.1:0 2>"$work/deep.log" &
deep_pid=$!
daemons+=($deep_pid)
within 10 logged deep '^<6>ready'
check "life: a store deep down has its socket too" $?
"$build/vereda" --home "$deep" --no-input --json status >/dev/null
equal "life: and commands reach it" $? 0
kill "$deep_pid"
wait "$deep_pid"
equal "life: and it ends" $? 0
exit $failed
