#include "base/digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

struct digest {
	EVP_MD_CTX *ctx;
};

/* SHA-256 is in every provider that sev1 accepts; without it nothing it says could be believed. */
static void digest_must(int ok)
{
	if (ok != 1) {
		fputs("sev1: SHA-256 is not available from OpenSSL\n", stderr);
		_exit(1);
	}
}

struct digest *digest_new(void)
{
	struct digest *d = mem_alloc(sizeof *d);

	d->ctx = EVP_MD_CTX_new();
	digest_must(d->ctx != NULL && EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
	return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	digest_must(EVP_DigestUpdate(d->ctx, data, len));
}

void digest_end(struct digest *d, char hex[DIGEST_HEX])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	digest_must(EVP_DigestFinal_ex(d->ctx, md, &n));
	for (unsigned int i = 0; hex != NULL && i < n; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", md[i]);
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void digest_of(const void *data, size_t len, char hex[DIGEST_HEX])
{
	struct digest *d = digest_new();

	digest_add(d, data, len);
	digest_end(d, hex);
}

int digest_file(const char *path, char hex[DIGEST_HEX], struct err *e)
{
	struct digest *d;
	char *block;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_sys(e, "%s", path);
	block = mem_alloc(1 << 16);
	d = digest_new();
	while ((n = read(fd, block, 1 << 16)) > 0)
		digest_add(d, block, (size_t)n);
	digest_end(d, n < 0 ? NULL : hex);
	free(block);
	if (n < 0)
		err_sys(e, "%s", path);
	close(fd);
	return n < 0 ? ERR_IO : 0;
}
