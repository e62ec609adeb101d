#!/bin/sh
# A re-issue in waves on real sshd and nginx: canaries, thresholds, pause and skip from another terminal, Ctrl-C
# once and twice, kill -9 in every phase, and on from there; each host gets one certificate and keeps none unproved.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
PATH=$PATH:/usr/sbin:/sbin
need sshd ssh-keygen nginx openssl ip unshare flock
own_network
work_folder
leave() {
  rm -rf "$D/hold"
  [ -z "${console:-}" ] || kill -9 "$console" 2>/dev/null || :
  for f in "$D"/hosts/*/nginx.pid "$D/sshd.pid"; do
    [ -f "$f" ] && { kill -CONT "$(cat "$f")"; kill "$(cat "$f")"; } 2>/dev/null || :
  done
}

# ---- a CA, its replacement, thirteen hosts ----
authority "$D/issuing" "Test issuing"
authority "$D/spare" "Test spare"
authority "$D/other" "Test other"
ssh_server "SetEnv PATH=$D/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The tools of the hosts. A host that has a file hold/PHASE.HOST stays in that phase until it is gone.
mkdir "$D/bin" "$D/hold" "$D/at"
cat >"$D/bin/stay" <<E
#!/bin/sh
h=\${2##*"$D/hosts/"}
h=\${h%%/*}
[ -e "$D/hold/\$1.\$h" ] || exit 1
: >"$D/at/\$1.\$h"
while [ -e "$D/hold/\$1.\$h" ]; do sleep 0.05; done
E
cat >"$D/bin/openssl" <<E
#!/bin/sh
[ "\$1" = req ] && stay csr "\$*"
exec $(command -v openssl) "\$@"
E
cat >"$D/bin/sync" <<E
#!/bin/sh
stay install "\$*"
exec $(command -v sync) "\$@"
E
# verify: a reload that says it was done, and was not
cat >"$D/bin/nginx" <<E
#!/bin/sh
case \$* in
*-t*) stay test "\$*" ;;
*reload*) stay reload "\$*"
  h=\${*##*"$D/hosts/"}
  h=\${h%%/*}
  [ ! -e "$D/hold/verify.\$h" ] || { : >"$D/at/verify.\$h"; exit 0; } ;;
esac
exec $(command -v nginx) "\$@"
E
chmod 755 "$D"/bin/*
echo "host,address,port,user,names" >"$D/inventory.csv"
: >"$D/known_hosts"
n=0
for h in hw1 hw2 hw3 hw4 hc1 hc2 k1 k2 k3 k4 k5 k6 k7; do
  n=$((n + 1))
  d=$D/hosts/$h
  mkdir -p "$d"
  echo "$h,127.0.2.$n,2222,$(id -un),$h.test" >>"$D/inventory.csv"
  known "127.0.2.$n" >>"$D/known_hosts"
  echo "127.0.2.$n" >"$d/address"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$d/server.key" -subj "/CN=$h.test" -days 30 \
    -out "$d/server.pem" 2>/dev/null
  web_server "$d" "127.0.2.$n"
  web_start "$d"
done
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
[ca other]
config = $D/other/openssl.cnf
spare = yes
[fleet]
inventory = $D/inventory.csv
identity = $D/id
known-hosts = $D/known_hosts
key = $D/hosts/%h/server.key
certificate = $D/hosts/%h/server.pem
test = nginx -t -q -c $D/hosts/%h/nginx.conf
reload = nginx -c $D/hosts/%h/nginx.conf -s reload
probe-port = 8443
concurrency = 2
deadline = 120
E
sev1 open --title "waves test" >"$D/out" || die "open"
sev1 triage --ca issuing --level intermediate --compromise 1 --received -5m >"$D/out" 2>&1 || { cat "$D/out"; die "triage"; }
planned recover --issuer spare

# ---- helpers ----
refused() {
  want_status=$1; words=$2; shift 2
  status=0
  sev1 "$@" >"$D/out" 2>"$D/err" || status=$?
  [ "$status" -eq "$want_status" ] || { cat "$D/out" "$D/err"; die "$*: status $status"; }
  grep -q "$words" "$D/err" || { cat "$D/err"; die "$*: does not say '$words'"; }
}
hold() { : >"$D/hold/$1"; }
let_go() { rm -f "$D/hold/$1"; }
at() { [ -e "$D/at/$1" ]; }
served() { openssl s_client -connect "$(cat "$D/hosts/$1/address"):8443" </dev/null 2>/dev/null | openssl x509 -noout -issuer; }
from_spare() { served "$1" | grep -q "Test spare"; }
from_old() { served "$1" | grep -q "CN *= *$1.test"; }
new_on() { for h in "$@"; do wait_for "$h to present the new certificate" from_spare "$h"; done; }
old_on() { for h in "$@"; do if from_spare "$h"; then die "$h has a new certificate"; fi; done; }
rollout() { sev1 rollout | grep -q "$1"; }
backups() { find "$D/hosts/$1" -name '*.sev1-*' | wc -l; }
nothing_left() { [ "$(backups "$1")" -eq "${2:-0}" ]; }
# start ARGUMENTS: make the plan and run it in the background; its process is $console. It starts with SIGINT
# as a terminal leaves it: a shell's background job would ignore it.
start() {
  sev1 reissue "$@" --json >"$D/plan.json" 2>"$D/plan.err" || :
  hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json")
  [ -n "$hash" ] || { cat "$D/plan.json" "$D/plan.err"; die "reissue $*: no plan"; }
  rm -f "$D"/at/*
  env --default-signal=INT "$SEV1" -c "$D/sev1.conf" reissue "$@" --plan "$hash" --confirm "$phrase" >"$D/run.out" 2>"$D/run.err" &
  console=$!
}
# ended STATUS
ended() {
  status=0
  wait "$console" || status=$?
  console=
  [ "$status" -eq "$1" ] || { cat "$D/run.out" "$D/run.err"; die "reissue: status $status, not $1"; }
}
says() { grep -q "$1" "$D/run.out" "$D/run.err" || { cat "$D/run.out" "$D/run.err"; die "does not say: $1"; }; }
# ---- what cannot be ----
refused 2 "is not a number of hosts" reissue --waves 5,x
refused 2 "is none of the hosts" reissue --canaries nobody
refused 2 "is not a number" reissue --max-failed many
refused 3 "nothing to resume" reissue --resume
refused 3 "no re-issue goes" rollout pause
ok "unusable waves, canaries, limits and a resume of nothing are refused"

# ---- [fleet] says what the options do not ----
# planned_so WORDS NOT ARGUMENTS...: the plan has these words, and not those
planned_so() {
  words=$1 not=$2; shift 2
  sev1 reissue "$@" --json >"$D/plan.json" 2>"$D/plan.err" || :
  tr -d '\n' <"$D/plan.json" | grep -q "$words" || { cat "$D/plan.json" "$D/plan.err"; die "reissue $*: no $words"; }
  ! tr -d '\n' <"$D/plan.json" | grep -q "$not" || { cat "$D/plan.json"; die "reissue $*: $not"; }
}
cp "$D/sev1.conf" "$D/plain.conf"
printf 'canaries = hw2,hc1,gone\nwaves = 2,rest\nmax-failed = 3\nmax-refused = none\n' >>"$D/sev1.conf"
planned_so '2 canaries, 2, 2 (rest).*failed > 3 or a canary that is not verified' 'refused >' --only 'h*'
planned_so '1 canaries, 2, 1 (rest)' 'refused >' --only 'hw*'
planned_so '6 (rest)\|failed > 0 or unreachable > 5' 'canaries' --only 'h*' --canaries 0 --waves rest --max-failed 0 --max-unreachable 5
refused 2 "the canary 'gone' is none of the hosts" reissue --only 'h*' --canaries hw2,gone
sed -i 's/^max-failed = 3/max-failed = many/' "$D/sev1.conf"
refused 1 "max-failed = many: not a number of hosts" reissue --only 'h*'
cp "$D/plain.conf" "$D/sev1.conf"
ok "canaries, waves and limits of [fleet] hold where no option says otherwise; a wrong one is found at once"

# ---- a canary fails: nothing else begins ----
cp "$D/hosts/hc2/nginx.conf" "$D/hc2.conf"
echo 'this is not nginx;' >>"$D/hosts/hc2/nginx.conf"
start --only 'h*' --canaries hc1,hc2 --waves 1,50%,rest --max-unreachable 1
grep -q '2 canaries, 1, 3 (50%)' "$D/plan.json" || { cat "$D/plan.json"; die "the plan does not show the waves"; }
ended 4
says "the canary hc2 is not verified: rolled back"
new_on hc1
old_on hc2 hw1 hw2 hw3 hw4
[ "$(wc -l <"$D/spare/index.txt")" -eq 2 ] || die "more than the canaries got a certificate"
sev1 status --json >"$D/out"
grep -q '"wave": 1,' "$D/out" && grep -q '"waves": 3,' "$D/out" && grep -q '"stopped": "the canary' "$D/out" || { cat "$D/out"; die "status --json"; }
refused 3 "the canary hc2 is not verified" reissue --resume
ok "a canary that fails stops the rest, and the journal says why"

# ---- mended, resumed; paused from another terminal in wave 2; one host skipped ----
cp "$D/hc2.conf" "$D/hosts/hc2/nginx.conf"
hold reload.hw1
start --resume --retry failed
grep -q '"phrase": "REISSUE 5"' "$D/plan.json" || { cat "$D/plan.json"; die "five hosts are left"; }
wait_for "hw1 in reload" at reload.hw1
rollout "wave 2 of 3" || die "wave 2 is not shown"
refused 3 "cannot be skipped any more" rollout skip hc1
sev1 rollout pause --reason "coffee" >"$D/out"
sev1 rollout skip hw4 --reason "out of service" >"$D/out"
heard() { grep -q "reissue: paused" "$D/run.err"; }
wait_for "the pause to be heard" heard
let_go reload.hw1
verified_hw1() { sev1 timeline | grep -q "hw1.*verified"; }
wait_for "hw1 to be verified" verified_hw1
rollout "wave 2 of 3.*paused" || { sev1 rollout; die "it is not paused"; }
old_on hw2 hw3 hw4
sev1 rollout continue >"$D/out"
ended 0
new_on hc1 hc2 hw1 hw2 hw3
old_on hw4
sev1 timeline >"$D/out"
for s in "pause: coffee" "skip hw4: out of service" "wave 2 of 3 (1) ended" "wave 3 of 3 (50%) begins"; do
  grep -q "$s" "$D/out" || { cat "$D/out"; die "the journal does not hold: $s"; }
done
awk '/wave 2 of 3 .*ended/ { over = 1 } /wave 3 of 3 .*begins/ { exit !over }' "$D/out" || die "wave 3 began before wave 2 ended"
ok "resumed with its waves, paused and continued from another terminal, one host skipped"

planned reissue --retry skipped
new_on hw4
ok "what was skipped is taken when it is asked for"

# ---- a skip that comes while its host begins: refused by its row, or, where that is not yet written, by who runs it ----
hold csr.hw1
start --again --only hw1
wait_for "hw1 in csr" at csr.hw1
status=0
sev1 rollout skip hw1 >"$D/out" 2>"$D/err" || status=$?
too_late() { grep -q "hw1 was on its way already: it is not skipped" "$D/run.err"; }
if [ "$status" -eq 0 ]; then wait_for "the word that it is too late" too_late
else grep -q "cannot be skipped any more" "$D/err" || { cat "$D/err"; die "rollout skip: status $status"; }
fi
let_go csr.hw1
ended 0
new_on hw1
ok "a skip that comes too late is told"

# ---- Ctrl-C: what runs finishes; nothing new begins ----
hold reload.hw1
hold reload.hw2
start --again --only 'hw*'
wait_for "hw1 in reload" at reload.hw1
wait_for "hw2 in reload" at reload.hw2
kill -USR1 "$console"
wait_for "the pause to be heard" heard
kill -USR2 "$console"
going() { grep -q "reissue: going" "$D/run.err"; }
wait_for "the word to go on" going
kill -INT "$console"
draining() { grep -q "reissue: draining" "$D/run.err"; }
wait_for "the drain" draining
let_go reload.hw1
let_go reload.hw2
ended 4
says "2 of 4 verified, 2 not tried"
refused 3 "needs --plan" reissue --resume
grep -q "REISSUE 2" "$D/out" || { cat "$D/out"; die "two hosts are left"; }
ok "Ctrl-C drains: two finished, two were not begun"

# ---- again: what runs is killed, its row says so, the host puts its files back ----
had=$(backups hw3)
hold reload.hw3
start --resume
wait_for "hw3 in reload" at reload.hw3
kill -INT "$console"
wait_for "the drain" draining
kill -INT "$console"
ended 4
says "hw3.*stopped by the operator in phase reload; the host puts the old files back by itself"
let_go reload.hw3
wait_for "hw3 to put its files back" nothing_left hw3 "$had"
ok "a second Ctrl-C kills what runs: the row says so, the host goes back by itself"
planned reissue --resume --retry failed

# ---- a threshold ----
mv "$D/hosts/hw1/nginx.conf" "$D/hw1.conf"
want=4 planned reissue --again --only 'hw*' --max-failed 0 --canaries 0
says "failed or rolled back: 1, with --max-failed 0"
refused 3 "more than --max-failed 0 allows" reissue --resume
mv "$D/hw1.conf" "$D/hosts/hw1/nginx.conf"
cp "$D/inventory.csv" "$D/whole.csv"
sed -i '/^hw1,/d' "$D/inventory.csv"
sev1 reissue --resume --retry failed --max-failed 1 >"$D/out" 2>"$D/err" || :
grep -q "no longer in the inventory, not verified and not done here: hw1$" "$D/out" || { cat "$D/out" "$D/err"; die "hw1 is forgotten"; }
refused 3 "or leave out what is not to be tried: sev1 rollout skip hw1;" reissue --resume --retry failed
cp "$D/whole.csv" "$D/inventory.csv"
ok "a host of the re-issue that the inventory no longer has is named, and the way past it"
planned reissue --resume --retry failed
ok "a threshold stops what has not begun, and is kept until the cause is gone"

# ---- kill -9 in every phase, and on ----
sed -i 's/^concurrency = 2/concurrency = 1/' "$D/sev1.conf"
row_in() { sev1 timeline --json | grep -A3 "\"host\": \"$1\"" | grep -q "\"phase\": \"$2\""; }
# killed HOST PHASE COMMAND...: wait until the host is there, kill the console, see that nothing is lost
killed() {
  h=$1; phase=$2; shift 2
  wait_for "$h in $phase" "$@"
  kill -9 "$console"
  wait "$console" 2>/dev/null || :
  console=
}
kill -STOP "$(cat "$D/sshd.pid")"
start --only 'k*' --waves 2,rest
killed k1 connect row_in k1 connect
kill -CONT "$(cat "$D/sshd.pid")"
rollout "interrupted" || { sev1 rollout; die "a re-issue that was killed goes on"; }
sev1 status >"$D/out"
grep -q "nobody runs it any more; go on: reissue --resume" "$D/out" || { cat "$D/out"; die "status does not say how to go on"; }
refused 3 "nobody runs it any more" rollout pause
ok "a re-issue that was killed is told as interrupted, with the way on"
n=1
for phase in csr issue install test reload verify; do
  n=$((n + 1))
  host=k$n
  if [ $phase = issue ]; then
    # the CA waits for its lock while the host waits for its certificate
    hold csr.$host
    start --resume
    wait_for "$host in csr" at csr.$host
    flock "$D/spare/index.txt.lock" sh -c "echo >'$D/locked'; while [ -d '$D' ] && [ ! -e '$D/unlock' ]; do sleep 0.05; done" &
    wait_for "the lock" test -e "$D/locked"
    let_go csr.$host
    killed $host issue row_in $host issue
    : >"$D/unlock"
  else
    hold $phase.$host
    start --resume
    killed $host $phase at $phase.$host
    let_go $phase.$host
  fi
  wait_for "$host to put its files back" nothing_left $host
  wait_for "$host to present the old certificate" from_old $host
done
sev1 audit | grep -q verifies || die "audit"
sev1 status --json >"$D/out"
grep -q '"waves": 2,' "$D/out" || { cat "$D/out"; die "the waves are forgotten"; }
planned reissue --resume
rollout "ended" || { sev1 rollout; die "it has not ended"; }
new_on k1 k2 k3 k4 k5 k6 k7
for h in hc1 hc2 hw1 hw2 hw3 hw4 k1 k2 k3 k4 k5 k6 k7; do
  [ "$(grep -c "CN=$h.test" "$D/spare/index.txt")" -eq 1 ] || { cat "$D/spare/index.txt"; die "$h has not one certificate"; }
done
# another issuer: what is verified is so with the one before
planned recover --issuer other
sev1 reissue >"$D/out"
grep -q "^13 of these have theirs from the issuer before this one; replace them too: --again" "$D/out" || { cat "$D/out"; die "the former issuer"; }
planned_so 'REISSUE 13' 'issuer before this one' --again
planned recover --issuer spare
sev1 reissue >"$D/out"
! grep -q "issuer before" "$D/out" || { cat "$D/out"; die "the issuer is the same"; }
ok "what is verified with the issuer before is counted apart"
[ "$(sev1 timeline --json | grep -c '"state": "verified"')" -ge 13 ] || die "not every host was verified"
ok "killed in seven phases, resumed each time: one certificate a host, none deployed without its handshake"

# ---- replacement first, revocation after: the end-entity case ----
mkdir -m 700 "$D/state2"
sed -i "s|^state = .*|state = $D/state2|" "$D/sev1.conf"
for h in hw1.test hw2.test far.example; do
  openssl req -new -key "$D/hosts/hw1/server.key" -subj "/CN=$h" -out "$D/csr"
  openssl ca -batch -config "$D/issuing/openssl.cnf" -in "$D/csr" -out "$D/pem" -notext 2>/dev/null || die "openssl ca $h"
done
sev1 open --title "stolen leaf keys" >"$D/out" || die "open"
sev1 triage --ca issuing --level end-entity --compromise 1 --received -5m --serial 1000 --serial 1001 --serial 1002 >"$D/out" 2>&1 || { cat "$D/out"; die "triage"; }
planned recover --issuer spare
refused 3 "the scope is not frozen" reissue --only hw1
sev1 scope >"$D/out" 2>&1 || { cat "$D/out"; die "scope"; }
sev1 checkpoint 2 --reason "the CA is sound" >"$D/out" || die "checkpoint 2"
sev1 revoke --json >"$D/plan.json" 2>"$D/plan.err" || :
[ "$(member phrase <"$D/plan.json")" = "REVOKE 3 WITH 3 NOT REPLACED" ] || { cat "$D/plan.json" "$D/plan.err"; die "nothing is replaced yet"; }
before=$(member hash <"$D/plan.json")
planned_so 'but a stolen one is refused; key-mode = new.*3 certificates that the scope revokes for keyCompromise' 'made on each host' --only hw1
issued=$(wc -l <"$D/spare/index.txt")
want=4 planned reissue --only hw1
sev1 timeline | grep -q "hw1: refused, the request is for the key of a certificate that is revoked for keyCompromise" || { sev1 timeline; die "a stolen key was not refused"; }
[ "$(wc -l <"$D/spare/index.txt")" -eq "$issued" ] || die "a stolen key got a new certificate"
mv "$D/issuing/newcerts/1001.pem" "$D/away"
sev1 reissue --only hw1 >"$D/out" 2>"$D/err" && die "a key that cannot be read is not refused"
grep -q "the key of certificate 1001 could not be refused" "$D/err" && grep -q "key-mode = new" "$D/err" || { cat "$D/err"; die "a certificate that is missing is not named"; }
mv "$D/away" "$D/issuing/newcerts/1001.pem"
sed -i 's/^probe-port = .*/&\nkey-mode = new/' "$D/sev1.conf"
planned reissue --only hw1
refused 3 "the plan is now" revoke --plan "$before" --confirm "REVOKE 3 WITH 3 NOT REPLACED"
sev1 revoke --json >"$D/plan.json" 2>"$D/plan.err" || :
[ "$(member phrase <"$D/plan.json")" = "REVOKE 3 WITH 2 NOT REPLACED" ] || { cat "$D/plan.json" "$D/plan.err"; die "hw1 is replaced"; }
grep -q "2  hw2.test, far.example" "$D/plan.json" || { cat "$D/plan.json"; die "what is not replaced is not named"; }
grep -q "replacement first.*deadline" "$D/plan.json" || { cat "$D/plan.json"; die "replacement is not offered"; }
refused 3 "the phrase is not" revoke --plan "$(member hash <"$D/plan.json")" --confirm "REVOKE 3"
planned revoke
[ "$(grep -c '^R' "$D/issuing/index.txt")" -eq 3 ] || die "three were to be revoked"
ok "a revocation before its replacements names them, and wants them acknowledged"
