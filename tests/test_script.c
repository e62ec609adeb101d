/* The scripts for a host, run by a real shell: paths of any kind, one file with the key, and users who may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "child/serve.h"
#include "child/ssh_script.h"
#include "patience.h"
#include "sshd.h"

#define PEM "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

/* No child is started here. */
int ca_child(const json_t *request, json_t **result, struct err *e)
{
	(void)request;
	(void)result;
	return err_set(e, ERR_USAGE, "no CA here");
}

static struct staged staged(const char *key, const char *certificate)
{
	static const char *const names[] = { "web01" };

	return (struct staged){ .key = key, .certificate = certificate, .chain = "", .names = names, .count = 1, .tag = "t",
		.stamp = "1", .test = "true", .reload = "true" };
}

/* Run a script (freed) as a user with the verdict "keep"; its stdout in "out", its stderr in "err". */
static void run(char *script, const char *as)
{
	FILE *f = fopen("script", "w");

	assert_non_null(f);
	fputs(script, f);
	fclose(f);
	free(script);
	sh("echo keep | %s sh ./script > out 2> err || :", as);
}

static void said(const char *file, const char *what)
{
	char *text = slurp(file);

	if (strstr(text, what) == NULL)
		fail_msg("%s: %s", file, text);
	free(text);
}

static void test_paths(void **state)
{
	static const char *const folders[] = { "a b", "it's", "$HOME", "*", "[x]", "`id`", "a;b", "\"q\"", "-n", "ü" };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		char *dir = mem_printf("%s/%s", scratch_path(), folders[i]);
		char *key = mem_printf("%s/server key", dir), *cert = mem_printf("%s/server pem", dir);
		struct staged st = staged(key, cert);
		FILE *f;
		sh("rm -rf work && mkdir work && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out 'work/server key' 2>/dev/null && echo old > 'work/server pem'");
		assert_int_equal(rename("work", dir), 0);
		assert_int_equal(script_check(&st, &e), 0);
		run(script_csr(&st), "");
		sh("openssl req -in out -noout -verify >/dev/null 2>&1");
		run(script_install(&st, PEM, "", PATIENCE_S), "");
		said("out", "sev1 kept");
		f = fopen(cert, "r");
		assert_non_null(f);
		fclose(f);
		st.new_key = true;
		st.stamp = "2";
		run(script_csr(&st), "");
		run(script_install(&st, PEM, "", PATIENCE_S), "");
		said("out", "sev1 kept");
		free(dir);
		free(key);
		free(cert);
	}
	for (const char *const *p = (const char *const[]){ "/a\nb", "/a\033b", "/a\\b", "/a!b", "relative", "/", NULL }; *p != NULL; p++) {
		struct staged st = staged(*p, "/c");
		if (script_check(&st, &e) == 0)
			fail_msg("taken: %s", *p);
	}
}

/* haproxy's one file: certificate first, then the key, and DH parameters that stood there. */
static void test_combined(void **state)
{
	char *file = mem_printf("%s/both.pem", scratch_path());
	struct staged st = staged(file, file);
	struct err e = { 0 };

	(void)state;
	st.combined = true;
	assert_int_equal(script_check(&st, &e), 0);
	sh("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k 2>/dev/null; { echo old; "
	   "printf '%%s\\n' '-----BEGIN CERTIFICATE-----' BBBB '-----END CERTIFICATE-----'; cat k; printf '%%s\\n' '-----BEGIN DH PARAMETERS-----' AA== '-----END DH PARAMETERS-----'; } > both.pem; chmod 640 both.pem");
	run(script_csr(&st), "");
	sh("openssl req -in out -noout -pubkey | cmp - \"$(openssl pkey -in k -pubout -out pub; echo pub)\"");
	run(script_install(&st, PEM, "", PATIENCE_S), "");
	said("out", "sev1 kept");
	sh("{ printf '%%s\\n' '-----BEGIN CERTIFICATE-----' AAAA '-----END CERTIFICATE-----'; cat k; "
	   "printf '%%s\\n' '-----BEGIN DH PARAMETERS-----' AA== '-----END DH PARAMETERS-----'; } | cmp - both.pem");
	sh("[ \"$(stat -c %%a both.pem)\" = 640 ]");
	st.new_key = true;
	st.stamp = "2";
	run(script_csr(&st), "");
	sh("openssl req -in out -noout -pubkey > newpub");
	run(script_install(&st, PEM, "", PATIENCE_S), "");
	said("out", "sev1 kept");
	sh("openssl pkey -in both.pem -pubout | cmp - newpub; ! cmp -s newpub pub; [ \"$(grep -c 'BEGIN PRIVATE' both.pem)\" = 1 ]; "
	   "[ ! -e .both.pem.sev1-new-t ]");
	/* a service that reads every file of the folder finds that one, and nothing of ours */
	sh("[ \"$(echo both*)\" = both.pem ]");
	/* a file that has its key first keeps it there: postfix takes no other order */
	sh("{ cat k; printf '%%s\\n' '-----BEGIN CERTIFICATE-----' BBBB '-----END CERTIFICATE-----'; } > both.pem");
	st.new_key = false;
	st.stamp = "3";
	run(script_install(&st, PEM, "", PATIENCE_S), "");
	said("out", "sev1 kept");
	sh("{ cat k; printf '%%s\\n' '-----BEGIN CERTIFICATE-----' AAAA '-----END CERTIFICATE-----'; } | cmp - both.pem");
	st.key = "/other";
	assert_true(script_check(&st, &e) < 0);
	free(file);
}

