#!/bin/sh
# The CRL's life with a real CA and a real nginx: renewed before the fuse burns, by one of two watchers; a ladder that goes on
# across a key lock; what is stale is never published; any CRL inspected.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
PATH=$PATH:/usr/sbin:/sbin
need nginx openssl ip unshare curl "${CC:-cc}"
own_network
work_folder
leave() { [ -f "$D/nginx.pid" ] && kill "$(cat "$D/nginx.pid")" 2>/dev/null || :; }

# a clock that is ahead by what the file says, in seconds: hours pass without waiting
cat >"$D/ahead.c" <<'E'
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *ts)
{
	long ahead = 0;
	FILE *f;
	int rc = (int)syscall(SYS_clock_gettime, id, ts);
	if (id == CLOCK_REALTIME && getenv("AHEAD") != NULL && (f = fopen(getenv("AHEAD"), "r")) != NULL) {
		if (fscanf(f, "%ld", &ahead) == 1)
			ts->tv_sec += ahead;
		fclose(f);
	}
	return rc;
}
E
"${CC:-cc}" -shared -fPIC -o "$D/ahead.so" "$D/ahead.c" 2>"$D/cc.log" || { cat "$D/cc.log"; echo "no shared object can be made here"; exit 77; }
echo 0 >"$D/ahead"
AHEAD=$D/ahead
ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
export AHEAD ASAN_OPTIONS
sev1() { LD_PRELOAD=$D/ahead.so "$SEV1" -c "$D/sev1.conf" "$@"; }
watch() { exec env LD_PRELOAD="$D/ahead.so" "$SEV1" -c "$D/sev1.conf" watch --renew; } # in the background
later() { echo $(($(cat "$D/ahead") + $1)) >"$D/ahead.new"; mv "$D/ahead.new" "$D/ahead"; }

mkdir "$D/www"
authority "$D/ca" "Test CA"
echo 10 >"$D/ca/crlnumber"
for i in 1 2 3 4; do
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$D/key" -subj "/CN=host$i" -out "$D/csr" 2>/dev/null
  openssl ca -batch -config "$D/ca/openssl.cnf" -in "$D/csr" -notext -out /dev/null 2>/dev/null
done
cat >"$D/nginx.conf" <<E
pid $D/nginx.pid; error_log $D/error.log; worker_processes 1;
events { worker_connections 64; }
http { access_log off; server { listen 127.0.0.1:8080; root $D/www; } }
E
nginx -c "$D/nginx.conf" 2>>"$D/nginx.log" || die "nginx"
mkdir -m 700 "$D/state"
cat >"$D/sev1.conf" <<E
[sev1]
state = $D/state
[ca test]
config = $D/ca/openssl.cnf
crl-hours = 1
[point a]
ca = test
url = http://127.0.0.1:8080/a.crl
path = $D/www/a.crl
[point b]
ca = test
url = http://127.0.0.1:8080/b.crl
path = $D/www/b.crl
[action lock]
kind = keylock
run = chmod 000 $D/ca/ca.key && mv $D/ca/ca.key $D/ca/ca.key.locked
verify = test ! -e $D/ca/ca.key
undo = mv $D/ca/ca.key.locked $D/ca/ca.key && chmod 600 $D/ca/ca.key
E
number() { curl -s "http://127.0.0.1:8080/$1.crl" | openssl crl -inform DER -noout -crlnumber | sed 's/.*=\(0x\)\{0,1\}//'; }
serves() { [ "$(number "$1")" = "$2" ]; }
verified() { curl -s "http://127.0.0.1:8080/$1.crl" | openssl crl -inform DER -noout -CAfile "$D/ca/ca.pem" 2>&1 | grep -q "verify OK"; }

