#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/engine_private.h"
#include "engine/gate.h"
#include "engine/secrets.h"

struct run {
	struct engine *engine;
	const struct command *cmd;
	struct args *args;
	enum run_state state;
	struct plan *plan;
	int64_t planned;    /* seq of the journal's last row then */
	void *data;
	void (*free_data)(void *);
	struct attached *children;
	json_t *result;
	int64_t done, total;
	char *text;
	bool leased;
	int status;
	struct err err;
	struct errs *errs; /* where it failed of several; NULL */
};

/* A child and the run that waits for it; the run may end first. */
struct attached {
	struct attached *next;
	struct engine *engine;
	struct run *run; /* NULL once the run has ended */
	bool secrets;    /* a CA child: no other is given a secret */
	struct child *child;
	child_line_fn line;
	child_done_fn done;
	void *ctx;
};

struct engine *run_engine(const struct run *r) { return r->engine; }
const struct command *run_command(const struct run *r) { return r->cmd; }
const struct args *run_args(const struct run *r) { return r->args; }
enum run_state run_state(const struct run *r) { return r->state; }
const struct incident *run_incident(const struct run *r) { return engine_incident(r->engine); }
const struct config *run_config(const struct run *r) { return engine_config(r->engine); }
void *run_data(const struct run *r) { return r->data; }
const struct plan *run_plan_of(const struct run *r) { return r->plan; }
int run_status(const struct run *r) { return r->status; }
const struct err *run_error(const struct run *r) { return r->err.code != 0 ? &r->err : NULL; }
const struct errs *run_errors(const struct run *r) { return r->errs; }

void run_set_data(struct run *r, void *data, void (*free_fn)(void *))
{
	if (r->free_data != NULL)
		r->free_data(r->data);
	r->data = data;
	r->free_data = free_fn;
}

json_t *run_result(struct run *r)
{
	if (r->result == NULL)
		r->result = json_pack("{s:i,s:s}", "version", 1, "command", r->cmd->name);
	return r->result;
}

/* ---- words to whoever listens ---- */

static char *run_format(const char *fmt, va_list ap)
{
	char *raw = NULL, *safe;

	if (vasprintf(&raw, fmt, ap) < 0)
		raw = mem_strdup("");
	safe = text_escaped(raw, strlen(raw), 16000);
	free(raw);
	return safe;
}

void run_say(struct run *r, const char *fmt, ...)
{
	void *ctx;
	const struct sink *s = engine_get_sink(r->engine, &ctx);
	va_list ap;
	char *line;

	if (s->say == NULL)
		return;
	va_start(ap, fmt);
	line = run_format(fmt, ap);
	va_end(ap);
	s->say(ctx, r, line);
	free(line);
}

void run_out(struct run *r, const char *fmt, ...)
{
	void *ctx;
	const struct sink *s = engine_get_sink(r->engine, &ctx);
	va_list ap;
	char *line;

	if (s->out == NULL)
		return;
	va_start(ap, fmt);
	line = run_format(fmt, ap);
	va_end(ap);
	s->out(ctx, r, line);
	free(line);
}

void run_progress(struct run *r, int64_t done, int64_t total, const char *text)
{
	void *ctx;
	const struct sink *s = engine_get_sink(r->engine, &ctx);

	r->done = done;
	r->total = total;
	free(r->text);
	r->text = text_escaped(text, strlen(text), 400);
	if (s->progress != NULL)
		s->progress(ctx, r);
}

void run_get_progress(const struct run *r, int64_t *done, int64_t *total, const char **text)
{
	*done = r->done;
	*total = r->total;
	*text = r->text != NULL ? r->text : "";
}

/* ---- children ---- */

static void attached_line(void *ctx, struct child *c, const json_t *msg)
{
	struct attached *a = ctx;
	const json_t *p = json_object_get(msg, "progress");

	if (a->run == NULL || (a->secrets && secrets_line(engine_secrets(a->engine), c, msg)))
		return;
	if (p != NULL)
		run_progress(a->run, json_num(p, "done", 0), json_num(p, "total", 0), json_str(p, "text"));
	if (a->line != NULL)
		a->line(a->ctx, c, msg);
}

static void attached_done(void *ctx, const json_t *result, const struct err *err)
{
	struct attached *a = ctx, **at;

	if (a->run != NULL) {
		for (at = &a->run->children; *at != a; at = &(*at)->next)
			;
		*at = a->next;
		if (a->done != NULL)
			a->done(a->ctx, result, err);
	}
	secrets_gone(engine_secrets(a->engine), a->child);
	free(a);
}

