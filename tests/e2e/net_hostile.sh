#!/bin/bash
# Peers that send garbage, half a handshake, too much or nothing: their connection ends, others go on, memory stays bounded.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

found hub ana || exit 1
rows 500 | as hub --quiet load message - >/dev/null
start hub --listen 127.0.0.1:0 || exit 1
to=/dev/tcp/127.0.0.1/${port[hub]}
alive() { kill -0 "${pid[hub]}"; }

# 32 random bytes, then nothing, whatever a stranger says.
exec 5<>"$to"
head -c 400 /dev/urandom >&5
said=$(timeout 3 cat <&5 | wc -c)
exec 5>&-
equal "hostile: a stranger gets 32 bytes and silence" "$said" 32

head -c 3000000 /dev/urandom >"$work/garbage"
for n in 1 20 47 48 112 65535 3000000; do
	for try in 1 2 3; do
		(exec 5<>"$to" && head -c $n "$work/garbage" >&5) 2>/dev/null &
	done
done
yes "GET / HTTP/1.1" | head -c 100000 2>/dev/null | (exec 5<>"$to" && cat >&5) 2>/dev/null
# More silent ones than there are places.
for i in $(seq 150); do
	(exec 5<>"$to" && exec sleep 20) 2>/dev/null &
	daemons+=($!)
done
sleep 0.5
alive
check "hostile: it lives" $?
as ana --json sync "127.0.0.1:${port[hub]}" >"$work/synced"
equal "hostile: an honest visit gets through a crowd of silent ones" $? 0
same hub ana
check "hostile: and brings everything" $?
memory=$(private_kb hub)
[ "$memory" -le 49152 ]
check "hostile: private memory is bounded ($memory kB)" $?

# A hundred connections at once, most of two members who mean harm: bad signatures, the same again and again, costly questions.
"$build/tests/bench/bench" flood "$work/hub" "127.0.0.1:${port[hub]}" >"$work/flood" &
flood=$!
daemons+=($flood)
flooded() { [ "$(sed -n '$s/.*sessions=\([0-9]*\) .*/\1/p' "$work/flood")" -ge 10 ] 2>/dev/null; }
within 60 flooded
check "hostile: the flood is up" $?
rows 500 honest | as ana --quiet load message - >/dev/null
as ana --json sync "127.0.0.1:${port[hub]}" >"$work/synced"
equal "hostile: an honest sync gets through a flood" "$? $(jq '.sent >= 500' "$work/synced")" "0 true"
alert=$(as ana --json alert "Trucks at the bridge" --severity severe | jq -r .id)
as ana --json sync "127.0.0.1:${port[hub]}" >/dev/null
within 30 lists hub "$alert"
check "hostile: and so does an alert" $?
memory=$(private_kb hub)
[ "$memory" -le 98304 ]
check "hostile: private memory is bounded under the flood ($memory kB)" $?
kill $flood
wait $flood 2>/dev/null
ends "hostile: it still ends cleanly" TERM hub
! grep -qiE 'sanitizer|assert|panic' "$work/hub.log"
check "hostile: and without complaint" $?
exit $failed
