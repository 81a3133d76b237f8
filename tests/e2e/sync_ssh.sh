#!/bin/bash
# sync over ssh and over pipes: ssh is a script that runs what it is told in another home, the line 100 ms there and back.
tests=$(realpath "$(dirname "$0")")
. "$tests/cli.inc"
gcc -O1 -D_GNU_SOURCE -o delay "$tests/delay.c" || exit 1

found hub Lindero
admit hub field
{ echo id,text; rows 1 3000; } >rows.csv
"$VEREDA" --home hub --quiet load message rows.csv --map text=text >/dev/null

# What runs as ssh: notes its arguments, and does what ./there says, or what it is told.
mkdir bin
ln -s "$VEREDA" bin/vereda
cat >bin/ssh <<'END'
#!/bin/bash
printf '%s\n' "$@" >"$SSH_ARGS"
while [ "$1" != -- ]; do shift; done
shift 2
export VEREDA_HOME=$SSH_HOME
[ -n "$SSH_THERE" ] && exec bash -c "$SSH_THERE"
exec "${SSH_DELAY_PROGRAM:-env}" ${SSH_DELAY_MS:+"$SSH_DELAY_MS"} sh -c "$*"
END
chmod +x bin/ssh
export PATH=$PWD/bin:$PATH SSH_ARGS=$PWD/args SSH_HOME=$PWD/hub

v field --json sync ssh://rosa@hub.example:2222
is "everything comes" "$code $(key '"\(.target) \(.received>=3000) \(.complete)"')" "0 ssh://rosa@hub.example:2222 true true"
is "both hold the same" "$(digests field)" "$(digests hub)"
is "how ssh is run" "$(tr '\n' ' ' <args)" "-T -a -x -p 2222 -- rosa@hub.example vereda --quiet --lang en sync --stdio "
v field --no-input --lang es sync ssh://hub/
is "nobody is asked" "$code $(tr '\n' ' ' <args)" "0 -T -a -x -o BatchMode=yes -- hub vereda --quiet --lang es sync --stdio "
says "for people" "ssh://hub/: recibidos 0, enviados 0"
is "the far end is quiet" "$(cat err)" ""

# 100 new on each side: four round trips from when ssh is there.
{ echo id,text; rows 5001 5100; } >more.csv
"$VEREDA" --home hub --quiet load message more.csv --map text=text >/dev/null
{ echo id,text; rows 6001 6100; } >more.csv
"$VEREDA" --home field --quiet load message more.csv --map text=text >/dev/null
best=99999
SSH_DELAY_PROGRAM=$PWD/delay SSH_DELAY_MS=0 v field --json sync ssh://hub
is "100 both ways" "$code $(key '"\(.sent) \(.received) \(.complete)"')" "0 100 100 true"
is "both hold the same again" "$(digests field)" "$(digests hub)"
trips=$(key .round_trips)
for try in 1 2 3; do # the machine may be busy with other tests
	for who in hub field; do
		{ echo id,text; rows ${try}0001 ${try}0100 | sed "s/message/$who/"; } >more.csv
		"$VEREDA" --home $who --quiet load message more.csv --map text=text >/dev/null
	done
	SSH_DELAY_PROGRAM=$PWD/delay SSH_DELAY_MS=50 v field --json sync ssh://hub
	ms=$(($(key .elapsed_ms) - 100 * ($(key .round_trips) > 2 ? $(key .round_trips) - 2 : 0)))
	[ "$ms" -lt "$best" ] && best=$ms
done
[ "$best" -ge 350 ] && [ "$best" -lt 700 ] && ok "four round trips ($best ms)" || not_ok "four round trips" "$best ms"

SSH_THERE='sleep 11' v field sync ssh://hub
is "one line says that it waits" "$(grep -c "Nothing from hub yet" err)" 1

# What nobody may make an option of.
for target in ssh://-oProxyCommand=touch\ bad ssh://-hub ssh://a@-hub ssh://-l@hub ssh://hub:x ssh://hub:0 ssh://hub:70000 ssh:// ssh://@hub \
	SSH://hub:x ssh://a@b:x 'ssh://hub;touch bad' ssh://hub/folder 'ssh://a b@hub' 'ssh://[fe80::1' 'ssh://$(id)'; do
	rm -f args
	v field sync "$target"
	is "refused: $target" "$code $(ls args bad 2>/dev/null)" "2 "
done
v field --json sync 'ssh://me@[fe80::1%eth0]:22'
is "an address in brackets" "$code $(grep -A1 -x -e -- args | tail -1)" "0 me@fe80::1%eth0"
v field sync serial:/dev/ttyUSB0
exits "serial is not there yet" 2
v field --json sync SSH://rosa@hub:2222
is "capitals do" "$code $(grep -A1 -x -e -- args | tail -1)" "0 rosa@hub"
v field --json sync ftp://hub/folder
is "another scheme is no folder" "$code $(key .error err)" "2 usage"

