/* Selectors of the end-entity scope, as options of triage, scope and count. */
#ifndef SEV1_APP_SELECTORS_H
#define SEV1_APP_SELECTORS_H

#include <jansson.h>

#include "engine/command.h"
#include "engine/run.h"

/* The options, for a command's table. Every kind that is given must hold; of a kind one value is enough; --or
 * starts a further group, whose certificates are concerned too. */
#define SELECTOR_OPTIONS \
	{ "serial", N_("SERIAL"), N_("selects a serial: hexadecimal (1A:2B, 0x1a2b), or decimal as dec:123456; may be repeated") }, \
	{ "serials-file", "FILE", N_("selects the serials of a file, one a line; # starts a comment; may be repeated") }, \
	{ "subject", N_("GLOB"), N_("selects subjects like this, as index.txt has them: *CN=web*; may be repeated") }, \
	{ "san", N_("GLOB"), N_("selects by names in the certificate (DNS, IP, mail, URI): *.example.com; may be repeated") }, \
	{ "key-file", "FILE", N_("selects every certificate on the key of a leaked private key (possession is proved), CSR, " \
	    "certificate or public key; may be repeated") }, \
	{ "key-hash", "HASH", N_("selects by the public key's SHA-256: hexadecimal or sha256/BASE64=; may be repeated") }, \
	{ "issued-since", N_("TIME"), N_("selects what was issued at or after") }, \
	{ "issued-until", N_("TIME"), N_("selects what was issued at or before") }, \
	{ "all", NULL, N_("selects every valid certificate of the CA") }, \
	{ "group-reason", N_("REASON"), N_("the reason for this group of selectors instead of --reason") }, \
	{ "or", NULL, N_("starts another group. In a group every kind that is given must hold, and of a kind one value is " \
	    "enough; a certificate of several groups gets the reason of the first") }

/* The groups that the arguments make, for the CA child's select and count: a new array, empty where there is no
 * selector. NULL with ERR_USAGE. */
json_t *selectors_of(const struct args *a, struct err *e);

/* Have the child read and check them, keep their lists in the incident file, and put them as "selectors":
 * {"groups": [...]} into body, the answers of triage; then done gets it, to own. Errors end the run. groups and
 * body are stolen. */
void selectors_ask(struct run *r, json_t *groups, json_t *body, void (*done)(struct run *r, json_t *body));

/* Journalled selectors for the child's scope: each list is a file again, in folder. A new object; NULL with an error. */
json_t *selectors_request(struct run *r, const json_t *selectors, const char *folder, struct err *e);

/* Say what was selected: a line a group. */
void selectors_show(struct run *r, const json_t *selectors);
/* Say what a scope or count found: a line for each group and key. groups: the child's. */
void selectors_found(struct run *r, const json_t *groups);
#endif
