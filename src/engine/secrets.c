#include "engine/secrets.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/secret.h"
#include "child/child.h"

#define FD_WAIT_MS 30000

/* A secret that was typed is unproven until a child says that it was right. Meanwhile only that child has it:
 * a wrong PIN is tried once, however many wait for it. */
struct kept {
	char *kind, *of, *which;
	char *text;                 /* in locked memory; NULL: not known */
	bool proven;
	bool turned;                /* it was right, and was refused since */
	const struct child *holder; /* the one that tries it now: where it is wrong nobody else is to have it */
};

struct waiter {
	struct child *child;
	struct kept *kept;
	char *note;
	bool last;                  /* another wrong one locks the token */
};

struct secrets {
	struct kept **kept;
	size_t n;
	struct waiter *waiter;
	size_t waiters;
	struct kept *asking;        /* the operator is asked for it */
	struct secret_ask ask;
	char *note;                 /* of the question */
	const struct child **turned; /* see secrets_turned */
	size_t turneds;
	bool by_fd;
	int fd;
};

struct secrets *secrets_new(void)
{
	return mem_zalloc(1, sizeof(struct secrets));
}

static void kept_forget(struct kept *k)
{
	secret_free(k->text);
	k->text = NULL;
	k->proven = false;
	k->holder = NULL;
}

void secrets_forget(struct secrets *s)
{
	for (size_t i = 0; i < s->n; i++)
		kept_forget(s->kept[i]);
}

void secrets_free(struct secrets *s)
{
	if (s == NULL)
		return;
	secrets_forget(s);
	for (size_t i = 0; i < s->n; i++) {
		free(s->kept[i]->kind);
		free(s->kept[i]->of);
		free(s->kept[i]->which);
		free(s->kept[i]);
	}
	for (size_t i = 0; i < s->waiters; i++)
		free(s->waiter[i].note);
	free(s->waiter);
	free(s->turned);
	free(s->note);
	free(s->kept);
	free(s);
}

/* The one that a line of a child is about. Two tokens may have the same label, and have different PINs. */
static struct kept *secrets_get(struct secrets *s, const char *kind, const json_t *msg)
{
	const char *of = json_str(msg, "of"), *which = json_str(msg, "which");
	struct kept *k;

	for (size_t i = 0; i < s->n; i++) {
		k = s->kept[i];
		if (strcmp(k->kind, kind) == 0 && strcmp(k->of, of) == 0 && strcmp(k->which, which) == 0)
			return k;
	}
	k = mem_zalloc(1, sizeof *k);
	k->kind = mem_strdup(kind);
	k->of = mem_strdup(of);
	k->which = mem_strdup(which);
	s->kept = mem_grow(s->kept, s->n + 1, sizeof(struct kept *));
	return s->kept[s->n++] = k;
}

static void waiter_drop(struct secrets *s, size_t i)
{
	free(s->waiter[i].note);
	memmove(&s->waiter[i], &s->waiter[i + 1], (s->waiters - i - 1) * sizeof *s->waiter);
	s->waiters--;
}

static void waiter_refuse(struct secrets *s, size_t i, const struct err *why)
{
	json_t *o = json_object();

	json_put(o, "text", why->text);
	json_put(o, "remedy", why->remedy);
	child_wait(s->waiter[i].child, false);
	child_send(s->waiter[i].child, json_pack("{s:o}", "refused", o));
	waiter_drop(s, i);
}

static void waiter_serve(struct secrets *s, size_t i)
{
	struct kept *k = s->waiter[i].kept;
	struct err e = { 0 };

	if (child_send_secret(s->waiter[i].child, k->kind, k->text, &e) < 0) {
		kept_forget(k);
		waiter_refuse(s, i, &e);
		return;
	}
	k->holder = s->waiter[i].child;
	child_wait(s->waiter[i].child, false);
	waiter_drop(s, i);
}

/* One line of fd into out (SECRET_MAX octets). 0 or an error. */
static int fd_line(int fd, char *out, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t got = 0;

	while (n < SECRET_MAX && poll(&p, 1, FD_WAIT_MS) == 1 && (got = read(fd, out + n, 1)) == 1 && out[n] != '\n')
		n++;
	if (n == SECRET_MAX)
		return err_set(e, ERR_USAGE, _("a line of --pin-fd is longer than %d octets"), SECRET_MAX - 1);
	if (got == 1 && out[n] == '\n')
		out[n > 0 && out[n - 1] == '\r' ? n - 1 : n] = '\0'; /* no key types a CR: the file came from Windows */
	else if (got == 1 || n == 0) {
		err_set(e, ERR_REFUSED, _("--pin-fd %d gave no line for the question"), fd);
		return err_remedy(e, _("write one line for each secret that is asked for, in the order of the questions"));
	}
	return 0;
}

static void secrets_answer_by_fd(struct secrets *s)
{
	struct err e = { 0 };
	char *line = secret_new(&e);

	if (line == NULL || fd_line(s->fd, line, &e) < 0)
		secrets_refuse(s, &e);
	else
		secrets_give(s, line);
	secret_free(line);
}

void secrets_fd(struct secrets *s, int fd)
{
	s->by_fd = true;
	s->fd = fd;
}

/* A script reads no warning. */
static void secrets_last_try(struct secrets *s)
{
	struct err e = { 0 };

	err_set(&e, ERR_REFUSED, _("one try is left before the token %s locks its PIN: a PIN of --pin-fd is not tried on it"),
	    s->ask.of);
	err_remedy(&e, _("run it at a terminal and type the PIN, or have the token's security officer (SO) set it anew"));
	secrets_refuse(s, &e);
}

