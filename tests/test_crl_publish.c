/* Bad CRLs of every kind against the real publication: engine, journal, CA child, file points, PEM, another host, and
 * a web server that is asked afterwards. None replaces the good one, and the error names the kind. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/serve.h"
#include "engine/run.h"
#include "pki/crl_check.h"
#include "pki_seam.h"
#include "web.h"
#include "work/declare.h"

static struct err e;
static int port;
static struct loop *loop;
static struct engine *en;
static struct buf said;
static int status;
static bool ended;
static struct opened good_ca, other_ca;

/* Another host is this machine. */
int ssh_child(const json_t *request, json_t **result, struct err *err)
{
	return action_child(request, result, err);
}

/* ---- a CRL, octet by octet ---- */

static void tlv(struct buf *b, int tag, const void *data, size_t len)
{
	buf_addc(b, (char)tag);
	if (len >= 0x10000) {
		buf_addc(b, (char)0x83);
		buf_addc(b, (char)(len >> 16));
		buf_addc(b, (char)(len >> 8));
	} else if (len >= 0x100) {
		buf_addc(b, (char)0x82);
		buf_addc(b, (char)(len >> 8));
	} else if (len >= 0x80) {
		buf_addc(b, (char)0x81);
	}
	buf_addc(b, (char)len);
	buf_add(b, data, len);
}

static void wrap(struct buf *b, int tag, struct buf *inner)
{
	tlv(b, tag, inner->data, inner->len);
	buf_free(inner);
}

static void utc(struct buf *b, int64_t at)
{
	char text[32];
	time_t t = (time_t)at;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%y%m%d%H%M%SZ", &tm);
	tlv(b, 0x17, text, 13);
}

/* OID octets, value of the extension. */
static void extension(struct buf *b, const char *oid, size_t oid_len, bool critical, const void *value, size_t len)
{
	struct buf x = { 0 };

	tlv(&x, 0x06, oid, oid_len);
	if (critical)
		tlv(&x, 0x01, "\xff", 1);
	tlv(&x, 0x04, value, len);
	wrap(b, 0x30, &x);
}
#define CE(arc) "\x55\x1d" arc, 3

struct kind {
	const char *name, *id;  /* id: how the error names it; NULL: it is good */
	int version;            /* octet; -1: no version */
	const char *number;     /* INTEGER octets; NULL: none */
	size_t number_len;
	int from, until;        /* seconds from now; until 0: no nextUpdate */
	bool other_issuer, other_key, wrong_aki, no_aki, md5, outer, flip;
	const char *more;       /* a further extension, of what kind */
	const char *list;       /* what is done to the entries */
	const char *file;       /* what is done to the octets */
};

static void entry(struct buf *b, const char *serial, size_t len, int64_t at, int reason, const char *what)
{
	struct buf x = { 0 }, exts = { 0 };
	char big[2000];

	tlv(&x, 0x02, serial, len);
	utc(&x, at);
	if (reason >= 0)
		extension(&exts, CE("\x15"), false, (char[]){ 0x0a, 1, (char)reason }, 3);
	if (strcmp(what, "critical") == 0)
		extension(&exts, CE("\x63"), true, "\x05\x00", 2);
	if (strcmp(what, "indirect") == 0)
		extension(&exts, CE("\x1d"), true, "\x30\x00", 2);
	memset(big, 0, sizeof big);
	if (strcmp(what, "huge") == 0)
		extension(&exts, CE("\x63"), false, big, sizeof big);
	if (exts.len > 0)
		wrap(&x, 0x30, &exts);
	wrap(b, 0x30, &x);
}

/* What index.txt revokes: 1000 and 1001 on this day, superseded. */
#define REVOKED_AT 1767225600 /* 2026-01-01 */

