/* The state as a fold over events: checkpoints close on evidence, clocks run from the right moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "incident/incident.h"
#include "incident/triage.h"

#define MINUTE 60000LL

static int64_t seq;

static int fold(struct incident *in, int64_t at, enum event_kind kind, const char *body, struct err *e)
{
	struct event ev = { .seq = ++seq, .at = at, .actor = (char *)"op", .kind = kind,
		.body = json_read(body, strlen(body), e) };
	int rc;

	assert_non_null(ev.body);
	rc = incident_apply(in, &ev, e);
	json_decref(ev.body);
	return rc;
}

static void ok(struct incident *in, int64_t minute, enum event_kind kind, const char *body)
{
	struct err e = { 0 };

	if (fold(in, minute * MINUTE, kind, body, &e) < 0)
		fail_msg("%s", e.text);
}

static struct incident *opened(void)
{
	struct incident *in = incident_new();

	seq = 0;
	ok(in, 0, EV_OPENED, "{\"id\":\"INC-1\",\"title\":\"\",\"kind\":\"real\",\"profile\":\"private\",\"declared\":0,"
	    "\"checkpoints\":["
	    "{\"n\":1,\"title\":\"Triage\",\"due\":15,\"command\":\"triage\",\"evidence\":\"scope-frozen\"},"
	    "{\"n\":2,\"title\":\"Offline\",\"due\":20,\"command\":\"contain\",\"evidence\":\"actions-held\"},"
	    "{\"n\":3,\"title\":\"Management\",\"due\":25,\"command\":\"notify management\",\"evidence\":\"notice:management\"},"
	    "{\"n\":4,\"title\":\"CRL\",\"due\":30,\"command\":\"revoke\",\"evidence\":\"crl-made\"},"
	    "{\"n\":5,\"title\":\"Published\",\"due\":35,\"command\":\"publish\",\"evidence\":\"crl-published\"},"
	    "{\"n\":8,\"title\":\"Recovery\",\"due\":60,\"command\":\"recover\",\"evidence\":\"reissue-verified\"}],"
	    "\"followups\":[{\"n\":1,\"title\":\"Forensic report\",\"due\":1440},{\"n\":2,\"title\":\"Authorities\",\"due\":-1}]}");
	return in;
}

static enum checkpoint_state state_of(const struct incident *in, int n)
{
	return incident_checkpoint(in, n)->state;
}

static void test_it_begins_with_opened(void **state)
{
	struct incident *in = incident_new();
	struct err e = { 0 };

	(void)state;
	seq = 0;
	assert_int_equal(fold(in, 0, EV_NOTE, "{\"text\":\"x\"}", &e), ERR_SYNTAX);
	incident_free(in);
}

static void test_clocks(void **state)
{
	struct incident *in = opened();

	(void)state;
	assert_int_equal(incident_rto_left(in, 13 * MINUTE), 47 * MINUTE);
	assert_true(incident_deadline_left(in, 0) == INT64_MIN);
	assert_true(incident_fuse_left(in, 0) == INT64_MIN);
	assert_int_equal(checkpoint_left(in, incident_checkpoint(in, 1), 20 * MINUTE), -5 * MINUTE);
	/* the deadline runs from first receipt, not from the declaration */
	ok(in, 10, EV_TRIAGE, "{\"ca\":\"issuing\",\"level\":\"intermediate\",\"compromise\":1,\"received\":-2100000,"
	    "\"trigger\":\"Intermediate compromised\",\"deadline\":84300000}");
	assert_int_equal(incident_deadline_left(in, 0), 84300000);
	assert_string_equal(in->title, "issuing: Intermediate compromised");
	assert_int_equal(in->followup[0].due, 1440 * MINUTE);
	assert_int_equal(in->followup[1].due, -1);
	incident_free(in);
}

