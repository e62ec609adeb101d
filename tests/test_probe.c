#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/serve.h"
#include "patience.h"
#include "serve_seam.h"

#define BODY "\x30\x03\x02\x01\x05 the octets of a CRL\n"

static const char *folder;
static struct err e;
static int http_port, tls_port, mute_port, closed_port;
static pid_t server[3];
static X509 *cert[2];
static EVP_PKEY *key[2];
static char print[2][DIGEST_HEX];

static int listen_any(int *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&sa, sizeof sa) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (void *)&sa, &len) < 0)
		abort();
	*port = ntohs(sa.sin_port);
	return fd;
}

static void answer(int fd, const char *path)
{
	if (strcmp(path, "/good.crl") == 0)
		dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(BODY), BODY);
	else if (strcmp(path, "/moved.crl") == 0)
		dprintf(fd, "HTTP/1.1 302 Found\r\nLocation: /good.crl\r\nContent-Length: 0\r\n\r\n");
	else if (strcmp(path, "/file.crl") == 0)
		dprintf(fd, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
	else if (strcmp(path, "/truncated.crl") == 0)
		dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n%s", BODY);
	else if (strcmp(path, "/long.crl") == 0)
		dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n%050d", 1);
	else if (strcmp(path, "/stall.crl") == 0) {
		dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n%s", BODY);
		pause();
	} else
		dprintf(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
}

static void http_serve(int fd)
{
	char request[4096], path[1024];
	ssize_t n;
	int c;

	signal(SIGCHLD, SIG_IGN);
	while ((c = accept(fd, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			n = read(c, request, sizeof request - 1);
			request[n > 0 ? n : 0] = '\0';
			if (sscanf(request, "GET %1000s ", path) == 1)
				answer(c, path);
			_exit(0);
		}
		close(c);
	}
}

static int choose(SSL *ssl, int *alert, void *ctx)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	int i = name != NULL && strcmp(name, "b.example.com") == 0;

	(void)alert;
	(void)ctx;
	SSL_use_certificate(ssl, cert[i]);
	SSL_use_PrivateKey(ssl, key[i]);
	return SSL_TLSEXT_ERR_OK;
}

static void tls_serve(int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int c;

	SSL_CTX_use_certificate(ctx, cert[0]);
	SSL_CTX_use_PrivateKey(ctx, key[0]);
	SSL_CTX_set_tlsext_servername_callback(ctx, choose);
	while ((c = accept(fd, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(ctx);
		SSL_set_fd(ssl, c);
		SSL_accept(ssl);
		SSL_free(ssl);
		close(c);
	}
}

static void mute_serve(int fd)
{
	while (accept(fd, NULL, NULL) >= 0)
		; /* connected, and never a word */
}

static pid_t start(void (*fn)(int), int *port)
{
	int fd = listen_any(port);
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn(fd);
		_exit(0);
	}
	close(fd);
	return pid;
}

static void make_cert(int i, const char *name)
{
	unsigned char *der = NULL;
	X509 *x = X509_new();
	int len;

	key[i] = EVP_EC_gen("P-256");
	ASN1_INTEGER_set(X509_get_serialNumber(x), 0x5d0a + i);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "20380101000000Z");
	X509_set_pubkey(x, key[i]);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_sign(x, key[i], EVP_sha256());
	len = i2d_X509(x, &der);
	digest_of(der, (size_t)len, print[i]);
	OPENSSL_free(der);
	cert[i] = x;
}

static int setup(void **state)
{
	int fd;

	(void)state;
	make_cert(0, "a.example.com");
	make_cert(1, "b.example.com");
	server[0] = start(http_serve, &http_port);
	server[1] = start(tls_serve, &tls_port);
	server[2] = start(mute_serve, &mute_port);
	fd = listen_any(&closed_port);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		kill(server[i], SIGKILL);
		waitpid(server[i], NULL, 0);
	}
	for (int i = 0; i < 2; i++) {
		X509_free(cert[i]);
		EVP_PKEY_free(key[i]);
	}
	return 0;
}

static int fetch_within(int timeout_s, const char *scheme, const char *path, int port, int max, json_t **r)
{
	char *url = mem_printf("%s://127.0.0.1:%d%s", scheme, port, path);
	json_t *request = json_pack("{s:s,s:s,s:i,s:i}", "op", "fetch", "url", url, "timeout_s", timeout_s,
	    "max", max);
	int rc;

	*r = NULL;
	memset(&e, 0, sizeof e);
	rc = probe_child(request, r, &e);
	json_decref(request);
	free(url);
	return rc;
}

