/* successors: how many certificates of the frozen scope have been replaced. Reads databases and certificates; no key
 * is opened. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "pki/cert.h"
#include "pki/index.h"
#include "pki/successor.h"

#define SHOWN 10
#define STEP 5000

struct tally {
	int64_t total, replaced, seen, unknown;
};

struct counting {
	const json_t *request;
	struct successors successors;
	char **serial; size_t serials; /* of certificates that servers present */
	struct dict seen;
	struct tally all;
	json_t *cas, *waiting;
	int64_t at;
};

static void counting_seen(struct counting *w)
{
	const json_t *v;
	char canon[SERIAL_MAX];
	size_t i, len;

	json_array_foreach(json_list(w->request, "seen"), i, v) {
		const char *s = json_is_string(v) ? json_string_value(v) : "";
		if ((len = serial_canon(canon, s, strlen(s))) == 0)
			continue;
		w->serial = mem_grow(w->serial, w->serials + 1, sizeof *w->serial);
		w->serial[w->serials] = mem_strndup(canon, len);
		dict_put(&w->seen, w->serial[w->serials], w->serials);
		w->serials++;
	}
}

/* The scope's request of a CA, where the replacement is of the same issuer; NULL. */
static const json_t *counting_same(const struct counting *w, const char *key_id)
{
	const json_t *v, *found = NULL;
	size_t i;

	json_array_foreach(json_list(w->request, "cas"), i, v) {
		struct ca *ca = request_ca(v, NULL);
		X509 *cert = ca != NULL ? ca_certificate(ca, NULL) : NULL;
		char *id = cert != NULL ? cert_key_id_hex(cert) : NULL;

		if (id != NULL && strcmp(id, key_id) == 0)
			found = v;
		free(id);
		X509_free(cert);
		ca_free(ca);
	}
	return found;
}

/* One issuer of successors. Only where no CA is compromised may it be the issuer of before; what is in the scope
 * succeeds nothing then. */
static int counting_issuer(struct counting *w, const json_t *o, struct err *e)
{
	struct ca *ca = request_ca(o, e);
	X509 *cert = ca != NULL ? ca_certificate(ca, e) : NULL;
	char *id = cert != NULL ? cert_key_id_hex(cert) : NULL;
	const json_t *same = id != NULL ? counting_same(w, id) : NULL;
	struct manifest m = { 0 };
	int rc = cert != NULL ? 0 : e->code;

	if (same != NULL && !json_bool(w->request, "new_key")) {
		rc = err_set(e, ERR_REFUSED, _("%s has the key of %s, which is compromised: what it issues replaces nothing"),
		    ca->name, json_str(same, "name"));
		err_remedy(e, _("choose another issuer: sev1 recover"));
	} else if (same != NULL) {
		rc = manifest_read(&m, json_str(same, "path"), json_str(same, "manifest"), ca, cert, e);
	}
	if (rc == 0)
		rc = successors_add(&w->successors, ca, cert, &w->seen, same != NULL ? &m : NULL, w->at, &ca_watch, e);
	manifest_clear(&m);
	free(id);
	X509_free(cert);
	ca_free(ca);
	return rc;
}

static void counting_wait(struct counting *w, const struct ca *ca, const struct issued *c, const char *serial)
{
	json_t *o;
	char *names;

	if (json_array_size(w->waiting) >= SHOWN)
		return;
	names = successor_names(c);
	for (char *s = names; *s != '\0'; s++)
		if (*s == '\n')
			*s = ' ';
	o = json_object();
	json_put(o, "ca", ca->name);
	json_put(o, "serial", serial);
	json_put(o, "names", names);
	json_array_append_new(w->waiting, o);
	free(names);
}

static void counting_rows(struct counting *w, const struct issued_by *by, const struct manifest *m, struct tally *t)
{
	bool new_key = json_bool(w->request, "new_key");
	struct issued c = { 0 };

	for (size_t i = 0; i < m->rows; i++) {
		char *serial = mem_strndup(m->row[i].serial, m->row[i].len);
		const struct successor *s;

		t->total++;
		if (issued_read(&c, by, serial, NULL) < 0) {
			t->unknown++;
		} else if ((s = successors_find(&w->successors, &c, new_key)) != NULL) {
			t->replaced++;
			t->seen += s->seen > c.since;
		} else {
			counting_wait(w, by->ca, &c, serial);
		}
		free(serial);
		if (i % STEP == 0)
			watch_progress(&ca_watch, (int64_t)i, (int64_t)m->rows, by->ca->name);
	}
	issued_clear(&c);
}

static json_t *tally_json(const struct tally *t)
{
	return json_pack("{s:I,s:I,s:I,s:I}", "total", (json_int_t)t->total, "replaced", (json_int_t)t->replaced, "seen",
	    (json_int_t)t->seen, "unknown", (json_int_t)t->unknown);
}

static int counting_ca(struct counting *w, const json_t *o, struct err *e)
{
	struct ca *ca = request_ca(o, e);
	X509 *cert = ca != NULL ? ca_certificate(ca, e) : NULL;
	struct issued_by by = { 0 };
	struct manifest m = { 0 };
	struct tally t = { 0 };
	json_t *one;
	int rc = cert != NULL ? manifest_read(&m, json_str(o, "path"), json_str(o, "manifest"), ca, cert, e) : e->code;

	if (rc == 0)
		rc = issued_by_init(&by, ca, cert, e);
	if (rc == 0) {
		counting_rows(w, &by, &m, &t);
		one = tally_json(&t);
		json_put(one, "ca", ca->name);
		json_array_append_new(w->cas, one);
		w->all.total += t.total;
		w->all.replaced += t.replaced;
		w->all.seen += t.seen;
		w->all.unknown += t.unknown;
	}
	issued_by_clear(&by);
	manifest_clear(&m);
	X509_free(cert);
	ca_free(ca);
	return rc;
}

static int counting_all(struct counting *w, struct err *e)
{
	const json_t *v;
	size_t i;
	int rc;

	json_array_foreach(json_list(w->request, "issuers"), i, v)
		if ((rc = counting_issuer(w, v, e)) < 0)
			return rc;
	json_array_foreach(json_list(w->request, "cas"), i, v)
		if ((rc = counting_ca(w, v, e)) < 0)
			return rc;
	return 0;
}

int ca_successors(const json_t *request, json_t **result, struct err *e)
{
	struct counting w = { .request = request, .cas = json_array(), .waiting = json_array(),
		.at = json_num(request, "at", clock_now()) };
	int rc;

	counting_seen(&w);
	if ((rc = counting_all(&w, e)) == 0) {
		*result = tally_json(&w.all);
		json_put_num(*result, "lost", w.successors.lost);
		json_object_set(*result, "cas", w.cas);
		json_object_set(*result, "waiting", w.waiting);
	}
	successors_clear(&w.successors);
	for (size_t i = 0; i < w.serials; i++)
		free(w.serial[i]);
	free(w.serial);
	dict_free(&w.seen);
	json_decref(w.cas);
	json_decref(w.waiting);
	return rc;
}
