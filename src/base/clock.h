/* The one clock. Wall times are milliseconds since 1970-01-01T00:00:00Z, in UTC everywhere. */
#ifndef SEV1_CLOCK_H
#define SEV1_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_now(void);  /* wall clock, ms */
int64_t clock_mono(void); /* monotonic, ms; for deadlines and durations only */

/* Tests: every later clock_now() answers ms; -1 lets it run again. */
void clock_pin(int64_t ms);

/* "2026-08-31T02:26:41Z" into out (21 octets and more). Returns out. */
char *clock_iso(char *out, size_t size, int64_t ms);
/* "02:26:41Z", for a narrow column. */
char *clock_time(char *out, size_t size, int64_t ms);
/* "20260831022641", for file names. */
char *clock_stamp(char *out, size_t size, int64_t ms);
/* "00:47:19", "-00:07:19", "5d 03:12:04" for a span in ms; --:--:-- for INT64_MIN. */
char *clock_span(char *out, size_t size, int64_t ms);

/* Read an RFC 3339 time ("2026-08-31T23:19:00+05:30", "2026-08-31 23:19Z", seconds optional; a
 * time without a zone is refused as ambiguous). Returns 0 and *ms, or ERR_SYNTAX. */
int clock_parse(const char *s, int64_t *ms);
/* The same, and "now", and a span before now: "-35m", "-2h", "-1d", "-90s". */
int clock_parse_when(const char *s, int64_t now, int64_t *ms);

#endif
