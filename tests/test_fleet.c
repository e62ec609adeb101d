/* A fleet over a fake transport: peers that answer at once or late, die, hang, lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/loop.h"
#include "fleet/fleet.h"


/* A peer; how a host behaves is in its name. */
struct fake {
	struct fake *next;
	enum fleet_peer kind;
	size_t slot;
	json_t *queue; /* messages to it, not yet looked at */
	bool scheduled, dead, finished;
	char *why;
};

static struct loop *loop;
static struct fleet *fleet;
static struct fake *fakes;
static struct buf told; /* waves: "+0 -0 " */
static bool pause_at_wave;
static size_t starts[FLEET_PEERS], running, most_running, rows, issued, installs;
static bool is_over;
static struct err over;
static int ca_deaths; /* how often the CA dies when it is asked */
static int probe_deaths;

static void fake_later(struct fake *p);

static json_t *about(const char *word, const char *id, const char *key, const char *value)
{
	json_t *o = json_pack("{s:s}", "id", id);

	if (key != NULL)
		json_put(o, key, value);
	return json_pack("{s:o}", word, o);
}

static void hear(struct fake *p, json_t *msg)
{
	fleet_hear(fleet, p->kind, p->slot, msg);
	json_decref(msg);
}

static void fake_die(struct fake *p, const char *why)
{
	struct err e = { 0 };

	if (p->dead)
		return;
	p->dead = true;
	running -= p->kind == FLEET_SSH;
	err_set(&e, ERR_FAILED, "%s", why);
	fleet_gone(fleet, p->kind, p->slot, &e);
}

static void hear_end(struct fake *p, const char *id, const char *phase, const char *state, const char *detail)
{
	json_t *msg = about("host", id, "state", state);

	json_put(json_object_get(msg, "host"), "phase", phase);
	json_put(json_object_get(msg, "host"), "detail", detail);
	hear(p, msg);
}

static void fake_order(struct fake *p, const json_t *msg)
{
	const char *id = json_str(msg, "id"), *name = json_str(json_object_get(msg, "host"), "name");

	hear(p, about("phase", id, "phase", "connect"));
	if (strncmp(name, "hang", 4) == 0)
		return;
	if (strncmp(name, "die", 3) == 0)
		fake_die(p, "the ssh child died of signal 11");
	else if (strncmp(name, "gone", 4) == 0)
		hear_end(p, id, "connect", "unreachable", "no answer in 10 s");
	else
		hear(p, about("csr", id, "csr", name));
}

static void fake_ssh(struct fake *p, const json_t *msg)
{
	const json_t *o;

	if (json_object_get(msg, "host") != NULL) {
		fake_order(p, msg);
	} else if ((o = json_object_get(msg, "install")) != NULL) {
		installs++;
		assert_string_equal(json_str(o, "certificate"), "PEM");
		hear(p, about("phase", json_str(o, "id"), "phase", "install"));
		hear(p, about("installed", json_str(o, "id"), NULL, NULL));
	} else if ((o = json_object_get(msg, "stop")) != NULL) {
		hear_end(p, json_str(o, "id"), "issue", "refused", json_str(o, "text"));
	} else if ((o = json_object_get(msg, "verdict")) != NULL) {
		if (json_bool(o, "ok"))
			hear_end(p, json_str(o, "id"), "verify", "verified", "");
		else
			hear_end(p, json_str(o, "id"), "rollback", "rolled back", json_str(o, "text"));
	}
}

static void fake_ca(struct fake *p, const json_t *msg)
{
	const char *csr = json_str(msg, "csr");

	if (ca_deaths > 0) {
		ca_deaths--;
		fake_die(p, "the ca child died of signal 9");
	} else if (strncmp(csr, "weak", 4) == 0) {
		hear(p, about("refused", json_str(msg, "id"), "text", "RSA 1024 is too weak"));
	} else {
		json_t *o = about("issued", json_str(msg, "id"), "certificate", "PEM");
		json_put(json_object_get(o, "issued"), "fingerprint", csr);
		json_put(json_object_get(o, "issued"), "chain", "ISSUER");
		issued++;
		hear(p, o);
	}
}

