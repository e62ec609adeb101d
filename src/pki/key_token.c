/* OpenSSL 3.0's engines are deprecated, but its pkcs11 provider is not in Debian 12. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "pki/key_token.h"

#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ui.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/confine.h"
#include "base/i18n.h"
#include "base/secret.h"
#include "pki/cert.h"

/* What the PKCS#11 library answered, as the engine's errors carry it (PKCS#11 2.40, 6.11). */
enum {
	KEY_HANDLE_INVALID = 0x60, KEY_NOT_PERMITTED = 0x68, OBJECT_HANDLE_INVALID = 0x82,
	PIN_INCORRECT = 0xa0, PIN_INVALID = 0xa1, PIN_LEN_RANGE = 0xa2, PIN_EXPIRED = 0xa3, PIN_LOCKED = 0xa4,
	USER_NOT_LOGGED_IN = 0x101, USER_PIN_NOT_SET = 0x102, USER_OTHER = 0x104,
};

#define ENGINE_PIN 32          /* octets; what the engine takes for a signature, not for a login */

static ENGINE *engine;         /* initialised; one token in the life of a CA child */
static bool opened;            /* a key was opened on it */
static bool spent;             /* it was let go of; keys that the engine caches keep it from starting again */
static char *held;             /* the PIN, while a key wants it for each signature */
static bool given, proved;     /* until it was right for one it is given once, however often the engine tries */
/* The engine must never ask by itself: it would open the terminal, or read what the console sends. It keeps this. */
static UI_METHOD *answers;

static void held_forget(void)
{
	secret_free(held);
	held = NULL;
	given = proved = false;
}

static int ui_open(UI *ui)
{
	(void)ui;
	return held != NULL && (proved || !given);
}

static int ui_write(UI *ui, UI_STRING *s)
{
	(void)ui;
	(void)s;
	return 1; /* nothing is shown */
}

static int ui_read(UI *ui, UI_STRING *s)
{
	if (UI_get_string_type(s) != UIT_PROMPT || !ui_open(ui))
		return 0;
	given = true;
	return UI_set_result(ui, s, held) == 0;
}

static bool ui_start(void)
{
	if (answers == NULL && (answers = UI_create_method("sev1")) != NULL) {
		UI_method_set_opener(answers, ui_open);
		UI_method_set_writer(answers, ui_write);
		UI_method_set_reader(answers, ui_read);
	}
	return answers != NULL && ENGINE_ctrl_cmd(engine, "SET_USER_INTERFACE", 0, answers, NULL, 0) == 1;
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
	ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 0);
	if (ui_start() && ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module, 0) == 1 &&
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
	held_forget();
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

static int token_fresh(const struct token *t, struct err *e)
{
	err_set(e, ERR_REFUSED, _("the token %s has no user PIN"), t->label);
	return err_remedy(e, _("its security officer (SO) must set one; until then nobody can use its keys"));
}

/* The PIN was refused: what does the token say now? It was tried once, and is not tried again. */
static void token_refused(const struct ca *ca, const struct token *was, int code, struct err *e)
{
	struct token now = *was;
	const char *note;

	key_token_look(ca, &now, NULL);
	if (now.locked) {
		token_locked(&now, e);
		return;
	}
	if (code == PIN_EXPIRED) {
		err_set(e, ERR_REFUSED, _("the PIN of the token %s has expired"), was->label);
		err_remedy(e, _("change it (pkcs11-tool --login --change-pin, or the HSM's own tool), then run this again with the "
		    "new one"));
		return;
	}
	note = key_token_note(&now);
	err_set(e, ERR_REFUSED, _("the token %s refused the PIN; it was tried once, and is forgotten now"), was->label);
	err_remedy(e, "%s%s%s", note, note[0] != '\0' ? " " : "", _("Run it again and type the PIN anew."));
}

