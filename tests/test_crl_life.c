/* The CRL's life below the commands: what is due when, ladders, partitions, every kind of issuer's key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "pki/check.h"
#include "pki/crl_check.h"
#include "pki/ladder.h"
#include "pki/partition.h"
#include "pki_seam.h"
#include "work/renewal.h"

#define HOUR 3600000LL
#define MINUTE 60000LL

static struct err e;

/* ---- what is due ---- */

static int64_t seq;

static void tell(struct incident *in, enum event_kind kind, int64_t at, const char *fmt, ...)
{
	va_list ap;
	struct event ev = { .seq = ++seq, .at = at, .kind = kind };

	va_start(ap, fmt);
	ev.body = json_vpack_ex(NULL, 0, fmt, ap);
	va_end(ap);
	assert_non_null(ev.body);
	assert_int_equal(incident_apply(in, &ev, &e), 0);
	json_decref(ev.body);
}

static void tell_crl(struct incident *in, int64_t at, const char *number, int64_t hours, bool renewed, bool ladder)
{
	tell(in, EV_CRL, at, "{s:s,s:s,s:s,s:s,s:I,s:I,s:b,s:b,s:b}", "ca", "a", "number", number, "sha256", number, "der", "/x",
	    "this_update", (json_int_t)at, "next_update", (json_int_t)(at + hours * HOUR), "revoke", 1, "renewed", renewed,
	    "ladder", ladder);
}

static void tell_point(struct incident *in, int64_t at, const char *number, const char *state)
{
	tell(in, EV_POINT, at, "{s:s,s:s,s:s,s:s,s:s}", "ca", "a", "point", "p", "url", "http://x/", "sha256", number, "state",
	    state);
}

static struct config config(int before)
{
	static struct ca_conf two[2], *ca;
	static struct point_conf point;

	ca = &two[before > 0];
	*ca = (struct ca_conf){ .name = (char *)"a", .crl_hours = 24, .renew_before = before };
	point = (struct point_conf){ .name = (char *)"p", .ca = (char *)"a", .url = (char *)"http://x/" };
	return (struct config){ .ca = ca, .cas = 1, .point = &point, .points = 1 };
}

static void due_is(const struct incident *in, const struct config *c, int64_t now, enum renewal_how how, int64_t at)
{
	struct renewal_due d = renewal_next(in, c, "a", now);

	assert_int_equal(d.how, how);
	if (how != RENEW_NONE)
		assert_int_equal(d.at, at);
}

static struct incident *incident(int64_t now)
{
	struct incident *in = incident_new();

	seq = 0;
	tell(in, EV_OPENED, now, "{s:s,s:s,s:s,s:I,s:[],s:[]}", "id", "I", "title", "t", "kind", "real", "declared", (json_int_t)now,
	    "checkpoints", "followups");
	return in;
}

