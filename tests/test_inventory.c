/* Inventories: what people write, and what is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fleet/inventory.h"

static struct inventory *read_text(const char *text, struct err *e)
{
	return inventory_read(text, strlen(text), "hosts", e);
}

static void refuse(const char *text, const char *said)
{
	struct err e = { 0 };

	assert_null(read_text(text, &e));
	assert_int_equal(e.code, ERR_SYNTAX);
	if (strstr(e.text, said) == NULL)
		fail_msg("'%s' does not hold '%s'", e.text, said);
}

static void test_list(void **state)
{
	struct err e = { 0 };
	struct inventory *inv = read_text("# web\nweb01.example.com\r\n\n  db.example.com  # primary\n"
	    "2001:db8::7\n192.0.2.9", &e);

	(void)state;
	assert_non_null(inv);
	assert_int_equal(inv->servers, 4);
	assert_string_equal(inv->server[0].name, "web01.example.com");
	assert_int_equal(inv->server[0].line, 2);
	assert_int_equal(inv->server[0].count, 1);
	assert_string_equal(inv->server[0].names[0], "web01.example.com");
	assert_string_equal(inv->server[1].name, "db.example.com");
	assert_string_equal(inv->server[2].name, "2001:db8::7");
	/* the last line has no newline, and is not lost */
	assert_string_equal(inv->server[3].name, "192.0.2.9");
	assert_int_equal(inv->server[3].port, 0);
	assert_null(inv->server[3].user);
	inventory_free(inv);
}

static void test_csv(void **state)
{
	struct err e = { 0 };
	struct inventory *inv = read_text("\xef\xbb\xbfhost, address ,port,user,names\r\n"
	    "web01,10.0.0.1,2222,deploy,\"www.example.com; example.com\"\r\n"
	    "# out of service,,,,\n"
	    "\n"
	    "\"web02\",,,,\n"
	    "web03,web03.internal,,root,*.apps.example.com web03.example.com", &e);

	(void)state;
	assert_non_null(inv);
	assert_int_equal(inv->servers, 3);
	assert_string_equal(inv->server[0].address, "10.0.0.1");
	assert_int_equal(inv->server[0].port, 2222);
	assert_string_equal(inv->server[0].user, "deploy");
	assert_int_equal(inv->server[0].count, 2);
	assert_string_equal(inv->server[0].names[0], "www.example.com");
	assert_string_equal(inv->server[0].names[1], "example.com");
	assert_string_equal(inv->server[1].name, "web02");
	assert_null(inv->server[1].address);
	assert_string_equal(inv->server[1].names[0], "web02");
	assert_int_equal(inv->server[1].line, 5);
	assert_string_equal(inv->server[2].names[0], "*.apps.example.com");
	assert_string_equal(inv->server[2].names[1], "web03.example.com");
	inventory_free(inv);
	inv = read_text("names,host\nx.example.com,web01\n", &e);
	assert_non_null(inv);
	assert_string_equal(inv->server[0].name, "web01");
	assert_string_equal(inv->server[0].names[0], "x.example.com");
	inventory_free(inv);
}

static void test_refused(void **state)
{
	(void)state;
	refuse("web01\nweb02\nWEB01\n", "hosts:3: this host stands in line 1 already: WEB01");
	refuse("web01\nweb 02\n", "hosts:2: one host name a line is expected: web 02");
	refuse("web01,10.0.0.1\n", "hosts:1: one host name");
	refuse("web01\n-oProxyCommand=sh\n", "hosts:2: not a host name or address: -oProxyCommand=sh");
	refuse("$(reboot)\n", "hosts:1: not a host name or address");
	refuse("web01\n\033[2Jweb02\n", "hosts:2: not a host name or address: \\x1B[2Jweb02");
	refuse("", "no host stands in it");
	refuse("# nothing\n\n", "no host stands in it");
	refuse("host,port\nweb01,0\n", "hosts:2: not a port: 0");
	refuse("host,port\nweb01,22x\n", "hosts:2: not a port: 22x");
	refuse("host,port\nweb01\n", "hosts:2: 1 fields where the header has 2");
	refuse("host,colour\nweb01,red\n", "hosts:1: unknown column: colour");
	refuse("host,port,host\nweb01,1,2\n", "hosts:1: a column twice");
	refuse("hostname,port\nweb01,22\n", "hosts:1: unknown column: hostname");
	refuse("host,names\nweb01,\"a.example.com\n", "hosts:2: a quote that is not closed");
	refuse("host,names\nweb01,\"a\"b\n", "hosts:2: text behind a closing quote");
	refuse("host,names\nweb01,a_b;c/d\n", "hosts:2: not a name for a certificate: c/d");
	refuse("host,user\nweb01,root;id\n", "hosts:2: not a user name: root;id");
	refuse("host,address\nweb01,a b\n", "hosts:2: not an address: a b");
	refuse("host,address\n*.example.com,a\n", "hosts:2: not a host name or address");
}

static void test_octets(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(inventory_read("web01\0\n", 7, "hosts", &e));
	assert_non_null(strstr(e.text, "NUL"));
	assert_null(inventory_load("/nonexistent/hosts", &e));
	assert_int_equal(e.code, ERR_IO);
}

static void test_many(void **state)
{
	struct err e = { 0 };
	struct buf b = { 0 };
	struct inventory *inv;

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "web%05d.example.com\n", i);
	inv = inventory_read(b.data, b.len, "hosts", &e);
	assert_non_null(inv);
	assert_int_equal(inv->servers, 20000);
	inventory_free(inv);
	buf_adds(&b, "web00000.example.com\n");
	assert_null(inventory_read(b.data, b.len, "hosts", &e));
	assert_non_null(strstr(e.text, "hosts:20001: this host stands in line 1 already"));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
