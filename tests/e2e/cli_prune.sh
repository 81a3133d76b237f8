#!/bin/bash
# prune and --expires, as a person meets them: what is asked first, what is said, and what never goes. (When what may go is tried by prune_test and expire_test.)
. "$(dirname "$0")/cli.inc"

found hub Lindero
admit hub field
head -c 100000 /dev/urandom >photo.bin
v hub --json add document title=old --attach photo.bin --expires 2d
id=$(key .id)
v hub --json show "$id"
is "what it brings ends with it" "$(key '.expires|length')" 24
v hub add message -m x --expires 1h
is "less than a day" "$code $(grep -c "less than a day" err)" "2 1"
v hub add message -m x --expires 2020-01-01
exits "an end that is past" 2
mkdir stick
v hub sync stick
v field sync stick
before=$(digests field)

v field prune --lane control
exits "a lane from which nothing goes" 2
v field prune --older yesterday
exits "no age" 2
v field prune --max much
exits "no size" 2
v field --json prune --dry-run
[ "$code" = 1 ] && is "nothing goes by a clock that was not seen to run" "$(key .error err)" clock || not_ok "a new device's clock" "$code $(cat out err)"
says "and what helps" "sync with two others" err
v field prune --yes
exits "nor does --yes help" 1
v field --json config set promise 0
is "to promise nothing" "$(key .promise)" 0
v field config set promise 9999
exits "too long a promise" 2
v field config get promise
says "as it was set" "promise 0"
is "nothing has gone" "$(digests field)" "$before"
v field get "$id"
exits "all of it is here" 0
# Who promises nothing from the start may let go at once.
admit hub luz
admit hub old
v old config set promise 0
v luz add message -m "clocks agree"
id=$(say hub -m "kept by two")
for who in hub luz old hub luz old; do v $who sync stick; done
v old prune --older 0d --yes
exits "made room" 0
says "and said who keeps it" "Others keep it"
v old show "$id"
silent "its content is gone" "kept by two"
says "and why is said, and how it comes back" "went from this device to make room.*vereda get"
v old --json list
is "also to programs" "$(jq -c --arg id "$id" 'select(.id==$id)|[.body,.gone]' out)" '["stub","pruned"]'
v old sync stick
v old show "$id"
silent "no sync brings it back unasked" "kept by two"
v old get "$id"
exits "get wants it back" 3
says "and says what to do" "wanted again.*sync with who keeps it" err
v old sync stick
v old show "$id"
says "the next sync brings it" "kept by two"
v old --json get "$id"
is "and there is nothing to want any more" "$code $(key .wanted_again)" "0 0"
v old prune --older 1d --yes
v old show "$id"
says "it is as young as if it had come now" "kept by two"
v old prune --older 0d --yes
exits "and goes again when everything is to" 0
for who in old hub old hub; do v $who sync stick; done
v hub why old
says "who let go of something has its records" "old has all records that are here, but of [0-9]+ of them not the content"
says "and nobody is sent there in vain" "Nothing has to be taken there"
v hub --json why old
is "programs see so, too" "$(key .content_only)" true
v hub why "$id"
says "nor for the record alone" "^old: has it, but its content is not known to be there"
says "an errand is only to who lacks it" "Next: .* to field"
silent "not there" "Next: .*old"
v hub --json why "$id"
is "programs see that, too" "$(key '[.missing[]|select(.content_only).name]|join(" ")')" old
v luz add message -m "not in the last receipt of who was there"
for who in hub old; do v $who add message -m "nor is $who's"; done
for who in luz old; do v $who sync stick; done
v old --json why "$id"
is "who holds it is told of what was let go, too" "$(key '[.holders[]|select(.kind=="member" and .confirmed).name]|sort|join(" ")')" "hub luz"
for who in field hub luz old field hub luz old hub; do v $who sync stick; done
v hub why "$id"
says "where nobody else lacks it, there is none" "^Nothing has to be taken there.*old"
v field prune --help
says "help tells how long before to promise nothing" "42 days"
says "and how" "vereda config set promise 0"
v field --lang es prune --help
says "in Spanish too" "42 días antes"
says "help in Spanish" "Suelta textos y archivos que escribieron otros"
done_testing