/* The certificate in place comes behind the request, and never the key that lies with it; none is no failure. */
static void test_show(void **state)
{
	char *file = mem_printf("%s/shown.pem", scratch_path());
	struct staged st = staged(file, file);

	(void)state;
	st.combined = true;
	sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k2 -out c2 -subj /CN=in-place "
	   "2>/dev/null && cat k2 c2 > shown.pem");
	run(script_csr(&st), "");
	sh("openssl req -in out -noout -verify 2>/dev/null && openssl x509 -in out | cmp - c2 && ! grep -q PRIVATE out");
	sh("cp k2 shown.pem");
	run(script_csr(&st), "");
	sh("openssl req -in out -noout -verify 2>/dev/null && ! grep -q 'BEGIN CERTIFICATE-' out");
	free(file);
}

/* Whom a file belongs to, and who may not give it back. */
static void test_denied(void **state)
{
	char *private = mem_printf("%s/private/k", scratch_path()), *cert = mem_printf("%s/open/c", scratch_path());
	char *key = mem_printf("%s/open/k", scratch_path());
	struct staged st = staged(private, cert);

	(void)state;
	if (geteuid() != 0) {
		free(private);
		free(cert);
		free(key);
		skip();
	}
	sh("chmod 755 .; mkdir private open; cp k private; cp k open; chmod 700 private; chmod 600 open/k; echo old > open/c; "
	   "chown daemon:daemon open/c; chmod 777 open");
	run(script_csr(&st), "runuser -u nobody --");
	said("err", "private: a private folder that nobody may not enter");
	st.key = key;
	run(script_csr(&st), "runuser -u nobody --");
	said("err", "open/k: not readable by nobody");
	run(script_install(&st, PEM, "", PATIENCE_S), "runuser -u nobody --");
	said("out", "sev1 failed");
	said("err", "open/c belongs to daemon:daemon, and nobody cannot give a new file to them");
	sh("[ \"$(cat open/c)\" = old ] && [ \"$(ls -A open | wc -l)\" = 2 ]");
	/* through sudo it is root who works */
	st.sudo = true;
	sh("mkdir bin; printf '#!/bin/sh\\n[ \"$1 $2\" = \"-n --\" ] || exit 9\\nshift 2\\nexec \"$@\"\\n' > bin/sudo; chmod 755 bin/sudo");
	run(script_install(&st, PEM, "", PATIENCE_S), "PATH=$PWD/bin:$PATH");
	said("out", "sev1 kept");
	sh("[ \"$(stat -c %%U:%%G:%%a open/c)\" = daemon:daemon:644 ]");
	free(private);
	free(cert);
	free(key);
}

