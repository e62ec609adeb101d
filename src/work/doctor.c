#include "work/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "pki/ca.h"

#define MIB (1024LL * 1024)
#define STATE_FAIL (64 * MIB)    /* a journal of 10,000 hosts and its CRLs */
#define STATE_WARN (1024 * MIB)
#define CA_SPARE (64 * MIB)      /* beside four times index.txt: backup, new file, DER, PEM */
#define YEAR_2024 1704067200000LL
#define YEAR_2100 4102444800000LL

void doctor_clock(json_t *list)
{
	struct timex t = { 0 };
	int64_t now = clock_now();
	char iso[32];
	int rc = adjtimex(&t);

	clock_iso(iso, sizeof iso, now);
	if (now < YEAR_2024 || now > YEAR_2100)
		finding_add(list, "fail", _("set the clock: CRLs and the journal carry its time"),
		    _("the clock says %s"), iso);
	else
		finding_add(list, "ok", "", _("the clock says %s"), iso);
	if (rc < 0)
		finding_add(list, "warn", "", _("the kernel does not say whether the clock is synchronised: %s"),
		    strerror(errno));
	else if (rc == TIME_ERROR || (t.status & STA_UNSYNC))
		finding_add(list, "warn", _("start chrony, ntpd or systemd-timesyncd"),
		    _("the clock is not synchronised (NTP)"));
	else
		finding_add(list, "ok", "", _("the clock is synchronised, within %ld ms"), t.maxerror / 1000);
}

void doctor_terminal(json_t *list)
{
	const char *term = getenv("TERM"), *codeset = nl_langinfo(CODESET);
	struct winsize w = { 0 };

	if (!isatty(STDOUT_FILENO)) {
		finding_add(list, "ok", "", _("no terminal here; every step works as a subcommand"));
		return;
	}
	if (term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0)
		finding_add(list, "warn", _("set TERM, or use --line"),
		    _("TERM does not name a terminal that can be drawn on"));
	else
		finding_add(list, "ok", "", _("the terminal is a %s"), term);
	if (strcmp(codeset, "UTF-8") != 0)
		finding_add(list, "warn", _("set LANG to a UTF-8 locale, for instance C.UTF-8"),
		    _("the locale's characters are %s"), codeset);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && (w.ws_col < 80 || w.ws_row < 24))
		finding_add(list, "warn", _("make it at least 80x24"), _("the terminal has %dx%d characters"),
		    w.ws_col, w.ws_row);
}

/* ---- folders and room ---- */

/* The nearest folder above path that exists, owned by the caller. */
static char *doctor_above(const char *path)
{
	char *at = mem_strdup(path), *up;

	while (!fs_exists(at) && strcmp(at, "/") != 0 && strcmp(at, ".") != 0) {
		char *copy = mem_strdup(at);

		up = mem_strdup(dirname(copy));
		free(copy);
		free(at);
		at = up;
	}
	return at;
}

static void doctor_room(json_t *list, const char *dir, int64_t need, int64_t better, const char *what)
{
	int64_t room = fs_free_octets(dir);
	char has[16], wants[16];

	if (room < 0) {
		finding_add(list, "warn", "", _("%s: how much room it has cannot be told"), dir);
		return;
	}
	text_size(has, room);
	if (room < need)
		finding_add(list, "fail", _("make room before an incident does it for you"),
		    _("%s: %s free, %s needed for %s"), dir, has, text_size(wants, need), what);
	else if (room < better)
		finding_add(list, "warn", _("make room"), _("%s: %s free, %s advised for %s"), dir, has,
		    text_size(wants, better), what);
	else
		finding_add(list, "ok", "", _("%s: %s free (%s needed for %s)"), dir, has,
		    text_size(wants, need), what);
}

static bool doctor_is_network(const char *path)
{
	static const long network[] = { 0x6969 /* NFS */, 0x517B /* SMB */, 0xFF534D42L /* CIFS */,
		0xFE534D42L /* SMB2 */, 0x01021997 /* 9p */, 0x00C36400 /* Ceph */ };
	struct statfs s;

	if (statfs(path, &s) < 0)
		return false;
	for (size_t i = 0; i < sizeof network / sizeof network[0]; i++)
		if ((long)s.f_type == network[i])
			return true;
	return false;
}

void doctor_state(json_t *list, const char *state)
{
	char *at = doctor_above(state);
	bool there = strcmp(at, state) == 0;
	struct stat st;

	if (access(at, W_OK | X_OK) < 0)
		finding_add(list, "fail", _("run as its owner, or set 'state' in [sev1]"),
		    there ? _("%s: cannot be written: %s") : _("%s: a folder cannot be made in it: %s"), at,
		    strerror(errno));
	else if (there && stat(state, &st) == 0 && (st.st_mode & 077) != 0)
		finding_add(list, "fail", _("chmod 700 the folder: incidents are not for everyone's eyes"),
		    _("%s: others than its owner have access (mode %03o)"), state, st.st_mode & 0777u);
	else
		finding_add(list, "ok", "",
		    there ? _("%s: writable, for its owner only") : _("%s: will be made, for its owner only"), state);
	if (doctor_is_network(at))
		finding_add(list, "fail", _("set 'state' in [sev1] to a folder on a local disk"),
		    _("%s: on a network file system, where SQLite's locks do not hold"), at);
	doctor_room(list, at, STATE_FAIL, STATE_WARN, _("incident files"));
	free(at);
}