struct child *run_child(struct run *r, const char *name, json_t *request, int deadline_s,
    child_line_fn line, child_done_fn done, void *ctx)
{
	struct attached *a = mem_zalloc(1, sizeof *a);
	struct err e = { 0 };

	*a = (struct attached){ .next = r->children, .engine = r->engine, .run = r,
		.secrets = strcmp(name, "ca") == 0, .line = line, .done = done, .ctx = ctx };
	a->child = child_start(engine_loop(r->engine), name, request, deadline_s, attached_line,
	    attached_done, a, &e);
	if (a->child == NULL) {
		free(a);
		run_fail(r, &e);
		return NULL;
	}
	r->children = a;
	return a->child;
}

static void run_drop_children(struct run *r)
{
	struct attached *a, *next;

	for (a = r->children; a != NULL; a = next) {
		next = a->next;
		a->run = NULL;
		secrets_gone(engine_secrets(a->engine), a->child);
		child_kill(a->child, "");
	}
	r->children = NULL;
}

/* ---- the end ---- */

static void run_free(struct run *r)
{
	if (r->free_data != NULL)
		r->free_data(r->data);
	plan_free(r->plan);
	args_free(r->args);
	json_decref(r->result);
	free(r->text);
	free(r->errs);
	free(r);
}

/* From the loop, so that a command that ends at once does not end under its caller's feet. */
static void run_reap(void *arg)
{
	struct run *r = arg;
	void *ctx;
	const struct sink *s = engine_get_sink(r->engine, &ctx);

	if (s->ended != NULL)
		s->ended(ctx, r);
	engine_drop_run(r->engine, r);
	run_free(r);
}

void run_yield(struct run *r)
{
	if (r->leased)
		engine_unlease(r->engine);
	r->leased = false;
}

void run_end(struct run *r, int status)
{
	if (r->state == RUN_ENDED)
		return;
	r->state = RUN_ENDED;
	r->status = status;
	run_drop_children(r);
	run_yield(r);
	loop_after(engine_loop(r->engine), 0, run_reap, r);
}

void run_fail(struct run *r, const struct err *e)
{
	if (r->state == RUN_ENDED)
		return;
	r->err = *e;
	if (r->err.code == 0)
		r->err.code = ERR_FAILED;
	run_end(r, err_exit_status(r->err.code));
}

void run_fail_all(struct run *r, const struct errs *es)
{
	struct err e = { 0 };

	if (r->state == RUN_ENDED)
		return;
	if (es->total > 1) {
		r->errs = mem_alloc(sizeof *r->errs);
		*r->errs = *es;
	}
	errs_sum(es, r->cmd->name, &e);
	run_fail(r, &e);
}

int run_append(struct run *r, enum event_kind kind, json_t *body)
{
	struct err e = { 0 };

	if (engine_append(r->engine, kind, body, &e) == 0)
		return 0;
	run_fail(r, &e);
	return -1;
}

static json_t *run_plan_body(const struct run *r, const char *why)
{
	json_t *body = json_object();

	json_put(body, "command", r->cmd->name);
	json_put(body, "hash", r->plan->hash);
	if (why != NULL)
		json_put(body, "why", why);
	return body;
}

bool run_steer(struct run *r, enum steer how)
{
	if (r->state != RUN_GOING || r->cmd->steer == NULL)
		return false;
	r->cmd->steer(r, how);
	return true;
}

void run_cancel(struct run *r, const char *why)
{
	if (r->state == RUN_ENDED || run_steer(r, STEER_ABORT))
		return;
	if (r->state == RUN_GOING && run_append(r, EV_REFUSED, run_plan_body(r, why)) < 0)
		return;
	err_set(&r->err, ERR_REFUSED, "%s: %s", r->cmd->name, why);
	run_end(r, EXIT_REFUSED);
}

/* ---- plans ---- */

