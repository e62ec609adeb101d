/* What the fan-out is measured with:
 *	fanout_peer tls DIR PORT KEY          a TLS service for every address of loopback: it presents
 *	                                      DIR/ADDRESS/server.pem as it is at that moment, on a key that all have
 *	fanout_peer ssh PROCESSES PORT USER IDENTITY COMMAND HOST...
 *	                                      plain libssh: so many processes, each takes one host after another,
 *	                                      connects and runs COMMAND, %h replaced by the host
 * Says what went wrong on stderr and ends with 1. */
#include <arpa/inet.h>
#include <errno.h>
#include <libssh/libssh.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "fanout_peer: %s: %s\n", what, why);
	return 1;
}

/* ---- the TLS service ---- */

static void tls_serve(SSL_CTX *ctx, int fd, const char *folder)
{
	struct sockaddr_in to;
	socklen_t len = sizeof to;
	SSL *ssl = SSL_new(ctx);
	char *pem;

	getsockname(fd, (struct sockaddr *)&to, &len);
	pem = mem_printf("%s/%s/server.pem", folder, inet_ntoa(to.sin_addr));
	if (SSL_use_certificate_chain_file(ssl, pem) == 1) {
		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1)
			SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	free(pem);
	close(fd);
}

static int tls_main(const char *folder, int port, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((in_port_t)port) };
	struct timeval most = { .tv_sec = 2 };
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1, fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* a reload: the certificate is read at every handshake */
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return fail(key, "not a key");
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(s, (struct sockaddr *)&at, sizeof at) < 0 || listen(s, 512) < 0)
		return fail("listen", strerror(errno));
	while ((fd = accept(s, NULL, NULL)) >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
		tls_serve(ctx, fd, folder);
	}
	return fail("accept", strerror(errno));
}

/* ---- plain libssh ---- */

struct ssh_job {
	unsigned int port;
	const char *user, *command;
	ssh_key key;
};

static char *ssh_command(const char *pattern, const char *host)
{
	const char *at = strstr(pattern, "%h");

	return at == NULL ? mem_strdup(pattern) : mem_printf("%.*s%s%s", (int)(at - pattern), pattern, host, at + 2);
}

static int ssh_exec(ssh_session s, const char *command)
{
	ssh_channel c = ssh_channel_new(s);
	char block[4096];
	int rc = 1;

	if (c != NULL && ssh_channel_open_session(c) == SSH_OK && ssh_channel_request_exec(c, command) == SSH_OK) {
		while (ssh_channel_read(c, block, sizeof block, 0) > 0)
			;
		rc = ssh_channel_get_exit_status(c) == 0 ? 0 : fail(command, "it failed");
	}
	ssh_channel_close(c);
	ssh_channel_free(c);
	return rc;
}

static int ssh_one(const struct ssh_job *j, const char *host)
{
	ssh_session s = ssh_new();
	bool off = false;
	char *command = ssh_command(j->command, host);
	int rc;

	ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &off);
	ssh_options_set(s, SSH_OPTIONS_HOST, host);
	ssh_options_set(s, SSH_OPTIONS_PORT, &j->port);
	ssh_options_set(s, SSH_OPTIONS_USER, j->user);
	if (ssh_connect(s) != SSH_OK || ssh_userauth_publickey(s, NULL, j->key) != SSH_AUTH_SUCCESS)
		rc = fail(host, ssh_get_error(s));
	else
		rc = ssh_exec(s, command);
	ssh_disconnect(s);
	ssh_free(s);
	free(command);
	return rc;
}

static int ssh_main(int processes, const struct ssh_job *j, int hosts, char *host[])
{
	atomic_int *next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rc = 0, status, i;

	for (int p = 0; p < processes; p++) {
		if (fork() != 0)
			continue;
		while (rc == 0 && (i = atomic_fetch_add(next, 1)) < hosts)
			rc = ssh_one(j, host[i]);
		_exit(rc);
	}
	while (wait(&status) > 0)
		rc |= status;
	return rc != 0;
}

int main(int argc, char *argv[])
{
	struct ssh_job j = { 0 };

	if (argc == 5 && strcmp(argv[1], "tls") == 0)
		return tls_main(argv[2], atoi(argv[3]), argv[4]);
	if (argc < 8 || strcmp(argv[1], "ssh") != 0)
		return fail("usage", "tls DIR PORT KEY | ssh PROCESSES PORT USER IDENTITY COMMAND HOST...");
	ssh_init();
	j.port = (unsigned int)atoi(argv[3]);
	j.user = argv[4];
	j.command = argv[6];
	if (ssh_pki_import_privkey_file(argv[5], NULL, NULL, NULL, &j.key) != SSH_OK)
		return fail(argv[5], "not a key");
	return ssh_main(atoi(argv[2]), &j, argc - 7, argv + 7);
}
