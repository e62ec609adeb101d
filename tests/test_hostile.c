/* A fleet of which every third host is hostile, through the real program: each good host is done, each bad one
 * has the row that it deserves, in time; memory is bounded, and nothing raw comes out anywhere.
 * HOSTS: how many; by default as many as each behaviour needs to be seen once, 1000 on CI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "hostile.h"
#include "sshd.h"

#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
/* A sanitizer's children are slow to begin: fewer at a time, and more time for each. */
#define DEADLINE_S (SANITIZED ? 30 : 12)
#define CONCURRENCY (SANITIZED ? 12 : 48)
#define PRIVATE_MAX_KB (6 * 1024)
#define CONSOLE_MAX_KB (128 * 1024)

/* What a host does, and the row that it must get. */
static const struct {
	const char *word, *state, *detail;
} deserved[] = {
	/* no SSH server, or half of one */
	{ "raw-close", "unreachable", "setting up SSH" },
	{ "raw-silent", "unreachable", "no answer in time while waiting for its SSH server" },
	{ "raw-slow", "unreachable", "no answer in time while waiting for its SSH server" },
	{ "raw-lines", "unreachable", "no answer in time while waiting for its SSH server" },
	{ "raw-endless-line", "unreachable", "too large banner" },
	{ "raw-http", "unreachable", "setting up SSH" },
	{ "raw-ssh1", "unreachable", "No version of SSH protocol usable" },
	{ "raw-escapes", "unreachable", "setting up SSH" },
	{ "raw-banner-silent", "unreachable", "no answer in time while waiting for its SSH server" },
	{ "raw-banner-close", "unreachable", "setting up SSH" },
	{ "raw-huge-packet", "unreachable", "Packet len too high" },
	{ "raw-tiny-packet", "unreachable", "setting up SSH" },
	{ "raw-noise", "unreachable", "Packet len too high" },
	{ "raw-nul-banner", "unreachable", "no answer in time while waiting for its SSH server" },
	{ "raw-ssh9", "unreachable", "No version of SSH protocol usable" },
	{ "raw-farewell", "unreachable", "Received SSH_MSG_DISCONNECT" },
	{ "raw-ignored", "unreachable", "no answer in time while waiting for its SSH server" },
	{ "raw-debugged", "unreachable", "no answer in time while waiting for its SSH server" },
	{ "raw-kex-lies", "unreachable", "setting up SSH" },
	{ "raw-kex-empty", "unreachable", "setting up SSH" },
	{ "tcp-trickle", "unreachable", "no answer in time while waiting for its SSH server" },
	{ "kex-nothing-common", "unreachable", "setting up SSH" },
	/* not the host that we know, or it does not know us */
	{ "key-unknown", "refused", "is not in" },
	{ "key-changed", "refused", "the host key has changed" },
	{ "key-other-type", "refused", "of another type" },
	{ "auth-denied", "refused", "authentication denied" },
	{ "auth-denied-late", "refused", "authentication denied" },
	{ "auth-keyboard", "refused", "authentication denied" },
	{ "auth-second-factor", "refused", "a second factor" },
	{ "auth-stall", "unreachable", "no answer in time while authenticating" },
	{ "auth-close", "unreachable", "connection lost while authenticating" },
	/* no command */
	{ "channel-refused", "failed", "opening a channel" },
	{ "channel-stall", "failed", "no answer in time while opening a channel" },
	{ "channel-close", "failed", "opening a channel" },
	{ "exec-refused", "failed", "starting a command" },
	{ "exec-stall", "failed", "no answer in time while a command ran" },
	{ "exec-ignored", "failed", "no answer in time while a command ran" },
	{ "exec-asked", "failed", "no answer in time while a command ran" },
	{ "exec-opens", "failed", "no answer in time while a command ran" },
	{ "exec-close", "failed", "connection lost while a command ran" },
	/* requests */
	{ "csr-nothing", "failed", "no reason given" },
	{ "csr-status-only", "failed", "no reason given" },
	{ "csr-no-status", "failed", "ended without an exit status" },
	{ "csr-signal", "failed", "killed by signal KILL" },
	{ "csr-says-why", "failed", "error: no luck" },
	{ "csr-csh", "failed", "the login shell there is a csh" },
	{ "csr-binary", "failed", "what came is not text" },
	{ "csr-escapes", "refused", "not a certificate request" },
	{ "csr-endless", "failed", "cut off after" },
	{ "csr-endless-errors", "failed", "cut off after" },
	{ "csr-slow", "failed", "no answer in time while a command ran" },
	{ "csr-end-no-close", "failed", "no answer in time while a command ran" },
	{ "csr-other-name", "refused", "for another name: \"bank.example\"" },
	{ "csr-more-names", "refused", "for another name: \"bank.example\"" },
	{ "csr-wildcard", "refused", "for another name: \"*.test\"" },
	{ "csr-neighbour", "refused", "for another name: \"g00000.test\"" },
	{ "csr-escape-subject", "refused", "for another name" },
	{ "csr-weak", "refused", "weak key: RSA of 1024 bits" },
	{ "csr-stolen-key", "refused", "a key that is compromised" },
	{ "csr-small-curve", "refused", "weak key: curve" },
	{ "csr-odd-curve", "refused", "weak key: curve" },
	{ "csr-ed448", "refused", "a key of this kind is not accepted" },
	{ "csr-dsa", "refused", "a key of this kind is not accepted" },
	{ "csr-exponent-3", "refused", "weak key" },
	{ "csr-more-kinds", "refused", "neither DNS nor IP" },
	{ "csr-address", "refused", "for another name: \"192.0.2.1\"" },
	{ "csr-uri", "refused", "neither DNS nor IP" },
	{ "csr-two", "failed", "the host puts the old files back by itself" },
	{ "csr-two-other-first", "refused", "for another name: \"bank.example\"" },
	{ "csr-challenge", "failed", "the host puts the old files back by itself" },
	{ "csr-10000-names", "failed", "cut off after" },
	{ "csr-key", "refused", "not a certificate request" },
	{ "csr-certificate", "refused", "not a certificate request" },
	{ "csr-eof-then-data", "failed", "no request" },
	{ "csr-two-statuses", "failed", "no request" },
	{ "csr-statuses", "failed", "no request" },
	{ "csr-status-first", "failed", "no request" },
	{ "shell-asks", "failed", "no answer in time while a command ran" },
	{ "shell-says-words", "refused", "not a certificate request" },
	{ "shell-execs", "failed", "no answer in time while a command ran" },
	{ "csr-truncated", "refused", "not a certificate request" },
	{ "csr-forged", "refused", "not signed by its own key" },
	{ "csr-10MB", "failed", "cut off after" },
	/* installing */
	{ "install-disk-full", "failed", "No space left on device" },
	{ "install-close", "failed", "the host puts the old files back by itself" },
	{ "install-stall", "failed", "no answer in time while a command ran" },
	{ "install-nothing", "failed", "no reason given; the host puts the old files back by itself" },
	{ "install-words", "failed", "cut off after" },
	{ "install-escapes", "failed", "the host puts the old files back by itself" },
	{ "install-early", "failed", "the host puts the old files back by itself" },
	{ "install-requests", "failed", "the host puts the old files back by itself" },
	{ "install-wordless", "failed", "the host puts the old files back by itself" },
	{ "install-serves-restored", "rolled back", "no reason given" },
	{ "install-serves-both", "verified", "" },
	{ "install-serves-nothing", "failed", "the host puts the old files back by itself" },
	{ "install-kept-at-once", "failed", "no reason given; the host puts the old files back by itself" },
	{ "install-lies", "rolled back", "presents another certificate" },
	{ "install-lies-kept", "failed", "presents another certificate" },
	/* test, reload, handshake */
	{ "test-fails", "rolled back", "emerg" },
	{ "test-hangs", "rolled back", "failed: no end within" },
	{ "test-floods", "failed", "cut off after" },
	{ "reload-fails", "failed", "no reason given; put back, but the service did not reload: look at the host" },
	{ "reload-kills", "rolled back", "TLS handshake" },
	{ "old-for-ever", "rolled back", "presents another certificate" },
	{ "tls-other", "rolled back", "presents another certificate" },
	{ "tls-stall", "rolled back", "no answer in" },
	{ "tls-noise", "rolled back", "TLS handshake" },
	{ "tls-neighbour", "rolled back", "presents another certificate" },
	{ "tls-closes", "rolled back", "TLS handshake" },
	{ "tls-alert", "rolled back", "TLS handshake" },
	{ "tls-half", "rolled back", "no answer in" },
	{ "tls-huge", "rolled back", "TLS handshake" },
	{ "verify-close", "failed", "the host puts the old files back by itself" },
	/* odd, and good */
	{ "odd-lines", "verified", "" },
	{ "odd-greeting", "verified", "" },
	{ "odd-traffic", "verified", "" },
	{ "odd-shell", "verified", "" },
	{ "odd-pieces", "verified", "" },
	{ "odd-keepalive", "verified", "" },
	{ "odd-old-tls", "verified", "" },
	{ "odd-client", "verified", "" },
};
#define WORDS (sizeof deserved / sizeof deserved[0])

