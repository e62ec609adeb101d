/* CAs for tests, made by the real openssl and easy-rsa in a new folder. */
#ifndef SEV1_TESTS_PKI_SEAM_H
#define SEV1_TESTS_PKI_SEAM_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "pki/ca.h"
#include "pki/index.h"

/* Group setup and teardown: a new folder, entered; removed afterwards. */
int pki_folder(void **state);
int pki_folder_drop(void **state);
const char *pki_here(void);

/* Run a shell command made like printf; its output goes to the file log. Returns its exit status. */
int pki_sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, failing the test where the status is not 0; the log is printed then. */
void pki_must(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Make an `openssl ca` directory NAME: key is "ec", "rsa" or "ed25519". With n > 0 that many certificates are issued
 * by openssl ca, CN=host0001.example.com on. */
void pki_openssl(const char *name, const char *key, int n);
/* Make an easy-rsa PKI NAME/pki with n server certificates. Exits the test program with 77 where easy-rsa is absent. */
void pki_easyrsa(const char *name, int n);
/* Run easyrsa on it. */
int pki_easyrsa_run(const char *name, const char *args);

/* A CA that is open. */
struct opened {
	struct ca *ca;
	X509 *cert;
	EVP_PKEY *key;
};
struct opened pki_open(const char *name, const char *config);
void pki_close(struct opened *o);

/* Content of a file, owned by the caller; fails the test where there is none. */
char *pki_read(const char *path);
void pki_write(const char *path, const char *text);
/* Lines of a file that start with this. */
int pki_count(const char *path, const char *start);

#endif
