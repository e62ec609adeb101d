/* An [action] of the configuration as exact shell commands. */
#ifndef SEV1_ACTION_H
#define SEV1_ACTION_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "engine/config.h"
#include "incident/incident.h"

#define ACTION_PORTS_MAX 32

/* What is run where the action is done: never NULL, "" where there is nothing to run. */
struct action_steps {
	char *command; /* of an image a short form: the child has the script, see child/image.h */
	char *verify;  /* exits 0 while the action holds */
	char *undo;
	char *undone;  /* exits 0 once it is undone */
	char *image;   /* file name of a forensic image in its target folder */
};

/* Work the steps out. A firewall rule carries the comment sev1:INCIDENT, is inserted first, for both
 * address families. 0 or ERR_USAGE naming the action and its line. */
int action_build(const struct action_conf *a, const char *incident, struct action_steps *out,
    struct err *e);
void action_steps_clear(struct action_steps *s);

/* "command", "firewall", "image", "keylock". */
const char *action_kind_name(enum action_kind kind);

/* "80, 443" as numbers; at most ACTION_PORTS_MAX, each once. 0 or ERR_USAGE. */
int action_ports(const char *s, int port[ACTION_PORTS_MAX], size_t *n, struct err *e);

/* "10.0.0.1:443", "[::1]:443" or "ca01:443" apart; *address is the caller's. 0 or ERR_USAGE. */
int action_probe(const char *s, char **address, int *port, struct err *e);

/* The distribution points that the action would take from clients: an array of new strings, each
 * saying which point, where, and how. Empty where none is concerned. */
json_t *action_conflicts(const struct config *c, const struct action_conf *a);

/* A key may be locked once every CA of the scope, and every issuer of a CA certificate in it, has
 * signed its emergency CRL. Returns the name of the first that has not; NULL once all have; ""
 * while the scope is not known. */
const char *action_key_waits(const struct incident *in);

#endif
