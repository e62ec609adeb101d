#include "work/init.h"

#include <ctype.h>
#include <errno.h>
#include <sys/types.h>
#include <fts.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/config_keys.h"
#include "pki/ca.h"

#define DEPTH 5
#define CONFIG_OCTETS (256u << 10)
#define SERVED_MAX 1000

/* Folders that hold many files and no configuration. */
static const char *const dull[] = { "newcerts", "certs", "certs_by_serial", "private", "issued", "reqs",
	"revoked", "renewed", "crl", "inline", "x509-types", NULL };

static bool init_is(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static bool init_ends(const char *name, const char *const *endings)
{
	size_t n = strlen(name), m;

	for (; *endings != NULL; endings++)
		if (n > (m = strlen(*endings)) && strcmp(name + n - m, *endings) == 0)
			return true;
	return false;
}

static char *init_beside(const char *dir, const char *a, const char *b)
{
	return mem_printf("%s/%s%s", dir, a, b);
}

static bool init_there(const char *dir, const char *name)
{
	char *path = init_beside(dir, name, "");
	bool there = fs_exists(path);

	free(path);
	return there;
}

/* A word for [ca NAME] from the folder's own name; of easy-rsa's "pki" and the like from the one above. */
static char *init_name(const struct init_found *f, const char *database)
{
	char *copy = mem_strdup(database), *dir = dirname(copy), *base, *name, *numbered;
	bool taken = true;

	base = basename(dir);
	if (strcmp(base, "pki") == 0 || strcmp(base, "db") == 0 || strcmp(base, "keys") == 0 || strcmp(base, "demoCA") == 0)
		base = basename(dirname(dir));
	name = mem_strndup(base, 30);
	for (char *p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("._-", *p) == NULL)
			*p = '-';
	if (!text_is_word(name)) {
		free(name);
		name = mem_strdup("ca");
	}
	free(copy);
	numbered = mem_strdup(name);
	for (int n = 2; taken; n++) {
		taken = false;
		for (size_t i = 0; i < f->cas; i++)
			taken = taken || strcmp(f->ca[i].name, numbered) == 0;
		if (taken) {
			free(numbered);
			numbered = mem_printf("%s-%d", name, n);
		}
	}
	free(name);
	return numbered;
}

/* The folder of an easy-rsa PKI, of either generation. */
static bool init_easyrsa(const char *dir)
{
	return init_there(dir, "index.txt") && init_there(dir, "ca.crt") &&
	    (init_there(dir, "private") || init_there(dir, "ca.key"));
}

/* A configuration counts if its CA has a database. */
static void init_try(struct init_found *f, const char *config)
{
	struct ca *ca = ca_load("init", NULL, config, NULL, NULL, NULL);
	char *database = ca != NULL ? realpath(ca->database, NULL) : NULL;
	struct init_ca *found;

	ca_free(ca);
	if (database == NULL)
		return;
	for (size_t i = 0; i < f->cas; i++) {
		if (strcmp(f->ca[i].database, database) == 0) {
			free(database);
			return;
		}
	}
	f->ca = mem_grow(f->ca, f->cas + 1, sizeof *f->ca);
	found = &f->ca[f->cas];
	*found = (struct init_ca){ .config = mem_strdup(config), .database = database };
	found->name = init_name(f, database);
	f->cas++;
}

static void init_add(char ***list, size_t *n, const char *path)
{
	*list = mem_grow(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = mem_strdup(path);
}

static void init_file(struct init_found *f, const FTSENT *entry)
{
	static const char *const config[] = { ".cnf", ".conf", ".cfg", NULL };
	static const char *const list[] = { ".txt", ".csv", NULL };
	struct buf text = { 0 };
	char *above = mem_strndup(entry->fts_path, entry->fts_pathlen);

	if (strcmp(basename(dirname(above)), "inventory") == 0 && init_ends(entry->fts_name, list))
		init_add(&f->inventory, &f->inventories, entry->fts_path);
	free(above);
	if (!init_ends(entry->fts_name, config) || entry->fts_statp->st_size > (off_t)CONFIG_OCTETS)
		return;
	if (fs_read(entry->fts_path, &text, CONFIG_OCTETS, NULL) == 0 &&
	    strstr(buf_str(&text), "default_ca") != NULL)
		init_try(f, entry->fts_path);
	buf_free(&text);
}

static int init_order(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void init_walk(struct init_found *f, const char *const *folders, bool web)
{
	static const char *const crl[] = { ".crl", ".pem", ".der", NULL };
	size_t n = 0, calls = 0;
	char **copy, **called = NULL; /* folders that CA.pl was called in: any configuration there goes first */
	FTS *walk;
	FTSENT *entry;

	while (folders[n] != NULL)
		n++;
	copy = mem_zalloc(n + 1, sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(folders[i]);
	walk = n > 0 ? fts_open(copy, FTS_PHYSICAL | FTS_NOCHDIR, init_order) : NULL;
	while (walk != NULL && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_info == FTS_D &&
		    (entry->fts_level > DEPTH || (!web && entry->fts_level > 0 && init_is(dull, entry->fts_name))))
			fts_set(walk, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_D && !web && init_easyrsa(entry->fts_path))
			init_try(f, entry->fts_path);
		else if (entry->fts_info == FTS_D && !web && init_there(entry->fts_path, "demoCA/index.txt"))
			init_add(&called, &calls, entry->fts_path);
		else if (entry->fts_info == FTS_F && !web)
			init_file(f, entry);
		else if (entry->fts_info == FTS_F && init_ends(entry->fts_name, crl) && f->serveds < SERVED_MAX)
			init_add(&f->served, &f->serveds, entry->fts_path);
	}
	if (walk != NULL)
		fts_close(walk);
	for (size_t i = 0; i < calls; i++) {
		init_try(f, called[i]);
		free(called[i]);
	}
	free(called);
	for (size_t i = 0; i < n; i++)
		free(copy[i]);
	free(copy);
}

struct init_found *init_search(const char *const *folders, const char *const *webs)
{
	struct init_found *f = mem_zalloc(1, sizeof *f);

	init_walk(f, folders, false);
	init_walk(f, webs, true);
	return f;
}

void init_free(struct init_found *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->cas; i++) {
		free(f->ca[i].name);
		free(f->ca[i].config);
		free(f->ca[i].database);
		free(f->ca[i].problem);
		json_decref(f->ca[i].check);
	}
	for (size_t i = 0; i < f->inventories; i++)
		free(f->inventory[i]);
	for (size_t i = 0; i < f->serveds; i++)
		free(f->served[i]);
	free(f->ca);
	free(f->inventory);
	free(f->served);
	free(f);
}

/* ---- writing ---- */

struct init_point {
	const struct init_found *found;
	const char *ca, *url, *served;
};

/* The CN of "/C=DE/CN=Issuing CA 1", a value for one line; NULL where it has none. */
static char *init_title(const char *subject)
{
	const char *cn = strstr(subject, "/CN=");
	char *title;

	if (cn == NULL)
		return NULL;
	cn += 4;
	title = text_escaped(cn, strcspn(cn, "/"), 60);
	if (title[0] == '\0') {
		free(title);
		return NULL;
	}
	return title;
}

/* The CA that was found whose subject is this one's issuer. */
static const char *init_parent(const struct init_found *f, const struct init_ca *ca)
{
	const char *issuer = json_str(ca->check, "issuer");

	if (issuer[0] == '\0' || json_bool(ca->check, "self_signed"))
		return NULL;
	for (size_t i = 0; i < f->cas; i++)
		if (&f->ca[i] != ca && strcmp(json_str(f->ca[i].check, "subject"), issuer) == 0)
			return f->ca[i].name;
	return NULL;
}

struct init_ca_get {
	const struct init_found *found;
	const struct init_ca *ca;
};

static char *init_get_ca(void *ctx, const char *key)
{
	const struct init_ca_get *g = ctx;

	if (strcmp(key, "config") == 0)
		return mem_strdup(g->ca->config);
	if (strcmp(key, "title") == 0)
		return init_title(json_str(g->ca->check, "subject"));
	if (strcmp(key, "parent") == 0)
		return mem_strdup(init_parent(g->found, g->ca));
	return NULL;
}

static char *init_get_point(void *ctx, const char *key)
{
	const struct init_point *p = ctx;

	if (strcmp(key, "ca") == 0)
		return mem_strdup(p->ca);
	if (strcmp(key, "url") == 0)
		return mem_strdup(p->url);
	if (strcmp(key, "path") == 0 && p->served != NULL)
		return mem_strdup(p->served);
	return NULL;
}

static char *init_get_fleet(void *ctx, const char *key)
{
	if (strcmp(key, "profile") == 0)
		return mem_strdup("nginx");
	return strcmp(key, "inventory") == 0 ? mem_strdup(ctx) : NULL;
}

/* The file of a web root that has the name at the end of the URL; NULL where none or several have. */
static const char *init_served(const struct init_found *f, const char *url)
{
	const char *name = strrchr(url, '/'), *found = NULL;
	size_t n = name != NULL ? strlen(name) : 0;

	for (size_t i = 0; n > 1 && i < f->serveds; i++) {
		size_t len = strlen(f->served[i]);

		if (len <= n || strcmp(f->served[i] + len - n, name) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = f->served[i];
	}
	return found;
}

static void init_remark(struct buf *b, const char *fmt, const char *about)
{
	char *safe = text_escaped(about, strlen(about), 400);

	buf_adds(b, "# ");
	buf_addf(b, fmt, safe); /* fmt is one of our own literals */
	buf_addc(b, '\n');
	free(safe);
}

static void init_write_points(const struct init_found *f, const struct init_ca *ca, struct buf *b)
{
	const json_t *list = json_list(ca->check, "cdps"), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *url = json_string_value(item);
		struct init_point p = { .found = f, .ca = ca->name, .url = url };
		char *name;

		if (url == NULL || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) ||
		    strpbrk(url, " \t\r\n\"'<>\\") != NULL)
			continue;
		name = i == 0 ? mem_printf("%s", ca->name) : mem_printf("%s-%zu", ca->name, i + 1);
		p.served = init_served(f, url);
		if (p.served == NULL)
			init_remark(b, "Certificates of %s name this URL; say where its file lies, and put it in force.",
			    ca->name);
		config_write_section(b, "point", name, p.served != NULL, init_get_point, &p);
		free(name);
	}
}

void init_write(const struct init_found *f, struct buf *b)
{
	static const char *const rest[] = { "host", "action", "notice" };
	bool points = false;

	buf_adds(b, "# Configuration of sev1, written by `sev1 init` from what it found on this machine.\n"
		    "# Lines that begin with '#' are not in force. Read it, complete it, then run `sev1 doctor`.\n\n");
	config_write_section(b, "sev1", NULL, true, NULL, NULL);
	for (size_t i = 0; i < f->cas; i++) {
		struct init_ca_get g = { .found = f, .ca = &f->ca[i] };

		if (f->ca[i].problem != NULL)
			init_remark(b, "Could not be checked: %s", f->ca[i].problem);
		else
			init_remark(b, "Found: %s", json_str(f->ca[i].check, "subject"));
		config_write_section(b, "ca", f->ca[i].name, true, init_get_ca, &g);
	}
	if (f->cas == 0) {
		buf_adds(b, "# No openssl.cnf with a default_ca and a database was found, nor an easy-rsa folder.\n");
		config_write_section(b, "ca", "example", false, NULL, NULL);
	}
	for (size_t i = 0; i < f->cas; i++) {
		points = points || json_array_size(json_list(f->ca[i].check, "cdps")) > 0;
		init_write_points(f, &f->ca[i], b);
	}
	if (!points)
		config_write_section(b, "point", "example", false, NULL, NULL);
	for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
		config_write_section(b, rest[i], i == 2 ? "management" : "example", false, NULL, NULL);
	for (size_t i = 1; i < f->inventories; i++)
		init_remark(b, "Another inventory: %s", f->inventory[i]);
	if (f->inventories > 0)
		config_write_section(b, "fleet", NULL, true, init_get_fleet, f->inventory[0]);
	else
		config_write_section(b, "fleet", NULL, false, NULL, NULL);
}

int init_put(const char *path, const struct buf *b, struct err *e)
{
	char *dir, *copy = mem_strdup(path), *tmp = NULL;
	int fd, rc;

	dir = dirname(copy);
	rc = fs_mkdirs(dir, 0755, e);
	free(copy);
	if (rc < 0)
		return rc;
	if ((fd = fs_beside(path, 0600, &tmp, e)) < 0)
		return fd;
	if (fs_put(fd, buf_str(b), b->len) < 0 || fsync(fd) < 0)
		rc = err_sys(e, "%s", path);
	close(fd);
	/* link, not rename: it fails where the name is taken, at the very moment it would be used */
	if (rc == 0 && link(tmp, path) < 0) {
		if (errno == EEXIST) {
			err_set(e, ERR_REFUSED, _("%s: exists; it is never overwritten"), path);
			rc = err_remedy(e, _("name another file with -o, or move it away first"));
		} else {
			rc = err_sys(e, "%s", path);
		}
	}
	unlink(tmp);
	free(tmp);
	return rc;
}
