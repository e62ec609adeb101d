/* The hosts of a sandbox, spoken to by other people's clients: ssh, curl, openssl s_client. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "drill/fence.h"
#include "drill/host.h"
#include "drill/sandbox.h"

static char *top, *folder;
static struct map *map;

static const char text[] =
    "[scenario]\ntitle = test\nhosts = 8\ncertificates = 60\n[faults]\nunreachable = db01\n"
    "failing-test = web02\nfailing-reload = web03\n";

/* $D folder, $S ssh with the drill's key, $A the address of web01, $SSH $TLS $HTTP ports */
static char *run(int *status, const char *command)
{
	struct buf out = { 0 };
	char block[4096];
	size_t n;
	FILE *f = popen(command, "r");

	assert_non_null(f);
	while ((n = fread(block, 1, sizeof block, f)) > 0)
		buf_add(&out, block, n);
	*status = pclose(f);
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
	return buf_take(&out);
}

static void run_is(const char *command, int wanted)
{
	int status;
	char *out = run(&status, command);

	if (status != wanted)
		fprintf(stderr, "%s\n%s: status %d, not %d\n", command, out, status, wanted);
	free(out);
	assert_int_equal(status, wanted);
}

static void run_says(const char *command, const char *wanted)
{
	int status;
	char *out = run(&status, command);

	if (status != 0 || strcmp(out, wanted) != 0)
		fprintf(stderr, "%s: status %d, \"%s\"\n", command, status, out);
	assert_int_equal(status, 0);
	assert_string_equal(out, wanted);
	free(out);
}

static void put_env(const char *name, char *value)
{
	setenv(name, value, 1);
	free(value);
}

