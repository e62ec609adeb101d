#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "journal/journal_private.h"
#include "journal/schema.h"

static const char *const sql[STATEMENTS] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_HEAD] = "SELECT seq, hash FROM head WHERE one = 1",
	[ST_APPEND] = "INSERT INTO journal (seq, at, actor, kind, body, hash) VALUES (?, ?, ?, ?, ?, ?)",
	[ST_SET_HEAD] = "INSERT OR REPLACE INTO head (one, seq, hash) VALUES (1, ?, ?)",
	[ST_EACH] = "SELECT seq, at, actor, kind, body, hash FROM journal WHERE seq > ? ORDER BY seq",
	[ST_KEEP] = "INSERT OR IGNORE INTO artefact (sha256, kind, data) VALUES (?, ?, ?)",
	[ST_FETCH] = "SELECT data FROM artefact WHERE sha256 = ?",
	[ST_LEASE] = "SELECT holder, boot, pid, born, until FROM lease WHERE one = 1",
	[ST_TAKE] = "INSERT OR REPLACE INTO lease (one, holder, boot, pid, born, until) VALUES (1, ?, ?, ?, ?, ?)",
	[ST_RELEASE] = "DELETE FROM lease WHERE boot = ? AND pid = ? AND born = ?",
	[ST_CHANGED] = "PRAGMA data_version",
};

static const char first_hash[] = "0000000000000000000000000000000000000000000000000000000000000000";

int journal_error(struct journal *j, struct err *e)
{
	int code = sqlite3_errcode(j->db);

	err_set(e, ERR_IO, "%s: %s", j->path, sqlite3_errmsg(j->db));
	if (code == SQLITE_FULL)
		err_remedy(e, _("free space on that file system; the last event was not recorded"));
	else if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN)
		err_remedy(e, _("make the file and its folder writable for this user"));
	else if (code == SQLITE_BUSY)
		err_remedy(e, _("another process holds the file; try again"));
	return ERR_IO;
}

sqlite3_stmt *journal_statement(struct journal *j, enum statement s, struct err *e)
{
	if (j->st[s] == NULL &&
	    sqlite3_prepare_v3(j->db, sql[s], -1, SQLITE_PREPARE_PERSISTENT, &j->st[s], NULL) != SQLITE_OK) {
		journal_error(j, e);
		return NULL;
	}
	sqlite3_reset(j->st[s]);
	sqlite3_clear_bindings(j->st[s]);
	return j->st[s];
}

int journal_run(struct journal *j, enum statement s, struct err *e)
{
	sqlite3_stmt *st = journal_statement(j, s, e);
	int rc;

	if (st == NULL)
		return ERR_IO;
	rc = sqlite3_step(st) == SQLITE_DONE ? 0 : journal_error(j, e);
	sqlite3_reset(st);
	return rc;
}

/* ---- open and close ---- */

/* SQLite's locks cannot be trusted on a network file system: two consoles would both act. */
static int journal_check_place(const char *path, struct err *e)
{
	static const unsigned long remote[] = { 0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f };
	char *dir = mem_strdup(path), *slash = strrchr(dir, '/');
	struct statfs fs;
	int rc = 0;

	if (slash != NULL)
		slash[slash == dir ? 1 : 0] = '\0';
	if (statfs(slash != NULL ? dir : ".", &fs) < 0) {
		rc = err_sys(e, _("the folder of %s"), path);
		err_remedy(e, _("make it, or set 'state' in [sev1] to a folder that exists"));
	}
	for (size_t i = 0; rc == 0 && i < sizeof remote / sizeof remote[0]; i++) {
		if ((unsigned long)fs.f_type == remote[i]) {
			rc = err_set(e, ERR_REFUSED, _("%s lies on a network file system"), path);
			err_remedy(e, _("keep incident files on a local disk of the jump host"));
		}
	}
	free(dir);
	return rc;
}

/* Reading only is query_only on a writable connection: one that is read-only could not roll back what a
 * killed writer left half done, and would see nothing at all. */
static struct journal *journal_start(const char *path, int fresh, bool read_only, struct err *e)
{
	struct journal *j = mem_zalloc(1, sizeof *j);
	mode_t old = umask(077);

