#!/bin/sh
# Problem reports: from stdin, an mbox and a Maildir; matched against a real CA, a leaked key proved and not kept; people
# told once; duplicates joined; first receipt before the detour; an incident opened from a report.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
. "$SRCDIR/tests/e2e/scene.sh"
need openssl
work_folder
leave() { :; }

mkdir "$D/state" "$D/out"
a=$D/ca
authority "$a" CA
{
  for k in leaked other foreign; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$D/$k.key"; done
  for c in leaked:web1 other:web2 leaked:web3; do
    openssl req -new -key "$D/${c%%:*}.key" -subj "/CN=${c#*:}" -addext "subjectAltName=DNS:${c#*:}.example.com" \
      -config "$a/openssl.cnf" -out "$D/csr"
    openssl ca -batch -notext -config "$a/openssl.cnf" -in "$D/csr" -out "$D/${c#*:}.crt"
  done
} >"$D/log" 2>&1 || { cat "$D/log"; die "the CA is not made"; }

# a mail command that keeps what it is given, and refuses where a file says so
cat >"$D/sendmail" <<EOT
#!/bin/sh
for to; do :; done
[ ! -e "$D/refuse" ] || { echo "451 not now" >&2; exit 75; }
n=\$(ls "$D/out" | wc -l)
cat >"$D/out/\$n-\$to"
EOT
chmod +x "$D/sendmail"
cat >"$D/sev1.conf" <<EOT
[sev1]
state = $D/state
sendmail = $D/sendmail
organisation = Example CA
contact-pki = pki@ca.example
[ca web]
config = $a/openssl.cnf
[intake]
hops = *.ca.example
keywords = golden ticket
[notice preliminary]
from = sev1@ca.example
[notice intake]
to = duty@ca.example, lead@ca.example
from = sev1@ca.example
EOT

