/* The scripts of a re-issue. Every program that is started costs the host as much as a signature: what the shell can
 * do by itself, it does. */
#include <string.h>

#include "base/buf.h"
#include "child/ssh_script.h"
#include "child/ssh_script_inside.h"

/* ---- the request ---- */

/* DNS:a,IP:192.0.2.1 */
static void script_add_names(struct buf *b, const struct staged *st)
{
	for (size_t i = 0; i < st->count; i++) {
		const char *n = st->names[i];
		bool ip = strchr(n, ':') != NULL || n[strspn(n, "0123456789.")] == '\0';
		buf_addf(b, "%s%s:%s", i > 0 ? "," : "", ip ? "IP" : "DNS", n);
	}
}

/* What is ours to say has a mark, so that it is not taken for the babble of a program. */
static const char script_said[] =
    "die() { echo \"sev1: $*\" >&2; exit 1; }\n"
    "hint() { [ \"$(id -u)\" = 0 ] || echo '; set sudo = yes or another user'; }\n";

/* The public key's digest, as it stands in the note that this incident's new key is in place. */
static const char script_spki[] =
    "spki() { openssl pkey -in \"$1\" -passin pass: -pubout 2>/dev/null </dev/null | openssl dgst -sha256 -r; }\n";

/* Make the key beside, once: a second try finds it, beside or in place already, and goes on with it. */
static const char script_new_key[] =
    "real \"$kf\" || die \"$(astray \"$kf\")\"\n"
    "q=$r\n"
    "aside \"$q\" done-$g\n"
    "d=$b\n"
    "aside \"$q\" new-$g\n"
    "n=$b\n"
    "[ -L \"$n\" ] && die \"$n is a link; remove it\"\n"
    "if [ ! -e \"$n\" ] && [ -f \"$d\" ] && [ \"$(spki \"$q\")\" = \"$(cat \"$d\")\" ]; then\n"
    "  n=$q\n"
    "elif [ -e \"$n\" ]; then\n"
    "  [ -O \"$n\" ] || die \"$n belongs to someone else; remove it\"\n"
    "else\n"
    "  t=$(beside \"$q\") || exit 1\n"
    "  trap 'rm -f \"$t\"' EXIT\n"
    "  trap 'exit 1' HUP INT TERM PIPE\n"
    "  case $(openssl pkey -in \"$q\" -passin pass: -noout -text 2>/dev/null </dev/null | head -n 1) in\n"
    "  *primes*) set -- RSA rsa_keygen_bits:3072 ;;\n"
    "  *) set -- EC ec_paramgen_curve:P-256 ;;\n"
    "  esac\n"
    "  openssl genpkey -quiet -algorithm \"$1\" -pkeyopt \"$2\" -out \"$t\" 2>/dev/null </dev/null ||\n"
    "    openssl genpkey -algorithm \"$1\" -pkeyopt \"$2\" -out \"$t\" </dev/null || die \"no new key was made\"\n"
    "  chmod 600 \"$t\" && mv -f \"$t\" \"$n\" || die \"$n: not written\"\n"
    "  trap - EXIT\n"
    "fi\n"
    "q=$n\n";

static const char script_why[] =
    "why() {\n"
    "  f=$1\n"
    "  while [ \"$f\" != / ] && [ ! -d \"$f\" ]; do f=$(dirname \"$f\"); done\n"
    "  [ -x \"$f\" ] || die \"$f: a private folder that $(id -un) may not enter$(hint)\"\n"
    "}\n"
    "command -v openssl >/dev/null || die \"openssl is not installed on this host\"\n"
    "q=$kf\n";

