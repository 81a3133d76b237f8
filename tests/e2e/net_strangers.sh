#!/bin/bash
# Strangers learn nothing: everything that two starts put on a cable is recorded and compared; who probes, replays, lures, or stands in
# the middle and cuts, turns, reflects and interleaves gets the 32 random bytes of a prologue and no record, and does no harm.
. "$(dirname "$0")/lib.bash"
. tests/e2e/net.bash
apart --net "$1" || { echo "not ok strangers: this kernel gives us no network namespace"; exit 1; }
wire=$work/wire
gcc -O2 -D_GNU_SOURCE -o "$wire" tests/e2e/wire.c -lm || exit 1

cable ana || exit 1
inside[eve]=${inside[ana]}
sysctl -qw net.ipv6.conf.v0.disable_ipv6=1 2>/dev/null
cable_addresses ana
cable_up ana
${inside[ana]} ip route add 239.0.0.0/8 dev v1

found hub ana || exit 1
rows 30 "El Mango" | as hub --quiet load message - >/dev/null
as ana --quiet alert "Two trucks at the ford" >/dev/null

recorder=
recorded() { # interface, file
	"$wire" record "$1" "$2" >"$work/recording" &
	recorder=$!
	daemons+=($recorder)
	within 5 grep -q recording "$work/recording"
}
unrecorded() {
	sleep 0.2
	kill "$recorder"
	wait "$recorder" 2>/dev/null
}

# Two starts, all packets: beacons, handshakes, a first sync and one that finds nothing new.
for round in first second; do
	recorded v0 "$work/$round" || exit 1
	start hub --discover-on v0 || exit 1
	start ana --discover-on v1 || exit 1
	settled() { same hub ana && logged hub '^<6>settled' && logged ana '^<6>settled'; }
	within 30 settled
	check "strangers: the $round start is recorded to its end" $?
	ends "strangers: the daemons of the $round start end" TERM hub ana
	unrecorded
	beacons=$(grep -c '^udp [0-9]* 17766 ' "$work/$round")
	[ "$beacons" -ge 2 ] && [ "$(grep -c '^tcp' "$work/$round")" -ge 6 ]
	check "strangers: with its $beacons beacons and its sessions" $?
