/* What went wrong, to what, and the remedy: one caller-owned record per operation. */
#ifndef SEV1_ERR_H
#define SEV1_ERR_H

#include <stdarg.h>

enum err_code {
	ERR_NONE = 0,
	ERR_FAILED = -1,   /* the operation failed */
	ERR_USAGE = -2,    /* the caller's words are off */
	ERR_REFUSED = -3,  /* a gate, a changed plan, a wrong phrase */
	ERR_PARTIAL = -4,  /* done in part */
	ERR_AUDIT = -5,    /* the journal does not verify */
	ERR_IO = -6,       /* a system call failed */
	ERR_SYNTAX = -7,   /* a file or message is malformed */
	ERR_NOTFOUND = -8, /* a named thing does not exist */
	ERR_TIMEOUT = -9,  /* a deadline passed */
	ERR_CONFINED = -10 /* a drill reached for something outside its sandbox */
};

struct err {
	int code;         /* an enum err_code */
	char text[640];   /* what happened, to what; UTF-8, escaped for the terminal by the screen */
	char remedy[320]; /* what to do next; empty where there is nothing to add */
};

/* Process exit statuses; see "Exit status" in the man page. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3,
	EXIT_PARTIAL = 4,
	EXIT_AUDIT = 5
};

/* Record an error and return its code. e may be NULL. An earlier error is overwritten. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set with ERR_IO, followed by ": " and the text of errno. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Say what to do about the error that e holds. Returns e's code. */
int err_remedy(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "fmt: " before the text of e, as an error climbs. Returns e's code. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit status that stands for an error code. */
int err_exit_status(int code);

#endif