static void entries(struct buf *b, const struct kind *k)
{
	struct buf x = { 0 };
	const char *how = k->list != NULL ? k->list : "";

	if (strcmp(how, "none") == 0)
		return;
	entry(&x, "\x10\x00", 2, strcmp(how, "date") == 0 ? REVOKED_AT + 86400 : REVOKED_AT, strcmp(how, "reason") == 0 ? 1 : 4, how);
	if (strcmp(how, "missing") != 0)
		entry(&x, "\x10\x01", 2, REVOKED_AT, 4, "");
	if (strcmp(how, "duplicate") == 0)
		entry(&x, "\x10\x00", 2, REVOKED_AT, 4, "");
	if (strcmp(how, "extra") == 0)
		entry(&x, "\x10\x02", 2, REVOKED_AT, 4, "");
	if (strcmp(how, "stranger") == 0)
		entry(&x, "\x66\x66", 2, REVOKED_AT, 4, "");
	wrap(b, 0x30, &x);
}

static void more(struct buf *b, const struct kind *k)
{
	static const char idp[] = "\x30\x0f\xa0\x0d\xa0\x0b\x86\x09http://x/";
	const char *how = k->more != NULL ? k->more : "";

	if (strcmp(how, "critical") == 0)
		extension(b, CE("\x63"), true, "\x05\x00", 2);
	if (strcmp(how, "delta") == 0)
		extension(b, CE("\x1b"), true, "\x02\x01\x01", 3);
	if (strcmp(how, "point") == 0)
		extension(b, CE("\x1c"), true, idp, sizeof idp - 1);
	if (strcmp(how, "users") == 0)
		extension(b, CE("\x1c"), true, "\x30\x03\x81\x01\xff", 5);
	if (strcmp(how, "indirect") == 0)
		extension(b, CE("\x1c"), true, "\x30\x03\x84\x01\xff", 5);
	if (strcmp(how, "twice") == 0)
		extension(b, CE("\x14"), false, "\x02\x01\x7f", 3);
}

