#include "drill/scenario.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/inifile.h"
#include "base/text.h"
#include "incident/triage.h"

#define SCENARIO_OCTETS (256u << 10)

const char *const scenario_fault_names[FAULT_KINDS] = {
	"none", "unreachable", "failing-test", "failing-reload"
};

/* The strings and numbers of [scenario], each with what it may be. */
static const struct {
	const char *key;
	size_t at;
	bool number;
	int lo, hi;
	const char *choices; /* " a b c " or NULL */
} fields[] = {
	{ "title", offsetof(struct scenario, title), false, 0, 0, NULL },
	{ "story", offsetof(struct scenario, story), false, 0, 0, NULL },
	{ "ca", offsetof(struct scenario, ca), false, 0, 0, " root issuing1 issuing2 " },
	{ "level", offsetof(struct scenario, level), false, 0, 0, " root intermediate end-entity " },
	{ "compromise", offsetof(struct scenario, compromise), true, 1, 4, NULL },
	{ "received", offsetof(struct scenario, received), true, 0, 10080, NULL },
	{ "channel", offsetof(struct scenario, channel), false, 0, 0, NULL },
	{ "reporter", offsetof(struct scenario, reporter), false, 0, 0, NULL },
	{ "hosts", offsetof(struct scenario, hosts), true, 1, 200, NULL },
	{ "certificates", offsetof(struct scenario, certificates), true, 21, 100000, NULL },
};

static int scenario_number(const char *key, const char *value, int lo, int hi, int *out,
    struct err *e)
{
	char *end;
	long v = strtol(value, &end, 10);

	if (end == value || *end != '\0' || v < lo || v > hi)
		return err_set(e, ERR_SYNTAX, _("%s = %s: a number from %d to %d is wanted"), key, value,
		    lo, hi);
	*out = (int)v;
	return 0;
}

static int scenario_field(struct scenario *s, const char *key, const char *value, struct err *e)
{
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		char *at = (char *)s + fields[i].at;

		if (strcmp(fields[i].key, key) != 0)
			continue;
		if (fields[i].number)
			return scenario_number(key, value, fields[i].lo, fields[i].hi, (int *)(void *)at,
			    e);
		if (fields[i].choices != NULL) {
			char *word = mem_printf(" %s ", value);
			bool known = strstr(fields[i].choices, word) != NULL;

			free(word);
			if (!known)
				return err_set(e, ERR_SYNTAX, _("%s = %s: one of%sis wanted"), key, value,
				    fields[i].choices);
		}
		free(*(char **)(void *)at);
		*(char **)(void *)at = text_escaped(value, strlen(value), 400);
		return 0;
	}
	return err_set(e, ERR_SYNTAX, _("unknown key %s in [scenario]"), key);
}

/* "unreachable = db02, web03" */
static int scenario_fault(struct scenario *s, const char *key, const char *value, struct err *e)
{
	char *copy, *save = NULL;
	int fault = FAULT_NONE + 1, rc = 0;

	while (fault < FAULT_KINDS && strcmp(scenario_fault_names[fault], key) != 0)
		fault++;
	if (fault == FAULT_KINDS)
		return err_set(e, ERR_SYNTAX, _("unknown fault %s in [faults]"), key);
	copy = mem_strdup(value);
	for (char *w = strtok_r(copy, ", \t", &save); w != NULL && rc == 0;
	     w = strtok_r(NULL, ", \t", &save)) {
		if (!text_is_word(w)) {
			rc = err_set(e, ERR_SYNTAX, _("%s: %s is not a host's name"), key, w);
			break;
		}
		s->faulty = mem_grow(s->faulty, s->faulties + 1, sizeof *s->faulty);
		s->faulty[s->faulties].host = mem_strdup(w);
		s->faulty[s->faulties++].fault = (enum fault)fault;
	}
	free(copy);
	return rc;
}

/* "+12m = text" */
static int scenario_inject(struct scenario *s, const char *key, const char *value, struct err *e)
{
	char *end;
	long minute = strtol(key, &end, 10);
	size_t at = s->injects;

	if (key[0] != '+' || end == key || strcmp(end, "m") != 0 || minute < 0 || minute > 1440)
		return err_set(e, ERR_SYNTAX, _("%s: an inject's time is written +12m"), key);
	s->inject = mem_grow(s->inject, s->injects + 1, sizeof *s->inject);
	for (; at > 0 && s->inject[at - 1].minute > (int)minute; at--)
		s->inject[at] = s->inject[at - 1];
	s->inject[at].minute = (int)minute;
	s->inject[at].text = text_escaped(value, strlen(value), 400);
	s->injects++;
	return 0;
}

