/* The CA child's operations, one function each; see ca_child.c for the table. */
#ifndef SEV1_CA_CHILD_H
#define SEV1_CA_CHILD_H

#include <jansson.h>

#include "base/err.h"
#include "pki/ca.h"
#include "pki/crl_file.h"
#include "pki/key.h"
#include "pki/revoke.h"

/* The CA that a request's {"name", "title", "config", "section", "key"} describes. NULL with an error. */
struct ca *request_ca(const json_t *o, struct err *e);
/* What a request's answer says of a CRL; part is its partition, "" for the whole CA. New. */
json_t *crl_json(const struct crl_file *f, const char *part);
/* After a revocation: the CRLs of the request's partitions, with the times of the whole CA's, as crl_json into list. */
int ca_revoked_parts(const json_t *request, const struct crl_file *whole, json_t *list, struct err *e);
/* Stages and progress as lines to the parent. */
extern const struct watch ca_watch;
/* PINs and passphrases are asked for at the parent:
 *	{"need": "pin", "of": "token label", "which": "its serial", "note": "...", "last": false, "proof": false}
 *	(or "passphrase", of a file)
 *	{"pin": "..."}, or {"refused": {"text", "remedy"}}          from the parent
 *	{"secret": "right", "kind": "pin", "of": "token label", "which": "its serial"}   (or "wrong"), once tried */
extern const struct key_asker ca_asker;
/* From now on questions say "proof": true: a secret that turned wrong since it was right is evidence, and nobody is
 * asked. */
void ca_secret_proof(void);

int ca_count(const json_t *request, json_t **result, struct err *e);
/* select: check selectors as given and read their files (see selectors_resolve); lists of serials go to
 * files in "folder", their "text" becomes a "path". Result {"groups": [...]}. */
int ca_select(const json_t *request, json_t **result, struct err *e);
int ca_appendix(const json_t *request, json_t **result, struct err *e);
int ca_scope(const json_t *request, json_t **result, struct err *e);
/* roster: {cas: [{a CA, path, manifest}], patterns: [{name, match: [glob]}]} to {rows: [{name, certificates, reasons: {name:
 * n}}], certificates, unmatched, unread (certificates whose file is missing: only their subject was looked at)}. */
int ca_keys(const json_t *request, json_t **result, struct err *e);
int ca_roster(const json_t *request, json_t **result, struct err *e);
int ca_plan(const json_t *request, json_t **result, struct err *e);
int ca_revoke(const json_t *request, json_t **result, struct err *e);
int ca_undo_plan(const json_t *request, json_t **result, struct err *e);
int ca_undo(const json_t *request, json_t **result, struct err *e);
int ca_crl(const json_t *request, json_t **result, struct err *e);
int ca_ladder(const json_t *request, json_t **result, struct err *e);
int ca_rung(const json_t *request, json_t **result, struct err *e);
int ca_admit(const json_t *request, json_t **result, struct err *e);
int ca_inspect(const json_t *request, json_t **result, struct err *e);
/* ari: {cas: [ca with "path" and "manifest"], own: [{issuer: ca, serial}], folder, incident, url, start, end, explanation,
 * retry_after, total}: renewalInfo files (RFC 9773). Result {files, sha256, folder, served, checked, missing, sample}. */
int ca_ari(const json_t *request, json_t **result, struct err *e);
/* successors: {cas, issuers: [ca], seen: [serials that servers present], new_key, at}. Result {total, replaced, seen,
 * unknown (not readable), lost (successors not readable), cas: [..], waiting: [{ca, serial, names}]}. */
int ca_successors(const json_t *request, json_t **result, struct err *e);
int ca_issue(const json_t *request, json_t **result, struct err *e);
/* report: {"fd": an inherited file, "blobs": [{"at", "len", "where"}] in it, "serials", "hashes", "hosts": [text],
 * "cas"}. Result: see report_result, and "errors": [{"ca", "text"}] of the CAs that could not be looked at. */
int ca_report(const json_t *request, json_t **result, struct err *e);

/* ca_replaced.c: {count, first: [names]} of the manifest's valid rows whose common name is not among replaced. */
int ca_unreplaced(const struct revoke_job *job, const json_t *replaced, json_t **out, struct err *e);

#endif
