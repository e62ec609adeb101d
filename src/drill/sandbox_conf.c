/* What sev1 is told about a sandbox: the same files that an operator writes for a real PKI. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "drill/sandbox.h"

static void conf_head(struct buf *b, const struct map *m, const struct scenario *s)
{
	buf_addf(b,
	    "# Configuration of the drill \"%s\"; made by sev1 drill, removed by sev1 drill --clean.\n\n"
	    "[sev1]\n"
	    "state = %s/state\n"
	    "organisation = Drill Organisation\n"
	    "profile = private\n"
	    "contact-pki = pki-emergency@drill.test\n"
	    "contact-security = security@drill.test\n"
	    "contact-hotline = +49 30 000000\n"
	    "estimated-downtime = 2\n"
	    "sendmail = %s/bin/sendmail\n\n", s->title, m->folder, m->folder);
}

static void conf_ca(struct buf *b, const struct map *m)
{
	static const struct {
		const char *name, *title, *more;
	} cas[] = {
		{ "root", "Drill Root CA", "crl-hours = 168\n" },
		{ "issuing1", "Issuing CA 1", "parent = root\ncrl-hours = 24\n" },
		{ "issuing2", "Issuing CA 2", "parent = root\ncrl-hours = 24\n" },
		{ "issuing3", "Issuing CA 3", "parent = root\ncrl-hours = 24\nspare = yes\n" },
	};
	const struct place *p;

	for (size_t i = 0; i < sizeof cas / sizeof cas[0]; i++)
		buf_addf(b, "[ca %s]\ntitle = %s\nconfig = %s/ca/%s/openssl.cnf\n%s\n", cas[i].name,
		    cas[i].title, m->folder, cas[i].name, cas[i].more);
	for (size_t i = 0; i < sizeof cas / sizeof cas[0]; i++)
		for (size_t k = 0; (p = map_role(m, ROLE_POINT, k)) != NULL; k++) {
			char *web = map_web(m, p);

			buf_addf(b, "[point %s-%s]\nca = %s\nurl = http://%s:%d/%s.crl\npath = %s/%s.crl\n",
			    cas[i].name, p->name, cas[i].name, p->address, m->http, cas[i].name, web,
			    cas[i].name);
			/* the first is a folder of this machine, the others are reached over SSH */
			buf_addf(b, k > 0 ? "host = %s\n\n" : "\n", p->name);
			free(web);
		}
}

static void conf_host(struct buf *b, const struct map *m)
{
	for (size_t i = 0; i < m->places; i++)
		if (m->place[i].role != ROLE_FLEET)
			buf_addf(b, "[host %s]\naddress = %s\nport = %d\nuser = " MAP_USER
			    "\nidentity = %s/ssh/id_ed25519\nknown-hosts = %s/known_hosts\n\n",
			    m->place[i].name, m->place[i].address, m->ssh, m->folder, m->folder);
}

static void conf_action(struct buf *b, const struct map *m, const struct scenario *s)
{
	const struct place *ca = map_place(m, MAP_CA_HOST);

	buf_addf(b,
	    "# The responder signs with keys of the CAs on " MAP_CA_HOST "; the CRLs are on other hosts and stay.\n"
	    "[action stop-pki-ca]\n"
	    "title = stop pki-ca\n"
	    "host = " MAP_CA_HOST "\n"
	    "run = systemctl stop pki-ca\n"
	    "verify = ! systemctl is-active --quiet pki-ca\n"
	    "undo = systemctl start pki-ca\n"
	    "probe = %s:%d\n\n"
	    "[action stop-ocsp]\n"
	    "title = stop ocsp-responder\n"
	    "host = " MAP_CA_HOST "\n"
	    "run = systemctl stop ocsp-responder\n"
	    "verify = ! systemctl is-active --quiet ocsp-responder\n"
	    "undo = systemctl start ocsp-responder\n"
	    "probe = %s:%d\n\n"
	    "[action block-ports]\n"
	    "title = block %d, %d\n"
	    "kind = firewall\n"
	    "host = " MAP_CA_HOST "\n"
	    "ports = %d, %d\n"
	    "probe = %s:%d\n\n", ca->address, m->pki, ca->address, m->ocsp, m->pki, m->ocsp, m->pki,
	    m->ocsp, ca->address, m->pki);
	buf_addf(b,
	    "[action lock-key]\n"
	    "title = lock signing key\n"
	    "kind = keylock\n"
	    "ca = %s\n"
	    "run = %s/bin/keylock lock %s\n"
	    "verify = %s/bin/keylock locked %s\n"
	    "undo = %s/bin/keylock unlock %s\n\n"
	    "[action image]\n"
	    "title = forensic image\n"
	    "kind = image\n"
	    "host = " MAP_CA_HOST "\n"
	    "source = %s/hosts/" MAP_CA_HOST "/disk.img\n"
	    "target = %s/forensic\n\n", s->ca, m->folder, s->ca, m->folder, s->ca, m->folder, s->ca, m->folder,
	    m->folder);
}

