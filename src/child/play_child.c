/* The play child: runs ansible-playbook on a playbook that was written for it, or only reads what another machine
 * ran, and says of each host what came of it. What hosts say is read here and nowhere else. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/confine.h"
#include "base/dict.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/exec.h"
#include "child/serve.h"
#include "child/ssh_reissue.h"

#define RESULT_MAX (64u << 20) /* ansible keeps all that a test says, and each line of it once more */
#define KEEP 65536u

struct play {
	const json_t *request;
	char *results;      /* folder of files, one a host */
	struct dict by_name;
	bool *said;
	char *last;         /* the host of the line before: its file is written after its line; NULL */
};

/* The last "sev1 WORD" of an install that is no phase; owned by the caller, "" where there is none. */
static char *play_word(const char *text)
{
	char *word = mem_strdup("");

	for (const char *p = text; *p != '\0'; p += strcspn(p, "\n"), p += *p != '\0') {
		size_t n = strcspn(p, "\r\n");
		if (strncmp(p, "sev1 ", 5) != 0 || strncmp(p, "sev1 phase", 10) == 0 || strncmp(p, "sev1 for ", 9) == 0)
			continue;
		free(word);
		word = text_escaped(p + 5, n - 5, 20);
	}
	return word;
}

/* What a host said on stderr, or ansible of it where the host said nothing; escaped. */
static char *play_why(const json_t *r)
{
	const char *text = json_str(r, "stderr"), *message = json_str(r, "msg");
	struct buf errors = { 0 };
	char *why;

	buf_adds(&errors, text);
	why = reissue_reason(&errors);
	buf_free(&errors);
	if (why[0] != '\0' || message[0] == '\0')
		return reissue_explained(why);
	free(why);
	return text_escaped(message, strlen(message), 200);
}

static void play_say(struct play *p, size_t n, const json_t *r)
{
	json_t *o = json_object(), *before, *output = json_array(), *text;
	struct buf out = { 0 }, errors = { 0 };
	char *word = play_word(json_str(r, "stdout")), *why = play_why(r);

	/* Modules say stdout with its lines ended as they came. */
	buf_add(&out, json_str(r, "stdout"), strnlen(json_str(r, "stdout"), KEEP));
	before = reissue_before(&out);
	buf_adds(&errors, json_str(r, "stderr"));
	reissue_said(output, &errors);
	json_put_num(o, "n", (int64_t)n);
	json_put_num(o, "status", json_num(r, "rc", -1));
	json_object_set_new(o, "unreachable", json_boolean(json_bool(r, "unreachable")));
	if ((text = json_stringn(buf_str(&out), out.len)) != NULL)
		json_object_set_new(o, "out", text);
	json_put(o, "word", word);
	json_put(o, "why", why);
	json_object_set_new(o, "output", output);
	if (before != NULL)
		json_object_set_new(o, "before", before);
	serve_say(json_pack("{s:o}", "ran", o));
	p->said[n] = true;
	buf_free(&out);
	buf_free(&errors);
	free(word);
	free(why);
}

/* Is it of the play that was written, and not of one before? What begins with no word of ours never began. */
static bool play_ours(const struct play *p, size_t n, const json_t *r)
{
	const char *stamp = json_string_value(json_array_get(json_list(p->request, "stamps"), n)), *said = json_str(r, "stdout");
	char *begins;
	bool ours;

	if (stamp == NULL || stamp[0] == '\0' || strstr(said, "sev1 ") == NULL)
		return true;
	begins = mem_printf("sev1 for %s", stamp);
	said = strstr(said, begins);
	ours = said != NULL && strchr("\r\n", said[strlen(begins)]) != NULL;
	free(begins);
	return ours;
}

/* Say what stands in a host's file, once; at the end also that it cannot be read. */
static void play_read(struct play *p, const char *host, bool end)
{
	size_t n = dict_get(&p->by_name, host);
	struct buf b = { 0 };
	struct err e = { 0 };
	struct stat st;
	json_t *r = NULL;
	char *path, *why;

	if (n == DICT_NONE || p->said[n])
		return;
	path = fs_join(p->results, host);
	/* a pipe would be waited for */
	if (stat(path, &st) == 0 && (S_ISREG(st.st_mode) || err_set(&e, ERR_SYNTAX, _("%s: not a plain file"), path) == 0) &&
	    fs_read(path, &b, RESULT_MAX, &e) == 0 && (r = json_read(buf_str(&b), b.len, &e)) != NULL && !json_is_object(r))
		err_set(&e, ERR_SYNTAX, _("not a result of ansible"));
	if (json_is_object(r) && play_ours(p, n, r)) {
		play_say(p, n, r);
	} else if (end && e.code != 0) {
		json_decref(r);
		r = json_object();
		why = mem_printf("%s%s%s", strstr(e.text, path) == NULL ? path : "", strstr(e.text, path) == NULL ? ": " : "",
		    e.text);
		json_put(r, "msg", why);
		free(why);
		play_say(p, n, r);
	}
	json_decref(r);
	buf_free(&b);
	free(path);
}

