#!/bin/bash
# A device that takes no attachments, or only so much: texts come, sets are equal, no body travels in vain, and more is taken when there is room.
. "$(dirname "$0")/cli.inc"

found hub Lindero
admit hub field
admit hub small
head -c 600000 /dev/urandom >photo.bin
head -c 300000 /dev/urandom >second.bin
v hub --json add document title=photo --attach photo.bin
photo=$(key .id)

daemon hub && ok "veredad listens" || not_ok "veredad listens" "$(cat hub.log)"

v small --json config get
is "unless something is said everything is taken" "$(key '."bulk.max"')" null
v small config set bulk.max 0
says "what it is now" "bulk.max is 0 now; it was all"
v small --json sync "$addr"
is "sync without attachments" "$code $(key .complete)" "0 true"
is "hardly anything travels" "$(key '.bytes_in < 40000')" true
is "the sets are equal" "$(digests small)" "$(digests hub)"
v small --json show "$photo"
is "the record is here, its parts are not" "$(key '.fields.title') $(key '"\(.attachments[0].chunks_here)/\(.attachments[0].chunks)"')" "photo 0/40"
v small show "$photo"
says "show names what keeps them away" "photo.bin  .*, 0 of 40 parts here; .*bulk.max is 0"
says "and how they may come" "vereda config set bulk.max"
silent "and promises none with the next sync" "next sync"
v small get "$photo" -o none
exits "get finds them missing" 3
says "get names it, too" "40 parts are missing. This device takes no more .*bulk.max is 0" err
v small --lang es show "$photo"
says "in Spanish" "0 de 40 partes aquí; .*bulk.max es 0"
v small why "$photo"
says "why does not count this device as having it" "^Its text is stored here since .*; 40 parts of what is attached are not here"
says "and counts who has it" "1 of 3 members have it"
says "and names what keeps the rest away" "^This device takes no more of attachments: bulk.max is 0"
v small --json why "$photo"
is "in JSON it is missing, not a holder" "$(key '"\([.holders[].kind] | unique | join(",")) \([.missing[] | select(.name == "small").parts])"')" "member [40]"
v small --lang es why "$photo"
says "in Spanish, too" "bulk.max es 0"
v small --json sync "$addr"
is "nothing is missing as far as it wants" "$(key '"\(.received) \(.complete)"')" "0 true"
v small --json status
is "status counts" "$(key '"\(.store.bulk.here) \(.store.bulk.wanted) \(.store.bulk.max)"')" "0 0 0"
v small status
says "status says so, and ends its sentence" "takes no attachments of others; texts and alerts come as ever\. "
v small --json add document title=own --attach second.bin
own=$(key .id)
v small --json show "$own"
is "its own are kept" "$(key '.attachments[0].chunks_here')" 20
v small --json sync "$addr"
v hub --json show "$own"
is "and go to others" "$(key '.attachments[0].chunks_here')" 20

# --- so much and no more: its own count, too
v small config set bulk.max 700K
v small --json sync "$addr"
is "where it has no room as a whole none of it comes" "$code $(key '"\(.received) \(.bytes_in < 8000)"')" "0 0 true"
v small --json status
is "what is its own is here, and nothing is wanted" "$(key '.store.bulk.here < 350 * 1024 and .store.bulk.wanted == 0')" true
is "the sets are equal all the same" "$(digests small)" "$(digests hub)"
v small show "$photo"
says "show says why" "photo.bin .*, 0 of 40 parts here; .*bulk.max is 700"
v small --json sync "$addr"
is "a further one moves nothing" "$(key '.bytes_in < 8000')" true
v small --json check
is "all counts are right" "$(key '"\(.bad) \(.repaired)"')" "0 0"

# A further one, of which nothing is known yet: of what is on its way some comes in vain, then only what tells of it; a small one comes beside it.
head -c 2500000 /dev/urandom >large.bin
v hub --json add document title=large --attach large.bin
large=$(key .id)
v small --json sync "$addr"
is "a new one that has no room is not begun" "$code $(key '.complete')" "0 true"
head -c 50000 /dev/urandom >little.bin
v hub --json add document title=little --attach little.bin
little=$(key .id)
v small --json sync "$addr"
v small --json sync "$addr"
"$VEREDA" --home small --json show "$large" | jq -r .attachments[0].chunks_here >out
"$VEREDA" --home small --json show "$little" | jq -r .attachments[0].chunks_here >>out
is "a small one comes beside it" "$(paste -sd' ' out)" "0 4"
is "the sets are equal still" "$(digests small)" "$(digests hub)"

