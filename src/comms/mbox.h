/* Where mails come from: a file or stdin that holds one mail or an mbox, or a Maildir. Nothing is changed there. */
#ifndef SEV1_MBOX_H
#define SEV1_MBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct mbox;

struct mbox_mail {
	struct buf data;      /* wiped with the next one */
	char *origin;         /* "file", "file:3" for the third of an mbox */
	int64_t delivered;    /* ms: when the Maildir file was made; INT64_MIN unknown */
	bool cut;             /* it is larger than max octets: the rest was left out */
};

/* Open path, "-" is stdin. max: octets of one mail that are read. NULL with ERR_IO or ERR_SYNTAX. */
struct mbox *mbox_open(const char *path, size_t max, struct err *e);
/* The next mail, borrowed until the next call; NULL at the end, or with an error set in e (its code is 0 at the end). */
const struct mbox_mail *mbox_next(struct mbox *b, struct err *e);
void mbox_free(struct mbox *b);

#endif
