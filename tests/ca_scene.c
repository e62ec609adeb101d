#include "ca_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "fault_seam.h"
#include "pki_seam.h"

static struct scene now;
static char *manifest;

struct scene *scene(void)
{
	return &now;
}

static json_t *scene_ca(void)
{
	char *config = mem_printf("%s/ca/openssl.cnf", pki_here());
	json_t *o = json_pack("{s:s,s:s,s:s,s:b}", "name", "ca", "title", "A CA", "config", config, "all", 1);

	free(config);
	return o;
}

json_t *scene_request(const char *op)
{
	char *folder = mem_printf("%s/%s", pki_here(), strcmp(op, "scope") == 0 ? "manifests" : "crls");
	char *path = mem_printf("%s/manifests/ca.manifest", pki_here());
	json_t *o = json_pack("{s:s,s:s,s:I}", "op", op, "folder", folder, "at", (json_int_t)now.stamp + 2000);

	if (strncmp(op, "undo", 4) == 0)
		json_object_update_new(o, json_pack("{s:o,s:I,s:i,s:s}", "ca", scene_ca(), "stamp", (json_int_t)now.stamp,
		    "planned", now.planned, "sha256", strcmp(op, "undo") == 0 ? now.old_sha256 : ""));
	else if (strcmp(op, "scope") == 0)
		json_object_update_new(o, json_pack("{s:s,s:[o],s:[],s:{}}", "level", "end-entity", "cas", scene_ca(),
		    "parents", "selectors"));
	else
		json_object_update_new(o, json_pack("{s:o,s:s,s:s,s:I,s:I,s:i,s:b}", "ca", scene_ca(), "path", path,
		    "manifest", manifest != NULL ? manifest : "", "stamp", (json_int_t)now.stamp, "since",
		    (json_int_t)now.stamp - 86400000, "hours", 24, "exact", 1));
	free(folder);
	free(path);
	return o;
}

json_t *scene_put(void)
{
	char *path = mem_printf("%s/point/ca.crl", pki_here()), *file = mem_printf("%s/new.crl", pki_here());
	json_t *o = json_pack("{s:s,s:s,s:s,s:i}", "op", "put", "path", path, "file", file, "mode", 0644);

	free(path);
	free(file);
	return o;
}

void scene_restore(void)
{
	struct err e = { 0 };

	kept_restore(now.before);
	assert_int_equal(fs_remove_tree("crls", &e), 0);
	pki_must("cp old.crl point.new && mv point.new point/ca.crl && find point -name '*.sev1-*' -delete");
}

void scene_print(char hex[DIGEST_HEX])
{
	static const char *const folders[] = { "ca", "crls", "point", "manifests" };
	struct digest *d = digest_new();

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		struct kept *k = fs_exists(folders[i]) ? kept_new(folders[i]) : NULL;

		for (size_t f = 0; k != NULL && f < k->files; f++) {
			digest_add(d, k->name[f], strlen(k->name[f]) + 1);
			digest_add(d, buf_str(&k->content[f]), k->content[f].len);
		}
		if (k != NULL)
			kept_free(k);
	}
	digest_end(d, hex);
}

/* One run without a fault. */
static json_t *scene_clean(const char *op)
{
	json_t *request = scene_request(op), *result;
	struct outcome o;

	fault_child("ca", request, NULL, &o);
	json_decref(request);
	if (o.result == NULL)
		print_message("%s: %s %s\n", op, json_str(o.error, "text"), o.said);
	assert_non_null(o.result);
	result = json_incref(o.result);
	outcome_clear(&o);
	return result;
}

void scene_revoke(void)
{
	json_decref(scene_clean("revoke"));
}

static void scene_crls(void)
{
	struct err e = { 0 };
	json_t *r = scene_clean("crl");

	pki_must("mkdir -p point && cp %s old.crl", json_str(json_object_get(r, "crl"), "der"));
	json_decref(r);
	kept_restore(now.before);
	assert_int_equal(fs_remove_tree("crls", &e), 0);
	r = scene_clean("revoke");
	pki_must("cp %s new.crl", json_str(json_object_get(r, "crl"), "der"));
	assert_int_equal(fs_read("ca/index.txt", &now.new, 1 << 20, &e), 0);
	assert_int_equal(fs_read("old.crl", &now.old_crl, 1 << 20, &e), 0);
	assert_int_equal(fs_read("new.crl", &now.new_crl, 1 << 20, &e), 0);
	json_decref(r);
}

