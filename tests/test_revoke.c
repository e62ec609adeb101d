/* The revocation engine against real CA directories: openssl ca's and easy-rsa's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "pki/revoke.h"
#include "pki_seam.h"

/* A CA with a frozen scope of every valid row. */
struct scene {
	struct opened o;
	struct revoke_job job;
	char hash[DIGEST_HEX];
	char *manifest, *folder;
};

static void scene_freeze(struct scene *s)
{
	struct err e = { 0 };
	struct index *x = index_load(s->o.ca->database, &e);
	size_t n;
	struct sorted *rows = index_sorted(x, &n, &e);
	struct scope sc;
	struct buf b = { 0 };

	if (rows == NULL || scope_select(s->o.ca, s->o.cert, x, rows, n, NULL, NULL, (int64_t)time(NULL) * 1000,
	                        NULL, &sc, &e) < 0)
		print_message("%s\n", e.text);
	assert_int_equal(e.code, 0);
	scope_manifest(&b, s->o.ca, s->o.cert, x, &sc);
	digest_of(buf_str(&b), b.len, s->hash);
	pki_write(s->manifest, buf_str(&b));
	buf_free(&b);
	scope_clear(&sc);
	free(rows);
	index_free(x);
}

static void scene_open(struct scene *s, const char *name, const char *config)
{
	*s = (struct scene){ .o = pki_open(name, config), .manifest = mem_printf("%s/%s.manifest", pki_here(), name),
		.folder = mem_printf("%s/%s.crls", pki_here(), name) };
	assert_int_equal(fs_mkdirs(s->folder, 0700, NULL), 0);
	scene_freeze(s);
	s->job = (struct revoke_job){ .ca = s->o.ca, .cert = s->o.cert, .key = s->o.key, .path = s->manifest,
		.manifest = s->hash, .folder = s->folder, .stamp = (int64_t)time(NULL) * 1000,
		.now = (int64_t)time(NULL) * 1000, .hours = 24, .exact = true };
}

static void scene_close(struct scene *s)
{
	pki_close(&s->o);
	free(s->manifest);
	free(s->folder);
}

static void scene_revoke(struct scene *s, struct revoke_result *r)
{
	struct err e = { 0 };

	if (revoke_run(&s->job, NULL, r, &e) < 0)
		print_message("%s\n", e.text);
	assert_int_equal(e.code, 0);
}

static void scene_refused(struct scene *s, int code, const char *what)
{
	struct revoke_result r;
	struct err e = { 0 };
	int rc = revoke_run(&s->job, NULL, &r, &e);

	if (rc != code || strstr(e.text, what) == NULL)
		print_message("%d: %s\n", rc, e.text);
	assert_int_equal(rc, code);
	assert_non_null(strstr(e.text, what));
	revoke_clear(&r);
}

/* What openssl says of the CRL that was made. */
static void openssl_accepts(const char *name, const char *ca_file, const struct revoke_result *r)
{
	pki_must("openssl crl -inform DER -in %s -noout -verify -CAfile %s", r->crl.der, ca_file);
	pki_must("openssl crl -in %s -noout -verify -CAfile %s", r->crl.pem, ca_file);
	pki_must("test $(openssl crl -inform DER -in %s -noout -text | grep -c 'Serial Number:') = %lld", r->crl.der,
	    (long long)r->crl.entries);
	pki_must("openssl crl -inform DER -in %s -noout -text > %s.text; grep 'Version 2' %s.text && "
	         "grep 'X509v3 Authority Key Identifier' %s.text && grep 'X509v3 CRL Number' %s.text", r->crl.der,
	    name, name, name, name);
}

