/* The way of one host: what is asked of whom after each word, and what is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/host.h"

static struct host host;

static int setup(void **state)
{
	(void)state;
	host_init(&host, "web01");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_clear(&host);
	return 0;
}

static enum host_ask step(enum host_event ev, const char *text)
{
	return host_step(&host, ev, text, HOST_FAILED, 5000);
}

static void to_verify(void)
{
	host_step(&host, HOST_EV_ORDER, NULL, 0, 1000);
	assert_int_equal(step(HOST_EV_PHASE, "connect"), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_PHASE, "csr"), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_CSR, NULL), ASK_ISSUE);
	assert_int_equal(host.phase, HOST_ISSUE);
	assert_int_equal(step(HOST_EV_ISSUED, NULL), ASK_INSTALL);
	assert_int_equal(step(HOST_EV_PHASE, "install"), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_PHASE, "test"), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_PHASE, "reload"), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_INSTALLED, NULL), ASK_PROBE);
	assert_int_equal(host.phase, HOST_VERIFY);
	assert_int_equal(host_probe_delay(&host), 0);
}

static void test_good(void **state)
{
	(void)state;
	to_verify();
	assert_int_equal(step(HOST_EV_UNSEEN, "the old one"), ASK_PROBE);
	assert_int_equal(host_probe_delay(&host), 50);
	assert_int_equal(step(HOST_EV_SEEN, "serial 5D"), ASK_VERDICT);
	assert_int_equal(host_step(&host, HOST_EV_ENDED, "", HOST_VERIFIED, 3000), ASK_END);
	assert_int_equal(host.state, HOST_VERIFIED);
	assert_int_equal(host.ms, 2000);
	assert_string_equal(host.detail, "serial 5D");
	/* what comes after the end changes nothing */
	assert_int_equal(step(HOST_EV_LOST, "died"), ASK_NOTHING);
	assert_int_equal(host.state, HOST_VERIFIED);
}

static void test_phases_have_their_times(void **state)
{
	char *phases;

	(void)state;
	host_step(&host, HOST_EV_ORDER, NULL, 0, 1000);
	host_step(&host, HOST_EV_PHASE, "csr", 0, 1120);
	host_step(&host, HOST_EV_CSR, NULL, 0, 1300);
	host_step(&host, HOST_EV_PHASE, "csr", 0, 1400); /* late, and not taken */
	phases = host_phases(&host);
	assert_string_equal(phases, "connect 0 csr 120 issue 300");
	free(phases);
	host_step(&host, HOST_EV_LOST, "gone", 0, 1500);
	host_step(&host, HOST_EV_ORDER, NULL, 0, 9000); /* a retry starts anew */
	phases = host_phases(&host);
	assert_string_equal(phases, "connect 0");
	free(phases);
}

static void test_old_certificate(void **state)
{
	int asked = 0;

	(void)state;
	to_verify();
	while (step(HOST_EV_UNSEEN, "presents the old certificate") == ASK_PROBE)
		asked++;
	assert_int_equal(asked, HOST_PROBES - 1);
	assert_int_equal(host_probe_delay(&host), 1600);
	assert_false(host.seen);
	assert_int_equal(step(HOST_EV_SEEN, "late"), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_PHASE, "rollback"), ASK_NOTHING);
	assert_int_equal(host.phase, HOST_ROLLBACK);
	assert_int_equal(host_step(&host, HOST_EV_ENDED, "presents the old certificate", HOST_ROLLED_BACK, 9),
	    ASK_END);
	assert_string_equal(host_state_name(host.state), "rolled back");
}

static void test_refused_by_ca(void **state)
{
	(void)state;
	host_step(&host, HOST_EV_ORDER, NULL, 0, 1000);
	assert_int_equal(step(HOST_EV_CSR, NULL), ASK_ISSUE);
	assert_int_equal(step(HOST_EV_REFUSED, "for another name"), ASK_STOP);
	assert_int_equal(host_step(&host, HOST_EV_ENDED, "for another name", HOST_REFUSED, 9), ASK_END);
	assert_int_equal(host.state, HOST_REFUSED);
	assert_string_equal(host.detail, "for another name");
}

static void test_out_of_order(void **state)
{
	(void)state;
	/* nothing counts before the order */
	assert_int_equal(step(HOST_EV_CSR, NULL), ASK_NOTHING);
	assert_int_equal(host.state, HOST_WAITING);
	host_step(&host, HOST_EV_ORDER, NULL, 0, 1000);
	/* a certificate nobody asked for, an install without a certificate, a handshake without an install */
	assert_int_equal(step(HOST_EV_ISSUED, NULL), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_INSTALLED, NULL), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_SEEN, NULL), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_CSR, NULL), ASK_ISSUE);
	/* a second request: one certificate a host */
	assert_int_equal(step(HOST_EV_CSR, NULL), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_INSTALLED, NULL), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_ISSUED, NULL), ASK_INSTALL);
	assert_int_equal(step(HOST_EV_ISSUED, NULL), ASK_NOTHING);
	assert_int_equal(step(HOST_EV_REFUSED, "late"), ASK_NOTHING);
	/* phases do not go back, unknown ones are none */
	assert_int_equal(step(HOST_EV_PHASE, "reload"), ASK_NOTHING);
	step(HOST_EV_PHASE, "connect");
	assert_int_equal(host.phase, HOST_RELOAD);
	step(HOST_EV_PHASE, "\033[2J");
	assert_int_equal(host.phase, HOST_RELOAD);
	/* "verified" without our own handshake is not believed */
	assert_int_equal(host_step(&host, HOST_EV_ENDED, "all fine", HOST_VERIFIED, 9), ASK_END);
	assert_int_equal(host.state, HOST_FAILED);
}

static void test_lost(void **state)
{
	(void)state;
	to_verify();
	assert_int_equal(host_step(&host, HOST_EV_LOST, "the ssh child died of signal 9", 0, 4000), ASK_END);
	assert_int_equal(host.state, HOST_FAILED);
	assert_int_equal(host.phase, HOST_VERIFY);
	assert_int_equal(host.ms, 3000);
	/* and it can be ordered again */
	host_step(&host, HOST_EV_ORDER, NULL, 0, 6000);
	assert_int_equal(host.state, HOST_RUNNING);
	assert_int_equal(host.phase, HOST_CONNECT);
	assert_int_equal(step(HOST_EV_CSR, NULL), ASK_ISSUE);
}

static void test_words(void **state)
{
	char *s;

	(void)state;
	for (int i = 0; i < HOST_STATES; i++)
		assert_int_equal(host_state_of(host_state_name((enum host_state)i)), i);
	assert_int_equal(host_state_of("splendid"), HOST_FAILED);
	s = host_expand("/etc/ssl/%h/100%%/%h.pem", "web01");
	assert_string_equal(s, "/etc/ssl/web01/100%/web01.pem");
	free(s);
	s = host_expand("%", "web01");
	assert_string_equal(s, "%");
	free(s);
	assert_null(host_expand(NULL, "web01"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_phases_have_their_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_by_ca, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
