#include "pki/token.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/text.h"

#define TOKENS_MAX 64
#define LOOKS 4          /* at a token that seems not to be there */
#define LOOK_AGAIN_MS 100

static CK_FUNCTION_LIST *library; /* the one that was started */

/* *started: it was this call that started it, and whoever called may shut it down again. */
static int token_library(const char *module, CK_FUNCTION_LIST **f, bool *started, struct err *e)
{
	CK_RV (*get)(CK_FUNCTION_LIST **);
	void *lib, *symbol;
	CK_RV rv;

	if (access(module, R_OK) < 0) {
		err_sys(e, _("the PKCS#11 library %s"), module);
		return err_remedy(e, _("install the library of the HSM (SoftHSM: package softhsm2, smart cards: package "
		    "opensc-pkcs11, else the vendor's), or correct 'pkcs11-module ='"));
	}
	if ((lib = dlopen(module, RTLD_NOW | RTLD_LOCAL)) == NULL ||
	    (symbol = dlsym(lib, "C_GetFunctionList")) == NULL) {
		err_set(e, ERR_IO, _("%s is not a PKCS#11 library that can be loaded: %s"), module, dlerror());
		return err_remedy(e, _("correct 'pkcs11-module ='"));
	}
	memcpy(&get, &symbol, sizeof get); /* POSIX's way from an object pointer to a function */
	if ((rv = get(f)) == CKR_OK && ((rv = (*f)->C_Initialize(NULL)) == CKR_OK ||
	    rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		library = *f;
		*started = rv == CKR_OK;
		return 0;
	}
	err_set(e, ERR_IO, _("the PKCS#11 library %s does not start (0x%lx)"), module, (unsigned long)rv);
	return err_remedy(e, _("see its own configuration and log; SoftHSM reads the file that SOFTHSM2_CONF names"));
}

/* A field of the token: padded with blanks, no NUL. */
static void token_field(char *out, const unsigned char *in, size_t n)
{
	while (n > 0 && in[n - 1] == ' ')
		n--;
	memcpy(out, in, n);
	out[n] = '\0';
}

static void token_take(struct token *t, const CK_TOKEN_INFO *i)
{
	*t = (struct token){
		.login = (i->flags & CKF_LOGIN_REQUIRED) != 0,
		.pinpad = (i->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0,
		.low = (i->flags & CKF_USER_PIN_COUNT_LOW) != 0,
		.last = (i->flags & CKF_USER_PIN_FINAL_TRY) != 0,
		.locked = (i->flags & CKF_USER_PIN_LOCKED) != 0,
		.fresh = (i->flags & CKF_USER_PIN_INITIALIZED) == 0,
	};
	token_field(t->label, i->label, sizeof i->label);
	token_field(t->serial, i->serialNumber, sizeof i->serialNumber);
	token_field(t->manufacturer, i->manufacturerID, sizeof i->manufacturerID);
	token_field(t->model, i->model, sizeof i->model);
}

static bool field_fits(const char *want, const char *is)
{
	return want[0] == '\0' || strcmp(want, is) == 0;
}

static bool token_fits(const struct token_uri *u, const struct token *t)
{
	return field_fits(u->token, t->label) && field_fits(u->serial, t->serial) &&
	    field_fits(u->manufacturer, t->manufacturer) && field_fits(u->model, t->model);
}

/* How the error names what was looked for. */
static char *token_wanted(const struct token_uri *u)
{
	const char *s = u->token[0] != '\0' ? u->token : u->serial[0] != '\0' ? u->serial : u->model;

	return text_escaped(s, strlen(s), 64);
}

static int token_choose(CK_FUNCTION_LIST *f, const struct token_uri *u, struct token *t, struct err *e)
{
	CK_SLOT_ID slot[TOKENS_MAX];
	CK_ULONG n = TOKENS_MAX;
	CK_TOKEN_INFO info;
	size_t found = 0, seen = 0;
	struct token one;
	char *wanted;
	CK_RV rv = f->C_GetSlotList(CK_TRUE, slot, &n);

	if (rv != CKR_OK)
		return err_set(e, ERR_IO, _("the PKCS#11 library does not list its tokens (0x%lx)"), (unsigned long)rv);
	for (CK_ULONG i = 0; i < n; i++) {
		if (f->C_GetTokenInfo(slot[i], &info) != CKR_OK || !(info.flags & CKF_TOKEN_INITIALIZED))
			continue;
		token_take(&one, &info);
		seen++;
		if (token_fits(u, &one) && found++ == 0)
			*t = one;
	}
	if (found == 1)
		return 0;
	wanted = token_wanted(u);
	if (found == 0) {
		err_set(e, ERR_NOTFOUND, _("the token %s is not there (%zu others are)"), wanted, seen);
		err_remedy(e, _("plug it in, or bring the HSM and its network back, and run this again"));
	} else {
		err_set(e, ERR_NOTFOUND, _("%zu tokens are called %s"), found, wanted);
		err_remedy(e, _("add serial= to the pkcs11: URI, so that a PIN never goes to the wrong one"));
	}
	free(wanted);
	return ERR_NOTFOUND;
}

/* SoftHSM reads its files at the start only, and finds no token in one that another process writes at that moment, as
 * each wrong PIN makes it do: in an incident, "not there" is said of what stays away. */
int token_find(const char *module, const struct token_uri *u, struct token *t, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOOK_AGAIN_MS * 1000000L };
	CK_FUNCTION_LIST *f;
	bool started;
	int rc;

	for (int look = 1;; look++) {
		if ((rc = token_library(module, &f, &started, e)) < 0)
			return rc;
		rc = token_choose(f, u, t, e);
		if (rc != ERR_NOTFOUND || !started || look == LOOKS)
			return rc;
		token_forget();
		nanosleep(&pause, NULL);
	}
}

void token_forget(void)
{
	if (library != NULL)
		library->C_Finalize(NULL);
	library = NULL;
}
