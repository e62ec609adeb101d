/* A CA as it lies on disk: an `openssl ca` directory found through its openssl.cnf, or an easy-rsa
 * pki folder. Only paths and settings are here; nothing of the CA is opened but its configuration. */
#ifndef SEV1_CA_H
#define SEV1_CA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct conf_st;         /* OpenSSL's CONF */
struct x509_st;

struct ca {
	char *name;          /* of the configuration: "issuing2" */
	char *title;         /* shown; the name where there is none */
	char *config;        /* openssl.cnf, or the easy-rsa folder */
	char *section;       /* its section there; "" for easy-rsa */
	char *base;          /* the folder that openssl is called in; NULL: see ca_load */
	char *dir;           /* the folder of the database */
	char *database;      /* index.txt */
	char *attr;          /* index.txt.attr; need not exist */
	char *new_certs_dir; /* SERIAL.pem of what was issued */
	char *certificate;   /* of the CA, PEM */
	char *private_key;   /* a file, PEM; or "pkcs11:..." */
	char *module;        /* the PKCS#11 library for it; "" where none is configured */
	char *serial;        /* next serial, hex; need not exist where rand_serial */
	char *crlnumber;     /* next CRL number, hex */
	bool crlnumber_own;  /* the configuration names none (easy-rsa): sev1 keeps this one */
	char *crl;           /* the CA's own CRL file; "" where not configured */
	char *default_md;    /* "sha256", or "default" for the key's own */
	int default_days;    /* validity of a certificate */
	bool unique_subject; /* index.txt.attr before the configuration, as openssl has it */
	bool rand_serial;    /* serials are random, 128 bits */
	bool easyrsa;
	char *policy;          /* section names; "" where not configured */
	char *x509_extensions;
	char *crl_extensions;
	struct conf_st *conf; /* NULL for easy-rsa */
};

/* Find the CA. config is a file or a folder; section NULL or "" takes default_ca; key NULL or ""
 * takes private_key. Relative paths start at the configuration's folder, or the one above it where the database
 * lies there and not here. A folder that has no configuration is one that openssl is called in: its settings are
 * those of OpenSSL's own openssl.cnf. NULL with an error naming file and setting; the caller owns the result. */
struct ca *ca_load(const char *name, const char *title, const char *config, const char *section,
    const char *key, struct err *e);
void ca_free(struct ca *ca);
/* Name the PKCS#11 library of its key's token. NULL and "" take it away. */
void ca_set_module(struct ca *ca, const char *path);

/* A setting of a section, "" where absent; borrowed. */
const char *ca_setting(const struct ca *ca, const char *section, const char *key);

/* The certificate of the CA, read anew; owned by the caller. NULL with an error. */
struct x509_st *ca_certificate(const struct ca *ca, struct err *e);

/* The file of an issued certificate, owned by the caller: new_certs_dir/SERIAL.pem. */
char *ca_issued_path(const struct ca *ca, const char *serial);

#endif
