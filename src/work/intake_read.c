/* Problem reports read from mails: recognised, matched in a child, kept, and brought to people. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "comms/grounds.h"
#include "comms/mbox.h"
#include "comms/receipt.h"
#include "comms/recognise.h"
#include "engine/request.h"
#include "engine/run.h"
#include "work/intake.h"
#include "work/intake_store.h"

#define MATCH_DEADLINE_S 600
#define TEXT_KEPT (64u << 10)
#define MIB (1u << 20)

/* One reading as it goes. */
struct intaking {
	struct run *run;
	struct mbox *mbox;
	struct mail *mail;
	struct recognised *rec;
	json_t *fresh;         /* the report of the mail at hand */
	uint64_t timer;
	bool typed;
	size_t read, ordinary, doubtful, high, joined, known;
};

static void intaking_drop(struct intaking *t)
{
	mail_free(t->mail);
	recognised_free(t->rec);
	json_decref(t->fresh);
	t->mail = NULL;
	t->rec = NULL;
	t->fresh = NULL;
}

static void intaking_free(void *data)
{
	struct intaking *t = data;

	intaking_drop(t);
	loop_cancel(engine_loop(run_engine(t->run)), t->timer);
	mbox_free(t->mbox);
	free(t);
}

static void intaking_next(struct intaking *t);

/* ---- a report of a mail ---- */

static json_t *text_lines(const struct mail *m)
{
	char *text = recognise_text(m, TEXT_KEPT);
	json_t *list = json_array();

	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, "\n");
		char *line = text_escaped(p, n, n);

		json_array_append_new(list, json_string(line));
		free(line);
		p += n + (p[n] == '\n');
	}
	free(text);
	return list;
}

static json_t *fresh_message(const struct mail *m, const char *data, size_t len, const char *origin, int64_t received)
{
	json_t *o = json_object();
	char hex[DIGEST_HEX];

	digest_of(data, len, hex);
	json_put(o, "id", m->id);
	json_put(o, "sha256", hex);
	json_put(o, "from", m->from);
	json_put(o, "subject", m->subject);
	json_put(o, "origin", origin);
	json_put_num(o, "received", received);
	json_put_num(o, "read", clock_now());
	json_object_set_new(o, "text", text_lines(m));
	return o;
}

static void fresh_begin(struct intaking *t, const char *data, size_t len, const char *origin, int64_t delivered)
{
	const struct intake_conf *c = &run_config(t->run)->intake;
	const char *channel = args_get(run_args(t->run), "channel"), *reporter = args_get(run_args(t->run), "reporter");
	json_t *o = json_object(), *hops = json_array();
	int64_t received;

	t->mail = mail_read(data, len);
	t->rec = recognise(t->mail, (const char *const *)c->keywords, c->keyword_count);
	received = t->typed ? delivered : receipt_of(t->mail, (const char *const *)c->hops, c->hop_count, delivered, clock_now(),
	    hops);
	json_put(o, "id", "");
	json_put(o, "state", "open");
	json_put(o, "channel", channel != NULL ? channel : "problem-report");
	json_put(o, "subject", t->mail->subject);
	json_put(o, "from", reporter != NULL ? reporter : t->mail->from);
	json_put_num(o, "received", received);
	json_put_num(o, "read", clock_now());
	json_put_num(o, "alert", 1);
	json_object_set_new(o, "hops", hops);
	json_object_set_new(o, "faults", json_array());
	for (size_t i = 0; i < t->mail->faults; i++)
		json_array_append_new(json_object_get(o, "faults"), json_string(_(t->mail->fault[i])));
	json_object_set(o, "found", t->rec->found);
	json_object_set_new(o, "messages", json_array());
	json_array_append_new(json_object_get(o, "messages"), fresh_message(t->mail, data, len, origin, received));
	t->fresh = o;
}

/* ---- matching, in a child ---- */

