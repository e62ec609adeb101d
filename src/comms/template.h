/* Notices from templates: a text file whose first line is "Subject: ...", then an empty line, then the
 * body; {{field}} anywhere stands for a field's value. */
#ifndef SEV1_TEMPLATE_H
#define SEV1_TEMPLATE_H

#include <jansson.h>

#include "base/err.h"

struct fields;

struct fields *fields_new(void);
void fields_free(struct fields *f);
/* Set a field; value is copied, NULL or "" leaves it unfilled. Control characters are escaped, but
 * for newlines, which stay in the body and become spaces in the subject. */
void fields_set(struct fields *f, const char *name, const char *value);
/* Say why a field has no value: whoever asks for it is told. */
void fields_lack(struct fields *f, const char *name, const char *why);
const char *fields_get(const struct fields *f, const char *name); /* NULL where it is unfilled */

/* Fill in a template's text; file is its name, for messages. missing (may be NULL) is filled with
 * {field, line} for each unfilled one, which stays as {{field}} in the text; without it an unfilled
 * field is ERR_REFUSED naming the field and the template's line. ERR_SYNTAX for a template without a
 * subject or with an open {{. *subject and *body are the caller's. subject_instead (may be NULL)
 * stands in for the template's own subject line. */
int template_fill(const char *text, const char *file, const struct fields *f,
    const char *subject_instead, json_t *missing, char **subject, char **body, struct err *e);

#endif