# ---- a leaked key, from standard input, as a queue's alias gives it ----
{
  cat <<'EOT'
Received: from mx.ca.example (mx.ca.example [192.0.2.1]) by imap.ca.example with LMTP; Sun, 01 Sep 2024 05:00:10 +0000
Received: from out.example.net (out.example.net [198.51.100.1])
	by mx.ca.example with ESMTPS; Sat, 31 Aug 2024 23:19:00 +0530
Received: from forged by long.ago.example; Mon, 01 Jan 2024 00:00:00 +0000
From: Finder <finder@example.net>
To: support@ca.example
Subject: leaked key
Date: Sat, 31 Aug 2024 13:48:00 -0400
Message-ID: <leak-1@example.net>

I found this on a public server. Please revoke.

EOT
  cat "$D/leaked.key"
} >"$D/leak.eml"
sev1 intake - <"$D/leak.eml" >"$D/run.out" 2>"$D/run.err" || { cat "$D/run.out" "$D/run.err"; die "intake of a leaked key"; }
grep -q 'R-[0-9]*-0001 high' "$D/run.out" || { cat "$D/run.out"; die "it is not high"; }
[ "$(ls "$D/out" | wc -l)" -eq 2 ] || { ls "$D/out"; die "two people are told"; }
grep -rq 'web 1000 /CN=web1: valid' "$D/out" || { cat "$D"/out/*; die "the notice names the certificate"; }
sev1 intake show 1 >"$D/show" || die "show"
grep -q 'First received 2024-08-31T17:49:00Z' "$D/show" || { cat "$D/show"; die "first receipt is the earliest time of our own hosts"; }
grep -q 'claimed.*long.ago.example' "$D/show" || { cat "$D/show"; die "what is below our hosts is claimed only"; }
grep -q '11:11:10.*imap.ca.example' "$D/show" || { cat "$D/show"; die "lost time is visible"; }
grep -q 'on 2 certificates of ours; possession proved' "$D/show" || { cat "$D/show"; die "possession"; }
ok "a leaked key is recognised, proved with both its certificates, and people are told"

# nothing of the key is left: not in the store, not in the notices
key=$(sed -n 2p "$D/leaked.key")
grep -rqF "$key" "$D/state" "$D/out" "$D/run.out" "$D/run.err" "$D/show" && die "the private key was kept"
grep -q 'cut by sev1' "$D/show" || { cat "$D/show"; die "it is said that something was cut"; }
ok "nothing of the private key is kept"

# doctor knows what fills the notice's template, and that nothing fills what an incident would
sev1 doctor >"$D/doctor" 2>&1 || :
grep -q 'nothing fills' "$D/doctor" && { cat "$D/doctor"; die "the installed template of the intake notice is whole"; }
sed 's/{{from}}/{{organisation}}/' "$SEV1_DATADIR/templates/intake.txt" >"$D/template.txt"
sed "s|^from = sev1@ca.example|&\ntemplate = $D/template.txt|" "$D/sev1.conf" >"$D/other.conf"
"$SEV1" -c "$D/other.conf" doctor >"$D/doctor" 2>&1 && die "doctor is content with a notice that cannot be sent"
grep -q 'FAIL.*template.txt line 6: nothing fills the field organisation' "$D/doctor" || { cat "$D/doctor"; die "the field is named"; }
ok "doctor reads the template of the intake notice"

# ---- again, and an answer to it: nobody is told twice ----
sev1 intake - <"$D/leak.eml" >"$D/run.out" 2>&1 || die "again"
grep -q '1 known already' "$D/run.out" || { cat "$D/run.out"; die "the same mail is known"; }
printf 'From: Finder <finder@example.net>\nSubject: Re: leaked key\nMessage-ID: <leak-2@example.net>\nIn-Reply-To: <leak-1@example.net>\n\nAny news?\n' |
  sev1 intake - >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "an answer"; }
grep -q 'joined' "$D/run.out" || { cat "$D/run.out"; die "an answer joins"; }
printf 'From: Other <o@example.org>\nSubject: bad certificate\nMessage-ID: <o-1@example.org>\n\nThe key of serial 0x1000 is compromised, revoke it.\n' |
  sev1 intake - >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "another reporter"; }
grep -q '0001 high .*joined' "$D/run.out" || { cat "$D/run.out"; die "the same certificate joins"; }
[ "$(ls "$D/out" | wc -l)" -eq 2 ] || { ls "$D/out"; die "nobody is told twice"; }
ok "duplicates, answers and other reports of the same certificate join"

# ---- an mbox with ordinary mail between; a recipient that fails is tried again ----
{
  echo 'From a@example.org Sat Aug 31 10:00:00 2024'
  printf 'From: a@example.org\nSubject: Renewal\nMessage-ID: <a@x>\n\nOur certificate expires soon, please send a quote.\n\n'
  echo 'From b@example.org Sat Aug 31 11:00:00 2024'
  printf 'From: b@example.org\nSubject: Widerruf\nMessage-ID: <b@x>\n\nBitte widerrufen Sie das Zertifikat von web2.example.com.\n\n>From hier an\n\n'
  echo 'From c@example.org Sat Aug 31 12:00:00 2024'
  printf 'From: c@example.org\nSubject: lunch\nMessage-ID: <c@x>\n\nAt noon?\n'
} >"$D/mbox"
: >"$D/refuse"
status=0
sev1 intake "$D/mbox" >"$D/run.out" 2>"$D/run.err" || status=$?
[ "$status" -eq 4 ] || { cat "$D/run.out" "$D/run.err"; die "who was not reached is told by status 4, not $status"; }
grep -q '3 mails: 1 high, 0 doubtful, 2 ordinary' "$D/run.out" || { cat "$D/run.out"; die "the mbox"; }
rm "$D/refuse"
sev1 intake "$D/mbox" >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "the second try"; }
[ "$(ls "$D/out" | wc -l)" -eq 4 ] || { ls "$D/out"; die "the second try reaches both"; }
sev1 intake show 2 --json >"$D/show" || die "show --json"
grep -q '"serial": "1001"' "$D/show" || { cat "$D/show"; die "a host name is matched by the subjectAltName"; }
grep -q '"From hier an"' "$D/show" || { cat "$D/show"; die "mboxrd"; }
ok "an mbox: ordinary mail is left alone, and whom the notice did not reach is tried again"

# ---- a Maildir, read only ----
mkdir -p "$D/md/new" "$D/md/cur" "$D/md/tmp"
printf 'From: d@example.org\nSubject: hello\nMessage-ID: <d@x>\n\nwe hold a golden ticket\n' >"$D/md/new/1.a"
printf 'From: e@example.org\nSubject: key\nMessage-ID: <e@x>\n\n' >"$D/md/cur/2.b:2,S"
cat "$D/foreign.key" >>"$D/md/cur/2.b:2,S"
printf 'From: f@example.org\nSubject: revoke certificate serial 1002\n\n' >"$D/md/tmp/3.c"
find "$D/md" -type f -exec sha256sum {} + | sort >"$D/before"
sev1 intake "$D/md" >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "the Maildir"; }
find "$D/md" -type f -exec sha256sum {} + | sort | cmp -s - "$D/before" || die "the Maildir was changed"
grep -q '2 mails: 1 high, 1 doubtful' "$D/run.out" || { cat "$D/run.out"; die "a keyword is high, a key of somebody else's doubtful"; }
ok "a Maildir is read and left as it is; a configured keyword counts, a stranger's key does not alarm"

# ---- typed in, with a clock that ran before ----
sev1 intake type --text 'Caller says the private key of web3.example.com was stolen.' --reporter 'A. Caller' --channel phone \
  --received 2024-09-01T10:00+02:00 >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "typed"; }
sev1 intake list --json >"$D/list" || die "list"
grep -q '"channel": "phone"' "$D/list" || { cat "$D/list"; die "the channel"; }
sev1 intake type --text 'x -----BEGIN PRIVATE KEY-----' >"$D/run.out" 2>&1 && die "a key on a command line"
sev1 intake close 3 --reason 'a test' >/dev/null || die "close"
sev1 intake list >"$D/list"
grep -q 'R-[0-9]*-0003' "$D/list" && { cat "$D/list"; die "a closed report is listed"; }
ok "a report can be typed in and closed"

# ---- an incident of a report ----
sev1 open --report 1 >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "open --report"; }
sev1 triage --level end-entity --compromise 1 >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "triage of a report"; }
grep -q 'First received     2024-08-31T17:49:00Z by problem-report' "$D/run.out" || { cat "$D/run.out"; die "triage takes the receipt"; }
# who reported it is owed a preliminary report, before there is a scope, and without a file of subscribers
sev1 subscribers find >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "subscribers find"; }
grep -q 'only the reporter was looked up' "$D/run.out" || { cat "$D/run.out"; die "only the reporter"; }
sev1 notify preliminary >/dev/null 2>"$D/run.err" && die "a text with a hole was sent"
grep -q 'give it: --field certificates=' "$D/run.err" || { cat "$D/run.err"; die "how to fill it"; }
planned notify preliminary --field 'certificates=two, as far as we know'
[ "$phrase" = "SEND 1" ] && grep -l '^To: <finder@example.net>' "$D"/out/* >"$D/run.out" || { ls "$D/out"; die "the preliminary report"; }
sev1 deadline >"$D/run.out"
grep -q 'met late .*preliminary report' "$D/run.out" || { cat "$D/run.out"; die "the deadline of the preliminary report"; }
sev1 scope >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "scope"; }
grep -q 'Frozen: 2 certificates' "$D/run.out" || { cat "$D/run.out"; die "the scope is what the report means"; }
sev1 intake list >"$D/list"
grep -q '0001 .*INC-' "$D/list" || { cat "$D/list"; die "the report names its incident"; }
ok "an incident opened from a report knows its receipt, its channel and its certificates"

# ---- the same in the console: the inbox, an incident of the report at hand, triage that knows its answers ----
need tmux
sev1 close --reason 'the next one' >/dev/null || die "close the incident"
LC_ALL=C.UTF-8
export LC_ALL
unset TMUX
t() { tmux -L "sev1intake-$$" -f /dev/null "$@"; }
leave() { t kill-server 2>/dev/null || :; }
pane() { t capture-pane -p -t 0 2>/dev/null; }
shows() { pane | grep -qE -- "$1"; }
keys() { t send-keys -t 0 -- "$@"; }
t new-session -d -x 100 -y 30 "'$SEV1' -c '$D/sev1.conf'; read -r _"
wait_for "the start screen" shows "3 problem reports wait, .* late: intake"
keys : ; wait_for "the prompt" shows '^ *:'
keys "intake" Enter
wait_for "the inbox" shows "Problem reports"
keys n; wait_for "a report to be typed in" shows "What was reported"
keys "The private key of web2.example.com was stolen, serial 1001" Enter; wait_for "who" shows "Who reported"
keys "B. Caller" Enter; wait_for "the channel" shows "1 Telephone"
keys Enter; wait_for "the receipt" shows "When was it first reported"
keys "2024-08-31T08:00Z" Enter
wait_for "the most urgent report first, under the cursor" shows "^ > R-[0-9]*-0006 +high +open .* The private key of web2"
wait_for "its receipt and channel" shows "first received 2024-08-31T08:00:00Z, .* by phone"
wait_for "what is recognised, and its clock" shows "keyCompromise, it says so of a key: revoke by 2024-09-01 08:00Z \(24 h\)"
keys o; wait_for "the title" shows "R-[0-9]*-0006 says so: Enter takes it over"
keys Enter; wait_for "when it was declared" shows "When was it declared"
keys Enter; wait_for "the last question" shows "Declare a REAL"
keys Enter
wait_for "triage, with the CA" shows "R-[0-9]*-0006 says so"
keys Enter; wait_for "the compromise" shows "> 1 Private key stolen"
keys Enter; wait_for "the level" shows "> 2 End-entity"
keys Enter; wait_for "the certificates" shows "> 1 What R-[0-9]*-0006 names: 1 certificate"
keys Enter; wait_for "the receipt" shows "> 2024-08-31T08:00:00Z"
wait_for "what is selected" shows "Selected so far +1 of"
keys Enter; wait_for "the channel" shows "> 3 Telephone"
keys Enter; wait_for "the reporter" shows "> B. Caller"
keys Enter; wait_for "since when" shows "Since when is it compromised"
keys Enter; wait_for "the reason" shows "> 1 keyCompromise"
seven() { [ "$(pane | grep -cE '^   [A-Z].* R-[0-9]*-0006 *$')" -eq 7 ]; }
wait_for "whose word each answer is" seven
keys Enter; wait_for "the summary" shows "Must be told"
keys Enter; wait_for "the frozen scope" shows "The scope is frozen: 1 cert"
sev1 intake list >"$D/list"
grep -q '0006 .*INC-' "$D/list" || { cat "$D/list"; die "the report names its incident"; }
ok "the console opens an incident from the report at hand, and its triage knows what the report says"
leave

# ---- and without a screen ----
sev1 close --reason 'the next one' >/dev/null || die "close the incident"
sev1 open --report 5 >/dev/null 2>&1 || die "open --report 5"
printf 'triage\n\n\n2\n8\n\n\n\n\n\nquit\n' | sev1 --line >"$D/lines" 2>&1 || { cat "$D/lines"; die "--line"; }
grep -q 'R-[0-9]*-0005 says so: Enter takes it over' "$D/lines" || { cat "$D/lines"; die "--line does not say whose word it is"; }
grep -q 'An empty line means: 1. Or a number' "$D/lines" || { cat "$D/lines"; die "--line: an empty line takes it"; }
grep -q 'An empty line means: 2024-09-01T08:00:00Z' "$D/lines" || { cat "$D/lines"; die "--line: the receipt"; }
sev1 timeline >"$D/show"
grep -q 'triage: web (end-entity).*first received 2024-09-01T08:00:00Z' "$D/show" || { cat "$D/lines" "$D/show"; die "--line: triage"; }
ok "numbered prompts know it too"

# ---- what joins a report that has an incident is told where it names more ----
told=$(ls "$D/out" | wc -l)
printf 'From: Third <t@example.org>\nSubject: compromised\nMessage-ID: <t-1@example.org>\n\nThe key of serial 0x1000 is compromised, revoke it.\n' |
  sev1 intake - >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "a third reporter"; }
grep -q '0001 high .*joined' "$D/run.out" && [ "$(ls "$D/out" | wc -l)" -eq "$told" ] || { cat "$D/run.out"; die "nothing new is not told"; }
printf 'From: Third <t@example.org>\nSubject: compromised too\nMessage-ID: <t-2@example.org>\n\nThe keys of serials 0x1000 and 0x1001 are compromised, revoke them.\n' |
  sev1 intake - >"$D/run.out" 2>&1 || { cat "$D/run.out"; die "more of it"; }
grep -q '000[16] high .*joined' "$D/run.out" && [ "$(ls "$D/out" | wc -l)" -eq $((told + 2)) ] || { cat "$D/run.out"; ls "$D/out"; die "another certificate for an incident is told"; }
ok "what joins the report of an incident and names more is told"

# ---- a reason whose time depends on the circumstance: it is asked, and only then ----
mkdir -m 700 "$D/state2"
sed "s|^state = .*|state = $D/state2\\nprofile = public-tls|" "$D/sev1.conf" >"$D/public.conf"
public() { "$SEV1" -c "$D/public.conf" "$@"; }
public open --title x >/dev/null 2>&1 || die "open"
printf 'triage\n1\n2\n2\n8\nnow\n3\n\n\n4\n1\nquit\n' | public --line >"$D/lines" 2>&1 || { cat "$D/lines"; die "--line"; }
grep -q '^1\. 24 h: (5) The validation of a name' "$D/lines" && grep -q '^4\. 120 h: none of these' "$D/lines" || { cat "$D/lines"; die "the circumstances"; }
public deadline >"$D/show"
grep -q 'running .* 23:5[0-9]:[0-9]* *revocation published, superseded' "$D/show" || { cat "$D/lines" "$D/show"; die "the circumstance decides"; }
printf 'triage\n1\n1\n2\n8\nnow\n3\n\n\n1\nquit\n' | public --line >"$D/lines" 2>&1 || { cat "$D/lines"; die "--line"; }
grep -q 'Which circumstance' "$D/lines" && { cat "$D/lines"; die "asked although nothing hangs on it"; }
public deadline | grep -q 'revocation published, keyCompromise' || { cat "$D/lines"; die "triage"; }
ok "the circumstance is asked where it decides the time"