static void conf_notice(struct buf *b)
{
	static const struct {
		const char *name, *to, *subject;
	} notices[] = {
		{ "management", "ciso@drill.test, cio@drill.test, it-director@drill.test",
		    "DRILL: SEV-1, PKI compromise" },
		{ "internal", "it-security@drill.test, it-operations@drill.test, management@drill.test",
		    "DRILL: EMERGENCY NOTIFICATION, PKI compromise" },
		{ "external", "customers@drill.test, press@drill.test", "DRILL: SECURITY NOTICE" },
	};

	for (size_t i = 0; i < sizeof notices / sizeof notices[0]; i++)
		buf_addf(b, "[notice %s]\ntransport = sendmail\nfrom = pki-emergency@drill.test\n"
		    "to = %s\nsubject = %s\n\n", notices[i].name, notices[i].to, notices[i].subject);
}

static void conf_fleet(struct buf *b, const struct map *m)
{
	buf_addf(b,
	    "[fleet]\n"
	    "inventory = %s/inventory.csv\n"
	    "user = " MAP_USER "\n"
	    "identity = %s/ssh/id_ed25519\n"
	    "known-hosts = %s/known_hosts\n"
	    "port = %d\n"
	    "key = %s/hosts/%%h/tls/server.key\n"
	    "certificate = %s/hosts/%%h/tls/server.crt\n"
	    "chain = %s/hosts/%%h/tls/chain.pem\n"
	    "key-mode = new\n"
	    "test = webd -t\n"
	    "reload = systemctl reload webd\n"
	    "probe-port = %d\n"
	    "days = 90\n", m->folder, m->folder, m->folder, m->ssh, m->folder, m->folder, m->folder,
	    m->tls);
}

static int conf_write(const struct map *m, const char *name, struct buf *b, struct err *e)
{
	char *path = map_path(m, "%s", name);
	int rc = fs_write(path, buf_str(b), b->len, 0600, e);

	buf_clear(b);
	free(path);
	return rc;
}

/* "[address]:port ssh-ed25519 AAAA..." of every host, from the public keys that lie beside theirs. */
static int conf_known_hosts(const struct map *m, struct buf *b, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < m->places && rc == 0; i++) {
		char *path = map_path(m, "hosts/%s/ssh_host_ed25519_key.pub", m->place[i].name);

		buf_addf(b, "[%s]:%d ", m->place[i].address, m->ssh);
		rc = fs_read(path, b, 4096, e);
		free(path);
	}
	return rc;
}

int sandbox_conf(const struct map *m, const struct scenario *s, struct err *e)
{
	struct buf b = { 0 };
	const struct place *p;
	int rc;

	if ((rc = conf_known_hosts(m, &b, e)) < 0 || (rc = conf_write(m, "known_hosts", &b, e)) < 0)
		goto out;
	buf_adds(&b, "host,address,port,user\n");
	for (size_t k = 0; (p = map_role(m, ROLE_FLEET, k)) != NULL; k++)
		buf_addf(&b, "%s,%s,%d," MAP_USER "\n", p->name, p->address, m->ssh);
	if ((rc = conf_write(m, "inventory.csv", &b, e)) < 0)
		goto out;
	conf_head(&b, m, s);
	conf_ca(&b, m);
	conf_host(&b, m);
	conf_action(&b, m, s);
	conf_notice(&b);
	conf_fleet(&b, m);
	rc = conf_write(m, "sev1.conf", &b, e);
out:
	buf_free(&b);
	return rc;
}
