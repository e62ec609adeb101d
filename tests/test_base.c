/* base: text made safe, times, files that are whole, the fence of a drill, the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <locale.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <signal.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/confine.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/fs_group.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"

static char folder[] = "/tmp/sev1-test-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL || chdir(folder) < 0;
}

static int drop_folder(void **state)
{
	(void)state;
	return chdir("/") < 0 || fs_remove_tree(folder, NULL) < 0;
}

static void escapes(const char *in, size_t len, const char *want)
{
	char *out = text_escaped(in, len, 1000);

	assert_string_equal(out, want);
	free(out);
}

static void test_escape(void **state)
{
	(void)state;
	escapes("plain", 5, "plain");
	escapes("\033[31mred", 8, "\\x1B[31mred");
	escapes("a\r\nb\tc", 6, "a\\x0D\\nb\\tc");
	escapes("\xc2\x9b" "31m", 5, "\\u{9B}31m");            /* C1 CSI */
	escapes("\xe2\x80\xae" "gpj", 6, "\\u{202E}gpj");       /* right-to-left override */
	escapes("\xe2\x81\xa6x", 4, "\\u{2066}x");              /* isolate */
	escapes("\xff\xfe", 2, "\\xFF\\xFE");
	escapes("\xc0\xaf", 2, "\\xC0\\xAF");                   /* overlong '/' */
	escapes("\xed\xa0\x80", 3, "\\xED\\xA0\\x80");          /* surrogate */
	escapes("\xe2\x82", 2, "\\xE2\\x82");                   /* cut off */
	escapes("\0x", 2, "\\x00x");
	escapes("gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"); /* umlauts stay */
	escapes("\xef\xbb\xbfx", 4, "\\u{FEFF}x");
}

static void test_fit(void **state)
{
	int used;

	(void)state;
	assert_int_equal(text_fit("abcdef", 4, &used), 4);
	assert_int_equal(used, 4);
	assert_int_equal(text_fit("\xe6\xbc\xa2\xe5\xad\x97", 3, &used), 3); /* two wide characters */
	assert_int_equal(used, 2);
	assert_int_equal(text_columns("gr\xc3\xbc" "n"), 4);
}

static void test_quote_survives_a_shell(void **state)
{
	static const char *const words[] = { "a b", "it's", "$(id)", "`id`", "\"x\\", "-n", "a\nb", "" };

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		char *q = text_quoted(words[i]), *cmd = mem_printf("printf '%%s' %s", q), out[64] = "";
		FILE *p = popen(cmd, "r");
		size_t n = fread(out, 1, sizeof out - 1, p);
		assert_int_equal(pclose(p), 0);
		out[n] = '\0';
		assert_string_equal(out, words[i]);
		free(q);
		free(cmd);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_true(text_is_host("web01.example.com", false));
	assert_true(text_is_host("2001:db8::1", false));
	assert_true(text_is_host("*.example.com", true));
	assert_false(text_is_host("*.example.com", false));
	assert_false(text_is_host("-oProxyCommand=x", false));
	assert_false(text_is_host("a..b", false));
	assert_false(text_is_host("a b", false));
	assert_false(text_is_host("", false));
	assert_false(text_is_host("x;id", false));
	assert_true(text_is_word("issuing-2"));
	assert_false(text_is_word("../x"));
	assert_false(text_is_word(".x"));
}

static void test_counts(void **state)
{
	char out[32];

	(void)state;
	assert_string_equal(text_count(out, 4812), "4 812");
	assert_string_equal(text_count(out, 1000000), "1 000 000");
	assert_string_equal(text_count(out, 7), "7");
	assert_string_equal(text_count(out, -1234), "-1 234");
	assert_string_equal(text_size(out, 13000000000LL), "12.1 GiB");
}

static void test_clock_parse(void **state)
{
	char out[32];
	int64_t ms;

	(void)state;
	assert_int_equal(clock_parse("2024-08-31T23:19:00+05:30", &ms), 0);
	assert_string_equal(clock_iso(out, sizeof out, ms), "2024-08-31T17:49:00Z");
	assert_int_equal(clock_parse("2024-08-31 23:19 +0530", &ms), 0);
	assert_string_equal(clock_iso(out, sizeof out, ms), "2024-08-31T17:49:00Z");
	assert_int_equal(clock_parse("2024-02-29T00:00Z", &ms), 0);
	assert_true(clock_parse("2023-02-29T00:00Z", &ms) < 0);
	assert_true(clock_parse("2024-08-31T23:19", &ms) < 0);   /* no zone */
	assert_true(clock_parse("2024-08-31T25:19Z", &ms) < 0);
	assert_true(clock_parse("2024-08-31T23:19Zx", &ms) < 0);
	assert_true(clock_parse("", &ms) < 0);
	assert_int_equal(clock_parse_when("-35m", 10000000, &ms), 0);
	assert_int_equal(ms, 10000000 - 35 * 60000);
	assert_true(clock_parse_when("-35", 0, &ms) < 0);
	assert_true(clock_parse_when("-5y", 0, &ms) < 0);
}

