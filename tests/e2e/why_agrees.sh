#!/bin/bash
# why ID, why MEMBER, status, members and sync --check tell the same of the same.
. "$(dirname "$0")/cli.inc"

day=0
start=$(($(date +%s) + 300)) commands=0
on() { # HOME ARGUMENTS…: on that day, later than what was before
	commands=$((commands + 1))
	at $((start + day * 86400 + commands)) "$@"
}
stick() { # STICK HOME…
	local usb=$1 name
	shift
	mkdir -p "$usb"
	for name; do
		on "$name" --no-input sync "$usb"
	done
}
add() { # HOME ARGUMENTS…: the id of a new message
	on "$1" --json add message "${@:2}"
	key .id
}
make_clock

# --- what has ended, and what was taken back
found hub Rio
enter hub ana --name ana
enter hub luz --name luz
stick usb hub ana luz hub ana luz
ends=$(add ana -m "ends" --expires 1d)
stays=$(add ana -m "stays")
stick usb ana luz hub ana luz
on ana sync --check usb
exits "all that is whole is confirmed" 0
for day in $(seq 1 2 19); do
	stick usb ana luz hub
done
for name in ana luz hub; do
	stick usb $name
	on $name why "$ends"
	says "$name: it ended" "an end, which is over: its content is erased here, and elsewhere once"
	says "$name: all know so" "3 of 3 members know of it\."
	says "$name: nothing is to be done" "Nothing to do: nobody needs it any more\."
	silent "$name: nobody is asked for it" "Next:"
	on $name sync --check usb
	exits "$name: of what has ended the stub is all there is" 0
done
on ana --lang es why "$ends"
says "in Spanish" "un plazo, ya vencido: su contenido ya se borró aquí"
on ana --json why "$ends"
is "and in JSON" "$(key '"\(.gone) \(.members_with) of \(.members), \(.missing | length) missing"')" "expired 3 of 3, 0 missing"
on ana --json why "$stays"
is "what stays is not" "$(key '"\(.gone) \(.quarantined)"')" "null false"
more=$(add ana -m "since then")
stick usb ana
on ana --json sync --check usb
is "with something new on the stick that alone is unconfirmed" "$(key '"\(.safe_to_wipe) \(.unconfirmed)"')" "false 1"
stick usb hub ana

on ana redact "$stays" --yes
stick usb ana luz ana
for day in $(seq 21 2 56); do
	stick usb ana luz
done
on ana why "$stays"
says "what was taken back" "It was taken back: its content is erased here, and elsewhere 30 days after"
says "who has the word of that knows so" "^luz: knows of it\."
says "and who has not does not" "^hub: not known to know of it yet\."
says "of three two" "2 of 3 members know of it\."
on ana --json why "$stays"
is "in JSON" "$(key '"\(.gone) \([.missing[].name] | join(" "))"')" "redacted hub"
stick usb hub ana
on ana why "$stays"
says "until it has been there" "3 of 3 members know of it\."
on ana sync --check usb
exits "and the stick may be wiped" 0
on ana --json why "$more"
is "what is here is not erased" "$(key .gone)" null

# --- an ack is a word, too: that member leaves no receipts
found post Sierra
enter post beto --name beto
stick azul post beto post
on beto config set receipts off
on post --json alert "run"
alert=$(key .id)
stick azul post beto
on post --json why beto
is "before the answer it lacks it" "$(key '[.missing[] | "\(.lane) \(.records)"] | join(", ")')" "urgent 1"
on beto ack "$alert" --stage accepted
stick azul beto post
on post why "$alert"
says "why of the record: has it" "^beto: has it, and answered it\."
on post --json why beto
is "why of the member: lacks nothing" "$(key '"\(.records) \(.missing | length)"')" "0 0"
on post status
silent "status: nothing exists only here" "only here"
for text in "run again" "and again"; do
	on post --json alert "$text"
	alerts+=("$(key .id)")
