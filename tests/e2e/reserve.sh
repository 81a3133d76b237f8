#!/bin/bash
# A disk that others fill: reports are refused before it is quite full, control records still go in.
. "$(dirname "$0")/lib.bash"

export build work
cat >"$work/full.sh" <<'END'
mount -t tmpfs -o size=24m tmpfs "$work/small" || exit 77
hub() { "$build/vereda" --home "$work/small/hub" --no-input --lang en "$@"; }
said() { # a name, and the exit status of the command
	local name=$1
	shift
	"$@" >>"$work/out" 2>>"$work/err"
	echo "$name $?" >>"$work/said"
}
admit() { said "admit $1" hub admit "$(cat "$work/$1.id")" --name "$1" -o "$work/$1.welcome"; }
doctor() { # exit status, severity, and how often status warns
	local severity
	hub --json doctor >"$work/doctor" 2>/dev/null
	severity="$? $(jq -r '.findings[]|select(.what=="disk").severity' "$work/doctor")"
	echo "doctor $severity $(hub --json status | jq -r '.warnings[]' | grep -c "^The disk has")" >>"$work/said"
}
kept() { echo "$1 $([ -f "$work/small/hub/reserve" ] && echo kept || echo given up)" >>"$work/said"; }

hub --quiet init --name hub --no-passphrase >/dev/null
hub --quiet group create Valle >/dev/null
said add hub add message text="with room"
kept reserve
head -c $(($(stat -f -c '%a*%S' "$work/small") - 2000000)) /dev/zero >"$work/small/photos"
said add hub add message text="little room"
doctor
rm "$work/small/photos"
# a little is left: less than the reserve, more than nothing
head -c $(($(stat -f -c '%a*%S' "$work/small") - 1000000)) /dev/zero >"$work/small/photos"
said add hub add message text="without"
doctor
hub --quiet config set reserve 512K >/dev/null
doctor
hub --quiet config set reserve 32M >/dev/null
hub --json add message text="without" 2>"$work/json" >/dev/null
admit ana
kept reserve
cat /dev/zero >>"$work/small/photos" 2>/dev/null
said add hub add message text="without"
for who in ben eva leo; do admit $who; done
# What lies free in the file itself goes first.
for try in $(seq 60); do
	[ -f "$work/small/hub/reserve" ] || break
	hub --quiet group rotate >>"$work/out" 2>>"$work/err" || echo "rotate $?" >>"$work/said"
done
kept reserve
said list hub list
hub --json members | jq -r .name | sort | xargs >>"$work/said"
rm "$work/small/photos"
said add hub add message text="with room again"
kept reserve
hub --json check | jq -c '[.bad, .derived_bad]' >>"$work/said"
END

mkdir "$work/small"
for who in ana ben eva leo; do
	as $who --quiet init --name $who --no-passphrase >/dev/null
	as $who --json id | jq -r .id >"$work/$who.id"
done
if ! unshare -m true 2>/dev/null; then
	echo "ok reserve # SKIP no mount namespaces here"
	exit 0
fi
unshare -m bash "$work/full.sh" || { echo "ok reserve # SKIP no tmpfs here"; exit 0; }
equal "reserve: control records go in where others do not" "$(paste -sd, "$work/said")" \
	"add 0,reserve kept,add 0,doctor 0 warning 1,add 15,doctor 1 broken 1,doctor 0 warning 1,admit ana 0,reserve kept,add 15,admit ben 0,admit eva 0,admit leo 0,reserve given up,list 0,ana ben eva hub leo,add 0,reserve kept,[0,0]"
equal "reserve: the error" "$(tail -1 "$work/json" | jq -r .error)" no-space

# What is attached is measured before it is written: the reserve stays what it is, and so does all that is free.
cat >"$work/attach.sh" <<'END'
mount -t tmpfs -o size=200m tmpfs "$work/small" || exit 77
hub() { "$build/vereda" --home "$work/small/hub" --no-input --lang en "$@"; }
free() { echo $(($(stat -f -c '%a*%S' "$work/small") >> 20)); }
hub --quiet init --name hub --no-passphrase >/dev/null
hub --quiet group create Valle >/dev/null
hub --quiet add message text="before" >/dev/null
head -c $(($(stat -f -c '%a*%S' "$work/small") - (48 << 20))) /dev/zero >"$work/small/other"
for n in 60 40 20; do
	head -c ${n}M /dev/urandom >"$work/file"
	hub --json add document title=large --attach "$work/file" >/dev/null 2>"$work/large.$n"
	echo "$n $? $(($(free) / 4)) $(($(stat -c %s "$work/small/hub/data.mdb") >> 22))" >>"$work/attached"
