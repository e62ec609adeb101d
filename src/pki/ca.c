#include "pki/ca.h"

#include <errno.h>
#include <libgen.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "pki/cert.h"
#include "pki/token_uri.h"

#define CONF_MAX ((size_t)1 << 20)

/* parse_yesno of openssl ca: the first letter decides, 0 and 1 too. */
static bool ca_yesno(const char *s, bool otherwise)
{
	switch (s[0]) {
	case 'f': case 'F': case 'n': case 'N': case '0':
		return false;
	case 't': case 'T': case 'y': case 'Y': case '1':
		return true;
	default:
		return otherwise;
	}
}

const char *ca_setting(const struct ca *ca, const char *section, const char *key)
{
	const char *s;

	if (ca->conf == NULL || section == NULL || section[0] == '\0')
		return "";
	s = NCONF_get_string(ca->conf, section, key);
	ERR_clear_error(); /* an absent setting leaves one behind */
	return s != NULL ? s : "";
}

static char *ca_folder_of(const char *path)
{
	char *copy = mem_strdup(path), *dir = mem_strdup(dirname(copy));

	free(copy);
	return dir;
}

/* What relative paths are relative to. openssl takes the folder it is called in; that is mostly the one the file lies
 * in, or, where the file lies in etc/ or in the CA's own folder, the one above: there the database decides. */
static char *ca_base(const struct ca *ca)
{
	const char *s = ca_setting(ca, ca->section, "database");
	char *base = ca->base != NULL ? mem_strdup(ca->base) : ca_folder_of(ca->config), *above = fs_join(base, "..");
	char *here = fs_join(base, s), *there = fs_join(above, s);
	bool up = s[0] != '/' && !fs_exists(here) && fs_exists(there);
	char *take = up && strchr(base, '/') != NULL && strcmp(base, "/") != 0 ? ca_folder_of(base) : mem_strdup(up ? above : base);

	free(base), free(above), free(here), free(there);
	return take;
}

/* A path setting, absolute; NULL where it is required and absent. */
static char *ca_path(const struct ca *ca, const char *key, bool required, struct err *e)
{
	const char *s = ca_setting(ca, ca->section, key);
	char *base, *full;

	if (s[0] == '\0' && required) {
		err_set(e, ERR_SYNTAX, _("%s: [%s] has no '%s'"), ca->config, ca->section, key);
		err_remedy(e, _("name the CA's own section with 'section =' where it is another one"));
		return NULL;
	}
	if (s[0] == '\0')
		return mem_strdup("");
	while (strncmp(s, "./", 2) == 0)
		for (s += 2; *s == '/'; s++)
			;
	base = ca_base(ca);
	full = fs_join(base, s);
	free(base);
	return full;
}

/* openssl looks for what is included in the folder it is called in; nobody can know which that was, so: beside the file. */
static int ca_parse_bio(const char *path, CONF *conf, BIO *bio, long *line)
{
	bool given = getenv("OPENSSL_CONF_INCLUDE") != NULL;
	char *folder = ca_folder_of(path);
	int rc;

	if (!given)
		setenv("OPENSSL_CONF_INCLUDE", folder, 1);
	rc = NCONF_load_bio(conf, bio, line) > 0;
	if (!given)
		unsetenv("OPENSSL_CONF_INCLUDE");
	free(folder);
	return rc;
}

/* Read here and parsed from memory: OpenSSL calls a file that cannot be opened malformed, or takes it as empty.
 * 1 where it is a configuration, 0 where it is none (*line says where), or an error. */
static int ca_parse(const char *path, CONF **conf, long *line, struct err *e)
{
	struct buf b = { 0 };
	BIO *bio = NULL;
	int rc;

	*conf = NULL;
	if ((rc = fs_read(path, &b, CONF_MAX, e)) == 0) {
		bio = BIO_new_mem_buf(buf_str(&b), (int)b.len);
		*conf = NCONF_new(NULL);
		if (bio == NULL || *conf == NULL)
			rc = err_set(e, ERR_FAILED, _("OpenSSL has no configuration reader"));
		else
			rc = ca_parse_bio(path, *conf, bio, line);
	}
	BIO_free(bio);
	buf_free(&b);
	return rc;
}

