#!/bin/sh
# How real servers take a certificate: nginx, Apache, haproxy, postfix and dovecot, each by its installed profile with
# only the paths and ports of this test. Each serves its old certificate, gets a new one, serves that, with owner and
# mode as they were; then a test that fails brings the old one back.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
PATH=$PATH:/usr/sbin:/sbin
need ssh sshd openssl nginx apache2 haproxy postfix dovecot ip unshare
[ -x /usr/share/easy-rsa/easyrsa ] || { echo "easy-rsa is not installed"; exit 77; }
[ "$(id -u)" -eq 0 ] || { echo "postfix and dovecot start as root only"; exit 77; }
own_network
work_folder
leave() {
  for f in "$D"/*/pid "$D/sshd.pid"; do [ -f "$f" ] && kill "$(cat "$f")" 2>/dev/null || :; done
  postfix -c "$D/postfix" stop >/dev/null 2>&1 || :
}
rsa() { EASYRSA_BATCH=1 EASYRSA_PKI=$D/pki EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1 /usr/share/easy-rsa/easyrsa "$@" \
  >>"$D/easyrsa.log" 2>&1 || { tail -n 20 "$D/easyrsa.log"; die "easyrsa $*"; }; }
rsa init-pki
EASYRSA_REQ_CN="Old CA" rsa build-ca nopass

# ---- one sshd, five services; the folder's name has what quoting must survive ----
ssh-keygen -q -t ed25519 -N '' -f "$D/hostkey"
ssh-keygen -q -t ed25519 -N '' -f "$D/id"
cp "$D/id.pub" "$D/authorized_keys"
printf 'Port 2222\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPidFile %s\n' \
  "$D/hostkey" "$D/authorized_keys" "$D/sshd.pid" >"$D/sshd_config"
mkdir -p /run/sshd 2>/dev/null || :
ssh_start
echo "[127.0.0.1]:2222 $(cut -d' ' -f1,2 "$D/hostkey.pub")" >"$D/known_hosts"
T="$D/it's a \$tls folder"
mkdir "$T" "$T/lb"
for s in nginx apache haproxy postfix dovecot; do
  rsa build-server-full "$s.test" nopass
  mkdir "$D/$s"
  cp "$D/pki/private/$s.test.key" "$T/$s.test.key"
  cp "$D/pki/issued/$s.test.crt" "$T/$s.test.pem"
  chmod 640 "$T/$s.test.key"
  chown root:mail "$T/$s.test.key"
  chmod 604 "$T/$s.test.pem"
done
# haproxy reads all of a folder
cat "$D/pki/private/haproxy.test.key" >>"$T/haproxy.test.pem"
mv "$T/haproxy.test.pem" "$T/lb"
chown daemon:mail "$T/lb/haproxy.test.pem"
chmod 640 "$T/lb/haproxy.test.pem"
# the services' own configurations need not cope with such a name
ln -s "$T" "$D/tls"

cat >"$D/nginx/conf" <<EOF
pid $D/nginx/pid; error_log $D/nginx/log; worker_processes 1;
events { worker_connections 64; }
http { access_log off; server { listen 127.0.0.1:8001 ssl; ssl_certificate $D/tls/nginx.test.pem;
  ssl_certificate_key $D/tls/nginx.test.key; } }
EOF
nginx -c "$D/nginx/conf" 2>>"$D/nginx/log" || { cat "$D/nginx/log"; die "nginx"; }

modules=$(dirname "$(find /usr/lib/apache2 -name mod_ssl.so | head -n 1)")
cat >"$D/apache/conf" <<EOF
ServerRoot $D/apache
ServerName apache.test
PidFile $D/apache/pid
ErrorLog $D/apache/log
User www-data
Group www-data
Listen 127.0.0.1:8002
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule ssl_module $modules/mod_ssl.so
SSLEngine on
SSLCertificateFile $D/tls/apache.test.pem
SSLCertificateKeyFile $D/tls/apache.test.key
EOF
apache2 -f "$D/apache/conf" || { cat "$D/apache/log"; die "apache"; }

cat >"$D/haproxy/conf" <<EOF
global
  master-worker
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:8003 ssl crt $D/tls/lb/
  http-request return status 200
EOF
haproxy -W -D -p "$D/haproxy/pid" -f "$D/haproxy/conf" >"$D/haproxy/log" 2>&1 || { cat "$D/haproxy/log"; die "haproxy"; }

mkdir "$D/postfix/queue" "$D/postfix/data"
chown postfix "$D/postfix/data"
cat >"$D/postfix/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $D/postfix/queue
data_directory = $D/postfix/data
myhostname = postfix.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = $D/postfix/queue/log
maillog_file_prefixes = $D
smtpd_tls_cert_file = $D/tls/postfix.test.pem
smtpd_tls_key_file = $D/tls/postfix.test.key
smtpd_tls_security_level = may
alias_maps =
alias_database =
EOF
sed -e 's/^smtp  *inet.*/8004 inet n - n - - smtpd/' -e '/^#/d' /usr/share/postfix/master.cf.dist >"$D/postfix/master.cf" 2>/dev/null ||
  sed -e 's/^smtp  *inet.*/8004 inet n - n - - smtpd/' -e '/^#/d' /etc/postfix/master.cf >"$D/postfix/master.cf"
grep -q '^postlog' "$D/postfix/master.cf" || echo 'postlog unix-dgram n - n - 1 postlogd' >>"$D/postfix/master.cf"
sed -i 's/^\([a-z0-9]* *[a-z]* *[a-z-]* *[a-z-]* *\)y /\1n /' "$D/postfix/master.cf"
postfix -c "$D/postfix" start >"$D/postfix/out" 2>&1 || { cat "$D/postfix/out" "$D/postfix/queue/log" 2>/dev/null; die "postfix"; }

mkdir "$D/dovecot/base"
cat >"$D/dovecot/conf" <<EOF
base_dir = $D/dovecot/base
log_path = $D/dovecot/log
protocols = imap
ssl = yes
ssl_cert = <$D/tls/dovecot.test.pem
ssl_key = <$D/tls/dovecot.test.key
default_internal_user = dovecot
default_login_user = dovenull
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=1000 gid=1000 home=$D/dovecot
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = 8005
  }
  inet_listener imaps {
    port = 0
  }
}
EOF
dovecot -c "$D/dovecot/conf" >"$D/dovecot/out" 2>&1 || { cat "$D/dovecot/out" "$D/dovecot/log"; die "dovecot"; }
ln -s "$D/dovecot/base/master.pid" "$D/dovecot/pid"

