/* The shell scripts that run on a host: POSIX sh, built from checked and quoted parts. They are meant for
 * any login shell (one single-quoted word after "sh -c"), read no file of ours there and leave
 * nothing in /tmp: what is new lies beside what it replaces. Each string is owned by the caller. */
#ifndef SEV1_SSH_SCRIPT_H
#define SEV1_SSH_SCRIPT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Every script says this line on stderr first: what stands before it is not the script's. */
#define SCRIPT_BEGINS "sev1 begins"
/* Before what the script itself says on stderr. */
#define SCRIPT_SAYS "sev1: "

/* What is done with a host's certificate; strings are borrowed. */
struct staged {
	const char *key, *certificate, *chain; /* paths there; chain NULL or "": it follows the certificate */
	const char *const *names;              /* DNS names or addresses; the first is the subject */
	size_t count;
	bool combined;                         /* key, certificate and chain in one file, as haproxy has it */
	bool sudo;                             /* all of it as root, by sudo -n */
	bool new_key;                          /* made there, beside the old one */
	const char *tag;                       /* names the staged key: the same one when it is tried again */
	const char *stamp;                     /* YYYYmmddHHMMSS: .FILE.sev1-STAMP is the backup, the old file itself or a copy */
	const char *test, *reload;             /* commands there; NULL or "": none */
};

/* Read it from an order {key, certificate, chain, names, key_mode, test, reload}, whose strings it borrows, as it
 * does the array of SCRIPT_NAMES, tag and stamp; checked. 0 or ERR_USAGE. */
#define SCRIPT_NAMES 100
int script_order(struct staged *st, const json_t *order, const char **names, const char *tag, const char *stamp,
    struct err *e);

/* Can scripts be made of it? 0 or ERR_USAGE naming the part. */
int script_check(const struct staged *st, struct err *e);

/* Replace path by stdin, whole or not at all: a file beside it, its SHA-256 compared with hex, then
 * renamed. An existing file keeps owner and mode, a new one has mode. */
char *script_put(const char *path, const char *hex, mode_t mode);

/* Print a certificate request, and behind it the certificate that is in place, if it can be read. */
char *script_csr(const struct staged *st);

/* Put certificate and chain in place, test, reload and wait for the verdict on stdin: "keep", or anything else (also end
 * of file) to put everything back, as it is once the seconds for all of this are gone. Says on stdout, a line each:
 *	sev1 phase test|reload|rollback
 *	sev1 failed       nothing was changed; stderr says why
 *	sev1 again        nor now, but an install with this stamp was here before
 *	sev1 installed    now waits for the verdict
 *	sev1 kept
 *	sev1 restored     as it was before
 *	sev1 broken       put back, but the reload failed again
 * What test and reload say goes to stderr. pem must have passed script_is_pem. */
char *script_install(const struct staged *st, const char *certificate, const char *chain, int seconds);

/* Both in one: print the request, the certificate that is in place and the line "sev1 request"; install what
 * script_job_input then brings on stdin, and go on as an install does. Where nothing comes, nothing is changed. */
char *script_job(const struct staged *st);
char *script_job_input(const struct staged *st, const char *certificate, const char *chain, int seconds);

/* Put back what an install with the same stamp replaced, after its "kept". Says phase rollback, then restored or
 * broken; nothing, and why on stderr, where there is no backup. */
char *script_back(const struct staged *st);

/* One or more PEM blocks and nothing else, at most 64 KiB. */
bool script_is_pem(const char *pem);

#endif
