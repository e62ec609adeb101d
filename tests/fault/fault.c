/* Preloaded into the program under test: counts the calls that change what lies on the disk (or ask for memory or a
 * descriptor) and, at the Nth, fails it, cuts it short, kills the process before or after it, or runs a command first.
 *
 *	FAULT_IN     which process: "child ca", "child action" ..., or "main" for the program that started them
 *	FAULT_CALLS  which calls, of: write sync rename open create unlink trunc memory map
 *	FAULT_PATH   only those on a path that holds this text
 *	FAULT_AT     which of them: 1, 2, 3 ...; 0: none, they are only counted
 *	FAULT_DO     an errno by name, "short", "crumbs" (every write, from the Nth on), "before", "after" (kill -9), "hook",
 *	             or "stacks": fail nothing, note where each call comes from
 *	FAULT_HOOK   the command of "hook"
 *	FAULT_FILE   where struct fault_record is kept: it outlives a kill
 *
 * A child counts from the moment it reads its request, so that what the loader and the libraries do is not in it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unwind.h>

#include "fault.h"

enum { CRUMB = 7 };
enum what { DO_NOTHING, DO_FAIL, DO_SHORT, DO_CRUMBS, DO_BEFORE, DO_AFTER, DO_HOOK, DO_STACKS };

static struct fault_file nowhere, *file = &nowhere;
static struct fault_record *record = &nowhere.record;
static _Atomic bool armed;
static unsigned calls;
static int at, failure;
static enum what what;
static const char *only;

static const struct {
	const char *name;
	int number;
} failures[] = {
	{ "ENOSPC", ENOSPC }, { "EIO", EIO }, { "EMFILE", EMFILE }, { "ENOMEM", ENOMEM },
};
static const char *const classes[] = { "write", "sync", "rename", "open", "create", "unlink", "trunc", "memory", "map" };
enum { WRITE = 1, SYNC = 2, RENAME = 4, OPEN = 8, CREATE = 16, UNLINK = 32, TRUNC = 64, MEMORY = 128, MAP = 256 };

static bool in_list(const char *list, const char *word)
{
	const char *p = list;
	size_t n = strlen(word);

	while ((p = strstr(p, word)) != NULL) {
		if ((p == list || p[-1] == ',') && (p[n] == ',' || p[n] == '\0'))
			return true;
		p += n;
	}
	return false;
}

/* Is this the process that is meant? A program that it starts inherits the preload, but is not. */
static bool is_meant(const char *want)
{
	char exe[512], line[1024], *first;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
	ssize_t len = fd >= 0 ? syscall(SYS_read, fd, line, sizeof line - 1) : 0;

	if (fd >= 0)
		syscall(SYS_close, fd);
	if (n < 5 || len <= 0)
		return false;
	exe[n] = '\0';
	line[len] = '\0';
	if (strcmp(exe + n - 5, "/sev1") != 0)
		return false;
	first = line + strlen(line) + 1;
	if (first >= line + len || strcmp(first, "child") != 0)
		return strcmp(want, "main") == 0;
	return strncmp(want, "child ", 6) == 0 && strcmp(first + strlen(first) + 1, want + 6) == 0;
}

static void record_open(const char *path)
{
	int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
	void *p;

	if (fd < 0)
		return;
	p = (void *)syscall(SYS_mmap, NULL, sizeof *file, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (p != MAP_FAILED) {
		file = p;
		record = &file->record;
	}
}

static void crash(int sig);

__attribute__((constructor)) static void fault_begin(void)
{
	const char *want = getenv("FAULT_IN"), *list = getenv("FAULT_CALLS"), *how = getenv("FAULT_DO");

	if (want == NULL || list == NULL || !is_meant(want))
		return;
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		if (in_list(list, classes[i]))
			calls |= 1u << i;
	only = getenv("FAULT_PATH");
	at = getenv("FAULT_AT") != NULL ? atoi(getenv("FAULT_AT")) : 0;
	for (size_t i = 0; how != NULL && i < sizeof failures / sizeof failures[0]; i++)
		if (strcmp(failures[i].name, how) == 0) {
			failure = failures[i].number;
			what = DO_FAIL;
		}
	if (how != NULL && what == DO_NOTHING)
		what = strcmp(how, "short") == 0 ? DO_SHORT : strcmp(how, "crumbs") == 0 ? DO_CRUMBS :
		    strcmp(how, "before") == 0 ? DO_BEFORE : strcmp(how, "after") == 0 ? DO_AFTER :
		    strcmp(how, "hook") == 0 ? DO_HOOK : strcmp(how, "stacks") == 0 ? DO_STACKS : DO_NOTHING;
	record_open(getenv("FAULT_FILE"));
	record->loaded = true;
	if (calls & MEMORY)
		sigaction(SIGSEGV, &(struct sigaction){ .sa_handler = crash, .sa_flags = (int)SA_RESETHAND }, NULL);
	armed = strcmp(want, "main") == 0;
}

static void die(void)
{
	syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
	for (;;)
		pause();
}

static void fd_path(int fd, char *out, size_t size)
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
}

