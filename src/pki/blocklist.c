#include "pki/blocklist.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/dict.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"

#define FILE_MAX (256u << 20)

struct blocklist {
	struct buf text; /* the keys of known lie in it */
	struct dict known;
};

void blocklist_free(struct blocklist *b)
{
	if (b == NULL)
		return;
	buf_free(&b->text);
	dict_free(&b->known);
	free(b);
}

/* The digest of a line in lower case without colons, in place; "" for a comment. NULL: it is none. */
static const char *blocklist_line(char *s)
{
	char *to = s;

	s[strcspn(s, "#\r")] = '\0';
	for (const char *p = s; *p != '\0'; p++)
		if (*p != ':' && !isspace((unsigned char)*p))
			*to++ = (char)tolower((unsigned char)*p);
	*to = '\0';
	return s[0] == '\0' || (strlen(s) == DIGEST_HEX - 1 && text_is_hex(s)) ? s : NULL;
}

struct blocklist *blocklist_load(const char *file, struct err *e)
{
	struct blocklist *b = mem_zalloc(1, sizeof *b);
	char *line, *rest;
	const char *hex;
	int n = 0;

	if (fs_read(file, &b->text, FILE_MAX, e) < 0)
		goto fail;
	for (rest = b->text.data; (line = strsep(&rest, "\n")) != NULL;) {
		n++;
		if ((hex = blocklist_line(line)) == NULL) {
			err_set(e, ERR_SYNTAX, _("%s:%d: not a SHA-256 in hex"), file, n);
			err_remedy(e, _("openssl pkey -pubin -in KEY -outform DER | sha256sum makes one"));
			goto fail;
		}
		if (hex[0] != '\0')
			dict_put(&b->known, hex, 1);
	}
	return b;
fail:
	blocklist_free(b);
	return NULL;
}

bool blocklist_has(const struct blocklist *b, const char *spki)
{
	return b != NULL && dict_get(&b->known, spki) != DICT_NONE;
}
