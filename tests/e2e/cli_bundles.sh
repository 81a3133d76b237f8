#!/bin/bash
# Bundles for any channel: in volumes, through pipes, for one member only what they lack, and a record on paper.
. "$(dirname "$0")/cli.inc"
found hub Cuenca
admit hub ana
{ echo id,text; rows 1 7000; } >rows.csv
"$VEREDA" --home hub --quiet load message rows.csv --map text=text >/dev/null
same() { [ "$(digests "$1")" = "$(digests "$2")" ] && echo same; }
fresh() { # a store like ana's after joining
	rm -rf "$1"
	cp -r ana "$1"
}

# --- volumes ---
v hub --json export all.vb --volumes 300K
volumes=$(key .files)
is "volumes are made" "$code $(ls all.vb.0* | wc -l) $(key '.names|length') $(key '.names[0]')" "0 $volumes $volumes all.vb.001"
[ "$volumes" -ge 4 ] && ok "several" || not_ok "several" "$volumes"
is "none is larger than was asked for" "$(find . -name 'all.vb.*' -size +300k | wc -l)" 0
is "bytes are of all" "$(key .bytes)" "$(cat all.vb.* | wc -c)"
v hub export all.vb --volumes 300K
exits "what is there stays" 1
v hub --yes export all.vb --volumes 300K
exits "but with --yes" 0
fresh one
v one --json import all.vb.*
is "all at once" "$code $(key .new) $(key '.gaps|length') $(same hub one)" "0 7000 0 same"

fresh one
last=$(printf %03d "$volumes")
v one --json import "all.vb.$last"
is "the last one first, alone" "$code $(key '.gaps[0].of') $(key '.gaps[0].missing|length')" "0 $volumes $((volumes - 1))"
is "nothing of it waits" "$(key .pooled) $(key '.declined') $(key '.new > 0')" "0 0 true"
mv all.vb.002 "a name that a chat gave it"
v one --json import all.vb.001 "a name that a chat gave it"
is "in any order, under any name" "$code $(jq -c '.gaps[]|select(.volumes)|.missing' out)" "0 $(seq 3 $((volumes - 1)) | jq -cs .)"
v one import all.vb.001
says "people are told which, and of what set" "Of $volumes volumes .*all\.vb\.001.*: 3" err
before=$(digests one)
v one --json import --dry-run all.vb.003
v one import --dry-run all.vb.003
silent "people, too" "is stored" err
v one --json import --dry-run all.vb.003
is "a dry run says what would be lacking" "$(digests one) $(jq -c '.gaps[]|select(.volumes)|.missing' out)" "$before $(seq 4 $((volumes - 1)) | jq -cs .)"
head -c 150000 all.vb.003 >torn
v one --json import torn
is "a torn one gives what is whole, and is still lacking" "$code $(jq -c '.gaps[]|select(.volumes)|.missing' out)" "3 $(seq 3 $((volumes - 1)) | jq -cs .)"
v one --json import all.vb.0*
is "the others complete it" "$code $(key '[.gaps[]|select(.volumes)]|length') $(same hub one)" "0 0 same"
v one --json import all.vb.001
is "and it is known to be complete" "$code $(jq -c .gaps out)" "0 []"

# Volumes that were joined to one file.
fresh one
cat all.vb.001 "a name that a chat gave it" >joined
cat joined | "$VEREDA" --home one --json import - >out 2>err
code=$?
is "of joined volumes the first is taken, and is not called lacking" "$code $(jq -c '.gaps[]|select(.volumes)|.missing' out) $(key .error err)" "3 $(seq 2 "$volumes" | jq -cs .) partly"
is "the hint says how they come in" "$(key .hint err | grep -c 'each as a file')" 1
v one --json import joined "a name that a chat gave it"
is "which they do, singly" "$(jq -c '.gaps[]|select(.volumes)|.missing' out)" "$(seq 3 "$volumes" | jq -cs .)"

