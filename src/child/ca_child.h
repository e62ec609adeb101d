/* The CA child's operations, one function each; see ca_child.c for the table. */
#ifndef SEV1_CA_CHILD_H
#define SEV1_CA_CHILD_H

#include <jansson.h>

#include "base/err.h"
#include "pki/ca.h"
#include "pki/crl_file.h"

/* The CA that a request's {"name", "title", "config", "section", "key"} describes. NULL with an error. */
struct ca *request_ca(const json_t *o, struct err *e);
/* Stages and progress as lines to the parent. */
extern const struct watch ca_watch;

int ca_count(const json_t *request, json_t **result, struct err *e);
/* select: check selectors as given and read their files (see selectors_resolve); lists of serials go to
 * files in "folder", their "text" becomes a "path". Result {"groups": [...]}. */
int ca_select(const json_t *request, json_t **result, struct err *e);
int ca_scope(const json_t *request, json_t **result, struct err *e);
int ca_plan(const json_t *request, json_t **result, struct err *e);
int ca_revoke(const json_t *request, json_t **result, struct err *e);
int ca_crl(const json_t *request, json_t **result, struct err *e);
int ca_issue(const json_t *request, json_t **result, struct err *e);

#endif
