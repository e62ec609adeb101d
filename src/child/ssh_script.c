#include "child/ssh_script.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"

#define PEM_MAX 65536u

/* Part of every script. No backslash and no exclamation mark of our own anywhere: the whole is one
 * quoted word for whatever login shell there is. */
/* A login shell's start-up files may complain before the script begins. */
static const char script_head[] =
    "echo '" SCRIPT_BEGINS "' >&2\n"
    "set -u\n"
    "umask 077\n"
    "LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\n"
    "export LC_ALL PATH\n"
    "die() { echo \"$*\" >&2; exit 1; }\n"
    "real() { r=$1; [ ! -L \"$1\" ] || r=$(readlink -f \"$1\"); }\n"
    "beside() { mktemp \"$1.sev1-XXXXXX\" || die \"no file can be made beside $1 by $(id -un)\"; }\n";

/* beside FILE, with its owner and mode where it exists, else mode $2; why it is not there for us */
static const char script_like[] =
    "like() { if [ -e \"$1\" ]; then cp -p \"$1\" \"$2\"; else chmod \"$3\" \"$2\"; fi; }\n"
    "flush() { if command -v sync >/dev/null; then sync \"$@\"; fi; }\n";

static const char script_why[] =
    "why() {\n"
    "  f=$1\n"
    "  while [ \"$f\" != / ] && [ ! -d \"$f\" ]; do f=$(dirname \"$f\"); done\n"
    "  [ -x \"$f\" ] || die \"$f: a private folder that $(id -un) may not enter; set sudo = yes or another user\"\n"
    "}\n";

static char *script_wrap(struct buf *script, bool sudo)
{
	struct buf b = { 0 };

	buf_adds(&b, sudo ? "exec sudo -n -- sh -c " : "exec sh -c ");
	text_quote(&b, buf_str(script));
	buf_free(script);
	return buf_take(&b);
}

static void script_set(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "%s='", name);
	/* The whole is quoted once more, for login shells to which a backslash means something within quotes. */
	for (const char *p = value != NULL ? value : ""; *p != '\0'; p++)
		if (*p == '\'')
			buf_adds(b, "'\"'\"'");
		else
			buf_addc(b, *p);
	buf_adds(b, "'\n");
}

static int script_check_path(const char *path, const char *what, struct err *e)
{
	if (path == NULL || path[0] != '/' || path[1] == '\0' || strlen(path) > 1000)
		return err_set(e, ERR_USAGE, _("%s: not an absolute path on the host: %s"), what,
		    path != NULL ? path : "");
	for (const char *p = path; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\' || *p == '!')
			return err_set(e, ERR_USAGE, _("%s: control characters, backslashes and ! cannot be used in the path %s"),
			    what, path);
	return 0;
}

static int script_check_command(const char *command, const char *what, struct err *e)
{
	for (const char *p = command != NULL ? command : ""; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 && *p != '\t')
			return err_set(e, ERR_USAGE, _("%s: control characters in the command"), what);
	return 0;
}

int script_check(const struct staged *st, struct err *e)
{
	int rc;

	if ((rc = script_check_path(st->key, "key", e)) < 0 ||
	    (rc = script_check_path(st->certificate, "certificate", e)) < 0 ||
	    (st->chain != NULL && st->chain[0] != '\0' &&
	        (rc = script_check_path(st->chain, "chain", e)) < 0) ||
	    (rc = script_check_command(st->test, "test", e)) < 0 ||
	    (rc = script_check_command(st->reload, "reload", e)) < 0)
		return rc;
	if (st->combined && (strcmp(st->key, st->certificate) != 0 || (st->chain != NULL && st->chain[0] != '\0')))
		return err_set(e, ERR_USAGE, _("combined: key, certificate and chain are one file, and key and certificate name it"));
	if (st->count == 0)
		return err_set(e, ERR_USAGE, _("no names for the certificate"));
	for (size_t i = 0; i < st->count; i++)
		if (!text_is_host(st->names[i], true))
			return err_set(e, ERR_USAGE, _("%s cannot be a name in a certificate"), st->names[i]);
	if (!text_is_word(st->tag) || !text_is_word(st->stamp))
		return err_set(e, ERR_USAGE, _("tag or stamp are not words"));
	return 0;
}

int script_order(struct staged *st, const json_t *order, const char **names, const char *tag, const char *stamp,
    struct err *e)
{
	const json_t *list = json_list(order, "names");
	size_t count = json_array_size(list);

	if (count > SCRIPT_NAMES)
		return err_set(e, ERR_USAGE, _("more than %d names for one certificate"), SCRIPT_NAMES);
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(list, i));
		names[i] = name != NULL ? name : "";
	}
	*st = (struct staged){
		.key = json_str(order, "key"), .certificate = json_str(order, "certificate"),
		.chain = json_str(order, "chain"), .names = names, .count = count,
		.combined = json_bool(order, "combined"), .sudo = json_bool(order, "sudo"),
		.new_key = strcmp(json_str(order, "key_mode"), "new") == 0,
		.tag = tag, .stamp = stamp,
		.test = json_str(order, "test"), .reload = json_str(order, "reload") };
	return script_check(st, e);
}

