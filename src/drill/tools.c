#include "drill/tools.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"

/* Every script begins with this; DRILL is put before it. settle: wait until the host process has
 * read what was written, which it does from the beginning of its next pass. */
static const char common[] =
    "set -u\n"
    "fail() { echo \"${0##*/}: $1\" >&2; exit \"${2:-1}\"; }\n"
    "settle() {\n"
    "\tpid=$(cat \"$DRILL/run/host.pid\") || fail 'the hosts of the drill do not run'\n"
    "\tfrom=$(cat \"$DRILL/run/passes\")\n"
    "\ttries=0\n"
    "\tuntil [ \"$(cat \"$DRILL/run/passes\")\" -ge $((from + 2)) ]; do\n"
    "\t\ttries=$((tries + 1))\n"
    "\t\t[ $tries -le 250 ] || fail 'the host does not answer'\n"
    "\t\tkill -HUP \"$pid\" || fail 'the hosts of the drill do not run'\n"
    "\t\tsleep 0.02\n"
    "\tdone\n"
    "}\n"
    "on_host() {\n"
    "\t[ -n \"${DRILL_HOST:-}\" ] || fail 'runs on a host of the drill only'\n"
    "\thome=$DRILL/hosts/$DRILL_HOST\n"
    "\trun=$home/run\n"
    "}\n"
    "put() { printf '%s\\n' \"$2\" >\"$1.new.$$\" && mv \"$1.new.$$\" \"$1\"; }\n";

static const char systemctl[] =
    "# systemctl VERB [-q] UNIT...: start, stop, is-active, status of the units of ca01 (pki-ca,\n"
    "# ocsp-responder); reload, restart and is-active of webd on the servers.\n"
    "on_host\n"
    "verb= quiet= worst=0\n"
    "one() {\n"
    "\tunit=${1%.service}\n"
    "\tcase $unit in\n"
    "\t*[!a-z0-9-]*|'') fail \"not a unit: $1\" ;;\n"
    "\twebd) web; return ;;\n"
    "\tesac\n"
    "\t[ -f \"$run/$unit.want\" ] || fail \"Unit $unit.service not found.\" 5\n"
    "\tcase $verb in\n"
    "\tstart) put \"$run/$unit.want\" up; settle ;;\n"
    "\tstop) put \"$run/$unit.want\" down; settle ;;\n"
    "\tis-active|status) ;;\n"
    "\t*) fail \"Unknown command verb $verb.\" ;;\n"
    "\tesac\n"
    "\tnow=$(cat \"$run/$unit.is\")\n"
    "\tcase $verb in\n"
    "\tstart) [ \"$now\" = active ] || fail \"$unit.service: $now\" ;;\n"
    "\tstop) [ \"$now\" = inactive ] || fail \"$unit.service: $now\" ;;\n"
    "\t*) [ -n \"$quiet\" ] || echo \"$now\"; [ \"$now\" = active ] || worst=3 ;;\n"
    "\tesac\n"
    "}\n"
    "web() {\n"
    "\t[ -d \"$home/tls\" ] || fail 'Unit webd.service not found.' 5\n"
    "\tcase $verb in\n"
    "\treload|restart) \"$DRILL/bin/webd\" -s reload || exit 1 ;;\n"
    "\tis-active|status) [ -n \"$quiet\" ] || echo active ;;\n"
    "\t*) fail \"Unknown command verb $verb.\" ;;\n"
    "\tesac\n"
    "}\n"
    "for word; do\n"
    "\tcase $word in\n"
    "\t-q|--quiet) quiet=yes ;;\n"
    "\t-*) ;;\n"
    "\t*) if [ -z \"$verb\" ]; then verb=$word; else set -- \"$@\" \"$word\"; fi ;;\n"
    "\tesac\n"
    "\tshift\n"
    "done\n"
    "[ $# -gt 0 ] || fail 'usage: systemctl VERB UNIT...'\n"
    "for unit; do one \"$unit\"; done\n"
    "exit $worst\n";