static void hook(void)
{
	bool was = armed;

	armed = false;
	if (system(getenv("FAULT_HOOK")) != 0)
		record->hook_failed = true;
	armed = was;
}

struct walk {
	uint64_t hash, site;
	int frames;
};

static _Unwind_Reason_Code walk_on(struct _Unwind_Context *c, void *arg)
{
	struct dl_find_object module = { 0 };
	struct walk *w = arg;
	uintptr_t ip = _Unwind_GetIP(c), from;

	if (_dl_find_object((void *)ip, &module) == 0) {
		from = (uintptr_t)module.dlfo_map_start;
		if ((uintptr_t)&nowhere >= from && &nowhere < (struct fault_file *)module.dlfo_map_end)
			return _URC_NO_REASON; /* our own */
		ip = (ip - from) ^ ((uintptr_t)module.dlfo_map_end - from) << 32;
	}
	w->hash = (w->hash ^ ip) * 0x9e3779b97f4a7c15u;
	w->hash ^= w->hash >> 29;
	if (++w->frames <= FAULT_FRAMES)
		w->site = w->hash;
	return _URC_NO_REASON;
}

static _Unwind_Reason_Code crash_in(struct _Unwind_Context *c, void *arg)
{
	const char *name;
	Dl_info info;

	(void)arg;
	if (dladdr((void *)_Unwind_GetIP(c), &info) == 0 || info.dli_fname == NULL)
		return _URC_NO_REASON;
	name = strrchr(info.dli_fname, '/');
	name = name != NULL ? name + 1 : info.dli_fname;
	if (strncmp(name, "libc.so", 7) == 0 || strcmp(name, "fault.so") == 0)
		return _URC_NO_REASON;
	snprintf(record->crashed, sizeof record->crashed, "%s at %#lx", name,
	    (unsigned long)(_Unwind_GetIP(c) - (uintptr_t)info.dli_fbase));
	return _URC_END_OF_STACK;
}

/* Whose fault is it? Then it crashes for good. */
static void crash(int sig)
{
	(void)sig;
	armed = false;
	_Unwind_Backtrace(crash_in, NULL);
}

static struct fault_place place_here(void)
{
	struct walk w = { .hash = 1 };

	_Unwind_Backtrace(walk_on, &w);
	return (struct fault_place){ w.hash | 1, w.site };
}

static void place_note(int n)
{
	struct fault_place place = place_here();

	for (size_t i = 0; i < FAULT_STACKS; i++) {
		struct fault_seen *s = &file->seen[(place.stack + i) % FAULT_STACKS];

		if (s->place.stack == 0)
			*s = (struct fault_seen){ place, n };
		if (s->place.stack == place.stack)
			return;
	}
	file->crowded = true;
}

/* One call of this class on this path, or on fd: what is to happen to it. */
static enum what strike(unsigned class, const char *name, const char *path, int fd)
{
	char buffer[FAULT_PATH_MAX];
	int n, error = errno;

