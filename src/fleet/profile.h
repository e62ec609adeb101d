/* How a server takes its certificate: paths, test, reload, and where its handshake is looked for. One INI file each,
 * [profile] with the keys below. */
#ifndef SEV1_PROFILE_H
#define SEV1_PROFILE_H

#include <stdbool.h>

#include "base/err.h"

struct profile {
	char *name, *file;
	char *key, *certificate, *chain; /* paths on the host; %h is its name; NULL: not said */
	char *test, *reload;             /* commands there; NULL: not said */
	char *starttls;                  /* "smtp", "imap", "pop3", "ftp", "ldap"; NULL: TLS from the start */
	int probe_port;                  /* 0: not said */
	bool combined;                   /* key, certificate and chain in one file */
	bool sudo;
};

/* Read one from text; name and file are for messages. NULL with "FILE:LINE: what": an unknown key, a value that
 * cannot be, key or certificate missing. */
struct profile *profile_read(const char *text, const char *name, const char *file, struct err *e);
struct profile *profile_load(const char *name, const char *file, struct err *e);
void profile_free(struct profile *p);

#endif