bool script_is_pem(const char *pem)
{
	size_t n = pem != NULL ? strlen(pem) : 0;

	return n > 0 && n <= PEM_MAX && strncmp(pem, "-----BEGIN ", 11) == 0 &&
	    strspn(pem, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=- \r\n") == n;
}

char *script_put(const char *path, const char *hex, mode_t mode)
{
	struct buf b = { 0 };

	buf_adds(&b, script_head);
	buf_adds(&b, script_like);
	script_set(&b, "f", path);
	script_set(&b, "h", hex);
	buf_addf(&b, "m=%03o\n", (unsigned)mode & 0777);
	buf_adds(&b,
	    "real \"$f\"; f=$r\n"
	    "[ -d \"$f\" ] && die \"$f is a folder\"\n"
	    "t=$(beside \"$f\") || exit 1\n"
	    "trap 'rm -f \"$t\"' EXIT\n"
	    "trap 'exit 1' HUP INT TERM PIPE\n"
	    "like \"$f\" \"$t\" $m && cat > \"$t\" && flush \"$t\" || die \"$f: not written\"\n"
	    "if command -v sha256sum >/dev/null; then s=$(sha256sum < \"$t\")\n"
	    "else s=$(openssl dgst -sha256 -r < \"$t\"); fi\n"
	    "[ \"${s%% *}\" = \"$h\" ] || die \"$f: what arrived is not what was sent\"\n"
	    "mv -f \"$t\" \"$f\" || die \"$f: not replaced\"\n"
	    "trap - EXIT\n");
	return script_wrap(&b, false);
}

/* DNS:a,IP:192.0.2.1 */
static void script_add_names(struct buf *b, const struct staged *st)
{
	for (size_t i = 0; i < st->count; i++) {
		const char *n = st->names[i];
		bool ip = strchr(n, ':') != NULL || n[strspn(n, "0123456789.")] == '\0';
		buf_addf(b, "%s%s:%s", i > 0 ? "," : "", ip ? "IP" : "DNS", n);
	}
}

/* The public key's digest, as it stands in the note that this incident's new key is in place. */
#define SCRIPT_SPKI "spki() { openssl pkey -in \"$1\" -passin pass: -pubout 2>/dev/null </dev/null | openssl dgst -sha256 -r; }\n"

/* Make the key beside, once: a second try finds it, beside or in place already, and goes on with it. */
static const char script_new_key[] =
    SCRIPT_SPKI
    "real \"$k\"; k=$r\n"
    "n=$k.sev1-new-$g\n"
    "d=$k.sev1-done-$g\n"
    "[ -L \"$n\" ] && die \"$n is a link; remove it\"\n"
    "if [ ! -e \"$n\" ] && [ -f \"$d\" ] && [ \"$(spki \"$k\")\" = \"$(cat \"$d\")\" ]; then\n"
    "  n=$k\n"
    "elif [ -e \"$n\" ]; then\n"
    "  [ -O \"$n\" ] || die \"$n belongs to someone else; remove it\"\n"
    "else\n"
    "  t=$(beside \"$k\") || exit 1\n"
    "  trap 'rm -f \"$t\"' EXIT\n"
    "  trap 'exit 1' HUP INT TERM PIPE\n"
    "  case $(openssl pkey -in \"$k\" -passin pass: -noout -text 2>/dev/null </dev/null | head -n 1) in\n"
    "  *primes*) set -- RSA rsa_keygen_bits:3072 ;;\n"
    "  *) set -- EC ec_paramgen_curve:P-256 ;;\n"
    "  esac\n"
    "  openssl genpkey -quiet -algorithm \"$1\" -pkeyopt \"$2\" -out \"$t\" 2>/dev/null </dev/null ||\n"
    "    openssl genpkey -algorithm \"$1\" -pkeyopt \"$2\" -out \"$t\" </dev/null || die \"no new key was made\"\n"
    "  chmod 600 \"$t\" && mv -f \"$t\" \"$n\" || die \"$n: not written\"\n"
    "  trap - EXIT\n"
    "fi\n"
    "k=$n\n";

char *script_csr(const struct staged *st)
{
	struct buf b = { 0 }, subject = { 0 }, san = { 0 };

	/* X.520 ends a common name at 64 characters; longer names stand in the SAN only. */
	buf_addf(&subject, "/%s%s", strlen(st->names[0]) <= 64 ? "CN=" : "",
	    strlen(st->names[0]) <= 64 ? st->names[0] : "");
	buf_adds(&san, "subjectAltName=");
	script_add_names(&san, st);
	buf_adds(&b, script_head);
	buf_adds(&b, script_why);
	script_set(&b, "k", st->key);
	script_set(&b, "c", st->certificate);
	script_set(&b, "g", st->tag);
	script_set(&b, "subject", buf_str(&subject));
	script_set(&b, "san", buf_str(&san));
	buf_adds(&b, "command -v openssl >/dev/null || die \"openssl is not installed on this host\"\n");
	if (st->new_key)
		buf_adds(&b, script_new_key);
	buf_adds(&b,
	    "[ -e \"$k\" ] || { why \"$k\"; die \"$k: no such key on the host\"; }\n"
	    "[ -r \"$k\" ] || die \"$k: not readable by $(id -un); set sudo = yes or another user\"\n"
	    "openssl req -new -config /dev/stdin -key \"$k\" -passin pass: -subj \"$subject\""
	    " -addext \"$san\" <<E || exit 1\n"
	    "[req]\n"
	    "distinguished_name=d\n"
	    "[d]\n"
	    "E\n"
	    /* The certificate that is there now, and nothing else of a file that may hold a key too. */
	    "[ -r \"$c\" ] && [ -f \"$c\" ] || exit 0\n"
	    "sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p"
	    ";/^-----END CERTIFICATE-----/q' \"$c\" 2>/dev/null\n"
	    "exit 0\n");
	buf_free(&subject);
	buf_free(&san);
	return script_wrap(&b, st->sudo);
}

/* Functions of the install: $c certificate, $h chain or "", $k key where it changes or "", $kf the key's file, $both
 * where certificate, chain and key are one file. Every program that is started costs the host as much as a
 * signature: what the shell can do by itself, it does. */
static const char script_parts[] =
    "lim() { if command -v timeout >/dev/null; then timeout -k 2 $l \"$@\"; else \"$@\"; fi; }\n"
    /* Nobody may be left to read what it says; that must not kill it. */
    "run() {\n"
    "  [ -n \"$1\" ] || return 0\n"
    "  trap '' PIPE\n"
    "  lim sh -c \"$1\" </dev/null >&2; r=$?\n"
    "  [ $r -ne 124 ] || echo \"failed: no end within $l s: $1\" >&2\n"
    "  trap : PIPE\n"
    "  return $r\n"
    "}\n"
    "tidy() { for f in \"$tc\" \"$th\" \"$tk\"; do [ -z \"$f\" ] || rm -f \"$f\"; done; }\n"
    /* before anything was changed */
    "no() { echo \"$*\" >&2; tidy; drop; echo sev1 failed; exit 1; }\n"
    "drop() {\n"
    "  [ -z \"$kc\" ] || rm -f \"$c.sev1-$s\"\n"
    "  [ -z \"$kh\" ] || rm -f \"$h.sev1-$s\"\n"
    "  [ -z \"$kk\" ] || rm -f \"$k.sev1-$s\"\n"
    "}\n"
    /* The stamp makes the name; noclobber makes the file, or finds that somebody else did. */
    "stage() {\n"
    "  t=$1.sev1-t$s\n"
    "  [ ! -L \"$t\" ] && [ ! -e \"$t\" ] && set -C && true > \"$t\" && set +C && [ -f \"$t\" ] ||\n"
    "    no \"no file can be made beside $1 by $(id -un); set sudo = yes or another user\"\n"
    "}\n"
    "who() { ls -ld \"$1\" | { read -r m n u g x; echo \"$u:$g\"; }; }\n"
    /* The new file $2 for $1 is as long as it was meant, and belongs to the same: one ls for both, by name, the shorter
     * first. A mark for ACLs or labels behind the mode is dropped. */
    "same() {\n"
    "  [ -e \"$1\" ] && x=$(ls -ldn \"$1\" \"$2\") || x=$(ls -ldn \"$2\" \"$2\") || no \"$1: not written\"\n"
    "  { read -r m1 x u1 g1 z x; read -r m2 x u2 g2 z x; } <<E\n"
    "$x\n"
    "E\n"
    "  [ -z \"$3\" ] || [ \"$z\" = \"$3\" ] || no \"$1: not written\"\n"
    "  [ -e \"$1\" ] || return 0\n"
    "  [ \"${m1%[.+@]} $u1 $g1\" = \"${m2%[.+@]} $u2 $g2\" ] ||\n"
    "    no \"$1 belongs to $(who \"$1\"), and $(id -un) cannot give a new file to them; set sudo = yes or another user\"\n"
    "  if command -v selinuxenabled >/dev/null && selinuxenabled; then\n"
    "    chcon --reference=\"$1\" \"$2\" || no \"$1: $(id -un) cannot give its SELinux label to a new file\"\n"
    "  fi\n"
    "}\n"
    "fill() { like \"$1\" \"$t\" $2 && printf %s \"$3\" > \"$t\" || no \"$1: not written\"; same \"$1\" \"$t\" ${#3}; }\n"
    "pick() { sed -n \"/-----BEGIN $2-----/,/-----END $2-----/p\" \"$1\"; }\n"
    "fuse() { like \"$1\" \"$t\" 600 && { printf %s \"$3\" && pick \"$2\" '.*PRIVATE KEY' && { [ ! -e \"$1\" ] || pick \"$1\" 'DH PARAMETERS'; }; } > \"$t\" &&\n"
    "  grep -q 'PRIVATE KEY-----' \"$t\" || no \"$1: not written\"; same \"$1\" \"$t\" ''; }\n"
    /* The backup is the old file itself under a second name, with all that belongs to it, until it is renamed over;
     * a copy where a second name cannot be had. */
    "keep() {\n"
    "  r=\n"
    "  [ -e \"$1\" ] || return 0\n"
    "  [ -e \"$1.sev1-$s\" ] && no \"$1.sev1-$s is there already\"\n"
    "  ln \"$1\" \"$1.sev1-$s\" 2>/dev/null || { cp -p \"$1\" \"$1.sev1-$s\" && cmp -s \"$1\" \"$1.sev1-$s\"; } ||\n"
    "    { rm -f \"$1.sev1-$s\"; no \"$1: no backup could be made\"; }\n"
    "  r=1\n"
    "}\n"
    "give() {\n"
    "  [ -n \"$1\" ] || return 0\n"
    /* to rename one name of a file over its other does nothing */
    "  if [ \"$1.sev1-$s\" -ef \"$1\" ]; then rm -f \"$1.sev1-$s\" || ok=\n"
    "  elif [ -e \"$1.sev1-$s\" ]; then mv -f \"$1.sev1-$s\" \"$1\" || ok=\n"
    "  elif [ -n \"$2\" ]; then ok=\n"
    "  else rm -f \"$1\"; fi\n"
    "}\n"
    "back() {\n"
    "  echo sev1 phase rollback 2>/dev/null || exec >/dev/null 2>&1\n"
    "  tidy\n"
    "  give \"$c\" \"$kc\"; give \"$h\" \"$kh\"; give \"$k\" \"$kk\"\n"
    "  [ -z \"$again\" ] || run \"$reload\" || ok=\n"
    "  if [ -n \"$ok\" ]; then echo sev1 restored; else echo sev1 broken; fi\n"
    "  exit 1\n"
    "}\n";

static const char script_steps[] =
    SCRIPT_SPKI
    "tc= th= tk= kc= kh= kk= again= ok=1\n"
    "trap : HUP PIPE INT TERM\n" /* a lost connection must not stop it half way */
    "echo sev1 phase install\n"
    "real \"$c\"; c=$r; real \"$kf\"; kf=$r; real \"$h\"; h=$r; real \"$k\"; k=$r\n"
    "case \"$c$h$kf\" in *[[:cntrl:]]*) no \"a path with control characters cannot be used\" ;; esac\n"
    "n=$kf.sev1-new-$g; [ -n \"$new\" ] && [ -e \"$n\" ] || n=$kf\n"
    "stage \"$c\"; tc=$t\n"
    "if [ -n \"$both\" ]; then fuse \"$c\" \"$n\" \"$pem\"; else fill \"$c\" 644 \"$pem\"; fi\n"
    "[ -z \"$h\" ] || { stage \"$h\"; th=$t; fill \"$h\" 644 \"$more\"; }\n"
    "[ -z \"$k\" ] || { stage \"$k\"; tk=$t; like \"$k\" \"$t\" 600 &&\n"
    "  cat \"$n\" > \"$t\" || no \"$k: not written\"; same \"$k\" \"$t\" ''; }\n"
    "flush \"$tc\" ${th:+\"$th\"} ${tk:+\"$tk\"} || no \"$c: not written\"\n"
    "keep \"$c\"; kc=$r\n"
    "[ -z \"$h\" ] || { keep \"$h\"; kh=$r; }\n"
    "[ -z \"$k\" ] || { keep \"$k\"; kk=$r; }\n"
    "[ -z \"$k\" ] || mv -f \"$tk\" \"$k\" || back\n"
    "mv -f \"$tc\" \"$c\" || back\n"
    "[ -z \"$h\" ] || mv -f \"$th\" \"$h\" || back\n"
    "echo sev1 phase test\n"
    "run \"$test\" || back\n"
    "echo sev1 phase reload\n"
    "again=1\n"
    "run \"$reload\" || back\n"
    "echo sev1 installed\n"
    "l=$((l + 5))\n" /* the verdict comes, or a word that there is none: longer only without a peer */
    "v=$(lim head -n 1)\n"
    "[ -n \"$v\" ] || exec >/dev/null 2>&1\n" /* nobody is there any more */
    "[ \"$v\" = keep ] || back\n"
    "[ \"$n\" = \"$kf\" ] || { spki \"$kf\" > \"$kf.sev1-done-$g\" && rm -f \"$n\"; }\n"
    "echo sev1 kept\n";

char *script_install(const struct staged *st, const char *certificate, const char *chain, int seconds)
{
	bool apart = st->chain != NULL && st->chain[0] != '\0';
	struct buf b = { 0 };
	char *both = apart ? NULL : mem_printf("%s%s", certificate, chain);

	buf_adds(&b, script_head);
	buf_adds(&b, script_like);
	script_set(&b, "c", st->certificate);
	script_set(&b, "h", apart ? st->chain : "");
	script_set(&b, "k", st->new_key && !st->combined ? st->key : "");
	script_set(&b, "kf", st->key);
	script_set(&b, "new", st->new_key ? "1" : "");
	script_set(&b, "both", st->combined ? "1" : "");
	script_set(&b, "g", st->tag);
	script_set(&b, "s", st->stamp);
	script_set(&b, "pem", apart ? certificate : both);
	script_set(&b, "more", apart ? chain : "");
	script_set(&b, "test", st->test);
	script_set(&b, "reload", st->reload);
	buf_addf(&b, "l=%d\n", seconds > 0 ? seconds : 1);
	buf_adds(&b, script_parts);
	buf_adds(&b, script_steps);
	free(both);
	return script_wrap(&b, st->sudo);
}

char *script_back(const struct staged *st)
{
	bool apart = st->chain != NULL && st->chain[0] != '\0';
	struct buf b = { 0 };

	buf_adds(&b, script_head);
	script_set(&b, "c", st->certificate);
	script_set(&b, "h", apart ? st->chain : "");
	script_set(&b, "k", st->new_key && !st->combined ? st->key : "");
	script_set(&b, "s", st->stamp);
	script_set(&b, "reload", st->reload);
	buf_adds(&b,
	    "echo sev1 phase rollback\n"
	    "ok=1 any=\n"
	    "for f in \"$c\" \"$h\" \"$k\"; do\n"
	    "  [ -n \"$f\" ] || continue\n"
	    "  real \"$f\"; f=$r\n"
	    "  [ -e \"$f.sev1-$s\" ] || continue\n"
	    "  any=1\n"
	    "  mv -f \"$f.sev1-$s\" \"$f\" || ok=\n"
	    "done\n"
	    "[ -n \"$any\" ] || die \"$c.sev1-$s: no such backup\"\n"
	    "[ -z \"$reload\" ] || sh -c \"$reload\" </dev/null >&2 || ok=\n"
	    "if [ -n \"$ok\" ]; then echo sev1 restored; else echo sev1 broken; fi\n");
	return script_wrap(&b, st->sudo);
}
