/* appendix: the certificates of the frozen scope, as a file that goes with an incident report. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "pki/appendix.h"

#define SERIALS_MAX ((size_t)1 << 30)

static int appendix_ca(struct appendix *a, const json_t *want, struct buf *b, struct err *e)
{
	struct ca *ca = request_ca(want, e);
	struct buf text = { 0 };
	int rc = ca != NULL ? fs_read(json_str(want, "serials"), &text, SERIALS_MAX, e) : e->code;

	if (rc == 0)
		rc = appendix_add(a, ca, buf_str(&text), &ca_watch, b, e);
	buf_free(&text);
	ca_free(ca);
	return rc;
}

int ca_appendix(const json_t *request, json_t **result, struct err *e)
{
	struct appendix a = { .links = json_bool(request, "links"), .late = json_bool(request, "late"), .at = clock_now() };
	const char *path = json_str(request, "path");
	const json_t *v;
	char hash[DIGEST_HEX];
	struct buf b = { 0 };
	size_t i;
	int rc = 0;

	if (path[0] != '/')
		return err_set(e, ERR_USAGE, _("appendix: the path must be absolute"));
	appendix_head(&a, &b);
	json_array_foreach(json_list(request, "cas"), i, v)
		if ((rc = appendix_ca(&a, v, &b, e)) < 0)
			break;
	if (rc == 0)
		rc = fs_write(path, buf_str(&b), b.len, 0600, e);
	if (rc == 0) {
		digest_of(buf_str(&b), b.len, hash);
		*result = json_pack("{s:s,s:s,s:s,s:I,s:I,s:I}", "path", path, "sha256", hash, "form", a.links ? "links" : "csv",
		    "rows", (json_int_t)a.rows, "revoked", (json_int_t)a.revoked, "missing", (json_int_t)a.missing);
	}
	buf_free(&b);
	return rc;
}