/* The variable that this line takes from the environment, which has it not; NULL where it is not that. */
static char *ca_unset(const char *path, long line)
{
	struct buf b = { 0 };
	char *p = fs_read(path, &b, CONF_MAX, NULL) == 0 ? b.data : NULL, *end, *name = NULL;

	for (; p != NULL && line > 1; line--)
		if ((p = strchr(p, '\n')) != NULL)
			p++;
	if (p != NULL && (end = strchr(p, '\n')) != NULL)
		*end = '\0';
	while (name == NULL && p != NULL && (p = strstr(p, "ENV::")) != NULL) {
		p += strlen("ENV::");
		name = mem_strndup(p, strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"));
		if (name[0] == '\0' || getenv(name) != NULL) {
			free(name);
			name = NULL;
		}
	}
	buf_free(&b);
	return name;
}

static int ca_read_conf(struct ca *ca, struct err *e)
{
	long line = 0;
	int rc = ca_parse(ca->config, &ca->conf, &line, e);
	char *unset;

	if (rc != 0)
		return rc < 0 ? rc : 0;
	if ((unset = ca_unset(ca->config, line)) != NULL) {
		ERR_clear_error();
		err_set(e, ERR_SYNTAX, _("%s: line %ld: %s is not set in the environment"), ca->config, line, unset);
		err_remedy(e, _("export %s=... where sev1 runs, as openssl ca wants it too; of an easy-rsa PKI name the pki folder "
		    "instead"), unset);
		free(unset);
		return e != NULL ? e->code : ERR_SYNTAX;
	}
	err_set(e, ERR_SYNTAX, _("%s: line %ld: not an OpenSSL configuration (%s)"), ca->config, line,
	    cert_why());
	return err_remedy(e, _("a file with $ENV:: settings needs them here too; of an easy-rsa PKI name "
	    "the pki folder instead"));
}

static int ca_read_attr(struct ca *ca, struct err *e)
{
	CONF *attr = NULL;
	long line;
	const char *s;
	int rc;

	ca->unique_subject = ca_yesno(ca_setting(ca, ca->section, "unique_subject"), !ca->easyrsa);
	if (!fs_exists(ca->attr))
		return 0;
	rc = ca_parse(ca->attr, &attr, &line, e);
	if (rc == 1 && (s = NCONF_get_string(attr, NULL, "unique_subject")) != NULL)
		ca->unique_subject = ca_yesno(s, true);
	NCONF_free(attr);
	ERR_clear_error();
	return rc < 0 ? rc : 0;
}

static void ca_numbers(struct ca *ca)
{
	const char *s = ca_setting(ca, ca->section, "default_days");

	ca->default_days = atoi(s) > 0 ? atoi(s) : 365;
	s = ca_setting(ca, ca->section, "default_md");
	ca->default_md = mem_strdup(s[0] != '\0' ? s : "default");
	ca->rand_serial = ca_yesno(ca_setting(ca, ca->section, "rand_serial"), false);
	ca->policy = mem_strdup(ca_setting(ca, ca->section, "policy"));
	ca->x509_extensions = mem_strdup(ca_setting(ca, ca->section, "x509_extensions"));
	ca->crl_extensions = mem_strdup(ca_setting(ca, ca->section, "crl_extensions"));
}

static int ca_load_openssl(struct ca *ca, const char *section, const char *key, struct err *e)
{
	const char *s;
	int rc;

	if ((rc = ca_read_conf(ca, e)) < 0)
		return rc;
	if (section == NULL || section[0] == '\0') {
		s = NCONF_get_string(ca->conf, "ca", "default_ca");
		ERR_clear_error();
		if (s == NULL) {
			err_set(e, ERR_SYNTAX, _("%s: [ca] has no 'default_ca'"), ca->config);
			return err_remedy(e, _("name the CA's own section with 'section =' in the configuration of sev1"));
		}
		section = s;
	}
	ca->section = mem_strdup(section);
	if (NCONF_get_section(ca->conf, section) == NULL) {
		ERR_clear_error();
		err_set(e, ERR_SYNTAX, _("%s: there is no section [%s]"), ca->config, section);
		return err_remedy(e, _("it is the section with 'database' and 'private_key': name it with 'section =' in the "
		    "configuration of sev1"));
	}
	if ((ca->database = ca_path(ca, "database", true, e)) == NULL ||
	    (ca->certificate = ca_path(ca, "certificate", true, e)) == NULL ||
	    (ca->new_certs_dir = ca_path(ca, "new_certs_dir", false, e)) == NULL ||
	    (ca->serial = ca_path(ca, "serial", false, e)) == NULL ||
	    (ca->crlnumber = ca_path(ca, "crlnumber", false, e)) == NULL ||
	    (ca->crl = ca_path(ca, "crl", false, e)) == NULL)
		return ERR_SYNTAX;
	if (key != NULL && key[0] != '\0')
		ca->private_key = mem_strdup(key);
	else if (token_uri_is(ca_setting(ca, ca->section, "private_key")))
		ca->private_key = mem_strdup(ca_setting(ca, ca->section, "private_key"));
	else if ((rc = token_uri_alone(ca_setting(ca, ca->section, "private_key"), e)) < 0)
		return err_prefix(e, "%s", ca->config);
	else if ((ca->private_key = ca_path(ca, "private_key", true, e)) == NULL)
		return ERR_SYNTAX;
	ca_numbers(ca);
	return 0;
}

/* The value of "set_var NAME "value"" in a file of easy-rsa's settings; its first, as set_var has it. */
static char *easyrsa_set_var(const char *path, const char *name)
{
	struct buf b = { 0 };
	char *line, *rest, *value = NULL;
	size_t n = strlen(name);

	line = fs_read(path, &b, CONF_MAX, NULL) == 0 ? strtok_r(b.data, "\r\n", &rest) : NULL;
	for (; line != NULL && value == NULL; line = strtok_r(NULL, "\r\n", &rest)) {
		line += strspn(line, " \t");
		if (strncmp(line, "set_var", 7) != 0 || (line[7] != ' ' && line[7] != '\t'))
			continue;
		line += 7 + strspn(line + 7, " \t");
		if (strncmp(line, name, n) != 0 || (line[n] != ' ' && line[n] != '\t'))
			continue;
		line += n + strspn(line + n, " \t\"'");
		value = mem_strndup(line, strcspn(line, " \t\"'#"));
	}
	buf_free(&b);
	return value;
}

/* A setting of easy-rsa: the environment's, that of vars in the pki folder or above it, or otherwise. */
static char *easyrsa_setting(const struct ca *ca, const char *name, const char *otherwise)
{
	static const char *const vars[] = { "vars", "../vars" };
	char *value = getenv(name) != NULL ? mem_strdup(getenv(name)) : NULL, *path;

	for (size_t i = 0; value == NULL && i < 2; i++) {
		path = fs_join(ca->config, vars[i]);
		value = easyrsa_set_var(path, name);
		free(path);
	}
	return value != NULL ? value : mem_strdup(otherwise);
}

static int ca_load_easyrsa(struct ca *ca, const char *key)
{
	char *old = fs_join(ca->config, "ca.key"), *new = fs_join(ca->config, "private");
	char *rand = easyrsa_setting(ca, "EASYRSA_RAND_SN", "yes");
	bool two = fs_exists(old) && !fs_exists(new); /* easy-rsa 2: everything in one folder */

	free(old), free(new);
	ca->easyrsa = true;
	ca->rand_serial = !two && strcmp(rand, "no") != 0;
	free(rand);
	ca->section = mem_strdup("");
	ca->database = fs_join(ca->config, "index.txt");
	ca->certificate = fs_join(ca->config, "ca.crt");
	ca->new_certs_dir = two ? mem_strdup(ca->config) : fs_join(ca->config, "certs_by_serial");
	ca->serial = fs_join(ca->config, "serial");
	ca->crlnumber = mem_strdup("");
	ca->crl = fs_join(ca->config, "crl.pem");
	ca->private_key = key != NULL && key[0] != '\0' ? mem_strdup(key)
	                                                : fs_join(ca->config, two ? "ca.key" : "private/ca.key");
	ca->default_md = easyrsa_setting(ca, "EASYRSA_DIGEST", "sha256");
	ca->default_days = 825;
	ca->policy = mem_strdup("");
	ca->x509_extensions = mem_strdup("");
	ca->crl_extensions = mem_strdup("");
	return 0;
}

/* A folder that openssl ca is called in without -config, as CA.pl does: demoCA lies in it, or is it. */
static int ca_load_called(struct ca *ca, const char *section, const char *key, struct err *e)
{
	char *own = CONF_get1_default_config_file();
	struct err ignored = { 0 };

	ca->base = ca->config;
	ca->config = mem_strdup(own != NULL ? own : "");
	OPENSSL_free(own);
	if (ca_load_openssl(ca, section, key, &ignored) == 0 && ca_setting(ca, ca->section, "database")[0] != '/' &&
	    fs_exists(ca->database))
		return 0;
	err_set(e, ERR_NOTFOUND, _("%s: neither an easy-rsa PKI (index.txt and ca.crt) nor an openssl.cnf "
	    "is in this folder"), ca->base);
	return err_remedy(e, _("name the openssl.cnf of the CA, or the pki folder of easy-rsa"));
}

/* What a folder holds: an easy-rsa PKI, the folder above one, or an openssl.cnf. */
static int ca_load_folder(struct ca *ca, const char *section, const char *key, struct err *e)
{
	static const char *const below[] = { "", "pki", "keys" };
	char *at, *index, *crt, *cnf;
	bool found;

	for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
		at = i == 0 ? mem_strdup(ca->config) : fs_join(ca->config, below[i]);
		index = fs_join(at, "index.txt");
		crt = fs_join(at, "ca.crt");
		cnf = fs_join(at, "openssl.cnf");
		found = fs_exists(cnf);
		if (found || (fs_exists(index) && fs_exists(crt))) {
			free(ca->config);
			ca->config = found ? mem_strdup(cnf) : mem_strdup(at);
			free(at), free(index), free(crt), free(cnf);
			return found ? ca_load_openssl(ca, section, key, e) : ca_load_easyrsa(ca, key);
		}
		free(at), free(index), free(crt), free(cnf);
	}
	return ca_load_called(ca, section, key, e);
}