static void test_due(void **state)
{
	const int64_t t = 1790000000000LL;
	struct config third = config(0), c;
	struct incident *in = incident(t);
	bool bad;
	char *line;

	(void)state;
	due_is(in, &third, t, RENEW_NONE, 0);
	tell_crl(in, t, "10", 24, false, false);
	due_is(in, &third, t + 23 * HOUR, RENEW_NONE, 0); /* the first publication is the operator's */
	tell_point(in, t, "10", "verified");
	due_is(in, &third, t, RENEW_SIGN, t + 16 * HOUR);
	c = config(60);
	due_is(in, &c, t, RENEW_SIGN, t + 23 * HOUR);
	c = config(1); /* never less than publishing needs */
	due_is(in, &c, t, RENEW_SIGN, t + 24 * HOUR - 10 * MINUTE);
	c = config(525600); /* never as soon as it is signed */
	due_is(in, &c, t, RENEW_SIGN, t + 24 * HOUR / 10);
	/* tries that fail come back, less and less often */
	for (int i = 0, pause = 30; i < 8; i++, pause *= 2) {
		int64_t at = t + 17 * HOUR + i * HOUR;

		tell(in, EV_RENEW, at, "{s:s,s:s,s:s}", "ca", "a", "how", "sign", "state", "started");
		tell(in, EV_RENEW, at, "{s:s,s:s,s:s,s:s}", "ca", "a", "how", "sign", "state", "failed", "detail", "no key");
		due_is(in, &third, at, RENEW_SIGN, at + (pause < 900 ? pause : 900) * 1000);
	}
	line = renewal_line(in, &third, t, &bad);
	assert_true(bad);
	assert_non_null(strstr(line, "no key"));
	free(line);
	/* signed: the failure is over; not yet on its point: published again, nothing more is signed */
	tell_crl(in, t + 26 * HOUR, "11", 24, true, false);
	due_is(in, &third, t + 26 * HOUR, RENEW_PUBLISH, t + 26 * HOUR + 30000);
	tell_point(in, t + 26 * HOUR, "11", "failed");
	line = renewal_line(in, &third, t + 26 * HOUR, &bad);
	assert_true(bad);
	free(line);
	/* the fuse is that of what clients have */
	assert_int_equal(incident_fuse_left(in, t), 24 * HOUR);
	/* a point that never serves it does not keep the others from the next one */
	due_is(in, &third, t + 42 * HOUR, RENEW_SIGN, t + 42 * HOUR);
	tell_point(in, t + 26 * HOUR, "11", "verified");
	assert_int_equal(incident_fuse_left(in, t), 50 * HOUR);
	due_is(in, &third, t + 26 * HOUR, RENEW_SIGN, t + 42 * HOUR);
	third.point->url = (char *)"http://y/"; /* it has another address now: nobody has seen it serve anything */
	due_is(in, &third, t + 26 * HOUR, RENEW_PUBLISH, t + 26 * HOUR + 30000);
	third.point->url = (char *)"http://x/";
	line = renewal_line(in, &third, t + 26 * HOUR, &bad);
	assert_false(bad);
	assert_string_equal(line, "");
	free(line);
	incident_free(in);
}

/* The clock was ahead when it was signed: said, and what was tried then holds nothing up. */
static void test_due_future(void **state)
{
	const int64_t t = 1790000000000LL, ahead = t + 1000 * HOUR;
	struct config c = config(0);
	struct incident *in = incident(t);
	bool bad;
	char *line;

	(void)state;
	tell_crl(in, t, "10", 24, false, false);
	tell_point(in, t, "10", "verified");
	line = renewal_line(in, &c, t - 5 * MINUTE, &bad);
	assert_false(bad);
	free(line);
	tell(in, EV_RENEW, ahead, "{s:s,s:s,s:s}", "ca", "a", "how", "sign", "state", "started");
	due_is(in, &c, t + 17 * HOUR, RENEW_SIGN, t + 16 * HOUR);
	tell_crl(in, ahead, "11", 24, true, false);
	tell_point(in, ahead, "11", "verified");
	line = renewal_line(in, &c, t + HOUR, &bad);
	assert_true(bad);
	assert_non_null(strstr(line, "NOT YET VALID: a: CRL 11"));
	assert_non_null(strstr(line, "sev1 crl renew --ca a"));
	free(line);
	tell_crl(in, t + HOUR, "12", 24, true, false);
	line = renewal_line(in, &c, t + HOUR, &bad);
	assert_false(bad);
	free(line);
	incident_free(in);
}

static void tell_part(struct incident *in, int64_t at, const char *number)
{
	tell(in, EV_CRL, at, "{s:s,s:s,s:s,s:s,s:s,s:I,s:I}", "ca", "a", "part", "odd", "number", number, "sha256", number, "der",
	    "/x", "this_update", (json_int_t)at, "next_update", (json_int_t)(at + 24 * HOUR));
}

