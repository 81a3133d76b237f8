#!/bin/bash
# Who has what: a record goes by stick from one to another, and its writer learns that it arrived when the stick comes back, not before.
. "$(dirname "$0")/cli.inc"

stick() { # HOME…
	local name
	for name in "$@"; do
		v "$name" --no-input sync usb --json
	done
}
sums() {
	find usb -type f -exec cksum {} + | sort
}

mkdir usb
found hub Cuenca
enter hub ana --name ana
enter hub luz --name luz
for name in hub ana luz hub ana luz; do
	stick $name
done

# --- written, carried, and not confirmed
v ana alert "armed men on the path" --json
alert=$(key .id)
v ana why "$alert" --json
exits "why a record" 0
is "here alone" "$(key '[.holders[].kind] | join(" ")')" "here"
is "one of three has it" "$(key '"\(.members_with) of \(.members)"')" "1 of 3"
is "two do not" "$(key '[.missing[].name] | sort | join(" ")')" "hub luz"
is "and something can be done" "$(key '.advice | length')" 1
v ana status --json
is "it exists only here" "$(key '[.warnings[] | select(test("exists only here"))] | length')" 1
v ana sync --check usb --json
is "the stick does not have it, and all it has is elsewhere" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed)"')" "0 true 0"
stick ana
v ana why "$alert" --json
is "on the stick, unconfirmed" "$(key '[.holders[] | "\(.kind) \(.confirmed)"] | join(", ")')" "here true, stick false"
now=$(sums)
v ana sync --check usb --json
is "not to be wiped" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed)"')" "3 false 1"
v ana sync --check usb
exits "which is said" 3
says "in words" "Do not wipe usb. Records on it that are not confirmed on any other device: 1 of [0-9]+; nothing was changed" err
v ana sync usb --check
exits "the option behind the folder" 3
v ana sync usb --check --json
is "and before another option" "$code $(key .unconfirmed)" "3 1"
v ana sync --check
is "no folder at all" "$code $(grep -c -- "--check needs a value" err)" "2 1"
v ana sync usb other --check
exits "two folders" 2
v ana sync --stdio --check usb
is "check does not go with a pipe" "$code $(grep -c -- "does not go with --stdio" err)" "2 1"
is "a check writes nothing" "$(sums)" "$now"

# --- to luz, and back
v luz sync --check usb --json
is "who has not taken it is told to" "$code $(key '"\(.safe_to_wipe) \(.not_here)"')" "3 false 1"
stick luz
v luz sync --check usb --json
is "where it arrived it may be wiped" "$code $(key .safe_to_wipe)" "0 true"
v ana why "$alert" --json
is "nobody told ana" "$(key .members_with)" 1
stick ana
v ana why "$alert" --json
is "luz has it" "$(key '[.holders[] | select(.kind == "member") | "\(.name) \(.confirmed) \(.route.by)"] | join(", ")')" "luz true stick"
is "by that stick" "$(key '.holders[] | select(.kind == "member") | .route.stick')" "$("$VEREDA" --home ana --json status 2>/dev/null | jq -r '.sticks[0].stick[:8]')"
is "the hub not yet" "$(key '[.missing[].name] | join(" ")')" hub
is "two of three have it" "$(key '"\(.members_with) of \(.members)"')" "2 of 3"
v ana sync --check usb --json
is "now it may be wiped" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed)"')" "0 true 0"
v ana status --json
is "nothing exists only here" "$(key '[.warnings[] | select(test("only here"))] | length')" 0
is "the stick is known" "$(key '[.sticks[] | .holds_all] | tostring')" "[true]"
v ana why "$alert"
says "for people: what is here" "Stored here since" out
says "where it is" "On stick .* unconfirmed" out
says "how many" "2 of 3 members have it" out
says "and what to do" "Next: take stick .* to hub" out
says "and how a stick gets a name" "has no name\. To give it one: vereda stick mark" out
v ana --json why "$alert"
is "whose id programs see" "$(key '.holders[] | select(.kind == "stick") | .stick')" "$("$VEREDA" --home ana --json status 2>/dev/null | jq -r '.sticks[0].stick')"
v ana --lang es why "$alert"
says "in Spanish" "a una memoria sin nombre" out
says "in Spanish" "Lo tienen 2 de 3 integrantes" out

