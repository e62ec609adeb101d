#!/bin/sh
# Checkpoint 8 through subcommands: which issuers are refused, made, imported; real sshd and nginx get
# certificates from the new one, and keep theirs where anything goes wrong.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
PATH=$PATH:/usr/sbin:/sbin
need sshd ssh-keygen nginx openssl ip unshare
own_network
work_folder
leave() {
  rm -f "$D/hold"
  for f in "$D"/hosts/*/nginx.pid "$D/sshd.pid"; do
    [ -f "$f" ] && kill "$(cat "$f")" 2>/dev/null || :
  done
}

# below_root NAME [KEY]: a CA that the root signed
below_root() {
  a=$D/$1
  ca_folder "$a"
  if [ -n "${2:-}" ]; then cp "$2" "$a/ca.key"
  else openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$a/ca.key" 2>/dev/null; fi
  openssl req -new -key "$a/ca.key" -subj "/CN=Test $1" -out "$a/ca.csr"
  openssl ca -batch -config "$D/root/openssl.cnf" -extensions v3_ca -days 1800 -in "$a/ca.csr" -out "$a/ca.pem" -notext 2>/dev/null
}
authority "$D/root" "Test root"
cat >>"$D/root/openssl.cnf" <<E
[v3_ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
E
below_root issuing
below_root spare
below_root samekey "$D/issuing/ca.key"

# two hosts whose openssl lies: a request for another name, and none at all
mkdir "$D/other" "$D/garbage"
cat >"$D/other/openssl" <<E
#!/bin/sh
case \$1 in req) exec $(command -v openssl) req -new -key "$D/hosts/other.test/server.key" -subj /CN=bank.example -addext subjectAltName=DNS:bank.example ;; esac
exec $(command -v openssl) "\$@"
E
cat >"$D/garbage/openssl" <<'E'
#!/bin/sh
printf %b '-----BEGIN CERTIFICATE REQUEST-----\n\033[2J\033]0;owned\007AAAA\n-----END CERTIFICATE REQUEST-----\n'
E
chmod 755 "$D"/*/openssl
ssh_server "Match LocalAddress 127.0.2.7" "SetEnv PATH=$D/other:/usr/sbin:/usr/bin:/sbin:/bin" \
  "Match LocalAddress 127.0.2.8" "SetEnv PATH=$D/garbage:/usr/sbin:/usr/bin:/sbin:/bin"
echo "host,address,port,user,names" >"$D/inventory.csv"
: >"$D/known_hosts"
n=0
for h in web1.test web2.test web3.test weak.test gone.test stranger.test other.test garbage.test; do
  n=$((n + 1))
  d=$D/hosts/$h
  mkdir -p "$d"
  echo "$h,127.0.2.$n,2222,$(id -un),$h www.$h" >>"$D/inventory.csv"
  [ "$h" = stranger.test ] || known "127.0.2.$n" >>"$D/known_hosts"
  if [ "$h" = weak.test ]; then openssl genrsa -out "$d/server.key" 1024 2>/dev/null
  else openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$d/server.key" 2>/dev/null; fi
  openssl req -new -key "$d/server.key" -subj "/CN=$h" -out "$d/csr"
  openssl ca -batch -config "$D/issuing/openssl.cnf" -in "$d/csr" -out "$d/server.pem" -notext 2>/dev/null
  web_server "$d" "127.0.2.$n"
  case $h in weak.test | gone.test | other.test | garbage.test) ;; *) web_start "$d" ;; esac
done
sed -i 's/^gone.test,127.0.2.5,2222/gone.test,127.0.2.5,2223/' "$D/inventory.csv"

mkdir -m 700 "$D/state"
cat >"$D/sev1.conf" <<E
[sev1]
state = $D/state
organisation = Example GmbH
[ca root]
config = $D/root/openssl.cnf
[ca issuing]
config = $D/issuing/openssl.cnf
parent = root
[ca spare]
config = $D/spare/openssl.cnf
parent = root
spare = yes
[ca samekey]
config = $D/samekey/openssl.cnf
parent = root
[fleet]
inventory = $D/inventory.csv
identity = $D/id
known-hosts = $D/known_hosts
key = $D/hosts/%h/server.key
certificate = $D/hosts/%h/server.pem
test = nginx -t -q -c $D/hosts/%h/nginx.conf
reload = nginx -c $D/hosts/%h/nginx.conf -s reload
probe-port = 8443
deadline = 60
E
sev1 open --title "recovery test" >"$D/out" || die "open"
sev1 triage --ca issuing --level intermediate --compromise 1 --received -5m >"$D/out" 2>&1 || { cat "$D/out"; die "triage"; }

# refused STATUS WORDS COMMAND...: fails with that status and says those words
refused() {
  want_status=$1; words=$2; shift 2
  status=0
  sev1 "$@" >"$D/out" 2>"$D/err" || status=$?
  [ "$status" -eq "$want_status" ] || { cat "$D/out" "$D/err"; die "$*: status $status"; }
  grep -q "$words" "$D/err" || { cat "$D/err"; die "$*: does not say '$words'"; }
}
# issuer_of HOST N: who signed what it presents
issuer_of() {
  openssl s_client -connect "127.0.2.$2:8443" -servername "$1" </dev/null 2>/dev/null | openssl x509 -noout -issuer
}