static void fake_probe(struct fake *p, const json_t *msg)
{
	json_t *o;
	bool ok = strncmp(json_str(msg, "name"), "old", 3) != 0;
	bool talks = strncmp(json_str(msg, "name"), "mail", 4) == 0;

	/* a mail server may hold back its greeting for 6 s */
	assert_in_range(json_num(msg, "timeout_s", 0), talks ? 8 : 1, talks ? 15 : 3);
	if (probe_deaths > 0) {
		probe_deaths--;
		fake_die(p, "the probe child died of signal 9");
		return;
	}
	assert_string_equal(json_str(msg, "fingerprint"), json_str(msg, "name"));
	assert_string_equal(json_str(msg, "chain"), "ISSUER");
	o = about("tls", json_str(msg, "id"), "detail", ok ? "serial 5D" : "presents another certificate");
	json_object_set_new(json_object_get(o, "tls"), "ok", json_boolean(ok));
	hear(p, o);
}

/* Peers answer from the loop, as real ones do. */
static void fake_work(void *ctx)
{
	struct fake *p = ctx;
	json_t *msg;

	p->scheduled = false;
	if (p->why != NULL) {
		fake_die(p, p->why);
		return;
	}
	if (p->dead || json_array_size(p->queue) == 0)
		return;
	msg = json_incref(json_array_get(p->queue, 0));
	json_array_remove(p->queue, 0);
	if (p->kind == FLEET_SSH)
		fake_ssh(p, msg);
	else if (p->kind == FLEET_CA)
		fake_ca(p, msg);
	else
		fake_probe(p, msg);
	json_decref(msg);
	if (json_array_size(p->queue) > 0)
		fake_later(p);
}

static void fake_later(struct fake *p)
{
	if (!p->scheduled)
		loop_after(loop, 0, fake_work, p);
	p->scheduled = true;
}

static void *transport_start(void *ctx, enum fleet_peer kind, size_t slot)
{
	struct fake *p = calloc(1, sizeof *p);

	(void)ctx;
	*p = (struct fake){ .next = fakes, .kind = kind, .slot = slot, .queue = json_array() };
	fakes = p;
	starts[kind]++;
	if (kind == FLEET_SSH && ++running > most_running)
		most_running = running;
	return p;
}

static void transport_send(void *ctx, void *handle, json_t *msg)
{
	struct fake *p = handle;

	(void)ctx;
	assert_false(p->finished);
	json_array_append_new(p->queue, msg);
	fake_later(p);
}

static void transport_finish(void *ctx, void *handle)
{
	(void)ctx;
	((struct fake *)handle)->finished = true;
}

static void transport_kill(void *ctx, void *handle, const char *why)
{
	struct fake *p = handle;

	(void)ctx;
	p->why = strdup(why);
	fake_later(p);
}

static json_t *job_order(void *ctx, size_t i)
{
	(void)ctx;
	return json_pack("{s:{s:s}, s:[s]}", "host", "name", fleet_host(fleet, i)->name, "names",
	    fleet_host(fleet, i)->name);
}

static json_t *job_probe(void *ctx, size_t i)
{
	(void)ctx;
	const char *name = fleet_host(fleet, i)->name;

	return json_pack("{s:s, s:s}", "name", name, "starttls", strncmp(name, "mail", 4) == 0 ? "smtp" : "");
}

static void job_row(void *ctx, size_t i, const struct host *h, const json_t *result)
{
	(void)ctx;
	(void)result;
	assert_ptr_equal(h, fleet_host(fleet, i));
	rows++;
}

static void job_ended(void *ctx, const struct err *err)
{
	(void)ctx;
	assert_false(is_over);
	is_over = true;
	over = err != NULL ? *err : (struct err){ 0 };
	loop_stop(loop);
}

static void job_wave(void *ctx, size_t i, bool ended)
{
	(void)ctx;
	buf_addf(&told, "%c%zu ", ended ? '-' : '+', i);
	if (pause_at_wave && ended)
		fleet_pause(fleet, true);
}

