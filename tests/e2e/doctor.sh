#!/bin/sh
# init and doctor against a real easy-rsa PKI, a real sshd and a real nginx: all well first, then one thing
# after another broken, each of which must be named with what to do about it.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
PATH=$PATH:/usr/sbin:/sbin
need ssh sshd ssh-keygen nginx openssl curl ip unshare
[ -x /usr/share/easy-rsa/easyrsa ] || { echo "easy-rsa is not installed"; exit 77; }
own_network
work_folder
leave() {
  for f in "$D/nginx.pid" "$D/sshd.pid"; do
    [ -f "$f" ] && kill "$(cat "$f")" 2>/dev/null || :
  done
}

# ---- a root with a subscriber whose certificate names a distribution point, and a spare issuer ----
rsa() { pki=$1; shift; EASYRSA_BATCH=1 EASYRSA_PKI=$D/etc/$pki/pki EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1 \
  EASYRSA_CRL_DAYS=30 /usr/share/easy-rsa/easyrsa "$@" >>"$D/easyrsa.log" 2>&1 ||
  { tail -n 20 "$D/easyrsa.log"; die "easyrsa $*"; }; }
mkdir -p "$D/etc/root" "$D/etc/spare" "$D/etc/inventory" "$D/etc/www" "$D/state"
chmod 700 "$D/state"
rsa root init-pki
EASYRSA_REQ_CN="Doctor Root CA" rsa root build-ca nopass
EASYRSA_EXTRA_EXTS='crlDistributionPoints = URI:http://127.0.0.1:26080/ca.crl' rsa root build-server-full web1.test nopass
rsa root gen-crl
rsa spare init-pki
EASYRSA_REQ_CN="Spare CA" rsa spare build-ca nopass
openssl crl -in "$D/etc/root/pki/crl.pem" -outform DER -out "$D/etc/www/ca.crl"
echo web1.test >"$D/etc/inventory/all-servers.txt"

# ---- init finds them ----
"$SEV1" init --root "$D/etc" -o "$D/found.conf" >"$D/init.out"
grep -q "found the CA root: $D/etc/root/pki" "$D/init.out" || { cat "$D/init.out"; die "init: the root was not found"; }
grep -q "^path = $D/etc/www/ca.crl" "$D/found.conf" || { cat "$D/found.conf"; die "init: the served CRL was not found"; }
grep -q "^title = Doctor Root CA" "$D/found.conf" || die "init: no title from the certificate"
status=0; "$SEV1" init --root "$D/etc" -o "$D/found.conf" 2>"$D/init.err" || status=$?
[ $status -eq 3 ] && grep -q "never overwritten" "$D/init.err" || die "init: overwrote, or status $status"
ok "init writes a configuration once"

# ---- servers ----
ssh-keygen -q -t ed25519 -N '' -f "$D/hostkey"
ssh-keygen -q -t ed25519 -N '' -f "$D/id"
cp "$D/id.pub" "$D/authorized_keys"
cat >"$D/sshd_config" <<END
Port 26022
ListenAddress 127.0.0.1
HostKey $D/hostkey
AuthorizedKeysFile $D/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PidFile $D/sshd.pid
END
mkdir -p /run/sshd 2>/dev/null || :
ssh_start
echo "[127.0.0.1]:26022 $(cut -d' ' -f1,2 "$D/hostkey.pub")" >"$D/known_hosts"
ssh-keygen -q -H -f "$D/known_hosts" >/dev/null 2>&1
rm -f "$D/known_hosts.old"
cat >"$D/nginx.conf" <<END
pid $D/nginx.pid;
error_log $D/nginx.log;
events {}
http { access_log off; client_body_temp_path $D/tmp1; proxy_temp_path $D/tmp2; fastcgi_temp_path $D/tmp3;
  uwsgi_temp_path $D/tmp4; scgi_temp_path $D/tmp5;
  server { listen 127.0.0.1:26080; root $D/etc/www; } }