# ---- profiles: the installed ones, with this test's paths ----
mkdir "$D/profiles" "$D/state"
chmod 700 "$D/state"
profile() { # NAME PORT TEST RELOAD
  sed -e '/^key = /d' -e '/^certificate = /d' -e '/^test = /d' -e '/^reload = /d' -e '/^probe-port = /d' "$SRCDIR/data/profiles/$1.ini"
  key=$T/%h.key pem=$T/%h.pem
  [ "$1" = haproxy ] && key=$T/lb/%h.pem pem=$T/lb/%h.pem
  printf 'key = %s\ncertificate = %s\nprobe-port = %s\ntest = ! test -e %s/broken && %s\nreload = %s\n' "$key" "$pem" "$2" "$D/$1" "$3" "$4"
}
profile nginx 8001 "nginx -t -q -c $D/nginx/conf" "nginx -c $D/nginx/conf -s reload" >"$D/profiles/nginx.ini"
profile apache 8002 "apache2 -t -f $D/apache/conf" "apache2 -f $D/apache/conf -k graceful" >"$D/profiles/apache.ini"
profile haproxy 8003 "haproxy -c -q -f $D/haproxy/conf" "kill -USR2 \$(cat $D/haproxy/pid)" >"$D/profiles/haproxy.ini"
profile postfix 8004 "postfix -c $D/postfix check" "postfix -c $D/postfix reload" >"$D/profiles/postfix.ini"
profile dovecot 8005 "doveconf -c $D/dovecot/conf -n >/dev/null" "doveadm -c $D/dovecot/conf reload" >"$D/profiles/dovecot.ini"

cat >"$D/inventory.ini" <<EOF
[web]
nginx.test sev1_profile=nginx
apache.test sev1_profile=apache
haproxy.test sev1_profile=haproxy
[mail]
postfix.test sev1_profile=postfix
dovecot.test sev1_profile=dovecot
[all:vars]
ansible_host=127.0.0.1
ansible_port=2222
ansible_user=root
ansible_ssh_private_key_file=$D/id
EOF
cat >"$D/sev1.conf" <<EOF
[sev1]
state = $D/state
ssh-config = none
[ca old]
config = $D/pki
[fleet]
inventory = $D/inventory.ini
known-hosts = $D/known_hosts
profiles = $D/profiles
blocklist = $D/blocklist
concurrency = 5
days = 30
deadline = 120
EOF
echo "# nothing yet" >"$D/blocklist"

