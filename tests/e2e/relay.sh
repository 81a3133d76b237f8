#!/bin/bash
# Who wrote a record learns that a device has it which it never meets: over TCP, over ssh, and from daemons whose links stay open.
. "$(dirname "$0")/cli.inc"

found hub Cuenca
for name in ana beto luz; do
	enter hub $name --name $name
done
for name in ana beto luz; do
	pass hub $name
done
holder() { # HOME ID NAME
	"$VEREDA" --home "$1" --json why "$2" 2>/dev/null | jq -r ".holders[] | select(.name == \"$3\") | \"\(.confirmed) \(.route.by)\""
}
more() { # HOME
	for _ in {1..40}; do
		say "$1" text="more" >/dev/null
	done
}
both() { # of the last sync
	key '.bytes_in + .bytes_out'
}
waits() { # SECONDS COMMAND…
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -ge $end ] && return 1
		sleep 0.3
	done
}
knows() { # HOME ID NAME
	[ "$(holder "$1" "$2" "$3")" = "true link" ]
}
# By syncs with beto, whose veredad takes a moment to write down what it heard.
hears() { # HOME ID NAME
	v "$1" --json sync "$peer" && knows "$@"
}

# --- by calls
daemon beto
peer=$addr
note=$(say ana text="the bridge is down")
v ana --json sync "$peer"
exits "ana meets beto" 0
v ana --json sync "$peer" # says that ana has beto's, too
v ana --json sync "$peer"
is "who is known to have it is in two hellos" "$([ "$(both)" -le 800 ] && echo few)" few
v hub --json sync "$peer"
exits "beto meets the hub" 0
is "nobody told ana of the hub" "$(holder ana "$note" hub)" ""
waits 10 hears ana "$note" hub && ok "the hub has it" || not_ok "the hub has it" "$(cat out)"
is "equal sets, and something to say" "$code $(key '"\(.complete) \(.sent) \(.received)"')" "0 true 0 0"
is "its word takes no more than it may" "$([ "$(both)" -le 3000 ] && echo bounded)" bounded
v ana --json sync "$peer"
is "and is not said twice" "$([ "$(both)" -le 800 ] && echo few)" few
more ana
v ana --json sync "$peer"
v ana --json sync "$peer"
is "nor is word of new records" "$([ "$(both)" -le 1000 ] && echo few)" few
is "beto has it" "$(holder ana "$note" beto)" "true link"
v hub why "$note"
says "the hub knows of ana and beto" "3 of 4"

# --- who keeps silent, and over ssh
v luz config set receipts off
exits "luz keeps silent" 0
v luz --json sync "$peer"
v ana --json sync "$peer"
is "of luz nothing is said" "$(holder ana "$note" luz)" ""
mkdir bin
ln -s "$VEREDA" bin/vereda
printf '#!/bin/bash\nwhile [ "$1" != -- ]; do shift; done\nshift 2\nexport VEREDA_HOME=%s\nexec sh -c "$*"\n' "$PWD/hub" >bin/ssh
chmod +x bin/ssh
v luz config set receipts on
exits "now it speaks" 0
PATH=$PWD/bin:$PATH v luz --json sync ssh://hub
PATH=$PWD/bin:$PATH v luz --json sync ssh://hub
is "over ssh" "$code $(key .complete)" "0 true"
is "the hub heard of luz" "$(holder hub "$note" luz)" "true link"
more hub
v hub --json sync "$peer"
v ana --json sync "$peer"
is "and by two others ana did" "$(holder ana "$note" luz)" "true link"

# --- who takes no photos speaks of all else
v luz config set bulk.max 0
head -c 100000 /dev/urandom >photo.bin
photo=$("$VEREDA" --home ana --json add document title=photo --attach photo.bin | jq -r .id)
note=$(say ana text="see the photo")
for name in ana luz luz; do
	v $name --json sync "$peer"
	exits "$name meets beto" 0
done
waits 10 hears ana "$note" luz && ok "luz has the text" || not_ok "luz has the text" "$(cat out)"
is "beto all of it" "$(holder ana "$photo" beto)" "true link"
is "but luz not the photo" "$("$VEREDA" --home ana --json why "$photo" | jq -c '[.missing[] | select(.name == "luz") | .parts > 0]')" "[true]"
v ana --json sync "$peer"
is "nothing of it is said twice" "$([ "$(both)" -le 1000 ] && echo few)" few
v luz --json sync "$peer" # of what ana said
v luz --json sync "$peer"
is "nor by luz" "$([ "$(both)" -le 1000 ] && echo few)" few

# --- who takes no more of one author speaks of all others
v hub config set share.records 20
exits "the hub sets shares" 0
late=$(say ana text="one more")
v ana --json sync "$peer"
alert=$("$VEREDA" --home luz --json alert "a fire on the ridge" | jq -r .id)
v luz --json sync "$peer"
v hub --json sync "$peer"
is "the hub takes no more of ana" "$code $(key '.declined > 0')" "3 true"
waits 10 hears ana "$alert" hub && ok "the hub has what luz wrote" || not_ok "the hub has what luz wrote" "$(cat out)"
is "and not what it declined" "$(holder ana "$late" hub)" ""
v hub config set share.records 100000
v luz config set bulk.max all
v hub --json sync "$peer"
exits "it takes all again" 0
v hub --json sync "$peer" # what a sync of few records has no room for
waits 10 hears ana "$late" hub && ok "and says so" || not_ok "and says so" "$(cat out)"

# --- by links that stay open
daemon hub --peer "$peer"
daemon ana --peer "$peer"
alert=$("$VEREDA" --home ana --json alert "armed men on the path" | jq -r .id)
there() { # HOME ID
	"$VEREDA" --home "$1" --json show "$2" >/dev/null 2>&1
}
waits 30 there hub "$alert" && ok "it goes on" || not_ok "it goes on" "$(tail -3 hub.log)"
waits 40 knows beto "$alert" hub && ok "the hub tells beto" || not_ok "the hub tells beto" "$(tail -3 beto.log)"
say ana text="more" >/dev/null
waits 40 knows ana "$alert" hub && ok "with the next comparison ana knows" || not_ok "with the next comparison ana knows" "$(tail -3 ana.log)"
done_testing
