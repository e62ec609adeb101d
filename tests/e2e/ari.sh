#!/bin/sh
# ACME Renewal Information from a real CA, fetched from a real nginx and Apache while it is written anew; then the scope is
# replaced, and counted.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need nginx openssl ip unshare curl
own_network
work_folder
leave() {
  [ -f "$D/nginx.pid" ] && kill "$(cat "$D/nginx.pid")" 2>/dev/null || :
  [ -f "$D/apache.pid" ] && kill "$(cat "$D/apache.pid")" 2>/dev/null || :
}

# ---- two CAs: the compromised one with random serials, and the one that takes over ----
make_ca() {
  mkdir -p "$D/$1/newcerts"
  : >"$D/$1/index.txt"
  cat >"$D/$1/openssl.cnf" <<E
[ca]
default_ca = c
[c]
dir = $D/$1
database = $D/$1/index.txt
new_certs_dir = $D/$1/newcerts
certificate = $D/$1/ca.pem
private_key = $D/$1/ca.key
rand_serial = yes
crlnumber = $D/$1/crlnumber
default_md = sha256
default_days = 30
unique_subject = no
copy_extensions = copy
x509_extensions = x
policy = p
[p]
commonName = supplied
[x]
authorityKeyIdentifier = keyid
[req]
distinguished_name = dn
[dn]
E
  echo 10 >"$D/$1/crlnumber"
  openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$D/$1/ca.key" -subj "/CN=$1" -days 3650 \
    -out "$D/$1/ca.pem" -config "$D/$1/openssl.cnf" -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign,cRLSign -addext subjectKeyIdentifier=hash 2>/dev/null
}
issue() { # CA NAME...
  ca=$1
  shift
  for n in "$@"; do
    openssl req -new -key "$D/leaf.key" -subj "/CN=$n" -addext "subjectAltName=DNS:$n.example.com" -config "$D/$ca/openssl.cnf" \
      -out "$D/csr"
    openssl ca -batch -notext -config "$D/$ca/openssl.cnf" -in "$D/csr" -out "$D/crt" 2>"$D/log" || { cat "$D/log"; die "issue $n"; }
  done
}
openssl ecparam -name prime256v1 -genkey -noout -out "$D/leaf.key"
make_ca old
make_ca new
issue old web1 web2 web3 web4 web5
mkdir -m 700 "$D/state"
cat >"$D/sev1.conf" <<E
[sev1]
state = $D/state
ari-folder = ari
ari-url = http://acme.example.com/acme/renewal-info
ari-explanation = https://www.example.com/incident
[ca old]
config = $D/old/openssl.cnf
[ca new]
config = $D/new/openssl.cnf
spare = yes
E

# ---- what is refused, and then written ----
# refused STATUS TEXT ARGUMENTS...
refused() {
  expected=$1 text=$2
  shift 2
  status=0
  sev1 "$@" >"$D/out" 2>"$D/err" || status=$?
  [ "$status" -eq "$expected" ] || { cat "$D/out" "$D/err"; die "status $status of: $*"; }
  grep -q -- "$text" "$D/err" || { cat "$D/err"; die "$* does not say: $text"; }
}
sev1 open --title "ari test" >/dev/null
refused 3 "scope is not frozen" ari
sev1 triage --ca old --level root --compromise 1 --received -5m --channel phone >"$D/out" 2>&1 || { cat "$D/out"; die "triage"; }
sev1 scope >"$D/out" 2>&1 || { cat "$D/out"; die "scope"; }
mkdir "$D/www"
echo hello >"$D/www/index.html"
refused 3 "holds other files already" ari --output "$D/www"
refused 2 "not the path of a renewalInfo URL" ari --url https://acme.example.com
refused 2 "cannot stand in a web server" ari --output "$D/a b"
refused 2 "is not a URL" ari --explanation nowhere
refused 2 "not a number of seconds" ari --retry-after soon
refused 2 "not a span of time" ari --every 5x
[ "$(find "$D/www" -type f ! -name '*.lock')" = "$D/www/index.html" ] || die "a folder of others was changed"
sev1 ari --json >"$D/out" 2>&1 || { cat "$D/out"; die "ari"; }
grep -q '"files": 5' "$D/out" && grep -q '"checked": 5' "$D/out" || { cat "$D/out"; die "ari --json"; }
ok "written for the whole scope; what is not ours is left alone"