# What may go wrong at the other end.
fails() { # NAME CODE WORD WHAT-RUNS-THERE
	SSH_THERE=$4 v field --json sync ssh://hub
	is "$1" "$code $(tail -1 err | jq -r .error)" "$2 $3"
	[ -n "$(tail -1 err | jq -r '.hint // empty')" ] && ok "$1: what to do" || not_ok "$1: what to do" "$(cat err)"
}
fails "ssh does not get there" 13 unreachable 'echo "ssh: Could not resolve hostname hub" >&2; exit 255'
is "what it said" "$(head -1 err | jq -r .note)" "hub: ssh: Could not resolve hostname hub"
fails "no vereda there" 1 no-vereda 'exec sh -c "no-such-vereda sync --stdio"'
fails "no store there" 1 no-store-there 'VEREDA_HOME=$SSH_HOME.none vereda --quiet sync --stdio'
fails "an older vereda there" 1 old-vereda 'exit 2'
fails "a greeting" 1 not-vereda 'echo "Welcome to the machine of the hub, be kind."; exec vereda --quiet sync --stdio'
grep -q 'says \\"Welcome to the machine of the hub' err && ok "its words" || not_ok "its words" "$(cat err)"
fails "noise" 12 other-group 'head -c 5000 /dev/urandom'
fails "an echo" 1 echo 'exec cat'
fails "nothing" 13 unreachable 'exit 0'
fails "one word" 1 not-vereda 'printf hello; exit 0'
fails "half a prologue" 13 unreachable 'head -c 20 /dev/urandom; sleep 1'
found other Otro
fails "another group" 12 other-group 'VEREDA_HOME=$SSH_HOME/../other vereda --quiet sync --stdio'
printf 'seven small boats' >secret
"$VEREDA" --home sealed --quiet --passphrase-file secret init --name sealed >/dev/null
fails "a locked store there" 12 locked 'VEREDA_HOME=$SSH_HOME/../sealed vereda --quiet sync --stdio'
is "how to open it" "$(tail -1 err | jq -r .hint)" "Open it there first, where veredad runs: ssh -t hub vereda unlock"
for end in "12 -t -p 2222 rosa@hub vereda unlock" "127 -p 2222 rosa@hub vereda version" "255 -p 2222 rosa@hub true"; do
	SSH_THERE="exit ${end%% *}" v field --json sync ssh://rosa@hub:2222
	is "by hand as well, with the port (${end%% *})" "$(tail -1 err | jq -r .hint | sed 's/.*: ssh //')" "${end#* }"
done
rm -f args
for target in ssh://rosa@hub:2222 SSH://hub 127.0.0.1:9; do
	v sealed --no-input --json sync "$target"
	is "a locked store here: $target" "$code $(key .error err) $(ls args 2>/dev/null)" "12 locked "
done
for target in ssh://rosa@hub:x ftp://hub/folder nowhere; do
	v sealed --no-input --json sync "$target"
	is "locked, and no target: $target" "$code $(key .error err)" "2 usage"
