#include "token_seam.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "pki_seam.h"

static char spy[256], spy_log[300];

static void leave_out(const char *what)
{
	print_message("SKIP: %s is not installed\n", what);
	exit(77);
}

void token_make(void)
{
	char *conf = mem_printf("%s/softhsm2.conf", pki_here()), *text;
	glob_t found;

	if (access(TOKEN_MODULE, R_OK) < 0)
		leave_out("softhsm2");
	if (glob("/usr/lib/*/engines-3/pkcs11.so", 0, NULL, &found) != 0)
		leave_out("libengine-pkcs11-openssl");
	globfree(&found);
	if (glob("/usr/lib/*/pkcs11-spy.so", 0, NULL, &found) != 0 || access("/usr/bin/pkcs11-tool", X_OK) < 0)
		leave_out("opensc");
	snprintf(spy, sizeof spy, "%s", found.gl_pathv[0]);
	globfree(&found);
	text = mem_printf("directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", pki_here());
	pki_write(conf, text);
	pki_must("mkdir tokens");
	snprintf(spy_log, sizeof spy_log, "%s/spy.log", pki_here());
	setenv("SOFTHSM2_CONF", conf, 1);
	setenv("PKCS11SPY", TOKEN_MODULE, 1);
	setenv("PKCS11SPY_OUTPUT", spy_log, 1);
	pki_must("softhsm2-util --init-token --free --label 'CA token' --pin %s --so-pin so-pin-1", TOKEN_PIN);
	free(conf);
	free(text);
}

void token_import(const char *name)
{
	static int id;

	pki_must("openssl pkcs8 -topk8 -nocrypt -in %s/private/ca.key -out moved.key && softhsm2-util --import moved.key "
	         "--token 'CA token' --label %s --id %02x --pin %s && rm moved.key %s/private/ca.key", name, name, ++id,
	    TOKEN_PIN, name);
}

void token_pull(void)
{
	pki_must("mv tokens pulled && mkdir tokens");
}

void token_return(void)
{
	pki_must("rmdir tokens && mv pulled tokens");
}

/* The log is never removed: processes that write it hold it open. */
int token_logins(void)
{
	static int before;
	int all = fs_exists(spy_log) ? pki_sh("exit $(grep -c ': C_Login$' %s)", spy_log) : 0, n = all - before;

	before = all;
	return n;
}

json_t *token_request(const char *name, int by_spy)
{
	char *config = mem_printf("%s/%s/openssl.cnf", pki_here(), name);
	json_t *o = json_pack("{s:s,s:s,s:s,s:s+,s:s}", "name", name, "title", name, "config", config, "key",
	    "pkcs11:token=CA%20token;object=", name, "module", by_spy ? spy : TOKEN_MODULE);

	free(config);
	return o;
}
