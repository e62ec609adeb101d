#include "pki_seam.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "pki/key.h"

static char folder[64];

int pki_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/sev1-test-XXXXXX");
	return mkdtemp(folder) == NULL || chdir(folder) < 0;
}

int pki_folder_drop(void **state)
{
	struct err e = { 0 };

	(void)state;
	if (chdir("/") < 0 || fs_remove_tree(folder, &e) < 0) {
		print_message("%s\n", e.text);
		return -1;
	}
	return 0;
}

const char *pki_here(void)
{
	return folder;
}

static int pki_shell(const char *fmt, va_list ap)
{
	char *cmd = NULL, *full;
	int rc;

	if (vasprintf(&cmd, fmt, ap) < 0)
		return -1;
	full = mem_printf("{ %s\n} >'%s/log' 2>&1 </dev/null", cmd, folder);
	rc = system(full);
	free(cmd);
	free(full);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

int pki_sh(const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = pki_shell(fmt, ap);
	va_end(ap);
	return rc;
}

void pki_must(const char *fmt, ...)
{
	char *log, *path;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = pki_shell(fmt, ap);
	va_end(ap);
	if (rc == 0)
		return;
	path = fs_join(folder, "log");
	log = pki_read(path);
	print_message("%s: status %d: %s\n", fmt, rc, log);
	free(log);
	free(path);
	fail();
}

char *pki_read(const char *path)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	if (fs_read(path, &b, 1 << 28, &e) < 0) {
		print_message("%s\n", e.text);
		fail();
	}
	return buf_take(&b);
}

void pki_write(const char *path, const char *text)
{
	struct err e = { 0 };

	if (fs_write(path, text, strlen(text), 0644, &e) < 0) {
		print_message("%s\n", e.text);
		fail();
	}
}

int pki_count(const char *path, const char *start)
{
	char *text = pki_read(path), *line, *save = NULL;
	int n = 0;

	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		n += strncmp(line, start, strlen(start)) == 0;
	free(text);
	return n;
}

void pki_openssl(const char *name, const char *key, int n)
{
	const char *how = strcmp(key, "rsa") == 0 ? "rsa:2048"
	    : strcmp(key, "ec") == 0 ? "ec -pkeyopt ec_paramgen_curve:P-256" : "ed25519";
	char *conf, *text;

	pki_must("mkdir -p %s/newcerts %s/private && : > %s/index.txt && echo 1000 > %s/serial && "
	    "echo 01 > %s/crlnumber", name, name, name, name, name);
	text = mem_printf("[ca]\ndefault_ca = CA_default\n[CA_default]\ndir = %s/%s\n"
	    "database = $dir/index.txt\nnew_certs_dir = $dir/newcerts\ncertificate = $dir/ca.crt\n"
	    "private_key = $dir/private/ca.key\nserial = $dir/serial\ncrlnumber = $dir/crlnumber\n"
	    "default_md = sha256\ndefault_days = 30\ndefault_crl_days = 30\nunique_subject = no\n"
	    "policy = pol\nx509_extensions = usr\ncopy_extensions = copy\n[pol]\ncommonName = supplied\n"
	    "[usr]\nbasicConstraints = CA:FALSE\nauthorityKeyIdentifier = keyid\n"
	    "crlDistributionPoints = URI:http://crl.example.com/%s.crl\n[req]\ndistinguished_name = dn\n[dn]\n",
	    folder, name, name);
	conf = mem_printf("%s/openssl.cnf", name);
	pki_write(conf, text);
	pki_must("openssl req -x509 -newkey %s -nodes -keyout %s/private/ca.key -out %s/ca.crt -days 3650 "
	    "-subj '/C=DE/O=Test/CN=%s CA' -config %s -addext basicConstraints=critical,CA:TRUE "
	    "-addext keyUsage=critical,keyCertSign,cRLSign -addext subjectKeyIdentifier=hash", how, name, name,
	    name, conf);
	if (n > 0)
		pki_must("set -e; openssl ecparam -name prime256v1 -genkey -noout -out %s/leaf.key; "
		    "for i in $(seq %d); do h=host$(printf %%04d $i).example.com; "
		    "openssl req -new -key %s/leaf.key -subj /CN=$h -config %s -out %s/leaf.csr; "
		    "openssl ca -batch -notext -config %s -in %s/leaf.csr -out %s/leaf.crt; done", name, n, name, conf,
		    name, conf, name, name);
	free(conf);
	free(text);
}

int pki_easyrsa_run(const char *name, const char *args)
{
	return pki_sh("export EASYRSA=/usr/share/easy-rsa EASYRSA_BATCH=1 EASYRSA_PKI=%s/%s/pki "
	              "EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1; PATH=$PATH:/usr/share/easy-rsa; cd %s && easyrsa %s",
	    folder, name, name, args);
}

void pki_easyrsa(const char *name, int n)
{
	if (access("/usr/share/easy-rsa/easyrsa", X_OK) < 0) {
		print_message("SKIP: /usr/share/easy-rsa/easyrsa is not installed\n");
		exit(77);
	}
	pki_must("mkdir -p %s", name);
	assert_int_equal(pki_easyrsa_run(name, "init-pki"), 0);
	assert_int_equal(pki_easyrsa_run(name, "--req-cn='Easy CA' build-ca nopass"), 0);
	for (int i = 1; i <= n; i++) {
		char *args = mem_printf("build-server-full web%02d.example.com nopass", i);

		assert_int_equal(pki_easyrsa_run(name, args), 0);
		free(args);
	}
}

struct opened pki_open(const char *name, const char *config)
{
	struct opened o = { 0 };
	struct err e = { 0 };
	char *path = fs_join(folder, config);

	o.ca = ca_load(name, NULL, path, NULL, NULL, &e);
	o.cert = o.ca != NULL ? ca_certificate(o.ca, &e) : NULL;
	o.key = o.cert != NULL ? key_open(o.ca, o.cert, &e) : NULL;
	free(path);
	if (o.key == NULL) {
		print_message("%s\n", e.text);
		fail();
	}
	return o;
}

void pki_close(struct opened *o)
{
	EVP_PKEY_free(o->key);
	X509_free(o->cert);
	ca_free(o->ca);
}