static void begin_in(size_t concurrency, int timeout_s, const struct waves *waves, long failed, long gone,
    long refused)
{
	struct fleet_job job = {
		.transport = { transport_start, transport_send, transport_finish, transport_kill },
		.order = job_order, .probe = job_probe, .row = job_row, .ended = job_ended,
		.concurrency = concurrency, .timeout_s = timeout_s, .wave = job_wave, .waves = waves,
		.limit = { [FLEET_FAILED] = failed, [FLEET_UNREACHABLE] = gone, [FLEET_REFUSED] = refused } };

	buf_clear(&told);
	pause_at_wave = false;
	loop = loop_new();
	fleet = fleet_new(loop, &job);
	memset(starts, 0, sizeof starts);
	running = most_running = rows = issued = installs = 0;
	is_over = false;
	ca_deaths = probe_deaths = 0;
}

static void begin(size_t concurrency, int timeout_s)
{
	begin_in(concurrency, timeout_s, NULL, FLEET_NO_LIMIT, FLEET_NO_LIMIT, FLEET_NO_LIMIT);
}

static void finish(void)
{
	buf_free(&told);
	fleet_free(fleet);
	loop_free(loop);
	while (fakes != NULL) {
		struct fake *next = fakes->next;
		json_decref(fakes->queue);
		free(fakes->why);
		free(fakes);
		fakes = next;
	}
}

static enum host_state state_of(const char *name)
{
	for (size_t i = 0; fleet_host(fleet, i) != NULL; i++)
		if (strcmp(fleet_host(fleet, i)->name, name) == 0)
			return fleet_host(fleet, i)->state;
	fail_msg("no host %s", name);
	return HOST_FAILED;
}

static void test_all_good(void **state)
{
	struct fleet_counts c;
	char name[32];

	(void)state;
	begin(8, 60);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "%s%03d", i % 100 == 7 ? "mail" : "web", i);
		fleet_add(fleet, name);
	}
	fleet_start(fleet);
	loop_run(loop);
	fleet_count(fleet, &c);
	assert_int_equal(c.total, 500);
	assert_int_equal(c.state[HOST_VERIFIED], 500);
	assert_int_equal(over.code, 0);
	assert_int_equal(issued, 500);
	assert_true(rows >= 1000);
	assert_int_equal(most_running, 8);
	assert_int_equal(starts[FLEET_SSH], 8);
	assert_int_equal(starts[FLEET_CA], 1);
	for (struct fake *p = fakes; p != NULL; p = p->next)
		assert_true(p->finished);
	finish();
}

static void test_each_its_own(void **state)
{
	(void)state;
	begin(2, 60);
	for (const char *const *n = (const char *const[]){ "web1", "die1", "weak1", "gone1", "die2", "old1",
	         "web2", NULL }; *n != NULL; n++)
		fleet_add(fleet, *n);
	fleet_start(fleet);
	loop_run(loop);
	assert_int_equal(state_of("web1"), HOST_VERIFIED);
	assert_int_equal(state_of("web2"), HOST_VERIFIED);
	assert_int_equal(state_of("weak1"), HOST_REFUSED);
	assert_string_equal(fleet_host(fleet, 2)->detail, "RSA 1024 is too weak");
	assert_int_equal(state_of("gone1"), HOST_UNREACHABLE);
	assert_int_equal(state_of("die1"), HOST_FAILED);
	assert_string_equal(fleet_host(fleet, 1)->detail, "the ssh child died of signal 11");
	assert_int_equal(state_of("die2"), HOST_FAILED);
	assert_int_equal(state_of("old1"), HOST_ROLLED_BACK);
	assert_int_equal(issued, 3);
	/* two that died were replaced */
	assert_int_equal(starts[FLEET_SSH], 4);
	assert_int_equal(most_running, 2);
	finish();
}

static void test_deadline(void **state)
{
	(void)state;
	begin(2, 0); /* the deadline is its grace of 2 s alone */
	fleet_add(fleet, "hang1");
	fleet_add(fleet, "web1");
	fleet_add(fleet, "web2");
	fleet_start(fleet);
	loop_run(loop);
	assert_int_equal(state_of("hang1"), HOST_FAILED);
	assert_non_null(strstr(fleet_host(fleet, 0)->detail, "not done within 0 s; stopped in phase connect"));
	assert_int_equal(state_of("web1"), HOST_VERIFIED);
	assert_int_equal(state_of("web2"), HOST_VERIFIED);
	assert_true(fleet_host(fleet, 0)->ms >= 1900);
	finish();
}

