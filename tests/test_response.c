/* Containment, publication and notices as commands: a real engine, a real incident file, real children.
 * What would go over SSH is run here by the same code that runs local commands. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/serve.h"
#include "engine/run.h"
#include "incident/triage.h"
#include "journal/journal.h"
#include "web.h"
#include "work/declare.h"
#include "work/publish.h"

#define DER "0\x82\x01\x02 not really a CRL, but octets"

static char folder[4096];
static struct err e;
static int port;
static struct loop *loop;
static struct engine *en;
static struct buf said; /* all lines of the last command, its plan included */
static char phrase[64];
static int status;
static bool ended;

/* ---- link seams: another host is this machine; no CA is at work here ---- */

int ssh_child(const json_t *request, json_t **result, struct err *err)
{
	const char *host = json_str(json_object_get(request, "host"), "name");

	if (strcmp(host, "ca01") != 0)
		return err_set(err, ERR_FAILED, "%s: no such host", host);
	return action_child(request, result, err);
}

int ca_child(const json_t *request, json_t **result, struct err *err)
{
	if (strcmp(json_str(request, "op"), "admit") != 0)
		return err_set(err, ERR_FAILED, "no CA here");
	*result = json_object(); /* these are no CRLs: test_crl_publish.c has real ones */
	return 0;
}

/* What is served under a name. For /late.crl the first three answers (one before it is placed) are an older file, as a
 * cache's would be. */
static char *find(const char *name)
{
	static int late = 3;

	return mem_printf("cdp/%s", strcmp(name, "late.crl") == 0 && late-- > 0 ? "old.crl" : name);
}

/* ---- files ---- */

static void put(const char *path, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (fs_write(path, text, strlen(text), 0644, &e) < 0)
		fail_msg("%s", e.text);
	free(text);
}

static bool file_has(const char *path, const char *what)
{
	struct buf b = { 0 };
	bool has = fs_read(path, &b, 1 << 20, &e) == 0 && strstr(buf_str(&b), what) != NULL;

	buf_free(&b);
	return has;
}

static void write_config(const char *more)
{
	put("ca.cnf", "[ca]\n");
	put("sendmail", "#!/bin/sh\nfor to; do :; done\n"
	                "case $to in busy@*) [ -f free ] || { echo 'mailbox busy' >&2; exit 75; } ;; esac\n"
	                "cat >\"mail-$to\"; echo \"$to\" >>mailed\n");
	assert_int_equal(chmod("sendmail", 0755), 0);
	put("sev1.conf",
	    "[sev1]\nstate = %s/state\norganisation = Example GmbH\ncontact-pki = pki@example.com\n"
	    "contact-security = security@example.com\ncontact-hotline = +49 30 000\nsendmail = %s/sendmail\n"
	    "[ca issuing]\nconfig = %s/ca.cnf\ntitle = Issuing CA 2\n"
	    "[host ca01]\naddress = 127.0.0.1\n"
	    "[point near]\nca = issuing\nurl = http://127.0.0.1:%d/near.crl\npath = %s/cdp/near.crl\n"
	    "[point far]\nca = issuing\nurl = http://127.0.0.1:%d/far.pem\npath = %s/cdp/far.pem\nhost = ca01\npem = yes\n"
	    "[point late]\nca = issuing\nurl = http://127.0.0.1:%d/late.crl\npath = %s/cdp/late.crl\n"
	    "[action first]\nhost = ca01\nrun = echo first >>%s/order; echo is down\n"
	    "verify = echo x >>%s/tries; test $(wc -l <%s/tries) -ge 3\nundo = echo undone >>%s/order\n"
	    "[action second]\nhost = ca01\nrun = echo second >>%s/order; test -f %s/mended || { printf 'no \\033[31m' >&2; exit 3; }\n"
	    "[action image]\nkind = image\nsource = %s/disk\ntarget = %s/forensic\n"
	    "[action open-port]\nrun = true\nprobe = 127.0.0.1:%d\ndeadline = 5\n"
	    "[action lock]\nkind = keylock\nrun = touch %s/locked\nverify = test -f %s/locked\nundo = rm %s/locked\n"
	    "[notice management]\nfrom = PKI Team <pki@example.com>\nto = ciso@example.com, busy@example.com\n"
	    "[notice internal]\nfrom = pki@example.com\nto = all@example.com\n"
	    "[notice external]\nfrom = pki@example.com\nto = press@example.com\n%s",
	    folder, folder, folder, port, folder, port, folder, port, folder, folder, folder, folder, folder,
	    folder, folder, folder, folder, port, folder, folder, folder, more);
}

