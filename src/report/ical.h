/* Follow-ups and action items as iCalendar (RFC 5545). Pure. */
#ifndef SEV1_ICAL_H
#define SEV1_ICAL_H

#include <stdint.h>

#include "base/buf.h"
#include "incident/incident.h"

/* Append a VCALENDAR with a VTODO for each that is owed at now, lines ended by CRLF and folded at 75 octets (3.1). A
 * UID is made of the incident and the number, so that a calendar that reads a later file changes what it has; what is
 * not done has a VALARM a day before and one when it is due. */
void ical_write(const struct incident *in, int64_t now, struct buf *b);

#endif
