#include "pki/token.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"

#define NAMED 4          /* tokens that an error names */
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

static void names_add(struct buf *b, const char *before, const char *s)
{
	char *shown = text_escaped(s, strlen(s), 64);

	if (s[0] != '\0')
		buf_addf(b, "%s%s%s", b->len > 0 ? ", " : "", before, shown);
	free(shown);
}

/* How the error names what was looked for: by all that the URI says of the token. */
static void token_wanted(struct buf *b, const struct token_uri *u)
{
	names_add(b, "", u->token);
	names_add(b, "serial ", u->serial);
	names_add(b, "model ", u->model);
	names_add(b, "manufacturer ", u->manufacturer);
}

/* Not one: none, or several. others names those that are there. */
static int token_unfit(const struct token_uri *u, size_t found, size_t seen, const char *others, struct err *e)
{
	struct buf wanted = { 0 };

	token_wanted(&wanted, u);
	if (seen == 0) {
		err_set(e, ERR_NOTFOUND, _("the token %s is not there: the PKCS#11 library sees no token at all"), buf_str(&wanted));
		err_remedy(e, _("plug it in, or bring the HSM and its network back, and run this again; see that this user may read the "
		    "library's configuration (SoftHSM: the file that SOFTHSM2_CONF names) and its tokens"));
	} else if (found == 0) {
		err_set(e, ERR_NOTFOUND, _("the token %s is not there (%zu others are: %s)"), buf_str(&wanted), seen, others);
		err_remedy(e, _("plug it in, or bring the HSM and its network back, and run this again; or correct the pkcs11: URI"));
	} else if (wanted.len == 0) {
		err_set(e, ERR_NOTFOUND, _("the pkcs11: URI names no token, and %zu are there: %s"), found, others);
		err_remedy(e, _("add token= to it, so that a PIN never goes to the wrong one"));
	} else {
		err_set(e, ERR_NOTFOUND, _("%zu tokens are called %s"), found, buf_str(&wanted));
		err_remedy(e, _("add serial= to the pkcs11: URI, so that a PIN never goes to the wrong one"));
	}
	buf_free(&wanted);
	return ERR_NOTFOUND;
}

/* All slots with a token; owned by the caller. NULL with an error. */
static CK_SLOT_ID *token_slots(CK_FUNCTION_LIST *f, CK_ULONG *n, struct err *e)
{
	CK_SLOT_ID *slot = NULL;
	CK_RV rv;

	do { /* one may be plugged in between the two */
		if ((rv = f->C_GetSlotList(CK_TRUE, NULL, n)) == CKR_OK) {
			slot = mem_grow(slot, *n + 1, sizeof *slot);
			rv = f->C_GetSlotList(CK_TRUE, slot, n);
		}
	} while (rv == CKR_BUFFER_TOO_SMALL);
	if (rv == CKR_OK)
		return slot;
	free(slot);
	err_set(e, ERR_IO, _("the PKCS#11 library does not list its tokens (0x%lx)"), (unsigned long)rv);
	return NULL;
}

static int token_choose(CK_FUNCTION_LIST *f, const struct token_uri *u, struct token *t, struct err *e)
{
	CK_ULONG n;
	CK_SLOT_ID *slot = token_slots(f, &n, e);
	CK_TOKEN_INFO info;
	size_t found = 0, seen = 0;
	struct buf others = { 0 };
	struct token one;
	int rc = 0;

	if (slot == NULL)
		return ERR_IO;
	for (CK_ULONG i = 0; i < n; i++) {
		if (f->C_GetTokenInfo(slot[i], &info) != CKR_OK || !(info.flags & CKF_TOKEN_INITIALIZED))
			continue;
		token_take(&one, &info);
		one.slot = slot[i];
		if (seen++ < NAMED)
			names_add(&others, "", one.label);
		else if (seen == NAMED + 1)
			buf_adds(&others, " ...");
		if (token_fits(u, &one) && found++ == 0)
			*t = one;
	}
	if (found != 1)
		rc = token_unfit(u, found, seen, buf_str(&others), e);
	buf_free(&others);
	free(slot);
	return rc;
}

/* What a key is like. Attributes that a token does not have stay as they are here. */
static void key_look(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key, const struct token_uri *u, struct token_keys *out)
{
	unsigned char id[sizeof u->id], label[sizeof u->object];
	CK_KEY_TYPE kind = CK_UNAVAILABLE_INFORMATION;
	CK_BBOOL always = CK_FALSE;
	CK_ATTRIBUTE a[] = { { CKA_KEY_TYPE, &kind, sizeof kind }, { CKA_ALWAYS_AUTHENTICATE, &always, sizeof always },
		{ CKA_ID, id, sizeof id }, { CKA_LABEL, label, sizeof label } };
	size_t object = strlen(u->object);

	for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
		if (library->C_GetAttributeValue(s, key, &a[i], 1) != CKR_OK)
			a[i].ulValueLen = 0;
	if (a[0].ulValueLen > 0 && kind != CKK_RSA && kind != CKK_EC)
		snprintf(out->odd, sizeof out->odd, kind == CKK_EC_EDWARDS ? "EdDSA" : kind == CKK_DSA ? "DSA" : "0x%lx", kind);
	if ((u->id_len > 0 && (a[2].ulValueLen != u->id_len || memcmp(id, u->id, u->id_len) != 0)) ||
	    (object > 0 && (a[3].ulValueLen != object || memcmp(label, u->object, object) != 0)))
		return;
	if (out->fit < sizeof out->one / sizeof out->one[0]) {
		out->one[out->fit] = *u;
		memcpy(out->one[out->fit].id, id, a[2].ulValueLen);
		out->one[out->fit].id_len = a[2].ulValueLen;
	}
	out->fit++;
	out->always = out->always || always == CK_TRUE;
}

int token_keys(const struct token *t, const struct token_uri *u, struct token_keys *out)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE want = { CKA_CLASS, &class, sizeof class };
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key, *found = NULL;
	CK_ULONG n = 0;
	size_t keys = 0;
	CK_RV rv;

	*out = (struct token_keys){ 0 };
	if (library == NULL || library->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, &s) != CKR_OK)
		return ERR_IO;
	if ((rv = library->C_FindObjectsInit(s, &want, 1)) == CKR_OK) {
		while ((rv = library->C_FindObjects(s, &key, 1, &n)) == CKR_OK && n == 1) {
			found = mem_grow(found, keys + 1, sizeof *found);
			found[keys++] = key;
		}
		library->C_FindObjectsFinal(s);
	}
	for (size_t i = 0; i < keys; i++)
		key_look(s, found[i], u, out);
	free(found);
	library->C_CloseSession(s);
	return rv == CKR_OK ? 0 : ERR_IO;
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
