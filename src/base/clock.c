#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

static int64_t pinned = -1;

static int64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
	return pinned >= 0 ? pinned : clock_read(CLOCK_REALTIME);
}

int64_t clock_mono(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

void clock_pin(int64_t ms)
{
	pinned = ms;
}

static char *clock_format(char *out, size_t size, int64_t ms, const char *fmt)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, size, fmt, &tm) == 0)
		snprintf(out, size, "?");
	return out;
}

char *clock_iso(char *out, size_t size, int64_t ms)
{
	return clock_format(out, size, ms, "%Y-%m-%dT%H:%M:%SZ");
}

char *clock_time(char *out, size_t size, int64_t ms)
{
	return clock_format(out, size, ms, "%H:%M:%SZ");
}

char *clock_stamp(char *out, size_t size, int64_t ms)
{
	return clock_format(out, size, ms, "%Y%m%d%H%M%S");
}

char *clock_span(char *out, size_t size, int64_t ms)
{
	int64_t s;
	const char *sign = ms < 0 ? "-" : "";

	if (ms == INT64_MIN) {
		snprintf(out, size, "--:--:--");
		return out;
	}
	s = llabs(ms) / 1000;
	if (s == 0)
		sign = "";
	if (s >= 100 * 3600)
		snprintf(out, size, "%s%lldd %02d:%02d:%02d", sign, (long long)(s / 86400),
		    (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
	else
		snprintf(out, size, "%s%02d:%02d:%02d", sign, (int)(s / 3600), (int)(s / 60 % 60),
		    (int)(s % 60));
	return out;
}

/* Two digits at *s within [lo, hi]; advances. -1 where there are none. */
static int clock_two(const char **s, int lo, int hi)
{
	int v;

	if (!isdigit((unsigned char)(*s)[0]) || !isdigit((unsigned char)(*s)[1]))
		return -1;
	v = ((*s)[0] - '0') * 10 + (*s)[1] - '0';
	*s += 2;
	return v < lo || v > hi ? -1 : v;
}

/* "Z" or "+05:30" or "-0800": the offset in minutes. */
static int clock_zone(const char *s, int *minutes)
{
	int h, m, sign;

	while (*s == ' ')
		s++;
	if ((*s == 'Z' || *s == 'z') && s[1] == '\0') {
		*minutes = 0;
		return 0;
	}
	if (*s != '+' && *s != '-')
		return -1;
	sign = *s++ == '-' ? -1 : 1;
	if ((h = clock_two(&s, 0, 14)) < 0)
		return -1;
	if (*s == ':')
		s++;
	if ((m = clock_two(&s, 0, 59)) < 0 || *s != '\0')
		return -1;
	*minutes = sign * (h * 60 + m);
	return 0;
}

int clock_parse(const char *s, int64_t *ms)
{
	struct tm tm, check;
	time_t t;
	int hi, lo, zone;

	memset(&tm, 0, sizeof tm);
	if ((hi = clock_two(&s, 0, 99)) < 0 || (lo = clock_two(&s, 0, 99)) < 0 || *s++ != '-')
		return ERR_SYNTAX;
	tm.tm_year = hi * 100 + lo - 1900;
	if ((tm.tm_mon = clock_two(&s, 1, 12) - 1) < 0 || *s++ != '-')
		return ERR_SYNTAX;
	if ((tm.tm_mday = clock_two(&s, 1, 31)) < 0 || (*s != 'T' && *s != 't' && *s != ' '))
		return ERR_SYNTAX;
	s++;
	if ((tm.tm_hour = clock_two(&s, 0, 23)) < 0 || *s++ != ':')
		return ERR_SYNTAX;
	if ((tm.tm_min = clock_two(&s, 0, 59)) < 0)
		return ERR_SYNTAX;
	if (*s == ':') {
		s++;
		if ((tm.tm_sec = clock_two(&s, 0, 60)) < 0)
			return ERR_SYNTAX;
		if (*s == '.')
			do
				s++;
			while (isdigit((unsigned char)*s));
	}
	if (clock_zone(s, &zone) < 0)
		return ERR_SYNTAX;
	check = tm;
	t = timegm(&check);
	if (check.tm_mday != tm.tm_mday || check.tm_mon != tm.tm_mon)
		return ERR_SYNTAX; /* 31 February */
	*ms = ((int64_t)t - (int64_t)zone * 60) * 1000;
	return 0;
}

int clock_parse_when(const char *s, int64_t now, int64_t *ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	long n;
	char *end;

	if (strcmp(s, "now") == 0) {
		*ms = now;
		return 0;
	}
	if (s[0] != '-' || !isdigit((unsigned char)s[1]))
		return clock_parse(s, ms);
	n = strtol(s + 1, &end, 10);
	if (n < 0 || n > 100000 || end[0] == '\0' || end[1] != '\0')
		return ERR_SYNTAX;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (*end == units[i].unit) {
			*ms = now - n * units[i].ms;
			return 0;
		}
	}
	return ERR_SYNTAX;
}
