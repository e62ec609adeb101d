/* PINs and passphrases: asked for at the parent, used once, wiped. */
#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "base/secret.h"
#include "child/ca_child.h"
#include "child/serve.h"

static int secret_refused(const json_t *why, struct err *e)
{
	err_set(e, ERR_REFUSED, "%s", json_str(why, "text"));
	return err_remedy(e, "%s", json_str(why, "remedy"));
}

/* The question is part of a proof that a key is locked: a PIN that turned wrong meanwhile proves it. */
static bool proof;

void ca_secret_proof(void)
{
	proof = true;
}

static int secret_ask(const char *kind, const char *of, const char *which, const char *note, bool last,
    char *out, struct err *e)
{
	json_t *need = json_object(), *msg;
	const char *secret;
	int rc = 0;

	json_put(need, "need", kind);
	json_put(need, "of", of);
	json_put(need, "which", which);
	json_put(need, "note", note);
	json_object_set_new(need, "last", json_boolean(last));
	json_object_set_new(need, "proof", json_boolean(proof));
	serve_say(need);
	if ((msg = serve_answer(kind)) == NULL)
		return err_set(e, ERR_REFUSED, _("nobody answered the question for the %s of %s"), kind, of);
	secret = json_string_value(json_object_get(msg, kind));
	if (secret == NULL)
		rc = secret_refused(json_object_get(msg, "refused"), e);
	else if (strlen(secret) >= SECRET_MAX)
		rc = err_set(e, ERR_USAGE, _("the %s of %s is longer than %d octets"), kind, of, SECRET_MAX - 1);
	else
		memcpy(out, secret, strlen(secret));
	json_decref(msg); /* serve.c has jansson wipe what it frees */
	return rc;
}

static void secret_told(const char *kind, const char *of, const char *which, bool right)
{
	json_t *o = json_object();

	json_put(o, "secret", right ? "right" : "wrong");
	json_put(o, "kind", kind);
	json_put(o, "of", of);
	json_put(o, "which", which);
	serve_say(o);
}

const struct key_asker ca_asker = { .ask = secret_ask, .told = secret_told };
