# Daemons for the end-to-end tests: source it after lib.bash.
declare -A pid port inside

# `cable ana`: ana lives in a network of its own from now on, at the end v1 of a cable to v0 here (after `apart --net`); it has no addresses yet, and is down.
cable() {
	local network far
	unshare --net sleep 600 &
	far=$!
	daemons+=($far)
	elsewhere() { [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; }
	within 10 elsewhere || return
	inside[$1]="nsenter --net=/proc/$far/ns/net"
	for network in "" "${inside[$1]}"; do
		$network sysctl -qw net.ipv6.conf.default.accept_dad=0 2>/dev/null
		$network ip link set lo up
	done
	ip link add v0 type veth peer name v1 netns $far
}
cable_addresses() {
	ip address add 10.98.0.1/24 dev v0
	${inside[$1]} ip address add 10.98.0.2/24 dev v1
}
cable_up() {
	ip link set v0 up
	${inside[$1]} ip link set v1 up
}

# `start ana --peer …`: veredad on ana's store, its log in $work/ana.log, its port in ${port[ana]}. ${inside[ana]}: a command
# that enters the network it lives in.
start() {
	local who=$1
	shift
	: >"$work/$who.log"
	${inside[$who]} "$build/veredad" --home "$work/$who" "$@" 2>"$work/$who.log" &
	pid[$who]=$!
	daemons+=($!)
	within 20 logged "$who" '^<6>ready' || { cat "$work/$who.log"; return 1; }
	port[$who]=$(sed -n 's/^<6>listening addr=.*:\([0-9]*\)$/\1/p' "$work/$who.log" | head -1)
}
logged() { grep -q "$2" "$work/$1.log"; }
# `ends "name of the check" TERM ana hub`: each ends with status 0.
ends() {
	local name=$1 signal=$2 who status
	shift 2
	for who in "$@"; do
		kill -"$signal" "${pid[$who]}"
		wait "${pid[$who]}" 2>/dev/null
		status=$?
		equal "$name ($who)" "$status" 0
		[ $status = 0 ] || cat "$work/$who.log"
	done
}
# Killed with no chance to say anything.
dies() {
	kill -9 "${pid[$1]}"
	wait "${pid[$1]}" 2>/dev/null
}
lists() { ${inside[$1]} "$build/vereda" --home "$work/$1" --no-input --json list | grep -q "$2"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# Milliseconds from one's acknowledged alert to the other's list; 99999 if it never comes.
alert_ms() { # from, to
	local id began
	id=$(as "$1" --json alert "Test of $1 to $2" --severity severe | jq -r .id)
	began=$(now_ms)
	within 20 lists "$2" "$id" && echo $(($(now_ms) - began)) || echo 99999
}
# The same, at best of three: the machine may be busy with other tests.
prompt() { # name, from, to
	local ms best=99999 try
	for try in 1 2 3; do
		ms=$(alert_ms "$2" "$3")
		[ "$ms" -lt "$best" ] && best=$ms
		[ "$best" -lt 1000 ] && break
	done
	[ "$best" -lt 1000 ]
	check "$1 ($best ms)" $?
}
# A daemon's private memory, in kB.
private_kb() { awk '/^RssAnon/ { print $2 }' "/proc/${pid[$1]}/status"; }