static const char script_request[] =
    "if [ ! -e \"$q\" ]; then\n"
    "  why \"$q\"\n"
    "  [ -L \"$q\" ] && die \"$(astray \"$q\")\"\n"
    "  die \"$q: no such key on the host\"\n"
    "fi\n"
    "[ -f \"$q\" ] || die \"$q: not a plain file\"\n"
    "[ -r \"$q\" ] || die \"$q: not readable by $(id -un)$(hint)\"\n"
    /* by way of a configuration: -addext is younger than some that still serve (OpenSSL 1.0, LibreSSL 2) */
    "y=$(openssl req -new -config /dev/stdin -key \"$q\" -passin pass: -subj \"$subject\" <<E\n"
    "[req]\n"
    "distinguished_name=d\n"
    "req_extensions=e\n"
    "[d]\n"
    "[e]\n"
    "$san\n"
    "E\n"
    ") || { grep -q ENCRYPTED \"$q\" && die \"$q: a key with a passphrase, which is not known here\"; exit 1; }\n"
    /* The certificate that is there now, and nothing else of a file that may hold a key too. */
    "show() {\n"
    "  x=\n"
    "  while IFS= read -r l || [ -n \"$l\" ]; do\n"
    "    case $l in -----BEGIN\" \"CERTIFICATE-----*) x=1 ;; esac\n"
    "    [ -z \"$x\" ] || y=\"$y\n$l\"\n"
    "    case $x$l in 1-----END\" \"CERTIFICATE-----*) break ;; esac\n"
    "  done\n"
    "}\n"
    "if [ -r \"$c\" ] && [ -f \"$c\" ]; then show 2>/dev/null < \"$c\"; fi\n";

/* What every one of them knows. */
static void script_vars(struct buf *b, const struct staged *st)
{
	bool apart = st->chain != NULL && st->chain[0] != '\0';

	script_set(b, "c", st->certificate);
	script_set(b, "h", apart ? st->chain : "");
	script_set(b, "k", st->new_key && !st->combined ? st->key : "");
	script_set(b, "kf", st->key);
	script_set(b, "g", st->tag);
	script_set(b, "s", st->stamp);
	script_set(b, "reload", st->reload);
	buf_adds(b, script_said);
}

static void script_add_request(struct buf *b, const struct staged *st)
{
	struct buf subject = { 0 }, san = { 0 };

	/* X.520 ends a common name at 64 characters; longer names stand in the SAN only. */
	buf_addf(&subject, "/%s%s", strlen(st->names[0]) <= 64 ? "CN=" : "",
	    strlen(st->names[0]) <= 64 ? st->names[0] : "");
	buf_adds(&san, "subjectAltName=");
	script_add_names(&san, st);
	script_set(b, "subject", buf_str(&subject));
	script_set(b, "san", buf_str(&san));
	buf_adds(b, script_why);
	if (st->new_key)
		buf_adds(b, script_new_key);
	buf_adds(b, script_request);
	buf_free(&subject);
	buf_free(&san);
}

/* ---- the install ---- */

/* $c certificate, $h chain or "", $k key where it changes or "", $kf the key's file, $both where certificate, chain and
 * key are one file. */
