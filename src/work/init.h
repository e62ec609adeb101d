/* What `sev1 init` finds on a machine, and the configuration that it makes of it. */
#ifndef SEV1_INIT_H
#define SEV1_INIT_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct init_ca {
	char *name;     /* a word, unique among those found */
	char *config;   /* openssl.cnf, or an easy-rsa pki folder */
	char *database; /* its index.txt, links resolved */
	json_t *check;  /* the CA child's answer to `check`; NULL: not asked */
	char *problem;  /* why there is no answer; NULL */
};

struct init_found {
	struct init_ca *ca; size_t cas;
	char **inventory; size_t inventories;
	char **served; size_t serveds;  /* files under web roots that may be CRLs */
};

/* Search folders, and those of web servers (NULL-terminated lists), a few levels deep; links are not
 * followed. A CA counts once, however many files lead to its database. */
struct init_found *init_search(const char *const *folders, const char *const *webs);
void init_free(struct init_found *f);
/* Append the configuration: what was found in force, the rest commented out. */
void init_write(const struct init_found *f, struct buf *b);
/* Write a new file, whole; ERR_REFUSED where path exists. */
int init_put(const char *path, const struct buf *b, struct err *e);

#endif