static void test_openssl(void **state)
{
	struct scene s;
	struct revoke_result r;
	char *before, *backup, *old, *new, *line;

	(void)state;
	pki_openssl("plain", "ec", 6);
	pki_must("openssl ca -config plain/openssl.cnf -revoke plain/newcerts/1002.pem -crl_reason superseded");
	/* by hand: a lower-case serial, an expired row, a comment, CR LF, the last line open */
	pki_must("{ printf '# by hand\\nV\\t20491231235959Z\\t\\t00abcdef\\tunknown\\t/CN=by hand\\r\\n'; "
	         "printf 'V\\t200101000000Z\\t\\t0D\\tunknown\\t/CN=long expired\\n'; "
	         "printf 'V\\t291231235959Z\\t\\t0E\\tunknown\\t/CN=open end'; } >> plain/index.txt; chmod 640 plain/index.txt");
	before = pki_read("plain/index.txt");
	old = pki_read("plain/index.txt.attr");
	scene_open(&s, "plain", "plain/openssl.cnf");
	s.job.since = 1790000000000LL;
	scene_revoke(&s, &r);
	assert_int_equal(r.planned, 7);
	assert_int_equal(r.revoked, 7);
	assert_int_equal(r.already, 1);
	assert_int_equal(r.crl.entries, 8);
	assert_string_equal(r.crl.number, "01");
	/* the backups are what was there */
	backup = pki_read(r.backup[0]);
	assert_string_equal(backup, before);
	free(backup);
	backup = pki_read(r.backup[1]);
	assert_string_equal(backup, old);
	free(backup);
	backup = pki_read(r.backup[2]);
	assert_string_equal(backup, "01\n");
	free(backup);
	/* untouched rows are as they were, octet for octet; mode too */
	new = pki_read("plain/index.txt");
	assert_non_null(strstr(new, "# by hand\n"));
	assert_non_null(strstr(new, "V\t200101000000Z\t\t0D\tunknown\t/CN=long expired\n"));
	assert_non_null(strstr(new, ",superseded\t1002\tunknown\t/CN=host0003.example.com\n"));
	assert_non_null(strstr(new, ",keyTime,20260921141320Z\t00abcdef\tunknown\t/CN=by hand\r\n"));
	line = strstr(new, "\t0E\tunknown\t/CN=open end\n");
	assert_non_null(line);
	pki_must("test $(stat -c %%a plain/index.txt) = 640");
	/* openssl ca goes on: its CRL holds the same, updatedb, status, issuing, revoking */
	openssl_accepts("plain", "plain/ca.crt", &r);
	pki_must("openssl ca -gencrl -config plain/openssl.cnf -out plain/own.pem");
	pki_must("openssl crl -in plain/own.pem -noout -text | grep 'Serial Number\\|Date\\|Invalidity' -A1 > plain/own.txt; "
	         "openssl crl -in %s -noout -text | grep 'Serial Number\\|Date\\|Invalidity' -A1 > plain/ours.txt; "
	         "cmp plain/own.txt plain/ours.txt", r.crl.pem);
	pki_must("openssl crl -in plain/own.pem -noout -crlnumber | grep -i 'crlNumber=0x0\\?2'");
	pki_must("openssl ca -config plain/openssl.cnf -updatedb && grep '^E.*long expired' plain/index.txt");
	assert_int_equal(pki_sh("openssl ca -config plain/openssl.cnf -status 1000 2>&1 | grep -q '1000=Revoked'"), 0);
	pki_must("cd plain && openssl ca -batch -notext -config openssl.cnf -in leaf.csr -out new.crt && "
	         "openssl verify -CAfile ca.crt new.crt && openssl ca -config openssl.cnf -revoke new.crt");
	pki_must("cat plain/ca.crt %s > plain/both; openssl verify -crl_check -CAfile plain/both plain/newcerts/1000.pem; "
	         "test $? -ne 0", r.crl.pem);
	revoke_clear(&r);
	free(before);
	free(old);
	free(new);
	scene_close(&s);
}

/* Write the manifest anew with a reason of its own for each row, in the order of rows. */
static void scene_reasons(struct scene *s, const char *const reasons[])
{
	char *text = pki_read(s->manifest), *line = text;
	struct buf b = { 0 };

	for (int i = -3; *line != '\0'; i++) {
		size_t n = strcspn(line, "\n");

		if (i < 0)
			buf_addf(&b, "%.*s\n", (int)n, line);
		else
			buf_addf(&b, "%.*s %s\n", (int)strcspn(line, " "), line, reasons[i]);
		line += n + 1;
	}
	digest_of(buf_str(&b), b.len, s->hash);
	pki_write(s->manifest, buf_str(&b));
	buf_free(&b);
	free(text);
}

