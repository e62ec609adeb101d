#!/bin/sh
# The tabletop exercise as the program plays it: to the end, through kill -9, with a fleet that fails.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
need ssh openssl curl
work_folder
leave() { for d in one two; do "$SEV1" drill --folder "$D/$d" --clean >/dev/null 2>&1 || :; done; }
drill() { "$SEV1" drill --folder "$D/$@"; }
conf() { "$SEV1" -c "$D/$1/sev1.conf" "$2" --json; }
serials() { cut -f4 "$D/one/ca/issuing3/index.txt" | sort; }

# ---- a demonstration ----
from=$(date +%s%N)
drill one --no-console >"$D/out" 2>&1 || { cat "$D/out"; die "the sandbox is not made"; }
echo "# ready in $((($(date +%s%N) - from) / 1000000)) ms"
drill one --play </dev/null >"$D/play" 2>&1 || { tail -n 40 "$D/play"; die "drill --play fails"; }
ok "drill --play ends with status 0"
conf one status >"$D/status" || die "status"
[ "$(grep -c '"state": "done"' "$D/status")" -eq 8 ] || { cat "$D/status"; die "eight checkpoints are done"; }
"$SEV1" -c "$D/one/sev1.conf" audit >/dev/null || die "audit"
ok "eight checkpoints are closed by evidence, and the journal verifies"

# ---- what it left is what it says, seen by other programs ----
[ "$(grep -c '^V' "$D/one/ca/issuing2/index.txt")" -eq "$(awk -F'\t' -v n="$(date -u +%y%m%d%H%M%SZ)" \
  '$1 == "V" && length($2) == 13 && $2 < n' "$D/one/ca/issuing2/index.txt" | wc -l)" ] || die "a valid row is left"
crl=$D/one/hosts/cdp2/www/issuing2.crl
openssl crl -inform DER -in "$crl" -CAfile "$D/one/ca/issuing2/ca.crt" -noout 2>&1 | grep -q 'verify OK' || die "CRL"
[ "$(openssl crl -inform DER -in "$crl" -noout -text | grep -c 'Serial Number:')" -eq "$(grep -c '^R' \
  "$D/one/ca/issuing2/index.txt")" ] || die "the CRL holds what the index says"