static const char script_parts[] =
    "lim() { if command -v timeout >/dev/null; then timeout -k 2 $l \"$@\"; else \"$@\"; fi; }\n"
    "tidy() { for f in \"$tc\" \"$th\" \"$tk\"; do [ -z \"$f\" ] || rm -f \"$f\"; done; }\n"
    /* before anything was changed */
    "no() { echo \"sev1: $*\" >&2; tidy; drop; echo sev1 failed; exit 1; }\n"
    "drop() {\n"
    "  [ -z \"$kc\" ] || { aside \"$c\" \"$s\"; rm -f \"$b\"; }\n"
    "  [ -z \"$kh\" ] || { aside \"$h\" \"$s\"; rm -f \"$b\"; }\n"
    "  [ -z \"$kk\" ] || { aside \"$k\" \"$s\"; rm -f \"$b\"; }\n"
    "}\n"
    /* The stamp makes the name; noclobber makes the file, or finds that somebody else did. */
    "stage() {\n"
    "  [ ! -e \"$1\" ] || [ -f \"$1\" ] || no \"$1: not a plain file\"\n"
    "  [ -d \"${1%/*}/\" ] || no \"$1: there is no folder ${1%/*}\"\n"
    "  aside \"$1\" \"t$s\"\n"
    "  t=$b\n"
    "  umask $2\n"
    "  [ ! -L \"$t\" ] && [ ! -e \"$t\" ] && set -C && true > \"$t\" && set +C && [ -f \"$t\" ] ||\n"
    "    no \"no file can be made beside $1 by $(id -un)$(hint)\"\n"
    "  umask 077\n"
    "}\n"
    "who() { ls -ld \"$1\" | { read -r m n u g x; echo \"$u:$g\"; }; }\n"
    /* Is the new file $t for $1 as long as it was meant, and of the same mode and owner as the one that is there? One ls
     * for both, which sorts them as it likes. A mark for a label behind the mode is dropped; one for an ACL must be
     * the same, and makes them differ where the ACL was not copied ($3). */
    "same() {\n"
    "  if [ -e \"$1\" ]; then x=$(ls -ldn \"$1\" \"$t\"); else x=$(ls -ldn \"$t\"); fi || no \"$1: not written\"\n"
    "  case ${x##*\n} in *\".sev1-t$s\") ;; *) x=\"${x##*\n}\n${x%%\n*}\" ;; esac\n"
    "  f=$1 z=$2 a=$3\n"
    "  set -f\n"
    "  set -- ${x%%\n*}\n"
    "  m=${1%[.@]} u=$3:$4\n"
    "  set -- ${x##*\n}\n"
    "  set +f\n"
    "  [ -z \"$z\" ] || [ \"$5\" = \"$z\" ] || no \"$f: not written\"\n"
    "  case $a$m$1 in -*+*) [ ! -e \"$f\" ] || return 1 ;; esac\n"
    "  [ \"${m%+} $u\" = \"${1%[.+@]} $3:$4\" ]\n"
    "}\n"
    /* The new file $t for $1 belongs to whom the old one does, or it is not put there. */
    "ours() {\n"
    "  [ -z \"$w\" ] || chmod u-w \"$t\"\n"
    "  same \"$1\" \"$2\" copied || no \"$1 belongs to $(who \"$1\"), and $(id -un) cannot give a new file to them$(hint)\"\n"
    "}\n"
    "label() {\n"
    "  if [ -e \"$1\" ] && command -v selinuxenabled >/dev/null && selinuxenabled; then\n"
    "    chcon --reference=\"$1\" \"$t\" || no \"$1: $(id -un) cannot give its SELinux label to a new file\"\n"
    "  fi\n"
    "}\n"
    /* Not even its owner may write to a file of mode 444; until it is written he may. */
    "like() {\n"
    "  w=\n"
    "  [ -e \"$1\" ] || return 0\n"
    "  [ -r \"$1\" ] || no \"$1: not readable by $(id -un)$(hint)\"\n"
    "  cp -p \"$1\" \"$t\" || lost \"$1\"\n"
    "  [ -w \"$t\" ] || { chmod u+w \"$t\" && w=1; }\n"
    "}\n"
    /* A shell may say no more of a full disk than "I/O error". */
    "lost() {\n"
    "  x=$(df -P \"$t\" 2>/dev/null | { read -r x; read -r x x x x y; echo \"$x\"; })\n"
    "  [ \"$x\" = 0 ] && no \"$1: not written, No space left on its disk\"\n"
    "  no \"$1: not written\"\n"
    "}\n"
    /* what is in them is public: as most of them are, until it is seen that this one is another */
    "fill() {\n"
    "  printf %s \"$2\" > \"$t\" || lost \"$1\"\n"
    "  same \"$1\" ${#2} '' || { like \"$1\"; printf %s \"$2\" > \"$t\" || lost \"$1\"; ours \"$1\" ${#2}; }\n"
    "  label \"$1\"\n"
    "}\n"
    "pick() { sed -n \"/-----BEGIN $2-----/,/-----END $2-----/p\" \"$1\"; }\n"
    /* In the order of the old file: postfix takes its key only before the certificate. */
    "fuse() {\n"
    "  like \"$1\"\n"
    "  x=\n"
    "  [ ! -e \"$1\" ] || x=$(sed -n '/-----BEGIN .*[YE]-----/{p;q;}' \"$1\")\n"
    "  { { [ \"${x%KEY-----*}\" = \"$x\" ] || pick \"$2\" '.*PRIVATE KEY'; } && printf %s \"$3\" &&\n"
    "    { [ \"${x%KEY-----*}\" != \"$x\" ] || pick \"$2\" '.*PRIVATE KEY'; } &&\n"
    "    { [ ! -e \"$1\" ] || pick \"$1\" 'DH PARAMETERS'; }; } > \"$t\" &&\n"
    "    grep -q 'PRIVATE KEY-----' \"$t\" || lost \"$1\"\n"
    "  ours \"$1\" ''\n"
    "  label \"$1\"\n"
    "}\n"
    /* The backup is the old file itself under a second name, with all that belongs to it, until it is renamed over;
     * a copy where a second name cannot be had. */
    "keep() {\n"
    "  r=\n"
    "  [ -e \"$1\" ] || return 0\n"
    "  aside \"$1\" \"$s\"\n"
    "  [ -e \"$b\" ] && no \"$b is there already\"\n"
    "  ln \"$1\" \"$b\" 2>/dev/null || { cp -p \"$1\" \"$b\" && cmp -s \"$1\" \"$b\"; } ||\n"
    "    { rm -f \"$b\"; no \"$1: no backup could be made\"; }\n"
    "  r=1\n"
    "}\n"
    "give() {\n"
    "  [ -n \"$1\" ] || return 0\n"
    /* to rename one name of a file over its other does nothing */
    "  aside \"$1\" \"$s\"\n"
    "  if [ \"$b\" -ef \"$1\" ] || cmp -s \"$b\" \"$1\"; then rm -f \"$b\" || ok=\n"
    "  elif [ -e \"$b\" ]; then mv -f \"$b\" \"$1\" || ok=\n"
    "  elif [ -n \"$2\" ]; then ok=\n"
    "  else rm -f \"$1\"; fi\n"
    "}\n"
    "late() { case $r in 124|137|143) echo \"failed: no end within $l s: $1\" >&2 ;; esac; }\n"
    "back() {\n"
    "  echo sev1 phase rollback 2>/dev/null || exec >/dev/null 2>&1\n"
    "  tidy\n"
    "  give \"$c\" \"$kc\"; give \"$h\" \"$kh\"; give \"$k\" \"$kk\"\n"
    "  if [ -n \"$again\" ] && [ -n \"$reload\" ]; then\n"
    "    trap '' PIPE\n" /* nobody may be left to read what it says; that must not kill it */
    "    lim sh -c \"$reload\" </dev/null >&2; r=$?\n"
    "    trap : PIPE\n"
    "    [ $r -eq 0 ] || ok=\n"
    "    late \"$reload\"\n"
    "  fi\n"
    "  if [ -n \"$ok\" ]; then echo sev1 restored; else echo sev1 broken; fi\n"
    "  exit 1\n"
    "}\n";

