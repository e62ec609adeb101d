/* Selectors: what makes a certificate one of those concerned. They come in groups; within a group every kind
 * that is given must hold, and of a kind one value is enough. A certificate of several groups is the first
 * one's, whose reason it gets. */
#ifndef SEV1_SELECTOR_H
#define SEV1_SELECTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/index.h"
#include "pki/issued.h"
#include "pki/revinfo.h"

/* Make groups as the command line gives them into groups that need no other file, checked:
 *	[{"serial": [s], "serials-file": [path], "subject": [glob], "san": [glob], "key-hash": [s], "key-file": [path],
 *	  "since": ms, "until": ms, "all": bool, "reason": name}]
 * to
 *	[{"serials": [hex], "lists": [{"name", "count", "sha256", "text"}], "subjects": [glob], "sans": [glob],
 *	  "keys": [see leaked_read, or {"kind": "hash", "spki": hex}], "since", "until", "all", "reason"}]
 * text is lines of serial_list_read. Paths are absolute. A new array; NULL with ERR_USAGE, ERR_REFUSED, ERR_SYNTAX,
 * ERR_IO. */
json_t *selectors_resolve(const json_t *groups, struct err *e);

/* A reason to revoke for, of a name: any of RFC 5280 5.3.1 but removeFromCRL, which only delta CRLs have.
 * 0 or ERR_USAGE. */
int selector_reason(const char *name, enum reason *reason, struct err *e);

struct pattern {
	const char *glob;
	size_t hits;
};

struct key_wanted;

struct group {
	const json_t *json;      /* borrowed */
	enum reason reason;
	bool by_serial;
	uint32_t *row;           /* rows that serials name, in order */
	size_t rows;
	struct pattern *subject, *san;
	size_t subjects, sans;
	struct key_wanted *key;
	size_t keys;
	int64_t since, until;    /* notBefore, ms, both included; INT64_MIN and INT64_MAX for open ends */
	bool held;               /* what index.txt holds of the row at hand does match */
	size_t matched;          /* certificates */
	size_t selected;         /* without those of an earlier group */
};

struct selectors {
	struct group *group;
	size_t groups;
	bool any;                /* something is selected by: what matches nothing is an error */
};

/* Read resolved groups, {"groups": [...]}; an object without groups is one group itself, as journals of before
 * have it ("subject": glob for "subjects"). A list has its text, or a "path" to it whose SHA-256 must be
 * "sha256". Every serial must be in the index. NULL or empty takes all. json must outlive s. 0;
 * ERR_USAGE; ERR_REFUSED for a serial that is not there, naming its file and line, or a list that has changed. */
int selectors_init(struct selectors *s, const json_t *json, enum reason otherwise, const struct index *x,
    const struct sorted *rows, size_t n, struct err *e);
void selectors_clear(struct selectors *s);

/* Look at what index.txt holds: sets held of each group. True where a group's answer needs the certificate. */
bool selectors_row(struct selectors *s, const struct index *x, uint32_t row);
/* Look at the rest, c being that row's certificate (NULL: none is needed): *first is the first group that has
 * it, NULL where none has. 0; ERR_REFUSED where the proof of a private key does not hold for this
 * certificate, or where the CA did not sign it. */
int selectors_pick(struct selectors *s, const struct issued *c, const struct issued_by *by, const char *serial,
    struct group **first, struct err *e);

/* Every pattern and key must have matched, and so must every group. 0, or ERR_REFUSED naming the first that has not. */
int selectors_judge(const struct selectors *s, const struct ca *ca, struct err *e);
/* [{"reason", "matched", "selected", "keys": [{"kind", "name", "spki", "matched", "proved"}]}] */
json_t *selectors_result(const struct selectors *s);

#endif