# --- a member
v ana why hub --json
is "what the hub is not known to have" "$(key '[.missing[] | "\(.lane) \(.records)"] | join(", ")')" "urgent 1"
is "by name" "$(key '.missing[0].urgent[0]')" "$alert"
v ana why hub
says "for people" "hub is not known to have 1" out
v ana why luz --json
is "luz lacks nothing" "$(key .records)" 0
v ana why ana
exits "oneself" 1
v ana why nobody
exits "nobody" 1
v ana why 00ff00ff
exits "no such record" 1
says "which is said" "00ff00ff" err

# --- by way of others: the hub learns of luz from ana's stick; luz keeps silent from now on
stick hub ana
v ana why "$alert" --json
is "everybody has it" "$(key '"\(.members_with) \(.missing | length)"')" "3 0"
v luz config set receipts off --json
is "a device may keep silent" "$code $(key .receipts)" "0 false"
v luz config get receipts
is "and says so" "$(cat out)" "receipts off"
v ana add message -m "on the way" --json
note=$(key .id)
stick ana luz ana
v ana why "$note" --json
is "then nobody knows" "$(key .members_with)" 1
note=$(say luz -m "from who keeps silent")
stick luz ana
v ana why "$note"
says "who wrote it wrote it" "luz: wrote it" out
v ana sync --check usb --json
is "which does not confirm that it still is there" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed)"')" "3 false 2"
v luz config set receipts maybe
exits "on or off, nothing else" 2

# --- by the network both ends know at once
daemon hub && ok "veredad listens" || not_ok "veredad listens" "$(cat hub.log)"
v ana add message -m "by the network" --json
net=$(key .id)
v ana why "$net" --json
is "nobody has it yet" "$(key .members_with)" 1
v ana sync "$addr" --json
exits "ana calls the hub" 0
v ana why "$net" --json
is "the hub has it" "$(key '[.holders[] | select(.kind == "member") | "\(.name) \(.route.by)"] | join(", ")')" "hub link"
v ana status --json
is "nothing exists only here" "$(key '[.warnings[] | select(test("only here"))] | length')" 0
# --- of two daemons that stay connected: what is pushed is known to be there once they compared, ten seconds later
hub_pid=$pid
daemon ana --peer "$addr" && ok "ana's veredad listens" || not_ok "ana's veredad listens" "$(cat ana.log)"
for _ in $(seq 200); do
	grep -q settled ana.log && break
	sleep 0.1
done
v ana add message -m "pushed" --json
pushed=$(key .id)
for _ in $(seq 60); do
	v ana why "$pushed" --json
	[ "$(key '[.holders[] | select(.kind == "member")] | length')" = 0 ] || break
	sleep 0.5
done
is "the hub has what was pushed, while they are connected" "$(key '[.holders[] | select(.kind == "member") | "\(.name) \(.route.by)"] | join(", ")')" "hub link"
kill -TERM $pid
wait $pid
pid=$hub_pid
kill -TERM $pid
wait $pid
v hub why "$net" --json
is "the hub knows the same of ana" "$(key '[.holders[] | select(.kind == "member") | .name] | join(" ")')" "ana"
v hub why ana --json
is "who lacks nothing" "$(key .records)" 0

