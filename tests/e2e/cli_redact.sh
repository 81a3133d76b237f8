#!/bin/bash
# redact: who may, what it does to lists at once and elsewhere, in whatever order it arrives, and what it never shows again.
. "$(dirname "$0")/cli.inc"
export LANG=C.UTF-8

shown() { # HOME ID: 1 when the list has it
	"$VEREDA" --home "$1" --json list 2>/dev/null | jq -r .id | grep -c "$2"
}
standing() { # HOME ID
	"$VEREDA" --home "$1" --json show "$2" 2>/dev/null | jq -r .standing
}

found ana Lindero
enter ana beto --name Beto
enter ana beto2 --person Beto
enter ana carla --name Carla
enter ana rosa --name Rosa --role reporter
enter ana mula --name Mula --role courier
for home in beto beto2 carla rosa mula; do pass ana "$home"; done

# --- by its author ---
id=$(say beto -m "SECRETNAME lives by the bridge")
answer=$(say beto --about "$id" -m "an answer to it")
pass beto carla && pass beto ana
is "before, it is shown" "$(shown carla "$id")" 1
v beto --lang en redact "$id" </dev/null
is "without a terminal it wants --yes" "$code $(grep -c 'was not confirmed' err)" "16 1"
says "having said whose it is, and what stays" "which Beto wrote on .*Copies that others made" err
is "and did nothing" "$(standing beto "$id")" shown
v beto --json redact "$id"
is "also for programs" "$code $(key '.error//empty' err)" "16 conflict"
printf '000000\r' | script -qec "'$VEREDA' --home beto --lang en redact $id" /dev/null >typed 2>&1
is "digits mistyped at a terminal" "$? $(grep -c 'was not confirmed' typed) $(standing beto "$id")" "16 1 shown"
printf '%s\r' "${id:0:6}" | script -qec "'$VEREDA' --home beto --lang en redact ${id:0:8} --reason 'It names somebody'" /dev/null >typed 2>&1
is "the first 6 digits typed at a terminal" "$? $(grep -c 'Hidden: ' typed)" "0 1"
is "what it does, and does not, is said" "$(grep -c 'erased from them after 30 days. What others copied or printed is not' typed)" 1
is "it is hidden at once" "$(shown beto "$id") $(standing beto "$id")" "0 redacted"
is "and comes up in no search" "$("$VEREDA" --home beto --json list --search SECRETNAME | wc -l)" 0
v beto --lang en show "$id"
exits "show still finds it" 0
says "says by whom" "hidden: +by Beto, "
says "and why" "reason: +It names somebody"
silent "and not what it said" "SECRETNAME"
says "what was said about it stays" "an answer to it"
v beto --json show "$id"
silent "nor to programs" "SECRETNAME"
is "which get the same" "$(key '.standing+" "+(.fields|tostring)+" "+(.kind|tostring)+" "+.aside.author_name+" "+.aside.reason')" "redacted {} null Beto It names somebody"
v beto --json list --about "$id"
silent "nor in the list of what is about it" "SECRETNAME"
v beto --lang en redact "$id" --yes
is "hidden once is hidden" "$code $(grep -c 'is hidden already' err)" "0 1"
is "and needs no second" "$("$VEREDA" --home beto --json list redaction | wc -l)" 1
is "others have not heard" "$(shown carla "$id")" 1
pass beto carla
is "and hide it when they have" "$(shown carla "$id") $(standing carla "$id")" "0 redacted"
is "sets stay equal" "$(digests carla)" "$(digests beto)"
pass carla mula
is "a courier's too" "$(digests mula)" "$(digests carla)"
is "of the answer nothing is hidden" "$(shown carla "$answer")" 1

# --- the redaction before the record ---
id=$(say carla -m "SECONDSECRET")
"$VEREDA" --home carla --quiet export early.vb message >/dev/null
"$VEREDA" --home carla --quiet --yes redact "$id" >/dev/null
pass carla beto2 redaction
is "a redaction alone shows nothing" "$(shown beto2 "$id")" 0
pass carla beto2 message
is "what it hides comes later and is hidden" "$(shown beto2 "$id") $(standing beto2 "$id")" "0 redacted"
v beto2 --json list
silent "nowhere is it read" "SECONDSECRET"
v ana import early.vb
is "the record alone is shown" "$(shown ana "$id")" 1
pass carla ana message --since 1h
is "until the redaction comes, which goes along whatever is asked for" "$(shown ana "$id") $(standing ana "$id")" "0 redacted"

v carla --json export --qr "$id"
is "nothing hidden goes onto paper" "$code $(key .error err) $(wc -c <out)" "1 redacted 0"

