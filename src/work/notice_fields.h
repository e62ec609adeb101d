/* The fields of notices, filled with the incident's own figures. */
#ifndef SEV1_NOTICE_FIELDS_H
#define SEV1_NOTICE_FIELDS_H

#include <stdint.h>

#include "comms/template.h"
#include "engine/config.h"
#include "incident/incident.h"

/* All that is known at a moment; what is not known stays unfilled. The names, for a template:
 *	incident title time declared organisation level ca compromise trigger action reason summary
 *	description certificates systems systems_count downtime actions next_steps rto deadline
 *	received crl_urls contact_pki contact_security contact_hotline
 * of notices to one subscriber also: subscriber subscriber_certificates answer_by; to the approvers: proceeding
 * and whatever the operator gives. New. Without systems and systems_count, for which the inventory is read. */
struct fields *notice_fields(const struct incident *in, const struct config *c, int64_t at);
/* Fill those two in, where the template's text or its subject (may be NULL) asks for one that is not filled yet. Where the
 * inventory cannot be read they lack their value for that reason. */
void notice_systems(struct fields *f, const struct config *c, const char *text, const char *subject);

#endif
