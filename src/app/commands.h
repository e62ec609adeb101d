/* The rows of the command table, each defined in its cmd_*.c. */
#ifndef SEV1_COMMANDS_H
#define SEV1_COMMANDS_H

#include "engine/command.h"

extern const struct command cmd_open, cmd_close, cmd_list;
extern const struct command cmd_arm, cmd_disarm, cmd_note, cmd_checkpoint;
extern const struct command cmd_count, cmd_triage, cmd_scope;
extern const struct command cmd_contain, cmd_revoke, cmd_crl, cmd_publish, cmd_notify;
extern const struct command cmd_recover, cmd_inventory, cmd_reissue, cmd_rollout, cmd_ari;
extern const struct command cmd_report, cmd_followup, cmd_action;
extern const struct command cmd_deadline, cmd_subscribers, cmd_contacts, cmd_intake;
extern const struct command cmd_status, cmd_timeline, cmd_audit, cmd_watch;
extern const struct command cmd_init, cmd_doctor, cmd_drill, cmd_help;

#endif
