#!/bin/sh
# revoke --undo through the program: the typed plan, what stands in its way, and what follows; and two consoles at
# once, of which one runs and the other sees it.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
need openssl cmp flock
work_folder
F=$D/drill
leave() { "$SEV1" drill --folder "$F" --clean >/dev/null 2>&1; }
"$SEV1" drill --folder "$F" --no-console >"$D/out" 2>&1 || { cat "$D/out"; die "drill"; }
sev1() { "$SEV1" -c "$F/sev1.conf" "$@"; }

ca=$(sed -n 's/^ca = //p' "$F/scenario.ini" | head -n 1)
dir=$(dirname "$(sed -n "/^\[ca $ca\]/,/^\[/s/^config = //p" "$F/sev1.conf" | head -n 1)")
sev1 triage --ca "$ca" --level intermediate --compromise 1 --received -30m --channel support >/dev/null
sev1 scope >/dev/null
sev1 checkpoint 2 --reason "not what is tested here" >/dev/null
parent=$(dirname "$(sed -n '/^\[ca root\]/,/^\[/s/^config = //p' "$F/sev1.conf" | head -n 1)")
cp "$dir/index.txt" "$D/index.before"
cp "$parent/index.txt" "$D/parent.before"
number=$(cat "$dir/crlnumber")

# nothing to undo yet
sev1 revoke --undo >"$D/out" 2>&1 && die "undo without a revocation"
grep -q "nothing was revoked" "$D/out" || { cat "$D/out"; die "undo without a revocation: why?"; }

planned revoke
sev1 status >"$D/status"
grep -q '^ *4 .*done' "$D/status" || { cat "$D/status"; die "checkpoint 4 is not done"; }
cp "$dir/index.txt" "$D/index.revoked"
cmp -s "$parent/index.txt" "$D/parent.before" && die "the parent did not revoke its CA"
ok "revoked"

# somebody issued since: refused, and the row is named
printf 'V\t350101000000Z\t\tABCDEF\tunknown\t/CN=late.example.com\n' >>"$dir/index.txt"
status=0; sev1 revoke --undo >"$D/out" 2>&1 || status=$?
[ $status -eq 3 ] && grep -q 'is not what the revocation left: 1 issued meanwhile (ABCDEF is new)' "$D/out" || { cat "$D/out"; die "undo over a new row: $status"; }
cp "$D/index.revoked" "$dir/index.txt"
ok "an index.txt that was changed since is refused with the row that differs"

# a wrong phrase does nothing
sev1 revoke --undo --json >"$D/plan.json" 2>/dev/null && die "undo ran without a confirmation"
hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json")
case $phrase in "UNDO "[1-9]*) ;; *) die "the phrase is '$phrase'" ;; esac
status=0; sev1 revoke --undo --plan "$hash" --confirm "REVOKE ${phrase#UNDO }" >"$D/out" 2>&1 || status=$?
[ $status -eq 3 ] && cmp -s "$dir/index.txt" "$D/index.revoked" || { cat "$D/out"; die "a wrong phrase: $status"; }

planned revoke --undo
cmp "$dir/index.txt" "$D/index.before" || die "index.txt is not what it was"
cmp "$parent/index.txt" "$D/parent.before" || die "the parent's index.txt is not what it was"
[ "$(cat "$dir/crlnumber")" != "$number" ] || die "the CRL number went back"
sev1 status >"$D/status"
! grep -q '^ *4 .*done' "$D/status" || { cat "$D/status"; die "checkpoint 4 is still done"; }
sev1 timeline --json >"$D/timeline"
grep -q '"undo.started"' "$D/timeline" && grep -q '"undo.ended"' "$D/timeline" || die "the journal does not tell of it"
sev1 audit >/dev/null || die "audit"
status=0; sev1 publish >"$D/out" 2>&1 || status=$?
[ $status -eq 3 ] || { cat "$D/out"; die "publish after undo: $status"; }
sev1 revoke --undo >"$D/out" 2>&1 && die "undone twice"
ok "index.txt is octet for octet what it was, checkpoint 4 waits again, nothing can be published, the number stays"

# ---- revoked again, by two at once: the first stands still in the middle, the second sees whose turn it is ----
sev1 revoke --json >"$D/plan.json" 2>/dev/null && die "revoke ran without a confirmation"
hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json")
sev1 revoke --hours 24 </dev/null >"$D/out" 2>&1 && die "revoke ran without a confirmation"
grep -qF "  sev1 -c $F/sev1.conf revoke --hours 24 --plan " "$D/out" || { cat "$D/out"; die "the command to be pasted back is not whole"; }
lock=$dir/index.txt.lock
flock "$lock" sh -c "echo held >'$D/held'; while [ -d '$D' ] && [ ! -e '$D/go' ]; do sleep 0.05; done" &
holder=$!
wait_for "the lock" test -e "$D/held"
"$SEV1" -c "$F/sev1.conf" revoke --plan "$hash" --confirm "$phrase" >"$D/first" 2>&1 &
first=$!
wait_for "the revocation of the first" sh -c "'$SEV1' -c '$F/sev1.conf' timeline --json | grep -c revocation.started | grep -qx 4"
status=0; sev1 revoke --plan "$hash" --confirm "$phrase" >"$D/second" 2>&1 || status=$?
[ $status -eq 3 ] && grep -q "is running an action on this incident" "$D/second" || { cat "$D/second"; die "two at once: $status"; }
grep -q "process $first" "$D/second" || { cat "$D/second"; die "the second is not told who runs"; }
sev1 status >/dev/null || die "the second cannot look on"
: >"$D/go"
wait $holder
status=0; wait $first || status=$?
[ $status -eq 0 ] || { cat "$D/first"; die "the first: $status"; }
sev1 revoke >"$D/second" 2>&1 && grep -q "Everything in the scope is revoked" "$D/second" || { cat "$D/second"; die "the second, afterwards"; }
ok "two at once: one runs, the other is told which process does, and afterwards that it is done"

# published: from then on it is refused
planned publish
status=0; sev1 revoke --undo >"$D/out" 2>&1 || status=$?
[ $status -eq 3 ] && grep -q 'was given to the point' "$D/out" || { cat "$D/out"; die "undo after publication: $status"; }
cmp -s "$dir/index.txt" "$D/index.before" && die "undone after publication"
ok "a published revocation is not undone"
