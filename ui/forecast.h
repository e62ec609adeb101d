/* When a re-issue will be done, judged by how fast hosts ended of late. Pure: time is an argument. */
#ifndef SEV1_FORECAST_H
#define SEV1_FORECAST_H

#include <stddef.h>
#include <stdint.h>

struct forecast {
	size_t total, done, open;
	int64_t start, now; /* ms */
	double rate;        /* hosts a second, of late; 0 where none ended */
	int64_t window;     /* ms that "of late" is */
	int64_t left;       /* ms until all have ended at that rate; 0 they have, -1 nobody knows */
	int64_t rto;        /* ms to the RTO; INT64_MIN where it does not run */
};

/* ended: when each host that has ended did, in order; start: when the re-issue began. The window is the last
 * half minute, or two minutes where hardly a host ended in it. */
void forecast_make(struct forecast *f, const int64_t *ended, size_t done, size_t total, int64_t start,
    int64_t now, int64_t rto_left);
/* "at this rate done in 00:34, 12 minutes before the RTO", "late by 00:20: raise the concurrency ...";
 * concurrency: hosts at a time, 0 unknown. Owned by the caller. */
char *forecast_words(const struct forecast *f, int concurrency);
/* "00:34" of a span in ms, "1:02:03" from an hour on. out needs 24 octets. Returns out. */
char *forecast_span(char *out, int64_t ms);

/* The curve: hosts done at the right edge of each of cols columns that span start to end; those after now
 * are what the rate promises. Returns how many columns are past. */
int forecast_curve(const struct forecast *f, const int64_t *ended, int64_t end, size_t *done, int cols);
/* Until when a plot should go: the end that the rate promises, and the RTO where it is near. */
int64_t forecast_end(const struct forecast *f);

#endif
