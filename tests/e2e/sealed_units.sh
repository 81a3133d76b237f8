#!/bin/bash
# The unit tests of the store once more, with every store they make sealed: it must make no difference.
cd "$(dirname "$0")/../.." || exit 1
export VD_TEST_SEALED=1
bad=0 number=0
for test in $(grep -lE 'store_cast|mesh_fixture|acts_cast|merge_cast|view_cast' tests/unit/*_test.c); do
	name=$(basename "$test" .c)
	[ "$name" = sealed_store_test ] && continue
	number=$((number + 1))
	if out=$("build/tests/unit/$name" 2>&1); then
		echo "ok $number - sealed: $name"
	else
		bad=1
		echo "not ok $number - sealed: $name"
		grep -A3 '^not ok' <<<"$out"
	fi
done
exit $bad