static void test_scope_closes_triage_and_new_answers_unfreeze_it(void **state)
{
	struct incident *in = opened();

	(void)state;
	ok(in, 5, EV_TRIAGE, "{\"ca\":\"issuing\",\"level\":\"intermediate\"}");
	assert_int_equal(state_of(in, 1), CP_OPEN);
	ok(in, 11, EV_SCOPE, "{\"manifest\":\"aa\",\"count\":4812,\"cas\":[{\"ca\":\"issuing\",\"selected\":4811}],"
	    "\"own\":[{\"ca\":\"issuing\",\"issuer\":\"root\",\"serial\":\"02\"}]}");
	assert_int_equal(state_of(in, 1), CP_DONE);
	assert_int_equal(incident_checkpoint(in, 1)->done_at, 11 * MINUTE);
	assert_string_equal(incident_checkpoint(in, 1)->shown, "4 812 in scope");
	assert_true(in->scope_frozen);
	ok(in, 12, EV_TRIAGE, "{\"ca\":\"root\",\"level\":\"root\"}");
	assert_false(in->scope_frozen);
	incident_free(in);
}

static void test_containment(void **state)
{
	struct incident *in = opened();

	(void)state;
	ok(in, 1, EV_PLAN, "{\"command\":\"contain\",\"hash\":\"h\",\"phrase\":\"CONTAIN 3\",\"spec\":{\"actions\":["
	    "{\"id\":\"stop\",\"kind\":\"command\"},{\"id\":\"image\",\"kind\":\"image\"},{\"id\":\"lock\",\"kind\":\"keylock\"}]}}");
	assert_string_equal(incident_checkpoint(in, 2)->shown, "0 of 2 actions held");
	ok(in, 2, EV_ACTION_START, "{\"id\":\"stop\",\"kind\":\"command\"}");
	ok(in, 3, EV_ACTION_END, "{\"id\":\"stop\",\"outcome\":\"failed\",\"detail\":\"still active\"}");
	ok(in, 3, EV_ACTION_START, "{\"id\":\"image\",\"kind\":\"image\"}");
	assert_int_equal(state_of(in, 2), CP_OPEN);
	ok(in, 4, EV_ACTION_END, "{\"id\":\"stop\",\"outcome\":\"held\"}");
	assert_int_equal(state_of(in, 2), CP_DONE); /* the image runs, the lock waits */
	assert_string_equal(incident_checkpoint(in, 2)->shown, "2 of 2 actions held, image running");
	incident_free(in);
}

static void test_a_notice_needs_every_recipient(void **state)
{
	struct incident *in = opened();

	(void)state;
	ok(in, 1, EV_NOTICE_START, "{\"notice\":\"management\",\"to\":[\"a@x\",\"b@x\"]}");
	ok(in, 1, EV_NOTICE, "{\"notice\":\"management\",\"to\":\"a@x\",\"outcome\":\"accepted\"}");
	ok(in, 1, EV_NOTICE, "{\"notice\":\"management\",\"to\":\"b@x\",\"outcome\":\"failed\",\"detail\":\"550\"}");
	assert_int_equal(state_of(in, 3), CP_OPEN);
	ok(in, 2, EV_NOTICE_START, "{\"notice\":\"management\",\"to\":[\"b@x\"]}");
	ok(in, 2, EV_NOTICE, "{\"notice\":\"management\",\"to\":\"b@x\",\"outcome\":\"accepted\"}");
	assert_int_equal(state_of(in, 3), CP_DONE);
	assert_int_equal(incident_notice(in, "management")->failed, 0);
	incident_free(in);
}

