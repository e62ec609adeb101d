#!/bin/sh
# A CA whose key is on a token (SoftHSM2), at the real program: the PIN typed in the console, wrong once and then right,
# and looked for afterwards wherever it must not be. Then the same from a script, in plain lines, with the token
# pulled, and until the key is locked and found locked.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
need tmux openssl softhsm2-util pkcs11-tool pgrep setpriv
module=/usr/lib/softhsm/libsofthsm2.so
[ -e "$module" ] || { echo "softhsm2 is not installed"; exit 77; }
set -- /usr/lib/*/engines-3/pkcs11.so
[ -e "$1" ] || { echo "libengine-pkcs11-openssl is not installed"; exit 77; }
set -- /usr/lib/*/pkcs11-spy.so
spy=$1
[ -e "$spy" ] || { echo "opensc-pkcs11 is not installed"; exit 77; }
LC_ALL=C.UTF-8
export LC_ALL
unset NO_COLOR TMUX LANGUAGE
work_folder
PIN=Q7x-pin-4w9 # in the token and in this script only
WRONG=not-the-pin
socket=sev1hsm-$$
t() { tmux -L "$socket" -f /dev/null "$@"; }
leave() { t kill-server 2>/dev/null || :; }
pane() { t capture-pane -p -t 0 2>/dev/null; }
shows() { pane | grep -qF -- "$1"; }
keys() { t send-keys -t 0 -- "$@"; }

# ---- a CA with four certificates; its key goes onto the token ----
ca=$D/ca
mkdir -p "$ca/newcerts" "$D/tokens" "$D/state"
chmod 700 "$D/state"
: >"$ca/index.txt"; echo 1000 >"$ca/serial"; echo 01 >"$ca/crlnumber"
cat >"$ca/openssl.cnf" <<END
[ca]
default_ca = this
[this]
dir = $ca
database = \$dir/index.txt
new_certs_dir = \$dir/newcerts
certificate = \$dir/ca.crt
private_key = \$dir/ca.key
serial = \$dir/serial
crlnumber = \$dir/crlnumber
default_md = sha256
default_days = 30
policy = any
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
END
{
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$ca/ca.key" -out "$ca/ca.crt" -days 300 -subj "/CN=Token CA" \
    -config "$ca/openssl.cnf" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -addext subjectKeyIdentifier=hash
  openssl ecparam -name prime256v1 -genkey -noout -out "$D/leaf.key"
  for i in 1 2 3 4; do
    openssl req -new -key "$D/leaf.key" -subj "/CN=host$i.test" -config "$ca/openssl.cnf" -out "$D/leaf.csr"
    openssl ca -batch -notext -config "$ca/openssl.cnf" -in "$D/leaf.csr" -out "$D/leaf.crt"
  done
  printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$D/tokens" >"$D/softhsm2.conf"
  export SOFTHSM2_CONF="$D/softhsm2.conf" PKCS11SPY="$module" PKCS11SPY_OUTPUT="$D/spy.log"
  softhsm2-util --init-token --free --label "CA token" --pin "$PIN" --so-pin so-pin-1
  openssl pkcs8 -topk8 -nocrypt -in "$ca/ca.key" -out "$D/moved.key"
  softhsm2-util --import "$D/moved.key" --token "CA token" --label ca-key --id 01 --pin "$PIN"
  softhsm2-util --init-token --free --label Second --pin second-pin --so-pin so-pin-2
  softhsm2-util --import "$D/moved.key" --token Second --label ca-key --id 01 --pin second-pin
} >"$D/make.log" 2>&1 || { tail "$D/make.log"; die "the CA and its token"; }
rm "$ca/ca.key" "$D/moved.key" "$D/leaf.key"
logins() { grep -c ': C_Login$' "$D/spy.log"; }

