/* What a report says that no journal knows: named fields, given by people (EV_FIELD), asked for and checked here. Pure. */
#ifndef SEV1_FIELDS_H
#define SEV1_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "report/report.h"

#define FIELD_TEXT (64 * 1024) /* octets of the longest */
#define FACTORS_MAX 99

/* A field of one kind of report at one moment. name and text are owned by the list. */
struct field_view {
	char *name;      /* "description", "factor.2.detection", "delay.analysis" */
	char *text;      /* what was given; else what the journal says; "" nothing */
	const char *ask; /* what belongs there, untranslated */
	bool given;      /* by a person */
	bool optional;   /* where nothing is given it reads N/A */
	bool time;       /* begins with a time in UTC */
};
struct field_list {
	struct field_view *field;
	size_t fields;
};

/* The fields that this kind of report (an enum report_what) asks for, in its order; FIELDS_ALL: of every kind that
 * applies at r->at. */
#define FIELDS_ALL (-1)
void fields_list(const struct report *r, int kind, struct field_list *out);
void fields_clear(struct field_list *l);
/* The text of one as the report shows it, "" where nothing is known; owned by the caller. */
char *field_text(const struct report *r, const char *name);
/* May a field have this name? */
bool field_known(const char *name);
/* The greatest N of factor.N.* that was given (delay: of delay.factor.N.*); 1 where there is none. */
int fields_factors(const struct incident *in, bool delay);
/* The i-th line of a list ("- what went wrong"), without its dash, into b; false past the end. */
bool field_item(const char *text, int i, struct buf *b);

/* A time at the start of s: "2024-08-31 17:49Z", "... UTC", or with another offset, which *utc then denies. *rest is
 * what stands behind it. 0, or ERR_SYNTAX where there is none or it has no zone. */
int field_time(const char *s, int64_t *ms, bool *utc, const char **rest);

/* The file of all fields, to be edited and read back. A field begins with "@@ NAME BASE"; BASE stands for its text
 * when the file was written, so that text given here and there meanwhile is never overwritten. */
void fields_write(const struct report *r, struct buf *b);
/* Read it: *changes is {name: text} of what differs from the incident, new. ERR_SYNTAX naming the line; ERR_REFUSED
 * where a field has changed in the file and in the incident: then nothing is to be done with either. */
int fields_read(const struct report *r, const char *text, const char *path, json_t **changes, struct err *e);
/* EV_FIELD's body for a field, new. */
json_t *field_body(const char *name, const char *text);

#endif