/* Test, reload and the verdict, all of it in one time, for which one more process watches. It tells how far it came by
 * signals, as its output is the console's and its status may be that of the watch: from USR1 on the service may have
 * read the new files, from USR2 on the verdict is awaited. */
static const char script_try[] =
    "again= up=\n"
    "trap again=1 USR1\n"
    "trap up=1 USR2\n"
    "trap '' PIPE\n"
    "lim sh -c '\n"
    "p=$1 t=$2 r=$3\n"
    "shift 3\n"
    "[ -z \"$t\" ] || { echo sev1 phase test; (eval \"$t\") </dev/null >&2 || exit 3; }\n"
    "echo sev1 phase reload\n"
    "kill -s USR1 $p || exit 3\n"
    "[ -z \"$r\" ] || (eval \"$r\") </dev/null >&2 || exit 4\n"
    "kill -s USR2 $p\n"
    "echo sev1 installed\n"
    "read -r v || exit 5\n"
    "[ \"$v\" = keep ] || exit 6\n"
    "' sh $$ \"$test\" \"$reload\"\n"
    "r=$?\n"
    "trap : PIPE\n"
    "if [ $r -ne 0 ]; then\n"
    "  if [ -n \"$up\" ]; then [ $r -eq 6 ] || exec >/dev/null 2>&1\n" /* nobody is there any more */
    "  elif [ -n \"$again\" ]; then late \"$reload\"\n"
    "  else late \"$test\"; fi\n"
    "  back\n"
    "fi\n";

