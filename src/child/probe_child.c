/* Looks at what the world sees: what a URL serves, whether a port answers, which certificate a server
 * presents. It decides nothing about trust: bytes and fingerprints are compared with what is
 * known, because in this incident no chain proves anything. */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/confine.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/dial.h"
#include "child/net.h"
#include "child/serve.h"
#include "child/starttls.h"

#define TICK_MS 10

/* ---- fetch ---- */

struct fetch {
	struct digest *digest;
	struct buf *keep; /* what came, where the request names a file for it; else NULL */
	int64_t octets, max;
	bool connected;
	struct err refused; /* of confine */
};

static size_t fetch_take(char *data, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;

	f->octets += (int64_t)(size * n);
	if (f->octets > f->max)
		return 0;
	digest_add(f->digest, data, size * n);
	if (f->keep != NULL)
		buf_add(f->keep, data, size * n);
	return size * n;
}

static curl_socket_t fetch_socket(void *ctx, curlsocktype why, struct curl_sockaddr *to)
{
	struct fetch *f = ctx;

	(void)why;
	if (confine_address(&to->addr, &f->refused) < 0)
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static int fetch_explain(const struct fetch *f, CURLcode code, const char *url, const char *said,
    int timeout_s, struct err *e)
{
	if (f->refused.code != 0)
		*e = f->refused;
	else if (f->octets > f->max)
		err_set(e, ERR_FAILED, _("%s: more than %lld octets"), url, (long long)f->max);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		err_set(e, ERR_TIMEOUT, f->connected ? _("%s: not fetched within %d s (%lld octets came)") :
		    _("%s: no connection within %d s"), url, timeout_s, (long long)f->octets);
	else if (code == CURLE_PARTIAL_FILE)
		err_set(e, ERR_FAILED, _("%s: truncated after %lld octets"), url, (long long)f->octets);
	else
		err_set(e, ERR_FAILED, "%s: %s", url, said[0] != '\0' ? said : net.easy_strerror(code));
	return e->code;
}

/* verify: the server's certificate must be trusted; else the digest of what came decides. */
static void fetch_options(CURL *curl, struct fetch *f, const char *url, int timeout_s, bool verify, char *said)
{
	net.easy_setopt(curl, CURLOPT_URL, url);
	net.easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	net.easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	net.easy_setopt(curl, CURLOPT_FOLLOWLOCATION, confine_root() == NULL ? 1L : 0L);
	net.easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
	net.easy_setopt(curl, CURLOPT_PROXY, ""); /* what clients see, not what a proxy here keeps */
	net.easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	net.easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_s * 1000);
	net.easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	net.easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	net.easy_setopt(curl, CURLOPT_WRITEFUNCTION, fetch_take);
	net.easy_setopt(curl, CURLOPT_WRITEDATA, f);
	net.easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, fetch_socket);
	net.easy_setopt(curl, CURLOPT_OPENSOCKETDATA, f);
	net.easy_setopt(curl, CURLOPT_ERRORBUFFER, said);
	net.easy_setopt(curl, CURLOPT_USERAGENT, "sev1");
}

static CURLcode fetch_perform(CURL *curl, struct fetch *f, long *status)
{
	curl_off_t connect_us = 0;
	CURLcode code = net.easy_perform(curl);

	net.easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	net.easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connect_us);
	f->connected = connect_us > 0;
	return code;
}