sev1 open --title "crl test" >/dev/null
sev1 triage --ca test --level end-entity --compromise 1 --received -5m --serial 1001 >"$D/out" 2>&1 || { cat "$D/out"; die "triage"; }
sev1 scope >"$D/out" 2>&1 || { cat "$D/out"; die "scope"; }
sev1 checkpoint 2 --reason "a test" >/dev/null
planned revoke
grep -q "crl: no\|FAILED" "$D/run.out" && die "revoke"
planned publish
serves a 10 && serves b 10 || die "the emergency CRL is not served"
ok "revoked and published: CRL 10 on both points"

# ---- renewal ----
sev1 crl renew --due >"$D/out" 2>&1 || { cat "$D/out"; die "renew --due"; }
grep -q "No CRL is due" "$D/out" || { cat "$D/out"; die "a CRL was due at once"; }
watch >"$D/watch1" 2>&1 &
pids="$pids $!"
watch >"$D/watch2" 2>&1 &
pids="$pids $!"
said() { grep -q "$2" "$D/$1"; }
wait_for "the order in the journal" said watch1 "CRL renewal on"
wait_for "the other watcher" said watch2 "CRL renewal on"
serves a 10 || die "renewed before it was due"
later 2460
wait_for "CRL 11 on a" serves a 11
wait_for "CRL 11 on b" serves b 11
verified a || die "the renewed CRL does not verify"
wait_for "watch1 to see it" said watch1 "b: verified"
wait_for "watch2 to see it" said watch2 "b: verified"
[ "$(sev1 timeline | grep -c 'crl: test: number 11')" -eq 1 ] || { sev1 timeline; die "renewed twice"; }
sev1 timeline | grep -q "signs the next CRL (standing order)" || die "no intent in the journal"
serves a 11 || die "two watchers renewed in turn"
ok "the fuse burns low: one of two watchers renews and publishes, the other sees it"

# ---- the renewal fails, loudly, and comes back ----
mv "$D/ca/ca.key" "$D/ca/away"
later 2460
wait_for "the failure on the screen" said watch1 "CRL RENEWAL FAILED"
sev1 status | grep -q "CRL RENEWAL FAILED.*ca.key" || { sev1 status; die "status does not say it"; }
tries() { sev1 timeline | grep -c "renewal FAILED"; }
n=$(tries)
serves a 11 || die "no key, and yet"
mv "$D/ca/away" "$D/ca/ca.key"
later 60
wait_for "CRL 12 after the back-off" serves a 12
[ "$n" -le 3 ] || die "$n tries without a pause"
sev1 status | grep -q "CRL RENEWAL FAILED" && die "it still says failed"
ok "without a key: said in red, tried again after a pause, done once the key is back"

# ---- the ladder ----
sev1 contain --json >"$D/plan.json" 2>/dev/null || :
grep -q "after the lock no CRL can be signed" "$D/plan.json" || { cat "$D/plan.json"; die "the key lock does not warn"; }
sev1 crl ladder >"$D/out" 2>&1 && die "a ladder out of nowhere"
grep -q "sev1 crl ladder --count" "$D/out" || { cat "$D/out"; die "no remedy"; }
sev1 crl ladder --count 3 --hours 1 --step 55m >"$D/out" 2>&1 && die "a gap between rungs"
sev1 crl ladder --count 3 --hours 1 --step 30m >"$D/out" 2>&1 || { cat "$D/out"; die "ladder"; }
grep -q "3 rungs, CRL 13 to 15" "$D/out" || { cat "$D/out"; die "three rungs"; }
[ "$(cat "$D/ca/crlnumber")" = 16 ] || die "crlnumber is $(cat "$D/ca/crlnumber")"
sev1 status | grep -q "ladder until" || { sev1 status; die "status has no ladder"; }
serves a 12 || die "a rung was published before its time"
planned contain
[ ! -e "$D/ca/ca.key" ] || die "the key is not locked"
later 1860
wait_for "rung 13" serves a 13
wait_for "rung 13 on b" serves b 13
verified a || die "rung 13 does not verify"
[ "$(curl -s http://127.0.0.1:8080/a.crl | openssl crl -inform DER -noout -text | grep -c 'Serial Number: 1001')" -eq 1 ] || die "rung 13 lacks 1001"
later 1860
wait_for "rung 14" serves a 14
wait_for "rung 14 on b" serves b 14
ok "the key is locked and publishing goes on, rung by rung, each at its time"

