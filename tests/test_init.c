/* init.c: finds a real `openssl ca` directory and a real easy-rsa one, and writes what parses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "engine/config.h"
#include "work/init.h"

static char dir[64];

static void put(const char *name, const char *text)
{
	char *path = fs_join(dir, name), *slash = strrchr(path, '/');

	*slash = '\0';
	assert_int_equal(fs_mkdirs(path, 0700, NULL), 0);
	*slash = '/';
	assert_int_equal(fs_write(path, text, strlen(text), 0600, NULL), 0);
	free(path);
}

/* An `openssl ca` directory that has issued nothing; one whose database is missing; an easy-rsa PKI,
 * made by easy-rsa itself; inventories; a served CRL; a folder that must not be searched. */
static int setup(void **state)
{
	char command[512];

	(void)state;
	if (access("/usr/share/easy-rsa/easyrsa", X_OK) != 0) {
		printf("SKIP: easy-rsa is not installed\n");
		exit(77);
	}
	strcpy(dir, "/tmp/sev1-init-XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("SEV1_DATADIR", dir, 1);
	put("playbooks/ca-compromise.ini", "");
	put("pki/CA/openssl.cnf", "[ca]\ndefault_ca = CA_default\n[CA_default]\ndir = .\n"
				  "database = ./index.txt\ncertificate = ./cacert.pem\n"
				  "private_key = ./private/cakey.pem\nnew_certs_dir = ./newcerts\n"
				  "serial = ./serial\ncrlnumber = ./crlnumber\ndefault_md = sha256\n");
	put("pki/CA/same-ca.conf", "[ca]\ndefault_ca = x\n[x]\ndatabase = ./index.txt\n"
				   "certificate = ./cacert.pem\nprivate_key = ./private/cakey.pem\n");
	put("pki/CA/index.txt", "");
	put("pki/CA/private/decoy.cnf", "[ca]\ndefault_ca = x\n");
	put("ssl/openssl.cnf", "[ca]\ndefault_ca = CA_default\n[CA_default]\ndir = ./demoCA\n"
			       "database = $dir/index.txt\ncertificate = $dir/cacert.pem\n"
			       "private_key = $dir/k.pem\nnew_certs_dir = $dir/n\nserial = $dir/serial\n");
	put("tuns/keys/index.txt", ""); /* easy-rsa 2, whose openssl.cnf wants its vars */
	put("tuns/keys/ca.crt", "");
	put("tuns/keys/ca.key", "");
	put("tuns/openssl-1.0.0.cnf", "[ca]\ndefault_ca = x\n[x]\ndatabase = $ENV::SEV1_NO_KEY_DIR/index.txt\n");
	put("usr/demoCA/index.txt", ""); /* CA.pl, with OpenSSL's own configuration */
	put("var/demoCA/index.txt", ""); /* and with one beside it */
	put("var/openssl.cnf", "[ca]\ndefault_ca = x\n[x]\ndatabase = demoCA/index.txt\ncertificate = c\nprivate_key = k\n");
	put("own.txt", "[ca]\ndefault_ca = x\n[x]\ndatabase = ./demoCA/index.txt\ncertificate = ./demoCA/c\n"
		       "private_key = k\n");
	snprintf(command, sizeof command, "%s/own.txt", dir);
	setenv("OPENSSL_CONF", command, 1);
	put("pki/inventory/all-servers.txt", "web01.example.com\n");
	put("pki/inventory/dmz.csv", "host\nweb02.example.com\n");
	put("www/crl/ca.crl", "");
	snprintf(command, sizeof command,
	    "cd %s && make-cadir rsa && cd rsa && ./easyrsa --batch init-pki >log 2>&1 && "
	    "./easyrsa --batch --req-cn='Example CA' build-ca nopass >>log 2>&1", dir);
	assert_int_equal(system(command), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return fs_remove_tree(dir, NULL);
}

static struct init_found *search(void)
{
	char web[96];
	const char *folders[] = { dir, NULL }, *webs[] = { web, NULL };

	snprintf(web, sizeof web, "%s/www", dir);
	return init_search(folders, webs);
}

static void test_search(void **state)
{
	struct init_found *f = search();
	char want[128];

	(void)state;
	assert_int_equal(f->cas, 5);
	for (size_t i = 2; i < 5; i++) {
		static const char *const config[] = { "tuns/keys", "var/openssl.cnf", "usr" };
		static const char *const name[] = { "tuns", "var", "usr" };

		snprintf(want, sizeof want, "%s/%s", dir, config[i - 2]);
		assert_string_equal(f->ca[i].config, want);
		assert_string_equal(f->ca[i].name, name[i - 2]);
	}
	snprintf(want, sizeof want, "%s/pki/CA/openssl.cnf", dir);
	assert_string_equal(f->ca[0].config, want);
	assert_string_equal(f->ca[0].name, "CA");
	snprintf(want, sizeof want, "%s/rsa/pki", dir);
	assert_string_equal(f->ca[1].config, want);
	assert_string_equal(f->ca[1].name, "rsa");
	assert_int_equal(f->inventories, 2);
	snprintf(want, sizeof want, "%s/pki/inventory/all-servers.txt", dir);
	assert_string_equal(f->inventory[0], want);
	init_free(f);
}

/* What is written is a configuration, with titles, parents and points from what the CAs say. */
static void test_write(void **state)
{
	struct init_found *f = search();
	struct buf b = { 0 };
	struct config *c;
	struct err e = { 0 };
	char path[96], want[128];

	(void)state;
	f->ca[0].check = json_pack("{s:s,s:s,s:b,s:[s,s,s,s]}", "subject", "/C=DE/CN=Root \033[1m# 1", "issuer",
	    "/CN=elsewhere", "self_signed", 1, "cdps", "http://crl.example.com/a/ca.crl",
	    "http://crl.example.com/other.crl", "ldap://x/y", "http://x/\nrun=reboot");
	f->ca[1].check = json_pack("{s:s,s:s,s:b,s:[]}", "subject", "/CN=Sub", "issuer",
	    "/C=DE/CN=Root \033[1m# 1", "self_signed", 0, "cdps");
	init_write(f, &b);
	snprintf(path, sizeof path, "%s/new/sev1.conf", dir);
	assert_int_equal(init_put(path, &b, &e), 0);
	c = config_load(path, &e);
	assert_string_equal(e.text, "");
	assert_non_null(c);
	assert_int_equal(c->cas, 5);
	assert_string_equal(c->ca[0].title, "Root \\x1B[1m# 1");
	assert_null(c->ca[0].parent);
	assert_string_equal(c->ca[1].parent, "CA");
	assert_int_equal(c->points, 1); /* of the other its file is not known: it stands as a comment */
	assert_string_equal(c->point[0].url, "http://crl.example.com/a/ca.crl");
	snprintf(want, sizeof want, "%s/www/crl/ca.crl", dir);
	assert_string_equal(c->point[0].path, want);
	assert_non_null(strstr(buf_str(&b), "#url = http://crl.example.com/other.crl\n"));
	assert_null(strstr(buf_str(&b), "reboot"));
	assert_null(strstr(buf_str(&b), "ldap"));
	snprintf(want, sizeof want, "%s/pki/inventory/all-servers.txt", dir);
	assert_string_equal(c->fleet.inventory, want);
	config_free(c);
	buf_free(&b);
	init_free(f);
}

static void test_never_overwrites(void **state)
{
	struct buf b = { 0 }, now = { 0 };
	struct err e = { 0 };
	struct stat st;
	char path[96], want[256];

	(void)state;
	snprintf(path, sizeof path, "%s/taken.conf", dir);
	put("taken.conf", "mine");
	buf_adds(&b, "theirs");
	assert_int_equal(init_put(path, &b, &e), ERR_REFUSED);
	snprintf(want, sizeof want, "%s: exists; it is never overwritten", path);
	assert_string_equal(e.text, want);
	assert_string_equal(e.remedy, "name another file with -o, or move it away first");
	assert_int_equal(fs_read(path, &now, 100, NULL), 0);
	assert_string_equal(buf_str(&now), "mine");
	snprintf(path, sizeof path, "%s/fresh.conf", dir);
	assert_int_equal(init_put(path, &b, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	buf_free(&b);
	buf_free(&now);
}

/* Nothing found: the sample, which says what is missing. */
static void test_nothing(void **state)
{
	const char *none[] = { NULL }, *empty[] = { "/nonexistent", NULL };
	struct init_found *f = init_search(empty, none);
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(f->cas, 0);
	assert_int_equal(f->inventories, 0);
	init_write(f, &b);
	assert_non_null(strstr(buf_str(&b), "#[ca example]\n"));
	assert_non_null(strstr(buf_str(&b), "#[fleet]\n"));
	buf_free(&b);
	init_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_never_overwrites),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
