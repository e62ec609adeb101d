/* What is published where: the CRLs of the incident, held against their files, and the points that lack them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "work/publish.h"

#define CRL_MAX (1u << 30)

/* ---- the files ---- */

static int base64_value(char c)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digit, c) : NULL;

	return at != NULL ? (int)(at - digit) : -1;
}

/* The octets between the BEGIN and END lines of an X509 CRL (RFC 7468) into a digest. */
static bool pem_digest(const char *text, char hex[DIGEST_HEX])
{
	static const char begin[] = "-----BEGIN X509 CRL-----", stop[] = "-----END X509 CRL-----";
	const char *p = strstr(text, begin), *end = p != NULL ? strstr(p, stop) : NULL;
	struct buf der = { 0 };
	unsigned bits = 0;
	int have = 0, v;

	if (end == NULL)
		return false;
	for (p += sizeof begin - 1; p < end; p++) {
		if (isspace((unsigned char)*p) || *p == '=')
			continue;
		if ((v = base64_value(*p)) < 0)
			break;
		bits = (bits << 6 | (unsigned)v) & 0xffffffu;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_addc(&der, (char)(bits >> have & 0xff));
		}
	}
	digest_of(buf_str(&der), der.len, hex);
	buf_free(&der);
	return p == end;
}

int publish_pem(const char *path, char file_hex[65], char der_hex[65], struct err *e)
{
	struct buf b = { 0 };
	int rc = fs_read(path, &b, CRL_MAX, e);

	if (rc == 0) {
		digest_of(buf_str(&b), b.len, file_hex);
		if (!pem_digest(buf_str(&b), der_hex))
			rc = err_set(e, ERR_SYNTAX, _("%s: not a CRL in PEM"), path);
	}
	buf_free(&b);
	return rc;
}

/* Is the file still what was signed and verified? Its own digest into hex. */
static int publish_file(const struct crl_made *crl, bool pem, char hex[DIGEST_HEX], struct err *e)
{
	const char *path = pem ? crl->pem : crl->der;
	char der[DIGEST_HEX];
	int rc = pem ? publish_pem(path, hex, der, e) : digest_file(path, hex, e);

	if (rc == 0 && strcmp(pem ? der : hex, crl->sha256) == 0)
		return 0;
	if (rc == 0)
		err_set(e, ERR_REFUSED, _("%s is not the CRL %s of %s that was signed: its digest differs"), path,
		    crl->number, crl->ca);
	return err_remedy(e, _("nothing was published; sign it again: sev1 crl renew --ca %s"), crl->ca);
}

/* ---- the plan ---- */

static bool point_wanted(const struct run *r, const struct point_conf *p)
{
	const char *ca = args_get(run_args(r), "ca"), *point = args_get(run_args(r), "point");

	return (ca == NULL || strcmp(ca, p->ca) == 0) && (point == NULL || strcmp(point, p->name) == 0);
}

/* A point that serves these very octets where it is looked for now is left alone, unless it is named. */
static bool point_serves(const struct run *r, const struct point_conf *p, const struct crl_made *crl)
{
	const struct point *done = incident_point(run_incident(r), p->ca, p->name);

	return done != NULL && done->state == POINT_VERIFIED && strcmp(done->sha256, crl->sha256) == 0 &&
	    strcmp(done->url, p->url) == 0 && !args_has(run_args(r), "point");
}

static json_t *point_item(const struct point_conf *p, const struct crl_made *crl, const char *digest)
{
	json_t *o = json_object();

	json_put(o, "ca", p->ca);
	json_put(o, "point", p->name);
	json_put(o, "part", crl->part);
	json_put(o, "url", p->url);
	json_put(o, "host", p->host);
	json_put(o, "path", p->path);
	json_put(o, "file", p->pem ? crl->pem : crl->der);
	json_put(o, "sha256", crl->sha256);
	json_put(o, "digest", digest);
	json_object_set_new(o, "pem", json_boolean(p->pem));
	json_put_num(o, "octets", crl->octets);
	return o;
}

static void plan_point(struct run *r, struct plan *p, const struct point_conf *pt, const struct crl_made *crl,
    const char *digest)
{
	if (point_serves(r, pt, crl)) {
		plan_row(p, pt->name, _("%s: serves CRL %s already"), pt->url, crl->number);
		return;
	}
	plan_row(p, pt->name, _("%s, CRL %s of %s as %s, then fetched from %s"),
	    pt->host != NULL ? pt->host : _("this machine"), crl->number, pt->ca, pt->pem ? "PEM" : "DER",
	    pt->url);
	plan_line(p, _("write %s%s%s (sha256 %.16s...)"), pt->host != NULL ? pt->host : "",
	    pt->host != NULL ? ":" : "", pt->path, digest);
}

