/* The fleet's rows as they are looked at: filtered, sorted, their errors grouped. It knows no curses, and is
 * made again only when the incident or a choice has changed. */
#ifndef SEV1_FLEET_VIEW_H
#define SEV1_FLEET_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/model.h"

enum fleet_state {
	FLEET_WAITING, FLEET_RUNNING, FLEET_VERIFIED, FLEET_FAILED, FLEET_ROLLED_BACK, FLEET_UNREACHABLE,
	FLEET_REFUSED, FLEET_STATES
};

enum fleet_by { FLEET_BY_ORDER, FLEET_BY_HOST, FLEET_BY_PHASE, FLEET_BY_STATE, FLEET_BY_DETAIL, FLEET_BY_TOOK,
	FLEET_BYS };

/* Hosts that ended alike: same state, same phase, same words but for hosts' names and figures. */
struct fleet_group {
	const struct host_row *first; /* of the incident; stands for all */
	char *words;                  /* its detail, names and figures abstracted */
	size_t count;
};

struct fleet_view {
	/* Chosen. */
	char filter[128];
	enum fleet_by by;
	bool down;          /* sorted the other way round */
	char *like;         /* only hosts of this group: its key; NULL all; owned */
	/* Made of them. */
	size_t *row, rows;  /* indexes of the incident's hosts */
	struct fleet_group *group;
	size_t groups;      /* of all hosts that ended badly, most first */
	size_t count[FLEET_STATES]; /* of all hosts */
	int64_t *ended;     /* when each host that has ended did, in order of time */
	size_t ends;
	uint32_t *rank;     /* of each host by name, once it was sorted so */
	size_t ranked;      /* hosts of which rank knows */
	/* What it was made of. */
	const struct incident *in;
	int64_t seq;
	size_t known;
	bool stale;
	unsigned long made; /* how many times */
};

const char *fleet_state_name(enum fleet_state st); /* untranslated */
enum fleet_state fleet_state_of(const char *name); /* FLEET_FAILED for none that is known */

/* Bring v up to date. False where nothing has changed since. */
bool fleet_view_refresh(struct fleet_view *v, const struct incident *in);
/* Choose; the next refresh makes it. A filter is words, all of which must hold: a state's name ("rolled" for
 * rolled back; of several states any), a pattern of the host's name where it holds * or ?, else a text in
 * the host's name, phase or detail; a '!' before a word turns it round. */
void fleet_view_filter(struct fleet_view *v, const char *filter);
void fleet_view_sort(struct fleet_view *v, enum fleet_by by, bool down);
void fleet_view_like(struct fleet_view *v, const struct fleet_group *g); /* NULL: all hosts again */
/* Where a host of the incident stands among the rows; rows where it is not shown. */
size_t fleet_view_find(const struct fleet_view *v, size_t host);
void fleet_view_free(struct fleet_view *v);

/* A detail without what differs from host to host: its own name, figures, hexadecimal strings; owned by the
 * caller. */
char *fleet_abstract(const char *detail, const char *host);

#endif