static const char script_steps[] =
    "tc= th= tk= kc= kh= kk= again= ok=1\n"
    "trap : HUP PIPE INT TERM\n" /* a lost connection must not stop it half way */
    "real \"$c\" || no \"$(astray \"$c\")\"\n"
    "c=$r\n"
    "real \"$kf\" || no \"$(astray \"$kf\")\"\n"
    "kf=$r\n"
    "real \"$h\" || no \"$(astray \"$h\")\"\n"
    "h=$r\n"
    "real \"$k\" || no \"$(astray \"$k\")\"\n"
    "k=$r\n"
    "case \"$c$h$kf\" in *[[:cntrl:]]*) no \"a path with control characters cannot be used\" ;; esac\n"
    "[ -n \"$both\" ] || [ ! \"$c\" -ef \"$kf\" ] || no \"$c holds the key too: set combined = yes\"\n"
    "[ -z \"$h\" ] || [ ! \"$c\" -ef \"$h\" ] || no \"$c and $h are one file: set no chain\"\n"
    "[ -z \"$h\" ] || [ ! \"$h\" -ef \"$kf\" ] || no \"$h holds the key too: set no chain\"\n"
    /* a play that was run a second time: the backup is the old file, and what is in place is not to become one */
    "aside \"$c\" \"$s\"\n"
    "[ ! -e \"$b\" ] || { echo \"sev1: $b is there already: it was installed before\" >&2; echo sev1 again; exit 1; }\n"
    "aside \"$kf\" new-$g\n"
    "n=$b; [ -n \"$new\" ] && [ -e \"$n\" ] || n=$kf\n"
    "if [ -n \"$both\" ]; then stage \"$c\" 077; tc=$t; fuse \"$c\" \"$n\" \"$pem\"\n"
    "else stage \"$c\" 022; tc=$t; fill \"$c\" \"$pem\"; fi\n"
    "[ -z \"$h\" ] || { stage \"$h\" 022; th=$t; fill \"$h\" \"$more\"; }\n"
    "[ -z \"$k\" ] || { stage \"$k\" 077; tk=$t; like \"$k\"; cat \"$n\" > \"$t\" || lost \"$k\"; ours \"$k\" ''; label \"$k\"; }\n"
    "flush \"$tc\" ${th:+\"$th\"} ${tk:+\"$tk\"} || lost \"$c\"\n"
    "keep \"$c\"; kc=$r\n"
    "[ -z \"$h\" ] || { keep \"$h\"; kh=$r; }\n"
    "[ -z \"$k\" ] || { keep \"$k\"; kk=$r; }\n"
    "[ -z \"$k\" ] || mv -f \"$tk\" \"$k\" || no \"$k: not replaced\"\n"
    "mv -f \"$tc\" \"$c\" || { [ -n \"$k\" ] || no \"$c: not replaced\"; back; }\n"
    "[ -z \"$h\" ] || mv -f \"$th\" \"$h\" || back\n";

static const char script_kept[] =
    "[ \"$n\" = \"$kf\" ] || { aside \"$kf\" done-$g; spki \"$kf\" > \"$b\" && rm -f \"$n\"; }\n"
    "echo sev1 kept\n";