sev1 inventory >"$D/out" || { cat "$D/out"; die "inventory"; }
grep -q "5 hosts, 5 chosen, 0 of them unusable" "$D/out" && grep -q "\[mail\] 2" "$D/out" || { cat "$D/out"; die "inventory says something else"; }
ok "the inventory resolves to five hosts in two groups"

# presents HOST ISSUER: what a client is shown
presents() {
  case $1 in
  nginx) set -- "$2" 8001 ;; apache) set -- "$2" 8002 ;; haproxy) set -- "$2" 8003 ;;
  postfix) set -- "$2" 8004 -starttls smtp ;; dovecot) set -- "$2" 8005 -starttls imap ;;
  esac
  issuer=$1 port=$2; shift 2
  timeout 60 openssl s_client -connect "127.0.0.1:$port" "$@" </dev/null 2>/dev/null | openssl x509 -noout -issuer | grep -q "$issuer"
}
for s in nginx apache haproxy postfix dovecot; do wait_for "$s to serve its old certificate" presents $s "Old CA"; done
ok "five real services serve the old CA's certificates"

sev1 open >"$D/out" || die "open"
sev1 triage --ca old --level root --compromise 1 --received -5m --channel phone --reporter x --since unknown >"$D/out" 2>&1 || { cat "$D/out"; die "triage"; }
planned recover --new root --name newroot --subject "/CN=New Root CA" --folder "$D/newroot" --witness a --witness b --witness c

# ---- a test that fails: everything as before ----
for s in nginx apache haproxy postfix dovecot; do : >"$D/$s/broken"; done
modes() { (cd "$T" && stat -c '%A %u %g %n' -- *.* lb/*); }
sums() { (cd "$T" && sha256sum -- *.* lb/*); }
modes >"$D/modes"
sums >"$D/sums"
want=4 planned reissue
sums | cmp -s - "$D/sums" || { ls -l "$T"; die "a failing test left something behind"; }
for s in nginx apache haproxy postfix dovecot; do presents $s "Old CA" || die "$s does not serve its old certificate any more"; done
ok "a failing test brings every file back, to the octet"

# ---- a key on the blocklist gets no certificate ----
openssl pkey -in "$T/nginx.test.key" -pubout -outform DER | sha256sum | cut -d' ' -f1 >"$D/blocklist"
for s in nginx apache haproxy postfix dovecot; do rm "$D/$s/broken"; done
want=4 planned reissue --retry failed
grep -q "nginx.test.*blocklist" "$D/run.out" || { cat "$D/run.out"; die "nginx was not refused for its key"; }
presents nginx "Old CA" || die "a blocked key got a certificate"
: >"$D/blocklist"
for s in apache haproxy postfix dovecot; do wait_for "$s to serve its new certificate" presents $s "New Root CA"; done
ok "a key of the blocklist is refused, the others have their certificates"
planned reissue --retry failed
wait_for "nginx to serve its new certificate" presents nginx "New Root CA"
modes | cmp -s - "$D/modes" || { modes; cat "$D/modes"; die "owner or mode changed"; }
grep -q "PRIVATE KEY" "$T/lb/haproxy.test.pem" || die "haproxy's key is gone from its file"
ok "nginx, Apache, haproxy, postfix and dovecot serve the new CA's certificates; owner and mode as before"

# ---- and a new key each; what a re-issue leaves beside its files is nothing that a service reads ----
sed -i 's/^days = 30/days = 30\nkey-mode = new/' "$D/sev1.conf"
keys() { (cd "$T" && for f in *.key lb/*.pem; do openssl pkey -in "$f" -pubout; done); }
keys >"$D/keys"
planned reissue --again
keys >"$D/keys.new"
[ "$(sort -u "$D/keys" "$D/keys.new" | grep -c '=')" -eq 10 ] || die "a key is as it was"
for s in nginx apache haproxy postfix dovecot; do wait_for "$s to serve the certificate of its new key" presents $s "New Root CA"; done
modes | cmp -s - "$D/modes" || { modes; cat "$D/modes"; die "owner or mode changed with a new key"; }
haproxy -c -f "$D/haproxy/conf" >"$D/out" 2>&1 || { cat "$D/out"; die "haproxy would not start again"; }
ok "new keys for all five, and haproxy, which reads a whole folder, would start again"