static void secrets_question(struct secrets *s, struct waiter *w)
{
	static uint64_t id;

	free(s->note);
	s->note = mem_strdup(w->note);
	s->asking = w->kept;
	s->ask = (struct secret_ask){ .id = ++id, .kind = w->kept->kind, .of = w->kept->of, .note = s->note };
	secret_harden(); /* before a key is typed */
	if (s->by_fd && w->last)
		secrets_last_try(s);
	else if (s->by_fd)
		secrets_answer_by_fd(s);
}

/* Give what can be given, then ask one question at the most. */
static void secrets_pump(struct secrets *s)
{
	size_t i = 0;

	while (i < s->waiters) {
		const struct kept *k = s->waiter[i].kept;

		if (k->text != NULL && k->holder == NULL)
			waiter_serve(s, i);
		else
			i++;
	}
	for (i = 0; i < s->waiters && s->asking == NULL; i++)
		if (s->waiter[i].kept->text == NULL)
			secrets_question(s, &s->waiter[i]);
}

static void secrets_turn(struct secrets *s, const struct child *c)
{
	s->turned = mem_grow(s->turned, s->turneds + 1, sizeof *s->turned);
	s->turned[s->turneds++] = c;
}

static void secrets_need(struct secrets *s, struct child *c, const json_t *msg)
{
	struct kept *k = secrets_get(s, json_str(msg, "need"), msg);
	struct err e = { 0 };

	s->waiter = mem_grow(s->waiter, s->waiters + 1, sizeof *s->waiter);
	s->waiter[s->waiters++] = (struct waiter){ .child = c, .kept = k, .note = mem_strdup(json_str(msg, "note")),
		.last = json_bool(msg, "last") };
	child_wait(c, true);
	if (json_bool(msg, "last") && k->proven && k->holder == NULL)
		kept_forget(k); /* it was right, but others may have changed it since: nothing is tried unasked */
	if (json_bool(msg, "proof") && k->turned && k->text == NULL && s->asking != k) {
		secrets_turn(s, c); /* two CAs on one token: what locked the first locked the other */
		err_set(&e, ERR_REFUSED, _("the token %s refused the PIN that was right before; it is not tried again"), k->of);
		waiter_refuse(s, s->waiters - 1, &e);
	}
	secrets_pump(s);
}

bool secrets_line(struct secrets *s, struct child *c, const json_t *msg)
{
	const char *need = json_str(msg, "need"), *told = json_str(msg, "secret");
	struct kept *k;

	if (strcmp(need, "pin") == 0 || strcmp(need, "passphrase") == 0) {
		secrets_need(s, c, msg);
		return true;
	}
	if (told[0] == '\0')
		return false;
	k = secrets_get(s, json_str(msg, "kind"), msg);
	if (k->text == NULL)
		return true; /* forgotten meanwhile */
	if (strcmp(told, "right") == 0) {
		k->proven = true;
		k->turned = false;
		k->holder = NULL;
	} else {
		if (k->proven)
			secrets_turn(s, c);
		k->turned = k->turned || k->proven;
		kept_forget(k);
	}
	secrets_pump(s);
	return true;
}

void secrets_gone(struct secrets *s, const struct child *c)
{
	bool wanted = false;

	for (size_t i = s->waiters; i-- > 0;)
		if (s->waiter[i].child == c)
			waiter_drop(s, i);
	for (size_t i = 0; i < s->n; i++) {
		if (s->kept[i]->holder != c)
			continue;
		s->kept[i]->holder = NULL;
		if (!s->kept[i]->proven)
			kept_forget(s->kept[i]); /* nobody knows whether it was tried */
	}
	for (size_t i = 0; i < s->waiters; i++)
		wanted = wanted || s->waiter[i].kept == s->asking;
	if (!wanted)
		s->asking = NULL;
	for (size_t i = s->turneds; i-- > 0;)
		if (s->turned[i] == c)
			s->turned[i] = s->turned[--s->turneds];
	secrets_pump(s);
}

const struct secret_ask *secrets_wanted(const struct secrets *s)
{
	return s->asking != NULL ? &s->ask : NULL;
}

void secrets_give(struct secrets *s, const char *text)
{
	struct kept *k = s->asking;
	struct err e = { 0 };
	size_t n = strlen(text);

	if (k == NULL)
		return;
	if (n == 0 || n >= SECRET_MAX || (k->text = secret_new(&e)) == NULL) {
		if (e.code == 0)
			err_set(&e, ERR_USAGE, _("nothing was typed, or more than %d octets"), SECRET_MAX - 1);
		secrets_refuse(s, &e);
		return;
	}
	memcpy(k->text, text, n);
	s->asking = NULL;
	secrets_pump(s);
}

void secrets_refuse(struct secrets *s, const struct err *why)
{
	struct kept *k = s->asking;

	s->asking = NULL;
	for (size_t i = s->waiters; k != NULL && i-- > 0;)
		if (s->waiter[i].kept == k)
			waiter_refuse(s, i, why);
	secrets_pump(s);
}

bool secrets_give_up(struct secrets *s, const struct child *c, const struct err *why)
{
	bool waited = false, wanted = false;

	for (size_t i = s->waiters; i-- > 0;) {
		if (s->waiter[i].child == c) {
			waiter_refuse(s, i, why);
			waited = true;
		}
	}
	for (size_t i = 0; i < s->waiters; i++)
		wanted = wanted || s->waiter[i].kept == s->asking;
	if (!wanted)
		s->asking = NULL;
	secrets_pump(s);
	return waited;
}

bool secrets_turned(const struct secrets *s, const struct child *c)
{
	for (size_t i = 0; i < s->turneds; i++)
		if (s->turned[i] == c)
			return true;
	return false;
}

void secrets_proved(struct secrets *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->kept[i]->turned = false;
}
