#!/bin/bash
# Quarantine: what comes under the name of who was removed is kept aside, looked at, accepted or left; restoring ends it.
. "$(dirname "$0")/cli.inc"


found ana Lindero
enter ana beto --name Beto
enter ana phone --person Beto
enter ana carla --name Carla
give ana beto phone carla
unseen() { # HOME: records in quarantine that no coordinator has looked at, as doctor counts them
	"$VEREDA" --home "$1" --quiet --lang en --json doctor | jq -r '[.findings[] | select(.what=="quarantine").words | scan("[0-9]+")] | join(" ")'
}

# One device of two.
v phone --quiet add message -m "from the phone"
give phone ana
v ana --quiet revoke "$(member ana Beto '.devices[1].device[0:8]')" --yes
exits "a device is removed" 0
is "what it wrote before stays" "$(texts ana)" "from the phone,"
give ana beto carla
v beto --quiet add message -m "beto still writes"
v phone --quiet add message -m "the thief writes"
give phone carla
give beto carla ana
is "of a removed device nothing new is seen" "$(texts carla)" "beto still writes,from the phone,"
is "a member is not told of quarantine" "$(unseen carla)" ""

# The whole member.
v ana --quiet revoke Beto --yes
v beto --quiet add message -m "beto after"
give beto ana
is "what comes after is in quarantine" "$(unseen ana) $(texts ana)" "1 beto still writes,from the phone,"
v ana --lang en status
says "of which a coordinator is told" "in quarantine that no coordinator has looked at: 1"

# review
id=$("$VEREDA" --home beto --quiet --json list message | jq -r 'select(.fields.text=="beto after").id[0:12]')
v ana review "$id"
exits "review wants a verdict" 2
v ana review "$id" --accept --leave
exits "one of them" 2
v ana --lang en review "$id" --leave
exits "left there" 0
is "it stays in quarantine" "$(texts ana)" "beto still writes,from the phone,"
v ana --lang en status
silent "but was looked at" "no coordinator has looked at"
v ana --json review "$id" --accept
is "accepted" "$code $(key '"\(.verdict) \(.counts) \(.about[0:12])"')" "0 accept true $id"
is "it is seen" "$(unseen ana) $(texts ana)" " beto after,beto still writes,from the phone,"
v ana --lang en review "$id" --accept
is "once is enough" "$code $(grep -c 'accepted already' err)" "0 1"
give ana carla
is "by everyone" "$(texts carla | grep -c 'beto after')" 1
v carla review "$id" --leave
exits "members decide nothing" 1
own=$(v ana --json add message -m own && key .id)
v ana --json review "$own" --accept
is "what is not in quarantine" "$code $(jq -r .error err)" "1 not-quarantined"
v ana --lang en review "$(v ana --json status && key '.acts[0].id')" --leave
is "an act is not reviewed" "$code $(grep -c 'vereda approve' err)" "2 1"
v ana --lang en review "$id" --leave
is "a coordinator may think again" "$code $(texts ana)" "0 beto still writes,from the phone,own,"
v ana --lang en status --acts
is "of several decisions about one record one holds" "$(grep -c "left the record $(cut -c1-8 <<<"$id") in quarantine; was overruled" out) $(grep -c 'accepted the record .* from quarantine; was overruled' out)" "0 1"

# restore
give carla ana
is "of the others' records one is in quarantine here, too" "$(unseen ana)" 1
v ana --quiet restore Beto
is "who is restored" "$code $(member ana Beto .role)" "0 member"
is "has nothing in quarantine" "$(unseen ana) $(texts ana)" " beto after,beto still writes,from the phone,own,the thief writes,"
done_testing
