/* The objects that describe a CA and a host to a child; see "Children" in the README. */
#ifndef SEV1_REQUEST_H
#define SEV1_REQUEST_H

#include <jansson.h>

#include "engine/config.h"

/* {name, title, config, section, key, parent}: new; NULL where the configuration has no such CA. */
json_t *ca_request(const struct config *c, const char *ca);
/* [{name, config ...}]: ca_request of every CA; new. */
json_t *cas_request(const struct config *c);
/* [{name, urls: [..]}]: the partitions of a CA's CRL, from its points; new, empty without. */
json_t *partitions_request(const struct config *c, const char *ca);
/* {name, address, port, user, identity, known_hosts, ssh_config}: new; NULL where there is no such host. */
json_t *host_request(const struct config *c, const char *host);

#endif