static int fetch(const char *scheme, const char *path, int port, int max, json_t **r)
{
	return fetch_within(PATIENCE_S, scheme, path, port, max, r);
}

static void test_fetch(void **state)
{
	char hex[DIGEST_HEX];
	json_t *r;

	(void)state;
	digest_of(BODY, strlen(BODY), hex);
	assert_int_equal(fetch("http", "/good.crl", http_port, 1000, &r), 0);
	assert_int_equal(json_num(r, "status", 0), 200);
	assert_int_equal(json_num(r, "octets", 0), strlen(BODY));
	assert_string_equal(json_str(r, "sha256"), hex);
	json_decref(r);
	assert_int_equal(fetch("http", "/moved.crl", http_port, 1000, &r), 0);
	assert_string_equal(json_str(r, "sha256"), hex);
	json_decref(r);
	assert_int_equal(fetch("http", "/none.crl", http_port, 1000, &r), 0);
	assert_int_equal(json_num(r, "status", 0), 404);
	json_decref(r);
}

static void test_fetch_bad(void **state)
{
	int64_t began;
	json_t *r;

	(void)state;
	assert_int_equal(fetch("http", "/truncated.crl", http_port, 1000, &r), ERR_FAILED);
	assert_non_null(strstr(e.text, "truncated after"));
	assert_int_equal(fetch("http", "/long.crl", http_port, 49, &r), ERR_FAILED);
	assert_non_null(strstr(e.text, "more than 49 octets"));
	assert_int_equal(fetch("http", "/long.crl", http_port, 50, &r), 0);
	json_decref(r);
	began = clock_mono();
	assert_int_equal(fetch_within(1, "http", "/stall.crl", http_port, 1000, &r), ERR_TIMEOUT);
	assert_in_range(clock_mono() - began, 900, SOON_MS);
	assert_int_equal(fetch("http", "/good.crl", closed_port, 1000, &r), ERR_FAILED);
	assert_int_equal(fetch("http", "/file.crl", http_port, 1000, &r), ERR_FAILED);
	assert_int_equal(fetch("file", "/etc/passwd", 80, 1000, &r), ERR_FAILED);
	assert_null(r);
}

static int tcp(const char *address, int port, json_t **r)
{
	json_t *request = json_pack("{s:s,s:s,s:i,s:i}", "op", "tcp", "address", address, "port", port,
	    "timeout_s", PATIENCE_S);
	int rc;

	*r = NULL;
	memset(&e, 0, sizeof e);
	rc = probe_child(request, r, &e);
	json_decref(request);
	return rc;
}

static void test_tcp(void **state)
{
	json_t *r;

	(void)state;
	assert_int_equal(tcp("localhost", mute_port, &r), 0);
	assert_true(json_bool(r, "open"));
	json_decref(r);
	assert_int_equal(tcp("127.0.0.1", closed_port, &r), 0);
	assert_false(json_bool(r, "open"));
	assert_non_null(strstr(json_str(r, "detail"), "refused"));
	json_decref(r);
	/* a name that nobody knows is no closed port */
	assert_int_equal(tcp("no-such-name.invalid", 80, &r), ERR_NOTFOUND);
}

static json_t *asks;

static json_t *ask_next(int *end)
{
	json_t *ask = json_incref(json_array_get(asks, 0));

	*end = ask == NULL;
	json_array_remove(asks, 0);
	return ask;
}

static void ask_within(int timeout_s, const char *id, int port, const char *name, const char *fingerprint)
{
	json_array_append_new(asks, json_pack("{s:s,s:s,s:i,s:s,s:s,s:i}", "id", id, "address",
	    "127.0.0.1", "port", port, "name", name, "fingerprint", fingerprint, "timeout_s", timeout_s));
}

static void ask(const char *id, int port, const char *name, const char *fingerprint)
{
	ask_within(PATIENCE_S, id, port, name, fingerprint);
}

