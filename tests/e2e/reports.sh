#!/bin/sh
# What is owed after a revocation that came late: reports, their fields in a file and on the command line, the appendix
# from a real `openssl ca`, what the lint says, action items, a calendar, HTML read by libxml2.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
need openssl xmllint
work_folder

# ---- a CA with two leaked certificates, and a third whose file is lost ----
mkdir "$D/state"
a=$D/ca
authority "$a" CA
{
  for c in web1 web2 web3 web4; do
    openssl req -new -newkey rsa:2048 -nodes -keyout "$D/k" -subj "/CN=$c, \"quoted\"" \
      -addext "subjectAltName=DNS:$c.example.com,DNS:*.$c.example.com" -config "$a/openssl.cnf" -out "$D/csr"
    openssl ca -batch -notext -config "$a/openssl.cnf" -in "$D/csr" -out "$D/crt"
  done
} >"$D/log" 2>&1 || { cat "$D/log"; die "the CA is not made"; }
printf '[sev1]\nstate = %s\nprofile = public-tls\n[ca web]\nconfig = %s\n' "$D/state" "$a/openssl.cnf" >"$D/sev1.conf"

sev1 open --title "Four leaked <keys> & more" --declared -40h >/dev/null
sev1 triage --ca web --level end-entity --compromise 1 --channel phone --received -50h --serial 1000 --serial 1001 --serial 1002 >"$D/out" ||
  { cat "$D/out"; die "triage"; }
sev1 scope >"$D/out" || { cat "$D/out"; die "scope"; }

# ---- late, and nothing revoked: the delay owes its report and status updates ----
sev1 followup >"$D/out"
grep -q 'Revocation delay report disclosed' "$D/out" && grep -q 'Status update on the delayed revocation' "$D/out" || { cat "$D/out"; die "a late revocation owes nothing"; }
grep -q 'Full incident report disclosed' "$D/out" || { cat "$D/out"; die "the CCADB's reports are not owed"; }
sev1 report --kind status -o "$D/status.md" >/dev/null
grep -q 'revocation not yet published at' "$D/status.md" && grep -q '26 h 0[0-9] min late' "$D/status.md" || { cat "$D/status.md"; die "the status update"; }
ok "a revocation past its deadline owes a report and status updates"

# ---- the appendix, compared with OpenSSL ----
rm "$a/newcerts/1002.pem"
sev1 report --appendix -o "$D/appendix.csv" >"$D/out" || { cat "$D/out"; die "appendix"; }
[ "$(wc -l <"$D/appendix.csv")" -eq 4 ] || { cat "$D/appendix.csv"; die "the appendix has not the scope's rows"; }
hash=$(openssl x509 -in "$a/newcerts/1000.pem" -outform DER | sha256sum | cut -d' ' -f1)
grep -q "^\"N/A\",\"$hash\",\"/CN=web1, \"\"quoted\"\"\",\"/CN=CA\",.*,\"1000\",\"web1.example.com \*.web1.example.com\",\"Delayed\",\"\",\"\"$" "$D/appendix.csv" ||
  { cat "$D/appendix.csv"; die "the appendix's row"; }
grep -q ',"1002","","Delayed"' "$D/appendix.csv" && ! grep -q '"1003"' "$D/appendix.csv" || { cat "$D/appendix.csv"; die "rows"; }
status=0; sev1 report --lint >"$D/lint" 2>"$D/err" || status=$?
[ $status -eq 1 ] || die "lint: status $status"
grep -q 'rows of the appendix without a hash, .*: 1; write it in' "$D/lint" && grep -q 'policies is missing' "$D/lint" &&
  grep -q 'sev1 report --set policies=' "$D/lint" || { cat "$D/lint"; die "lint"; }
! grep -q 'not the scope' "$D/lint" || { cat "$D/lint"; die "the appendix is the scope"; }
sed -i '/"1001"/d' "$D/appendix.csv"
sev1 report --kind full --lint --json >"$D/lint.json" 2>/dev/null && die "lint --json: status 0"
grep -q "of the scope's certificates not in it: 1;" "$D/lint.json" || { cat "$D/lint.json"; die "a row taken out is not seen"; }
ok "the appendix is what OpenSSL says, and the lint sees a row that was taken out"

# ---- revoked, late: the appendix says so ----
sev1 checkpoint 2 --reason "an exercise" >/dev/null
planned revoke
sev1 report --appendix -o "$D/appendix.csv" >/dev/null
[ "$(grep -c '"Yes","20.*","keyCompromise"$' "$D/appendix.csv")" -eq 3 ] || { cat "$D/appendix.csv"; die "not revoked"; }

# ---- fields: command line, file, both, and a conflict ----
sev1 report --set 'policies=TLS BR 4.9.1.1\nCPS 4.9' --set types=DV >/dev/null
sev1 report --fields "$D/fields.txt" >"$D/out"
grep -q '^CPS 4.9$' "$D/fields.txt" || { cat "$D/fields.txt"; die "the file of fields"; }
awk '{print} /^@@ lessons.bad /{getline; print; print "- nobody read the queue"}' "$D/fields.txt" >"$D/f" && mv "$D/f" "$D/fields.txt"
sev1 report --set types=OV >/dev/null
sev1 report --fields "$D/fields.txt" >"$D/out"
grep -q '1 field taken' "$D/out" || { cat "$D/out"; die "the file's text"; }
sed -n '/^@@ types /,/^$/p' "$D/fields.txt" | grep -qx OV || die "what was given meanwhile is lost"
sed 's/^- nobody read the queue$/- somebody read it/' "$D/fields.txt" >"$D/f"
sev1 report --set 'lessons.bad=- the queue was full' >/dev/null
cp "$D/f" "$D/f.before"
status=0; sev1 report --fields "$D/f" 2>"$D/err" || status=$?
[ $status -eq 3 ] && grep -q 'lessons.bad was changed here and in the incident' "$D/err" || { cat "$D/err"; die "a conflict: status $status"; }
cmp -s "$D/f" "$D/f.before" || die "a refused file was written"
sev1 report --list --kind full | grep -q 'lessons.bad *given *- the queue was full' || die "the incident's text changed"
status=0; sev1 report --set nonsense=x 2>"$D/err" || status=$?
[ $status -eq 2 ] || die "an unknown field: status $status"
ok "fields from the command line and a file, and neither loses what the other said"

