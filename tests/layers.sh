#!/bin/bash
# Includes go one way (proto <- store <- daemon, cli), and proto is pure: no file, socket, clock, thread or randomness.
# usage: layers.sh libvereda.a
bad=0
complain() { echo "layers: $*"; bad=1; }

# Every include of a room that the pattern does not allow.
check() {
	local room=$1 allowed=$2 hit
	while IFS= read -r hit; do
		complain "$room may not include this: $hit"
	done < <(grep -HnE '^[[:space:]]*#[[:space:]]*include' "$room"/*.[ch] | grep -vE "include[[:space:]]+($allowed)")
}

std='<(assert|stdatomic|errno|float|inttypes|limits|math|stdarg|stdbool|stddef|stdint|stdlib|string)\.h>'
own='"[a-z0-9_]+\.h"'
check proto "$own|$std|<sodium\.h>|<msgpack\.h>|<zstd\.h>"
check store "$own|\"(proto|store)/[a-z0-9_]+\.h\"|<.*>"
check daemon "$own|\"(proto|store|daemon)/[a-z0-9_]+\.h\"|<.*>"
check cli "$own|\"(proto|store|cli)/[a-z0-9_]+\.h\"|\"daemon/(link_[a-z0-9_]+|ctl|sandbox)\.h\"|<.*>"

only() { # header, where it may be included
	local hit
	while IFS= read -r hit; do
		complain "<$1> belongs to $2 $hit"
	done < <(grep -HnE "include[[:space:]]+<$1>" {proto,store,daemon,cli}/*.[ch] | grep -vE "^$2")
}
only msgpack.h 'proto/mp\.c:'
only zstd.h 'proto/pack\.c:'
only lmdb.h 'store/'
only uv.h 'daemon/'
only jansson.h '(cli|daemon)/'
only qrencode.h 'cli/qr\.c:'

# What proto's objects call, whatever they include.
forbidden='randombytes.*|crypto_[a-z0-9_]+_(keygen|random)|crypto_[a-z0-9]+(_[a-z0-9]+)?_keypair|crypto_box_seal|crypto_pwhash.*|getrandom|getentropy|rand|random|rand_r|srand|arc4random.*'
forbidden+='|time|clock|clock_gettime|gettimeofday|nanosleep|usleep|sleep|localtime.*|gmtime.*'
forbidden+='|open|open64|openat|creat|fopen.*|fdopen|read|pread.*|write|pwrite.*|close|fsync|stat|fstat|unlink|rename|mmap.*|printf|fprintf|puts|fputs|putchar|perror'
forbidden+='|socket|connect|accept|bind|listen|send.*|recv.*|poll|select|epoll.*|fork|exec.*|system|popen|signal|sigaction|getenv|setenv|dlopen|pthread_.*|uv_.*|mdb_.*'
while IFS= read -r symbol; do
	complain "proto calls $symbol, which is no pure function"
done < <(nm -u "$1" 2>/dev/null | awk '$1 == "U" && $2 !~ /_seed_keypair$/ { sub(/@.*/, "", $2); print $2 }' | sort -u | grep -xE "(__)?($forbidden)(_chk)?")

# A header must stand alone.
for header in {proto,store,daemon,cli}/*.h; do
	[ -e "$header" ] || continue
	gcc -std=c11 -D_GNU_SOURCE -I. -fsyntax-only -include "$header" -x c /dev/null || complain "$header does not compile alone"
done
[ $bad = 0 ] && echo "layers: ok"
exit $bad
