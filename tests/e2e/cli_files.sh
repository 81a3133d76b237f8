#!/bin/bash
# Files that were changed, torn, mixed up; media that are full or gone.
. "$(dirname "$0")/cli.inc"
found hub Lindero
admit hub field
{ echo id,text; rows 1 3000; } >rows.csv
"$VEREDA" --home hub --quiet load message rows.csv --map text=text >/dev/null
v hub --json export all.bundle
records=$(key .records)
size=$(stat -c %s all.bundle)
state() { "$VEREDA" --home "$1" --json status | jq -c '[.groups[].lanes[].records]|add'; }
# A store like the field's after joining, for every case anew.
case_home() {
	rm -rf case
	cp -r field case
}
flip() { # FILE OFFSET
	local byte
	byte=$(od -An -tu1 -j "$2" -N1 "$1" | tr -d ' ')
	printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

case_home
before=$(state case)
v case --json import --dry-run all.bundle
is "a dry run says what it would do" "$code $(key .new)" "0 3000"
is "and does not" "$(state case)" "$before"
v case --json import all.bundle
is "a whole bundle" "$code $(key .new) $(state case)" "0 3000 $records"

for offset in 1 40 700 1312 70000 $((size / 2)) $((size - 1312 - 5)) $((size - 1312 + 2)) $((size - 3)); do
	case_home
	cp all.bundle flipped
	flip flipped "$offset"
	v case --json import flipped
	new=$(key .new)
	[ "$code" = 14 ] && [ "$(tail -1 err | jq -r .error)" = integrity ] && [ "$new" -gt 0 ] && [ "$(state case)" -gt "$new" ] &&
		ok "a byte flipped at $offset: the rest is kept" || not_ok "a byte flipped at $offset" "exit $code, new $new, $(cat err)"
done
v case --json import all.bundle
is "the good copy completes it" "$code $(state case)" "0 $records"

for keep in 1400 66848 66849 $((size / 2)) $((size - 1312)) $((size - 1)); do
	case_home
	head -c "$keep" all.bundle >torn
	v case --json import torn
	[ "$code" = 3 ] && ok "torn after $keep bytes" || not_ok "torn after $keep bytes" "exit $code: $(cat out err)"
	v case --json import all.bundle
	is "the whole file completes it ($keep)" "$code $(state case)" "0 $records"
done

case_home
before=$(state case)
: >nothing
head -c 300000 /dev/urandom >noise
echo "a letter" >letter
found other Otro
"$VEREDA" --home other add message -m x >/dev/null
"$VEREDA" --home other --quiet export other.bundle >/dev/null
for file in nothing noise letter other.bundle; do
	v case --json import $file
	case $code in
	12 | 14) ok "import $file is refused" ;;
	*) not_ok "import $file is refused" "exit $code: $(cat out err)" ;;
	esac
	v case --json join $file
	case $code in
	12 | 14) ok "join $file is refused" ;;
	*) not_ok "join $file is refused" "exit $code: $(cat out err)" ;;
	esac
done
v case import nowhere
exits "no such file" 1
is "and nothing was changed" "$(state case)" "$before"
v case --json import noise all.bundle
is "some files in, some not" "$code $(key .new)" "3 3000"

v hub --json export some.bundle message --since 1h
is "export of a kind" "$code $(key '.records>3000')" "0 true"
v hub --json export none.bundle alert
is "control records go along" "$(key '.records>0 and .records<20')" true
v hub --json export - >/dev/null
"$VEREDA" --home hub --json export - 2>err >piped
is "export to standard output tells standard error" "$(jq -r .bytes err)" "$(stat -c %s piped)"
case_home
"$VEREDA" --home case --json import - <piped >out 2>err
is "import from standard input" "$(key .new)" 3000
v hub export /nowhere/at/all
[ "$code" != 0 ] && ok "export to no folder fails" || not_ok "export to no folder fails" "exit 0"
mkfifo pipe
v hub export pipe
is "nothing takes the place of a pipe or device" "$code $(stat -c %F pipe)" "2 fifo"
v hub export field
exits "or of a folder" 2

# The stick.
v hub --json sync ./stick-that-is-not-there
exits "no stick" 15
mkdir stick
v hub sync stick
exits "the stick is filled" 0
says "and safe to remove" "safe to remove"
segment=$(ls stick/cache/*.bin | head -1)
flip "$segment" 70000
case_home
v case --json sync stick
exits "a damaged stick" 14
v case sync nonsense
exits "no target at all" 2
v case sync 127.0.0.1:1
exits "nobody answers" 13

# Disks that fill up: small ones, in a namespace of their own.
cat >full.sh <<'END'
mkdir -p small && mount -t tmpfs -o size=$1 none small || exit 77
shift
"$@"
echo $? >code
END
full() { # SIZE COMMAND…
	unshare -m bash full.sh "$@" >out 2>err || return 1
	code=$(cat code)
}
if full 256k "$VEREDA" --home hub --json export small/x; then
	is "export to a full disk" "$code $(tail -1 err | jq -r .error)" "15 no-space"
	full 256k "$VEREDA" --home hub --json sync small
	is "a full stick" "$code $(tail -1 err | jq -r .error)" "15 no-space"
	cat >load.sh <<'END'
rm -f field/reserve
cp -r field small/home
"$VEREDA" --home small/home --json load message many.csv --map text=text >first 2>err
echo $? >first.code
"$VEREDA" --home small/home --json status >status
mount -o remount,size=64M small
"$VEREDA" --home small/home --json load message many.csv --map text=text
END
	export VEREDA
	{ echo id,text; rows 1 9000; } >many.csv
	full 2400k bash load.sh
	is "load until the disk is full" "$(cat first.code) $(tail -1 err | jq -r .error)" "15 no-space"
	is "some of it was stored" "$(jq '.new > 0' first)" true
	is "what it counted is there" "$(jq .new first)" "$(jq '.groups[0].lanes[2].records' status)"
	is "a second run completes it" "$code $(key '"\(.known) \(.new+.known)"')" "0 $(jq .new first) 9000"
fi

# A home that no longer is what it was.
cp -r field damaged
flip damaged/data.mdb 16
v damaged --json status
is "a store that is damaged" "$code $(jq -r .error err)" "14 integrity"
if [ "$(id -u)" != 0 ]; then
	cp -r field locked
	chmod 000 locked
	v locked status
	[ "$code" != 0 ] && ok "a home that cannot be read" || not_ok "a home that cannot be read" "exit 0"
	chmod 700 locked
fi
done_testing
