#include "pki/revoke.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "pki/compare.h"
#include "pki/crl_check.h"
#include "pki/crl_hours.h"
#include "pki/differ.h"
#include "pki/key.h"

#define LOCK_WAIT_MS 5000
#define APART ((int64_t)1 << 22) /* octets of an index from which on two threads are worth it */

/* What a run holds while it works. */
struct revoke {
	const struct revoke_job *job;
	const struct watch *watch;
	struct revoke_result *out;
	struct manifest manifest;
	struct index *x;
	struct sorted *rows;
	size_t n;
	struct compare cmp;
	bool apart;          /* worth two threads */
};

void revoke_clear(struct revoke_result *r)
{
	free(r->first_name);
	for (size_t i = 0; i < 3; i++)
		free(r->backup[i]);
	crl_file_clear(&r->crl);
	*r = (struct revoke_result){ 0 };
}

static void revoke_drop(struct revoke *v)
{
	manifest_clear(&v->manifest);
	index_free(v->x);
	free(v->rows);
	compare_clear(&v->cmp);
}

static int revoke_load(struct revoke *v, struct err *e)
{
	int rc;

	if ((v->x = index_load(v->job->ca->database, e)) == NULL)
		return e->code;
	if ((rc = index_refuse_bad(v->x, e)) < 0)
		return rc;
	return (v->rows = index_sorted(v->x, &v->n, e)) == NULL ? e->code : 0;
}

/* The manifest is read beside the index. */
struct manifest_work {
	struct revoke *v;
	struct err error;
};

static void manifest_work(void *arg)
{
	struct manifest_work *m = arg;
	const struct revoke_job *job = m->v->job;

	manifest_read(&m->v->manifest, job->path, job->manifest, job->ca, job->cert, &m->error);
}

static int revoke_read(struct revoke *v, struct err *e)
{
	struct manifest_work m = { .v = v };
	struct beside beside;
	struct stat st;
	int rc;

	v->apart = stat(v->job->ca->database, &st) == 0 && st.st_size > APART;
	beside_start(&beside, v->apart, manifest_work, &m);
	rc = revoke_load(v, e);
	beside_end(&beside);
	if (m.error.code < 0)
		*e = m.error;
	return m.error.code < 0 ? m.error.code : rc;
}

/* Two index.txt, a manifest's worth of CRL in DER and PEM, and something for the rest. */
static int revoke_room(const struct revoke *v, struct err *e)
{
	int64_t need = (int64_t)v->x->len * 3 + (int64_t)v->manifest.rows * 40 + (1 << 16);
	int64_t crl = ((int64_t)v->manifest.rows + v->out->counts.revoked) * 140 + (1 << 16);
	int64_t have = fs_free_octets(v->job->ca->dir), there = fs_free_octets(v->job->folder);
	const char *where = v->job->ca->dir;

	if (have >= 0 && have >= need)
		where = there >= 0 && there < crl ? v->job->folder : NULL;
	if (where == NULL)
		return 0;
	err_set(e, ERR_IO, _("%s: too little room: %lld KiB needed, %lld KiB free"), where,
	    (long long)((where == v->job->folder ? crl : need) >> 10),
	    (long long)((where == v->job->folder ? there : have) >> 10));
	return err_remedy(e, _("make room on that file system; nothing was changed"));
}

static void revoke_first(struct revoke *v)
{
	const struct manifest_row *m = v->manifest.row;
	const struct row *r;
	const char *name;
	size_t len;

	if (v->manifest.rows == 0)
		return;
	memcpy(v->out->first, m->serial, m->len);
	v->out->first[m->len] = '\0';
	if ((r = index_find(v->x, v->rows, v->n, v->out->first)) == NULL)
		return;
	name = row_name(v->x, r, &len);
	v->out->first_name = mem_strndup(name, len);
	v->out->first_until = r->expires * 1000;
}

char *revoke_backup_name(const char *file, int64_t stamp)
{
	char text[24];

	return mem_printf("%s.pre-emergency-%s", file, clock_stamp(text, sizeof text, stamp));
}

static void revoke_name_backups(struct revoke *v)
{
	const struct ca *ca = v->job->ca;
	const char *const file[3] = { ca->database, ca->attr, ca->crlnumber };

	for (size_t i = 0; i < 3; i++)
		if (fs_exists(file[i]))
			v->out->backup[i] = revoke_backup_name(file[i], v->job->stamp);
}

