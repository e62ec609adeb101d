#include "fleet_view.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/dict.h"
#include "base/i18n.h"
#include "lines.h"
#include "pager.h"

static const char *const state_names[FLEET_STATES] = { N_("waiting"), N_("running"), N_("verified"), N_("failed"),
	N_("rolled back"), N_("unreachable"), N_("refused") };

/* What an operator looks for first. */
static const int state_rank[FLEET_STATES] = { [FLEET_FAILED] = 0, [FLEET_ROLLED_BACK] = 1, [FLEET_UNREACHABLE] = 2,
	[FLEET_REFUSED] = 3, [FLEET_RUNNING] = 4, [FLEET_WAITING] = 5, [FLEET_VERIFIED] = 6 };

const char *fleet_state_name(enum fleet_state st)
{
	return state_names[st];
}

enum fleet_state fleet_state_of(const char *name)
{
	for (int i = 0; i < FLEET_STATES; i++)
		if (strcmp(state_names[i], name) == 0)
			return (enum fleet_state)i;
	return FLEET_FAILED;
}

static bool state_ended(enum fleet_state st)
{
	return st != FLEET_WAITING && st != FLEET_RUNNING;
}

/* ---- words of a filter ---- */

static bool word_is_state(const char *word, enum fleet_state *st)
{
	for (int i = 0; i < FLEET_STATES; i++)
		if (strcasecmp(word, state_names[i]) == 0 || strcasecmp(word, _(state_names[i])) == 0 ||
		    (i == FLEET_ROLLED_BACK && strcasecmp(word, "rolled") == 0)) {
			*st = (enum fleet_state)i;
			return true;
		}
	return false;
}

static bool word_holds(const char *word, const struct host_row *h)
{
	if (strpbrk(word, "*?[") != NULL)
		return fnmatch(word, h->host, FNM_CASEFOLD) == 0;
	return text_has(h->host, word) || text_has(h->phase, word) || text_has(h->detail, word);
}

struct filter {
	char text[128];
	char *word[32];
	size_t words;
	bool states; /* some are named */
	bool state[FLEET_STATES];
};

static void filter_read(struct filter *f, const char *text)
{
	char *rest = NULL;
	enum fleet_state st;

	*f = (struct filter){ .states = false };
	if (word_is_state(text, &st)) { /* "rolled back" is two words */
		f->states = f->state[st] = true;
		return;
	}
	snprintf(f->text, sizeof f->text, "%s", text);
	for (char *w = strtok_r(f->text, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
		if (word_is_state(w, &st))
			f->states = f->state[st] = true;
		else if (f->words < sizeof f->word / sizeof f->word[0])
			f->word[f->words++] = w;
	}
}

static bool filter_lets(const struct filter *f, const struct host_row *h, enum fleet_state st)
{
	enum fleet_state not;

	if (f->states && !f->state[st])
		return false;
	for (size_t i = 0; i < f->words; i++) {
		const char *w = f->word[i];
		if (w[0] != '!' || w[1] == '\0') {
			if (!word_holds(w, h))
				return false;
		} else if (word_is_state(w + 1, &not) ? st == not : word_holds(w + 1, h)) {
			return false;
		}
	}
	return true;
}

/* ---- groups ---- */

static size_t abstract_word(struct buf *b, const char *p)
{
	size_t hex = strspn(p, "0123456789abcdefABCDEF"), digits = strspn(p, "0123456789");

	if (p[0] == '\\' && p[1] == 'x') { /* the escaper's */
		buf_add(b, p, strnlen(p, 4));
		return strnlen(p, 4);
	}
	if (hex >= 8 && !isalnum((unsigned char)p[hex])) {
		buf_addc(b, '#');
		return hex;
	}
	if (digits > 0) {
		buf_addc(b, '#');
		return digits;
	}
	/* A word that holds a figure later on keeps its letters. */
	buf_addc(b, *p);
	return 1;
}

char *fleet_abstract(const char *detail, const char *host)
{
	static const char beside[] = ".sev1-";
	struct buf b = { 0 };
	size_t name = strlen(host);
	bool starts = true; /* of a word */

	for (const char *p = detail; *p != '\0';) {
		if (name > 0 && strncmp(p, host, name) == 0) {
			buf_adds(&b, "HOST");
			p += name;
		} else if (strncmp(p, beside, sizeof beside - 1) == 0) {
			buf_addf(&b, "%s#", beside);
			p += sizeof beside - 1;
			p += strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
		} else if (starts || isdigit((unsigned char)*p) || *p == '\\') {
			p += abstract_word(&b, p);
		} else {
			buf_addc(&b, *p++);
		}
		starts = !isalnum((unsigned char)p[-1]);
	}
	return buf_take(&b);
}

static char *group_key(const struct host_row *h)
{
	char *words = fleet_abstract(h->detail, h->host), *key = mem_printf("%s|%s|%s", h->state, h->phase, words);

	free(words);
	return key;
}

static int group_more(const void *a, const void *b)
{
	const struct fleet_group *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->words, y->words);
}