# ---- served ----
octets() { for h in $(echo "$1" | sed 's/../& /g'); do printf "\\$(printf %03o "0x$h")"; done; }
b64() { octets "$1" | openssl base64 -A | tr '+/' '-_' | tr -d =; }
id_of() {
  key=$(openssl x509 -in "$1" -noout -ext authorityKeyIdentifier | tail -n 1 | tr -d ': ')
  serial=$(openssl x509 -in "$1" -noout -serial | sed 's/.*=//')
  case $serial in [89A-F]*) serial=00$serial ;; esac
  echo "$(b64 "$key").$(b64 "$serial")"
}
for c in "$D"/old/newcerts/*.pem; do id_of "$c"; done >"$D/ids"
cat >"$D/nginx.conf" <<E
pid $D/nginx.pid; error_log $D/error.log; worker_processes 1;
events { worker_connections 64; }
http { access_log off; types { text/plain txt; } server { listen 127.0.0.1:8080; root $D/www; include $D/ari/nginx.conf; } }
E
nginx -c "$D/nginx.conf" 2>>"$D/nginx.log" || { cat "$D/nginx.log"; die "nginx"; }
# served BASE: every certificate's, with the right headers; and 404 for everything else
served() {
  while read -r id; do
    curl -s -D "$D/head" -o "$D/body" "$1/acme/renewal-info/$id" || die "$1: $id"
    head -n 1 "$D/head" | grep -q ' 200 ' || { cat "$D/head"; die "$1: $id"; }
    grep -qi '^content-type: application/json.\{0,1\}$' "$D/head" || { cat "$D/head"; die "$1: content type"; }
    grep -qi '^retry-after: 21600.\{0,1\}$' "$D/head" || { cat "$D/head"; die "$1: retry-after"; }
    end=$(member end <"$D/body")
    start=$(member start <"$D/body")
    [ "$(date -d "$start" +%s)" -lt "$(date -d "$end" +%s)" ] && [ "$(date -d "$end" +%s)" -lt "$(date +%s)" ] ||
      { cat "$D/body"; die "$1: the window"; }
    [ "$(member explanationURL <"$D/body")" = https://www.example.com/incident ] || { cat "$D/body"; die "$1: the explanation"; }
  done <"$D/ids"
  for other in /acme/renewal-info/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE /acme/renewal-info/ /acme/renewal-info/../../sev1-ari.json; do
    [ "$(curl -s --path-as-is -o /dev/null -w '%{http_code}' "$1$other")" = 404 ] || die "$1$other is not 404"
  done
}
served http://127.0.0.1:8080
[ "$(curl -s http://127.0.0.1:8080/)" = hello ] || die "the rest of the site"
ok "nginx serves what clients ask for, by the name that openssl's output gives, and 404 for others"

modules=/usr/lib/apache2/modules
if command -v apache2 >/dev/null && [ -f $modules/mod_headers.so ]; then
  {
    for m in mpm_event authz_core alias headers mime; do echo "LoadModule ${m}_module $modules/mod_$m.so"; done
    printf '%s\n' "ServerName localhost" "ServerRoot $D" "PidFile $D/apache.pid" "ErrorLog $D/apache.log" "Listen 127.0.0.1:8081" \
      "DocumentRoot $D/www" "TypesConfig /dev/null" "DefaultRuntimeDir $D" "Include $D/ari/apache.conf"
  } >"$D/apache.conf"
  apache2 -f "$D/apache.conf" 2>"$D/apache.err" || { cat "$D/apache.err" "$D/apache.log"; die "apache2"; }
  wait_for "apache2" curl -s http://127.0.0.1:8081/
  served http://127.0.0.1:8081
  ok "Apache does the same"
else
  echo "apache2 is not installed: its snippet is not tried"
fi

# ---- again, while clients fetch ----
cp -r "$D/ari/renewal-info" "$D/first"
before=$(sev1 ari --json | member sha256)
first=$(head -n 1 "$D/ids")
: >"$D/codes"
touch "$D/go"
while [ -e "$D/go" ]; do
  curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:8080/acme/renewal-info/$first" >>"$D/codes" || echo "curl $?" >>"$D/codes"
done &
client=$!
pids=$client
some() { [ "$(wc -l <"$D/codes")" -gt "$1" ]; }
for _ in 1 2 3; do
  n=$(wc -l <"$D/codes")
  sev1 ari >"$D/out" 2>&1 || { cat "$D/out"; die "again"; }
  wait_for "a client" some "$n"
done
rm "$D/go"
wait "$client"
pids=
[ "$(sort -u "$D/codes")" = 200 ] || { sort "$D/codes" | uniq -c; die "a client saw a gap"; }
diff -r "$D/first" "$D/ari/renewal-info" || die "not the same again"
[ "$(sev1 ari --json | member sha256)" = "$before" ] || die "another digest"
sev1 timeline >"$D/out"
[ "$(grep -c 'ari: writing' "$D/out")" -eq "$(grep -cE 'ari: (renewal|FAILED)' "$D/out")" ] || { cat "$D/out"; die "intent and outcome"; }
[ ! -e "$D/ari/renewal-info.new" ] || die "something was left behind"
ok "written again and again: the same, and no client sees a gap"

# ---- replacement ----
sev1 ari --progress >"$D/out" 2>&1 || { cat "$D/out"; die "progress"; }
grep -q "0 of 5 certificates replaced (0 %)" "$D/out" && grep -q "No replacement issuer" "$D/out" || { cat "$D/out"; die "nothing yet"; }
planned recover --issuer new
issue new web1 web2 strange
sev1 ari --progress --json >"$D/out" 2>&1 || { cat "$D/out"; die "progress --json"; }
grep -q '"replaced": 2' "$D/out" && grep -q '"percent": 40.0' "$D/out" || { cat "$D/out"; die "two of five"; }
sev1 ari --progress >"$D/out" 2>&1
grep -q "2 of 5 certificates replaced (40 %), 0 of them seen on servers" "$D/out" || { cat "$D/out"; die "two of five in words"; }
grep -q "waiting: old .* web[345].example.com" "$D/out" || { cat "$D/out"; die "who waits"; }
grep -q '^ 100 %|' "$D/out" && grep -q '+$' "$D/out" || { cat "$D/out"; die "the curve"; }
sev1 deadline >"$D/out" || { cat "$D/out"; die "deadline"; }
grep -q '^replaced  *2 of 5: done at .* before the deadline' "$D/out" && grep -q 'last seen to change at .*; count again' "$D/out" ||
  { cat "$D/out"; die "the forecast is of certificates"; }
[ "$(sev1 timeline | grep -c 'certificates replaced')" -eq 2 ] || { sev1 timeline; die "a point for every change, and only then"; }
"$SEV1" -c "$D/sev1.conf" ari --every 1s >"$D/every" 2>"$D/every.err" &
every=$!
pids=$every
said() { grep -q "$2" "$D/$1"; }
wait_for "the first count" said every.err "2 of 5 certificates"
issue new web3 web4 web5
wait "$every" || { cat "$D/every" "$D/every.err"; die "--every does not end well"; }
pids=
grep -q "5 of 5 certificates replaced (100 %)" "$D/every" || { cat "$D/every"; die "all of them"; }
sev1 status | grep -q "5 of 5 certificates replaced" || { sev1 status; die "status"; }
sev1 deadline | grep -q '^replaced  *5 of 5: done at' || { sev1 deadline; die "the forecast of what is done"; }
sev1 report --format html -o "$D/report.html" >/dev/null || die "report"
grep -q 'certificates with a successor: 5 / 5' "$D/report.html" &&
  [ "$(grep -c 'class="curve three" d="M60 200 H[0-9]* V200 H[0-9]* V138 H.* V44' "$D/report.html")" -eq 1 ] ||
  { grep 'curve' "$D/report.html"; die "the curve of the report"; }
ok "replacement is counted, drawn, forecast, and followed to its end"

# ---- another incident keeps its hands off, and the journal holds ----
sev1 audit | grep -q verifies || die "audit"
id=$(sev1 status --json | member id)
sev1 close --reason "a test" >"$D/out" 2>&1 || { cat "$D/out"; die "close"; }
sev1 open --title "another" >/dev/null
sev1 triage --ca old --level root --compromise 1 --received -5m --channel phone >/dev/null 2>&1
sev1 scope >/dev/null 2>&1
refused 3 "holds the renewal information of $id" ari
diff -r "$D/first" "$D/ari/renewal-info" || die "the other incident's files were touched"
ok "the journal verifies; another incident's folder is left alone"