static const char ecdsa_sha256[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
static const char ecdsa_sha384[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";
static const char rsa_md5[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04\x05\x00";

static void extensions(struct buf *b, const struct kind *k, const struct opened *ca)
{
	struct buf list = { 0 }, seq = { 0 }, value = { 0 }, inner = { 0 };
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(ca->cert);
	unsigned char octets[32];

	memcpy(octets, ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id));
	octets[0] = (unsigned char)(octets[0] ^ (k->wrong_aki ? 1 : 0));
	tlv(&inner, 0x80, octets, (size_t)ASN1_STRING_length(id));
	wrap(&value, 0x30, &inner);
	if (!k->no_aki)
		extension(&list, CE("\x23"), false, value.data, value.len);
	buf_clear(&value);
	if (k->number != NULL) {
		tlv(&value, 0x02, k->number, k->number_len);
		extension(&list, CE("\x14"), false, value.data, value.len);
	}
	buf_free(&value);
	more(&list, k);
	if (list.len > 0) {
		wrap(&seq, 0x30, &list);
		wrap(b, 0xa0, &seq);
	}
}

static void tbs(struct buf *b, const struct kind *k, const char *algorithm, size_t len)
{
	const struct opened *ca = k->other_issuer ? &other_ca : &good_ca;
	struct buf x = { 0 };
	unsigned char *name = NULL;
	int n = i2d_X509_NAME(X509_get_subject_name(ca->cert), &name);
	int64_t now = (int64_t)time(NULL);

	if (k->version >= 0)
		tlv(&x, 0x02, (char[]){ (char)k->version }, 1);
	buf_add(&x, algorithm, len);
	buf_add(&x, name, (size_t)n);
	utc(&x, now + k->from);
	if (k->until != 0)
		utc(&x, now + k->until);
	entries(&x, k);
	if (k->version >= 1)
		extensions(&x, k, ca);
	wrap(b, 0x30, &x);
	OPENSSL_free(name);
}

/* Twist the octets of a CRL that is otherwise good. */
static void twist(struct buf *b, const char *how)
{
	struct buf out = { 0 };
	size_t n = b->len;

	if (how == NULL)
		return;
	if (strcmp(how, "empty") == 0)
		n = 0;
	else if (strcmp(how, "header") == 0)
		n = 3;
	else if (strcmp(how, "tbs") == 0)
		n = 60;
	else if (strcmp(how, "list") == 0)
		n = n / 2;
	else if (strcmp(how, "signature") == 0)
		n -= 20;
	else if (strcmp(how, "last") == 0)
		n -= 1;
	if (strcmp(how, "html") == 0) {
		buf_adds(&out, "<!DOCTYPE html><html><body>404 Not Found</body></html>\n");
	} else if (strcmp(how, "noise") == 0) {
		buf_adds(&out, "\x7f" "ELF is no CRL");
	} else if (strcmp(how, "long") == 0) { /* the outer length in one octet more than it takes */
		buf_add(&out, "\x30\x83\x00", 3);
		buf_add(&out, b->data + 2, b->len - 2);
	} else if (strcmp(how, "indefinite") == 0) {
		buf_add(&out, "\x30\x80", 2);
		buf_add(&out, b->data + 4, b->len - 4);
		buf_add(&out, "\0\0", 2);
	} else if (strcmp(how, "pem") == 0) {
		unsigned char *text = mem_alloc(b->len * 2);

		EVP_EncodeBlock(text, (unsigned char *)b->data, (int)b->len);
		buf_addf(&out, "-----BEGIN X509 CRL-----\n%s\n-----END X509 CRL-----\n", (char *)text);
		free(text);
	} else {
		buf_add(&out, b->data, n);
		if (strcmp(how, "trailing") == 0)
			buf_adds(&out, "more");
		if (strcmp(how, "byte") == 0)
			out.data[n / 2] = (char)(out.data[n / 2] ^ 0x20);
	}
	buf_free(b);
	*b = out;
	if (b->data == NULL)
		buf_addf(b, "%s", "");
}

static struct buf build(const struct kind *k)
{
	struct buf t = { 0 }, body = { 0 }, sig = { 0 }, out = { 0 };
	const char *algorithm = k->md5 ? rsa_md5 : ecdsa_sha256;
	size_t len = k->md5 ? sizeof rsa_md5 - 1 : sizeof ecdsa_sha256 - 1, n = 512;
	unsigned char bits[513] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	tbs(&t, k, algorithm, len);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->other_key || k->other_issuer ? other_ca.key : good_ca.key), 1);
	assert_int_equal(EVP_DigestSign(ctx, bits + 1, &n, (unsigned char *)t.data, t.len), 1);
	EVP_MD_CTX_free(ctx);
	if (k->flip) /* signed, then another number was written in */
		t.data[t.len - 1] = (char)(t.data[t.len - 1] ^ 1);
	buf_add(&body, t.data, t.len);
	if (k->outer)
		buf_add(&body, ecdsa_sha384, sizeof ecdsa_sha384 - 1);
	else
		buf_add(&body, algorithm, len);
	tlv(&sig, 0x03, bits, n + 1);
	buf_add(&body, sig.data, sig.len);
	wrap(&out, 0x30, &body);
	buf_free(&t);
	buf_free(&sig);
	twist(&out, k->file);
	return out;
}

/* ---- the world ---- */

static char *find(const char *name)
{
	return mem_printf("www/%s", name);
}

/* What a client gets. */
static struct buf http_get(const char *name)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct buf b = { 0 };
	char block[4096], *body;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n;

	assert_int_equal(connect(fd, (void *)&sa, sizeof sa), 0);
	dprintf(fd, "GET /%s HTTP/1.0\r\n\r\n", name);
	while ((n = read(fd, block, sizeof block)) > 0)
		buf_add(&b, block, (size_t)n);
	close(fd);
	body = memmem(buf_str(&b), b.len, "\r\n\r\n", 4);
	assert_non_null(body);
	buf_drop(&b, (size_t)(body + 4 - b.data));
	return b;
}