cat >"$D/sev1.conf" <<END
[sev1]
state = $D/state
[ca token]
title = Token CA
config = $ca/openssl.cnf
key = pkcs11:token=CA%20token;object=ca-key
pkcs11-module = $spy
[action stop]
run = true
verify = true
# its key is on the same token: what locks one locks the other
[ca other]
config = $ca/openssl.cnf
key = PKCS11:token=CA%20token;id=%01
pkcs11-module = $spy
[action lock]
title = lock signing key
kind = keylock
ca = token
run = pkcs11-tool --module $module --token-label 'CA token' --login --login-type so --so-pin so-pin-1 --init-pin --new-pin locked-away
verify = test -e $ca/index.txt
[action lock-other]
kind = keylock
ca = other
run = true
verify = true
END
sed 's|^key = .*|&?pin-value=pin-in-a-file|' "$D/sev1.conf" >"$D/pin.conf"
status=0; "$SEV1" -c "$D/pin.conf" doctor >"$D/err" 2>&1 || status=$?
[ $status -ne 0 ] && grep -q "a PIN in a file is not safe" "$D/err" && ! grep -q pin-in-a-file "$D/err" || { cat "$D/err"; die "a PIN in the URI was taken"; }
ok "a PIN in the configuration is refused"

# Not as root, so that the kernel's own rules show: /proc of a process that cannot be dumped belongs to root.
as=
cp "$SEV1" "$D/sev1.bin"
SEV1=$D/sev1.bin
cp -R "${SEV1_DATADIR:-$SRCDIR/data}" "$D/data" # the tree may lie where only root may look
SEV1_DATADIR=$D/data
export SEV1_DATADIR
if [ "$(id -u)" -eq 0 ]; then
  chown -R 65534:65534 "$D"
  as="setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=$D"
fi
sev1() { $as "$SEV1" -c "$D/sev1.conf" "$@"; }

sev1 doctor >"$D/out" 2>&1 || :
grep -q "^ok    ca token: the token CA token (" "$D/out" && grep -q "^warn  ca token: the key was not tried: it wants its token's PIN" "$D/out" ||
  { cat "$D/out"; die "doctor without the PIN"; }
status=0; sev1 --no-input doctor --sign >"$D/out" 2>&1 || status=$?
[ $status -eq 1 ] && grep -q "with --pin-fd N" "$D/out" || { cat "$D/out"; die "doctor --sign without anybody to ask"; }
echo "$PIN" | sev1 doctor --sign --pin-fd 0 >"$D/out" 2>&1 || :
grep -q "^ok    ca token: the key belongs to the certificate and signs" "$D/out" || { cat "$D/out"; die "doctor --sign"; }
status=0; setsid -w $as "$SEV1" -c "$D/sev1.conf" doctor --sign </dev/null >"$D/out" 2>&1 || status=$?
[ $status -eq 1 ] && grep -q "no terminal to ask at" "$D/out" && grep -q "with --pin-fd N" "$D/out" || { cat "$D/out"; die "doctor --sign without a terminal"; }
cp "${BUILDDIR:-.}/tests/odd_token.so" "$D/odd_token.so" # the first in the file is the last to be ready
sed -e 's|^\[action stop\]|[ca second]\nconfig = '"$ca"'/openssl.cnf\nkey = pkcs11:token=Second;object=ca-key\npkcs11-module = '"$module"'\n&|' \
  -e "0,/^pkcs11-module = /s|^pkcs11-module = .*|pkcs11-module = $D/odd_token.so|" "$D/sev1.conf" >"$D/two.conf"
printf '%s\n' "$PIN" second-pin | $as env ODD_SLOW=1 "$SEV1" -c "$D/two.conf" doctor --sign --pin-fd 0 >"$D/out" 2>&1 || :
[ "$(grep -cE "^ok    ca (token|other|second): the key belongs to the certificate and signs" "$D/out")" -eq 3 ] || { cat "$D/out"; die "doctor --sign with two tokens"; }
ok "doctor tries the key only when it is told to, and says what it wants"

sev1 open --title "The token's CA" >/dev/null
sev1 triage --ca token --level root --compromise 1 --received -20m --channel phone --reporter "A. Person" --since unknown >/dev/null
sev1 scope >/dev/null
planned contain --only stop

# ---- the console ----
t new-session -d -x 80 -y 24 "$as '$SEV1' -c '$D/sev1.conf' 2>'$D/console.err'; echo \"ended \$?\"; read -r _"
wait_for "the board" shows "Checkpoint"
keys a; wait_for "ARM" shows "Type ARM"; keys ARM Enter; wait_for "armed" shows "ARMED"
before=$(logins)
revoke() {
  keys ":revoke" Enter
  wait_for "the plan" shows "Type  REVOKE 4  to go on"
  keys "REVOKE 4" Enter
  wait_for "the question" shows "PIN of the token CA token:"
}
revoke
console=$(pgrep -P "$(t display-message -p -t 0 '#{pane_pid}')")
child=$(pgrep -P "$console" -f "child ca")
wait_for "what the question does" shows "It is not shown. Enter gives it, Esc gives up."
for p in $console $child; do
  grep -qE '^Max core file size +0 +0 ' "/proc/$p/limits" || die "process $p may leave a core"
  [ "$(stat -c %u "/proc/$p/environ")" -eq 0 ] || die "process $p can be dumped"
  # another process of the same user: neither its memory nor its environment
  [ -z "$as" ] || ! $as cat "/proc/$p/environ" >/dev/null 2>&1 || die "process $p can be read by its own user"
