/* The incident file's tables, as steps with a version each. */
#ifndef SEV1_SCHEMA_H
#define SEV1_SCHEMA_H

#include <sqlite3.h>

#include "base/err.h"

#define SCHEMA_APPLICATION 0x53455631 /* "SEV1" in the SQLite header */
#define SCHEMA_VERSION 1

/* Bring a new or older file up to SCHEMA_VERSION inside one transaction; a file of another program
 * or of a newer sev1 is refused. fresh: the file must be empty. may_write: false only checks. */
int schema_settle(sqlite3 *db, const char *path, int fresh, int may_write, struct err *e);

#endif
