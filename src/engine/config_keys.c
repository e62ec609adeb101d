#include "engine/config_keys.h"

#include <stdlib.h>
#include <string.h>

#include "pki/crl_hours.h"

enum { SEV1, CA, POINT, HOST, ACTION, NOTICE, FLEET, CONTACTS, INTAKE };

#define NAMED(kind, field, count, type, help)                                                      \
	{ kind, true, offsetof(struct config, field), offsetof(struct config, count),              \
	  sizeof(struct type), offsetof(struct type, line), help }

const struct conf_section conf_sections[] = {
	[SEV1] = { "sev1", false, 0, 0, 0, 0, "The program itself, and the organisation." },
	[CA] = NAMED("ca", ca, cas, ca_conf,
	    "A certification authority: an `openssl ca` or easy-rsa directory, as it is. Relative paths of an openssl.cnf start\n"
	    "at its own folder, or at the one above where the database lies there and not here."),
	[POINT] = NAMED("point", point, points, point_conf,
	    "A distribution point: where a CA's CRL lies and is fetched. Put down the very URL\n"
	    "that stands in the CA's certificates."),
	[HOST] = NAMED("host", host, hosts, host_conf, "A machine that is reached over SSH."),
	[ACTION] = NAMED("action", action, actions, action_conf,
	    "A containment step, in the order of this file. Stop issuance; keep what serves CRLs\n"
	    "and OCSP running, or move it first: services need it now."),
	[NOTICE] = NAMED("notice", notice, notices, notice_conf,
	    "A notice: management, internal or external; intake, for those who are told of problem reports; subscriber and preliminary, which need no 'to': they go to\n"
	    "those concerned; approvers, who are told when a subscriber's answer did not come in time."),
	[FLEET] = { "fleet", false, offsetof(struct config, fleet), 0, 0,
	    offsetof(struct fleet_conf, line), "The servers that get new certificates." },
	[CONTACTS] = { "contacts", false, offsetof(struct config, contacts), 0, 0, offsetof(struct contacts_conf, line),
	    "Where the problem-reporting address is published: sev1 contacts check compares." },
	[INTAKE] = { "intake", false, offsetof(struct config, intake), 0, 0, offsetof(struct intake_conf, line),
	    "Problem reports: mails that `sev1 intake` reads, and what it looks for in them." },
};
const size_t conf_section_count = sizeof conf_sections / sizeof conf_sections[0];

#define M(type, member) offsetof(struct type, member)
#define TEXT(section, name, member, sample, help)                                                  \
	{ section, name, CONF_TEXT, member, 0, false, NULL, 0, 0, NULL, sample, help }

