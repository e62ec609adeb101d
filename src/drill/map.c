#include "drill/map.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"

#define MAP_FILE "drill.json"
#define MAP_OCTETS (1u << 20)
#define MAP_PORTS 5

static const char *const roles[] = { "fleet", "ca", "point" };

bool map_folder_plain(const char *folder)
{
	return folder[0] == '/' && strlen(folder) < 512 && strstr(folder, "/../") == NULL &&
	    folder[strspn(folder, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")] ==
	    '\0';
}

static void map_add(struct map *m, const char *name, const char *address, enum role role,
    enum fault fault)
{
	struct place *p;

	m->place = mem_grow(m->place, m->places + 1, sizeof *m->place);
	p = &m->place[m->places++];
	p->name = mem_strdup(name);
	p->address = mem_strdup(address);
	p->role = role;
	p->fault = fault;
}

/* Ports that nobody uses on address now: all are held open until the last is known. */
static int map_ports(struct map *m, const char *address, struct err *e)
{
	int *const port[MAP_PORTS] = { &m->ssh, &m->tls, &m->http, &m->pki, &m->ocsp };
	int fd[MAP_PORTS], rc = 0;
	struct sockaddr_in in;
	socklen_t len;

	for (int i = 0; i < MAP_PORTS; i++) {
		memset(&in, 0, sizeof in);
		in.sin_family = AF_INET;
		inet_pton(AF_INET, address, &in.sin_addr);
		len = sizeof in;
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd[i] < 0 || bind(fd[i], (struct sockaddr *)&in, sizeof in) < 0 ||
		    getsockname(fd[i], (struct sockaddr *)&in, &len) < 0)
			rc = err_sys(e, _("a free port on %s"), address);
		*port[i] = ntohs(in.sin_port);
	}
	for (int i = 0; i < MAP_PORTS; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return rc;
}

/* Each drill has its own part of 127/8, so that two at once do not meet. */
static void map_address(char out[INET_ADDRSTRLEN], unsigned base, unsigned n)
{
	struct in_addr in = { .s_addr = htonl(base + n / 250 * 256 + n % 250 + 2) };

	inet_ntop(AF_INET, &in, out, INET_ADDRSTRLEN);
}

/* Is word the first label of name? */
static bool map_short(const char *word, const char *name)
{
	size_t n = strlen(word);

	return strncmp(word, name, n) == 0 && strcmp(name + n, "." MAP_DOMAIN) == 0;
}

static enum fault map_fault(const struct scenario *s, const char *name)
{
	for (size_t i = 0; i < s->faulties; i++)
		if (map_short(s->faulty[i].host, name))
			return s->faulty[i].fault;
	return FAULT_NONE;
}

static void map_hosts(struct map *m, const struct scenario *s, unsigned base)
{
	/* A fleet of the kinds a company has: half of them web servers. */
	static const char *const kinds[] = { "web", "db", "web", "api", "web", "mail", "web", "ldap" };
	int seen[sizeof kinds / sizeof kinds[0]] = { 0 };
	char address[INET_ADDRSTRLEN];

	map_address(address, base, 0);
	map_add(m, "cdp1", address, ROLE_POINT, FAULT_NONE);
	map_address(address, base, 1);
	map_add(m, "cdp2", address, ROLE_POINT, FAULT_NONE);
	map_address(address, base, 2);
	map_add(m, MAP_CA_HOST, address, ROLE_CA, FAULT_NONE);
	for (int i = 0; i < s->hosts; i++) {
		size_t kind = (size_t)i % (sizeof kinds / sizeof kinds[0]), first = 0;
		char *name;

		while (strcmp(kinds[first], kinds[kind]) != 0)
			first++;
		name = mem_printf("%s%02d." MAP_DOMAIN, kinds[kind], ++seen[first]);
		map_address(address, base, (unsigned)i + 8);
		map_add(m, name, address, ROLE_FLEET, map_fault(s, name));
		free(name);
	}
}

struct map *map_new(const char *folder, const struct scenario *s, struct err *e)
{
	struct map *m;
	unsigned char random[2];

	if (!map_folder_plain(folder)) {
		err_set(e, ERR_USAGE, _("%s: cannot be a drill's folder"), folder);
		err_remedy(e, _("give an absolute path of letters, digits, '.', '_', '-' with --folder"));
		return NULL;
	}
	if (getrandom(random, sizeof random, 0) != sizeof random) {
		err_sys(e, _("random octets"));
		return NULL;
	}
	m = mem_zalloc(1, sizeof *m);
	m->folder = mem_strdup(folder);
	m->scenario = mem_strdup(s->name);
	map_hosts(m, s, 127u << 24 | (64u + random[0] % 128u) << 16 | random[1] % 250u << 8);
	if (map_ports(m, m->place[0].address, e) < 0) {
		map_free(m);
		return NULL;
	}
	for (size_t i = 0, k; i < s->faulties; i++) {
		for (k = 0; k < m->places && !map_short(s->faulty[i].host, m->place[k].name); k++)
			;
		if (k < m->places)
			continue;
		err_set(e, ERR_SYNTAX, _("scenario %s: [faults] names %s, which is not in its fleet of %d"),
		    s->name, s->faulty[i].host, s->hosts);
		map_free(m);
		return NULL;
	}
	return m;
}

static int map_word(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

static int map_port(const json_t *doc, const char *key, int *port)
{
	int64_t v = json_num(doc, key, 0);

	*port = (int)v;
	return v >= 1 && v <= 65535 ? 0 : -1;
}

/* The file is ours, but a drill's folder is written to by whatever ran there: believe nothing. */
static int map_read(struct map *m, const json_t *doc)
{
	const json_t *hosts = json_list(doc, "hosts"), *h;
	struct in_addr in;
	size_t i;

	m->scenario = mem_strdup(json_str(doc, "scenario"));
	m->ready = json_bool(doc, "ready");
	if (json_num(doc, "sev1-drill", 0) != 1 || hosts == NULL || !text_is_word(m->scenario) ||
	    map_port(doc, "ssh", &m->ssh) < 0 || map_port(doc, "tls", &m->tls) < 0 ||
	    map_port(doc, "http", &m->http) < 0 || map_port(doc, "pki", &m->pki) < 0 ||
	    map_port(doc, "ocsp", &m->ocsp) < 0)
		return -1;
	json_array_foreach(hosts, i, h) {
		int role = map_word(roles, 3, json_str(h, "role"));
		int fault = map_word(scenario_fault_names, FAULT_KINDS, json_str(h, "fault"));

		if (role < 0 || fault < 0 || !text_is_word(json_str(h, "name")) ||
		    inet_pton(AF_INET, json_str(h, "address"), &in) != 1 ||
		    ntohl(in.s_addr) >> 24 != 127)
			return -1;
		map_add(m, json_str(h, "name"), json_str(h, "address"), (enum role)role,
		    (enum fault)fault);
	}
	return 0;
}

struct map *map_load(const char *folder, struct err *e)
{
	struct map *m = mem_zalloc(1, sizeof *m);
	struct buf b = { 0 };
	json_t *doc = NULL;
	char *path = fs_join(folder, MAP_FILE);
	int rc = 0;

	m->folder = mem_strdup(folder);
	if (!fs_exists(folder)) {
		rc = err_set(e, ERR_NOTFOUND, _("%s: there is no drill"), folder);
	} else if (!fs_exists(path)) {
		rc = err_set(e, ERR_REFUSED, _("%s is not a drill's folder: it has no %s"), folder, MAP_FILE);
		err_remedy(e, _("give another folder with --folder"));
	} else if ((rc = fs_read(path, &b, MAP_OCTETS, e)) == 0 &&
	    ((doc = json_read(buf_str(&b), b.len, e)) == NULL || !map_folder_plain(folder) ||
	    map_read(m, doc) < 0)) {
		rc = err_set(e, ERR_REFUSED, _("%s is not a drill's folder: %s does not hold its map"), folder,
		    MAP_FILE);
	}
	json_decref(doc);
	buf_free(&b);
	free(path);
	if (rc < 0) {
		map_free(m);
		return NULL;
	}
	return m;
}

int map_save(const struct map *m, struct err *e)
{
	json_t *hosts = json_array(), *doc;
	char *path = map_path(m, MAP_FILE), *line;
	int rc;

	for (size_t i = 0; i < m->places; i++)
		json_array_append_new(hosts, json_pack("{s:s, s:s, s:s, s:s}", "name", m->place[i].name,
		    "address", m->place[i].address, "role", roles[m->place[i].role], "fault",
		    scenario_fault_names[m->place[i].fault]));
	doc = json_pack("{s:i, s:s, s:b, s:i, s:i, s:i, s:i, s:i, s:o}", "sev1-drill", 1, "scenario",
	    m->scenario, "ready", m->ready, "ssh", m->ssh, "tls", m->tls, "http", m->http, "pki",
	    m->pki, "ocsp", m->ocsp, "hosts", hosts);
	line = json_line(doc);
	rc = fs_write(path, line, strlen(line), 0600, e);
	json_decref(doc);
	free(line);
	free(path);
	return rc;
}

void map_free(struct map *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->places; i++) {
		free(m->place[i].name);
		free(m->place[i].address);
	}
	free(m->place);
	free(m->folder);
	free(m->scenario);
	free(m);
}

const struct place *map_place(const struct map *m, const char *name)
{
	for (size_t i = 0; i < m->places; i++)
		if (strcmp(m->place[i].name, name) == 0)
			return &m->place[i];
	return NULL;
}

const struct place *map_role(const struct map *m, enum role role, size_t n)
{
	for (size_t i = 0; i < m->places; i++)
		if (m->place[i].role == role && n-- == 0)
			return &m->place[i];
	return NULL;
}

char *map_path(const struct map *m, const char *fmt, ...)
{
	struct buf b = { 0 };
	char rest[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rest, sizeof rest, fmt, ap);
	va_end(ap);
	buf_addf(&b, "%s/%s", m->folder, rest);
	return buf_take(&b);
}

char *map_web(const struct map *m, const struct place *p)
{
	return map_path(m, "hosts/%s/www", p->name);
}
