/* Reports made from the open incident: what cmd_report.c and the console's report screen share. */
#ifndef SEV1_REPORT_MAKE_H
#define SEV1_REPORT_MAKE_H

#include "engine/run.h"
#include "report/report.h"

/* The open incident as reports want it: all events, the audit, the appendix and the manifests of the scope. */
struct report_source;
/* A journal that does not verify is no error here: report.verdict says so. NULL with an error. */
struct report_source *report_source_new(struct engine *en, struct err *e);
const struct report *report_source(const struct report_source *s);
void report_source_free(struct report_source *s);

/* The manifest of a CA's scope and its own certificates' serials that this CA is to revoke, lines "SERIAL REASON",
 * appended to b. 0, or an error where the incident file does not hold the manifest. */
int report_manifest(struct engine *en, const char *ca, struct buf *b, struct err *e);
/* The CAs that have something of the scope to revoke: their names, NULL-terminated; only the array is owned. */
const char **report_cas(const struct incident *in);

#endif
