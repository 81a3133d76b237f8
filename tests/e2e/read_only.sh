#!/bin/bash
# A disk that can only be read, as many systems leave one after a failure, and a home that is closed to us: what is there can be read if
# it can be read at all, nothing is changed, and every end says why.
. "$(dirname "$0")/lib.bash"
apart --mount "$1" || { echo "ok read-only # SKIP no mount namespaces here"; exit 0; }

said() { as "$@" >"$work/said" 2>"$work/err"; }
# ends NAME STATUS HOME COMMAND…
ends() {
	local name=$1 wanted=$2
	shift 2
	said "$@"
	equal "$name" $? "$wanted"
	[ "$wanted" = 0 ] || grep -q . "$work/err"
	check "$name: and why" $?
}
found hub ana || exit 1
rows 10 | as hub --quiet load message - >/dev/null
as ana --quiet add message -m "of ana" >/dev/null
as ana --quiet export "$work/of-ana" >/dev/null
rows 3 later >"$work/rows.csv"
printf 'la casa de la esquina\n' >"$work/words"
as shut --quiet --passphrase-file "$work/words" init --name shut >/dev/null || exit 1
before=$(find "$work/hub" -type f ! -name lock.mdb -exec sha256sum {} + | sort)
mkdir "$work/still" && mount --bind "$work" "$work/still" && mount -o remount,ro,bind "$work/still" ||
	{ echo "ok read-only # SKIP no bind mounts here"; exit 0; }
trap 'umount -l "$work/still" 2>/dev/null; finish' EXIT

ends "read-only: list" 0 still/hub --json list
equal "read-only: list is whole" "$(wc -l <"$work/said")" 10
shown=$(head -1 "$work/said" | jq -r .id)
ends "read-only: check" 0 still/hub --json check
equal "read-only: which looked at every record" "$(jq -c '[.records > 10, .bad, .derived_bad]' "$work/said")" "[true,0,0]"
ends "read-only: check --repair of what is sound" 15 still/hub check --repair
ends "read-only: show" 0 still/hub show "$shown"
ends "read-only: status" 0 still/hub status
ends "read-only: export to another disk" 0 still/hub --json export "$work/bundle"
as ana --quiet import "$work/bundle" >/dev/null
equal "read-only: which holds all" "$(count ana)" 11
ends "read-only: add" 15 still/hub add message -m "lost?"
grep -q 'can only be read' "$work/err"
check "read-only: add says that it can only be read" $?
said still/hub --lang es add message -m "lost?"
grep -q 'solo se puede leer' "$work/err"
check "read-only: in Spanish too" $?
ends "read-only: load" 15 still/hub load message "$work/rows.csv"
ends "read-only: import" 15 still/hub import "$work/of-ana"
ends "read-only: group create" 15 still/hub group create Other
ends "read-only: revoke" 15 still/hub --yes revoke ana
ends "read-only: init" 15 still/new init --name new --no-passphrase
ends "read-only: wipe" 15 still/hub wipe --yes
grep -q 'Nothing was wiped' "$work/err" && grep -q 'no passphrase' "$work/err" && grep -q 'Destroy the medium' "$work/err" && ! grep -q 'safe' "$work/err"
check "read-only: wipe says that nothing was, and what to do" $? || cat "$work/err"
ends "read-only: wipe of a sealed store" 15 still/shut wipe --yes
grep -q 'Nothing was wiped' "$work/err" && grep -q 'key slots still open' "$work/err" && ! grep -q 'safe\|forgot' "$work/err"
check "read-only: wipe says that its key slots still open it" $? || cat "$work/err"
said still/shut --lang es wipe --yes
grep -q 'No se borró nada' "$work/err" && grep -q 'ranuras todavía abren' "$work/err" && grep -q 'Destruye el medio' "$work/err"
check "read-only: in Spanish too" $?
as shut --passphrase-file "$work/words" status >/dev/null
equal "read-only: and they do" $? 0
# A daemon whose disk became so under it: it answers as veredad does then, and its memory is what went.
if command -v python3 >/dev/null; then
	python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1] + ".new"); s.listen(); os.rename(sys.argv[1] + ".new", sys.argv[1])
c = s.accept()[0]; c.recv(100); c.sendall(b"error: disk\n")' "$work/shut/ctl" &
	daemons+=($!)
	within 20 test -S "$work/shut/ctl"
	ends "read-only: wipe with a daemon" 15 still/shut wipe --yes
	grep -q 'forgot the keys in its memory' "$work/err" && grep -q 'key slots still open' "$work/err"
	check "read-only: wipe with a daemon: its memory went, the slots stand" $? || cat "$work/err"
	rm -f "$work/shut/ctl"
else
	echo "ok read-only: wipe with a daemon # SKIP no python3"
fi
"$build/veredad" --home "$work/still/hub" --no-discovery --listen 127.0.0.1:0 2>"$work/err"
equal "read-only: veredad" $? 15
grep -q . "$work/err"
check "read-only: veredad says why" $?
equal "read-only: nothing was changed" "$(find "$work/hub" -type f ! -name lock.mdb -exec sha256sum {} + | sort)" "$before"
# (which says a receipt all the same, and keeps it)
ends "read-only: export onto it" 15 hub export "$work/still/there"
umount "$work/still"
ends "read-only: add when it can be written again" 0 hub add message -m "by the river"
equal "read-only: the store is sound" "$(as hub --json check | jq -c '[.bad, .derived_bad]')" "[0,0]"

# Somebody else's home, or one that was closed: tried as an account for which modes count.
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --clear-groups true 2>/dev/null; then
	open=$(mktemp -d) # where that account comes to
	chmod 755 "$open"
	cp "$build/vereda" "$open/vereda"
	cp -r "$work/hub" "$open/hub"
	other() { setpriv --reuid=65534 --clear-groups "$open/vereda" --home "$open/$1" --no-input --lang en "${@:2}" >"$work/said" 2>"$work/err"; }
	other hub list
	equal "closed: somebody else's store" $? 1
	grep -q 'ls -ld' "$work/err"
	check "closed: says where to look" $?
	chown -R 65534 "$open/hub"
	chmod 400 "$open"/hub/*
	other hub add message -m "lost?"
	equal "closed: files that may not be written" $? 1
	chmod 600 "$open"/hub/*
	chmod 500 "$open/hub"
	other hub list
	equal "closed: a folder that may not be written is read" "$?:$(wc -l <"$work/said")" 0:11
	other new init --name new --no-passphrase
	equal "closed: a place where nothing may be made" $? 1
	[ ! -e "$open/new" ]
	check "closed: and nothing is" $?
	rm -rf "$open"
else
	echo "ok closed # SKIP no other account to try it as"
fi
exit $failed
