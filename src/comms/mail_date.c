/* Dates of mail headers. */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/err.h"
#include "comms/mail_decode.h"

static const char *skip_blanks(const char *s)
{
	for (int depth = 0; *s != '\0' && (depth > 0 || isspace((unsigned char)*s) || *s == '(' || *s == ','); s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		else if (*s == '(')
			depth++;
		else if (*s == ')')
			depth--;
	}
	return s;
}

/* A number of at most max digits; -1 where there is none. */
static long number(const char **s, int max, int *digits)
{
	long n = 0;
	int k = 0;

	for (; k < max && isdigit((unsigned char)**s); k++)
		n = n * 10 + *(*s)++ - '0';
	if (digits != NULL)
		*digits = k;
	return k > 0 ? n : -1;
}

static int month_of(const char **s)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int i = 0; i < 12; i++)
		if (strncasecmp(*s, names + 3 * i, 3) == 0) {
			while (isalpha((unsigned char)**s))
				(*s)++;
			return i;
		}
	return -1;
}

/* Minutes east of UTC. */
static bool zone_of(const char *s, long *minutes)
{
	static const struct {
		const char *name;
		long hours;
	} zones[] = { { "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 },
		{ "PST", -8 }, { "PDT", -7 }, { "CEST", 2 }, { "CET", 1 } };
	long n;
	int digits, sign = *s == '-' ? -1 : 1;

	*minutes = 0;
	if (*s == '+' || *s == '-') {
		s++;
		if ((n = number(&s, 4, &digits)) < 0 || digits != 4 || n % 100 > 59 || n > 1500)
			return false;
		*minutes = sign * (n / 100 * 60 + n % 100);
		return true;
	}
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
		if (strncasecmp(s, zones[i].name, strlen(zones[i].name)) == 0)
			*minutes = zones[i].hours * 60;
	return isalpha((unsigned char)*s); /* GMT, UT, Z and what nobody knows: RFC 5322 4.3 */
}

static bool clock_of(const char **s, struct tm *tm)
{
	long n;

	if ((n = number(s, 2, NULL)) < 0 || n > 23)
		return false;
	tm->tm_hour = (int)n;
	*s = skip_blanks(*s);
	if (*(*s)++ != ':' || (*s = skip_blanks(*s), n = number(s, 2, NULL)) < 0 || n > 59)
		return false;
	tm->tm_min = (int)n;
	*s = skip_blanks(*s);
	if (**s != ':')
		return true;
	*s = skip_blanks(*s + 1);
	if ((n = number(s, 2, NULL)) < 0 || n > 60)
		return false;
	tm->tm_sec = (int)n;
	return true;
}

int mail_date(const char *s, int64_t *ms)
{
	struct tm tm = { 0 };
	long day, year, zone;
	int month, digits;

	s = skip_blanks(s);
	if (isalpha((unsigned char)*s)) {
		while (isalpha((unsigned char)*s) || *s == '.')
			s++;
		s = skip_blanks(s);
	}
	if ((day = number(&s, 2, NULL)) < 1 || day > 31)
		return ERR_SYNTAX;
	s = skip_blanks(s);
	if (*s == '-')
		s++;
	if ((month = month_of(&s)) < 0)
		return ERR_SYNTAX;
	s = skip_blanks(s);
	if (*s == '-')
		s++;
	if ((year = number(&s, 4, &digits)) < 0)
		return ERR_SYNTAX;
	if (digits <= 3)
		year += digits == 2 && year < 50 ? 2000 : 1900;
	s = skip_blanks(s);
	if (year < 1970 || year > 9999 || !clock_of(&s, &tm))
		return ERR_SYNTAX;
	s = skip_blanks(s);
	if (!zone_of(s, &zone))
		return ERR_SYNTAX;
	tm.tm_mday = (int)day;
	tm.tm_mon = month;
	tm.tm_year = (int)year - 1900;
	*ms = ((int64_t)timegm(&tm) - zone * 60) * 1000;
	return 0;
}
