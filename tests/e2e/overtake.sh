#!/bin/bash
# A photo of 5 MB moves over a line of 64 kB a second, and in the middle of it an alert is raised: it arrives first, by minutes. What is asserted is the order; how
# long it took is told.
. "$(dirname "$0")/lib.bash"
. tests/e2e/net.bash
apart --net "$1" || { echo "not ok overtake: this kernel gives us no network namespace"; exit 1; }

cable ana || exit 1
cable_addresses ana
cable_up ana
slow() { # the line's rate, both ways, with as much of a queue as a modem has
	tc qdisc replace dev v0 root tbf rate "$1" burst 4kb latency 300ms &&
		${inside[ana]} tc qdisc replace dev v1 root tbf rate "$1" burst 4kb latency 300ms
}
if ! slow 512kbit; then
	echo "ok overtake: # SKIP no token bucket in this kernel"
	exit $failed
fi

found hub ana || exit 1
head -c 5000000 /dev/urandom >"$work/photo.bin"
photo=$(as hub --json add document title=photo --attach "$work/photo.bin" | jq -r .id)
here() { ${inside[ana]} "$build/vereda" --home "$work/ana" --no-input --json show "$photo" 2>/dev/null | jq '.attachments[0].chunks_here // 0'; }
some() { [ "$(here)" -ge "$1" ] 2>/dev/null; }

start hub --listen 10.98.0.1:0 --no-discovery || exit 1
start ana --peer "10.98.0.1:${port[hub]}" --no-discovery || exit 1
within 60 some 20
check "overtake: the photo is on its way" $?

trial() { # name, from, to
	local ms before after
	before=$(here)
	ms=$(alert_ms "$2" "$3")
	after=$(here)
	[ "$ms" -lt 20000 ] && [ "$after" -lt 300 ]
	check "overtake: $1 in ${ms} ms, when $after of 327 parts were there (before: $before)" $?
}
trial "an alert passes the photo" hub ana
trial "and another" hub ana
trial "and one the other way" ana hub
as hub --json add message -m "a text" >/dev/null
texted() { ${inside[ana]} "$build/vereda" --home "$work/ana" --no-input --json list message | grep -q "a text"; }
within 20 texted && [ "$(here)" -lt 300 ]
check "overtake: a text too" $?

# Cut in the middle: what has come stays, and the rest follows.
dies ana
before=$(here)
slow 100mbit
start ana --peer "10.98.0.1:${port[hub]}" --no-discovery || exit 1
some 1 && [ "$before" -ge 20 ]
check "overtake: a break loses nothing that had come ($before parts)" $?
within 60 same hub ana
check "overtake: and the rest comes" $?
mkdir "$work/got"
as ana get "$photo" -o "$work/got" >/dev/null 2>&1 && cmp -s "$work/photo.bin" "$work/got/photo.bin"
check "overtake: the photo is whole" $?
ends "overtake: both end cleanly" TERM hub ana
exit $failed