/* A file that its owner himself may only read, and a new key for it. */
static void test_read_only(void **state)
{
	char *read_key = mem_printf("%s/read/k", scratch_path()), *read_cert = mem_printf("%s/read/c", scratch_path());
	struct staged own = staged(read_key, read_cert);

	(void)state;
	if (geteuid() != 0) {
		free(read_key);
		free(read_cert);
		skip();
	}
	sh("mkdir read; cp k read/k; chmod 400 read/k; echo old > read/c; chmod 444 read/c; chown -R nobody:nogroup read");
	own.new_key = true;
	run(script_csr(&own), "runuser -u nobody --");
	run(script_install(&own, PEM, "", PATIENCE_S), "runuser -u nobody --");
	said("out", "sev1 kept");
	sh("[ \"$(stat -c %%U:%%a read/c read/k | tr '\\n' ' ')\" = 'nobody:444 nobody:400 ' ] && grep -q CERT read/c && ! cmp -s read/k k");
	own.combined = true;
	own.certificate = read_key;
	own.new_key = false;
	own.stamp = "2";
	run(script_install(&own, PEM, "", PATIENCE_S), "runuser -u nobody --");
	said("out", "sev1 kept");
	sh("[ \"$(stat -c %%U:%%a read/k)\" = nobody:400 ] && grep -q CERT read/k && grep -q PRIVATE read/k");
	free(read_key);
	free(read_cert);
}

/* The backup is the old file itself, or a copy where there are no hard links; what lies in the way is left alone, and a
 * rename that fails leaves one file with one name. */
static void test_backup(void **state)
{
	char *key = mem_printf("%s/b/k", scratch_path()), *cert = mem_printf("%s/b/c", scratch_path());
	struct staged st = staged(key, cert);

	(void)state;
	sh("mkdir -p b fake; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out b/k 2>/dev/null; echo old > b/c; "
	   "ln b/c was");
	run(script_install(&st, PEM, "", PATIENCE_S), "");
	said("out", "sev1 kept");
	sh("[ b/.c.sev1-1 -ef was ] && [ \"$(cat was)\" = old ] && [ ! b/c -ef was ] && [ \"$(ls -A b | wc -l)\" = 3 ]");
	/* the same once more, as a play is that was run twice: the old file stays the backup, and the handshake decides */
	run(script_install(&st, PEM, "", PATIENCE_S), "");
	said("out", "sev1 again");
	sh("[ b/.c.sev1-1 -ef was ] && grep -q CERTIFICATE b/c && [ \"$(ls -A b | wc -l)\" = 3 ]");
	sh("rm b/.c.sev1-1; echo old > b/c; printf '#!/bin/sh\\nexit 1\\n' > fake/ln; chmod 755 fake/ln");
	run(script_install(&st, PEM, "", PATIENCE_S), "PATH=$PWD/fake:$PATH");
	said("out", "sev1 kept");
	sh("[ \"$(cat b/.c.sev1-1)\" = old ] && [ \"$(ls -A b | wc -l)\" = 3 ]");
	/* the new file cannot be renamed over the old */
	sh("rm b/.c.sev1-1 fake/ln; echo old > b/c; printf '#!/bin/sh\\ncase $2 in *.sev1-t1) exit 1 ;; esac\\nexec %s \"$@\"\\n' "
	   "\"$(command -v mv)\" > fake/mv; chmod 755 fake/mv", "%s");
	run(script_install(&st, PEM, "", PATIENCE_S), "PATH=$PWD/fake:$PATH");
	said("out", "sev1 failed");
	said("err", "sev1: ");
	said("err", "b/c: not replaced");
	sh("[ \"$(cat b/c)\" = old ] && [ \"$(ls -A b | wc -l)\" = 2 ]");
	/* no more can it once the new key is in place, and then the old one comes back */
	st.new_key = true;
	run(script_csr(&st), "");
	sh("cp b/k kept; sed -i 's,\\*.sev1-t1,*/.c.sev1-t1,' fake/mv");
	run(script_install(&st, PEM, "", PATIENCE_S), "PATH=$PWD/fake:$PATH");
	said("out", "sev1 restored");
	sh("cmp -s b/k kept && [ \"$(cat b/c)\" = old ]; rm b/.k.sev1-new-t");
	st.new_key = false;
	/* a copy that is the same as the file need not, and cannot always, be put back */
	sh("printf '#!/bin/sh\\ncase $2 in */.c.sev1-*) exit 1 ;; esac\\nexec %s \"$@\"\\n' \"$(command -v mv)\" > fake/mv; "
	   "printf '#!/bin/sh\\nexit 1\\n' > fake/ln; chmod 755 fake/ln", "%s");
	st.new_key = true;
	run(script_csr(&st), "");
	run(script_install(&st, PEM, "", PATIENCE_S), "PATH=$PWD/fake:$PATH");
	said("out", "sev1 restored");
	sh("cmp -s b/k kept && [ \"$(cat b/c)\" = old ]; rm b/.k.sev1-new-t fake/ln; [ \"$(ls -A b | wc -l)\" = 2 ]");
	st.new_key = false;
	/* somebody put a link where the new file is to be made */
	sh("echo theirs > theirs; ln -s ../theirs b/.c.sev1-t1");
	run(script_install(&st, PEM, "", PATIENCE_S), "");
	said("out", "sev1 failed");
	said("err", "no file can be made beside");
	sh("[ \"$(cat b/c)\" = old ] && [ \"$(cat theirs)\" = theirs ] && [ -L b/.c.sev1-t1 ] && [ \"$(ls -A b | wc -l)\" = 3 ]");
	free(key);
	free(cert);
}

