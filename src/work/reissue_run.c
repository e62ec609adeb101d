/* A fleet on real children: what they say goes to it, what becomes of its hosts into the journal. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "work/ansible.h"
#include "work/reissue.h"

/* A commit costs milliseconds: rows are gathered for so long. What a host only passes through is
 * worth a look on the screen, not a journal full of it. */
#define FLUSH_MS 100
#define FLUSH_PASSING_MS 1000
/* Of what a host said. */
#define OUTPUT_LINES 40
#define OUTPUT_LINE 400

struct reissue_peer {
	struct reissue_peer *next;
	struct reissue *d;
	enum fleet_peer kind;
	size_t slot;
	struct child *child;
};

/* ---- the transport ---- */

static void peer_line(void *ctx, struct child *c, const json_t *msg)
{
	struct reissue_peer *p = ctx;

	(void)c;
	fleet_hear(p->d->fleet, p->kind, p->slot, msg);
}

static void peer_done(void *ctx, const json_t *result, const struct err *err)
{
	struct reissue_peer *p = ctx, **at = &p->d->peer;
	struct reissue *d = p->d;
	enum fleet_peer kind = p->kind;
	size_t slot = p->slot;

	(void)result;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	free(p);
	fleet_gone(d->fleet, kind, slot, err);
}

void reissue_drop_peers(struct reissue *d)
{
	struct reissue_peer *next;

	for (; d->peer != NULL; d->peer = next) {
		next = d->peer->next;
		free(d->peer);
	}
}

static json_t *peer_request(const struct reissue *d, enum fleet_peer kind)
{
	const struct fleet_conf *f = &run_config(d->run)->fleet;
	json_t *o;

	if (kind == FLEET_SSH)
		return json_pack("{s:s, s:i, s:s}", "op", "reissue", "timeout_s", f->deadline, "tag", d->tag);
	if (kind == FLEET_PROBE)
		return json_pack("{s:s}", "op", "tls");
	o = json_pack("{s:s, s:O, s:i, s:O, s:s, s:I}", "op", "issue", "ca", d->ca, "days", f->days, "refuse",
	    d->compromised.refuse, "blocklist", f->blocklist != NULL ? f->blocklist : "", "since", (json_int_t)run_incident(d->run)->declared);
	if (d->compromised.stolen != NULL)
		json_put(o, "stolen", d->compromised.stolen);
	if (reissue_in_place(run_config(d->run)))
		json_object_set_new(o, "known", cas_request(run_config(d->run)));
	return o;
}

static void *peer_start(void *ctx, enum fleet_peer kind, size_t slot)
{
	static const char *const name[] = { [FLEET_SSH] = "ssh", [FLEET_CA] = "ca", [FLEET_PROBE] = "probe" };
	struct reissue *d = ctx;
	struct reissue_peer *p = mem_zalloc(1, sizeof *p);

	*p = (struct reissue_peer){ .next = d->peer, .d = d, .kind = kind, .slot = slot };
	p->child = run_child(d->run, name[kind], peer_request(d, kind), 0, peer_line, peer_done, p);
	if (p->child == NULL) {
		free(p);
		return NULL;
	}
	d->peer = p;
	return p;
}

static void peer_send(void *ctx, void *handle, json_t *msg)
{
	(void)ctx;
	child_send(((struct reissue_peer *)handle)->child, msg);
}

static void peer_finish(void *ctx, void *handle)
{
	(void)ctx;
	child_finish(((struct reissue_peer *)handle)->child);
}

static void peer_kill(void *ctx, void *handle, const char *why)
{
	(void)ctx;
	child_kill(((struct reissue_peer *)handle)->child, why);
}

/* ---- rows ---- */

static void reissue_progress(struct reissue *d)
{
	struct fleet_counts c;
	char *words, *wave = rollout_words(&run_incident(d->run)->rollout), *text;

	fleet_count(d->fleet, &c);
	words = fleet_words(&c);
	text = mem_printf("%s%s%s", wave, wave[0] != '\0' ? "  " : "", words);
	run_progress(d->run, (int64_t)(c.total - c.state[HOST_WAITING] - c.state[HOST_RUNNING]),
	    (int64_t)c.total, text);
	free(words);
	free(wave);
	free(text);
}

/* What has changed goes into the journal as one event. -1 where the run has ended. */
static int reissue_write(struct reissue *d)
{
	json_t *list = json_array();
	size_t n = json_array_size(d->order);

	for (size_t i = 0; i < n; i++)
		json_array_append(list, json_object_get(d->rows, json_string_value(json_array_get(d->order, i))));
	json_object_clear(d->rows);
	json_array_clear(d->order);
	if (n == 0) {
		json_decref(list);
		return 0;
	}
	return run_append(d->run, EV_HOST, json_pack("{s:o}", "rows", list));
}

