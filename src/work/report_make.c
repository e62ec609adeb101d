#include "work/report_make.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "journal/journal.h"

#define APPENDIX_MAX ((size_t)64 << 20)

struct report_source {
	struct report report;
	struct event *event;
	size_t events;
	struct err audit;
	struct buf appendix, manifest;
	char head[DIGEST_HEX], sha256[DIGEST_HEX];
};

const char **report_cas(const struct incident *in)
{
	const char **name = mem_zalloc(in->scopes + in->owns + 1, sizeof *name);
	size_t n = 0;

	for (size_t i = 0; i < in->scopes; i++)
		if (in->scope[i].selected > 0)
			name[n++] = in->scope[i].ca;
	for (size_t i = 0; i < in->owns; i++) {
		size_t k = 0;

		while (k < n && strcmp(name[k], in->own[i].issuer) != 0)
			k++;
		if (k == n)
			name[n++] = in->own[i].issuer;
	}
	return name;
}

int report_manifest(struct engine *en, const char *ca, struct buf *b, struct err *e)
{
	const struct incident *in = engine_incident(en);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < in->scopes; i++)
		if (strcmp(in->scope[i].ca, ca) == 0 && in->scope[i].selected > 0)
			rc = journal_fetch(engine_journal(en), in->scope[i].manifest, b, e);
	for (size_t i = 0; i < in->owns; i++)
		if (strcmp(in->own[i].issuer, ca) == 0)
			buf_addf(b, "%s cACompromise\n", in->own[i].serial);
	return rc;
}

static int source_gather(void *ctx, const struct event *ev, struct err *e)
{
	struct report_source *s = ctx;
	struct event *copy;

	(void)e;
	s->event = mem_grow(s->event, s->events + 1, sizeof *s->event);
	copy = &s->event[s->events++];
	*copy = *ev;
	copy->actor = mem_strdup(ev->actor);
	copy->body = json_incref(ev->body);
	return 0;
}

/* What is not there is what the lint is for: no error. */
static void source_certificates(struct report_source *s, struct engine *en)
{
	const json_t *appendix = report_appendix(&s->report);
	const char **ca = report_cas(s->report.in);
	int rc = 0;

	if (appendix != NULL && fs_read(json_str(appendix, "path"), &s->appendix, APPENDIX_MAX, NULL) == 0) {
		s->report.appendix = buf_str(&s->appendix);
		digest_of(buf_str(&s->appendix), s->appendix.len, s->sha256);
		s->report.appendix_sha256 = s->sha256;
	}
	for (size_t i = 0; s->report.in->scope_frozen && ca[i] != NULL && rc == 0; i++)
		rc = report_manifest(en, ca[i], &s->manifest, NULL);
	if (s->report.in->scope_frozen && rc == 0)
		s->report.manifest = buf_str(&s->manifest);
	free(ca);
}

struct report_source *report_source_new(struct engine *en, struct err *e)
{
	struct report_source *s = mem_zalloc(1, sizeof *s);
	int rc;

	s->report = (struct report){ .in = engine_incident(en), .at = clock_now(), .version = PACKAGE_VERSION };
	if (journal_audit(engine_journal(en), &s->report.rows, s->head, &s->audit) < 0)
		s->report.verdict = s->audit.text;
	s->report.head = s->head;
	rc = journal_each(engine_journal(en), 0, source_gather, s, e);
	if (rc < 0 && rc != ERR_AUDIT) {
		report_source_free(s);
		return NULL;
	}
	s->report.event = s->event;
	s->report.events = s->events;
	source_certificates(s, en);
	return s;
}

const struct report *report_source(const struct report_source *s)
{
	return &s->report;
}

void report_source_free(struct report_source *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->events; i++)
		event_clear(&s->event[i]);
	free(s->event);
	buf_free(&s->appendix);
	buf_free(&s->manifest);
	free(s);
}
