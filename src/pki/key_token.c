/* OpenSSL 3.0's engines are deprecated, but its pkcs11 provider is not in Debian 12. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "pki/key_token.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ui.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/confine.h"
#include "base/i18n.h"
#include "base/secret.h"
#include "pki/cert.h"

/* What the PKCS#11 library answered, as the engine's errors carry it (PKCS#11 2.40, 6.11). */
enum {
	PIN_INCORRECT = 0xa0, PIN_INVALID = 0xa1, PIN_LEN_RANGE = 0xa2, PIN_EXPIRED = 0xa3, PIN_LOCKED = 0xa4,
};

static ENGINE *engine;         /* initialised; one token in the life of a CA child */
static bool opened;            /* a key was opened on it */
static bool spent;             /* it was let go of; keys that the engine caches keep it from starting again */
static UI_METHOD *nobody;      /* the engine must never ask by itself: it would open the terminal. It keeps this. */

static int ui_refuse(UI *ui)
{
	(void)ui;
	return 0;
}

static bool engine_start(const char *module, struct err *e)
{
	if (engine != NULL)
		return true;
	if (spent) {
		err_set(e, ERR_FAILED, _("this process has let go of its token already"));
		return false;
	}
	ENGINE_load_dynamic();
	if ((engine = ENGINE_by_id("pkcs11")) == NULL) {
		err_set(e, ERR_NOTFOUND, _("OpenSSL's pkcs11 engine cannot be loaded (%s)"), cert_why());
		err_remedy(e, _("install the package libengine-pkcs11-openssl"));
		return false;
	}
	if (nobody == NULL && (nobody = UI_create_method("sev1: nobody")) != NULL)
		UI_method_set_opener(nobody, ui_refuse);
	ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 0);
	if (nobody != NULL && ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module, 0) == 1 &&
	    ENGINE_init(engine) == 1)
		return true;
	err_set(e, ERR_IO, _("OpenSSL's pkcs11 engine does not start with %s (%s)"), module, cert_why());
	err_remedy(e, _("correct 'pkcs11-module ='"));
	ENGINE_free(engine);
	engine = NULL;
	return false;
}

void key_close_token(void)
{
	if (engine != NULL) {
		ENGINE_finish(engine);
		ENGINE_free(engine);
		spent = true;
	}
	engine = NULL;
	token_forget();
}

static int token_parse(const struct ca *ca, struct token_uri *u, struct err *e)
{
	int rc;

	if (confine_root() != NULL)
		return err_set(e, ERR_CONFINED, _("%s: a drill uses no token"), ca->name);
	if ((rc = token_uri_parse(u, ca->private_key, e)) < 0) {
		err_prefix(e, "%s", ca->name);
		return rc;
	}
	if (ca->module[0] == '\0') {
		err_set(e, ERR_SYNTAX, _("%s: its key is on a token, but no PKCS#11 library is configured"), ca->name);
		return err_remedy(e, _("add 'pkcs11-module = /usr/lib/softhsm/libsofthsm2.so', or the library of your HSM, "
		    "to [ca %s]"), ca->name);
	}
	return 0;
}

int key_token_look(const struct ca *ca, struct token *t, struct err *e)
{
	struct token_uri u;
	int rc = token_parse(ca, &u, e);

	return rc < 0 ? rc : token_find(ca->module, &u, t, e);
}

const char *key_token_note(const struct token *t)
{
	return t->locked ? _("The token has locked its PIN.")
	    : t->last ? _("ONE TRY IS LEFT before the token locks its PIN.")
	    : t->low ? _("A wrong PIN was entered before: tries are running out.") : "";
}

static int token_locked(const struct token *t, struct err *e)
{
	err_set(e, ERR_REFUSED, _("the PIN of the token %s is locked"), t->label);
	return err_remedy(e, _("its security officer (SO) must set a new one; sev1 does not try"));
}

/* The PIN was refused: what does the token say now? It was tried once, and is not tried again. */
static void token_refused(const struct ca *ca, const struct token *was, struct err *e)
{
	struct token now = *was;

	key_token_look(ca, &now, NULL);
	if (now.locked) {
		token_locked(&now, e);
		return;
	}
	err_set(e, ERR_REFUSED, _("the token %s refused the PIN; it was tried once, and is forgotten now"), was->label);
	err_remedy(e, "%s %s", key_token_note(&now), _("Run it again and type the PIN anew."));
}

/* The code of the PKCS#11 library among the errors, or 0. */
static int token_code(void)
{
	unsigned long code;
	int found = 0;

	while ((code = ERR_get_error()) != 0) {
		const char *lib = ERR_lib_error_string(code);

		if (found == 0 && lib != NULL && strcmp(lib, "PKCS#11 module") == 0)
			found = ERR_GET_REASON(code);
	}
	return found;
}

