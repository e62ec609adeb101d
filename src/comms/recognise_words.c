/* What a mail says. Sentence by sentence: words of revocation or of compromise count where certificates or keys are
 * spoken of, more where somebody asks for it, less where somebody only wants to know or has done it already. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "comms/recognise.h"

enum {
	W_REVOKE = 1 << 0,  /* revoke, widerrufen */
	W_CANCEL = 1 << 1,  /* cancel, block: revocation, once it is about a certificate */
	W_CERT = 1 << 2,
	W_KEY = 1 << 3,
	W_LEAK = 1 << 4,    /* leaked, stolen, misissued */
	W_LOST = 1 << 5,    /* lost, public, access: a compromise, once it is about a key */
	W_ASK = 1 << 6,     /* please, must, our */
	W_INFO = 1 << 7,    /* how, policy, webinar */
	W_DONE = 1 << 8,    /* has been */
	W_NOT = 1 << 9,
	W_URGENT = 1 << 10,
	W_PROMO = 1 << 11,  /* unsubscribe, click here */
	W_RULE = 1 << 12,   /* Baseline Requirements, problem report */
	W_PRIVATE = 1 << 13, /* private key: no key of an office door */
	W_PUBLIC = 1 << 14, /* public key */
	W_FAULT = 1 << 15,  /* incorrect, invalid */
	W_PAST = 1 << 16    /* revoked: done, unless somebody asks for it */
};

