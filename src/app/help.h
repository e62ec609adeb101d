/* Help, made from the command table: what --help, `sev1 help` and the manual page say. */
#ifndef SEV1_HELP_H
#define SEV1_HELP_H

#include "base/buf.h"
#include "engine/command.h"

void help_usage(struct buf *b);                              /* all commands, a line each */
void help_command(const struct command *cmd, struct buf *b); /* one, with options, effect and needs */
/* The sections COMMANDS and OPTIONS of the manual page in mdoc(7); data/sev1.1.in holds the rest. */
void help_man(struct buf *b);

#endif