const struct conf_key conf_keys[] = {
	{ SEV1, "state", CONF_PATH, M(config, state), 0, false, "@state", 0, 0, NULL, NULL,
	    "Folder of the incident files, readable by you only." },
	{ SEV1, "playbook", CONF_FILE, M(config, playbook), 0, false, "@playbook", 0, 0, NULL, NULL,
	    "Checkpoints and follow-ups with their times." },
	TEXT(SEV1, "organisation", M(config, organisation), "Example Ltd",
	    "As the external notice and the report name you."),
	{ SEV1, "profile", CONF_CHOICE, M(config, profile), 0, false, "private", 0, 0,
	    "private|public-tls", NULL,
	    "Revocation deadlines: private (24 hours) or public-tls (TLS Baseline Requirements)." },
	{ SEV1, "deadlines", CONF_FILE, M(config, deadlines), 0, false, NULL, 0, 0, NULL, "/etc/sev1/deadlines.ini",
	    "Your own times, by reason; without it those of the profile: playbooks/deadlines-PROFILE.ini." },
	{ SEV1, "subscribers", CONF_PATH, M(config, subscribers), 0, false, NULL, 0, 0, NULL, "/etc/sev1/subscribers.csv",
	    "Who is told of revoked certificates: CSV with the columns subscriber, match (globs of their names), mail,\n"
	    "phone, webhook." },
	TEXT(SEV1, "contact-pki", M(config, contact_pki), "pki-emergency@example.com",
	    "Contacts, as the notices give them."),
	TEXT(SEV1, "contact-security", M(config, contact_security), "security@example.com", NULL),
	TEXT(SEV1, "contact-hotline", M(config, contact_hotline), "+49 000 000000", NULL),
	TEXT(SEV1, "estimated-downtime", M(config, estimated_downtime), "4",
	    "Hours, for the notices. Without it they ask."),
	TEXT(SEV1, "ssh-config", M(config, ssh_config), "/etc/sev1/ssh_config",
	    "In place of ~/.ssh/config and /etc/ssh/ssh_config; none: ssh_config is not read."),
	{ SEV1, "ari-folder", CONF_PATH, M(config, ari_folder), 0, false, NULL, 0, 0, NULL, "/var/www/ari",
	    "ACME Renewal Information (sev1 ari): its own folder, which a web server can read." },
	{ SEV1, "ari-url", CONF_HTTP, M(config, ari_url), 0, false, NULL, 0, 0, NULL,
	    "https://acme.example.com/renewal-info", "The renewalInfo URL of the ACME directory." },
	{ SEV1, "ari-explanation", CONF_HTTP, M(config, ari_explanation), 0, false, NULL, 0, 0, NULL,
	    "https://www.example.com/incident", "What ACME clients show their people: why to renew." },
	{ SEV1, "sendmail", CONF_TEXT, M(config, sendmail), 0, false, "/usr/sbin/sendmail", 0, 0,
	    NULL, NULL, "The command that takes a mail, for transport = sendmail." },
	{ SEV1, "smtp-url", CONF_SMTP, M(config, smtp_url), 0, false, NULL, 0, 0, NULL,
	    "smtps://mail.example.com:465", "For transport = smtp." },
	TEXT(SEV1, "smtp-user", M(config, smtp_user), "sev1", NULL),
	{ SEV1, "smtp-password-file", CONF_FILE, M(config, smtp_password_file), 0, false, NULL, 0, 0,
	    NULL, "/etc/sev1/smtp-password", "One line; readable by you only." },

	{ CA, "title", CONF_TEXT, M(ca_conf, title), 0, false, "@name", 0, 0, NULL, "Issuing CA 1",
	    "As the screens show it." },
	{ CA, "config", CONF_FILE, M(ca_conf, config), 0, true, NULL, 0, 0, NULL,
	    "/etc/pki/CA/openssl.cnf",
	    "Its openssl.cnf, or an easy-rsa pki folder." },
	TEXT(CA, "section", M(ca_conf, section), "CA_default",
	    "Its section in there; without it default_ca counts."),
	{ CA, "parent", CONF_CA, M(ca_conf, parent), 0, false, NULL, 0, 0, NULL, "root",
	    "The [ca] that issued it. None for a root, or one that is not on this machine." },
	{ CA, "key", CONF_KEY, M(ca_conf, key), 0, false, NULL, 0, 0, NULL,
	    "/etc/pki/CA/private/cakey.pem", "In place of private_key of its openssl.cnf: a file, or on a token\n"
	    "pkcs11:token=CA;object=ca-key, without a PIN: it is asked for." },
	{ CA, "pkcs11-module", CONF_PATH, M(ca_conf, pkcs11_module), 0, false, NULL, 0, 0, NULL,
	    "/usr/lib/softhsm/libsofthsm2.so", "The PKCS#11 library of that token." },
	{ CA, "crl-hours", CONF_NUMBER, M(ca_conf, crl_hours), 0, false, "24", 1, CRL_HOURS_MAX, NULL, NULL,
	    "An emergency CRL is good for this long. Too short a time takes every client down that\n"
	    "insists on a CRL, once nobody renews it." },
	{ CA, "renew-before", CONF_NUMBER, M(ca_conf, renew_before), 0, false, "0", 0, 525600, NULL, NULL,
	    "Minutes before nextUpdate at which a CRL is renewed, where the standing order is given (sev1 crl\n"
	    "renew --auto on); 0 is a third of its lifetime." },
	{ CA, "spare", CONF_FLAG, M(ca_conf, spare), 0, false, "no", 0, 0, NULL, NULL,
	    "May be the replacement issuer: prepared, other key, nothing issued yet." },

	{ POINT, "ca", CONF_CA, M(point_conf, ca), 0, true, NULL, 0, 0, NULL, "example",
	    "Whose CRL." },
	{ POINT, "url", CONF_HTTP, M(point_conf, url), 0, true, NULL, 0, 0, NULL,
	    "http://crl.example.com/crl/ca.crl", "What clients fetch." },
	{ POINT, "path", CONF_PLACE, M(point_conf, path), 0, true, NULL, 0, 0, NULL,
	    "/var/www/html/crl/ca.crl", "Where the web server reads it." },
	{ POINT, "host", CONF_HOST, M(point_conf, host), 0, false, NULL, 0, 0, NULL, "example",
	    "On this host; without it on this machine." },
	{ POINT, "partition", CONF_TEXT, M(point_conf, partition), 0, false, NULL, 0, 0, NULL, "a",
	    "Certificates name one of several points: this one serves the CRL of those that name it. Points that\n"
	    "serve the same CRL have the same partition. Without it a point serves the whole CA's." },
	{ POINT, "pem", CONF_FLAG, M(point_conf, pem), 0, false, "no", 0, 0, NULL, NULL,
	    "DER unless yes: RFC 5280 4.2.1.13 wants DER over HTTP." },

	{ HOST, "address", CONF_ADDRESS, M(host_conf, address), 0, false, "@name", 0, 0, NULL,
	    "crl01.example.com", NULL },
	{ HOST, "port", CONF_NUMBER, M(host_conf, port), 0, false, NULL, 1, 65535, NULL, "22",
	    "What is left out here is as ssh has it: ~/.ssh/config, /etc/ssh/ssh_config, its defaults." },
	{ HOST, "user", CONF_TEXT, M(host_conf, user), 0, false, NULL, 0, 0, NULL, "root", NULL },
	{ HOST, "identity", CONF_FILE, M(host_conf, identity), 0, false, NULL, 0, 0, NULL,
	    "/etc/sev1/id_ed25519", "The private key; no other is offered then." },
	{ HOST, "known-hosts", CONF_PATH, M(host_conf, known_hosts), 0, false, NULL, 0, 0, NULL,
	    "/etc/sev1/known_hosts",
	    "Host keys; no other file counts then." },

	{ ACTION, "title", CONF_TEXT, M(action_conf, title), 0, false, "@name", 0, 0, NULL,
	    "stop issuance", "As the board shows it." },
	{ ACTION, "kind", CONF_KIND, M(action_conf, kind), 0, false, "command", 0, 0,
	    "command|firewall|image|keylock", NULL,
	    "command: run. firewall: close ports, both address families. image: forensic image with\n"
	    "SHA-256. keylock: run, but not before the CRL is signed." },
	{ ACTION, "host", CONF_HOST, M(action_conf, host), 0, false, NULL, 0, 0, NULL, "example",
	    "On this host; without it on this machine." },
	{ ACTION, "ca", CONF_CA, M(action_conf, ca), 0, false, NULL, 0, 0, NULL, "example",
	    "keylock: the CA whose key must not sign afterwards; sev1 tries it by itself." },
	TEXT(ACTION, "run", M(action_conf, run), "systemctl stop pki-ca", "A shell command."),
	TEXT(ACTION, "verify", M(action_conf, verify), "! systemctl is-active --quiet pki-ca",
	    "Succeeds when the step holds. Without it the step cannot be proved."),
	TEXT(ACTION, "undo", M(action_conf, undo), "systemctl start pki-ca",
	    "Recorded, and offered when the incident is over."),
	{ ACTION, "ports", CONF_PORTS, M(action_conf, ports), 0, false, NULL, 0, 0, NULL, "80, 443",
	    "firewall: the TCP ports that are closed." },
	{ ACTION, "probe", CONF_PROBE, M(action_conf, probe), 0, false, NULL, 0, 0, NULL,
	    "ca01.example.com:443", "Must not answer from here afterwards." },
	{ ACTION, "source", CONF_PLACE, M(action_conf, source), 0, false, NULL, 0, 0, NULL,
	    "/dev/sda", "image: the device or file." },
	{ ACTION, "target", CONF_PLACE, M(action_conf, target), 0, false, NULL, 0, 0, NULL,
	    "/backup/forensic", "image: the folder; not on the source." },
	{ ACTION, "deadline", CONF_NUMBER, M(action_conf, deadline), 0, false, "0", 0, 604800, NULL,
	    NULL, "Seconds; 0 is 60, for an image a day." },

	{ NOTICE, "transport", CONF_CHOICE, M(notice_conf, transport), 0, false, "sendmail", 0, 0,
	    "sendmail|smtp|webhook", NULL, NULL },
	{ NOTICE, "to", CONF_LIST, M(notice_conf, to), M(notice_conf, tos), true, NULL, 0, 0, NULL,
	    "ciso@example.com, it-security@example.com", "Addresses, or URLs for a webhook." },
	TEXT(NOTICE, "from", M(notice_conf, from), "pki-emergency@example.com", NULL),
	TEXT(NOTICE, "subject", M(notice_conf, subject), "SEV-1: PKI compromise", NULL),
	{ NOTICE, "template", CONF_FILE, M(notice_conf, template), 0, false, "@template", 0, 0, NULL,
	    NULL, "The text with its fields; by default the installed one, in the language of the locale where there is one." },

	{ FLEET, "inventory", CONF_PATH, M(fleet_conf, inventory), 0, true, NULL, 0, 0, NULL,
	    "/etc/pki/inventory/all-servers.txt", "A list of [USER@]NAME[:PORT], CSV, or an ansible inventory in INI or YAML, or "
	    "a folder of them; see: sev1 inventory." },
	{ FLEET, "user", CONF_TEXT, M(fleet_conf, user), 0, false, NULL, 0, 0, NULL, "root",
	    "SSH: the inventory's word first, then this, then as ssh has it." },
	{ FLEET, "identity", CONF_PATH, M(fleet_conf, identity), 0, false, NULL, 0, 0, NULL,
	    "/etc/sev1/id_ed25519", NULL },
	{ FLEET, "known-hosts", CONF_PATH, M(fleet_conf, known_hosts), 0, false, NULL, 0, 0, NULL,
	    "/etc/sev1/known_hosts", NULL },
	{ FLEET, "port", CONF_NUMBER, M(fleet_conf, port), 0, false, NULL, 1, 65535, NULL, "22", NULL },
	TEXT(FLEET, "profile", M(fleet_conf, profile), "nginx",
	    "How servers take a certificate where the inventory names no profile for them: nginx, apache,\n"
	    "haproxy, postfix, dovecot, or one of your own. Keys of this section win over it; without a\n"
	    "profile they are all there is."),
	{ FLEET, "profiles", CONF_PATH, M(fleet_conf, profiles), 0, false, NULL, 0, 0, NULL,
	    "/etc/sev1/profiles", "Folder of your own profiles, NAME.ini each; they come before the installed ones." },
	{ FLEET, "key", CONF_REMOTE, M(fleet_conf, key), 0, false, NULL, 0, 0, NULL,
	    "/etc/ssl/private/server.key", "Paths on the hosts; %h is the host's name." },
	{ FLEET, "certificate", CONF_REMOTE, M(fleet_conf, certificate), 0, false, NULL, 0, 0, NULL,
	    "/etc/ssl/certs/server.pem", NULL },
	{ FLEET, "chain", CONF_REMOTE, M(fleet_conf, chain), 0, false, NULL, 0, 0, NULL,
	    "/etc/ssl/certs/server-chain.pem",
	    "The issuers' certificates; without it they follow the server's in its file." },
	{ FLEET, "key-mode", CONF_CHOICE, M(fleet_conf, key_mode), 0, false, "keep", 0, 0, "keep|new",
	    NULL, "keep the server's key, or make a new one on the host: where the servers' own keys were stolen (they are refused), new." },
	{ FLEET, "names", CONF_CHOICE, M(fleet_conf, names), 0, false, "inventory", 0, 0, "inventory|certificate",
	    NULL, "Names of the new certificate: the inventory's, or those of the certificate in place (it must be ours and cover the host)." },
	TEXT(FLEET, "test", M(fleet_conf, test), "nginx -t",
	    "Before the reload; where it fails the old files come back."),
	{ FLEET, "reload", CONF_TEXT, M(fleet_conf, reload), 0, false, NULL, 0, 0, NULL,
	    "systemctl reload nginx", NULL },
	{ FLEET, "combined", CONF_FLAG, M(fleet_conf, combined), 0, false, "no", 0, 0, NULL, NULL,
	    "Key, certificate and chain are one file, which key and certificate both name (haproxy)." },
	{ FLEET, "sudo", CONF_FLAG, M(fleet_conf, sudo), 0, false, "no", 0, 0, NULL, NULL,
	    "Work as root by sudo -n, which must need no password." },
	{ FLEET, "starttls", CONF_CHOICE, M(fleet_conf, starttls), 0, false, NULL, 0, 0,
	    "smtp|imap|pop3|ftp|ldap", "smtp", "What is spoken on the port before TLS." },
	{ FLEET, "blocklist", CONF_PATH, M(fleet_conf, blocklist), 0, false, NULL, 0, 0, NULL,
	    "/etc/sev1/compromised-keys", "Public keys that get no certificate: the SHA-256 of each SubjectPublicKeyInfo in hex, one a line." },
	{ FLEET, "probe-port", CONF_NUMBER, M(fleet_conf, probe_port), 0, false, NULL, 1, 65535, NULL,
	    "443", "TLS: must present the new certificate." },
	{ FLEET, "concurrency", CONF_NUMBER, M(fleet_conf, concurrency), 0, false, "16", 1, 256, NULL,
	    NULL, "Hosts at a time." },
	{ FLEET, "days", CONF_NUMBER, M(fleet_conf, days), 0, false, "90", 1, 825, NULL, NULL,
	    "Validity of the new certificates." },
	{ FLEET, "deadline", CONF_NUMBER, M(fleet_conf, deadline), 0, false, "60", 5, 86400, NULL, NULL,
	    "Seconds per host." },
	TEXT(FLEET, "canaries", M(fleet_conf, canaries), "2",
	    "What reissue does where its options of the same names say nothing. These first, a number or names:\n"
	    "each must be verified before anything else begins."),
	TEXT(FLEET, "waves", M(fleet_conf, waves), "5,10%,50%,rest", "Then in parts, each after the one before it."),
	TEXT(FLEET, "max-failed", M(fleet_conf, max_failed), "10",
	    "Stop once more hosts than this have failed (or were rolled back), are unreachable, are refused."),
	TEXT(FLEET, "max-unreachable", M(fleet_conf, max_unreachable), "50", NULL),
	TEXT(FLEET, "max-refused", M(fleet_conf, max_refused), "10", NULL),

	{ CONTACTS, "problem-report", CONF_TEXT, M(contacts_conf, problem_report), 0, true, NULL, 0, 0, NULL,
	    "problem-report@example.com", "Where problems are to be reported: a mail address, or the URL of a form." },
	{ CONTACTS, "ccadb", CONF_PATH, M(contacts_conf, ccadb), 0, false, NULL, 0, 0, NULL, "/etc/sev1/ccadb.csv",
	    "A directory's export of problem-reporting mechanisms as CSV, with the columns \"CA Owner\" and \"Problem\n"
	    "Reporting ...\"." },
	TEXT(CONTACTS, "ccadb-owner", M(contacts_conf, ccadb_owner), "Example Ltd", "The CA Owner in it; default: organisation."),
	{ CONTACTS, "cps", CONF_LIST, M(contacts_conf, cps), M(contacts_conf, cpss), false, NULL, 0, 0, NULL,
	    "/etc/sev1/cps.pdf, /etc/sev1/cp.txt", "CP and CPS, text or PDF (with pdftotext): their 1.5.2 must name it. Absolute paths." },
	{ CONTACTS, "page", CONF_HTTP, M(contacts_conf, page), 0, false, NULL, 0, 0, NULL,
	    "https://www.example.com/pki/contact", "The page that tells people." },
	{ CONTACTS, "days", CONF_NUMBER, M(contacts_conf, days), 0, false, "30", 1, 366, NULL, NULL,
	    "From one comparison to the next." },
	{ INTAKE, "source", CONF_PATH, M(intake_conf, source), 0, false, NULL, 0, 0, NULL,
	    "/var/mail/pki-problems", "A Maildir or mbox, read by `sev1 intake` where it is given none." },
	{ INTAKE, "hops", CONF_LIST, M(intake_conf, hops), M(intake_conf, hop_count), false, NULL, 0, 0, NULL,
	    "mx*.example.com, *.mail.example.com", "Your own mail hosts, as they name themselves behind \"by\" in Received\n"
	    "lines: those are believed. Without it only the last host is, and those of its domain." },
	{ INTAKE, "keywords", CONF_LIST, M(intake_conf, keywords), M(intake_conf, keyword_count), false, NULL, 0, 0, NULL,
	    "key ceremony, example root", "Words that make a mail a high-priority report by themselves." },
	{ INTAKE, "max-size", CONF_NUMBER, M(intake_conf, max_size), 0, false, "25", 1, 1024, NULL, NULL,
	    "MiB of one mail that are read; what is larger is cut, and said so." },
};
const size_t conf_key_count = sizeof conf_keys / sizeof conf_keys[0];
_Static_assert(sizeof conf_keys / sizeof conf_keys[0] <= CONF_KEYS_MAX, "raise CONF_KEYS_MAX");