# --- what nobody here can open is never safe
head -c 68160 /dev/urandom >usb/cache/00112233445566778899aabbccddeeff.bin
stick hub ana
v ana sync --check usb --json
is "something is sealed to others" "$code $(key '"\(.safe_to_wipe) \(.closed)"')" "3 false 1"
rm usb/cache/00112233445566778899aabbccddeeff.bin
v ana sync --check 127.0.0.1:1
exits "a host is no stick" 2
v ana sync --check /nowhere/at/all
exits "nor is what is not there" 15
mkdir bare
v ana sync --check bare --json
is "an empty one is safe" "$code $(key '"\(.safe_to_wipe) \(.records)"')" "0 true 0"

# --- a clock that was once in the future, and a backup restored after it: what it said then counts for nothing
make_clock
mkdir new
cp -r hub hub.bak
v ana add message -m "kept by nobody else" --json
note=$(key .id)
v ana --no-input sync bare --json
at 4083955200 hub --no-input sync bare --json
is "the hub takes it, in 2099" "$code" 0
v ana --no-input sync bare --json
v ana why "$note" --json
is "what is said in 2099 is not believed" "$(key .members_with)" 1
rm -rf hub
mv hub.bak hub
v hub add message -m "restored" --json
v hub --no-input sync new --json
v ana --no-input sync new --json
v ana why "$note" --json
is "who was restored is not known to have it" "$(key .members_with)" 1
v ana sync --check bare --json
is "and the stick is not to be wiped" "$code $(key .safe_to_wipe)" "3 false"
at 4083955200 ana --no-input sync new --json
v ana why hub --json
is "nobody was heard in 2099" "$(key '.heard // "" | startswith("2099")')" false
v hub --no-input sync bare --json
v ana --no-input sync bare --json
v ana why "$note" --json
is "once it has it, and says so, it is known" "$(key .members_with)" 2

# --- what a record attaches is counted with it
head -c 200000 /dev/urandom >photo.jpg
v ana add message -m "with a photo" --attach photo.jpg --json
exits "with a photo" 0
photo=$(key .id)
v hub config set bulk.max 0
exits "the hub takes no photos" 0
stick ana hub ana
v ana why "$photo" --json
is "who has only the text does not have it" "$(key '[.missing[] | select(.name == "hub") | .parts > 0] | tostring')" "[true]"
v ana why "$photo"
says "which is said" "hub: has the text" out
v hub config set bulk.max 100M
stick ana hub ana
v ana why "$photo" --json
is "who has all of it has it" "$(key '[.holders[] | select(.kind == "member") | .name] | join(" ")')" hub

# --- who was wiped and joined again said something before that counts no more
mkdir again
note=$(say hub -m "to be wiped at ana's")
for name in hub ana hub; do
	v $name --no-input sync again --json
done
v hub sync --check again --json
is "ana has it" "$code $(key .safe_to_wipe)" "0 true"
v ana --yes wipe
rm -rf ana
enter hub ana --name ana --yes
v hub sync --check again --json
is "since there is another device of hers nobody knows" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed > 0)"')" "3 false true"
v hub sync --check again
says "which is said" "ana got another device since the device [0-9a-f]{8} was last heard of" err
v hub --lang es sync --check again
says "in Spanish" "ana tiene otro equipo" err
v hub --no-input sync again --json
v ana --no-input sync again --json
v ana sync --check again --json
is "her own old device is none of the others" "$(key '.unconfirmed > 0')" false
v hub --no-input sync again --json
v hub sync --check again --json
is "what the new one says counts" "$code $(key .safe_to_wipe)" "0 true"

# --- somebody whom one of two groups knows
v hub group create Otro
v hub why luz --json
is "of two groups, the one that knows that name" "$code $(key .name)" "0 luz"
v hub why "$alert" --json
exits "and records are found as before" 0
v hub why nobody
exits "nobody, in neither" 1
says "which is said" "nobody" err
v hub why 00ff00ff
exits "no such record, in neither" 1
says "which is said" "00ff00ff" err
v ana why 00ff00ff
exits "nor in one" 1
v hub why hub
exits "who is in both" 2
v hub --group Cuenca why luz --json
is "or the one that was named" "$code $(key .name)" "0 luz"
done_testing