static void test_ca_dies_once(void **state)
{
	char name[32];

	(void)state;
	begin(16, 60);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "web%03d", i);
		fleet_add(fleet, name);
	}
	ca_deaths = 2;
	probe_deaths = 2;
	fleet_start(fleet);
	loop_run(loop);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(fleet_host(fleet, i)->state, HOST_VERIFIED);
	assert_int_equal(starts[FLEET_CA], 3);
	assert_int_equal(starts[FLEET_PROBE], 3);
	/* asked again, installed once */
	assert_int_equal(installs, 40);
	finish();
}

static void test_ca_dies_for_good(void **state)
{
	struct fleet_counts c;
	char name[32];

	(void)state;
	begin(4, 60);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "web%03d", i);
		fleet_add(fleet, name);
	}
	ca_deaths = 1000;
	fleet_start(fleet);
	loop_run(loop);
	fleet_count(fleet, &c);
	assert_int_equal(over.code, ERR_FAILED);
	assert_string_equal(over.text, "the ca child died of signal 9");
	assert_int_equal(c.state[HOST_REFUSED], 4); /* those on their way */
	assert_int_equal(c.state[HOST_WAITING], 36); /* the rest was left alone */
	assert_int_equal(installs, 0);
	finish();
}

static void test_probe_dies_for_good(void **state)
{
	(void)state;
	begin(1, 60);
	fleet_add(fleet, "web1");
	probe_deaths = 1000;
	fleet_start(fleet);
	loop_run(loop);
	/* without a handshake nothing stays installed */
	assert_int_equal(state_of("web1"), HOST_ROLLED_BACK);
	finish();
}

static void drain(void *ctx)
{
	(void)ctx;
	fleet_drain(fleet);
}

static void test_drain(void **state)
{
	struct fleet_counts c;

	(void)state;
	begin(2, 60);
	fleet_add(fleet, "web1");
	fleet_add(fleet, "web2");
	fleet_add(fleet, "web3");
	fleet_add(fleet, "web4");
	loop_after(loop, 0, drain, NULL);
	fleet_start(fleet);
	loop_run(loop);
	fleet_count(fleet, &c);
	assert_int_equal(c.state[HOST_VERIFIED], 2);
	assert_int_equal(c.state[HOST_WAITING], 2);
	finish();
}

static void add_all(const char *names)
{
	char *all = strdup(names);

	for (char *n = strtok(all, " "); n != NULL; n = strtok(NULL, " "))
		fleet_add(fleet, n);
	free(all);
}

static struct waves cut(const char *spec, size_t canaries, size_t total)
{
	struct waves w;
	struct err e = { 0 };

	assert_int_equal(waves_cut(&w, spec, canaries, total, &e), 0);
	return w;
}

static void test_waves(void **state)
{
	struct waves w = cut("2,rest", 1, 7);

	(void)state;
	begin_in(4, 60, &w, FLEET_NO_LIMIT, FLEET_NO_LIMIT, FLEET_NO_LIMIT);
	waves_clear(&w);
	add_all("web1 web2 die1 web4 web5 gone1 web7");
	fleet_start(fleet);
	assert_int_equal(fleet_host(fleet, 0)->state, HOST_RUNNING);
	assert_int_equal(fleet_host(fleet, 1)->state, HOST_WAITING);
	loop_run(loop);
	assert_string_equal(buf_str(&told), "+0 -0 +1 -1 +2 -2 ");
	assert_int_equal(over.code, 0);
	assert_int_equal(state_of("web7"), HOST_VERIFIED);
	finish();
}

static void test_canary(void **state)
{
	struct waves w = cut(NULL, 2, 5);
	struct fleet_counts c;

	(void)state;
	begin_in(4, 60, &w, 100, 100, 100);
	waves_clear(&w);
	add_all("web1 gone1 web2 web3 web4");
	fleet_start(fleet);
	loop_run(loop);
	fleet_count(fleet, &c);
	assert_string_equal(buf_str(&told), "+0 ");
	assert_string_equal(over.text, "the canary gone1 is not verified: unreachable");
	assert_int_equal(c.state[HOST_VERIFIED], 1);
	assert_int_equal(c.state[HOST_WAITING], 3);
	finish();
}