static int revoke_prepare(struct revoke *v, struct err *e)
{
	const struct revoke_job *job = v->job;
	const EVP_MD *md;
	int rc;

	if ((rc = crl_hours_check(job->hours, e)) < 0)
		return rc;
	if ((rc = key_digest(X509_get0_pubkey(job->cert), job->ca->default_md, &md, e)) < 0)
		err_prefix(e, "%s", job->ca->config);
	if (rc < 0 || (rc = crl_check_configured(job->ca, job->cert, e)) < 0 || (rc = fs_replaceable(job->ca->database, e)) < 0 ||
	    (rc = fs_replaceable(job->ca->crlnumber, e)) < 0 || (rc = revoke_read(v, e)) < 0)
		return rc;
	index_count(v->x, job->now, &v->out->counts);
	v->out->planned = (int64_t)v->manifest.rows;
	revoke_first(v);
	revoke_name_backups(v);
	rc = compare_run(&v->cmp, job, &v->manifest, v->x, v->rows, v->n, e);
	v->out->already = v->cmp.already;
	v->out->done = v->cmp.done;
	if (rc < 0 || (rc = crl_number_next(job->ca, job->folder, v->out->number, e)) < 0)
		return rc;
	return revoke_room(v, e);
}

int revoke_check(const struct revoke_job *job, struct revoke_result *out, struct err *e)
{
	struct revoke v = { .job = job, .out = out };
	int rc;

	*out = (struct revoke_result){ 0 };
	rc = revoke_prepare(&v, e);
	revoke_drop(&v);
	if (rc < 0)
		revoke_clear(out);
	return rc;
}

/* A backup that is there already is this run's, made before it was interrupted, or it is in the way. */
static int revoke_backup(const struct revoke *v, const char *from, const char *to, struct err *e)
{
	char a[DIGEST_HEX], b[DIGEST_HEX];
	int rc;

	watch_step(v->watch, "backup file");
	if (!fs_exists(to)) /* the index is renamed over: its old file stays as the backup */
		return from == v->job->ca->database ? fs_keep(from, to, e) : fs_backup(from, to, e);
	if (v->cmp.done > 0)
		return 0;
	if ((rc = digest_file(from, a, e)) < 0 || (rc = digest_file(to, b, e)) < 0)
		return rc;
	if (strcmp(a, b) == 0)
		return 0;
	err_set(e, ERR_REFUSED, _("the backup %s exists with other content"), to);
	return err_remedy(e, _("move it away, if it is not needed where it is"));
}

static int revoke_backups(struct revoke *v, struct err *e)
{
	const struct ca *ca = v->job->ca;
	const char *const file[3] = { ca->database, ca->attr, ca->crlnumber };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 3; i++)
		if (v->out->backup[i] != NULL)
			rc = revoke_backup(v, file[i], v->out->backup[i], e);
	return rc;
}

/* Somebody wrote into it between the reading and the renaming: who lost or won which row is said. */
static int revoke_changed(const struct revoke *v, struct err *e)
{
	struct index *now = index_load(v->x->path, e);
	struct differ d;
	int rc;

	if (now == NULL)
		return e->code;
	if ((rc = index_refuse_bad(now, e)) == 0 && (rc = differ_run(&d, v->x, now, NULL, NULL, e)) == 0)
		rc = differ_refuse(&d, v->x->path, _("was changed by another program while it was being rewritten"), e);
	index_free(now);
	err_remedy(e, _("stop what issues certificates (contain), then run it again; nothing was changed"));
	return rc;
}

/* In memory: from here on the index is as of after the revocation. */
static void revoke_mark(struct revoke *v)
{
	for (size_t i = 0; i < v->x->rows; i++)
		if (v->cmp.mark[i] != 0 && v->x->row[i].kind == ROW_VALID)
			index_revoke(v->x, &v->x->row[i], v->cmp.mark[i]);
}

static int revoke_index(const struct revoke *v, struct err *e)
{
	const char *path = v->job->ca->database;
	char *tmp;
	int fd, rc;

	if (v->cmp.todo == 0)
		return 0;
	if ((fd = fs_beside(path, 0644, &tmp, e)) < 0)
		return fd;
	watch_step(v->watch, "index write");
	if ((rc = index_write(v->x, fd, v->watch, e)) == 0 && fsync(fd) < 0)
		rc = err_sys(e, "%s: fsync", path);
	watch_step(v->watch, "index synced");
	if (rc == 0) { /* openssl ca takes no lock: was it here meanwhile? */
		if ((rc = fs_replace(fd, tmp, path, &v->x->st, e)) == ERR_REFUSED)
			rc = revoke_changed(v, e);
	} else {
		close(fd);
		unlink(tmp);
	}
	watch_step(v->watch, "index renamed");
	free(tmp);
	return rc;
}

/* What is on disk now must be, octet for octet, what was to be written; read anew, row by row, it must count
 * as many revoked as were revoked and planned. */
