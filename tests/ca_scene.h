/* A small CA about to be revoked, what the CA child is asked, and what must hold afterwards; judged with OpenSSL and by
 * comparing octets, not with the code under test. */
#ifndef SEV1_TESTS_CA_SCENE_H
#define SEV1_TESTS_CA_SCENE_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "fault_seam.h"

struct scene {
	struct kept *before;   /* the CA's folder before anything */
	const struct buf *old; /* index.txt */
	struct buf new;        /* index.txt revoked */
	struct buf old_crl, new_crl; /* of the distribution point: before and after publication */
	X509 *cert;
	char old_sha256[DIGEST_HEX];
	int64_t stamp;
	int planned;
};

/* Group setup: the folder, the CA, the manifest; exits with 77 where faults cannot be had. */
int scene_setup(void **state);
int scene_drop(void **state);
struct scene *scene(void);

/* Everything as it was before. */
void scene_restore(void);
/* One digest of all files in the folders of the CA, the CRLs, the point and the manifests. */
void scene_print(char hex[DIGEST_HEX]);
/* ... and then revoked, without a fault. */
void scene_revoke(void);
/* scope, plan, revoke, crl, undo-plan, undo of the CA child; owned by the caller. */
json_t *scene_request(const char *op);
/* The action child's: put the new CRL onto the point. */
json_t *scene_put(void);

/* Is this index.txt the old one or the revoked one, to the last octet? For reader_begin. */
bool scene_whole(void *ctx, const char *p, size_t len);
/* The same for the CRL of the distribution point. */
bool scene_crl_whole(void *ctx, const char *p, size_t len);

/* NULL, or what does not hold. index.txt is old or new, every file with a CRL's name is a whole CRL whose number is
 * that of its name. */
const char *scene_wrong_any(void);
/* After a success: index.txt is new, its backups are octet for octet what was, nothing lies about, the CRL named in
 * result holds exactly the revoked rows and its number is below the next one. */
const char *scene_wrong_revoked(const json_t *result);
/* The CRL that result names holds exactly index.txt's revoked rows, and its number is below the next one. */
const char *scene_wrong_crl(const json_t *result);

/* After undo: index.txt is octet for octet what was, no CRL is left to be published, its number is not used again. */
const char *scene_wrong_undone(const json_t *result);
/* Parts of those: every CRL of a folder is whole and has the number of its name; this CRL is the index. */
const char *scene_wrong_files(const char *folder);
const char *scene_wrong_file(const char *crl);

#endif
