#!/bin/bash
# A store in which a record is spoilt: all others are handed on, by every way, and every way says that one was not, and what to do.
. "$(dirname "$0")/cli.inc"

found hub Cuenca
enter hub ana --name ana
enter hub ben --name ben
rows 1 200 | sed 's/^[0-9]*,//; 1i text' >many.csv
"$VEREDA" --home hub --quiet load message many.csv >/dev/null
mkdir usb clean
for home in hub ana; do
	v $home --json sync clean
done
spoil hub own 200     # of its own
spoil ana others 200  # of others

texts_of() {
	"$VEREDA" --home "$1" --json list 2>/dev/null | wc -l
}
for spoilt in own others; do
	left=$(texts_of $spoilt)
	rm -rf usb/cache to
	cp -r ben to
	v $spoilt --json sync usb
	is "$spoilt: a stick: partly" "$code $(key .complete) $(key '.error // empty' err)" "3 false damaged"
	is "$spoilt: and check --repair is next" "$(key '.hint // empty' err | grep -c 'vereda check --repair')" 1
	v to --json sync usb
	is "$spoilt: all others are on it" "$(texts_of to)" "$left"
	rm -rf to
	cp -r ben to
	rm -f to.log
	daemon to && ok "$spoilt: veredad listens" || not_ok "$spoilt: veredad listens" "$(cat to.log)"
	v $spoilt --json sync "$addr"
	is "$spoilt: by the network: partly" "$code $(key .complete) $(key '.error // empty' err)" "3 false damaged"
	is "$spoilt: and check --repair is next" "$(key '.hint // empty' err | grep -c 'vereda check --repair')" 1
	is "$spoilt: all others are there" "$(texts_of to)" "$left"
	kill "$pid"
	wait "$pid"
	v $spoilt --json export x$spoilt.vb
	is "$spoilt: an export: partly" "$code $(key '.error // empty' err)" "3 damaged"
	rm -rf to
	cp -r ben to
	v to --json import x$spoilt.vb
	is "$spoilt: all others are in it" "$(texts_of to)" "$left"
done

# --- a repair took some, and the stick has them: what is known of it from before does not make it safe to wipe
v ana --json sync usb
spoil ana mended 200
missing=$((200 - left))
v mended --json check --repair
is "some are lost" "$code $(key .lost)" "3 $missing"
v mended --json sync --check usb
is "it is not safe to wipe what has them" "$code $(key '"\(.safe_to_wipe) \(.not_here)"')" "3 false $missing"
v mended --json sync usb
is "they come back" "$code $(texts_of mended)" "0 200"

# --- in words
rm -rf usb/cache
v own sync usb
says "in words" "damaged and did not go to usb; all others did" err
rm -rf usb/cache
v own --lang es sync usb
says "in Spanish" "dañados en el almacén de este equipo y no pasaron a usb" err

# --- who is called says so in its log and its status
rm -rf to
cp -r ben to
daemon others && ok "the damaged one listens" || not_ok "the damaged one listens" "$(cat others.log)"
v to --json sync "$addr"
is "who calls it gets all others" "$(texts_of to)" "$(texts_of others)"
for _ in $(seq 100); do
	grep -q "store damaged" others.log && break
	sleep 0.1
done
says "it is in the log" "store damaged: .* vereda check --repair" others.log
v others --json status
is "and in status" "$(key '[.warnings[] | select(test("veredad could not hand them on"))] | length')" 1
kill "$pid"
wait "$pid"

# --- what to do helps: repaired, and got back from who has it
v others --json check --repair
is "what is lost is said, and none of it is its own" "$code $(($(key .lost) > 0 && $(key .lost) == $(key .bad))) $(key .lost_own)" "3 1 0"
v others --json sync clean
exits "after a repair it comes back" 0
is "all of it" "$(texts_of others)" 200
rm -rf usb/cache
v others --json sync usb
is "and goes on" "$code $(key .complete)" "0 true"
done_testing
