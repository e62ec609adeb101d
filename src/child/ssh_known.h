/* known_hosts files, read once and kept: names plain, with wildcards or hashed, @revoked, @cert-authority. As
 * sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT" has it; libssh 0.10 reads two files at most and skips what has a mark. */
#ifndef SEV1_SSH_KNOWN_H
#define SEV1_SSH_KNOWN_H

#include <stddef.h>

#include "base/err.h"

struct known;

enum known_verdict {
	KNOWN_OK,
	KNOWN_CHANGED, /* another key of this type */
	KNOWN_OTHER,   /* keys of other types only */
	KNOWN_UNKNOWN,
	KNOWN_NO_FILE, /* none of the files is there */
	KNOWN_REVOKED, /* marked @revoked, for whatever host */
	KNOWN_CA       /* a @cert-authority line only, and no key */
};

/* The files' content, borrowed and valid until the next call; read again where one has changed. Files that are
 * not there are left out. NULL with an error: one cannot be read. */
const struct known *known_load(char *const *file, size_t files, struct err *e);
/* Judge a key in base64. name: the host as it is looked up; port 22 or 0: no port belongs to the name. *where:
 * the file of the line that decided (borrowed), NULL where none did. */
enum known_verdict known_judge(const struct known *k, const char *name, int port, const char *type,
    const char *blob, const char **where);
/* The key types that are known for a host, with commas between, first those of the first line; owned by the
 * caller, "" where none is. */
char *known_types(const struct known *k, const char *name, int port);

#endif
