#include "ask_select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"

static const struct {
	const char *value, *title;
} ways[] = {
	{ "serial", N_("Serials, typed or pasted") },
	{ "serials-file", N_("A file of serials") },
	{ "subject", N_("Their subjects, by a pattern") },
	{ "san", N_("Names in them (DNS, IP, mail, URI), by patterns") },
	{ "key-file", N_("A leaked private key, or a CSR or certificate on that key") },
	{ "key-hash", N_("The hash of a public key") },
	{ "issued", N_("The time of issue") },
	{ "all", N_("Every valid certificate of this CA") },
	{ "several", N_("Several of these, which must all hold") },
};

/* First what the report names that the incident was opened from. */
void select_menu(struct ask *a, void *ctx)
{
	char *known = model_reported(ctx, "select", ask_get(a, "ca")), title[120];
	size_t n = 0;

	while (model_reported_serial(ctx, ask_get(a, "ca"), n) != NULL)
		n++;
	if (known != NULL) {
		snprintf(title, sizeof title, n > 0 ? ngettext("What %s names: %zu certificate", "What %s names: %zu certificates", n) :
		    _("What %s names: the certificates on its key"), model_report_id(ctx), n);
		ask_choice(a, known, title);
	}
	free(known);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		ask_choice(a, ways[i].value, _(ways[i].title));
}

bool select_wanted(const struct ask *a, void *ctx)
{
	const char *level = ask_get(a, "level");

	(void)ctx;
	return level != NULL && strcmp(level, "end-entity") == 0;
}

static bool select_wants(const struct ask *a, const char *way)
{
	const char *chosen = ask_get(a, "select");

	return chosen != NULL && (strcmp(chosen, way) == 0 || strcmp(chosen, "several") == 0);
}

#define WANTS(name, way) \
	bool select_wants_##name(const struct ask *a, void *ctx) \
	{ \
		(void)ctx; \
		return select_wants(a, way); \
	}
WANTS(serial, "serial")
WANTS(list, "serials-file")
WANTS(subject, "subject")
WANTS(san, "san")
WANTS(key, "key-file")
WANTS(hash, "key-hash")
WANTS(time, "issued")

/* Hexadecimal, colons or 0x or not; or decimal behind "dec:". */
static bool select_is_serial(const char *s, size_t n)
{
	char word[200];
	bool dec = n > 4 && strncasecmp(s, "dec:", 4) == 0;
	size_t k = 0;

	if (dec || (n > 2 && strncasecmp(s, "0x", 2) == 0)) {
		s += dec ? 4 : 2;
		n -= dec ? 4 : 2;
	}
	for (size_t i = 0; i < n && k < sizeof word - 1; i++)
		if (s[i] != ':')
			word[k++] = s[i];
	word[k] = '\0';
	return k <= 120 && text_is_hex(word) && (!dec || strspn(word, "0123456789") == k);
}

/* Words apart by blanks or commas; kept apart by one blank. */
int select_serials(void *ctx, const char *text, char **value, struct err *e)
{
	struct buf b = { 0 };
	size_t n;

	(void)ctx;
	for (; *(text += strspn(text, " ,")) != '\0'; text += n) {
		n = strcspn(text, " ,");
		if (!select_is_serial(text, n)) {
			buf_free(&b);
			return err_set(e, ERR_USAGE, _("\"%.*s\" is no serial: hexadecimal, or decimal as dec:123456."),
			    (int)(n < 60 ? n : 60), text);
		}
		buf_addf(&b, "%s%.*s", b.len > 0 ? " " : "", (int)n, text);
	}
	*value = buf_take(&b);
	return 0;
}

int select_hashes(void *ctx, const char *text, char **value, struct err *e)
{
	size_t n;

	(void)ctx;
	for (const char *p = text; *(p += strspn(p, " ,")) != '\0'; p += n) {
		n = strcspn(p, " ,");
		if (n < 51)
			return err_set(e, ERR_USAGE, _("\"%.*s\" is no SHA-256: 64 hexadecimal digits, or sha256/BASE64=."),
			    (int)n, p);
	}
	*value = mem_strdup(text);
	return 0;
}

int select_file(void *ctx, const char *text, char **value, struct err *e)
{
	(void)ctx;
	if (!fs_exists(text))
		return err_set(e, ERR_USAGE, _("There is no such file on this machine."));
	*value = mem_strdup(text);
	return 0;
}

/* Each word of an answer as an option of its own. */
static bool select_each(const struct ask *a, struct answer *w, const char *name)
{
	const char *s = ask_get(a, name);
	char *word;
	size_t n;
	bool any = false;

	for (; s != NULL && *(s += strspn(s, " ,")) != '\0'; s += n) {
		n = strcspn(s, " ,");
		word = mem_strndup(s, n);
		answer_add(w, name, word);
		free(word);
		any = true;
	}
	return any;
}

static bool select_one(const struct ask *a, struct answer *w, const char *name)
{
	const char *s = ask_get(a, name);

	answer_add(w, name, s);
	return s != NULL && s[0] != '\0';
}

/* triage takes over by itself what the report names; only to be counted it is spelled out. */
static bool select_report(const struct ask *a, struct answer *w, bool index)
{
	const char *ca = ask_get(a, "ca"), *serial;
	size_t n = 0;

	for (; index && (serial = model_reported_serial(a->ctx, ca, n)) != NULL; n++)
		answer_add(w, "serial", serial);
	return !index || n > 0;
}

bool select_words(const struct ask *a, struct answer *w, bool index)
{
	const char *way = ask_get(a, "select");
	bool any = select_each(a, w, "serial");

	if (way != NULL && strcmp(way, "report") == 0)
		return select_report(a, w, index);
	any = select_one(a, w, "serials-file") || any;
	any = select_one(a, w, "subject") || any;
	if (index)
		return any;
	any = select_each(a, w, "san") || any;
	any = select_one(a, w, "key-file") || any;
	any = select_each(a, w, "key-hash") || any;
	any = select_one(a, w, "issued-since") || any;
	any = select_one(a, w, "issued-until") || any;
	if (way != NULL && strcmp(way, "all") == 0) {
		answer_flag(w, "all");
		any = true;
	}
	return any;
}