done
ok "before a PIN is typed, console and child leave no core and are closed to their own user"
keys "$(printf '%0300d' 0)" Enter
wait_for "that it is too long" shows "nothing was typed, or more than 255 octets"
[ "$(logins)" -eq "$before" ] || die "the beginning of what was too long was tried"
keys Enter
wait_for "the board" shows "Checkpoint"
revoke
keys "$WRONG"
wait_for "that something was typed" shows "(typed, not shown)"
shows "$WRONG" && die "the PIN is on the screen"
keys Enter
wait_for "the refusal" shows "refused the PIN"
[ "$(logins)" -eq $((before + 1)) ] || die "a wrong PIN was tried $(($(logins) - before)) times"
grep -c '^R' "$ca/index.txt" | grep -qx 0 || die "something was revoked with a wrong PIN"
keys Enter
ok "a wrong PIN is tried once, and said to be wrong"
wait_for "the board" shows "Checkpoint"
revoke
wait_for "the token's warning" shows "tries are running out"
keys "$PIN" Enter
wait_for "the proof" shows "Enter go on"
pane | grep -qE '^ Done' || { pane; die "the revocation did not end well"; }
[ "$(logins)" -eq $((before + 2)) ] || die "the right PIN was used $(($(logins) - before - 1)) times"
crl=$(find "$D/state" -name '*.crl' | sort | tail -n 1)
openssl crl -inform DER -in "$crl" -CAfile "$ca/ca.crt" -noout 2>&1 | grep -q "verify OK" || die "the CRL does not verify"
[ "$(openssl crl -inform DER -in "$crl" -noout -text | grep -c 'Serial Number:')" -eq 4 ] || die "the CRL does not hold four"
keys Enter
wait_for "the board" shows "Checkpoint"
ok "four certificates revoked, the CRL signed on the token, with a PIN typed once"

# ---- remembered, and nowhere to be found ----
keys ":crl renew" Enter
wait_for "the next CRL" sh -c "[ \"\$(find '$D/state' -name '*.crl' | wc -l)\" -ge 2 ]"
wait_for "its login" sh -c "[ \$(grep -c ': C_Login\$' '$D/spy.log') -eq $((before + 3)) ]"
wait_for "its answer" shows "sev1 crl renew"
keys Enter
wait_for "the board" shows "Checkpoint"
ok "the PIN is remembered: the next CRL is signed without a question"
# the spy's own log holds what C_Login was given: that is the HSM's side, not ours
nowhere() {
  for p in "$console" $(pgrep -P "$console"); do
    for f in environ cmdline; do
      tr '\0' '\n' <"/proc/$p/$f" 2>/dev/null | grep -qF -- "$1" && die "$2: /proc/$p/$f holds it"
    done
  done
  found=$(find "$D" -type f ! -name spy.log ! -path "$D/tokens/*" -exec grep -lF -- "$1" {} +) || :
  [ -z "$found" ] || die "$2 is in $found"
  t capture-pane -p -S - -t 0 | grep -qF -- "$1" && die "$2 was on the terminal"
  sev1 timeline | grep -qF -- "$1" && die "$2 is in the journal"
  :
}
nowhere "$PIN" "the PIN"
nowhere "$WRONG" "the wrong PIN"
ok "neither PIN is in an environment, an argument, the incident, a file, or on the terminal"

# held PIN: how often the console's memory holds it, read as root
held() {
  sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) rw.*/\1 \2/p' "/proc/$console/maps" | while read -r from to; do
    dd if="/proc/$console/mem" bs=4096 skip=$((0x$from / 4096)) count=$(((0x$to - 0x$from) / 4096)) 2>/dev/null | grep -aoF -- "$1" || :
  done | wc -l
}
if grep -q __asan_init "$SEV1"; then
  echo "# under AddressSanitizer the memory is not looked through: it is terabytes wide, and keeps what was freed"