# presents HOST N WORDS: a reload has its moment in which the old workers still answer
shows() { issuer_of "$1" "$2" | grep -q "$3"; }
presents() { wait_for "$1 to present a certificate of $3" shows "$1" "$2" "$3"; }

refused 3 "no replacement issuer" reissue
refused 3 "is compromised" recover --issuer issuing
refused 3 "" recover --issuer samekey
grep -qi "key" "$D/err" || die "the same key is not named"
refused 2 "no CA is called" recover --issuer nobody
refused 2 "one of --issuer" recover
refused 3 "is compromised" recover --new intermediate --name new1 --subject /CN=New --parent issuing
refused 2 "has no parent" recover --new root --name new1 --subject /CN=New --parent root
refused 2 "new name" recover --new intermediate --name spare --subject /CN=New
refused 2 "subject is wanted" recover --new intermediate --name new1 --subject New
ok "a compromised CA, its key in another certificate, and a parent below it are refused"

planned recover --issuer spare
grep -q "$(openssl x509 -in "$D/spare/ca.pem" -outform der | sha256sum | cut -c1-64)" "$D/run.out" || die "no fingerprint of spare"
ok "a CA of the configuration is chosen"

# ---- made elsewhere: a request, signed by root's own openssl, imported ----
planned recover --new intermediate --name far --subject "/CN=Test far" --folder "$D/far"
openssl req -in "$D/far/ca.csr" -noout -verify 2>/dev/null || die "no request"
openssl ca -batch -config "$D/root/openssl.cnf" -extensions v3_ca -in "$D/far/ca.csr" -out "$D/far.pem" -notext 2>/dev/null
refused 2 "wants the --name" recover --import "$D/far.pem"
planned recover --import "$D/far.pem" --name far
openssl verify -CAfile "$D/root/ca.pem" "$D/far.pem" >/dev/null || die "the imported issuer does not verify"
ok "an issuer signed elsewhere is imported, its folder found in the journal"