static void test_every_crl_and_every_point(void **state)
{
	struct incident *in = opened();

	(void)state;
	ok(in, 1, EV_SCOPE, "{\"manifest\":\"aa\",\"count\":2,\"cas\":[{\"ca\":\"issuing\",\"selected\":1}],"
	    "\"own\":[{\"ca\":\"issuing\",\"issuer\":\"root\",\"serial\":\"02\"}]}");
	for (int i = 0; i < 2; i++) {
		const char *ca = i == 0 ? "issuing" : "root";
		char body[200];
		assert_int_equal(state_of(in, 4), CP_OPEN);
		snprintf(body, sizeof body, "{\"ca\":\"%s\",\"outcome\":\"done\",\"planned\":1,\"revoked\":1}", ca);
		ok(in, 2, EV_REVOKE_END, body);
		assert_int_equal(state_of(in, 4), CP_OPEN); /* revoked is not yet on a CRL */
		snprintf(body, sizeof body, "{\"ca\":\"%s\",\"number\":\"02\",\"entries\":1,\"sha256\":\"%s1\","
		    "\"next_update\":%lld,\"revoke\":true}", ca, ca, 60 * MINUTE + i);
		ok(in, 2, EV_CRL, body);
	}
	assert_int_equal(state_of(in, 4), CP_DONE);
	assert_int_equal(incident_fuse_left(in, 0), 60 * MINUTE);
	ok(in, 3, EV_PLAN, "{\"command\":\"publish\",\"hash\":\"p\",\"spec\":{\"points\":[{\"ca\":\"issuing\",\"point\":\"a\"},"
	    "{\"ca\":\"issuing\",\"point\":\"b\"},{\"ca\":\"root\",\"point\":\"c\"}]}}");
	ok(in, 3, EV_POINT, "{\"ca\":\"issuing\",\"point\":\"a\",\"state\":\"verified\",\"sha256\":\"issuing1\"}");
	ok(in, 3, EV_POINT, "{\"ca\":\"root\",\"point\":\"c\",\"state\":\"verified\",\"sha256\":\"root1\"}");
	ok(in, 3, EV_POINT, "{\"ca\":\"issuing\",\"point\":\"b\",\"state\":\"verified\",\"sha256\":\"older\"}");
	assert_int_equal(state_of(in, 5), CP_OPEN); /* it serves another CRL */
	assert_string_equal(incident_checkpoint(in, 5)->shown, "2 of 3 points serve it");
	ok(in, 4, EV_POINT, "{\"ca\":\"issuing\",\"point\":\"b\",\"state\":\"verified\",\"sha256\":\"issuing1\"}");
	assert_int_equal(state_of(in, 5), CP_DONE);
	incident_free(in);
}

static void revoked(struct incident *in, int stamp, const char *number)
{
	char body[200];

	snprintf(body, sizeof body, "{\"ca\":\"issuing\",\"plan\":\"p%d\",\"manifest\":\"m\",\"count\":1,\"stamp\":%d}", stamp, stamp);
	ok(in, 2, EV_REVOKE_START, body);
	snprintf(body, sizeof body, "{\"ca\":\"issuing\",\"number\":\"%s\",\"entries\":1,\"sha256\":\"sha%s\","
	    "\"next_update\":%lld,\"revoke\":true}", number, number, 60 * MINUTE);
	ok(in, 2, EV_CRL, body);
	ok(in, 2, EV_REVOKE_END, "{\"ca\":\"issuing\",\"outcome\":\"done\",\"planned\":1,\"revoked\":1}");
}

