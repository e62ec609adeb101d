# Shared by the end-to-end scripts: a folder of our own, a network of our own, steps that are counted.
# Sourced with set -eu in force.

: "${SEV1:?the program under test: set SEV1 to its absolute path}"

need() {
  for tool in "$@"; do
    command -v "$tool" >/dev/null 2>&1 || PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null 2>&1 || {
      echo "$tool is not installed"; exit 77; }
  done
}

# Run the whole script again in a network namespace: ports and firewall rules are then nobody else's.
own_network() {
  [ "${SEV1_TEST_NETNS:-}" = yes ] && return 0
  SEV1_TEST_NETNS=yes
  export SEV1_TEST_NETNS
  if [ "$(id -u)" -eq 0 ]; then set -- unshare -n; else set -- unshare -rn; fi
  "$@" true 2>/dev/null || { echo "network namespaces are not allowed here"; exit 77; }
  # shellcheck disable=SC2016
  exec "$@" sh -c 'ip link set lo up && exec "$0"' "$script"
}

ok() { echo "ok - $*"; }
die() { echo "not ok - $*"; exit 1; }

# How long anything is waited for, in seconds: far longer than it takes, on a machine that has much else to do too (a sanitizer's
# drill that shares two processors with thirty others is a minute on its way to what is waited for).
patience=300
# The seconds since the start of the machine: no clock that is set moves them.
uptime_s() { read -r up _ </proc/uptime; echo "${up%%.*}"; }

# wait_for WHAT COMMAND...: until the command succeeds.
wait_for() {
  limit=$(($(uptime_s) + patience)); what=$1; shift
  until "$@" >/dev/null 2>&1; do
    [ "$(uptime_s)" -lt "$limit" ] || { pane 2>/dev/null || :; die "waited in vain for $what"; }
    sleep 0.1
  done
}

work_folder() {
  D=$(mktemp -d)
  chmod 755 "$D"
  pids=
  trap clean_up EXIT INT TERM
}
# stop PID...: end what this script started in the background, programs and no functions (those are a shell that waits for
# the program), and see it gone: what is not gone may write a last file, or hold a lock.
stop() {
  for p in "$@"; do
    kill "$p" 2>/dev/null || :
    wait "$p" 2>/dev/null || :
  done
}
# What others were told to end may write a last file while the folder is removed.
clean_up() {
  status=$?
  trap "" INT TERM
  stop $pids
  leave 2>/dev/null || :
  limit=$(($(uptime_s) + patience))
  until rm -rf "$D" 2>/dev/null; do
    [ "$(uptime_s)" -lt "$limit" ] || { echo "not ok - something still writes to $D: $(ls -A "$D")"; status=1; break; }
    sleep 0.1
  done
  exit "$status"
}
leave() { :; }

# sev1 with this test's configuration.
sev1() { "$SEV1" -c "$D/sev1.conf" "$@"; }

# member NAME <JSON: the first string member of that name.
member() { sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" | head -n 1; }

# planned COMMAND ARGUMENTS...: make the plan, then confirm exactly that plan.
planned() {
  sev1 "$@" --json >"$D/plan.json" 2>"$D/plan.err" && die "$*: ran without a confirmation"
  hash=$(member hash <"$D/plan.json")
  phrase=$(member phrase <"$D/plan.json")
  [ -n "$hash" ] && [ -n "$phrase" ] || { cat "$D/plan.json" "$D/plan.err"; die "$*: no plan"; }
  status=0
  sev1 "$@" --plan "$hash" --confirm "$phrase" >"$D/run.out" 2>"$D/run.err" || status=$?
  [ "$status" -eq "${want:-0}" ] || { cat "$D/run.out" "$D/run.err"; die "$*: status $status"; }
}
