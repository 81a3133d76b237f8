#!/bin/bash
# Runs the tests and ends with "N passed, N failed".
#
# A test is a program that prints TAP-like lines, "ok …" and "not ok …". One that prints none, dies or runs out of time counts as
# failed. usage: run.sh [asan | clang | PROGRAM…]; without arguments: everything that `make test` builds.
cd "$(dirname "$0")/.." || exit 1
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export CMOCKA_MESSAGE_OUTPUT=TAP LC_ALL=C.UTF-8 TZ=UTC
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
unset VEREDA_HOME XDG_DATA_HOME

# The unit tests run on the disk as gcc made them. Once more, as clang did or with sealed stores, they have a /tmp of their own in memory and need not
# wait for fsync; without root, or with little memory, they are on the disk too.
memory=(unshare --mount bash -c '
	mount -t tmpfs -o mode=1777 tmpfs "$0" || exit
	case $PWD in /tmp/*) mkdir -p "$0${PWD#/tmp}" && mount --bind "$PWD" "$0${PWD#/tmp}" || exit ;; esac
	mount --move "$0" /tmp && cd "$PWD" && exec "$@"' "$logs/memory")
mkdir "$logs/memory"
[ "$(id -u)" = 0 ] && [ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" -ge 4000000 ] && "${memory[@]}" true 2>/dev/null || memory=()

one() { # name, log, command…
	local name=$1 log=$2 started=$SECONDS passed failed skipped status
	shift 2
	case $name in
	build/clang/* | build/asan/* | tests/e2e/sealed_units.sh) set -- "${memory[@]}" "$@" ;;
	esac
	timeout -k 10 "${LIMIT:-400}" "$@" >"$log" 2>&1 </dev/null
	status=$?
	passed=$(grep -c '^ok ' "$log")
	failed=$(grep '^not ok ' "$log" | grep -vc '# SKIP') # cmocka's word for a test that has no place here
	if [ "$failed" = 0 ] && { [ $status != 0 ] || [ "$passed" = 0 ]; }; then
		failed=1
		echo "not ok $name: exit status $status" >>"$log"
	fi
	echo "$passed $failed" >"$log.count"
	if [ "$failed" = 0 ]; then
		skipped=$(grep -c '^not ok .*# SKIP' "$log")
		printf '%-44s %4d passed %4d s%s\n' "$name" "$passed" $((SECONDS - started)) "$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
	else
		printf '%-44s %4d passed, %d FAILED\n' "$name" "$passed" "$failed"
		echo "$name: $(grep '^not ok ' "$log" | grep -v '# SKIP' | head -5 | tr '\n' ';')" >"$log.failed"
		grep -n '^not ok ' "$log" | grep -v '# SKIP' | head -20
		tail -40 "$log" | sed 's/^/    | /'
	fi
}

variant_programs() { # build folder
	ls "$1"/tests/unit/*_test "$1"/tests/fuzz/*_replay 2>/dev/null
}

if [ "$1" = asan ] || [ "$1" = clang ]; then
	set -- $(variant_programs "build/$1")
elif [ $# = 0 ]; then
	# Whole programs: end to end, simulated, with the power cut, with faults. The longest begin first, so that none of them is left alone at the end.
	set -- $(ls tests/e2e/sealed_units.sh tests/faults/faults.sh tests/sim/sim_test.sh tests/crash/crash.sh) \
		tests/e2e/{stick_auto,net_strangers,full_disk,daemon_lock,cli_passphrase,cli_backup}.sh \
		$(variant_programs build/asan) tests/e2e/*.sh tests/sim/*.sh tests/crash/*.sh tests/faults/*.sh \
		tests/layers_test.sh $(variant_programs build)
	set -- $(printf '%s\n' "$@" | awk '!seen[$0]++')
fi

# Many wait more than they work: one more at once than there are processors.
at_once=$(($(nproc) + 1))
number=0
for program in "$@"; do
	number=$((number + 1))
	while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
		wait -n
	done
	one "$program" "$logs/$number" "./$program" &
done
wait
passed=0
failed=0
for count in "$logs"/*.count; do
	read -r p f <"$count"
	passed=$((passed + p))
	failed=$((failed + f))
done
cat "$logs"/*.failed 2>/dev/null # again, at the end
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
