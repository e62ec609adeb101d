/* The questions of recovery, for the console and for --line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/model.h"
#include "asked.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"

static void how_menu(struct ask *a, void *ctx)
{
	const struct config *c = model_config(ctx);
	const struct incident *in = model_incident(ctx);
	char value[80], title[300];

	if (in != NULL && in->issuer != NULL) {
		snprintf(title, sizeof title, _("Re-issue across the inventory from %s"), in->issuer->name);
		ask_choice(a, "reissue", title);
	}
	for (size_t i = 0; c != NULL && i < c->cas; i++) {
		const struct ca_conf *ca = &c->ca[i];
		if (!ca->spare)
			continue;
		snprintf(value, sizeof value, "use %s", ca->name);
		snprintf(title, sizeof title, _("Use the spare CA %s (%s)"), ca->name,
		    ca->title != NULL ? ca->title : ca->name);
		ask_choice(a, value, title);
	}
	ask_choice(a, "intermediate", _("Make a new intermediate: key, request, signed by its parent"));
	ask_choice(a, "root", _("Make a new root: key ceremony, step by step"));
	ask_choice(a, "import", _("Import the certificate of a new intermediate that was signed elsewhere"));
}

static bool how_is(const struct ask *a, const char *how)
{
	const char *is = ask_get(a, "how");

	return is != NULL && strcmp(is, how) == 0;
}

static bool is_made(const struct ask *a, void *ctx)
{
	(void)ctx;
	return how_is(a, "intermediate") || how_is(a, "root");
}

static bool is_import(const struct ask *a, void *ctx)
{
	(void)ctx;
	return how_is(a, "import");
}

static bool is_named(const struct ask *a, void *ctx)
{
	return is_made(a, ctx) || is_import(a, ctx);
}

static bool is_intermediate(const struct ask *a, void *ctx)
{
	(void)ctx;
	return how_is(a, "intermediate");
}

static bool is_root(const struct ask *a, void *ctx)
{
	(void)ctx;
	return how_is(a, "root");
}

static void parent_menu(struct ask *a, void *ctx)
{
	const struct config *c = model_config(ctx);
	const struct incident *in = model_incident(ctx);

	for (size_t i = 0; c != NULL && i < c->cas; i++)
		if (c->ca[i].parent == NULL &&
		    (in == NULL || in->triage.ca == NULL || strcmp(c->ca[i].name, in->triage.ca) != 0))
			ask_choice(a, c->ca[i].name, c->ca[i].title != NULL ? c->ca[i].title : c->ca[i].name);
	ask_choice(a, "", _("Elsewhere: write the request to a file, import the certificate later"));
}

static void key_menu(struct ask *a, void *ctx)
{
	(void)ctx;
	ask_choice(a, "ec-p384", "EC P-384");
	ask_choice(a, "ec-p256", "EC P-256");
	ask_choice(a, "rsa-4096", "RSA 4096");
	ask_choice(a, "rsa-3072", "RSA 3072");
}

static int check_name(void *ctx, const char *text, char **value, struct err *e)
{
	(void)ctx;
	if (!text_is_word(text))
		return err_set(e, ERR_USAGE, _("A name is letters, digits, '.', '_' and '-', at most 64."));
	*value = mem_strdup(text);
	return 0;
}

static int check_days(void *ctx, const char *text, char **value, struct err *e)
{
	char *end;
	long n = strtol(text, &end, 10);

	(void)ctx;
	if (*end != '\0' || n < 1 || n > 10950)
		return err_set(e, ERR_USAGE, _("Days are a number from 1 to 10950."));
	*value = mem_printf("%ld", n);
	return 0;
}

static int check_subject(void *ctx, const char *text, char **value, struct err *e)
{
	(void)ctx;
	if (text[0] != '/' || strstr(text, "CN=") == NULL)
		return err_set(e, ERR_USAGE, _("A subject is written /C=DE/O=Example/CN=Issuing CA 3"));
	*value = mem_strdup(text);
	return 0;
}

/* A step of the ceremony is answered with who witnessed it. */
#define CEREMONY(step, text)                                                                               \
	{                                                                                                  \
		.name = step, .title = N_("Ceremony"), .question = text, .wanted = is_root,                \
		.hint = N_("Who witnesses this? Their names go into the journal.")                         \
	}

const struct ask_item recover_items[] = {
	{ .name = "how", .title = N_("Issuer"), .question = N_("Which issuer takes over?"), .menu = how_menu,
	    .hint = N_("One that is, or uses, a compromised key is refused.") },
	CEREMONY("ceremony-room", N_("1 The room is closed, phones are outside, the machine has no network.")),
	CEREMONY("ceremony-people", N_("2 Administrator, custodians and witness are there and have signed in.")),
	CEREMONY("ceremony-media", N_("3 New media for the key's copies are opened and numbered before witnesses.")),
	{ .name = "name", .title = N_("Name"), .question = N_("What is it called in the configuration?"),
	    .check = check_name, .wanted = is_named, .hint = N_("One word: issuing3") },
	{ .name = "import", .title = N_("Certificate"), .question = N_("In which file is the certificate?"),
	    .wanted = is_import, .hint = N_("PEM, on this machine. The name is the one its request was made with.") },
	{ .name = "subject", .title = N_("Subject"), .question = N_("What is its subject?"), .check = check_subject,
	    .wanted = is_made, .hint = N_("As in /C=DE/O=Example/CN=Issuing CA 3") },
	{ .name = "parent", .title = N_("Signed by"), .question = N_("Which CA signs it?"), .menu = parent_menu,
	    .wanted = is_intermediate },
	{ .name = "key", .title = N_("Key"), .question = N_("What kind of key?"), .menu = key_menu, .wanted = is_made },
	{ .name = "days", .title = N_("Days"), .question = N_("For how many days is it valid?"), .preset = "1825",
	    .check = check_days, .wanted = is_made },
	{ .name = "cdp", .title = N_("CRL at"), .question = N_("Where will its CRL be served? (URL; empty: none)"),
	    .wanted = is_made, .optional = true, .hint = N_("http://crl.example.com/issuing3.crl") },
	{ .name = NULL },
};

void recover_words(const struct ask *a, struct answer *w)
{
	static const char *const names[] = { "name", "import", "subject", "parent", "key", "days", "cdp" };
	static const char *const steps[] = { "ceremony-room", "ceremony-people", "ceremony-media" };
	const char *how = ask_get(a, "how");

	if (strncmp(how, "use ", 4) == 0) {
		answer_add(w, "issuer", how + 4);
		return;
	}
	if (strcmp(how, "import") != 0)
		answer_add(w, "new", how);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		answer_add(w, names[i], ask_get(a, names[i]));
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		answer_add(w, "witness", ask_get(a, steps[i]));
}
