#include "base/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/secret.h"

struct tty {
	struct loop *loop;
	int fd;
	struct termios was;
	char *text;
	size_t len;
	bool over;  /* more was typed than it holds */
	tty_fn done;
	void *ctx;
};

void tty_free(struct tty *t)
{
	if (t == NULL)
		return;
	loop_fd_drop(t->loop, t->fd);
	tcsetattr(t->fd, TCSAFLUSH, &t->was);
	fs_put(t->fd, "\r\n", 2);
	close(t->fd);
	secret_free(t->text);
	free(t);
}

static void tty_end(struct tty *t, bool given)
{
	struct tty was = *t;

	t->text = NULL;
	tty_free(t);
	was.done(was.ctx, !given ? NULL : was.over ? "" : was.text); /* cut off it would be tried, and be wrong */
	secret_free(was.text);
}

/* A key. False once the line has ended. */
static bool tty_key(struct tty *t, char c)
{
	switch (c) {
	case '\r':
	case '\n':
		tty_end(t, true);
		return false;
	case 'C' - '@':
	case 'D' - '@':
	case '[' - '@':
		tty_end(t, false);
		return false;
	case 'U' - '@':
		explicit_bzero(t->text, SECRET_MAX);
		t->len = 0;
		t->over = false;
		return true;
	case '\b':
	case 0x7f:
		while (t->len > 0 && ((unsigned char)t->text[--t->len] & 0xc0) == 0x80)
			t->text[t->len] = '\0';
		t->text[t->len] = '\0';
		return true;
	default:
		if ((unsigned char)c < 0x20)
			return true;
		if (t->len + 1 < SECRET_MAX)
			t->text[t->len++] = c;
		else
			t->over = true;
		return true;
	}
}

static void tty_readable(void *ctx, short revents)
{
	struct tty *t = ctx;
	char c;
	ssize_t n;

	(void)revents;
	do
		n = read(t->fd, &c, 1);
	while (n == 1 && tty_key(t, c));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		tty_end(t, false);
	explicit_bzero(&c, 1);
}

struct tty *tty_ask(struct loop *l, const char *prompt, tty_fn done, void *ctx, struct err *e)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	struct tty *t = mem_zalloc(1, sizeof *t);
	struct termios raw;

	*t = (struct tty){ .loop = l, .fd = fd, .done = done, .ctx = ctx };
	if (fd < 0 || tcgetattr(fd, &t->was) < 0) {
		err_set(e, ERR_REFUSED, _("there is no terminal to ask at"));
		goto bad;
	}
	if ((t->text = secret_new(e)) == NULL)
		goto bad;
	raw = t->was;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSAFLUSH, &raw) < 0) {
		err_sys(e, _("the terminal's echo cannot be turned off"));
		goto bad;
	}
	fs_put(fd, prompt, strlen(prompt));
	loop_fd(l, fd, POLLIN, tty_readable, t);
	return t;
bad:
	if (fd >= 0)
		close(fd);
	secret_free(t->text);
	free(t);
	return NULL;
}
