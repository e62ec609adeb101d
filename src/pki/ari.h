/* ACME Renewal Information (RFC 9773) for certificates that are to be replaced now, as static files: names and
 * bodies, and how a web server serves them. */
#ifndef SEV1_ARI_H
#define SEV1_ARI_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The identifier of a certificate, and the name of its file (4.1): base64url(keyIdentifier of its
 * authorityKeyIdentifier) "." base64url(content octets of its serialNumber), without '='. serial is canonical (see
 * index.h), len its length. Owned by the caller. */
char *ari_id(const unsigned char *key_id, size_t key_len, const char *serial, size_t len);

/* What a client reads (4.2): suggestedWindow from start to end (ms), and explanation, a URL, "" for none. JSON, owned
 * by the caller. */
char *ari_body(int64_t start, int64_t end, const char *explanation);

struct ari_site {
	const char *incident;
	const char *files;   /* the folder of the files, absolute */
	const char *prefix;  /* their path in URLs: "/renewal-info"; see ari_prefix */
	int retry_after;     /* seconds until a client asks again (4.3) */
};
/* Can this stand in both web servers' configurations? 0 or ERR_USAGE. */
int ari_site_check(const struct ari_site *s, struct err *e);
/* The path of a URL, or of a path, without a slash at its end. Owned by the caller. */
char *ari_prefix(const char *url);
/* What to include in the server { } of nginx, in the VirtualHost of Apache; owned by the caller. */
char *ari_nginx(const struct ari_site *s);
char *ari_apache(const struct ari_site *s);

/* ---- the folder of files: whole or not there ----
 * FOLDER/renewal-info is made beside what is served and exchanged for it in one step. */
struct ari_files;

#define ARI_SERVED "renewal-info"

/* Begin: FOLDER is made where it is not there, marked as this incident's and locked. NULL with an error:
 * ERR_REFUSED where it holds anything else, or is another incident's. */
struct ari_files *ari_files_new(const char *folder, const char *incident, const char *body, struct err *e);
/* One more file of this name with the body. A name that is there already is no error. 0 or ERR_IO. */
int ari_files_add(struct ari_files *f, const char *id, struct err *e);
/* Make everything durable, write the snippets and serve the new files in place of the old. 0 or ERR_IO, also where
 * the file system cannot exchange two folders: what was served is served still. */
int ari_files_commit(struct ari_files *f, const char *nginx, const char *apache, struct err *e);
size_t ari_files_count(const struct ari_files *f);
/* Without ari_files_commit nothing has changed. NULL is legal. */
void ari_files_free(struct ari_files *f);

#endif