/* A partition's CRL that was left behind is due with the whole; one that is configured no more has no fuse. */
static void test_due_parts(void **state)
{
	const int64_t t = 1790000000000LL;
	struct config c = config(0);
	struct point_conf two[2] = { c.point[0], c.point[0] };
	struct incident *in = incident(t);

	(void)state;
	two[1].name = two[1].partition = (char *)"odd";
	tell_crl(in, t, "10", 24, false, false);
	tell_part(in, t, "11");
	tell_crl(in, t + 12 * HOUR, "12", 24, false, false);
	tell_point(in, t + 12 * HOUR, "12", "verified");
	due_is(in, &c, t + 13 * HOUR, RENEW_SIGN, t + 28 * HOUR);
	c.point = two;
	c.points = 2;
	due_is(in, &c, t + 13 * HOUR, RENEW_SIGN, t + 16 * HOUR);
	assert_int_equal(incident_fuse_left(in, t), 24 * HOUR);
	tell_crl(in, t + 28 * HOUR, "13", 24, false, false);
	assert_null(incident_crl_part(in, "a", "odd"));
	assert_int_equal(incident_fuse_left(in, t), 52 * HOUR);
	/* made together they stay together */
	tell_part(in, t + 28 * HOUR, "14");
	tell_crl(in, t + 40 * HOUR, "15", 24, false, false);
	assert_non_null(incident_crl_part(in, "a", "odd"));
	incident_free(in);
}

static json_t *rungs_told(int64_t first, int n)
{
	json_t *list = json_array();

	for (int i = 0; i < n; i++) {
		char number[8];

		snprintf(number, sizeof number, "%02X", 0x20 + i);
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:I,s:I}", "number", number, "sha256", number, "part", "", "this_update",
		    (json_int_t)(first + i * 16 * HOUR), "next_update", (json_int_t)(first + i * 16 * HOUR + 24 * HOUR)));
	}
	return list;
}

static void test_due_rungs(void **state)
{
	const int64_t t = 1790000000000LL;
	struct config c = config(0);
	struct incident *in = incident(t);
	json_t *come;

	(void)state;
	tell_crl(in, t, "10", 24, false, false);
	tell_point(in, t, "10", "verified");
	tell(in, EV_LADDER, t, "{s:s,s:s,s:o}", "ca", "a", "state", "signed", "rungs", rungs_told(t + 16 * HOUR, 3));
	assert_int_equal(incident_ladder_end(in), t + 72 * HOUR);
	due_is(in, &c, t, RENEW_RUNG, t + 16 * HOUR);
	assert_null(renewal_rungs(in, "a", t + 16 * HOUR - 1));
	come = renewal_rungs(in, "a", t + 16 * HOUR);
	assert_string_equal(json_str(json_array_get(come, 0), "number"), "20");
	json_decref(come);
	/* nobody was there for a while: the latest that has come, not each in turn */
	come = renewal_rungs(in, "a", t + 33 * HOUR);
	assert_int_equal(json_array_size(come), 1);
	assert_string_equal(json_str(json_array_get(come, 0), "number"), "21");
	json_decref(come);
	tell_crl(in, t + 32 * HOUR, "21", 24, true, true);
	tell_point(in, t + 32 * HOUR, "21", "verified");
	assert_false(incident_ladder(in, "a")->stale);
	due_is(in, &c, t + 33 * HOUR, RENEW_RUNG, t + 48 * HOUR);
	/* the last one is taken: from then on it must be signed */
	tell_crl(in, t + 48 * HOUR, "22", 24, true, true);
	tell_point(in, t + 48 * HOUR, "22", "verified");
	due_is(in, &c, t + 49 * HOUR, RENEW_SIGN, t + 64 * HOUR);
	/* a CRL that is signed beside a ladder ends it */
	tell(in, EV_LADDER, t, "{s:s,s:s,s:o}", "ca", "a", "state", "signed", "rungs", rungs_told(t + 60 * HOUR, 3));
	tell_crl(in, t + 50 * HOUR, "40", 24, false, false);
	assert_true(incident_ladder(in, "a")->stale);
	assert_null(renewal_rungs(in, "a", t + 60 * HOUR));
	assert_int_equal(incident_ladder_end(in), INT64_MIN);
	/* and so does a revocation that is taken back */
	tell(in, EV_REVOKE_START, t, "{s:s,s:s,s:s,s:I}", "ca", "a", "plan", "p", "manifest", "m", "stamp", (json_int_t)t);
	tell(in, EV_LADDER, t, "{s:s,s:s,s:o}", "ca", "a", "state", "signed", "rungs", rungs_told(t + 60 * HOUR, 3));
	assert_false(incident_ladder(in, "a")->stale);
	tell(in, EV_UNDO_START, t, "{s:s,s:s,s:I}", "ca", "a", "plan", "p", "stamp", (json_int_t)t);
	assert_true(incident_ladder(in, "a")->stale);
	incident_free(in);
}

