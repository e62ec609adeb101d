/* The incident file: a SQLite database with an append-only, hash-chained journal, the artefacts it
 * names by digest, and the lease of whoever acts. */
#ifndef SEV1_JOURNAL_H
#define SEV1_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "incident/event.h"

struct journal;

/* Create a new incident file (must not exist) or open one. NULL on error: not there, not ours, from
 * a newer version, on a network file system. read_only opens without writing. */
struct journal *journal_create(const char *path, struct err *e);
struct journal *journal_open(const char *path, bool read_only, struct err *e);
void journal_free(struct journal *j);
const char *journal_path(const struct journal *j);

/* Append one event, durably, when it returns 0. body is borrowed. *seq may be NULL. */
int journal_append(struct journal *j, int64_t at, const char *actor, enum event_kind kind,
    const json_t *body, int64_t *seq, struct err *e);

/* Call fn for each event after seq, in order; a negative answer stops and is returned. The event is
 * borrowed. Hashes are checked on the way: ERR_AUDIT names the row. */
typedef int (*journal_fn)(void *ctx, const struct event *ev, struct err *e);
int journal_each(struct journal *j, int64_t after_seq, journal_fn fn, void *ctx, struct err *e);

/* Has another process written since the last call? */
bool journal_changed(struct journal *j);

/* Verify the whole chain. 0; ERR_AUDIT naming the first bad row. *rows and head (65 octets) are
 * what the file holds; either may be NULL. */
int journal_audit(struct journal *j, int64_t *rows, char *head, struct err *e);

/* Keep octets under their SHA-256 (hex, 65 octets, out). The same content is kept once. */
int journal_keep(struct journal *j, const char *kind, const void *data, size_t len, char *hex,
    struct err *e);
/* Fetch an artefact into b, its digest checked. 0, ERR_NOTFOUND, ERR_AUDIT. */
int journal_fetch(struct journal *j, const char *hex, struct buf *b, struct err *e);

/* The lease: one console at a time runs actions. Take or refresh it for ttl_ms; ERR_REFUSED names
 * the holder. A holder on this machine whose process is gone has lost it. */
int journal_lease(struct journal *j, int64_t now, int ttl_ms, struct err *e);
int journal_release(struct journal *j, struct err *e);
/* Does anybody hold it, this process or another that lives? What cannot be read is held by nobody. */
bool journal_leased(struct journal *j, int64_t now);

#endif
