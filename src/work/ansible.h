/* Ansible in the place of the SSH children: the same fleet, whose hosts are worked on by playbooks. A play
 * collects requests, one deploys what was issued, one puts back what no handshake proved; issuing and the
 * handshakes stay here. */
#ifndef SEV1_ANSIBLE_H
#define SEV1_ANSIBLE_H

#include "work/reissue.h"

struct ansible;

enum ansible_play { PLAY_COLLECT, PLAY_DEPLOY, PLAY_BACK, PLAYS };
const char *ansible_play_name(enum ansible_play play); /* "collect" ...: also its files' names */

/* ansible_plan.c: does the command ask for it (--engine)? *wanted says so. ERR_USAGE: an engine there is none of, options that
 * contradict; ERR_NOTFOUND: ansible-playbook is not installed. */
int ansible_check(const struct run *r, bool *wanted, struct err *e);
/* Its rows of the plan. */
void ansible_plan(struct plan *p, const struct reissue *d);
/* --export: write the collecting play to a folder, and say what to do with it. */
int ansible_export(struct reissue *d, struct err *e);
/* Where ansible-playbook is; owned by the caller; NULL where it is not. */
char *ansible_find(void);
/* The folder of --export or --from made absolute, or the incident's own; owned by the caller. NULL with an error. */
char *ansible_folder(const struct run *r, const char *named, struct err *e);

/* ansible_run.c: take the SSH children's place in job. NULL with an error; freed with d. */
struct ansible *ansible_take(struct reissue *d, struct fleet_job *job, struct err *e);
void ansible_free(struct ansible *a);

/* ansible_files.c: what a play does on one host. */
struct ansible_host {
	const char *name;
	const json_t *order;       /* as the SSH child takes it */
	const char *certificate, *chain; /* PLAY_DEPLOY */
	const char *stamp;         /* PLAY_DEPLOY, PLAY_BACK: of its backups */
};
/* Write play's playbook and inventory to folder, with the configuration they are run by. All of it JSON, which
 * is YAML; every string of ours is marked so that ansible does not look for templates in it. */
int ansible_write(const char *folder, enum ansible_play play, const struct ansible_host *host, size_t n,
    const char *tag, int seconds, struct err *e);

#endif
