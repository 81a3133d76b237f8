#!/bin/bash
# Random histories of groups that meet by one stick alone: coordinators who act without knowing of each other, people who come and go.
# In the end, whatever the order was, all who are in have the same, and it is said to be complete only then. The founder is never removed,
# so that there is one view of who is in: others may not know that they are out, and are not told.  SEEDS="7 8" picks others.
. "$(dirname "$0")/cli.inc"

pick() { # LIST: one of its words
	local words=($1)
	echo "${words[$((RANDOM % ${#words[@]}))]}"
}
roles() { # HOME: who is in, as it sees it; not all may read names
	"$VEREDA" --home "$1" --json members 2>/dev/null | jq -r 'select(.removed | not) | .name' | sort
}
devices() { # HOME: theirs
	"$VEREDA" --home "$1" --json members 2>/dev/null | jq -r 'select(.removed | not) | .devices[] | select(.removed | not) | .device' | sort
}
quiet() { # HOME ARGUMENTS…
	local home=$1
	shift
	"$VEREDA" --home "$home" --no-input "$@" >out 2>err
	code=$?
}
newcomer() { # COORDINATOR ROLE
	local name=p$((++people))
	"$VEREDA" --home $name init --name $name --no-passphrase >/dev/null 2>&1
	quiet "$1" admit "$("$VEREDA" --home $name --quiet id 2>/dev/null)" --name $name --role "$2" -o $name.welcome &&
		quiet $name join $name.welcome && [ "$code" = 0 ] && all="$all $name" || return
	[ "$2" != coordinator ] || chiefs="$chiefs $name"
}
visit() { # HOME [ARGUMENTS…]
	quiet "$1" sync usb --json "${@:2}"
	echo "# $1 visits: $code $(jq -c '[.received,.sent,.complete,.segments_foreign]' out 2>/dev/null)" >>log
}
act() {
	local who=$(pick "$all") chief=$(pick "$chiefs") whom
	case $((RANDOM % 10)) in
	0) quiet "$chief" group rotate --yes; echo "# $chief rotates: $code" >>log ;;
	1) newcomer "$chief" "$(pick "member member coordinator reporter courier")"; echo "# $chief admits p$people: $code" >>log ;;
	2)
		whom=$(pick "$all")
		[ "$whom" = "$chief" ] || [ "$whom" = a ] || quiet "$chief" revoke "$whom" --yes
		echo "# $chief revokes $whom: $code" >>log
		;;
	3)
		whom=$(pick "$all")
		[ "$whom" = "$chief" ] || quiet "$chief" restore "$whom" --yes
		echo "# $chief restores $whom: $code" >>log
		;;
	4)
		# Back to what it was, as a whole or as the copy that somebody made.
		if [ -d "$who.was" ]; then
			rm -rf "$who"
			mv "$who.was" "$who"
			echo "# $who is what it was" >>log
		else
			cp -a "$who" "$who.was"
			echo "# $who is copied" >>log
		fi
		;;
	5) quiet "$who" add message -m "$who $RANDOM"; echo "# $who writes: $code" >>log ;;
	6)
		# In so little room something may stay here; and each is over half a chunk, so that not everything goes into one file.
		quiet "$who" add message -m "$who $(head -c 30000 /dev/urandom | base64 -w0)"
		visit "$who" --max $((320 + RANDOM % 512))K
		;;
	7)
		# The power went before what was folded into another was gone.
		rm -rf usb.was
		cp -a usb usb.was
		visit "$who"
		cp -an usb.was/. usb/
		;;
	*) visit "$who" ;;
	esac
}
is_level() { # all who are in
	local name first= who
	who=$(roles a)
	for name in $who; do
		[ "$(devices $name)" = "$(devices a)" ] || return 1
		[ -z "$first" ] && first=$(digests "$name")
		[ "$(digests "$name")" = "$first" ] || return 1
	done
}
history() { # SEED
	mkdir "$dir/$1" && cd "$dir/$1" || exit 1
	RANDOM=$1
	people=0 all="a b c" chiefs="a b c"
	mkdir usb
	: >log
	found a Cuenca
	for name in b c; do
		enter a $name --name $name --role coordinator
	done
	newcomer a member
	newcomer a courier
	for i in $(seq ${STEPS:-30}); do
		act
	done
	# In an order of its own each time; until a whole turn brings nothing to anybody who is in.
	for turn in 1 2 3 4 5 6 7 8; do
		lies= moved=
		for name in $(shuf -e $all --random-source=<(yes "$1$turn")); do
			visit "$name"
		done
		for name in $(roles a); do
			visit "$name"
			[ "$code" = 0 ] || lies="$lies $name"
			[ "$(key '.received + .sent')" = 0 ] || moved="$moved $name"
		done
		[ -z "$moved" ] && break
	done
	echo "# after $turn turns; in:" $(roles a) >>log
	if is_level && [ -z "$lies$moved" ]; then
		ok "history $1: all who are in have the same"
	else
		not_ok "history $1" "not level, or not complete for:$lies, or something came to:$moved"
		sed 's/^/  /' log
		for name in $all; do echo "# $name $(digests $name | cut -c1-150) sees:" $(roles $name); done
	fi
	cd "$dir" && rm -rf "${dir:?}/$1"
}
for seed in ${SEEDS:-1 2 3 4}; do
	history "$seed"
done
done_testing
