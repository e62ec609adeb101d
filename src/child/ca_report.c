/* report: what a mail carries is looked into and matched. The octets come through an inherited memory file, never by
 * way of a disk, an argument or a line of JSON: there may be private keys among them. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "pki/report_match.h"

#define OCTETS_MAX (64u << 20)

static int report_octets(int fd, unsigned char **data, size_t *len, struct err *e)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "report");
	if (!S_ISREG(st.st_mode) || st.st_size > OCTETS_MAX)
		return err_set(e, ERR_USAGE, "report: not the octets of a mail");
	*len = (size_t)st.st_size;
	*data = mem_zalloc(1, *len + 1);
	n = lseek(fd, 0, SEEK_SET) < 0 ? -1 : fs_get(fd, *data, *len);
	return n == (ssize_t)*len ? 0 : err_sys(e, "report");
}

static void report_blobs(struct report *p, const json_t *blobs, const unsigned char *data, size_t len)
{
	const json_t *b;
	size_t i;

	json_array_foreach(blobs, i, b) {
		int64_t at = json_num(b, "at", -1), n = json_num(b, "len", -1);

		if (at >= 0 && n > 0 && at <= (int64_t)len && n <= (int64_t)len - at)
			report_blob(p, json_str(b, "where"), data + at, (size_t)n);
	}
}

int ca_report(const json_t *request, json_t **result, struct err *e)
{
	int fd = (int)json_num(request, "fd", -1), rc = 0;
	struct report *p = report_new(json_list(request, "serials"), json_list(request, "hashes"),
	    json_list(request, "hosts"), json_num(request, "at", clock_now()));
	unsigned char *data = NULL;
	json_t *errors = json_array();
	const json_t *v;
	size_t len = 0, i;

	if (fd >= 3 && (rc = report_octets(fd, &data, &len, e)) == 0)
		report_blobs(p, json_list(request, "blobs"), data, len);
	if (data != NULL)
		OPENSSL_cleanse(data, len + 1);
	free(data);
	json_array_foreach(json_list(request, "cas"), i, v) {
		struct err why = { 0 };
		struct ca *ca = rc == 0 ? request_ca(v, &why) : NULL;

		if (rc == 0 && (ca == NULL || report_match(p, ca, &ca_watch, &why) < 0)) {
			json_t *o = json_object();
			json_put(o, "ca", json_str(v, "name"));
			json_put(o, "text", why.text);
			json_array_append_new(errors, o);
		}
		ca_free(ca);
	}
	if (rc == 0) {
		*result = report_result(p);
		json_object_set(*result, "errors", errors);
	}
	json_decref(errors);
	report_free(p);
	return rc;
}