# ---- stale ----
cp "$D/ca/index.txt" "$D/index.good"
printf 'R\t491231235959Z\t260101000000Z\t1003\tunknown\t/CN=host4\n' >"$D/row"
sed '/\t1003\t/d' "$D/index.good" >"$D/ca/index.txt.new"
cat "$D/row" >>"$D/ca/index.txt.new"
mv "$D/ca/index.txt.new" "$D/ca/index.txt"
later 1860
wait_for "the stale ladder on the screen" said watch1 "ladder is STALE"
sev1 timeline | grep -q "the ladder is STALE" || { sev1 timeline; die "no stale event"; }
serves a 14 || die "a rung that lacks a revocation was published"
sev1 crl ladder >"$D/out" 2>&1 && die "a stale ladder passes"
grep -q "stale" "$D/out" && grep -q "sev1 crl ladder --count" "$D/out" || { cat "$D/out"; die "stale: no remedy"; }
mv "$D/ca/ca.key.locked" "$D/ca/ca.key"
chmod 600 "$D/ca/ca.key"
sev1 crl ladder --count 2 --hours 1 --step 30m >"$D/out" 2>&1 || { cat "$D/out"; die "a new ladder"; }
grep -q "2 rungs, CRL 16 to 17" "$D/out" || { cat "$D/out"; die "numbers do not go on"; }
wait_for "rung 16" serves a 16
ok "index.txt changed: the rest of the ladder is stale, never published; a new one goes on with higher numbers"

# ---- withdrawn ----
sev1 crl renew --auto off >/dev/null
wait_for "the watcher to hear it" said watch1 "standing order withdrawn"
later 3700
sev1 crl renew --auto maybe >/dev/null 2>&1 && die "--auto maybe"
serves a 16 || die "renewed without an order"
ok "the order withdrawn, nothing is renewed"

# ---- crl check ----
sev1 crl check --published --json >"$D/out" 2>&1 && die "an old CRL passes"
sev1 crl renew >"$D/out" 2>&1 || { cat "$D/out"; die "renew by hand"; }
sev1 crl check --published >"$D/out" 2>&1 || { cat "$D/out"; die "what is published is not sound"; }
sev1 crl check http://127.0.0.1:8080/a.crl --ca test >"$D/out" 2>&1 || { cat "$D/out"; die "crl check URL"; }
sev1 crl check http://127.0.0.1:8080/a.crl >"$D/out" 2>&1 || { cat "$D/out"; die "crl check URL without a CA"; }
grep -q "issuer *\(/CN=Test CA\) (CA test)" "$D/out" && grep -q "^sound " "$D/out" || { cat "$D/out"; die "the CA that issued it was not found"; }
authority "$D/foreign" "Another CA"
openssl ca -config "$D/foreign/openssl.cnf" -gencrl -crldays 1 -out "$D/foreign.crl" 2>/dev/null
openssl crl -in "$D/foreign.crl" -outform DER -out "$D/foreign.der"
sev1 crl check "$D/foreign.der" >"$D/out" 2>&1 || :
grep -q "not judged" "$D/out" || { cat "$D/out"; die "a stranger's CRL was judged by our CA"; }
cp "$D/www/a.crl" "$D/a.der"
openssl crl -inform DER -in "$D/a.der" -out "$D/www/a.crl"
sev1 crl check --published >"$D/out" 2>&1 && die "PEM passes where DER is served"
grep -q "\[pem\]" "$D/out" || { cat "$D/out"; die "PEM at a point is not named"; }
cp "$D/a.der" "$D/www/a.crl"
echo "<html>" >"$D/bad"
status=0; sev1 crl check "$D/bad" >"$D/out" 2>&1 || status=$?
[ $status -eq 1 ] && grep -q "\[html\]" "$D/out" || { cat "$D/out"; die "a page passes"; }
sev1 audit | grep -q verifies || die "audit"
ok "crl check: points, a URL, a file that is none"

