#include "comms/grounds.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"

/* Words and their beginnings, in lower case, as they are written. */
static const char *const keys[] = { "key", "schlüssel", "schluessel", "clé privée", "clave privada", "chiave privata",
	"sleutel", "chave privada", "klucz", NULL };
static const char *const leaks[] = { "compromis", "kompromit", "comprometid", "gecompromitteerd", "leak", "stolen", "stole ",
	"theft", "steal", "expos", "disclos", "exfiltrat", "published", "public repo", "publicly", "github", "gitlab", "pastebin",
	"found ", "lost", "copied", "attacker", "hacked", "gestohlen", "entwendet", "diebstahl", "verloren", "abhanden",
	"veröffentlicht", "veroeffentlicht", "offengelegt", "abgeflossen", "kopiert", "gefunden", "angreifer", "fuite", "volé",
	"divulgu", "robad", "filtrad", "gelekt", "gestolen", "rubat", "factored", "weak", "roca", NULL };
static const char *const misissued[] = { "misissu", "mis-issu", "mis issu", "should not have been issued",
	"never have been issued", "not have been issued", "fehlausgestellt", "falsch ausgestellt", "zlint", "linter", NULL };
static const char *const given_up[] = { "no longer own", "no longer control", "no longer belong", "sold the domain",
	"sold our domain", "domain was sold", "domain has been sold", "domain was transferred", "gehört uns nicht mehr",
	"gehoert uns nicht mehr", "domain verkauft", NULL };

/* All text of it: lower case of ASCII, lines of a paragraph joined, a sentence a line. */
static char *text_of(const json_t *report)
{
	struct buf b = { 0 };
	const json_t *m, *line;
	size_t i, k;

	json_array_foreach(json_list(report, "messages"), i, m) {
		buf_addf(&b, "%s\n", json_str(m, "subject"));
		json_array_foreach(json_list(m, "text"), k, line)
			buf_addf(&b, "%s%s", json_string_value(line), json_string_value(line)[0] == '\0' ? "\n" : " ");
		buf_addc(&b, '\n');
	}
	for (size_t at = 0; at < b.len; at++) {
		b.data[at] = (char)tolower((unsigned char)b.data[at]);
		if (at > 0 && b.data[at] == ' ' && strchr(".!?", b.data[at - 1]) != NULL)
			b.data[at] = '\n';
	}
	return buf_take(&b);
}

/* Does a word of the list begin somewhere in the text? */
static bool says(const char *text, const char *const words[])
{
	for (; *words != NULL; words++)
		for (const char *p = text; (p = strstr(p, *words)) != NULL; p++)
			if (p == text || !isalnum((unsigned char)p[-1]))
				return true;
	return false;
}

/* A sentence that speaks of a key, and of what befell it. */
static bool says_key(char *text)
{
	bool found = false;

	for (char *p = text, *line; !found && (line = strsep(&p, "\n")) != NULL;) {
		found = says(line, keys) && says(line, leaks);
		if (p != NULL)
			p[-1] = '\n';
	}
	return found;
}

/* An element of the list whose member is the value. */
static bool has(const json_t *report, const char *list, const char *member, const char *value)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(report, list), i, v)
		if (strcmp(json_str(v, member), value) == 0)
			return true;
	return false;
}

struct grounds grounds_of(const json_t *report)
{
	char *text = text_of(report);
	struct grounds g = { "unspecified", _("no reason is named") };

	if (has(report, "matches", "status", "ca"))
		g = (struct grounds){ "cACompromise", _("a key of a CA itself") };
	else if (has(report, "keys", "kind", "private-key") || has(report, "found", "kind", "private-key"))
		g = (struct grounds){ "keyCompromise", _("a private key is in it") };
	else if (says_key(text))
		g = (struct grounds){ "keyCompromise", _("it says so of a key") };
	else if (says(text, misissued))
		g = (struct grounds){ "superseded", _("it speaks of misissuance") };
	else if (says(text, given_up))
		g = (struct grounds){ "cessationOfOperation", _("it says that a name was given up") };
	free(text);
	return g;
}

void grounds_keep(json_t *report)
{
	struct grounds g = grounds_of(report);

	json_put(report, "reason", g.reason);
	json_put(report, "grounds", g.why);
}

struct grounds grounds_kept(const json_t *report)
{
	if (json_str(report, "reason")[0] == '\0')
		return grounds_of(report);
	return (struct grounds){ json_str(report, "reason"), json_str(report, "grounds") };
}
