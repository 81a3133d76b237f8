#!/bin/bash
# load: tables of all sorts, bad rows, interruptions, files that grow.
. "$(dirname "$0")/cli.inc"
found hub Lindero
count() { "$VEREDA" --home hub --quiet --json list "$1" | wc -l; }

{ printf '\xef\xbb\xbfid,text\r\n'; printf '1,"two\r\nlines"\r\n2,   \r\n3,\r\n4,"say ""hi"""\r\n'; } >a.csv
v hub --json load message a.csv
is "a CSV with a mark, quotes, line ends and blanks" "$code $(jq -c . out)" '0 {"new":4,"known":0,"refused":0,"errors":[]}'
v hub --json list message
is "values as they stand" "$(jq -sc '[.[].fields.text]|sort' out)" '["","   ","say \"hi\"","two\r\nlines"]'
v hub --json load message a.csv
is "the same file again is known" "$code $(key '"\(.new) \(.known) \(.refused)"')" "0 0 4 0"
v hub --json load message a.csv --again
is "--again loads it anew" "$(key '"\(.new) \(.known)"')" "4 0"
v hub --json load message a.csv --map text=text
is "another mapping is another load" "$(key '"\(.new) \(.known)"')" "4 0"
says "unmapped columns are named" '"note":".*id' err
v hub load message a.csv --map text=text
is "and named once" "$(grep -c 'id' err)" 1
v hub --json load observation a.csv --dry-run
is "--dry-run stores nothing" "$(key .new) $(count observation)" "4 0"

printf 'title,date,priority\ngood,2026-03-01,high\nbad date,soon,high\nragged\nbad choice,2026,huge\n"open,2026,low\nblank,,\nlast,2026-03,low\n' >b.csv
v hub --json load event b.csv
is "bad rows are listed by number" "$code $(key '"\(.new) \(.known) \(.refused) \([.errors[].row]|join(","))"')" "3 3 0 4 3,4,5,6"
is "the good rows are stored" "$(count event)" 3
v hub --json load event b.csv
is "a second run says the same of the bad ones" "$code $(key '"\(.new) \(.known) \(.refused)"')" "3 0 3 4"
says "and how to go on" "where they stand" err
sed 's/bad date,soon/bad date,2026-03-02/; s/^ragged$/ragged,2026,low/' b.csv >corrected.csv
v hub --json load event corrected.csv
is "rows corrected where they stand are stored alone" "$code $(key '"\(.new) \(.known) \(.refused)"') $(count event)" "3 2 3 2 5"
sed -i 's/huge/high/' corrected.csv
echo 'grown,2026,low' >>corrected.csv
v hub --json load event corrected.csv
is "again, in a file that has grown" "$code $(key '"\(.new) \(.known) \(.refused)"') $(count event)" "3 2 5 1 7"
v hub --json load event corrected.csv
is "and then it is known" "$code $(key '"\(.new) \(.known) \(.refused)"')" "3 0 7 1"
v hub load event b.csv
says "bad rows for people" "^Row 3 .*date" err
v hub --lang es load event b.csv
says "bad rows in Spanish" "^Fila 3 .*date" err

printf '{"text":"a","n":5,"where":{"x":1}}\n{"text":"b","n":7,"list":["x","y"],"ok":true,"lat":4.60971,"none":null}\n\nnonsense\n' >c.ndjson
v hub --json load observation c.ndjson
is "NDJSON" "$code $(key '"\(.new) \(.refused) \([.errors[].row]|join(","))"')" "3 1 2 1,4"
v hub --json list observation
is "NDJSON values" "$(jq -c .fields out)" '{"lat":"4.60971","list":["x","y"],"n":7,"ok":true,"text":"b"}'
printf '{"text":"from a pipe"}\n' | "$VEREDA" --home hub --json load message - >out 2>err
is "NDJSON from standard input" "$(key .new)" 1
v hub --json load message <(printf 'text\nfrom a fifo\n')
is "CSV from a pipe by name" "$(key .new)" 1
printf 'text;place\na;b\n' >d.csv
v hub --json load message d.csv
is "semicolons" "$(key .new)" 1

# A file that grows, whatever the rows before it.
{ echo id,text; rows 1 2500; } >grow.csv
v hub --json load message grow.csv --map text=text
is "a file of 2,500" "$(key .new)" 2500
rows 2501 2600 >>grow.csv
v hub --json load message grow.csv --map text=text
is "a file that has grown" "$(key '"\(.new) \(.known)"')" "100 2500"
printf 'id,text\n1,a\n2,unfin' >growing.csv
v hub --json load message growing.csv --map text=text
printf 'ished\n3,c\n' >>growing.csv
v hub --json load message growing.csv --map text=text
is "a last line that was not finished is another row, those before are not" "$(key '"\(.known) \(.new)"')" "1 2"
head -1001 grow.csv >changed.csv
sed 's/message 7,/message seven,/' changed.csv >changed2.csv
v hub --json load message changed2.csv --map text=text
is "a file that was changed is another one" "$(key '"\(.new) \(.known)"')" "1000 0"