/* Starts of words, folded as fold() does (ä is ae, é is e); a space at the end: the whole word. */
static const struct stem {
	const char *text;
	unsigned is;
} stems[] = {
	{ "revok", W_REVOKE }, { "revoked ", W_REVOKE | W_PAST }, { "be revoked", W_REVOKE | W_ASK }, { "revoc", W_REVOKE }, { "revoqu", W_REVOKE }, { "unrevoked", W_REVOKE }, { "widerruf", W_REVOKE },
	{ "widerrief", W_REVOKE }, { "wiederruf", W_REVOKE }, { "zertifikatswiderruf", W_REVOKE | W_CERT },
	{ "zertifikatssperr", W_REVOKE | W_CERT }, { "sperrung", W_REVOKE }, { "sperren", W_REVOKE }, { "sperrt", W_REVOKE },
	{ "gesperrt", W_REVOKE }, { "sperrauftrag", W_REVOKE }, { "sperrantrag", W_REVOKE }, { "zuruckgezogen", W_REVOKE },
	{ "zurueckgezogen", W_REVOKE }, { "zurueckzieh", W_REVOKE }, { "zurueckzuzieh", W_REVOKE }, { "intrekk", W_REVOKE },
	{ "ingetrokken", W_REVOKE }, { "ontrek", W_REVOKE }, { "uniewazni", W_REVOKE }, { "aterkall", W_REVOKE },
	{ "tilbagekald", W_REVOKE }, { "invalidat", W_CANCEL }, { "invalider", W_CANCEL }, { "cancel", W_CANCEL },
	{ "annul", W_CANCEL }, { "anular", W_CANCEL }, { "withdraw", W_CANCEL }, { "deactivat", W_CANCEL },
	{ "disable", W_CANCEL }, { "block ", W_CANCEL }, { "blocked ", W_CANCEL }, { "blacklist", W_CANCEL },
	{ "distrust", W_CANCEL }, { "kill ", W_CANCEL }, { "take down ", W_CANCEL }, { "deaktivier", W_CANCEL },
	{ "ungueltig", W_CANCEL }, { "stornier", W_CANCEL }, { "blockier", W_CANCEL }, { "einzieh", W_CANCEL },
	{ "entwert", W_CANCEL }, { "aus dem verkehr", W_CANCEL }, { "suspend", W_CANCEL }, { "pull ", W_CANCEL },

	{ "certificat", W_CERT }, { "certificad", W_CERT }, { "certificaat", W_CERT }, { "certyfikat", W_CERT },
	{ "certifikat", W_CERT }, { "cert ", W_CERT }, { "certs ", W_CERT }, { "zertifikat", W_CERT }, { "ssl ", W_CERT },
	{ "tls ", W_CERT }, { "x 509", W_CERT }, { "x509", W_CERT }, { "crt sh ", W_CERT }, { "serverzertifikat", W_CERT },
	{ "wildcard", W_CERT }, { "precert", W_CERT }, { "serial number", W_CERT }, { "seriennummer", W_CERT },
	{ "issuance", W_CERT }, { "zert ", W_CERT }, { "smime ", W_CERT }, { "s mime ", W_CERT },

	{ "private key", W_KEY | W_PRIVATE }, { "privatekey", W_KEY | W_PRIVATE }, { "key ", W_KEY }, { "keys ", W_KEY }, { "privkey", W_KEY | W_PRIVATE },
	{ "keypair", W_KEY | W_PRIVATE }, { "key material", W_KEY | W_PRIVATE }, { "keyfile", W_KEY | W_PRIVATE }, { "schluessel", W_KEY },
	{ "privatschluessel", W_KEY | W_PRIVATE }, { "cle privee", W_KEY | W_PRIVATE }, { "cles privees", W_KEY | W_PRIVATE }, { "clave privada", W_KEY | W_PRIVATE },
	{ "chiave privata", W_KEY | W_PRIVATE }, { "prive sleutel", W_KEY | W_PRIVATE }, { "privesleutel", W_KEY | W_PRIVATE }, { "chave privada", W_KEY | W_PRIVATE },
	{ "klucz prywatn", W_KEY | W_PRIVATE }, { "pkcs12", W_KEY | W_PRIVATE }, { "pfx ", W_KEY | W_PRIVATE }, { "p12 ", W_KEY | W_PRIVATE }, { "keystore", W_KEY | W_PRIVATE },
	{ "hsm ", W_KEY | W_PRIVATE }, { "server key ", W_KEY | W_PRIVATE }, { "private schluessel", W_KEY | W_PRIVATE },
	{ "privaten schluessel", W_KEY | W_PRIVATE }, { "public key", W_PUBLIC }, { "oeffentliche schluessel", W_PUBLIC }, { "yubikey", W_KEY | W_PRIVATE }, { "smartcard", W_KEY | W_PRIVATE },

	{ "keycompromise", W_LEAK | W_KEY }, { "cacompromise", W_LEAK | W_KEY }, { "compromis", W_LEAK },
	{ "kompromit", W_LEAK }, { "comprometid", W_LEAK }, { "gecompromitteerd", W_LEAK }, { "leak", W_LEAK },
	{ "geleak", W_LEAK }, { "expos", W_LEAK }, { "disclos", W_LEAK }, { "stolen", W_LEAK }, { "stole ", W_LEAK },
	{ "theft", W_LEAK }, { "exfiltrat", W_LEAK }, { "misissu", W_LEAK | W_CERT }, { "mis issu", W_LEAK | W_CERT },
	{ "fehlausgest", W_LEAK | W_CERT }, { "falsch ausgestellt", W_LEAK }, { "gestohlen", W_LEAK }, { "entwendet", W_LEAK },
	{ "diebstahl", W_LEAK }, { "offengelegt", W_LEAK }, { "preisgegeben", W_LEAK }, { "abgeflossen", W_LEAK },
	{ "entwichen", W_LEAK }, { "fuite", W_LEAK }, { "vole ", W_LEAK }, { "volee", W_LEAK }, { "divulgue", W_LEAK },
	{ "filtrad", W_LEAK }, { "robad", W_LEAK }, { "gelekt", W_LEAK }, { "gestolen", W_LEAK }, { "rubat", W_LEAK },
	{ "hacked", W_LEAK }, { "gehackt", W_LEAK }, { "breach", W_LEAK }, { "intrusion", W_LEAK }, { "ransomware", W_LEAK },
	{ "einbruch", W_LEAK }, { "eingebrochen", W_LEAK }, { "backdoor", W_LEAK }, { "rootkit", W_LEAK },
	{ "fraudulent", W_LEAK }, { "unauthoris", W_LEAK }, { "unauthoriz", W_LEAK }, { "not authoris", W_LEAK },
	{ "not authoriz", W_LEAK }, { "never authoris", W_LEAK }, { "never authoriz", W_LEAK }, { "never requested", W_LEAK },
	{ "never ordered", W_LEAK }, { "did not request", W_LEAK }, { "not request", W_LEAK }, { "did not order", W_LEAK },
	{ "nie beantragt", W_LEAK }, { "nicht beantragt", W_LEAK }, { "nie bestellt", W_LEAK }, { "nicht bestellt", W_LEAK },
	{ "unbefugt", W_LEAK }, { "unberechtigt", W_LEAK }, { "missbrauch", W_LEAK }, { "misbrauch", W_LEAK },
	{ "betrueger", W_LEAK }, { "phishing", W_LEAK }, { "impersonat", W_LEAK }, { "malware", W_LEAK }, { "weak key", W_LEAK | W_KEY },
	{ "debian weak", W_LEAK | W_KEY }, { "factored", W_LEAK }, { "faktorisiert", W_LEAK }, { "roca ", W_LEAK },
	{ "pwned", W_LEAK }, { "pirate", W_LEAK }, { "someone else", W_LEAK }, { "somebody else", W_LEAK }, { "not us ", W_LEAK },
	{ "betrug", W_LEAK }, { "should not have been issued", W_LEAK }, { "never have been issued", W_LEAK }, { "broke into", W_LEAK }, { "broken into", W_LEAK }, { "break in ", W_LEAK }, { "hijack", W_LEAK },
	{ "abus", W_LEAK }, { "fake ", W_LEAK }, { "gefaelscht", W_LEAK }, { "spoof", W_LEAK }, { "steal", W_LEAK }, { "not ours", W_LEAK },
	{ "illegitimate", W_LEAK }, { "rogue", W_LEAK }, { "wrong company", W_LEAK }, { "wrong person", W_LEAK }, { "exploit", W_LEAK },
	{ "infiltrat", W_LEAK }, { "erbeutet", W_LEAK }, { "ausgespaeht", W_LEAK }, { "in die haende", W_LEAK }, { "falsche haende", W_LEAK }, { "wrong hands", W_LEAK }, { "dritte gelangt", W_LEAK },
	{ "sicherheitsvorfall", W_LEAK }, { "non compliant", W_LEAK }, { "noncompliant", W_LEAK }, { "violat", W_LEAK },
	{ "verstoss", W_LEAK }, { "verstoess", W_LEAK },

	{ "lost ", W_LOST }, { "loss ", W_LOST }, { "missing", W_LOST }, { "disappear", W_LOST }, { "verschwunden", W_LOST },
	{ "verlust", W_LOST }, { "verlegt", W_LOST }, { "copied", W_LOST }, { "kopiert", W_LOST }, { "uploaded", W_LOST },
	{ "hochgeladen", W_LOST }, { "anyone can", W_LOST }, { "shared with", W_LOST }, { "hard coded", W_LOST }, { "hardcoded", W_LOST }, { "verloren", W_LOST }, { "abhanden", W_LOST }, { "perdu", W_LOST }, { "perdid", W_LOST },
	{ "public ", W_LOST }, { "publicly", W_LOST }, { "published", W_LOST }, { "oeffentlich", W_LOST },
	{ "veroeffentlicht", W_LOST }, { "github", W_LOST }, { "gitlab", W_LOST }, { "bitbucket", W_LOST },
	{ "pastebin", W_LOST }, { "docker", W_LOST }, { "firmware", W_LOST }, { "repositor", W_LOST }, { "repo ", W_LOST },
	{ "s3 bucket", W_LOST }, { "bucket", W_LOST }, { "access to", W_LOST }, { "zugriff", W_LOST }, { "attacker", W_LOST },
	{ "angreifer", W_LOST }, { "downloadable", W_LOST }, { "committed", W_LOST }, { "checked in", W_LOST },
	{ "eingecheckt", W_LOST }, { "found ", W_LOST }, { "gefunden", W_LOST }, { "embedded", W_LOST },
	{ "incorrect", W_FAULT }, { "misspel", W_FAULT }, { "mistake in", W_FAULT }, { "invalid ", W_FAULT }, { "wrong ", W_FAULT }, { "falsche angabe", W_FAULT }, { "not match", W_FAULT }, { "sold ", W_LOST }, { "verkauft", W_LOST },
	{ "no longer own", W_LOST }, { "no longer control", W_LOST }, { "nicht mehr uns", W_LOST }, { "former employee", W_LOST },
	{ "by mistake", W_LOST }, { "by accident", W_LOST }, { "accidentally", W_LOST }, { "versehentlich", W_LOST },
	{ "internet", W_LOST }, { "emailed", W_LOST },

	{ "please", W_ASK }, { "pls ", W_ASK }, { "kindly", W_ASK }, { "must ", W_ASK }, { "need", W_ASK }, { "request", W_ASK },
	{ "require ", W_ASK }, { "demand", W_ASK }, { "want ", W_ASK }, { "would like", W_ASK }, { "hereby", W_ASK },
	{ "ask you", W_ASK }, { "ask for", W_ASK }, { "ask that", W_ASK }, { "asking", W_ASK }, { "should ", W_ASK }, { "could you", W_ASK }, { "can you", W_ASK },
	{ "have to", W_ASK }, { "let us know once", W_ASK }, { "our ", W_ASK }, { "my ", W_ASK }, { "this certificat", W_ASK },
	{ "these certificat", W_ASK }, { "following certificat", W_ASK }, { "bitte", W_ASK }, { "muss", W_ASK },
	{ "muessen", W_ASK }, { "beantrag", W_ASK }, { "ersuch", W_ASK }, { "fordern", W_ASK }, { "moecht", W_ASK },
	{ "hiermit", W_ASK }, { "veranlass", W_ASK }, { "brauch", W_ASK }, { "benoetig", W_ASK }, { "sollte", W_ASK },
	{ "soll ", W_ASK }, { "wollen", W_ASK }, { "koennen sie", W_ASK }, { "koennt ihr", W_ASK }, { "koenntet", W_ASK },
	{ "unser", W_ASK }, { "mein", W_ASK }, { "auftrag", W_ASK }, { "antrag", W_ASK }, { "merci de", W_ASK },
	{ "veuillez", W_ASK }, { "svp ", W_ASK }, { "s il vous plait", W_ASK }, { "demand", W_ASK }, { "por favor", W_ASK },
	{ "solicit", W_ASK }, { "rogamos", W_ASK }, { "per favore", W_ASK }, { "graag", W_ASK }, { "gelieve", W_ASK },
	{ "verzoek", W_ASK }, { "prosze", W_ASK }, { "prosimy", W_ASK }, { "notre", W_ASK }, { "nuestro", W_ASK },

	{ "urgent", W_URGENT }, { "immediate", W_URGENT }, { "asap ", W_URGENT }, { "emergency", W_URGENT },
	{ "right away", W_URGENT }, { "right now", W_URGENT }, { "as soon as possible", W_URGENT }, { "24 hours", W_URGENT },
	{ "24h ", W_URGENT }, { "dringend", W_URGENT }, { "sofort", W_URGENT }, { "umgehend", W_URGENT },
	{ "unverzueglich", W_URGENT }, { "schnellstmoeglich", W_URGENT }, { "eilt ", W_URGENT }, { "notfall", W_URGENT },
	{ "24 stunden", W_URGENT }, { "urgence", W_URGENT }, { "inmediat", W_URGENT }, { "immediatement", W_URGENT },

	{ "how ", W_INFO }, { "explain", W_INFO }, { "documentation", W_INFO }, { "policy ", W_INFO }, { "policies", W_INFO },
	{ "question", W_INFO }, { "wonder", W_INFO }, { "webinar", W_INFO }, { "learn", W_INFO }, { "blog", W_INFO },
	{ "article", W_INFO }, { "guide", W_INFO }, { "what is", W_INFO }, { "what happens", W_INFO }, { "difference", W_INFO },
	{ "whitepaper", W_INFO }, { "newsletter", W_INFO }, { "training", W_INFO }, { "conference", W_INFO },
	{ "wie ", W_INFO }, { "frage", W_INFO }, { "erklaer", W_INFO }, { "anleitung", W_INFO }, { "unterschied", W_INFO },
	{ "artikel", W_INFO }, { "was passiert", W_INFO }, { "schulung", W_INFO }, { "dokumentation", W_INFO },
	{ "richtlinie", W_INFO }, { "crl ", W_INFO }, { "crls ", W_INFO }, { "ocsp", W_INFO }, { "revocation list", W_INFO },
	{ "revocation check", W_INFO }, { "sperrliste", W_INFO }, { "best practice", W_INFO }, { "tips ", W_INFO },
	{ "audit", W_INFO }, { "survey", W_INFO }, { "widerrufsrecht", W_INFO | W_PROMO }, { "widerrufsbelehrung", W_INFO | W_PROMO },
	{ "in case ", W_INFO }, { "comment ", W_INFO }, { "whether", W_INFO }, { "roadmap", W_INFO },

	{ "was ", W_DONE }, { "were ", W_DONE }, { "has been", W_DONE }, { "have been", W_DONE }, { "had been", W_DONE },
	{ "wurde", W_DONE }, { "worden", W_DONE }, { "successfully", W_DONE }, { "erfolgreich", W_DONE },
	{ "not ", W_NOT }, { "never ", W_NOT }, { "nicht ", W_NOT }, { "still ", W_NOT }, { "noch ", W_NOT },

	{ "unsubscrib", W_PROMO }, { "click here", W_PROMO }, { "click the", W_PROMO }, { "special offer", W_PROMO },
	{ "discount", W_PROMO }, { "limited time", W_PROMO }, { "free trial", W_PROMO }, { "register now", W_PROMO },
	{ "jetzt anmelden", W_PROMO }, { "abbestell", W_PROMO }, { "abmeld", W_PROMO }, { "rabatt", W_PROMO },
	{ "mailbox", W_PROMO }, { "verify your", W_PROMO }, { "your account", W_PROMO }, { "ihr konto", W_PROMO },
	{ "lottery", W_PROMO }, { "bitcoin", W_PROMO }, { "winner", W_PROMO }, { "viagra", W_PROMO }, { "casino", W_PROMO },
	{ "hier klicken", W_PROMO }, { "klicken sie", W_PROMO }, { "view in browser", W_PROMO }, { "im browser", W_PROMO },
	{ "gift card", W_PROMO }, { "gift certificate", W_PROMO }, { "driver s licen", W_PROMO }, { "degree", W_PROMO },
	{ "birth certificate", W_PROMO }, { "marriage", W_PROMO },

	{ "baseline requirement", W_RULE }, { "problem report", W_RULE }, { "4 9 1 1", W_RULE }, { "cps ", W_RULE },
	{ "cp cps", W_RULE }, { "certificate problem", W_RULE }, { "incident report", W_RULE }, { "revocation request", W_RULE },
	{ "request for revocation", W_RULE }, { "request to revoke", W_RULE }, { "widerrufsantrag", W_RULE | W_REVOKE },
	{ "proof of compromise", W_RULE }, { "proof of possession", W_RULE }, { "key compromise", W_RULE | W_LEAK | W_KEY },
	{ "linter", W_RULE }, { "zlint", W_RULE },

};

