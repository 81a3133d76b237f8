#!/bin/bash
# The layers hold, and the check notices when they do not.
cd "$(dirname "$0")/.." || exit 1
status=0
result() { if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2"; status=1; fi; }

tests/layers.sh build/libvereda.a
result $? "layers: includes and calls go one way"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r proto store daemon cli tests "$copy"
cd "$copy" || exit 1
ar rcs empty.a
tests/layers.sh empty.a >/dev/null
result $? "layers: a copy of the sources is as clean"
broken() { # what, file, line
	[ -e "$2" ] && cp "$2" kept
	printf '%s\n' "$3" >>"$2"
	! tests/layers.sh empty.a >/dev/null 2>&1
	result $? "layers: notices $1"
	if [ -e kept ]; then mv kept "$2"; else rm "$2"; fi
}
broken "a clock in proto" proto/err.c '#include <time.h>'
broken "proto reaching up" proto/err.c '#include "store/store.h"'
broken "the store reaching up" store/vault.h '#include "daemon/ctl.h"'
broken "the command line taking the daemon's insides" cli/probe.c '#include "daemon/loop.h"'
printf '#include <sodium.h>\nvoid probe(unsigned char *p);\nvoid probe(unsigned char *p) { randombytes_buf(p, 1); }\n' >probe.c
gcc -c probe.c -o probe.o && ar rcs impure.a probe.o
! tests/layers.sh impure.a >/dev/null 2>&1
result $? "layers: notices randomness in proto"
exit $status