/* A file that is a link is rewritten where it lies: a rename would leave another beside the one that is linked to. */
static void ca_follow(char **path)
{
	struct stat st;
	char *real;

	if (lstat(*path, &st) < 0 || !S_ISLNK(st.st_mode))
		return;
	if ((real = realpath(*path, NULL)) != NULL) {
		free(*path);
		*path = real;
	} else if (errno == ENOMEM) {
		mem_alloc((size_t)-1);
	}
}

struct ca *ca_load(const char *name, const char *title, const char *config, const char *section,
    const char *key, struct err *e)
{
	struct ca *ca = mem_zalloc(1, sizeof *ca);
	struct stat st;
	int rc;

	ca->name = mem_strdup(name);
	ca->module = mem_strdup("");
	ca->title = mem_strdup(title != NULL && title[0] != '\0' ? title : name);
	ca->config = mem_strdup(config);
	while (strlen(ca->config) > 1 && ca->config[strlen(ca->config) - 1] == '/')
		ca->config[strlen(ca->config) - 1] = '\0';
	if (stat(ca->config, &st) < 0) {
		err_sys(e, "%s", ca->config);
		rc = err_remedy(e, _("put the CA's files back, or correct 'config' in its [ca] section"));
	} else {
		rc = S_ISDIR(st.st_mode) ? ca_load_folder(ca, section, key, e) : ca_load_openssl(ca, section, key, e);
	}
	if (rc < 0) {
		ca_free(ca);
		return NULL;
	}
	ca->attr = mem_printf("%s.attr", ca->database);
	ca_follow(&ca->attr);
	ca_follow(&ca->database);
	ca->dir = ca_folder_of(ca->database);
	if (ca->crlnumber[0] == '\0') {
		free(ca->crlnumber);
		ca->crlnumber = fs_join(ca->dir, "crlnumber");
		ca->crlnumber_own = true;
	}
	ca_follow(&ca->crlnumber);
	if (ca_read_attr(ca, e) < 0) {
		ca_free(ca);
		return NULL;
	}
	return ca;
}

void ca_set_module(struct ca *ca, const char *path)
{
	free(ca->module);
	ca->module = mem_strdup(path != NULL ? path : "");
}

void ca_free(struct ca *ca)
{
	if (ca == NULL)
		return;
	free(ca->module), free(ca->base);
	free(ca->name), free(ca->title), free(ca->config), free(ca->section), free(ca->dir);
	free(ca->database), free(ca->attr), free(ca->new_certs_dir), free(ca->certificate);
	free(ca->private_key), free(ca->serial), free(ca->crlnumber), free(ca->crl);
	free(ca->default_md), free(ca->policy), free(ca->x509_extensions), free(ca->crl_extensions);
	NCONF_free(ca->conf);
	free(ca);
}

X509 *ca_certificate(const struct ca *ca, struct err *e)
{
	return cert_read(ca->certificate, e);
}

char *ca_issued_path(const struct ca *ca, const char *serial)
{
	char *name, *path;

	if (ca->new_certs_dir[0] == '\0')
		return mem_strdup("");
	name = mem_printf("%s.pem", serial);
	path = fs_join(ca->new_certs_dir, name);
	free(name);
	return path;
}
