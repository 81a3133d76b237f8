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
networks="6969 517b ff534d42 fe534d42 564c 1021997 c36400 5346414f 6b414653 73757245 bd00bd0 47504653 1161970 7461636f 19830326 20030528 aad7aaea 61636673"
for type in $networks 4d44 2011bab0; do
	why='network folder'
	[[ $type == 4d44 || $type == 2011bab0 ]] && why='as FAT'
	typed $type "$build/vereda" --home "$work/new/deep" --json --lang en init --name new --no-passphrase
	equal "file system $type: init is refused" $? 1
	equal "file system $type: as such" "$(jq -r .error "$work/err")" file-system
	[ ! -e "$work/new" ]
	check "file system $type: and makes nothing" $?
	typed $type "$build/vereda" --home "$work/hub" --lang en list
	equal "file system $type: a store that was put there is not opened" $? 1
	grep -q "$why" "$work/err"
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

# Behind it may stand another machine, or FAT: the name of its type tells.
device=$(stat -c '%Hd:%Ld' "$work")
behind() { # type, command…
	echo "36 35 $device / / rw,noatime shared:1 - $1 somewhere:/ rw" >"$work/mounts"
	FAULT_STATFS=65735546 FAULT_MOUNTINFO=$work/mounts LD_PRELOAD=$shim timeout 20 "${@:2}" >"$work/said" 2>"$work/err"
}
for type in fuse.sshfs fuse.rclone fuse.s3fs fuse.glusterfs fuse.davfs2 fuse.gvfsd-fuse; do
	behind $type "$build/vereda" --home "$work/new/deep" --json --lang en init --name new --no-passphrase
	equal "file system $type: init is refused" "$? $(grep -c 'network folder' "$work/err")" "1 1"
	behind $type "$build/vereda" --home "$work/hub" --lang en list
	equal "file system $type: a store that was put there is not opened" $? 1
done
for type in fuse.exfat fuseblk.exfat fuse.vfat fuse.fusefat; do
	behind $type "$build/vereda" --home "$work/new/deep" --lang en init --name new --no-passphrase
	equal "file system $type: init is refused" "$? $(grep -c 'as FAT' "$work/err")" "1 1"
done
[ ! -e "$work/new" ]
check "file system: and nothing was made" $?
for type in fuse.gocryptfs fuse.encfs fuseblk fuse.mine ext4; do
	behind $type "$build/vereda" --home "$work/behind-$type" --lang en init --name new --no-passphrase
	equal "file system $type: tried, and taken" $? 0
done

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
