#include "pki/crl_pem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"

#define LINE 48  /* octets of DER in a line of 64 characters (RFC 7468 2) */
#define LINES 4096

static const char head[] = "-----BEGIN X509 CRL-----\n", foot[] = "-----END X509 CRL-----\n";

/* Two characters for every twelve bits. */
static void pairs_make(char pair[4096][2])
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (int i = 0; i < 4096; i++) {
		pair[i][0] = digit[i >> 6];
		pair[i][1] = digit[i & 63];
	}
}

static char *line_put(char *out, const unsigned char *p, size_t n, char pair[4096][2])
{
	for (; n >= 3; n -= 3, p += 3, out += 4) {
		unsigned v = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];

		memcpy(out, pair[v >> 12], 2);
		memcpy(out + 2, pair[v & 0xfff], 2);
	}
	if (n > 0) {
		unsigned v = (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0);

		memcpy(out, pair[v >> 12], 2);
		memcpy(out + 2, pair[v & 0xfff], 2);
		out[3] = '=';
		if (n == 1)
			out[2] = '=';
		out += 4;
	}
	*out++ = '\n';
	return out;
}

/* Go through the whole text block by block: write it to fd, or compare it with what is read from there. */
static int pem_pass(int fd, bool compare, const unsigned char *der, size_t len, const char *path, struct err *e)
{
	size_t room = LINES * (LINE / 3 * 4 + 1) + sizeof head + sizeof foot, at, n;
	char pair[4096][2], *block = mem_alloc(room), *there = compare ? mem_alloc(room) : NULL, *p = block;
	bool end = false;
	int rc = 0;

	pairs_make(pair);
	memcpy(p, head, sizeof head - 1);
	p += sizeof head - 1;
	while (rc == 0 && !end) {
		for (at = 0; len > 0 && at < LINES; at++, der += n, len -= n) {
			n = len < LINE ? len : LINE;
			p = line_put(p, der, n, pair);
		}
		if ((end = len == 0)) {
			memcpy(p, foot, sizeof foot - 1);
			p += sizeof foot - 1;
		}
		n = (size_t)(p - block);
		if (!compare)
			rc = fs_put(fd, block, n) < 0 ? err_sys(e, "%s", path) : 0;
		else if (fs_get(fd, there, n) != (ssize_t)n || memcmp(block, there, n) != 0)
			rc = err_set(e, ERR_FAILED, _("%s: what is on disk is not what was written"), path);
		p = block;
	}
	if (rc == 0 && compare && fs_get(fd, there, 1) != 0)
		rc = err_set(e, ERR_FAILED, _("%s: what is on disk is not what was written"), path);
	free(block);
	free(there);
	return rc;
}

int crl_pem_write(const char *path, const unsigned char *der, size_t len, struct err *e)
{
	char *tmp;
	int fd, rc;

	if ((fd = fs_beside(path, 0644, &tmp, e)) < 0)
		return fd;
	if ((rc = pem_pass(fd, false, der, len, path, e)) == 0 && (fsync(fd) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		rc = err_sys(e, "%s", path);
	if (rc == 0)
		rc = pem_pass(fd, true, der, len, path, e);
	if (rc == 0) {
		rc = fs_commit(fd, tmp, path, e);
	} else {
		close(fd);
		unlink(tmp);
	}
	free(tmp);
	return rc;
}
