/* The lease: one console at a time runs actions on an incident. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "journal/journal_private.h"

/* A process's birth in clock ticks since boot: a pid alone is reused. -1 where it does not live; one that
 * is dead and only waits to be reaped does not. */
static int64_t journal_born(pid_t pid)
{
	char path[48];
	struct buf b = { 0 };
	long long born = -1;
	char *p;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (fs_read(path, &b, 4096, NULL) == 0 && (p = strrchr(b.data, ')')) != NULL) {
		int field = 2;
		if (strncmp(p, ") Z", 3) == 0 || strncmp(p, ") X", 3) == 0) {
			buf_free(&b);
			return -1;
		}
		for (p++; *p != '\0' && field < 21; p++)
			field += *p == ' ';
		born = strtoll(p, NULL, 10);
	}
	buf_free(&b);
	return born;
}

static void journal_boot(char *out, size_t size)
{
	struct buf b = { 0 };

	fs_read("/proc/sys/kernel/random/boot_id", &b, 256, NULL);
	snprintf(out, size, "%.*s", (int)strcspn(buf_str(&b), "\n"), buf_str(&b));
	buf_free(&b);
}

/* Who holds it: nobody, this process, or another? */
enum holder { HOLDER_NONE, HOLDER_US, HOLDER_OTHER };

static enum holder journal_holder(sqlite3_stmt *st, const char *boot, int64_t now)
{
	bool here = strcmp(journal_column(st, 1), boot) == 0;
	pid_t pid = (pid_t)sqlite3_column_int(st, 2);
	int64_t born = sqlite3_column_int64(st, 3), until = sqlite3_column_int64(st, 4);

	if (here ? journal_born(pid) != born : until < now)
		return HOLDER_NONE;
	return here && pid == getpid() ? HOLDER_US : HOLDER_OTHER;
}

static int journal_lease_refused(const char *holder, struct err *e)
{
	err_set(e, ERR_REFUSED, _("%s is running an action on this incident"), holder);
	return err_remedy(e, _("watch it here; when it has ended, or that process is gone, this console may act"));
}

bool journal_leased(struct journal *j, int64_t now)
{
	sqlite3_stmt *st = journal_statement(j, ST_LEASE, NULL);
	char boot[64];
	bool leased;

	if (st == NULL)
		return false;
	journal_boot(boot, sizeof boot);
	leased = sqlite3_step(st) == SQLITE_ROW && journal_holder(st, boot, now) != HOLDER_NONE;
	sqlite3_reset(st);
	return leased;
}

int journal_lease(struct journal *j, int64_t now, int ttl_ms, struct err *e)
{
	char boot[64], name[64] = "?", holder[160];
	const struct passwd *user = getpwuid(getuid());
	sqlite3_stmt *st;
	int rc, step;

	journal_boot(boot, sizeof boot);
	gethostname(name, sizeof name - 1);
	snprintf(holder, sizeof holder, "%s@%s (process %d)", user != NULL ? user->pw_name : "?", name, (int)getpid());
	if ((rc = journal_run(j, ST_BEGIN, e)) < 0)
		return rc;
	if ((st = journal_statement(j, ST_LEASE, e)) == NULL)
		rc = ERR_IO;
	else if ((step = sqlite3_step(st)) == SQLITE_ROW)
		rc = journal_holder(st, boot, now) == HOLDER_OTHER ? journal_lease_refused(journal_column(st, 0), e) : 0;
	else if (step != SQLITE_DONE)
		rc = journal_error(j, e);
	if (st != NULL)
		sqlite3_reset(st);
	if (rc == 0 && (st = journal_statement(j, ST_TAKE, e)) != NULL) {
		sqlite3_bind_text(st, 1, holder, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, boot, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 3, getpid());
		sqlite3_bind_int64(st, 4, journal_born(getpid()));
		sqlite3_bind_int64(st, 5, now + ttl_ms);
		rc = sqlite3_step(st) == SQLITE_DONE ? 0 : journal_error(j, e);
		sqlite3_reset(st);
		sqlite3_clear_bindings(st);
	}
	if (rc == 0)
		rc = journal_run(j, ST_COMMIT, e);
	if (rc < 0)
		journal_run(j, ST_ROLLBACK, NULL);
	return rc;
}

int journal_release(struct journal *j, struct err *e)
{
	sqlite3_stmt *st = journal_statement(j, ST_RELEASE, e);
	char boot[64];
	int rc;

	if (st == NULL)
		return ERR_IO;
	journal_boot(boot, sizeof boot);
	sqlite3_bind_text(st, 1, boot, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, getpid());
	sqlite3_bind_int64(st, 3, journal_born(getpid()));
	rc = sqlite3_step(st) == SQLITE_DONE ? 0 : journal_error(j, e);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc;
}
