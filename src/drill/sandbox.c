#include "drill/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "drill/authority.h"
#include "drill/host.h"
#include "drill/tools.h"

#define DAY 86400L
#define DISK_OCTETS (24u << 20)  /* the CA host's disk, for the forensic image */
#define ORGANISATION "Drill Organisation"
#define CAS 4

static const char *const ca_names[CAS] = { "root", "issuing1", "issuing2", "issuing3" };

struct making {
	struct map *map;
	const struct scenario *scenario;
	long now;                 /* seconds */
	struct authority *ca[CAS];
	EVP_PKEY *shared;         /* of the certificates that no host of the fleet has */
};

/* A folder that is ours to fill: missing, empty, or an unfinished drill (which goes). */
static int sandbox_room(const char *folder, struct err *e)
{
	struct map *old;
	struct dirent *entry;
	DIR *d;
	bool empty = true, unfinished;

	if ((d = opendir(folder)) == NULL)
		return errno == ENOENT ? 0 : err_sys(e, "%s", folder);
	while ((entry = readdir(d)) != NULL)
		empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
	closedir(d);
	if (empty)
		return 0;
	if ((old = map_load(folder, e)) == NULL)
		return ERR_REFUSED;
	unfinished = !old->ready;
	map_free(old);
	if (unfinished)
		return sandbox_clean(folder, e);
	err_set(e, ERR_REFUSED, _("%s holds a drill already"), folder);
	return err_remedy(e, _("sev1 drill goes on with it; sev1 drill --clean removes it"));
}

static int sandbox_folders(const struct map *m, struct err *e)
{
	static const char *const top[] = { "ca", "ssh", "mail", "bin", "state", "run", "forensic" };
	static const char *const each[] = { "run", "tmp", "tls" };
	int rc = 0;

	for (size_t i = 0; i < sizeof top / sizeof top[0] && rc == 0; i++) {
		char *path = map_path(m, "%s", top[i]);

		rc = fs_mkdirs(path, 0700, e);
		free(path);
	}
	for (size_t i = 0; i < m->places * 3 && rc == 0; i++) {
		const struct place *p = &m->place[i / 3];
		const char *name = i % 3 == 2 && p->role != ROLE_FLEET ? "www" : each[i % 3];
		char *path = map_path(m, "hosts/%s/%s", p->name, name);

		rc = fs_mkdirs(path, 0700, e);
		free(path);
	}
	return rc;
}

/* An Ed25519 pair: path and path.pub. */
static int sandbox_ssh_key(const char *path, const char *comment, struct err *e)
{
	char *pub = mem_printf("%s.pub", path), *base64 = NULL, *line = NULL;
	ssh_key key = NULL;
	int rc;

	if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK ||
	    ssh_pki_export_privkey_file(key, NULL, NULL, NULL, path) != SSH_OK ||
	    ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) {
		rc = err_set(e, ERR_FAILED, _("%s: an Ed25519 key could not be made"), path);
	} else if (chmod(path, 0600) < 0) {
		rc = err_sys(e, "%s", path);
	} else {
		line = mem_printf("ssh-ed25519 %s %s\n", base64, comment);
		rc = fs_write(pub, line, strlen(line), 0644, e);
	}
	free(line);
	ssh_string_free_char(base64);
	ssh_key_free(key);
	free(pub);
	return rc;
}