static void test_undone(void **state)
{
	struct incident *in = opened();

	(void)state;
	ok(in, 1, EV_UNDO_START, "{\"ca\":\"issuing\"}"); /* of nothing: passed over */
	ok(in, 1, EV_SCOPE, "{\"manifest\":\"aa\",\"count\":1,\"cas\":[{\"ca\":\"issuing\",\"selected\":1}]}");
	revoked(in, 1, "01");
	assert_int_equal(state_of(in, 4), CP_DONE);
	/* begun: its CRL is not to be published from now on, whatever becomes of it */
	ok(in, 3, EV_UNDO_START, "{\"ca\":\"issuing\"}");
	assert_int_equal(incident_revocation(in, "issuing")->state, REVOKE_UNDOING);
	assert_null(incident_crl(in, "issuing"));
	assert_int_equal(state_of(in, 4), CP_OPEN);
	ok(in, 3, EV_UNDO_END, "{\"ca\":\"issuing\",\"outcome\":\"failed\",\"detail\":\"why\"}");
	assert_int_equal(incident_revocation(in, "issuing")->state, REVOKE_FAILED);
	ok(in, 3, EV_UNDO_START, "{\"ca\":\"issuing\"}");
	ok(in, 3, EV_UNDO_END, "{\"ca\":\"issuing\",\"outcome\":\"done\"}");
	assert_int_equal(incident_revocation(in, "issuing")->state, REVOKE_UNDONE);
	assert_int_equal(state_of(in, 4), CP_OPEN);
	/* one that is published, and one after it that is not: the CRL of the first is the CA's again */
	revoked(in, 2, "02");
	assert_string_equal(incident_revocation(in, "issuing")->offered, "");
	ok(in, 4, EV_POINT_START, "{\"ca\":\"issuing\",\"point\":\"a\",\"sha256\":\"sha02\"}");
	assert_string_equal(incident_revocation(in, "issuing")->offered, "a");
	revoked(in, 3, "03");
	assert_string_equal(incident_revocation(in, "issuing")->offered, "");
	ok(in, 4, EV_POINT_START, "{\"ca\":\"issuing\",\"point\":\"a\",\"sha256\":\"sha02\"}"); /* the older one again */
	assert_string_equal(incident_revocation(in, "issuing")->offered, "");
	ok(in, 5, EV_UNDO_START, "{\"ca\":\"issuing\"}");
	ok(in, 5, EV_UNDO_END, "{\"ca\":\"issuing\",\"outcome\":\"done\"}");
	assert_string_equal(incident_crl(in, "issuing")->number, "02");
	assert_int_equal(state_of(in, 4), CP_OPEN);
	incident_free(in);
}

/* Rows are found by name however many there are. */
static void test_many_hosts(void **state)
{
	struct incident *in = opened();
	struct buf b = { 0 };
	char name[32];

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "%s\"web%05d\"", i > 0 ? "," : "{\"hosts\":[", i);
	buf_adds(&b, "]}");
	ok(in, 50, EV_REISSUE_START, buf_str(&b));
	ok(in, 50, EV_REISSUE_START, buf_str(&b)); /* started again: the same rows */
	assert_int_equal(in->hosts, 20000);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "web%05d", i);
		assert_ptr_equal(incident_host(in, name), &in->host[i]);
	}
	assert_null(incident_host(in, "web20000"));
	ok(in, 51, EV_HOST, "{\"rows\":[{\"host\":\"web19999\",\"state\":\"verified\"}]}");
	assert_string_equal(in->host[19999].state, "verified");
	buf_free(&b);
	incident_free(in);
}

