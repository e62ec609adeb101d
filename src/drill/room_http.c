#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "drill/room.h"

#define HTTP_SECONDS 15
#define HTTP_REQUEST 8192u
#define HTTP_FILE (256u << 20)

const struct service room_services[ROOM_SERVICES] = {
	{ "pki-ca", "enrolment service of the issuing CAs\n" },
	{ "ocsp-responder", "" },
};

/* OCSPResponse with the status tryLater, RFC 6960 4.2.1: a responder that is up and has nothing to
 * say yet. */
static const unsigned char ocsp_try_later[] = { 0x30, 0x03, 0x0a, 0x01, 0x03 };

/* The request line and headers, up to the empty line. 0, or -1 where they do not come. */
static int http_read(int fd, struct buf *b)
{
	char block[1024];
	ssize_t n;

	while (b->len == 0 || strstr(buf_str(b), "\r\n\r\n") == NULL) {
		if ((n = read(fd, block, sizeof block)) < 0 && errno == EINTR)
			continue;
		if (n <= 0 || b->len + (size_t)n > HTTP_REQUEST || memchr(block, '\0', (size_t)n) != NULL)
			return b->len > 0 && strstr(buf_str(b), "\r\n\r\n") != NULL ? 0 : -1;
		buf_add(b, block, (size_t)n);
	}
	return 0;
}

static void http_answer(int fd, int status, const char *words, const char *type, const void *body,
    size_t len, bool head)
{
	struct buf b = { 0 };

	buf_addf(&b, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n", status, words, type, len);
	if (!head)
		buf_add(&b, body, len);
	/* a client that leaves early has its reasons; the process ends anyway */
	if (fs_put(fd, b.data, b.len) == 0)
		shutdown(fd, SHUT_WR);
	buf_free(&b);
}

static void http_refuse(int fd, int status, const char *words)
{
	char *body = mem_printf("%d %s\n", status, words);

	http_answer(fd, status, words, "text/plain", body, strlen(body), false);
	free(body);
}

/* "/crl/a.crl" of plain names, none of which begins with a dot: no way leads up or to hidden files. */
static bool http_plain(const char *path)
{
	return path[0] == '/' && path[1] != '\0' && strstr(path, "//") == NULL &&
	    strstr(path, "/.") == NULL && path[strlen(path) - 1] != '/' &&
	    path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")] == '\0';
}

static void http_file(int fd, const char *root, const char *path, bool head)
{
	char *full = mem_printf("%s%s", root, path), real[4096], top[4096];
	struct buf b = { 0 };
	struct stat st;
	size_t n;

	/* a link within the folder must not lead out of it either */
	if (realpath(root, top) == NULL || realpath(full, real) == NULL ||
	    strncmp(real, top, n = strlen(top)) != 0 || real[n] != '/' || stat(real, &st) < 0 ||
	    !S_ISREG(st.st_mode) || fs_read(real, &b, HTTP_FILE, NULL) < 0)
		http_refuse(fd, 404, "Not Found");
	else
		http_answer(fd, 200, "OK", strstr(path, ".crl") != NULL ? "application/pkix-crl" :
		    "application/octet-stream", buf_str(&b), b.len, head);
	buf_free(&b);
	free(full);
}

void room_http(const struct map *m, const struct place *p, int fd)
{
	struct buf request = { 0 };
	char *root = map_web(m, p), method[8], path[1024];

	alarm(HTTP_SECONDS);
	signal(SIGPIPE, SIG_IGN);
	if (http_read(fd, &request) < 0 ||
	    sscanf(buf_str(&request), "%7[A-Z] %1023[^ \r\n] HTTP/1.", method, path) != 2)
		http_refuse(fd, 400, "Bad Request");
	else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		http_refuse(fd, 405, "Method Not Allowed");
	else if (!http_plain(path))
		http_refuse(fd, 404, "Not Found");
	else
		http_file(fd, root, path, strcmp(method, "HEAD") == 0);
	buf_free(&request);
	free(root);
}

void room_service(int i, int fd)
{
	struct buf request = { 0 };

	alarm(HTTP_SECONDS);
	signal(SIGPIPE, SIG_IGN);
	if (http_read(fd, &request) == 0) {
		if (room_services[i].says[0] != '\0')
			http_answer(fd, 200, "OK", "text/plain", room_services[i].says,
			    strlen(room_services[i].says), false);
		else
			http_answer(fd, 200, "OK", "application/ocsp-response", ocsp_try_later,
			    sizeof ocsp_try_later, false);
	}
	buf_free(&request);
}
