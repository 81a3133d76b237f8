#!/bin/bash
# A member is revoked while others are away: they catch up over TCP, whoever calls; the revoked one gets and delivers nothing.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

reads() { as "$1" --json list | grep -q "$2"; }
found hub ana ben cyd dan || exit 1
rows 60 "hub row" | as hub --quiet load message - >/dev/null
start hub --listen 127.0.0.1:0 || exit 1
for who in ana ben cyd; do
	as "$who" --json sync "127.0.0.1:${port[hub]}" >/dev/null
	same hub "$who"
	check "laggard: $who holds what the hub does" $?
done
# dan stays connected.
start dan --listen 127.0.0.1:0 --peer "127.0.0.1:${port[hub]}" || exit 1
within 30 same hub dan
within 10 logged hub '^<6>settled'

# ana, ben and cyd are away. Each writes something.
rows 30 "ana row" | as ana --quiet load message - >/dev/null
rows 30 "cyd row" | as cyd --quiet load message - >/dev/null
ana=$(as ana --json alert "ana, from the ridge" | jq -r .id)
cyd=$(as cyd --json alert "cyd, from the river" | jq -r .id)
ben=$(as ben --json alert "ben, from nowhere" | jq -r .id)
as hub --json revoke ben --yes >"$work/revoked" 2>/dev/null
equal "laggard: ben is revoked" $? 0
after=$(as hub --json add message -m "Written after ben was gone" | jq -r .id)
within 20 lists dan "$after"
check "laggard: an open session goes on under the new epoch" $?

# The revoked one calls: its handshake is understood, and it is sent away.
before=$(count ben)
as ben --json sync "127.0.0.1:${port[hub]}" >"$work/synced" 2>"$work/why"
[ $? != 0 ]
check "laggard: the revoked one's visit fails" $?
! grep -qiE 'revo|remov|expuls' "$work/why"
check "laggard: and is not told why" $?
# … and is called: it would have to say first who it is.
start ben --listen 127.0.0.1:0 || exit 1
as hub --json sync "127.0.0.1:${port[ben]}" >"$work/synced" 2>/dev/null
[ $? != 0 ]
check "laggard: calling the revoked one fails" $?
as hub sync "127.0.0.1:${port[ben]}" >"$work/synced" 2>"$work/why"
equal "laggard: with a status of its own" $? 1
grep -q "was removed from the group: it is ben's, with key $(as hub --json members --all | jq -r 'select(.name=="ben").devices[0].device[0:8]')" "$work/why" &&
	! grep -qi "ask a coordinator" "$work/why" && grep -q "vereda status" "$work/why"
check "laggard: and it is said whose it is, and where to look" $?
equal "laggard: the revoked one got nothing" "$(count ben)" "$before"
! lists ben "$after"
check "laggard: nor what was written after" $?
! lists hub "$ben"
check "laggard: and delivered nothing" $?
ends "laggard: ben's daemon ends cleanly" TERM ben

# Of a list two in some hundred look like one, and are sent once more (PROTOCOL 9).
gave() { jq -e ".complete and .$1 >= 31 and .$1 <= 33" "$work/synced" >/dev/null; }
# One that was away calls.
as ana --json sync "127.0.0.1:${port[hub]}" >"$work/synced"
equal "laggard: who was away calls" $? 0
gave sent
check "laggard: and gives all it wrote meanwhile" $?
same hub ana
check "laggard: both hold the same" $?
lists hub "$ana"
check "laggard: its alert is listed" $?
reads ana "Written after ben was gone"
check "laggard: it reads what was written after" $?

# Another is called: silent to the new epoch, it is called back under the old one.
start cyd --listen 127.0.0.1:0 || exit 1
as hub --json sync "127.0.0.1:${port[cyd]}" >"$work/synced"
equal "laggard: who was away is called" $? 0
gave received
check "laggard: and gives all it wrote meanwhile" $?
same hub cyd
check "laggard: both hold the same" $?
lists hub "$cyd"
check "laggard: its alert is listed" $?
reads cyd "Written after ben was gone"
check "laggard: it reads what was written after" $?
# From now on it is like any other.
[ "$(as hub --json sync "127.0.0.1:${port[cyd]}" | jq '.bytes_in + .bytes_out')" -le 2000 ]
check "laggard: the next visit is a plain one" $?

# However many epochs behind: one call, which the one called answers under the epoch it is at. No other line is tried.
for tag in 0 1 2 3 4 5 6 7 8 9 10 11; do
	as eve$tag --quiet init --name eve$tag --no-passphrase >/dev/null
	as hub --quiet admit "$(as eve$tag --json id | jq -r .id)" --name eve$tag -o "$work/eve$tag.welcome" >/dev/null
	as hub --quiet revoke eve$tag --yes >/dev/null 2>&1
done
after=$(as hub --json add message -m "Written twelve epochs later" | jq -r .id)
ends "laggard: cyd's daemon ends" TERM cyd
start cyd --listen 127.0.0.1:0 || exit 1
as hub --json sync "127.0.0.1:${port[cyd]}" >"$work/synced"
equal "laggard: one that is twelve epochs behind is called" $? 0
same hub cyd
check "laggard: both hold the same" $?
reads cyd "Written twelve epochs later"
check "laggard: it reads what was written after" $?
equal "laggard: it was called once" "$(grep -cE '^<6>(opened|dropped|closed) conn=[0-9]* from' "$work/cyd.log") $(grep -c '^<6>opened conn=1 ' "$work/cyd.log")" "2 1"

# Whoever is connected when the revocation comes is gone at once, and gets nothing more.
! logged hub '^<6>closed.* why=author'
check "laggard: until then nobody was sent away" $?
as hub --quiet revoke dan --yes >/dev/null 2>&1
within 20 logged hub '^<6>closed.* why=author'
check "laggard: a session with one that is revoked ends" $?
last=$(as hub --json alert "Not for dan" | jq -r .id)
as ana --json sync "127.0.0.1:${port[hub]}" >/dev/null
lists ana "$last"
check "laggard: ana has what followed" $?
! lists dan "$last"
check "laggard: dan has not" $?
ends "laggard: all end cleanly" TERM hub cyd dan
exit $failed
