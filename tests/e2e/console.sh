#!/bin/sh
# One operator at one terminal: the console in tmux at 80x24, from the first question to checkpoint 8, on the drill's
# real PKI, SSH, HTTP and TLS. Screens are compared whole, with times, digests and ports masked. Then the console
# is killed and goes on where it stood. UPDATE=1 writes the expected screens anew.
set -eu
script=$0
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/e2e/lib.sh"
need tmux pgrep
golden=$SRCDIR/tests/e2e/console
LC_ALL=C.UTF-8
export LC_ALL
unset NO_COLOR TMUX LANGUAGE
work_folder
F=$D/d
socket=sev1console-$$
t() { tmux -L "$socket" -f /dev/null "$@"; }
leave() { t kill-server 2>/dev/null || :; "$SEV1" drill --folder "$F" --clean >/dev/null 2>&1 || :; }
pane() { t capture-pane -p -t 0 2>/dev/null; }
shows() { pane | grep -qF -- "$1"; }
keys() { t send-keys -t 0 -- "$@"; }

# What differs from run to run, kept in its columns: times, dates, digests, ports, addresses, the folder.
mask() {
  sed -e "s|$F|FOLDER|g" -e 's/[0-9][0-9]:[0-9][0-9]:[0-9][0-9]/hh:mm:ss/g' -e 's/20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]/YYYY-MM-DD/g' \
    -e 's/ [0-9A-F]\{4\}\.\. until/ SSSS.. until/g' \
    -e 's/-hh:mm:ss/ hh:mm:ss/g' -e 's/127\.[0-9]*\.[0-9]*\.[0-9]*:[0-9]*/ADDRESS/g' -e 's/pre-emergency-[0-9]*/pre-emergency-TIME/g' \
    -e 's/[0-9a-f]\{12,\}/DIGEST/g' -e 's/\([0-9a-f]\{4\} \)\{3,\}[0-9a-f.]*/DIGEST/g' -e 's/block [0-9, ]*/block PORTS /' \
    -e 's/[0-9][0-9]* ms/N ms/g' -e 's/[0-9]*\.[0-9] s$/N s/' -e 's/ *[0-9][0-9]*\.[0-9]s$/ N.Ns/' -e 's/[0-9][0-9]* B,/N B,/' -e 's/[0-9][0-9]:[0-9][0-9]Z/hh:mmZ/' -e 's/reissue: [0-9]* hosts\{0,1\}: .*/reissue: HOSTS/' -e 's/reissue: [a-z0-9]*\.drill\.test: .*/reissue: HOSTS/' -e 's/60\.[0-9] KiB/60.N KiB/' -e 's/revoked in .*/revoked in N/' -e 's/  *$//'
}

# screen NAME MARKER: once MARKER is there, the whole screen, masked, is the one expected.
screen() {
  wait_for "$1: \"$2\"" shows "$2"
  if [ "${UPDATE:-}" = 1 ]; then
    mkdir -p "$golden"
    sleep 0.5
    pane | mask >"$golden/$1.txt"
  fi
  limit=$(($(uptime_s) + patience))
  while pane | mask >"$D/is"; ! cmp -s "$D/is" "$golden/$1.txt"; do
    [ "$(uptime_s)" -lt "$limit" ] || { diff -u "$golden/$1.txt" "$D/is" || :; die "$1"; }
    sleep 0.1
  done
  ok "$1"
}

# confirm: type the phrase that the plan on the screen asks for.
confirm() {
  wait_for "a plan" shows "to go on, or Esc."
  phrase=$(pane | sed -n 's/^ Type  \(.*\)  to go on, or Esc\.$/\1/p')
  [ -n "$phrase" ] || { pane; die "no phrase"; }
  keys "$phrase" Enter
}