static int sandbox_put(const struct map *m, const struct place *p, const char *name, const char *text,
    struct err *e)
{
	char *path = map_path(m, "hosts/%s/%s", p->name, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = fd < 0 || fs_put(fd, text, strlen(text)) < 0 ? err_sys(e, "%s", path) : 0;

	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

static int sandbox_ssh(const struct map *m, struct err *e)
{
	char *path = map_path(m, "ssh/id_ed25519");
	mode_t old = umask(077);
	int rc = sandbox_ssh_key(path, "sev1-drill", e);

	free(path);
	for (size_t i = 0; i < m->places && rc == 0; i++) {
		path = map_path(m, "hosts/%s/ssh_host_ed25519_key", m->place[i].name);
		rc = sandbox_ssh_key(path, m->place[i].name, e);
		free(path);
	}
	umask(old);
	return rc;
}

static int sandbox_cas(struct making *k, struct err *e)
{
	static const struct {
		const char *cn;
		int age, days;
		long serial, crl;
	} cas[CAS] = {
		{ "Drill Root CA", 1100, 7300, 0x1001, 0x0c },
		{ "Drill Issuing CA 1", 1000, 3650, 0x2000, 0x41 },
		{ "Drill Issuing CA 2", 900, 3650, 0x4000, 0x1a3 },
		{ "Drill Issuing CA 3", 2, 3650, 0x8000, 1 },
	};
	const struct map *m = k->map;
	const struct place *first = map_role(m, ROLE_POINT, 0), *second = map_role(m, ROLE_POINT, 1);

	for (int i = 0; i < CAS; i++) {
		char *dir = map_path(m, "ca/%s", ca_names[i]);
		char *a = mem_printf("http://%s:%d/%s.crl", first->address, m->http, ca_names[i]);
		char *b = mem_printf("http://%s:%d/%s.crl", second->address, m->http, ca_names[i]);
		struct authority_spec s = { .dir = dir, .subject = cas[i].cn,
			.organisation = ORGANISATION, .url = { a, b }, .age = cas[i].age,
			.days = cas[i].days, .serial = cas[i].serial, .crl = cas[i].crl,
			.issuer = i > 0 ? k->ca[0] : NULL };

		k->ca[i] = authority_new(&s, k->now, e);
		free(a);
		free(b);
		free(dir);
		if (k->ca[i] == NULL)
			return ERR_FAILED;
	}
	return 0;
}

/* A host of the fleet gets a key and a certificate of its own. */
static int sandbox_server(struct making *k, const struct place *p, long age, struct err *e)
{
	struct leaf_spec s = { .name = p->name, .from = k->now - age * DAY,
		.until = k->now + (397 - age) * DAY, .state = LEAF_VALID };
	char *tls = map_path(k->map, "hosts/%s/tls", p->name), *run = map_path(k->map, "hosts/%s/run",
	    p->name);
	char *path[4] = { fs_join(tls, "server.key"), fs_join(tls, "server.crt"),
		fs_join(tls, "chain.pem"), fs_join(run, "first.crt") };
	X509 *x = NULL;
	int rc = ERR_FAILED;

	if ((s.key = authority_key(e)) != NULL && (rc = authority_issue(k->ca[2], &s, &x, e)) == 0 &&
	    (rc = authority_key_write(path[0], s.key, e)) == 0 &&
	    (rc = authority_certificate_write(path[1], x, e)) == 0 &&
	    (rc = authority_certificate_write(path[2], authority_certificate(k->ca[2]), e)) == 0 &&
	    (rc = authority_certificate_write(path[3], x, e)) == 0)
		rc = sandbox_put(k->map, p, "fault", scenario_fault_names[p->fault], e);
	X509_free(x);
	EVP_PKEY_free(s.key);
	for (int i = 0; i < 4; i++)
		free(path[i]);
	free(run);
	free(tls);
	return rc;
}

/* The rest of a CA's certificates, oldest first: one in eight has expired (a third of these rows
 * were turned to E by `openssl ca -updatedb`), one in fifty was revoked, a few are valid beyond 2050
 * and so have a date of four digits. */
static int sandbox_leaves(struct making *k, struct authority *a, const char *prefix, int count,
    struct err *e)
{
	static const int days[] = { 398, 398, 730, 398, 1095 };
	int expired = count / 8, rc = 0;

	for (int i = 0; i < count && rc == 0; i++) {
		char name[64];
		struct leaf_spec s = { .key = k->shared, .name = name, .state = LEAF_VALID };

		snprintf(name, sizeof name, "%s%05d." MAP_DOMAIN, prefix, i + 1);
		if (i < expired) {
			s.from = k->now - 800 * DAY + i * (300 * DAY / (expired + 1));
			s.until = s.from + 90 * DAY;
			s.state = i % 3 == 0 ? LEAF_EXPIRED_E : LEAF_EXPIRED_V;
		} else {
			s.from = k->now - 390 * DAY + (i - expired) * (389 * DAY / (count - expired));
			s.until = i % 97 == 0 ? 2556144000L + i : s.from + days[i % 5] * DAY; /* 2051 */
			if (i % 50 == 7) {
				s.state = LEAF_REVOKED;
				s.revoked = s.from + DAY / 2 < k->now ? s.from + DAY / 2 : k->now - 60;
			}
		}
		rc = authority_issue(a, &s, NULL, e);
	}
	return rc;
}

static int sandbox_certificates(struct making *k, struct err *e)
{
	const struct place *p;
	int rc;

	if ((k->shared = authority_key(e)) == NULL)
		return ERR_FAILED;
	rc = sandbox_leaves(k, k->ca[1], "user", 150, e);
	if (rc == 0)
		rc = sandbox_leaves(k, k->ca[2], "app", k->scenario->certificates - k->scenario->hosts, e);
	for (size_t i = 0; rc == 0 && (p = map_role(k->map, ROLE_FLEET, i)) != NULL; i++)
		rc = sandbox_server(k, p, 200 - (long)i % 190, e);
	for (int i = CAS - 1; i >= 0 && rc == 0; i--) {
		char *path[4] = { map_path(k->map, "ca/%s/crl/%s.crl", ca_names[i], ca_names[i]) };
		size_t n = 1;

		for (; n < 4 && (p = map_role(k->map, ROLE_POINT, n - 1)) != NULL; n++)
			path[n] = map_path(k->map, "hosts/%s/www/%s.crl", p->name, ca_names[i]);
		if ((rc = authority_crl(k->ca[i], 30 * 24, path, n, e)) == 0)
			rc = authority_save(k->ca[i], e);
		while (n-- > 0)
			free(path[n]);
	}
	return rc;
}

/* What the CA host runs, and a disk to take an image of. */
static int sandbox_ca_host(const struct map *m, struct err *e)
{
	const struct place *p = map_place(m, MAP_CA_HOST);
	char *path = map_path(m, "hosts/" MAP_CA_HOST "/disk.img"), *block;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc = 0;
	const size_t size = 1 << 20;

	block = mem_zalloc(size, 1);
	for (size_t i = 0; fd >= 0 && rc == 0 && i < DISK_OCTETS / size; i++) {
		/* no two blocks alike, as a digest of it should mean something */
		for (size_t k = 0; k + 8 <= size; k += 512)
			memcpy(block + k, (uint64_t[]){ i * size + k }, 8);
		rc = fs_put(fd, block, size);
	}
	if (fd < 0 || rc < 0 || close(fd) < 0)
		rc = err_sys(e, "%s", path);
	free(block);
	free(path);
	if (rc == 0)
		rc = sandbox_put(m, p, "run/pki-ca.want", "up\n", e);
	if (rc == 0)
		rc = sandbox_put(m, p, "run/ocsp-responder.want", "up\n", e);
	return rc;
}

struct map *sandbox_make(const char *folder, const struct scenario *s, struct err *e)
{
	struct making k = { .scenario = s, .now = (long)(clock_now() / 1000) };
	int rc = ERR_FAILED;

	if ((k.map = map_new(folder, s, e)) == NULL)
		return NULL;
	/* The map goes first, not ready: what a kill leaves behind is known for a drill's. */
	if ((rc = sandbox_room(folder, e)) == 0 && (rc = fs_mkdirs(folder, 0700, e)) == 0 &&
	    (rc = map_save(k.map, e)) == 0 && (rc = sandbox_folders(k.map, e)) == 0 &&
	    (rc = sandbox_ssh(k.map, e)) == 0 && (rc = tools_write(k.map, e)) == 0 &&
	    (rc = sandbox_cas(&k, e)) == 0 && (rc = sandbox_certificates(&k, e)) == 0 &&
	    (rc = sandbox_ca_host(k.map, e)) == 0 && (rc = sandbox_conf(k.map, s, e)) == 0) {
		k.map->ready = true;
		rc = map_save(k.map, e);
	}
	for (int i = 0; i < CAS; i++)
		authority_free(k.ca[i]);
	EVP_PKEY_free(k.shared);
	if (rc < 0) {
		map_free(k.map);
		return NULL;
	}
	return k.map;
}

int sandbox_clean(const char *folder, struct err *e)
{
	struct map *m;
	struct err why = { 0 };
	char *run;
	int rc, watch = -1;

	if ((m = map_load(folder, &why)) == NULL) {
		if (why.code == ERR_NOTFOUND)
			return 0;
		if (e != NULL)
			*e = why;
		return why.code;
	}
	run = map_path(m, "run");
	map_free(m);
	/* not under the feet of a console that is on it */
	rc = fs_exists(run) ? watch = host_watch(folder, e) : 0;
	free(run);
	if (rc >= 0 && (rc = host_stop(folder, e)) == 0)
		rc = fs_remove_tree(folder, e);
	if (watch >= 0)
		close(watch);
	return rc;
}