done
equal "strangers: no run of 7 bytes stands in both starts" "$("$wire" common "$work/first" "$work/second" | cut -d' ' -f1)" 0
known() { # all that could tell a stranger who they are, in hexadecimal
	as hub --json group list | jq -r .group
	as hub --json members | jq -r '.member, .devices[].device'
	as hub --json status | jq -r '.device, .groups[].lanes[].digest'
	as ana --json status | jq -r .device
	as hub --json list | jq -r '.id' | head -5
	for text in "Group of hub" "Two trucks" "El Mango" "vereda" "hub" "message" "headline"; do
		[ ${#text} -ge 6 ] && printf %s "$text" | od -An -tx1 | tr -d ' \n' && echo
	done
}
known >"$work/known"
leaks=0
while read -r hex; do
	for round in first second; do
		"$wire" holds "$work/$round" "$hex" && leaks=$((leaks + 1)) && echo "# $round holds $hex"
	done
done <"$work/known"
equal "strangers: none of $(wc -l <"$work/known") names, keys, ids and words is on the cable" "$leaks" 0
own=$(awk '$1 == "tcp" { print substr($4, 1, 32); exit }' "$work/first")
"$wire" holds "$work/first" "$own" && ! "$wire" holds "$work/second" "$own"
check "strangers: (and what is there is found)" $?

# Probes: whatever a stranger says, also what a member said before, it gets 32 bytes, new ones each time.
start hub --discover-on v0 --listen 10.98.0.1:0 || exit 1
probe() { # hex file with what to say: prints what it gets
	${inside[eve]} bash -c 'exec 5<>/dev/tcp/10.98.0.1/'"${port[hub]}"' && cat "$0" >&5 && timeout 2 cat <&5' "$1" 2>/dev/null
}
hex_to() { # hex file
	printf '%b' "$(sed 's/../\\x&/g' <<<"$1")" >"$2"
}
replies=0 bytes=0
for said in $(awk '$1 == "tcp" && length($4) == 96 { print $4 }' "$work/first" "$work/second" | head -4) \
	$(awk '$1 == "tcp" && length($4) > 96 { print $4 }' "$work/first" | head -3); do
	hex_to "$said" "$work/said"
	replies=$((replies + 1))
	bytes=$((bytes + $(probe "$work/said" | wc -c)))
done
[ "$replies" -ge 4 ]
check "strangers: $replies recorded messages are replayed" $?
equal "strangers: each gets the 32 bytes of a prologue" "$bytes" $((32 * replies))
for i in $(seq 200); do
	${inside[eve]} bash -c 'exec 5<>/dev/tcp/10.98.0.1/'"${port[hub]}"' && head -c 32 <&5' 2>/dev/null >"$work/prologue.$i"
done
cat "$work"/prologue.* >"$work/prologues"
equal "strangers: 200 probes get 32 bytes each" "$(stat -c %s "$work/prologues")" 6400
equal "strangers: all of them new" "$(cd "$work" && sha256sum prologue.* | cut -d' ' -f1 | sort -u | wc -l)" 200
score=$("$wire" chi "$work/prologues" | cut -d' ' -f2)
awk -v z="$score" 'BEGIN { exit !(z < 6.5 && z > -6.5) }'
check "strangers: uniform ones (chi-square is $score deviations off)" $?

# A lure: a beacon of Ana's, said again from her address when she is gone. Who answers it says 48 random bytes, and hears that it is not she.
set -- $(awk '$1 == "udp" && $3 == 17766 && length($4) == 164 { print $4 }' "$work/first" "$work/second")
lured=0 mute=0
for beacon; do
	port_in=$((16#${beacon:32:4}))
	${inside[eve]} timeout 20 "$wire" trap "$port_in" >"$work/trap" 2>/dev/null &
	trapper=$!
	within 5 grep -q ready "$work/trap" || continue
	hex_to "$beacon" "$work/beacon"
	${inside[eve]} bash -c 'for i in 1 2 3; do cat "$0" >/dev/udp/239.255.77.66/17766; sleep 0.5; done' "$work/beacon"
	within 4 grep -qE '^[0-9]+$' "$work/trap" && {
		lured=$((lured + 1))
		equal "strangers: a lure hears 48 bytes and no more" "$(tail -1 "$work/trap")" 48
	}
	kill $trapper 2>/dev/null
	wait $trapper 2>/dev/null
	[ "$lured" -ge 1 ] && break
done
[ "$lured" -ge 1 ]
check "strangers: a lure is answered at all" $?
# The same beacon from elsewhere is no beacon.
${inside[eve]} ip address add 10.98.0.3/24 dev v1
heard=$(grep -c '^<6>heard' "$work/hub.log")
${inside[eve]} ip route replace 239.0.0.0/8 dev v1 src 10.98.0.3
for beacon; do
	hex_to "$beacon" "$work/beacon"
	${inside[eve]} bash -c 'cat "$0" >/dev/udp/239.255.77.66/17766' "$work/beacon"
done
sleep 1
equal "strangers: and from another address nobody listens to it" "$(grep -c '10\.98\.0\.3' "$work/hub.log")" 0
ends "strangers: the probed daemon ends" TERM hub

# In the middle, on a loopback of our own. Each with a copy of its own of a newcomer who has nothing yet, all at once.
start hub --listen 127.0.0.1:0 --no-discovery || exit 1
as ben --quiet init --name ben --no-passphrase >/dev/null
as hub --quiet admit "$(as ben --json id | jq -r .id)" --name ben -o "$work/ben.welcome" >/dev/null
as ben --quiet join "$work/ben.welcome" >/dev/null
started=$(digests ben)
proxy_port=$((20000 + RANDOM % 20000))
trials=0
names=()
middle() { # name, visitors, mode, n: stands between that many visitors and the hub; what became of them in $work/trial.N
	local at_port=$((proxy_port + trials)) n=$trials
	names+=("$1")
	trials=$((trials + 1))
	(
		"$wire" proxy $at_port "${port[hub]}" "${@:3}" >"$work/proxy.$n" 2>"$work/proxy.$n.log" &
		proxy=$!
		within 5 grep -q ready "$work/proxy.$n"
		for v in $(seq "$2"); do
			cp -r "$work/ben" "$work/ben.$n.$v"
			as "ben.$n.$v" sync "127.0.0.1:$at_port" >/dev/null 2>&1 </dev/null &
			visitors[v]=$!
		done
		for v in $(seq "$2"); do
			wait "${visitors[v]}"
			echo "$? $([ "$(digests "ben.$n.$v")" = "$started" ] && echo nothing)"
		done >"$work/trial.$n"
		kill $proxy
	) 2>/dev/null &
	waiting+=($!)
}
waiting=()
recorded lo "$work/middle" || exit 1
for at in 40 48 100 112 150; do
	middle "who cuts after $at bytes" 1 cut $at
done
for at in 0 31 32 64 127 128 130 150; do
	middle "who turns byte $at of what the called end says" 1 flip $at
done
for at in 0 31 47 48 90 111 112 113 130 200; do
	middle "who turns byte $at of what the caller says" 1 turn $at
done
middle "who says back to each what it said" 1 reflect
for at in 1 48 112 150; do
	middle "who crosses two conversations after $at bytes" 2 cross $at
done
wait "${waiting[@]}"
for n in $(seq 0 $((trials - 1))); do
	awk '$1 == 0 || $2 != "nothing" { bad = 1 } END { exit bad || !NR }' "$work/trial.$n"
	check "strangers: ${names[n]} gets nothing through ($(paste -sd, "$work/trial.$n"))" $?
done
equal "strangers: who cut the first message heard 32 bytes" "$(sed -n 's/.*called //p' "$work/proxy.0.log" | head -1)" 32
unrecorded
equal "strangers: the one in the middle has no run of 7 bytes with the first start" \
	"$("$wire" common "$work/first" "$work/middle" | cut -d' ' -f1)" 0
kill -0 "${pid[hub]}"
check "strangers: the daemon lives" $?
"$wire" proxy $((proxy_port + trials)) "${port[hub]}" pass >"$work/proxy" 2>/dev/null &
daemons+=($!)
within 5 grep -q ready "$work/proxy"
as ben sync "127.0.0.1:$((proxy_port + trials))" >/dev/null 2>&1
check "strangers: who only listens hinders nobody" $?
same hub ben
check "strangers: and all is there" $?
ends "strangers: the daemon ends cleanly" TERM hub
exit $failed