# --- interrupted ---
# It waits for the rest of a pipe: the moment is ours to choose.
for word in --json --quiet; do
	fresh one
	v one --quiet import all.vb.001
	before=$(digests one)
	mkfifo slow
	(exec "$VEREDA" --home one $word import slow >out 2>err) &
	importer=$!
	exec 7>slow # opens when the importer has
	head -c 100000 all.vb.003 >&7
	sleep 0.5
	kill -TERM $importer
	wait $importer
	code=$?
	exec 7>&-
	rm slow
	is "an interrupted import ($word) keeps what came before" "$code $(digests one)" "130 $before"
	if [ $word = --json ]; then
		is "programs are told, in one line" "$(key .error err) $(wc -l <err) $(key .hint err | grep -c 'same command')" "interrupted 1 1"
	else
		says "people are told that it is stored, and how it goes on" "Interrupted; .* stays" err
	fi
done
v one --json import all.vb.0* "a name that a chat gave it"
is "and the same command goes on" "$code $(same hub one)" "0 same"

v hub --yes export all.vb --volumes 600K
fewer=$(ls all.vb.0* | wc -l)
says "a shorter set takes the rest of the longer one along" "removed: $((volumes - fewer))" err
fresh one
v one --json import all.vb.*
is "and lacks nothing" "$((fewer < volumes)) $code $(jq -c .gaps out) $(same hub one)" "1 0 [] same"
echo "not ours" >all.vb.099
v hub --yes export all.vb --volumes 600K
is "what is no volume stays" "$code $(cat all.vb.099)" "0 not ours"
says "and is named" "all\.vb\.099 is not of this set" err
rm all.vb.099
# A disk that is full after some of them, and then no longer: the same command again.
cat >full.sh <<'END'
mkdir small
mount -t tmpfs -o size=900k none small || exit 77
"$VEREDA" --home hub --json export small/vol --volumes 300K >/dev/null 2>err
echo "$? $(jq -r .error err | tail -1) $(ls small | wc -l)"
mount -o remount,size=9m small
"$VEREDA" --home hub --quiet export small/vol --volumes 300K >/dev/null 2>err
echo "$? $("$VEREDA" --home hub --json import small/vol.* | jq -c .gaps)"
END
export VEREDA
if unshare -m true 2>/dev/null; then
	unshare -m bash full.sh >full 2>&1
	if [ $? = 77 ]; then
		ok "full disk # SKIP no tmpfs here"
	else
		is "a full disk keeps none of a set" "$(paste -sd, full)" "15 no-space 0,0 []"
	fi
else
	ok "full disk # SKIP no mount namespaces here"
fi

# Interrupted, or killed, while it writes: it leaves no volume, so that the same command is enough.
cp -r hub more
{ echo id,text; rows 100001 130000; } >more.csv
"$VEREDA" --home more --quiet load message more.csv --map text=text >/dev/null 2>err
for how in TERM KILL; do
	for _ in 1 2 3 4 5; do
		rm -rf cut
		mkdir cut
		"$VEREDA" --home more export cut/vol --volumes 300K >out 2>err &
		export=$!
		until [ "$(ls -A cut | wc -l)" -gt 2 ] || ! kill -0 $export 2>/dev/null; do
			sleep 0.002
		done
		kill -$how $export 2>/dev/null
		wait $export 2>/dev/null
		code=$?
		[ $code != 0 ] && break
	done
	[ $how = TERM ] && wanted="130 0 0" || wanted="137 0 many"
	left=$(find cut -name '*.tmp' | wc -l)
	[ $how = KILL ] && [ "$left" -gt 0 ] && left=many
	is "an export that is ended by $how leaves no volume" "$code $(find cut -name 'vol.???' | wc -l) $left" "$wanted"
	is "and nothing of it that vol.* catches ($how)" "$(find cut -name 'vol*' | wc -l)" 0
	v more --quiet export cut/vol --volumes 300K
	exits "and the same command again needs no --yes ($how)" 0
	is "and clears away what was left ($how)" "$(find cut -name '*.tmp' | wc -l)" 0