for h in "$D"/one/hosts/*.drill.test; do
  openssl verify -crl_check -CRLfile "$D/one/ca/issuing3/crl/issuing3.crl" -CAfile "$D/one/ca/root/ca.crt" \
    -untrusted "$D/one/ca/issuing3/ca.crt" "$h/tls/server.crt" >"$D/out" 2>&1 || { cat "$D/out"; die "$h"; }
done
[ -z "$(serials | uniq -d)" ] || die "a serial was used twice"
[ "$(serials | wc -l)" -eq "$(ls -d "$D"/one/hosts/*.drill.test | wc -l)" ] || die "one certificate a host"
openssl ca -config "$D/one/ca/issuing3/openssl.cnf" -gencrl -out "$D/new.crl" 2>"$D/out" || { cat "$D/out"; die "openssl ca"; }
ok "revoked, published, re-issued: openssl agrees"
[ -n "$(ls "$D/one/mail")" ] || die "no mail was filed"
! "$D/one/bin/keylock" locked issuing1 2>/dev/null || die "the wrong key is locked"
"$D/one/bin/keylock" locked issuing2 >/dev/null || die "the key is not locked"
"$SEV1" -c "$D/one/sev1.conf" timeline | grep -q "lock-key: held.*found locked: .*issuing2" || { "$SEV1" -c "$D/one/sev1.conf" timeline | grep -i lock; die "the key was not found locked"; }
ok "the notices are filed, the key is locked and was found so"

# ---- killed in the middle, again and again: it goes on where it stood ----
for mark in 'scope:' 'revoke: root: 1 cert' 'crl: issuing2' 'publish: .* placed' 'hosts: .* running'; do
  drill one --new --no-console >/dev/null 2>&1 || die "anew"
  "$SEV1" drill --folder "$D/one" --play </dev/null >"$D/play" 2>&1 &
  pid=$!
  pids=$pid
  wait_for "$mark" grep -q "$mark" "$D/play"
  kill -9 "$pid" 2>/dev/null || :
  wait "$pid" 2>/dev/null || :
  ! grep -q 'points; RTO' "$D/play" || echo "# it was done before the kill"
  kill -0 "$(cat "$D/one/run/host.pid")" || die "the hosts died with the console"
  pids=
  drill one --play </dev/null >"$D/play" 2>&1 || { tail -n 40 "$D/play"; die "not resumed after '$mark'"; }
  [ -z "$(serials | uniq -d)" ] || die "a serial was used twice"
  [ "$(serials | wc -l)" -eq "$(ls -d "$D"/one/hosts/*.drill.test | wc -l)" ] || die "issued twice after '$mark'"
  ok "killed at '$mark', resumed, done"
done

# ---- the hosts killed: a console starts them again ----
drill one --new --no-console >/dev/null 2>&1 || die "anew"
pid=$(cat "$D/one/run/host.pid")
kill -9 "$pid"
wait_for "the end of the hosts" sh -c "! kill -0 $pid || grep -q '^State:.Z' /proc/$pid/status"
drill one --play </dev/null >"$D/play" 2>&1 || { tail -n 40 "$D/play"; die "without hosts"; }
ok "the hosts are started where they do not run"

# ---- a rough night: some hosts cannot be done, the exercise can ----
"$SEV1" drill rough-night --folder "$D/two" --play </dev/null >"$D/play" 2>&1 || { tail -n 40 "$D/play"; die "rough night"; }
grep -q '13 of 16 hosts have a new certificate' "$D/play" || { tail -n 40 "$D/play"; die "13 of 16"; }
for h in web03 mail01; do
  cmp -s "$D/two/hosts/$h.drill.test/tls/server.crt" "$D/two/hosts/$h.drill.test/run/first.crt" || die "$h is not rolled back"
done
ok "a rough night: 13 of 16, the others as they were"

# ---- end-entity: what is expired is not frozen as if it were something; one valid certificate is ----
drill one --new --no-console >/dev/null 2>&1 || die "anew"
one() { "$SEV1" -c "$D/one/sev1.conf" "$@"; }
index=$D/one/ca/issuing2/index.txt
now=$(date -u +%y%m%d%H%M%SZ)
expired=$(awk -F'\t' -v now="$now" '$1 == "V" { d = $2; if (length(d) == 15) d = substr(d, 3); if (d < now) { print $4; exit } }' "$index")
valid=$(awk -F'\t' -v now="$now" '$1 == "V" { d = $2; if (length(d) == 15) d = substr(d, 3); if (d > now) { print $4; exit } }' "$index")
one triage --ca issuing2 --level end-entity --compromise 1 --channel phone --serial "$expired" >/dev/null || die "triage"
one scope 2>"$D/err" && die "an expired certificate was frozen as a scope"
grep -q "expired or revoked already" "$D/err" || { cat "$D/err"; die "scope of nothing"; }
one triage --ca issuing2 --level end-entity --compromise 1 --channel phone --serial "$valid" --serial "$expired" >/dev/null || die "triage"
one scope | grep -q "Frozen: 1 certificate," || die "scope of one"
one scope --json | grep -q '"count": 1' || die "scope of one, frozen again"
ok "end-entity: only what is valid is in scope"

# ---- nothing is left ----
pid=$(cat "$D/two/run/host.pid")
for d in one two; do drill $d --clean >/dev/null || die "clean"; [ ! -e "$D/$d" ] || die "$d is still there"; done
wait_for "the hosts to be gone" sh -c "! kill -0 $pid || grep -q '^State:.Z' /proc/$pid/status"
drill one --clean | grep -q 'there is no drill' || die "clean twice"
mkdir "$D/mine" && echo x >"$D/mine/file"
status=0; "$SEV1" drill --folder "$D/mine" --clean 2>/dev/null || status=$?
[ "$status" -eq 3 ] && [ -f "$D/mine/file" ] || die "a folder that is no drill's was touched"
ok "drill --clean removes the drill and nothing else"