static void reissue_flush(void *ctx)
{
	struct reissue *d = ctx;

	d->flush = 0;
	if (run_state(d->run) == RUN_ENDED || reissue_write(d) < 0)
		return;
	reissue_progress(d);
}

/* What is known of a host once it has ended. */
static void reissue_row_ended(json_t *o, const struct host *h)
{
	char *phases = host_phases(h), *line;
	const json_t *from = json_object_get(h->found, "before"), *list = json_list(h->found, "output");
	json_t *before = json_object(), *output = json_array(), *said;
	size_t i;

	json_put(o, "phases", phases);
	free(phases);
	json_put(before, "serial", json_str(from, "serial"));
	json_put(before, "fingerprint", json_str(from, "fingerprint"));
	json_put(before, "subject", json_str(from, "subject"));
	json_put_num(before, "not_after", json_num(from, "not_after", 0));
	if (json_str(from, "serial")[0] != '\0')
		json_object_set(o, "before", before);
	json_array_foreach(list, i, said) {
		if (i >= OUTPUT_LINES || !json_is_string(said))
			break;
		line = text_escaped(json_string_value(said), json_string_length(said), OUTPUT_LINE);
		json_array_append_new(output, json_string(line));
		free(line);
	}
	if (json_array_size(output) > 0)
		json_object_set(o, "output", output);
	json_decref(before);
	json_decref(output);
}

static json_t *reissue_row_body(const struct host *h, const json_t *result)
{
	json_t *o = json_object();

	json_put(o, "host", h->name);
	json_put(o, "phase", host_phase_name(h->phase));
	json_put(o, "state", host_state_name(h->state));
	json_put(o, "detail", h->detail);
	json_put_num(o, "ms", h->ms);
	if (h->state == HOST_VERIFIED) {
		json_put(o, "serial", json_str(result, "serial"));
		json_put(o, "fingerprint", json_str(result, "fingerprint"));
		json_put_num(o, "not_after", json_num(result, "not_after", 0));
	}
	if (h->state != HOST_WAITING && h->state != HOST_RUNNING)
		reissue_row_ended(o, h);
	return o;
}

static void reissue_row(void *ctx, size_t i, const struct host *h, const json_t *result)
{
	struct reissue *d = ctx;
	struct loop *l = engine_loop(run_engine(d->run));
	bool passing = h->state == HOST_RUNNING;

	(void)i;
	if (json_object_get(d->rows, h->name) == NULL)
		json_array_append_new(d->order, json_string(h->name));
	json_object_set_new(d->rows, h->name, reissue_row_body(h, result));
	if (h->state != HOST_VERIFIED && !passing)
		run_say(d->run, "%s: %s: %s", h->name, host_state_name(h->state), h->detail);
	if (d->flush != 0 && (passing || d->soon))
		return;
	loop_cancel(l, d->flush);
	d->soon = !passing;
	d->flush = loop_after(l, passing ? FLUSH_PASSING_MS : FLUSH_MS, reissue_flush, d);
}

/* A wave begins or has ended: what was gathered comes before it in the journal. */
static void reissue_wave(void *ctx, size_t i, bool ended)
{
	struct reissue *d = ctx;
	const struct wave *w = &d->waves.wave[i];
	json_t *body;

	if (d->waves.count < 2 || run_state(d->run) == RUN_ENDED || reissue_write(d) < 0)
		return;
	body = json_pack("{s:I, s:I, s:s, s:I, s:s}", "wave", (json_int_t)i + 1, "waves", (json_int_t)d->waves.count,
	    "name", w->name, "hosts", (json_int_t)w->hosts, "state", ended ? "ended" : "started");
	if (run_append(d->run, EV_WAVE, body) < 0)
		return;
	if (!ended)
		run_say(d->run, _("reissue: wave %zu of %zu begins: %zu hosts (%s)"), i + 1, d->waves.count, w->hosts,
		    w->name);
	reissue_progress(d);
}

/* ---- the end ---- */

static void reissue_report(struct reissue *d, const struct fleet_counts *c)
{
	json_t *rows = json_array(), *result = run_result(d->run);
	const struct host *h;
	char *text = fleet_words(c);

	for (size_t i = 0; (h = fleet_host(d->fleet, i)) != NULL; i++) {
		json_t *o = reissue_row_body(h, NULL);
		json_array_append_new(rows, o);
		if (h->state != HOST_VERIFIED)
			run_out(d->run, "%-28s %-9s %-11s %s", h->name, host_phase_name(h->phase),
			    host_state_name(h->state), h->detail);
	}
	json_object_set_new(result, "hosts", rows);
	run_out(d->run, "%s", text);
	free(text);
}