static void test_clock_span(void **state)
{
	char out[32];

	(void)state;
	assert_string_equal(clock_span(out, sizeof out, 2839000), "00:47:19");
	assert_string_equal(clock_span(out, sizeof out, -439000), "-00:07:19");
	assert_string_equal(clock_span(out, sizeof out, -400), "00:00:00");
	assert_string_equal(clock_span(out, sizeof out, INT64_MIN), "--:--:--");
	assert_string_equal(clock_span(out, sizeof out, 5LL * 86400000 + 3600000), "5d 01:00:00");
}

static void test_write_keeps_mode_and_content(void **state)
{
	struct buf b = { 0 };
	struct stat st;
	struct err e;

	(void)state;
	assert_int_equal(fs_write("f", "one", 3, 0640, &e), 0);
	assert_int_equal(chmod("f", 0600), 0);
	assert_int_equal(fs_write("f", "two!", 4, 0640, &e), 0);
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fs_read("f", &b, 100, &e), 0);
	assert_string_equal(b.data, "two!");
	buf_free(&b);
	assert_int_equal(fs_read("f", &b, 3, &e), ERR_SYNTAX);
	buf_free(&b);
}

/* rw for the owner, r for user 1 and the group: as setfacl -m u:1:r writes it (linux/posix_acl_xattr.h) */
static const unsigned char acl[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 1, 0, 0, 0,
	4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };

static void has_attribute(const char *path, const char *name, const void *value, size_t len)
{
	char got[64];

	assert_int_equal(getxattr(path, name, got, sizeof got), len);
	assert_memory_equal(got, value, len);
}

