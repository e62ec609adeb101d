#include "pki/undo.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/confine.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "pki/crl_store.h"
#include "pki/differ.h"
#include "pki/revoke.h"

#define LOCK_WAIT_MS 5000
#define NUMBER_MAX 256

struct undo {
	const struct undo_job *job;
	struct undo_result *out;
	struct index *was, *is;
};

void undo_clear(struct undo_result *r)
{
	for (size_t i = 0; i < r->crls; i++)
		free(r->crl[i]);
	free(r->crl);
	free(r->backup);
	*r = (struct undo_result){ 0 };
}

/* A row of the revocation: valid before, revoked now at its moment, and otherwise the same. */
static bool undo_own(void *ctx, const struct row *was, const struct row *is)
{
	const struct undo *u = ctx;
	struct revinfo info;
	size_t a, b;
	const char *p = row_name(u->was, was, &a), *q = row_name(u->is, is, &b);

	return was->kind == ROW_VALID && is->kind == ROW_REVOKED && was->expires == is->expires && a == b &&
	    memcmp(p, q, a) == 0 && row_revinfo(u->is, is, &info) == NULL && info.at == u->job->stamp / 1000;
}

/* index.txt must be the backup, or the backup with every row of the revocation revoked. */
static int undo_compare(struct undo *u, struct err *e)
{
	struct differ d;
	int rc;

	if (u->was->len == u->is->len && memcmp(u->was->data, u->is->data, u->was->len) == 0)
		return 0;
	if ((rc = differ_run(&d, u->was, u->is, undo_own, u, e)) < 0)
		return rc;
	if (differ_none(&d) && d.own == u->job->planned) {
		u->out->rows = d.own;
		return 0;
	}
	if (differ_none(&d))
		err_set(e, ERR_REFUSED, _("%s is not what the revocation left: it revoked %lld rows, %lld of them are "
		    "revoked now"), u->is->path, (long long)u->job->planned, (long long)d.own);
	else
		differ_refuse(&d, u->is->path, _("is not what the revocation left"), e);
	return err_remedy(e, _("nothing was changed; what was done since would be lost with the backup: put it right by hand"));
}

static int undo_number(const char *path, char number[SERIAL_MAX], struct err *e)
{
	struct buf b = { 0 };
	size_t n;
	int rc = fs_read(path, &b, NUMBER_MAX, e);

	for (n = b.len; n > 0 && strchr("\r\n \t", b.data[n - 1]) != NULL; n--)
		;
	if (rc == 0 && serial_canon(number, buf_str(&b), n) == 0)
		rc = err_set(e, ERR_SYNTAX, _("%s: not a CRL number in hexadecimal"), path);
	buf_free(&b);
	return rc;
}

/* Is a, canonical, below b? */
static bool number_below(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	return la != lb ? la < lb : strcmp(a, b) < 0;
}

/* The files NAME-NUMBER.crl and .pem in a folder whose number was not used up before the revocation. */
static int undo_crls(struct undo *u, const char *folder, const char *first, struct err *e)
{
	char *prefix = mem_printf("%s-", u->job->ca->name), number[SERIAL_MAX];
	size_t pre = strlen(prefix), n;
	struct dirent *de;
	DIR *d = opendir(folder);

	if (d == NULL && fs_exists(folder)) {
		free(prefix);
		return err_sys(e, "%s", folder);
	}
	while (d != NULL && (de = readdir(d)) != NULL) {
		n = strlen(de->d_name);
		if (n < pre + 5 || strncmp(de->d_name, prefix, pre) != 0 || (strcmp(de->d_name + n - 4, ".crl") != 0 &&
		    strcmp(de->d_name + n - 4, ".pem") != 0) || serial_canon(number, de->d_name + pre, n - pre - 4) == 0 ||
		    (first[0] != '\0' && number_below(number, first)))
			continue;
		u->out->crl = mem_grow(u->out->crl, u->out->crls + 2, sizeof *u->out->crl);
		u->out->crl[u->out->crls++] = fs_join(folder, de->d_name);
		u->out->crl[u->out->crls] = NULL;
	}
	if (d != NULL)
		closedir(d);
	free(prefix);
	return 0;
}

/* The CRLs from the number on that was next before the revocation. Without that backup: all, where sev1 keeps the
 * number itself and had not begun to; none, where index.txt is not rewritten, which comes before any CRL. */
static int undo_since(struct undo *u, struct err *e)
{
	char *backup = revoke_backup_name(u->job->ca->crlnumber, u->job->stamp), first[SERIAL_MAX] = "";
	char *parts = crl_parts_folder(u->job->folder);
	int rc = 0;

	if (fs_exists(backup)) {
		rc = undo_number(backup, first, e);
	} else if (u->out->rows > 0 && !u->job->ca->crlnumber_own) {
		rc = err_set(e, ERR_REFUSED, _("%s is not there: which CRLs were signed since cannot be told"), backup);
		err_remedy(e, _("restore that backup"));
	}
	if (rc == 0 && (fs_exists(backup) || u->out->rows > 0) && (rc = undo_crls(u, parts, first, e)) == 0)
		rc = undo_crls(u, u->job->folder, first, e);
	free(parts);
	free(backup);
	return rc;
}