/* One text for both address families: the file's name tells which. */
static const char iptables[] =
    "# iptables and ip6tables: -I INPUT [N], -A, -D, -C, -S, -L INPUT with -p tcp --dport PORT\n"
    "# (or -m multiport --dports A,B) and -j DROP. What is dropped here, the host really closes.\n"
    "on_host\n"
    "case ${0##*/} in ip6*) rules=$run/rules.v6 ;; *) rules=$run/rules.v4 ;; esac\n"
    "op= proto=tcp ports= target= comment=-\n"
    "while [ $# -gt 0 ]; do\n"
    "\tcase $1 in\n"
    "\t-I|-A|-D|-C|-S|-L|--insert|--append|--delete|--check|--list-rules|--list)\n"
    "\t\tcase $1 in --append) op=A ;; --check) op=C ;; --insert) op=I ;; --delete) op=D ;;\n"
    "\t\t--list*) op=S ;; *) op=${1#-} ;; esac\n"
    "\t\tcase ${2:-INPUT} in INPUT) [ $# -lt 2 ] || shift ;; -*) ;; *) fail \"no chain $2\" ;; esac\n"
    "\t\tcase ${2:-} in [0-9]*) shift ;; esac ;;\n"
    "\t-p|--protocol) proto=${2:-}; shift ;;\n"
    "\t--dport|--dports|--destination-port*) ports=$(printf %s \"${2:-}\" | tr , ' '); shift ;;\n"
    "\t-j|--jump) target=${2:-}; shift ;;\n"
    "\t-m|--match) shift ;;\n"
    "\t--comment) comment=${2:--}; shift ;;\n"
    "\t-w|--wait) case ${2:-} in [0-9]*) shift ;; esac ;;\n"
    "\t-n|-v|-nv|-vn) ;;\n"
    "\t*) fail \"unknown option $1\" 2 ;;\n"
    "\tesac\n"
    "\tshift\n"
    "done\n"
    "exec 9>\"$rules.lock\"\n" /* held by the process, so that a killed one lets go */
    "flock 9\n"
    "touch \"$rules\"\n"
    "case $op in\n"
    "S|L)\n"
    "\techo '-P INPUT ACCEPT'\n"
    "\twhile read -r p port t c; do\n"
    "\t\tif [ \"$c\" = - ]; then c=; else c=\" -m comment --comment \\\"$c\\\"\"; fi\n"
    "\t\techo \"-A INPUT -p $p -m $p --dport $port$c -j $t\"\n"
    "\tdone <\"$rules\"\n"
    "\texit 0 ;;\n"
    "I|A|D|C) ;;\n"
    "*) fail 'no command: -I, -A, -D, -C, -S' 2 ;;\n"
    "esac\n"
    "[ -n \"$ports\" ] && [ -n \"$target\" ] || fail 'needs --dport and -j' 2\n"
    "case $proto$target$comment in *[!A-Za-z0-9:._-]*) fail 'plain words are wanted' 2 ;; esac\n"
    "for port in $ports; do\n"
    "\tcase $port in *[!0-9]*) fail \"not a port: $port\" 2 ;; esac\n"
    "\trule=\"$proto $port $target $comment\"\n"
    "\tcase $op in\n"
    "\tC) grep -qxF \"$rule\" \"$rules\" || fail 'Bad rule (does a matching rule exist in that chain?).' ;;\n"
    "\tI) { echo \"$rule\"; cat \"$rules\"; } >\"$rules.new\" && mv \"$rules.new\" \"$rules\" ;;\n"
    "\tA) echo \"$rule\" >>\"$rules\" ;;\n"
    "\tD)\n"
    "\t\tgrep -qxF \"$rule\" \"$rules\" || fail 'Bad rule (does a matching rule exist in that chain?).'\n"
    "\t\tawk -v r=\"$rule\" '$0 == r && !n++ { next } { print }' \"$rules\" >\"$rules.new\" &&\n"
    "\t\tmv \"$rules.new\" \"$rules\" ;;\n"
    "\tesac\n"
    "done\n"
    "[ $op = C ] || settle\n";