static void view_drop_groups(struct fleet_view *v)
{
	for (size_t i = 0; i < v->groups; i++)
		free(v->group[i].words);
	free(v->group);
	v->group = NULL;
	v->groups = 0;
}

static bool state_bad(enum fleet_state st)
{
	return state_ended(st) && st != FLEET_VERIFIED;
}

static void view_group(struct fleet_view *v, const unsigned char *state)
{
	struct dict known = { 0 };
	char **key = NULL;

	view_drop_groups(v);
	for (size_t i = 0; i < v->in->hosts; i++) {
		const struct host_row *h = &v->in->host[i];
		char *k;
		size_t at;
		if (!state_bad(state[i]))
			continue;
		k = group_key(h);
		if ((at = dict_get(&known, k)) == DICT_NONE) {
			at = v->groups++;
			v->group = mem_grow(v->group, v->groups, sizeof *v->group);
			key = mem_grow(key, v->groups, sizeof *key);
			v->group[at] = (struct fleet_group){ .first = h, .words = fleet_abstract(h->detail, h->host) };
			key[at] = k;
			dict_put(&known, k, at);
		} else {
			free(k);
		}
		v->group[at].count++;
	}
	dict_free(&known);
	for (size_t i = 0; i < v->groups; i++)
		free(key[i]);
	free(key);
	if (v->groups > 1)
		qsort(v->group, v->groups, sizeof *v->group, group_more);
}

/* ---- rows ---- */

static int by_number(int64_t x, int64_t y)
{
	return x < y ? -1 : x > y;
}

struct sorting {
	const struct fleet_view *v;
	const unsigned char *state;
};

static int row_order(const void *a, const void *b, void *ctx)
{
	const struct sorting *s = ctx;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	const struct host_row *x = &s->v->in->host[i], *y = &s->v->in->host[k];
	int rc = 0;

	switch (s->v->by) {
	case FLEET_BY_HOST: rc = (int)s->v->rank[i] - (int)s->v->rank[k]; break;
	case FLEET_BY_PHASE: rc = strcmp(x->phase, y->phase); break;
	case FLEET_BY_STATE: rc = state_rank[s->state[i]] - state_rank[s->state[k]]; break;
	case FLEET_BY_DETAIL: rc = strcmp(x->detail, y->detail); break;
	case FLEET_BY_TOOK: rc = by_number(y->ms, x->ms); break; /* the slowest first */
	case FLEET_BY_ORDER: case FLEET_BYS: break;
	}
	if (s->v->down)
		rc = -rc;
	if (rc == 0)
		rc = i < k ? -1 : 1;
	return s->v->by == FLEET_BY_ORDER && s->v->down ? -rc : rc;
}

static int name_order(const void *a, const void *b, void *ctx)
{
	const struct incident *in = ctx;

	return strverscmp(in->host[*(const size_t *)a].host, in->host[*(const size_t *)b].host);
}

