#include "work/ceremony.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "journal/journal.h"

static const char *const steps[CEREMONY_STEPS + 1] = {
	NULL,
	N_("The room is closed, phones are outside, the machine is offline and was checked"),
	N_("Administrator, custodians and witness are there and have signed in"),
	N_("New media for the key's copies are opened and numbered before witnesses"),
	N_("The key is made: sev1 recover --new root"),
	N_("Two people read the fingerprint aloud, from the screen and from the paper"),
	N_("The key's backup is written to the media, read back and sealed"),
	N_("The key and its copies are locked away, in two places"),
};

/* How each step was confirmed. */
struct ceremony {
	int done;
	int64_t at[CEREMONY_STEPS + 1];
	char *text[CEREMONY_STEPS + 1];
};

static int ceremony_read(void *ctx, const struct event *ev, struct err *e)
{
	struct ceremony *c = ctx;
	int n = (int)json_num(ev->body, "step", 0);

	(void)e;
	if (ev->kind != EV_CEREMONY || n < 1 || n > CEREMONY_STEPS)
		return 0;
	c->done = n;
	c->at[n] = ev->at;
	free(c->text[n]);
	c->text[n] = mem_strdup(json_str(ev->body, "text"));
	return 0;
}

static void ceremony_clear(struct ceremony *c)
{
	for (int n = 1; n <= CEREMONY_STEPS; n++)
		free(c->text[n]);
}

static int ceremony_load(struct run *r, struct ceremony *c, struct err *e)
{
	*c = (struct ceremony){ 0 };
	return journal_each(engine_journal(run_engine(r)), 0, ceremony_read, c, e);
}

int ceremony_done(struct run *r, int *done, struct err *e)
{
	struct ceremony c;
	int rc = ceremony_load(r, &c, e);

	*done = c.done;
	ceremony_clear(&c);
	return rc;
}

int ceremony_show(struct run *r, struct err *e)
{
	const struct issuer *issuer = run_incident(r)->issuer;
	json_t *all = json_array(), *o;
	struct ceremony c;
	char at[24];
	int rc = ceremony_load(r, &c, e);

	for (int n = 1; n <= CEREMONY_STEPS && rc == 0; n++) {
		bool done = n <= c.done;
		run_out(r, " %c %d %s", done ? '+' : n == c.done + 1 ? '>' : ' ', n, _(steps[n]));
		if (done && c.text[n] != NULL)
			run_out(r, "     %s %s", clock_iso(at, sizeof at, c.at[n]), c.text[n]);
		o = json_object();
		json_put_num(o, "step", n);
		json_put(o, "title", steps[n]);
		json_object_set_new(o, "done", json_boolean(done));
		json_put(o, "text", done ? c.text[n] : "");
		json_array_append_new(all, o);
	}
	json_object_set_new(run_result(r), "ceremony", all);
	if (rc == 0 && c.done >= CEREMONY_KEY && issuer != NULL)
		run_out(r, _("Fingerprint of %s: %s"), issuer->name, issuer->fingerprint);
	else if (rc == 0 && c.done + 1 != CEREMONY_KEY)
		run_out(r, _("Next: sev1 recover --step %d --text \"who, what\""), c.done + 1);
	ceremony_clear(&c);
	return rc;
}

int ceremony_confirm(struct run *r, int n, const char *text, struct err *e)
{
	json_t *body;
	int done, rc;

	if ((rc = ceremony_done(r, &done, e)) < 0)
		return rc;
	if (n < 1 || n > CEREMONY_STEPS)
		return err_set(e, ERR_USAGE, _("the ceremony has steps 1 to %d"), CEREMONY_STEPS);
	if (text == NULL || text[strspn(text, " ")] == '\0') {
		err_set(e, ERR_USAGE, _("step %d: say who was there and what was seen"), n);
		return err_remedy(e, "sev1 recover --step %d --text \"...\"", n);
	}
	/* A new ceremony may begin once the last one is over, or before its key was made. */
	if (n != done + 1 && !(n == 1 && (done == CEREMONY_STEPS || done < CEREMONY_KEY))) {
		err_set(e, ERR_REFUSED, _("step %d comes next, not step %d"), done + 1, n);
		return err_remedy(e, "sev1 recover --ceremony");
	}
	body = json_object();
	json_put_num(body, "step", n);
	json_put(body, "text", text);
	return run_append(r, EV_CEREMONY, body);
}