static int make(void **state)
{
	struct err e = { 0 };
	struct scenario *s = scenario_read(text, "test.ini", &e);
	char here[512];

	(void)state;
	assert_non_null(s);
	assert_non_null(getcwd(here, sizeof here));
	top = mem_printf("%s/host-XXXXXX", here);
	assert_non_null(mkdtemp(top));
	folder = fs_join(top, "drill");
	map = sandbox_make(folder, s, &e);
	scenario_free(s);
	assert_non_null(map);
	assert_false(host_runs(folder));
	if (host_start(folder, NULL, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(host_runs(folder));
	setenv("D", folder, 1);
	setenv("A", map_place(map, "web01.drill.test")->address, 1);
	setenv("P1", map_place(map, "cdp1")->address, 1);
	setenv("CA", map_place(map, "ca01")->address, 1);
	put_env("TLS", mem_printf("%d", map->tls));
	put_env("HTTP", mem_printf("%d", map->http));
	put_env("PKI", mem_printf("%d", map->pki));
	put_env("OCSP", mem_printf("%d", map->ocsp));
	put_env("O", mem_printf("-F none -p %d -o BatchMode=yes -o StrictHostKeyChecking=yes "
	    "-o UserKnownHostsFile=%s/known_hosts -o GlobalKnownHostsFile=none -o IdentitiesOnly=yes "
	    "-l drill", map->ssh, folder));
	put_env("S", mem_printf("ssh -F none -p %d -o BatchMode=yes -o StrictHostKeyChecking=yes "
	    "-o UserKnownHostsFile=%s/known_hosts -o GlobalKnownHostsFile=none -o IdentitiesOnly=yes "
	    "-l drill -i %s/ssh/id_ed25519", map->ssh, folder, folder));
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
	free(folder);
	free(top);
	return 0;
}

static void test_exec(void **state)
{
	char *where = mem_printf("%s/hosts/web01.drill.test\nweb01.drill.test\n", folder);

	(void)state;
	run_says("$S $A 'pwd; echo $DRILL_HOST' </dev/null", where);
	run_is("$S $A 'exit 0' </dev/null", 0);
	run_is("$S $A 'exit 37' </dev/null", 37);
	run_is("$S $A 'no-such-program' </dev/null 2>/dev/null", 127);
	run_says("$S $A 'echo out; echo err >&2' </dev/null 2>/dev/null", "out\n");
	run_says("$S $A 'echo out; echo err >&2' </dev/null 2>&1 >/dev/null", "err\n");
	/* the sandbox's tools come first */
	run_is("$S $A 'test \"$(command -v iptables)\" = '$D/bin/iptables </dev/null", 0);
	run_is("$S $A 'kill -TERM $$' </dev/null 2>/dev/null", 255);
	free(where);
}

static void test_stdin(void **state)
{
	(void)state;
	run_says("printf 'a line' | $S $A 'cat'", "a line");
	/* more than any window or pipe holds, both ways, unchanged */
	run_is("head -c 5000000 /dev/urandom >$D/in && $S $A cat <$D/in >$D/out && cmp $D/in $D/out", 0);
	run_is("$S $A 'cat >copy; sha256sum <copy' <$D/in | cut -c1-64 >$D/sum && "
	    "sha256sum <$D/in | cut -c1-64 | cmp - $D/sum", 0);
	/* a command that does not read does not hang, nor does one that stops reading */
	run_is("$S $A 'exit 5' <$D/in", 5);
	run_says("$S $A 'head -c 3' <$D/in | wc -c", "3\n");
}

static void test_session_of_many(void **state)
{
	(void)state;
	/* one connection, several commands after and beside one another */
	run_is("timeout 120 $S -M -S $D/ctl -f -N $A", 0);
	run_says("for i in 1 2 3; do ssh $O -S $D/ctl $A \"echo $i\" </dev/null; done", "1\n2\n3\n");
	run_says("for i in 1 2 3 4 5; do ssh $O -S $D/ctl $A \"read x; echo $i\" <$D/in >$D/out.$i & done; "
	    "wait; cat $D/out.?", "1\n2\n3\n4\n5\n");
	run_is("ssh $O -S $D/ctl -O exit $A 2>/dev/null", 0);
}

static void test_wrong_key(void **state)
{
	(void)state;
	run_is("ssh-keygen -q -t ed25519 -N '' -f $D/other", 0);
	run_is("ssh $O -i $D/other $A true 2>/dev/null </dev/null", 255);
	run_is("ssh -l root $O -i $D/ssh/id_ed25519 $A true 2>/dev/null </dev/null", 255);
	/* each host has its own key: another host's is not taken for it */
	run_is("ssh -o UserKnownHostsFile=$D/kh $O -i $D/ssh/id_ed25519 $A true 2>/dev/null </dev/null", 255);
	run_is("awk -v a=\"[$A]:\" -v c=\"[$CA]:\" 'index($1, a) == 1 { n = $1 } index($1, c) == 1 { k = $3 } "
	    "END { print n, \"ssh-ed25519\", k }' $D/known_hosts >$D/kh && "
	    "ssh -o UserKnownHostsFile=$D/kh $O -i $D/ssh/id_ed25519 $A true 2>&1 </dev/null | "
	    "grep -q 'Host key verification failed'", 0);
}

static void test_unreachable(void **state)
{
	char *command = mem_printf("$S -o ConnectTimeout=3 %s true 2>/dev/null </dev/null",
	    map_place(map, "db01.drill.test")->address);

	(void)state;
	run_is(command, 255);
	free(command);
}

/* Prints the serial that web01 presents, after the client has verified chain and name. */
#define PRESENTED                                                                                  \
	"openssl s_client -connect $A:$TLS -servername web01.drill.test -verify_return_error "     \
	"-verify_hostname web01.drill.test -CAfile $D/ca/root/ca.crt </dev/null 2>/dev/null | "    \
	"openssl x509 -noout -serial"

static void test_tls_reload(void **state)
{
	int status;
	char *before, *after, *wanted;

	(void)state;
	before = run(&status, PRESENTED);
	wanted = run(&status, "openssl x509 -noout -serial -in $D/hosts/web01.drill.test/tls/server.crt");
	assert_string_equal(before, wanted);
	assert_true(strncmp(before, "serial=", 7) == 0);
	free(wanted);
	/* a new key and certificate as the runbook wants them, from the spare CA */
	run_is("$S $A 'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
	    "tls/new.key -subj /CN=web01.drill.test -addext subjectAltName=DNS:web01.drill.test 2>/dev/null' "
	    "</dev/null >$D/csr && sed 's/^unique/copy_extensions = copy\\nunique/' "
	    "$D/ca/issuing3/openssl.cnf >$D/issuing3.cnf && "
	    "openssl ca -config $D/issuing3.cnf -batch -in $D/csr -out $D/new.crt -notext 2>/dev/null", 0);
	run_is("$S $A 'cat >tls/server.crt' <$D/new.crt && $S $A 'cat >tls/chain.pem' "
	    "<$D/ca/issuing3/ca.crt", 0);
	/* the key does not belong to it: the test says so, the reload refuses, the old one stays */
	run_is("$S $A 'webd -t' </dev/null 2>/dev/null", 1);
	run_is("$S $A 'systemctl reload webd' </dev/null 2>/dev/null", 1);
	after = run(&status, PRESENTED);
	assert_string_equal(after, before);
	free(after);
	run_is("$S $A 'mv tls/new.key tls/server.key && webd -t' </dev/null", 0);
	after = run(&status, PRESENTED); /* not before the reload */
	assert_string_equal(after, before);
	free(after);
	run_is("$S $A 'systemctl reload webd' </dev/null", 0);
	after = run(&status, PRESENTED);
	wanted = run(&status, "openssl x509 -noout -serial -in $D/new.crt");
	assert_string_equal(after, wanted);
	assert_string_not_equal(after, before);
	free(after);
	free(wanted);
	free(before);
}

static void test_faults(void **state)
{
	char *s2 = mem_printf("$S %s", map_place(map, "web02.drill.test")->address);
	char *s3 = mem_printf("$S %s", map_place(map, "web03.drill.test")->address);

	(void)state;
	put_env("S2", s2);
	put_env("S3", s3);
	/* with the old certificate all is well; they fail when another is put in its place */
	run_is("sh -c \"$S2 'webd -t && systemctl reload webd'\" </dev/null", 0);
	run_is("sh -c \"$S3 'webd -t && systemctl reload webd'\" </dev/null", 0);
	run_is("for h in web02 web03; do cd $D/hosts/$h.drill.test/tls && cp server.crt old && "
	    "openssl x509 -in old -out server.crt -signkey server.key 2>/dev/null || exit 1; done", 0);
	run_is("sh -c \"$S2 'webd -t'\" </dev/null 2>/dev/null", 1);
	run_is("sh -c \"$S3 'webd -t'\" </dev/null", 0);
	run_is("sh -c \"$S3 'systemctl reload webd'\" </dev/null 2>/dev/null", 1);
	/* rolled back they serve on */
	run_is("for h in web02 web03; do cd $D/hosts/$h.drill.test/tls && mv old server.crt || exit 1; "
	    "done; sh -c \"$S3 'systemctl reload webd'\" </dev/null", 0);
}

static void test_http(void **state)
{
	(void)state;
	run_is("curl -sf http://$P1:$HTTP/issuing2.crl | cmp - $D/hosts/cdp1/www/issuing2.crl", 0);
	run_says("curl -sfI http://$P1:$HTTP/issuing2.crl | tr -d '\\r' | grep -c "
	    "-e '^HTTP/1.1 200' -e '^Content-Type: application/pkix-crl' "
	    "-e \"^Content-Length: $(stat -c %s $D/hosts/cdp1/www/issuing2.crl)$\"", "3\n");
	run_is("curl -sf http://$P1:$HTTP/none.crl", 22);
	run_says("curl -s -X POST -d a=b -o /dev/null -w '%{http_code}' http://$P1:$HTTP/issuing2.crl", "405");
}

static void test_http_traversal(void **state)
{
	(void)state;
	run_is("echo secret >$D/hosts/cdp1/secret && ln -s ../secret $D/hosts/cdp1/www/link.crl && "
	    "ln -s / $D/hosts/cdp1/www/all && echo dot >$D/hosts/cdp1/www/.dot", 0);
	run_is("for u in ../secret ..%2fsecret %2e%2e/secret .dot ./issuing2.crl x/../../secret //etc/passwd "
	    "link.crl all/etc/passwd ''; do "
	    "c=$(curl -s --path-as-is -o /dev/null -w '%{http_code}' \"http://$P1:$HTTP/$u\"); "
	    "test $c = 404 || { echo \"$u: $c\"; exit 1; }; done", 0);
	/* and what is no request at all ends */
	run_is("printf 'GET /issuing2.crl\\r\\n\\r\\n' | timeout 120 openssl s_client -connect $P1:$HTTP "
	    ">/dev/null 2>&1; test $? -ne 124", 0);
}

static void test_services(void **state)
{
	(void)state;
	run_says("$S $CA 'systemctl is-active pki-ca ocsp-responder' </dev/null", "active\nactive\n");
	run_is("curl -sf http://$CA:$PKI/ >/dev/null", 0);
	run_says("curl -sf http://$CA:$OCSP/ | od -An -tx1", " 30 03 0a 01 03\n");
	/* stopped: nothing answers, and it is known to be so */
	run_is("$S $CA 'systemctl stop pki-ca' </dev/null", 0);
	run_is("curl -s http://$CA:$PKI/", 7);
	run_is("curl -sf http://$CA:$OCSP/ >/dev/null", 0);
	run_is("$S $CA 'systemctl is-active --quiet pki-ca' </dev/null", 3);
	run_is("$S $CA '! systemctl is-active --quiet pki-ca' </dev/null", 0);
	run_is("$S $CA 'systemctl stop no-such' 2>/dev/null </dev/null", 5);
	/* a rule closes the other one; both families have their own rules */
	run_is("$S $CA \"iptables -w -I INPUT 1 -p tcp --dport $OCSP -j DROP\" </dev/null", 0);
	run_is("curl -s http://$CA:$OCSP/", 7);
	run_is("$S $CA \"iptables -C INPUT -p tcp --dport $OCSP -j DROP\" </dev/null", 0);
	run_is("$S $CA \"ip6tables -C INPUT -p tcp --dport $OCSP -j DROP\" </dev/null 2>/dev/null", 1);
	run_is("$S $CA \"ip6tables -I INPUT 1 -p tcp --dport $OCSP -j DROP && ip6tables -S INPUT\" </dev/null "
	    "| grep -q -e \"--dport $OCSP -j DROP\"", 0);
	/* as sev1 writes, checks and undoes them, beside the operator's own */
	run_is("$S $CA \"iptables -w -I INPUT 1 -p tcp --dport $OCSP -m comment --comment sev1:X-1 -j DROP && "
	    "iptables -w -S INPUT | awk '/^-P/ {next} !/sev1:X-1[\\\" ]/ {exit} /--dport $OCSP .*-j DROP/ {p = 1} "
	    "END {exit !p}'\" </dev/null", 0);
	run_is("$S $CA \"iptables -w -D INPUT -p tcp --dport $OCSP -m comment --comment sev1:X-1 -j DROP\" "
	    "</dev/null", 0);
	run_is("curl -s http://$CA:$OCSP/", 7);
}

/* The machine room outlives the console, and what was done in it outlives the machine room. */
static void test_restart(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(host_start(folder, NULL, &e), 0); /* the one that runs */
	assert_int_equal(host_stop(folder, &e), 0);
	assert_false(host_runs(folder));
	run_is("curl -s http://$P1:$HTTP/issuing2.crl", 7);
	assert_int_equal(host_start(folder, NULL, &e), 0);
	run_is("curl -sf http://$P1:$HTTP/issuing2.crl >/dev/null", 0);
	run_is("curl -s http://$CA:$PKI/", 7);
	run_is("curl -s http://$CA:$OCSP/", 7);
	/* killed outright: the lock is free at once, a new one starts on the same ports */
	run_is("kill -9 $(cat $D/run/host.pid)", 0);
	while (host_runs(folder))
		;
	run_is("curl -s http://$P1:$HTTP/issuing2.crl", 7);
	assert_int_equal(host_start(folder, NULL, &e), 0);
	run_is("$S $CA \"systemctl start pki-ca && iptables -D INPUT -p tcp --dport $OCSP -j DROP\" "
	    "</dev/null", 0);
	run_is("curl -sf http://$CA:$PKI/ >/dev/null && curl -sf http://$CA:$OCSP/ >/dev/null", 0);
}

static void test_watch(void **state)
{
	struct err e = { 0 };
	int fd = host_watch(folder, &e);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(host_watch(folder, &e), ERR_REFUSED);
	close(fd);
	fd = host_watch(folder, &e);
	assert_true(fd >= 0);
	close(fd);
}

static void test_parallel(void **state)
{
	(void)state;
	run_says("for i in $(seq 40); do $S $A \"echo $i\" </dev/null >$D/par.$i & done; wait; "
	    "cat $D/par.* | sort -n | uniq | wc -l", "40\n");
}

/* A command on a host may write in the drill's folder and nowhere else, where the kernel can see to it. */
static void test_fence(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		int on = 0;

		_exit(fence_raise(folder, &on, NULL) < 0 ? 2 : on);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	run_is("$S $A 'echo x >/dev/null && mkdir -p a b && echo x >a/f && mv a/f b/g && rm -r a b' </dev/null", 0);
	if (WEXITSTATUS(status) == 0) {
		puts("this kernel has no Landlock: the rest is left out");
		skip();
	}
	run_is("$S $A 'echo x >../../../outside' 2>/dev/null </dev/null", 2);
	run_is("$S $A 'ln -s ../../../ way; echo x >way/outside' 2>/dev/null </dev/null", 2);
	run_is("test ! -e $D/../outside", 0);
}

static void test_tools(void **state)
{
	(void)state;
	run_is("for t in $D/bin/*; do sh -n $t || exit 1; done", 0);
	run_is("printf 'Subject: x\\n\\nbody\\n' | $D/bin/sendmail -i -f a@drill.test -- b@drill.test && "
	    "grep -qx 'X-Envelope-To: b@drill.test' $D/mail/*.eml && grep -qx body $D/mail/*.eml", 0);
	run_is("$D/bin/keylock locked issuing1 2>/dev/null", 1);
	run_is("$D/bin/keylock lock issuing1 && $D/bin/keylock locked issuing1 && "
	    "test ! -e $D/ca/issuing1/private/ca.key", 0);
	run_is("$D/bin/keylock lock issuing1", 0); /* twice is once */
	run_is("$D/bin/keylock unlock issuing1 && test \"$(stat -c %a $D/ca/issuing1/private/ca.key)\" = 600", 0);
	run_is("$D/bin/keylock lock ../issuing1 2>/dev/null", 2);
	run_is("$D/bin/systemctl stop pki-ca 2>/dev/null", 1); /* not on a host */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_stdin),
		cmocka_unit_test(test_session_of_many),
		cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_tls_reload),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_http_traversal),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_fence),
		cmocka_unit_test(test_tools),
	};

	if (argc == 3 && strcmp(argv[1], "drill-host") == 0)
		return drill_host_main(argv[2]);
	if (system("command -v ssh curl openssl ssh-keygen >/dev/null") != 0) {
		puts("ssh, curl or openssl is not installed");
		return 77;
	}
	return cmocka_run_group_tests(tests, make, clean);
}