static struct hostile fleet;
static json_t *answer;
static long private_kb, peak_kb, console_kb;
static int64_t took;

/* ---- the folder ---- */

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		fail_msg("%s: not written", path);
}

static void authority(const char *name)
{
	char path[64];
	FILE *f;

	sh("mkdir -p %s/newcerts && : > %s/index.txt && echo 1000 > %s/serial && echo 01 > %s/crlnumber", name, name, name,
	    name);
	snprintf(path, sizeof path, "%s/openssl.cnf", name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "[ca]\ndefault_ca = c\n[c]\ndir = %s/%s\ndatabase = $dir/index.txt\nnew_certs_dir = $dir/newcerts\n"
	    "certificate = $dir/ca.pem\nprivate_key = $dir/ca.key\nserial = $dir/serial\ncrlnumber = $dir/crlnumber\n"
	    "default_md = sha256\ndefault_days = 90\nunique_subject = no\npolicy = p\n[p]\ncommonName = supplied\n",
	    scratch_path(), name);
	fclose(f);
	sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout %s/ca.key -subj '/CN=Test %s' -days 90"
	   " -addext keyUsage=critical,keyCertSign,cRLSign -out %s/ca.pem 2>/dev/null", name, name, name);
}

/* The scripts that stand for a service: a reload makes the installed certificate the served one. What is served at first is one
 * file with a name for each host: it is replaced, never written to. */