/* ---- CAs ---- */

struct rows {
	struct index *x;
	struct sorted *rows;
	struct listing l;
};

static struct rows rows_load(const struct ca *ca)
{
	struct rows r = { .x = index_load(ca->database, &e) };
	size_t n;

	r.rows = index_sorted(r.x, &n, &e);
	assert_non_null(r.rows);
	r.l = (struct listing){ r.x, r.rows, n, INT64_MIN, NULL, 0 };
	return r;
}

static void rows_free(struct rows *r)
{
	free(r->rows);
	index_free(r->x);
}

static const struct crl_scope whole = { "", NULL, 0 };

static struct rung_claim claim_of(const struct rung *r)
{
	return (struct rung_claim){ r->file.number, r->file.sha256, r->file.this_update, r->file.next_update };
}

static int judge(const struct opened *o, const struct rung *r, const char *last, int64_t now)
{
	struct rows rows = rows_load(o->ca);
	struct rung_claim claim = claim_of(r);
	int rc;

	e = (struct err){ 0 };
	rc = ladder_judge(o->ca, &rows.l, &whole, pki_here(), &claim, last, now, &e);
	rows_free(&rows);
	return rc;
}

static void refused(const struct opened *o, const struct rung *r, const char *last, int64_t now, const char *why)
{
	assert_int_equal(judge(o, r, last, now), ERR_REFUSED);
	if (strstr(e.text, why) == NULL)
		fail_msg("no '%s' in: %s", why, e.text);
}

