#!/bin/bash
# The whole re-issue of a fleet measured beside its peers, in one run, all on this machine: a real OpenSSH server and
# a TLS service answer for every address of loopback.
#	tests/bench/fanout.sh [HOSTS]      default: 200
# Job: CSR, check, issue, install, test, reload, handshake. Peers: the runbook's loop, mended with ssh -n, one host
# after another (LOOP_HOSTS of them, default 20); ansible-playbook (ANSIBLE_HOSTS, default 50) where it is installed;
# processes on plain libssh that connect and run one `openssl req`, which is the servers' own cost. FORKS (default 32)
# at a time for all but the loop. Neither peer makes the handshake. The start-up files of whoever runs this are put
# out of the way, as bash reads them for every command through sshd: they are no part of a server. The loop and the
# rest must have the machine for themselves. Nothing here is a test: it prints.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
export SRCDIR
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
: "${PEER:?the measuring helper: set PEER to fanout_peer}"
n=${1:-200} forks=${FORKS:-32} rounds=${ROUNDS:-5} loop_hosts=${LOOP_HOSTS:-20} ansible_hosts=${ANSIBLE_HOSTS:-50}
PATH=$PATH:/usr/sbin:/sbin
need sshd ssh-keygen openssl ip unshare
if [ "${SEV1_TEST_NETNS:-}" != yes ]; then
  export SEV1_TEST_NETNS=yes
  [ "$(id -u)" -eq 0 ] && set -- -nm || set -- -rnm
  exec unshare "$@" bash -c 'ip link set lo up && exec bash "$0" "$@"' "$script" "$n"
fi
work_folder
: >"$D/empty"
for f in .bashrc .zshenv .cshrc .tcshrc; do [ ! -f ~/"$f" ] || mount --bind "$D/empty" ~/"$f"; done
export HOME=$D/home
mkdir -p "$HOME"
leave() { for f in "$D/sshd.pid" "$D/tls.pid"; do [ -f "$f" ] && kill "$(cat "$f")" 2>/dev/null || :; done; }

for a in old new peer; do authority "$D/$a" "Bench $a"; done
ssh_server "LogLevel ERROR" "Subsystem sftp internal-sftp"
cat >"$D/ssh_config" <<E
Host *
 Port 2222
 User $(id -un)
 IdentityFile $D/id
 BatchMode yes
 StrictHostKeyChecking no
 UserKnownHostsFile /dev/null
 LogLevel ERROR
E
for ((i = 0; i < n; i++)); do echo "127.1.$((i / 200)).$((i % 200 + 1))"; done >"$D/hosts"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$D/server.key" 2>/dev/null
openssl req -x509 -new -key "$D/server.key" -subj "/CN=before" -days 30 -out "$D/server.pem"
echo "host,address,port,user,names" >"$D/inventory.csv"
while read -r h; do
  mkdir -p "$D/h/$h"
  cp "$D/server.key" "$D/server.pem" "$D/h/$h/"
  echo "$h,$h,2222,$(id -un),h${h//./-}.example.com" >>"$D/inventory.csv"
  known "$h" >>"$D/known_hosts"
done <"$D/hosts"
"$PEER" tls "$D/h" 8443 "$D/server.key" 2>"$D/tls.log" &
echo $! >"$D/tls.pid"
test_command="test -s $D/h/%h/server.pem" reload_command="kill -HUP $(cat "$D/tls.pid")"
cat >"$D/sev1.conf" <<E
[sev1]
state = $D/state
organisation = Bench
[ca old]
config = $D/old/openssl.cnf
[ca new]
config = $D/new/openssl.cnf
spare = yes
[fleet]
inventory = $D/inventory.csv
identity = $D/id
known-hosts = $D/known_hosts
key = $D/h/%h/server.key
certificate = $D/h/%h/server.pem
test = $test_command
reload = $reload_command
probe-port = 8443
concurrency = $forks
E

now() { date +%s.%N; }
# rate HOSTS BEGAN: hosts a second since then
rate() { echo "$1 $2 $(now)" | awk '{ printf "%.2f\n", $1 / ($3 - $2) }'; }
# What sshd and the service, and everything that this script ran to its end, have used of the processors, in ms:
# of a loaded machine it says more than the time that passed.
cpu() {
  awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); t += FILENAME ~ "/'$$'/" ? $14 + $15 : $12 + $13 + $14 + $15 }
    END { printf "%.0f", t * 1000 / hz }' "/proc/$$/stat" "/proc/$(cat "$D/sshd.pid")/stat" "/proc/$(cat "$D/tls.pid")/stat"
}
# spent HOSTS BEFORE: of the processors for a host since then, in ms
spent() { echo "$1 $2 $(cpu)" | awk '{ printf "%.0f", ($3 - $2) / $1 }'; }
say() { printf '%-50s %5d hosts %7.1f hosts/s %5.0f ms of CPU a host%s\n' "$1" "$2" "$3" "$4" "${5:-}"; }