# --- another device of the same person, a coordinator, a stranger ---
pass ana beto && pass ana beto2
id=$(say beto -m "from one of two devices")
pass beto beto2
v beto2 --json redact "$id" --yes
is "another device of the author" "$code $(key .redacted)" "0 $id"
redaction=$(key .id)
is "whose redaction has an id of its own" "${#redaction}" 64
id=$(say beto -m "what a coordinator hides")
pass beto ana && pass beto carla && pass beto rosa
before=$("$VEREDA" --home carla --json list | wc -l)
v carla --lang en redact "$id" --yes
is "a stranger may not" "$code $(grep -c "Only who wrote a record, or a coordinator, can hide it, and this one is Beto's" err)" "1 1"
v carla --json redact "$id" --yes
is "programs are told" "$(key .error err)" not-entitled
v rosa --json redact "$id" --yes
is "a reporter may not" "$code $(key .error err)" "1 not-entitled"
v mula --json redact "$answer" --yes
is "nor a courier" "$code $(key .error err)" "1 not-entitled"
is "none of which stored anything" "$("$VEREDA" --home carla --json list | wc -l) $(standing carla "$id")" "$before shown"
v ana --json redact "$id" --yes --reason "asked by the family"
exits "a coordinator may" 0
pass ana carla
v carla --lang en show "$id"
says "and it is said who did" "hidden: +by ana, "
says "and why" "asked by the family"

# --- what cannot be hidden ---
act=$("$VEREDA" --home ana --json status | jq -r '[.acts[]|select(.kind=="admit")][0].id')
v ana --lang en redact "$act" --yes
is "an act of a coordinator" "$code $(grep -c 'act of a coordinator' err)" "1 1"
redaction=$("$VEREDA" --home ana --json list redaction | jq -r .id | tail -1)
v ana --lang en redact "$redaction" --yes
is "a redaction" "$code $(grep -c 'is itself a redaction' err)" "1 1"
v ana redact abcdef --yes
exits "what is not here" 1
v ana --lang en redact "$id" --reason "$(printf 'x%.0s' $(seq 65))" --yes
exits "a reason too long" 2
v ana --lang en redakt "$id"
says "did you mean" "Did you mean: redact" err

# --- a correction is a record of its own ---
old=$(say ana -m "with a name")
new=$(say ana -m "with a name, corrected" --replaces "$old")
v ana --lang en redact "$old" --yes
says "other versions are named" "Other versions of it are still shown: ${new:0:8}" err
is "and are shown" "$(shown ana "$old") $(shown ana "$new")" "0 1"

# --- a reporter hides what it reported ---
id=$(say rosa -m "REPORTSECRET" --keep)
blind=$(say rosa -m "REPORTSECRET without a copy")
pass rosa ana
is "the focal point reads it" "$(shown ana "$id")" 1
v rosa --json redact "$id" --yes --reason "it was nobody"
exits "a reporter redacts its own" 0
v rosa --json redact "$blind" --yes
exits "also what it cannot read" 0
is "whose redaction is for focal points and itself" "$("$VEREDA" --home rosa --json list redaction | jq -r '.audience+" "+.body' | sort -u)" "named present"
pass rosa ana && pass rosa carla
is "hidden at the focal point" "$(shown ana "$id") $(shown ana "$blind")" "0 0"
is "and where it was never read" "$(shown carla "$id") $(standing carla "$id")" "0 redacted"
v carla --lang en show "$id"
silent "where the reason is not read either" "it was nobody"
says "but that it is hidden is" "hidden: +by Rosa, "

# --- for whom the redaction can be read ---
id=$(say ana -m "for everyone" --to everyone)
"$VEREDA" --home ana --quiet --yes redact "$id" >/dev/null
is "of a record for everyone" "$("$VEREDA" --home ana --json list redaction --about "$id" | jq -r .audience)" everyone
id=$(say ana -m "for members")
"$VEREDA" --home ana --quiet --yes redact "$id" >/dev/null
is "of one for members" "$("$VEREDA" --home ana --json list redaction --about "$id" | jq -r .audience)" members
id=$(say ana -m "for Carla" --to Carla)
"$VEREDA" --home ana --quiet --yes redact "$id" >/dev/null
is "of one by name" "$("$VEREDA" --home ana --json list redaction --about "$id" | jq -r .audience)" members

# --- a third node, over the network ---
id=$(say beto -m "to be hidden by a session")
pass beto carla
"$VEREDA" --home beto --quiet --yes redact "$id" >/dev/null
daemon beto
is "before the session it is shown" "$(shown carla "$id")" 1
v carla --json sync "$addr"
is "after it, hidden" "$code $(shown carla "$id") $(standing carla "$id")" "0 0 redacted"

# --- a month later, where nothing new ever comes ---
make_clock
now=$(date +%s) month=$((31 * 86400))
found alone Alone
alone=$(say alone -m "to be erased")
"$VEREDA" --home alone --quiet --yes redact "$alone" >/dev/null
"$VEREDA" --home alone --quiet export old.vb
mkdir -p stick
body() { # HOME
	"$VEREDA" --home "$1" --json show "$alone" | jq -r .body
}
# A device that is used now and then until shortly before.
use() { # HOME
	local day
	for day in 0 9 18 27; do
		at $((now + day * 86400)) "$1" list
	done
}
cp -r alone later
for command in list check; do
	at $((now + month)) later $command
	is "$command: not by a clock that jumped" "$code $(body later)" "0 present"
	v later $command
