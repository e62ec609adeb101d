#!/bin/sh
# kill -9 of the program and of its children at many moments; each time it is started again and goes on. At the end
# the revoked set is the plan, the CRL is the index, and no host got two certificates.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
need openssl timeout pgrep
[ -r "/proc/$$/task/$$/children" ] || { echo "this kernel does not list children"; exit 77; }
work_folder
F=$D/drill
leave() { "$SEV1" drill --folder "$F" --clean >/dev/null 2>&1; }
"$SEV1" drill --folder "$F" --no-console >"$D/out" 2>&1 || { cat "$D/out"; die "drill"; }
cp "$F/sev1.conf" "$D/sev1.conf.copy"
sev1() { "$SEV1" -c "$F/sev1.conf" "$@"; }

# The index of the affected CA: whole rows at any moment, for any reader.
ca=$(sed -n 's/^ca = //p' "$F/scenario.ini" | head -n 1)
conf=$(sed -n "/^\[ca $ca\]/,/^\[/s/^config = //p" "$F/sev1.conf" | head -n 1)
index=$(dirname "$conf")/index.txt
[ -f "$index" ] || die "no index at $index"
whole() {
  [ -s "$index" ] || die "index.txt is absent or empty after $*"
  awk -F'\t' 'NF != 6 { exit 1 }' "$index" || die "a torn row after $*"
  [ "$(wc -l <"$index")" -eq "$rows" ] || die "rows are missing after $*"
}
rows=$(wc -l <"$index")

# killed COMMAND...: (at the most $most times) plan it, then start it again and again, killed after ever longer (by $step ms, and
# more and more where that is not enough on this machine), until one run ends by itself.
# A run that is killed must leave everything such that the next one goes on.
killed() {
  kills=0 ms=4
  while :; do
    if sev1 "$@" --json >"$D/plan.json" 2>"$D/plan.err"; then status=0; break; fi # nothing is left to do
    hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json")
    [ -n "$hash" ] || { cat "$D/plan.json" "$D/plan.err"; die "$*: no plan after $kills kills"; }
    status=0
    timeout -s KILL "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))" \
      "$SEV1" -c "$F/sev1.conf" "$@" --plan "$hash" --confirm "$phrase" >"$D/run.out" 2>"$D/run.err" || status=$?
    whole "$* killed after $ms ms"
    sev1 audit >"$D/audit.out" 2>&1 || { cat "$D/audit.out"; die "$*: the journal does not verify after a kill at $ms ms"; }
    [ "$status" -eq 137 ] || break
    kills=$((kills + 1)) ms=$((ms + step + ms / 50))
    [ $kills -lt "${most:-1000}" ] || { ok "$*: $kills kills"; return 0; }
    [ $kills -lt 300 ] || die "$*: never ends"
  done
  case $status in 0) ;; *) tail -n 20 "$D/run.out"; cat "$D/run.err"; die "$*: status $status after $kills kills" ;; esac
  ok "$*: $kills kills, then done"
}

# first_child: a child of $parent, as soon as there is one, and nothing once $parent has ended. Without a process of our own:
# some children live for a few milliseconds.
first_child() {
  victim=
  while [ -z "$victim" ] && kill -0 $parent 2>/dev/null; do
    { read -r victim _ <"/proc/$parent/task/$parent/children" || :; } 2>/dev/null
  done
}

# child_killed COMMAND...: run its plan and kill one of its children; the command reports it and ends by itself.
child_killed() {
  sev1 "$@" --json >"$D/plan.json" 2>"$D/plan.err" && { ok "$*: done before a child could be killed"; return 0; }
  hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json")
  [ -n "$hash" ] || { cat "$D/plan.json" "$D/plan.err"; die "$*: no plan"; }
  "$SEV1" -c "$F/sev1.conf" "$@" --plan "$hash" --confirm "$phrase" >"$D/run.out" 2>"$D/run.err" &
  parent=$!
  first_child
  [ -n "$victim" ] || die "$*: no child was seen"
  kill -9 "$victim" 2>/dev/null || :
  status=0; wait $parent || status=$?
  case $status in 0 | 1 | 3 | 4) ;; *) cat "$D/run.err"; die "$* with a killed child: status $status" ;; esac
  whole "$* with a killed child"
  sev1 audit >/dev/null || die "$*: audit after a killed child"
  ok "$*: a child killed, the command ended with status $status"
}

sev1 triage --ca "$ca" --level intermediate --compromise 1 --received -30m --channel support >/dev/null || die "triage"
sev1 scope >"$D/out" || die "scope"
planned_count=$(sev1 status --json | sed -n 's/^ *"scope": \([0-9]*\).*/\1/p')
[ "$planned_count" -gt 100 ] || die "scope of $planned_count"

