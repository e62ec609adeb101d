#include "pki/revinfo.h"

#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/i18n.h"

static const struct {
	enum reason reason;
	const char *name;
	bool in_index;
} reasons[] = {
	{ REASON_UNSPECIFIED, "unspecified", true },
	{ REASON_KEY_COMPROMISE, "keyCompromise", true },
	{ REASON_CA_COMPROMISE, "cACompromise", true },
	{ REASON_AFFILIATION, "affiliationChanged", true },
	{ REASON_SUPERSEDED, "superseded", true },
	{ REASON_CESSATION, "cessationOfOperation", true },
	{ REASON_HOLD, "certificateHold", true },
	{ REASON_REMOVE, "removeFromCRL", true },
	{ REASON_PRIVILEGE, "privilegeWithdrawn", false },
	{ REASON_AA_COMPROMISE, "aACompromise", false },
};

#define REASONS (sizeof reasons / sizeof reasons[0])

const char *reason_name(enum reason r)
{
	for (size_t i = 0; i < REASONS; i++)
		if (reasons[i].reason == r)
			return reasons[i].name;
	return "";
}

enum reason reason_of(const char *name, size_t len)
{
	for (size_t i = 0; i < REASONS; i++)
		if (strlen(reasons[i].name) == len && strncasecmp(reasons[i].name, name, len) == 0)
			return reasons[i].reason;
	return REASON_NONE;
}

bool reason_in_index(enum reason r)
{
	for (size_t i = 0; i < REASONS; i++)
		if (reasons[i].reason == r)
			return reasons[i].in_index;
	return r == REASON_NONE;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar: timegm is too slow for a million rows. */
static int64_t time_days(int y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

bool time_field(const char *s, size_t len, int64_t *seconds)
{
	static const unsigned char days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int v[7] = { 0 }, *month = v + 1, year;
	size_t pairs = len / 2;

	if ((len != 11 && len != 13 && len != 15) || s[len - 1] != 'Z')
		return false;
	for (size_t i = 0; i < pairs; i++) {
		unsigned tens = (unsigned char)s[2 * i] - (unsigned)'0', ones = (unsigned char)s[2 * i + 1] - (unsigned)'0';

		if (tens > 9 || ones > 9)
			return false;
		v[i] = (int)(tens * 10 + ones);
	}
	if (len == 15) {
		year = v[0] * 100 + v[1];
		month++;
	} else {
		year = v[0] < 50 ? 2000 + v[0] : 1900 + v[0];
	}
	/* month[0] is the month; day, hour, minute and, unless the field has none, second follow */
	if (month[0] < 1 || month[0] > 12 || month[1] < 1 || month[1] > days[month[0] - 1] || month[2] > 23 ||
	    month[3] > 59 || (len > 11 && month[4] > 59))
		return false;
	if (month[0] == 2 && month[1] == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
		return false;
	*seconds = time_days(year, month[0], month[1]) * 86400 + month[2] * 3600 + month[3] * 60 +
	    (len > 11 ? month[4] : 0);
	return true;
}

char *time_write_long(char *out, int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, 16, "%Y%m%d%H%M%SZ", &tm) == 0)
		memcpy(out, "99991231235959Z", 16); /* RFC 5280 4.1.2.5: no well-defined date */
	return out;
}

char *time_write(char *out, int64_t seconds)
{
	char full[16];

	time_write_long(full, seconds);
	if (memcmp(full, "1950", 4) >= 0 && memcmp(full, "2050", 4) < 0)
		memcpy(out, full + 2, 14); /* RFC 5280 5.1.2.6: UTCTime through 2049 */
	else
		memcpy(out, full, 16);
	return out;
}

static const char *revinfo_extra(struct revinfo *r, const char *word, size_t wlen, const char *extra,
    size_t elen)
{
	char oid[128];
	ASN1_OBJECT *o;

	if (wlen == 15 && strncasecmp(word, "holdInstruction", wlen) == 0) {
		r->reason = REASON_HOLD;
		if (extra == NULL || elen >= sizeof oid)
			return N_("holdInstruction without its OID");
		memcpy(oid, extra, elen);
		oid[elen] = '\0';
		if ((o = OBJ_txt2obj(oid, 0)) == NULL)
			return N_("holdInstruction without an OID");
		ASN1_OBJECT_free(o);
		r->hold = extra;
		r->hold_len = elen;
		return NULL;
	}
	if ((wlen == 7 && strncasecmp(word, "keyTime", wlen) == 0) ||
	    (wlen == 9 && strncasecmp(word, "CAkeyTime", wlen) == 0)) {
		r->reason = wlen == 7 ? REASON_KEY_COMPROMISE : REASON_CA_COMPROMISE;
		if (extra == NULL || elen != 15 || !time_field(extra, elen, &r->invalid))
			return N_("the time of the compromise is not a date (YYYYMMDDhhmmssZ)");
		return NULL;
	}
	r->reason = reason_of(word, wlen);
	return r->reason != REASON_NONE ? NULL : N_("an unknown revocation reason");
}

const char *revinfo_read(struct revinfo *r, const char *s, size_t len)
{
	const char *comma = memchr(s, ',', len), *word, *extra;
	size_t date = comma != NULL ? (size_t)(comma - s) : len, wlen, elen = 0;

	*r = (struct revinfo){ .reason = REASON_NONE, .invalid = INT64_MIN };
	if (!time_field(s, date, &r->at))
		return N_("the revocation date is not a date");
	if (comma == NULL)
		return NULL;
	word = comma + 1;
	wlen = len - date - 1;
	extra = memchr(word, ',', wlen);
	if (extra != NULL) {
		elen = wlen - (size_t)(extra + 1 - word);
		wlen = (size_t)(extra - word);
		extra++;
	}
	return revinfo_extra(r, word, wlen, extra, elen);
}

void revinfo_write(struct buf *b, int64_t at, enum reason reason, int64_t invalid)
{
	char date[16], when[16];

	buf_adds(b, time_write(date, at));
	if (reason == REASON_NONE)
		return;
	time_write_long(when, invalid != INT64_MIN ? invalid : 0);
	if (invalid != INT64_MIN && reason == REASON_KEY_COMPROMISE)
		buf_addf(b, ",keyTime,%s", when);
	else if (invalid != INT64_MIN && reason == REASON_CA_COMPROMISE)
		buf_addf(b, ",CAkeyTime,%s", when);
	else
		buf_addf(b, ",%s", reason == REASON_CA_COMPROMISE ? "CACompromise" : reason_name(reason));
}