static int scenario_line(void *ctx, const char *section, const char *key, const char *value,
    int line, struct err *e)
{
	static const struct {
		const char *section;
		int (*fn)(struct scenario *, const char *, const char *, struct err *);
	} sections[] = {
		{ "scenario", scenario_field }, { "faults", scenario_fault },
		{ "injects", scenario_inject },
	};

	(void)line;
	for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
		if (strcmp(sections[i].section, section) == 0)
			return key == NULL ? 0 : sections[i].fn(ctx, key, value, e);
	return err_set(e, ERR_SYNTAX, _("unknown section [%s]"), section);
}

static int scenario_check(const struct scenario *s, const char *name, struct err *e)
{
	const struct choice *c = triage_channels;

	if (s->title == NULL)
		return err_set(e, ERR_SYNTAX, _("%s: [scenario] has no title"), name);
	if (s->certificates < s->hosts + 20)
		return err_set(e, ERR_SYNTAX, _("%s: certificates = %d is less than hosts + 20"), name,
		    s->certificates);
	while (c->value != NULL && strcmp(c->value, s->channel) != 0)
		c++;
	if (c->value == NULL)
		return err_set(e, ERR_SYNTAX, _("%s: channel = %s is none that triage knows"), name, s->channel);
	if ((strcmp(s->ca, "root") == 0) != (strcmp(s->level, "root") == 0))
		return err_set(e, ERR_SYNTAX, _("%s: level = %s does not go with ca = %s"), name, s->level,
		    s->ca);
	return 0;
}

struct scenario *scenario_read(const char *text, const char *name, struct err *e)
{
	struct scenario *s = mem_zalloc(1, sizeof *s);
	const char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
	size_t len = strlen(base);

	s->name = mem_strndup(base, len > 4 && strcmp(base + len - 4, ".ini") == 0 ? len - 4 : len);
	s->story = mem_strdup("");
	s->ca = mem_strdup("issuing2");
	s->level = mem_strdup("intermediate");
	s->channel = mem_strdup("support");
	s->reporter = mem_strdup("");
	s->compromise = 1;
	s->hosts = 12;
	s->certificates = 2000;
	if (inifile_each(text, name, scenario_line, s, e) < 0 || scenario_check(s, name, e) < 0) {
		err_remedy(e, _("data/scenarios/intermediate-key.ini shows every key"));
		scenario_free(s);
		return NULL;
	}
	return s;
}

struct scenario *scenario_find(const char *folder, const char *name, struct err *e)
{
	struct buf text = { 0 }, known = { 0 };
	struct scenario *s = NULL;
	char *file = NULL, *path, **names;
	size_t n;

	if (strchr(name, '/') == NULL && text_is_word(name))
		file = mem_printf("%s.ini", name);
	path = strchr(name, '/') != NULL ? mem_strdup(name) : fs_join(folder, file != NULL ? file : "-");
	if (fs_exists(path)) {
		if (fs_read(path, &text, SCENARIO_OCTETS, e) == 0)
			s = scenario_read(buf_str(&text), path, e);
	} else {
		names = scenario_list(folder, &n);
		for (size_t i = 0; i < n; i++) {
			buf_addf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
			free(names[i]);
		}
		free(names);
		err_set(e, ERR_NOTFOUND, _("there is no scenario %s"), name);
		err_remedy(e, _("%s holds: %s"), folder, n > 0 ? buf_str(&known) : "none");
	}
	buf_free(&known);
	buf_free(&text);
	free(path);
	free(file);
	return s;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **scenario_list(const char *folder, size_t *n)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	char **names = NULL;

	*n = 0;
	while (d != NULL && (entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len <= 4 || strcmp(entry->d_name + len - 4, ".ini") != 0)
			continue;
		names = mem_grow(names, *n + 1, sizeof *names);
		names[(*n)++] = mem_strndup(entry->d_name, len - 4);
	}
	if (d != NULL)
		closedir(d);
	if (*n > 1)
		qsort(names, *n, sizeof *names, name_compare);
	return names;
}

void scenario_free(struct scenario *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->faulties; i++)
		free(s->faulty[i].host);
	for (size_t i = 0; i < s->injects; i++)
		free(s->inject[i].text);
	free(s->faulty);
	free(s->inject);
	free(s->name);
	free(s->title);
	free(s->story);
	free(s->ca);
	free(s->level);
	free(s->channel);
	free(s->reporter);
	free(s);
}