static void test_recovery_and_closing_by_hand(void **state)
{
	struct incident *in = opened();
	struct err e = { 0 };

	(void)state;
	ok(in, 50, EV_ISSUER, "{\"name\":\"new\",\"fingerprint\":\"ff\"}");
	ok(in, 50, EV_REISSUE_START, "{\"hosts\":[\"web01\",\"web02\"]}");
	assert_int_equal(in->hosts, 2);
	ok(in, 51, EV_HOST, "{\"rows\":[{\"host\":\"web02\",\"state\":\"rolled back\",\"detail\":\"nginx -t\"}]}");
	assert_int_equal(state_of(in, 8), CP_OPEN);
	assert_int_equal(in->hosts_failed, 1);
	assert_null(in->host[1].phases);
	ok(in, 51, EV_HOST, "{\"rows\":[{\"host\":\"web02\",\"state\":\"failed\",\"phases\":\"connect 0 csr 12\",\"before\":"
	    "{\"serial\":\"1F\",\"fingerprint\":\"aa\",\"subject\":\"/CN=web02\",\"not_after\":7},\"output\":[\"one\",\"two\"]}]}");
	assert_string_equal(in->host[1].phases, "connect 0 csr 12");
	assert_string_equal(in->host[1].old_serial, "1F");
	assert_int_equal(in->host[1].old_not_after, 7);
	assert_string_equal(in->host[1].output, "one\ntwo");
	assert_int_equal(in->reissue_at, 50 * MINUTE);
	ok(in, 52, EV_HOST, "{\"rows\":[{\"host\":\"web01\",\"state\":\"verified\",\"serial\":\"0A\"}]}");
	assert_int_equal(state_of(in, 8), CP_DONE);
	ok(in, 53, EV_CHECKPOINT, "{\"n\":2,\"state\":\"by hand\",\"reason\":\"cable pulled\"}");
	assert_int_equal(state_of(in, 2), CP_BY_HAND);
	assert_string_equal(incident_checkpoint(in, 2)->shown, "cable pulled");
	ok(in, 54, EV_CHECKPOINT, "{\"n\":2,\"state\":\"reopened\",\"reason\":\"mistake\"}");
	assert_int_equal(state_of(in, 2), CP_OPEN);
	assert_int_equal(fold(in, 55 * MINUTE, EV_CHECKPOINT, "{\"n\":9,\"state\":\"waived\"}", &e), ERR_SYNTAX);
	assert_int_equal(incident_next(in)->n, 1);
	incident_free(in);
}

static void triage(const char *body, int want, const char *text)
{
	struct err e = { 0 };
	json_t *o = json_read(body, strlen(body), &e);

	assert_int_equal(triage_complete(o, "public-tls", NULL, &e), want);
	if (want < 0 && strstr(e.text, text) == NULL)
		fail_msg("'%s' does not say '%s'", e.text, text);
	json_decref(o);
}

static void deadline_is(const char *groups, int hours, bool hold)
{
	struct err e = { 0 };
	json_t *list = json_read(groups, strlen(groups), &e), *o = json_pack("{s:s,s:s,s:i,s:s,s:s,s:i,s:{s:o}}", "ca", "x",
	    "level", "end-entity", "compromise", 1, "channel", "phone", "reason", "cessationOfOperation", "received", 5,
	    "selectors", "groups", list);

	assert_int_equal(triage_complete(o, "public-tls", NULL, &e), 0);
	assert_int_equal(json_num(o, "deadline", 0), 5 + hours * 3600000LL);
	assert_int_equal(triage_holds(o), hold);
	json_decref(o);
}

static void test_triage_answers_come_from_closed_menus(void **state)
{
	const char *trigger, *action;

	(void)state;
	triage("{\"ca\":\"x\",\"level\":\"root\",\"compromise\":1,\"channel\":\"phone\",\"reason\":\"keyCompromise\",\"received\":5}",
	    0, "");
	triage("{\"ca\":\"x\",\"level\":\"ROOT\",\"compromise\":1,\"channel\":\"phone\",\"reason\":\"keyCompromise\",\"received\":5}",
	    ERR_USAGE, "'ROOT'");
	triage("{\"ca\":\"x\",\"level\":\"root\",\"compromise\":5,\"channel\":\"phone\",\"reason\":\"keyCompromise\",\"received\":5}",
	    ERR_USAGE, "1 to 4");
	triage("{\"ca\":\"x\",\"level\":\"root\",\"compromise\":1,\"channel\":\"phone\",\"reason\":\"removeFromCRL\",\"received\":5}",
	    ERR_USAGE, "removeFromCRL");
	triage("{\"ca\":\"x\",\"level\":\"end-entity\",\"compromise\":1,\"channel\":\"phone\",\"reason\":\"keyCompromise\",\"received\":5}",
	    ERR_USAGE, "selector");
	triage("{\"ca\":\"x\",\"level\":\"intermediate\",\"compromise\":1,\"channel\":\"phone\",\"reason\":\"superseded\",\"received\":5,"
	       "\"selectors\":{\"groups\":[{\"all\":true}]}}", ERR_USAGE, "selectors are for the level end-entity");
	/* the shortest deadline of the groups' reasons */
	deadline_is("[{\"reason\":\"superseded\"},{\"reason\":\"keyCompromise\"}]", 24, false);
	deadline_is("[{\"reason\":\"superseded\"},{\"all\":true}]", 5 * 24, false);
	deadline_is("[{\"reason\":\"certificateHold\"},{\"all\":true}]", 5 * 24, true);
	triage_trigger("end-entity", 4, &trigger, &action);
	assert_string_equal(trigger, "Critical vulnerability");
	triage_trigger("root", 1, &trigger, &action);
	assert_string_equal(action, "Rebuild the entire PKI");
	assert_int_equal(triage_deadline_hours("public-tls", "end-entity", "superseded"), 120);
	assert_int_equal(triage_deadline_hours("public-tls", "end-entity", "keyCompromise"), 24);
	assert_int_equal(triage_deadline_hours("private", "end-entity", "superseded"), 24);
}

