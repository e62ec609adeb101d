/* What the readers of inventories share; nobody else includes this. */
#ifndef SEV1_INV_INSIDE_H
#define SEV1_INV_INSIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dict.h"
#include "base/errs.h"
#include "fleet/inventory.h"

enum inv_var {
	INV_ADDRESS, INV_PORT, INV_USER, INV_IDENTITY, INV_COMMON_ARGS, INV_EXTRA_ARGS, INV_CONNECTION, INV_BECOME,
	INV_BECOME_METHOD, INV_BECOME_USER, INV_NAMES, INV_PROFILE, INV_SSH_ARGS, INV_EXECUTABLE, INV_PASSWORD,
	INV_BECOME_PASSWORD, INV_VARS
};

/* What a variable was set to, and where. */
struct value {
	struct value *next; /* of all */
	char *text;
	const char *file;
	int line;
	bool sealed;        /* a vault value */
	bool told;          /* that it is none; once for all hosts of a group */
};

struct node { /* a host or a group */
	char *name, *key;   /* key: lower case, of a host; the name of a group */
	const char *file;
	int line;
	struct value *var[INV_VARS];   /* as the inventory itself sets it */
	struct value *set[INV_VARS];   /* a host: as it resolves; a group: from group_vars */
	size_t *host; size_t hosts;          /* a group's own */
	size_t *child; size_t children;
	int depth;                           /* longest way from "all"; -1 not known yet */
	long block;                          /* a host: of what it was added with last */
	bool busy;                           /* its depth or members are being worked out */
	bool declared;                       /* a group with a section of its own */
	bool read;                           /* its file of group_vars or host_vars */
	bool ringed;                         /* a group: it was told that it is below itself */
	bool *member;                        /* of hosts, filled on demand */
};

/* An inventory in the making. */
struct inv {
	const char *path;                    /* of the file that is read */
	char *folder;
	struct node *host; size_t hosts;
	struct node *group; size_t groups;   /* group 0 is "all" */
	struct dict by_host, by_group;
	struct value *values;
	char **file; size_t files;           /* names that values point to */
	struct dict by_file;                 /* their order */
	struct inventory *out;
	bool loose;                          /* ansible: a host may stand in several groups */
	long block;                          /* counts those of YAML, where a group may be told again below another */
	bool cut;                            /* something was not read to its end: groups may have stood there */
	struct errs errs;                    /* by file and line; nothing comes of the inventory once there is one */
	struct err *last;                    /* the one told last; NULL where it was only counted */
};

/* Tell an error, "FILE:LINE: what: shown", shown escaped; "" leaves it out. Returns ERR_SYNTAX: what it was told of is
 * left, and reading goes on behind it, so that all errors are told at once. */
int inv_error(struct inv *in, const char *file, int line, const char *what, const char *shown);
/* The same of one that another part has found; line 0: of the file as a whole. Returns its code. */
int inv_failed(struct inv *in, const char *file, int line, const struct err *e);
/* What to do about the error told last. Returns its code. */
int inv_remedy(struct inv *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void inv_note(struct inv *in, const char *file, int line, const char *what, const char *shown);
/* The variable that ansible (or sev1) calls name; INV_VARS: none that matters. */
enum inv_var inv_var_find(const char *name);
struct value *inv_value(struct inv *in, const char *text, size_t len, const char *file, int line);
/* A name that lives as long as the inventory in the making. */
const char *inv_file(struct inv *in, const char *path);

/* The group of that name, made where there is none. */
size_t inv_group(struct inv *in, const char *name, const char *file, int line);
void inv_group_child(struct inv *in, size_t group, size_t child);
/* Add the hosts of [USER@]NAME[:PORT], a name with ranges, to a group, and give each the values of var (INV_VARS of
 * them, or NULL). A host that is there already is an error, unless loose and it stands in another group or block; of a
 * range the first one is told. */
int inv_host_add(struct inv *in, size_t group, const char *target, struct value *const *var,
    const char *file, int line);

/* The next line that is neither empty nor a comment, without white space around it; 0 at the end. */
size_t inv_line_next(const char **at, const char *end, const char **line);
/* The readers: text into in, and what is wrong with it to in->errs. */
void inv_list_read(struct inv *in, const char *text, size_t len);
void inv_csv_read(struct inv *in, const char *text, size_t len);
void inv_ini_read(struct inv *in, const char *text, size_t len);
void inv_yaml_read(struct inv *in, const char *text, size_t len);
/* The mapping of a group_vars or host_vars file into set. */
void inv_yaml_vars(struct inv *in, const char *text, size_t len, const char *file, struct value **set);

/* inv_groups.c: no group without a section, none below itself; each gets its depth. */
void inv_groups_check(struct inv *in);
/* inv_vars.c: group_vars and host_vars beside the inventory. */
void inv_vars_read(struct inv *in);
/* inv_groups.c again: what each host's variables are, by ansible's precedence; the groups of the outcome. */
void inv_vars_settle(struct inv *in);
void inv_groups_show(struct inv *in);
/* inv_server.c: the servers of the outcome, and the notes about passwords. */
void inv_servers_make(struct inv *in);

#endif
