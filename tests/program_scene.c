#include "program_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "ca_scene.h"
#include "fault_seam.h"
#include "pki_seam.h"
#include "web.h"

static struct kept *incident;
static char crls[256];

static char *find(const char *name)
{
	(void)name;
	return mem_strdup("point/ca.crl");
}

/* ---- running the program ---- */

int program_run(char **said, const char *const *arguments)
{
	const char *argv[30] = { "-c", "sev1.conf" };
	struct outcome o;
	size_t n = 2;
	int status;

	while (*arguments != NULL && n < 29)
		argv[n++] = *arguments++;
	fault_wait(fault_start(argv, NULL), &o);
	status = o.status;
	if (o.sig != 0) {
		print_message("%s: signal %d: %s\n", argv[2], o.sig, o.said);
		fail();
	}
	if (said != NULL) {
		*said = o.said;
		o.said = NULL;
	}
	outcome_clear(&o);
	return status;
}

/* The first string member of this name in text that may hold more than JSON. */
static bool member(const char *text, const char *name, char *out, size_t size)
{
	char *key = mem_printf("\"%s\": \"", name), *at = strstr(text, key);

	if (at != NULL)
		snprintf(out, size, "%.*s", (int)strcspn(at + strlen(key), "\""), at + strlen(key));
	free(key);
	return at != NULL;
}

static bool is_undo(const char *command)
{
	return strcmp(command, "undo") == 0;
}

bool program_plan(struct planned *p, const char *command)
{
	char *said;
	int status = is_undo(command) ? PROGRAM(&said, "revoke", "--undo", "--json") : PROGRAM(&said, command, "--json");
	bool made = member(said, "hash", p->hash, sizeof p->hash) && member(said, "phrase", p->phrase, sizeof p->phrase);

	p->command = command;
	if (is_undo(command) && strstr(said, "nothing was revoked") != NULL) {
		free(said);
		return false;
	}
	if (status != 0 && !made) {
		print_message("%s: status %d: %s\n", command, status, said);
		fail();
	}
	free(said);
	return status != 0;
}

pid_t program_start(const struct planned *p, const struct shot *s)
{
	bool undo = is_undo(p->command);

	return fault_start((const char *const[]){ "-c", "sev1.conf", undo ? "revoke" : p->command, "--plan", p->hash,
	                       "--confirm", p->phrase, undo ? "--undo" : NULL, NULL }, s);
}

static void must(const char *const *arguments)
{
	char *said;

	if (program_run(&said, arguments) != 0) {
		print_message("%s: %s\n", arguments[0], said);
		fail();
	}
	free(said);
}
#define MUST(...) must((const char *const[]){ __VA_ARGS__, NULL })

static void find_crls(void)
{
	FILE *f = popen("ls -d state/*.d state/*/ 2>/dev/null | head -n 1", "r");
	char line[200] = "";

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	pclose(f);
	line[strcspn(line, "/\n") + 1 + strcspn(strchr(line, '/') + 1, "/\n")] = '\0';
	snprintf(crls, sizeof crls, "%s/crl", line);
}

int program_setup(void **state)
{
	char *conf;
	int rc = scene_setup(state);

	if (rc != 0)
		return rc;
	conf = mem_printf("[sev1]\nstate = %s/state\norganisation = Test\n[ca ca]\nconfig = %s/ca/openssl.cnf\n"
	                  "[point near]\nca = ca\nurl = http://127.0.0.1:%d/ca.crl\npath = %s/point/ca.crl\n",
	    pki_here(), pki_here(), web_start(find), pki_here());
	pki_write("sev1.conf", conf);
	free(conf);
	pki_must("mkdir state");
	MUST("open", "--title", "a key is out");
	MUST("triage", "--ca", "ca", "--level", "root", "--compromise", "1", "--received", "-30m", "--channel", "support");
	MUST("scope");
	MUST("checkpoint", "2", "--reason", "no CA service runs here");
	find_crls();
	incident = kept_new("state");
	return 0;
}

int program_drop(void **state)
{
	web_stop();
	kept_free(incident);
	return scene_drop(state);
}