/* The CRL made now; its path is owned by the caller. */
static char *scene_crl(struct scene *s, int64_t now, int64_t *entries)
{
	struct err e = { 0 };
	struct index *x = index_load(s->o.ca->database, &e);
	struct crl_file f;
	size_t n;
	struct sorted *rows = index_sorted(x, &n, &e);
	struct listing l = { .x = x, .rows = rows, .n = n, 
		.gone = crl_gone(s->o.ca, s->o.cert, s->folder, now) };
	char *path;

	if (crl_file_make(s->o.ca, s->o.cert, s->o.key, &l, s->folder, now, 24, NULL, &f, &e) < 0)
		print_message("%s\n", e.text);
	assert_int_equal(e.code, 0);
	*entries = f.entries;
	path = mem_strdup(f.der);
	crl_file_clear(&f);
	free(rows);
	index_free(x);
	return path;
}

static void test_reasons(void **state)
{
	static const char *const reasons[] = { "privilegeWithdrawn", "aACompromise", "unspecified", "certificateHold",
		"cessationOfOperation", "affiliationChanged", "cACompromise", "superseded" };
	static const char *const words[] = { "Privilege Withdrawn", "AA Compromise", "Certificate Hold",
		"Cessation Of Operation", "Affiliation Changed", "CA Compromise", "Superseded" };
	struct scene s;
	struct revoke_result r;
	int64_t entries;
	char *crl;

	(void)state;
	pki_openssl("reasons", "ec", 8);
	scene_open(&s, "reasons", "reasons/openssl.cnf");
	scene_reasons(&s, reasons);
	scene_revoke(&s, &r);
	assert_int_equal(r.revoked, 8);
	openssl_accepts("reasons", "reasons/ca.crt", &r);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		pki_must("test $(grep -c '%s' reasons.text) = 1", words[i]);
	pki_must("test $(grep -c 'CRL Reason Code' reasons.text) = 7"); /* unspecified has none (RFC 5280 5.3.1) */
	revoke_clear(&r);
	/* run again it is found done, reasons and all */
	scene_revoke(&s, &r);
	assert_int_equal(r.done, 8);
	assert_string_equal(r.crl.number, "01");
	revoke_clear(&r);
	/* openssl ca works on, and carries along what it has no word for */
	pki_must("cd reasons && openssl ca -batch -notext -config openssl.cnf -in leaf.csr -out new.crt && "
	         "openssl ca -config openssl.cnf -revoke new.crt && openssl ca -config openssl.cnf -gencrl -out own.pem && "
	         "openssl ca -config openssl.cnf -updatedb && "
	         "grep \"$(printf '\\tunknown;reason=privilegeWithdrawn\\t/CN=host0001')\" index.txt && "
	         "grep \"$(printf '\\tunknown;reason=aACompromise\\t/CN=host0002')\" index.txt");
	crl = scene_crl(&s, s.job.now, &entries);
	assert_int_equal(entries, 9);
	pki_must("openssl crl -inform DER -in %s -noout -text > reasons.text && grep 'Privilege Withdrawn' reasons.text && "
	         "grep 'AA Compromise' reasons.text", crl);
	free(crl);
	scene_close(&s);
}

/* A certificate's entry is on the first CRL after its expiry, and on no later one. */
static void test_gone(void **state)
{
	struct scene s;
	int64_t entries, expiry = 1800000000000LL; /* 2027-01-15 08:00 */
	const struct { int64_t hours; int entries; } made[] = { { -2, 2 }, { -1, 2 }, { 1, 2 }, { 2, 1 }, { 3, 1 } };

	(void)state;
	pki_openssl("gone", "ec", 0);
	pki_must("{ printf 'R\\t270115080000Z\\t260101000000Z,superseded\\t0A\\tunknown\\t/CN=a\\n'; "
	         "printf 'R\\t291231235959Z\\t260101000000Z\\t0B\\tunknown\\t/CN=b\\n'; } > gone/index.txt");
	scene_open(&s, "gone", "gone/openssl.cnf");
	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
		free(scene_crl(&s, expiry + made[i].hours * 3600000, &entries));
		assert_int_equal(entries, made[i].entries);
	}
	scene_close(&s);
}

