/* Translation. _() where text is shown, N_() where it stands in a table and is translated later. */
#ifndef SEV1_I18N_H
#define SEV1_I18N_H

#include <libintl.h>

#define _(s) gettext(s)
#define N_(s) (s)

#endif
