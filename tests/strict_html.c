#include "strict_html.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A reader that forgives nothing: every element is closed in order, every attribute is quoted, every & begins an
 * entity, and only elements that a report is made of are there. */
struct strict {
	char open[32][16];
	int depth;
	size_t elements;
};

static const char *strict_tag(struct strict *x, const char *p)
{
	static const char *const known[] = { "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "p", "dl", "dt",
		"dd", "div", "table", "thead", "tbody", "tr", "th", "td", "pre", "figure", "figcaption", "svg", "line", "text", "path",
		"circle", "rect", "ul", "li", "strong", "br", "span" };
	bool closing = *p == '/', is = false;
	char name[16];
	size_t len;

	p += closing;
	len = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789");
	assert_in_range(len, 1, sizeof name - 1);
	snprintf(name, sizeof name, "%.*s", (int)len, p);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		is = is || strcmp(known[i], name) == 0;
	if (!is)
		print_error("element %s\n", name);
	assert_true(is);
	for (p += len; *p == ' '; p++) {
		assert_false(closing);
		len = strspn(++p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
		assert_true(len > 0 && strncmp(p + len, "=\"", 2) == 0 && strncmp(p, "on", 2) != 0 && strncmp(p, "href", 4) != 0);
		p += len + 2;
		len = strcspn(p, "\"<>");
		assert_int_equal(p[len], '"');
		p += len;
	}
	if (closing) {
		assert_true(x->depth > 0);
		assert_string_equal(x->open[--x->depth], name);
	} else if (*p != '/') {
		assert_true(x->depth < 32);
		snprintf(x->open[x->depth++], sizeof x->open[0], "%s", name);
		x->elements++;
	}
	p += !closing && *p == '/';
	assert_int_equal(*p, '>');
	return p + 1;
}

size_t strict_html(const char *p)
{
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	struct strict x = { 0 };

	assert_int_equal(strncmp(p, "<!DOCTYPE html>\n", 16), 0);
	for (p += 16; *p != '\0';) {
		if (*p == '<') {
			p = strict_tag(&x, p + 1);
			continue;
		}
		if (*p == '&') {
			bool is = false;

			for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
				is = is || strncmp(p, entities[i], strlen(entities[i])) == 0;
			assert_true(is);
		}
		assert_true(*p == '\n' || !iscntrl((unsigned char)*p));
		p++;
	}
	assert_int_equal(x.depth, 0);
	assert_in_range(x.elements, 10, 100000);
	return x.elements;
}
