/* Translation. _() where text is shown, N_() where it stands in a table and is translated later. NC_("verb", "open")
 * in a table, and in_() where it is shown, is for a word that another language has several for. */
#ifndef SEV1_I18N_H
#define SEV1_I18N_H

#include <libintl.h>
#include <string.h>

#define _(s) gettext(s)
#define N_(s) (s)
#define NC_(context, s) context "\004" s

/* The translation of an NC_(), or of an N_(). */
static inline const char *in_(const char *s)
{
	const char *t = gettext(s), *plain = strchr(s, '\004');

	return t != s || plain == NULL ? t : plain + 1;
}

#endif
