#include "child/net.h"

#include <dlfcn.h>
#include <string.h>

#include "base/i18n.h"

#define LIBRARY "libcurl.so.4"

struct net net;

int net_load(struct err *e)
{
	static const char *const names[] = { "curl_global_init", "curl_global_cleanup", "curl_easy_init",
		"curl_easy_setopt", "curl_easy_perform", "curl_easy_getinfo", "curl_easy_reset", "curl_easy_cleanup",
		"curl_easy_strerror", "curl_slist_append", "curl_slist_free_all" };
	void *found[sizeof names / sizeof names[0]], *lib;

	_Static_assert(sizeof found == sizeof net, "a name for each function, in the order of struct net");
	if (net.easy_init != NULL)
		return 0;
	if ((lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL)) == NULL) {
		err_set(e, ERR_NOTFOUND, "%s", dlerror());
		return err_remedy(e, _("install %s (Debian: libcurl4)"), LIBRARY);
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((found[i] = dlsym(lib, names[i])) == NULL) {
			dlclose(lib);
			return err_set(e, ERR_NOTFOUND, _("%s has no %s"), LIBRARY, names[i]);
		}
	memcpy(&net, found, sizeof net); /* POSIX: an object pointer of dlsym may be used as a function's */
	return 0;
}
