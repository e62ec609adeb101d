/* What selector.c reads and selector_match.c looks for. */
#ifndef SEV1_SELECTOR_INSIDE_H
#define SEV1_SELECTOR_INSIDE_H

#include "base/digest.h"
#include "pki/leaked.h"
#include "pki/selector.h"

struct key_wanted {
	const json_t *json;
	const char *spki;
	EVP_PKEY *pub;      /* NULL where only the hash is known */
	unsigned char *needle; /* octets that every encoding of pub holds */
	size_t needle_len;
	size_t hits;
	size_t proofs;      /* certificates whose key verified the challenge */
	char proved[DIGEST_HEX]; /* the last of these keys */
};

int row_number_cmp(const void *a, const void *b); /* of uint32_t, for qsort and bsearch */

#endif
