/* A typed line as words, quoted as in a shell. */
#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"

/* One word from *p on; false where a quote stays open. */
static bool words_next(const char **p, struct buf *b)
{
	char quote = '\0';
	const char *s = *p;

	for (; *s != '\0' && (quote != '\0' || *s != ' '); s++) {
		if (quote != '\0' && *s == quote)
			quote = '\0';
		else if (quote == '\0' && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (quote != '\'' && *s == '\\' && s[1] != '\0')
			buf_addc(b, *++s);
		else
			buf_addc(b, *s);
	}
	*p = s;
	return quote == '\0';
}

int words_split(const char *line, char ***argv, struct err *e)
{
	char **list = mem_zalloc(1, sizeof *list);
	int n = 0;

	for (;;) {
		struct buf b = { 0 };
		bool closed;
		while (*line == ' ')
			line++;
		if (*line == '\0')
			break;
		closed = words_next(&line, &b);
		list = mem_grow(list, (size_t)n + 2, sizeof *list);
		list[n++] = buf_take(&b);
		list[n] = NULL;
		if (!closed) {
			words_free(list, n);
			*argv = NULL;
			return err_set(e, ERR_USAGE, _("a quote is not closed"));
		}
	}
	*argv = list;
	return n;
}

void words_free(char **argv, int argc)
{
	for (int i = 0; argv != NULL && i < argc; i++)
		free(argv[i]);
	free(argv);
}
