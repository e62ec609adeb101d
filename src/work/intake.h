/* Problem reports: intake_read.c takes them in, intake_look.c shows them, intake_notice.c tells people. */
#ifndef SEV1_INTAKE_H
#define SEV1_INTAKE_H

#include <stdbool.h>

#include "engine/run.h"

/* Read the mails of a file, an mbox or a Maildir, or of standard input ("-"); path NULL: the source of [intake]. Ends the run. */
void intake_read(struct run *r, const char *path);
/* The same for one report that was typed in, made into a mail (borrowed), received at (ms). */
void intake_typed(struct run *r, const char *mail, int64_t at);

/* Tell those of [notice intake] of every report of high level that they have not been told of, then call done; those
 * who were not reached are tried again next time. left: how many recipients were not reached, all reports together. */
void intake_route(struct run *r, void (*done)(struct run *r, size_t left));

/* Is it a field of the intake notice's template? */
bool intake_fills(const char *field);
/* Subcommands, which end the run: the reports that are open, a whole one, closing one. */
void intake_list(struct run *r);
/* Its level or state in the operator's language; "" where a damaged report has none. */
const char *intake_word(const json_t *report, const char *key);
void intake_show(struct run *r, const json_t *report);
void intake_close(struct run *r, const char *id);

#endif
