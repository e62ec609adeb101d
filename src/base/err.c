#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return code;
	e->code = code;
	e->remedy[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return code;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;
	size_t n;

	if (e == NULL)
		return ERR_IO;
	e->code = ERR_IO;
	e->remedy[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof e->text - n, ": %s", strerror(saved));
	errno = saved;
	return ERR_IO;
}

int err_remedy(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return ERR_FAILED;
	va_start(ap, fmt);
	vsnprintf(e->remedy, sizeof e->remedy, fmt, ap);
	va_end(ap);
	return e->code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char old[sizeof e->text];
	va_list ap;
	size_t n;

	if (e == NULL)
		return ERR_FAILED;
	memcpy(old, e->text, sizeof old);
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	if (n + 3 < sizeof e->text)
		snprintf(e->text + n, sizeof e->text - n, ": %.*s",
		    (int)(sizeof e->text - n - 3), old);
	return e->code;
}

int err_exit_status(int code)
{
	switch (code) {
	case ERR_NONE:
		return EXIT_DONE;
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_REFUSED:
	case ERR_CONFINED:
		return EXIT_REFUSED;
	case ERR_PARTIAL:
		return EXIT_PARTIAL;
	case ERR_AUDIT:
		return EXIT_AUDIT;
	default:
		return EXIT_FAILED;
	}
}