/* The beginning of every letter's stems, so that each word is compared with a few only. */
static void stems_sorted(unsigned char order[sizeof stems / sizeof stems[0]][2], size_t start[256])
{
	size_t n = 0;

	for (int c = 0; c < 256; c++) {
		start[c] = n;
		for (size_t i = 0; i < sizeof stems / sizeof stems[0]; i++)
			if ((unsigned char)stems[i].text[0] == c) {
				order[n][0] = (unsigned char)(i >> 8);
				order[n++][1] = (unsigned char)(i & 0xff);
			}
	}
}

/* ---- folding ---- */

static const char *fold_letter(unsigned c)
{
	/* U+00C0 to U+017F, two letters each where German writes two */
	static const char *const latin1[] = { "a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
		"d", "n", "o", "o", "o", "o", "oe", " ", "o", "u", "u", "u", "ue", "y", "th", "ss" };
	static const char extended[] = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllllllnnnnnnnnn"
		"oooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
	static char one[2];

	if (c >= 0xc0 && c <= 0xff)
		return c == 0xdf ? "ss" : c == 0xf7 ? " " : c == 0xff ? "y" : latin1[(c - 0xc0) % 32];
	if (c >= 0x100 && c < 0x100 + sizeof extended - 1) {
		one[0] = extended[c - 0x100];
		return one;
	}
	return " ";
}