static int token_pin(const struct token *t, const struct key_asker *asker, char **pin, struct err *e)
{
	int rc;

	*pin = NULL;
	if (!t->login || t->pinpad)
		return 0;
	if (t->locked)
		return token_locked(t, e);
	if (asker == NULL) {
		err_set(e, ERR_REFUSED, _("the token %s wants its PIN, and nobody can be asked"), t->label);
		return err_remedy(e, _("run it at a terminal, or with --pin-fd N"));
	}
	if ((*pin = secret_new(e)) == NULL)
		return e != NULL ? e->code : ERR_IO;
	if ((rc = asker->ask("pin", t->label, t->serial, key_token_note(t), *pin, e)) < 0) {
		secret_free(*pin);
		*pin = NULL;
	}
	return rc;
}

/* The engine with this PIN, for this key: one C_Login at the most. */
static EVP_PKEY *token_load(const struct token_uri *u, const char *pin)
{
	struct buf uri = { 0 };
	EVP_PKEY *key = NULL;

	token_uri_build(&uri, u);
	ERR_clear_error();
	if (pin == NULL || ENGINE_ctrl_cmd_string(engine, "PIN", pin, 0) == 1)
		key = ENGINE_load_private_key(engine, buf_str(&uri), nobody, NULL);
	buf_free(&uri);
	return key;
}

/* Is it that the token is not there any more? Then say so. */
static void token_gone(const struct ca *ca, struct err *e)
{
	struct err why = { 0 };
	struct token t;

	key_close_token();
	if (key_token_look(ca, &t, &why) == 0)
		return;
	err_prefix(e, _("%s: the token went away in the middle (%s)"), ca->name, why.text);
	err_remedy(e, _("put it back and run the same again: it goes on where it stood"));
}

static EVP_PKEY *token_failed(const struct ca *ca, const struct token *t, const struct key_asker *asker,
    bool asked, enum key_state *state, struct err *e)
{
	int code = token_code();
	bool wrong = code >= PIN_INCORRECT && code <= PIN_LOCKED;

	if (asked && wrong)
		asker->told("pin", t->label, t->serial, false);
	if (wrong) {
		*state = code == PIN_LOCKED ? KEY_DEAD : KEY_SECRET;
		token_refused(ca, t, e);
	} else if (code != 0) {
		*state = KEY_DEAD;
		err_set(e, ERR_FAILED, _("the token %s failed while its key was opened (PKCS#11 error 0x%x)"), t->label,
		    (unsigned)code);
		err_remedy(e, _("see that it is plugged in and its network is up, then run this again"));
		token_gone(ca, e);
	} else {
		*state = KEY_DEAD;
		if (asked)
			asker->told("pin", t->label, t->serial, true);
		err_set(e, ERR_NOTFOUND, _("on the token %s there is no such key: %s"), t->label, ca->private_key);
		err_remedy(e, _("correct 'key =' of [ca %s]; pkcs11-tool --login -O shows the keys of a token"), ca->name);
	}
	return NULL;
}

EVP_PKEY *key_token_open(const struct ca *ca, const struct key_asker *asker, enum key_state *state,
    struct err *e)
{
	struct token_uri u;
	struct token t;
	EVP_PKEY *key;
	char *pin;
	bool asked;
	int rc;

	*state = KEY_UNKNOWN;
	if (token_parse(ca, &u, e) < 0)
		return NULL;
	if ((rc = token_find(ca->module, &u, &t, e)) < 0) {
		*state = rc == ERR_NOTFOUND ? KEY_DEAD : KEY_UNKNOWN;
		err_prefix(e, "%s", ca->name);
		return NULL;
	}
	memcpy(u.token, t.label, sizeof u.token);
	memcpy(u.serial, t.serial, sizeof u.serial);
	if ((rc = token_pin(&t, asker, &pin, e)) < 0) {
		*state = t.locked ? KEY_DEAD : KEY_UNKNOWN;
		return NULL;
	}
	if (!engine_start(ca->module, e)) {
		secret_free(pin);
		return NULL;
	}
	key = token_load(&u, pin);
	asked = pin != NULL;
	secret_free(pin);
	if (key == NULL)
		return token_failed(ca, &t, asker, asked, state, e);
	if (asked)
		asker->told("pin", t.label, t.serial, true);
	*state = KEY_SIGNS;
	opened = true;
	return key;
}

void key_explain(const struct ca *ca, struct err *e)
{
	if (opened && e != NULL)
		token_gone(ca, e);
}