static int probe_fetch(const json_t *request, json_t **result, struct err *e)
{
	const char *url = json_str(request, "url");
	int timeout_s = (int)json_num(request, "timeout_s", 10);
	const char *path = json_str(request, "path");
	struct buf kept = { 0 };
	struct fetch f = { .max = json_num(request, "max", 1 << 28), .keep = path[0] != '\0' ? &kept : NULL };
	char said[CURL_ERROR_SIZE] = "", hex[DIGEST_HEX];
	int64_t began = clock_mono();
	CURL *curl;
	CURLcode code;
	long status = 0;
	int rc = 0;

	if ((rc = dial_confined_url(url, e)) < 0 || (rc = net_load(e)) < 0)
		return rc;
	net.global_init(CURL_GLOBAL_DEFAULT);
	if ((curl = net.easy_init()) == NULL)
		return err_set(e, ERR_FAILED, _("libcurl cannot be used"));
	f.digest = digest_new();
	fetch_options(curl, &f, url, timeout_s, json_bool(request, "verify"), said);
	code = fetch_perform(curl, &f, &status);
	net.easy_cleanup(curl);
	net.global_cleanup();
	digest_end(f.digest, hex);
	if (code != CURLE_OK) {
		rc = fetch_explain(&f, code, url, said, timeout_s, e);
	} else if (f.keep == NULL || (rc = fs_write(path, buf_str(&kept), kept.len, 0600, e)) == 0) {
		*result = json_object();
		json_put(*result, "sha256", hex);
		json_put_num(*result, "octets", f.octets);
		json_put_num(*result, "status", status);
		json_put_num(*result, "ms", clock_mono() - began);
	}
	buf_free(&kept);
	return rc;
}

/* ---- tcp ---- */

static int probe_tcp(const json_t *request, json_t **result, struct err *e)
{
	int timeout_s = (int)json_num(request, "timeout_s", 5);
	int64_t until = clock_mono() + (int64_t)timeout_s * 1000;
	struct dial *d = dial_start(json_str(request, "address"), (int)json_num(request, "port", 0));
	enum dial_state state;
	struct err why = { 0 };

	while ((state = dial_step(d, &why)) == DIAL_WAIT && clock_mono() < until) {
		struct pollfd p = { .fd = dial_fd(d), .events = POLLOUT };
		poll(&p, 1, p.fd < 0 ? TICK_MS : (int)(until - clock_mono()) + 1);
	}
	dial_free(d);
	if (why.code == ERR_CONFINED || why.code == ERR_NOTFOUND) {
		*e = why; /* a name that is not known says nothing about the port */
		return e->code;
	}
	*result = json_object();
	json_object_set_new(*result, "open", json_boolean(state == DIAL_OPEN));
	if (state == DIAL_WAIT)
		err_set(&why, ERR_TIMEOUT, _("no answer in %d s"), timeout_s);
	json_put(*result, "detail", state == DIAL_OPEN ? _("answers") : why.text);
	return 0;
}

/* ---- tls ---- */

struct shake { /* one handshake under way */
	json_t *ask;
	struct dial *dial;
	SSL *ssl;
	struct starttls words; /* before TLS; protocol "" without */
	struct buf in, out;
	bool plain;            /* those words are under way */
	int fd;
	short events;
	bool ready;            /* there may be something to do */
	int64_t until;
};

struct session {
	SSL_CTX *ctx;
	struct shake *shake;
	size_t shakes;
};

static void shake_free(struct shake *s)
{
	dial_free(s->dial);
	SSL_free(s->ssl);
	if (s->fd >= 0)
		close(s->fd);
	buf_free(&s->in);
	buf_free(&s->out);
	json_decref(s->ask);
}

static void put_serial(json_t *o, X509 *leaf)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
	char *hex = bn != NULL ? BN_bn2hex(bn) : NULL;

	json_put(o, "serial", hex);
	OPENSSL_free(hex);
	BN_free(bn);
}

/* Is the issuer's certificate not sent along, though clients cannot be expected to have it? Roots they have. */
static bool shake_lacks_issuer(const struct shake *s)
{
	const char *pem = json_str(s->ask, "chain");
	const STACK_OF(X509) *sent = SSL_get_peer_cert_chain(s->ssl);
	BIO *b = pem[0] != '\0' ? BIO_new_mem_buf(pem, -1) : NULL;
	X509 *issuer = b != NULL ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	bool lacks = issuer != NULL && X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(issuer)) != 0;

	for (int i = 0; lacks && i < sk_X509_num(sent); i++)
		lacks = X509_cmp(sk_X509_value(sent, i), issuer) != 0;
	X509_free(issuer);
	BIO_free(b);
	return lacks;
}