/* One sentence: words with one blank between them, blanks at both ends. */
struct sentence {
	struct buf text;
	const char *from;   /* of it in the mail */
	size_t len;
	unsigned is;
	bool subject, question;
};

struct words {
	struct recognised *r;
	unsigned char order[sizeof stems / sizeof stems[0]][2];
	size_t start[256];
	struct sentence before, now;
	unsigned all;        /* of the whole mail */
	unsigned topic;      /* of the subject */
	bool carries, automatic;
	int best, second;
	char *best_text, *best_why;
	size_t promos;
};

static void put_folded(struct buf *b, const unsigned char *p, size_t n)
{
	unsigned c = n == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu) : n == 3 ? (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 |
	    (p[2] & 0x3fu) : p[0];
	char one[2] = { c < 0x80 && isalnum((int)c) ? (char)tolower((int)c) : ' ', '\0' };
	const char *s = one;

	if (c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0xfeff || c == 0x2060)
		return; /* not seen, put there to hide a word */
	if (c >= 0x80)
		s = fold_letter(c);
	if (*s == ' ' && (b->len == 0 || b->data[b->len - 1] == ' '))
		return;
	buf_adds(b, s);
}

static unsigned sentence_flags(const struct words *w, const char *text)
{
	unsigned is = 0;

	for (const char *p = text; (p = strchr(p, ' ')) != NULL; ) {
		p++;
		for (size_t k = w->start[(unsigned char)*p], n = w->start[(unsigned char)*p + 1]; k < n; k++) {
			const struct stem *s = &stems[(size_t)w->order[k][0] << 8 | w->order[k][1]];
			if (strncmp(p, s->text, strlen(s->text)) == 0)
				is |= s->is;
		}
	}
	return is;
}

