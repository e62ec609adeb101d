/* Shared by journal.c and lease.c only. */
#ifndef SEV1_JOURNAL_PRIVATE_H
#define SEV1_JOURNAL_PRIVATE_H

#include <sqlite3.h>

#include "base/digest.h"
#include "journal/journal.h"

enum statement { ST_BEGIN, ST_COMMIT, ST_ROLLBACK, ST_HEAD, ST_APPEND, ST_SET_HEAD, ST_EACH, ST_KEEP,
	ST_FETCH, ST_LEASE, ST_TAKE, ST_RELEASE, ST_CHANGED, STATEMENTS };

/* A place in the chain: the row and its hash; 0 and zeros before the first. */
struct chain {
	int64_t seq;
	char hash[DIGEST_HEX];
};

struct journal {
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	char *path;
	int64_t version;    /* the last PRAGMA data_version */
	struct chain known; /* how far the chain was verified by journal_each */
};

/* The statement, prepared once, reset and free of bindings. NULL with an error. */
sqlite3_stmt *journal_statement(struct journal *j, enum statement s, struct err *e);
/* Run one that answers no rows. */
int journal_run(struct journal *j, enum statement s, struct err *e);
/* SQLite's last error in words, with the remedy. Returns ERR_IO. */
int journal_error(struct journal *j, struct err *e);
const char *journal_column(sqlite3_stmt *st, int i); /* "" for NULL */

#endif