#define SERVE(file) "d=${0%/*}\ncp \"" file "\" \"$d/live.new\" && mv \"$d/live.new\" \"$d/live.pem\"\n"

static void scripts(void)
{
	put("reload.good", SERVE("$d/server.pem"));
	put("test.good", "exit 0\n");
	put("test.test-fails", "printf '\\033[2J\\033]0;owned\\007[emerg] no\\r\\n' >&2\nexit 1\n");
	put("test.test-hangs", "exec sleep 1000\n");
	put("test.test-floods", "exec yes 'test failed test failed test failed' >&2\n");
	put("reload.reload-fails", "exit 1\n");
	put("reload.reload-kills", ": > \"${0%/*}/down\"\n");
	put("reload.old-for-ever", "exit 0\n");
	put("reload.tls-other", SERVE("$d/../../other.pem"));
	put("reload.tls-neighbour", SERVE("$d/../g00000.test/live.pem"));
	put("reload.verify-close", "exit 0\n");
	sh("mkdir full && printf '#!/bin/sh\\necho \"sync: error syncing: No space left on device\" >&2\\nexit 1\\n' > full/sync && "
	   "chmod 755 full/sync");
}

static void place(const char *host, const char *what, const char *word)
{
	char from[64], to[160];

	snprintf(from, sizeof from, "%s.%s", what, word);
	if (access(from, R_OK) < 0)
		snprintf(from, sizeof from, "%s.good", what);
	snprintf(to, sizeof to, "hosts/%s/%s", host, what);
	assert_int_equal(link(from, to), 0);
}

static void hosts(size_t n)
{
	struct hostile_host *h = calloc(n, sizeof *h);
	char *pub = slurp("hostkey.pub"), address[32], path[128];
	FILE *inventory = fopen("inventory.csv", "w"), *known = fopen("known_hosts", "w");
	size_t bad = 0;

	assert_non_null(inventory);
	assert_non_null(known);
	pub[strcspn(pub, "\n")] = '\0';
	fprintf(inventory, "host,address,port,user,names\n");
	for (size_t i = 0; i < n; i++) {
		const char *word = i % 10 % 3 == 0 && i % 10 != 0 ? deserved[bad++ % WORDS].word : NULL;

		h[i].word = word;
		snprintf(h[i].name, sizeof h[i].name, "%s%05zu.test", word != NULL ? "h" : "g", i);
		hostile_address(i, address);
		fprintf(inventory, "%s,%s,%d,%s,%s\n", h[i].name, address, fleet.ssh_port, getpwuid(geteuid())->pw_name,
		    h[i].name);
		if (word == NULL || strcmp(word, "key-unknown") != 0)
			fprintf(known, "[%s]:%d %s\n", address, fleet.ssh_port, pub);
		snprintf(path, sizeof path, "hosts/%s", h[i].name);
		assert_int_equal(mkdir(path, 0755), 0);
		place(h[i].name, "server.key", "good");
		place(h[i].name, "server.pem", "good");
		place(h[i].name, "live.pem", "good");
		place(h[i].name, "test", word != NULL ? word : "good");
		place(h[i].name, "reload", word != NULL ? word : "good");
	}
	fclose(inventory);
	fclose(known);
	free(pub);
	fleet.host = h;
	fleet.hosts = n;
}