/* The CA's own CRL file may be of a clock that was wrong, or of another CA: nothing leaves the CRL for it. */
static void test_gone_not(void **state)
{
	static const char *const gencrl[] = {
		"openssl ca -config goner/openssl.cnf -gencrl -crl_lastupdate 20400101000000Z -crl_nextupdate 20410101000000Z "
		"-out goner/crl.pem",
		"sed 's,^certificate.*,certificate = $dir/../else.crt,' goner/openssl.cnf > else.cnf; echo 90 > goner/crlnumber; "
		"openssl ca -config else.cnf -gencrl -crl_lastupdate 20400101000000Z -crl_nextupdate 20410101000000Z "
		"-out goner/crl.pem",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct revoke_result r;
		struct scene s;

		pki_must("rm -rf goner goner.crls");
		pki_openssl("goner", "ec", 2);
		pki_must("sed -i 's/^policy = pol/policy = pol\\ncrl = $dir\\/crl.pem/' goner/openssl.cnf; "
		         "openssl req -x509 -key goner/private/ca.key -subj /CN=else -days 9 -config goner/openssl.cnf -out else.crt; %s; "
		         "echo 05 > goner/crlnumber", gencrl[i]);
		scene_open(&s, "goner", "goner/openssl.cnf");
		scene_revoke(&s, &r);
		assert_int_equal(r.crl.entries, 2);
		openssl_accepts("goner", "goner/ca.crt", &r);
		revoke_clear(&r);
		scene_close(&s);
	}
}

static void test_easyrsa(void **state)
{
	struct scene s;
	struct revoke_result r;

	(void)state;
	pki_easyrsa("easy", 3);
	assert_int_equal(pki_easyrsa_run("easy", "revoke web02.example.com"), 0);
	scene_open(&s, "easy", "easy/pki");
	scene_revoke(&s, &r);
	assert_int_equal(r.revoked, 2);
	assert_int_equal(r.crl.entries, 3);
	openssl_accepts("easy", "easy/pki/ca.crt", &r);
	/* easyrsa goes on */
	assert_int_equal(pki_easyrsa_run("easy", "gen-crl"), 0);
	pki_must("test $(openssl crl -in easy/pki/crl.pem -noout -text | grep -c 'Serial Number:') = 3");
	assert_int_equal(pki_easyrsa_run("easy", "build-server-full web04.example.com nopass"), 0);
	assert_int_equal(pki_easyrsa_run("easy", "revoke web04.example.com"), 0);
	assert_int_equal(pki_easyrsa_run("easy", "update-db"), 0);
	revoke_clear(&r);
	/* and then sev1 again: a number above the last */
	scene_freeze(&s);
	s.job.stamp += 1000;
	scene_revoke(&s, &r);
	assert_int_equal(r.planned, 0);
	assert_int_equal(r.crl.entries, 4);
	assert_string_equal(r.crl.number, "02");
	revoke_clear(&r);
	scene_close(&s);
}

/* Keep a copy of a CA directory to compare with. */
static void keep(const char *name)
{
	pki_must("rm -rf kept && mkdir kept && cp -p %s/index.txt %s/index.txt.attr %s/crlnumber kept/", name, name, name);
}

static void unchanged(const char *name)
{
	pki_must("for f in index.txt index.txt.attr crlnumber; do cmp kept/$f %s/$f; done; "
	         "test -z \"$(ls %s | grep 'sev1-')\" && test -z \"$(ls %s.crls)\"", name, name, name);
}

