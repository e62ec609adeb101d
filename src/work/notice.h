/* Between cmd_notify.c, which plans, and notice_send.c, which sends. */
#ifndef SEV1_NOTICE_H
#define SEV1_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "comms/template.h"
#include "engine/run.h"

/* What the journal holds of a kind of notice: the last text, and who has accepted that one. */
struct notice_past {
	const char *kind;
	char sha256[65]; /* "" where none was sent */
	json_t *accepted;
};

/* cmd->go of notify: spec {notice, sha256, transport, to: [labels], all: [labels], text: [lines], at}. */
void notice_go(struct run *r);

/* One text on its way to the recipients of conf, whose name is the notice's in the journal; conf is borrowed until it is
 * freed. Make it, keep it where the run's data frees it, then start it with a spec as above: sent is called once each
 * recipient has an outcome, with err where the child failed, and may free it. What cannot be sent at all ends the run. */
struct sending;
typedef void (*notice_sent_fn)(void *ctx, int64_t accepted, int64_t failed, const struct err *err);
struct sending *notice_send(struct run *r, const struct notice_conf *conf, notice_sent_fn sent, void *ctx);
void sending_start(struct sending *s, const json_t *spec);
void sending_free(struct sending *s);

/* Set what the command's --field NAME=VALUE give. 0 or ERR_USAGE. */
int notice_given(struct run *r, struct fields *f, struct err *e);
/* The moment that a text of notify speaks of, in ms: now, or with --plan that of the plan, so that it is the same text. */
int64_t notice_at(const struct run *r);

/* How a recipient is written in plans and the journal: an address as it is; of a webhook's URL, whose
 * path is a secret, the host and the first digits of its digest. Owned by the caller. */
char *notice_label(const struct notice_conf *conf, size_t i);

/* The request for the post child: to is an array of addresses or URLs (borrowed), message a whole mail, or the text for a
 * webhook. New; NULL with ERR_USAGE. */
json_t *notice_request(const struct config *c, const struct notice_conf *conf, json_t *to, const char *subject,
    const char *message, struct err *e);

/* The notice's template: that of its section, else the installed one of its name. Its text appended to b, *path (owned by the
 * caller in any case) where it lies. 0 or an error with its remedy. */
int notice_template(const struct notice_conf *conf, char **path, struct buf *b, struct err *e);

/* The text that is hashed and kept: "Subject: ...", an empty line, the body. A drill says so. */
void notice_text(struct buf *text, const char *subject, const char *body, bool drill);

/* The lines of a plan as that text again. */
void notice_join(struct buf *text, const json_t *lines);

#endif
