/* The table of configuration keys. Parsing, checking, defaults, the sample file and what `sev1 init`
 * writes are all driven by it, so that they cannot drift apart. Only config*.c and init.c see it. */
#ifndef SEV1_CONFIG_KEYS_H
#define SEV1_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "engine/config.h"

enum conf_type {
	CONF_TEXT,
	CONF_NUMBER,  /* int, min to max */
	CONF_FLAG,    /* bool: yes or no */
	CONF_CHOICE,  /* char *: one of choices */
	CONF_KIND,    /* int: the index in choices */
	CONF_FILE,    /* a file or folder that should be there; relative to the configuration's folder */
	CONF_PATH,    /* the same, need not be there yet; or only some steps need it, and say so themselves */
	CONF_PLACE,   /* on the section's host, absolute; without a host as CONF_PATH */
	CONF_REMOTE,  /* an absolute path on a host */
	CONF_KEY,     /* "pkcs11:..." or a file, which need not be there */
	CONF_CA,      /* the name of a [ca] */
	CONF_HOST,    /* the name of a [host] */
	CONF_HTTP,    /* an http or https URL */
	CONF_SMTP,    /* an smtp or smtps URL */
	CONF_ADDRESS, /* a host name or IP address */
	CONF_PROBE,   /* address:port */
	CONF_PORTS,   /* "80, 443" */
	CONF_LIST     /* char **, and a size_t at offset2 */
};

struct conf_section {
	const char *kind;     /* "ca" */
	bool named;           /* [ca NAME] */
	size_t array, count;  /* offsets in struct config; named ones only */
	size_t size, line;    /* of an element, and of its line member */
	const char *help;
};

struct conf_key {
	size_t section;       /* index in conf_sections */
	const char *name;
	enum conf_type type;
	size_t offset, offset2;
	bool must;
	/* Used where the key is absent: a value, or "@name" the section's name, "@state",
	 * "@playbook" and "@template" the usual places. NULL: the member stays NULL. */
	const char *fallback;
	int min, max;
	const char *choices;  /* "a|b|c" */
	const char *sample;   /* a value for the sample file, where it is not the fallback */
	const char *help;     /* untranslated: it becomes a comment in a file */
};

extern const struct conf_section conf_sections[];
extern const struct conf_key conf_keys[];
extern const size_t conf_section_count, conf_key_count;

/* Append the commented sample: every section, every key. */
void config_sample(struct buf *b);
/* Append one section with the comments of its keys. use: in force; else all of it is commented out.
 * get answers a key's value (a new string, or NULL for none, then it stands there as a comment with its
 * default or a sample, unless it is mandatory); get may be NULL. */
void config_write_section(struct buf *b, const char *kind, const char *name, bool use,
    char *(*get)(void *ctx, const char *key), void *ctx);

/* One heading of a file that is being read. */
#define CONF_KEYS_MAX 96
struct conf_part {
	const struct conf_section *section;
	size_t index;            /* in its array */
	char *name;              /* NULL for an unnamed section */
	int line;                /* of the heading; 0: not in the file */
	int key_line[CONF_KEYS_MAX];
};

/* config_value.c */
/* The struct that a part's keys are members of. */
void *conf_base(struct config *c, const struct conf_part *p);
/* Convert value and put it where key says. 0, or an error without "FILE:LINE: ". */
int conf_set(struct config *c, const struct conf_part *p, const struct conf_key *k,
    const char *value, struct err *e);
/* The nearest of n names, or NULL where none is near. */
const char *conf_nearest(const char *word, const char *const names[], size_t n);
/* Where the text of a key is kept. */
char **conf_slot(struct config *c, const struct conf_part *p, const struct conf_key *k);
/* Relative to the folder of the configuration; "~/" is the operator's home. Owned by the caller. */
char *conf_path(const struct config *c, const char *value);
/* No space or quote, and it begins with a or b: "http://", "https://". */
bool conf_has_scheme(const char *value, const char *a, const char *b);
/* "KEY = VALUE: not a value for it", with the remedy. Returns ERR_SYNTAX. */
int conf_bad(struct err *e, const struct conf_key *k, const char *value, const char *remedy);

/* config_check.c */
/* What is right only once the whole file is read: mandatory keys, references, files, and what one
 * key asks of another. 0, or an error with *line set to the line that is at fault. */
int conf_check_part(struct config *c, const struct conf_part *p, int *line, struct err *e);

#endif
