#include "child/serve.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/secret.h"

#define LINE_MAX_OCTETS (16u << 20)

static const struct {
	const char *name;
	serve_fn run;
} table[] = {
	{ "ca", ca_child },
	{ "ssh", ssh_child },
	{ "probe", probe_child },
	{ "action", action_child },
	{ "play", play_child },
	{ "post", post_child },
};

static struct buf pending; /* read from the parent, not yet a whole line */
static json_t *aside;      /* lines that came while an answer was awaited */

void serve_say(json_t *msg)
{
	char *line = json_line(msg);
	size_t len = strlen(line);

	line[len] = '\n';
	if (fs_put(STDOUT_FILENO, line, len + 1) < 0)
		_exit(1); /* nobody listens any more */
	free(line);
	json_decref(msg);
}

void serve_progress(int64_t done, int64_t total, const char *text)
{
	json_t *p = json_object();

	json_put_num(p, "done", done);
	json_put_num(p, "total", total);
	json_put(p, "text", text);
	serve_say(json_pack("{s:o}", "progress", p));
}

static json_t *serve_take(void)
{
	char *nl = pending.len > 0 ? memchr(pending.data, '\n', pending.len) : NULL;
	json_t *msg;
	size_t len;

	if (nl == NULL)
		return NULL;
	len = (size_t)(nl - pending.data);
	msg = json_read(pending.data, len, NULL);
	explicit_bzero(pending.data, len); /* it may have held a PIN */
	buf_drop(&pending, len + 1);
	explicit_bzero(pending.data + pending.len, len + 1); /* where the rest was before it moved up */
	return msg != NULL ? msg : json_object();
}

/* A line from the socket. */
static json_t *serve_read(int timeout_ms, int *timed_out)
{
	int64_t until = clock_mono() + timeout_ms;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char block[16384];
	json_t *msg;
	ssize_t n;
	int ready;

	if (timed_out != NULL)
		*timed_out = 0;
	while ((msg = serve_take()) == NULL) {
		int64_t left = timeout_ms < 0 ? -1 : until - clock_mono();
		if (timeout_ms >= 0 && left < 0)
			left = 0;
		ready = poll(&p, 1, (int)left);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0) {
			if (timed_out != NULL)
				*timed_out = 1;
			return NULL;
		}
		n = read(STDIN_FILENO, block, sizeof block);
		if (n <= 0 || pending.len + (size_t)n > LINE_MAX_OCTETS)
			return NULL;
		buf_add(&pending, block, (size_t)n);
		explicit_bzero(block, sizeof block);
	}
	return msg;
}

json_t *serve_next(int timeout_ms, int *timed_out)
{
	json_t *msg = json_array_get(aside, 0);

	if (msg == NULL)
		return serve_read(timeout_ms, timed_out);
	if (timed_out != NULL)
		*timed_out = 0;
	json_incref(msg);
	json_array_remove(aside, 0);
	return msg;
}

json_t *serve_answer(const char *member)
{
	json_t *msg;

	while ((msg = serve_read(-1, NULL)) != NULL && json_object_get(msg, member) == NULL &&
	    json_object_get(msg, "refused") == NULL) {
		if (aside == NULL)
			aside = json_array();
		json_array_append_new(aside, msg);
	}
	return msg;
}

/* jansson's allocator here: what is freed may have held a PIN. */
static void serve_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* Die with the parent, leave no core. By hand (echo ... | sev1 child ca) there is no parent to watch. */
static int serve_settle(const json_t *request, struct err *e)
{
	int64_t parent = json_num(request, "parent_pid", 0);

	secret_harden();
	signal(SIGPIPE, SIG_IGN);
	if (parent > 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != (pid_t)parent)
			return err_set(e, ERR_FAILED, "the parent is gone");
	}
	if (json_str(request, "confine")[0] != '\0')
		return confine_to(json_str(request, "confine"), e);
	return 0;
}

static serve_fn serve_find(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].run;
	return NULL;
}

int serve_main(const char *name)
{
	struct err e = { 0 };
	json_t *request, *result = NULL, *said;
	serve_fn run = serve_find(name);
	char shown[16]; /* in ps and top, which would say "exe" */
	int rc;

	snprintf(shown, sizeof shown, "sev1-%s", name);
	prctl(PR_SET_NAME, shown);
	/* otherwise glibc raises it with the first large block that is freed, and keeps those that follow */
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
	json_set_alloc_funcs(mem_alloc, serve_free);
	request = serve_next(-1, NULL);
	if (run == NULL)
		rc = err_set(&e, ERR_USAGE, "no child is called %s", name);
	else if (!json_is_object(request) || json_object_size(request) == 0)
		rc = err_set(&e, ERR_SYNTAX, "the request is not one line with a JSON object");
	else if ((rc = serve_settle(request, &e)) == 0)
		rc = run(request, &result, &e);
	if (rc == 0) {
		serve_say(json_pack("{s:o}", "result", result != NULL ? result : json_object()));
	} else {
		said = json_object();
		json_put_num(said, "code", rc);
		json_put(said, "text", e.text);
		json_put(said, "remedy", e.remedy);
		serve_say(json_pack("{s:o}", "error", said));
		json_decref(result);
	}
	json_decref(request);
	json_decref(aside);
	buf_free(&pending);
	return rc == 0 ? EXIT_DONE : err_exit_status(rc);
}