/* Points are of one scope: the same one frozen again goes on with them, another begins anew. */
static void test_replacement_is_of_the_scope(void **state)
{
	struct incident *in = opened();

	(void)state;
	ok(in, 5, EV_TRIAGE, "{\"ca\":\"issuing\",\"level\":\"intermediate\"}");
	ok(in, 6, EV_SCOPE, "{\"manifest\":\"aa\",\"count\":10,\"cas\":[],\"own\":[]}");
	ok(in, 7, EV_ARI, "{\"state\":\"started\",\"folder\":\"/srv/ari\",\"files\":10}");
	assert_int_equal(in->ari.at, 0);
	ok(in, 8, EV_ARI, "{\"state\":\"written\",\"folder\":\"/srv/ari\",\"files\":10,\"sha256\":\"bb\"}");
	ok(in, 9, EV_REPLACED, "{\"total\":10,\"replaced\":1,\"seen\":0,\"unknown\":2}");
	ok(in, 12, EV_REPLACED, "{\"total\":10,\"replaced\":4,\"seen\":3,\"unknown\":2}");
	ok(in, 13, EV_SCOPE, "{\"manifest\":\"aa\",\"count\":10,\"cas\":[],\"own\":[]}");
	assert_int_equal(in->ari.at, 8 * MINUTE);
	assert_string_equal(in->ari.folder, "/srv/ari");
	assert_int_equal(in->replacements, 2);
	assert_int_equal(in->replaced[1].at, 12 * MINUTE);
	assert_int_equal(in->replaced[1].replaced, 4);
	assert_int_equal(in->replaced[1].seen, 3);
	ok(in, 14, EV_SCOPE, "{\"manifest\":\"cc\",\"count\":11,\"cas\":[],\"own\":[]}");
	assert_int_equal(in->replacements, 0);
	assert_int_equal(in->ari.at, 0);
	incident_free(in);
}

/* ---- waves ---- */

static void words_are(const struct rollout *r, const char *words)
{
	char *is = rollout_words(r);

	assert_string_equal(is, words);
	free(is);
}

/* A re-issue of a canary and two more, as far as its first rows. */
static struct incident *rolling(void)
{
	struct incident *in = opened();

	ok(in, 50, EV_REISSUE_START, "{\"hosts\":[\"c1\",\"w1\",\"w2\"],\"waves\":[{\"name\":\"canaries\",\"hosts\":1},"
	    "{\"name\":\"rest\",\"hosts\":2}],\"limits\":{\"failed\":3,\"unreachable\":-1,\"refused\":0}}");
	words_are(&in->rollout, "");
	ok(in, 51, EV_WAVE, "{\"wave\":1,\"waves\":2,\"name\":\"canaries\",\"state\":\"started\"}");
	ok(in, 52, EV_HOST, "{\"rows\":[{\"host\":\"c1\",\"state\":\"verified\"},{\"host\":\"w1\",\"state\":\"running\"}]}");
	return in;
}

