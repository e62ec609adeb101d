/* What the files of the recogniser share: the meanings of words, and text folded so that they can be met. */
#ifndef SEV1_RECOGNISE_INSIDE_H
#define SEV1_RECOGNISE_INSIDE_H

#include <stdbool.h>

#include "base/buf.h"
#include "comms/recognise.h"

enum {
	W_REVOKE = 1 << 0,   /* revoke, widerrufen */
	W_CANCEL = 1 << 1,   /* cancel, block: revocation, once it is about a certificate */
	W_CERT = 1 << 2,
	W_KEY = 1 << 3,
	W_LEAK = 1 << 4,     /* leaked, stolen, misissued */
	W_LOST = 1 << 5,     /* lost, public, access: a compromise, once it is about a key */
	W_ASK = 1 << 6,      /* please, must */
	W_MINE = 1 << 7,     /* our, my */
	W_THIS = 1 << 8,     /* this certificate: one that is named, no general talk */
	W_YOURS = 1 << 9,    /* your: advice, where it stands with W_IF */
	W_IF = 1 << 10,      /* in case, falls */
	W_INFO = 1 << 11,    /* how, policy, webinar */
	W_DONE = 1 << 12,    /* has been */
	W_PAST = 1 << 13,    /* revoked: done, unless somebody asks for it */
	W_NOT = 1 << 14,
	W_URGENT = 1 << 15,
	W_PROMO = 1 << 16,   /* unsubscribe, click here */
	W_TRADE = 1 << 17,   /* order, install, invoice: what ordinary mail is about */
	W_RULE = 1 << 18,    /* Baseline Requirements, problem report */
	W_PRIVATE = 1 << 19, /* private key: no key of an office door */
	W_PUBLIC = 1 << 20,  /* public key */
	W_FAULT = 1 << 21,   /* incorrect, invalid */
	W_DATA = 1 << 22,    /* what may be wrong in a certificate: organisation, subject */
	W_OTHER = 1 << 23,   /* API key, password, account: none of ours */
	W_TALK = 1 << 24,    /* agenda, newsletter: in a subject, the whole mail is one */
	W_HOST = 1 << 25     /* no word: a host name stands there */
};

/* Append the letter of n octets (UTF-8) at p as the stems are written: lower case, no accents, ä is ae; what is no
 * letter is one blank; what is not seen is nothing. */
void recognise_fold(struct buf *b, const unsigned char *p, size_t n);

/* recognise_stems.c: what the words that start so mean; parted by '|'. */
struct stem_row {
	unsigned is;
	const char *stems;
};
extern const struct stem_row stem_rows[];
extern const size_t stem_row_count;

/* The stems, in an order that finds them. */
struct stems;
struct stems *stems_new(void);
void stems_free(struct stems *s);
/* What the words of a folded text mean, all together; text begins and ends with a blank. */
unsigned stems_flags(const struct stems *s, const char *text);

#define FOUND_MAX 1000 /* of one kind */

struct find {
	struct recognised *r;
	const char *where;
	json_t *seen; /* {"kind text": true, "kind": how many} */
};

/* Note what was found, once; no more than max of a kind. */
void found_add(struct find *f, const char *kind, const char *text, size_t len, size_t max);

/* recognise_pem.c: armour; base64 without it; octets that are one DER SEQUENCE, where true. */
void find_pem(struct find *f, const char *p, size_t len);
void find_naked(struct find *f, const char *p, size_t len);
bool find_der(struct find *f, const char *p, size_t len);

#endif