/* ---- the engine ---- */

static void on_out(void *ctx, struct run *r, const char *line)
{
	(void)ctx;
	(void)r;
	buf_addf(&said, "%s\n", line);
}

static void on_ended(void *ctx, struct run *r)
{
	(void)ctx;
	status = run_status(r);
	if (run_error(r) != NULL)
		buf_addf(&said, "%s\n%s\n", run_error(r)->text, run_error(r)->remedy);
	ended = true;
}

static void on_planned(void *ctx, struct run *r)
{
	const struct plan *p = run_plan_of(r);
	json_t *row;
	size_t i;

	(void)ctx;
	snprintf(phrase, sizeof phrase, "%s", p->phrase);
	json_array_foreach(p->rows, i, row)
		buf_addf(&said, "%s: %s\n", json_string_value(json_array_get(row, 0)),
		    json_string_value(json_array_get(row, 1)));
	json_array_foreach(p->lines, i, row)
		buf_addf(&said, "%s\n", json_string_value(row));
	if (run_confirm(r, p->phrase, &e) < 0)
		buf_addf(&said, "not confirmed: %s\n", e.text);
}

/* Run a command with option/value pairs up to NULL ("" is a positional), confirm its plan: its status. */
static int command(const struct command *cmd, ...)
{
	struct args *a = args_new();
	const char *name;
	va_list ap;

	va_start(ap, cmd);
	while ((name = va_arg(ap, const char *)) != NULL)
		args_add(a, name, va_arg(ap, const char *));
	va_end(ap);
	buf_clear(&said);
	phrase[0] = '\0';
	ended = false;
	if (command_start(en, cmd, a, NULL, &e) < 0) {
		buf_addf(&said, "%s\n", e.text);
		return err_exit_status(e.code);
	}
	while (!ended)
		loop_step(loop);
	return status;
}

static void says(const char *what)
{
	if (strstr(buf_str(&said), what) == NULL)
		fail_msg("no '%s' in:\n%s", what, buf_str(&said));
}

static void append(enum event_kind kind, const char *fmt, ...)
{
	va_list ap;
	json_t *body;

	va_start(ap, fmt);
	body = json_vpack_ex(NULL, 0, fmt, ap);
	va_end(ap);
	assert_non_null(body);
	if (engine_append(en, kind, body, &e) < 0)
		fail_msg("%s", e.text);
}

static enum checkpoint_state checkpoint(const char *evidence)
{
	const struct incident *in = engine_incident(en);

	for (size_t i = 0; i < in->checkpoints; i++)
		if (strcmp(in->checkpoint[i].evidence, evidence) == 0)
			return in->checkpoint[i].state;
	fail_msg("no checkpoint with %s", evidence);
	return CP_OPEN;
}

static void crl_signed(const char *octets, int64_t hours)
{
	char hex[DIGEST_HEX], *der = fs_join(folder, "new.crl"), *pem = fs_join(folder, "new.pem");

	put("new.crl", "%s", octets);
	assert_int_equal(system("{ echo '-----BEGIN X509 CRL-----'; base64 new.crl; echo '-----END X509 CRL-----'; } >new.pem"), 0);
	digest_of(octets, strlen(octets), hex);
	append(EV_CRL, "{s:s,s:s,s:i,s:I,s:I,s:s,s:s,s:s,s:i,s:s,s:b}", "ca", "issuing", "number", "1A",
	    "entries", 3, "this_update", (json_int_t)clock_now(), "next_update",
	    (json_int_t)(clock_now() + hours * 3600000), "sha256", hex, "der", der, "pem", pem, "octets",
	    (int)strlen(octets), "signature", "ecdsa", "revoke", 1);
	free(der);
	free(pem);
}