# step KEY NAME: do the next checkpoint and see its proof.
done_screen() {
  wait_for "the end of $1" shows "Enter go on"
  pane | grep -qE '^ Done' || { pane; die "$1 did not end well"; }
  [ -z "${2:-}" ] || screen "$2" "Enter go on"
  keys Enter
  wait_for "the board" shows "Checkpoint"
}

t new-session -d -x 80 -y 24 "'$SEV1' drill --folder '$F'; echo \"ended \$?\"; read -r _" 
screen 01-board "Triage completed"
from=$(date +%s)
keys Enter
wait_for "live counts" shows "1 717 valid"
screen 02-which-ca "Which CA"
keys 3 Enter; wait_for "the compromise" shows "What kind"
keys 1 Enter; wait_for "the scope" shows "What must be revoked"
keys Enter; wait_for "the receipt" shows "first reported"
keys C-u "-35m" Enter; wait_for "the channel" shows "By which channel"
keys 2 Enter; wait_for "the reporter" shows "Who reported"
keys "A. Reporter" Enter; wait_for "since when" shows "Since when"
keys Enter; wait_for "the reason" shows "Which revocation reason"
keys Enter
screen 03-summary "Must be told"
keys Enter
wait_for "the frozen scope" shows "frozen"
keys Enter
wait_for "the board" shows "1 718 in scope"
keys a; wait_for "ARM" shows "Type ARM"
keys ARM Enter; wait_for "armed" shows "ARMED"
screen 04-armed "ARMED"
keys Enter
confirm
done_screen contain
keys Enter; confirm; done_screen "notify management"
keys Enter
wait_for "the plan" shows "REVOKE 1718"
screen 05-revoke-plan "Type  REVOKE 1718"
keys "REVOKE 1717" Enter
wait_for "the wrong phrase refused" shows "nothing was done"
ok "a wrong phrase does nothing"
keys C-u "REVOKE 1718" Enter
done_screen revoke 06-revoke-proof

# killed with -9 in the middle of the incident: started again it stands where it stood
kill -9 "$(pgrep -P "$(t display-message -p -t 0 '#{pane_pid}')")"
wait_for "its end" shows "ended 137"
t kill-server
socket=$socket-again # a server that is ending does not take new sessions
t new-session -d -x 80 -y 24 "'$SEV1' drill --folder '$F'; echo \"ended \$?\"; read -r _"
wait_for "the board" shows "2 CRLs, 1 753 entries"
wait_for "observing after a restart" shows "OBSERVE"
ok "killed with -9 and started again: it goes on, observing"
keys a; wait_for "ARM" shows "Type ARM"; keys ARM Enter; wait_for "armed" shows "ARMED"
keys Enter; confirm; done_screen publish
keys Enter; confirm; done_screen "notify internal"
keys Enter; confirm; done_screen "notify external"
screen 07-before-recovery "Recovery plan activated"
keys Enter
screen 08-recover "Which issuer takes over"
keys Enter
wait_for "the command" shows "Enter does this"
keys Enter
confirm
done_screen recover
keys Enter
wait_for "what recovery offers" shows "Re-issue across the inventory"
keys Enter
confirm
screen 09-reissued "ended, 12 of 12 verified"
keys q
screen 10-all-closed "Checkpoint"
shows "open" && { pane; die "a checkpoint is open"; }
ok "checkpoint 8 after $(($(date +%s) - from)) s at the keyboard"
keys q
wait_for "the start screen" shows "Enter open"
keys q
wait_for "the question, or the end" sh -c "tmux -L $socket capture-pane -p -t 0 | grep -qE 'Leave|ended'"
shows "ended" || keys Enter
wait_for "the end" shows "ended 0"
"$SEV1" -c "$F/sev1.conf" audit >/dev/null || die "audit"
[ "$("$SEV1" -c "$F/sev1.conf" status --json | grep -c '"state": "done"')" -eq 8 ] || die "not every checkpoint was closed by evidence"
ok "the journal verifies; all eight checkpoints closed by evidence"
