/* libcurl, loaded when something is fetched or posted. It brings some twenty libraries (LDAP, GnuTLS, ...) that
 * no other part of sev1 needs: without them every child starts in half the time, the SSH children are smaller,
 * and the process that holds a CA's key has no network library in it. */
#ifndef SEV1_NET_H
#define SEV1_NET_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/err.h"

struct net {
	CURLcode (*global_init)(long flags);
	void (*global_cleanup)(void);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*easy_perform)(CURL *curl);
	CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
	void (*easy_reset)(CURL *curl);
	void (*easy_cleanup)(CURL *curl);
	const char *(*easy_strerror)(CURLcode code);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *line);
	void (*slist_free_all)(struct curl_slist *list);
};

/* Functions of libcurl by their names without "curl_". Valid once net_load has returned 0. */
extern struct net net;

/* Load it, once. 0, or ERR_NOTFOUND naming the library. */
int net_load(struct err *e);

#endif
