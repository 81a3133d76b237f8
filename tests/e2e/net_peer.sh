#!/bin/bash
# Two daemons that know each other's address, over loopback.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

found hub ana || exit 1
rows 300 "hub row" | as hub --quiet load message - >/dev/null
rows 200 "ana row" | as ana --quiet load message - >/dev/null

start hub --listen 127.0.0.1:0 || exit 1
start ana --listen 127.0.0.1:0 --peer "127.0.0.1:${port[hub]}" || exit 1
within 30 same hub ana
check "peer: both had something, both end with the same" $?
equal "peer: nothing is missing" "$(count ana)" 500
prompt "peer: an alert of the called is with the caller within a second" hub ana
prompt "peer: an alert of the caller is with the called within a second" ana hub
within 5 same hub ana
check "peer: still the same" $?

# A command that dies before it pokes: the daemon notices by itself.
mv "$work/hub/ctl" "$work/hub/ctl.away"
id=$(as hub --json add message -m "unannounced" 2>/dev/null | jq -r .id)
mv "$work/hub/ctl.away" "$work/hub/ctl"
within 10 lists ana "$id"
check "peer: what nobody announced comes too" $?

# The hub goes down the hard way and comes back where it was.
dies hub
within 10 logged ana '^<6>closed'
id=$(as ana --json add message -m "while the hub is down" 2>/dev/null | jq -r .id)
start hub --listen "127.0.0.1:${port[hub]}" || exit 1
within 30 lists hub "$id"
check "peer: a killed hub is called again and gets what it missed" $?
within 10 same hub ana
check "peer: and they hold the same" $?

# A newcomer's daemon runs before it belongs to any group.
as ben --quiet init --name ben --no-passphrase >/dev/null
start ben --listen 127.0.0.1:0 --peer "127.0.0.1:${port[hub]}" || exit 1
as hub --quiet admit "$(as ben --json id | jq -r .id)" --name ben -o "$work/ben.welcome" >/dev/null
as ben --quiet join "$work/ben.welcome" >/dev/null
within 30 same hub ben
check "peer: a group joined while the daemon runs is served" $?
within 10 same ana ben
check "peer: the hub passed the newcomer's grant on" $?

# One visit by the command line, to a daemon.
as cyd --quiet init --name cyd --no-passphrase >/dev/null
as hub --quiet admit "$(as cyd --json id | jq -r .id)" --name cyd -o "$work/cyd.welcome" >/dev/null
as cyd --quiet join "$work/cyd.welcome" >/dev/null
as cyd --json sync "127.0.0.1:${port[hub]}" >"$work/synced"
equal "peer: vereda sync HOST:PORT exits with 0" $? 0
jq -e '.complete and .received > 500' "$work/synced" >/dev/null
check "peer: and says that it is complete" $?
same hub cyd
check "peer: and it is" $?
cost=$(as cyd --json sync "127.0.0.1:${port[hub]}" | jq '.bytes_in + .bytes_out')
[ "$cost" -le 2000 ]
check "peer: to find nothing new costs $cost bytes" $?
# The same device may visit with the command line while its daemon is connected.
as ana --json sync "127.0.0.1:${port[hub]}" >"$work/synced"
equal "peer: a visit beside an open session is fine" $? 0
prompt "peer: and the open session goes on" hub ana

ends "peer: SIGTERM ends it cleanly" TERM ana
ends "peer: SIGINT too" INT hub
[ ! -e "$work/hub/ctl" ]
check "peer: the control socket is gone" $?
cat "$work"/*.log >"$work/logs"
! grep -qE 'hub row|ana row|Group of|"|[0-9a-f]{16}|(^|[^a-z])(ana|ben|cyd)([^a-z]|$)' "$work/logs"
check "peer: no name, text, key or id in any log" $?
! grep -qvE '^<[3-7]>[a-z]' "$work/logs"
check "peer: the log is a line an event" $?
exit $failed
