#!/bin/bash
# Attachments: what is taken out of pictures, how they travel in parts, and how they come back as files.
. "$(dirname "$0")/cli.inc"

found hub Lindero
admit hub field
admit hub town

# A JPEG: its tables are none, but its segments are.
jpeg() { # BYTES
	printf '\377\330\377\341\000\042Exif\000\000MM\000*\000\000\000\010\000\001\001\022\000\003\000\000\000\001\000\006\000\000\000\000\000\000'
	printf '\377\341\000\023http://ns\000LAT461N'
	printf '\377\376\000\011LAT461N'
	printf '\377\333\000\004tb\377\300\000\013\010\000\001\000\001\001\001\021\000\377\304\000\004hf\377\332\000\010\001\001\000\000\077\000'
	head -c "$1" /dev/urandom | tr -d '\377'
	printf '\377\331LAT461N'
}
jpeg 150000 >bridge.jpg
head -c 40000 /dev/urandom >"report final.pdf"
printf '%%PDF-' | dd of="report final.pdf" conv=notrunc status=none
echo "what was seen" >notes.txt
: >empty.txt

v field --json add document title="El puente" --attach bridge.jpg --attach "report final.pdf" --attach notes.txt --attach empty.txt
exits "a record with attachments" 0
id=$(key .id)
is "what became of their metadata" "$(key '[.attachments[]|.metadata]|join(" ")')" "removed may_tell none none"
says "a picture is cleaned, and that is said" "bridge.jpg: .*taken out" err
says "what cannot be cleaned is warned of" "Warning: report final.pdf .*may tell place" err
silent "nothing is warned of in plain text" "notes.txt" err

v field add document title=x --attach ""
is "a name that is empty" "$code $(grep -c "name of a file is wanted" err)" "2 1"

v field --json show "$id"
is "show says what is here" "$(key '[.attachments[]|"\(.name) \(.type) \(.chunks_here)/\(.chunks)"]|join(", ")')" \
	"bridge.jpg image/jpeg 10/10, report final.pdf application/pdf 3/3, notes.txt text/plain 1/1, empty.txt text/plain 0/0"
is "its fields do not repeat it" "$(key '.fields|keys|join(",")')" title
is "parts are no answers" "$(key '.answers|length')" 0
v field --json list
is "nor records of a list" "$(jq -s length out)" 1
v field list
says "a list tells that something comes along" '\[\+4\] El puente'
v field --json status
is "parts are records of the bulk lane" "$(key '.groups[0].lanes[]|select(.lane=="bulk").records')" 14

mkdir out1
v field --json get "$id" -o out1
exits "get" 0
is "get says where they are" "$(key '[.files[].path]|join(" ")') $(key .missing_chunks)" "out1/bridge.jpg out1/report final.pdf out1/notes.txt out1/empty.txt 0"
cmp -s "report final.pdf" "out1/report final.pdf" && cmp -s notes.txt out1/notes.txt && ok "files come back as they were" || not_ok "files come back as they were"
silent "place and comments are gone" LAT461N out1/bridge.jpg
says "which side is up is not" 'Exif' out1/bridge.jpg
is "the hash is what any tool computes" "$(key '.files[0].hash')" "$(b2sum -l 256 out1/bridge.jpg | cut -d' ' -f1)"
v field --json get "$id" -o out1
is "a second time nothing is written" "$(ls out1 | wc -l) $(key '.files|length')" "4 4"
echo other >out1/notes.txt
ln -sf /etc/hostname out1/empty.txt
v field get "$id" -o out1
is "what stands there stays" "$(cat out1/notes.txt) $(cat out1/notes-2.txt) $(readlink out1/empty.txt) $(stat -c %s out1/empty-2.txt)" "other what was seen /etc/hostname 0"

v field --json add document title=raw --attach bridge.jpg --keep-metadata
raw=$(key .id)
says "what is kept is warned of" "Warning: bridge.jpg keeps" err
mkdir out2
v field get "$raw" -o out2
cmp -s bridge.jpg out2/bridge.jpg && ok "kept as it is" || not_ok "kept as it is"