/* What differs between the plan that was confirmed and the one that would run now. */
static void plan_differ(struct buf *b, const char *path, const json_t *was, const json_t *is, int *left)
{
	const char *key;
	json_t *v;
	char *x, *y, *at;

	if (json_equal(was, is) || *left <= 0)
		return;
	if (json_is_object(was) && json_is_object(is)) {
		json_object_foreach((json_t *)was, key, v) {
			at = mem_printf("%s%s%s", path, path[0] != '\0' ? "." : "", key);
			plan_differ(b, at, v, json_object_get(is, key), left);
			free(at);
		}
		return;
	}
	x = was != NULL ? json_dumps(was, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	y = is != NULL ? json_dumps(is, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	buf_addf(b, _("%s was %.60s, is %.60s; "), path, x != NULL ? x : "-", y != NULL ? y : "-");
	free(x);
	free(y);
	(*left)--;
}

static void run_refuse_other_plan(struct run *r, const char *wanted)
{
	const struct incident *in = run_incident(r);
	struct buf why = { 0 };
	struct err e = { 0 };
	int left = 4;

	buf_addf(&why, _("the plan is now %.12s, not %.12s: "), r->plan->hash, wanted);
	if (in != NULL && in->plan_spec != NULL && in->plan_hash != NULL && strcmp(in->plan_hash, wanted) == 0)
		plan_differ(&why, "", in->plan_spec, r->plan->spec, &left);
	else
		buf_adds(&why, _("no such plan is the last one in the journal"));
	if (in != NULL && run_append(r, EV_REFUSED, run_plan_body(r, why.data)) < 0) {
		buf_free(&why);
		return;
	}
	err_set(&e, ERR_REFUSED, "%s: %s", r->cmd->name, why.data);
	err_remedy(&e, _("read the new plan and confirm it: sev1 %s"), r->cmd->name);
	buf_free(&why);
	run_fail(r, &e);
}

void run_plan(struct run *r, struct plan *p)
{
	const struct incident *in = run_incident(r);
	const char *wanted = args_get(r->args, "plan");
	void *ctx;
	const struct sink *s = engine_get_sink(r->engine, &ctx);
	json_t *body;

	plan_free(r->plan);
	r->plan = p;
	if (wanted != NULL && strcmp(wanted, p->hash) != 0) {
		run_refuse_other_plan(r, wanted);
		return;
	}
	if (in != NULL && (in->plan_hash == NULL || strcmp(in->plan_hash, p->hash) != 0)) {
		body = run_plan_body(r, NULL);
		json_put(body, "title", p->title);
		json_put(body, "phrase", p->phrase);
		json_object_set(body, "spec", p->spec);
		if (run_append(r, EV_PLAN, body) < 0)
			return;
	}
	r->planned = in != NULL ? in->last_seq : 0;
	r->state = RUN_PLANNED;
	if (s->planned != NULL)
		s->planned(ctx, r);
}

static int run_take_lease(struct run *r, unsigned gates, struct err *e)
{
	int rc;

	if (!(gates & GATE_LEASE) || r->leased || run_incident(r) == NULL)
		return 0;
	if ((rc = engine_lease(r->engine, e)) == 0)
		r->leased = true;
	return rc;
}

int run_gate(struct run *r, unsigned gates, struct err *e)
{
	int rc = gate_check(r->engine, gates, e);

	return rc < 0 ? rc : run_take_lease(r, gates, e);
}

/* Another console may show the same plan: what it has confirmed meanwhile is not done a second time. */
static int run_still_due(const struct run *r, struct err *e)
{
	const struct incident *in = run_incident(r);
	char at[24];

	if (in == NULL || in->confirmed.seq <= r->planned || strcmp(in->confirmed.hash, r->plan->hash) != 0)
		return 0;
	err_set(e, ERR_REFUSED, _("%s has confirmed this plan at %s; it is not carried out twice"),
	    in->confirmed.by, clock_time(at, sizeof at, in->confirmed.at));
	return err_remedy(e, _("leave this one; a new one shows what is left to do: sev1 %s"), r->cmd->name);
}

int run_confirm(struct run *r, const char *phrase, struct err *e)
{
	int rc;

	if (r->state != RUN_PLANNED)
		return err_set(e, ERR_REFUSED, _("%s does not wait for a confirmation"), r->cmd->name);
	if (strcmp(phrase, r->plan->phrase) != 0) {
		err_set(e, ERR_REFUSED, _("the phrase is not '%s'; nothing was done"), r->plan->phrase);
		return err_remedy(e, _("type it exactly, capitals and figures included, or Esc to give up"));
	}
	if ((rc = engine_catch_up(r->engine, e)) < 0 || (rc = gate_check(r->engine, r->cmd->gates, e)) < 0 ||
	    (rc = run_still_due(r, e)) < 0 || (rc = run_take_lease(r, r->cmd->gates, e)) < 0)
		return rc;
	if (run_incident(r) != NULL &&
	    (rc = engine_append(r->engine, EV_CONFIRMED, run_plan_body(r, NULL), e)) < 0) {
		run_fail(r, e);
		return rc;
	}
	r->state = RUN_GOING;
	r->cmd->go(r);
	return 0;
}

int command_start(struct engine *en, const struct command *cmd, struct args *args, struct run **out,
    struct err *err)
{
	struct run *r;
	int rc;

	if (out != NULL)
		*out = NULL;
	if ((engine_incident(en) != NULL && (rc = engine_catch_up(en, err)) < 0) ||
	    (rc = gate_check(en, cmd->gates, err)) < 0) {
		args_free(args);
		return rc;
	}
	r = mem_zalloc(1, sizeof *r);
	r->engine = en;
	r->cmd = cmd;
	r->args = args;
	if (cmd->go == NULL && (rc = run_take_lease(r, cmd->gates, err)) < 0) {
		run_free(r);
		return rc;
	}
	engine_add_run(en, r);
	if (out != NULL)
		*out = r;
	cmd->start(r);
	return 0;
}
