/* Text from outside, made safe: for a terminal, for a shell, for a column. */
#ifndef SEV1_TEXT_H
#define SEV1_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The one escaper. Control octets (C0, DEL, C1), broken UTF-8, bidi overrides and other invisible
 * format characters become \xHH or \u{HHHH}; newline and tab become \n and \t; a backslash stays
 * itself. What comes out is printable UTF-8 on one line. Appends to b. */
void text_escape(struct buf *b, const char *s, size_t len);
/* The same, as a new string owned by the caller; at most max octets of s are taken, "..." after. */
char *text_escaped(const char *s, size_t len, size_t max);

/* Columns that valid UTF-8 takes on a terminal. */
int text_columns(const char *s);
/* s, filled up with spaces to cols columns: what printf's "%-8s" does with octets. Returns out. */
const char *text_pad(char *out, size_t size, const char *s, int cols);
/* Octets of the longest prefix of s that fits cols columns; *used says how many it takes. */
size_t text_fit(const char *s, int cols, int *used);

/* Append s as one single-quoted word for a POSIX shell. */
void text_quote(struct buf *b, const char *s);
char *text_quoted(const char *s);

/* A DNS name (letters, digits, hyphens, dots; a leading wildcard label only if wildcard) or an IP
 * literal: safe in a command, a file name and a certificate. RFC 1123 2.1, RFC 5280 4.2.1.6. */
bool text_is_host(const char *s, bool wildcard);
bool text_is_ip(const char *s);
/* 1 to 64 of letters, digits, '.', '_', '-', not starting with '.' or '-': a name in a configuration. */
bool text_is_word(const char *s);
/* Hexadecimal digits, at least one. */
bool text_is_hex(const char *s);

/* "4 812": thousands apart, for counts that are read aloud. out needs 32 octets. Returns out. */
char *text_count(char *out, long long n);
/* "1 entry", "4 812 entries" of a CRL; "1 certificate", "4 812 certificates"; out has 64 octets. */
char *text_entries(char *out, long long n);
char *text_certificates(char *out, long long n);
/* "12.1 GiB". out needs 16 octets. Returns out. */
char *text_size(char *out, long long octets);

#endif