# ---- partitions: certificates name one of two points ----
stop $pids
pids=
mkdir -p "$D/part/newcerts"
: >"$D/part/index.txt"
echo 2000 >"$D/part/serial"
echo 40 >"$D/part/crlnumber"
sed "s|$D/ca/|$D/part/|; s|^dir = .*|dir = $D/part|" "$D/ca/openssl.cnf" >"$D/part/openssl.cnf"
openssl req -x509 -new -newkey rsa:2048 -nodes -keyout "$D/part/ca.key" -subj "/CN=Test parts" -days 3650 -out "$D/part/ca.pem" 2>/dev/null
for i in 0 1 2 3; do
  point=s$((i % 2))
  printf 'crlDistributionPoints = URI:http://127.0.0.1:8080/%s.crl\n' $point >"$D/ext"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$D/key" -subj "/CN=host$i" -out "$D/csr" 2>/dev/null
  openssl ca -batch -config "$D/part/openssl.cnf" -extfile "$D/ext" -in "$D/csr" -notext -out "$D/leaf$i.pem" 2>/dev/null
done
mkdir -m 700 "$D/state2"
cat >"$D/sev1.conf" <<E
[sev1]
state = $D/state2
[ca parts]
config = $D/part/openssl.cnf
[point even]
ca = parts
url = http://127.0.0.1:8080/s0.crl
path = $D/www/s0.crl
partition = even
[point odd]
ca = parts
url = http://127.0.0.1:8080/s1.crl
path = $D/www/s1.crl
partition = odd
[point whole]
ca = parts
url = http://127.0.0.1:8080/whole.crl
path = $D/www/whole.crl
E
echo 0 >"$D/ahead"
sev1 open --title "parts" >/dev/null
sev1 triage --ca parts --level end-entity --compromise 1 --received -5m --serial 2000 --serial 2001 --serial 2002 >"$D/out" 2>&1 || { cat "$D/out"; die "triage"; }
sev1 scope >"$D/out" 2>&1 || { cat "$D/out"; die "scope"; }
sev1 checkpoint 2 --reason "a test" >/dev/null
cp "$D/part/index.txt" "$D/part.before"
planned revoke
made=$(find "$D/state2" -name 'parts-*.crl' | wc -l)
[ "$made" -eq 3 ] || { find "$D/state2" -name 'parts-*'; die "$made CRLs of three"; }
planned revoke --undo
cmp "$D/part/index.txt" "$D/part.before" || die "undo: index.txt is not what it was"
[ -z "$(find "$D/state2" -name 'parts-*.crl' -o -name 'parts-*.pem')" ] || { find "$D/state2" -name 'parts-*'; die "undo: a CRL is left"; }
[ "$(find "$D/state2" -name 'parts-*.crl.undone-*' | wc -l)" -eq 3 ] || { find "$D/state2" -name 'parts-*'; die "undo: CRLs are lost"; }
status=0; sev1 publish >"$D/out" 2>&1 || status=$?
[ $status -eq 3 ] || { cat "$D/out"; die "publish after undo: $status"; }
ok "undo: the partitions' CRLs are set aside with the whole one"
planned revoke
planned publish
grep -q "PUBLISH 3" "$D/plan.json" || { cat "$D/plan.json"; die "three points were wanted"; }
lists() { curl -s "http://127.0.0.1:8080/$1.crl" | openssl crl -inform DER -noout -text | grep "Serial Number" | sed 's/.*: //' | tr '\n' ' '; }
[ "$(lists s0)" = "2000 2002 " ] || die "even lists $(lists s0)"
[ "$(lists s1)" = "2001 " ] || die "odd lists $(lists s1)"
[ "$(lists whole)" = "2000 2001 2002 " ] || die "the whole lists $(lists whole)"
curl -s http://127.0.0.1:8080/s0.crl | openssl crl -inform DER -out "$D/s0.pem"
curl -s http://127.0.0.1:8080/s1.crl | openssl crl -inform DER -out "$D/s1.pem"
checks() { openssl verify -crl_check -extended_crl -CAfile "$D/part/ca.pem" -CRLfile "$D/$1.pem" "$D/leaf$2.pem" 2>&1; }
checks s0 0 | grep -q "certificate revoked" || { checks s0 0; die "openssl does not see 2000 as revoked"; }
checks s1 3 | grep -q ": OK" || { checks s1 3; die "openssl does not take odd's CRL for 2003"; }
checks s0 3 | grep -qi "scope\|unable to get certificate CRL" || { checks s0 3; die "even's CRL speaks for an odd certificate"; }
sev1 status | grep -q "5 CRL distributed.*done" || { sev1 status; die "the checkpoint is open"; }
sev1 crl ladder --count 2 --hours 1 --step 30m >"$D/out" 2>&1 || { cat "$D/out"; die "ladder of partitions"; }
mv "$D/part/ca.key" "$D/part/away"
watch >"$D/watch1" 2>&1 &
pids="$pids $!"
later 1860
wait_for "the rung of even" serves s0 47
wait_for "the rung of odd" serves s1 48
wait_for "the rung of the whole" serves whole 46
wait_for "the end of it" said watch1 "odd: verified"
sev1 crl check --published >"$D/out" 2>&1 || { cat "$D/out"; die "a partition is not sound"; }
[ "$(lists s1)" = "2001 " ] || die "odd lists $(lists s1)"
cp "$D/www/s0.crl" "$D/www/s1.crl"
sev1 crl check --published >"$D/out" 2>&1 && die "even's CRL passes at odd's point"
grep -q "\[point\]" "$D/out" || { cat "$D/out"; die "the wrong partition is not named"; }
ok "partitions: each point has its own CRL, openssl agrees, the ladder has a rung for each"