void doctor_ca_room(json_t *list, const struct ca_conf *conf)
{
	struct ca *ca = ca_load(conf->name, conf->title, conf->config, conf->section, conf->key, NULL);
	struct stat st;

	if (ca == NULL)
		return; /* the CA child's check says why */
	if (stat(ca->database, &st) == 0)
		doctor_room(list, ca->dir, CA_SPARE + 4 * (int64_t)st.st_size, 0, _("a revocation"));
	ca_free(ca);
}

void doctor_point_place(json_t *list, const struct point_conf *p)
{
	char *copy, *dir;

	if (p->host != NULL)
		return;
	copy = mem_strdup(p->path);
	dir = dirname(copy);
	if (access(dir, W_OK | X_OK) < 0)
		finding_add(list, "fail", _("make the folder, or correct 'path'"), _("%s: cannot be written: %s"),
		    dir, strerror(errno));
	free(copy);
}

void doctor_image(json_t *list, const struct action_conf *a)
{
	int64_t size = -1;
	int fd;

	if (a->kind != ACTION_IMAGE || a->host != NULL)
		return;
	if ((fd = open(a->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0) {
		finding_add(list, "fail", _("correct 'source', or run as a user who may read it"), "%s: %s",
		    a->source, strerror(errno));
		return;
	}
	size = (int64_t)lseek(fd, 0, SEEK_END);
	close(fd);
	if (!fs_exists(a->target))
		finding_add(list, "fail", _("make the folder, on another disk than the source"), "%s: %s",
		    a->target, strerror(ENOENT));
	else
		doctor_room(list, a->target, size > 0 ? size : 0, 0, _("the forensic image"));
}

/* ---- the configuration as a whole ---- */

/* One CA under two names would be counted and revoked twice. */
static void doctor_twice(json_t *list, const struct config *c, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		const char *a = c->ca[i].section != NULL ? c->ca[i].section : "";
		const char *b = c->ca[k].section != NULL ? c->ca[k].section : "";
		char *mine = realpath(c->ca[i].config, NULL), *other = realpath(c->ca[k].config, NULL);

		if (mine != NULL && other != NULL && strcmp(mine, other) == 0 && strcmp(a, b) == 0)
			finding_add(list, "fail", _("remove one of the two sections, or name the other CA's 'section'"),
			    _("[ca %s] and [ca %s] are the same CA"), c->ca[k].name, c->ca[i].name);
		free(mine);
		free(other);
	}
}

void doctor_complete(json_t *list, const struct config *c)
{
	static const char *const notices[] = { "management", "internal", "external" };
	size_t spares = 0, locks = 0;

	finding_add(list, "ok", "", _("%s: read"), c->path);
	for (size_t i = 0; i < c->cas; i++) {
		bool served = c->ca[i].spare;

		spares += c->ca[i].spare;
		doctor_twice(list, c, i);
		for (size_t k = 0; k < c->points; k++)
			served = served || strcmp(c->point[k].ca, c->ca[i].name) == 0;
		if (!served)
			finding_add(list, "warn", _("add a [point] with the URL that its certificates name"),
			    _("%s has no distribution point: its CRL would reach nobody"), c->ca[i].name);
	}
	for (size_t i = 0; i < c->actions; i++) {
		locks += c->action[i].kind == ACTION_KEYLOCK;
		if (c->action[i].verify == NULL && c->action[i].kind != ACTION_IMAGE &&
		    c->action[i].kind != ACTION_FIREWALL)
			finding_add(list, "warn", _("add 'verify': a command that succeeds when the step holds"),
			    _("action %s cannot be proved"), c->action[i].name);
	}
	if (c->actions == locks)
		finding_add(list, "warn", _("add [action] sections: stop what issues"),
		    _("no containment step is configured: \"CA offline\" must be closed by hand"));
	for (size_t i = 0; i < sizeof notices / sizeof notices[0]; i++)
		if (config_notice(c, notices[i]) == NULL)
			finding_add(list, "warn", _("add its section with 'to' and 'from'"),
			    _("there is no [notice %s]: that checkpoint must be closed by hand"), notices[i]);
	if (spares == 0)
		finding_add(list, "warn", _("prepare an issuer with another key and mark it \"spare = yes\""),
		    _("no spare issuer: recovery would begin with making one"));
}

void doctor_ca_points(json_t *list, const struct config *c, const char *ca, const json_t *cdps)
{
	const json_t *item;
	size_t i;

	json_array_foreach(cdps, i, item) {
		const char *url = json_is_string(item) ? json_string_value(item) : "";
		bool served = false;

		for (size_t k = 0; k < c->points; k++)
			served = served || (strcmp(c->point[k].ca, ca) == 0 && strcmp(c->point[k].url, url) == 0);
		if (!served)
			finding_add(list, "warn", _("add a [point] with exactly this URL"),
			    _("its certificates name %s, which no [point] serves"), url);
	}
}