static void test_differences(void **state)
{
	struct scene s;

	(void)state;
	pki_openssl("diff", "ec", 3);
	scene_open(&s, "diff", "diff/openssl.cnf");
	/* issued meanwhile */
	pki_must("printf 'V\\t291231235959Z\\t\\t20\\tunknown\\t/CN=new\\n' >> diff/index.txt");
	keep("diff");
	scene_refused(&s, ERR_REFUSED, "1 issued meanwhile (20 is new)");
	unchanged("diff");
	s.job.exact = false; /* a selection does not mind */
	{
		struct revoke_result r;
		struct err e = { 0 };

		assert_int_equal(revoke_check(&s.job, &r, &e), 0);
		assert_int_equal(r.planned, 3);
		assert_int_equal(r.done, 0);
		assert_string_equal(r.first, "1000");
		assert_string_equal(r.first_name, "/CN=host0001.example.com");
		revoke_clear(&r);
	}
	/* revoked, marked expired, gone meanwhile */
	pki_must("openssl ca -config diff/openssl.cnf -revoke diff/newcerts/1000.pem; "
	         "sed -i '/\\t1001\\t/d; /\\t1002\\t/s/^V/E/' diff/index.txt");
	keep("diff");
	scene_refused(&s, ERR_REFUSED, "1 missing, 1 revoked meanwhile, 1 marked expired meanwhile");
	unchanged("diff");
	/* a malformed row, by its line; a serial twice */
	pki_must("echo 'V 291231235959Z 99 unknown /CN=spaces' >> diff/index.txt");
	scene_refused(&s, ERR_REFUSED, "index.txt: line 4 cannot be read");
	pki_must("sed -i '$d' diff/index.txt; printf 'V\\t291231235959Z\\t\\t0020\\tunknown\\t/CN=twice\\n' >> diff/index.txt");
	scene_refused(&s, ERR_REFUSED, "lines 3 and 4 have the same serial 20");
	/* another manifest than was confirmed */
	pki_must("echo >> diff.manifest");
	scene_refused(&s, ERR_REFUSED, "not the manifest that was confirmed");
	scene_close(&s);
}

static void test_number(void **state)
{
	struct scene s;

	(void)state;
	pki_openssl("number", "ec", 2);
	scene_open(&s, "number", "number/openssl.cnf");
	pki_must("echo junk > number/crlnumber");
	keep("number");
	scene_refused(&s, ERR_SYNTAX, "\"junk\" is not a CRL number");
	unchanged("number"); /* told before anything is touched */
	pki_must("rm number/crlnumber");
	scene_refused(&s, ERR_IO, "crlnumber: No such file");
	pki_must("echo 01 > number/crlnumber; : > number/index.txt.attr");
	s.job.hours = 0;
	scene_refused(&s, ERR_USAGE, "not 0");
	s.job.hours = 24;
	keep("number");
	s.job.key = X509_get0_pubkey(s.o.cert);
	scene_refused(&s, ERR_FAILED, "could not be signed");
	unchanged("number"); /* nor anything else that keeps a CRL from being signed */
	s.job.key = s.o.key;
	free(s.o.ca->default_md);
	s.o.ca->default_md = mem_strdup("sha257");
	scene_refused(&s, ERR_SYNTAX, "openssl.cnf: default_md = sha257: no such digest");
	unchanged("number");
	free(s.o.ca->default_md);
	s.o.ca->default_md = mem_strdup("sha3-256"); /* signs, but no client knows ECDSA with it */
	scene_refused(&s, ERR_REFUSED, "would not be published: its signature does not verify");
	unchanged("number");
	scene_close(&s);
}

/* A crl_extensions that openssl ca refuses is refused before anything is touched, by name. */
static void test_extensions(void **state)
{
	static const struct {
		const char *section, *what;
	} bad[] = {
		{ "[other]", "there is no section [crl]" },
		{ "[crl]\nnosuch = 1", "[crl] nosuch = 1: not an extension of a CRL (unknown extension name)" },
		{ "[crl]\ncrlNumber = 7", "crlNumber = 7: not an extension" },
		{ "[crl]\nissuingDistributionPoint = critical,@nowhere", "issuingDistributionPoint = critical,@nowhere: not" },
		{ "[crl]\nsubjectKeyIdentifier = hash", "subjectKeyIdentifier = hash: not" },
	};
	struct scene s;

	(void)state;
	pki_openssl("exts", "ec", 1);
	pki_must("sed -i 's/^policy = pol/policy = pol\\ncrl_extensions = crl/' exts/openssl.cnf; cp exts/openssl.cnf exts/plain.cnf; "
	         "touch exts/index.txt.attr");
	keep("exts");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct revoke_result r;
		struct err e = { 0 };

		pki_must("cat exts/plain.cnf - > exts/openssl.cnf <<'E'\n%s\nE", bad[i].section);
		scene_open(&s, "exts", "exts/openssl.cnf");
		assert_int_equal(revoke_check(&s.job, &r, &e), ERR_SYNTAX); /* the plan says it */
		assert_non_null(strstr(e.text, "exts/openssl.cnf: "));
		assert_true(e.remedy[0] != '\0');
		scene_refused(&s, ERR_SYNTAX, bad[i].what);
		unchanged("exts");
		assert_int_not_equal(pki_sh("openssl ca -gencrl -config exts/openssl.cnf -out exts/x.pem"), 0);
		scene_close(&s);
	}
}