done

v hub export small.vb --volumes 1K
is "too small a size" "$code $(find . -name "small.vb*" | wc -l)" "2 0"
v hub export small.vb --volumes many
exits "no size" 2
v hub export - --volumes 1M
exits "no volumes into a pipe" 2

# --- pipes ---
fresh two
"$VEREDA" --home hub --quiet export - | "$VEREDA" --home two --json import - >out 2>err
is "through a pipe" "${PIPESTATUS[*]} $(key .new) $(same hub two)" "0 0 7000 same"
is "nothing is left of it" "$(ls two | sort | tr '\n' ' ')" "$(ls ana | sort | tr '\n' ' ')"
{ "$VEREDA" --home hub --json export - 2>err; echo $? >piped; } | head -c 1000 >/dev/null
is "who reads goes away" "$(cat piped) $(jq -r .error err)" "13 unreachable"
says "and it is said who" "Whoever read the pipe went away" err
fresh two
{ "$VEREDA" --home hub --quiet export - 2>/dev/null | head -c 200000; } | "$VEREDA" --home two --json import - >out 2>err
is "who writes goes away: what is whole counts" "${PIPESTATUS[1]} $(key '.new > 0')" "3 true"
says "no file is spoken of" "The end of what came through the pipe is missing" err
says "nor to be copied" "The command before the pipe" err
"$VEREDA" --home hub --quiet export - | "$VEREDA" --home two --json import - >out 2>err
is "and again completes it" "$(same hub two)" same
"$VEREDA" --home two --json import - </dev/null >out 2>err
is "an empty pipe" "$? $(jq -r .error err)" "14 integrity"
says "is called a pipe" "what came through the pipe is empty" err
for command in "export" "import" "join" "load message" "backup create" "export --volumes 1M"; do
	v two --no-input $command ""
	is "a name that is empty: $command" "$code $(head -1 err)" "2 vereda: The name of a file is wanted, and this one is empty; nothing was changed"
done

# --- for a member ---
v hub --json export for.vb --for ana
all=$(key .records)
is "for who never was in touch: all of it" "$code $(key .known) $(key .without_keys)" "0 0 null"
v one --json import for.vb
is "she opens it" "$code" 0
daemon hub
v one --json sync "$addr"
exits "in touch" 0
kill "$pid"
wait "$pid" 2>/dev/null
v hub --json add message -m "after"
v hub --json --yes export for.vb --for ana
left=$(key .records) known=$(key .known)
is "for who was: what she is known to have is left out" "$((left + known)) $((known > 0))" "$((all + 1)) 1"
v hub --yes export for.vb --for ana
says "which is said" "Left out, as ana is known to have them: $known" err
mkdir usb
for home in hub one hub; do
	v $home --quiet sync usb
done
v hub --json --yes export for.vb --for ana
is "all of it, once a stick brought her receipt back" "$code $(key .records) $(key .known)" "0 0 $((all + 1))"
fresh restored
v restored --json import for.vb
v hub --json --yes export for.vb --for ana --all
is "--all sends all" "$(key .records) $(key .known)" "$((all + 1)) 0"
v restored --json import for.vb
is "as to who went back to a backup" "$code $(same hub restored)" "0 same"