int scene_setup(void **state)
{
	FILE *f;
	json_t *r;

	if (pki_folder(state) != 0)
		return -1;
	fault_setup();
	pki_openssl("ca", "ec", 6);
	pki_must("openssl ca -config ca/openssl.cnf -revoke ca/newcerts/1001.pem -crl_reason superseded && "
	         "printf 'V\\t200101000000Z\\t\\t0F\\tunknown\\t/CN=long gone\\n' >> ca/index.txt && rm -f ca/*.old");
	f = fopen("ca/ca.crt", "r");
	now.cert = f != NULL ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	assert_non_null(now.cert);
	fclose(f);
	now.stamp = ((int64_t)time(NULL) - 60) * 1000; /* what else is revoked here is so at another second */
	now.before = kept_new("ca");
	now.old = kept_file(now.before, "index.txt");
	digest_of(buf_str(now.old), now.old->len, now.old_sha256);
	r = scene_clean("scope");
	now.planned = (int)json_num(r, "count", 0);
	manifest = mem_strdup(json_str(json_array_get(json_list(r, "cas"), 0), "manifest"));
	assert_int_equal(now.planned, 5);
	json_decref(r);
	scene_crls();
	scene_restore();
	return 0;
}

int scene_drop(void **state)
{
	kept_free(now.before);
	buf_free(&now.new);
	buf_free(&now.old_crl);
	buf_free(&now.new_crl);
	X509_free(now.cert);
	free(manifest);
	return pki_folder_drop(state);
}

static bool same(const struct buf *b, const char *p, size_t len)
{
	return b->len == len && memcmp(buf_str(b), p, len) == 0;
}

bool scene_whole(void *ctx, const char *p, size_t len)
{
	(void)ctx;
	return same(now.old, p, len) || same(&now.new, p, len);
}

bool scene_crl_whole(void *ctx, const char *p, size_t len)
{
	(void)ctx;
	return same(&now.old_crl, p, len) || same(&now.new_crl, p, len);
}

static X509_CRL *crl_read(const char *path)
{
	struct buf b = { 0 };
	const unsigned char *p;
	X509_CRL *crl = NULL;
	EVP_PKEY *key = X509_get0_pubkey(now.cert);

	if (fs_read(path, &b, 1 << 20, NULL) == 0) {
		p = (const unsigned char *)buf_str(&b);
		crl = d2i_X509_CRL(NULL, &p, (long)b.len);
		if (crl != NULL && (p != (const unsigned char *)buf_str(&b) + b.len || X509_CRL_verify(crl, key) != 1)) {
			X509_CRL_free(crl);
			crl = NULL;
		}
	}
	buf_free(&b);
	return crl;
}

/* The CRL's number; -1 without. */
static long crl_number(const X509_CRL *crl)
{
	ASN1_INTEGER *n = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	long number = n != NULL ? ASN1_INTEGER_get(n) : -1;

	ASN1_INTEGER_free(n);
	return number;
}

const char *scene_wrong_files(const char *folder)
{
	struct dirent *de;
	const char *wrong = NULL;
	DIR *d = opendir(folder);

	while (wrong == NULL && d != NULL && (de = readdir(d)) != NULL) {
		char *path = fs_join(folder, de->d_name);
		size_t n = strlen(de->d_name);
		bool named = n > 4 && strcmp(de->d_name + n - 4, ".crl") == 0;
		X509_CRL *crl = named ? crl_read(path) : NULL;

		if (named && (crl == NULL || crl_number(crl) != strtol(de->d_name + strlen("ca-"), NULL, 16)))
			wrong = "a file with a CRL's name is not a whole CRL with the number of its name";
		X509_CRL_free(crl);
		free(path);
	}
	if (d != NULL)
		closedir(d);
	return wrong;
}

const char *scene_wrong_any(void)
{
	struct buf b = { 0 };
	const char *wrong = NULL;

	if (fs_read("ca/index.txt", &b, 1 << 20, NULL) < 0)
		wrong = "index.txt is absent";
	else if (!scene_whole(NULL, buf_str(&b), b.len))
		wrong = "index.txt is neither the old one nor the new one";
	buf_free(&b);
	return wrong != NULL ? wrong : scene_wrong_files("crls");
}

/* Serial of an R row in index.txt text; NULL where the row is another. Cuts the line. */
static char *row_revoked(char *line)
{
	char *field = line;

	if (line[0] != 'R')
		return NULL;
	for (int i = 0; i < 3 && field != NULL; i++)
		field = strchr(field, '\t') != NULL ? strchr(field, '\t') + 1 : NULL;
	if (field != NULL)
		field[strcspn(field, "\t")] = '\0';
	return field;
}