static int undo_backup(struct undo *u, char *path, struct err *e)
{
	int rc;

	if ((rc = digest_file(path, u->out->sha256, e)) == 0 && u->job->sha256[0] != '\0' &&
	    strcmp(u->out->sha256, u->job->sha256) != 0)
		rc = err_set(e, ERR_REFUSED, _("%s is not the backup that was confirmed: its SHA-256 is %s"), path,
		    u->out->sha256);
	if (rc < 0 || (u->was = index_load(path, e)) == NULL || index_refuse_bad(u->is, e) < 0)
		return e->code;
	u->out->backup = mem_strdup(path);
	return undo_compare(u, e);
}

/* Without a backup the revocation had not begun to write: then none of its rows may be there. */
static int undo_nothing(const struct undo *u, const char *path, struct err *e)
{
	struct revinfo info;

	for (size_t i = 0; i < u->is->rows; i++) {
		const struct row *r = &u->is->row[i];

		if (r->kind != ROW_REVOKED || row_revinfo(u->is, r, &info) != NULL || info.at != u->job->stamp / 1000)
			continue;
		err_set(e, ERR_REFUSED, _("%s: the backup is gone, and index.txt holds what was revoked"), path);
		return err_remedy(e, _("restore that backup"));
	}
	return 0;
}

static int undo_prepare(struct undo *u, struct err *e)
{
	const struct ca *ca = u->job->ca;
	char *path = revoke_backup_name(ca->database, u->job->stamp);
	bool there = fs_exists(path);
	int rc;

	if ((rc = fs_replaceable(ca->database, e)) < 0)
		;
	else if ((u->is = index_load(ca->database, e)) == NULL)
		rc = e->code;
	else
		rc = there ? undo_backup(u, path, e) : undo_nothing(u, path, e);
	if (rc == 0 && fs_exists(ca->crlnumber))
		rc = undo_number(ca->crlnumber, u->out->number, e);
	if (rc == 0 && there)
		rc = undo_since(u, e);
	free(path);
	return rc;
}

static int undo_aside(const struct undo *u, struct err *e)
{
	char stamp[24], *to;
	int rc = 0;

	clock_stamp(stamp, sizeof stamp, u->job->stamp);
	for (size_t i = 0; rc == 0 && i < u->out->crls; i++) {
		to = mem_printf("%s.undone-%s", u->out->crl[i], stamp);
		rc = fs_move(u->out->crl[i], to, e);
		free(to);
	}
	return rc;
}

static int undo_index(const struct undo *u, struct err *e)
{
	const char *path = u->job->ca->database;
	char *tmp, hex[DIGEST_HEX];
	int fd, rc = 0;

	if (u->out->rows == 0)
		return 0;
	if ((fd = fs_beside(path, 0644, &tmp, e)) < 0)
		return fd;
	if (fs_put(fd, u->was->data, u->was->len) < 0 || fsync(fd) < 0)
		rc = err_sys(e, "%s", path);
	if (rc == 0) {
		rc = fs_replace(fd, tmp, path, &u->is->st, e);
	} else {
		close(fd);
		unlink(tmp);
	}
	free(tmp);
	if (rc == 0 && (rc = digest_file(path, hex, e)) == 0 && strcmp(hex, u->out->sha256) != 0)
		rc = err_set(e, ERR_IO, _("%s: what was written reads back differently"), path);
	return rc;
}

static void undo_drop(struct undo *u)
{
	index_free(u->was);
	index_free(u->is);
}

int undo_check(const struct undo_job *job, struct undo_result *out, struct err *e)
{
	struct undo u = { .job = job, .out = out };
	int rc;

	*out = (struct undo_result){ 0 };
	rc = undo_prepare(&u, e);
	undo_drop(&u);
	if (rc < 0)
		undo_clear(out);
	return rc;
}

int undo_run(const struct undo_job *job, struct undo_result *out, struct err *e)
{
	struct undo u = { .job = job, .out = out };
	const char *name;
	int lock, rc;

	*out = (struct undo_result){ 0 };
	if ((lock = fs_lock(job->ca->database, LOCK_WAIT_MS, e)) < 0)
		return lock;
	name = strrchr(job->ca->database, '/');
	rc = fs_sweep(job->ca->dir, name != NULL ? name + 1 : job->ca->database, e);
	if (rc == 0 && (rc = undo_prepare(&u, e)) == 0 && (rc = undo_aside(&u, e)) == 0)
		rc = undo_index(&u, e);
	undo_drop(&u);
	close(lock);
	if (rc < 0)
		undo_clear(out);
	return rc;
}