static void on_line(void *ctx, struct run *r, const char *line)
{
	(void)ctx;
	(void)r;
	buf_addf(&said, "%s\n", line);
}

static void on_ended(void *ctx, struct run *r)
{
	(void)ctx;
	status = run_status(r);
	if (run_error(r) != NULL)
		buf_addf(&said, "%s\n%s\n", run_error(r)->text, run_error(r)->remedy);
	ended = true;
}

static void on_planned(void *ctx, struct run *r)
{
	(void)ctx;
	if (run_confirm(r, run_plan_of(r)->phrase, &e) < 0)
		buf_addf(&said, "not confirmed: %s\n", e.text);
}

static int publish(void)
{
	struct args *a = args_new();

	args_set(a, "attempts", "1");
	buf_clear(&said);
	ended = false;
	if (command_start(en, &cmd_publish, a, NULL, &e) < 0) {
		buf_addf(&said, "%s\n", e.text);
		return err_exit_status(e.code);
	}
	while (!ended)
		loop_step(loop);
	return status;
}

/* The journal says that this was signed: what would have to be believed for it to be published. */
static void journal(const struct buf *b, const char *path)
{
	char hex[DIGEST_HEX], *der = fs_join(pki_here(), path), *pem = fs_join(pki_here(), "signed.pem"), *text;
	json_t *o = json_object();
	struct buf armoured = { 0 };

	buf_add(&armoured, buf_str(b), b->len);
	twist(&armoured, "pem");
	text = armoured.data;
	assert_int_equal(fs_write("signed.pem", text, armoured.len, 0644, &e), 0);
	digest_of(buf_str(b), b->len, hex);
	json_put(o, "ca", "ca");
	json_put(o, "number", "7F");
	json_put(o, "sha256", hex);
	json_put(o, "der", der);
	json_put(o, "pem", pem);
	json_put_num(o, "entries", 2);
	json_put_num(o, "octets", (int64_t)b->len);
	json_put_num(o, "this_update", clock_now());
	json_put_num(o, "next_update", clock_now() + 3600000);
	assert_int_equal(engine_append(en, EV_CRL, o, &e), 0);
	buf_free(&armoured);
	free(der);
	free(pem);
}

static void begin(void)
{
	struct engine_options o = { .actor = "op" };
	const char *f = pki_here();
	char *path = fs_join(f, "sev1.conf"), *text;

	pki_openssl("ca", "ec", 4);
	pki_openssl("other", "ec", 0);
	pki_must("sed -i -E '/\\t100[01]\\t/s/^V\\t([^\\t]*)\\t/R\\t\\1\\t260101000000Z,superseded/' ca/index.txt; grep -c ^R ca/index.txt | grep 2");
	good_ca = pki_open("ca", "ca/openssl.cnf");
	other_ca = pki_open("other", "other/openssl.cnf");
	port = web_start(find);
	text = mem_printf("[sev1]\nstate = %s/state\nplaybook = %s/data/playbooks/ca-compromise.ini\n[ca ca]\nconfig = %s/ca/openssl.cnf\n[host far]\naddress = 127.0.0.1\n"
	    "[point a]\nca = ca\nurl = http://127.0.0.1:%d/a.crl\npath = %s/www/a.crl\n"
	    "[point p]\nca = ca\nurl = http://127.0.0.1:%d/p.pem\npath = %s/www/p.pem\npem = yes\n"
	    "[point f]\nca = ca\nurl = http://127.0.0.1:%d/f.crl\npath = %s/www/f.crl\nhost = far\n",
	    f, getenv("SRCDIR"), f, port, f, port, f, port, f);
	pki_write("sev1.conf", text);
	pki_must("mkdir -p www state");
	o.config_path = path;
	loop = loop_new();
	if ((en = engine_new(loop, &o, &e)) == NULL || engine_config(en) == NULL)
		fail_msg("%s", en == NULL ? e.text : engine_config_error(en)->text);
	engine_sink(en, &(struct sink){ .out = on_line, .say = on_line, .planned = on_planned, .ended = on_ended }, NULL);
	assert_int_equal(incident_declare(en, "Test", NULL, clock_now(), &e), 0);
	free(path);
	free(text);
}