elif [ "$(id -u)" -eq 0 ]; then
  [ "$(held "$PIN")" -eq 1 ] || die "the console's memory holds the PIN $(held "$PIN") times, not once"
  [ "$(held "$WRONG")" -eq 0 ] || die "the console's memory still holds the wrong PIN"
  keys ":disarm" Enter
  wait_for "observing" shows "OBSERVE"
  [ "$(held "$PIN")" -eq 0 ] || die "disarmed, the console's memory still holds the PIN"
  ok "the console holds the PIN once, in locked memory, and not at all once it is disarmed"
  keys a; wait_for "ARM" shows "Type ARM"; keys ARM Enter; wait_for "armed" shows "ARMED"
fi

# ---- the token is pulled out; the same again once it is back ----
mv "$D/tokens" "$D/pulled"; mkdir "$D/tokens"
[ -z "$as" ] || chown 65534:65534 "$D/tokens"
status=0; echo "$PIN" | sev1 crl renew --pin-fd 0 >"$D/out" 2>&1 || status=$?
[ $status -eq 1 ] && grep -q "the token CA token is not there" "$D/out" && grep -q "run this again" "$D/out" || { cat "$D/out"; die "a token that is away: status $status"; }
rmdir "$D/tokens"; mv "$D/pulled" "$D/tokens"
echo "$PIN" | sev1 crl renew --pin-fd 0 >"$D/out" 2>&1 || { cat "$D/out"; die "the token is back"; }
ok "without the token nothing is done; with it again the same command works"

# ---- a lock that locks nothing is no evidence, and neither is a key that nobody could try ----
sed -e 's/^run = pkcs11-tool.*/run = true\ndeadline = 5/' -e 's/^\[action lock\]/[action sham]/' "$D/sev1.conf" >"$D/sham.conf"
cp "$D/sev1.conf" "$D/kept.conf"; cp "$D/sham.conf" "$D/sev1.conf"
want=1 planned contain --only sham --pin-fd 0 <<END
$PIN
END
want=0
sev1 timeline | grep -q "sham: FAILED.*the key still signs" || { sev1 timeline | tail -n 5; die "a lock that locks nothing held"; }
want=1 planned contain --only sham --pin-fd 0 <<END
$WRONG
$WRONG
END
want=0
sev1 timeline | grep -q "sham: FAILED.*not proved, the key could not be tried: .*refused the PIN" || { sev1 timeline | tail -n 5; die "a wrong PIN proved a lock"; }
sed -i 's/object=ca-key/object=mistyped/' "$D/sev1.conf"
want=1 planned contain --only sham --pin-fd 0 <<END
$PIN
END
want=0
sev1 timeline | grep -q "sham: FAILED.*could not use this key before the lock either: .*no such key" || { sev1 timeline | tail -n 5; die "a key that was never there was found locked"; }
cp "$D/kept.conf" "$D/sev1.conf"
ok "a lock that locks nothing does not hold, and a mistyped PIN or key proves none"

# ---- the key lock: tried before with the right PIN, and found locked after ----
keys ":contain" Enter
wait_for "the plan" shows "to go on, or Esc."
phrase=$(pane | sed -n 's/^ Type  \(.*\)  to go on, or Esc\.$/\1/p')
keys "$phrase" Enter
wait_for "the question, or the end" sh -c "tmux -L $socket capture-pane -p -t 0 | grep -qE 'PIN of the token|Enter go on'"
shows "PIN of the token" && keys "$PIN" Enter
wait_for "the end of the lock" shows "Enter go on"
pane | grep -qE '^ Done' || { pane; die "the lock did not hold"; }
keys Enter
sev1 timeline | grep -q "lock: held.*found locked: the token CA token refused the PIN; it was tried once" || { sev1 timeline | tail; die "no evidence of the lock"; }
sev1 timeline | grep -q "lock-other: held.*found locked: the token CA token refused the PIN that was right before" || { sev1 timeline | tail; die "no evidence of the other key's lock"; }
nowhere "$PIN" "the PIN"
status=0; echo "$PIN" | sev1 crl renew --pin-fd 0 >"$D/out" 2>&1 || status=$?
[ $status -eq 3 ] && grep -q "refused the PIN; it was tried once" "$D/out" || { cat "$D/out"; die "the locked key: status $status"; }
ok "the key was locked, and sev1 found it locked"

