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
v ana --json sync "$peer"
is "equal sets, and something to say" "$code $(key '"\(.complete) \(.sent) \(.received)"')" "0 true 0 0"
is "which no sync of equal sets has room for" "$([ "$(both)" -le 1000 ] && echo bounded)" bounded
more ana # of what new records leave it has
v ana --json sync "$peer"
is "the hub has it" "$(holder ana "$note" hub)" "true link"
v ana --json sync "$peer"
is "its word takes no more than it may" "$([ "$(both)" -le 1000 ] && echo bounded)" bounded
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

# --- by links that stay open
daemon hub --peer "$peer"
daemon ana --peer "$peer"
alert=$("$VEREDA" --home ana --json alert "armed men on the path" | jq -r .id)
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
there() { # HOME ID
	"$VEREDA" --home "$1" --json show "$2" >/dev/null 2>&1
}
waits 30 there hub "$alert" && ok "it goes on" || not_ok "it goes on" "$(tail -3 hub.log)"
waits 40 knows beto "$alert" hub && ok "the hub tells beto" || not_ok "the hub tells beto" "$(tail -3 beto.log)"
say ana text="more" >/dev/null
waits 40 knows ana "$alert" hub && ok "with the next comparison ana knows" || not_ok "with the next comparison ana knows" "$(tail -3 ana.log)"
done_testing