static void script_add_install(struct buf *b, const struct staged *st)
{
	script_set(b, "new", st->new_key ? "1" : "");
	script_set(b, "both", st->combined ? "1" : "");
	script_set(b, "test", st->test);
	buf_adds(b, script_parts);
	buf_adds(b, script_steps);
	buf_adds(b, script_try);
	buf_adds(b, script_kept);
}

/* ---- whole ones ---- */

char *script_csr(const struct staged *st)
{
	struct buf b = { 0 };

	buf_adds(&b, script_head);
	script_vars(&b, st);
	buf_adds(&b, script_spki);
	script_add_request(&b, st);
	buf_adds(&b, "printf '%s\n' \"$y\"\n");
	return script_wrap(&b, st->sudo);
}

char *script_install(const struct staged *st, const char *certificate, const char *chain, int seconds)
{
	bool apart = st->chain != NULL && st->chain[0] != '\0';
	struct buf b = { 0 };
	char *both = apart ? NULL : mem_printf("%s%s", certificate, chain);

	buf_adds(&b, script_head);
	buf_adds(&b, script_flush);
	script_vars(&b, st);
	buf_adds(&b, script_spki);
	script_set(&b, "pem", apart ? certificate : both);
	script_set(&b, "more", apart ? chain : "");
	buf_addf(&b, "l=%d\n", seconds > 0 ? seconds : 1);
	script_add_install(&b, st);
	free(both);
	return script_wrap(&b, st->sudo);
}

/* The request is shown, and what shall be installed is read: what stands before "chain" goes into its own file. What is
 * said on stderr from here on is about the install. */
static const char script_hear[] =
    "echo '" SCRIPT_BEGINS "' >&2\n"
    "printf '%s\nsev1 request\n' \"$y\"\n"
    "pem= more= l=\n"
    "while [ -z \"$l\" ] && IFS= read -r x; do\n"
    "  case $x in\n"
    "  'sev1 chain') more=$pem pem= ;;\n"
    "  'sev1 install '*) l=${x#sev1 install } ;;\n"
    "  *) pem=\"$pem$x\n\" ;;\n"
    "  esac\n"
    "done\n"
    "[ -n \"$l\" ] || exit 1\n"; /* nothing comes: nothing was changed */

char *script_job(const struct staged *st)
{
	struct buf b = { 0 };

	buf_adds(&b, script_head);
	buf_adds(&b, script_flush);
	script_vars(&b, st);
	buf_adds(&b, script_spki);
	script_add_request(&b, st);
	buf_adds(&b, script_hear);
	script_add_install(&b, st);
	return script_wrap(&b, st->sudo);
}

char *script_job_input(const struct staged *st, const char *certificate, const char *chain, int seconds)
{
	bool apart = st->chain != NULL && st->chain[0] != '\0';

	return mem_printf("%s%s%s%ssev1 install %d\n", apart ? chain : "", apart ? "sev1 chain\n" : "", certificate,
	    apart ? "" : chain, seconds > 0 ? seconds : 1);
}

char *script_back(const struct staged *st)
{
	struct buf b = { 0 };

	buf_adds(&b, script_head);
	script_vars(&b, st);
	buf_adds(&b,
	    "echo sev1 phase rollback\n"
	    "ok=1 any=\n"
	    "for f in \"$c\" \"$h\" \"$k\"; do\n"
	    "  [ -n \"$f\" ] || continue\n"
	    "  real \"$f\" || die \"$(astray \"$f\")\"\n"
	    "  f=$r\n"
	    "  aside \"$f\" \"$s\"\n"
	    "  [ -e \"$b\" ] || continue\n"
	    "  any=1\n"
	    "  mv -f \"$b\" \"$f\" || ok=\n"
	    "done\n"
	    "[ -n \"$any\" ] || { echo sev1 nothing; die \"$c: there is no backup .${c##*/}.sev1-$s beside it\"; }\n"
	    "[ -z \"$reload\" ] || sh -c \"$reload\" </dev/null >&2 || ok=\n"
	    "if [ -n \"$ok\" ]; then echo sev1 restored; else echo sev1 broken; fi\n");
	return script_wrap(&b, st->sudo);
}