static void configuration(void)
{
	const char *f = scratch_path();
	FILE *c = fopen("sev1.conf", "w");

	assert_non_null(c);
	sh("mkdir -m 700 state");
	fprintf(c, "[sev1]\nstate = %s/state\norganisation = Test\n[ca issuing]\nconfig = %s/issuing/openssl.cnf\n"
	    "[ca spare]\nconfig = %s/spare/openssl.cnf\nspare = yes\n[fleet]\ninventory = %s/inventory.csv\nidentity = %s/id\n"
	    "known-hosts = %s/known_hosts\nkey = %s/hosts/%%h/server.key\ncertificate = %s/hosts/%%h/server.pem\n"
	    "test = sh %s/hosts/%%h/test\nreload = sh %s/hosts/%%h/reload\nprobe-port = %d\nconcurrency = %d\ndeadline = %d\n",
	    f, f, f, f, f, f, f, f, f, f, fleet.tls_port, CONCURRENCY, DEADLINE_S);
	fclose(c);
}

/* ---- the program ---- */

static void sev1(const char *arguments, const char *out)
{
	sh("\"$SEV1\" -c sev1.conf %s > %s 2> %s.err || { cat %s %s.err; exit 1; }", arguments, out, out, out, out);
}

static json_t *load(const char *path)
{
	json_error_t e;
	json_t *o = json_load_file(path, 0, &e);

	if (o == NULL)
		fail_msg("%s:%d: %s", path, e.line, e.text);
	return o;
}

static long field_kb(pid_t pid, const char *file, const char *name)
{
	char path[64], line[256];
	long sum = 0, v;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0 && sscanf(strchr(line, ':') + 1, "%ld", &v) == 1)
			sum += v;
	fclose(f);
	return sum;
}

/* Is it an SSH child of the console? */
static bool is_child(pid_t pid, pid_t console)
{
	char path[64], line[512] = "";
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	if (field_kb(pid, "status", "PPid:") != console || (f = fopen(path, "r")) == NULL)
		return false;
	n = fread(line, 1, sizeof line - 1, f);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		if (line[i] == '\0')
			line[i] = ' ';
	return strstr(line, "child ssh") != NULL;
}

static void measure(pid_t console)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	long kb;

	while (d != NULL && (e = readdir(d)) != NULL) {
		pid_t pid = (pid_t)atoi(e->d_name);

		if (pid <= 0 || !is_child(pid, console))
			continue;
		kb = field_kb(pid, "smaps_rollup", "Private_");
		private_kb = kb > private_kb ? kb : private_kb;
		kb = field_kb(pid, "status", "VmHWM:");
		peak_kb = kb > peak_kb ? kb : peak_kb;
	}
	closedir(d);
	kb = field_kb(console, "status", "VmHWM:");
	console_kb = kb > console_kb ? kb : console_kb;
}

