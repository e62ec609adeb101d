/* The labelled set: no revocation request may be missed, false alarms are named here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "comms/recognise.h"
#include "mail_scene.h"

static struct recognised *scored(const char *name)
{
	struct buf text = { 0 };
	struct mail *m;
	struct recognised *r;

	mail_scene_read(name, &text);
	m = mail_read(buf_str(&text), text.len);
	r = recognise(m, NULL, 0);
	mail_free(m);
	buf_free(&text);
	return r;
}

/* Ordinary mail that is taken for a request all the same. */
static const char *const alarms[] = { "ordinary-ocsp-stapling.eml", /* "so that our certificate is not revoked" */
	"ordinary-fifth-05.eml", /* the private key was deleted by mistake: lost, and not disclosed */
	"ordinary-fifth-14.eml", /* an auditor asks for "these five revocation requests" */
	NULL };

/* Requests that without an index, as here, are doubtful only: plain words, and a host that the index would know. */
static const char *const vague[] = { "request-phone-note.eml", /* "thieves took the box that runs ..., wants us to do the thing" */
	NULL };

static bool is_in(const char *const list[], const char *name)
{
	for (size_t i = 0; list[i] != NULL; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static void test_labelled(void **state)
{
	size_t n, requests = 0, missed = 0, ordinary = 0, alarmed = 0, named = 0, doubtful = 0;
	char **names = mail_scene_names(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct recognised *r = scored(names[i]);
		enum report_level level = recognised_level(r);
		bool request = strncmp(names[i], "request-", 8) == 0;

		requests += request;
		ordinary += !request;
		doubtful += !request && level == REPORT_DOUBTFUL;
		if (request && level != (is_in(vague, names[i]) ? REPORT_DOUBTFUL : REPORT_HIGH)) {
			char *why = json_dumps(r->why, JSON_COMPACT);
			printf("missed: %s (%d) %s\n", names[i], r->score, why);
			free(why);
			missed++;
		} else if (!request && level == REPORT_HIGH) {
			char *why = json_dumps(r->why, JSON_COMPACT);
			printf("false alarm: %s (%d) %s\n", names[i], r->score, why);
			free(why);
			alarmed += !is_in(alarms, names[i]);
			named += is_in(alarms, names[i]);
		}
		if (getenv("SHOW") != NULL) {
			char *why = json_dumps(r->why, JSON_COMPACT), *found = json_dumps(r->found, JSON_COMPACT);
			printf("%-34s %3d %s %s\n", names[i], r->score, why, found);
			free(why);
			free(found);
		}
		recognised_free(r);
		free(names[i]);
	}
	free(names);
	printf("%zu requests, %zu missed; %zu ordinary, %zu doubtful, %zu false alarms not named\n", requests, missed, ordinary,
	    doubtful, alarmed);
	assert_true(n >= 420);
	assert_int_equal(missed, 0);
	assert_int_equal(alarmed, 0);
	assert_int_equal(named, sizeof alarms / sizeof alarms[0] - 1); /* who is named still alarms */
	assert_true(doubtful * 10 <= ordinary);
}

static enum report_level level_of(const char *text)
{
	struct mail *m = mail_read(text, strlen(text));
	struct recognised *r = recognise(m, NULL, 0);
	enum report_level level = recognised_level(r);

	recognised_free(r);
	mail_free(m);
	return level;
}

/* One sentence, however its letters are written. */
static void test_letters(void **state)
{
	static const char *const high[] = { "Unser privater Schlu\xcc\x88ssel wurde gestohlen.", /* u and its dots apart */
		"Unser privater SCHL\xc3\x9cSSEL wurde gestohlen.", "Unser privater Schluessel wurde gestohlen.",
		"Zrušení certifikátu, prosím", "Prosimy o odwołanie certyfikatu",
		"\xef\xbd\x90\xef\xbd\x8c\xef\xbd\x85\xef\xbd\x81\xef\xbd\x93\xef\xbd\x85 revoke our certificate", /* full width */
		"Please re\xe2\x80\x8bvoke our certi\xc2\xad""ficate", /* what is not seen */
		"ОТЗОВИТЕ СЕРТИФИКАТ, ПОЖАЛУЙСТА", "ΠΑΡΑΚΑΛΏ ΑΝΑΚΑΛΈΣΤΕ ΤΟ ΠΙΣΤΟΠΟΙΗΤΙΚΌ", NULL };
	char *mail;

	(void)state;
	for (size_t i = 0; high[i] != NULL; i++) {
		mail = mem_printf("Subject: x\nContent-Type: text/plain; charset=utf-8\n\n%s\n", high[i]);
		if (level_of(mail) != REPORT_HIGH)
			fail_msg("not high: %s", high[i]);
		free(mail);
	}
}

/* The same words as advice, as news and as a request. */
static void test_whose(void **state)
{
	(void)state;
	assert_int_equal(level_of("Subject: x\n\nPlease revoke our certificate, its private key was leaked.\n"), REPORT_HIGH);
	assert_int_equal(level_of("Auto-Submitted: auto-generated\nSubject: Your order\n\nYour certificate was issued. If your private key is leaked, "
		"request revocation of the certificate at once.\n"), REPORT_ORDINARY);
	assert_int_equal(level_of("List-Id: <news.example>\nSubject: PKI weekly\n\nA private key was leaked and its certificate revoked.\n"),
	    REPORT_ORDINARY);
	assert_int_equal(level_of("List-Id: <pki-problems.ca.example>\nSubject: key\n\nThe private key of www.example.com was leaked.\n"), REPORT_HIGH);
	assert_int_equal(level_of("Subject: key\n\nPlease revoke the old API key, it was leaked.\n"), REPORT_ORDINARY);
}

/* The hash of a public key as RFC 7469 and as curl writes it; with an octet less it is none. */
static void test_pins(void **state)
{
	static const char *const pins[] = { "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha256//7DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" };

	(void)state;
	for (size_t i = 0; i < 3 + 1; i++) {
		char *text = mem_printf("Subject: key\n\nIts key is %s, please revoke.\n", i < 3 ? pins[i] : "sha256/DEQpj8HBSa+/TImW+5J=");
		struct mail *m = mail_read(text, strlen(text));
		struct recognised *r = recognise(m, NULL, 0);
		size_t k, seen = 0;
		json_t *o;

		json_array_foreach(r->found, k, o)
			if (strcmp(json_str(o, "kind"), "key-hash") == 0 && ++seen > 0)
				assert_string_equal(json_str(o, "text"), pins[i]);
		assert_int_equal(seen, i < 3);
		recognised_free(r);
		mail_free(m);
		free(text);
	}
}

static int setup(void **state)
{
	(void)state;
	mail_scene_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mail_scene_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_labelled), cmocka_unit_test(test_letters), cmocka_unit_test(test_whose),
		cmocka_unit_test(test_pins) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
