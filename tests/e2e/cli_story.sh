#!/bin/bash
# The story of three people without a network: a hub, a community and a field monitor, over a bundle and a stick.
. "$(dirname "$0")/cli.inc"

v hub
exits "vereda alone works without a store" 0
says "vereda alone says the next step" "vereda init"
v hub --json init --name hub --no-passphrase
exits "init" 0
is "init says its device" "$(key '.device|length')" 32
is "init says its home" "$(key .home)" hub
keys=$(cat hub/data.mdb | sha256sum)
v hub init
exits "init twice is refused" 1
is "init twice changes nothing" "$(cat hub/data.mdb | sha256sum)" "$keys"
v hub
says "vereda alone knows there is no group yet" "group create"
v hub --json group create Lindero
is "group create" "$(key '"\(.name) \(.role) \(.group|length)"')" "Lindero coordinator 64"
v hub --json group list
is "group list" "$(key '"\(.name) \(.role)"')" "Lindero coordinator"

v field init --name field --no-passphrase
silent "init --no-passphrase says nothing more" "passphrase" err
v field --json id
card=$(key .id)
is "a card has 223 characters" ${#card} 223
v field --json id
is "the card stays until it is used" "$(key .id)" "$card"
v hub --json admit "${card^^}" --name Rosa --focal -o rosa.welcome
exits "admit takes a card in capitals" 0
words=$(key .words) person=$(key .member)
is "six words" "$(wc -w <<<"$words")" 6
v hub --json admit "$card" --name Rosa -o again.welcome
is "admitting again writes no second member" "$(key '"\(.member) \(.words)"')" "$person $words"
v field --json join rosa.welcome
is "join says the same words" "$(key '"\(.name) \(.role) \(.words)"')" "Lindero member $words"
v field join rosa.welcome
exits "joining again is no harm" 0
says "and says so" "already"
v field --json id
[ "$(key .id)" != "$card" ] && ok "the next group gets another identity" || not_ok "the next group gets another identity" same
admit hub town
is "words of a third device" "$(grep 'Six words' town.admitted)" "$(grep 'Six words' town.joined)"
v hub --json members
is "members" "$(jq -c '[.name,.role,.focal,(.devices|length)]' out | sort | tr '\n' ' ')" \
	'["Rosa","member",true,1] ["hub","coordinator",false,1] ["town","member",false,1] '
is "a member who wrote nothing has no last record" "$(jq -r 'select(.name=="Rosa").last_record' out)" null

v hub --json alert "Hombres armados en la vía" --severity severe area="El Roble"
alert=$(key .id)
is "alert says its id" ${#alert} 64
v hub --json add message -m "todo bien"
message=$(key .id)
v field add event title="Amenaza" date=2026-03-01 "rights=life|movement" -m "Llamaron dos veces"
exits "a member writes before it heard of the others" 0
printf 'De la entrada\n\nestándar\n' | "$VEREDA" --home field --json add observation -m - >out 2>err
observation=$(key .id)
v field --json show "$observation"
is "text from standard input keeps its lines" "$(key .fields.text)" "$(printf 'De la entrada\n\nestándar')"
is "a list is a list" "$(v field --json list event; key '.fields.rights|join("+")')" "life+movement"

v hub --json export all.bundle
is "export says its size" "$(key .bytes)" "$(stat -c %s all.bundle)"
v field --json import all.bundle
is "import" "$(key '"\(.refused) \(.quarantined) \(.salvaged) \(.gaps|length)"')" "0 0 0 0"
v field --json import all.bundle
is "import again is all known" "$(key .new)" 0
v field --json list
is "the field reads the hub's alert" "$(jq -r 'select(.id=="'"$alert"'")|"\(.fields.headline) \(.author_name) \(.lane) \(.kind) \(.body)"' out)" \
	"Hombres armados en la vía hub urgent alert present"
v field --json ack "${alert:0:8}" --stage acting -m "Vamos"
exits "ack by a prefix" 0

mkdir stick
for home in field hub town field hub; do
	v $home --json sync stick
	[ "$code" = 0 ] && [ "$(key .safe_to_remove)" = true ] && ok "$home exchanges with the stick" ||
		not_ok "$home exchanges with the stick" "exit $code: $(cat out err)"
done
is "a second visit of the stick costs nothing" "$(key '"\(.sent) \(.received)"')" "0 0"
is "hub and field hold the same" "$(digests hub)" "$(digests field)"
is "hub and town hold the same" "$(digests hub)" "$(digests town)"
v hub --json show "$alert"
is "show has the answer" "$(key '"\(.answers[0].fields.stage) \(.answers[0].fields.text) \(.answers[0].about)"')" "acting Vamos $alert"
is "show has no attachments" "$(key '.attachments|length')" 0
v hub --json check
is "check" "$(key '"\(.bad) \(.repaired)"')" "0 0"
v town --json status
is "status counts" "$(key '"\(.groups[0].name) \(.groups[0].role) \(.groups[0].members) \(.groups[0].lanes|map(.lane)|join(","))"')" \
	"Lindero member 3 control,urgent,normal,bulk"
is "status has no peers without a daemon" "$(key '.peers|length')" 0
is "status counts the store" "$(key .store.records)" "$(key '[.groups[].lanes[].records]|add')"

v hub --json add message --replaces "$message" -m "todo bien, ya comimos"
second=$(key .id)
v hub --json add message --replaces "$second" -m "todo bien, dormimos"
v hub --json show "$second"
is "history holds earlier and later ones" "$(key '[.history[].fields.text]|join(";")')" "todo bien;todo bien, dormimos"
v hub --lang es show "$second"
says "history for people" "Historia:"
says "the kind in Spanish" "  mensaje"
says "a field's name in Spanish" "texto: "
v hub --lang es --json show "$second"
is "JSON keeps the words that are stored" "$(key '.kind + " " + (.fields | keys | join(","))')" "message replaces,text"
v hub --lang es show "$alert"
says "an alert's main text in Spanish" "titular: "
says "a value of a closed list in Spanish" "estado: real"
v hub --lang es list alert
says "the kind of a line in Spanish" "  alerta  "

v town --json list
is "list is oldest first" "$(jq -r .time out)" "$(jq -r .time out | sort)"
v town --json list --author Rosa
is "list by author" "$(jq -r .author_name out | sort -u)" Rosa
v town --json list alert
is "list by kind" "$(jq -r .kind out)" alert
v town --json list --search "HOMBRES ARMADOS EN LA VIA"
is "search folds case and accents" "$(jq -r .id out)" "$alert"
v town --json list --limit 1
is "list --limit" "$(wc -l <out)" 1
v town --json list --about "$alert"
is "list --about" "$(jq -r .kind out)" ack
v town --json list --since 1d
[ "$(wc -l <out)" = 5 ] && ok "list --since" || not_ok "list --since" "$(wc -l <out) lines"
v town --json list --until 1d
is "list --until" "$(wc -l <out)" 0
v town --json list --new
is "list --new shows all the first time" "$(wc -l <out)" 5
v town --json list --new
is "list --new shows nothing twice" "$(wc -l <out)" 0
v town add message -m "uno más"
v town --json list alert --new
is "list --new of a kind" "$(wc -l <out)" 0
v town --json list --new
is "list --new shows what came" "$(key .fields.text)" "uno más"
done_testing