static void reissue(void)
{
	json_t *plan;
	char hash[80], phrase[80];
	const char *program = getenv("SEV1");
	int64_t start;
	int status = 0;
	pid_t pid;

	if (system("\"$SEV1\" -c sev1.conf reissue --json > plan.json 2> plan.err") < 0)
		fail();
	plan = load("plan.json");
	snprintf(hash, sizeof hash, "%s", json_str(json_object_get(plan, "plan"), "hash"));
	snprintf(phrase, sizeof phrase, "%s", json_str(json_object_get(plan, "plan"), "phrase"));
	json_decref(plan);
	assert_true(hash[0] != '\0');
	assert_non_null(program);
	start = clock_mono();
	if ((pid = fork()) == 0) {
		if (freopen("run.json", "w", stdout) == NULL || freopen("run.err", "w", stderr) == NULL)
			_exit(1);
		execl(program, "sev1", "-c", "sev1.conf", "reissue", "--plan", hash, "--confirm", phrase, "--json",
		    (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		measure(pid);
		poll(NULL, 0, 200);
	}
	took = clock_mono() - start;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 4);
	answer = load("run.json");
}

static int setup(void **state)
{
	const char *n = getenv("HOSTS");
	size_t usual = getenv("CI") != NULL && !SANITIZED ? 1000 : WORDS * 10 / 3 + 10;

	(void)state;
	sh("ssh-keygen -q -t ed25519 -N '' -f hostkey && ssh-keygen -q -t ed25519 -N '' -f otherkey && "
	   "ssh-keygen -q -t ecdsa -N '' -f ecdsakey && ssh-keygen -q -t ed25519 -N '' -f id && mkdir hosts");
	authority("issuing");
	authority("spare");
	sh("openssl genrsa -out weak.key 1024 2>/dev/null && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc"
	   " -keyout server.key.good -subj /CN=old -days 9 -out server.pem.good 2>/dev/null && cp server.pem.good live.pem.good && "
	   "openssl req -x509 -key server.key.good -subj /CN=other -days 9 -out other.pem");
	sh("openssl ecparam -genkey -name prime192v1 -noout -out csr-small-curve && openssl ecparam -genkey -name sect283k1 -noout "
	   "-out csr-odd-curve && openssl genpkey -algorithm ED448 -out csr-ed448 && openssl dsaparam -genkey -out csr-dsa 1024 "
	   "2>/dev/null && openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_pubexp:3 -out csr-exponent-3 2>/dev/null");
	put("challenge.cnf", "[req]\ndistinguished_name=d\nattributes=a\nprompt=no\n[d]\nCN=x\n[a]\nchallengePassword=a\033[2Jb\n");
	scripts();
	fleet.ssh_port = port_free();
	fleet.tls_port = port_free();
	hosts(n != NULL && atoi(n) > 0 ? (size_t)atoi(n) : usual);
	configuration();
	hostile_start(&fleet);
	port_wait(fleet.ssh_port);
	port_wait(fleet.tls_port);
	sev1("open --title hostile", "out");
	sev1("triage --ca issuing --level intermediate --compromise 1 --received -5m", "out");
	if (system("\"$SEV1\" -c sev1.conf recover --issuer spare --json > plan.json 2> plan.err") < 0)
		return -1;
	sh("\"$SEV1\" -c sev1.conf recover --issuer spare --plan $(sed -n 's/^ *\"hash\": \"\\(.*\\)\".*/\\1/p' plan.json) --confirm "
	   "\"$(sed -n 's/^ *\"phrase\": \"\\(.*\\)\".*/\\1/p' plan.json)\" > out 2>&1 || { cat out; exit 1; }");
	reissue();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hostile_stop(&fleet);
	free((void *)(uintptr_t)fleet.host);
	json_decref(answer);
	return 0;
}

/* ---- what came of it ---- */

static const json_t *row_of(const char *host)
{
	const json_t *list = json_list(answer, "hosts"), *row;
	size_t i;

	json_array_foreach(list, i, row)
		if (strcmp(json_str(row, "host"), host) == 0)
			return row;
	fail_msg("%s has no row", host);
	return NULL;
}

static void test_good_hosts_are_done(void **state)
{
	size_t done = 0, good = 0;

	(void)state;
	for (size_t i = 0; i < fleet.hosts; i++) {
		const json_t *row;

		if (fleet.host[i].word != NULL)
			continue;
		good++;
		row = row_of(fleet.host[i].name);
		if (strcmp(json_str(row, "state"), "verified") == 0)
			done++;
		else
			print_error("%s: %s in %s: %s\n", fleet.host[i].name, json_str(row, "state"), json_str(row, "phase"),
			    json_str(row, "detail"));
	}
	print_message("%zu hosts in %.1f s, %zu of them hostile\n", fleet.hosts, (double)took / 1000, fleet.hosts - good);
	assert_int_equal(done, good);
}

/* Where nothing answers, the console's verdict leaves at the last moment: on a busy machine the host has given up by then,
 * and says so. */
static bool detail_is(const char *detail, const char *want)
{
	return strstr(detail, want) != NULL ||
	    (strcmp(want, "no answer in") == 0 && strstr(detail, "no verdict in time") != NULL);
}

static void test_bad_hosts_have_their_rows(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < fleet.hosts; i++) {
		const json_t *row;
		size_t w = 0;

		if (fleet.host[i].word == NULL)
			continue;
		while (strcmp(deserved[w].word, fleet.host[i].word) != 0)
			w++;
		row = row_of(fleet.host[i].name);
		if (strcmp(json_str(row, "state"), deserved[w].state) == 0 &&
		    detail_is(json_str(row, "detail"), deserved[w].detail))
			continue;
		wrong++;
		print_error("%s: not %s \"%s\" but %s in %s: %s\n", fleet.host[i].word, deserved[w].state, deserved[w].detail,
		    json_str(row, "state"), json_str(row, "phase"), json_str(row, "detail"));
	}
	assert_int_equal(wrong, 0);
}

