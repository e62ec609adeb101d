#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/confine.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/exec.h"
#include "child/image.h"
#include "child/serve.h"

#define LINES_FREE 1000     /* lines that are passed on at once */
#define LINES_A_SECOND 10   /* and beyond */
#define PUT_MAX (1u << 30)

struct lines {
	long said;
	int64_t second;         /* of the last line beyond LINES_FREE */
	int in_second;
};

/* Endless output costs the console no more than ten lines a second. */
static bool lines_may(struct lines *l)
{
	int64_t second = clock_mono() / 1000;

	if (l->said++ < LINES_FREE)
		return true;
	if (second != l->second) {
		l->second = second;
		l->in_second = 0;
	}
	return l->in_second++ < LINES_A_SECOND;
}

static void say_line(void *ctx, const char *s, size_t len)
{
	json_t *msg;
	char *safe;

	if (!lines_may(ctx))
		return;
	safe = text_escaped(s, len, 1000);
	msg = json_object();
	json_object_set_new(msg, "line", json_string(safe));
	serve_say(msg);
	free(safe);
}

/* Escaped, at most EXEC_KEPT octets: escapes can make it four times as long. */
static void put_output(json_t *o, const char *key, const struct buf *b)
{
	size_t len = b->len;
	char *safe;

	while (len > 0 && b->data[len - 1] == '\n')
		len--;
	while (safe = text_escaped(buf_str(b), len, len), strlen(safe) > EXEC_KEPT) {
		free(safe);
		len /= 2;
	}
	json_object_set_new(o, key, json_string(safe));
	free(safe);
}

static int action_exec(char *const *argv, const json_t *request, json_t **result, struct err *e)
{
	struct lines lines = { 0 };
	struct exec x = { .argv = argv, .line = say_line, .ctx = &lines,
		.timeout_s = (int)json_num(request, "timeout_s", 60) };
	struct exec_result r;
	char *said;
	int rc = exec_run(&x, &r, e);

	if (rc == 0) {
		*result = json_object();
		json_put_num(*result, "status", r.status);
		json_put_num(*result, "ms", r.ms);
		put_output(*result, "stdout", &r.out);
		put_output(*result, "stderr", &r.err);
	} else if (r.err.len > 0) {
		said = text_escaped(buf_str(&r.err), r.err.len, 200);
		err_remedy(e, _("it had said: %s"), said);
		free(said);
	}
	exec_result_clear(&r);
	return rc;
}

static int action_run(const json_t *request, json_t **result, struct err *e)
{
	const char *command = json_str(request, "command");
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)command, NULL };

	if (command[0] == '\0')
		return err_set(e, ERR_USAGE, _("no command to run"));
	if (exec_confined(command, e) < 0)
		return ERR_CONFINED;
	return action_exec(argv, request, result, e);
}

/* In a drill the script may run although a shell lies outside the folder: its text is ours, and what
 * it reads and writes is checked here. */
static int action_image(const json_t *request, json_t **result, struct err *e)
{
	const char *source = json_str(request, "source"), *target = json_str(request, "target");
	const char *name = json_str(request, "name");
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)image_script, (char *)"sev1-image",
		(char *)source, (char *)target, (char *)name, NULL };
	char *inside;
	int rc;

	if (source[0] != '/' || target[0] != '/' || !text_is_word(name))
		return err_set(e, ERR_USAGE, _("an image needs an absolute source and target, and a name"));
	if (confine_path(source, e) < 0)
		return ERR_CONFINED;
	inside = fs_join(target, name);
	rc = confine_path(inside, e);
	free(inside);
	return rc < 0 ? rc : action_exec(argv, request, result, e);
}

/* A try that was killed must leave nothing where clients fetch; whoever publishes holds the lease. */
static int action_sweep(const char *path, struct err *e)
{
	const char *name = strrchr(path, '/') + 1;
	char *folder = mem_strndup(path, (size_t)(name - path)), *prefix = mem_printf("%s.sev1-", name);
	int rc = fs_sweep(folder, prefix, e); /* of this file only: its neighbours are published at the same time */

	free(folder);
	free(prefix);
	return rc;
}

static int action_put(const json_t *request, json_t **result, struct err *e)
{
	const char *path = json_str(request, "path"), *file = json_str(request, "file");
	const char *wanted = json_str(request, "sha256"); /* of what was judged; "" any */
	char hex[DIGEST_HEX], back[DIGEST_HEX];
	struct buf b = { 0 };
	int rc;

	if (path[0] != '/' || file[0] != '/')
		return err_set(e, ERR_USAGE, _("both paths must be absolute: %s, %s"), file, path);
	if ((rc = fs_read(file, &b, PUT_MAX, e)) < 0)
		goto out;
	digest_of(buf_str(&b), b.len, hex);
	if (wanted[0] != '\0' && strcmp(hex, wanted) != 0) {
		rc = err_set(e, ERR_REFUSED, _("%s changed since it was judged: nothing was written"), file);
		goto out;
	}
	if ((rc = action_sweep(path, e)) < 0 || (rc = fs_write(path, buf_str(&b), b.len, (mode_t)json_num(request, "mode", 0644), e)) < 0)
		goto out;
	if ((rc = digest_file(path, back, e)) == 0 && strcmp(hex, back) != 0)
		rc = err_set(e, ERR_IO, _("%s: what was written reads back differently"), path);
	if (rc == 0) {
		*result = json_object();
		json_put(*result, "sha256", hex);
	}
out:
	buf_free(&b);
	return rc;
}

int action_child(const json_t *request, json_t **result, struct err *e)
{
	const char *op = json_str(request, "op");

	if (strcmp(op, "run") == 0)
		return action_run(request, result, e);
	if (strcmp(op, "image") == 0)
		return action_image(request, result, e);
	if (strcmp(op, "put") == 0)
		return action_put(request, result, e);
	return err_set(e, ERR_USAGE, _("the action child cannot do '%s'"), op);
}
