/* What a mail says and carries: is it a request to revoke, and why? General rules, no list of known mails: words near
 * each other (revoke, certificate, leaked, key, in several languages), and what only such mails carry. */
#ifndef SEV1_RECOGNISE_H
#define SEV1_RECOGNISE_H

#include <jansson.h>
#include <stddef.h>

#include "comms/mail.h"

enum report_level {
	REPORT_ORDINARY, /* left alone */
	REPORT_DOUBTFUL, /* in the inbox, for somebody to look at */
	REPORT_HIGH      /* a revocation request, or a leaked key: people are told at once */
};
#define REPORT_HIGH_AT 6
#define REPORT_DOUBTFUL_AT 3

#define BLOBS_MAX 64
#define BLOB_MAX (256u << 10)

/* Octets that may be a certificate, a request or a key, decoded: only a child looks into them. */
struct blob {
	char *label;     /* of PEM: "CERTIFICATE"; "" where it had none */
	char *where;     /* the part's file name or type */
	struct buf der;  /* wiped */
};

struct recognised {
	int score;
	json_t *why;     /* [{"points": n, "text": s}], the heaviest first; their sum is the score */
	json_t *found;   /* [{"kind", "text", "where"}]: private-key, encrypted-key, certificate, request, public-key,
	                  * serial, number (perhaps a serial), fingerprint, key-hash, crt.sh, host, key-file, opaque */
	struct blob *blob;
	size_t blobs;
	bool words;      /* its words say revocation or compromise: what it carries counts without a limit */
	bool hint;       /* a word of them stands somewhere: enough to look whether a host that is named is ours */
	bool benign;     /* they do not, and it is about orders, installing, rules */
};

/* keywords: further words or phrases of the configuration that make a mail high by themselves. Never NULL. */
struct recognised *recognise(const struct mail *m, const char *const *keywords, size_t n);
void recognised_free(struct recognised *r);

/* Add (or with negative points take away) a reason; fmt is translated by the caller. */
void recognised_why(struct recognised *r, int points, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Once all is known: ordered reasons. */
void recognised_settle(struct recognised *r);
/* The points that what is carried may bring where no words say revocation. */
int recognised_room(const struct recognised *r);
enum report_level recognised_level(const struct recognised *r);
const char *report_level_name(enum report_level l); /* "ordinary", "doubtful", "high" */

/* recognise_find.c: what is carried, into found and blob. */
void recognise_find(struct recognised *r, const struct mail *m);
/* recognise_words.c: what is said, into why. carries: it carries a certificate, serial or the like. */
void recognise_words(struct recognised *r, const struct mail *m, bool carries);
/* How many of a kind were found. */
size_t recognised_count(const struct recognised *r, const char *kind);

/* Text with what is or may be a key cut out; at most max octets. Owned by the caller. */
char *recognise_cut(const char *p, size_t len, size_t max);
/* The text of a mail for keeping: what is or may be a key is cut out and said so; at most max octets. Owned by the
 * caller. */
char *recognise_text(const struct mail *m, size_t max);

#endif
