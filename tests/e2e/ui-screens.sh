#!/bin/sh
# The console's screens, whole, at 80x24, over a scripted incident in tmux; then what a terminal can do to
# it: be resized, be too small, send any key, vanish. UPDATE=1 writes the expected screens anew.
set -eu
script=$0
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lib.sh
. "$here/lib.sh"
need tmux
DEMO=${BUILDDIR:-.}/tests/ui_demo
[ -x "$DEMO" ] || { echo "tests/ui_demo is not built"; exit 77; }
case $DEMO in /*) ;; *) DEMO=$PWD/$DEMO ;; esac
GOLDEN=$here/screens
LC_ALL=C.UTF-8
export LC_ALL
unset NO_COLOR TMUX
work_folder
socket=sev1ui-$$
terminals=0 # each has a server of its own: one that is still leaving must not be met again
t() { tmux -L "$socket-$terminals" -f /dev/null "$@"; }
leave() { t kill-server 2>/dev/null || :; }

pane() { t capture-pane -p -t 0 2>/dev/null; }
shows() { pane | grep -qF -- "$1"; }
shows_not() { ! shows "$1"; }
same() { pane >"$D/is" && cmp -s "$D/is" "$1"; }

# start SCENE [OPTIONS]: a new terminal of 80x24; afterwards it shows how the program ended.
start() {
  leave
  terminals=$((terminals + 1))
  rm -rf "$D/state"
  mkdir "$D/state"
  [ ! -d "$D/reports" ] || cp -r "$D/reports" "$D/state/intake"
  scene=$1; shift
  t new-session -d -x 80 -y 24 "'$DEMO' $* $scene '$D/state' 2>'$D/err'; echo \"ended \$?\"; stty -a | tr ' ;' '\n\n' | grep -xE -- '-?(icanon|echo|isig)' | tr '\n' ' '; read -r _"
  wait_for "the first screen of $scene" shows "back"
}
keys() { t send-keys -t 0 -- "$@"; }
pid() { pgrep -P "$(t display-message -p -t 0 '#{pane_pid}')"; }

# screen NAME MARKER: once MARKER is there, the whole screen is the one expected.
screen() {
  wait_for "$1: \"$2\"; instead: $(pane)" shows "$2"
  if [ "${UPDATE:-}" = 1 ]; then
    pane >"$GOLDEN/$1.txt"
    for _ in 1 2 3 4 5; do sleep 0.1; pane >"$GOLDEN/$1.txt"; done
  fi
  limit=$(($(uptime_s) + patience))
  until same "$GOLDEN/$1.txt"; do
    [ "$(uptime_s)" -lt "$limit" ] || { diff -u "$GOLDEN/$1.txt" "$D/is" || :; die "$1"; }
    sleep 0.1
  done
  ok "$1"
}
arm() { keys a; wait_for "the prompt for ARM" shows "Type ARM"; keys ARM Enter; wait_for "ARMED" shows "ARMED"; }

# ---- the start screen ----
start list
screen start-list "Mis-issued"
keys Enter
screen start-opened "Checkpoint"
start noconfig
screen start-noconfig "no usable configuration"
keys z
wait_for "a word about a key without a meaning" shows "z does nothing here; ? shows the keys"
keys Down
wait_for "the word to go" shows_not "does nothing here"
ok "a key without a meaning says so, and where the keys are"
start empty
keys Enter
screen new-title "What has happened"

# ---- the inbox: the most urgent first, its clock by what is recognised ----
mkdir "$D/reports"
report() { # ID RECEIVED_MS SUBJECT REASON GROUNDS
  cat >"$D/reports/$1.json" <<END
{"id": "$1", "level": "high", "state": "open", "incident": "", "subject": "$3", "from": "Finder <f@example.net>",
 "channel": "problem-report", "received": $2, "reason": "$4", "grounds": "$5", "messages": [{}], "found": [{}, {}],
 "matches": [{}], "keys": [], "why": [{"points": 10, "text": "says so"}, {"points": 4, "text": "names certificates of ours (1)"}]}
END
}
report R-2026-0001 1788136200000 "leaked key" keyCompromise "a private key is in it"
report R-2026-0002 1788140000000 "misissued" superseded "it speaks of misissuance"
start empty
wait_for "that reports wait" shows "problem reports wait"
keys : intake Enter
screen inbox "revoke by"
keys o
screen inbox-open "R-2026-0001 says so: Enter takes it over."
keys Escape; wait_for "the inbox again" shows "R-2026-0002"
keys n
screen inbox-typed "What was reported?"
rm -r "$D/reports"

# ---- triage, from the first question to the frozen scope ----
start fresh
screen board-fresh "Triage has not been answered"
keys Enter
wait_for "live counts" shows "4 812 valid"
screen triage-ca "Which CA"
keys 3 Enter; wait_for "the compromise" shows "What kind"
keys 1 Enter
screen triage-level "What must be revoked"
keys Enter; wait_for "the receipt" shows "first reported"
keys "2026-08-31 02:00" Enter
screen triage-no-zone "no time with a zone"
keys C-u "-35m" Enter; wait_for "the channel" shows "By which channel"
keys 2 Enter; wait_for "the reporter" shows "Who reported"
keys "A. Reporter" Enter; wait_for "since when" shows "Since when"
keys Enter; wait_for "the reason" shows "Which revocation reason"
keys Enter
screen triage-summary "Must be told"
keys Enter
screen triage-frozen "The scope is frozen"

# ---- some of a CA's certificates: by what, and how many so far ----
start fresh
wait_for "the board" shows "Triage has not been answered"
keys Enter
wait_for "live counts" shows "4 812 valid"
keys 3 Enter; wait_for "the compromise" shows "What kind"
keys 1 Enter; wait_for "the level" shows "What must be revoked"
keys 2 Enter
screen triage-select "Which of its certificates"
keys 9 Enter; wait_for "the serials" shows "Which serials"
keys "1A2B web" Enter; wait_for "a refusal" shows "is no serial"
keys C-u "1A:2B dec:7" Enter; wait_for "the file" shows "holds the serials"
keys "/nowhere" Enter; wait_for "a refusal" shows "no such file"
keys C-u Enter; wait_for "the subjects" shows "Which subjects"
keys Enter; wait_for "the names" shows "Which names"
keys "*.example.com" Enter
screen triage-select-key "Which file holds the key"
keys Enter; wait_for "the hash" shows "SHA-256"
keys "beef" Enter; wait_for "a refusal" shows "is no SHA-256"
keys C-u Enter; wait_for "since when" shows "Issued since when"
keys "-2d" Enter; wait_for "until when" shows "Issued until when"
keys "now" Enter; wait_for "the receipt" shows "first reported"
keys Enter; wait_for "the channel" shows "By which channel"
keys 2 Enter; wait_for "the reporter" shows "Who reported"
keys Enter; wait_for "since when" shows "Since when is"
keys Enter
screen triage-select-reason "Which revocation reason"
keys 8 Enter
screen triage-select-summary "Must be told"

# ---- the board, armed; a plan, a wrong phrase, the run, the proof ----
start middle
screen board-middle "2 of 3 actions held"
keys Enter
wait_for "observe mode to refuse" shows "contain: "
keys a
screen prompt-arm "Type ARM"
keys "arm" Enter
wait_for "the wrong word to be refused" shows "That is not ARM"
keys C-u ARM Enter
screen board-armed "armed: confirmed"
keys r
screen plan "Type  REVOKE 4812"
keys Down Down Down "REVOKE 4813" Enter
screen plan-wrong "nothing was done"
keys "REVOKE 4812" Enter
wait_for "the end of the run" shows "Enter go on"
pane | sed 's/00:00:0[0-9]$/00:00:0N/' >"$D/proof"
grep -q "^ Done\." "$D/proof" && grep -q "CRL number 1F" "$D/proof" || die "the proof"
ok "the proof names what was done"
keys Enter; wait_for "the board" shows "Checkpoint"
keys o; keys c
wait_for "the plan of contain" shows "Type  CONTAIN 3"
keys Escape
wait_for "giving up" shows "given up, nothing was done"
keys c; wait_for "the plan again" shows "Type  CONTAIN 3"
keys "CONTAIN 3" Enter
wait_for "the failure" shows "Done in part"
wait_for "a hostile line, escaped" shows '\x1B[31mfailed'
wait_for "the remedy" shows "give the user of"
ok "a run done in part says what, why and the remedy"

# ---- a board after the hour; lists ----
start late
screen board-late "late"
keys 4
screen board-crls "number 1F"
keys 5
screen board-points "serves the old bytes"
keys : ; wait_for "the command line" shows "Enter runs it"
keys timeline Enter
screen timeline "line 24 of 24"
keys / crl Enter
screen timeline-filter "hold \"crl\""
keys q : followup Enter
screen followups "per regulation"
keys q : report Enter
screen report "The full report: 22 fields missing"
keys v
screen report-findings "what mends it"
keys v Down Enter
wait_for "the field's prompt" shows "begins a new line"
keys 'keys were \nleaked' Enter
wait_for "the field" shows "21 fields missing"
wait_for "the field that was given" shows "given     keys were"
keys t
wait_for "the next report" shows "The preliminary report"
ok "a report's fields are given in the console"
keys q
arm
keys 8 Enter
screen recover "Which issuer takes over"
keys 3 Enter "issuing 4" Enter
wait_for "a name to be refused" shows "A name is letters"
keys Escape Escape
wait_for "the board" shows "Checkpoint"
keys '?'
screen help "Everywhere"
keys q : "doctor" Enter
screen output "line 1 of 40"
start fleet
keys : fleet Enter
screen fleet "1351 of 2000"
keys / failed Enter
screen fleet-failed "16 with"
keys Enter
screen host "What it said"
keys q / Escape ; wait_for "all hosts" shows_not "with \"failed\""
keys e
screen fleet-errors "3 kinds of error"
keys Down Enter; wait_for "the hosts of one error" shows "16 with one error"
keys q; wait_for "the errors again" shows "3 kinds of error"
wait_for "the cursor where the group was opened" shows ">     16"
keys q; wait_for "the hosts again" shows_not "kinds of error"
keys s s s p
screen fleet-plot "Hosts done"
t resize-window -x 120 -y 40
screen fleet-120x40 "waiting 499"
t resize-window -x 80 -y 24
keys q
arm
keys : reissue Enter
screen errors "not shown; nothing was done"
keys G; wait_for "the last error that is shown" shows ">all-servers.csv:772: "
keys Enter; wait_for "the board" shows "Checkpoint"
start fleet10000
keys : fleet Enter
wait_for "the fleet" shows "web0001.example.com"
keys G
screen fleet-10000 "web10000"

# ---- who was told: one has answered, one waits, one did not answer in time ----
start subscribers
screen board-deadline "No answer of clinic"
keys : subscribers Enter
wait_for "the subscribers" shows "wait ends"
keys Down Down
screen subscribers "rang out"
keys p; wait_for "the remark" shows "Called without an answer"
keys Escape

# ---- resized, too small, any key ----
start middle
t resize-window -x 120 -y 40
screen board-120x40 "ca01"
t resize-window -x 60 -y 20
screen too-small "sev1 needs 80x24"
keys a ARM Enter r q q
t resize-window -x 80 -y 24
screen board-middle "2 of 3 actions held"
keys n "typed before" ; wait_for "the text" shows "typed before"
t resize-window -x 40 -y 10; wait_for "too small" shows "needs 80x24"
t resize-window -x 80 -y 24; wait_for "what was typed" shows "typed before"
keys Escape
ok "a terminal that is too small keeps what was typed"
for k in a b c d e f g h k l n o p r s t u v w x y z '\' ; do keys "C-$k" || :; done
wait_for "Ctrl-C's question" shows "Leave sev1?"
keys Escape
wait_for "the board" shows_not "Leave sev1?"
for k in A B C E F G H I J K M N O P Q S T U V W X Y Z '!' '@' '#' '$' '%' '^' '&' '*' '(' ')' '-' '+' '=' '[' ']' F2 F5 IC; do keys "$k"; done
keys 1 2
screen board-middle "2 of 3 actions held"
keys C-c
wait_for "the question whether to leave" shows "Leave sev1?"
keys Escape
wait_for "staying" shows_not "Leave sev1?"
ok "Ctrl-C asks, Esc stays"

# ---- leaving ----
keys C-c; wait_for "the question" shows "Leave sev1?"
keys Enter
wait_for "the end" shows "ended 0"
wait_for "the terminal as it was" shows "isig icanon echo"
ok "leaving gives the terminal back"
start middle
kill -TERM "$(pid)"
wait_for "the end" shows "ended 0"
wait_for "the terminal as it was" shows "isig icanon echo"
ok "SIGTERM gives the terminal back"
# a sanitizer would keep the signal to itself
ASAN_OPTIONS=${ASAN_OPTIONS:-}:handle_segv=0:allow_user_segv_handler=1 start middle
kill -SEGV "$(pid)"
wait_for "the end" shows "ended "
wait_for "the terminal as it was" shows "isig icanon echo"
ok "a crash gives the terminal back"

# ---- the terminal vanishes ----
start middle
p=$(pid)
leave
wait_for "process $p to be gone" sh -c "! kill -0 $p"
ok "without its terminal it is gone at once"
start middle
p=$(pid)
arm
keys r; wait_for "the plan" shows "Type  REVOKE 4812"
keys "REVOKE 4812" Enter
leave
wait_for "process $p to be gone" sh -c "! kill -0 $p"
ok "also in the middle of a run"

# ---- a clock costs nothing ----
start middle --run
p=$(pid)
# what it did is counted, not timed: how often it woke, and how many seconds went by on its own clock
woken() { sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' "/proc/$p/status"; }
clock_s() { pane | sed -n '1s/.* \([0-9]*\):\([0-9]*\):\([0-9]*\)Z$/\1 \2 \3/p' | awk '{ print $1 * 3600 + $2 * 60 + $3 }'; }
past() { [ "$(clock_s)" -ge "$1" ]; }
wait_for "the clock to go" past $(($(clock_s) + 3))
from=$(clock_s) before=$(woken)
wait_for "ten seconds" past $((from + 10))
seconds=$(($(clock_s) - from)) times=$(($(woken) - before))
[ "$times" -le $((2 * seconds)) ] || die "woken $times times in $seconds idle seconds"
ok "$seconds idle seconds wake it $times times"

# ---- without a screen ----
leave
# plain NAME SCENE LINES...: what --line says to these lines
plain() {
  name=$1; scene=$2; shift 2
  rm -rf "$D/state"; mkdir "$D/state"
  printf '%s\n' "$@" | "$DEMO" --line "$scene" "$D/state" >"$D/line.out"
  sed 's/\([0-9]* per cent\).*/\1/' "$D/line.out" >"$D/line.is"
  [ "${UPDATE:-}" != 1 ] || cp "$D/line.is" "$GOLDEN/$name.txt"
  cmp -s "$D/line.is" "$GOLDEN/$name.txt" || { diff -u "$GOLDEN/$name.txt" "$D/line.is" || :; die "$name"; }
  ok "$name: the same incident in plain lines"
}
plain line middle arm ARM revoke wrong "REVOKE 4812" "note it's done" quit
plain line-errors fleet arm ARM reissue quit
plain line-triage fresh 1 9 3 1 back 1 1 "yesterday" "-35m" 2 "" "" 1 scope "" quit