done
for command in list check "import old.vb" "sync stick"; do
	rm -rf later
	cp -r alone later
	use later
	at $((now + month - 2 * 86400)) later $command
	is "$command: not before its time" "$code $(body later)" "0 present"
	at $((now + month)) later --lang en $command
	is "$command: erases what is due" "$code $(body later)" "0 stub"
done
at $((now + month)) later --lang en show "$alone"
says "show says that it is gone" "hidden: .*Its text is gone from this device"
at $((now + month)) alone --lang es show "$alone"
says "and where it is not, when it will be" "se borra de los equipos 30 días después"
use alone
CLOCK_AT=$((now + month)) LD_PRELOAD=$clock "$VEREDAD" --home alone --no-discovery --listen 127.0.0.1:0 2>alone.log &
started+=($!)
for _ in $(seq 600); do
	[ "$(body alone)" = stub ] && break
	sleep 0.05
done
is "veredad erases it when it starts" "$(body alone)" stub

# --- somebody removed ---
id=$(say beto -m "before Beto was removed")
pass beto ana && pass beto carla
"$VEREDA" --home ana --quiet --yes revoke Beto >/dev/null
v beto --json redact "$id" --yes
exits "who has not heard redacts" 0
pass beto ana
is "but a seized device destroys no testimony" "$(shown ana "$id") $("$VEREDA" --home ana --json list redaction --quarantined 2>/dev/null | wc -l)" "1 1"
redaction=$("$VEREDA" --home ana --json list redaction --quarantined 2>/dev/null | jq -r .id)
v ana --json review "$redaction" --accept
is "unless a coordinator accepts it" "$code $(shown ana "$id")" "0 0"

# --- a coordinator's device that was seized: what it hid before anybody knew ---
enter ana cleo --name Cleo --role coordinator
carlas=$(say carla -m "TESTIMONY of Carla")
second=$(say carla -m "what Carla herself hides")
pass carla ana && pass ana cleo
cleos=$(say cleo -m "what Cleo wrote and hid")
"$VEREDA" --home carla --quiet --yes redact "$second" >/dev/null
"$VEREDA" --home cleo --quiet --yes redact "$carlas" >/dev/null
"$VEREDA" --home cleo --quiet --yes redact "$cleos" >/dev/null
pass carla ana && pass cleo ana && pass ana carla --for Carla
is "everybody has heard, and hides it" "$(standing ana "$carlas") $(standing carla "$carlas")" "redacted redacted"
cp -r ana kept
v ana --lang en revoke Cleo --reason "phone seized" --yes
exits "the seized device is removed" 0
says "and it is said what happens to what it hid" "In the last 30 days Cleo hid records of others: 1\. They are shown again" err
says "and how to undo it" "accept its redaction: vereda review ID --accept   The IDs: [0-9a-f]{8}$"
silent "and nothing is said of more" "stay hidden"
is "the testimony is back; what Cleo and Carla hid of their own stays hidden" \
	"$(standing ana "$carlas") $(standing ana "$cleos") $(standing ana "$second")" "shown redacted redacted"
v ana --lang en show "$carlas"
says "show tells that it had been hidden" "Cleo, who was removed, hid it; that does not count"
redaction=$(sed -n 's/.*vereda review \([0-9a-f]*\) --accept.*/\1/p' out)
v ana --json show "$carlas"
is "and so it does to programs" "$(key '.redactions_left[0][0:8]') $(key '.redactions_left|length')" "$redaction 1"
"$VEREDA" --home ana --quiet --yes export pass.vb --for Carla >/dev/null
"$VEREDA" --home carla --quiet import pass.vb >/dev/null
is "with everybody who hears" "$(standing carla "$carlas") $(shown carla "$carlas")" "shown 1"
v ana --json review "$redaction" --accept
is "accepted, it hides again" "$code $(standing ana "$carlas")" "0 redacted"
v ana --json review "$redaction" --leave
is "and left, no more" "$code $(standing ana "$carlas")" "0 shown"
own=$("$VEREDA" --home ana --json list redaction --about "$cleos" | jq -r .id)
v ana --lang en review "$own" --leave
is "also what was accepted with the removal can be left" "$code $(grep -c 'is left in quarantine' out) $(standing ana "$cleos")" "0 1 shown"
own=$("$VEREDA" --home ana --json list redaction --about "$second" | jq -r .id)
v ana --json review "$own" --leave
is "but not what somebody who is in wrote" "$code $(key .error err)" "1 not-quarantined"
v kept --json revoke Cleo --yes --keep
is "with --keep it stays hidden" "$code $(key '.left|length') $(standing kept "$carlas")" "0 0 redacted"
v kept --lang en review "$redaction" --leave
is "until a coordinator says otherwise" "$code $(standing kept "$carlas")" "0 shown"
"$VEREDA" --home ana --quiet --yes revoke ana >/dev/null
own=$(say ana -m "after leaving")
v ana --lang en redact "$own" --yes
is "who knows that it was removed is told that nobody follows" "$code $(grep -c 'nobody would follow its redaction' err)" "1 1"
done_testing
