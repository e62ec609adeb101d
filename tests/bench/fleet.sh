#!/bin/sh
# The console over a simulated fleet: how long a key takes while thousands of hosts are re-issued, and how near the run
# comes to what its concurrency allows.
#	tests/bench/fleet.sh [HOSTS]      default: 10000, CONCURRENCY (256) at a time, 50 ms to 5 s each, 3 % hanging
#	                                  until they are killed, 2 s after their deadline (DEADLINE, 8 s)
# Everything but the servers is real: console, journal, CA child, screens. Nothing here is a test: it prints.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
: "${SIM:?the simulation: set SIM to fleet_sim}"
n=${1:-10000} concurrency=${CONCURRENCY:-256} deadline=${DEADLINE:-8}
need openssl
work_folder
for a in old new; do authority "$D/$a" "Bench $a"; done
mkdir -m 700 "$D/state"
"$SIM" hosts "$n" >"$D/inventory"
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
inventory = $D/inventory
user = root
key = /etc/ssl/server.key
certificate = /etc/ssl/server.pem
reload = true
probe-port = 443
concurrency = $concurrency
deadline = $deadline
E
sev1 open --title bench >"$D/out"
sev1 triage --ca old --level root --compromise 1 --received -5m --channel phone --reporter bench --since -1d >"$D/out"
planned recover --issuer new
ideal=$("$SIM" ideal "$n" "$concurrency" "$deadline")
keys=$("$SIM" run "$D/sev1.conf" "REISSUE $n" 2>"$D/err") || { cat "$D/err"; die "the console"; }
ms=$(sev1 timeline --json | sed -n '/reissue.ended/,$s/^ *"ms": \([0-9]*\).*/\1/p' | tail -n 1)
verified=$(grep -c "^V" "$D/new/index.txt")
echo "$n $verified $ms $ideal" | awk '{ printf "simulated fleet of %d hosts, %d verified: %.1f s, a perfect scheduler %.1f s: %.1f %% more\n",
  $1, $2, $3 / 1000, $4 / 1000, 100 * ($3 / $4 - 1) }'
echo "$keys"
