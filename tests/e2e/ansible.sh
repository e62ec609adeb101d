#!/bin/sh
# reissue --engine ansible: the real ansible-playbook installs on real sshd and nginx what our CA child issued, and
# our probe verifies; then the same in three steps, as another machine would run it.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
PATH=$PATH:/usr/sbin:/sbin
need ansible-playbook sshd ssh-keygen nginx openssl ip unshare
own_network
work_folder
leave() {
  for f in "$D"/hosts/*/nginx.pid "$D/sshd.pid"; do
    [ -f "$f" ] && kill "$(cat "$f")" 2>/dev/null || :
  done
}
HOME=$D/home
export HOME
mkdir -p "$HOME"

authority "$D/issuing" "Test issuing"
authority "$D/spare" "Test spare"
ssh_server
echo "host,address,port,user,names" >"$D/inventory.csv"
: >"$D/it's known by %h"
n=0
# web1 good; web2's test fails; deaf serves another file for ever; weak has a weak key; gone is not there;
# stranger's host key is unknown
for h in web1.test web2.test deaf.test weak.test gone.test stranger.test; do
  n=$((n + 1))
  d=$D/hosts/$h
  mkdir -p "$d"
  echo "$h,127.0.2.$n,2222,$(id -un),$h www.$h" >>"$D/inventory.csv"
  [ "$h" = stranger.test ] || known "127.0.2.$n" >>"$D/it's known by %h"
  if [ "$h" = weak.test ]; then openssl genrsa -out "$d/server.key" 1024 2>/dev/null
  else openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$d/server.key" 2>/dev/null; fi
  openssl req -new -key "$d/server.key" -subj "/CN=$h" -out "$d/csr"
  openssl ca -batch -config "$D/issuing/openssl.cnf" -in "$d/csr" -out "$d/server.pem" -notext 2>/dev/null
  cp "$d/server.pem" "$d/before.pem"
  served=$d/server.pem
  [ "$h" != deaf.test ] || served=$d/before.pem
  web_server "$d" "127.0.2.$n" "$served"
  case $h in weak.test | gone.test) ;; *) web_start "$d" ;; esac
done
sed -i 's/^gone.test,127.0.2.5,2222/gone.test,127.0.2.5,2223/' "$D/inventory.csv"
sed -i "1s|^|include $D/hosts/web2.test/missing; |" "$D/hosts/web2.test/nginx.conf"

mkdir -m 700 "$D/state"
cat >"$D/sev1.conf" <<E
[sev1]
state = $D/state
organisation = Example GmbH
[ca issuing]
config = $D/issuing/openssl.cnf
[ca spare]
config = $D/spare/openssl.cnf
spare = yes
[fleet]
inventory = $D/inventory.csv
identity = $D/id
known-hosts = $D/it's known by %h
key = $D/hosts/%h/server.key
certificate = $D/hosts/%h/server.pem
test = nginx -t -q -c $D/hosts/%h/nginx.conf
reload = echo '{{ 7*7 }} {%% raw %%}' >$D/hosts/%h/said; nginx -c $D/hosts/%h/nginx.conf -s reload
probe-port = 8443
deadline = 20
E
sev1 open --title "ansible test" >"$D/out" || die "open"
sev1 triage --ca issuing --level root --compromise 1 --received -5m --channel phone --reporter test --since -1d \
  >"$D/out" 2>&1 || { cat "$D/out"; die "triage"; }
planned recover --issuer spare

refused() {
  want_status=$1; words=$2; shift 2
  status=0
  sev1 "$@" >"$D/out" 2>"$D/err" || status=$?
  [ "$status" -eq "$want_status" ] || { cat "$D/out" "$D/err"; die "$*: status $status"; }
  grep -q -- "$words" "$D/err" || { cat "$D/err"; die "$*: does not say '$words'"; }
}
refused 2 "takes: ssh, ansible" reissue --engine puppet
refused 2 "go with --engine ansible" reissue --export "$D/x"
refused 2 "one of them" reissue --engine ansible --export "$D/x" --from "$D/x"
ok "options that contradict each other are refused"

issuer_of() {
  openssl s_client -connect "127.0.2.$2:8443" -servername "$1" </dev/null 2>/dev/null | openssl x509 -noout -issuer
}
shows() { issuer_of "$1" "$2" | grep -q "$3"; }
presents() { wait_for "$1 to present a certificate of $3" shows "$1" "$2" "$3"; }

# two names of one server whose certificates are one file: each would be verified, and only one be there
cp "$D/sev1.conf" "$D/sev1.kept"
cp "$D/inventory.csv" "$D/inventory.kept"
sed -i "s|^certificate = .*|certificate = $D/hosts/web1.test/server.pem|" "$D/sev1.conf"
sed -i 's/^web2.test,127.0.2.2/web2.test,127.0.2.1/' "$D/inventory.csv"
refused 2 "web1.test and web2.test are one server with one certificate" reissue --only 'web*' --plan x --confirm x
mv "$D/sev1.kept" "$D/sev1.conf"
mv "$D/inventory.kept" "$D/inventory.csv"
ok "two names of one certificate's file are refused"

# ---- run from here; what the shell sets for other plays does not touch these ----
(
  export ANSIBLE_CALLBACKS_ENABLED=timer ANSIBLE_HOST_KEY_CHECKING=False ANSIBLE_RUN_TAGS=other ANSIBLE_STDOUT_CALLBACK=none
  want=4 planned reissue --engine ansible
) || exit 1
grep -q "ansible-playbook, 16 forks" "$D/plan.json" || { cat "$D/plan.json"; die "the plan does not name ansible"; }
state() { grep "^ *$1 " "$D/run.out" | grep -q "$2" || { cat "$D/run.out" "$D/run.err"; die "$1 is not $2"; }; }
grep -q "1 of 6 verified" "$D/run.out" || { cat "$D/run.out" "$D/run.err"; die "one of six was to be verified"; }
presents web1.test 1 "Test spare"
[ "$(cat "$D/hosts/web1.test/said")" = '{{ 7*7 }} {% raw %}' ] || die "ansible looked for templates in a reload"
state web2.test "rolled back.*emerg"
state deaf.test "rolled back"
state weak.test "refused.*1024"
state gone.test "unreachable"
state stranger.test "unreachable"
for h in web2.test deaf.test weak.test stranger.test; do
  cmp -s "$D/hosts/$h/server.pem" "$D/hosts/$h/before.pem" || die "$h: its certificate was changed"
done
[ "$(find "$D/hosts" -name '*.sev1-*' | wc -l)" -eq 1 ] || die "backups: $(find "$D/hosts" -name '*.sev1-*')"
sev1 report --format json >"$D/report.out" 2>&1 || { cat "$D/report.out"; die "report"; }
sev1 audit | grep -q verifies || die "audit"
ok "one verified; a failed test, a certificate nobody serves, a weak key, two that are not reached: each its own row"
run=$(find "$D/state" -path '*.d/ansible' -type d)
[ -n "$run" ] || die "no files in the incident's folder"
for f in collect deploy back; do
  [ -s "$run/$f.json" ] && [ -s "$run/$f-hosts.json" ] || die "$f is not there"
done
if grep -rqE -- "-----BEGIN [A-Z ]*PRIVATE KEY-----" "$run"; then die "a private key lies in the files of ansible"; fi
[ "$(stat -c %a "$run/deploy-hosts.json")" = 600 ] || die "others may read the files"
ok "playbooks and inventories lie in the incident's folder, without any secret"

# ---- exported, run elsewhere, read back ----
sed -i "1s|^include [^;]*; ||" "$D/hosts/web2.test/nginx.conf"
sev1 reissue --engine ansible --only web2.test --export "$D/awx" >"$D/out" || { cat "$D/out"; die "export"; }
elsewhere() {
  (cd "$D/awx" && ANSIBLE_CALLBACK_TREE_DIR=results/$1 ansible-playbook -i "$1-hosts.json" "$1.json") >"$D/play.out" 2>&1 ||
    { cat "$D/play.out"; die "ansible-playbook $1"; }
}
elsewhere collect
want=4 planned reissue --engine ansible --only web2.test --from "$D/awx"
state web2.test "failed.*run .*deploy.json, then this again"
elsewhere deploy
rows=$(wc -l <"$D/spare/index.txt")
want=0 planned reissue --engine ansible --only web2.test --from "$D/awx"
[ "$(wc -l <"$D/spare/index.txt")" -eq "$rows" ] || die "a certificate was issued twice"
presents web2.test 2 "Test spare"
# run twice, as its execution node may
(elsewhere deploy) >/dev/null && die "the second run of deploy.json installed once more"
want=0 planned reissue --engine ansible --only web2.test --again --from "$D/awx"
presents web2.test 2 "Test spare"
ok "exported, run elsewhere, its results read back and verified; nothing issued twice"

sed -i 's/sev1 for /sev1 for 9/' "$D/awx/results/deploy/web2.test"
want=4 planned reissue --engine ansible --only web2.test --again --from "$D/awx"
state web2.test "failed.*run .*deploy.json, then this again"
ok "what another plan's play brought is not taken for this one's"

# ---- the results of an install are lost: what is served decides ----
mkdir "$D/fake"
cat >"$D/fake/ansible-playbook" <<E
#!/bin/sh
case \$* in *deploy.json*) $(command -v ansible-playbook) "\$@" >/dev/null; rm "$run"/results/deploy/* ;;
*) exec $(command -v ansible-playbook) "\$@" ;; esac
E
chmod 755 "$D/fake/ansible-playbook"
(PATH=$D/fake:$PATH; want=4 planned reissue --engine ansible --again --only 'web1.test,deaf.test') || exit 1
grep -q "1 of 2 verified" "$D/run.out" || { cat "$D/run.out"; die "web1 was to be verified"; }
state deaf.test "rolled back.*said nothing of it"
cmp -s "$D/hosts/deaf.test/server.pem" "$D/hosts/deaf.test/before.pem" || die "deaf.test: its certificate was changed"
ok "an install whose result is lost is judged by the handshake, and put back"

# ---- what stands in a result is not believed ----
head -c 40 "$D/awx/results/collect/web2.test" >"$D/cut"
mv "$D/cut" "$D/awx/results/collect/web2.test"
want=4 planned reissue --engine ansible --only web2.test --again --from "$D/awx"
state web2.test "failed.*results/collect/web2.test: not JSON"
rm "$D/awx/results/collect/web2.test"
mkfifo "$D/awx/results/collect/web2.test"
want=4 planned reissue --engine ansible --only web2.test --again --from "$D/awx"
state web2.test "failed.*results/collect/web2.test: not a plain file"
rm "$D/awx/results/collect/web2.test"
printf '{"rc": 0, "stdout": "\\u001b[2Jsev1 kept\\n", "stderr": "\\u001b]0;owned\\u0007", "changed": true}' \
  >"$D/awx/results/collect/web2.test"
want=4 planned reissue --engine ansible --only web2.test --again --from "$D/awx"
state web2.test "refused"
if grep -q "$(printf '\033')" "$D/run.out" "$D/run.err"; then die "escape sequences reach the terminal"; fi
ok "a result that is no request is refused, and nothing raw of it is shown"
