#!/bin/bash
# veredad behind its walls: they stand, and everything still works.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

found hub ana || exit 1
start hub --listen 127.0.0.1:0 || exit 1
of_hub() { sed -n "s/^$1:[[:space:]]*//p" "/proc/${pid[hub]}/status"; }

as hub --json status >"$work/status"
wall() { jq -r ".walls.$1" "$work/status"; }
for each in no_core no_new_privileges no_capabilities landlock seccomp parser locked_memory; do
	stands=$(wall $each)
	[ "$stands" = true ] || [ "$stands" = false ]
	check "walls: status says whether $each stands" $?
	# What is missing is said, and nothing else is.
	said=false
	logged hub "^<4>no wall=$each:" && said=true
	equal "walls: the log warns of $each when it is missing" "$said" "$([ "$stands" = true ] && echo false || echo true)"
done
equal "walls: no_core stands everywhere" "$(wall no_core)" true
# Who is not root cannot look at a process that lets nobody look.
if [ -r "/proc/${pid[hub]}/status" ] && of_hub Name >/dev/null 2>&1; then
	equal "walls: no new rights" "$(of_hub NoNewPrivs)" 1
	equal "walls: none of root's rights, and none to come" "$(of_hub Cap'\(Inh\|Prm\|Eff\|Amb\)' | sort -u)" 0000000000000000
	[ "$(id -u)" != 0 ] || equal "walls: nor for what root starts" "$(of_hub CapBnd)" 0000000000000000
	equal "walls: no core dump" "$(awk '/^Max core file size/ { print $5 $6 }' "/proc/${pid[hub]}/limits")" 00
	[ "$(wall seccomp)" = true ] && wanted=2 || wanted=$(awk '/^Seccomp:/ { print $2 }' /proc/self/status)
	equal "walls: the kernel agrees about seccomp" "$(of_hub Seccomp)" "$wanted"
	# Every thread is behind them, not only the first.
	equal "walls: so do all its threads" "$(cat /proc/"${pid[hub]}"/task/*/status | awk '/^Seccomp:/ { print $2 }' | sort -u)" "$wanted"
else
	[ "$(id -u)" != 0 ]
	check "walls: nobody else of this user can look into it" $?
fi
if grep -q landlock /sys/kernel/security/lsm 2>/dev/null; then
	equal "walls: Landlock stands where the kernel has it" "$(wall landlock)" true
fi
as hub status | grep -q 'Walls: '
check "walls: and people are told" $?
as hub --lang es status | grep -q 'Muros: '
check "walls: in Spanish as well" $?
"$build/vereda" --home "$work/ana" --no-input --json status | jq -e 'has("walls") and .walls == null' >/dev/null
check "walls: none without a daemon" $?

# Both ways, while it runs.
as hub --quiet add message -m "from the hub" >/dev/null
as ana --quiet add message -m "from ana" >/dev/null
as ana sync "127.0.0.1:${port[hub]}" >/dev/null
equal "walls: ana syncs with it" $? 0
same hub ana
check "walls: both have the same" $?
equal "walls: all of it" "$(count hub)" 2

# It calls by name, and is called; it starts calling by itself.
start ana --listen 127.0.0.1:0 --peer "localhost:${port[hub]}" || exit 1
as ana --quiet add message -m "pushed from daemon to daemon" >/dev/null
within 20 lists hub "pushed from daemon to daemon"
check "walls: two daemons find each other by name, and push" $?

# Files of others, with the daemon running and without.
as ana export "$work/all.vb" >/dev/null
as hub import "$work/all.vb" >/dev/null
equal "walls: a bundle is taken in beside it" $? 0
as hub import - <"$work/all.vb" >/dev/null
equal "walls: also from standard input" $? 0
mkdir "$work/stick"
as ana sync "$work/stick" >/dev/null && as hub sync "$work/stick" >/dev/null
equal "walls: and by stick" $? 0

# Nothing of ours ran into them.
! grep -E 'failed|cannot' "$work/hub.log" "$work/ana.log"
check "walls: neither log complains" $?
ends "walls: and end cleanly" TERM ana hub

# A file whose head is random is refused by the child, and the store is as before.
head -c 200000 /dev/urandom >"$work/noise"
before=$(digests hub)
as hub import "$work/noise" >/dev/null 2>"$work/err"
equal "walls: noise is no bundle (12)" $? 12
equal "walls: and changes nothing" "$(digests hub)" "$before"

exit $failed