static json_t *texts_of(const struct recognised *rec, const char *a, const char *b)
{
	json_t *list = json_array();
	const json_t *v;
	size_t i;

	json_array_foreach(rec->found, i, v)
		if (strcmp(json_str(v, "kind"), a) == 0 || (b != NULL && strcmp(json_str(v, "kind"), b) == 0))
			json_array_append(list, json_object_get(v, "text"));
	return list;
}

/* The octets for the child, in a file that lies on no disk. -1 where there is none to be made. */
static int blobs_file(const struct recognised *rec, json_t *blobs)
{
	int fd = memfd_create("sev1-report", MFD_CLOEXEC);
	int64_t at = 0;

	for (size_t i = 0; fd >= 0 && i < rec->blobs; i++) {
		const struct blob *b = &rec->blob[i];

		if (fs_put(fd, b->der.data, b->der.len) < 0) {
			close(fd);
			return -1;
		}
		json_array_append_new(blobs, json_pack("{s:I,s:I,s:s}", "at", (json_int_t)at, "len", (json_int_t)b->der.len,
		    "where", ""));
		json_put(json_array_get(blobs, i), "where", b->where);
		at += (int64_t)b->der.len;
	}
	return fd;
}

static size_t matched_by(const json_t *matches, const char *status, bool host)
{
	const json_t *v, *by;
	size_t i, n = 0;

	json_array_foreach(matches, i, v) {
		by = json_object_get(v, "by");
		if (status != NULL ? strcmp(json_str(v, "status"), status) == 0 :
		    (json_array_size(by) == 1 && strcmp(json_string_value(json_array_get(by, 0)), "host") == 0) == host)
			n++;
	}
	return n;
}

/* Points for what the CA's own records say. Without a word about revocation, a certificate of ours is not yet a request. */
static void matched_score(struct recognised *rec, const json_t *result)
{
	const json_t *matches = json_list(result, "matches"), *v;
	size_t named = matched_by(matches, NULL, false), hosts = matched_by(matches, NULL, true), proved = 0, foreign = 0, i;
	int room = rec->words ? 4 : recognised_room(rec) - rec->score;

	json_array_foreach(json_list(result, "keys"), i, v)
		if (strcmp(json_str(v, "kind"), "private-key") == 0) {
			proved += json_num(v, "certificates", 0) > 0;
			foreign += json_num(v, "certificates", 0) == 0;
		}
	if (proved > 0)
		recognised_why(rec, REPORT_HIGH_AT, _("a private key is proved to be that of certificates of ours (%zu keys)"), proved);
	else if (foreign > 0 && json_array_size(json_list(result, "errors")) == 0)
		recognised_why(rec, -8, "%s", _("the private key is on none of our certificates"));
	if (matched_by(matches, "ca", false) > 0)
		recognised_why(rec, REPORT_HIGH_AT, "%s", _("a key of a CA itself"));
	if (matched_by(matches, "unknown", false) > 0)
		recognised_why(rec, REPORT_HIGH_AT, "%s", _("a certificate that a CA of ours signed and its index does not know"));
	if (named > 0 && room > 0)
		recognised_why(rec, room < 4 ? room : 4, _("names certificates of ours (%zu)"), named);
	if (hosts > 0 && (rec->words || rec->hint))
		recognised_why(rec, 3, _("names hosts of certificates of ours (%zu)"), hosts);
	recognised_settle(rec);
}

/* ---- into the store ---- */

static void stored_say(struct intaking *t, const json_t *report, bool joined)
{
	char at[24], late[40];

	run_out(t->run, joined ? _("%s %-8s joined: %s") : _("%s %-8s %s"), json_str(report, "id"), intake_word(report, "level"),
	    json_str(t->fresh, "subject"));
	run_out(t->run, _("  first received %s, %s ago, from %s"), clock_iso(at, sizeof at, json_num(report, "received", 0)),
	    clock_span(late, sizeof late, clock_now() - json_num(report, "received", 0)), json_str(report, "from"));
	json_array_append_new(json_object_get(run_result(t->run), "reports"), json_copy((json_t *)report));
}