	j->path = mem_strdup(path);
	if (sqlite3_open_v2(path, &j->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK) {
		journal_error(j, e);
	} else if (sqlite3_busy_timeout(j->db, 5000) != SQLITE_OK ||
	    sqlite3_exec(j->db, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA;"
	        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", NULL, NULL, NULL) != SQLITE_OK) {
		if (sqlite3_errcode(j->db) == SQLITE_NOTADB)
			err_set(e, ERR_SYNTAX, _("%s is not a sev1 incident file"), path);
		else
			journal_error(j, e);
	} else if (schema_settle(j->db, path, fresh, !read_only, e) == 0 &&
	    (!read_only || sqlite3_exec(j->db, "PRAGMA query_only = ON", NULL, NULL, NULL) == SQLITE_OK)) {
		umask(old);
		journal_changed(j);
		return j;
	}
	umask(old);
	journal_free(j);
	return NULL;
}

struct journal *journal_create(const char *path, struct err *e)
{
	int fd;

	if (confine_path(path, e) < 0 || journal_check_place(path, e) < 0)
		return NULL;
	if ((fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0) {
		err_sys(e, "%s", path);
		return NULL;
	}
	close(fd);
	return journal_start(path, 1, false, e);
}

struct journal *journal_open(const char *path, bool read_only, struct err *e)
{
	if (!fs_exists(path)) {
		err_set(e, ERR_NOTFOUND, _("there is no incident file %s"), path);
		err_remedy(e, _("list the incidents with: sev1 list"));
		return NULL;
	}
	if (journal_check_place(path, e) < 0)
		return NULL;
	return journal_start(path, 0, read_only, e);
}

void journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(j->st[i]);
	sqlite3_close(j->db);
	free(j->path);
	free(j);
}

const char *journal_path(const struct journal *j)
{
	return j->path;
}

bool journal_changed(struct journal *j)
{
	sqlite3_stmt *st = journal_statement(j, ST_CHANGED, NULL);
	int64_t version = j->version;

	if (st != NULL && sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int64(st, 0);
	if (st != NULL)
		sqlite3_reset(st);
	if (version == j->version)
		return false;
	j->version = version;
	return true;
}

/* ---- the chain ---- */

/* hash(n) = SHA-256(hash(n-1) LF seq LF at LF actor LF kind LF body); no field but body, the last,
 * can hold a line feed. */
static void journal_hash(const char *before, int64_t seq, int64_t at, const char *actor, const char *kind,
    const char *body, char hex[DIGEST_HEX])
{
	struct buf b = { 0 };

	buf_addf(&b, "%s\n%lld\n%lld\n%s\n%s\n%s", before, (long long)seq, (long long)at, actor, kind, body);
	digest_of(b.data, b.len, hex);
	buf_free(&b);
}

/* The head: the last row's number and hash; 0 and zeros in a new file. */
static int journal_head(struct journal *j, int64_t *seq, char hex[DIGEST_HEX], struct err *e)
{
	sqlite3_stmt *st = journal_statement(j, ST_HEAD, e);
	int rc;

	if (st == NULL)
		return ERR_IO;
	*seq = 0;
	memcpy(hex, first_hash, DIGEST_HEX);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		const char *s = (const char *)sqlite3_column_text(st, 1);
		*seq = sqlite3_column_int64(st, 0);
		snprintf(hex, DIGEST_HEX, "%s", s != NULL ? s : "");
	}
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : journal_error(j, e);
}

static int journal_insert(struct journal *j, int64_t seq, int64_t at, const char *actor, const char *kind,
    const char *body, const char *hash, struct err *e)
{
	sqlite3_stmt *st = journal_statement(j, ST_APPEND, e);
	int rc;

	if (st == NULL)
		return ERR_IO;
	sqlite3_bind_int64(st, 1, seq);
	sqlite3_bind_int64(st, 2, at);
	sqlite3_bind_text(st, 3, actor, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(st, 4, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, body, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(st, 6, hash, -1, SQLITE_TRANSIENT);
	rc = sqlite3_step(st) == SQLITE_DONE ? 0 : journal_error(j, e);
	sqlite3_reset(st);
	if (rc < 0 || (st = journal_statement(j, ST_SET_HEAD, e)) == NULL)
		return ERR_IO;
	sqlite3_bind_int64(st, 1, seq);
	sqlite3_bind_text(st, 2, hash, -1, SQLITE_TRANSIENT);
	rc = sqlite3_step(st) == SQLITE_DONE ? 0 : journal_error(j, e);
	sqlite3_reset(st);
	return rc;
}

int journal_append(struct journal *j, int64_t at, const char *actor, enum event_kind kind,
    const json_t *body, int64_t *seq, struct err *e)
{
	char before[DIGEST_HEX], hash[DIGEST_HEX], *line, *who;
	int64_t n;
	int rc;

	if ((rc = journal_run(j, ST_BEGIN, e)) < 0)
		return rc;
	line = json_line(body);
	who = text_escaped(actor, strlen(actor), 64);
	if ((rc = journal_head(j, &n, before, e)) == 0) {
		n++;
		journal_hash(before, n, at, who, event_name(kind), line, hash);
		rc = journal_insert(j, n, at, who, event_name(kind), line, hash, e);
	}
	if (rc == 0)
		rc = journal_run(j, ST_COMMIT, e);
	if (rc < 0)
		journal_run(j, ST_ROLLBACK, NULL);
	else if (seq != NULL)
		*seq = n;
	free(line);
	free(who);
	return rc;
}

const char *journal_column(sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return s != NULL ? s : "";
}

/* The next row of the chain: checked, and decoded into ev (cleared by the caller). */
static int journal_row(sqlite3_stmt *st, struct chain *chain, struct event *ev, struct err *e)
{
	const char *body = journal_column(st, 4), *kind = journal_column(st, 3);
	char hash[DIGEST_HEX];
	int k = event_kind_of(kind);

	ev->seq = sqlite3_column_int64(st, 0);
	ev->at = sqlite3_column_int64(st, 1);
	if (ev->seq != chain->seq + 1) {
		err_set(e, ERR_AUDIT, _("journal row %lld is missing: row %lld follows row %lld"),
		    (long long)chain->seq + 1, (long long)ev->seq, (long long)chain->seq);
		return err_remedy(e, _("the file was edited by hand; keep it as evidence and use a copy made before"));
	}
	journal_hash(chain->hash, ev->seq, ev->at, journal_column(st, 2), kind, body, hash);
	if (k < 0 || strcmp(hash, journal_column(st, 5)) != 0) {
		err_set(e, ERR_AUDIT, _("journal row %lld does not fit the chain: it was changed, moved or added by hand"),
		    (long long)ev->seq);
		return err_remedy(e, _("keep the file as evidence and use a copy made before"));
	}
	ev->kind = (enum event_kind)k;
	ev->actor = mem_strdup(journal_column(st, 2));
	ev->body = json_read(body, strlen(body), NULL);
	if (ev->body == NULL)
		return err_set(e, ERR_AUDIT, _("journal row %lld holds no JSON"), (long long)ev->seq);
	chain->seq = ev->seq;
	memcpy(chain->hash, hash, DIGEST_HEX);
	return 0;
}

/* The head must name the row at which the chain ends; rows cut off at the end show here. */
static int journal_check_head(int64_t seq, const char *hex, const struct chain *chain, struct err *e)
{
	if (seq == chain->seq && strcmp(hex, chain->hash) == 0)
		return 0;
	if (seq > chain->seq)
		err_set(e, ERR_AUDIT, _("journal row %lld is missing: the file records %lld rows and ends at %lld"),
		    (long long)chain->seq + 1, (long long)seq, (long long)chain->seq);
	else
		err_set(e, ERR_AUDIT, _("journal row %lld was added by hand: the file records %lld rows"),
		    (long long)(seq < chain->seq ? seq + 1 : seq), (long long)seq);
	return err_remedy(e, _("keep the file as evidence and use a copy made before"));
}

/* Walk on from chain to the end, calling fn for each row after `after`. */
static int journal_walk(struct journal *j, int64_t after, journal_fn fn, void *ctx, struct chain *chain,
    struct err *e)
{
	sqlite3_stmt *st = journal_statement(j, ST_EACH, e), *head = journal_statement(j, ST_HEAD, e);
	int rc = 0, step = SQLITE_DONE;
	char hex[DIGEST_HEX];
	int64_t seq = 0;

	if (st == NULL || head == NULL)
		return ERR_IO;
	/* The head is read first and its statement kept open: what it says and the rows are then of one moment, whoever
	 * appends meanwhile. */
	memcpy(hex, first_hash, DIGEST_HEX);
	if ((step = sqlite3_step(head)) == SQLITE_ROW) {
		seq = sqlite3_column_int64(head, 0);
		snprintf(hex, sizeof hex, "%s", journal_column(head, 1));
	} else if (step != SQLITE_DONE) {
		journal_error(j, e);
		rc = sqlite3_errcode(j->db) == SQLITE_CORRUPT ? ERR_AUDIT : ERR_IO;
	}
	sqlite3_bind_int64(st, 1, chain->seq);
	while (rc == 0 && (step = sqlite3_step(st)) == SQLITE_ROW) {
		struct event ev = { 0 };
		rc = journal_row(st, chain, &ev, e);
		if (rc == 0 && ev.seq > after && fn != NULL)
			rc = fn(ctx, &ev, e);
		event_clear(&ev);
	}
	if (rc == 0 && step != SQLITE_DONE) {
		journal_error(j, e);
		rc = sqlite3_errcode(j->db) == SQLITE_CORRUPT ? ERR_AUDIT : ERR_IO;
	}
	sqlite3_reset(st);
	sqlite3_reset(head);
	return rc == 0 ? journal_check_head(seq, hex, chain, e) : rc;
}

static struct chain chain_start(void)
{
	struct chain c = { 0 };

	memcpy(c.hash, first_hash, DIGEST_HEX);
	return c;
}

int journal_each(struct journal *j, int64_t after_seq, journal_fn fn, void *ctx, struct err *e)
{
	/* What was verified by this process is not hashed again: an append costs the same at any length. */
	struct chain chain = after_seq > 0 && after_seq == j->known.seq ? j->known : chain_start();
	int rc = journal_walk(j, after_seq, fn, ctx, &chain, e);

	if (rc == 0)
		j->known = chain;
	return rc;
}

int journal_audit(struct journal *j, int64_t *rows, char *head, struct err *e)
{
	struct chain chain = chain_start();
	int rc = journal_walk(j, INT64_MAX, NULL, NULL, &chain, e);

	if (rows != NULL)
		*rows = chain.seq;
	if (head != NULL)
		memcpy(head, chain.hash, DIGEST_HEX);
	return rc;
}

/* ---- artefacts ---- */

int journal_keep(struct journal *j, const char *kind, const void *data, size_t len, char *hex, struct err *e)
{
	char sum[DIGEST_HEX];
	sqlite3_stmt *st = journal_statement(j, ST_KEEP, e);
	int rc;

	if (st == NULL)
		return ERR_IO;
	digest_of(data, len, sum);
	sqlite3_bind_text(st, 1, sum, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, kind, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(st, 3, data, len, SQLITE_STATIC);
	rc = sqlite3_step(st) == SQLITE_DONE ? 0 : journal_error(j, e);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (hex != NULL)
		memcpy(hex, sum, DIGEST_HEX);
	return rc;
}

int journal_fetch(struct journal *j, const char *hex, struct buf *b, struct err *e)
{
	sqlite3_stmt *st = journal_statement(j, ST_FETCH, e);
	char sum[DIGEST_HEX];
	size_t from = b->len;
	int rc;

	if (st == NULL)
		return ERR_IO;
	sqlite3_bind_text(st, 1, hex, -1, SQLITE_TRANSIENT);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		buf_add(b, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
	sqlite3_reset(st);
	if (rc == SQLITE_DONE)
		return err_set(e, ERR_NOTFOUND, _("%s holds no artefact %.16s"), j->path, hex);
	if (rc != SQLITE_ROW)
		return journal_error(j, e);
	digest_of(buf_str(b) + from, b->len - from, sum);
	if (strcmp(sum, hex) != 0)
		return err_set(e, ERR_AUDIT, _("artefact %.16s in %s was changed by hand"), hex, j->path);
	return 0;
}