/* Each host's place by name, which changes only as hosts come. */
static void view_rank(struct fleet_view *v)
{
	size_t *row = mem_zalloc(v->in->hosts + 1, sizeof *row);

	for (size_t i = 0; i < v->in->hosts; i++)
		row[i] = i;
	qsort_r(row, v->in->hosts, sizeof *row, name_order, (void *)(uintptr_t)v->in);
	free(v->rank);
	v->rank = mem_zalloc(v->in->hosts + 1, sizeof *v->rank);
	for (size_t i = 0; i < v->in->hosts; i++)
		v->rank[row[i]] = (uint32_t)i;
	v->ranked = v->in->hosts;
	free(row);
}

static void view_rows(struct fleet_view *v, const unsigned char *state)
{
	struct sorting s = { .v = v, .state = state };
	struct filter f;

	if (v->by == FLEET_BY_HOST && (v->rank == NULL || v->ranked != v->in->hosts))
		view_rank(v);
	filter_read(&f, v->filter);
	free(v->row);
	v->row = mem_zalloc(v->in->hosts + 1, sizeof *v->row);
	v->rows = 0;
	for (size_t i = 0; i < v->in->hosts; i++) {
		const struct host_row *h = &v->in->host[i];
		char *key;
		bool same;
		if (!filter_lets(&f, h, state[i]))
			continue;
		if (v->like != NULL) {
			if (!state_bad(state[i]))
				continue;
			key = group_key(h);
			same = strcmp(key, v->like) == 0;
			free(key);
			if (!same)
				continue;
		}
		v->row[v->rows++] = i;
	}
	if (v->by != FLEET_BY_ORDER || v->down)
		qsort_r(v->row, v->rows, sizeof *v->row, row_order, &s);
}

static int time_order(const void *a, const void *b)
{
	return by_number(*(const int64_t *)a, *(const int64_t *)b);
}

static void view_tally(struct fleet_view *v, unsigned char *state)
{
	free(v->ended);
	v->ended = mem_zalloc(v->in->hosts + 1, sizeof *v->ended);
	v->ends = 0;
	memset(v->count, 0, sizeof v->count);
	for (size_t i = 0; i < v->in->hosts; i++) {
		enum fleet_state st = fleet_state_of(v->in->host[i].state);
		state[i] = (unsigned char)st;
		v->count[st]++;
		if (state_ended(st))
			v->ended[v->ends++] = v->in->host[i].at;
	}
	qsort(v->ended, v->ends, sizeof *v->ended, time_order);
}

bool fleet_view_refresh(struct fleet_view *v, const struct incident *in)
{
	unsigned char *state;

	if (!v->stale && v->in == in && v->seq == in->last_seq && v->known == in->hosts)
		return false;
	if (v->in != in)
		v->ranked = 0;
	v->in = in;
	v->seq = in->last_seq;
	v->known = in->hosts;
	v->stale = false;
	v->made++;
	state = mem_zalloc(in->hosts + 1, 1);
	view_tally(v, state);
	view_group(v, state);
	view_rows(v, state);
	free(state);
	return true;
}

void fleet_view_filter(struct fleet_view *v, const char *filter)
{
	snprintf(v->filter, sizeof v->filter, "%s", filter);
	v->stale = true;
}

void fleet_view_sort(struct fleet_view *v, enum fleet_by by, bool down)
{
	v->by = by;
	v->down = down;
	v->stale = true;
}

void fleet_view_like(struct fleet_view *v, const struct fleet_group *g)
{
	char *key = g != NULL ? group_key(g->first) : NULL;

	free(v->like);
	v->like = key;
	v->stale = true;
}

size_t fleet_view_find(const struct fleet_view *v, size_t host)
{
	size_t i = 0;

	while (i < v->rows && v->row[i] != host)
		i++;
	return i;
}

void fleet_view_free(struct fleet_view *v)
{
	view_drop_groups(v);
	free(v->row);
	free(v->ended);
	free(v->rank);
	free(v->like);
	*v = (struct fleet_view){ 0 };
}