END
chmod -R a+rX "$D/etc/www"
nginx -c "$D/nginx.conf" -e "$D/nginx.log"
wait_for "the CRL's server" curl -sf http://127.0.0.1:26080/ca.crl -o "$D/fetched"

# ---- all well ----
write_conf() {
  cat >"$D/sev1.conf" <<END
[sev1]
state = $D/state
organisation = Example Ltd
contact-pki = pki@example.com
contact-security = security@example.com
contact-hotline = +49 30 000000
estimated-downtime = 4
sendmail = /bin/true -i
[ca root]
config = $D/etc/root/pki
[ca spare]
config = $D/etc/spare/pki
spare = yes
[point cdp]
ca = root
url = http://127.0.0.1:26080/ca.crl
path = $D/etc/www/ca.crl
[host local]
address = 127.0.0.1
port = 26022
user = $(id -un)
identity = $D/id
known-hosts = $D/known_hosts
[action stop]
run = true
verify = true
[notice management]
to = ciso@example.com
from = pki@example.com
[notice internal]
to = it@example.com
from = pki@example.com
[notice external]
to = customers@example.com
from = pki@example.com
[fleet]
inventory = $D/etc/inventory/all-servers.txt
key = /etc/ssl/private/server.key
certificate = /etc/ssl/certs/server.pem
reload = true
END
}
write_conf
sev1 doctor >"$D/doctor.out" || { cat "$D/doctor.out"; die "doctor: not ready where all is well"; }
for line in "ca root: the key belongs to the certificate and signs" "point cdp: serves CRL number" \
    "host local: its host key is in $D/known_hosts" "host local: reached over SSH" "fleet: .*: 1 servers" \
    "libraries: OpenSSL: OpenSSL 3" "libraries: libssh: 0\\." "libraries: SQLite: 3" "clock: the clock says"; do
  grep -q "^ok    $line" "$D/doctor.out" || { cat "$D/doctor.out"; die "doctor does not say: $line"; }
done
grep -q "^FAIL" "$D/doctor.out" && { cat "$D/doctor.out"; die "doctor fails something"; }
ok "doctor finds all well"

# broken WHAT EXPECTED: doctor must fail and name it; then the world is mended by the caller.
broken() {
  status=0; sev1 doctor >"$D/doctor.out" 2>&1 || status=$?
  [ $status -eq 1 ] && grep -q "^FAIL  $2" "$D/doctor.out" || { cat "$D/doctor.out"; die "$1: status $status"; }
  ok "doctor names $1"
}
mv "$D/etc/root/pki/private/ca.key" "$D/ca.key"; cp "$D/etc/spare/pki/private/ca.key" "$D/etc/root/pki/private/ca.key"
broken "a key of another certificate" "ca root: "
grep -q "^        $D/sev1.conf:9: " "$D/doctor.out" || { cat "$D/doctor.out"; die "doctor does not say where the CA is configured"; }
mv "$D/ca.key" "$D/etc/root/pki/private/ca.key"
printf '[ca again]\nconfig = %s\n' "$D/etc/root/./pki" >>"$D/sev1.conf"
broken "a CA that is there twice" "configuration: \[ca root\] and \[ca again\] are the same CA"
write_conf
printf 'V\tgarbage\n' >>"$D/etc/root/pki/index.txt"
broken "a row that cannot be read" "ca root: .*index.txt"
sed -i '$d' "$D/etc/root/pki/index.txt"
: >"$D/known_hosts"
broken "a host key that is not known" "host local: its host key is not in $D/known_hosts"
echo "[127.0.0.1]:26022 $(cut -d' ' -f1,2 "$D/hostkey.pub")" >"$D/known_hosts"
kill "$(cat "$D/sshd.pid")"
wait_for "the end of sshd" sh -c "! [ -f '$D/sshd.pid' ]"
broken "a host that is not reached" "host local: .*127.0.0.1"
ssh_start
mv "$D/etc/www/ca.crl" "$D/ca.crl"
broken "a point that serves nothing" "point cdp: http://127.0.0.1:26080/ca.crl answers 404"
echo "<html>" >"$D/etc/www/ca.crl"
broken "a point that serves no CRL" "point cdp: "
rsa spare gen-crl
openssl crl -in "$D/etc/spare/pki/crl.pem" -outform DER -out "$D/etc/www/ca.crl"
broken "a point that serves another CA's CRL" "point cdp: the CRL that it serves: "
mv "$D/ca.crl" "$D/etc/www/ca.crl"
chmod 755 "$D/state"
broken "a state folder that others can read" "state: $D/state: others than its owner have access"
chmod 700 "$D/state"
sed -i "s|^sendmail = .*|sendmail = $D/none|" "$D/sev1.conf"
broken "a mail command that is missing" "notice management: $D/none: there is no such command"
write_conf
echo "web1.test" >>"$D/etc/inventory/all-servers.txt"
broken "an inventory that names a server twice" "fleet: .*all-servers.txt:2"
sed -i '$d' "$D/etc/inventory/all-servers.txt"
echo "tilte = x" >>"$D/sev1.conf"
broken "a configuration that does not parse" "configuration: $D/sev1.conf:[0-9]*: unknown key 'tilte'"
write_conf
sed -i "s|^contact-hotline.*||; s|/ca.crl$|/other.crl|" "$D/sev1.conf"
sev1 doctor --json >"$D/doctor.json" && die "doctor --json: status 0 with a point that answers 404"
grep -q 'name http://127.0.0.1:26080/ca.crl, which no \[point\] serves' "$D/doctor.json" ||
  { cat "$D/doctor.json"; die "a URL in certificates that no point serves is not named"; }
