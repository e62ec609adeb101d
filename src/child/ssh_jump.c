#include "child/ssh_jump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "child/jump.h"

#define SSH "/usr/bin/ssh"
#define WORDS_MS 300 /* how long its last words may take once the connection is gone */

extern char **environ;

struct jump {
	pid_t pid;
	int fd, errors, slot; /* -1: none */
};

/* ---- places ---- */

/* The folder of the locks, ours alone. */
static char *slot_folder(struct err *e)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	const struct passwd *pw = getpwuid(geteuid());
	char *folder = run != NULL && run[0] == '/' && fs_exists(run) ? mem_printf("%s/sev1", run) :
	    mem_printf("%s/.cache/sev1", pw != NULL ? pw->pw_dir : "/root");

	if (fs_mkdirs(folder, 0700, e) < 0) {
		free(folder);
		return NULL;
	}
	return folder;
}

static unsigned jitter(unsigned most)
{
	unsigned r = 0;

	if (getrandom(&r, sizeof r, 0) != sizeof r)
		r = (unsigned)clock_mono();
	return r % most;
}

/* A lock on one of the bastion's places; they end with the process. */
static int slot_take(const char *bastion, int64_t until, struct err *e)
{
	char hex[DIGEST_HEX], *folder = slot_folder(e), *path;
	int fd = -1;

	if (folder == NULL)
		return e->code;
	digest_of(bastion, strlen(bastion), hex);
	while (fd < 0) {
		for (unsigned i = 0, first = jitter(JUMP_SLOTS); i < JUMP_SLOTS && fd < 0; i++) {
			path = mem_printf("%s/bastion-%.16s-%u", folder, hex, (first + i) % JUMP_SLOTS);
			fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
			if (fd < 0)
				err_sys(e, "%s", path);
			else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
				close(fd);
				fd = -1;
			}
			free(path);
		}
		if (fd < 0 && clock_mono() >= until) {
			free(folder);
			return e->code != 0 ? e->code : err_set(e, ERR_TIMEOUT,
			    _("no turn at the bastion %s in time: %d connections are being set up through it"), bastion, JUMP_SLOTS);
		}
		if (fd < 0)
			poll(NULL, 0, 20 + (int)jitter(60));
	}
	free(folder);
	return fd;
}

/* ---- ssh ---- */

struct words {
	char *argv[32];
	size_t n;
};

static void word_add(struct words *w, const char *s)
{
	w->argv[w->n++] = mem_strdup(s);
	w->argv[w->n] = NULL;
}

static void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->argv[i]);
}

/* "a,b,USER@HOST:PORT": -J a,b -l USER -p PORT -- HOST */
static void words_chain(struct words *w, const char *chain)
{
	const char *last = strrchr(chain, ',');
	char *hop = mem_strdup(last != NULL ? last + 1 : chain), *host = strrchr(hop, '@'), *port = NULL;

	if (last != NULL) {
		char *before = mem_strndup(chain, (size_t)(last - chain));
		word_add(w, "-J");
		word_add(w, before);
		free(before);
	}
	if (host != NULL) {
		*host++ = '\0';
		word_add(w, "-l");
		word_add(w, hop);
	} else {
		host = hop;
	}
	if (host[0] == '[' && strchr(host, ']') != NULL) {
		port = strchr(host, ']');
		*port++ = '\0';
		port = *port == ':' ? port : NULL;
		host++;
	} else if (strchr(host, ':') == strrchr(host, ':')) {
		port = strchr(host, ':');
	}
	if (port != NULL) {
		*port++ = '\0';
		word_add(w, "-p");
		word_add(w, port);
	}
	word_add(w, "--");
	word_add(w, host);
	free(hop);
}

static void words_make(struct words *w, const char *chain, const char *file, const char *address, int port)
{
	char *to = mem_printf(strchr(address, ':') != NULL ? "[%s]:%d" : "%s:%d", address, port);

	/* Nobody is there to be asked, and no key is taken on trust; nothing is shared with another ssh. */
	for (const char *const *s = (const char *const[]){ SSH, "-T", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes",
	    "-oClearAllForwardings=yes", "-oControlPath=none", "-oForwardAgent=no", "-oPermitLocalCommand=no",
	    "-oLogLevel=ERROR", "-W", to, NULL }; *s != NULL; s++)
		word_add(w, *s);
	if (file != NULL) {
		word_add(w, "-F");
		word_add(w, file);
	}
	words_chain(w, chain);
	free(to);
}

