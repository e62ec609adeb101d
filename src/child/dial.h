/* A TCP connection that is made without ever blocking: name, then each of its addresses in turn. */
#ifndef SEV1_DIAL_H
#define SEV1_DIAL_H

#include <stdbool.h>

#include "base/err.h"

struct dial;

/* May this name be looked up? In a drill only literal addresses and "localhost": a question to a name
 * server would leave this machine. 0 or ERR_CONFINED. */
int dial_confined(const char *name, struct err *e);
/* The same for a URL's host; ERR_USAGE where it is none. */
int dial_confined_url(const char *url, struct err *e);

enum dial_state { DIAL_WAIT, DIAL_OPEN, DIAL_FAILED };

/* Begin. address is a name or a literal. Addresses that a drill may not reach fail. */
struct dial *dial_start(const char *address, int port);
/* Take addresses of one family only (AF_INET, AF_INET6; AF_UNSPEC: any); before dial_step. */
void dial_family(struct dial *d, int family);
void dial_free(struct dial *d); /* closes what was not taken */
/* Go on as far as possible. DIAL_FAILED fills e: the last address's reason. */
enum dial_state dial_step(struct dial *d, struct err *e);
/* The socket to poll for POLLOUT; -1 while the name is looked up (look again in some ms). */
int dial_fd(const struct dial *d);
/* The connected socket, non-blocking, now the caller's. */
int dial_take(struct dial *d);

#endif