static void conf_comment(struct buf *b, const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		buf_adds(b, "# ");
		buf_add(b, text, n);
		buf_addc(b, '\n');
	}
}

static const char *conf_shown(const struct conf_key *k, const char *name)
{
	if (k->sample != NULL)
		return k->sample;
	if (k->fallback == NULL)
		return "";
	if (strcmp(k->fallback, "@name") == 0)
		return name != NULL ? name : "";
	if (strcmp(k->fallback, "@state") == 0)
		return "/var/lib/sev1";
	if (strcmp(k->fallback, "@playbook") == 0)
		return "/usr/share/sev1/playbooks/ca-compromise.ini";
	if (strcmp(k->fallback, "@template") == 0)
		return "/usr/share/sev1/templates/management.txt";
	return k->fallback;
}

void config_write_section(struct buf *b, const char *kind, const char *name, bool use,
    char *(*get)(void *ctx, const char *key), void *ctx)
{
	const char *off = use ? "" : "#";
	char *value;

	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *k = &conf_keys[i];
		const struct conf_section *s = &conf_sections[k->section];

		if (strcmp(s->kind, kind) != 0)
			continue;
		if (i == 0 || conf_keys[i - 1].section != k->section) {
			conf_comment(b, s->help);
			buf_addf(b, name != NULL ? "%s[%s %s]\n" : "%s[%s]\n", off, kind, name);
		}
		if (k->help != NULL)
			conf_comment(b, k->help);
		value = get != NULL ? get(ctx, k->name) : NULL;
		if (value == NULL && use && k->must)
			value = mem_strdup(k->sample);
		if (value != NULL)
			buf_addf(b, "%s%s = %s\n", off, k->name, value);
		else
			buf_addf(b, "#%s = %s\n", k->name, conf_shown(k, name));
		free(value);
	}
	buf_addc(b, '\n');
}

void config_sample(struct buf *b)
{
	static const char *const name[sizeof conf_sections / sizeof conf_sections[0]] = { [CA] = "example",
		[POINT] = "example", [HOST] = "example", [ACTION] = "example", [NOTICE] = "management" };

	conf_comment(b, "Configuration of sev1. Every key is here; take away the '#' before those you need,\n"
		"and before their headings.\n"
		"A value is all that follows '='; a comment stands on its own line. Relative paths start\n"
		"at this file's folder. `sev1 init` writes such a file from what it finds on a machine,\n"
		"`sev1 doctor` checks it against the world.");
	buf_addc(b, '\n');
	for (size_t i = 0; i < conf_section_count; i++)
		config_write_section(b, conf_sections[i].kind, name[i], i == SEV1, NULL, NULL);
}