/* How it ended, for whoever asked. */
static void reissue_judge(struct reissue *d, const struct fleet_counts *c, const struct err *err)
{
	struct err *e = &d->outcome;

	if (c->state[HOST_VERIFIED] + c->state[HOST_SKIPPED] == c->total)
		return;
	if (err != NULL)
		err_set(e, ERR_PARTIAL, _("reissue: stopped, %zu of %zu verified: %s"), c->state[HOST_VERIFIED], c->total,
		    err->text);
	else if (c->state[HOST_WAITING] > 0)
		err_set(e, ERR_PARTIAL, _("reissue: stopped by the operator, %zu of %zu verified, %zu not tried"),
		    c->state[HOST_VERIFIED], c->total, c->state[HOST_WAITING]);
	else
		err_set(e, ERR_PARTIAL, _("reissue: %zu of %zu hosts are not verified"),
		    c->total - c->state[HOST_VERIFIED], c->total);
	err_remedy(e, c->state[HOST_WAITING] > 0 ? _("go on with the rest: sev1 reissue --resume [--retry failed]") :
	    _("remove the cause, then: sev1 reissue --retry failed"));
}

/* What this has replaced is a point of the curve; where it cannot be counted, the re-issue is no worse for it. */
static void reissue_over(struct run *r)
{
	const struct reissue *d = run_data(r);
	char *words;

	if (d->replacing.result != NULL) {
		words = replaced_words(run_incident(r));
		run_out(r, "%s", words);
		free(words);
		json_object_set(run_result(r), "replacement", d->replacing.result);
	}
	if (d->outcome.code == 0)
		run_end(r, EXIT_DONE);
	else
		run_fail(r, &d->outcome);
}

static void reissue_ended(void *ctx, const struct err *err)
{
	struct reissue *d = ctx;
	struct fleet_counts c;
	json_t *body = json_object();

	loop_cancel(engine_loop(run_engine(d->run)), d->flush);
	loop_cancel(engine_loop(run_engine(d->run)), d->tick);
	d->flush = d->tick = 0;
	fleet_count(d->fleet, &c);
	json_put_num(body, "verified", (json_int_t)c.state[HOST_VERIFIED]);
	json_put_num(body, "failed", (json_int_t)(c.state[HOST_FAILED] + c.state[HOST_ROLLED_BACK]));
	json_put_num(body, "unreachable", (json_int_t)c.state[HOST_UNREACHABLE]);
	json_put_num(body, "refused", (json_int_t)c.state[HOST_REFUSED]);
	json_put_num(body, "skipped", (json_int_t)c.state[HOST_SKIPPED]);
	json_put_num(body, "waiting", (json_int_t)c.state[HOST_WAITING]);
	json_put_num(body, "ms", c.ms);
	json_put(body, "stopped", err != NULL ? err->text : c.state[HOST_WAITING] > 0 ? rollout_word(d->obeyed) : "");
	json_object_set(run_result(d->run), "counts", body);
	if (reissue_write(d) < 0) {
		json_decref(body);
		return;
	}
	if (run_append(d->run, EV_REISSUE_END, body) < 0)
		return;
	reissue_progress(d);
	reissue_report(d, &c);
	reissue_judge(d, &c, err);
	if (run_incident(d->run)->scope_frozen)
		replaced_count(&d->replacing, d->run, reissue_over);
	else
		reissue_over(d->run);
}

void reissue_run(struct reissue *d)
{
	const struct fleet_conf *f = &run_config(d->run)->fleet;
	struct fleet_job job = {
		.transport = { peer_start, peer_send, peer_finish, peer_kill },
		.order = reissue_order, .probe = reissue_probe, .row = reissue_row, .wave = reissue_wave,
		.ended = reissue_ended, .waves = &d->waves, .ctx = d, .concurrency = (size_t)f->concurrency, .timeout_s = f->deadline };
	json_t *body = json_object(), *hosts = json_array();
	struct err e = { 0 };

	for (size_t i = 0; i < d->targets; i++)
		json_array_append_new(hosts, json_string(d->target[i]->name));
	json_put(body, "plan", run_plan_of(d->run)->hash);
	json_put(body, "issuer", run_incident(d->run)->issuer->name);
	json_object_set_new(body, "hosts", hosts);
	reissue_waves_start(d, body);
	memcpy(job.limit, d->limit, sizeof job.limit);
	memcpy(job.before, d->before, sizeof job.before);
	if (d->by_ansible && (d->ansible = ansible_take(d, &job, &e)) == NULL) {
		json_decref(body);
		run_fail(d->run, &e);
		return;
	}
	if (run_append(d->run, EV_REISSUE_START, body) < 0)
		return;
	d->rows = json_object();
	d->order = json_array();
	d->replacing.aside = true;
	d->fleet = fleet_new(engine_loop(run_engine(d->run)), &job);
	for (size_t i = 0; i < d->targets; i++)
		fleet_add(d->fleet, d->target[i]->name);
	reissue_listen(d);
	fleet_start(d->fleet);
}
