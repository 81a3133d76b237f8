#!/bin/bash
# Who may be admitted as what: own identities, the same device again, another role or name.
. "$(dirname "$0")/cli.inc"
found hub Lindero
admit hub field
members=$("$VEREDA" --home hub --json members | wc -l)

# A coordinator cannot be turned into a member by a welcome for itself.
v hub --quiet id
v hub admit "$(cat out)" --name "Hub two" -o own.welcome
is "no device admits an identity of its own" "$code $([ -e own.welcome ] && echo made)" "2 "
says "and is told so" "own identity" err
is "nobody was admitted" "$("$VEREDA" --home hub --json members | wc -l)" "$members"
v field --quiet id
"$VEREDA" --home hub admit "$(cat out)" --name Luz --role coordinator -o second.welcome >/dev/null
v field --json join second.welcome
is "no device takes a second identity in a group" "$code $(jq -r .error err)" "1 exists"
v field join second.welcome
says "and is told so" "already" err
v field --json group list
is "it stays what it was" "$(key '"\(.name) \(.role)"')" "Lindero member"
v field join field.welcome
is "its own welcome is no harm" "$code" 0
done_testing