static void end(void)
{
	child_kill_all(loop);
	engine_free(en);
	loop_free(loop);
	web_stop();
	pki_close(&good_ca);
	pki_close(&other_ca);
	buf_free(&said);
}

#define AS(n, len, a, b) .version = 1, .number = n, .number_len = len, .from = a, .until = b
#define SOUND AS("\x30", 1, -60, 3600)
static const char large[] = "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11";

static const struct kind kinds[] = {
	{ "empty file", "empty-file", SOUND, .file = "empty" },
	{ "a web page", "html", SOUND, .file = "html" },
	{ "noise", "not-der", SOUND, .file = "noise" },
	{ "PEM where DER is served", "pem", SOUND, .file = "pem" },
	{ "cut in the header", "truncated", SOUND, .file = "header" },
	{ "cut in tbsCertList", "truncated", SOUND, .file = "tbs" },
	{ "cut in the list", "truncated", SOUND, .file = "list" },
	{ "cut in the signature", "truncated", SOUND, .file = "signature" },
	{ "the last octet cut off", "truncated", SOUND, .file = "last" },
	{ "octets after it", "trailing", SOUND, .file = "trailing" },
	{ "a length with a leading zero", "length", SOUND, .file = "long" },
	{ "an indefinite length", "indefinite", SOUND, .file = "indefinite" },
	{ "one octet changed", NULL, SOUND, .file = "byte" }, /* what it hits decides the name */
	{ "version 1", "version", .version = -1, .from = -60, .until = 3600 },
	{ "version 3", "version", .version = 2, .number = "\x30", .number_len = 1, .from = -60, .until = 3600 },
	{ "another issuer's good CRL", "issuer", SOUND, .other_issuer = true },
	{ "signed with another key", "signature", SOUND, .other_key = true },
	{ "signed over other octets", "signature", SOUND, .flip = true },
	{ "two algorithms", "algorithm", SOUND, .outer = true },
	{ "MD5", "digest-broken", SOUND, .md5 = true },
	{ "another key identifier", "key-id", SOUND, .wrong_aki = true },
	{ "no key identifier", "no-key-id", SOUND, .no_aki = true },
	{ "no number", "no-number", .version = 1, .from = -60, .until = 3600 },
	{ "a negative number", "negative-number", AS("\x80", 1, -60, 3600) },
	{ "a number of 21 octets", "large-number", AS(large, 21, -60, 3600) },
	{ "an older number", "older", AS("\x0f", 1, -60, 3600) },
	{ "the same number, other octets", "same-number", AS("\x10", 1, -60, 3600) },
	{ "expired", "expired", AS("\x30", 1, -7200, -3600) },
	{ "from the future", "future", AS("\x30", 1, 3600, 7200) },
	{ "nextUpdate before thisUpdate", "order", AS("\x30", 1, -60, -120) },
	{ "no nextUpdate", "no-next-update", AS("\x30", 1, -60, 0) },
	{ "an unknown critical extension", "critical-extension", SOUND, .more = "critical" },
	{ "an extension twice", "extension-twice", SOUND, .more = "twice" },
	{ "a delta CRL", "delta", SOUND, .more = "delta" },
	{ "of another distribution point", "point", SOUND, .more = "point" },
	{ "of user certificates only", "only-some", SOUND, .more = "users" },
	{ "indirect by its distribution point", "indirect", SOUND, .more = "indirect" },
	{ "indirect by an entry", "indirect", SOUND, .list = "indirect" },
	{ "an unknown critical entry extension", "critical-entry", SOUND, .list = "critical" },
	{ "a huge entry", "huge-entry", SOUND, .list = "huge" },
	{ "a certificate twice", "duplicate", SOUND, .list = "duplicate" },
	{ "a revoked certificate missing", "missing", SOUND, .list = "missing" },
	{ "empty", "missing", SOUND, .list = "none" },
	{ "a valid certificate listed", "extra", SOUND, .list = "extra" },
	{ "a certificate that is not the CA's", "extra", SOUND, .list = "stranger" },
	{ "another date", "differs", SOUND, .list = "date" },
	{ "another reason", "differs", SOUND, .list = "reason" },
};

