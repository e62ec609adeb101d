/* What the parts of the host process share: host.c accepts, these serve one connection each, in a
 * process of its own that ends with it. */
#ifndef SEV1_ROOM_H
#define SEV1_ROOM_H

#include <openssl/ssl.h>

#include "drill/map.h"

#define ROOM_SERVICES 2
struct service {
	const char *unit; /* "pki-ca" */
	const char *says; /* to whoever connects */
};
extern const struct service room_services[ROOM_SERVICES];

/* An SSH connection to host p. fd is the socket. */
void room_ssh(const struct map *m, const struct place *p, int fd);
/* A TLS connection, answered as a small web server. */
void room_tls(SSL_CTX *ctx, const struct place *p, int fd);
/* One HTTP request for a file of the distribution point p: GET and HEAD. */
void room_http(const struct map *m, const struct place *p, int fd);
/* One request to service i of the CA host. */
void room_service(int i, int fd);

/* A context with the certificate, chain and key that host p has now. NULL on error. */
SSL_CTX *room_tls_context(const struct map *m, const struct place *p, struct err *e);

#endif
