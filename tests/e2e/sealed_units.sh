#!/bin/bash
# The unit tests of the store once more, with every store they make sealed: it must make no difference. Two at once, or it would outlast all others.
cd "$(dirname "$0")/../.." || exit 1
export VD_TEST_SEALED=1

one() { # test's source
	local name out
	name=$(basename "$1" .c)
	if out=$("build/tests/unit/$name" 2>&1); then
		echo "ok - sealed: $name"
	else
		printf 'not ok - sealed: %s\n%s\n' "$name" "$(grep -A3 '^not ok' <<<"$out")"
		return 1
	fi
}
export -f one

grep -lE 'store_cast|mesh_fixture|custody_cast|acts_cast|merge_cast|view_cast' tests/unit/*_test.c |
	xargs -P 2 -I{} bash -c 'one {}'