static void test_no_row_outlives_its_deadline(void **state)
{
	const json_t *list = json_list(answer, "hosts"), *row;
	int64_t most = 0;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(list), fleet.hosts);
	json_array_foreach(list, i, row) {
		int64_t ms = json_num(row, "ms", -1);

		if (ms < 0 || ms > DEADLINE_S * 1000 + 2000)
			print_error("%s took %lld ms\n", json_str(row, "host"), (long long)ms);
		most = ms > most ? ms : most;
	}
	print_message("longest row %.2f s, deadline %d s\n", (double)most / 1000, DEADLINE_S);
	assert_true(most <= DEADLINE_S * 1000 + 2000);
}

static void test_memory_is_bounded(void **state)
{
	(void)state;
	print_message("an SSH child at its peak: %ld KiB private, %ld KiB resident; the console %ld KiB\n", private_kb, peak_kb,
	    console_kb);
	assert_true(private_kb > 0);
	if (SANITIZED) {
		print_message("a sanitizer's memory is not ours: not judged\n");
		return;
	}
	assert_true(private_kb < PRIVATE_MAX_KB);
	assert_true(console_kb < CONSOLE_MAX_KB);
}

/* The first octet that a terminal would take for more than text; NULL. */
static const char *raw_in(const char *s, size_t n, bool lines)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i], d = i + 1 < n ? (unsigned char)s[i + 1] : 0;

		if ((c < 0x20 && !(lines && c == '\n')) || c == 0x7f || (c == 0xc2 && d >= 0x80 && d < 0xa0) ||
		    (c == 0xe2 && d == 0x80 && i + 2 < n && (unsigned char)s[i + 2] == 0xae))
			return s + i;
	}
	return NULL;
}

static void clean_json(const json_t *o, const char *where)
{
	const char *key, *s;
	json_t *v;
	size_t i;

	if (json_is_string(o)) {
		s = json_string_value(o);
		if (raw_in(s, json_string_length(o), false) != NULL)
			fail_msg("%s: raw: %s", where, s);
	}
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
		clean_json(v, where);
	json_array_foreach(o, i, v)
		clean_json(v, where);
}

static void clean_file(const char *path)
{
	char *s = slurp(path);
	const char *at = raw_in(s, strlen(s), true);

	if (at != NULL)
		fail_msg("%s: raw at %zu: %.60s", path, (size_t)(at - s), at);
	free(s);
}

static void test_nothing_raw(void **state)
{
	json_t *o;

	(void)state;
	clean_json(answer, "run.json");
	clean_file("run.err");
	sev1("timeline --json", "journal.json");
	o = load("journal.json");
	assert_true(json_array_size(json_list(o, "events")) > 5);
	clean_json(o, "journal");
	json_decref(o);
	sev1("timeline", "timeline.txt");
	clean_file("timeline.txt");
	sev1("report --format markdown --output report.md", "out");
	clean_file("report.md");
	sev1("report --format json --output report.json", "out");
	o = load("report.json");
	clean_json(o, "report");
	json_decref(o);
	sev1("audit", "out");
}

/* A host that was given nothing has nothing: the CA issued for no request that was refused. */
static void test_nothing_issued_to_the_refused(void **state)
{
	char *index = slurp("spare/index.txt");

	(void)state;
	assert_null(strstr(index, "bank.example"));
	for (size_t i = 0; i < fleet.hosts; i++)
		if (strcmp(json_str(row_of(fleet.host[i].name), "state"), "refused") == 0 &&
		    strstr(index, fleet.host[i].name) != NULL)
			fail_msg("%s is refused and has a certificate", fleet.host[i].name);
	free(index);
}

int main(void)
{
	static const char *const tools[] = { "ssh-keygen", "openssl", NULL };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_hosts_are_done),
		cmocka_unit_test(test_bad_hosts_have_their_rows),
		cmocka_unit_test(test_no_row_outlives_its_deadline),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_nothing_raw),
		cmocka_unit_test(test_nothing_issued_to_the_refused),
	};
	int rc;

	scratch_enter(tools);
	rc = cmocka_run_group_tests(tests, setup, teardown);
	scratch_leave();
	return rc;
}
