#!/bin/bash
# What people type wrong, in what language they are told, and what programs get.
. "$(dirname "$0")/cli.inc"

v none --json status
is "no store here" "$code $(jq -r .error err)" "10 no-store"
is "an error has a message and a hint" "$(jq -r '(.message|length>10) and (.hint|length>10)' err)" true
is "and nothing on standard output" "$(wc -c <out)" 0
for command in id members list watch status check "group list" "export x" "import x" "add message -m x" "alert x" "load message x" "join x"; do
	v none $command
	exits "$command without a store" 10
done
v none lst
is "a misspelt command" "$code $(grep -c 'Did you mean: list' err)" "2 1"
v none --json staus
is "a misspelt command for programs" "$code $(jq -r '.error+" "+.hint' err)" "2 usage Did you mean: status"
v none revoke Rosa
exits "revoke without a store" 10
v none revok Rosa
is "a misspelt revoke" "$code $(grep -c 'Did you mean: revoke' err)" "2 1"
v none group creat x
is "a misspelt subcommand" "$code $(grep -c 'Did you mean: create' err)" "2 1"
v none --nope
exits "an unknown option" 2
v none list --severity x
exits "an option of another command" 2
v none list --limit
exits "an option without its value" 2
v none add
exits "too few arguments" 2
v none show a b
exits "too many arguments" 2
v none --lang tlh list
exits "an unknown language" 2
v none init --passphrase-file /dev/null
is "an empty passphrase makes no store" "$code $([ -e none ] && echo made)" "12 "
v none init </dev/null
is "nor does nobody who could say one" "$code $([ -e none ] && echo made)" "2 "
for lang in es pt; do
	v none --lang $lang status
	says "--lang $lang" "todavía no hay un almacén" err
done
for lang in en fr; do
	v none --lang $lang status
	says "--lang $lang" "no store here" err
done
LC_ALL=es_CO.UTF-8 "$VEREDA" --home none status >out 2>err
says "the language of the environment" "almacén" err

for command in "" init id group admit join members add alert ack load list show watch sync export import status check version lock unlock passphrase wipe backup; do
	for lang in en es; do
		v none --lang $lang $command --help
		if [ "$code" = 0 ] && head -3 out | grep -qE '^(Examples|Ejemplos):' && grep -q "vereda $command" out; then
			ok "$command --help in $lang"
		else
			not_ok "$command --help in $lang" "exit $code: $(head -3 out)"
		fi
	done
done
v none help load
says "help load" "vereda load message"
v none version
says "version" "^vereda [0-9]"
v none --json --version
is "--version for programs" "$(key '.protocol')" 1

found hub Lindero
v hub --json version
is "version needs no store" "$code" 0
VEREDA_HOME=hub "$VEREDA" --json group list >out 2>err
is "VEREDA_HOME" "$(key .name)" Lindero
mkdir -p data && cp -r hub data/vereda
XDG_DATA_HOME=$PWD/data "$VEREDA" --json group list >out 2>err
is "XDG_DATA_HOME" "$(key .name)" Lindero
v hub add message
exits "nothing to say" 2
v hub add message text
exits "no FIELD=VALUE" 2
v hub add event title=x priority=huge
says "a value that is not in the list" "urgent, high, medium" err
exits "and its exit" 2
v hub add event title=x date=soon
exits "a date that is none" 2
v hub add message -m x --expires soon
exits "an expiry that is none" 2
v hub --json add message -m x --expires 7d
is "an expiry" "$(v hub --json list --limit 1; key '.expires|length')" 24
v hub add message -m x --to Rosa
exits "somebody whom nobody knows" 1
v hub add message -m x --to everyone
exits "to everyone" 0
v hub add message -m x --attach "$PWD"
exits "a folder is no attachment" 2
v hub get 12345678 -o nowhere
exits "a record that is not here" 1
[ ! -e nowhere ]
is "and no folder is made for it" $? 0
v hub add message -m "$(printf 'a\xffb')"
exits "text that is no UTF-8" 2
head -c 70000 /dev/zero | tr '\0' x | "$VEREDA" --home hub add message -m - >out 2>err
code=$?
exits "a text that no record holds" 2
v hub show 123
exits "an id too short" 2
v hub show 123456789
exits "an id that is not here" 1
v hub ack ffffffff
exits "ack of nothing" 1
v hub list --author Nobody
exits "a member who is not there" 1
v hub list --limit none
exits "a limit that is none" 2
v hub list --since soon
exits "a time that is none" 2
v hub --group Otro list
exits "a group that is not there" 2
v hub admit vereda1abc --name X -o x
exits "a card that is none" 2
v hub admit vereda1abc --name X
exits "admit without a file" 2
admit hub field
v field --quiet id
v field admit "$(cat out)" --name X -o x
exits "a member cannot admit" 1
"$VEREDA" --home second init --no-passphrase >/dev/null
card=$("$VEREDA" --home second --quiet id)
v hub admit "$card" --name field -o x
is "a name that is taken needs a person's word" "$code $([ -e x ] && echo made)" "16 "
v hub --yes admit "$card" --name field -o x
exits "and --yes gives it" 0
v hub --json members
is "then it is a device of the same member" "$(jq -r 'select(.name=="field").devices|length' out)" 2
v hub admit "$card" --name field --role courier -o y
exits "who is a member is not made less by admitting again" 1
v second join x
exits "the welcome of a second device" 0
v second group create Otro
exits "a second group" 0
v second add message -m x
exits "which group?" 2
v second --group Otro add message -m "in one"
exits "that group" 0
v second --json list
is "list shows all groups" "$(jq -r .group out | sort -u | wc -l)" 1
v second --group otr list
exits "no prefix of a name" 2
v second --json --group Lindero members
is "members of that group" "$(jq -r .name out | sort -u | tr '\n' ' ')" "field hub "

# Nothing that people write obeys the terminal.
v hub add message -m "$(printf 'a\033[31m\r\302\233b\342\200\256c\nd')"
v hub list
silent "no escape reaches a terminal" "$(printf '\033|\r|\302\233|\342\200\256')"
says "it is shown instead" 'a\\x1b\[31m\\x0d\\u\{9b\}b\\u\{202e\}c\\nd'
v hub show "$(tail -1 out | awk '{ print $3 }')"
silent "nor when it is shown whole" "$(printf '\033|\r|\302\233|\342\200\256')"

# Output that cannot be written.
"$VEREDA" --home hub list >/dev/full 2>err
code=$?
exits "a full disk behind standard output" 15
for _ in $(seq 300); do echo '{"text":"some text to fill a pipe with, and then some more"}'; done | "$VEREDA" --home hub --json load message - >/dev/null
(
	"$VEREDA" --home hub --json list
	echo $? >code
) 2>err | head -1 >out
is "a reader that goes away" "$(cat code)" 1
is "is nothing to talk about" "$(wc -c <err)" 0

# watch
"$VEREDA" --home hub --json watch >watched 2>/dev/null &
pid=$!
started+=($pid)
sleep 0.5
v hub add message -m "watched"
for _ in $(seq 100); do
	[ -s watched ] && break
	sleep 0.05
done
is "watch shows what comes" "$(jq -r .fields.text watched)" watched
kill -INT $pid
wait $pid
code=$?
exits "watch ends with 130" 130
done_testing