grep -q '"failures": [1-9]' "$D/doctor.json" && grep -q '"level": "warn"' "$D/doctor.json" || die "doctor --json: counts"
ok "doctor --json"

# ---- report and follow-ups of an incident that is over ----
write_conf
sev1 open --title "Doctor's <b>exercise</b> | \`x\`" >/dev/null
sev1 followup 1 --done "in the safe" >"$D/followup.out"
grep -q "^ 1  done .*Forensic report: in the safe" "$D/followup.out" || { cat "$D/followup.out"; die "followup"; }
status=0; sev1 followup 9 --done x 2>/dev/null || status=$?
[ $status -eq 2 ] || die "a follow-up that is none: status $status"
sev1 report -o "$D/report.md" >/dev/null
grep -qF '\<b\>exercise' "$D/report.md" && ! grep -q '<b>' "$D/report.md" || { cat "$D/report.md"; die "report: markup"; }
grep -q "the chain verifies" "$D/report.md" || die "report: no audit verdict"
sev1 report --format json --output "$D/report.json" >/dev/null
sev1 timeline | grep -q "report: json written to $D/report.json" || die "the report is not journalled"
status=0; sev1 report --format pdf 2>/dev/null || status=$?
[ $status -eq 2 ] || die "a format that is none: status $status"
ok "report and follow-ups"

# a configuration that cannot be read does not send the incident to some other folder
printf '[ca x]\nconfg = y\n' >"$D/broken.conf"
for what in open list status "timeline --json"; do
  status=0; "$SEV1" -c "$D/broken.conf" $what >"$D/out" 2>"$D/err" || status=$?
  [ $status -eq 1 ] && grep -q "broken.conf:2: unknown key 'confg'" "$D/err" && [ ! -s "$D/out" ] ||
    { cat "$D/out" "$D/err"; die "$what with a broken configuration"; }
done
status=0; "$SEV1" -c "$D/none.conf" status 2>"$D/err" || status=$?
[ $status -eq 1 ] && grep -q "$D/none.conf" "$D/err" || { cat "$D/err"; die "status with a configuration that is not there: $status"; }
ok "a configuration that cannot be read: no other folder's incident is opened, listed or shown"
"$SEV1" revoke --plan x --help >"$D/out" && "$SEV1" help revoke | cmp - "$D/out" || die "revoke --help"
ok "COMMAND --help"