# --- refused, and nothing stored
before=$(digests field)
head -c 60000 bridge.jpg >cut.jpg
v field add document title=x --attach notes.txt --attach cut.jpg
exits "a picture that is cut off" 1
says "and why" "damaged or cut-off picture" err
printf '\211PNG\r\n\032\n\000\000\000\015IHDR\000\000' >cut.png
v field add document title=x --attach cut.png
is "a PNG that is cut off, too" "$code $(grep -c "damaged or cut-off picture" err)" "1 1"
mkfifo pipe
code=0 && timeout 10 "$VEREDA" --home field add document title=x --attach pipe >out 2>err || code=$?
exits "a pipe is not waited for" 2
says "and that is said" "is a pipe or a device" err
truncate -s 65M big.bin
v field alert "x" --attach big.bin
exits "more than a record brings along" 1
says "and how much that is" "64 MiB" err
says "and that the alert did not go" "alert" err
v field add document title=x --attach nowhere.jpg
exits "a file that is not there" 1
v field add document title=x $(printf -- '--attach notes.txt %.0s' $(seq 17))
exits "seventeen files" 2
v field add document attachments=x title=x --attach notes.txt
exits "a field of that name" 2
is "nothing was stored" "$(digests field)" "$before"
rm big.bin

# --- names from others
printf hello >'-rf.txt'
v field --json add document title=x --attach ./-rf.txt
id2=$(key .id)
mkdir out3
v field get "$id2" -o out3
is "a name is made harmless" "$(ls out3)" "_rf.txt"
v field get "$id2" -o made
is "a folder that is not there is made" "$code $(cat made/_rf.txt) $(stat -c %a made)" "0 hello 700"
v field get "$id2" -o nowhere/below
is "one folder, not its parents" "$code $(ls -d nowhere 2>/dev/null)" "2 "
v field get "$id2" -o notes.txt
exits "a file is no folder" 2

# --- on the way: a bundle that ends early, then the rest
v field export part.bundle
size=$(stat -c %s part.bundle)
# Records are salvaged by whole parts of the file: urgent and normal ones stand first.
head -c $((size * 6 / 10)) part.bundle >torn.bundle
v hub import torn.bundle
v hub --json show "$id"
[ "$(key '.attachments[0].name')" = bridge.jpg ] && ok "the record came" || not_ok "the record came" "$(head -c 200 out err)"
mkdir out4
v hub --json get "$id" -o out4
exits "get of what has not come whole" 3
[ "$(key .missing_chunks)" -gt 0 ] && ok "and how much is missing" || not_ok "and how much is missing" "$(cat out)"
is "each file is whole or not there" "$(ls out4 | wc -l)" "$(key '.files|length')"
v hub show "$id"
says "show tells people" "[0-9]+ of [0-9]+ parts here"
v hub import part.bundle
exits "the rest comes" 0
v hub get "$id" -o out4
exits "now it is whole" 0
cmp -s out1/bridge.jpg out4/bridge.jpg && ok "and the same" || not_ok "and the same"

# --- to somebody by name, through one who cannot read it
mkdir stick
v hub sync stick
v field sync stick
v field --json add message -m "solo para town" --to town --attach notes.txt
named=$(key .id)
v field sync stick
v hub sync stick
v hub get "$named" -o unread
exits "who cannot read the record cannot get what it brings" 1
says "and why is said" "read here \([^(]*\), so" err
[ ! -e unread ] && ok "no folder is made for nothing" || not_ok "no folder is made for nothing"
v town sync stick
mkdir out5
v town get "$named" -o out5
exits "who may read it gets it" 0
cmp -s notes.txt out5/notes.txt && ok "whole" || not_ok "whole"

# --- by kind: with all it brings along ---
other=$("$VEREDA" --home field --json add event title=Otro -m x --attach notes.txt 2>/dev/null | jq -r .id)
admit hub late
v field --yes export kind.vb document
v late import kind.vb
v late get "$id" -o out6
exits "a bundle of one kind brings its files" 0
cmp -s "report final.pdf" "out6/report final.pdf" && ok "whole" || not_ok "whole"
v late show "$other"
exits "and nothing of another kind" 1

# --- the folder goes away meanwhile ---
mkdir gone && cd gone && rmdir ../gone
"$VEREDA" --home "$dir/late" --json get "$id" >"$dir/out" 2>"$dir/err"
code=$?
cd "$dir" || exit 1
is "a folder that is gone is not called missing parts" "$code $(key .error err)" "15 medium"

# --- hidden with its record
v field redact "$id" --yes
v field get "$id" -o out5
exits "what is hidden is not got" 1
done_testing
