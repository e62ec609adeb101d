#include "serve_seam.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "child/serve.h"

json_t *seam_said;
json_t *(*seam_next)(int *end);
json_t *(*seam_answer)(const char *member);
void (*seam_hear)(const json_t *msg);
static char folder[4096];

void seam_reset(void)
{
	json_decref(seam_said);
	seam_said = json_array();
}

json_t *seam_find(const char *key, size_t i)
{
	json_t *msg;
	size_t at;

	json_array_foreach(seam_said, at, msg)
		if (json_object_get(msg, key) != NULL && i-- == 0)
			return json_object_get(msg, key);
	return NULL;
}

void serve_say(json_t *msg)
{
	json_array_append(seam_said, msg);
	if (seam_hear != NULL)
		seam_hear(msg);
	json_decref(msg);
}

json_t *serve_answer(const char *member)
{
	return seam_answer != NULL ? seam_answer(member) : NULL;
}

void serve_progress(int64_t done, int64_t total, const char *text)
{
	serve_say(json_pack("{s:{s:I,s:I,s:s}}", "progress", "done", (json_int_t)done, "total",
	    (json_int_t)total, "text", text));
}

json_t *serve_next(int timeout_ms, int *timed_out)
{
	int end = 1;
	json_t *msg = seam_next != NULL ? seam_next(&end) : NULL;

	if (timed_out != NULL)
		*timed_out = msg == NULL && !end;
	if (msg == NULL && !end && timeout_ms > 0)
		usleep((useconds_t)timeout_ms * 1000);
	return msg;
}

static void folder_remove(void)
{
	if (chdir("/") < 0 || fs_remove_tree(folder, NULL) < 0)
		fprintf(stderr, "%s is left behind\n", folder);
	json_decref(seam_said);
}

const char *test_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%s/sev1-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
		perror(folder);
		exit(1);
	}
	atexit(folder_remove);
	seam_reset();
	return folder;
}
