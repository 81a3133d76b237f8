#!/bin/bash
# Two networks joined by a cable: daemons there find each other by beacon alone, over IPv4, over IPv6, and by no other interface.
. "$(dirname "$0")/lib.bash"
. tests/e2e/net.bash
apart --net "$1" || { echo "not ok veth: this kernel gives us no network namespace"; exit 1; }

cable ana || exit 1
# An interface that nobody named: nothing may ever leave by it.
ip link add other type veth peer name stub
sysctl -qw net.ipv6.conf.other.disable_ipv6=1 net.ipv6.conf.stub.disable_ipv6=1 2>/dev/null
ip link set stub up
ip link set other up
ip address add 10.99.0.1/24 dev other
ip route add default dev other
left() { ip -s -j link show other | jq -e '.[0].stats64.tx.packets'; }

found hub ana || exit 1
rows 50 | as hub --quiet load message - >/dev/null
left() { ip -s -j link show other | jq ".[0].stats64.tx.packets"; }
started=$(left) || exit 1

trial() { # name
	start hub --discover-on v0 || exit 1
	start ana --discover-on v1 || exit 1
	within 30 same hub ana
	check "veth: they find each other over $1" $?
	within 10 logged hub '^<6>settled'
	prompt "veth: an alert on one is listed on the other within a second over $1" hub ana
	prompt "veth: and back over $1" ana hub
	ends "veth: both end cleanly" TERM hub ana
}
# IPv6 link-local only: what a cable between two machines gives by itself.
cable_up ana
has6() { ip -6 address show dev v0 | grep -q 'scope link' && ${inside[ana]} ip -6 address show dev v1 | grep -q 'scope link'; }
if within 5 has6; then
	trial IPv6
else
	echo "ok veth: # SKIP no IPv6 in this kernel"
fi
cable_addresses ana
sysctl -qw net.ipv6.conf.v0.disable_ipv6=1 2>/dev/null
trial IPv4
grep -q 'to=10\.98\.0\.\|from=10\.98\.0\.' "$work/hub.log"
check "veth: IPv4 it was" $?

# Both at once: a neighbour heard at two addresses is one neighbour, and nothing crosses twice.
sysctl -qw net.ipv6.conf.v0.disable_ipv6=0 2>/dev/null
if within 5 has6; then
	start hub --discover-on v0 || exit 1
	start ana --discover-on v1 || exit 1
	both() { grep -q 'opened.*=10\.98\.' "$work/$1.log" && grep -q 'opened.*=\[fe80' "$work/$1.log"; }
	within 30 both hub
	check "veth: they meet over both" $?
	sessions() { as hub --json status | jq '.peers | length'; }
	one() { [ "$(sessions)" = 1 ]; }
	within 15 one
	check "veth: and one session is left" $?
	prompt "veth: by which an alert crosses within a second" hub ana
	ends "veth: both end after that" TERM hub ana
fi
sysctl -qw net.ipv6.conf.v0.disable_ipv6=1 2>/dev/null

# Started before there is a network: it comes later.
ip address del 10.98.0.1/24 dev v0
rows 10 "later" | as ana --quiet load message - >/dev/null
start hub --discover-on v0 || exit 1
start ana --discover-on v1 || exit 1
within 5 logged hub 'no address on=v0'
check "veth: an interface without an address is said so" $?
ip address add 10.98.0.1/24 dev v0
within 30 same hub ana
check "veth: a network that comes later is used" $?
ends "veth: both end" TERM hub ana

equal "veth: nothing left by an interface that was not named ($started packets before)" "$(left)" "$started"
start hub --discover-on v0 --no-discovery || exit 1
start ana --discover-on v1 || exit 1
sleep 3
! logged ana '^<6>heard'
check "veth: --no-discovery is silent" $?
exit $failed