/* The presented leaf against the fingerprint that is expected. */
static void shake_judge(const struct shake *s, json_t *said)
{
	X509 *leaf = SSL_get1_peer_certificate(s->ssl);
	unsigned char *der = NULL;
	char hex[DIGEST_HEX];
	struct tm tm;
	int len;
	bool same;

	if (leaf == NULL || (len = i2d_X509(leaf, &der)) < 0) {
		json_put(said, "detail", _("no certificate was presented"));
		X509_free(leaf);
		return;
	}
	digest_of(der, (size_t)len, hex);
	same = strcasecmp(hex, json_str(s->ask, "fingerprint")) == 0;
	json_object_set_new(said, "ok", json_boolean(same));
	json_put(said, "fingerprint", hex);
	put_serial(said, leaf);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm) == 1)
		json_put_num(said, "not_after", (int64_t)timegm(&tm) * 1000);
	json_put(said, "detail", !same ? _("presents another certificate") : shake_lacks_issuer(s) ?
	    _("presents the expected certificate, without its issuer's: clients that lack that one refuse it") :
	    _("presents the expected certificate"));
	OPENSSL_free(der);
	X509_free(leaf);
}

/* Say how a handshake ended; why NULL where it succeeded. */
static void shake_end(struct shake *s, const char *why)
{
	json_t *said = json_object();

	json_put(said, "id", json_str(s->ask, "id"));
	json_object_set_new(said, "ok", json_false());
	if (why == NULL)
		shake_judge(s, said);
	else
		json_put(said, "detail", why);
	serve_say(json_pack("{s:o}", "tls", said));
	shake_free(s);
}

static bool shake_connected(struct shake *s, SSL_CTX *ctx, struct err *e)
{
	const char *name = json_str(s->ask, "name");

	s->fd = dial_take(s->dial);
	s->ssl = SSL_new(ctx);
	if (s->ssl == NULL || SSL_set_fd(s->ssl, s->fd) != 1 ||
	    /* RFC 6066, 3: an address is no server name */
	    (name[0] != '\0' && !text_is_ip(name) && SSL_set_tlsext_host_name(s->ssl, name) != 1)) {
		err_set(e, ERR_FAILED, _("TLS cannot be started"));
		return false;
	}
	SSL_set_connect_state(s->ssl);
	return true;
}

/* Send and hear what comes before TLS, as far as it goes. 1 while it waits; 0 done; negative failed. */
static int shake_talk(struct shake *s, struct err *e)
{
	char part[2048];
	ssize_t n;
	int rc;

	for (;;) {
		if ((rc = starttls_step(&s->words, &s->in, &s->out, e)) <= 0)
			return rc;
		while (s->out.len > 0 && (n = send(s->fd, s->out.data, s->out.len, MSG_NOSIGNAL)) > 0)
			buf_drop(&s->out, (size_t)n);
		s->events = s->out.len > 0 ? POLLOUT : POLLIN;
		if (s->out.len > 0)
			return 1;
		if ((n = recv(s->fd, part, sizeof part, 0)) > 0)
			buf_add(&s->in, part, (size_t)n);
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 1;
		else
			return err_set(e, ERR_FAILED, _("the connection was closed before TLS"));
	}
}

static void shake_why(struct shake *s, int rc, struct err *e)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	if (SSL_get_error(s->ssl, rc) == SSL_ERROR_SYSCALL && code == 0)
		reason = _("the connection was closed");
	err_set(e, ERR_FAILED, _("TLS handshake: %s"), reason != NULL ? reason : _("failed"));
}

/* Go on with one. 1 while it waits; 0 done; negative failed with e. */
static int shake_step(struct shake *s, SSL_CTX *ctx, struct err *e)
{
	int rc, want;

	if (s->ssl == NULL) {
		switch (dial_step(s->dial, e)) {
		case DIAL_FAILED:
			return e->code;
		case DIAL_WAIT:
			s->events = POLLOUT;
			return 1;
		case DIAL_OPEN:
			if (!shake_connected(s, ctx, e))
				return e->code;
		}
	}
	if (s->plain) {
		if ((rc = shake_talk(s, e)) != 0)
			return rc;
		s->plain = false;
	}
	ERR_clear_error();
	if ((rc = SSL_do_handshake(s->ssl)) == 1)
		return 0;
	want = SSL_get_error(s->ssl, rc);
	if (want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE) {
		s->events = want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		return 1;
	}
	shake_why(s, rc, e);
	return e->code;
}

