/* How ssh itself would reach a host: the user's and the system's ssh_config, resolved by `ssh -G`. */
#ifndef SEV1_SSH_CONFIG_H
#define SEV1_SSH_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct strings {
	char **item;
	size_t count;
};

struct ssh_conf {
	char *address, *user;        /* where to connect, as whom */
	int port;
	char *alias;                 /* HostKeyAlias: the name in known_hosts, without a port; NULL */
	char *jump;                  /* ProxyJump as ssh -J takes it; NULL */
	char *file;                  /* ssh_config in place of the user's and the system's; NULL */
	struct strings identity;     /* private keys that are there; the first are tried first */
	struct strings certificate;  /* CertificateFile */
	struct strings known, revoked; /* UserKnownHostsFile and GlobalKnownHostsFile; RevokedHostKeys */
	char *agent;                 /* IdentityAgent: a socket, "none", or NULL: SSH_AUTH_SOCK */
	bool explicit_identity;      /* one was named for sev1: no other is offered */
	bool configured;             /* IdentityFile stands in ssh_config: of an agent only these are offered */
	bool only;                   /* IdentitiesOnly */
	int family;                  /* AddressFamily: AF_UNSPEC, AF_INET, AF_INET6 */
	char *ciphers, *kex, *macs, *hostkeys, *pubkeys; /* where they are not ssh's own; else NULL */
};

/* Resolve host: {name, address, port, user, identity, known_hosts, jump, ssh_config}. What stands there wins over
 * ssh_config, as ssh's options do. ssh_config: a file in place of the usual two, "none": none is read, empty: the
 * usual two. In a drill none is read. Takes one process of a few ms, and none where the files say nothing that
 * matters. 0; ERR_REFUSED naming the directive that libssh 0.10 or sev1 cannot honour; ERR_USAGE, ERR_TIMEOUT. */
int ssh_conf_resolve(const json_t *host, int64_t until, struct ssh_conf *c, struct err *e);
void ssh_conf_clear(struct ssh_conf *c);

#endif