done
hub alert "still goes out" >/dev/null
echo "alert $?" >>"$work/attached"
END
unshare -m bash "$work/attach.sh" || { echo "ok attach # SKIP no tmpfs here"; exit $failed; }
equal "reserve: what has no room beside it is not begun" "$(paste -sd, "$work/attached")" "60 15 12 0,40 15 12 0,20 0 6 5,alert 0"
equal "reserve: and what to do is said" "$(jq -r .hint "$work/large.60" | grep -c "vereda prune --dry-run")" 1

# What comes through a pipe is looked at as it begins, and its copy leaves what is kept free.
cat >"$work/pipe.sh" <<'END'
mount -t tmpfs -o size=24m tmpfs "$work/small" || exit 77
hub() { "$build/vereda" --home "$work/small/hub" --no-input --lang en "$@"; }
free() { stat -f -c '%a %S' "$work/small" | { read -r blocks bytes; echo $((blocks * bytes)); }; }
hub --quiet init --name hub --no-passphrase >/dev/null
hub --quiet group create Valle >/dev/null
hub --quiet export "$work/begins" >"$work/out" 2>&1
hub import /dev/zero >"$work/out" 2>"$work/err"
echo "not ours $?" >>"$work/piped"
{
	cat "$work/begins"
	while head -c 100000 /dev/zero 2>/dev/null; do free >>"$work/free"; done
} | hub import - >"$work/out" 2>"$work/err"
echo "too large $? $(grep -c "kept free of it (reserve)" "$work/err") $(($(sort -n "$work/free" | head -1) >= 1572864)) $(($(sort -n "$work/free" | head -1) < 3000000))" >>"$work/piped"
hub import - <"$work/begins" >"$work/out" 2>"$work/err"
echo "small $? $(ls -A "$work/small/hub" | grep -c tmp)" >>"$work/piped"
END
unshare -m bash "$work/pipe.sh" || { echo "ok pipe # SKIP no tmpfs here"; exit $failed; }
equal "reserve: what comes through a pipe leaves it" "$(paste -sd, "$work/piped")" "not ours 12,too large 15 1 1 1,small 0 0"

# Locked, a device carries what it cannot open, and leaves as much free: the usual, and what was set.
cat >"$work/carry.sh" <<'END'
mount -t tmpfs -o size=64m tmpfs "$work/small" || exit 77
hub() { "$build/vereda" --home "$work/small/hub" --no-input --lang en "$@"; }
echo "a long enough passphrase" >"$work/words"
hub --quiet --passphrase-file "$work/words" init --name hub >/dev/null
hub --quiet --passphrase-file "$work/words" group create Valle >/dev/null
mkdir "$work/stick"
"$build/vereda" --home "$work/ana" --quiet sync "$work/stick" >/dev/null
head -c $(($(stat -f -c '%a*%S' "$work/small") - 3000000)) /dev/zero >"$work/small/photos"
hub sync "$work/stick" >"$work/out" 2>"$work/err"
echo "$? $(grep -c "1 files stayed on .*disk is kept free .*(4096 KiB)" "$work/err")" >>"$work/carried"
hub --quiet --passphrase-file "$work/words" config set reserve 1M >/dev/null
hub --json sync "$work/stick" 2>/dev/null >"$work/out"
echo "$? $(jq .files_received "$work/out")" >>"$work/carried"
END
cheap_passphrases
as ana --quiet group create Loma >/dev/null
as ana --quiet add message text="to be carried" >/dev/null
unshare -m bash "$work/carry.sh" || { echo "ok carry # SKIP no tmpfs here"; exit $failed; }
equal "reserve: a locked device respects it, and says so" "$(paste -sd, "$work/carried")" "15 1,3 1"
exit $failed
