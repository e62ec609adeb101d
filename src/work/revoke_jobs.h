/* What a revocation consists of: one job a CA, made from the frozen scope and from what an interrupted
 * run has journalled. */
#ifndef SEV1_REVOKE_JOBS_H
#define SEV1_REVOKE_JOBS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/run.h"

struct revoke_job {
	char *ca, *title;
	char *manifest;    /* hash; "" until known */
	char *path;        /* manifest file */
	int64_t count;
	int64_t stamp;     /* ms: of the run that was interrupted, or 0 */
	int hours;
	bool exact;        /* every valid certificate of the CA */
	bool complete;     /* done before, with its CRL */
	bool resumed;      /* begun before, not ended */
	json_t *serials;   /* CA certificates at their issuer; NULL otherwise */
	char *subjects;    /* of those, in words */
	json_t *plan;      /* the CA child's answer to "plan"; NULL */
};

struct revoke_jobs {
	struct revoke_job *job;
	size_t jobs, at;
	int done, failed;
	int64_t started;
	size_t stage;       /* of the child at work */
	char *manifests, *crls; /* folders */
	json_t *replaced;       /* names that a re-issue has given new certificates; NULL: not asked, not known */
	struct err error;       /* the first that failed */
};

/* NULL with an error: unusable options, a CA that left the configuration, a folder that cannot be made. */
struct revoke_jobs *revoke_jobs_new(struct run *r, struct err *e);
void revoke_jobs_free(void *d);
/* A manifest's file beside the incident is there, with this hash: where it is gone or was touched, it is fetched from
 * the journal. 0 or an error. */
int manifest_at(struct run *r, const char *path, const char *manifest, struct err *e);
/* [{name, config ..., path, manifest}]: the CAs of the frozen scope, each with its manifest so; new. NULL with an
 * error. */
json_t *manifests_request(struct run *r, struct err *e);
/* What the journal knows of a job with this manifest: done with its CRL, or begun, and its stamp. */
void revoke_job_recall(struct run *r, struct revoke_job *j);
/* The CA child's request for op "plan" or "revoke". */
json_t *revoke_job_request(struct run *r, const struct revoke_jobs *d, const struct revoke_job *j,
    const char *op);
/* revoke_replaced.c. Is replacement before revocation worth a thought: a sound CA, and a fleet to re-issue? */
bool revoke_replace_first(const struct run *r);
/* The names on hosts that are verified; NULL where that is no question or the inventory cannot be read. */
json_t *revoke_replaced_names(const struct run *r);
/* How many of those that are planned for have no replacement yet, as far as is known. */
int64_t revoke_unreplaced(const struct revoke_jobs *d);
/* Say it in the plan. */
void revoke_replaced_plan(const struct run *r, const struct revoke_jobs *d, struct plan *p);
/* The plan screen. */
struct plan *revoke_jobs_plan(struct run *r, const struct revoke_jobs *d);

#endif
