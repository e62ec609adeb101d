/* The subscribers' contacts: a CSV file with a header. */
#ifndef SEV1_COMMS_SUBSCRIBERS_H
#define SEV1_COMMS_SUBSCRIBERS_H

#include <stddef.h>

#include "base/err.h"

struct contact {
	char *name;                  /* a word; see text_is_word */
	char **match; size_t matches;/* globs: of a name of the certificate, or with '=' in it of its subject */
	char *mail, *phone, *webhook;/* "" where there is none */
	int line;
};

struct contacts {
	char *path;
	struct contact *contact;
	size_t contacts;
};

/* Read the file: columns subscriber and match (globs with blanks or semicolons between), and of mail, phone and webhook
 * what there is, in any order. NULL with ERR_SYNTAX naming file and line (a name twice, an unusable address, nobody to be
 * reached), ERR_IO. */
struct contacts *contacts_load(const char *path, struct err *e);
void contacts_free(struct contacts *c);
const struct contact *contacts_find(const struct contacts *c, const char *name); /* NULL */

#endif