/* ---- judging a sentence ---- */

static int sentence_revoke(const struct words *w, const struct sentence *s, unsigned near)
{
	bool about = s->is & W_CERT, asked = s->is & (W_ASK | W_URGENT);
	int points;

	if (s->is & W_REVOKE)
		points = about ? 6 : (near & (W_CERT | W_KEY)) || w->carries ? 5 : (w->all & (W_CERT | W_KEY)) ? 3 : 1;
	else if (s->is & W_CANCEL)
		points = about ? 4 : near & W_CERT ? 2 : 0;
	else
		return 0;
	if ((s->is & W_INFO) && !((s->is & W_ASK) && !s->question))
		return points - 3 + ((s->is & W_ASK) && (s->is & W_REVOKE) && about ? 4 : 0);
	if ((s->is & (W_DONE | W_PAST)) && (!asked || (s->is & (W_DONE | W_PAST)) == (W_DONE | W_PAST)) &&
	    !(s->is & (W_NOT | W_URGENT | W_LEAK)))
		return points - 3;
	return points > 1 ? points + (asked ? 4 : 0) : points;
}

static int sentence_leak(const struct words *w, const struct sentence *s, unsigned near)
{
	int points = 0;

	if (s->is & W_LEAK)
		points = s->is & W_KEY ? 8 : s->is & W_CERT ? 6 : near & (W_KEY | W_CERT) ? 5 : w->carries ? 4 : 1;
	else if ((s->is & W_LOST) && (s->is & W_KEY) && ((s->is & W_PRIVATE) || !(s->is & W_PUBLIC)))
		points = s->is & W_PRIVATE ? 7 : w->carries || (w->all & (W_CERT | W_PRIVATE)) ? 5 : 2;
	else if (s->is & W_LOST)
		points = near & W_PRIVATE ? 2 : 0;
	else if ((s->is & W_FAULT) && (s->is & W_CERT) && w->carries)
		points = 3;
	if (points > 2 && (s->is & (W_ASK | W_URGENT)))
		points += 1;
	return points > 2 && (s->is & W_INFO) && !w->carries ? points - 3 : points;
}

