#include "base/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/i18n.h"

static size_t secret_pages(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (SECRET_LINE + page - 1) / page * page;
}

char *secret_new(struct err *e)
{
	size_t n = secret_pages();
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		err_sys(e, _("memory for a PIN or passphrase"));
		return NULL;
	}
	if (mlock(p, n) < 0 || madvise(p, n, MADV_DONTDUMP) < 0 || madvise(p, n, MADV_WIPEONFORK) < 0) {
		err_sys(e, _("memory for a PIN or passphrase cannot be locked"));
		err_remedy(e, _("allow this user some locked memory: ulimit -l 64"));
		munmap(p, n);
		return NULL;
	}
	return p;
}

void secret_free(char *s)
{
	if (s == NULL)
		return;
	explicit_bzero(s, secret_pages());
	munmap(s, secret_pages());
}

void secret_harden(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}