# --- by stick and by file
mkdir stick
v hub add document title=more --attach second.bin
v hub sync stick
v small --json sync stick
is "by stick texts come" "$(v small --json list --search more; jq -r .fields.title out)" more
is "and no more attachments than before" "$(v small --json status; key '.store.bulk.here <= 700 * 1024')" true
v hub export all.bundle
v small import all.bundle
is "nor by a file" "$(v small --json status; key '.store.bulk.here <= 700 * 1024')" true
is "sets are equal" "$(digests small)" "$(digests hub)"

# --- raised
v small config set bulk.max all
v small --json status
is "what was left is wanted now" "$(key '.store.bulk.wanted > 400000')" true
v small show "$photo"
says "what is wanted comes with the next sync" "photo.bin .*[0-9]+ of 40 parts here; the rest comes with the next sync"
v small why "$photo"
says "nor does why mind the bound, and it names who has them" "^Next, for this device: sync with hub, known to have what is attached"
v small --json sync stick
v small --json show "$photo"
is "the stick brings it" "$code $(key '.attachments[0].chunks_here')" "0 40"
v small --json sync "$addr"
v small --json status
is "nothing is wanted any more" "$(key '.store.bulk.wanted')" 0
v small --json why "$photo"
is "why counts this device now" "$(key '[.holders[0].kind, .members_with, ([.missing[] | select(.name == "small")] | length)] | join(" ")')" "here 2 0"
mkdir got
v small get "$photo" -o got
cmp -s photo.bin got/photo.bin && ok "whole" || not_ok "whole"
v small --json check
is "all counts are right at the end" "$(key '"\(.bad) \(.repaired)"')" "0 0"
# --- no tails: what comes last of a picture is small, and might fit where nothing before it does
parts_of() { # HOME ID…: how many parts of each are here
	local home=$1 id
	shift
	for id in "$@"; do
		"$VEREDA" --home "$home" --json show "$id" | jq -r '.attachments[0].chunks_here'
	done | tr '\n' ' '
}
found town Loma
admit town by_net
admit town by_file
admit town raised
three=()
for i in 1 2 3; do
	head -c 200000 /dev/urandom >"$i.bin"
	v town --json add document title="$i" --attach "$i.bin"
	three+=("$(key .id)")
done
for home in by_net by_file; do
	v "$home" config set bulk.max 300K
done
daemon town && v by_net --json sync "$addr"
parts_of by_net "${three[@]}" >out
says "one picture whole, none begun that would not be" "^14 0 0 "
v town export three.bundle
v by_file import three.bundle
parts_of by_file "${three[@]}" >out
says "the same by a file" "^14 0 0 "
v raised config set bulk.max 0
v raised import three.bundle
v raised config set bulk.max 300K
v raised import three.bundle
parts_of raised "${three[@]}" >out
says "the same where the bound was raised" "^14 [0-9] 0 "
v by_file config set bulk.max 620K
v by_file import three.bundle
is "with room for them they come whole" "$(parts_of by_file "${three[@]}")" "14 14 14 "
v by_file --json check
is "all counts are right there, too" "$(key '"\(.bad) \(.repaired)"')" "0 0"
# --- a stick is not safe to wipe for who does not take what is on it
found away Vado
admit away near
v near config set bulk.max 0
v away add document title=only --attach second.bin
mkdir only
v away sync only
v near sync only
v away sync only
v near --json sync --check only
is "a stick with content that a bound keeps away is not safe" "$code $(key '"\(.safe_to_wipe) \(.not_here)"')" "3 false 20"
v near sync --check only
says "and says so" "content has not come to this device: 20" err
v near config set bulk.max all
v near sync --check only
says "nor is it when it is wanted" "content has not come to this device: 20" err
v near sync only
v near --json sync --check only
is "it is once it came" "$code $(key '"\(.safe_to_wipe) \(.not_here)"')" "0 true 0"
v small config set bulk.max some
exits "no size" 2
done_testing
