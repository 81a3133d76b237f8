#!/bin/bash
# sync over TCP, on loopback only: two stores end with the same set; what runs, who is connected, who answers nothing.
. "$(dirname "$0")/cli.inc"
found hub Lindero
admit hub field
{ echo id,text; rows 1 1500; } >rows.csv
"$VEREDA" --home hub --quiet load message rows.csv --map text=text >/dev/null
"$VEREDA" --home field add message -m "from the field" >/dev/null

stop() { # PID
	kill -TERM "$1"
	wait "$1"
	code=$?
}

daemon hub && ok "veredad listens" || not_ok "veredad listens" "$(cat hub.log)"
hub=$pid
v field --json sync "$addr"
is "sync" "$code $(key '"\(.sent) \(.received>=1500) \(.complete)"')" "0 1 true true"
is "both hold the same" "$(digests field)" "$(digests hub)"
v field --json sync "$addr"
is "again" "$code $(key '"\(.sent) \(.received) \(.complete)"')" "0 0 0 true"
is "equal sets cost little" "$(key '.bytes_out+.bytes_in<=2000')" true
v field -v sync "$addr"
says "for people" "received 0, sent 0"
is "the texts are the same" "$("$VEREDA" --home field --json list | jq -c '[.id,.fields]' | sort | sha256sum)" \
	"$("$VEREDA" --home hub --json list | jq -c '[.id,.fields]' | sort | sha256sum)"

# Two daemons: what is written on one is read on the other.
daemon field --peer "$addr" && ok "a second veredad" || not_ok "a second veredad" "$(cat field.log)"
field=$pid
for _ in $(seq 200); do
	v hub --json status
	[ "$(key '.peers|length')" -gt 0 ] 2>/dev/null && break
	sleep 0.05
done
is "status knows the daemon and its peer" "$(key '"\(.daemon) \(.peers|length)"')" "true 1"
is "since when, as all times are" "$(key '.peers[0]|(.since|test("^[0-9-]{10}T.*Z$")) and (has("since_ms")|not)')" true
is "and where it is reached" "$(key '.listen[0]')" "$(sed -n 's/.*listening addr=//p' hub.log | head -1)"
v field status
says "a peer has a name" "hub"
says "status says the port" "others reach it at 127.0.0.1:"
v hub --json alert "Rápido"
id=$(key .id)
for _ in $(seq 100); do
	v field --json list alert
	[ "$(key .id)" = "$id" ] && break
	sleep 0.05
done
is "an alert arrives" "$(key .id)" "$id"
v field --json ack "$id"
for _ in $(seq 100); do
	v hub --json list ack
	[ -s out ] && break
	sleep 0.05
done
is "and its answer" "$(key .about)" "$id"

# A folder visited while the daemon has the store.
mkdir stick
v hub --json sync stick
is "a stick beside the daemon" "$code $(key .safe_to_remove)" "0 true"
stop $field
is "SIGTERM ends it cleanly" "$code" 0
stop $hub
is "and the other" "$code" 0
is "still the same" "$(digests field)" "$(digests hub)"
v field sync "$addr"
exits "nobody answers any more" 13
says "what to do" "address" err
v field --json sync "$addr" stick
is "one target of two" "$code $(jq -sr '[.[].target]|join(",")' out)" "3 stick"

# Someone who is not in the group gets nothing.
found other Otro
daemon other
v field sync "$addr"
exits "another group does not answer" 13
done_testing
