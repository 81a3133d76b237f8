#!/bin/bash
# A stick that holds a few files: the news of each of five devices arrives everywhere, since everybody leaves a receipt and makes room of what all have.
. "$(dirname "$0")/lib.bash"
apart --mount "$1"
found hub a b c d
small=$work/small big=$work/big
mkdir "$small" "$big"
mount -t tmpfs -o size=480k small "$small" 2>/dev/null || {
	echo "ok a small stick # skip nothing can be mounted"
	exit 0
}
all="hub a b c d"
for _ in 1 2; do
	for who in $all; do
		as $who sync "$big" >/dev/null 2>&1
	done
done

# One message each, and one alert of who comes last: never a failure that lasts, never a receipt that is not left.
unsaid=0 alerts=0
visit() {
	as "$1" --json sync "$small" >"$work/said" 2>/dev/null
	unsaid=$((unsaid + $(jq 'select(has("unsaid")) | if .unsaid then 1 else 0 end' "$work/said")))
	alerts=$((alerts + $(jq 'select(has("not_written")) | .not_written.urgent' "$work/said")))
}
for who in $all; do
	as $who --quiet add message -m "of $who: $(head -c 20000 /dev/urandom | base64 -w0)" >/dev/null
	visit $who
done
as d --quiet alert "of d" >/dev/null
everywhere() {
	local who
	for who in $all; do
		[ "$(count $who)" = 6 ] || return 1
	done
}
rounds=0
while ! everywhere && [ $rounds -lt 6 ]; do
	for who in d $all; do
		visit $who
	done
	rounds=$((rounds + 1))
done
everywhere
check "a small stick: all news is everywhere after $rounds rounds" $?
equal "a small stick: there was room for every receipt" "$unsaid" 0
equal "a small stick: there was room for the alert at once" "$alerts" 0
for _ in 1 2 3; do
	for who in $all; do
		visit $who
	done
done
as hub --json sync "$small" >"$work/said" 2>/dev/null
equal "a small stick: and in the end nothing is to be done" "$(jq -c 'select(has("complete")) | [.complete, .sent, .bytes_out]' "$work/said")" "[true,0,0]"
for who in $all; do
	as $who --json sync --check "$small" >"$work/said" 2>/dev/null
	equal "a small stick: $who knows that all of it is elsewhere" "$(jq 'select(has("safe_to_wipe")) | .safe_to_wipe' "$work/said")" true
done
umount "$small"
exit $failed