static void sentence_judge(struct words *w, const struct sentence *s)
{
	unsigned near = w->before.is | w->topic;
	int revoke = sentence_revoke(w, s, near), leak = sentence_leak(w, s, near);
	int points = (revoke > leak ? revoke : leak) + (revoke > 3 && leak > 3 ? 2 : 0);

	if (points > 2 && s->subject)
		points += 2;
	if (points > 2 && (s->is & W_RULE))
		points += 2;
	if (points > 2 && (s->is & W_PROMO))
		points -= 3;
	if (points <= w->second)
		return;
	if (points <= w->best) {
		w->second = points;
		return;
	}
	w->second = w->best;
	w->best = points;
	free(w->best_text);
	w->best_text = recognise_cut(s->from, s->len, 160);
	free(w->best_why);
	w->best_why = mem_strdup(revoke >= leak ? N_("asks for revocation") : N_("says that a key or certificate is compromised"));
}

static void sentence_end(struct words *w)
{
	struct sentence *s = &w->now, old;

	if (s->text.len > 1) {
		buf_addc(&s->text, ' ');
		s->is = sentence_flags(w, buf_str(&s->text));
		w->all |= s->is;
		w->promos += (s->is & W_PROMO) != 0;
		if (s->subject)
			w->topic = s->is;
		sentence_judge(w, s);
		old = w->before;
		w->before = w->now;
		w->now = old;
	}
	buf_clear(&w->now.text);
	buf_addc(&w->now.text, ' ');
	w->now.from = NULL;
	w->now.question = false;
}

