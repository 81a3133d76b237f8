#!/bin/bash
# Each line of the threat table in PROTOCOL.md names tests that are there and are run.
cd "$(dirname "$0")/../.." || exit 1
failed=0
lines=0
while IFS= read -r line; do
	lines=$((lines + 1))
	who=$(cut -d'|' -f2 <<<"$line" | sed 's/^ *//; s/ *$//')
	missing=
	for test in $(awk -F'|' '{ print $(NF - 1) }' <<<"$line" | tr -d '`'); do
		case $test in
		*_test) [ -f "tests/unit/$test.c" ] ;;
		*.sh) [ -x "tests/e2e/$test" ] ;;
		*) [ -f "tests/sim/$test.c" ] ;;
		esac || missing+=" $test"
	done
	if [ -z "$missing" ]; then
		echo "ok threats: $who"
	else
		echo "not ok threats: $who: no such test:$missing"
		failed=1
	fi
done < <(sed -n '/^## 12\. Threats/,$p' proto/PROTOCOL.md | grep '^| \*\*')
if [ "$lines" -lt 10 ]; then
	echo "not ok threats: the table has $lines lines"
	failed=1
fi
exit $failed
