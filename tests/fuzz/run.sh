#!/bin/bash
# Runs every fuzz target for so many seconds, two at a time. usage: run.sh SECONDS [NAME…]
#
# Starts from the committed corpus and what earlier runs found. New inputs go to build/fuzz/corpus/, crashes to build/fuzz/finds/;
# one worth keeping is copied to tests/fuzz/corpus/<name>/ by hand, and from then on `make test` replays it.
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:?usage: run.sh SECONDS [NAME...]}
shift
[ $# = 0 ] && set -- $(ls tests/fuzz/*_fuzz.c | sed 's|.*/||; s|_fuzz\.c$||')
mkdir -p build/fuzz/finds build/fuzz/logs
rm -f build/fuzz/logs/*
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1

one() {
	local name=$1 log=build/fuzz/logs/$1
	mkdir -p "build/fuzz/corpus/$name"
	if build/fuzz/tests/fuzz/"$name"_fuzz -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -max_len=140000 \
		-artifact_prefix="build/fuzz/finds/$name-" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
		echo "ok $name: $(grep -o '^Done.*' "$log"), $(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -1)"
	else
		tail -30 "$log" | sed 's/^/    | /'
		echo "not ok $name: see build/fuzz/logs/$name and build/fuzz/finds/"
		touch "$log.failed"
	fi
}

for name in "$@"; do
	while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
		wait -n
	done
	one "$name" &
done
wait
failed=$(ls build/fuzz/logs/*.failed 2>/dev/null | wc -l)
echo "fuzz: $# targets, $failed failed"
[ "$failed" = 0 ]