/* Counted apart: two kinds may be at their limits and a third below, and all goes on. */
static void test_limits(void **state)
{
	struct fleet_counts c;

	(void)state;
	begin_in(1, 60, NULL, 2, 1, 1);
	add_all("old1 die1 gone1 weak1 web1 old2 web2 web3");
	fleet_start(fleet);
	loop_run(loop);
	fleet_count(fleet, &c);
	assert_string_equal(over.text, "failed or rolled back: 3, with --max-failed 2");
	assert_int_equal(c.state[HOST_VERIFIED], 1);
	assert_int_equal(c.state[HOST_WAITING], 2);
	finish();
	begin_in(1, 60, NULL, FLEET_NO_LIMIT, 0, FLEET_NO_LIMIT);
	add_all("old1 weak1 web1 gone1 web2");
	fleet_start(fleet);
	loop_run(loop);
	assert_string_equal(over.text, "unreachable: 1, with --max-unreachable 0");
	assert_int_equal(state_of("web2"), HOST_WAITING);
	finish();
	begin_in(1, 60, NULL, FLEET_NO_LIMIT, FLEET_NO_LIMIT, 0);
	add_all("web1 weak1 web2");
	fleet_start(fleet);
	loop_run(loop);
	assert_string_equal(over.text, "refused: 1, with --max-refused 0");
	finish();
}

static void unpause(void *ctx)
{
	(void)ctx;
	assert_int_equal(state_of("web2"), HOST_WAITING);
	assert_false(is_over);
	pause_at_wave = false;
	fleet_pause(fleet, false);
}

static void test_pause(void **state)
{
	struct waves w = cut("1,rest", 0, 3);

	(void)state;
	begin_in(4, 60, &w, 0, 0, 0);
	waves_clear(&w);
	add_all("web1 web2 web3");
	pause_at_wave = true;
	fleet_start(fleet);
	loop_after(loop, 300, unpause, NULL);
	loop_run(loop);
	assert_int_equal(state_of("web2"), HOST_VERIFIED);
	assert_int_equal(state_of("web3"), HOST_VERIFIED);
	assert_int_equal(starts[FLEET_SSH], 2);
	finish();
}

static void test_skip(void **state)
{
	struct waves w = cut("1,2,rest", 0, 4);

	(void)state;
	begin_in(4, 60, &w, 0, 0, 0);
	waves_clear(&w);
	add_all("web1 die2 die3 web4");
	fleet_start(fleet);
	assert_false(fleet_skip(fleet, "web1", "too late"));
	assert_false(fleet_skip(fleet, "nobody", "unknown"));
	assert_true(fleet_skip(fleet, "die2", "out of service"));
	assert_true(fleet_skip(fleet, "die3", "out of service"));
	assert_false(fleet_skip(fleet, "die3", "again"));
	loop_run(loop);
	assert_int_equal(state_of("die2"), HOST_SKIPPED);
	assert_string_equal(fleet_host(fleet, 1)->detail, "out of service");
	assert_int_equal(state_of("web4"), HOST_VERIFIED);
	assert_int_equal(over.code, 0);
	finish();
}

static void abort_all(void *ctx)
{
	(void)ctx;
	fleet_abort(fleet, "stopped by the operator");
}

static void test_abort(void **state)
{
	struct fleet_counts c;

	(void)state;
	begin(2, 60);
	add_all("hang1 hang2 web3");
	loop_after(loop, 0, abort_all, NULL);
	fleet_start(fleet);
	loop_run(loop);
	fleet_count(fleet, &c);
	assert_int_equal(c.state[HOST_FAILED], 2);
	assert_int_equal(c.state[HOST_WAITING], 1);
	assert_string_equal(fleet_host(fleet, 0)->detail, "stopped by the operator in phase connect");
	assert_int_equal(over.code, 0);
	finish();
	/* paused, nothing runs: it ends there and then */
	begin(2, 60);
	add_all("web1");
	fleet_pause(fleet, true);
	fleet_start(fleet);
	assert_false(is_over);
	fleet_abort(fleet, "stopped by the operator");
	assert_true(is_over);
	assert_int_equal(state_of("web1"), HOST_WAITING);
	finish();
}