static void test_rollout(void **state)
{
	struct incident *in = opened();
	const struct rollout *r = &in->rollout;

	(void)state;
	assert_int_equal(r->state, ROLLOUT_NONE);
	assert_int_equal(rollout_stands(in, false), ROLLOUT_NONE);
	ok(in, 50, EV_STEER, "{\"what\":\"pause\"}");
	assert_int_equal(r->state, ROLLOUT_NONE);
	incident_free(in);
	in = rolling();
	r = &in->rollout;
	assert_int_equal(r->state, ROLLOUT_GOING);
	assert_int_equal(r->waves, 2);
	assert_int_equal(r->failed, 3);
	assert_int_equal(r->unreachable, -1);
	assert_int_equal(r->refused, 0);
	assert_int_equal(incident_host(in, "w2")->wave, 2);
	words_are(r, "wave 1 of 2 (canaries)");
	assert_int_equal(r->wave[0].verified, 1);
	assert_true(incident_host(in, "c1")->tried);
	assert_false(incident_host(in, "w1")->tried);
	/* what runs is not skipped, what waits is */
	ok(in, 53, EV_STEER, "{\"what\":\"skip\",\"host\":\"w1\"}");
	ok(in, 53, EV_STEER, "{\"what\":\"skip\",\"host\":\"w2\",\"text\":\"out of service\"}");
	ok(in, 53, EV_STEER, "{\"what\":\"skip\",\"host\":\"nobody\"}");
	assert_string_equal(incident_host(in, "w1")->state, "running");
	assert_string_equal(incident_host(in, "w2")->state, "skipped");
	assert_string_equal(incident_host(in, "w2")->detail, "out of service");
	assert_int_equal(in->hosts_failed, 0);
	/* nobody runs it: w1 is still to be tried */
	assert_int_equal(rollout_stands(in, true), ROLLOUT_GOING);
	assert_int_equal(rollout_stands(in, false), ROLLOUT_INTERRUPTED);
	incident_free(in);
}

/* The operator's words and their order; what the journal of a killed run leaves is resumed. */
static void test_rollout_steered(void **state)
{
	struct incident *in = rolling();
	const struct rollout *r = &in->rollout;

	(void)state;
	ok(in, 53, EV_STEER, "{\"what\":\"skip\",\"host\":\"w2\"}");
	/* a drain is not taken back by going on, an abort is the last word */
	ok(in, 54, EV_STEER, "{\"what\":\"pause\"}");
	assert_int_equal(r->state, ROLLOUT_PAUSED);
	ok(in, 54, EV_STEER, "{\"what\":\"continue\"}");
	assert_int_equal(r->state, ROLLOUT_GOING);
	ok(in, 54, EV_STEER, "{\"what\":\"drain\"}");
	ok(in, 54, EV_STEER, "{\"what\":\"continue\"}");
	assert_int_equal(r->state, ROLLOUT_DRAINING);
	ok(in, 54, EV_STEER, "{\"what\":\"abort\"}");
	ok(in, 54, EV_STEER, "{\"what\":\"drain\"}");
	assert_int_equal(r->state, ROLLOUT_ABORTED);
	/* resumed: the waves stay, what is wanted again is not skipped any more */
	ok(in, 55, EV_REISSUE_START, "{\"resumed\":true,\"hosts\":[\"w1\",\"w2\"],\"waves\":[{\"name\":\"canaries\",\"hosts\":0},"
	    "{\"name\":\"rest\",\"hosts\":2}],\"limits\":{\"failed\":5}}");
	assert_int_equal(r->state, ROLLOUT_GOING);
	assert_int_equal(r->failed, 5);
	assert_int_equal(r->wave[0].hosts, 1);
	assert_int_equal(r->wave[1].hosts, 2);
	assert_string_equal(incident_host(in, "w2")->state, "waiting");
	ok(in, 56, EV_REISSUE_END, "{\"verified\":1,\"stopped\":\"refused: 1\"}");
	assert_int_equal(r->state, ROLLOUT_ENDED);
	assert_string_equal(r->stopped, "refused: 1");
	assert_int_equal(rollout_stands(in, false), ROLLOUT_ENDED);
	incident_free(in);
}

