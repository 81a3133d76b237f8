#!/bin/bash
# Damaged, torn and foreign files: a clear error, everything whole is kept, nothing is changed by what is not ours.
. "$(dirname "$0")/lib.bash"

found hub ana || exit 1
rows 1500 | as hub --quiet load message - >/dev/null
as hub --quiet export "$work/good" >/dev/null
whole=$(count hub)
size=$(stat -c %s "$work/good")
chunks=$(((size - 2624) / 65536))
[ "$chunks" -ge 4 ]
check "damage: the bundle has several chunks" $?

import() { as "$1" --json import "$2" 2>"$work/err" >"$work/out"; echo $?; }
fresh() { rm -rf "$work/$1"; cp -r "$work/ana" "$work/$1"; }

flip() { # file, offset
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\x$(printf %02x $((byte ^ 0x41)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# One flip each: salt and slots of the first head, every chunk, slots and salt of the last head.
for at in 0 31 32 700 1311 $((1312 + 5)) $((1312 + 65536 + 77)) $((1312 + (chunks - 1) * 65536 + 65000)) $((size - 1312)) \
	$((size - 600)) $((size - 1)); do
	cp "$work/good" "$work/flipped"
	flip "$work/flipped" "$at"
	fresh victim
	equal "damage: a flip at byte $at is integrity (14)" "$(import victim "$work/flipped")" 14
	kept=$(count victim)
	if [ "$at" -lt 1312 ] || [ "$at" -ge $((size - 1312)) ]; then
		equal "damage: a flip in a head at byte $at loses nothing" "$kept" "$whole"
	else
		[ "$kept" -gt 0 ] && [ "$kept" -lt "$whole" ]
		check "damage: a flip at byte $at costs its chunk alone ($kept of $whole kept)" $?
		equal "damage: the whole file completes it" "$(import victim "$work/good")" 0
		equal "damage: and then nothing is missing" "$(count victim)" "$whole"
	fi
done

# The same for a file that is for one member alone, whose own slots are all that opens it.
as hub --quiet export "$work/for-ana" --for ana >/dev/null
equal "damage: a bundle for one is as long as one for all" "$(stat -c %s "$work/for-ana")" "$size"
for at in 3 31 700 1311 $((1312 + 65536 + 77)) $((size - 1312)) $((size - 1)); do
	cp "$work/for-ana" "$work/flipped"
	flip "$work/flipped" "$at"
	fresh victim
	equal "damage: for one, a flip at byte $at is integrity (14)" "$(import victim "$work/flipped")" 14
	kept=$(count victim)
	[ "$at" -lt 1312 ] || [ "$at" -ge $((size - 1312)) ] && need=$whole || need=1
	[ "$kept" -ge "$need" ] && { [ "$need" = "$whole" ] || [ "$kept" -lt "$whole" ]; }
	check "damage: for one, a flip at byte $at costs its chunk at most ($kept of $whole kept)" $?
done
cp "$work/for-ana" "$work/flipped"
dd if=/dev/zero of="$work/flipped" bs=1312 count=1 conv=notrunc status=none
head -c 1312 /dev/zero | dd of="$work/flipped" bs=1 seek=$((size - 1312)) conv=notrunc status=none
fresh victim
before=$(digests victim)
equal "damage: for one, without either head it is nobody's (12)" "$(import victim "$work/flipped")" 12
equal "damage: and nothing changes" "$(digests victim)" "$before"

for cut in $((size - 1)) $((size - 1312)) $((size - 70000)) $((1312 + 65536)) $((1312 + 65536 + 9)); do
	head -c "$cut" "$work/good" >"$work/torn"
	fresh victim
	equal "damage: torn after $cut bytes is partly done (3)" "$(import victim "$work/torn")" 3
	equal "damage: the full file completes what was torn after $cut" "$(import victim "$work/good")" 0
	equal "damage: nothing is missing after $cut" "$(count victim)" "$whole"
done

fresh victim
before=$(digests victim)
: >"$work/empty"
head -c 200000 /dev/urandom >"$work/noise"
printf 'Dear all,\nthis is a letter.\n' >"$work/letter"
for file in empty noise letter; do
	status=$(import victim "$work/$file")
	[ "$status" = 14 ] || [ "$status" = 12 ]
	check "damage: $file is refused clearly ($status)" $?
	[ -s "$work/err" ] && jq -e '.error and .message and .hint' "$work/err" >/dev/null
	check "damage: $file gets an error with a hint" $?
done
found other || exit 1
as other --quiet add message -m "not yours" >/dev/null
as other --quiet export "$work/foreign" >/dev/null
equal "damage: another group's bundle has no key here (12)" "$(import victim "$work/foreign")" 12
equal "damage: nothing changed" "$(digests victim)" "$before"
as ben --quiet init --name ben --no-passphrase >/dev/null
equal "damage: a welcome for another device (12)" "$(status_of as ben join "$work/ana.welcome")" 12

# A dry run of what is damaged says what would be, in no language that anything is stored.
head -c $((size - 70000)) "$work/good" >"$work/torn"
cp "$work/good" "$work/flipped"
flip "$work/flipped" $((1312 + 65536 + 77))
cp "$work/good" "$work/headless.b"
flip "$work/headless.b" 40
fresh victim
before=$(digests victim)
for file in torn flipped headless.b; do
	for language in en es; do
		as victim --lang $language import --dry-run "$work/$file" >"$work/out" 2>"$work/err"
		status=$?
		[ $status -eq $([ $file = torn ] && echo 3 || echo 14) ] && grep -qE 'Nothing was changed|no se cambió nada|No se cambió nada' "$work/err" &&
			! grep -qiE 'stored|guarda' "$work/err"
		check "damage: a dry run of $file says what would be ($language)" $?
	done
done
equal "damage: and changes nothing" "$(digests victim)" "$before"
import victim "$work/flipped" >"$work/status"
equal "damage: programs are told of refused parts" "$(jq -c '[.refused,.parts_refused]' "$work/out")" "[0,1]"

# Bytes behind the last head: a few are damage of the file, and nothing is lost. Where another bundle may stand, nobody says so.
{ cat "$work/good"; head -c 512 /dev/zero; } >"$work/stray"
fresh victim
as victim import "$work/stray" >"$work/out" 2>"$work/err"
equal "damage: stray bytes behind the end (14)" $? 14
grep -q 'Nothing is lost' "$work/err"
check "damage: and nothing is lost" $?
equal "damage: all of it was taken with stray bytes behind" "$(count victim)" "$whole"
# Changed at the beginning where it still opens, and cut: what is lacking is not said to be there.
# Of two slots, which stand in any order, at most one is the one that opens.
flip "$work/torn" 1311
fresh victim
as victim import "$work/torn" >"$work/out" 2>"$work/err"
status=$?
if [ $status = 12 ]; then
	flip "$work/torn" 1311
	flip "$work/torn" 1231
	as victim import "$work/torn" >"$work/out" 2>"$work/err"
	status=$?
fi
equal "damage: a changed head and no end (14)" $status 14
grep -q 'The end of .* is missing' "$work/err" && ! grep -q 'Nothing is lost' "$work/err"
check "damage: of which not everything is there" $?
cat "$work/good" "$work/for-ana" "$work/good" >"$work/joined" # the last head is that of the first again
for file in "$work/joined" "$work/joined-torn"; do
	head -c $((size * 2 + 100000)) "$work/joined" >"$work/joined-torn"
	fresh victim
	as victim import "$file" >"$work/out" 2>"$work/err"
	equal "damage: bundles in one file are partly done (3)" $? 3
	grep -q "behind the end of the first bundle: $(($(stat -c %s "$file") - size)) bytes" "$work/err" && ! grep -q 'Nothing is lost' "$work/err"
	check "damage: and what was not taken is told" $?
	equal "damage: the first is" "$(count victim)" "$whole"
done

# A stick whose segment has a flipped head loses nothing, and says so.
mkdir "$work/headless"
as hub --quiet sync "$work/headless" >/dev/null
flip "$(ls "$work/headless/cache"/*.bin | head -1)" 40
fresh victim
as victim sync "$work/headless" >"$work/out" 2>&1
equal "damage: a segment's flipped head is integrity (14)" $? 14
grep -q 'Nothing is lost' "$work/out"
check "damage: and nothing is lost" $?
equal "damage: all of it was taken" "$(count victim)" "$whole"

# A stick with a flipped segment and a foreign file.
mkdir "$work/stick"
as hub --quiet sync "$work/stick" >/dev/null
segment=$(ls "$work/stick/cache"/*.bin | head -1)
cp "$segment" "$work/kept"
flip "$segment" $((1312 + 65536 + 77))
echo "mine" >"$work/stick/cache/holiday.jpg"
fresh victim
equal "damage: a flipped segment is integrity (14)" "$(status_of as victim sync "$work/stick")" 14
fresh told
as told sync "$work/stick" 2>&1 | grep -q 'parts refused: 1 of'
check "damage: and the message says how much" $?
kept=$(count victim)
[ "$kept" -gt 0 ] && [ "$kept" -lt "$whole" ]
check "damage: its whole chunks were taken ($kept of $whole)" $?
as hub --quiet sync "$work/stick" >/dev/null 2>&1
as victim --quiet sync "$work/stick" >/dev/null 2>&1
equal "damage: the next visits of both repair it" "$(count victim)" "$whole"
equal "damage: what is not ours on the stick is untouched" "$(cat "$work/stick/cache/holiday.jpg")" mine

equal "damage: init twice is refused" "$(status_of as hub init --no-passphrase)" 1
equal "damage: and the keys still open everything" "$(count hub)" "$whole"
exit $failed
