/* The console over a fleet that is not there: engine, journal, CA child and screens are the real ones; only `child
 * ssh` and `child probe` are played here, with the latencies of servers.
 *	fleet_sim hosts N                              an inventory
 *	fleet_sim ideal N CONCURRENCY DEADLINE         ms that a perfect scheduler takes over the same latencies
 *	fleet_sim run CONFIG PHRASE                    the console on a terminal of 120x40: arm, reissue, and then a key
 *	                                               every 40 ms until the run has ended; prints how long each took
 *	                                               from being typed to the end of the drawing that shows it
 * /proc/self/exe is this program, so the console's children are `fleet_sim child NAME`. */
#include <fcntl.h>
#include <math.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "child/child.h"
#include "child/serve.h"
#include "engine/engine.h"
#include "term.h"
#include "ui.h"

#define ROWS 40
#define COLS 120
#define KEYS 65536u
#define KEY_EVERY_MS 40
#define GRACE_MS 2000 /* the fleet kills that long after a host's deadline */

static int fail(const char *what)
{
	fprintf(stderr, "fleet_sim: %s\n", what);
	return 1;
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the servers ---- */

static uint64_t host_hash(const char *name)
{
	uint64_t h = 14695981039346656037u;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	return h ^ h >> 33;
}

/* ms that a host takes for all of its job: 50 ms to 5 s, as many between 50 and 500 as above; -1: it hangs, as
 * 3 of 100 do. */
static int host_latency(const char *name)
{
	uint64_t h = host_hash(name);

	if ((h >> 48) % 100 < 3)
		return -1;
	return (int)(50 * pow(100, (double)(h & 0xffffff) / 0x1000000));
}

static void host_name(char name[64], int i)
{
	snprintf(name, 64, "sim%05d.example.com", i + 1);
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

static void say(const char *id, const char *word, json_t *body)
{
	json_object_set_new(body, "id", json_string(id));
	serve_say(json_pack("{s:o}", word, body));
}

static char *request_pem(EVP_PKEY *key, const json_t *names)
{
	X509_REQ *req = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	const char *name = json_string_value(json_array_get(names, 0));
	char *san = mem_printf("DNS:%s", name), *pem, *text;
	BIO *b = BIO_new(BIO_s_mem());
	long n;

	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	sk_X509_EXTENSION_push(list, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
	X509_REQ_add_extensions(req, list);
	X509_REQ_set_pubkey(req, key);
	X509_REQ_sign(req, key, EVP_sha256());
	PEM_write_bio_X509_REQ(b, req);
	n = BIO_get_mem_data(b, &text);
	pem = mem_strndup(text, (size_t)n);
	BIO_free(b);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(req);
	free(san);
	return pem;
}

/* The next line that is about a host. */
static void drop_next(void)
{
	json_t *msg = serve_next(-1, NULL);

	if (msg == NULL)
		exit(0);
	json_decref(msg);
}

static void host_job(EVP_PKEY *key, const json_t *order)
{
	static const char *const after[] = { "install", "test", "reload" };
	const char *id = json_str(order, "id"), *name = json_str(json_object_get(order, "host"), "name");
	int ms = host_latency(name);
	char *pem;

	say(id, "phase", json_pack("{s:s}", "phase", "connect"));
	while (ms < 0)
		pause();
	pause_ms(ms * 3 / 10);
	say(id, "phase", json_pack("{s:s}", "phase", "csr"));
	pause_ms(ms * 2 / 10);
	pem = request_pem(key, json_list(order, "names"));
	say(id, "csr", json_pack("{s:s}", "csr", pem));
	free(pem);
	drop_next(); /* install */
	for (size_t i = 0; i < 3; i++) {
		say(id, "phase", json_pack("{s:s}", "phase", after[i]));
		pause_ms(ms / 10);
	}
	say(id, "installed", json_object());
	drop_next(); /* verdict */
	pause_ms(ms - ms * 3 / 10 - ms * 2 / 10 - 3 * (ms / 10));
	say(id, "host", json_pack("{s:s, s:s, s:s, s:{s:[]}}", "phase", "verify", "state", "verified", "detail", "", "found",
	    "output"));
}

static int child_ssh(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	json_t *order, *request = serve_next(-1, NULL);

	json_decref(request);
	while ((order = serve_next(-1, NULL)) != NULL) {
		if (json_object_get(order, "host") != NULL)
			host_job(key, order);
		json_decref(order);
	}
	serve_say(json_pack("{s:{}}", "result"));
	return 0;
}

static int child_probe(void)
{
	json_t *msg = serve_next(-1, NULL);

	json_decref(msg);
	while ((msg = serve_next(-1, NULL)) != NULL) {
		say(json_str(msg, "id"), "tls", json_pack("{s:b, s:s}", "ok", 1, "detail", "new certificate presented"));
		json_decref(msg);
	}
	serve_say(json_pack("{s:{}}", "result"));
	return 0;
}

/* ---- a perfect scheduler ---- */

static int ideal(int hosts, int concurrency, int deadline_s)
{
	int64_t *free_at = mem_zalloc((size_t)concurrency, sizeof *free_at), end = 0;
	char name[64];

	for (int i = 0; i < hosts; i++) {
		int least = 0, ms;
		for (int k = 1; k < concurrency; k++)
			if (free_at[k] < free_at[least])
				least = k;
		host_name(name, i);
		ms = host_latency(name);
		free_at[least] += ms >= 0 ? ms : deadline_s * 1000 + GRACE_MS;
		if (free_at[least] > end)
			end = free_at[least];
	}
	printf("%lld\n", (long long)end);
	free(free_at);
	return 0;
}

/* ---- what both sides of the terminal know ---- */

static struct shared {
	atomic_bool ended; /* the console has said so: the next key takes its words away */
	atomic_ulong written, consumed, shown; /* keys */
	atomic_ulong from;                     /* keys before are not measured */
	_Atomic int64_t at[KEYS];              /* when a key was typed */
	int64_t took[KEYS];                    /* until it was drawn */
	char screen[ROWS * COLS * 4];
} *shared;

int __real_term_key(void);
void __real_term_show(const struct frame *f);
int __wrap_term_key(void);
void __wrap_term_show(const struct frame *f);

int __wrap_term_key(void)
{
	int key = __real_term_key();

	if (key != -1)
		atomic_fetch_add(&shared->consumed, 1);
	return key;
}

static void screen_copy(const struct frame *f)
{
	char *to = shared->screen, *end = shared->screen + sizeof shared->screen - 16;

	for (int i = 0; i < f->rows * f->cols && to < end; i++)
		if (f->cell[i].cols > 0)
			to = stpcpy(to, f->cell[i].s[0] != '\0' ? f->cell[i].s : " ");
	*to = '\0';
}

void __wrap_term_show(const struct frame *f)
{
	unsigned long done = atomic_load(&shared->consumed);
	int64_t now;

	__real_term_show(f);
	now = now_us();
	for (unsigned long k = atomic_load(&shared->shown); k < done; k++)
		shared->took[k % KEYS] = now - atomic_load(&shared->at[k % KEYS]);
	atomic_store(&shared->shown, done);
	screen_copy(f);
	if (strstr(shared->screen, "are not verified") != NULL || strstr(shared->screen, "reissue: ended,") != NULL)
		atomic_store(&shared->ended, true);
}

/* ---- the console, and the operator ---- */

static int console(const char *config)
{
	struct engine_options o = { .config_path = config, .actor = "op", .console = true };
	struct loop *l = loop_new();
	struct err e = { 0 };
	struct engine *en = engine_new(l, &o, &e);
	int rc = en == NULL ? -1 : engine_open(en, NULL, &e);

	if (rc == 0)
		rc = ui_run(en, l, &e);
	child_kill_all(l);
	engine_free(en);
	if (rc < 0)
		fprintf(stderr, "fleet_sim: %s\n", e.text);
	return rc < 0;
}

/* What comes to the terminal is read and forgotten. */
static void drain(int fd, int ms)
{
	char block[65536];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t end = now_us() + ms * 1000, left;

	while ((left = end - now_us()) > 0)
		if (poll(&p, 1, (int)(left / 1000) + 1) > 0 && (p.revents & POLLIN) && read(fd, block, sizeof block) <= 0)
			return;
}

static void type(int fd, char key)
{
	unsigned long n = atomic_load(&shared->written);

	atomic_store(&shared->at[n % KEYS], now_us());
	atomic_store(&shared->written, n + 1);
	if (write(fd, &key, 1) != 1)
		exit(fail("the terminal takes no key"));
}

static void type_all(int fd, const char *keys)
{
	for (; *keys != '\0'; keys++)
		type(fd, *keys);
}

static void await(int fd, pid_t pid, const char *text, int s)
{
	int64_t end = now_us() + (int64_t)s * 1000000;

	while (strstr(shared->screen, text) == NULL) {
		if (now_us() > end || waitpid(pid, NULL, WNOHANG) != 0) {
			fprintf(stderr, "fleet_sim: waited in vain for \"%s\" on: %s\n", text, shared->screen);
			kill(pid, SIGTERM);
			exit(1);
		}
		drain(fd, 20);
	}
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int report(void)
{
	unsigned long from = atomic_load(&shared->from), n = atomic_load(&shared->shown);
	unsigned long count = n > from ? n - from : 0;

	if (count < 100 || count >= KEYS)
		return fail("too few keys were measured, or too many");
	qsort(shared->took + from, count, sizeof shared->took[0], by_time);
#define AT(permille) ((double)shared->took[from + (count - 1) * (permille) / 1000] / 1000)
	printf("keys %lu: median %.1f ms, 90th percentile %.1f, 99th %.1f, slowest %.1f ms\n", count, AT(500), AT(900), AT(990),
	    AT(1000));
	return 0;
}

/* Move, page, sort, group, plot: all that the fleet's screen can do. */
static int operator(int fd, pid_t pid, const char *phrase)
{
	static const char keys[] = "jjjjkkjj  jj s j S j e j e p jj p G kk g  jjj ";
	const char *next = keys;

	await(fd, pid, "Checkpoint", 30);
	type(fd, 'a');
	await(fd, pid, "Type ARM", 10);
	type_all(fd, "ARM\r");
	await(fd, pid, " ARMED ", 10);
	type_all(fd, ":reissue\r");
	await(fd, pid, phrase, 60);
	type_all(fd, phrase);
	type(fd, '\r');
	await(fd, pid, "Re-issue from", 60);
	drain(fd, 1000);
	/* A question drops what was typed ahead of it. */
	atomic_store(&shared->written, atomic_load(&shared->consumed));
	atomic_store(&shared->from, atomic_load(&shared->consumed));
	while (!atomic_load(&shared->ended)) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return fail("the console ended");
		type(fd, *next++);
		if (*next == '\0')
			next = keys;
		drain(fd, KEY_EVERY_MS - 10 + (int)(now_us() % 20));
	}
	drain(fd, 500);
	kill(pid, SIGTERM);
	drain(fd, 500);
	waitpid(pid, NULL, 0);
	return report();
}

static int run(const char *config, const char *phrase)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = COLS };
	pid_t pid;
	int fd;

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if ((pid = forkpty(&fd, NULL, NULL, &size)) < 0)
		return fail("no terminal");
	if (pid == 0) {
		setenv("TERM", "xterm-256color", 1);
		_exit(console(config));
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return operator(fd, pid, phrase);
}

static int hosts(int n)
{
	char name[64];

	for (int i = 0; i < n; i++) {
		host_name(name, i);
		puts(name);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "child") == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return strcmp(argv[2], "ssh") == 0 ? child_ssh() : strcmp(argv[2], "probe") == 0 ? child_probe() :
		    serve_main(argv[2]);
	}
	if (argc == 3 && strcmp(argv[1], "hosts") == 0)
		return hosts(atoi(argv[2]));
	if (argc == 5 && strcmp(argv[1], "ideal") == 0)
		return ideal(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	if (argc == 4 && strcmp(argv[1], "run") == 0)
		return run(argv[2], argv[3]);
	return fail("hosts N | ideal N CONCURRENCY DEADLINE | run CONFIG PHRASE");
}
