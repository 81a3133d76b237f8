#!/bin/bash
# Where no store can stand: network folders, FAT, and what behaves like them behind FUSE. Refused with the reason, before anything is made.
. "$(dirname "$0")/lib.bash"
shim=$build/tests/faults/fail.so

typed() { # file system type, command…
	local type=$1
	shift
	FAULT_STATFS=$type LD_PRELOAD=$shim timeout 20 "$@" >"$work/said" 2>"$work/err"
}
found hub || exit 1
before=$(sha256sum "$work/hub/data.mdb")
for type in 6969 517b ff534d42 fe534d42 4d44 2011bab0; do
	typed $type "$build/vereda" --home "$work/new/deep" --json --lang en init --name new --no-passphrase
	equal "file system $type: init is refused" $? 1
	equal "file system $type: as such" "$(jq -r .error "$work/err")" file-system
	[ ! -e "$work/new" ]
	check "file system $type: and makes nothing" $?
	typed $type "$build/vereda" --home "$work/hub" --lang en list
	equal "file system $type: a store that was put there is not opened" $? 1
	grep -q 'network folder' "$work/err" && grep -q 'FAT' "$work/err"
	check "file system $type: and says why" $?
done
typed 4d44 "$build/vereda" --home "$work/hub" --lang es list
grep -q 'formato FAT' "$work/err"
check "file system: in Spanish too" $?
typed 4d44 "$build/veredad" --home "$work/hub" --no-discovery --listen 127.0.0.1:0
equal "file system: veredad does not start there" $? 1
grep -q 'why=network-or-FAT-folder' "$work/err"
check "file system: and says why" $?
equal "file system: nothing was changed" "$(sha256sum "$work/hub/data.mdb")" "$before"
# FUSE tells nothing by its type: what is behind it is tried, and this is fine.
typed 65735546 "$build/vereda" --home "$work/fused" init --name fused --no-passphrase
equal "file system: what does all that is needed is taken, whoever serves it" $? 0
equal "file system: and nothing is left of the trial" "$(find "$work" -name '.vereda-probe' | wc -l)" 0

# The real thing.
mkdir "$work/fat"
if command -v fusefat >/dev/null && command -v mkfs.vfat >/dev/null && [ -w /dev/fuse ] &&
	head -c 20M /dev/zero >"$work/image" && mkfs.vfat "$work/image" >/dev/null 2>&1 && fusefat -o rw+ "$work/image" "$work/fat" >/dev/null 2>&1; then
	trap 'umount -l "$work/fat" 2>/dev/null; finish' EXIT
	equal "file system: init on a FAT image is refused" "$(status_of as fat/new init --name new --no-passphrase)" 1
	as fat/new init --name new --no-passphrase 2>&1 | grep -q 'FAT'
	check "file system: and says why" $?
	equal "file system: nothing is left on it" "$(find "$work/fat" -mindepth 1 | wc -l)" 0
else
	echo "ok file system # SKIP no FAT image can be mounted here"
fi
exit $failed
