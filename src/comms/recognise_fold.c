/* Text folded for comparing: one way to write each letter, whatever the keyboard, the mail program or the accent. */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "comms/recognise_inside.h"

/* U+00C0 to U+017F; two letters each where German writes two. */
static const char *fold_latin(uint32_t c, char one[2])
{
	static const char *const latin1[] = { "a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
		"d", "n", "o", "o", "o", "o", "oe", " ", "o", "u", "u", "u", "ue", "y", "th", "ss" };
	static const char extended[] = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnn"
		"oooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

	if (c < 0x100)
		return c == 0xdf ? "ss" : c == 0xf7 ? " " : c == 0xff ? "y" : latin1[(c - 0xc0) % 32];
	one[0] = extended[c - 0x100];
	return one;
}

/* The letters of Vietnamese, U+1EA0 to U+1EF9: in runs of a base letter each. */
static char fold_vietnamese(uint32_t c)
{
	return c < 0x1eb8 ? 'a' : c < 0x1ec8 ? 'e' : c < 0x1ecc ? 'i' : c < 0x1ee4 ? 'o' : c < 0x1ef2 ? 'u' : 'y';
}

/* Greek and Cyrillic in lower case, without accents. */
static uint32_t fold_east(uint32_t c)
{
	static const uint16_t greek[][2] = { { 0x386, 0x3b1 }, { 0x388, 0x3b5 }, { 0x389, 0x3b7 }, { 0x38a, 0x3b9 },
		{ 0x38c, 0x3bf }, { 0x38e, 0x3c5 }, { 0x38f, 0x3c9 }, { 0x3ac, 0x3b1 }, { 0x3ad, 0x3b5 }, { 0x3ae, 0x3b7 },
		{ 0x3af, 0x3b9 }, { 0x3c2, 0x3c3 }, { 0x3cc, 0x3bf }, { 0x3cd, 0x3c5 }, { 0x3ce, 0x3c9 } };

	for (size_t i = 0; c < 0x400 && i < sizeof greek / sizeof greek[0]; i++)
		if (greek[i][0] == c)
			return greek[i][1];
	if ((c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		c += 0x50;
	return c == 0x451 ? 0x435 : c; /* few people write the dots of yo */
}

/* A letter, or a character of a word, of a script that is not Latin? */
static bool is_letter(uint32_t c)
{
	return (c >= 0x370 && c < 0x2000) || (c >= 0x3040 && c < 0xd7b0 && c != 0x30fb);
}

static uint32_t character(const unsigned char *p, size_t n)
{
	return n == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu) : n == 3 ? (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 |
	    (p[2] & 0x3fu) : n == 1 ? p[0] : 0x2e;
}

static bool is_unseen(uint32_t c)
{
	return c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0xfeff || c == 0x2060 || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069);
}

/* An accent that stands behind its letter, as some systems write them: only the German one changes the letter. */
static void fold_accent(struct buf *b, uint32_t c)
{
	if (c == 0x308 && b->len > 0 && strchr("aou", b->data[b->len - 1]) != NULL)
		buf_addc(b, 'e');
}

void recognise_fold(struct buf *b, const unsigned char *p, size_t n)
{
	uint32_t c = character(p, n);
	char one[2] = { ' ', '\0' };
	const char *s = one;

	if (c >= 0xff01 && c <= 0xff5e) /* full width */
		c -= 0xfee0;
	if (is_unseen(c))
		return;
	if (c >= 0x300 && c < 0x370) {
		fold_accent(b, c);
		return;
	}
	if (c < 0x80) {
		one[0] = isalnum((int)c) ? (char)tolower((int)c) : ' ';
	} else if (c >= 0xc0 && c < 0x180) {
		s = fold_latin(c, one);
	} else if (c == 0x1a0 || c == 0x1a1 || c == 0x1af || c == 0x1b0) {
		one[0] = c < 0x1af ? 'o' : 'u';
	} else if (c >= 0x218 && c <= 0x21b) {
		one[0] = c < 0x21a ? 's' : 't';
	} else if (c >= 0x1ea0 && c <= 0x1ef9) {
		one[0] = fold_vietnamese(c);
	} else if (c >= 0x370 && c < 0x500) {
		c = fold_east(c);
		buf_addc(b, (char)(0xc0 | c >> 6));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
		return;
	} else if (is_letter(c)) {
		buf_add(b, p, n);
		return;
	}
	if (*s == ' ' && (b->len == 0 || b->data[b->len - 1] == ' '))
		return;
	buf_adds(b, s);
}