static void good_stands(const struct buf *good, const char *after)
{
	static const char *const name[] = { "a.crl", "f.crl" };

	for (size_t i = 0; i < 2; i++) {
		char *path = mem_printf("www/%s", name[i]);
		struct buf file = { 0 }, got = http_get(name[i]);

		assert_int_equal(fs_read(path, &file, 1 << 20, &e), 0);
		if (file.len != good->len || memcmp(file.data, good->data, file.len) != 0 || got.len != good->len ||
		    memcmp(got.data, good->data, got.len) != 0)
			fail_msg("%s: %s does not hold the good CRL any more", after, name[i]);
		buf_free(&file);
		buf_free(&got);
		free(path);
	}
}

static void test_bad(void **state)
{
	struct kind sound = { "good", NULL, AS("\x10", 1, -60, 3600) };
	struct buf good, b, pem = { 0 }, was = { 0 };

	(void)state;
	begin();
	good = build(&sound);
	assert_int_equal(fs_write("signed.crl", good.data, good.len, 0644, &e), 0);
	journal(&good, "signed.crl");
	if (publish() != EXIT_DONE)
		fail_msg("%s", buf_str(&said));
	good_stands(&good, "published");
	assert_int_equal(fs_read("www/p.pem", &was, 1 << 20, &e), 0);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		char *id = kinds[i].id != NULL ? mem_printf("(%s)", kinds[i].id) : mem_strdup("");

		b = build(&kinds[i]);
		assert_int_equal(fs_write("signed.crl", buf_str(&b), b.len, 0644, &e), 0);
		journal(&b, "signed.crl");
		status = publish();
		if (status == EXIT_DONE || status == EXIT_PARTIAL || strstr(buf_str(&said), id) == NULL)
			fail_msg("%s: status %d, no %s in:\n%s", kinds[i].name, status, id, buf_str(&said));
		if (strcmp(id, "(older)") == 0)
			assert_non_null(strstr(buf_str(&said), "printf '%s\\n' 11 > "));
		good_stands(&good, kinds[i].name);
		buf_clear(&pem);
		assert_int_equal(fs_read("www/p.pem", &pem, 1 << 20, &e), 0);
		assert_int_equal(pem.len, was.len);
		assert_memory_equal(pem.data, was.data, was.len);
		buf_free(&b);
		free(id);
	}
	/* a symlink to another CA's CRL, and one that changes behind the plan's back */
	pki_must("openssl ca -gencrl -config other/openssl.cnf -out x.pem && openssl crl -in x.pem -outform DER -out other.crl && "
	         "ln -sf other.crl link.crl");
	buf_clear(&pem);
	assert_int_equal(fs_read("link.crl", &pem, 1 << 20, &e), 0);
	journal(&pem, "link.crl");
	assert_int_equal(publish(), EXIT_FAILED);
	assert_non_null(strstr(buf_str(&said), "(issuer)"));
	good_stands(&good, "symlink");
	/* and then a sound one goes to every point */
	sound.number = "\x31";
	b = build(&sound);
	assert_int_equal(fs_write("signed.crl", b.data, b.len, 0644, &e), 0);
	journal(&b, "signed.crl");
	if (publish() != EXIT_DONE)
		fail_msg("%s", buf_str(&said));
	good_stands(&b, "the next");
	buf_free(&b);
	buf_free(&good);
	buf_free(&pem);
	buf_free(&was);
	end();
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_bad) };

	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return serve_main(argv[2]);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("crl_publish", tests, pki_folder, pki_folder_drop);
}