# kill -9 in the middle: what was committed is known, the rest follows, nothing twice.
found fresh Lindero
{ echo id,text; rows 1 40000; } >big.csv
for delay in 0.15 0.3 0.45; do
	"$VEREDA" --home fresh --quiet load message big.csv --map text=text >/dev/null 2>&1 &
	pid=$!
	sleep $delay
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
done
before=$("$VEREDA" --home fresh --json status | jq '.groups[0].lanes[2].records')
v fresh --json load message big.csv --map text=text
is "after kill -9 the same command goes on" "$code $(key '"\(.known) \(.new+.known)"')" "0 $before 40000"
is "nothing lost and nothing twice" "$("$VEREDA" --home fresh --json list message | jq -r .fields.text | sort -u | wc -l)" 40000
v fresh --json check
is "and the store is whole" "$(key .bad)" 0

# The same for --again, which starts from the first row only when none of its own was cut off.
total() { "$VEREDA" --home fresh --json status | jq '.groups[0].lanes[2].records'; }
before=$(total)
for _ in 1 2 3 4 5; do # until one is cut off in time
	"$VEREDA" --home fresh --quiet load message big.csv --map text=text --again >/dev/null 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null && [ "$(total)" = "$before" ]; do :; done
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ $((($(total) - before) % 40000)) != 0 ] && break
	before=$(total)
done
stored=$(($(total) - before))
v fresh --json load message big.csv --map text=text --again
is "--again goes on where it was cut off" "$code $(key '"\(.known) \(.new)"') $(($(total) - before))" \
	"0 $stored $((40000 - stored)) 40000"
v fresh --json load message big.csv --map text=text --again
is "and once it is done, starts anew" "$(key '"\(.known) \(.new)"')" "0 40000"
v fresh --json load message big.csv --map text=text
is "what --again stored is known" "$(key '"\(.known) \(.new)"')" "40000 0"

# Ctrl-C: 130, and what was counted is stored.
found slow Lindero
{ echo id,text; rows 1 200000; } >long.csv
"$VEREDA" --home slow --json load message long.csv --map text=text >out 2>err &
pid=$!
started+=($pid)
for _ in $(seq 100); do
	[ "$("$VEREDA" --home slow --json status 2>/dev/null | jq '.groups[0].lanes[2].records')" -gt 0 ] 2>/dev/null && break
	sleep 0.05
done
kill -INT $pid
wait $pid
code=$?
exits "Ctrl-C ends with 130" 130
is "and what it counted is stored" "$(key .new)" "$("$VEREDA" --home slow --json status | jq '.groups[0].lanes[2].records')"

# Bad input as a whole.
: >empty.csv
v hub --json load message empty.csv
is "an empty file" "$code $(jq -r .error err)" "1 empty"
printf 'te\xffxt\nx\n' >latin.csv
v hub load message latin.csv
exits "a header that is no UTF-8" 1
v hub load message nowhere.csv
exits "no such file" 1
v hub load message a.csv --map text=texto
exits "no such column" 2
says "the columns there are" "id, text" err
v hub load message a.csv --map text
exits "a map that is none" 2
printf 'a very long name of a column that no field can have,text\nx,y\n' >names.csv
v hub load message names.csv
exits "a column that cannot be a field" 2
says "says how to go on" "--map" err
v hub load "Bad Kind" a.csv
exits "a kind that cannot be" 2
v hub --json load sighting a.csv
is "any other kind is generic" "$code $(count sighting)" "0 4"
head -c 63700 /dev/zero | tr '\0' x >word
{ echo text; echo short; cat word; echo; echo after; } >long-row.csv
v hub --json load message long-row.csv
is "a row that no record holds" "$code $(key '"\(.new) \(.refused) \(.errors[0].row)"')" "3 2 1 3"
# A valid quoted field may be of any length and shape: it is one row, too long for a record.
{
	printf 'id,text\n1,"'
	yes 'x,y' | head -c 6000000
	printf '"\n2,after\n'
} >long-field.csv
v hub --json load sighting long-field.csv
is "a quoted field of 6 MB is one row" "$code $(key '"\(.new) \(.refused) \(.errors[0].row)"')" "3 1 1 2"
done_testing