static void test_before(void **state)
{
	struct fleet_job job = {
		.transport = { transport_start, transport_send, transport_finish, transport_kill },
		.order = job_order, .probe = job_probe, .ended = job_ended, .concurrency = 1, .timeout_s = 60,
		.limit = { 3, FLEET_NO_LIMIT, FLEET_NO_LIMIT }, .before = { 3, 0, 0 } };

	(void)state;
	begin(1, 60);
	fleet_free(fleet);
	fleet = fleet_new(loop, &job);
	add_all("die1 web1");
	fleet_start(fleet);
	loop_run(loop);
	assert_string_equal(over.text, "failed or rolled back: 4, with --max-failed 3");
	finish();
}

/* What belongs to another host or to none is not heard. */
static void test_lies(void **state)
{
	struct fake ssh = { .kind = FLEET_SSH, .slot = 0 }, ca = { .kind = FLEET_CA };

	(void)state;
	begin(2, 60);
	fleet_add(fleet, "hang1");
	fleet_add(fleet, "hang2");
	fleet_start(fleet);
	hear(&ssh, about("csr", "1", "csr", "x"));
	assert_int_equal(fleet_host(fleet, 1)->phase, HOST_CONNECT);
	hear(&ssh, about("host", "1", "state", "verified"));
	assert_int_equal(fleet_host(fleet, 1)->state, HOST_RUNNING);
	hear(&ssh, about("host", "99", "state", "verified"));
	hear(&ssh, about("host", "-1", "state", "verified"));
	hear(&ssh, about("host", "", "state", "verified"));
	hear(&ssh, json_object());
	hear(&ssh, json_pack("{s:s}", "host", "x"));
	hear(&ca, about("issued", "0", "certificate", "PEM"));
	assert_int_equal(fleet_host(fleet, 0)->phase, HOST_CONNECT);
	hear(&ssh, about("host", "0", "state", "verified"));
	assert_int_equal(fleet_host(fleet, 0)->state, HOST_FAILED);
	finish();
}

static void test_words(void **state)
{
	struct fleet_counts c = { .total = 2000, .ms = 15000 };
	char *s;

	(void)state;
	c.state[HOST_VERIFIED] = 612;
	c.state[HOST_FAILED] = 2;
	c.state[HOST_ROLLED_BACK] = 1;
	c.state[HOST_RUNNING] = 64;
	c.state[HOST_WAITING] = 2000 - 612 - 3 - 64;
	s = fleet_words(&c);
	assert_string_equal(s, "612 of 2000 verified  41/s  ETA 00:34  failed 3");
	free(s);
	/* the last minute counts, not the slow first one */
	c = (struct fleet_counts){ .total = 200, .ms = 100000, .rate = 20 };
	c.state[HOST_VERIFIED] = 100;
	c.state[HOST_WAITING] = 99;
	c.state[HOST_SKIPPED] = 1;
	s = fleet_words(&c);
	assert_string_equal(s, "100 of 200 verified  20/s  ETA 00:05  skipped 1");
	free(s);
	c = (struct fleet_counts){ .total = 10, .ms = 0 };
	c.state[HOST_WAITING] = 10;
	s = fleet_words(&c);
	assert_string_equal(s, "0 of 10 verified");
	free(s);
	c = (struct fleet_counts){ .total = 10000, .ms = 3600000 };
	c.state[HOST_VERIFIED] = 1000;
	c.state[HOST_WAITING] = 8999;
	c.state[HOST_UNREACHABLE] = 1;
	s = fleet_words(&c);
	assert_string_equal(s, "1000 of 10000 verified  0.3/s  ETA 8:59:25  unreachable 1");
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_good),
		cmocka_unit_test(test_each_its_own),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_ca_dies_once),
		cmocka_unit_test(test_ca_dies_for_good),
		cmocka_unit_test(test_probe_dies_for_good),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_waves),
		cmocka_unit_test(test_canary),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
