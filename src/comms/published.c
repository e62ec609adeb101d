#include "comms/published.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/i18n.h"
#include "base/text.h"

#define ADDRESSES 200

/* ---- addresses ---- */

/* Signs of an address as people and programs write them. */
static const struct {
	const char *written, *sign;
} signs[] = {
	{ "&#64;", "@" }, { "&#x40;", "@" }, { "&commat;", "@" }, { "&#46;", "." }, { "&#x2e;", "." }, { "&period;", "." },
	{ "%40", "@" }, { "(at)", "@" }, { "[at]", "@" }, { "(dot)", "." }, { "[dot]", "." },
};

/* The text in lower case with those signs; blanks around one that stands for itself in brackets fall away. */
static char *plain(const char *text)
{
	struct buf b = { 0 };

	while (*text != '\0') {
		size_t i, n = 0;

		for (i = 0; i < sizeof signs / sizeof signs[0] && n == 0; i++)
			if (strncasecmp(text, signs[i].written, strlen(signs[i].written)) == 0) {
				n = strlen(signs[i].written);
				break;
			}
		if (n == 0) {
			buf_addc(&b, (char)tolower((unsigned char)*text++));
			continue;
		}
		text += n;
		if (signs[i].written[0] == '(' || signs[i].written[0] == '[') {
			while (b.len > 0 && b.data[b.len - 1] == ' ')
				b.data[--b.len] = '\0';
			text += strspn(text, " ");
		}
		buf_adds(&b, signs[i].sign);
	}
	return buf_take(&b);
}

static bool is_local(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr(".!#$*+-/=?^_{}~", c) != NULL);
}

static bool is_domain(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '-';
}

static void add_address(json_t *all, const char *from, size_t len)
{
	char *one = mem_strndup(from, len);
	json_t *v;
	size_t i;
	bool there = false;

	json_array_foreach(all, i, v)
		there = there || strcmp(json_string_value(v), one) == 0;
	if (!there)
		json_array_append_new(all, json_string(one));
	free(one);
}

json_t *published_addresses(const char *text)
{
	char *s = plain(text);
	json_t *all = json_array();

	for (const char *at = s; (at = strchr(at, '@')) != NULL && json_array_size(all) < ADDRESSES; at++) {
		const char *from = at, *to = at + 1, *dot;

		while (from > s && is_local(from[-1]))
			from--;
		from += strspn(from, ".!#$*+-/=?^{}~");
		while (is_domain(*to))
			to++;
		while (to > at + 1 && !isalnum((unsigned char)to[-1]))
			to--; /* the full stop of a sentence */
		dot = memchr(at + 1, '.', (size_t)(to - at - 1));
		if (from < at && dot != NULL && dot > at + 1)
			add_address(all, from, (size_t)(to - from));
	}
	free(s);
	return all;
}

bool published_names(const char *text, const char *address)
{
	json_t *all, *v;
	bool named = false;
	size_t i;

	if (strstr(address, "://") != NULL) {
		size_t n = strlen(address);
		for (const char *p = text; !named && (p = strcasestr(p, address)) != NULL; p++)
			named = p[n] == '\0' || strchr(" \t\r\n\"'<>)],;", p[n]) != NULL || (p[n] == '.' && !isalnum((unsigned char)p[n + 1])) ||
			    (p[n] == '/' && !isalnum((unsigned char)p[n + 1]));
		return named;
	}
	all = published_addresses(text);
	json_array_foreach(all, i, v)
		named = named || strcasecmp(json_string_value(v), address) == 0;
	json_decref(all);
	return named;
}

/* ---- a CP or CPS ---- */

/* A heading: at the start of a line, but for blanks. */
static const char *heading(const char *text, const char *number, bool last)
{
	const char *found = NULL;
	size_t n = strlen(number);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		line += strspn(line, " \t\f#*");
		if (strncmp(line, number, n) != 0 || isdigit((unsigned char)line[n]))
			continue;
		found = line;
		if (!last)
			break;
	}
	return found;
}

char *published_section(const char *text)
{
	const char *from = heading(text, "1.5.2", true), *to;

	if (from == NULL)
		return mem_strdup(text);
	if ((to = heading(from, "1.5.3", false)) == NULL)
		to = heading(from, "1.6", false);
	return to != NULL ? mem_strndup(from, (size_t)(to - from)) : mem_strdup(from);
}

/* ---- a directory ---- */

struct directory {
	const char *owner;
	size_t owner_at, says_at; /* columns; SIZE_MAX unknown */
	bool header, found;
	struct buf says;
};

static int directory_row(void *ctx, char *const *field, size_t fields, int line, struct err *e)
{
	struct directory *d = ctx;

	(void)line;
	if (d->header) {
		if (d->owner_at >= fields || d->says_at >= fields || strcasecmp(field[d->owner_at], d->owner) != 0)
			return 0;
		d->found = true;
		if (d->says.len == 0 || strcmp(buf_str(&d->says), field[d->says_at]) != 0)
			buf_addf(&d->says, "%s%s", d->says.len > 0 ? "\n" : "", field[d->says_at]);
		return 0;
	}
	d->header = true;
	for (size_t i = 0; i < fields; i++) {
		if (strcasecmp(field[i], "CA Owner") == 0)
			d->owner_at = i;
		if (strcasestr(field[i], "problem reporting") != NULL)
			d->says_at = i;
	}
	if (d->owner_at != SIZE_MAX && d->says_at != SIZE_MAX)
		return 0;
	err_set(e, ERR_NOTFOUND, _("no column \"%s\""), d->owner_at == SIZE_MAX ? "CA Owner" : "Problem Reporting ...");
	return err_remedy(e, _("export the report of problem-reporting mechanisms from the directory as CSV"));
}

char *published_directory(const char *csv, const char *name, const char *owner, struct err *e)
{
	struct directory d = { .owner = owner, .owner_at = SIZE_MAX, .says_at = SIZE_MAX };
	int rc = csv_each(csv, name, directory_row, &d, e);

	if (rc == 0 && !d.found) {
		rc = err_set(e, ERR_NOTFOUND, _("%s: no row of the CA owner \"%s\""), name, owner);
		err_remedy(e, _("correct ccadb-owner in [contacts], or export it anew"));
	}
	if (rc == 0)
		return buf_take(&d.says);
	buf_free(&d.says);
	return NULL;
}