# ---- sev1, and plain libssh around it ----
# The processor's own clock may change from one second to the next: ROUNDS (default 5) of sev1, each between two of plain
# libssh; the ratio is the median of theirs, each against the mean of the two around it.
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
plain_round() {
  began=$(now) before=$(cpu)
  # shellcheck disable=SC2046
  "$PEER" ssh "$forks" 2222 "$(id -un)" "$D/id" "openssl req -new -key $D/h/%h/server.key -subj /CN=%h" $(cat "$D/hosts")
  rate "$n" "$began" >>"$D/plain"
  say "plain libssh, $forks processes: connect, openssl req" "$n" "$(tail -n 1 "$D/plain")" "$(spent "$n" "$before")"
}
# each in an incident and a state folder of its own: within one no certificate is issued twice for a host
sev1_round() {
  rm -rf "$D/state" && mkdir -m 700 "$D/state"
  sev1 open --title bench >"$D/out"
  sev1 triage --ca old --level root --compromise 1 --received -5m --channel phone --reporter bench --since -1d >"$D/out"
  planned recover --issuer new
  sev1 reissue --json >"$D/plan.json" 2>"$D/err" || :
  hash=$(member hash <"$D/plan.json") phrase=$(member phrase <"$D/plan.json")
  [ -n "$hash" ] || { cat "$D/plan.json" "$D/err"; die "no plan"; }
  began=$(now) before=$(cpu)
  sev1 reissue --plan "$hash" --confirm "$phrase" >"$D/run.out" 2>"$D/run.err" || { tail -n 5 "$D/run.out" "$D/run.err"; die "sev1 reissue"; }
  whole=$(rate "$n" "$began")
  sev1 timeline --json | sed -n '/reissue.ended/,$s/^ *"ms": \([0-9]*\).*/\1/p' | tail -n 1 | awk -v n="$n" '{ printf "%.2f\n", n * 1000 / $1 }' >>"$D/ours"
  say "sev1 reissue, $forks at a time, all and verified" "$n" "$(tail -n 1 "$D/ours")" "$(spent "$n" "$before")" "  (the whole command $whole hosts/s)"
}
plain_round
for ((i = 0; i < rounds; i++)); do
  sev1_round
  plain_round
done
[ "$(grep -c "^V" "$D/new/index.txt")" -eq $((n * rounds)) ] || die "not every host was issued for"
ours=$(median "$D/ours") plain=$(median "$D/plain")
awk 'NR == FNR { p[NR] = $1; next } { print 100 * $1 / ((p[FNR] + p[FNR + 1]) / 2) }' "$D/plain" "$D/ours" >"$D/share"
share=$(median "$D/share")

# ---- the runbook's loop ----
s="ssh -n -F $D/ssh_config" c="scp -q -F $D/ssh_config"
mkdir "$D/reissue"
runbook() {
  while read -r h; do
    $s "$h" "openssl req -new -key $D/h/$h/server.key -out $D/h/$h/server.csr -subj /CN=$h"
    $c "$h:$D/h/$h/server.csr" "$D/reissue/$h.csr" </dev/null
    openssl ca -config "$D/peer/openssl.cnf" -in "$D/reissue/$h.csr" -out "$D/reissue/$h.pem" -days 365 -batch -notext </dev/null
    $c "$D/reissue/$h.pem" "$h:$D/h/$h/server.pem" </dev/null
    $s "$h" "${test_command//%h/$h} && $reload_command"
  done
}
began=$(now) before=$(cpu)
head -n "$loop_hosts" "$D/hosts" | runbook >"$D/out" 2>&1
[ "$(grep -c ^V "$D/peer/index.txt")" -eq "$loop_hosts" ] || { tail -n 3 "$D/out"; die "the loop"; }
loop=$(rate "$loop_hosts" "$began")
say "the runbook's loop, mended with ssh -n" "$loop_hosts" "$loop" "$(spent "$loop_hosts" "$before")"

# ---- ansible ----
if command -v ansible-playbook >/dev/null; then
  {
    printf '[all:vars]\nansible_port=2222\nansible_ssh_private_key_file=%s\n' "$D/id"
    printf 'ansible_ssh_common_args=-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null\n'
    printf 'ansible_python_interpreter=/usr/bin/python3\n[all]\n'
    head -n "$ansible_hosts" "$D/hosts"
  } >"$D/inventory.ini"
  cat >"$D/play.yml" <<E
