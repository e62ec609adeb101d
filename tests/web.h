/* A web server of a few lines, for tests. */
#ifndef SEV1_TESTS_WEB_H
#define SEV1_TESTS_WEB_H

/* Start it on a free port of loopback: GET /NAME is answered with the file that find(NAME) names (owned by the server;
 * NULL: 404), as it is then. find runs in the server's process. One that connects and says nothing holds nobody up.
 * Returns the port. It ends with the test's process. */
int web_start(char *(*find)(const char *name));
/* End it; nothing listens on the port any more. */
void web_stop(void);

#endif