	if (!armed || (calls & class) == 0)
		return DO_NOTHING;
	if (path == NULL) {
		buffer[0] = '\0';
		if (fd >= 0)
			fd_path(fd, buffer, sizeof buffer);
		path = buffer;
	}
	errno = error;
	if (only != NULL && strstr(path, only) == NULL)
		return DO_NOTHING;
	n = ++record->count;
	if (what == DO_STACKS)
		place_note(n);
	if (what == DO_STACKS || at == 0 || n < at || (n > at && what != DO_CRUMBS))
		return DO_NOTHING;
	if (!record->fired) {
		snprintf(record->call, sizeof record->call, "%s", name);
		snprintf(record->path, sizeof record->path, "%.*s", (int)sizeof record->path - 1, path);
		if (class == MEMORY)
			record->place = place_here();
		record->fired = true;
	}
	if (what == DO_BEFORE)
		die();
	if (what == DO_HOOK)
		hook();
	if (what == DO_FAIL)
		errno = failure;
	return what;
}

static void after(enum what w)
{
	if (w == DO_AFTER)
		die();
}

#define REAL(type, name, ...) \
	static type (*real)(__VA_ARGS__); \
	if (real == NULL) \
		real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* How much of a write gets through. */
static size_t piece(enum what w, size_t n)
{
	if (w == DO_SHORT && n > 1)
		return n / 2;
	return w == DO_CRUMBS && n > CRUMB ? CRUMB : n;
}

/* The request has been read: from now on it counts. */
static ssize_t took(int fd, ssize_t got)
{
	if (fd == STDIN_FILENO && record->loaded)
		armed = true;
	return got;
}

ssize_t read(int fd, void *data, size_t n)
{
	REAL(ssize_t, "read", int, void *, size_t);
	return took(fd, real(fd, data, n));
}

ssize_t __read_chk(int fd, void *data, size_t n, size_t room); /* read, of a fortified build */
ssize_t __read_chk(int fd, void *data, size_t n, size_t room)
{
	REAL(ssize_t, "__read_chk", int, void *, size_t, size_t);
	return took(fd, real(fd, data, n, room));
}

ssize_t write(int fd, const void *data, size_t n)
{
	enum what w = strike(WRITE, "write", NULL, fd);
	ssize_t done;

	REAL(ssize_t, "write", int, const void *, size_t);
	if (w == DO_FAIL)
		return -1;
	done = real(fd, data, piece(w, n));
	after(w);
	return done;
}

