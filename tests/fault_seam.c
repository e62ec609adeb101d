#include "fault_seam.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "pki_seam.h"

#define LIMIT_S 600 /* nothing here takes that long: it hangs */

static struct fault_file *file;
static struct fault_record *record;
static char library[512], record_path[128];

static const char *program(void)
{
	const char *path = getenv("SEV1");

	if (path == NULL) {
		print_message("SKIP: set SEV1 to the program's absolute path\n");
		exit(77);
	}
	return path;
}

static void record_make(void)
{
	int fd;

	snprintf(record_path, sizeof record_path, "%s/.fault", pki_here());
	fd = open(record_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, sizeof *file) == 0);
	file = mmap(NULL, sizeof *file, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(file != MAP_FAILED);
	record = &file->record;
	close(fd);
}

void fault_setup(void)
{
	const char *build = getenv("BUILDDIR");
	json_t *request = json_pack("{s:s}", "op", "none");
	struct outcome o;

	program();
	snprintf(library, sizeof library, "%s/tests/fault/fault.so", build != NULL ? build : "");
	if (access(library, R_OK) < 0) {
		print_message("SKIP: no %s\n", library);
		exit(77);
	}
	record_make();
	fault_child("ca", request, &(struct shot){ .in = "child ca", .calls = "write" }, &o);
	json_decref(request);
	if (!o.fault.loaded || o.fault.count == 0) {
		print_message("SKIP: the calls of this build cannot be intercepted (a sanitizer linked statically?): %s\n",
		    o.said);
		exit(77);
	}
	outcome_clear(&o);
}

static int seen_order(const void *a, const void *b)
{
	const struct fault_seen *x = a, *y = b;

	return x->first - y->first;
}

size_t fault_places(struct fault_seen **list)
{
	size_t n = 0;

	assert_false(file->crowded);
	*list = mem_grow(NULL, FAULT_STACKS, sizeof **list);
	for (size_t i = 0; i < FAULT_STACKS; i++)
		if (file->seen[i].place.stack != 0)
			(*list)[n++] = file->seen[i];
	memset(file->seen, 0, sizeof file->seen);
	qsort(*list, n, sizeof **list, seen_order);
	return n;
}

void outcome_clear(struct outcome *o)
{
	json_decref(o->result);
	json_decref(o->error);
	free(o->said);
	*o = (struct outcome){ 0 };
}

void fault_env(const struct shot *s)
{
	const char *asan = getenv("ASAN_OPTIONS");
	char number[16], options[512];

	memset(record, 0, sizeof *record);
	if (s == NULL)
		return;
	snprintf(number, sizeof number, "%d", s->at);
	/* a sanitizer's library wants to be first; OpenSSL leaks a little where an allocation fails */
	snprintf(options, sizeof options, "%s:verify_asan_link_order=0%s", asan != NULL ? asan : "",
	    strcmp(s->calls, "memory") == 0 ? ":detect_leaks=0" : "");
	setenv("ASAN_OPTIONS", options, 1);
	setenv("LD_PRELOAD", library, 1);
	setenv("FAULT_FILE", record_path, 1);
	setenv("FAULT_IN", s->in, 1);
	setenv("FAULT_CALLS", s->calls, 1);
	setenv("FAULT_AT", number, 1);
	if (s->what != NULL)
		setenv("FAULT_DO", s->what, 1);
	if (s->path != NULL)
		setenv("FAULT_PATH", s->path, 1);
	if (s->hook != NULL)
		setenv("FAULT_HOOK", s->hook, 1);
}

void fault_keep_leaks(void)
{
	const char *asan = getenv("ASAN_OPTIONS");
	char *options = mem_printf("%s:detect_leaks=0", asan != NULL ? asan : "");

	setenv("ASAN_OPTIONS", options, 1);
	free(options);
}

struct fault_record fault_seen(void)
{
	return *record;
}

static void become(const char *const *argv, const struct shot *s, const char *in, const char *out, const char *err)
{
	int i = open(in, O_RDONLY), o = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600),
	    e = strcmp(out, err) == 0 ? o : open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (i < 0 || o < 0 || e < 0 || dup2(i, 0) < 0 || dup2(o, 1) < 0 || dup2(e, 2) < 0)
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LIMIT_S);
	fault_env(s);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* The lines of a child: the last one says how it ended. */
static void outcome_lines(struct outcome *o, char *text)
{
	char *line, *save = NULL;

	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		json_t *msg = json_read(line, strlen(line), NULL);

		if (json_object_get(msg, "result") != NULL)
			o->result = json_incref(json_object_get(msg, "result"));
		if (json_object_get(msg, "error") != NULL)
			o->error = json_incref(json_object_get(msg, "error"));
		json_decref(msg);
	}
}

static void outcome_wait(pid_t pid, struct outcome *o)
{
	int status;

	*o = (struct outcome){ 0 };
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	o->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	o->sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	o->fault = *record;
	if (o->sig == SIGALRM || o->status == 126 || o->status == 127) {
		print_message("hung, or could not be started (status %d, signal %d)\n", o->status, o->sig);
		fail();
	}
}

