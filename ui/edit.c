#include "edit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "keymap.h"

#define HISTORY_MAX 200

struct history {
	char *line[HISTORY_MAX];
	size_t count;
};

struct history *history_new(void)
{
	return mem_zalloc(1, sizeof(struct history));
}

void history_free(struct history *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->count; i++)
		free(h->line[i]);
	free(h);
}

void history_add(struct history *h, const char *line)
{
	if (line[0] == '\0' || (h->count > 0 && strcmp(h->line[h->count - 1], line) == 0))
		return;
	if (h->count == HISTORY_MAX) {
		free(h->line[0]);
		memmove(h->line, h->line + 1, (HISTORY_MAX - 1) * sizeof h->line[0]);
		h->count--;
	}
	h->line[h->count++] = mem_strdup(line);
}

void edit_init(struct edit *ed, const char *text, struct history *h)
{
	*ed = (struct edit){ .history = h };
	edit_set(ed, text);
}

void edit_free(struct edit *ed)
{
	free(ed->kept);
	ed->kept = NULL;
}

static bool edit_starts(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

void edit_set(struct edit *ed, const char *text)
{
	size_t n = text != NULL ? strlen(text) : 0;

	if (n > EDIT_MAX)
		for (n = EDIT_MAX; n > 0 && !edit_starts(text[n]); n--)
			;
	if (n > 0)
		memcpy(ed->text, text, n);
	ed->text[n] = '\0';
	ed->len = ed->at = n;
}

/* Encode a character; 0 for one that must not be typed (control, surrogate, out of range). */
static size_t edit_encode(char out[4], int key)
{
	uint32_t c = (uint32_t)key;

	if (key < 0x20 || (key >= 0x7f && key < 0xa0) || (key >= 0xd800 && key <= 0xdfff) ||
	    key > 0x10ffff)
		return 0;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static void edit_insert(struct edit *ed, const char *s, size_t n)
{
	if (ed->len + n > EDIT_MAX)
		return;
	memmove(ed->text + ed->at + n, ed->text + ed->at, ed->len - ed->at + 1);
	memcpy(ed->text + ed->at, s, n);
	ed->len += n;
	ed->at += n;
}

static size_t edit_left(const struct edit *ed, size_t at)
{
	while (at > 0 && !edit_starts(ed->text[--at]))
		;
	return at;
}

static size_t edit_right(const struct edit *ed, size_t at)
{
	if (at < ed->len)
		at++;
	while (at < ed->len && !edit_starts(ed->text[at]))
		at++;
	return at;
}

static void edit_cut(struct edit *ed, size_t from, size_t to)
{
	memmove(ed->text + from, ed->text + to, ed->len - to + 1);
	ed->len -= to - from;
	ed->at = from;
}

static size_t edit_word(const struct edit *ed)
{
	size_t at = ed->at;

	while (at > 0 && ed->text[at - 1] == ' ')
		at--;
	while (at > 0 && ed->text[at - 1] != ' ')
		at--;
	return at;
}

static void edit_look_back(struct edit *ed, int by)
{
	const struct history *h = ed->history;

	if (h == NULL || (by > 0 && ed->back >= h->count) || (by < 0 && ed->back == 0))
		return;
	if (ed->back == 0) {
		free(ed->kept);
		ed->kept = mem_strdup(ed->text);
	}
	ed->back = by > 0 ? ed->back + 1 : ed->back - 1;
	edit_set(ed, ed->back == 0 ? ed->kept : h->line[h->count - ed->back]);
}

bool edit_key(struct edit *ed, int key)
{
	char utf8[4];
	size_t n;

	switch (key) {
	case KEYC_LEFT:
		ed->at = edit_left(ed, ed->at);
		return true;
	case KEYC_RIGHT:
		ed->at = edit_right(ed, ed->at);
		return true;
	case KEYC_HOME:
	case KEYC_CTRL('a'):
		ed->at = 0;
		return true;
	case KEYC_END:
	case KEYC_CTRL('e'):
		ed->at = ed->len;
		return true;
	case KEYC_BACKSPACE:
		edit_cut(ed, edit_left(ed, ed->at), ed->at);
		return true;
	case KEYC_DELETE:
	case KEYC_CTRL('d'):
		edit_cut(ed, ed->at, edit_right(ed, ed->at));
		return true;
	case KEYC_CTRL('u'):
		edit_cut(ed, 0, ed->at);
		return true;
	case KEYC_CTRL('k'):
		edit_cut(ed, ed->at, ed->len);
		return true;
	case KEYC_CTRL('w'):
		edit_cut(ed, edit_word(ed), ed->at);
		return true;
	case KEYC_UP:
	case KEYC_DOWN:
		edit_look_back(ed, key == KEYC_UP ? 1 : -1);
		return ed->history != NULL;
	default:
		n = edit_encode(utf8, key);
		if (n > 0)
			edit_insert(ed, utf8, n);
		return n > 0;
	}
}

size_t edit_view(const struct edit *ed, int cols, int *column)
{
	char head[EDIT_MAX + 1];
	size_t from = 0;

	memcpy(head, ed->text, ed->at);
	head[ed->at] = '\0';
	while (from < ed->at && text_columns(head + from) >= cols)
		from = edit_right(ed, from);
	*column = text_columns(head + from);
	return from;
}