void program_restore(void)
{
	struct err e = { 0 };

	scene_restore();
	kept_restore(incident);
	assert_int_equal(fs_remove_tree(crls, &e), 0);
}

/* ---- judging ---- */

/* Rows of index.txt that were valid and are revoked, all with one date and reason; -1 where anything else differs. */
static int rows_revoked(const char *was, const char *is, size_t len)
{
	const char *end = is + len, *first = NULL;
	size_t n, m, date = 0;
	int revoked = 0;

	for (; *was != '\0'; was += n + 1, is += m + 1) {
		const char *nl = memchr(is, '\n', (size_t)(end - is));

		n = strcspn(was, "\n");
		if (nl == NULL)
			return -1;
		m = (size_t)(nl - is);
		if (n == m && memcmp(was, is, n) == 0)
			continue;
		/* V, expiry, nothing, serial ... -> R, expiry, date and reason, serial ... */
		if (was[0] != 'V' || is[0] != 'R' || m <= n)
			return -1;
		size_t lead = strcspn(was + 2, "\t") + 3, text = m - n;
		if (memcmp(was + 1, is + 1, lead - 1) != 0 || memcmp(was + lead, is + lead + text, n - lead) != 0 ||
		    (first != NULL && (text != date || memcmp(first, is + lead, date) != 0)))
			return -1;
		first = is + lead;
		date = text;
		revoked++;
	}
	return is == end ? revoked : -1;
}

bool program_whole(void *ctx, const char *p, size_t len)
{
	int n = rows_revoked(buf_str(scene()->old), p, len);

	(void)ctx;
	return n == 0 || n == scene()->planned;
}

static int index_revoked(void)
{
	struct buf b = { 0 };
	int n = fs_read("ca/index.txt", &b, 1 << 20, NULL) == 0 ? rows_revoked(buf_str(scene()->old), buf_str(&b), b.len) : -1;

	buf_free(&b);
	return n;
}

/* The last CRL that the journal tells of, and whether two of its CRLs have one number. */
static bool journal_crls(char *last, size_t size)
{
	char *said, *at;
	char number[16][48], sha[16][65];
	int n = 0;
	bool once = true;

	assert_int_equal(PROGRAM(&said, "timeline", "--json"), 0);
	last[0] = '\0';
	for (at = said; (at = strstr(at, "\"der\": \"")) != NULL && n < 16; at++, n++) {
		assert_true(member(at, "number", number[n], sizeof number[n]));
		assert_true(member(at, "sha256", sha[n], sizeof sha[n]));
		member(at, "der", last, size);
		for (int i = 0; i < n; i++)
			once = once && (strcmp(number[i], number[n]) != 0 || strcmp(sha[i], sha[n]) == 0);
	}
	free(said);
	return once;
}

const char *program_wrong_any(void)
{
	char last[300];
	const char *wrong;
	int n = index_revoked();

	if (n != 0 && n != scene()->planned)
		return "index.txt is neither the old one nor the plan carried out";
	if (PROGRAM(NULL, "audit") != 0)
		return "the journal does not verify";
	if ((wrong = scene_wrong_files(crls)) != NULL)
		return wrong;
	return journal_crls(last, sizeof last) ? NULL : "two CRLs have one number";
}

const char *program_wrong_done(bool published)
{
	const char *wrong = program_wrong_any();
	char last[300];

	if (wrong != NULL)
		return wrong;
	if (index_revoked() != scene()->planned)
		return "the plan is not carried out";
	journal_crls(last, sizeof last);
	if ((wrong = scene_wrong_file(last)) != NULL)
		return wrong;
	return published && pki_sh("cmp '%s' point/ca.crl", last) != 0 ? "the point does not hold the last CRL" : NULL;
}

const char *program_wrong_undone(void)
{
	const char *wrong = program_wrong_any();

	if (wrong == NULL && index_revoked() != 0)
		wrong = "index.txt is not what it was";
	if (wrong == NULL && pki_sh("ls '%s' | grep -E '(crl|pem)$'", crls) == 0)
		wrong = "a CRL of the revocation can still be published";
	return wrong;
}
