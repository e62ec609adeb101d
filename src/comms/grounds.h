/* On which grounds a problem report asks for revocation, as far as it says: its clock is shown before triage is answered. */
#ifndef SEV1_GROUNDS_H
#define SEV1_GROUNDS_H

#include <jansson.h>

struct grounds {
	const char *reason; /* of the CRL entry: keyCompromise, cACompromise (a CA's own key), superseded (misissued),
	                     * cessationOfOperation (the name was given up), unspecified (a request that names none) */
	const char *why;    /* what shows it, translated */
};

/* report is as the intake store keeps it. Where several grounds are there, the one that leaves the least time counts: a key
 * before all others. TLS BR 4.9.1.1 numbers 1, 3, 4, 9 and 12. */
struct grounds grounds_of(const json_t *report);
/* Keep them in the report as "reason" and "grounds": whoever only looks need not read all of it again. */
void grounds_keep(json_t *report);
/* Those that are kept, else grounds_of; borrowed from report. */
struct grounds grounds_kept(const json_t *report);

#endif
