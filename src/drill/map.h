/* The map of a sandbox: its folder, and who listens where. Kept in FOLDER/drill.json, which is also
 * the mark by which a folder is known to be a drill's. */
#ifndef SEV1_MAP_H
#define SEV1_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "drill/scenario.h"

enum role { ROLE_FLEET, ROLE_CA, ROLE_POINT };

struct place {       /* one host of the sandbox */
	char *name;      /* "web01.drill.test", "ca01": its folder is FOLDER/hosts/NAME */
	char *address;   /* 127.x.y.z */
	enum role role;
	enum fault fault;
};

struct map {
	char *folder;    /* absolute, of plain characters (map_folder_plain) */
	char *scenario;  /* its name */
	int ssh, tls;    /* ports of every host */
	int http;        /* port of the distribution points */
	int pki, ocsp;   /* ports of the CA host's services */
	bool ready;      /* the sandbox was made completely */
	struct place *place; size_t places;
};

#define MAP_DOMAIN "drill.test" /* RFC 6761 6.2: never a real name */
#define MAP_CA_HOST "ca01"
#define MAP_USER "drill"        /* who logs in over SSH */

/* A map for a scenario: addresses of one random part of 127/8, ports that are free now. Nothing is
 * written. NULL on error. */
struct map *map_new(const char *folder, const struct scenario *s, struct err *e);
/* Read FOLDER/drill.json. ERR_NOTFOUND where the folder is not there, ERR_REFUSED where it is not a
 * drill's. */
struct map *map_load(const char *folder, struct err *e);
int map_save(const struct map *m, struct err *e);
void map_free(struct map *m);

const struct place *map_place(const struct map *m, const char *name); /* NULL */
/* The n-th host of this role, NULL past the end. */
const struct place *map_role(const struct map *m, enum role role, size_t n);
/* "FOLDER/fmt...", owned by the caller. */
char *map_path(const struct map *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The folder that a distribution point serves, owned by the caller. */
char *map_web(const struct map *m, const struct place *p);
/* Letters, digits and "/._-" only, absolute: the path stands in openssl.cnf, shell scripts and URLs. */
bool map_folder_plain(const char *folder);

#endif
