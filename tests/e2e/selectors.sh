#!/bin/sh
# Selectors on the command line: a leaked key, a file of serials, groups with a reason each, and what is refused.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
need openssl
work_folder
leave() { :; }
sev1() { "$SEV1" -c "$D/sev1.conf" "$@"; }

# ---- a CA: two certificates on one key, one with another ----
mkdir "$D/state"
a=$D/ca
authority "$a" CA
{
  for k in leaked other; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$D/$k.key"; done
  for c in leaked:web1 other:web2 leaked:web3; do
    openssl req -new -key "$D/${c%%:*}.key" -subj "/CN=${c#*:}" -addext "subjectAltName=DNS:${c#*:}.example.com" \
      -config "$a/openssl.cnf" -out "$D/csr"
    openssl ca -batch -notext -config "$a/openssl.cnf" -in "$D/csr" -out "$D/crt"
  done
} >"$D/log" 2>&1 || { cat "$D/log"; die "the CA is not made"; }
printf '[sev1]\nstate = %s\n[ca web]\nconfig = %s\n' "$D/state" "$a/openssl.cnf" >"$D/sev1.conf"

# ---- what they match, before there is an incident ----
sev1 count --ca web --san '*.example.com' >"$D/out" || { cat "$D/out"; die "count"; }
grep -q '3 of them match' "$D/out" || { cat "$D/out"; die "count"; }
sev1 count --key-file "$D/leaked.key" --json >"$D/out" || die "count --json"
grep -q '"matches": 2' "$D/out" && grep -q '"proved": true' "$D/out" || { cat "$D/out"; die "count --json"; }
ok "count says what selectors match, and changes nothing"

# ---- a leaked key: found, proved, and not kept ----
sev1 open --title leak >/dev/null
answer() { sev1 triage --ca web --level end-entity --compromise 1 --channel phone "$@"; }
(cd "$D" && answer --key-file leaked.key) >"$D/out" || { cat "$D/out"; die "triage"; }
grep -q 'on the key of private-key leaked.key' "$D/out" || { cat "$D/out"; die "triage says what selects"; }
rm "$D/leaked.key"
sev1 scope >"$D/out" || { cat "$D/out"; die "scope"; }
grep -q 'leaked.key) is in 2 certificates; possession proved with each of them' "$D/out" || { cat "$D/out"; die "proof"; }
grep -q 'Frozen: 2 certificates' "$D/out" || die "scope of the key"
for f in "$D"/state/*.sev1; do
  grep -aq 'PRIVATE KEY' "$f" && die "a private key is in the journal"
  grep -aq "$D/leaked.key" "$f" && die "the path of the key is in the journal"
done
ok "a leaked key finds both its certificates, possession is proved, and nothing of it is kept"

# ---- a file of serials, kept in the incident file; a second group with its own reason ----
printf '# leaked\n0x10:01\n\ndec:4096,\n' >"$D/leaked.txt"
sev1 scope --serials-file "$D/leaked.txt" --group-reason superseded --or --san 'web[13].*' --group-reason privilegeWithdrawn >"$D/out" ||
  { cat "$D/out"; die "groups"; }
grep -q 'To be revoked for privilegeWithdrawn 1, superseded 2' "$D/out" || { cat "$D/out"; die "the reasons"; }
rm "$D/leaked.txt"
find "$D/state" -name 'serials-*.list' -delete
sev1 scope --json >"$D/out" || { cat "$D/out"; die "the list is in the incident file"; }
m=$(sed -n 's/.*"path": "\(.*web\.manifest\)".*/\1/p' "$D/out")
printf '1000 superseded\n1001 superseded\n1002 privilegeWithdrawn\n' >"$D/want"
tail -n 3 "$m" | cmp -s - "$D/want" || { cat "$m"; die "the first group's reason"; }
ok "groups with a reason each, from a file of serials that is gone"

# ---- refused: nothing that was frozen changes ----
# refused STATUS TEXT ARGUMENTS...
refused() {
  want=$1 text=$2
  shift 2
  status=0
  "$@" >"$D/out" 2>"$D/err" || status=$?
  [ "$status" -eq "$want" ] || { cat "$D/err"; die "status $status of: $*"; }
  grep -q -- "$text" "$D/err" || { cat "$D/err"; die "$* does not say: $text"; }
}
answered() { sev1 timeline | grep -cE "triage: |scope: "; } # events
before=$(answered)
printf '1000\n\nweb1\n' >"$D/bad.txt"
printf '1000\nBEEF\n' >"$D/strange.txt"
openssl genpkey -algorithm ed25519 -out "$D/new.key"
openssl pkey -in "$D/new.key" -aes256 -passout pass:x -out "$D/enc.key"
refused 1 'bad.txt: line 3: "web1" is not a serial' sev1 scope --serials-file "$D/bad.txt"
refused 3 'strange.txt: line 2: serial BEEF is not in' sev1 scope --serials-file "$D/strange.txt"
refused 3 'matches no certificate' sev1 scope --san '*.example.org'
refused 3 'new.key: the public key' sev1 scope --key-file "$D/new.key"
refused 3 'is encrypted' sev1 scope --key-file "$D/enc.key"
refused 2 'a group of selectors is empty' sev1 scope --serial 1000 --or
refused 2 'off a delta CRL' sev1 scope --serial 1000 --group-reason removeFromCRL
refused 2 'is not a serial' sev1 scope --serial web1
refused 2 'at least one selector' answer
refused 2 'selectors are for the level end-entity' sev1 triage --ca web --level root --compromise 1 --channel phone --serial 1000
mv "$a/newcerts/1001.pem" "$D"
refused 1 'newcerts: 1 certificate .* not there: 1001.pem' sev1 scope --issued-since -2d
mv "$D/1001.pem" "$a/newcerts"
[ "$before" -gt 2 ] && [ "$before" = "$(answered)" ] || die "a refused selection changed the incident"
sev1 status | grep -q "3 in scope" || { sev1 status; die "the scope of before is frozen still"; }
ok "what is refused changes nothing"
sev1 scope --serial 1000 --group-reason certificateHold >"$D/out" || die "hold"
grep -q 'To be revoked for certificateHold' "$D/out" && grep -q 'can be lifted again' "$D/out" || { cat "$D/out"; die "hold"; }
ok "a hold is said to be one"
sev1 audit >/dev/null || die "audit"
ok "the journal verifies"
