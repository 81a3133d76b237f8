#!/bin/bash
# One author floods: they fill their own share of a device that set a low one, and nobody else's.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/net.bash"

found hub ana ben || exit 1
config() { as hub config get "$1" | cut -d' ' -f2; }
by() { as hub --json list | jq -r .author | sort | uniq -c | sort -n | awk '{ print $1 }' | paste -sd' '; }

# what may be set
equal "config: what holds when nothing is set" "$(as hub config get | paste -sd,)" "share.records 1048576,share.day 256M,reserve 32M,bulk.max all,promise 30,receipts on"
as hub --quiet config set share.day 500M >/dev/null && as hub --quiet config set reserve 2g >/dev/null
equal "config: sizes as people write them" "$(config share.day) $(config reserve)" "500M 2G"
equal "config: list says the same" "$(as hub config list)" "$(as hub config get)"
equal "config: and takes no name" "$(status_of as hub config list reserve)" 2
equal "config: as JSON" "$(as hub --json config get reserve)" '{"reserve":2147483648}'
as hub --quiet config set reserve 32M >/dev/null
equal "config: an unknown key" "$(as hub --json config get share.recods 2>&1 | jq -r '.error, .hint' | paste -sd,)" \
	"usage,Did you mean: share.records"
for wrong in "share.records 5M" "share.records 0" "share.day 1K" "reserve lots" "reserve 99999999999G" "reserve 5MM"; do
	equal "config: $wrong is refused" "$(status_of as hub config set $wrong)" 2
done

# a flood from one device, over the network
as hub --quiet config set share.records 50 >/dev/null
rows 3000 "flood" | as ana --quiet load message - >/dev/null
rows 40 "report" | as ben --quiet load message - >/dev/null
as ana --quiet export "$work/ana.bundle" >/dev/null
as ben --quiet export "$work/ben.bundle" >/dev/null
start ana --listen 127.0.0.1:0 || exit 1
as hub --json sync "127.0.0.1:${port[ana]}" >"$work/synced" 2>/dev/null
equal "shares: who comes to decline says how many, the first time too" "$? $(jq -c '[.complete, .declined]' "$work/synced")" "3 [true,2950]"
start hub --listen 127.0.0.1:0 || exit 1
as ana --json sync "127.0.0.1:${port[hub]}" >"$work/synced" 2>/dev/null
equal "shares: the flooder's own sync ends, and says what stays out" "$? $(jq -c '[.complete, .declined]' "$work/synced")" "3 [true,3000]"
as ana --lang en sync "127.0.0.1:${port[hub]}" >"$work/synced" 2>&1
equal "shares: to people, by name, and not that they should run it again" \
	"$? $(grep -c 'takes no more records of ana: their share of that device.s disk is used up' "$work/synced") $(grep -c 'again: only' "$work/synced")" "3 1 0"
there() { as ana --json --lang "$1" status | jq -r '.warnings[]' | grep -c "$2"; }
equal "shares: that is kept, whoever is connected" "$(there en '^hub takes no more records of ana: ') $(there es '^hub ya no recibe registros de ana: ')" "1 1"
as ben --json sync "127.0.0.1:${port[hub]}" >"$work/synced"
equal "shares: everybody else's ends well" "$? $(jq -c '[.complete, .declined]' "$work/synced")" "0 [true,0]"
equal "shares: the flooder has fifty records here, everybody else all" "$(by)" "40 50"
as ana --json sync "127.0.0.1:${port[hub]}" >/dev/null 2>&1
cost=$(as ana --json sync "127.0.0.1:${port[hub]}" 2>/dev/null | jq 'select(.complete) | .bytes_in + .bytes_out')
[ "${cost:-9999}" -le 2500 ]
check "shares: to find nothing new costs $cost bytes, however much is left out" $?
as ben --quiet add message -m "one more" >/dev/null
equal "shares: a later report comes" "$(as ben --json sync "127.0.0.1:${port[hub]}" | jq -c '[.sent, .complete]')" "[1,true]"

# whoever calls, and by stick
as hub --json sync "127.0.0.1:${port[ana]}" >"$work/synced" 2>"$work/err"
equal "shares: who declines knows how many" "$? $(jq -c '[.complete, .declined]' "$work/synced") $(tail -1 "$work/err" | jq -r .error)" "3 [true,2950] declined"
ends "shares: veredad ends" TERM ana
start ana --listen 127.0.0.1:0 --peer "127.0.0.1:${port[hub]}" || exit 1
refused_there() { as ana --lang en status | grep -q 'takes no more records of: ana\. Their share'; }
within 20 refused_there
check "shares: the flooder's status says who takes no more" $?
mkdir "$work/stick"
as ana --quiet sync "$work/stick" >/dev/null
for visit in first second; do
	as hub --json sync "$work/stick" >"$work/synced" 2>"$work/err"
	equal "shares: a stick, the $visit time" \
		"$? $(jq -c '[.complete, .declined, .safe_to_remove]' "$work/synced") $(tail -1 "$work/err" | jq -r .error)" "3 [true,2950,true] declined"
done
as hub --lang en sync "$work/stick" >"$work/synced" 2>&1
equal "shares: in words" "$(grep -c 'Records of ana that came from .* and were not taken: 2950' "$work/synced") $(grep -c 'again: only' "$work/synced")" "1 0"
for command in status doctor; do
	as hub --lang en $command >"$work/said" 2>&1
	equal "shares: $command names whom it declines, and what to do" \
		"$(grep -c 'takes no more records of ana (normal): their share of its disk is used up (50)' "$work/said") $(grep -c 'config set share.records 100' "$work/said")" "1 1"
done
equal "shares: nobody else is named" "$(as hub --json status | jq -r '.warnings[]' | grep -c 'share of its disk')" 1

# by file, and when the bound is lifted
as hub --json import "$work/ana.bundle" >"$work/taken" 2>"$work/err"
equal "shares: an import says what it did not take" "$? $(jq -c '[.new, .declined]' "$work/taken") $(tail -1 "$work/err" | jq -r .error)" \
	"3 [0,2950] declined"
as hub --lang en import "$work/ana.bundle" >/dev/null 2>"$work/err"
equal "shares: to people, by name, with the next step" \
	"$? $(grep -c 'Records of ana in .* that were not taken: 2950' "$work/err") $(grep -c 'config set share.records NUMBER), then import' "$work/err")" "3 1 1"
as hub import "$work/ben.bundle" >/dev/null 2>"$work/err"
equal "shares: of everybody else's file nothing is held back" "$? $(wc -c <"$work/err")" "0 0"
as hub --quiet config set share.records 5000 >/dev/null
as ana --json sync "127.0.0.1:${port[hub]}" >"$work/synced"
lifted=$?
equal "shares: and the flooder knows it at once" "$(there en 'takes no more records')" 0
equal "shares: lifted, the rest comes" "$lifted $(jq .declined "$work/synced") $(by)" "0 0 41 3000"
as hub --json sync "$work/stick" >"$work/synced"
equal "shares: and the stick has nothing that is left out" "$? $(jq -c '[.complete, .declined]' "$work/synced")" "0 [true,0]"
equal "shares: nobody is declined any more" "$(as hub --json status | jq -r '.warnings[]' | grep -c 'share of its disk')" 0
equal "shares: the store is whole" "$(as hub --json check | jq -c '[.bad, .derived_bad]')" "[0,0]"
exit $failed