static void test_ladder(void **state)
{
	const int64_t now = (int64_t)time(NULL) * 1000;
	struct ladder_terms t = { 3, now, 16 * HOUR, 24 };
	struct opened o;
	struct rows rows;
	struct rung *r;
	struct crl_file f;
	struct rung_claim claim;
	char number[SERIAL_MAX], *text, *last;
	size_t n;

	(void)state;
	pki_openssl("lad", "ec", 4);
	pki_must("openssl ca -config lad/openssl.cnf -revoke lad/newcerts/1001.pem -crl_reason superseded; echo 0F > lad/crlnumber");
	o = pki_open("lad", "lad/openssl.cnf");
	rows = rows_load(o.ca);
	t.step = 23 * HOUR; /* would leave less than a tenth */
	assert_int_equal(ladder_make(o.ca, o.cert, o.key, &rows.l, &whole, 1, pki_here(), &t, NULL, &r, &n, &e), ERR_USAGE);
	t = (struct ladder_terms){ LADDER_MAX + 1, now, 16 * HOUR, 24 };
	assert_int_equal(ladder_make(o.ca, o.cert, o.key, &rows.l, &whole, 1, pki_here(), &t, NULL, &r, &n, &e), ERR_USAGE);
	text = pki_read("lad/crlnumber");
	assert_string_equal(text, "0F\n"); /* a refusal uses no number up */
	free(text);
	t.count = 3;
	assert_int_equal(ladder_make(o.ca, o.cert, o.key, &rows.l, &whole, 1, pki_here(), &t, NULL, &r, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_string_equal(r[0].file.number, "0F");
	assert_string_equal(r[2].file.number, "11");
	text = pki_read("lad/crlnumber");
	assert_string_equal(text, "12\n");
	free(text);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(r[i].file.this_update, now / 1000 * 1000 + (int64_t)i * 16 * HOUR);
		if (i > 0) /* the next comes before the one before ends */
			assert_true(r[i].file.this_update < r[i - 1].file.next_update);
		pki_must("openssl crl -inform DER -in %s -noout -verify -CAfile lad/ca.crt", r[i].file.der);
	}
	/* none of them is the last CRL; yet no number below them is given out again */
	last = crl_file_last(o.ca, pki_here(), number);
	assert_null(last);
	pki_write("lad/crlnumber", "10\n");
	assert_int_equal(crl_number_next(o.ca, pki_here(), number, &e), ERR_REFUSED);
	pki_write("lad/crlnumber", "12\n");
	assert_int_equal(judge(&o, &r[0], NULL, now), 0);
	refused(&o, &r[1], NULL, now, "not valid before");
	assert_int_equal(judge(&o, &r[1], NULL, now + 16 * HOUR), 0);
	refused(&o, &r[0], NULL, now + 25 * HOUR, "expired");
	claim = claim_of(&r[0]);
	assert_int_equal(ladder_take(o.ca, o.cert, &rows.l, &whole, pki_here(), &claim, &f, &e), 0);
	assert_string_equal(f.number, "0F");
	pki_must("openssl crl -in %s -outform DER | cmp - %s", f.pem, r[0].file.der);
	refused(&o, &r[0], r[1].file.der, now, "(older)");
	/* touched on the disk */
	pki_must("cp %s keep; printf x | dd of=%s bs=1 seek=100 conv=notrunc", r[1].file.der, r[1].file.der);
	assert_true(judge(&o, &r[1], NULL, now + 16 * HOUR) < 0);
	pki_must("cp keep %s", r[1].file.der);
	/* certificates that are issued or expire change nothing; one more revocation ends the ladder */
	pki_must("printf 'V\\t491231235959Z\\t\\t7777\\tunknown\\t/CN=new\\n' >> lad/index.txt");
	assert_int_equal(judge(&o, &r[1], f.der, now + 16 * HOUR), 0);
	pki_must("cp lad/index.txt lad/index.keep; openssl ca -config lad/openssl.cnf -revoke lad/newcerts/1002.pem");
	refused(&o, &r[1], NULL, now + 16 * HOUR, "lacks certificates");
	/* index.txt is put back behind our back: what was published meanwhile still counts */
	rows_free(&rows);
	rows = rows_load(o.ca);
	crl_file_clear(&f);
	assert_int_equal(crl_store_make(o.ca, o.cert, o.key, &rows.l, &whole, pki_here(), &(struct crl_terms){ now, now + HOUR, "10",
	                     NULL }, true, &f, &e), 0);
	pki_must("cp lad/index.keep lad/index.txt");
	refused(&o, &r[2], f.der, now + 32 * HOUR, " revokes: 1, first ");
	crl_file_clear(&f);
	ladder_free(r, n);
	rows_free(&rows);
	pki_close(&o);
}

/* ---- partitions ---- */

static void test_partitions(void **state)
{
	json_t *want = json_pack("[{s:s,s:[s,s]},{s:s,s:[s]}]", "name", "a", "urls", "http://crl.example.com/a.crl",
	    "http://mirror.example.com/a.crl?x=1&y=2", "name", "b", "urls", "http://crl.example.com/b.crl");
	struct partitions p;
	struct opened o;
	struct rows rows;
	struct crl_file f[3];
	const int64_t now = (int64_t)time(NULL) * 1000;
	struct crl_ask ask;
	struct buf b = { 0 };
	json_t *found;

	(void)state;
	pki_openssl("par", "ec", 2); /* 1000, 1001: par.crl */
	pki_must("for n in 1 2 3 4; do c=b; test $n -gt 2 || c=a; sed -E \"s|crl.example.com/par.crl|crl.example.com/$c.crl|\" par/openssl.cnf > par/$n.cnf; "
	         "openssl req -new -key par/leaf.key -subj /CN=p$n -config par/$n.cnf -out par/leaf.csr; "
	         "openssl ca -batch -notext -config par/$n.cnf -in par/leaf.csr -out par/leaf.crt; done");
	pki_must("for s in 1002 1003 1004; do openssl ca -config par/openssl.cnf -revoke par/newcerts/$s.pem -crl_reason superseded || exit 1; done");
	o = pki_open("par", "par/openssl.cnf");
	rows = rows_load(o.ca);
	assert_int_equal(partitions_make(&p, o.ca, rows.x, want, pki_here(), NULL, &e), 0);
	rows.l.part = p.part;
	assert_int_equal(p.n, 3);
	for (size_t i = 0; i < 3; i++) {
		char number[3] = { '2', (char)('0' + i), 0 };
		char *folder = i == 0 ? mem_strdup(pki_here()) : crl_parts_folder(pki_here());

		if (crl_store_make(o.ca, o.cert, o.key, &rows.l, &p.scope[i], folder, &(struct crl_terms){ now, now + HOUR, number, NULL },
		        true, &f[i], &e) < 0)
			fail_msg("%s", e.text);
		free(folder);
		pki_must("openssl crl -in %s -noout -verify -CAfile par/ca.crt", f[i].pem);
	}
	assert_int_equal(f[0].entries, 3);
	assert_int_equal(f[1].entries, 2); /* 1002 and 1003 */
	assert_int_equal(f[2].entries, 1);
	pki_must("openssl crl -inform DER -in %s -noout -text > text; grep -A4 'Issuing Distribution Point: critical' text | "
	         "grep 'mirror.example.com/a.crl?x=1&y=2'; grep 1002 text; grep 1003 text; ! grep 1004 text", f[1].der);
	/* each is sound as what it is, and wrong as any other */
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++) {
			struct listing l = rows.l;

			l.want = p.scope[k].want;
			l.part = p.scope[k].urls != NULL ? p.part : NULL;
			ask = (struct crl_ask){ .ca = o.ca, .l = &l, .now = now, .urls = p.scope[k].urls, .der = true };
			buf_clear(&b);
			assert_int_equal(fs_read(f[i].der, &b, 1 << 20, &e), 0);
			found = crl_check(&b, &ask);
			assert_int_equal(json_array_size(json_list(found, "problems")) == 0, i == k);
			json_decref(found);
		}
	partitions_clear(&p);
	/* certificates are read once: what is known needs no file any more */
	pki_must("test -s par.points && mv par/newcerts/1002.pem away");
	assert_int_equal(partitions_make(&p, o.ca, rows.x, want, pki_here(), NULL, &e), 0);
	partitions_clear(&p);
	/* a cache that was touched is no cache: the missing certificate is named */
	pki_must("sed -i 's/^1002 0/1002 1/' par.points");
	assert_int_equal(partitions_make(&p, o.ca, rows.x, want, pki_here(), NULL, &e), ERR_REFUSED);
	assert_non_null(strstr(e.text, "1 revoked certificate belongs"));
	assert_non_null(strstr(e.text, "1002.pem"));
	partitions_clear(&p);
	pki_must("mv away par/newcerts/1002.pem");
	/* one that names no configured point is named with what it names */
	pki_must("openssl ca -config par/openssl.cnf -revoke par/newcerts/1000.pem");
	rows_free(&rows);
	rows = rows_load(o.ca);
	assert_int_equal(partitions_make(&p, o.ca, rows.x, want, pki_here(), NULL, &e), ERR_REFUSED);
	assert_non_null(strstr(e.text, "1000: http://crl.example.com/par.crl"));
	partitions_clear(&p);
	for (size_t i = 0; i < 3; i++)
		crl_file_clear(&f[i]);
	buf_free(&b);
	rows_free(&rows);
	pki_close(&o);
	json_decref(want);
}

