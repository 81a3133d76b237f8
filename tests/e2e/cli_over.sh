#!/bin/bash
# What is over by its author's word is handed on by nobody who knows what day it is: nobody's time with it begins anew.
. "$(dirname "$0")/cli.inc"
found hub Lindero
for who in ana luz eva fito gil noa; do admit hub $who; done
make_clock
day() { # NUMBER HOME ARGUMENTS…
	local ahead=$(($1 * 86400)) home=$2
	shift 2
	CLOCK_AHEAD=$ahead LD_PRELOAD=$clock "$VEREDA" --home "$home" "$@" >out 2>err
	code=$?
}
meet() { # NUMBER HOME HOME: a session over a pipe
	rm -f pipe
	mkfifo pipe
	CLOCK_AHEAD=$(($1 * 86400)) LD_PRELOAD=$clock timeout 60 "$VEREDA" --home "$2" sync --stdio <pipe 2>/dev/null |
		CLOCK_AHEAD=$(($1 * 86400)) LD_PRELOAD=$clock timeout 60 "$VEREDA" --home "$3" sync --stdio >pipe 2>err
	code=$?
}
body() { # NUMBER HOME
	day "$1" "$2" --json show "$id"
	key .body
}
mkdir first old new
for who in hub ana luz eva fito gil noa; do v $who sync first; done
for who in hub ana luz eva fito gil noa; do v $who sync first; done
id=$(say ana -m "testimony" --expires 1d)
v ana sync old
for number in 5 10 15 20; do day $number luz check; done

# A stick that was forgotten brings it late: who takes it keeps it as long as it was meant to be kept, and says so.
day 20 luz sync old
is "it comes late" "$(body 20 luz)" present
day 20 luz show "$id"
says "show says that it is over" "^over:"
day 20 luz --lang es show "$id"
says "in Spanish" "^vencido:"
day 20 luz list
says "so does list" "\(over\) testimony"

day 20 luz why "$id"
says "why says so, too" "^Stored here since .* an end, which is over: nobody needs it any more"
says "and sends nobody" "Nothing to do: nobody needs it any more"
day 20 luz --json why "$id"
is "and to programs" "$(key .gone)" expired
day 20 luz --json sync --check old
is "a stick with that alone may be wiped" "$code $(key '"\(.safe_to_wipe) \(.unconfirmed)"')" "0 true 0"
day 20 luz sync new
day 20 eva sync new
is "a stick passes on the stub" "$(body 20 eva)" stub
day 20 luz --yes export late.vb
day 20 fito import late.vb
is "so does a bundle" "$(body 20 fito)" stub
meet 20 luz gil
is "and a session" "$code $(body 20 gil)" "0 stub"
meet 20 luz gil
is "again, and it ends" "$code $(body 20 gil)" "0 stub"
for number in 25 29; do day $number luz check; done
is "and here it goes" "$(body 29 luz)" stub

# By a clock that cannot be believed nothing is withheld.
day 20 noa sync old
is "here it came, too" "$(body 20 noa)" present
day 20 noa --yes export late.vb
day 20 hub import late.vb
is "whose clock has leapt gives it" "$(body 20 hub)" present
done_testing