/* Under the lock: join what it belongs to, or add it. 0 or an error. */
static int stored(struct intaking *t, enum report_level level, struct err *e)
{
	const char *state = engine_state(run_engine(t->run));
	int lock = intake_lock(state, e), rc = lock, same = 0;
	json_t *all = lock >= 0 ? intake_load(state, e) : NULL, *old = NULL;

	if (all != NULL)
		old = intake_join(all, t->fresh, t->mail->references, &same);
	if (lock < 0) {
		;
	} else if (same) {
		t->known++;
		rc = 0;
	} else if (old != NULL) {
		if (intake_merge(old, t->fresh))
			json_put_num(old, "alert", json_num(old, "alert", 0) + 1);
		t->joined++;
		if ((rc = intake_save(state, old, e)) == 0)
			stored_say(t, old, true);
	} else if (level != REPORT_ORDINARY || t->typed) {
		intake_log(t->fresh, t->typed ? _("typed in") : _("read from %s"),
		    json_str(json_array_get(json_object_get(t->fresh, "messages"), 0), "origin"));
		if ((rc = intake_save(state, t->fresh, e)) == 0)
			stored_say(t, t->fresh, false);
	}
	t->high += level == REPORT_HIGH && !same && old == NULL;
	t->doubtful += level == REPORT_DOUBTFUL && !same && old == NULL;
	t->ordinary += level == REPORT_ORDINARY && !same && old == NULL;
	json_decref(all);
	if (lock >= 0)
		close(lock);
	return rc < 0 ? rc : 0;
}

static void fresh_end(struct intaking *t)
{
	enum report_level level = recognised_level(t->rec);
	struct err e = { 0 };
	int rc;

	json_put(t->fresh, "level", report_level_name(level));
	json_put_num(t->fresh, "score", t->rec->score);
	json_object_set(t->fresh, "why", t->rec->why);
	grounds_keep(t->fresh);
	rc = stored(t, level, &e);
	intaking_drop(t);
	if (rc < 0)
		run_fail(t->run, &e);
	else
		intaking_next(t);
}

static void match_done(void *ctx, const json_t *result, const struct err *err)
{
	static const char *const names[] = { "certificates", "keys", "unreadable", "matches", "errors" };
	struct intaking *t = ctx;
	json_t *o;

	for (size_t i = 0; result != NULL && i < sizeof names / sizeof names[0]; i++)
		json_object_set(t->fresh, names[i], json_object_get(result, names[i]));
	if (result != NULL) {
		matched_score(t->rec, result);
	} else { /* what cannot be looked at is no reason to leave the report lying */
		o = json_object();
		json_put(o, "ca", "");
		json_put(o, "text", err->text);
		json_object_set_new(t->fresh, "errors", json_pack("[o]", o));
		run_say(t->run, _("not matched: %s"), err->text);
	}
	fresh_end(t);
}

static bool match_wanted(const struct recognised *rec)
{
	return rec->blobs > 0 || recognised_count(rec, "serial") + recognised_count(rec, "number") +
	    recognised_count(rec, "fingerprint") +
	    recognised_count(rec, "key-hash") > 0 || ((rec->words || rec->hint) && recognised_count(rec, "host") > 0);
}

static void match_start(struct intaking *t)
{
	const struct config *c = run_config(t->run);
	json_t *blobs = json_array(), *cas = json_array(), *request;
	int fd = t->rec->blobs > 0 ? blobs_file(t->rec, blobs) : -1;

	for (size_t i = 0; i < c->cas; i++)
		json_array_append_new(cas, ca_request(c, c->ca[i].name));
	request = json_pack("{s:s,s:i,s:o,s:o,s:o,s:o,s:o,s:I}", "op", "report", "fd", fd, "blobs", blobs, "serials",
	    texts_of(t->rec, "serial", "number"), "hashes", texts_of(t->rec, "fingerprint", "key-hash"), "hosts",
	    t->rec->words || t->rec->hint ? texts_of(t->rec, "host", NULL) : json_array(), "cas", cas, "at", (json_int_t)clock_now());
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0); /* for this child only */
	run_child(t->run, "ca", request, MATCH_DEADLINE_S, NULL, match_done, t);
	if (fd >= 0)
		close(fd);
}