- hosts: all
  gather_facts: no
  tasks:
    - raw: openssl req -new -key $D/h/{{ inventory_hostname }}/server.key -subj /CN={{ inventory_hostname }}
      register: csr
    - delegate_to: localhost
      vars: {ansible_connection: local}
      copy: {content: "{{ csr.stdout }}", dest: "$D/reissue/{{ inventory_hostname }}.csr"}
    - delegate_to: localhost
      vars: {ansible_connection: local}
      throttle: 1
      command: openssl ca -config $D/peer/openssl.cnf -in $D/reissue/{{ inventory_hostname }}.csr -out $D/reissue/{{ inventory_hostname }}.pem -days 365 -batch -notext
    - copy: {src: "$D/reissue/{{ inventory_hostname }}.pem", dest: "$D/h/{{ inventory_hostname }}/server.pem"}
    - raw: test -s $D/h/{{ inventory_hostname }}/server.pem && $reload_command
E
  issued=$(grep -c ^V "$D/peer/index.txt")
  began=$(now) before=$(cpu)
  ANSIBLE_PIPELINING=1 ANSIBLE_HOST_KEY_CHECKING=False ansible-playbook -i "$D/inventory.ini" -f "$forks" "$D/play.yml" >"$D/out" 2>&1 || { tail -n 5 "$D/out"; die "ansible-playbook"; }
  ansible=$(rate "$ansible_hosts" "$began")
  [ "$(grep -c ^V "$D/peer/index.txt")" -eq $((issued + ansible_hosts)) ] || die "ansible did not do it"
  say "ansible-playbook, $forks forks" "$ansible_hosts" "$ansible" "$(spent "$ansible_hosts" "$before")"
  # and sev1 with ansible as its hands
  head -n "$ansible_hosts" "$D/hosts" >"$D/few"
  sev1 reissue --engine ansible --again --only "@$D/few" --json >"$D/plan.json" 2>"$D/err" || :
  hash=$(member hash <"$D/plan.json") phrase=$(member phrase <"$D/plan.json")
  [ -n "$hash" ] || { cat "$D/err"; die "no plan"; }
  began=$(now) before=$(cpu)
  sev1 reissue --engine ansible --again --only "@$D/few" --plan "$hash" --confirm "$phrase" >"$D/run.out" 2>"$D/run.err" ||
    { tail -n 5 "$D/run.out" "$D/run.err"; die "sev1 reissue --engine ansible"; }
  say "sev1 reissue --engine ansible, verified" "$ansible_hosts" "$(rate "$ansible_hosts" "$began")" "$(spent "$ansible_hosts" "$before")"
else
  ansible=
  echo "ansible-playbook is not installed: apt-get install ansible-core"
fi
# ---- memory, in a run of its own: to look costs as much as the hosts do ----
# the most private memory that one of its SSH children has, in KiB
watch_children() {
  most=0
  while sleep 0.1; do
    for p in $(pgrep -f '^/proc/self/exe child ssh|sev1 child ssh' 2>/dev/null || :); do
      k=$(awk '/^Private/ { s += $2 } END { print s + 0 }' "/proc/$p/smaps_rollup" 2>/dev/null || echo 0)
      if [ "${k:-0}" -gt "$most" ]; then most=$k; echo "$most" >"$D/most"; fi
    done
  done
}
head -n 40 "$D/hosts" >"$D/few"
sev1 reissue --again --only "@$D/few" --json >"$D/plan.json" 2>"$D/err" || :
hash=$(member hash <"$D/plan.json") phrase=$(member phrase <"$D/plan.json")
[ -n "$hash" ] || { cat "$D/err"; die "no plan"; }
watch_children &
watcher=$!
pids="$pids $watcher"
sev1 reissue --again --only "@$D/few" --plan "$hash" --confirm "$phrase" >"$D/run.out" 2>"$D/run.err" ||
  { tail -n 5 "$D/run.out" "$D/run.err"; die "sev1 reissue --again"; }
kill "$watcher" 2>/dev/null || :
echo "an SSH child of sev1 has at most $(cat "$D/most" 2>/dev/null || echo '?') KiB of private memory"
echo "$ours $loop ${ansible:-0} $share" | awk '{
  printf "sev1: %.0f times the loop", $1 / $2
  if ($3 > 0) printf ", %.0f times ansible-playbook", $1 / $3
  printf ", %.0f %% of plain libssh\n", $4 }'