static const char webd[] =
    "# webd -t tests, webd -s reload puts into use what lies in tls/: server.crt, server.key, chain.pem.\n"
    "on_host\n"
    "tls=$home/tls\n"
    "fault=$(cat \"$home/fault\")\n"
    "same() { cmp -s \"$tls/server.crt\" \"$home/run/first.crt\"; }\n"
    "check() {\n"
    "\ta=$(openssl x509 -in \"$tls/server.crt\" -noout -pubkey 2>/dev/null) ||\n"
    "\t\tfail '[emerg] cannot load certificate tls/server.crt'\n"
    "\tb=$(openssl pkey -in \"$tls/server.key\" -pubout 2>/dev/null) ||\n"
    "\t\tfail '[emerg] cannot load key tls/server.key'\n"
    "\t[ \"$a\" = \"$b\" ] || fail '[emerg] tls/server.key does not belong to tls/server.crt'\n"
    "\tif [ \"$fault\" = failing-test ] && ! same; then\n"
    "\t\tfail '[emerg] open() \"/etc/webd/dhparam.pem\" failed (2: No such file or directory)'\n"
    "\tfi\n"
    "}\n"
    "case \"$*\" in\n"
    "-t) check; echo 'webd: configuration test is successful' ;;\n"
    "'-s reload')\n"
    "\tcheck\n"
    "\tif [ \"$fault\" = failing-reload ] && ! same; then\n"
    "\t\tfail '[alert] cannot write run/webd.pid: No space left on device'\n"
    "\tfi\n"
    "\tput \"$run/reload\" \"$$\" ;;\n"
    "*) fail 'usage: webd -t | webd -s reload' 2 ;;\n"
    "esac\n";

static const char keylock[] =
    "# keylock lock|unlock|locked CA: take a CA's signing key out of use, as a token's deactivation does.\n"
    "case ${2:-} in ''|*[!a-z0-9]*) fail 'usage: keylock lock|unlock|locked CA' 2 ;; esac\n"
    "key=$DRILL/ca/$2/private/ca.key\n"
    "safe=$DRILL/ca/$2/private/locked\n"
    "[ -d \"${key%/*}\" ] || fail \"no CA $2\"\n"
    "case $1 in\n"
    "lock)\n"
    "\tmkdir -p \"$safe\" && chmod 700 \"$safe\" || exit 1\n"
    "\tif [ -f \"$key\" ]; then mv \"$key\" \"$safe/ca.key\" && chmod 000 \"$safe/ca.key\"; fi || exit 1\n"
    "\techo \"the key of $2 is locked\" ;;\n"
    "unlock)\n"
    "\t[ -f \"$safe/ca.key\" ] || fail \"the key of $2 is not locked\"\n"
    "\tchmod 600 \"$safe/ca.key\" && mv \"$safe/ca.key\" \"$key\" ;;\n"
    "locked)\n"
    "\t[ ! -e \"$key\" ] && [ -f \"$safe/ca.key\" ] || fail \"the key of $2 can be used\"\n"
    "\techo \"the key of $2 is locked\" ;;\n"
    "*) fail 'usage: keylock lock|unlock|locked CA' 2 ;;\n"
    "esac\n";

static const char sendmail[] =
    "# sendmail [-t] [-i] [-f FROM] [RECIPIENT...]: files each mail under mail/; nothing leaves.\n"
    "to=\n"
    "while [ $# -gt 0 ]; do\n"
    "\tcase $1 in\n"
    "\t-f|-r|-F|-o) shift ;;\n"
    "\t--) ;;\n"
    "\t-*) ;;\n"
    "\t*) to=\"$to $1\" ;;\n"
    "\tesac\n"
    "\t[ $# -eq 0 ] || shift\n"
    "done\n"
    "umask 077\n"
    "name=$DRILL/mail/$(date -u +%Y%m%dT%H%M%S.%NZ)-$$\n"
    "{ echo \"X-Envelope-To:$to\"; cat; } >\"$name.part\" && mv \"$name.part\" \"$name.eml\" || exit 75\n";

static const struct {
	const char *name, *text;
} tools[] = {
	{ "systemctl", systemctl }, { "iptables", iptables }, { "ip6tables", iptables },
	{ "webd", webd }, { "keylock", keylock }, { "sendmail", sendmail },
};

int tools_write(const struct map *m, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof tools / sizeof tools[0] && rc == 0; i++) {
		char *path = map_path(m, "bin/%s", tools[i].name);
		struct buf b = { 0 };

		/* the folder holds plain characters only, see map_folder_plain() */
		buf_addf(&b, "#!/bin/sh\nDRILL=%s\n%s%s", m->folder, common, tools[i].text);
		rc = fs_write(path, b.data, b.len, 0700, e);
		buf_free(&b);
		free(path);
	}
	return rc;
}