/* Files that another user owns, a folder that is not ours: told before anything is touched; a lock that root made keeps
 * nobody out. */
static void test_owner(void **state)
{
	struct revoke_result r;
	struct err e = { 0 };
	struct scene s;

	(void)state;
	if (geteuid() != 0)
		skip();
	pki_openssl("owner", "ec", 2);
	scene_open(&s, "owner", "owner/openssl.cnf");
	pki_must("chmod 755 . && chown -R 65534:65534 owner owner.crls && chown 0 owner/crlnumber && touch owner/index.txt.attr");
	keep("owner");
	assert_int_equal(setgroups(0, NULL) | setegid(65534) | seteuid(65534), 0);
	assert_int_equal(revoke_check(&s.job, &r, &e), ERR_REFUSED); /* the plan says it */
	assert_non_null(strstr(e.text, "owner/crlnumber: belongs to user 0 "));
	assert_true(e.remedy[0] != '\0');
	scene_refused(&s, ERR_REFUSED, "owner/crlnumber: belongs to user 0 ");
	assert_int_equal(seteuid(0), 0);
	unchanged("owner");
	pki_must("test -z \"$(ls owner | grep pre-emergency)\" && chown 65534 owner/crlnumber && chown 0 owner");
	assert_int_equal(seteuid(65534), 0);
	scene_refused(&s, ERR_IO, "owner: files in it cannot be replaced");
	assert_int_equal(seteuid(0), 0);
	unchanged("owner");
	pki_must("chown 65534 owner && rm owner/index.txt.lock");
	close(fs_lock(s.o.ca->database, 0, &e));
	assert_int_equal(seteuid(65534), 0);
	scene_revoke(&s, &r);
	assert_int_equal(seteuid(0) | setegid(0), 0);
	assert_int_equal(r.revoked, 2);
	revoke_clear(&r);
	scene_close(&s);
}

/* The database and the number lie elsewhere: rewritten there, and still linked to. */
static void test_links(void **state)
{
	struct scene s;
	struct revoke_result r;

	(void)state;
	pki_openssl("links", "ec", 2);
	pki_must("mkdir far && mv links/index.txt far/db && mv links/crlnumber far/number && ln -s ../far/db links/index.txt && "
	         "ln -s ../far/number links/crlnumber");
	scene_open(&s, "links", "links/openssl.cnf");
	scene_revoke(&s, &r);
	pki_must("test -L links/index.txt && test -L links/crlnumber && test $(grep -c ^R far/db) = 2 && grep -qx 02 far/number");
	pki_must("openssl ca -config links/openssl.cnf -status 1000 2>&1 | grep -q Revoked");
	openssl_accepts("links", "links/ca.crt", &r);
	revoke_clear(&r);
	scene_close(&s);
}

/* Something else writes to the index while it is being rewritten: seen in the last moment. */
struct meddler {
	const char *step, *index;
};

static void meddle(void *ctx, const char *step)
{
	const struct meddler *m = ctx;

	if (strcmp(step, m->step) == 0)
		pki_must("printf 'V\\t291231235959Z\\t\\t30\\tunknown\\t/CN=meddled\\n' >> %s", m->index);
}

static void meddled(struct scene *s, const char *index, const char *step)
{
	struct meddler m = { step, index };
	struct watch w = { .step = meddle, .ctx = &m };
	int valid = pki_count(index, "V"), revoked = pki_count(index, "R");
	struct revoke_result r;
	struct err e = { 0 };

	assert_int_equal(revoke_run(&s->job, &w, &r, &e), ERR_REFUSED);
	assert_non_null(strstr(e.text, "changed by another program"));
	assert_int_equal(pki_count(index, "V"), valid + 1);
	assert_int_equal(pki_count(index, "R"), revoked);
	pki_must("test -z \"$(ls %s)\"", s->folder); /* no CRL says otherwise */
}