/* ---- keys and digests ---- */

static void signs(const char *name, const char *genpkey, const char *md, const char *algorithm)
{
	char *config = mem_printf("%s/openssl.cnf", name), *bad;
	struct opened o;
	struct rows rows;
	struct crl_file f;
	json_t *found;
	const int64_t now = (int64_t)time(NULL) * 1000;

	pki_openssl(name, "ec", 0);
	pki_must("openssl genpkey %s -out %s/private/ca.key && openssl req -x509 -new -key %s/private/ca.key -out %s/ca.crt -days 3650 -subj /CN=%s "
	         "-config %s -addext basicConstraints=critical,CA:TRUE -addext subjectKeyIdentifier=hash && sed -i 's/^default_md = .*/default_md = %s/' %s",
	    genpkey, name, name, name, name, config, md, config);
	pki_write("index", "R\t491231235959Z\t260101000000Z,superseded\t05\tunknown\t/CN=x\n");
	pki_must("cp index %s/index.txt", name);
	o = pki_open(name, config);
	rows = rows_load(o.ca);
	if (crl_file_make(o.ca, o.cert, o.key, &rows.l, pki_here(), now, 3, NULL, &f, &e) < 0)
		fail_msg("%s: %s", name, e.text);
	assert_int_equal(f.next_update - f.this_update, 3 * HOUR);
	pki_must("openssl crl -inform DER -in %s -noout -verify -CAfile %s/ca.crt && openssl crl -inform DER -in %s -noout -text | grep -i '%s'",
	    f.der, name, f.der, algorithm);
	found = check_crl(f.der, o.ca, now, &e);
	if (json_array_size(json_list(found, "problems")) != 0)
		fail_msg("%s: %s", name, json_string_value(json_array_get(json_list(found, "problems"), 0)));
	json_decref(found);
	/* one bit of what was signed */
	pki_must("cp %s %s.bad; printf '\\043' | dd of=%s.bad bs=1 seek=60 conv=notrunc", f.der, name, name);
	bad = mem_printf("%s.bad", name);
	found = check_crl(bad, o.ca, now, &e);
	free(bad);
	assert_true(json_array_size(json_list(found, "problems")) > 0);
	json_decref(found);
	crl_file_clear(&f);
	rows_free(&rows);
	pki_close(&o);
	free(config);
}

static void test_keys(void **state)
{
	(void)state;
	signs("k1", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "sha256", "sha256WithRSA");
	signs("k2", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "sha512", "sha512WithRSA");
	signs("k3", "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", "sha384", "rsassaPss");
	signs("k4", "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 -pkeyopt rsa_pss_keygen_mgf1_md:sha256 "
	      "-pkeyopt rsa_pss_keygen_saltlen:32", "sha256", "rsassaPss");
	signs("k5", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384", "sha384", "ecdsa-with-SHA384");
	signs("k6", "-algorithm ED25519", "sha256", "ED25519");
	signs("k7", "-algorithm ED25519", "default", "ED25519");
	signs("k8", "-algorithm ED448", "default", "ED448");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_due), cmocka_unit_test(test_due_future), cmocka_unit_test(test_due_parts),
		cmocka_unit_test(test_due_rungs), cmocka_unit_test(test_ladder),
		cmocka_unit_test(test_partitions), cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests_name("crl_life", tests, pki_folder, pki_folder_drop);
}