/* What stands where a key or certificate should: each is named, and nothing is done to it or beside it. */
static void test_odd(void **state)
{
	static const struct {
		const char *make, *file, *said;
		bool key; /* it is the key that is odd */
	} odd[] = {
		{ "mkdir o/k", "err", "o/k: not a plain file", true },
		{ "mkfifo o/k", "err", "o/k: not a plain file", true },
		{ "ln -s /nonexistent/k o/k", "err", "o/k is a link to /nonexistent/k, which leads nowhere", true },
		{ "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128 -pass pass:x -out o/k 2>/dev/null", "err",
		    "o/k: a key with a passphrase", true },
		{ "mkdir o/c", "err", "o/c: not a plain file", false },
		{ "mkfifo o/c", "err", "o/c: not a plain file", false },
		{ "ln -s none/c o/c", "err", "o/c is a link to none/c, which leads nowhere", false },
		{ "ln -s c o/c", "err", "o/c is a link to c, which leads nowhere", false },
		{ "ln -s k o/c", "err", "o/k holds the key too: set combined = yes", false },
		{ "ln o/k o/c", "err", "o/c holds the key too: set combined = yes", false },
		{ "ln -s real o/c", "out", "sev1 kept", false },
	};
	char *key = mem_printf("%s/o/k", scratch_path()), *cert = mem_printf("%s/o/c", scratch_path());
	char *lost = mem_printf("%s/o/no/c", scratch_path());
	struct staged st = staged(key, cert);

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		sh("rm -rf o; mkdir o; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out o/k 2>/dev/null; echo old > o/c; "
		   "rm o/%c; %s; ls -lA o > was", odd[i].key ? 'k' : 'c', odd[i].make);
		run(odd[i].key ? script_csr(&st) : script_install(&st, PEM, "", 10), "timeout 20");
		said(odd[i].file, odd[i].said);
		if (strcmp(odd[i].file, "err") == 0)
			sh("ls -lA o | cmp - was");
		else
			sh("[ -L o/c ] && [ -f o/real ] && grep -q CERTIFICATE o/real");
		if (!odd[i].key && strcmp(odd[i].file, "err") == 0)
			said("out", "sev1 failed");
	}
	st.certificate = lost;
	run(script_install(&st, PEM, "", PATIENCE_S), "");
	said("err", "o/no/c: there is no folder");
	free(key);
	free(cert);
	free(lost);
}

/* The whole job in one script with "sh" as that shell; stdin is the certificate and the verdict (NULL: not even the
 * certificate), and ends once "after" has run. */
static void job(const struct staged *st, const char *verdict, int seconds, const char *after)
{
	char *input = script_job_input(st, PEM, st->chain[0] != '\0' ? PEM : "", seconds), *script = script_job(st);
	FILE *f = fopen("script", "w");

	assert_non_null(f);
	fputs(script, f);
	fclose(f);
	f = fopen("in", "w");
	assert_non_null(f);
	fputs(verdict == NULL ? "" : input, f);
	fputs(verdict == NULL ? "" : verdict, f);
	fclose(f);
	sh("{ cat in; %s; } | PATH=%s/shell:$PATH sh ./script > out 2> err || :", after, scratch_path());
	free(input);
	free(script);
}

