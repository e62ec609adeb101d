#include "work/contacts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "comms/published.h"
#include "work/doctor.h"

#define DIRECTORY_MAX (256u << 20)
#define TEXT_MAX (64u << 20)
#define PAGE_MAX (8 << 20)
#define FETCH_S 20
#define PDF_S 60
#define NAMED 5 /* other addresses that a finding names */
#define DAY_MS (24LL * 3600 * 1000)
#define STATE_MAX 4096

struct contacts_check {
	struct run *run;
	const struct contacts_conf *conf;
	json_t *list;
	void (*done)(void *ctx);
	void *ctx;
	char *folder, *path; /* for what children fetch; NULL until needed */
	uint64_t timer;      /* to done */
	size_t next;         /* the place that is looked at: 0 the directory, then each CPS, then the page */
};

/* ---- judging ---- */

/* "a@x, b@y and 3 more"; owned by the caller, "" for none. */
static char *others(const json_t *all, const char *but)
{
	struct buf b = { 0 };
	size_t i, n = 0;
	json_t *v;

	json_array_foreach(all, i, v) {
		char *safe;
		if (strcasecmp(json_string_value(v), but) == 0 || n++ >= NAMED)
			continue;
		safe = text_escaped(json_string_value(v), json_string_length(v), 100);
		buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", safe);
		free(safe);
	}
	if (n > NAMED)
		buf_addf(&b, _(" and %zu more"), n - NAMED);
	return buf_take(&b);
}

/* What a place says, compared. alone: it should name nothing else (a directory's entry). */
static void judge(struct contacts_check *c, const char *place, const char *text, bool alone)
{
	json_t *all = published_addresses(text);
	char *other = others(all, c->conf->problem_report);

	if (published_names(text, c->conf->problem_report)) {
		finding_add(c->list, "ok", "", _("%s names %s"), place, c->conf->problem_report);
		if (alone && other[0] != '\0')
			finding_add(c->list, "warn", _("take it out there, or have its mail read as closely"), _("%s also names %s"), place,
			    other);
	} else {
		finding_add(c->list, "fail", _("correct the one that is wrong: reports go to what is published"),
		    other[0] != '\0' ? _("%s does not name %s, but %s") : _("%s does not name %s, nor any other address"), place,
		    c->conf->problem_report, other);
	}
	free(other);
	json_decref(all);
}

static void failed(struct contacts_check *c, const struct err *e)
{
	finding_err(c->list, e);
}

/* ---- the places ---- */

static void check_next(struct contacts_check *c);

static void check_directory(struct contacts_check *c)
{
	struct buf text = { 0 };
	struct err e = { 0 };
	char *says = NULL;

	if (fs_read(c->conf->ccadb, &text, DIRECTORY_MAX, &e) == 0)
		says = published_directory(buf_str(&text), c->conf->ccadb, c->conf->ccadb_owner, &e);
	if (says != NULL)
		judge(c, c->conf->ccadb, says, true);
	else
		failed(c, &e);
	free(says);
	buf_free(&text);
}

static void check_text(struct contacts_check *c, const char *place, const char *path)
{
	struct buf text = { 0 };
	struct err e = { 0 };
	char *section;

	if (fs_read(path, &text, TEXT_MAX, &e) < 0) {
		failed(c, &e);
	} else {
		section = published_section(buf_str(&text));
		judge(c, place, section, false);
		free(section);
	}
	buf_free(&text);
}

/* A file of ours for what a child brings. */
static bool check_folder(struct contacts_check *c, const char *name)
{
	const char *tmp = confine_root() != NULL ? confine_root() : "/tmp";

	if (c->folder == NULL) {
		c->folder = mem_printf("%s/sev1-contacts-XXXXXX", tmp);
		if (mkdtemp(c->folder) == NULL) {
			finding_add(c->list, "fail", "", _("%s: no temporary folder can be made"), tmp);
			free(c->folder);
			c->folder = NULL;
			return false;
		}
	}
	free(c->path);
	c->path = fs_join(c->folder, name);
	return true;
}

static void pdf_read(void *ctx, const json_t *result, const struct err *err)
{
	struct contacts_check *c = ctx;
	const char *place = c->conf->cps[c->next - 2];
	int64_t status = json_num(result, "status", -1);

	if (result == NULL)
		failed(c, err);
	else if (status == 127)
		finding_add(c->list, "fail", _("install poppler-utils, or name a text of it: cps = cps.txt"),
		    _("%s: pdftotext is not installed"), place);
	else if (status != 0)
		finding_add(c->list, "fail", _("name a text of it instead"), json_str(result, "stderr")[0] != '\0' ?
		    _("%s: pdftotext: %.*s") : _("%s: pdftotext failed%.*s"), place, (int)strcspn(json_str(result, "stderr"), "\n"),
		    json_str(result, "stderr"));
	else
		check_text(c, place, c->path);
	check_next(c);
}

static void check_pdf(struct contacts_check *c, const char *path)
{
	struct buf command = { 0 };

	if (!check_folder(c, "cps.txt")) {
		check_next(c);
		return;
	}
	buf_adds(&command, "pdftotext -enc UTF-8 ");
	text_quote(&command, path);
	buf_addc(&command, ' ');
	text_quote(&command, c->path);
	run_child(c->run, "action", json_pack("{s:s,s:s,s:i}", "op", "run", "command", buf_str(&command), "timeout_s", PDF_S - 3),
	    PDF_S, NULL, pdf_read, c);
	buf_free(&command);
}

