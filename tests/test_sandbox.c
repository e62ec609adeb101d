/* The sandbox on disk: what openssl(1) says about it counts, not what our own code reads back. */
#include <fcntl.h>
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

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "drill/sandbox.h"

static char *top, *folder;
static struct map *map;
static struct scenario *scenario;

static const char text[] =
    "[scenario]\ntitle = test\nhosts = 10\ncertificates = 400\n[faults]\nunreachable = db01\n"
    "failing-reload = web02\n";

/* Run a shell command with $D as the folder; its output is owned by the caller. */
static char *run(int *status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static char *run(int *status, const char *fmt, ...)
{
	struct buf out = { 0 };
	char command[2048], block[4096];
	va_list ap;
	size_t n;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	setenv("D", folder, 1);
	f = popen(command, "r");
	assert_non_null(f);
	while ((n = fread(block, 1, sizeof block, f)) > 0)
		buf_add(&out, block, n);
	*status = pclose(f);
	return buf_take(&out);
}

static void run_ok(const char *command)
{
	int status;
	char *out = run(&status, "%s", command);

	if (status != 0)
		fprintf(stderr, "%s: %s\n", command, out);
	assert_int_equal(status, 0);
	free(out);
}

static long run_number(const char *command)
{
	int status;
	char *out = run(&status, "%s", command);
	long n = strtol(out, NULL, 10);

	assert_int_equal(status, 0);
	free(out);
	return n;
}

static int make(void **state)
{
	struct err e = { 0 };
	char here[512], *stray;
	int64_t from;

	(void)state;
	assert_non_null(getcwd(here, sizeof here));
	top = mem_printf("%s/sandbox-XXXXXX", here);
	assert_non_null(mkdtemp(top));
	folder = fs_join(top, "drill");
	scenario = scenario_read(text, "test.ini", &e);
	assert_non_null(scenario);
	/* what an earlier attempt left behind when it was killed */
	map = map_new(folder, scenario, &e);
	assert_non_null(map);
	assert_int_equal(fs_mkdirs(folder, 0700, &e), 0);
	assert_int_equal(map_save(map, &e), 0);
	map_free(map);
	stray = fs_join(folder, "ca");
	assert_int_equal(fs_write(stray, "x", 1, 0600, &e), 0);
	free(stray);
	from = clock_mono();
	map = sandbox_make(folder, scenario, &e);
	if (map == NULL)
		fprintf(stderr, "%s\n", e.text);
	assert_non_null(map);
	printf("sandbox of %d certificates and %d hosts: %d ms\n", scenario->certificates,
	    scenario->hosts, (int)(clock_mono() - from));
	return 0;
}

static int clean(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(sandbox_clean(folder, &e), 0);
	assert_false(fs_exists(folder));
	assert_int_equal(fs_remove_tree(top, &e), 0);
	map_free(map);
	scenario_free(scenario);
	free(folder);
	free(top);
	return 0;
}

static void test_chains(void **state)
{
	(void)state;
	run_ok("openssl verify -x509_strict -CAfile $D/ca/root/ca.crt $D/ca/issuing[123]/ca.crt");
	run_ok("for h in $D/hosts/*.drill.test; do openssl verify -x509_strict -purpose sslserver "
	    "-verify_hostname ${h##*/} -CAfile $D/ca/root/ca.crt -untrusted $h/tls/chain.pem "
	    "$h/tls/server.crt || exit 1; done");
	/* every certificate, at the time it was made for */
	run_ok("for c in $D/ca/issuing2/newcerts/*.pem; do openssl verify -no_check_time -CAfile "
	    "$D/ca/root/ca.crt -untrusted $D/ca/issuing2/ca.crt $c || exit 1; done");
}

static void test_counts(void **state)
{
	(void)state;
	assert_int_equal(run_number("wc -l < $D/ca/issuing2/index.txt"), 400);
	assert_int_equal(run_number("ls $D/ca/issuing2/newcerts | wc -l"), 400);
	assert_int_equal(run_number("cut -f4 $D/ca/issuing2/index.txt | sort -u | wc -l"), 400);
	/* 390 that are not the fleet's: one in eight expired, a third of these marked */
	assert_int_equal(run_number("grep -c ^E $D/ca/issuing2/index.txt"), 16);
	assert_int_equal(run_number("grep -c ^R $D/ca/issuing2/index.txt"), 7);
	assert_int_equal(run_number("awk -F'\\t' -v n=$(date -u +%y%m%d%H%M%SZ) "
	    "'$1 == \"V\" && length($2) == 13 && $2 < n' $D/ca/issuing2/index.txt | wc -l"), 32);
	/* dates of both lengths */
	assert_true(run_number("awk -F'\\t' 'length($2) == 15' $D/ca/issuing2/index.txt | wc -l") > 0);
	/* the serial that comes next is not in use */
	run_ok("! grep -q \"\t$(cat $D/ca/issuing2/serial)\t\" $D/ca/issuing2/index.txt");
	assert_int_equal(run_number("ls -d $D/hosts/*.drill.test | wc -l"), 10);
	assert_int_equal(run_number("cat $D/hosts/*/ssh_host_ed25519_key.pub | sort -u | wc -l"), 13);
	assert_int_equal(run_number("wc -l < $D/known_hosts"), 13);
	assert_int_equal(run_number("wc -l < $D/inventory.csv"), 11);
}

/* The rows say what the certificates say. */
static void test_rows(void **state)
{
	(void)state;
	run_ok("cd $D/ca/issuing2 && awk -F'\\t' 'NR % 20 == 1 { print $2, $4 }' index.txt | "
	    "while read until serial; do "
	    "openssl x509 -in newcerts/$serial.pem -noout -serial | grep -qx serial=$serial || exit 1; "
	    "openssl asn1parse -in newcerts/$serial.pem | grep -q \":$until\" || exit 1; done");
}

static void test_keys_private(void **state)
{
	struct stat st;
	char *path;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		static const char *const ca[] = { "root", "issuing1", "issuing2", "issuing3" };

		path = map_path(map, "ca/%s/private/ca.key", ca[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		free(path);
	}
	run_ok("test -z \"$(find $D -name '*key' ! -name '*.pub' -type f -perm /077)\"");
}

static void test_crls(void **state)
{
	(void)state;
	run_ok("for c in root issuing1 issuing2 issuing3; do "
	    "openssl crl -inform DER -in $D/hosts/cdp1/www/$c.crl -CAfile $D/ca/$c/ca.crt -noout 2>&1 | "
	    "grep -q 'verify OK' || exit 1; cmp $D/hosts/cdp1/www/$c.crl $D/hosts/cdp2/www/$c.crl || "
	    "exit 1; done");
	assert_int_equal(run_number("openssl crl -inform DER -in $D/hosts/cdp2/www/issuing2.crl -noout "
	    "-text | grep -c 'Serial Number'"), 7);
	/* its number is the one before the next */
	assert_int_equal(run_number("echo $(( 0x$(cat $D/ca/issuing2/crlnumber) - $(openssl crl -inform "
	    "DER -in $D/hosts/cdp1/www/issuing2.crl -noout -crlnumber | sed 's/.*=//') ))"), 1);
	/* the certificates point to where it lies */
	run_ok("u=$(openssl x509 -in $D/hosts/web01.drill.test/tls/server.crt -noout -ext "
	    "crlDistributionPoints | sed -n 's/ *URI://p' | head -1); grep -qx \"url = $u\" $D/sev1.conf");
}

/* `openssl ca` takes the directory for its own. */
static void test_openssl_ca(void **state)
{
	(void)state;
	run_ok("cp -r $D/ca/issuing1 $D/copy && sed -i s,$D/ca/issuing1,$D/copy, $D/copy/openssl.cnf && "
	    "cd $D/copy && openssl ca -config openssl.cnf -updatedb 2>&1 && "
	    "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out r "
	    "-subj /CN=x.drill.test 2>&1 && openssl ca -config openssl.cnf -batch -in r -out c 2>&1 && "
	    "openssl ca -config openssl.cnf -revoke c -crl_reason keyCompromise 2>&1 && "
	    "openssl ca -config openssl.cnf -gencrl -out crl.pem 2>&1 && "
	    "openssl crl -in crl.pem -noout -text | grep -A4 \"$(openssl x509 -in c -noout -serial | "
	    "cut -d= -f2)\" | grep -q 'Key Compromise'");
	run_ok("rm -r $D/copy");
}

static void test_map(void **state)
{
	struct err e = { 0 };
	struct map *again = map_load(folder, &e);

	(void)state;
	assert_non_null(again);
	assert_true(again->ready);
	assert_int_equal(again->ssh, map->ssh);
	assert_int_equal(again->places, 13);
	assert_int_equal(map_place(again, "db01.drill.test")->fault, FAULT_UNREACHABLE);
	assert_int_equal(map_place(again, "web02.drill.test")->fault, FAULT_RELOAD);
	assert_int_equal(map_place(again, "web01.drill.test")->fault, FAULT_NONE);
	assert_string_equal(map_place(again, "cdp2")->address, map->place[1].address);
	map_free(again);
}

static void test_refusals(void **state)
{
	struct err e = { 0 };
	char *other = fs_join(top, "other"), *file = fs_join(other, "precious");

	(void)state;
	/* a finished drill is not made again over itself */
	assert_null(sandbox_make(folder, scenario, &e));
	assert_int_equal(e.code, ERR_REFUSED);
	/* and nobody else's folder is touched */
	assert_int_equal(fs_mkdirs(other, 0700, &e), 0);
	assert_int_equal(fs_write(file, "x", 1, 0600, &e), 0);
	assert_null(sandbox_make(other, scenario, &e));
	assert_int_equal(sandbox_clean(other, &e), ERR_REFUSED);
	assert_int_equal(fs_write(file, "{}", 2, 0600, &e), 0);
	free(file);
	file = fs_join(other, "drill.json");
	assert_int_equal(fs_write(file, "{\"sev1-drill\": 2}", 17, 0600, &e), 0);
	assert_int_equal(sandbox_clean(other, &e), ERR_REFUSED);
	assert_true(fs_exists(file));
	/* where nothing is there is nothing to do */
	free(file);
	file = fs_join(top, "none");
	assert_int_equal(sandbox_clean(file, &e), 0);
	assert_null(sandbox_make("/tmp/with space", scenario, &e));
	assert_int_equal(e.code, ERR_USAGE);
	free(file);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_keys_private),
		cmocka_unit_test(test_crls),
		cmocka_unit_test(test_openssl_ca),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_refusals),
	};

	if (system("openssl version >/dev/null 2>&1") != 0) {
		puts("openssl(1) is not installed");
		return 77;
	}
	return cmocka_run_group_tests(tests, make, clean);
}
