#include "drill/score.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

#define MINUTE_MS 60000LL
#define POINTS_FULL 10
#define POINTS_HALF 5

static const char *const verdict_words[] = {
	[VERDICT_IN_TIME] = N_("in time"),
	[VERDICT_LATE] = N_("late"),
	[VERDICT_BY_HAND] = N_("by hand"),
	[VERDICT_WAIVED] = N_("waived"),
	[VERDICT_OPEN] = N_("open"),
};

static void score_checkpoint(struct score_line *l, const struct incident *in, const struct checkpoint *c)
{
	l->n = c->n;
	l->title = mem_strdup(c->title);
	l->due = c->due * MINUTE_MS;
	l->took = c->state == CP_OPEN ? -1 : c->done_at - in->declared;
	switch (c->state) {
	case CP_OPEN:
		l->verdict = VERDICT_OPEN;
		break;
	case CP_BY_HAND:
		l->verdict = VERDICT_BY_HAND;
		break;
	case CP_WAIVED:
		l->verdict = VERDICT_WAIVED;
		break;
	case CP_DONE:
		l->verdict = l->took <= l->due ? VERDICT_IN_TIME : VERDICT_LATE;
		break;
	}
	l->points = l->verdict == VERDICT_IN_TIME ? POINTS_FULL :
	    l->verdict == VERDICT_OPEN ? 0 : POINTS_HALF;
}

/* Revoked means published: the period ends when the CRL was last found served. */
static int64_t score_deadline(const struct incident *in, int64_t now)
{
	for (size_t i = 0; in->triage.answered && i < in->checkpoints; i++) {
		const struct checkpoint *c = &in->checkpoint[i];

		if (strcmp(c->evidence, "crl-published") == 0)
			return in->triage.deadline - (c->state == CP_OPEN ? now : c->done_at);
	}
	return INT64_MIN;
}

struct score *score_new(const struct incident *in, int64_t now)
{
	struct score *s = mem_zalloc(1, sizeof *s);

	s->line = mem_zalloc(in->checkpoints, sizeof *s->line);
	s->lines = in->checkpoints;
	s->evidence = s->rto = in->checkpoints > 0;
	for (size_t i = 0; i < s->lines; i++) {
		struct score_line *l = &s->line[i];

		score_checkpoint(l, in, &in->checkpoint[i]);
		s->points += l->points;
		s->of += POINTS_FULL;
		s->evidence = s->evidence && (l->verdict == VERDICT_IN_TIME || l->verdict == VERDICT_LATE);
	}
	for (size_t i = 0; i < s->lines; i++)
		s->rto = s->rto && s->line[i].took >= 0 && s->line[i].took <= s->line[s->lines - 1].due;
	s->deadline_left = score_deadline(in, now);
	s->hosts = in->hosts;
	s->hosts_verified = in->hosts_verified;
	return s;
}

void score_free(struct score *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->lines; i++)
		free(s->line[i].title);
	free(s->line);
	free(s);
}

static void score_add(char ***line, size_t *n, char *text)
{
	*line = mem_grow(*line, *n + 1, sizeof **line);
	(*line)[(*n)++] = text;
}

char **score_text(const struct score *s, size_t *n)
{
	char **line = NULL, due[24], took[24], pad[64];

	*n = 0;
	for (size_t i = 0; i < s->lines; i++) {
		const struct score_line *l = &s->line[i];

		clock_span(due, sizeof due, l->due);
		clock_span(took, sizeof took, l->took < 0 ? INT64_MIN : l->took);
		score_add(&line, n, mem_printf("%d %-28s %s  %9s  %s %2d", l->n, l->title, due, took,
		    text_pad(pad, sizeof pad, _(verdict_words[l->verdict]), 8), l->points));
	}
	score_add(&line, n, mem_printf(_("%d of %d points; RTO %s"), s->points, s->of,
	    s->rto ? _("met") : _("missed")));
	if (s->deadline_left != INT64_MIN)
		score_add(&line, n, mem_printf(s->deadline_left >= 0 ?
		    _("revocation deadline met with %s left") : _("revocation deadline missed: %s"),
		    clock_span(took, sizeof took, s->deadline_left)));
	if (s->hosts > 0)
		score_add(&line, n, mem_printf(_("%zu of %zu hosts have a new certificate"),
		    s->hosts_verified, s->hosts));
	return line;
}