static int jump_spawn(struct jump *j, char *const argv[], int theirs, int errors, struct err *e)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, usual;
	int rc;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGCHLD);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&files, theirs, 0);
	posix_spawn_file_actions_adddup2(&files, theirs, 1);
	posix_spawn_file_actions_adddup2(&files, errors, 2);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &usual);
	rc = posix_spawn(&j->pid, argv[0], &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (rc != 0) {
		j->pid = 0;
		errno = rc;
		return err_sys(e, "%s", argv[0]);
	}
	return 0;
}

struct jump *jump_start(const char *chain, const char *file, const char *address, int port, int64_t until,
    struct err *e)
{
	const char *last = strrchr(chain, ',');
	struct jump *j;
	struct words w = { .n = 0 };
	int pair[2] = { -1, -1 }, errors[2] = { -1, -1 }, slot;

	if (confine_root() != NULL) {
		err_set(e, ERR_CONFINED, _("a drill goes through no bastion: %s"), chain);
		return NULL;
	}
	if (!jump_is_chain(chain)) {
		err_set(e, ERR_USAGE, _("not a list of bastions: %s"), chain);
		return NULL;
	}
	if ((slot = slot_take(last != NULL ? last + 1 : chain, until, e)) < 0)
		return NULL;
	j = mem_alloc(sizeof *j);
	*j = (struct jump){ .fd = -1, .errors = -1, .slot = slot };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 || pipe2(errors, O_CLOEXEC) < 0) {
		err_sys(e, _("a connection to ssh"));
	} else {
		words_make(&w, chain, file, address, port);
		if (jump_spawn(j, w.argv, pair[1], errors[1], e) == 0) {
			j->fd = pair[0];
			j->errors = errors[0];
			pair[0] = errors[0] = -1;
			fcntl(j->fd, F_SETFL, O_NONBLOCK);
			fcntl(j->errors, F_SETFL, O_NONBLOCK);
		}
		words_free(&w);
	}
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			close(pair[i]);
		if (errors[i] >= 0)
			close(errors[i]);
	}
	if (j->pid == 0) {
		jump_free(j);
		return NULL;
	}
	return j;
}

int jump_take(struct jump *j)
{
	int fd = j->fd;

	j->fd = -1;
	return fd;
}

void jump_settled(struct jump *j)
{
	if (j->slot >= 0)
		close(j->slot);
	j->slot = -1;
}

char *jump_words(struct jump *j, bool *again)
{
	static const char *const busy[] = { "kex_exchange_identification", "Connection reset", "Connection closed",
		"exceeded MaxStartups", "banner exchange", "Resource temporarily", NULL };
	/* The last ssh of a chain says the above whatever the first one met. */
	static const char *const final[] = { "open failed", "forwarding failed", "verification failed", "Permission denied",
		"Could not resolve", NULL };
	int64_t until = clock_mono() + WORDS_MS, left;
	struct pollfd p = { .fd = j->errors, .events = POLLIN };
	struct buf b = { 0 };
	char part[512], *safe;
	ssize_t n = 1;

	while (n > 0 && b.len < 4096 && (left = until - clock_mono()) > 0 && poll(&p, 1, (int)left) > 0)
		if ((n = read(j->errors, part, sizeof part)) > 0)
			buf_add(&b, part, (size_t)n);
	*again = false;
	for (size_t i = 0; busy[i] != NULL; i++)
		*again = *again || strstr(buf_str(&b), busy[i]) != NULL;
	for (size_t i = 0; final[i] != NULL; i++)
		*again = *again && strstr(buf_str(&b), final[i]) == NULL;
	while (b.len > 0 && strchr("\r\n", b.data[b.len - 1]) != NULL)
		b.data[--b.len] = '\0';
	safe = text_escaped(buf_str(&b), b.len, 200);
	buf_free(&b);
	return safe;
}

void jump_free(struct jump *j)
{
	if (j == NULL)
		return;
	if (j->pid > 0) {
		kill(-j->pid, SIGKILL); /* its own group: with -J it has an ssh of its own */
		waitpid(j->pid, NULL, 0);
	}
	jump_settled(j);
	if (j->fd >= 0)
		close(j->fd);
	if (j->errors >= 0)
		close(j->errors);
	free(j);
}
