/* What the files that take a mail apart share. */
#ifndef SEV1_MAIL_INSIDE_H
#define SEV1_MAIL_INSIDE_H

#include "comms/mail.h"

struct header {
	char *name, *value; /* unfolded, as it was written */
};

struct entity {
	struct mail *mail;
	struct header *header;
	size_t headers;
	int forward, depth;
};

/* The value of the first header of this name; "" where there is none. */
const char *mail_header(const struct entity *en, const char *name);
void mail_wipe_string(char *s);

/* mail_about.c: the Received lines and the Date of a message. */
void mail_hops(struct entity *en);
/* Subject, sender and the like, and whether a person wrote it. */
void mail_about(struct entity *en);
/* The times that stand in the text where somebody forwarded or answered: "From: ... Sent: ...". */
void mail_inline(struct mail *m);

#endif