static int revoke_read_back(const struct revoke *v, struct err *e)
{
	struct index_bad *bad = mem_grow(NULL, INDEX_BAD_KEPT, sizeof *bad);
	struct index_counts now;
	int64_t want = v->out->counts.revoked + v->cmp.todo;
	int rc;

	if ((rc = index_same(v->x, v->x->path, e)) == 0 &&
	    (rc = index_tally(v->x->path, v->job->now, &now, bad, e)) == 0 &&
	    (now.unreadable != 0 || now.rows != v->out->counts.rows || now.revoked != want ||
	     v->cmp.todo + v->cmp.done != v->out->planned))
		rc = err_set(e, ERR_FAILED, _("%s: %lld revoked rows were to be in it, %lld are"), v->x->path,
		    (long long)want, (long long)now.revoked);
	free(bad);
	return rc;
}

struct index_work {
	const struct revoke *v;
	struct err error;
};

static void index_work(void *arg)
{
	struct index_work *w = arg;

	if (revoke_index(w->v, &w->error) == 0)
		revoke_read_back(w->v, &w->error);
}

/* An interrupted run may have come as far as the CRL: then it is the one, and no second is made. */
static bool revoke_crl_there(const struct revoke *v, struct crl_file *out)
{
	char number[SERIAL_MAX], *path = crl_file_last(v->job->ca, v->job->folder, number);
	struct listing l = { .x = v->x, .rows = v->rows, .n = v->n };
	struct err e = { 0 };
	bool there;

	there = path != NULL &&
	    crl_file_verify(path, v->job->cert, &l, out, &e) == 0;
	if (there && (out->this_update < v->job->stamp / 1000 * 1000 ||
	    out->next_update <= v->job->now || !fs_exists(out->pem)))
		there = false;
	if (!there)
		crl_file_clear(out);
	free(path);
	return there;
}

/* What a killed run left: under the lock nobody else's. */
static int revoke_sweep_all(const struct revoke_job *job, struct err *e)
{
	const char *name = strrchr(job->ca->database, '/');
	char *crls = mem_printf("%s-", job->ca->name);
	int rc = 0;

	if ((rc = fs_sweep(job->ca->dir, name != NULL ? name + 1 : job->ca->database, e)) == 0 &&
	    (rc = fs_sweep(job->ca->dir, "crlnumber", e)) == 0)
		rc = fs_sweep(job->folder, crls, e);
	free(crls);
	return rc;
}

/* Write the index; sign the CRL meanwhile, in memory; store it only if the index is well. */
static int revoke_write(struct revoke *v, struct err *e)
{
	const struct revoke_job *job = v->job;
	struct listing l = { .x = v->x, .rows = v->rows, .n = v->n,
		.gone = crl_gone(job->ca, job->cert, job->folder, job->now) };
	struct index_work index = { .v = v };
	const struct watch *w = v->apart ? NULL : v->watch; /* the index's writer has the word */
	struct beside beside;
	struct crl_draft draft = { 0 };
	int rc = 0;

	revoke_mark(v);
	beside_start(&beside, v->apart, index_work, &index);
	if (v->apart || index.error.code == 0) {
		watch_stage(w, "crl");
		rc = crl_file_sign(&draft, job->ca, job->cert, job->key, &l, job->folder, job->now, job->hours, w, e);
	}
	beside_end(&beside);
	if (index.error.code < 0) {
		crl_draft_clear(&draft);
		*e = index.error;
		return e->code;
	}
	v->out->revoked = v->out->planned;
	if (v->apart)
		watch_stage(v->watch, "crl");
	return rc < 0 ? rc : crl_file_store(&draft, v->watch, &v->out->crl, e);
}

static int revoke_steps(struct revoke *v, struct err *e)
{
	bool there;
	int rc;

	watch_stage(v->watch, "check");
	if ((rc = revoke_sweep_all(v->job, e)) < 0 || (rc = revoke_prepare(v, e)) < 0)
		return rc;
	there = v->cmp.todo == 0 && revoke_crl_there(v, &v->out->crl);
	if (!there && (rc = crl_rehearse(v->job->ca, v->job->cert, v->job->key, v->out->number, v->job->now, v->job->hours, e)) < 0)
		return rc;
	manifest_clear(&v->manifest);
	watch_stage(v->watch, "backup");
	if ((rc = revoke_backups(v, e)) < 0)
		return rc;
	watch_stage(v->watch, "index");
	if (there) {
		v->out->revoked = v->out->planned;
		watch_stage(v->watch, "verify");
		return 0;
	}
	return revoke_write(v, e);
}

int revoke_run(const struct revoke_job *job, const struct watch *w, struct revoke_result *out,
    struct err *e)
{
	struct revoke v = { .job = job, .watch = w, .out = out };
	int lock, rc;

	*out = (struct revoke_result){ 0 };
	if ((lock = fs_lock(job->ca->database, LOCK_WAIT_MS, e)) < 0)
		return lock;
	rc = revoke_steps(&v, e);
	revoke_drop(&v);
	close(lock);
	if (rc < 0)
		revoke_clear(out);
	return rc;
}