static void test_during(void **state)
{
	struct scene s;

	(void)state;
	pki_openssl("during", "ec", 2);
	scene_open(&s, "during", "during/openssl.cnf");
	meddled(&s, "during/index.txt", "index synced");
	scene_close(&s);
}

/* An index so large that it is written while its CRL is signed. */
static void test_large(void **state)
{
	struct revoke_result r;
	struct err e = { 0 };
	struct scene s;

	(void)state;
	pki_openssl("large", "ec", 1);
	pki_must("awk 'BEGIN { for (i = 0; i < 60000; i++) printf \"V\\t291231235959Z\\t\\t%%08X%%08X\\tunknown\\t"
	         "/C=DE/O=Example GmbH/CN=host%%07d.example.com\\n\", (i * 48271) %% 2147483647 + 1, i, i }' >> large/index.txt");
	scene_open(&s, "large", "large/openssl.cnf");
	keep("large");
	meddled(&s, "large/index.txt", "index synced");
	pki_must("rm large/index.txt.pre-*; sed -i '$d' large/index.txt");
	unchanged("large");
	/* a key that cannot sign: told before anything is touched */
	s.job.key = X509_get0_pubkey(s.o.cert);
	assert_true(revoke_run(&s.job, NULL, &r, &e) < 0);
	assert_non_null(strstr(e.text, "could not be signed"));
	unchanged("large");
	s.job.key = s.o.key;
	scene_revoke(&s, &r);
	assert_int_equal(r.planned, 60001);
	assert_int_equal(r.revoked, 60001);
	assert_int_equal(r.crl.entries, 60001);
	pki_must("test $(wc -l < large/index.txt) = 60001");
	openssl_accepts("large", "large/ca.crt", &r);
	revoke_clear(&r);
	scene_close(&s);
}

static void test_locked(void **state)
{
	struct scene s;
	struct err e = { 0 };
	int fd;

	(void)state;
	pki_openssl("locked", "ec", 1);
	scene_open(&s, "locked", "locked/openssl.cnf");
	fd = fs_lock(s.o.ca->database, 0, &e);
	assert_true(fd >= 0);
	scene_refused(&s, ERR_TIMEOUT, "locked by another process");
	close(fd);
	scene_close(&s);
}