static void incident_start(const char *more)
{
	static const char *const made[] = { "cdp", "forensic", "state", NULL };
	struct engine_options o = { .actor = "op" };
	json_t *triage = json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:I,s:i,s:{}}", "ca", "issuing", "level",
	    "intermediate", "compromise", 1, "channel", "phone", "reporter", "", "reason", "keyCompromise",
	    "received", (json_int_t)clock_now(), "since", 0, "selectors");
	char *path;

	for (size_t i = 0; made[i] != NULL; i++)
		assert_int_equal(fs_mkdirs(made[i], 0755, &e), 0);
	put("disk", "%0*d", 5000000, 7);
	write_config(more);
	path = fs_join(folder, "sev1.conf");
	o.config_path = path;
	loop = loop_new();
	if ((en = engine_new(loop, &o, &e)) == NULL || engine_config(en) == NULL)
		fail_msg("%s", en == NULL ? e.text : engine_config_error(en)->text);
	engine_sink(en, &(struct sink){ .out = on_out, .say = on_out, .planned = on_planned,
	    .ended = on_ended }, NULL);
	if (incident_declare(en, "Test", NULL, clock_now(), &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(triage_complete(triage, "private", NULL, &e), 0);
	assert_int_equal(engine_append(en, EV_TRIAGE, triage, &e), 0);
	append(EV_SCOPE, "{s:s,s:i,s:[{s:s,s:i,s:i,s:s}],s:[]}", "manifest", "00", "count", 4812, "cas", "ca",
	    "issuing", "valid", 4812, "selected", 4812, "manifest", "00", "own");
	free(path);
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s/sev1-test-XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	port = web_start(find);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	child_kill_all(loop);
	engine_free(en);
	loop_free(loop);
	en = NULL;
	web_stop();
	buf_free(&said);
	return chdir("/") < 0 || fs_remove_tree(folder, &e) < 0;
}

/* ---- the tests ---- */

static void test_contain(void **state)
{
	const struct action *a;

	(void)state;
	incident_start("");
	assert_int_equal(command(&cmd_contain, NULL), EXIT_PARTIAL);
	assert_string_equal(phrase, "CONTAIN 4");
	says("lock: on this machine: waiting after checkpoint");
	says("undo    echo undone >>");
	says("  probe   no answer from 127.0.0.1:");
	says("dd if=\"$src\""); /* the image's whole script */
	a = incident_action(engine_incident(en), "first");
	assert_int_equal(a->state, ACTION_HELD); /* at the third try */
	assert_string_equal(a->detail, "is down");
	a = incident_action(engine_incident(en), "second");
	assert_int_equal(a->state, ACTION_FAILED);
	assert_string_equal(a->detail, "no \\x1B[31m");
	a = incident_action(engine_incident(en), "image");
	assert_int_equal(a->state, ACTION_HELD);
	assert_int_equal(strlen(a->sha256), 64);
	a = incident_action(engine_incident(en), "open-port");
	assert_int_equal(a->state, ACTION_FAILED);
	assert_non_null(strstr(a->detail, "still answers"));
	assert_true(file_has("order", "first\nsecond\n")); /* one host: in the file's order */
	assert_int_equal(checkpoint("actions-held"), CP_OPEN);
	/* again: only what does not hold */
	put("mended", "x");
	assert_int_equal(command(&cmd_contain, "only", "second", NULL), EXIT_DONE);
	assert_string_equal(phrase, "CONTAIN 1");
	assert_int_equal(checkpoint("actions-held"), CP_OPEN);
	web_stop(); /* now the port is closed */
	assert_int_equal(command(&cmd_contain, NULL), EXIT_DONE);
	assert_string_equal(phrase, "CONTAIN 1");
	says("second: on ca01: holds already");
	assert_int_equal(checkpoint("actions-held"), CP_DONE);
}

/* Would the lease be another console's for the asking? */
static int lease_elsewhere(void)
{
	struct journal *j;
	int code;
	pid_t pid;

	if ((pid = fork()) == 0) {
		j = journal_open(journal_path(engine_journal(en)), false, &e);
		_exit(j == NULL ? 9 : -journal_lease(j, clock_now(), 1000, &e));
	}
	waitpid(pid, &code, 0);
	return -WEXITSTATUS(code);
}

/* An image takes hours: while it runs, another console may act. */
static void test_image_beside(void **state)
{
	char *path = mem_printf("%s/lie:%s", folder, getenv("PATH")), *before = mem_strdup(getenv("PATH"));
	struct args *a = args_new();

	(void)state;
	assert_int_equal(fs_mkdirs("lie", 0755, &e), 0);
	put("lie/dd", "#!/bin/sh\necho x >reading\nuntil [ -f go ]; do sleep 0.05; done\nPATH=%s exec dd \"$@\"\n", before);
	assert_int_equal(chmod("lie/dd", 0755), 0);
	setenv("PATH", path, 1);
	incident_start("");
	args_add(a, "only", "image");
	args_add(a, "only", "second");
	put("mended", "x");
	ended = false;
	assert_int_equal(command_start(en, &cmd_contain, a, NULL, &e), 0);
	assert_int_equal(lease_elsewhere(), ERR_REFUSED);
	while (!fs_exists("reading") || incident_action(engine_incident(en), "second")->state != ACTION_HELD)
		loop_step(loop);
	assert_int_equal(incident_action(engine_incident(en), "image")->state, ACTION_RUNNING);
	assert_int_equal(lease_elsewhere(), 0);
	assert_false(ended);
	put("go", "x");
	while (!ended)
		loop_step(loop);
	assert_int_equal(status, EXIT_DONE);
	assert_int_equal(incident_action(engine_incident(en), "image")->state, ACTION_HELD);
	setenv("PATH", before, 1);
	free(before);
	free(path);
}

static void test_key_lock(void **state)
{
	(void)state;
	incident_start("");
	assert_int_equal(command(&cmd_contain, "only", "lock", NULL), EXIT_REFUSED);
	says("issuing has not signed its emergency CRL");
	assert_false(fs_exists("locked"));
	crl_signed(DER, 24);
	assert_int_equal(command(&cmd_contain, "only", "lock", NULL), EXIT_DONE);
	assert_true(fs_exists("locked"));
	assert_int_equal(command(&cmd_contain, "only", "nothing", NULL), EXIT_USAGE);
	/* and back */
	assert_int_equal(command(&cmd_contain, "undo", "lock", NULL), EXIT_DONE);
	assert_string_equal(phrase, "UNDO lock");
	assert_false(fs_exists("locked"));
	assert_int_equal(incident_action(engine_incident(en), "lock")->state, ACTION_UNDONE);
	assert_int_equal(command(&cmd_contain, "undo", "second", NULL), EXIT_REFUSED);
	says("there is nothing to undo");
}

static void test_warning(void **state)
{
	char *more;

	(void)state;
	more = mem_printf("[action block]\nkind = firewall\nports = 9, %d\nhost = ca01\n"
	                  "[action ssh]\nkind = firewall\nports = 22\nhost = ca01\n", port);
	incident_start(more);
	free(more);
	command(&cmd_contain, "only", "block", "only", "ssh", "only", "first", NULL);
	says("point far");
	says("point near"); /* by its URL's address */
	says("closes port 22, the way by which sev1 reaches ca01");
}

static void test_publish(void **state)
{
	const struct point *p;

	(void)state;
	incident_start("");
	assert_int_equal(command(&cmd_publish, NULL), EXIT_REFUSED); /* no CRL yet */
	crl_signed(DER, 24);
	put("cdp/old.crl", "old");
	assert_int_equal(command(&cmd_publish, NULL), EXIT_DONE);
	assert_string_equal(phrase, "PUBLISH 3");
	says("late: serves other octets: 3 of them");
	p = incident_point(engine_incident(en), "issuing", "late");
	assert_int_equal(p->state, POINT_VERIFIED);
	assert_int_equal(p->attempt, 3);
	assert_int_equal(incident_point(engine_incident(en), "issuing", "far")->state, POINT_VERIFIED);
	assert_true(file_has("cdp/far.pem", "BEGIN X509 CRL"));
	assert_true(file_has("cdp/near.crl", DER));
	assert_int_equal(command(&cmd_publish, NULL), EXIT_DONE);
	says("nothing to do");
	/* the next CRL, to a point that is gone */
	crl_signed(DER " the next", 24);
	assert_int_equal(fs_remove_tree("cdp", &e), 0);
	assert_int_equal(command(&cmd_publish, "point", "near", "attempts", "1", NULL), EXIT_FAILED);
	assert_int_equal(incident_point(engine_incident(en), "issuing", "near")->state, POINT_FAILED);
	assert_int_equal(fs_mkdirs("cdp", 0755, &e), 0);
	assert_int_equal(command(&cmd_publish, "attempts", "1", NULL), EXIT_DONE);
	assert_string_equal(phrase, "PUBLISH 3");
}

static void test_publish_refused(void **state)
{
	(void)state;
	incident_start("");
	crl_signed(DER, 24);
	put("new.crl", "something else");
	assert_int_equal(command(&cmd_publish, "point", "near", NULL), EXIT_REFUSED);
	says("its digest differs");
	crl_signed(DER, 24);
	put("new.pem", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
	assert_int_equal(command(&cmd_publish, "point", "far", NULL), EXIT_REFUSED);
	put("new.pem", "-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n");
	assert_int_equal(command(&cmd_publish, "point", "far", NULL), EXIT_FAILED);
	says("not a CRL in PEM");
	says("sign it again: sev1 crl renew --ca issuing");
	crl_signed(DER, -1);
	assert_int_equal(command(&cmd_publish, NULL), EXIT_REFUSED);
	says("has expired");
	assert_int_equal(command(&cmd_publish, "point", "nowhere", NULL), EXIT_USAGE);
	assert_int_equal(command(&cmd_publish, "attempts", "0", NULL), EXIT_USAGE);
}

/* A partition, or a CA, that is configured no more has burnt out: it keeps nothing from being published. */
static void test_publish_retired(void **state)
{
	static const char *const retired[][2] = { { "issuing", "gone" }, { "former", "" } };

	(void)state;
	incident_start("");
	for (size_t i = 0; i < sizeof retired / sizeof retired[0]; i++)
		append(EV_CRL, "{s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:s}", "ca", retired[i][0], "part", retired[i][1], "number", "19",
		    "this_update", (json_int_t)(clock_now() - 7200000), "next_update", (json_int_t)(clock_now() - 3600000),
		    "sha256", "x", "der", "/nowhere.crl", "pem", "/nowhere.pem");
	crl_signed(DER, 24);
	assert_int_equal(command(&cmd_publish, NULL), EXIT_DONE);
	assert_string_equal(phrase, "PUBLISH 3");
}

static void test_notify(void **state)
{
	struct buf first = { 0 };
	const struct notice *n;

	(void)state;
	put("hosts.csv", "host\nweb01.example.com\nweb02.example.com\n");
	incident_start("[fleet]\ninventory = hosts.csv\nkey = /k\ncertificate = /c\ntest = true\nreload = true\n");
	assert_int_equal(command(&cmd_notify, "", "management", NULL), EXIT_REFUSED);
	says("management.txt:16: the field {{downtime}} is not filled");
	says("unfilled: {{downtime}} (line 16)");
	says("Subject: SEV-1: PKI compromise, Issuing CA 2");
	assert_false(fs_exists("mailed"));
	assert_int_equal(command(&cmd_notify, "", "management", "field", "downtime=4", NULL), EXIT_PARTIAL);
	assert_string_equal(phrase, "SEND 2");
	says("- Certificates to be revoked: 4 812");
	says("busy@example.com: failed: exit status 75: mailbox busy");
	assert_int_equal(checkpoint("notice:management"), CP_OPEN);
	assert_int_equal(fs_read("mail-ciso@example.com", &first, 1 << 20, &e), 0);
	assert_non_null(strstr(buf_str(&first), "From: \"PKI Team\" <pki@example.com>\n"));
	buf_free(&first);
	/* again: the same text, to whom it is still owed */
	put("free", "x");
	assert_int_equal(command(&cmd_notify, "", "management", NULL), EXIT_DONE);
	assert_string_equal(phrase, "SEND 1");
	says("1 have accepted this very text already");
	assert_true(file_has("mailed", "ciso@example.com\nbusy@example.com\n"));
	assert_int_equal(checkpoint("notice:management"), CP_DONE);
	n = incident_notice(engine_incident(en), "management");
	assert_int_equal(n->accepted, 2);
	assert_true(file_has("mail-busy@example.com", "- Affected systems: 2\n"));
	/* a later notice is a new text to all */
	assert_int_equal(command(&cmd_notify, "", "management", "field", "downtime=6", NULL), EXIT_DONE);
	assert_string_equal(phrase, "SEND 2");
	assert_int_equal(command(&cmd_notify, "", "internal", "field", "downtime=4", NULL), EXIT_DONE);
	assert_true(file_has("mail-all@example.com", "  web01.example.com\n  web02.example.com\n"));
	assert_int_equal(command(&cmd_notify, "", "external", "field", "description=x\nBcc: y@example.net", NULL), EXIT_DONE);
	assert_false(file_has("mail-press@example.com", "\nBcc: y@example.net\nS"));
}

static void test_notify_waive(void **state)
{
	(void)state;
	incident_start("");
	assert_int_equal(command(&cmd_notify, "", "internal", "waive", "no", NULL), EXIT_REFUSED);
	assert_int_equal(command(&cmd_notify, "", "external", "waive", " ", NULL), EXIT_USAGE);
	assert_int_equal(command(&cmd_notify, "", "external", "waive", "no outsider is affected", NULL), EXIT_DONE);
	assert_int_equal(checkpoint("notice:external"), CP_WAIVED);
	assert_int_equal(command(&cmd_notify, "", "external", "waive", "again", NULL), EXIT_REFUSED);
	assert_int_equal(command(&cmd_notify, "", "pigeon", NULL), EXIT_USAGE);
	assert_int_equal(command(&cmd_notify, NULL), EXIT_USAGE);
	assert_int_equal(command(&cmd_notify, "", "internal", "field", "downtime", NULL), EXIT_USAGE);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_contain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_image_beside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_warning, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publish_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publish_retired, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notify_waive, setup, teardown),
	};

	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return serve_main(argv[2]);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