# ---- the ceremony ----
planned_fails() { sev1 "$@" --json >"$D/plan.json" 2>/dev/null || :; hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json"); }
sev1 recover --ceremony >"$D/out"
grep -q "^ > 1 " "$D/out" || { cat "$D/out"; die "step 1 is not next"; }
refused 3 "step 1 comes next" recover --step 2 --text "too early"
refused 2 "say who was there" recover --step 1
planned_fails recover --new root --name newroot --subject "/CN=New root" --folder "$D/newroot"
refused 3 "step 1 is not confirmed" recover --new root --name newroot --subject "/CN=New root" --folder "$D/newroot" --plan "$hash" --confirm "$phrase"
[ ! -e "$D/newroot/ca.crt" ] || die "a root was made outside a ceremony"
for s in 1 2 3; do sev1 recover --step $s --text "A, B and C" >"$D/out" || die "step $s"; done
refused 3 "step 4 comes next" recover --step 5 --text "no key yet"
planned recover --new root --name newroot --subject "/CN=New root" --folder "$D/newroot"
for s in 5 6 7; do sev1 recover --step $s --text "A, B and C" >"$D/out" || die "step $s"; done
print=$(openssl x509 -in "$D/newroot/ca.crt" -outform der | sha256sum | cut -c1-64)
grep -q "$print" "$D/out" || { cat "$D/out"; die "the ceremony does not end with the fingerprint"; }
[ "$(stat -c %a "$D/newroot/private/ca.key")" = 600 ] || die "the root's key lies open"
ok "a new root in a ceremony: steps in order, the key at its step, the fingerprint at the end"

# ---- a new intermediate, signed here; it is in no configuration file ----
planned recover --new intermediate --name issuing3 --subject "/CN=Test issuing3" --parent root --folder "$D/issuing3" --key ec-p256
openssl verify -CAfile "$D/root/ca.pem" "$D/issuing3/ca.crt" >/dev/null || { cat "$D/run.out" "$D/plan.json"; die "issuing3 does not verify"; }

# ---- re-issue ----
printf 'host,port\nweb1.test,22\nweb1.test,22\nweb2.test\nweb3.test,x\nweb2.test,22\nWEB2.test,22\n' >"$D/bad.csv"
sed "s|^inventory = .*|inventory = $D/bad.csv|" "$D/sev1.conf" >"$D/bad.conf"
cat >"$D/said" <<EOF
sev1: $D/bad.csv:3: this host stands in line 2 already: web1.test
      leave one; two servers need two names, and what they are reached by as their address
sev1: $D/bad.csv:4: 1 field where the header has 2
sev1: $D/bad.csv:5: not a port: x
sev1: $D/bad.csv:7: this host stands in line 6 already: WEB2.test
sev1: reissue: 4 errors; nothing was done
EOF
status=0; "$SEV1" -c "$D/bad.conf" reissue >"$D/out" 2>"$D/err" || status=$?
[ $status -eq 1 ] && [ ! -s "$D/out" ] && diff "$D/said" "$D/err" || die "an inventory with four errors"
status=0; "$SEV1" -c "$D/bad.conf" inventory --json >"$D/out" 2>"$D/err" || status=$?
[ $status -eq 1 ] && grep -q '"errors_total": 4' "$D/out" && [ "$(grep -c 'bad.csv:' "$D/out")" -eq 4 ] &&
  grep -q '"text": "inventory: 4 errors; nothing was done"' "$D/out" || { cat "$D/out" "$D/err"; die "the same as JSON"; }
ok "all errors of an inventory at one go, and nothing runs"
for h in web1.test web2.test web3.test; do sha256sum "$D/hosts/$h/server.key"; done >"$D/keys"
printf 'this is not nginx\n' >"$D/hosts/web2.test/broken"
sed -i "1s|^|include $D/hosts/web2.test/broken; |" "$D/hosts/web2.test/nginx.conf"
cp "$D/hosts/web2.test/server.pem" "$D/web2.before"
cp "$D/hosts/weak.test/server.pem" "$D/weak.before"
want=4 planned reissue
grep -q '"phrase": "REISSUE 8"' "$D/plan.json" || die "eight hosts were wanted"
for n in 1 3; do presents "web$n.test" $n issuing3; done
openssl s_client -connect 127.0.2.1:8443 -CAfile "$D/root/ca.pem" -verify_return_error -verify_hostname www.web1.test </dev/null >/dev/null 2>&1 ||
  die "web1's chain does not verify for its second name"
cmp -s "$D/hosts/web2.test/server.pem" "$D/web2.before" || die "web2 was not rolled back"
cmp -s "$D/hosts/weak.test/server.pem" "$D/weak.before" || die "weak got a certificate"
presents web2.test 2 "Test issuing$"
sha256sum -c --quiet "$D/keys" || die "a key was changed"
state() { grep "^ *$1 " "$D/run.out" | grep -q "$2" || { cat "$D/run.out" "$D/run.err"; die "$1 is not $2"; }; }
state web2.test "rolled back.*emerg"
state weak.test "refused.*1024"
state other.test "refused.*bank.example"
state garbage.test "refused"
grep -q "$(printf '\033')" "$D/run.out" "$D/run.err" && die "escape sequences of a host reach the terminal"
state gone.test "unreachable"
state stranger.test "refused.*ssh-keyscan"
[ "$(find "$D/hosts" -name '*.sev1-*' | wc -l)" -eq 2 ] || die "backups: $(find "$D/hosts" -name '*.sev1-*')"
ok "two hosts verified; a failed test, a weak key, another name, garbage, a host that is gone, an unknown one: each its own row"

# ---- mended, tried again ----
: >"$D/hosts/web2.test/broken"
openssl genrsa -out "$D/hosts/weak.test/server.key" 2048 2>/dev/null
planned reissue --retry failed --only "web*"
grep -q "REISSUE 1\"" "$D/plan.json" || die "one host was wanted"
presents web2.test 2 issuing3
rows=$(wc -l <"$D/issuing3/index.txt")
sev1 reissue --only 'web*' >"$D/out" 2>&1 || die "nothing to do is no failure"
grep -q "Nothing to re-issue: 3 hosts" "$D/out" || { cat "$D/out"; die "verified hosts are done again"; }
ok "mended and tried again; what is verified is left alone"

# ---- kill -9 in the middle, where the reload holds it; go on ----
: >"$D/hold"
sed -i "s|^reload = .*|reload = while [ -e $D/hold ]; do sleep 0.1; done; nginx -c $D/hosts/%h/nginx.conf -s reload|" "$D/sev1.conf"
sev1 reissue --again --only 'web*' --json >"$D/plan.json" 2>"$D/err" || :
hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json")
serial=$(openssl x509 -in "$D/hosts/web1.test/server.pem" -noout -serial)
backups() { find "$D/hosts/web1.test" -name '*.sev1-2*' | wc -l; }
had=$(backups)
more_backups() { [ "$(backups)" -gt "$had" ]; }
"$SEV1" -c "$D/sev1.conf" reissue --again --only 'web*' --plan "$hash" --confirm "$phrase" >"$D/run.out" 2>&1 &
console=$!
wait_for "a staged install" more_backups
kill -9 $console
wait $console 2>/dev/null || :
rm "$D/hold"
settled() { [ "$(find "$D/hosts" -name '*.sev1-2*' | wc -l)" -eq 3 ]; }
wait_for "the hosts to settle" settled
[ "$(openssl x509 -in "$D/hosts/web1.test/server.pem" -noout -serial)" = "$serial" ] || die "web1 keeps a certificate that no handshake proved"
[ "$(backups)" -eq "$had" ] || die "the backup of the broken run lies about"
planned reissue --again --only 'web*'
[ "$(wc -l <"$D/issuing3/index.txt")" -eq "$rows" ] || die "a certificate was issued twice: $(wc -l <"$D/issuing3/index.txt") rows, not $rows"
for n in 1 2 3; do presents "web$n.test" $n issuing3; done
sev1 audit | grep -q verifies || die "audit"
ok "killed in the middle: the hosts put their files back, the next run goes on and issues nothing twice"
