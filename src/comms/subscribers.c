#include "comms/subscribers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"

#define CONTACTS_MAX (64u << 20)

enum { NAME, MATCH, MAIL, PHONE, WEBHOOK, COLUMNS };
static const char *const columns[COLUMNS] = { "subscriber", "match", "mail", "phone", "webhook" };

struct reading {
	struct contacts *c;
	bool header;
	size_t at[COLUMNS]; /* where a column stands; CSV_FIELDS nowhere */
};

static int reading_header(struct reading *r, char *const *field, size_t fields, struct err *e)
{
	for (size_t k = 0; k < COLUMNS; k++)
		r->at[k] = CSV_FIELDS;
	for (size_t i = 0; i < fields; i++)
		for (size_t k = 0; k < COLUMNS; k++)
			if (strcasecmp(field[i], columns[k]) == 0)
				r->at[k] = i;
	r->header = true;
	if (r->at[NAME] != CSV_FIELDS && r->at[MATCH] != CSV_FIELDS)
		return 0;
	err_set(e, ERR_SYNTAX, _("the header has no column '%s'"), columns[r->at[NAME] == CSV_FIELDS ? NAME : MATCH]);
	return err_remedy(e, _("the first line names the columns: subscriber,match,mail,phone,webhook"));
}

static const char *reading_field(const struct reading *r, int column, char *const *field, size_t fields)
{
	return r->at[column] < fields ? field[r->at[column]] : "";
}

static void contact_match(struct contact *c, const char *s)
{
	while (*s != '\0') {
		size_t n = strcspn(s, " \t;\n");
		if (n > 0) {
			c->match = mem_grow(c->match, c->matches + 1, sizeof *c->match);
			c->match[c->matches++] = mem_strndup(s, n);
		}
		s += n;
		s += strspn(s, " \t;\n");
	}
}

static int contact_check(const struct contacts *all, const struct contact *c, struct err *e)
{
	char *shown;

	if (!text_is_word(c->name)) {
		shown = text_escaped(c->name, strlen(c->name), 80);
		err_set(e, ERR_SYNTAX, _("'%s' is not a usable name"), shown);
		free(shown);
		return err_remedy(e, _("use letters, digits, '.', '_' and '-', without spaces"));
	}
	if (contacts_find(all, c->name) != c)
		return err_set(e, ERR_SYNTAX, _("the subscriber %s again; the first is at line %d"), c->name,
		    contacts_find(all, c->name)->line);
	if (strcmp(c->name, "reporter") == 0)
		return err_set(e, ERR_SYNTAX, _("'reporter' is who reported the problem: give the subscriber another name"));
	if (c->matches == 0) {
		err_set(e, ERR_SYNTAX, _("subscriber %s: no pattern"), c->name);
		return err_remedy(e, _("write globs of its certificates' names: *.example.com example.com"));
	}
	if (c->mail[0] != '\0' && (strchr(c->mail, '@') == NULL || c->mail[0] == '-' ||
	        strpbrk(c->mail, " \t\r\n<>\"'\\;|&$`(),") != NULL))
		return err_set(e, ERR_SYNTAX, _("subscriber %s: not a plain mail address"), c->name);
	if (c->webhook[0] != '\0' && ((strncmp(c->webhook, "https://", 8) != 0 && strncmp(c->webhook, "http://", 7) != 0) ||
	        strpbrk(c->webhook, " \t\r\n\"'<>\\") != NULL))
		return err_set(e, ERR_SYNTAX, _("subscriber %s: the webhook is no http or https URL"), c->name);
	if (c->mail[0] == '\0' && c->webhook[0] == '\0' && c->phone[0] == '\0') {
		err_set(e, ERR_SYNTAX, _("subscriber %s cannot be reached"), c->name);
		return err_remedy(e, _("give a mail, phone or webhook"));
	}
	return 0;
}

static int reading_row(void *ctx, char *const *field, size_t fields, int line, struct err *e)
{
	struct reading *r = ctx;
	struct contact *c;

	if (!r->header)
		return reading_header(r, field, fields, e);
	r->c->contact = mem_grow(r->c->contact, r->c->contacts + 1, sizeof *r->c->contact);
	c = &r->c->contact[r->c->contacts++];
	*c = (struct contact){ .line = line, .name = mem_strdup(reading_field(r, NAME, field, fields)),
		.mail = mem_strdup(reading_field(r, MAIL, field, fields)),
		.phone = mem_strdup(reading_field(r, PHONE, field, fields)),
		.webhook = mem_strdup(reading_field(r, WEBHOOK, field, fields)) };
	contact_match(c, reading_field(r, MATCH, field, fields));
	return contact_check(r->c, c, e);
}

struct contacts *contacts_load(const char *path, struct err *e)
{
	struct reading r = { .c = mem_zalloc(1, sizeof *r.c) };
	struct buf text = { 0 };
	int rc = fs_read(path, &text, CONTACTS_MAX, e);

	r.c->path = mem_strdup(path);
	if (rc == 0)
		rc = csv_each(buf_str(&text), path, reading_row, &r, e);
	buf_free(&text);
	if (rc == 0)
		return r.c;
	contacts_free(r.c);
	return NULL;
}

void contacts_free(struct contacts *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->contacts; i++) {
		for (size_t k = 0; k < c->contact[i].matches; k++)
			free(c->contact[i].match[k]);
		free(c->contact[i].match);
		free(c->contact[i].name);
		free(c->contact[i].mail);
		free(c->contact[i].phone);
		free(c->contact[i].webhook);
	}
	free(c->contact);
	free(c->path);
	free(c);
}

const struct contact *contacts_find(const struct contacts *c, const char *name)
{
	for (size_t i = 0; i < c->contacts; i++)
		if (strcmp(c->contact[i].name, name) == 0)
			return &c->contact[i];
	return NULL;
}