/* The code of the PKCS#11 library among the errors, or 0; *text is what it is called. */
static int token_code(const char **text)
{
	unsigned long code;
	int found = 0;

	*text = "";
	while ((code = ERR_get_error()) != 0) {
		const char *lib = ERR_lib_error_string(code), *reason = ERR_reason_error_string(code);

		if (found != 0 || lib == NULL || strcmp(lib, "PKCS#11 module") != 0)
			continue;
		found = ERR_GET_REASON(code);
		*text = reason != NULL ? reason : "";
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
	if (t->fresh)
		return token_fresh(t, e);
	if (asker == NULL) {
		err_set(e, ERR_REFUSED, _("the token %s wants its PIN, and nobody can be asked"), t->label);
		return err_remedy(e, _("run it at a terminal, or with --pin-fd N"));
	}
	if ((*pin = secret_new(e)) == NULL)
		return e != NULL ? e->code : ERR_IO;
	if ((rc = asker->ask("pin", t->label, t->serial, key_token_note(t), t->last, *pin, e)) < 0) {
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
		key = ENGINE_load_private_key(engine, buf_str(&uri), answers, NULL);
	buf_free(&uri);
	return key;
}

/* Is it that the token is not there any more? Then say so. */
static bool token_gone(const struct ca *ca, struct err *e)
{
	struct err why = { 0 };
	struct token t;

	key_close_token();
	if (key_token_look(ca, &t, &why) == 0)
		return false;
	err_prefix(e, _("%s: the token went away in the middle (%s)"), ca->name, why.text);
	err_remedy(e, _("put it back and run the same again: it goes on where it stood"));
	return true;
}

/* The engine found no key, and no error says why: what is there? */
static void token_no_key(const struct ca *ca, const struct token_uri *u, const struct token *t, struct err *e)
{
	struct token_keys keys;

	if (token_keys(t, u, &keys) < 0 || keys.fit == 0) {
		err_set(e, ERR_NOTFOUND, _("on the token %s there is no such key: %s"), t->label, ca->private_key);
		err_remedy(e, _("correct 'key =' of [ca %s]; pkcs11-tool --login -O shows the keys of a token"), ca->name);
	} else if (keys.odd[0] != '\0') {
		err_set(e, ERR_FAILED, _("the key is on the token %s, but OpenSSL's pkcs11 engine takes no key of a token that holds one "
		    "of the kind %s"), t->label, keys.odd);
		err_remedy(e, _("it takes RSA and ECDSA keys: keep keys of other kinds on a token of their own"));
	} else {
		err_set(e, ERR_FAILED, _("the key is on the token %s, but OpenSSL's pkcs11 engine does not open it: %s"), t->label,
		    ca->private_key);
		err_remedy(e, _("see that pkcs11-tool --login --sign works with it, and what the HSM's own log says"));
	}
}

/* The token answered with an error that is not about its PIN. A fault of it says nothing about the key. */
static void token_fault(const struct ca *ca, const struct token *t, int code, const char *what, enum key_state *state,
    struct err *e)
{
	if (code == USER_PIN_NOT_SET) {
		*state = KEY_DEAD;
		token_fresh(t, e);
		return;
	}
	*state = KEY_UNKNOWN;
	err_set(e, ERR_FAILED, _("the token %s failed while its key was opened (PKCS#11 error 0x%x: %s)"), t->label,
	    (unsigned)code, what);
	err_remedy(e, code == USER_OTHER
	    ? _("another user, such as its security officer (SO), is logged in: run this again once that has ended")
	    : _("see that it is plugged in and its network is up, then run this again"));
	if (token_gone(ca, e))
		*state = KEY_DEAD;
}

static EVP_PKEY *token_failed(const struct ca *ca, const struct token_uri *u, const struct token *t,
    const struct key_asker *asker, bool asked, enum key_state *state, struct err *e)
{
	const char *what;
	int code = token_code(&what);
	bool wrong = code >= PIN_INCORRECT && code <= PIN_LOCKED;

	if (asked && wrong)
		asker->told("pin", t->label, t->serial, false);
	if (wrong) {
		*state = code == PIN_LOCKED ? KEY_DEAD : KEY_SECRET;
		token_refused(ca, t, code, e);
	} else if (code != 0) {
		token_fault(ca, t, code, what, state, e);
	} else {
		*state = KEY_DEAD;
		if (asked)
			asker->told("pin", t->label, t->serial, true);
		token_no_key(ca, u, t, e);
	}
	return NULL;
}

/* Many an HSM keeps the private half of an EC key alone: without its point the engine's key signs, and that is all. */
static bool key_lacks_point(EVP_PKEY *key)
{
	const EC_KEY *ec = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? EVP_PKEY_get0_EC_KEY(key) : NULL;

	return ec != NULL && EC_KEY_get0_public_key(ec) == NULL;
}

static bool key_take_point(EVP_PKEY *key, X509 *certificate)
{
	const EVP_PKEY *public = X509_get0_pubkey(certificate);
	EC_KEY *ec = (EC_KEY *)(uintptr_t)EVP_PKEY_get0_EC_KEY(key);
	const EC_KEY *of = public != NULL && EVP_PKEY_get_base_id(public) == EVP_PKEY_EC ? EVP_PKEY_get0_EC_KEY(public) : NULL;

	return of != NULL && EC_GROUP_cmp(EC_KEY_get0_group(ec), EC_KEY_get0_group(of), NULL) == 0 &&
	    EC_KEY_set_public_key(ec, EC_KEY_get0_public_key(of)) == 1;
}

/* Is it the certificate's key? A public half that was not there is proved by signing. */
static bool key_fits(EVP_PKEY *key, X509 *certificate, bool proof, struct err *e)
{
	bool pointless = key_lacks_point(key);

	if ((pointless && !key_take_point(key, certificate)) || EVP_PKEY_eq(key, X509_get0_pubkey(certificate)) != 1)
		return false;
	return (!pointless && !proof) || key_probe(key, certificate, e) == 0;
}

/* Several keys may have one label, and a token lists them in any order: the certificate says which one is meant. */
static bool token_choose_key(EVP_PKEY **key, X509 *certificate, const struct token_keys *keys)
{
	for (size_t i = 0; i < keys->fit && i < sizeof keys->one / sizeof keys->one[0]; i++) {
		EVP_PKEY *other = keys->one[i].id_len > 0 ? token_load(&keys->one[i], NULL) : NULL;

		if (other != NULL && key_fits(other, certificate, keys->always, NULL)) {
			EVP_PKEY_free(*key);
			*key = other;
			return true;
		}
		EVP_PKEY_free(other);
	}
	return false;
}

/* What is only known once a key is open: is it the certificate's, and does it want the PIN for each signature? 0 or an
 * error; pin is taken over. */
static int token_finish(const struct ca *ca, X509 *certificate, const struct token_uri *u, const struct token *t,
    EVP_PKEY **key, char *pin, enum key_state *state, struct err *e)
{
	bool longer = pin != NULL && strlen(pin) > ENGINE_PIN;
	struct token_keys keys = { 0 };
	struct err why = { 0 };

	token_keys(t, u, &keys);
	ERR_clear_error(); /* what the engine did not find of the key, and did without */
	held_forget();
	if (keys.always)
		held = pin;
	else
		secret_free(pin);
	proved = key_fits(*key, certificate, keys.always, &why) || (keys.fit > 1 && token_choose_key(key, certificate, &keys));
	if (proved)
		return 0;
	held_forget();
	ERR_clear_error();
	if (keys.always && EVP_PKEY_eq(*key, X509_get0_pubkey(certificate)) == 1) {
		*state = KEY_UNKNOWN;
		err_set(e, ERR_FAILED, _("the token %s wants the PIN for each signature: %s"), t->label, why.text);
		if (longer)
			return err_remedy(e, _("OpenSSL's pkcs11 engine gives one of %d octets at the most then: have the PIN changed"),
			    ENGINE_PIN);
		return err_remedy(e, _("see that pkcs11-tool --login --sign works with this key"));
	}
	*state = KEY_DEAD;
	if (keys.fit > 1) {
		err_set(e, ERR_FAILED, _("%zu keys on the token %s are called %s, and none was found to belong to the certificate %s"),
		    keys.fit, t->label, ca->private_key, ca->certificate);
		return err_remedy(e, _("correct 'key =' of [ca %s], with id=; pkcs11-tool --login -O shows the ID of each key"),
		    ca->name);
	}
	err_set(e, ERR_FAILED, _("the key %s does not belong to the certificate %s"), ca->private_key, ca->certificate);
	return err_remedy(e, _("correct 'key =' of [ca %s], or the certificate in %s"), ca->name, ca->config);
}

bool key_token_fault(char *why, size_t size)
{
	unsigned long last = ERR_peek_last_error();
	const char *what, *reason = last != 0 ? ERR_reason_error_string(last) : NULL;
	int code = token_code(&what);

	snprintf(why, size, "%s", what[0] != '\0' ? what : reason != NULL ? reason : "no reason given");
	return code != 0 && code != KEY_HANDLE_INVALID && code != KEY_NOT_PERMITTED && code != OBJECT_HANDLE_INVALID &&
	    code != USER_NOT_LOGGED_IN;
}

EVP_PKEY *key_token_open(const struct ca *ca, X509 *certificate, const struct key_asker *asker, enum key_state *state,
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
		*state = t.locked || t.fresh ? KEY_DEAD : KEY_UNKNOWN;
		return NULL;
	}
	if (!engine_start(ca->module, e)) {
		secret_free(pin);
		return NULL;
	}
	key = token_load(&u, pin);
	asked = pin != NULL;
	if (key == NULL) {
		secret_free(pin);
		return token_failed(ca, &u, &t, asker, asked, state, e);
	}
	if (asked)
		asker->told("pin", t.label, t.serial, true);
	opened = true;
	*state = KEY_SIGNS;
	if (token_finish(ca, certificate, &u, &t, &key, pin, state, e) == 0)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

void key_explain(const struct ca *ca, struct err *e)
{
	if (opened && e != NULL)
		token_gone(ca, e);
}
