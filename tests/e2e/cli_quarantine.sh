#!/bin/bash
# What removed members wrote: in no list, in list --quarantined, accepted or left by a coordinator's word.
. "$(dirname "$0")/cli.inc"
export LANG=C.UTF-8

listed() { # HOME ARGUMENTS…: texts
	local home=$1
	shift
	"$VEREDA" --home "$home" --json list "$@" 2>/dev/null | jq -r .fields.text | sort | tr '\n' ','
}

found ana Lindero
enter ana beto --name Beto
enter ana carla --name Carla
enter ana rosa --name Rosa --role reporter
pass ana beto && pass ana carla && pass ana rosa
before=$(say beto -m "before the checkpoint")
pass beto ana && pass ana carla

# Nothing is aside as long as nobody was removed.
v ana --lang en list
silent "nobody was removed, nothing is said" "quarantine" err
v ana --lang en list --quarantined
is "and nothing is in quarantine" "$code $(grep -c 'Nothing is in quarantine' err)" "0 1"

v ana --json revoke Beto --reason "taken at the checkpoint" --yes
exits "Beto is removed" 0
one=$(say beto -m "written after, one")
two=$(say beto -m "written after, two")
v beto --json alert "false alarm from a seized telephone"
three=$(key .id)
"$VEREDA" --home beto --quiet --yes export after.vb >/dev/null
v ana --json import after.vb
is "import counts what is in quarantine" "$code $(key '"\(.new) \(.quarantined)"')" "0 3 3"
v ana --json import after.vb
is "of what is new" "$(key '"\(.new) \(.quarantined)"')" "0 0"
pass ana carla --for Carla
pass ana rosa --for Rosa

is "what came before stays" "$(listed ana)" "before the checkpoint,"
is "what came later is in no list" "$("$VEREDA" --home ana --json list alert | wc -l) $("$VEREDA" --home ana --json list --search after | wc -l)" "0 0"
v ana --lang en list
says "a coordinator is told" "3 records are in quarantine and nobody has looked at them: vereda list --quarantined" err
v ana --lang es list
says "in Spanish" "3 registros están en cuarentena" err
v ana --quiet list
silent "not when quiet" "quarantine" err
v ana --json list
silent "nor a program" . err
v carla --lang en list
silent "nor who is no coordinator" "quarantine" err

v ana --json list --quarantined
is "asked for, they are listed" "$code $(jq -r .id out | sort | tr '\n' ' ')" "0 $(printf '%s\n' "$one" "$two" "$three" | sort | tr '\n' ' ')"
is "each says how it stands" "$(jq -r '.standing+" "+.review' out | sort -u)" "quarantined none"
is "and what it says, for who has to decide" "$(jq -r 'select(.kind=="message").fields.text' out | sort | tr '\n' ',')" "written after, one,written after, two,"
is "with the name of who is out" "$(jq -r .author_name out | sort -u)" Beto
v ana --lang en list --quarantined
says "people see it in the line" "\(in quarantine\) written after, one"
says "and what to type" "vereda review ID --accept" err
v ana --lang en list message --quarantined --search two
is "filters hold" "$code $(wc -l <out)" "0 1"
v carla --lang en list --quarantined
is "a member may look" "$code $(wc -l <out)" "0 3"
says "and is told not to rely on them" "Do not rely on these" err
v rosa --json list --quarantined
is "a reporter, too, reading nothing" "$(jq -r .body out | sort -u)" sealed

v ana --lang en show "$one"
is "show says that it is in quarantine" "$code $(grep -c 'in quarantine: ana removed its author' out)" "0 1"
says "why" "reason: +taken at the checkpoint"
says "and what to do" "vereda review ${one:0:8} --accept"
v ana --json show "$one"
is "also to programs" "$(key '.standing+" "+.aside.author_name+" "+.aside.reason')" "quarantined ana taken at the checkpoint"
v ana --json show "$before"
is "what is not aside says so" "$(key '.standing+" "+(.aside|tostring)')" "shown null"
v carla --lang en show "$one"
silent "who is no coordinator is not told to review" "vereda review"

# One accepted, one left.
is "what is new" "$("$VEREDA" --home ana --json list --new | jq -r .id)" "$before"
is "is so once" "$("$VEREDA" --home ana --json list --new | wc -l)" 0
v ana why "$one"
says "why says so, too" "^It is in quarantine: .* vereda show ${one:0:8}"
v ana --json why "$one"
is "and in JSON" "$(key .quarantined)" true
v ana --json review "$one" --accept
exits "one is accepted" 0
is "it is in the list" "$(listed ana message)" "before the checkpoint,written after, one,"
is "where it is new" "$("$VEREDA" --home ana --json list --new | jq -r .id)" "$one"
is "once" "$("$VEREDA" --home ana --json list --new | wc -l)" 0
is "and in quarantine no more" "$(listed ana message --quarantined)" "written after, two,"
v ana --json review "$two" --leave
exits "one is left" 0
v ana --json list --quarantined --search two
is "which says so" "$(key .review)" left
v ana --lang en list --quarantined
says "also to people" "\(left in quarantine\) written after, two"
v ana --lang en list
says "what nobody looked at is one now" "One record is in quarantine" err
v ana --lang en show "$two"
says "show knows that it was left" "left it there"
is "another device has not heard" "$(listed carla message)" "before the checkpoint,"
pass ana carla
is "and has, with the next file" "$(listed carla message)" "before the checkpoint,written after, one,"
v ana --json review "$three" --leave
v ana --lang en list
silent "when all is decided nothing more is said" "quarantine" err
v ana --json review "$one" --leave
is "a word can be taken back" "$code $(listed ana message)" "0 before the checkpoint,"

# --new keeps a mark of its own.
v ana --json list --quarantined --new
is "all is new the first time" "$(wc -l <out)" 3
v ana --json list --quarantined --new
is "and not the second" "$(wc -l <out)" 0
four=$(say beto -m "a fourth")
"$VEREDA" --home beto --quiet --yes export after.vb >/dev/null
v ana --lang en import after.vb
says "import tells people, too" "Of the new ones 1 are in quarantine" err
v ana --json list --quarantined --new
is "but what came since" "$(key .id)" "$four"

# watch shows none of it.
"$VEREDA" --home ana --json watch >watched 2>watching &
watching=$!
started+=($watching)
for _ in $(seq 600); do
	[ -s watching ] && break
	sleep 0.05
done
say beto -m "a fifth, watched" >/dev/null
pass beto ana
say ana -m "ours, watched" >/dev/null
for _ in $(seq 600); do
	grep -q "ours, watched" watched && break
	sleep 0.1
done
kill "$watching"
wait "$watching" 2>/dev/null
is "watch shows what is in no quarantine" "$(jq -r .fields.text watched)" "ours, watched"

# Restored: nothing is in quarantine.
v ana --json restore Beto
exits "Beto is restored" 0
is "then all of it is shown" "$("$VEREDA" --home ana --json list --quarantined | wc -l) $(listed ana message | tr ',' '\n' | grep -c watched)" "0 2"
done_testing
