/* A plan: what will be done, for a screen, and its canonical form, which is hashed. */
#ifndef SEV1_PLAN_H
#define SEV1_PLAN_H

#include <jansson.h>

struct plan {
	char *title;   /* "Revoke every valid certificate of Issuing CA 2" */
	char *phrase;  /* typed to confirm: "REVOKE 4812"; never translated */
	json_t *rows;  /* [[label, value], ...] as shown */
	json_t *lines; /* ["exact command", ...] as run, or a sample of what is concerned */
	json_t *spec;  /* all that is executed; its SHA-256 is the plan's hash */
	char hash[65];
};

/* title and phrase are copied, spec is stolen. */
struct plan *plan_new(const char *title, const char *phrase, json_t *spec);
void plan_row(struct plan *p, const char *label, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void plan_line(struct plan *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void plan_free(struct plan *p);

#endif