# ---- a partition is taken out of the configuration while the key is away ----
stop $pids
pids=
mv "$D/part/away" "$D/part/ca.key"
cp "$D/sev1.conf" "$D/three.conf"
cat >>"$D/sev1.conf" <<E
[point unused]
ca = parts
url = http://127.0.0.1:8080/s2.crl
path = $D/www/s2.crl
partition = unused
E
sev1 crl renew >"$D/out" 2>&1 || { cat "$D/out"; die "renew with a fourth point"; }
sev1 crl ladder --count 1 --hours 1 --step 30m >"$D/out" 2>&1 || { cat "$D/out"; die "a ladder with a fourth partition"; }
mv "$D/part/ca.key" "$D/part/away"
later 1860
# one that revoked certificates belong to is missed: nothing is published without it, and the ladder has not ended
cp "$D/three.conf" "$D/sev1.conf"
sed -i '/^\[point odd\]/,/^partition = odd/d' "$D/sev1.conf"
status=0; sev1 crl renew >"$D/out" 2>&1 || status=$?
[ $status -ne 0 ] && grep -q "1 revoked certificate belongs to no partition: 2001: http://127.0.0.1:8080/s1.crl" "$D/out" &&
  grep -q "give each distribution point a \[point\] with partition = NAME" "$D/out" || { cat "$D/out"; die "odd is not missed: $status"; }
# one that none belongs to is not: the others take their rungs
cp "$D/three.conf" "$D/sev1.conf"
sev1 crl renew >"$D/out" 2>&1 || { cat "$D/out"; die "the rungs of three partitions of four"; }
for point in s0 s1 whole; do
  [ $((0x$(number $point))) -gt $((0x$(number s2))) ] || { cat "$D/out"; die "$point did not take its rung: $(number $point)"; }
done
ok "a partition that is not configured any more and that nothing revoked belongs to does not end the ladder of the others"