done
v sealed --no-input --json sync ./nowhere
is "locked, and no such folder" "$code $(key .error err)" "15 medium"
(PATH=/nowhere; "$VEREDA" --home field --json sync ssh://hub >out 2>err; echo $? >ended)
is "no ssh here" "$(cat ended) $(key .error err)" "1 no-ssh"
rm -f ended
printf '\033]0;evil\007\033[31mred\n' >evil.txt
SSH_THERE="cat $PWD/evil.txt >&2; exit 255" v field sync ssh://hub
silent "what it says does not reach the terminal as it is" $'\033|\007' err

# Who was removed and calls: somebody is there, and no veredad is wanted.
"$VEREDA" --home gone --quiet init --name gone --no-passphrase >/dev/null
"$VEREDA" --home hub --quiet admit "$("$VEREDA" --home gone --quiet id)" --name gone -o gone.welcome >/dev/null
"$VEREDA" --home gone --quiet join gone.welcome >/dev/null
v gone --quiet sync ssh://hub
"$VEREDA" --home hub --quiet --yes revoke gone >/dev/null
v gone sync ssh://hub
exits "who was removed gets nothing" 13
says "the far end says why" "hub: vereda: The device that answers .* was removed" err
says "and this one that it was met" "^vereda: ssh://hub is there, and made no exchange" err
silent "nobody is sent to look for veredad" "veredad" err

# Cut in the middle: what came is stored, and the rest comes next time.
"$VEREDA" --home late --quiet init --name late --no-passphrase >/dev/null
"$VEREDA" --home hub --quiet admit "$("$VEREDA" --home late --quiet id)" --name late -o late.welcome >/dev/null
"$VEREDA" --home late --quiet join late.welcome >/dev/null
SSH_THERE="exec $PWD/delay 0:60000 vereda --quiet sync --stdio" v late --json sync ssh://hub
is "cut in the middle" "$([ $code != 0 ] && echo not done) $(tail -1 err | jq -r 'has("hint")')" "not done true"
came=$("$VEREDA" --home late --json list | wc -l)
v late --json sync ssh://hub
is "and then the rest" "$code $(key .complete) $(digests late | sha256sum)" "0 true $(digests hub | sha256sum)"
[ "$came" -gt 0 ] && [ "$came" -lt 3000 ] && ok "it was cut ($came came)" || not_ok "it was cut" "$came"

# Somebody presses Ctrl-C while the other end is silent.
SSH_THERE='trap "" INT; sleep 60' "$VEREDA" --home field --json sync ssh://hub >out 2>err &
pid=$!
sleep 0.5
kill -INT $pid
began=$SECONDS
wait $pid
is "interrupted" "$? $((SECONDS - began < 8))" "130 1"

# Beside a daemon on either side, which hears of what came.
daemon hub && ok "veredad" || not_ok "veredad" "$(cat hub.log)"
hub=$pid
id=$(say field -m "by ssh, beside veredad")
v field --json sync ssh://hub
is "beside a daemon" "$code $(key .complete)" "0 true"
daemon field --peer "$addr" && ok "a second veredad" || not_ok "a second veredad" "$(cat field.log)"
field=$pid
say hub -m "while both run" >/dev/null
v field --json sync ssh://hub
is "beside two" "$code $(key .complete)" "0 true"
kill $field $hub
wait $field $hub
is "the same at the end" "$(digests field)" "$(digests hub)"

# Two ends of a pair of fifos.
mkfifo a b
say hub -m one >/dev/null
say field -m two >/dev/null
"$VEREDA" --home hub --json sync --stdio <a >b 2>hub.said &
"$VEREDA" --home field -v sync --stdio >a <b 2>field.said
first=$?
wait $!
is "over fifos" "$first $? $(jq -r '"\(.received) \(.sent) \(.complete)"' hub.said)" "0 0 1 1 true"
grep -q "the other end of the pipe: received 1, sent 1" field.said && ok "results go to standard error" || not_ok "results go to standard error" "$(cat field.said)"
is "the same by fifos" "$(digests field)" "$(digests hub)"
v hub sync --stdio stick
exits "no target" 2
script -qec "'$VEREDA' --home hub sync --stdio" /dev/null >out 2>err </dev/null
is "not at a terminal" "$?" 2
"$VEREDA" --home hub sync --stdio </dev/null >out 2>err
is "nobody there" "$?" 13

# Several groups: those of both, in one go.
"$VEREDA" --home hub --quiet group create Segundo >/dev/null
"$VEREDA" --home field --quiet group create Aparte >/dev/null
"$VEREDA" --home hub --quiet --group Segundo admit "$("$VEREDA" --home field --quiet id)" --name field -o second.welcome >/dev/null
"$VEREDA" --home field --quiet join second.welcome >/dev/null
for group in Lindero Segundo; do
	"$VEREDA" --home hub --quiet --group $group add message -m "of the hub in $group" >/dev/null
	"$VEREDA" --home field --quiet --group $group add message -m "of the field in $group" >/dev/null
done
v field --json sync ssh://hub
is "two groups of three" "$code $(key '"\(.sent) \(.received) \(.complete)"')" "0 2 2 true"
is "by one ssh" "$(key .target | wc -l)" 1
is "both have both" "$("$VEREDA" --home field --json list --search "of the" | jq -r .fields.text | grep -c "in [LS]")" 4
# A group whose keys changed while the other was away.
"$VEREDA" --home hub --quiet --yes --group Segundo group rotate >/dev/null
"$VEREDA" --home hub --quiet --group Segundo add message -m "under new keys" >/dev/null
v field --json sync ssh://hub
is "who was away catches up" "$code $(key .complete) $("$VEREDA" --home field --json list --search "under new keys" | jq -r .body)" "0 true present"
"$VEREDA" --home field --quiet --yes --group Segundo add message -m "an answer" >/dev/null
SSH_HOME=$PWD/field v hub --json sync ssh://field
is "and the other way" "$code $(key '"\(.complete) \(.received)"')" "0 true 1"
done_testing