static void page_fetched(void *ctx, const json_t *result, const struct err *err)
{
	struct contacts_check *c = ctx;
	struct buf text = { 0 };
	struct err e = { 0 };

	if (result == NULL)
		failed(c, err);
	else if (json_num(result, "status", 0) != 200)
		finding_add(c->list, "fail", _("correct 'page' in [contacts], or bring the page back"), _("%s answers %lld"), c->conf->page,
		    (long long)json_num(result, "status", 0));
	else if (fs_read(c->path, &text, PAGE_MAX, &e) < 0)
		failed(c, &e);
	else
		judge(c, c->conf->page, buf_str(&text), false);
	buf_free(&text);
	check_next(c);
}

static void check_page(struct contacts_check *c)
{
	if (!check_folder(c, "page"))
		check_next(c);
	else
		run_child(c->run, "probe", json_pack("{s:s,s:s,s:i,s:i,s:s,s:b}", "op", "fetch", "url", c->conf->page, "timeout_s",
		    FETCH_S - 3, "max", PAGE_MAX, "path", c->path, "verify", 1), FETCH_S, NULL, page_fetched, c);
}

/* ---- when ---- */

static char *state_path(const struct engine *en)
{
	return fs_join(engine_state(en), "contacts.json");
}

struct contacts_due contacts_due(const struct engine *en)
{
	char *path = state_path(en);
	struct buf text = { 0 };
	struct contacts_due due = { 0 };
	json_t *o = fs_exists(path) && fs_read(path, &text, STATE_MAX, NULL) == 0 ? json_read(buf_str(&text), text.len, NULL) : NULL;

	due.checked = json_num(o, "checked", 0);
	due.failures = json_num(o, "failures", 0);
	due.due = due.checked != 0 ? due.checked + engine_config(en)->contacts.days * DAY_MS : 0;
	json_decref(o);
	buf_free(&text);
	free(path);
	return due;
}

static void check_record(struct contacts_check *c)
{
	char *path = state_path(run_engine(c->run)), *line, at[24];
	json_t *o = json_object(), *f;
	struct err e = { 0 };
	int64_t fails = 0, now = clock_now();
	size_t i;

	json_array_foreach(c->list, i, f)
		fails += strcmp(json_str(f, "level"), "fail") == 0;
	json_put_num(o, "checked", now);
	json_put_num(o, "failures", fails);
	line = json_line(o);
	if (fs_mkdirs(engine_state(run_engine(c->run)), 0700, &e) < 0 || fs_write(path, line, strlen(line), 0600, &e) < 0)
		finding_add(c->list, "warn", e.remedy, "%s", e.text);
	else
		finding_add(c->list, "ok", "", _("compared again by %s"), clock_iso(at, sizeof at, now + c->conf->days * DAY_MS));
	free(line);
	free(path);
	json_decref(o);
}

/* ---- one place after another ---- */

static bool is_pdf(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcasecmp(path + n - 4, ".pdf") == 0;
}

static void check_done(void *ctx)
{
	struct contacts_check *c = ctx;

	c->timer = 0;
	c->done(c->ctx);
}

static void check_next(struct contacts_check *c)
{
	const struct contacts_conf *conf = c->conf;
	size_t at = c->next++;

	if (at == 0 && conf->ccadb != NULL)
		check_directory(c);
	if (at == 0) {
		check_next(c);
	} else if (at - 1 < conf->cpss && is_pdf(conf->cps[at - 1])) {
		check_pdf(c, conf->cps[at - 1]);
	} else if (at - 1 < conf->cpss) {
		check_text(c, conf->cps[at - 1], conf->cps[at - 1]);
		check_next(c);
	} else if (at - 1 == conf->cpss && conf->page != NULL) {
		check_page(c);
	} else {
		check_record(c);
		/* from the loop, whatever the places were: who began it may not end beneath its own feet */
		c->timer = loop_after(engine_loop(run_engine(c->run)), 0, check_done, c);
	}
}

struct contacts_check *contacts_check(struct run *r, json_t *list, void (*done)(void *ctx), void *ctx)
{
	struct contacts_check *c = mem_zalloc(1, sizeof *c);

	c->run = r;
	c->conf = &run_config(r)->contacts;
	c->list = list;
	c->done = done;
	c->ctx = ctx;
	return c;
}

void contacts_begin(struct contacts_check *c)
{
	struct contacts_due due = contacts_due(run_engine(c->run));
	char at[24];

	if (due.due != 0 && due.due < clock_now())
		finding_add(c->list, "warn", _("let a timer run: sev1 contacts check"), _("they were to be compared by %s"),
		    clock_iso(at, sizeof at, due.due));
	if (c->conf->ccadb == NULL && c->conf->cpss == 0 && c->conf->page == NULL)
		finding_add(c->list, "fail", _("set ccadb, cps or page in [contacts]"), _("%s is compared with nothing"),
		    c->conf->problem_report);
	check_next(c);
}

void contacts_drop(struct contacts_check *c)
{
	if (c == NULL)
		return;
	loop_cancel(engine_loop(run_engine(c->run)), c->timer);
	if (c->folder != NULL)
		fs_remove_tree(c->folder, NULL);
	free(c->folder);
	free(c->path);
	free(c);
}
