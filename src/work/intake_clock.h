/* The clock of a problem report before anybody has answered triage: by what is recognised, and the configured times. */
#ifndef SEV1_INTAKE_CLOCK_H
#define SEV1_INTAKE_CLOCK_H

#include <jansson.h>
#include <stdint.h>

struct config;

struct intake_clock {
	const char *reason, *why; /* see grounds_of; as the report has them, borrowed */
	int64_t due, advised;     /* ms; advised (TLS BR: "should") is 0 where it is no earlier than due */
	int minutes;              /* from first receipt to due */
};

/* The times that an incident would be declared with now (times_read); new. NULL where there are none that can be read. */
json_t *intake_times(const struct config *c);
/* c and times may be NULL: then what stands in the program counts. */
void intake_clock(const struct config *c, const json_t *times, const json_t *report, struct intake_clock *out);

#endif