static void job_in_shell(struct staged st, const char *chain)
{
	const char *as_before = "[ \"$(cat j/c)\" = old ] && [ \"$(ls -A j)\" = \"$(printf 'c\\nk')\" ] && [ \"$(stat -c %a j/c)\" = 640 ]";

	/* the certificate never comes */
	job(&st, NULL, PATIENCE_S, ":");
	sh("grep -q '^sev1 request$' out && openssl req -in out -noout -verify 2>/dev/null && ! grep -q failed out");
	sh("%s", as_before);
	/* told to go back, or left alone */
	job(&st, "back\n", PATIENCE_S, ":");
	said("out", "sev1 phase test\nsev1 phase reload\nsev1 installed\nsev1 phase rollback\nsev1 restored\n");
	sh("%s", as_before);
	st.reload = "cat j/c >> reloads";
	job(&st, "", PATIENCE_S, ":");
	sh("! grep -q rollback out && [ \"$(tail -n 1 reloads)\" = old ]");
	sh("%s", as_before);
	job(&st, "", 3, "sleep 5");
	sh("! grep -q rollback out && [ \"$(tail -n 1 reloads)\" = old ] && rm reloads");
	sh("%s", as_before);
	/* what fails or hangs is named, and the service is touched only where it may have read the new files */
	st.test = "echo broken >&2; exit 3";
	job(&st, "keep\n", PATIENCE_S, ":");
	said("out", "sev1 phase test\nsev1 phase rollback\nsev1 restored\n");
	said("err", "broken");
	sh("[ ! -e reloads ]");
	sh("%s", as_before);
	st.test = "exec sleep 60";
	job(&st, "keep\n", 1, ":");
	said("err", "failed: no end within 1 s: exec sleep 60");
	said("out", "sev1 phase rollback\nsev1 restored\n");
	sh("[ ! -e reloads ]");
	sh("%s", as_before);
	st.test = "exec true";
	st.reload = "[ -e again ] && exit 0; true > again; sleep 60";
	job(&st, "keep\n", 3, ":");
	said("err", "failed: no end within 3 s: [ -e again ]");
	said("out", "sev1 phase reload\nsev1 phase rollback\nsev1 restored\n");
	sh("rm again");
	sh("%s", as_before);
	/* and kept, the chain in a file of its own */
	st.reload = "exit 0";
	st.chain = chain;
	job(&st, "keep\n", PATIENCE_S, ":");
	said("out", "sev1 kept");
	sh("grep -q AAAA j/c && cmp j/c j/chain && [ \"$(stat -c %%a j/c j/chain)\" = \"$(printf '640\\n644')\" ] && "
	   "[ \"$(ls -A j | LC_ALL=C sort)\" = \"$(printf '.c.sev1-1\\nc\\nchain\\nk')\" ] && [ \"$(cat j/.c.sev1-1)\" = old ]");
}

/* In every shell that a host may have as sh, as far as it is here. */
static void test_job(void **state)
{
	static const char *const shells[] = { "dash", "bash", "busybox", "mksh", "ksh", "yash" };
	char *key = mem_printf("%s/j/k", scratch_path()), *cert = mem_printf("%s/j/c", scratch_path());
	char *chain = mem_printf("%s/j/chain", scratch_path());
	int tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
		sh("rm -rf shell j; mkdir shell j; ! p=$(command -v %s) || ln -s $p shell/sh; openssl genpkey -algorithm EC "
		   "-pkeyopt ec_paramgen_curve:P-256 -out j/k 2>/dev/null; echo old > j/c; chmod 640 j/c", shells[i]);
		if (access("shell/sh", X_OK) < 0)
			continue;
		print_message("%s\n", shells[i]);
		job_in_shell(staged(key, cert), chain);
		tried++;
	}
	assert_true(tried >= 2);
	free(key);
	free(cert);
	free(chain);
}

/* A csh takes no quoted line's end: not one line of the script is run by it. */
static void test_csh(void **state)
{
	char *key = mem_printf("%s/csh/k", scratch_path()), *cert = mem_printf("%s/csh/c", scratch_path()), *script;
	struct staged st = staged(key, cert);
	FILE *f;

	(void)state;
	if (system("command -v csh >/dev/null") == 0) {
		script = script_job(&st);
		f = fopen("script", "w");
		assert_non_null(f);
		fputs(script, f);
		fclose(f);
		free(script);
		sh("! csh -f -c \"$(cat script)\" > out 2> err < /dev/null && [ ! -s out ]");
		said("err", "sev1: the login shell of this user is a csh");
	} else {
		print_message("csh is not installed\n");
	}
	free(key);
	free(cert);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_paths), cmocka_unit_test(test_job), cmocka_unit_test(test_combined), cmocka_unit_test(test_show),
		cmocka_unit_test(test_denied), cmocka_unit_test(test_read_only), cmocka_unit_test(test_backup), cmocka_unit_test(test_csh), cmocka_unit_test(test_odd) };
	int rc;

	scratch_enter((const char *const[]){ "openssl", "runuser", NULL });
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_leave();
	return rc;
}