# ---- plain lines: asked at the terminal, without an echo ----
pkcs11-tool --module "$module" --token-label 'CA token' --login --login-type so --so-pin so-pin-1 --init-pin --new-pin "$PIN" >"$D/make.log" 2>&1
[ -z "$as" ] || chown -R 65534:65534 "$D/tokens"
keys q
wait_for "the question, or the start screen" sh -c "tmux -L $socket capture-pane -p -t 0 | grep -qE 'Leave|Enter open'"
t kill-server
socket=$socket-line
t new-session -d -x 80 -y 24 "$as '$SEV1' -c '$D/sev1.conf' --line 2>'$D/console.err'; stty -a | tr ' ;' '\n\n' | grep -xE -- '-?(icanon|echo|isig)' | tr '\n' ' '; echo \"ended \$?\"; read -r _"
wait_for "the menu" shows "sev1>"
keys arm Enter; wait_for "ARM" shows "Type ARM"
keys ARM Enter; wait_for "armed" shows "arm: done."
keys "crl renew" Enter
wait_for "the question" shows "PIN of the token CA token:"
n=$(find "$D/state" -name '*.crl' | wc -l)
keys "$PIN" Enter
wait_for "the end" shows "crl: done."
[ "$(find "$D/state" -name '*.crl' | wc -l)" -gt "$n" ] || die "no CRL was signed in plain lines"
t capture-pane -p -S - -t 0 | grep -qF -- "$PIN" && die "the PIN was echoed"
keys "quit" Enter
wait_for "the terminal as it was" shows "isig icanon echo"
t respawn-pane -k -t 0 "$as '$SEV1' -c '$D/sev1.conf' crl renew --pin-fd 0; echo \"ended \$?\"; read -r _"
wait_for "no PIN in the clear" shows "ended 2"
shows "a terminal, which shows what is typed" || { pane; die "--pin-fd at a terminal"; }
ok "in plain lines the PIN is asked at the terminal, not echoed, and the terminal is as it was"
t kill-server

# ---- the standing order asks too, but waits for nobody: the CRLs of other CAs are due as well ----
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
	FILE *f = fopen(getenv("AHEAD"), "r");
	int rc = (int)syscall(SYS_clock_gettime, id, ts);
	if (f != NULL && fscanf(f, "%ld", &ahead) == 1)
		ts->tv_sec += ahead;
	if (f != NULL)
		fclose(f);
	return rc;
}
E
"${CC:-cc}" -shared -fPIC -o "$D/ahead.so" "$D/ahead.c" 2>"$D/cc.log" || { cat "$D/cc.log"; echo "no shared object can be made here"; exit 77; }
ahead() { echo "$1" >"$D/ahead.new"; mv "$D/ahead.new" "$D/ahead"; }
ahead 0
printf '[point p]\nca = token\nurl = http://127.0.0.1:1/ca.crl\npath = %s/ca.crl\n' "$D" >>"$D/sev1.conf"
want=1 planned publish
want=0
before=$(logins)
socket=$socket-watch
t new-session -d -x 160 -y 24 "$as env ASAN_OPTIONS=verify_asan_link_order=0 AHEAD='$D/ahead' LD_PRELOAD='$D/ahead.so' '$SEV1' -c '$D/sev1.conf' watch --renew; read -r _"
wait_for "the order" shows "standing order"
ahead 60000
wait_for "the question" shows "PIN of the token CA token:"
ahead 60070
wait_for "the failure" shows "token: renewal FAILED: nobody typed the PIN or passphrase within 60 s"
[ "$(logins)" -eq "$before" ] || die "a PIN was tried that nobody typed"
last_line() { pane | grep -v '^$' | tail -n 1 | grep -qF -- "$1"; }
wait_for "the question again, its time has come" last_line "PIN of the token CA token:"
keys "$PIN" Enter
renewed() { sev1 timeline | tail -n 8 | grep -q "crl: token: number"; }
wait_for "the renewed CRL" renewed
[ "$(logins)" -eq $((before + 1)) ] || die "the PIN was used $(($(logins) - before)) times"
ok "unattended, a question that nobody answers is a renewal that failed, and is asked again; no PIN is tried"
sev1 audit >/dev/null || die "audit"
