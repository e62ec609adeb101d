#!/bin/sh
# The whole runbook through subcommands, on an easy-rsa PKI, real sshd, real nginx, real iptables.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
PATH=$PATH:/usr/sbin:/sbin
need ssh sshd nginx openssl curl iptables ip6tables ip unshare
[ -x /usr/share/easy-rsa/easyrsa ] || { echo "easy-rsa is not installed"; exit 77; }
own_network
work_folder
me=$(id -un)
leave() {
  "$D/service" stop || :
  for f in "$D"/hosts/*/nginx.pid "$D/cdp/nginx.pid" "$D/sshd.pid"; do
    [ -f "$f" ] && kill "$(cat "$f")" 2>/dev/null || :
  done
}

# ---- the PKI: an easy-rsa root, an easy-rsa issuing CA below it with 12 certificates ----
rsa() { pki=$1; shift; EASYRSA_BATCH=1 EASYRSA_PKI=$D/$pki EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1 EASYRSA_CRL_DAYS=30 \
  /usr/share/easy-rsa/easyrsa "$@" >>"$D/easyrsa.log" 2>&1 || { tail -n 20 "$D/easyrsa.log"; die "easyrsa $*"; }; }
rsa root init-pki
EASYRSA_REQ_CN="Test Root CA" rsa root build-ca nopass
rsa sub init-pki
EASYRSA_REQ_CN="Test Issuing CA" rsa sub build-ca nopass subca
rsa root import-req "$D/sub/reqs/ca.req" issuing
rsa root sign-req ca issuing
cp "$D/root/issued/issuing.crt" "$D/sub/ca.crt"
for i in 1 2 3 4 5 6 7 8 9; do rsa sub build-server-full "old$i.test" nopass; done
rsa sub revoke old9.test superseded
ok "an easy-rsa root, an issuing CA, nine certificates, one revoked before"

# ---- servers: one sshd for all names, an nginx with its own key and certificate per host ----
ssh_server
: >"$D/known_hosts"
echo "host,address,port,user" >"$D/inventory.csv"
n=0
for h in web1.test web2.test web3.test; do
  n=$((n + 1))
  known "127.0.1.$n" >>"$D/known_hosts"
  mkdir -p "$D/hosts/$h"
  rsa sub build-server-full "$h" nopass
  cp "$D/sub/private/$h.key" "$D/hosts/$h/server.key"
  cp "$D/sub/issued/$h.crt" "$D/hosts/$h/server.crt"
  web_server "$D/hosts/$h" "127.0.1.$n" "$D/hosts/$h/server.crt"
  web_start "$D/hosts/$h"
  echo "$h,127.0.1.$n,2222,$me" >>"$D/inventory.csv"
done
known 127.0.1.250 >>"$D/known_hosts"
mkdir -p "$D/cdp/a" "$D/cdp/b"
cat >"$D/cdp/nginx.conf" <<EOF
pid $D/cdp/nginx.pid; error_log $D/cdp/error.log; worker_processes 1;
events { worker_connections 64; }
http { access_log off; default_type application/pkix-crl;
  server { listen 127.0.0.1:8080; root $D/cdp/a; }
  server { listen 127.0.0.1:8081; root $D/cdp/b; } }
EOF
chmod 755 "$D/cdp" "$D/cdp/a" "$D/cdp/b"
nginx -c "$D/cdp/nginx.conf" 2>>"$D/nginx.log" || die "nginx of the distribution points"

# ---- the CA's service, what takes it offline, where mail goes ----
cat >"$D/service" <<EOF
#!/bin/sh
case \$1 in
start) (exec sleep 100000) </dev/null >/dev/null 2>&1 & echo \$! >"$D/service.pid" ;;
stop) kill "\$(cat "$D/service.pid")" && rm "$D/service.pid" ;;
stopped) ! kill -0 "\$(cat "$D/service.pid" 2>/dev/null || echo 0)" 2>/dev/null || [ ! -f "$D/service.pid" ] ;;
esac
EOF
cat >"$D/sendmail" <<EOF
#!/bin/sh
n=\$(ls "$D/mail" | wc -l)
cat >"$D/mail/\$n.eml"
echo "\$@" >>"$D/mail/\$n.eml"
EOF
chmod 755 "$D/service" "$D/sendmail"
mkdir "$D/mail" "$D/images" "$D/state"
"$D/service" start
head -c 3000000 /dev/urandom >"$D/disk"

cat >"$D/sev1.conf" <<EOF
[sev1]
state = $D/state
organisation = Example GmbH
contact-pki = pki@example.com
contact-security = security@example.com
contact-hotline = +49 30 000
estimated-downtime = 4
sendmail = $D/sendmail
[ca root]
config = $D/root
[ca issuing]
config = $D/sub
parent = root
crl-hours = 12
[host ca01]
address = 127.0.1.250
port = 2222
user = $me
identity = $D/id
known-hosts = $D/known_hosts
[point near]
ca = issuing
url = http://127.0.0.1:8080/issuing.crl
path = $D/cdp/a/issuing.crl
[point far]
ca = issuing
url = http://127.0.0.1:8081/issuing.pem
path = $D/cdp/b/issuing.pem
host = ca01
pem = yes
[point rootcrl]
ca = root
url = http://127.0.0.1:8080/root.crl
path = $D/cdp/a/root.crl
[action stop-ca]
title = stop the CA
host = ca01
run = $D/service stop
verify = $D/service stopped
undo = $D/service start
[action firewall]
kind = firewall
ports = 9443
[action image]
kind = image
source = $D/disk
target = $D/images
[action keylock]
kind = keylock
run = chmod 000 $D/sub/private/ca.key
verify = test "\$(stat -c %a $D/sub/private/ca.key)" = 0
undo = chmod 600 $D/sub/private/ca.key
[notice management]
transport = sendmail
to = ciso@example.com, ceo@example.com
from = pki@example.com
[notice internal]
transport = sendmail
to = all@example.com
from = pki@example.com
[notice external]
transport = sendmail
to = partner@example.org
from = pki@example.com
[fleet]
inventory = $D/inventory.csv
identity = $D/id
known-hosts = $D/known_hosts
key = $D/hosts/%h/server.key
certificate = $D/hosts/%h/server.crt
key-mode = keep
test = nginx -t -q -c $D/hosts/%h/nginx.conf
reload = nginx -c $D/hosts/%h/nginx.conf -s reload
probe-port = 8443
concurrency = 3
days = 30
EOF

# ---- before the incident ----
sev1 doctor >"$D/doctor.out" 2>&1 && die "doctor finds no fault with empty distribution points"
grep -q "FAIL *point near" "$D/doctor.out" && grep -q "FAIL *state" "$D/doctor.out" || { cat "$D/doctor.out"; die "doctor misses a fault"; }
rsa sub gen-crl
rsa root gen-crl
openssl crl -in "$D/sub/crl.pem" -outform DER -out "$D/cdp/a/issuing.crl"
openssl crl -in "$D/root/crl.pem" -outform DER -out "$D/cdp/a/root.crl"
cp "$D/sub/crl.pem" "$D/cdp/b/issuing.pem"
chmod 644 "$D"/cdp/?/*
chmod 700 "$D/state"
sev1 doctor >"$D/doctor.out" 2>&1 || { cat "$D/doctor.out"; die "doctor finds fault with a good set-up"; }
ok "doctor names what is missing, and is content once it is there"

# The inventory lies on a share that is gone: until the servers are needed nothing misses it.
mv "$D/inventory.csv" "$D/away.csv"
sev1 doctor >"$D/doctor.out" 2>&1 && die "doctor is content without the inventory"
grep -q "^FAIL  fleet: $D/inventory.csv: No such file or directory" "$D/doctor.out" || { cat "$D/doctor.out"; die "doctor does not name the inventory"; }
grep -q "correct 'inventory' in \[fleet\] of $D/sev1.conf" "$D/doctor.out" || { cat "$D/doctor.out"; die "doctor says no remedy"; }
# unmoved COMMAND...: does its work without a word of the inventory
unmoved() {
  sev1 "$@" >"$D/out" 2>"$D/err" || { cat "$D/out" "$D/err"; die "$* without the inventory"; }
  grep -qi inventory "$D/out" "$D/err" && { cat "$D/out" "$D/err"; die "$* speaks of the inventory"; }
  return 0
}
sev1 status 2>"$D/err" && die "status without an incident"
grep -q "no open incident" "$D/err" || die "status says: $(cat "$D/err")"
ok "status without an incident says so"

# ---- 1 triage ----
sev1 open >"$D/out" || die "open"
sev1 revoke 2>"$D/err" && die "revoke before triage"
grep -q "triage has not" "$D/err" || die "revoke before triage says: $(cat "$D/err")"
sev1 triage --ca issuing --level Intermediate --compromise 1 2>"$D/err" && die "a level that is no choice was taken"
sev1 triage --ca issuing --level intermediate --compromise 1 --received -20m --channel phone --reporter "A. Person" \
  --since unknown >"$D/out" || die "triage"
sev1 scope >"$D/out" || die "scope"
sev1 status --json | grep -q '"state": "done"' || die "triage is not done"
unmoved status
ok "checkpoint 1: eleven certificates and the CA's own in scope"

# ---- 2 offline ----
sev1 revoke 2>"$D/err" && die "revoke while the CA issues"
grep -q "CA offline" "$D/err" || die "revoke while the CA issues says: $(cat "$D/err")"
planned contain
"$D/service" stopped || die "the service runs"
iptables -C INPUT -p tcp --dport 9443 -m comment --comment sev1:firewall -j DROP 2>/dev/null ||
  iptables -S INPUT | grep -q 9443 || die "no IPv4 rule"
ip6tables -S INPUT | grep -q 9443 || die "no IPv6 rule"
image=$(find "$D/images" -type f -name '*.img')
[ -n "$image" ] && cmp "$image" "$D/disk" || die "the image is not the disk"
[ "$(stat -c %a "$D/sub/private/ca.key")" != 0 ] || die "the key was locked before the CRL"
ok "checkpoint 2: service stopped, rules for both families, image equal, key not yet locked"

# ---- 3 management ----
sev1 notify management >"$D/out" 2>"$D/err" && die "a notice without its number"
grep -q "{{systems_count}} is not filled: the inventory cannot be read: $D/inventory.csv: No such file" "$D/err" ||
  { cat "$D/err"; die "why the number is missing is not said"; }
planned notify management --field systems_count=3
[ "$(ls "$D/mail" | wc -l)" -eq 2 ] || die "two messages were wanted"
grep -q "Example GmbH" "$D/mail/0.eml" || die "the notice is not filled"
ok "checkpoint 3: management told"

# ---- 4 revocation and emergency CRL ----
before=$(sha256sum "$D/sub/index.txt" | cut -d' ' -f1)
planned revoke
[ "$(grep -c '^V' "$D/sub/index.txt")" -eq 0 ] || die "valid rows are left"
[ "$(grep -c '^R' "$D/sub/index.txt")" -eq 12 ] || die "not every row is revoked"
backup=$(find "$D/sub" -maxdepth 1 -name 'index.txt.pre-emergency-*')
[ "$(sha256sum "$backup" | cut -d' ' -f1)" = "$before" ] || die "the backup is not byte-exact"
grep -c '^R' "$D/root/index.txt" | grep -qx 1 || die "the CA's own certificate is not revoked at its issuer"
rsa sub gen-crl
rsa sub build-server-full after.test nopass
openssl crl -in "$D/sub/crl.pem" -CAfile "$D/sub/ca.crt" -noout 2>&1 | grep -q "verify OK" || die "easy-rsa's next CRL does not verify"
[ "$(openssl crl -in "$D/sub/crl.pem" -noout -text | grep -c 'Serial Number')" -eq 12 ] || die "easy-rsa lost entries"
ok "checkpoint 4: all revoked, backup exact, easy-rsa goes on working"

# ---- 5 publication ----
planned publish
curl -sf http://127.0.0.1:8080/issuing.crl -o "$D/fetched.der" || die "the point serves nothing"
openssl crl -inform DER -in "$D/fetched.der" -CAfile "$D/sub/ca.crt" -noout 2>&1 | grep -q "verify OK" || die "the published CRL does not verify"
openssl crl -inform DER -in "$D/fetched.der" -noout -text | grep -q "Key Compromise" || die "no reason in the CRL"
openssl crl -in "$D/cdp/b/issuing.pem" -CAfile "$D/sub/ca.crt" -noout 2>&1 | grep -q "verify OK" || die "the far point's PEM does not verify"
openssl crl -inform DER -in "$D/cdp/a/root.crl" -CAfile "$D/root/ca.crt" -noout -text 2>&1 | grep -q "CA Compromise" || die "the root's CRL does not name the CA"
ok "checkpoint 5: three points serve what was signed"

# ---- key lock, once the CRL is signed ----
sev1 crl renew --ca issuing >"$D/out" 2>&1 || { cat "$D/out"; die "crl renew"; }
curl -sf http://127.0.0.1:8080/issuing.crl -o "$D/renewed.der"
cmp -s "$D/fetched.der" "$D/renewed.der" && die "crl renew published nothing"
openssl crl -inform DER -in "$D/renewed.der" -CAfile "$D/sub/ca.crt" -noout 2>&1 | grep -q "verify OK" || die "the renewed CRL does not verify"
planned contain
[ "$(stat -c %a "$D/sub/private/ca.key")" = 0 ] || die "the key is not locked"
ok "the CRL is renewed and published, then the key is locked"

# ---- 6, 7 ----
planned notify external
mv "$D/away.csv" "$D/inventory.csv"
planned notify internal
grep -q "web3.test" "$D"/mail/*.eml || die "the internal notice does not name the servers"
ok "checkpoints 6 and 7: people told"

# ---- 8 recovery ----
planned recover --new intermediate --name issuing3 --subject "/CN=Test Issuing CA 3" --parent root --folder "$D/issuing3"
openssl verify -CAfile "$D/root/ca.crt" "$D/issuing3/ca.pem" >/dev/null 2>&1 ||
  openssl verify -CAfile "$D/root/ca.crt" "$(find "$D/issuing3" -maxdepth 1 -name '*.pem' -o -maxdepth 1 -name '*.crt' | head -n 1)" >/dev/null || { find "$D/issuing3" -maxdepth 2; cat "$D/run.out"; die "the new issuer does not verify"; }
printf 'this is not nginx\n' >"$D/hosts/web2.test/broken"
sed -i "1s|^|include $D/hosts/web2.test/broken; |" "$D/hosts/web2.test/nginx.conf"
old=$(openssl x509 -in "$D/hosts/web2.test/server.crt" -noout -serial)
want=4 planned reissue
[ "$(openssl x509 -in "$D/hosts/web2.test/server.crt" -noout -serial)" = "$old" ] || die "the failed host was not rolled back"
# presents N: server N presents the new issuer's certificate; nginx's old worker may answer for a moment still
presents() {
  openssl s_client -connect "127.0.1.$1:8443" -servername "web$1.test" </dev/null 2>/dev/null |
    openssl x509 -noout -issuer | grep -q "Issuing CA 3"
}
for i in 1 3; do wait_for "web$i to present the new issuer's certificate" presents $i; done
: >"$D/hosts/web2.test/broken"
planned reissue --retry failed
wait_for "web2 to present the new issuer's certificate" presents 2
ok "checkpoint 8: three servers present the new issuer's certificate; a failed test rolled back, then mended"

# ---- afterwards ----
[ "$(sev1 status --json | grep -c '"state": "done"')" -eq 8 ] || { sev1 status; die "not every checkpoint is closed by evidence"; }
sev1 audit | grep -q verifies || die "audit"
sev1 report -o "$D/report.md" >"$D/out" 2>&1 || sev1 report --format markdown --output "$D/report.md" >"$D/out" 2>&1 || { cat "$D/out"; die "report"; }
grep -q web2.test "$D/report.md" || die "the report does not name every host"
ok "all eight checkpoints closed by evidence; the journal verifies; the report is written"
mv "$D/inventory.csv" "$D/away.csv"
for c in status timeline rollout audit report crl; do unmoved $c; done
status=0; sev1 reissue --again >"$D/out" 2>"$D/err" || status=$?
[ $status -eq 1 ] && grep -q "^sev1: $D/inventory.csv: No such file or directory" "$D/err" || { cat "$D/out" "$D/err"; die "reissue without the inventory"; }
mv "$D/away.csv" "$D/inventory.csv"
ok "without the inventory all goes on but what needs the servers"
planned contain --undo firewall
iptables -S INPUT | grep -q 9443 && die "the rule is still there"
ip6tables -S INPUT | grep -q 9443 && die "the IPv6 rule is still there"
ok "the firewall rules are taken back"
grep -rqE 'BEGIN (EC |RSA )?PRIVATE KEY' "$D/state" && die "a private key is in the incident's files"
ok "no private key in the incident's files"