# ---- a partition that is configured no more, a CA that fails, a point that is gone for good: the others go on ----
stop $pids
pids=
mv "$D/part/away" "$D/part/ca.key"
rm -rf "$D/state2" "$D/ca" "$D/ahead.new"
mkdir -m 700 "$D/state2"
echo 0 >"$D/ahead"
authority "$D/ca" "Test CA"
echo 10 >"$D/ca/crlnumber"
openssl ca -batch -config "$D/ca/openssl.cnf" -in "$D/csr" -notext -out /dev/null 2>/dev/null
rm -f "$D/www/"*.crl
sed -i 's/^\(config = .*part.*\)/\1\ncrl-hours = 1/' "$D/sev1.conf"
cat >>"$D/sev1.conf" <<E
[ca test]
config = $D/ca/openssl.cnf
crl-hours = 1
[point a]
ca = test
url = http://127.0.0.1:8080/a.crl
path = $D/www/a.crl
E
sev1 open --title "several" >/dev/null
for ca in parts:2003 test:1000; do
  sev1 triage --ca "${ca%:*}" --level end-entity --compromise 1 --received -5m --serial "${ca#*:}" >"$D/out" 2>&1 || { cat "$D/out"; die "triage"; }
  sev1 scope >"$D/out" 2>&1 || { cat "$D/out"; die "scope"; }
  sev1 checkpoint 2 --reason "a test" >/dev/null
  planned revoke
done
planned publish
before=$(number whole)
serves a 10 || die "CRL 10 of test is not served"
mv "$D/ca/ca.key" "$D/ca/away"
status=0; sev1 crl renew >"$D/out" 2>&1 || status=$?
[ $status -eq 4 ] && grep -q "test: the CRL is NOT renewed: .*ca.key" "$D/out" || { cat "$D/out"; die "one of two CAs: status $status"; }
[ "$(number whole)" != "$before" ] || { cat "$D/out"; die "what the other CA signed is not published"; }
serves a 10 || die "no key, and yet"
ok "one of two CAs cannot sign: the other's CRL is published, the failure is told"
sed '/^\[point even/,/^partition = even/d; /^\[point odd/,/^partition = odd/d; s|^url = .*/whole.crl|&\npath = '"$D"'/www/whole.crl\n[point gone]\nca = parts\nurl = http://127.0.0.1:8081/gone.crl|' \
  "$D/sev1.conf" | sed 's|^path = .*/whole.crl|&|' >"$D/sev1.conf.new"
awk '/^\[point gone/ { gone = 1 } /^path/ && gone { sub("whole", "gone"); gone = 0 } { print }' "$D/sev1.conf.new" >"$D/sev1.conf"
later 3720
status=0; sev1 crl renew --ca parts >"$D/out" 2>&1 || status=$?
[ $status -eq 4 ] && grep -q "whole: verified" "$D/out" && grep -q "gone: failed" "$D/out" || { cat "$D/out"; die "a retired partition: status $status"; }
status=0; sev1 publish --json >"$D/out" 2>/dev/null || :
grep -q "CRL 10 of test has expired; sev1 crl renew --ca test" "$D/out" || { cat "$D/out"; die "publish does not name what has expired"; }
sed 's|:8080/whole.crl|:8080/./whole.crl|' "$D/sev1.conf" >"$D/sev1.moved"
"$SEV1" -c "$D/sev1.moved" publish --ca parts --json >"$D/out" 2>/dev/null || :
grep -q "PUBLISH 2" "$D/out" || { cat "$D/out"; die "a point with another URL serves what it never served"; }
ok "partitions that are configured no more, and a CA whose CRL has expired, keep nothing from being published"
before=$(number whole)
watch >"$D/watch1" 2>&1 &
pids="$pids $!"
wait_for "the order" said watch1 "CRL renewal on\|CRL NOT PUBLISHED\|CRL RENEWAL"
later 2460
newer() { [ "$(number whole)" != "$before" ]; }
wait_for "the next CRL beside a point that is gone" newer
ok "a point that never serves anything keeps no other from the next CRL"
