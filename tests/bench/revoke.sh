#!/bin/sh
# Mass revocation measured beside `openssl ca -gencrl` over the same rows, in one run:
#	tests/bench/revoke.sh [ROWS...]            default: 10000 100000 1000000 3000000
# For each size: scope counts beside wc -l and grep -c; the freezing of the scope; then the frozen plan carried out:
# rows compared, backup, index rewritten and read back, CRL in DER and PEM signed, written and verified, all
# durably. That is printed twice: from the confirmation on, as the journal has it, and for the whole command
# `sev1 revoke --plan --confirm`, which starts by making the plan again. Each figure is the best of RUNS runs (default
# 3), memory the most that all processes had together. Nothing here is a test: it prints.
set -eu
: "${SEV1:?the program: set SEV1 to its absolute path}" "${MEASURE:?the measuring helper: set MEASURE}"
runs=${RUNS:-3}
D=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/sev1-bench.XXXXXX")
trap 'rm -rf "$D"' EXIT INT TERM
[ $# -gt 0 ] || set -- 10000 100000 1000000 3000000

# rows N STATUS: an index of N rows, serials random and in no order.
rows() {
  awk -v n="$1" -v status="$2" 'BEGIN {
    srand(7); rev = status == "R" ? "260801120000Z,superseded" : ""
    for (i = 0; i < n; i++)
      printf "%s\t291231235959Z\t%s\t%08X%08X%08X%08X\tunknown\t/C=DE/O=Example GmbH/CN=host%07d.example.com\n", status, rev,
        1073741824 + int(rand() * 1000000000), int(rand() * 4294967295), int(rand() * 4294967295), i, i }'
}

# ca FOLDER: an openssl ca directory around its index.
ca() {
  mkdir -p "$1/newcerts"
  echo 01 >"$1/crlnumber"
  cat >"$1/openssl.cnf" <<EOF
[ca]
default_ca = c
[c]
dir = $1
database = $1/index.txt
new_certs_dir = $1/newcerts
certificate = $1/ca.pem
private_key = $1/ca.key
crlnumber = $1/crlnumber
default_md = sha256
EOF
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/ca.key" -out "$1/ca.pem" \
    -subj "/CN=Bench CA" -days 30 -addext "basicConstraints=critical,CA:TRUE,pathlen:0" 2>/dev/null
}

# best COMMAND...: seconds of the fastest run; its output is in $D/out.
best() {
  low=
  for _ in $(seq "$runs"); do
    prepare
    MEASURE_TIME_ONLY=1 "$MEASURE" "$@" 3>"$D/time" >"$D/out" 2>"$D/err" || { cat "$D/out" "$D/err" >&2; exit 1; }
    took=$(cut -d ' ' -f 1 "$D/time")
    after
    low=$(echo "$took ${low:-$took}" | awk '{ print $1 < $2 ? $1 : $2 }')
  done
  echo "$low"
}
prepare() { :; }
after() { :; }
# what the journal says of the revocation that has just ended, in seconds; the least of the runs in $D/inner
journalled() {
  ms=$("$SEV1" -c "$D/sev1.conf" timeline --json | sed -n '/revocation.ended/,$s/^ *"ms": \([0-9]*\).*/\1/p')
  echo "$ms $(cat "$D/inner" 2>/dev/null)" | awk '{ s = $1 / 1000; print $2 == "" || s < $2 ? s : $2 }' >"$D/inner.new"
  mv "$D/inner.new" "$D/inner"
}
ratio() { echo "$1 $2" | awk '{ printf "%.2f", $1 / $2 }'; }
member() { sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" | head -n 1; }

# restore: the CA and the incident as they were when the plan was frozen.
restore() {
  cp "$D/frozen/index.txt" "$D/ca/index.txt"
  echo 01 >"$D/ca/crlnumber"
  rm -rf "$D/state" "$D"/ca/index.txt.pre* "$D"/ca/*.pre*
  cp -a "$D/frozen/state" "$D/state"
  sync
}

one() {
  n=$1
  rm -rf "${D:?}"/* && ca "$D/peer" && ca "$D/ca"
  rows "$n" R >"$D/peer/index.txt"
  rows "$n" V >"$D/ca/index.txt"
  cat >"$D/sev1.conf" <<EOF
[sev1]
state = $D/state
[ca bench]
config = $D/ca/openssl.cnf
EOF
  prepare() { :; }
  peer=$(best openssl ca -config "$D/peer/openssl.cnf" -gencrl -crlhours 1 -out "$D/peer/crl.pem")
  size=$(stat -c %s "$D/peer/crl.pem")
  runs_crl=$runs runs=7
  lines=$(best wc -l "$D/ca/index.txt")
  greps=$(best grep -c '^V' "$D/ca/index.txt")
  count=$(best "$SEV1" -c "$D/sev1.conf" count)
  runs=$runs_crl

  "$SEV1" -c "$D/sev1.conf" open >"$D/out"
  "$SEV1" -c "$D/sev1.conf" triage --ca bench --level intermediate --compromise 1 --received -5m --channel phone \
    --reporter bench --since -1d >"$D/out"
  scope=$(best "$SEV1" -c "$D/sev1.conf" scope)
  "$SEV1" -c "$D/sev1.conf" checkpoint 2 --reason "bench" >"$D/out"
  mkdir "$D/frozen" && cp -a "$D/state" "$D/frozen/state" && mv "$D/ca/index.txt" "$D/frozen/index.txt"
  restore
  "$SEV1" -c "$D/sev1.conf" revoke --json >"$D/plan.json" 2>"$D/err" || :
  hash=$(member hash <"$D/plan.json") phrase=$(member phrase <"$D/plan.json")
  [ -n "$hash" ] || { cat "$D/plan.json" "$D/err" >&2; exit 1; }
  prepare() { restore; }
  after() { journalled; }
  revoke=$(best "$SEV1" -c "$D/sev1.conf" revoke --plan "$hash" --confirm "$phrase")
  after() { :; }
  inner=$(cat "$D/inner")
  restore
  "$MEASURE" "$SEV1" -c "$D/sev1.conf" revoke --plan "$hash" --confirm "$phrase" 3>"$D/time" >"$D/out"
  peak=$(awk '{ printf "%.0f", $2 / 1024 }' "$D/time")
  [ "$(grep -c '^R' "$D/ca/index.txt")" -eq "$n" ] || { echo "not every row was revoked" >&2; exit 1; }

  printf '%9d rows  openssl ca -gencrl %8.3f s   sev1, plan carried out %7.3f s = 1/%-6s whole command %7.3f s = 1/%-6s %4s MiB\n' \
    "$n" "$peer" "$inner" "$(ratio "$peer" "$inner")" "$revoke" "$(ratio "$peer" "$revoke")" "$peak"
  printf '%14s  wc -l + grep -c    %8.3f s   sev1 count             %7.3f s = %s times; scope frozen in %.3f s\n' "" \
    "$(echo "$lines $greps" | awk '{ print $1 + $2 }')" "$count" "$(ratio "$count" "$(echo "$lines $greps" | awk '{ print $1 + $2 }')")" "$scope"
  printf '%14s  PEM of openssl %s octets, of sev1 %s (with invalidityDate)\n' "" "$size" \
    "$(find "$D/state" -name '*.pem' -exec stat -c %s {} + | head -n 1)"
}

for n in "$@"; do one "$n"; done
