/* Ranges in host names: ansible's [01:50], [1:9:2], [a:f] and pdsh's [1-3,7,09-12]. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "fleet/inventory.h"

struct span { /* what stands between brackets, or one item of a list there */
	bool letters;
	long first, last, step;
	int width; /* digits, with leading zeros; 0: none */
};

struct expansion {
	int (*add)(void *ctx, const char *name);
	void *ctx;
	long left;
	struct err *e;
};

static int span_error(struct err *e, const char *what, const char *s, size_t len)
{
	char *safe = text_escaped(s, len, 60);

	err_set(e, ERR_SYNTAX, "%s: [%s]", what, safe);
	free(safe);
	return err_remedy(e, _("ranges look so: web[01:50], web[1:9:2], node[1-3,7], [a:f].example.com"));
}

/* A number of at most nine digits. */
static bool span_number(const char **s, const char *end, long *out, size_t *digits)
{
	const char *p = *s;

	for (*out = 0; p < end && isdigit((unsigned char)*p) && p - *s < 9; p++)
		*out = *out * 10 + (*p - '0');
	*digits = (size_t)(p - *s);
	*s = p;
	return *digits > 0;
}

/* "01:50", "1:9:2", "a:f", "1-3" or "7". */
static int span_read(const char *s, size_t len, struct span *sp, struct err *e)
{
	const char *p = s, *end = s + len;
	size_t digits = 0, more;
	char mark = 0;

	*sp = (struct span){ .step = 1 };
	if (len > 0 && isalpha((unsigned char)s[0])) {
		sp->letters = true;
		sp->first = sp->last = *p++;
	} else if (len > 0 && s[0] == ':') {
		sp->first = 0; /* [:5] counts from nought */
	} else if (!span_number(&p, end, &sp->first, &digits)) {
		return span_error(e, _("not a range"), s, len);
	}
	sp->last = sp->first;
	if (p < end && (*p == ':' || *p == '-')) {
		mark = *p++;
		if (sp->letters ? p == end || !isalpha((unsigned char)*p) : !span_number(&p, end, &sp->last, &more))
			return span_error(e, _("not a range"), s, len);
		if (sp->letters)
			sp->last = *p++;
		else if (digits > 1 && s[0] == '0' && more != digits && mark == ':')
			return span_error(e, _("a range whose ends have different widths"), s, len);
	}
	if (mark == ':' && p < end && *p == ':') {
		p++;
		if (!span_number(&p, end, &sp->step, &more) || sp->step == 0)
			return span_error(e, _("not a range"), s, len);
	}
	if (p != end || sp->last < sp->first ||
	    (sp->letters && (islower((int)sp->first) != 0) != (islower((int)sp->last) != 0)))
		return span_error(e, p != end ? _("not a range") : _("a range that runs backwards"), s, len);
	sp->width = digits > 1 && s[0] == '0' ? (int)digits : 0;
	return 0;
}

static int range_expand(struct expansion *x, struct buf *done, const char *rest);

static int range_span(struct expansion *x, struct buf *done, const char *item, size_t len, const char *after)
{
	size_t keep = done->len;
	struct span sp;
	int rc = span_read(item, len, &sp, x->e);

	for (long v = sp.first; rc == 0 && v <= sp.last; v += sp.step) {
		if (sp.letters)
			buf_addc(done, (char)v);
		else
			buf_addf(done, "%0*ld", sp.width, v);
		rc = range_expand(x, done, after);
		done->len = keep;
		done->data[keep] = '\0';
	}
	return rc;
}

/* done is what the pattern before rest came to. */
static int range_expand(struct expansion *x, struct buf *done, const char *rest)
{
	size_t plain = strcspn(rest, "["), keep = done->len, n;
	const char *close, *item;
	int rc = 0;

	buf_add(done, rest, plain);
	buf_adds(done, ""); /* never without its NUL */
	if (rest[plain] == '\0') {
		rc = x->left-- > 0 ? x->add(x->ctx, buf_str(done)) :
		    err_set(x->e, ERR_SYNTAX, _("a range of more than %d hosts"), INVENTORY_RANGE_MAX);
	} else if ((close = strchr(rest + plain, ']')) == NULL) {
		rc = span_error(x->e, _("a bracket that is not closed"), rest + plain + 1, strlen(rest + plain + 1));
	} else {
		for (item = rest + plain + 1; rc == 0 && item <= close; item += n + 1) {
			n = strcspn(item, ",]");
			rc = range_span(x, done, item, n, close + 1);
		}
	}
	done->len = keep;
	if (done->data != NULL)
		done->data[keep] = '\0';
	return rc;
}

int inventory_range(const char *pattern, int (*add)(void *ctx, const char *name), void *ctx, struct err *e)
{
	struct expansion x = { add, ctx, INVENTORY_RANGE_MAX, e };
	struct buf done = { 0 };
	int rc = range_expand(&x, &done, pattern);

	buf_free(&done);
	return rc;
}
