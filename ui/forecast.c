#include "forecast.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/i18n.h"

#define WINDOW_MS 30000
#define WINDOW_LONG_MS 120000
#define WINDOW_FEW 10
#define MINUTE 60000

/* How many ended after t. */
static size_t ended_since(const int64_t *ended, size_t n, int64_t t)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (ended[mid] > t)
			high = mid;
		else
			low = mid + 1;
	}
	return n - low;
}

void forecast_make(struct forecast *f, const int64_t *ended, size_t done, size_t total, int64_t start,
    int64_t now, int64_t rto_left)
{
	int64_t gone = now - start;
	size_t n;

	*f = (struct forecast){ .total = total, .done = done, .open = total - done, .start = start, .now = now,
		.rto = rto_left, .left = -1 };
	f->window = gone < WINDOW_MS ? gone : WINDOW_MS;
	n = ended_since(ended, done, now - f->window);
	if (n < WINDOW_FEW && gone > WINDOW_MS) {
		f->window = gone < WINDOW_LONG_MS ? gone : WINDOW_LONG_MS;
		n = ended_since(ended, done, now - f->window);
	}
	if (f->window >= 1000)
		f->rate = (double)n * 1000 / (double)f->window;
	if (f->open == 0)
		f->left = 0;
	else if (f->rate > 0)
		f->left = (int64_t)((double)f->open * 1000 / f->rate);
}

char *forecast_span(char *out, int64_t ms)
{
	long long s = (ms + 999) / 1000;

	if (s < 3600)
		snprintf(out, 24, "%02lld:%02lld", s / 60, s % 60);
	else
		snprintf(out, 24, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	return out;
}

/* In time, by how much. */
static char *words_before(const char *left, int64_t spare)
{
	char span[24];
	long long minutes = spare / MINUTE;

	if (minutes < 2)
		return mem_printf(_("at this rate done in %s, %s before the RTO"), left, forecast_span(span, spare));
	return mem_printf(_("at this rate done in %s, %lld minutes before the RTO"), left, minutes);
}

/* Late: how many at a time it would take, where more at a time can help at all. */
static char *words_late(const struct forecast *f, const char *left, int concurrency)
{
	char span[24];
	double wanted = f->rto > 0 ? (double)concurrency * (double)f->left / (double)f->rto : 0;

	forecast_span(span, f->left - f->rto);
	if (f->rto <= 0)
		return mem_printf(_("at this rate done in %s; the RTO has passed: raise the concurrency"), left);
	if (concurrency <= 0 || wanted > 2000)
		return mem_printf(_("done in %s, late by %s: raise the concurrency"), left, span);
	return mem_printf(_("done in %s, late by %s: raise the concurrency from %d to %d"), left, span, concurrency,
	    (int)wanted + 1);
}

char *forecast_words(const struct forecast *f, int concurrency)
{
	char left[24], window[24];

	if (f->total == 0)
		return mem_strdup("");
	if (f->open == 0)
		return mem_strdup(_("every host has ended"));
	if (f->left < 0)
		return f->window < 1000 ? mem_strdup(_("it has just begun: no forecast yet")) :
		    mem_printf(_("no host ended in the last %s: no forecast"), forecast_span(window, f->window));
	forecast_span(left, f->left);
	if (f->rto == INT64_MIN)
		return mem_printf(_("at this rate done in %s"), left);
	return f->left <= f->rto ? words_before(left, f->rto - f->left) : words_late(f, left, concurrency);
}

int64_t forecast_end(const struct forecast *f)
{
	int64_t end = f->now + (f->left > 0 ? f->left : 0), rto = f->now + f->rto, span = end - f->start;

	/* A minute at least; the RTO where it does not squeeze all else into a corner. */
	if (span < MINUTE)
		span = MINUTE;
	end = f->start + span;
	if (f->rto != INT64_MIN && rto > end && rto - f->start <= 2 * span)
		end = rto;
	return end;
}

int forecast_curve(const struct forecast *f, const int64_t *ended, int64_t end, size_t *done, int cols)
{
	int past = 0;

	for (int c = 0; c < cols; c++) {
		int64_t t = f->start + (end - f->start) * (c + 1) / cols;
		if (t <= f->now) {
			done[c] = f->done - ended_since(ended, f->done, t);
			past = c + 1;
		} else {
			double more = f->rate * (double)(t - f->now) / 1000;
			done[c] = more > (double)f->open ? f->total : f->done + (size_t)more;
		}
	}
	return past;
}
