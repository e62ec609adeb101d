/* The servers that hold certificates: a plain list, CSV, or an ansible inventory in INI or YAML. */
#ifndef SEV1_INVENTORY_H
#define SEV1_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/errs.h"

struct server {
	char *name;          /* what it is called; unique in the inventory whatever the case */
	char *address, *user, *identity; /* NULL: as the configuration says; the address: the name */
	char *jump;          /* bastions as ssh -J takes them; NULL: as ssh_config says */
	char *profile;       /* how it takes its certificate; NULL: as the configuration says */
	int port;            /* of SSH; 0: as the configuration says */
	int sudo;            /* 1 yes, 0 no, -1 as the configuration says */
	char **names; size_t count; /* for its certificate; the name where none are given */
	char *unusable;      /* "FILE:LINE: why" it cannot be reached as the inventory wants; NULL */
	bool apart;          /* unusable because it is not reached over SSH at all: left out of everything */
	int line;
};

struct server_group {
	char *name;
	size_t *server; size_t servers; /* indexes, ascending; those of its children too */
};

struct inventory {
	char *path;
	struct server *server; size_t servers; /* in the order of the file */
	struct server_group *group; size_t groups; /* by name; without "all" and "ungrouped"; empty ones are left out */
	char **note; size_t notes; /* "FILE:LINE: what" was seen and not used */
};

/* Read one from text; path is for messages, and its ending and folder tell more: NAME.yml is YAML, group_vars
 * and host_vars beside an ansible inventory are read for what they say about connections. Else by what it holds:
 *   - "---", or "all:" and the like: ansible YAML; "[group]" headings or key=value behind a name: ansible INI.
 *     Used are ansible_host, _port, _user, _ssh_private_key_file, _connection, _become (sudo), the ProxyJump of
 *     _ssh_args and _ssh_common_args, sev1_names and sev1_profile; group variables as ansible orders them.
 *   - a first line of several fields, "host" one of them, is a CSV header: host[,address,port,user,names,profile], in
 *     any order, fields quoted as RFC 4180 has it, names separated by spaces or semicolons; where the header has
 *     semicolons or tabs between its fields, so have the others;
 *   - otherwise one host a line.
 * A host is [USER@]NAME[:PORT]; a name may hold ranges: web[01:50], web[1:9:2], node[1-3,7], [a:f], and ends without
 * the dot of the root. "#" starts a comment.
 * NULL with all its errors, "FILE:LINE: what" by file and line: a host twice, a host with two addresses, a line that
 * cannot be read, a name that is none, nothing at all. Only what YAML's grammar refuses, and a CSV without a header, end
 * their file. Jinja expressions and vault values make unusable what depends on them. es may be NULL. */
struct inventory *inventory_read(const char *text, size_t len, const char *path, struct errs *es);
/* The same from a file; a folder is one ansible inventory of all its files, in the order of their names. */
struct inventory *inventory_load(const char *path, struct errs *es);
void inventory_free(struct inventory *inv);

/* Choose servers. want and but are lists of patterns, separated by commas: a name, a group, either with the
 * wildcards * ? [], a range, all, @FILE with a pattern a line; as ansible has it also "a:&b", "a:!b". want NULL:
 * all. but NULL: none are left out. On 0 chosen[inv->servers] says which, and servers that stand apart are
 * left out whatever the patterns say. ERR_USAGE: a pattern that matches nothing, named (one of a FILE with its line),
 * or a want without any. */
int inventory_choose(const struct inventory *inv, const char *want, const char *but, bool *chosen,
    struct err *e);

/* Expand the ranges of a pattern; each name is given to add (negative: stop). ERR_SYNTAX with what is wrong,
 * without "FILE:LINE: ". At most INVENTORY_RANGE_MAX names. */
#define INVENTORY_RANGE_MAX 200000
int inventory_range(const char *pattern, int (*add)(void *ctx, const char *name), void *ctx, struct err *e);

#endif