static void session_add(struct session *t, json_t *ask)
{
	struct shake *s;

	t->shake = mem_grow(t->shake, t->shakes + 1, sizeof *t->shake);
	s = &t->shake[t->shakes++];
	*s = (struct shake){ .ask = ask, .fd = -1, .events = POLLOUT, .ready = true };
	s->words.protocol = json_str(ask, "starttls");
	s->plain = s->words.protocol[0] != '\0';
	s->dial = dial_start(json_str(ask, "address"), (int)json_num(ask, "port", 443));
	s->until = clock_mono() + json_num(ask, "timeout_s", 10) * 1000;
}

static void session_step(struct session *t)
{
	for (size_t i = 0; i < t->shakes;) {
		struct shake *s = &t->shake[i];
		struct err e = { 0 };
		int rc = s->ready ? shake_step(s, t->ctx, &e) : 1;
		if (rc > 0 && clock_mono() >= s->until)
			rc = err_set(&e, ERR_TIMEOUT, _("no answer in %d s"),
			    (int)json_num(s->ask, "timeout_s", 10));
		if (rc > 0) {
			i++;
			continue;
		}
		shake_end(s, rc < 0 ? e.text : NULL);
		t->shake[i] = t->shake[--t->shakes];
	}
}

/* Wait for the sockets and for new lines (open: more may come); the resolver has no descriptor to wait for. */
static void session_wait(struct session *t, bool open)
{
	struct pollfd *p = mem_zalloc(t->shakes + 1, sizeof *p);
	int ms = 200;

	for (size_t i = 0; i < t->shakes; i++) {
		p[i] = (struct pollfd){ .events = t->shake[i].events,
			.fd = t->shake[i].ssl != NULL ? t->shake[i].fd : dial_fd(t->shake[i].dial) };
		if (p[i].fd < 0)
			ms = TICK_MS;
	}
	p[t->shakes] = (struct pollfd){ .fd = open ? STDIN_FILENO : -1, .events = POLLIN };
	if (poll(p, (nfds_t)t->shakes + 1, ms) < 0)
		memset(p, 0, (t->shakes + 1) * sizeof *p);
	for (size_t i = 0; i < t->shakes; i++)
		t->shake[i].ready = p[i].fd < 0 || p[i].revents != 0;
	free(p);
}

static int probe_tls(struct err *e)
{
	struct session t = { .ctx = SSL_CTX_new(TLS_client_method()) };
	bool open = true;
	json_t *ask;
	int late;

	if (t.ctx == NULL)
		return err_set(e, ERR_FAILED, _("TLS is not available from OpenSSL"));
	SSL_CTX_set_security_level(t.ctx, 0); /* an old server's weak key is to be seen too */
	SSL_CTX_set_verify(t.ctx, SSL_VERIFY_NONE, NULL); /* the fingerprint decides */
	while (open || t.shakes > 0) {
		ask = open ? serve_next(t.shakes > 0 ? 0 : -1, &late) : NULL;
		if (ask != NULL)
			session_add(&t, ask);
		else if (open && !late)
			open = false;
		session_step(&t);
		if (ask == NULL && t.shakes > 0)
			session_wait(&t, open);
	}
	free(t.shake);
	SSL_CTX_free(t.ctx);
	return 0;
}

int probe_child(const json_t *request, json_t **result, struct err *e)
{
	const char *op = json_str(request, "op");

	if (strcmp(op, "fetch") == 0)
		return probe_fetch(request, result, e);
	if (strcmp(op, "tcp") == 0)
		return probe_tcp(request, result, e);
	if (strcmp(op, "tls") == 0)
		return probe_tls(e);
	return err_set(e, ERR_USAGE, _("the probe child cannot do '%s'"), op);
}
