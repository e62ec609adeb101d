/* The configuration: one INI file. Every section is a struct, every string is owned by the config. */
#ifndef SEV1_CONFIG_H
#define SEV1_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/errs.h"

struct ca_conf {          /* [ca NAME] */
	char *name;
	char *title;          /* shown; default: the name */
	char *config;         /* its openssl.cnf, or an easy-rsa pki folder */
	char *section;        /* its section there; NULL: default_ca */
	char *parent;         /* name of the issuing CA; NULL for a root or one that is not here */
	char *key;            /* overrides private_key; "pkcs11:..." for a token; NULL */
	char *pkcs11_module;  /* the PKCS#11 library of that token; NULL */
	int crl_hours;        /* nextUpdate after thisUpdate; default 24 */
	int renew_before;     /* minutes before nextUpdate that it is renewed; 0: a third of its lifetime */
	bool spare;           /* may be the replacement issuer; holds nothing yet */
	int line;
};

struct point_conf {       /* [point NAME]: a distribution point of a CA's CRL */
	char *name, *ca;
	char *url;            /* what clients fetch: http(s) */
	char *path;           /* where the file lies */
	char *host;           /* a [host]; NULL: this machine */
	char *partition;      /* it serves the CRL of those certificates that name it; NULL: of the whole CA */
	bool pem;             /* default: DER, as RFC 5280 4.2.1.13 wants it over HTTP */
	int line;
};

struct host_conf {        /* [host NAME]: reached over SSH */
	char *name, *address, *user, *identity, *known_hosts;
	int port;
	int line;
};

enum action_kind { ACTION_COMMAND, ACTION_FIREWALL, ACTION_IMAGE, ACTION_KEYLOCK };

struct action_conf {      /* [action NAME], in the order of the file */
	char *name, *title;
	enum action_kind kind;
	char *host;           /* a [host]; NULL: this machine */
	char *ca;             /* keylock: whose key must not sign afterwards; NULL */
	char *run, *verify, *undo;  /* shell commands, as the operator wrote them */
	char *ports;          /* firewall: "80, 443" */
	char *probe;          /* "address:port" that must not answer from here afterwards; NULL */
	char *source, *target;/* image: device or file; folder */
	int deadline;         /* seconds; default 60, an image 86400 */
	int line;
};

struct notice_conf {      /* [notice management|internal|external|intake|subscriber|preliminary|approvers] */
	char *name;
	char *transport;      /* "sendmail", "smtp", "webhook" */
	char **to; size_t tos;/* none for subscriber and preliminary; addresses, or URLs for a webhook */
	char *from, *subject;
	char *template;       /* a file; default: the installed one of that name */
	int line;
};

struct fleet_conf {       /* [fleet] */
	char *inventory;      /* a list, CSV or an ansible inventory */
	char *user, *identity, *known_hosts;
	int port;             /* SSH */
	char *key, *certificate, *chain; /* paths on the hosts; %h is the host's name */
	char *profile;        /* how a server takes its certificate where the inventory does not say; NULL */
	char *profiles;       /* folder of profiles, before the installed ones; NULL */
	char *starttls;       /* NULL: TLS from the start */
	char *blocklist;      /* file of compromised public keys; NULL */
	bool combined, sudo;
	char *key_mode;       /* "keep" or "new" */
	char *names;          /* of new certificates: "inventory", or "certificate" (the one in place) */
	char *test, *reload;  /* commands on the host */
	int probe_port;       /* TLS; 0: the profile's, else 443 */
	int concurrency;      /* SSH children; default 16 */
	int days;             /* validity; default 90 */
	int deadline;         /* seconds per host; default 60 */
	char *canaries, *waves; /* as the options of reissue have them; NULL: none */
	char *max_failed, *max_unreachable, *max_refused; /* a number, or "none"; NULL: none */
	int line;
};

struct contacts_conf {    /* [contacts]: where the problem-reporting address is published */
	char *problem_report; /* mail address, or the URL of a form; NULL: no such section */
	char *ccadb;          /* CSV export of a directory; NULL */
	char *ccadb_owner;    /* the CA Owner whose rows count; with ccadb */
	char **cps; size_t cpss; /* CP and CPS: .txt, .md, .pdf */
	char *page;           /* URL */
	int days;             /* from one comparison to the next */
	int line;
};

struct intake_conf {      /* [intake]: problem reports */
	char *source;         /* a Maildir or mbox that is read where none is named; NULL */
	char **hops; size_t hop_count; /* globs of our own mail hosts: their Received lines are believed */
	char **keywords; size_t keyword_count; /* words that make a mail a report by themselves */
	int max_size;         /* MiB of one mail that are read */
	int line;
};

struct config {
	char *path;           /* the file */
	char *state;          /* folder of the incident files */
	char *playbook;       /* file */
	char *deadlines;      /* file of times; NULL: the profile's */
	char *subscribers;    /* CSV file of their contacts; NULL */
	char *organisation, *profile;
	char *contact_pki, *contact_security, *contact_hotline;
	char *estimated_downtime; /* hours, for the notices; NULL: asked for */
	char *ssh_config;     /* in place of the usual two; "none"; NULL: the usual two */
	char *ari_folder, *ari_url, *ari_explanation; /* renewal information: where it goes, its URL, why; NULL */
	char *sendmail;       /* command; default /usr/sbin/sendmail */
	char *smtp_url, *smtp_user, *smtp_password_file;
	struct ca_conf *ca; size_t cas;
	struct point_conf *point; size_t points;
	struct host_conf *host; size_t hosts;
	struct action_conf *action; size_t actions;
	struct notice_conf *notice; size_t notices;
	struct fleet_conf fleet;
	struct contacts_conf contacts;
	struct intake_conf intake;
	struct errs missing;  /* files that it names and that are not there: what needs one says so, and doctor all */
};

/* The file that is used: path if given, else $XDG_CONFIG_HOME/sev1/sev1.conf (~/.config), else
 * /etc/sev1/sev1.conf. Owned by the caller; NULL with an error naming what was tried. */
char *config_find(const char *path, struct err *e);
/* Read and check it. NULL with "FILE:LINE: what" and a remedy: unknown section or key, a value out of
 * range, a name that refers to nothing. Files that are not there are in missing. Keys and certificates are checked by doctor
 * and by each command, in the CA child; the inventory and the other files of [fleet] by doctor and by what needs the
 * servers (work/servers.h). */
struct config *config_load(const char *path, struct err *e);
void config_free(struct config *c);

const struct ca_conf *config_ca(const struct config *c, const char *name);       /* NULL */
const struct host_conf *config_host(const struct config *c, const char *name);   /* NULL */
const struct action_conf *config_action(const struct config *c, const char *name); /* NULL */
const struct notice_conf *config_notice(const struct config *c, const char *name); /* NULL */

#endif
