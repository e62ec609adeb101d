/* A mail taken apart: RFC 5322 and MIME, written for hostile input. There is no mail that cannot be read: a broken one
 * is taken as far as it goes, and what was wrong is noted. All that is held is wiped when it is freed: there may
 * be private keys in it. */
#ifndef SEV1_MAIL_H
#define SEV1_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define MAIL_DEPTH_MAX 20       /* multiparts and forwards within each other */
#define MAIL_PARTS_MAX 400
#define MAIL_HEADERS_MAX 1000   /* of one entity */
#define MAIL_HEADER_MAX 65536   /* octets of one header */
#define MAIL_TEXT_MAX (32u << 20) /* octets of text out of all parts */

/* A Received line (RFC 5321 4.4), or the Date of a message that has none. */
struct mail_hop {
	char *from, *by;  /* host names as written, "" where not said */
	char *stamp;      /* the date as written, its zone with it */
	int64_t at;       /* ms; INT64_MIN where it cannot be read */
	int forward;      /* 0: of the mail itself, 1: of a message in it ... */
	bool date;        /* no Received line: the sender's own Date */
	bool text;        /* not even that: it stands in the text, where somebody forwarded it or answers */
};

struct mail_part {
	char *type;       /* "text/plain", lower case */
	char *name;       /* of the file, "" without */
	struct buf data;  /* text: UTF-8, HTML without its tags; else the octets */
	bool text;        /* it is read as text */
	bool html;
	int forward;      /* as in mail_hop */
};

struct mail {
	char *from, *to, *subject, *id, *references; /* "" where absent; id and references with their <> */
	char *forwarded;  /* the subjects of the messages in it, a line each */
	bool automatic;   /* RFC 3834 Auto-Submitted, a bounce, an out-of-office notice */
	bool machine;     /* written by a program: RFC 3834 auto-generated, or from no-reply */
	bool bulk;        /* Precedence: bulk or list, List-Id or List-Unsubscribe, and no ticket system's */
	bool unread;      /* some of it was not looked into: too deep, too much */
	bool encrypted;   /* S/MIME or PGP: what it says cannot be read here */
	struct mail_part *part;
	size_t parts;
	struct mail_hop *hop; /* the newest of each message first */
	size_t hops;
	char **fault;     /* what was wrong, untranslated, each once */
	size_t faults;
	size_t text;      /* octets of text so far */
};

/* Read len octets. Never NULL. */
struct mail *mail_read(const char *data, size_t len);
void mail_free(struct mail *m);

/* Wipe and free what may have held a key. */
void mail_wipe(struct buf *b);

/* Room for more octets at once, so that growing leaves no copies of a key behind; the text stays terminated. */
void mail_room(struct buf *b, size_t more);

/* Note a fault (untranslated, static). */
void mail_fault(struct mail *m, const char *what);

#endif
