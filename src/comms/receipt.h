/* When did a report first reach us? The earliest credible time counts, not the one at which somebody read it.
 *
 * Credible is what our own hosts wrote. From the top down, a Received line is ours while its "by" is one of the
 * configured hosts (without any: while it is in the domain of the topmost one, which the last host wrote); below the first
 * that is not, anybody can write anything. Its time must be readable, not more than 5 minutes after the line above
 * (or after now), and not more than 30 days before it; how long the mail has lain unread since does not matter. The same goes for a message that was forwarded as an attachment: what
 * our hosts wrote into it counts, so that a detour through another queue does not stop the clock. Without such a line the
 * time counts at which the Maildir got it, then the sender's Date, then now. */
#ifndef SEV1_RECEIPT_H
#define SEV1_RECEIPT_H

#include <jansson.h>
#include <stdint.h>

#include "comms/mail.h"

/* delivered: ms, INT64_MIN unknown. Returns the first receipt, ms. hops gets what led there, oldest first:
 * [{"from", "by", "stamp", "at", "forward", "trust": "ours" | "claimed" | "date" | "text", "first": bool, "doubt": why not}], appended. */
int64_t receipt_of(const struct mail *m, const char *const *ours, size_t n, int64_t delivered, int64_t now, json_t *hops);

#endif