void fault_child(const char *name, const json_t *request, const struct shot *s, struct outcome *o)
{
	const char *argv[] = { program(), "child", name, NULL };
	char *line = json_line(request), *text;
	pid_t pid;

	line = mem_grow(line, strlen(line) + 2, 1);
	strcat(line, "\n");
	pki_write("request", line);
	free(line);
	if ((pid = fork()) == 0)
		become(argv, s, "request", "answer", "errors");
	assert_true(pid > 0);
	outcome_wait(pid, o);
	text = pki_read("answer");
	outcome_lines(o, text);
	free(text);
	o->said = pki_read("errors");
}

pid_t fault_start(const char *const *arguments, const struct shot *s)
{
	const char *argv[32] = { program() };
	size_t n = 1;
	pid_t pid;

	for (; *arguments != NULL && n < 31; arguments++)
		argv[n++] = *arguments;
	if ((pid = fork()) == 0)
		become(argv, s, "/dev/null", "said", "said");
	assert_true(pid > 0);
	return pid;
}

void fault_wait(pid_t pid, struct outcome *o)
{
	outcome_wait(pid, o);
	o->said = pki_read("said");
}

const char *fault_words(const struct shot *s, const struct fault_record *r)
{
	static char words[600];

	snprintf(words, sizeof words, "%s at call %d of %s (%s %s)", s->what, s->at, s->calls, r->call, r->path);
	return words;
}

/* ---- copies ---- */

struct kept *kept_new(const char *folder)
{
	struct kept *k = mem_zalloc(1, sizeof *k);
	DIR *d = opendir(folder);
	struct dirent *de;
	struct err e = { 0 };

	assert_non_null(d);
	k->folder = mem_strdup(folder);
	while ((de = readdir(d)) != NULL) {
		char *path = fs_join(folder, de->d_name);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			k->name = mem_grow(k->name, k->files + 1, sizeof *k->name);
			k->content = mem_grow(k->content, k->files + 1, sizeof *k->content);
			k->content[k->files] = (struct buf){ 0 };
			assert_int_equal(fs_read(path, &k->content[k->files], 1 << 28, &e), 0);
			k->name[k->files++] = mem_strdup(de->d_name);
		}
		free(path);
	}
	closedir(d);
	return k;
}

const struct buf *kept_file(const struct kept *k, const char *name)
{
	for (size_t i = 0; i < k->files; i++)
		if (strcmp(k->name[i], name) == 0)
			return &k->content[i];
	return NULL;
}

static void kept_write(const char *path, const struct buf *b)
{
	char *tmp = mem_printf("%s.restored", path);
	FILE *f = fopen(tmp, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(buf_str(b), 1, b->len, f), b->len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(tmp, path), 0);
	free(tmp);
}

void kept_restore(const struct kept *k)
{
	DIR *d = opendir(k->folder);
	struct dirent *de;
	struct stat st;

	assert_non_null(d);
	for (size_t i = 0; i < k->files; i++) {
		char *path = fs_join(k->folder, k->name[i]);
		struct buf now = { 0 };

		if (fs_read(path, &now, 1 << 28, NULL) < 0 || now.len != k->content[i].len ||
		    memcmp(buf_str(&now), buf_str(&k->content[i]), now.len) != 0)
			kept_write(path, &k->content[i]);
		buf_free(&now);
		free(path);
	}
	while ((de = readdir(d)) != NULL) {
		char *path = fs_join(k->folder, de->d_name);

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && kept_file(k, de->d_name) == NULL)
			assert_int_equal(unlink(path), 0);
		free(path);
	}
	closedir(d);
}

void kept_free(struct kept *k)
{
	for (size_t i = 0; i < k->files; i++) {
		free(k->name[i]);
		buf_free(&k->content[i]);
	}
	free(k->name);
	free(k->content);
	free(k->folder);
	free(k);
}

/* ---- the other reader ---- */

struct reader {
	pid_t pid;
	struct shared {
		_Atomic bool stop;
		struct readings seen;
	} *shared;
};

static void reader_look(struct shared *s, const char *path, bool (*whole)(void *ctx, const char *p, size_t len), void *ctx)
{
	struct buf b = { 0 };

	s->seen.reads++;
	if (fs_read(path, &b, 1 << 28, NULL) < 0)
		s->seen.absent++;
	else if (!whole(ctx, buf_str(&b), b.len))
		s->seen.torn++;
	buf_free(&b);
}

struct reader *reader_begin(const char *path, bool (*whole)(void *ctx, const char *p, size_t len), void *ctx)
{
	const struct timespec pause = { 0, 150000 }; /* two processors are shared with what is tested */
	struct reader *r = mem_zalloc(1, sizeof *r);

	r->shared = mmap(NULL, sizeof *r->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(r->shared != MAP_FAILED);
	if ((r->pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!r->shared->stop) {
			reader_look(r->shared, path, whole, ctx);
			nanosleep(&pause, NULL);
		}
		_exit(0);
	}
	assert_true(r->pid > 0);
	return r;
}

struct readings reader_end(struct reader *r)
{
	struct readings seen;

	r->shared->stop = true;
	while (waitpid(r->pid, NULL, 0) < 0)
		assert_int_equal(errno, EINTR);
	seen = r->shared->seen;
	munmap(r->shared, sizeof *r->shared);
	free(r);
	return seen;
}

unsigned long fault_random(unsigned long *seed)
{
	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	return *seed >> 33;
}