/* Whoever could read the old file can read the new one, and nobody else. */
static void test_write_keeps_access(void **state)
{
	struct err e = { 0 };
	struct stat st;
	char got[64];
	bool lists, notes;

	(void)state;
	assert_int_equal(mkdir("shared", 0755), 0);
	assert_int_equal(fs_write("shared/plain", "one", 3, 0600, &e), 0);
	assert_int_equal(fs_write("shared/listed", "one", 3, 0600, &e), 0);
	lists = setxattr("shared/listed", "system.posix_acl_access", acl, sizeof acl, 0) == 0;
	assert_true(lists || errno == ENOTSUP); /* not every file system has them */
	notes = setxattr("shared/listed", "user.origin", "easy-rsa", 8, 0) == 0;
	assert_true(notes || errno == ENOTSUP);
	/* from now on, what is made in this folder may be read by user 1 */
	assert_int_equal(setxattr("shared", "system.posix_acl_default", acl, sizeof acl, 0) == 0, lists);
	assert_int_equal(fs_write("shared/listed", "two", 3, 0644, &e), 0);
	assert_int_equal(fs_write("shared/plain", "two", 3, 0644, &e), 0);
	if (lists)
		has_attribute("shared/listed", "system.posix_acl_access", acl, sizeof acl);
	if (notes)
		has_attribute("shared/listed", "user.origin", "easy-rsa", 8);
	assert_int_equal(getxattr("shared/plain", "system.posix_acl_access", got, sizeof got), -1);
	assert_int_equal(stat("shared/plain", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	if (!lists || !notes)
		print_message("this file system has no %s\n", lists ? "user attributes" : "access control lists");
}

/* Files that are replaced together: none before the commit, all after it, and what is given up leaves nothing. */
static void holds(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void test_group(void **state)
{
	struct fs_group g = { 0 };
	struct err e = { 0 };
	char name[32];
	int fd;

	(void)state;
	holds("mkdir -p g/a g/b && printf old > g/a/1 && chmod 600 g/a/1");
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "g/%c/%d", i % 2 == 0 ? 'b' : 'a', i);
		assert_int_equal(fs_group_add(&g, name, name, strlen(name), 0644, &e), 0);
	}
	holds("[ \"$(cat g/a/1)\" = old ] && [ ! -e g/b/2 ]");
	assert_true((fd = open("g/other", O_WRONLY | O_CREAT, 0600)) >= 0);
	assert_int_equal(fs_group_commit(&g, fd, &e), 0);
	assert_int_equal(close(fd), 0);
	fs_group_clear(&g);
	holds("[ \"$(cat g/a/1)\" = g/a/1 ] && [ \"$(stat -c %a g/a/1 g/a/3)\" = \"$(printf '600\\n644')\" ] && "
	    "[ \"$(ls g/a g/b | grep -c '^[0-9]*$')\" = 41 ] && ! ls g/a g/b | grep -q sev1");
	/* one that cannot be made, and one whose place is taken by a folder */
	holds("mkdir g/a/folder");
	assert_int_equal(fs_group_add(&g, "g/a/1", "new", 3, 0644, &e), 0);
	assert_int_equal(fs_group_add(&g, "g/none/1", "new", 3, 0644, &e), ERR_IO);
	assert_int_equal(fs_group_add(&g, "g/a/folder", "new", 3, 0644, &e), 0);
	assert_int_equal(fs_group_add(&g, "g/a/3", "new", 3, 0644, &e), 0);
	assert_int_equal(fs_group_commit(&g, -1, &e), ERR_IO);
	fs_group_clear(&g);
	holds("[ \"$(cat g/a/1 g/a/3)\" = newg/a/3 ] && ! ls g/a | grep -q sev1");
}

/* A disk that is full in the middle of the write: the old file is whole, nothing is left beside it. */
static void test_write_to_a_full_disk(void **state)
{
	char *big = mem_zalloc(1, 1 << 20);
	struct buf b = { 0 };
	struct err e = { 0 };
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(mkdir("full", 0700), 0);
	assert_int_equal(fs_write("full/f", "old", 3, 0600, &e), 0);
	if ((pid = fork()) == 0) {
		const struct rlimit limit = { 4096, 4096 };
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(fs_write("full/f", big, 1 << 20, 0600, &e) == ERR_IO &&
		    strstr(e.text, "full/f") != NULL ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(fs_read("full/f", &b, 100, &e), 0);
	assert_string_equal(b.data, "old");
	assert_int_equal(unlink("full/f"), 0);
	assert_int_equal(rmdir("full"), 0); /* no temporary file was left */
	buf_free(&b);
	free(big);
}

static void test_lock_excludes(void **state)
{
	struct err e = { 0 };
	int fd = fs_lock("db", 0, &e), status;
	pid_t pid;

	(void)state;
	assert_true(fd >= 0);
	if ((pid = fork()) == 0)
		_exit(fs_lock("db", 50, &e) == ERR_TIMEOUT ? 0 : 1);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	close(fd);
	fd = fs_lock("db", 0, &e);
	assert_true(fd >= 0);
	close(fd);
}

static void test_remove_tree_does_not_follow_links(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(fs_mkdirs("tree/a/b", 0700, &e), 0);
	assert_int_equal(fs_write("kept", "x", 1, 0600, &e), 0);
	assert_int_equal(mkdir("outside", 0700), 0);
	assert_int_equal(fs_write("outside/file", "x", 1, 0600, &e), 0);
	assert_int_equal(symlink("../../outside", "tree/a/link"), 0);
	assert_int_equal(fs_remove_tree("tree", &e), 0);
	assert_false(fs_exists("tree"));
	assert_true(fs_exists("outside/file"));
}

/* In a process of its own: a fence is never lifted. */
static void confined_child(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct err e = { 0 };
	int bad = 0;

	bad |= confine_to("drill", &e) != 0;
	bad |= fs_write("drill/inside", "x", 1, 0600, &e) != 0;
	bad |= fs_write("escaped", "x", 1, 0600, &e) != ERR_CONFINED;
	bad |= fs_write("drill/link/escaped", "x", 1, 0600, &e) != ERR_CONFINED;
	bad |= fs_write("drill/../escaped", "x", 1, 0600, &e) != ERR_CONFINED;
	bad |= fs_mkdirs("drill-two", 0700, &e) != ERR_CONFINED;
	bad |= fs_remove_tree("other", &e) != ERR_CONFINED;
	in.sin_addr.s_addr = htonl(0x7f010203);
	bad |= confine_address((struct sockaddr *)&in, &e) != 0;
	bad |= confine_address((struct sockaddr *)&in6, &e) != 0;
	in.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
	bad |= confine_address((struct sockaddr *)&in, &e) != ERR_CONFINED;
	inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr);
	bad |= confine_address((struct sockaddr *)&in6, &e) != ERR_CONFINED;
	bad |= confine_program("/bin/sh", &e) != ERR_CONFINED;
	bad |= confine_to("other", &e) != ERR_CONFINED;
	_exit(bad);
}

static void test_confine(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(mkdir("drill", 0700), 0);
	assert_int_equal(mkdir("other", 0700), 0);
	assert_int_equal(symlink("../other", "drill/link"), 0);
	if ((pid = fork()) == 0)
		confined_child();
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_false(fs_exists("escaped"));
}

static void test_digest(void **state)
{
	char hex[DIGEST_HEX];
	struct err e;

	(void)state;
	digest_of("abc", 3, hex); /* FIPS 180-2, appendix B.1 */
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(fs_write("abc", "abc", 3, 0600, &e), 0);
	assert_int_equal(digest_file("abc", hex, &e), 0);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(digest_file("absent", hex, &e), ERR_IO);
}

static void test_json_is_escaped_at_the_door(void **state)
{
	json_t *o = json_object();
	char *line;

	(void)state;
	json_put(o, "b", "x\033]0;pwned\007");
	json_put_num(o, "a", 7);
	line = json_line(o);
	assert_string_equal(line, "{\"a\":7,\"b\":\"x\\\\x1B]0;pwned\\\\x07\"}");
	free(line);
	json_decref(o);
}

struct seen {
	struct loop *loop;
	int timers, reads;
	char order[8];
};

static void on_first(void *ctx)
{
	struct seen *s = ctx;

	s->order[s->timers++] = '1';
}

static void on_second(void *ctx)
{
	struct seen *s = ctx;

	s->order[s->timers++] = '2';
	loop_stop(s->loop);
}

static void on_read(void *ctx, short revents)
{
	struct seen *s = ctx;

	assert_true(revents & POLLIN);
	s->reads++;
	loop_fd_drop(s->loop, 100);
}

static void on_file(void *ctx, short revents)
{
	struct seen *s = ctx;

	assert_true(revents & POLLIN);
	loop_stop(s->loop);
}

/* Standard input may be a file, of which the kernel's waiting knows nothing; a number may be used again. */
static void test_loop_watches_files_and_numbers_used_again(void **state)
{
	struct seen s = { .loop = loop_new() };
	int p[2], file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(pipe(p), 0);
	loop_fd(s.loop, p[0], POLLIN, on_file, &s);
	loop_fd_drop(s.loop, p[0]);
	dup2(file, p[0]);
	loop_fd(s.loop, p[0], POLLIN, on_file, &s);
	loop_run(s.loop);
	loop_fd_drop(s.loop, p[0]);
	close(p[0]);
	close(p[1]);
	close(file);
	loop_free(s.loop);
}

static void test_loop(void **state)
{
	struct seen s = { .loop = loop_new() };
	int fd[2];
	uint64_t gone;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(dup2(fd[0], 100), 100);
	assert_int_equal(write(fd[1], "x", 1), 1);
	loop_fd(s.loop, 100, POLLIN, on_read, &s);
	loop_after(s.loop, 20, on_second, &s);
	loop_after(s.loop, 1, on_first, &s);
	gone = loop_after(s.loop, 5, on_second, &s);
	loop_cancel(s.loop, gone);
	loop_run(s.loop);
	assert_string_equal(s.order, "12");
	assert_int_equal(s.reads, 1);
	loop_free(s.loop);
	close(fd[0]);
	close(fd[1]);
	close(100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape), cmocka_unit_test(test_fit),
		cmocka_unit_test(test_quote_survives_a_shell), cmocka_unit_test(test_names),
		cmocka_unit_test(test_counts), cmocka_unit_test(test_clock_parse),
		cmocka_unit_test(test_clock_span), cmocka_unit_test(test_write_keeps_mode_and_content),
		cmocka_unit_test(test_write_keeps_access),
		cmocka_unit_test(test_group), cmocka_unit_test(test_write_to_a_full_disk), cmocka_unit_test(test_lock_excludes),
		cmocka_unit_test(test_remove_tree_does_not_follow_links), cmocka_unit_test(test_confine),
		cmocka_unit_test(test_digest), cmocka_unit_test(test_json_is_escaped_at_the_door),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_loop_watches_files_and_numbers_used_again),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