#define TEXT_READ (4u << 20) /* octets of a mail's text that are read for words */
#define SENTENCE_MAX 400 /* octets: what never ends is cut */

/* A full stop before a small letter is that of an abbreviation, or of somebody in a hurry: the sense goes on. */
static bool is_abbreviation(const char *p, const char *end)
{
	for (p++; p < end && *p == ' '; p++)
		;
	return p < end && islower((unsigned char)*p);
}

static bool ends_sentence(const char *p, const char *end)
{
	if (*p == '.' && is_abbreviation(p, end))
		return false;
	if (*p == '!' || *p == '?' || *p == '.' || *p == ';')
		return p + 1 == end || isspace((unsigned char)p[1]);
	if (*p != '\n')
		return false;
	for (p++; p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '>'); p++)
		;
	return p == end || *p == '\n';
}

/* Lines that are quoted; a word parted at a line's end by a hyphen is put together. */
static void words_text(struct words *w, const char *p, size_t len, bool subject)
{
	const char *end = p + len;
	bool line = true;
	size_t n;

	sentence_end(w);
	w->now.subject = subject;
	for (; p < end; p += n) {
		unsigned char c = (unsigned char)*p;

		n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		n = n > (size_t)(end - p) ? (size_t)(end - p) : n;
		if (line && w->automatic && c == '>') { /* what an answering machine quotes is not its own */
			const char *nl = memchr(p, '\n', (size_t)(end - p));
			n = nl != NULL ? (size_t)(nl - p) : (size_t)(end - p);
			continue;
		}
		line = c == '\n';
		if (w->now.from == NULL && isgraph(c))
			w->now.from = p;
		if (w->now.from != NULL)
			w->now.len = (size_t)(p + n - w->now.from);
		w->now.question = w->now.question || c == '?';
		put_folded(&w->now.text, (const unsigned char *)p, n);
		if (ends_sentence(p, end) || w->now.text.len > SENTENCE_MAX) {
			sentence_end(w);
			w->now.subject = subject;
		}
	}
	sentence_end(w);
	w->now.subject = false;
}

/* ---- the mail ---- */

static void words_pass(struct words *w, const struct mail *m)
{
	w->before.is = w->now.is = 0;
	w->best = w->second = 0;
	w->promos = 0;
	size_t left = TEXT_READ;

	if (!m->automatic) /* its subject is that of what it answers */
		words_text(w, m->subject, strlen(m->subject), true);
	for (size_t i = 0; i < m->parts; i++) {
		size_t n = m->part[i].data.len < left ? m->part[i].data.len : left;

		if (!m->part[i].text || (m->automatic && m->part[i].forward > 0))
			continue;
		words_text(w, buf_str(&m->part[i].data), n, false);
		left -= n;
	}
}

static void words_say(struct words *w, const struct mail *m)
{
	struct recognised *r = w->r;
	int promo = w->promos > 4 ? 4 : (int)w->promos;

	r->words = w->best >= 3;
	if (w->best > 2)
		recognised_why(r, w->best, "%s: \"%s\"", _(w->best_why), w->best_text);
	if (w->best > 2 && w->second > 2)
		recognised_why(r, w->second > 6 ? 3 : w->second / 2, "%s", _("and again in another sentence"));
	if (w->best > 2 && (w->all & W_URGENT))
		recognised_why(r, 1, "%s", _("is urgent"));
	if (w->all & W_RULE)
		recognised_why(r, 2, "%s", _("speaks of the rules for certificates, or of a problem report"));
	if (m->automatic && r->score > 0)
		recognised_why(r, -6, "%s", _("an automatic answer or a bounce"));
	if (m->bulk && !w->carries && r->score > 0)
		recognised_why(r, -4, "%s", _("sent in bulk"));
	if (promo > 0 && !w->carries && r->score > 0)
		recognised_why(r, -promo, "%s", _("words of advertising or of spam"));
}

void recognise_words(struct recognised *r, const struct mail *m, bool carries)
{
	struct words w = { .r = r, .carries = carries, .automatic = m->automatic };

	stems_sorted(w.order, w.start);
	w.start[255] = sizeof stems / sizeof stems[0];
	words_pass(&w, m); /* once to know what it is about, once to judge with that */
	words_pass(&w, m);
	words_say(&w, m);
	mail_wipe(&w.before.text);
	mail_wipe(&w.now.text);
	free(w.best_text);
	free(w.best_why);
}