done
stick azul post beto post
on post --json why beto
is "what is not answered it lacks" "$(key '.missing[0] | "\(.records) \(.urgent | length)"')" "2 2"
on post alert "and over"
stick azul post beto
on beto ack "${alerts[1]}" --stage accepted
stick azul beto post
on post --json why beto
is "what is answered between what is not parts these" \
	"$(key '.missing[0] | "\(.records) \(.urgent | length) \(.urgent | index("'"${alerts[0]}"'") != null) \(.urgent | index("'"${alerts[1]}"'"))"')" "2 2 true null"

# --- one visit under a wrong clock: it is said where it is wrong, to others it is the reason, and the next visit by a right one is believed
day=0
found centro Mar
enter centro nora --name nora
stick verde centro nora centro nora
day=400
stick verde centro
for command in status doctor; do
	on centro $command
	says "$command: a clock that leapt, and nobody's word is as late" "clock says .*, but the last word of others, nora's, is from"
done
on centro --lang es status
says "in Spanish" "reloj de este equipo dice .*, pero lo último que se supo de los demás, de nora"
day=1
where=$(add nora -m "where is it")
stick verde nora
on nora why "$where"
says "the other knows why, though an older word is believed" "^centro's clock said "
on nora --json why "$where"
is "in JSON" "$(key '.missing[0].clock != null')" true
on nora --json why centro
is "and of the member" "$(key '.clock != null')" true
on centro status
silent "set right, it is not called wrong" "clock says"
stick verde centro nora
on nora why "$where"
says "its next word counts" "^centro: has it"
day=400
stick verde centro
for day in 12 24 36; do # on every twelfth day alone
	where=$(add nora -m "day $day")
	stick verde nora centro nora
	on nora why "$where"
	says "day $day: its word counts" "^centro: has it"
	on centro status
	silent "day $day: no clock is called wrong" "clock"
done

# --- two devices of one person: who has it on one of them is told to have it, and the other is named
day=0
found plaza Cerro
enter plaza rita --name Rita
enter plaza phone --person Rita
enter plaza cid --name cid --role courier
stick rojo plaza rita phone cid plaza rita phone cid plaza
on plaza --json alert "run"
alert=$(key .id)
stick rojo plaza phone
on plaza --json why "$alert"
is "of whom nobody has it no device is named" "$(key '.devices | length')" 0
stick rojo plaza
on plaza why "$alert"
says "one of the two has it" "^Rita: has it "
says "and which has not" "^Rita, device [0-9a-f]{8,}: not known to have it yet"
on phone why "$alert"
says "so on the one that has it" "^Rita, device [0-9a-f]{8,}: not known to have it yet"
on phone --json why "$alert"
other=$(key '.devices[0].device')
on phone why Rita
says "why of who uses it is of her other device" "^Rita, device ${other:0:8}[0-9a-f]*: last word"
says "which lacks the same" "^Rita, device .* is not known to have 1 of the records"
on phone --json why Rita
is "in JSON, too" "$(key '"\(.records) \(.name) \(.devices | join(" "))"')" "1 Rita $other"
on phone --lang es why "$alert"
says "in Spanish" "^Rita, equipo [0-9a-f]{8,}: todavía no se sabe que lo tenga"

# --- a stick that may be wiped, and what was not reached, or is promised no more
rm -r rojo
for name in plaza rita phone cid; do # all know all that was
	stick rosa plaza rita phone cid
done
rm -r rosa
more=$(add rita -m "to whom it concerns")
stick lila rita cid rita
on rita --json sync --check lila
is "a courier has it: safe, and nobody whom it is for" "$(key '"\(.safe_to_wipe) \(.waiting) \(.lapsed)"')" "true 1 0"
on rita sync --check lila
says "which is said" "^But of 1 of these records it is not known that anybody has them"
on rita why "$more"
says "as why does" "^Next: take stick .* to plaza"
stick lila plaza rita
on rita --json sync --check lila
is "until it is there" "$(key '"\(.safe_to_wipe) \(.waiting) \(.lapsed)"')" "true 0 0"
day=120
on rita --json sync --check lila
is "promises that are over are told of" "$(key '"\(.safe_to_wipe) \(.lapsed > 0)"')" "true true"
on rita --lang es sync --check lila
says "in Spanish" "cuya promesa de guardarlos ya pasó"
done_testing
