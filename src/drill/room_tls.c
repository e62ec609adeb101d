#include <netinet/in.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "drill/room.h"

#define TLS_SECONDS 15

SSL_CTX *room_tls_context(const struct map *m, const struct place *p, struct err *e)
{
	char *crt = map_path(m, "hosts/%s/tls/server.crt", p->name);
	char *key = map_path(m, "hosts/%s/tls/server.key", p->name);
	char *chain = map_path(m, "hosts/%s/tls/chain.pem", p->name);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	BIO *bio = BIO_new_file(chain, "r");
	X509 *x = NULL;
	int ok = ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_use_certificate_chain_file(ctx, crt) == 1 &&
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
	    SSL_CTX_check_private_key(ctx) == 1;

	/* The issuers' certificates are optional, as they are for a web server. */
	while (ok && bio != NULL && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ctx, x) != 1)
			X509_free(x);
	if (!ok) {
		char reason[160];

		ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
		err_set(e, ERR_FAILED, "%s: %s", crt, reason);
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	ERR_clear_error();
	BIO_free(bio);
	free(crt);
	free(key);
	free(chain);
	return ctx;
}

void room_tls(SSL_CTX *ctx, const struct place *p, int fd)
{
	SSL *ssl = SSL_new(ctx);
	struct buf answer = { 0 };
	char request[2048];

	alarm(TLS_SECONDS);
	signal(SIGPIPE, SIG_IGN);
	if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1) {
		if (SSL_read(ssl, request, sizeof request) > 0) {
			buf_addf(&answer, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n%s is well\n",
			    p->name);
			SSL_write(ssl, answer.data, (int)answer.len);
		}
		SSL_shutdown(ssl);
	}
	buf_free(&answer);
	SSL_free(ssl);
}