/* Does the CRL hold the revoked rows of index.txt, and nothing else? */
static bool crl_is_index(X509_CRL *crl)
{
	char *text = pki_read("ca/index.txt"), *line, *save = NULL, *serial;
	int rows = 0, found = 0;

	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		BIGNUM *bn = NULL;
		ASN1_INTEGER *n;
		X509_REVOKED *r = NULL;

		if ((serial = row_revoked(line)) == NULL)
			continue;
		rows++;
		BN_hex2bn(&bn, serial);
		n = BN_to_ASN1_INTEGER(bn, NULL);
		found += X509_CRL_get0_by_serial(crl, &r, n) == 1;
		ASN1_INTEGER_free(n);
		BN_free(bn);
	}
	free(text);
	return rows > 0 && found == rows && sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) == rows;
}

const char *scene_wrong_file(const char *path)
{
	X509_CRL *crl = crl_read(path);
	char *next = pki_read("ca/crlnumber");
	const char *wrong = NULL;

	if (crl == NULL)
		wrong = "the CRL that was named cannot be read or verified";
	else if (!crl_is_index(crl))
		wrong = "the CRL is not the index";
	else if (crl_number(crl) >= strtol(next, NULL, 16))
		wrong = "the CRL's number will be used again";
	X509_CRL_free(crl);
	free(next);
	return wrong;
}

const char *scene_wrong_crl(const json_t *result)
{
	const json_t *said = json_object_get(result, "crl");
	char hex[DIGEST_HEX], *name = mem_printf("/ca-%s.crl", json_str(said, "number"));
	const char *wrong = scene_wrong_any();

	if (wrong == NULL)
		wrong = scene_wrong_file(json_str(said, "der"));
	if (wrong == NULL && strstr(json_str(said, "der"), name) == NULL)
		wrong = "the number that was told is not the file's";
	if (wrong == NULL && (digest_file(json_str(said, "der"), hex, NULL) < 0 ||
	    strcmp(hex, json_str(said, "sha256")) != 0))
		wrong = "the digest that was told is not the file's";
	if (wrong == NULL && pki_sh("openssl crl -in %s -outform DER | cmp - %s", json_str(said, "pem"), json_str(said, "der")) != 0)
		wrong = "PEM and DER differ";
	free(name);
	return wrong;
}

static const char *backups_wrong(const json_t *result)
{
	static const char mark[] = ".pre-emergency-";
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(result, "backups"), i, v) {
		const char *path = json_string_value(v), *name = strrchr(path, '/') + 1, *end = strstr(name, mark);
		char *original = mem_strndup(name, end != NULL ? (size_t)(end - name) : 0);
		const struct buf *was = kept_file(now.before, original);
		struct buf b = { 0 };
		bool good = was != NULL && fs_read(path, &b, 1 << 20, NULL) == 0 && same(was, buf_str(&b), b.len);

		buf_free(&b);
		free(original);
		if (!good)
			return "a backup is not what was";
	}
	return i == 3 ? NULL : "not every file was backed up";
}

const char *scene_wrong_revoked(const json_t *result)
{
	struct buf b = { 0 };
	const char *wrong = scene_wrong_crl(result);

	if (fs_read("ca/index.txt", &b, 1 << 20, NULL) < 0 || !same(&now.new, buf_str(&b), b.len))
		wrong = "index.txt is not the plan carried out";
	else if (json_num(result, "planned", 0) != now.planned || json_num(result, "revoked", 0) != now.planned)
		wrong = "another number was told";
	buf_free(&b);
	if (wrong == NULL)
		wrong = backups_wrong(result);
	if (wrong == NULL && pki_sh("ls ca crls | grep -F .sev1-") == 0)
		wrong = "a temporary file is left";
	return wrong;
}

const char *scene_wrong_undone(const json_t *result)
{
	struct buf b = { 0 };
	const char *wrong = scene_wrong_any();

	(void)result;
	if (fs_read("ca/index.txt", &b, 1 << 20, NULL) < 0 || !same(now.old, buf_str(&b), b.len))
		wrong = "index.txt is not what it was";
	else if (pki_sh("ls crls | grep -E '(crl|pem)$'") == 0)
		wrong = "a CRL of the revocation can still be published";
	else if (pki_sh("test $(cat ca/crlnumber) = 02") != 0)
		wrong = "the CRL number went back";
	else if (pki_sh("ls ca crls | grep -F .sev1-") == 0)
		wrong = "a temporary file is left";
	buf_free(&b);
	return wrong;
}
