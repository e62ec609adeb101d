#include "engine/command.h"

#include <string.h>

#include "app/commands.h"

/* In the order in which an incident needs them. */
static const struct command *const table[] = {
	&cmd_intake, &cmd_open, &cmd_list, &cmd_arm, &cmd_disarm, &cmd_note,
	&cmd_count, &cmd_triage, &cmd_scope,
	&cmd_contain, &cmd_notify, &cmd_revoke, &cmd_crl, &cmd_publish, &cmd_recover, &cmd_inventory, &cmd_reissue,
	&cmd_rollout, &cmd_ari, &cmd_deadline, &cmd_subscribers,
	&cmd_status, &cmd_timeline, &cmd_watch, &cmd_audit, &cmd_report, &cmd_followup, &cmd_action, &cmd_checkpoint, &cmd_close,
	&cmd_init, &cmd_doctor, &cmd_contacts, &cmd_drill, &cmd_help,
};

const struct command *command_at(size_t i)
{
	return i < sizeof table / sizeof table[0] ? table[i] : NULL;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}