# ---- action items ----
sev1 action add "Route requests" --kind prevent --cause w1 --criteria "a drill" --due 2020-01-31 >"$D/out"
grep -q 'OVERDUE.*Route requests' "$D/out" || { cat "$D/out"; die "action add"; }
n=$(awk '/Route requests/{print $1}' "$D/out")
sev1 status | grep -q "OVERDUE action item $n: Route requests" || die "status does not say it"
sev1 list --json | grep -q '"overdue_followups": [1-9]' || die "list --json does not count it"
sev1 report --kind full -o "$D/full.md" >"$D/out"
grep -qF '| Route requests | Prevent | What didn'"'"'t go well # 1 | a drill | 2020-01-31 | Ongoing |' "$D/full.md" || { cat "$D/full.md"; die "the report's action items"; }
sev1 action set "$n" --status complete --note "it runs" >"$D/out"
grep -q "^ *$n  Complete .*Route requests: it runs" "$D/out" || { cat "$D/out"; die "action set"; }
for bad in "add x --kind Fix" "add --kind Prevent" "set 99 --note x" "set $n" "set $n --due tomorrow" "set $n --cause q" "set $n --status Done" "remove 1"; do
  # shellcheck disable=SC2086
  status=0; sev1 action $bad >/dev/null 2>&1 || status=$?
  [ $status -eq 2 ] || die "action $bad: status $status"
done
sev1 followup --ical "$D/owed.ics" >/dev/null
[ "$(grep -c '^BEGIN:VTODO' "$D/owed.ics")" -eq "$(sev1 followup --json | grep -c '"n":')" ] || { cat "$D/owed.ics"; die "the calendar"; }
ok "action items are overdue, completed, and in a calendar"

# ---- HTML ----
sev1 report --format html -o "$D/report.html" >/dev/null
xmllint --noout --nonet "$D/report.html" 2>"$D/err" || { cat "$D/err"; die "the HTML is not well-formed"; }
grep -q '<title>[^<]*Four leaked &lt;keys&gt; &amp; more</title>' "$D/report.html" || die "the title"
grep -qE '<script|src=|href=|url\(|@import' "$D/report.html" && die "the HTML reaches outside"
grep -q 'certificates revoked: 3 / 3' "$D/report.html" || die "no curve"
sev1 audit >/dev/null || die "the journal"
ok "the HTML report is one well-formed file"

# ---- and so is each of the CCADB's ----
for kind in preliminary full delay status closure; do
  sev1 report --kind $kind --format html -o "$D/$kind.html" >"$D/out" || { cat "$D/out"; die "$kind in HTML"; }
  xmllint --noout --nonet "$D/$kind.html" 2>"$D/err" || { cat "$D/err"; die "$kind: the HTML is not well-formed"; }
  grep -qE '<script|src=|href=|url\(|@import' "$D/$kind.html" && die "$kind: the HTML reaches outside"
  grep -qF '<dd>' "$D/$kind.html" && die "$kind: it is the after-action report"
done
grep -qF '<h2>Full Incident Report</h2>' "$D/full.html" && grep -qF '<h3>Report Closure Summary</h3>' "$D/closure.html" || die "headings"
grep -qF '<td>Route requests</td><td>Prevent</td><td>What didn&#39;t go well # 1</td>' "$D/full.html" || die "the action items of the HTML"
status=0; sev1 report --kind full --format json >/dev/null 2>"$D/err" || status=$?
[ $status -eq 2 ] && grep -q 'markdown, as the CCADB asks, or html' "$D/err" || { cat "$D/err"; die "a CCADB report in JSON: status $status"; }
ok "each report of the CCADB has a page of its own"

# ---- the CA's folder is moved away, as after an incident: what is owed is written all the same ----
mv "$a" "$D/away"
sev1 status >"$D/out"
grep -q "The configuration names 1 file that is not there: sev1 doctor" "$D/out" || { cat "$D/out"; die "status does not name it"; }
for what in "report --kind full -o $D/full2.md" "report --lint" followup deadline timeline audit; do
  # shellcheck disable=SC2086
  status=0; sev1 $what >"$D/out" 2>"$D/err" || status=$?
  [ $status -eq 0 ] || { [ "$what" = "report --lint" ] && [ $status -eq 1 ]; } || { cat "$D/err"; die "$what: status $status"; }
done
status=0; sev1 crl renew >"$D/out" 2>"$D/err" || status=$?
[ $status -eq 1 ] && grep -q "openssl.cnf: No such file" "$D/err" && grep -q "put the CA's files back" "$D/err" || { cat "$D/err"; die "crl renew: status $status"; }
ok "a CA that was moved away keeps no report from being written"
