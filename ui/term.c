#include "term.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/i18n.h"
#include "keymap.h"
#include "theme.h"

static SCREEN *screen;
static WINDOW *input; /* a pad of its own: reading from stdscr would redraw it */
static struct frame *shown;
static struct termios before;

static void term_crash(int signo)
{
	static const char restore[] = "\033[?1049l\033[?25h\033[0m\r\n";

	if (tcsetattr(STDIN_FILENO, TCSANOW, &before) == 0 &&
	    write(STDOUT_FILENO, restore, sizeof restore - 1) < 0)
		_exit(1);
	signal(signo, SIG_DFL);
	raise(signo);
}

/* Where nobody else (a sanitizer) has a handler yet. */
static void term_guard(int signo)
{
	struct sigaction was;
	struct sigaction act = { .sa_handler = term_crash, .sa_flags = (int)SA_RESETHAND };

	if (sigaction(signo, NULL, &was) == 0 && was.sa_handler == SIG_DFL)
		sigaction(signo, &act, NULL);
}

int term_start(struct err *e)
{
	static bool registered;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &before) < 0) {
		err_set(e, ERR_FAILED, _("the console needs a terminal"));
		return err_remedy(e, _("use the subcommands, or --line for plain lines"));
	}
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL) {
		const char *term = getenv("TERM");
		err_set(e, ERR_FAILED, _("curses does not know this terminal (TERM=%s)"),
		    term != NULL ? term : "");
		return err_remedy(e, _("set TERM, or use --line for plain lines"));
	}
	set_term(screen);
	set_escdelay(25);
	raw();
	noecho();
	nonl();
	input = newpad(1, 1);
	keypad(input, TRUE);
	nodelay(input, TRUE);
	theme_start();
	curs_set(0);
	if (!registered) {
		atexit(term_stop);
		registered = true;
	}
	term_guard(SIGSEGV);
	term_guard(SIGBUS);
	term_guard(SIGABRT);
	term_guard(SIGFPE);
	return 0;
}

void term_stop(void)
{
	if (screen == NULL)
		return;
	delwin(input);
	endwin();
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	delscreen(screen);
	screen = NULL;
	frame_free(shown);
	shown = NULL;
}

void term_size(int *rows, int *cols)
{
	struct winsize ws;

	*rows = LINES;
	*cols = COLS;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0) {
		*rows = ws.ws_row;
		*cols = ws.ws_col;
	}
	if (*rows != LINES || *cols != COLS)
		resizeterm(*rows, *cols);
}

static void term_row(const struct frame *f, int row)
{
	const struct cell *c = f->cell + (size_t)row * (size_t)f->cols;
	unsigned long attr;
	short pair;

	move(row, 0);
	for (int i = 0; i < f->cols; i++) {
		if (c[i].cols == 0)
			continue;
		theme_attr((enum style)c[i].style, &attr, &pair);
		attr_set((attr_t)attr, pair, NULL);
		addnstr(c[i].s, (int)strlen(c[i].s));
	}
}

void term_show(const struct frame *f)
{
	bool all = shown == NULL || shown->rows != f->rows || shown->cols != f->cols;

	if (all) {
		frame_free(shown);
		shown = frame_new(f->rows, f->cols);
		erase();
	}
	for (int row = 0; row < f->rows; row++)
		if (all || !frame_row_same(f, shown, row))
			term_row(f, row);
	memcpy(shown->cell, f->cell, (size_t)f->rows * (size_t)f->cols * sizeof *f->cell);
	curs_set(f->cursor_row >= 0 ? 1 : 0);
	if (f->cursor_row >= 0)
		move(f->cursor_row, f->cursor_col);
	refresh();
}

void term_forget(void)
{
	frame_free(shown);
	shown = NULL;
	clearok(stdscr, TRUE);
}

static int term_translate(wint_t key)
{
	switch (key) {
	case KEY_UP:
		return KEYC_UP;
	case KEY_DOWN:
		return KEYC_DOWN;
	case KEY_LEFT:
		return KEYC_LEFT;
	case KEY_RIGHT:
		return KEYC_RIGHT;
	case KEY_PPAGE:
		return KEYC_PAGE_UP;
	case KEY_NPAGE:
		return KEYC_PAGE_DOWN;
	case KEY_HOME:
		return KEYC_HOME;
	case KEY_END:
		return KEYC_END;
	case KEY_BACKSPACE:
		return KEYC_BACKSPACE;
	case KEY_DC:
		return KEYC_DELETE;
	case KEY_BTAB:
		return KEYC_BACKTAB;
	case KEY_F(1):
		return KEYC_F1;
	case KEY_ENTER:
		return KEYC_ENTER;
	default:
		return KEYC_OTHER;
	}
}

int term_key(void)
{
	wint_t key;
	int kind = wget_wch(input, &key);

	if (kind == ERR)
		return -1;
	if (kind == KEY_CODE_YES)
		return key == KEY_RESIZE ? KEYC_OTHER : term_translate(key);
	if (key == 0x7f || key == '\b')
		return KEYC_BACKSPACE;
	return key == '\n' ? KEYC_ENTER : (int)key;
}

void term_flush(void)
{
	flushinp();
}

bool term_gone(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	int waiting = 0;

	if (poll(&p, 1, 0) < 0)
		return errno != EINTR;
	if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
		return true;
	/* Ready to be read, nothing to read, and curses has no key: end of file. */
	return (p.revents & POLLIN) && ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting == 0;
}