/* "ok: [web1]", "changed: [web1]", "fatal: [web1]: FAILED! => ..." */
static void play_line(void *ctx, const char *s, size_t len)
{
	struct play *p = ctx;
	const char *open = memchr(s, '[', len), *close;

	if (p->last != NULL)
		play_read(p, p->last, false);
	free(p->last);
	p->last = NULL;
	if (open == NULL || (close = memchr(open, ']', len - (size_t)(open - s))) == NULL)
		return;
	p->last = mem_strndup(open + 1, (size_t)(close - open) - 1);
}

/* What an earlier run left would be taken for this one's. */
static void play_forget(const struct play *p, const json_t *hosts)
{
	const json_t *host;
	size_t i;

	json_array_foreach(hosts, i, host) {
		char *path = fs_join(p->results, json_string_value(host));
		unlink(path);
		free(path);
	}
}

/* What the operator's shell sets for plays of his own is about those: with ANSIBLE_CALLBACKS_ENABLED no results would
 * be kept, with ANSIBLE_HOST_KEY_CHECKING=False any host would be believed. What these need stands in ansible.cfg. */
static void play_environment(const char *config, const char *tmp, const char *results)
{
	for (size_t i = 0; environ[i] != NULL;) {
		char *name = mem_strndup(environ[i], strcspn(environ[i], "="));
		if (strncmp(name, "ANSIBLE_", 8) != 0 || unsetenv(name) < 0)
			i++;
		free(name);
	}
	setenv("ANSIBLE_CONFIG", config, 1);
	setenv("ANSIBLE_LOCAL_TEMP", tmp, 1);
	setenv("ANSIBLE_CALLBACK_TREE_DIR", results, 1);
	setenv("ANSIBLE_NOCOLOR", "1", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
}

static int play_run(struct play *p, json_t **result, struct err *e)
{
	const char *folder = json_str(p->request, "folder"), *play = json_str(p->request, "play");
	char *config = mem_printf("%s/ansible.cfg", folder), *tmp = mem_printf("%s/tmp", folder);
	char *inventory = mem_printf("%s/%s-hosts.json", folder, play), *book = mem_printf("%s/%s.json", folder, play);
	char *forks = mem_printf("%lld", (long long)json_num(p->request, "forks", 50)), *said;
	char *argv[] = { (char *)json_str(p->request, "program"), (char *)"-i", inventory, (char *)"-f", forks, book, NULL };
	struct exec x = { .argv = argv, .line = play_line, .ctx = p, .timeout_s = (int)json_num(p->request, "timeout_s", 0) };
	struct exec_result r = { 0 };
	int rc;

	play_environment(config, tmp, p->results);
	if (chdir(folder) < 0) { /* python does not start in a folder that is gone */
		rc = err_sys(e, "%s", folder);
		goto out;
	}
	rc = exec_run(&x, &r, e);
	/* 2: hosts failed; 4: hosts were not reached; both stand in their files. */
	if (rc == 0 && r.status != 0 && (r.status & ~6) != 0) {
		said = text_escaped(buf_str(&r.err), r.err.len, 300);
		rc = err_set(e, ERR_FAILED, _("ansible-playbook ended with status %d: %s"), r.status, said);
		err_remedy(e, _("try it by hand: ANSIBLE_CONFIG=%s ansible-playbook -i %s %s"), config, inventory, book);
		free(said);
	}
	if (rc == 0)
		*result = json_pack("{s:i, s:I}", "status", r.status, "ms", (json_int_t)r.ms);
out:
	exec_result_clear(&r);
	free(config);
	free(tmp);
	free(inventory);
	free(book);
	free(forks);
	return rc;
}

int play_child(const json_t *request, json_t **result, struct err *e)
{
	const json_t *hosts = json_list(request, "hosts"), *host;
	const char *program = json_str(request, "program");
	struct play p = { .request = request };
	size_t i;
	int rc = 0;

	if (confine_path(json_str(request, "folder"), e) < 0 || (program[0] != '\0' && confine_program(program, e) < 0))
		return ERR_CONFINED;
	json_array_foreach(hosts, i, host)
		if (!json_is_string(host) || !text_is_host(json_string_value(host), false))
			return err_set(e, ERR_USAGE, _("a host's name cannot be a file's name"));
	p.results = mem_printf("%s/results/%s", json_str(request, "folder"), json_str(request, "play"));
	p.said = mem_zalloc(json_array_size(hosts) + 1, sizeof *p.said);
	json_array_foreach(hosts, i, host)
		dict_put(&p.by_name, json_string_value(host), i);
	if (program[0] != '\0') {
		play_forget(&p, hosts);
		rc = play_run(&p, result, e);
	}
	json_array_foreach(hosts, i, host)
		play_read(&p, json_string_value(host), true);
	dict_free(&p.by_name);
	free(p.results);
	free(p.said);
	free(p.last);
	return rc;
}
