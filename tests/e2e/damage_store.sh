#!/bin/bash
# Damaged database files under whole programs: no command and no daemon dies of one, each says what it is, and none changes it.
. "$(dirname "$0")/lib.bash"
found hub ana || exit 1
rows 40 | as hub --quiet load message - >/dev/null
found other || exit 1
size=$(stat -c %s "$work/hub/data.mdb")
documented() { case $1 in 0 | 1 | 3 | 10 | 14 | 15) return 0 ;; esac; return 1; }
died=0 unsaid=0 refused=0 changed=0
try() { # on the damaged file: each of them, and the file is as it was if it was refused
	local sum command status
	sum=$(sha256sum <"$work/hurt/data.mdb")
	for command in list check status; do
		timeout 20 "$build/vereda" --home "$work/hurt" --no-input --lang en $command >/dev/null 2>"$work/err"
		status=$?
		documented $status || { died=$((died + 1)); echo "# $1: $command ends with $status"; }
		[ $status = 0 ] || [ -s "$work/err" ] || unsaid=$((unsaid + 1))
		[ $status != 14 ] || refused=$((refused + 1))
	done
	timeout -s TERM 0.5 "$build/veredad" --home "$work/hurt" --no-discovery --listen 127.0.0.1:0 2>"$work/err"
	status=$?
	[ $status = 124 ] || documented $status || { died=$((died + 1)); echo "# $1: veredad ends with $status"; }
	[ -s "$work/err" ] || unsaid=$((unsaid + 1))
	[ $status = 124 ] || [ "$sum" = "$(sha256sum <"$work/hurt/data.mdb")" ] || changed=$((changed + 1))
}
fresh() {
	rm -rf "$work/hurt"
	mkdir -m 700 "$work/hurt"
	cp "$work/hub/data.mdb" "$work/hurt/"
}
put() { printf "$2" | dd of="$work/hurt/data.mdb" bs=1 seek="$1" conv=notrunc status=none; }
for cut in 0 100 4096 9000 $((size / 2)) $((size - 4096)); do
	fresh
	truncate -s "$cut" "$work/hurt/data.mdb"
	try "cut to $cut"
done
for page in $(seq 0 9 $((size / 4096 - 1))); do
	fresh
	put $((page * 4096 + 10 + page % 30)) '\xff\x5a'
	try "page $page"
done
[ $refused -gt 20 ]
check "damage: most of it is found before anything is believed ($refused)" $?
# A newer LMDB in both heads; and a file of another store, which is whole.
fresh
put 20 '\x07' && put 4116 '\x07'
as hurt list >/dev/null 2>"$work/err"
equal "damage: a database of a newer version is refused" $? 1
grep -q "another version" "$work/err"
check "damage: as such" $?
try "newer version"
fresh
cp "$work/other/data.mdb" "$work/hurt/data.mdb"
equal "damage: another store's file is that store" "$(as hurt --json status | jq -r .name)" other
try "another store"
equal "damage: nothing dies" "$died" 0
equal "damage: nothing is silent" "$unsaid" 0
equal "damage: what is refused is not changed" "$changed" 0
exit $failed