# --- paper ---
fresh three
alert=$("$VEREDA" --home hub --json alert "Two men at the bridge, take the upper path" --severity severe | jq -r .id)
v hub --json export --qr "${alert:0:10}"
is "a record as codes" "$code $(key .id) $(key '.codes|length')" "0 $alert 2"
jq -r '.codes[]' out >codes
v hub export --qr "$alert"
cp out paper
is "dark on light, with the margin a camera wants" "$(sed -n 2,4p out | sed 's/█ .*/█/; s/ *$/|/' | tr '\n' ' ')" "| |     █▀▀▀▀▀█| "
says "and for a pen" '^[0-9A-Z]{4} [0-9A-Z]{4} [0-9A-Z]{4}'
tac codes | "$VEREDA" --home three --json import --text >out 2>err
is "scanned, the last first" "$? $(key .new) $(key .codes.read)" "0 1 2"
is "it is there" "$("$VEREDA" --home three --json list alert | jq -r .id)" "$alert"
"$VEREDA" --home three --json import --text <codes >out 2>err
is "twice is once" "$? $(key .new) $(key .known)" "0 0 1"
fresh three
tr '[:upper:]0' '[:lower:]o' <paper | "$VEREDA" --home three --json import --text >out 2>err
is "typed from the paper, QR blocks and all" "$? $(key .new) $(key .codes.read) $(key .codes.unread)" "0 1 2 0"
fresh three
v three --json import --text --dry-run codes
is "a dry run" "$code $(key .new) $("$VEREDA" --home three --json list alert | wc -l)" "0 1 0"
head -1 codes >first
v three --json import --text first
is "one of two" "$code $(key .new) $(jq -c '.gaps[0].missing' out) $(jq -r .error err)" "3 0 [2] partly"
{ cat first; echo; sed -n 2p codes | sed 's/^\(.\{50\}\)./\1!/'; } >wrong
v three --json import --text wrong
exits "one misread" 3
v three import --text wrong
says "says which" "what begins with $(sed -n 2p codes | cut -c1-8), line 3" err
{ cat first; sed -n 2p codes | tr 'A-M' 'N-ZA'; } >wrong
v three --json import --text wrong
is "or mistyped, on the next line" "$code $(key .codes.read) $(key .codes.unread)" "3 1 1"
sed -n 2p codes >second
v three --json import --text second first
is "from two files" "$code $(key .new)" "0 1"
if command -v script >/dev/null; then
	TERM=xterm script -qec "'$VEREDA' --home hub export --qr $alert" /dev/null >screen
	says "black on white on any terminal with colours" "$(printf '^\033.30;47;107m    █▀▀▀▀▀█')" screen
	TERM=dumb script -qec "'$VEREDA' --home hub export --qr $alert" /dev/null >screen
	says "light on dark where there are none" '^████ ▄▄▄▄▄ █' screen
fi
# Another character than there, whatever that is: codes are as random as keys.
miswrite() { # PLACE FILE
	sed -E "s/^(.{$(($1 - 1))})X/\\1Y/; t; s/./X/$1" "$2"
}
# As it comes: out of a chat, a mail, a table, from Windows.
comes() { # NAME WANTED: what is in ./text
	fresh three
	v three --json import --text text
	is "$1" "$code $(key .new) $(key .codes.read) $(key .codes.unread)" "$2"
}
{ printf '\357\273\277'; sed 's/$/\r/' codes; } >text
comes "saved by Notepad" "0 1 2 0"
iconv -f UTF-8 -t UTF-16 codes >text
comes "as UTF-16" "0 1 2 0"
iconv -f UTF-8 -t UTF-16BE paper >text
comes "the whole paper as UTF-16, QR blocks and all" "0 1 2 0"
sed 's/^/> /' paper >text
comes "quoted in a mail" "0 1 2 0"
{ echo "[12:01] Ana: WE LEFT AT 0530, call +57 300 1234567"; sed 's/^/[12:03] Ana: /' codes; echo "[12:04] Luz: got both, 64f1a0c9e1b24d5f8a7733de01c94455"; } >text
comes "in a chat" "0 1 2 0"
sed 's/$/,QR_CODE,2026-11-21T12:03:11Z/' codes >text
comes "in a scanner's table" "0 1 2 0"
tr -d '\n' <codes >text
comes "joined" "0 1 2 0"
{ tr -d '\n' <first; sed -n 2p codes | sed 's/^\(.\{50\}\)./\1/'; } >text
comes "joined, and a character lost of the second" "3 0 1 1"
says "it is the misread that is blamed" "could not be read: 1[.]" err
{ fold -w 60 second; fold -w 60 first; } >text
comes "broken at a width" "0 1 2 0"
{ miswrite 3 second; cat first; } >text
comes "the first of two has a slip of the pen" "3 0 1 1"
miswrite 30 codes >text
comes "both have" "12 0 0 2"
sed 's/^\(.... .... \)..../\1AAAA/' paper >text
comes "both, typed from the paper" "12 0 0 2"
{ seq 1 2000 | sed 's/.*/[12:03] Luz: The men were at bridge &, I saw 2 trucks ABC123./'; tail -1 codes; head -1 codes; } >text
comes "at the end of a long story" "0 1 2 0"
# A person at the terminal: the second code, with a slip of the pen and then right, then the first.
if command -v script >/dev/null; then
	fresh three
	{
		sleep 0.3
		miswrite 3 second | cut -c1-30
		sed 's/^.\{30\}//' second
		echo
		sleep 0.3
		sed 's/^\(.\{30\}\).*/\1/' second
		sed 's/^.\{30\}//' second
		sleep 0.3
		cat first
		sleep 1
	} | script -qec "'$VEREDA' --home three --lang en import --text" /dev/null >typed 2>&1
	says "typed: told of what is misread" "could not be read: compare" typed
	says "typed: told of each code" "Codes of this record: 1 of 2" typed
	says "typed: ends by itself" "New: 1" typed
