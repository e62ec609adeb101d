/* The labelled mails of tests/data/mail, with keys and certificates that are made when a test runs. */
#ifndef MAIL_SCENE_H
#define MAIL_SCENE_H

#include <stddef.h>

#include "base/buf.h"

/* Make a key, a certificate on it and a request. */
void mail_scene_open(void);
void mail_scene_close(void);
const char *mail_scene_key(void); /* PEM */
/* The mails' names, sorted; *n of them. */
char **mail_scene_names(size_t *n);
/* A mail with its @KEY@, @QKEY@ (quoted), @KEYDER64@, @CERT@ and @CSR@ filled in. */
void mail_scene_read(const char *name, struct buf *out);

#endif