most=4 step=60 killed contain
most=
child_killed contain
step=60 killed contain
child_killed notify management
step=10 killed notify management
valid_before=$(grep -c '^V' "$index")
child_killed revoke # at every place of it, and at random ones: tests/test_kill
step=7 killed revoke
now=$(date -u +%y%m%d%H%M%SZ)
left=$(awk -F'\t' -v now="$now" '$1 == "V" { d = $2; if (length(d) == 15) d = substr(d, 3); if (d > now) n++ } END { print n + 0 }' "$index")
[ "$left" -eq 0 ] || die "$left valid certificates are not revoked (of $valid_before rows before)"
crl=$(sev1 timeline --json | sed -n 's/^ *"der": "\(.*\)",*$/\1/p' | grep "/$ca-" | tail -n 1)
entries=$(openssl crl -inform DER -in "$crl" -noout -text | grep -c 'Serial Number:')
in_index=$(awk -F'\t' '$1 == "R"' "$index" | wc -l)
[ "$entries" -le "$in_index" ] && [ "$entries" -ge $((planned_count - 1)) ] || die "CRL has $entries entries, index $in_index, plan $planned_count"
[ "$(openssl crl -inform DER -in "$crl" -noout -text | sed -n 's/^ *Serial Number: //p' | sort | uniq -d | wc -l)" -eq 0 ] || die "a serial stands twice on the CRL"
ok "revoked set = plan, CRL = index, nothing twice"

child_killed publish
step=60 killed publish

# children, one after another, at growing moments: the command reports it, a second run mends it
sev1 recover --issuer "$(sed -n 's/^\[ca \(.*\)\]/\1/p' "$F/sev1.conf" | tail -n 1)" --json >"$D/plan.json" 2>"$D/plan.err" || :
hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json")
sev1 recover --issuer "$(sed -n 's/^\[ca \(.*\)\]/\1/p' "$F/sev1.conf" | tail -n 1)" --plan "$hash" --confirm "$phrase" >"$D/out" 2>&1 || { cat "$D/out"; die "recover"; }
step=40 killed reissue
sev1 status --json >"$D/status.json"
hosts=$(sed -n 's/^ *"hosts": \([0-9]*\).*/\1/p' "$D/status.json")
verified=$(sed -n 's/^ *"hosts_verified": \([0-9]*\).*/\1/p' "$D/status.json")
[ "$hosts" -gt 0 ] && [ "$hosts" -eq "$verified" ] || die "$verified of $hosts hosts verified"
newconf=$(sed -n '/^\[ca /,$p' "$F/sev1.conf" | sed -n 's/^config = //p' | tail -n 1)
twice=$(awk -F'\t' '$1 == "V" { print $6 }' "$(dirname "$newconf")/index.txt" | sort | uniq -d | wc -l)
[ "$twice" -eq 0 ] || die "$twice hosts got two certificates"
ok "every host verified, none issued twice"

# children, one after another: the command reports it, the others go on, and the next run mends what is left
kills=0
for ms in 0 2 4 6 8 10 15 20 30 40 60 80; do
  sev1 reissue --again --json >"$D/plan.json" 2>"$D/plan.err" || :
  hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json")
  [ -n "$hash" ] || { cat "$D/plan.json" "$D/plan.err"; die "reissue --again: no plan"; }
  "$SEV1" -c "$F/sev1.conf" reissue --again --plan "$hash" --confirm "$phrase" >"$D/run.out" 2>"$D/run.err" &
  parent=$!
  first_child
  [ $ms -eq 0 ] || timeout "0.$(printf %03d $ms)" sleep 1 || :
  # one of those that are there then, or of the next that come
  while kill -0 $parent 2>/dev/null; do
    victim=$(pgrep -P $parent | shuf -n 1 || :)
    if [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null; then kills=$((kills + 1)); break; fi
  done
  status=0; wait $parent || status=$?
  case $status in 0 | 1 | 3 | 4) ;; *) cat "$D/run.err"; die "reissue with a killed child: status $status" ;; esac
  sev1 audit >/dev/null || die "audit after a killed child"
done
[ $kills -ge 6 ] || die "only $kills children were caught alive"
ok "reissue: $kills children killed, none took the program with it"
sev1 reissue --retry failed --json >"$D/plan.json" 2>"$D/plan.err" || {
  hash=$(member hash <"$D/plan.json"); phrase=$(member phrase <"$D/plan.json")
  sev1 reissue --retry failed --plan "$hash" --confirm "$phrase" >"$D/out" 2>&1 || { cat "$D/out"; die "retry"; }
}
[ "$(sev1 status --json | sed -n 's/^ *"hosts_verified": \([0-9]*\).*/\1/p')" -eq "$hosts" ] || die "not every host is verified after the retry"
ok "the retry mends what the kills left"
