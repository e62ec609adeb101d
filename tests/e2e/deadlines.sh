#!/bin/sh
# Deadlines, subscribers and contacts that rot, through the program over a drill's real CAs: clocks from first receipt,
# warnings journalled once, who is tried and answers, what happens when nobody does; and an address that differs somewhere.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
need openssl python3
work_folder
F=$D/drill
web=
leave() { [ -z "$web" ] || kill "$web" 2>/dev/null || :; "$SEV1" drill --folder "$F" --clean >/dev/null 2>&1; }
"$SEV1" drill --folder "$F" --no-console >"$D/out" 2>&1 || { cat "$D/out"; die "drill"; }
sev1() { "$SEV1" -c "$F/sev1.conf" "$@"; }
says() { grep -qF -- "$1" "$D/out" || { cat "$D/out"; die "it does not say: $1"; }; }
says_not() { ! grep -qF -- "$1" "$D/out" || { cat "$D/out"; die "it says: $1"; }; }
want_status() { want_is=$1; shift; status=0; "$@" >"$D/out" 2>&1 || status=$?
  [ "$status" -eq "$want_is" ] || { cat "$D/out"; die "$*: status $status, not $want_is"; }; }
# json EXPRESSION <JSON: of python, d being the object
json() { python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
events() { sev1 timeline --json | json "sum(e['kind'] == '$1' for e in d['events'])"; }

cat >"$F/subscribers.csv" <<END
subscriber,match,mail,phone,webhook
acme,"app01*.drill.test",pki@acme.test,+49 1,
nobody,*.nothing.example,x@nothing.test,,
calls,*,,+49 2,
desk,*,,+49 3,
later,*,,+49 4,
END
cat >"$F/times.ini" <<END
[revocation]
default = 24h
[ca]
issued = 24h
certificate = 48h
[report]
preliminary = 24h
[answer]
default = 6h
[warnings]
at = 50%, 80%, 1h
END
sed -i "s|^\[sev1\]|[sev1]\nsubscribers = $F/subscribers.csv\ndeadlines = $F/times.ini|" "$F/sev1.conf"
cat >>"$F/sev1.conf" <<END
[notice subscriber]
from = pki@drill.test
[notice preliminary]
from = pki@drill.test
[notice approvers]
to = approver@drill.test
from = pki@drill.test
END

# an incident of before knew no file of times; this one has its own
want_status 0 sev1 close --reason "another is declared with its own times"
want_status 0 sev1 open --title "Keys leaked"
id=$(sed -n 's/^Incident \([^ ]*\) .*/\1/p' "$D/out")
sev1() { "$SEV1" -c "$F/sev1.conf" -i "$id" "$@"; }
want_status 0 sev1 deadline
says "recovery (RTO)"
ca=$(sed -n 's/^ca = //p' "$F/scenario.ini" | head -n 1)
want_status 0 sev1 triage --ca "$ca" --level intermediate --compromise 1 --received -13h --channel support \
  --reporter "A. Reporter <reporter@outside.test>"
want_status 0 sev1 scope

# ---- deadlines ----
want_status 0 sev1 deadline
says "revocation published, keyCompromise"
says "revocation published, cACompromise"
says "preliminary report to reporter and subscribers"
says "nothing is done yet, there is no pace to go by"
[ "$(events deadline.warning)" = 2 ] || die "two deadlines are past half of their time: $(events deadline.warning)"
want_status 0 sev1 deadline
[ "$(events deadline.warning)" = 2 ] || die "a warning was journalled twice"
sev1 deadline --json >"$D/json"
json "[x['due'] - x['from'] for x in d['deadlines'] if x['name'] == 'revocation:cACompromise'][0]" <"$D/json" >"$D/out"
says 172800000
sev1 timeline >"$D/out"
says "50% of the time is gone"
ok "deadlines run from first receipt, by reason, as the file of times has them; a warning is journalled once"

# ---- who is concerned ----
want_status 3 sev1 notify subscriber
says "nobody was looked up yet"
mv "$F/subscribers.csv" "$F/away.csv" # a file that is gone: named where it is needed, and by doctor; nothing else minds
want_status 0 sev1 status
want_status 1 sev1 subscribers find
says "$F/subscribers.csv: no such file, which 'subscribers' in [sev1] names"
"$SEV1" -c "$F/sev1.conf" doctor >"$D/out" 2>&1 && die "doctor does not mind"
says "$F/subscribers.csv: no such file"
mv "$F/away.csv" "$F/subscribers.csv"
want_status 0 sev1 subscribers find
says "4 subscribers of 5 have certificates in the scope."
sev1 subscribers --json >"$D/json"
json "sorted(s['name'] for s in d['subscribers'])" <"$D/json" >"$D/out"
says "['acme', 'calls', 'desk', 'later', 'reporter']"
json "[s['certificates'] for s in d['subscribers'] if s['name'] == 'acme'][0] > 0" <"$D/json" >"$D/out"
says True
json "[s['mail'] for s in d['subscribers'] if s['name'] == 'reporter'][0]" <"$D/json" >"$D/out"
says reporter@outside.test
ok "the scope's certificates lead to those who have them"

# ---- each told by a message of its own ----
planned notify subscriber
[ "$phrase" = "SEND 1" ] || die "the phrase is $phrase: one has an address"
sev1 subscribers >"$D/out"
says "last by mail"
says "waits until"
[ "$(grep -lF "pki@acme.test" "$F"/mail/* | wc -l)" -eq 1 ] || die "one mail to acme"
planned notify preliminary acme reporter
[ "$phrase" = "SEND 2" ] || die "the phrase is $phrase: two lack the report"
for address in pki@acme.test reporter@outside.test; do
  grep -lF "$address" "$F"/mail/* >"$D/mails" || die "$address was sent nothing"
done
while read -r f; do ! grep -qF pki@acme.test "$f" || { cat "$f"; die "one is told of the other"; }; done <"$D/mails"
sev1 deadline >"$D/out"
says "2 of 5 have it"
want_status 2 sev1 subscribers log calls --outcome perhaps
want_status 0 sev1 subscribers log calls --outcome reached --at -5m --preliminary --text "read out to the desk"
want_status 0 sev1 subscribers log desk --outcome reached --at -4m --preliminary
want_status 0 sev1 subscribers log later --outcome reached --at -4m --preliminary
sev1 deadline --json | json "[x['state'] for x in d['deadlines'] if x['name'] == 'preliminary'][0]" >"$D/out"
says met
want_status 0 sev1 subscribers answer acme --text "replaced by tomorrow"
sev1 subscribers >"$D/out"
says "answered"
ok "tried, reported and answered, each with its channel and time"

# ---- no answer: the plan proceeds, the approvers hear of it, nothing is held back ----
want_status 0 sev1 subscribers proceed
says "nobody's wait has ended"
want_status 0 sev1 subscribers log calls --outcome "no answer" --at -7h
sev1 subscribers >"$D/out"
says "NO ANSWER by"
sev1 deadline >"$D/out"
says "LATE"
head -n 1 "$D/out" | grep -q "answer of calls" || { cat "$D/out"; die "what is late does not come first"; }
want_status 0 sev1 subscribers proceed
says "calls has not answered in time: revocation proceeds"
says "accepted for 1"
[ "$(events subscribers.proceed)" = 1 ] || die "it was not journalled"
want_status 0 sev1 subscribers proceed
[ "$(events subscribers.proceed)" = 1 ] || die "it was journalled twice"
# the approvers cannot be told: that is said until they are, by whatever means
printf 'Subject: x\n\n{{nothing_fills_this}}\n' >"$D/broken.txt"
sed "s|^to = approver@drill.test|&\ntemplate = $D/broken.txt|" "$F/sev1.conf" >"$F/broken.conf"
broken() { "$SEV1" -c "$F/broken.conf" -i "$id" "$@"; }
want_status 0 sev1 subscribers log desk --outcome failed --at -8h --text "not the desk of this case"
want_status 3 broken subscribers proceed
says "desk has not answered in time: revocation proceeds"
says "the field {{nothing_fills_this}} is not filled"
says "--told TEXT"
want_status 0 sev1 status
says "the approvers are NOT TOLD: subscribers proceed"
want_status 3 broken subscribers proceed
[ "$(events subscribers.proceed)" = 2 ] || die "it was journalled twice"
want_status 0 sev1 subscribers proceed --told "by phone, the duty officer"
want_status 0 sev1 status
says_not "NOT TOLD"
want_status 0 sev1 subscribers proceed
says "nobody's wait has ended"
ok "approvers who were not told are not forgotten"

# the same without anyone: what runs unattended looks for it
want_status 0 sev1 subscribers log later --outcome failed --at -7h
"$SEV1" -c "$F/sev1.conf" -i "$id" watch >"$D/watch" 2>&1 & pids=$!
wait_for "watch to warn" grep -q "answer of later: LATE" "$D/watch"
stop $pids
[ "$(events subscribers.proceed)" = 2 ] || die "watch alone acted"
"$SEV1" -c "$F/sev1.conf" -i "$id" watch --renew >"$D/watch" 2>&1 & pids=$!
told() { sev1 timeline | grep -c "approver@drill.test.*accepted\|accepted.*approver@drill.test" | grep -qx 2; }
wait_for "the approvers to be told unattended" told
stop $pids
pids=
[ "$(events subscribers.proceed)" = 3 ] || die "it was not journalled unattended"
want_status 0 sev1 crl renew --auto off
sev1 checkpoint 2 --reason "not what is tested here" >/dev/null
planned revoke
planned publish
sev1 deadline --json >"$D/json"
json "sorted(x['state'] for x in d['deadlines'] if x['kind'] == 'revocation')" <"$D/json" >"$D/out"
says "['met', 'met']"
json "[f['verdict'] for f in d['forecast'] if f['name'] == 'published'][0]" <"$D/json" >"$D/out"
says before
sev1 audit >/dev/null || die "audit"
ok "without an answer the plan proceeds, and revocation was never held back"

# ---- contacts that rot ----
mkdir "$D/www"
cat >"$F/ccadb.csv" <<END
"CA Owner","Problem Reporting Mechanism","Note"
"Other Owner","else@other.test",""
"Drill Organisation","Mail problems@drill.test
or call","says ""mail"""
END
printf '1 INTRODUCTION\n1.5.2 Contact person ........ 7\nnoise other@drill.test\n1.5.2 Contact person\nWrite to problems (at) drill.test.\n1.5.3 Person\nsomeone@drill.test\n' >"$F/cps.txt"
printf '<a href="mailto:problems&#64;drill.test">write to us</a>\n' >"$D/www/contact.html"
cat >"$D/web.py" <<'END'
import http.server, functools, sys
s = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1]))
print(s.server_port, flush=True)
s.serve_forever()
END
python3 "$D/web.py" "$D/www" >"$D/port" 2>/dev/null & web=$!
wait_for "the page's server" grep -q . "$D/port"
cat >"$D/contacts.conf" <<END
[sev1]
state = $D/state
organisation = Drill Organisation
[ca $ca]
config = $(dirname "$(sed -n "/^\[ca $ca\]/,/^\[/s/^config = //p" "$F/sev1.conf" | head -n 1)")/openssl.cnf
[contacts]
problem-report = problems@drill.test
ccadb = $F/ccadb.csv
cps = $F/cps.txt
page = http://127.0.0.1:$(cat "$D/port")/contact.html
END
contacts() { "$SEV1" -c "$D/contacts.conf" contacts "$@"; }
want_status 1 contacts due
says "Never compared"
want_status 0 contacts check
says "$F/ccadb.csv names problems@drill.test"
says "$F/cps.txt names problems@drill.test"
says "/contact.html names problems@drill.test"
want_status 0 contacts due
says "0 failures"
ok "the same address everywhere"
sed -i 's/problems@drill/support@drill/' "$F/ccadb.csv"
want_status 1 contacts check
says "$F/ccadb.csv does not name problems@drill.test, but support@drill.test"
want_status 1 contacts due
says "1 failures"
status=0; "$SEV1" -c "$D/contacts.conf" doctor >"$D/out" 2>&1 || status=$?
says "contacts: $F/ccadb.csv does not name problems@drill.test, but support@drill.test"
sed -i 's/support@drill/problems@drill/' "$F/ccadb.csv"
sed -i 's/(at) drill/(at) old/' "$F/cps.txt"
want_status 1 contacts check
says "$F/cps.txt does not name problems@drill.test, but problems@old.test"
sed -i 's/(at) old/(at) drill/' "$F/cps.txt"
rm "$D/www/contact.html"
want_status 1 contacts check
says "contact.html answers 404"
sed -i 's/"Drill Organisation"/"Drill Organization"/' "$F/ccadb.csv"
want_status 1 contacts check
says 'no row of the CA owner "Drill Organisation"'
rm "$F/ccadb.csv"
want_status 1 contacts check
says "$F/ccadb.csv: No such file"
want_status 0 "$SEV1" -c "$D/contacts.conf" list
ok "a difference is named, wherever it is; an export that is gone keeps nothing else from working"
if command -v pdftotext >/dev/null 2>&1; then
  python3 - "$F/cps.pdf" <<'END'
import sys
text = b"BT /F1 12 Tf 72 700 Td (1.5.2 Contact person) Tj 0 -20 Td (problems@elsewhere.test) Tj ET"
objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
  b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text), b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
out, at = b"%PDF-1.4\n", []
for i, o in enumerate(objects):
    at.append(len(out)); out += b"%d 0 obj\n%s\nendobj\n" % (i + 1, o)
xref = len(out)
out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % a for a in at)
out += b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % xref
open(sys.argv[1], "wb").write(out)
END
  sed -i "s|^cps = .*|cps = $F/cps.pdf|" "$D/contacts.conf"
  want_status 1 contacts check
  says "$F/cps.pdf does not name problems@drill.test, but problems@elsewhere.test"
  printf 'no PDF' >"$F/cps.pdf"
  want_status 1 contacts check
  grep -q "cps.pdf: pdftotext: ..*" "$D/out" || { cat "$D/out"; die "why a PDF cannot be read"; }
  ok "a PDF is read too"
else
  echo "ok - a PDF is not read: pdftotext is not installed"
fi
