#include "web.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "patience.h"

static pid_t server;

static void answer(int c, char *(*find)(const char *name))
{
	struct pollfd p = { .fd = c, .events = POLLIN };
	char request[4096], name[200] = "", *path;
	struct buf file = { 0 }, b = { 0 };
	ssize_t n = poll(&p, 1, PATIENCE_MS) == 1 ? recv(c, request, sizeof request - 1, 0) : -1;

	if (n <= 0)
		return;
	request[n] = '\0';
	path = sscanf(request, "GET /%199[^ /]", name) == 1 ? find(name) : NULL;
	if (path != NULL && fs_read(path, &file, 1 << 20, NULL) == 0)
		buf_addf(&b, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", file.len);
	else
		buf_adds(&b, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	buf_add(&b, buf_str(&file), file.len);
	for (size_t sent = 0; sent < b.len && (n = send(c, b.data + sent, b.len - sent, MSG_NOSIGNAL)) > 0;)
		sent += (size_t)n;
	free(path);
	buf_free(&file);
	buf_free(&b);
}

int web_start(char *(*find)(const char *name))
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), c;

	if (fd < 0 || bind(fd, (void *)&sa, sizeof sa) < 0 || listen(fd, 64) < 0 || getsockname(fd, (void *)&sa, &len) < 0) {
		perror("web_start");
		abort();
	}
	if ((server = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while ((c = accept(fd, NULL, NULL)) >= 0) {
			answer(c, find);
			close(c);
		}
		_exit(1);
	}
	close(fd);
	return ntohs(sa.sin_port);
}

void web_stop(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}
