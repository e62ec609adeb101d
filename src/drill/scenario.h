/* What happens in a drill, as data: data/scenarios/NAME.ini. */
#ifndef SEV1_SCENARIO_H
#define SEV1_SCENARIO_H

#include <stddef.h>

#include "base/err.h"

struct inject { /* something the operator learns while the clock runs */
	int minute; /* after the declaration */
	char *text;
};

/* How a host misbehaves. The words in a scenario are scenario_fault_names[]. */
enum fault { FAULT_NONE, FAULT_UNREACHABLE, FAULT_TEST, FAULT_RELOAD, FAULT_KINDS };
extern const char *const scenario_fault_names[FAULT_KINDS];

struct faulty {
	char *host; /* its short name: "web03" */
	enum fault fault;
};

struct scenario {
	char *name;    /* the file's name without ".ini" */
	char *title;   /* the incident's title */
	char *story;   /* what the operator is told at the start */
	char *ca;      /* the compromised CA: root, issuing1 or issuing2 */
	char *level;   /* root, intermediate or end-entity */
	int compromise;/* 1 to 4, as in triage */
	int received;  /* minutes from first receipt of the report to the declaration */
	char *channel; /* by which it came, a value of triage_channels[] */
	char *reporter;
	int hosts;        /* the fleet: 1 to 200 */
	int certificates; /* in the index of issuing2, the fleet's own among them: hosts + 20 to 100000 */
	struct faulty *faulty; size_t faulties;
	struct inject *inject; size_t injects; /* by minute */
};

/* Read a scenario's text; name is for messages and becomes its name. NULL with "FILE:LINE: what". */
struct scenario *scenario_read(const char *text, const char *name, struct err *e);
/* The scenario of this name in folder, or the file of this path where name holds a '/'. NULL on
 * error; ERR_NOTFOUND names what there is. */
struct scenario *scenario_find(const char *folder, const char *name, struct err *e);
/* The names in folder, sorted; *n names. The array and the names are owned by the caller. */
char **scenario_list(const char *folder, size_t *n);
void scenario_free(struct scenario *s);

#endif
