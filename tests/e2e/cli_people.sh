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

# The same device again: another name or role is granted, what is not said stays.
"$VEREDA" --home rosa init --name rosa --no-passphrase >/dev/null
card=$("$VEREDA" --home rosa --quiet id)
v hub --json admit "$card" --name Rosa --focal -o rosa.welcome
words=$(key .words) person=$(key .member)
v rosa join rosa.welcome
v hub --json admit "$card" --name Rosa -o rosa2.welcome
is "admitting just so again only writes the welcome" "$(key '"\(.member) \(.words)"')" "$person $words"
v hub admit "$card" --name "Rosa M." --role coordinator -o rosa3.welcome
exits "another name and role" 0
says "is said" "From now on it is Rosa M\., with the role: coordinator" err
v hub --json members
is "and holds" "$(jq -r 'select(.member=="'"$person"'")|"\(.name) \(.role) \(.focal) \(.devices|length)"' out)" "Rosa M. coordinator true 1"
v rosa --json join rosa3.welcome
is "its welcome is taken by the same device" "$code $(key .role)" "0 coordinator"
v rosa --json members
is "which knows its new name" "$(jq -r 'select(.member=="'"$person"'").name' out)" "Rosa M."
v rosa --json join rosa.welcome
is "the first welcome changes nothing back" "$code $(key .role)" "0 coordinator"
v rosa --quiet admit "$("$VEREDA" --home field --quiet id)" --name Luz -o luz.welcome --yes
exits "the new coordinator admits" 0
v hub admit "$card" --name field -o rosa4.welcome
exits "a name that another member has needs a person's word" 16
v hub admit "$card" -o x
says "admit without a name says what is missing" "--name" err
v hub admit "$card" --name X
says "and without a file" "-o" err

# Welcomes that are none.
"$VEREDA" --home newcomer init --no-passphrase >/dev/null
v hub admit "$("$VEREDA" --home newcomer --quiet id)" --name New -o new.welcome
head -c $(($(stat -c %s new.welcome) / 2)) new.welcome >torn.welcome
v newcomer --json join torn.welcome
is "a torn welcome" "$code $(jq -r .error err)" "14 torn"
silent "of which nothing was taken" "kept|salvaged" err
v newcomer --json group list
is "really" "$(wc -c <out)" 0
mkdir folder
v newcomer join folder
is "a folder is no welcome" "$code $(grep -c 'is a folder' err)" "2 1"
v newcomer --json join new.welcome
exits "the whole one is" 0
done_testing