/* ---- reading ---- */

static void summary_end(struct run *r, size_t left)
{
	bool nobody = config_notice(run_config(r), "intake") == NULL, fresh = json_num(run_result(r), "high", 0) > 0;

	if (left > 0 && nobody)
		run_say(r, _("%zu high-priority reports, and nobody is told: there is no [notice intake] in %s"), left,
		    run_config(r)->path);
	else if (left > 0)
		run_say(r, _("%zu recipients were not reached; the next sev1 intake tries again"), left);
	run_end(r, left > 0 && (fresh || !nobody) ? EXIT_PARTIAL : EXIT_DONE);
}

static void intaking_end(struct intaking *t)
{
	struct run *r = t->run;
	json_t *o = run_result(r);

	if (!t->typed)
		run_out(r, _("%zu mails: %zu high, %zu doubtful, %zu ordinary, %zu joined, %zu known already"), t->read, t->high,
		    t->doubtful, t->ordinary, t->joined, t->known);
	json_put_num(o, "read", (int64_t)t->read);
	json_put_num(o, "high", (int64_t)t->high);
	json_put_num(o, "doubtful", (int64_t)t->doubtful);
	json_put_num(o, "ordinary", (int64_t)t->ordinary);
	json_put_num(o, "joined", (int64_t)t->joined);
	json_put_num(o, "known", (int64_t)t->known);
	if (args_has(run_args(r), "no-route"))
		run_end(r, EXIT_DONE);
	else
		intake_route(r, summary_end);
}

static void intaking_match(struct intaking *t)
{
	if (match_wanted(t->rec))
		match_start(t);
	else
		fresh_end(t);
}

static void intaking_step(void *ctx)
{
	struct intaking *t = ctx;
	const struct mbox_mail *m;
	struct err e = { 0 };

	t->timer = 0;
	if ((m = mbox_next(t->mbox, &e)) == NULL) {
		if (e.code != 0)
			run_fail(t->run, &e);
		else
			intaking_end(t);
		return;
	}
	t->read++;
	fresh_begin(t, buf_str(&m->data), m->data.len, m->origin, m->delivered);
	if (m->cut)
		json_array_append_new(json_object_get(t->fresh, "faults"), json_string(_("larger than max-size: the rest was not read")));
	intaking_match(t);
}

/* One mail a turn of the loop: the console goes on meanwhile. */
static void intaking_next(struct intaking *t)
{
	if (t->typed)
		intaking_end(t);
	else
		t->timer = loop_after(engine_loop(run_engine(t->run)), 0, intaking_step, t);
}

static struct intaking *intaking_new(struct run *r)
{
	struct intaking *t = mem_zalloc(1, sizeof *t);

	secret_harden(); /* before a mail is read: there may be a key in it */
	t->run = r;
	run_set_data(r, t, intaking_free);
	json_object_set_new(run_result(r), "reports", json_array());
	return t;
}

void intake_read(struct run *r, const char *path)
{
	struct intaking *t;
	struct err e = { 0 };

	if (path == NULL)
		path = run_config(r)->intake.source;
	if (path == NULL) {
		err_set(&e, ERR_USAGE, _("intake: read from where?"));
		err_remedy(&e, _("name a file, an mbox or a Maildir, or - for standard input; or set source in [intake]"));
	} else if (strcmp(path, "-") == 0 && engine_is_console(run_engine(r))) {
		err_set(&e, ERR_USAGE, _("intake: in the console there is no standard input to read"));
	}
	if (e.code != 0) {
		run_fail(r, &e);
		return;
	}
	t = intaking_new(r);
	if ((t->mbox = mbox_open(path, (size_t)run_config(r)->intake.max_size * MIB, &e)) == NULL)
		run_fail(r, &e);
	else
		intaking_next(t);
}

void intake_typed(struct run *r, const char *mail, int64_t at)
{
	struct intaking *t = intaking_new(r);

	t->typed = true;
	fresh_begin(t, mail, strlen(mail), _("typed in"), at);
	intaking_match(t);
}