/* In a child process whose files may not grow beyond some octets: every write in turn fails. */
static void test_full(void **state)
{
	struct scene s;
	struct revoke_result r;
	int status, failed = 0;
	pid_t pid;

	(void)state;
	pki_openssl("full", "ec", 4);
	scene_open(&s, "full", "full/openssl.cnf");
	keep("full");
	for (rlim_t limit = 0; limit < 1100; limit += 100) {
		fflush(NULL);
		if ((pid = fork()) == 0) {
			struct rlimit rl = { limit, limit };
			struct err e = { 0 };

			signal(SIGXFSZ, SIG_IGN);
			setrlimit(RLIMIT_FSIZE, &rl);
			_exit(revoke_run(&s.job, NULL, &r, &e) == 0 ? 0 : e.text[0] != '\0' ? 1 : 2);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		if (WEXITSTATUS(status) == 0)
			break;
		failed++;
		/* as it was, or wholly revoked: nothing in between, and no half CRL */
		if (pki_count("full/index.txt", "R") == 0)
			pki_must("cmp kept/index.txt full/index.txt");
		else
			assert_int_equal(pki_count("full/index.txt", "R"), 4);
		pki_must("for f in full.crls/*.crl; do test ! -e $f || openssl crl -inform DER -in $f -noout -verify "
		         "-CAfile full/ca.crt; done");
	}
	assert_true(failed > 2);
	scene_revoke(&s, &r); /* with room again it goes on */
	assert_int_equal(r.revoked, 4);
	openssl_accepts("full", "full/ca.crt", &r);
	revoke_clear(&r);
	scene_close(&s);
}

/* A file system of 128 KiB that is full. */
static void test_tmpfs(void **state)
{
	struct scene s;

	(void)state;
	pki_must("mkdir tiny");
	if (mount("tmpfs", "tiny", "tmpfs", 0, "size=128k") < 0) {
		print_message("SKIP: no tmpfs can be mounted here\n");
		skip();
	}
	pki_openssl("tiny", "ec", 2);
	scene_open(&s, "tiny", "tiny/openssl.cnf");
	keep("tiny");
	pki_sh("dd if=/dev/zero of=tiny/fill bs=1k");
	scene_refused(&s, ERR_IO, "too little room");
	unchanged("tiny");
	assert_int_equal(mount(NULL, "tiny", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	scene_refused(&s, ERR_IO, "Read-only file system");
	unchanged("tiny");
	scene_close(&s);
	assert_int_equal(umount("tiny"), 0);
}

/* ---- killed ---- */

struct killer {
	int left;
};

static void kill_at(void *ctx, const char *step)
{
	struct killer *k = ctx;

	(void)step;
	if (k->left-- == 0)
		raise(SIGKILL);
}

/* Killed at its n-th step: true while there was one. */
static bool killed_at(struct scene *s, int n)
{
	struct killer k = { n };
	struct watch w = { .stage = kill_at, .step = kill_at, .ctx = &k };
	struct revoke_result r;
	struct err e = { 0 };
	int status;
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) == 0)
		_exit(revoke_run(&s->job, &w, &r, &e) == 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return true;
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void test_killed(void **state)
{
	struct scene s;
	struct revoke_result r;
	int n;

	(void)state;
	pki_openssl("kill", "ec", 5);
	pki_must("cp -a kill kill.orig");
	scene_open(&s, "kill", "kill/openssl.cnf");
	for (n = 0;; n++) {
		bool was_killed;

		pki_must("rm -rf kill kill.crls && cp -a kill.orig kill && mkdir kill.crls");
		was_killed = killed_at(&s, n);
		pki_must("echo half > kill/index.txt.sev1-AbCdEf; echo half > kill.crls/kill-01.crl.sev1-AbCdEf");
		/* another reader finds a whole index at any time */
		pki_must("openssl ca -config kill/openssl.cnf -status 1000 2>&1 | grep '1000='");
		assert_true(pki_count("kill/index.txt", "R") == 0 || pki_count("kill/index.txt", "R") == 5);
		scene_revoke(&s, &r);
		assert_int_equal(r.revoked, 5);
		assert_int_equal(r.crl.entries, 5);
		openssl_accepts("kill", "kill/ca.crt", &r);
		pki_must("test -z \"$(ls kill kill.crls | grep sev1-)\""); /* what was left half written is swept away */
		/* one CRL, one set of backups with what was there before */
		pki_must("test $(ls kill.crls/*.crl | wc -l) = 1 && cmp %s kill.orig/index.txt", r.backup[0]);
		pki_must("cmp kill/index.txt.attr kill.orig/index.txt.attr");
		revoke_clear(&r);
		/* and once more changes nothing, not even the number */
		pki_must("cp kill/crlnumber kill/index.txt kept/");
		scene_revoke(&s, &r);
		assert_int_equal(r.revoked, 5);
		pki_must("cmp kept/crlnumber kill/crlnumber && cmp kept/index.txt kill/index.txt && "
		         "test $(ls kill.crls/*.crl | wc -l) = 1");
		revoke_clear(&r);
		if (!was_killed)
			break;
	}
	assert_true(n >= 14);
	print_message("killed at %d steps\n", n);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl), cmocka_unit_test(test_reasons), cmocka_unit_test(test_gone), cmocka_unit_test(test_gone_not),
		cmocka_unit_test(test_easyrsa), cmocka_unit_test(test_differences),
		cmocka_unit_test(test_number), cmocka_unit_test(test_extensions), cmocka_unit_test(test_owner), cmocka_unit_test(test_during), cmocka_unit_test(test_links), cmocka_unit_test(test_large), cmocka_unit_test(test_locked),
		cmocka_unit_test(test_full), cmocka_unit_test(test_tmpfs), cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests_name("revoke", tests, pki_folder, pki_folder_drop);
}