/* The same, with a certificate that the server does not send as its issuer's; self: one that clients have. */
static void ask_chain(const char *id, bool self)
{
	X509 *x = X509_dup(cert[1]);
	X509_NAME *other = X509_NAME_new();
	BIO *b = BIO_new(BIO_s_mem());
	char *pem;
	long len;

	X509_NAME_add_entry_by_txt(other, "CN", MBSTRING_ASC, (const unsigned char *)"Root", -1, -1, 0);
	if (!self)
		X509_set_issuer_name(x, other);
	X509_sign(x, key[1], EVP_sha256());
	PEM_write_bio_X509(b, x);
	len = BIO_get_mem_data(b, &pem);
	ask(id, tls_port, "a.example.com", print[0]);
	json_object_set_new(json_array_get(asks, json_array_size(asks) - 1), "chain", json_stringn(pem, (size_t)len));
	BIO_free(b);
	X509_NAME_free(other);
	X509_free(x);
}

static json_t *verdict(const char *id)
{
	for (size_t i = 0;; i++) {
		json_t *v = seam_find("tls", i);
		if (v == NULL || strcmp(json_str(v, "id"), id) == 0)
			return v;
	}
}

#define STALLED 30 /* of two seconds each: together two, in turn a minute */

static void test_tls(void **state)
{
	json_t *request = json_pack("{s:s}", "op", "tls"), *r = NULL;
	int64_t began = clock_mono();
	char id[24];

	(void)state;
	seam_reset();
	seam_next = ask_next;
	asks = json_array();
	for (int i = 0; i < STALLED; i++) {
		snprintf(id, sizeof id, "stalled %d", i);
		ask_within(2, id, mute_port, "a.example.com", print[0]);
	}
	ask("good", tls_port, "a.example.com", print[0]);
	ask("by name", tls_port, "b.example.com", print[1]);
	ask("old one", tls_port, "a.example.com", print[1]);
	ask_chain("no issuer", false);
	ask_chain("root", true);
	ask("closed", closed_port, "a.example.com", print[0]);
	ask("not TLS", http_port, "a.example.com", print[0]);
	assert_int_equal(probe_child(request, &r, &e), 0);
	assert_in_range(clock_mono() - began, 1900, SOON_MS);
	json_decref(request);
	json_decref(asks);
	assert_true(json_bool(verdict("good"), "ok"));
	assert_string_equal(json_str(verdict("good"), "serial"), "5D0A");
	assert_string_equal(json_str(verdict("good"), "fingerprint"), print[0]);
	assert_int_equal(json_num(verdict("good"), "not_after", 0), INT64_C(2145916800000));
	assert_true(json_bool(verdict("by name"), "ok"));
	assert_string_equal(json_str(verdict("by name"), "serial"), "5D0B");
	assert_false(json_bool(verdict("old one"), "ok"));
	assert_string_equal(json_str(verdict("old one"), "fingerprint"), print[0]);
	assert_string_equal(json_str(verdict("old one"), "detail"), "presents another certificate");
	assert_true(json_bool(verdict("no issuer"), "ok"));
	assert_non_null(strstr(json_str(verdict("no issuer"), "detail"), "without its issuer's"));
	assert_true(json_bool(verdict("root"), "ok"));
	assert_string_equal(json_str(verdict("root"), "detail"), "presents the expected certificate");
	assert_false(json_bool(verdict("closed"), "ok"));
	assert_non_null(strstr(json_str(verdict("closed"), "detail"), "refused"));
	assert_false(json_bool(verdict("not TLS"), "ok"));
	for (int i = 0; i < STALLED; i++) {
		snprintf(id, sizeof id, "stalled %d", i);
		assert_false(json_bool(verdict(id), "ok"));
		assert_non_null(strstr(json_str(verdict(id), "detail"), "no answer"));
	}
}

static void test_confined(void **state)
{
	int status;
	json_t *r;

	(void)state;
	if (fork() == 0) {
		if (confine_to(folder, &e) < 0 || fetch("http", "/good.crl", http_port, 1000, &r) != 0)
			_exit(1);
		if (tcp("192.0.2.1", 80, &r) != ERR_CONFINED || tcp("example.com", 80, &r) != ERR_CONFINED)
			_exit(2);
		json_t *out = json_pack("{s:s,s:s}", "op", "fetch", "url", "http://192.0.2.1/x");
		if (probe_child(out, &r, &e) != ERR_CONFINED)
			_exit(3);
		json_t *name = json_pack("{s:s,s:s}", "op", "fetch", "url", "http://u@example.com:80/x");
		if (probe_child(name, &r, &e) != ERR_CONFINED)
			_exit(4);
		_exit(0);
	}
	wait(&status);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_fetch_bad),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_confined),
		cmocka_unit_test(test_tls),
	};

	signal(SIGPIPE, SIG_IGN);
	folder = test_folder();
	return cmocka_run_group_tests(tests, setup, teardown);
}
