#include "journal/schema.h"

#include <stdio.h>

#include "base/i18n.h"

/* steps[v] takes a file from version v to v + 1. A released step is never edited. */
static const char *const steps[SCHEMA_VERSION] = {
	"CREATE TABLE journal ("
	"  seq INTEGER PRIMARY KEY,"
	"  at INTEGER NOT NULL,"
	"  actor TEXT NOT NULL,"
	"  kind TEXT NOT NULL,"
	"  body TEXT NOT NULL,"
	"  hash TEXT NOT NULL);"
	/* The head is what makes rows that were cut off at the end visible. */
	"CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL);"
	"CREATE TABLE artefact (sha256 TEXT PRIMARY KEY, kind TEXT NOT NULL, data BLOB NOT NULL);"
	"CREATE TABLE lease (one INTEGER PRIMARY KEY CHECK (one = 1), holder TEXT NOT NULL,"
	"  boot TEXT NOT NULL, pid INTEGER NOT NULL, born INTEGER NOT NULL, until INTEGER NOT NULL);",
};

static int schema_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int v = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return v;
}

static int schema_run(sqlite3 *db, const char *path, const char *sql, struct err *e)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return err_set(e, ERR_IO, "%s: %s", path, sqlite3_errmsg(db));
}

static int schema_upgrade(sqlite3 *db, const char *path, int from, struct err *e)
{
	char sql[96];
	int rc = schema_run(db, path, "BEGIN IMMEDIATE", e);

	for (int v = from; rc == 0 && v < SCHEMA_VERSION; v++)
		rc = schema_run(db, path, steps[v], e);
	snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d",
	    SCHEMA_APPLICATION, SCHEMA_VERSION);
	if (rc == 0)
		rc = schema_run(db, path, sql, e);
	if (rc == 0)
		rc = schema_run(db, path, "COMMIT", e);
	if (rc < 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int schema_settle(sqlite3 *db, const char *path, int fresh, int may_write, struct err *e)
{
	int app = schema_number(db, "PRAGMA application_id");
	int version = schema_number(db, "PRAGMA user_version");

	if (app < 0 || (!fresh && app != SCHEMA_APPLICATION)) {
		err_set(e, ERR_SYNTAX, _("%s is not a sev1 incident file"), path);
		return err_remedy(e, _("name an incident file with -i, or list them with: sev1 list"));
	}
	if (version > SCHEMA_VERSION) {
		err_set(e, ERR_FAILED, _("%s was written by a newer sev1 (format %d; this one knows %d)"), path,
		    version, SCHEMA_VERSION);
		return err_remedy(e, _("open it with that sev1; nothing was changed"));
	}
	if (version == SCHEMA_VERSION || !may_write)
		return 0;
	return schema_upgrade(db, path, version, e);
}
