/* The servers that hold certificates: a plain list or CSV. */
#ifndef SEV1_INVENTORY_H
#define SEV1_INVENTORY_H

#include <stddef.h>

#include "base/err.h"

struct server {
	char *name;          /* what it is called; unique in the inventory whatever the case */
	char *address, *user;/* NULL: as the configuration says, the name */
	int port;            /* of SSH; 0: as the configuration says */
	char **names; size_t count; /* for its certificate; the name where none are given */
	int line;
};

struct inventory {
	char *path;
	struct server *server; size_t servers;
};

/* Read one from text; path is for messages. A first line with a comma and the word "host" is a CSV
 * header: host[,address,port,user,names], in any order, fields quoted as RFC 4180 has it, names
 * separated by spaces or semicolons. Otherwise one host name a line. "#" starts a comment line (in a
 * list also after the name). NULL with "FILE:LINE: what": a host twice, a line that cannot be read,
 * a name that is none, nothing at all. */
struct inventory *inventory_read(const char *text, size_t len, const char *path, struct err *e);
/* The same from a file. */
struct inventory *inventory_load(const char *path, struct err *e);
void inventory_free(struct inventory *inv);

#endif