#define PWRITE(name) \
ssize_t name(int fd, const void *data, size_t n, off_t to) \
{ \
	enum what w = strike(WRITE, #name, NULL, fd); \
	ssize_t done; \
	REAL(ssize_t, #name, int, const void *, size_t, off_t); \
	if (w == DO_FAIL) \
		return -1; \
	done = real(fd, data, piece(w, n), to); \
	after(w); \
	return done; \
}
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t writev(int fd, const struct iovec *v, int n)
{
	enum what w = strike(WRITE, "writev", NULL, fd);
	ssize_t done;

	REAL(ssize_t, "writev", int, const struct iovec *, int);
	if (w == DO_FAIL)
		return -1;
	done = real(fd, v, w == DO_SHORT || w == DO_CRUMBS ? 1 : n);
	after(w);
	return done;
}

#define ON_FD(name, class) \
int name(int fd) \
{ \
	enum what w = strike(class, #name, NULL, fd); \
	int rc; \
	REAL(int, #name, int); \
	if (w == DO_FAIL) \
		return -1; \
	rc = real(fd); \
	after(w); \
	return rc; \
}
ON_FD(fsync, SYNC)
ON_FD(fdatasync, SYNC)

#define TRUNCATE(name) \
int name(int fd, off_t size) \
{ \
	enum what w = strike(TRUNC, #name, NULL, fd); \
	int rc; \
	REAL(int, #name, int, off_t); \
	if (w == DO_FAIL) \
		return -1; \
	rc = real(fd, size); \
	after(w); \
	return rc; \
}
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define TWO_PATHS(name) \
int name(const char *a, const char *b) \
{ \
	enum what w = strike(RENAME, #name, b, -1); \
	int rc; \
	REAL(int, #name, const char *, const char *); \
	if (w == DO_FAIL) \
		return -1; \
	rc = real(a, b); \
	after(w); \
	return rc; \
}
TWO_PATHS(rename)
TWO_PATHS(link)

int renameat(int da, const char *a, int db, const char *b)
{
	enum what w = strike(RENAME, "renameat", b, -1);
	int rc;

	REAL(int, "renameat", int, const char *, int, const char *);
	if (w == DO_FAIL)
		return -1;
	rc = real(da, a, db, b);
	after(w);
	return rc;
}

int renameat2(int da, const char *a, int db, const char *b, unsigned flags)
{
	enum what w = strike(RENAME, "renameat2", b, -1);
	int rc;

	REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
	if (w == DO_FAIL)
		return -1;
	rc = real(da, a, db, b, flags);
	after(w);
	return rc;
}

int linkat(int da, const char *a, int db, const char *b, int flags)
{
	enum what w = strike(RENAME, "linkat", b, -1);
	int rc;

	REAL(int, "linkat", int, const char *, int, const char *, int);
	if (w == DO_FAIL)
		return -1;
	rc = real(da, a, db, b, flags);
	after(w);
	return rc;
}

#define ON_PATH(name) \
int name(const char *path) \
{ \
	enum what w = strike(UNLINK, #name, path, -1); \
	int rc; \
	REAL(int, #name, const char *); \
	if (w == DO_FAIL) \
		return -1; \
	rc = real(path); \
	after(w); \
	return rc; \
}
ON_PATH(unlink)
ON_PATH(remove)

static unsigned open_class(int flags)
{
	return flags & O_CREAT ? OPEN | CREATE : OPEN;
}

#define OPENS(name) \
int name(const char *path, int flags, ...) \
{ \
	enum what w = strike(open_class(flags), #name, path, -1); \
	mode_t mode; \
	va_list ap; \
	int fd; \
	REAL(int, #name, const char *, int, ...); \
	va_start(ap, flags); \
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0; \
	va_end(ap); \
	if (w == DO_FAIL) \
		return -1; \
	fd = real(path, flags, mode); \
	after(w); \
	return fd; \
}
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
int name(int dir, const char *path, int flags, ...) \
{ \
	enum what w = strike(open_class(flags), #name, path, -1); \
	mode_t mode; \
	va_list ap; \
	int fd; \
	REAL(int, #name, int, const char *, int, ...); \
	va_start(ap, flags); \
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0; \
	va_end(ap); \
	if (w == DO_FAIL) \
		return -1; \
	fd = real(dir, path, flags, mode); \
	after(w); \
	return fd; \
}
OPENS_AT(openat)
OPENS_AT(openat64)

#define TEMPORARY(name) \
int name(char *path, int flags) \
{ \
	enum what w = strike(OPEN | CREATE, #name, path, -1); \
	int fd; \
	REAL(int, #name, char *, int); \
	if (w == DO_FAIL) \
		return -1; \
	fd = real(path, flags); \
	after(w); \
	return fd; \
}
TEMPORARY(mkostemp)
TEMPORARY(mkostemp64)

#define STREAM(name) \
FILE *name(const char *path, const char *mode) \
{ \
	enum what w = strike(mode[0] == 'r' ? OPEN : OPEN | CREATE, #name, path, -1); \
	FILE *f; \
	REAL(FILE *, #name, const char *, const char *); \
	if (w == DO_FAIL) \
		return NULL; \
	f = real(path, mode); \
	after(w); \
	return f; \
}
STREAM(fopen)
STREAM(fopen64)

void *malloc(size_t n)
{
	REAL(void *, "malloc", size_t);
	return strike(MEMORY, "malloc", "", -1) == DO_FAIL ? NULL : real(n);
}

void *calloc(size_t n, size_t size)
{
	REAL(void *, "calloc", size_t, size_t);
	return strike(MEMORY, "calloc", "", -1) == DO_FAIL ? NULL : real(n, size);
}

void *realloc(void *p, size_t n)
{
	REAL(void *, "realloc", void *, size_t);
	return strike(MEMORY, "realloc", "", -1) == DO_FAIL ? NULL : real(p, n);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	REAL(void *, "reallocarray", void *, size_t, size_t);
	return strike(MEMORY, "reallocarray", "", -1) == DO_FAIL ? NULL : real(p, n, size);
}

#define MAPS(name) \
void *name(void *p, size_t n, int prot, int flags, int fd, off_t from) \
{ \
	REAL(void *, #name, void *, size_t, int, int, int, off_t); \
	return strike(MAP, #name, NULL, fd) == DO_FAIL ? MAP_FAILED : real(p, n, prot, flags, fd, from); \
}
MAPS(mmap)
MAPS(mmap64)