fi
echo "no code at all" | "$VEREDA" --home three --json import --text >out 2>err
is "a text" "$? $(jq -r .error err)" "1 no-code"
head -c 3000000 /dev/urandom | base32 | "$VEREDA" --home three --json import --text >out 2>err
is "too much of it" "$? $(jq -r .error err)" "1 too-large"
head -c 100000 /dev/urandom | base32 | timeout 20 "$VEREDA" --home three --json import --text >out 2>err
is "noise that looks like codes" "$? $(jq -r .error err)" "12 no-key"
found other Otra
"$VEREDA" --home other --json import --text codes >out 2>err
is "of another group" "$? $(jq -r .error err)" "12 no-key"
admit hub luz
luz=$("$VEREDA" --home luz --json alert "The bridge is free again" | jq -r .id)
"$VEREDA" --home luz --json export --qr "$luz" | jq -r '.codes[]' >codes
v three --json import --text codes
is "by somebody not known here: kept aside" "$code $(key .new) $(key .pooled)" "0 0 1"
"$VEREDA" --home hub --quiet --yes export for.vb >/dev/null
v three --json import for.vb
is "until her admission comes" "$("$VEREDA" --home three --json list alert --author luz | jq -r .id)" "$luz"
long=$("$VEREDA" --home hub --json add message -m "$(head -c 9000 /dev/urandom | base64 -w0)" | jq -r .id)
v hub --json export --qr "$long"
is "too long for paper" "$code $(jq -r .error err)" "1 too-large"
v hub --json export --qr "$alert" --for ana
exits "nothing else goes with --qr" 2
v hub import
exits "import of nothing" 2
v hub import nowhere luz.welcome
exits "two that fail unlike each other, and nothing comes of either: as the first" 1

# Who names a device by its key means that device; the file is for the person.
enter hub luis --name Luis
enter hub luis2 --person Luis
v hub --json members
first=$(key 'select(.name=="Luis").devices[0].device[0:8]') second=$(key 'select(.name=="Luis").devices[1].device[0:8]')
v hub export luis.vb --for "$first"
says "by a key: for whom is said by name" "Only Luis can open it"
"$VEREDA" --home hub --quiet --yes revoke "$second"
v hub --json export none.vb --for "$second"
is "a device that was removed" "$code $(key .error err) $(ls none.vb 2>/dev/null)" "1 removed "
v hub --yes export luis.vb --for luis
exits "the other is in" 0
done_testing