static void plan_crl(struct plan *p, const struct crl_made *crl)
{
	char count[64], size[16], until[24];

	plan_row(p, crl->ca, _("CRL %s%s%s, %s, %s, nextUpdate %s"), crl->number, crl->part[0] != '\0' ? "/" : "", crl->part,
	    text_entries(count, crl->entries), text_size(size, crl->octets),
	    clock_iso(until, sizeof until, crl->next_update));
}

/* Add the points of one CRL. 0 or an error. */
static int publish_crl(struct run *r, struct plan *p, const struct crl_made *crl, json_t *points, json_t *run,
    struct err *e)
{
	const struct config *c = run_config(r);
	char digest[DIGEST_HEX], *id;
	size_t here = 0;

	for (size_t i = 0; i < c->points; i++) {
		const struct point_conf *pt = &c->point[i];
		bool wanted = point_wanted(r, pt);
		if (strcmp(pt->ca, crl->ca) != 0)
			continue;
		here++;
		if (strcmp(pt->partition != NULL ? pt->partition : "", crl->part) != 0)
			continue;
		if (wanted && publish_file(crl, pt->pem, digest, e) < 0)
			return e->code;
		json_array_append_new(points, point_item(pt, crl, wanted ? digest : ""));
		if (!wanted)
			continue;
		plan_point(r, p, pt, crl, digest);
		id = mem_printf("%s/%s", pt->ca, pt->name);
		if (!point_serves(r, pt, crl))
			json_array_append_new(run, json_string(id));
		free(id);
	}
	if (here == 0)
		plan_row(p, _("warning"), _("%s has no [point] in %s: its CRL is served nowhere"), crl->ca, c->path);
	return 0;
}

/* A partition that is not configured any more is waited for nowhere. */
static bool publish_awaited(const struct run *r, const struct crl_made *crl)
{
	const struct config *c = run_config(r);

	for (size_t i = 0; i < c->points; i++)
		if (strcmp(c->point[i].ca, crl->ca) == 0 && point_wanted(r, &c->point[i]) &&
		    strcmp(c->point[i].partition != NULL ? c->point[i].partition : "", crl->part) == 0)
			return true;
	return false;
}

int publish_collect(struct run *r, struct plan *p, json_t *points, json_t *run, struct err *e)
{
	const struct incident *in = run_incident(r);
	const char *ca = args_get(run_args(r), "ca");
	struct err expired = { 0 };

	for (size_t i = 0; i < in->crls; i++) {
		const struct crl_made *crl = &in->crl[i];
		bool wanted = ca == NULL || strcmp(ca, crl->ca) == 0;
		if (wanted && crl->next_update <= clock_now()) {
			if (!publish_awaited(r, crl))
				continue;
			err_set(&expired, ERR_REFUSED, _("publish: CRL %s of %s has expired"), crl->number, crl->ca);
			err_remedy(&expired, "sev1 crl renew --ca %s", crl->ca);
			plan_row(p, _("WARNING"), "%s; %s", expired.text, expired.remedy);
			continue;
		}
		if (wanted)
			plan_crl(p, crl);
		if (publish_crl(r, p, crl, points, run, e) < 0)
			return e->code;
	}
	if (expired.code == 0 || json_array_size(run) > 0)
		return 0;
	*e = expired;
	return e->code;
}

void publish_follow(struct run *r, const struct err *before)
{
	json_t *points = json_array(), *run = json_array(), *spec;
	struct plan *draft = plan_new("", "", json_object());
	struct err e = { 0 };
	int rc = publish_collect(r, draft, points, run, &e);

	plan_free(draft);
	spec = json_pack("{s:o,s:o,s:i}", "points", points, "run", run, "attempts", PUBLISH_ATTEMPTS);
	if (rc < 0) {
		run_fail(r, &e);
	} else if (json_array_size(run) == 0) {
		run_out(r, _("no distribution point is configured for it: it is served nowhere"));
		if (before != NULL)
			run_fail(r, before);
		else
			run_end(r, EXIT_DONE);
	} else {
		publish_points(r, spec, before);
	}
	json_decref(spec);
}