static void test_rollout_odd(void **state)
{
	struct incident *in = rolling();
	const struct rollout *r = &in->rollout;

	(void)state;
	/* a journal that lies about its waves breaks nothing */
	ok(in, 57, EV_WAVE, "{\"wave\":-1}");
	ok(in, 57, EV_WAVE, "{\"wave\":99}");
	assert_int_equal(r->at, 0);
	ok(in, 57, EV_REISSUE_START, "{\"hosts\":[1,\"w1\"],\"waves\":[{\"name\":\"x\",\"hosts\":999999999}]}");
	assert_int_equal(incident_host(in, "w1")->wave, 1);
	assert_int_equal(incident_host(in, "c1")->wave, 0);
	/* cut off while it was paused, and what was left is left out: there is nothing to go on with */
	ok(in, 57, EV_STEER, "{\"what\":\"pause\"}");
	assert_int_equal(rollout_stands(in, true), ROLLOUT_PAUSED);
	assert_int_equal(rollout_stands(in, false), ROLLOUT_INTERRUPTED);
	ok(in, 57, EV_HOST, "{\"rows\":[{\"host\":\"w1\",\"state\":\"failed\"}]}");
	assert_int_equal(rollout_stands(in, false), ROLLOUT_ENDED);
	incident_free(in);
}

/* Which issuer a host was verified with. */
static void test_verified_with(void **state)
{
	struct incident *in = rolling();

	(void)state;
	ok(in, 58, EV_HOST, "{\"rows\":[{\"host\":\"w1\",\"state\":\"verified\"}]}");
	assert_null(incident_host(in, "w1")->issuer); /* none was chosen */
	ok(in, 59, EV_ISSUER, "{\"name\":\"new\",\"fingerprint\":\"ff\"}");
	ok(in, 59, EV_HOST, "{\"rows\":[{\"host\":\"w1\",\"state\":\"verified\"}]}");
	ok(in, 60, EV_ISSUER, "{\"name\":\"newer\",\"fingerprint\":\"ee\"}");
	ok(in, 60, EV_HOST, "{\"rows\":[{\"host\":\"w1\",\"state\":\"failed\"}]}");
	assert_string_equal(incident_host(in, "w1")->issuer, "ff");
	incident_free(in);
}

static void test_every_event_has_a_name_and_words(void **state)
{
	(void)state;
	for (int k = 0; k < EV_KINDS; k++) {
		struct event ev = { .seq = 1, .kind = (enum event_kind)k, .body = json_object() };
		char *text = event_text(&ev);
		assert_int_equal(event_kind_of(event_name(ev.kind)), k);
		assert_true(strlen(text) > 3);
		free(text);
		json_decref(ev.body);
	}
	assert_int_equal(event_kind_of("other"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_begins_with_opened), cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_scope_closes_triage_and_new_answers_unfreeze_it),
		cmocka_unit_test(test_containment), cmocka_unit_test(test_a_notice_needs_every_recipient),
		cmocka_unit_test(test_every_crl_and_every_point),
		cmocka_unit_test(test_undone), cmocka_unit_test(test_many_hosts),
		cmocka_unit_test(test_recovery_and_closing_by_hand),
		cmocka_unit_test(test_triage_answers_come_from_closed_menus),
		cmocka_unit_test(test_replacement_is_of_the_scope),
		cmocka_unit_test(test_rollout), cmocka_unit_test(test_rollout_steered),
		cmocka_unit_test(test_rollout_odd), cmocka_unit_test(test_verified_with),
		cmocka_unit_test(test_every_event_has_a_name_and_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
