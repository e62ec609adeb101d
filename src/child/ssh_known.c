#include "child/ssh_known.h"

#include <ctype.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/dict.h"
#include "base/fs.h"

#define FILE_MAX (32u << 20)
#define NO_LINE ((size_t)-1)

enum mark { MARK_NONE, MARK_REVOKED, MARK_CA };

struct line { /* strings lie in the file's text */
	enum mark mark;
	char *hosts, *type, *blob;
	const char *file;
	size_t next; /* of the same plain name */
};

struct stamp {
	int64_t size, sec, nsec;
	uint64_t inode;
};

struct known {
	char **file;
	struct stamp *stamp;
	char **text;
	size_t files, present;
	struct line *line; size_t lines;
	struct dict plain;      /* lower-case name -> its last line */
	char **name; size_t names;
	size_t *odd; size_t odds; /* lines with wildcards, hashes or marks */
};

/* One set of files at a time: a child meets the same ones for each host. */
static struct known *cache;

static void known_free(struct known *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->files; i++) {
		free(k->file[i]);
		free(k->text[i]);
	}
	for (size_t i = 0; i < k->names; i++)
		free(k->name[i]);
	free(k->name);
	free(k->file);
	free(k->text);
	free(k->stamp);
	free(k->line);
	free(k->odd);
	dict_free(&k->plain);
	free(k);
}

static struct stamp stamp_of(const char *file)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return (struct stamp){ .size = -1 };
	return (struct stamp){ st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_ino };
}

static bool known_is(const struct known *k, char *const *file, size_t files)
{
	if (k == NULL || k->files != files)
		return false;
	for (size_t i = 0; i < files; i++) {
		struct stamp now = stamp_of(file[i]);
		if (strcmp(k->file[i], file[i]) != 0 || memcmp(&now, &k->stamp[i], sizeof now) != 0)
			return false;
	}
	return true;
}

static char *lower(char *s)
{
	for (char *p = s; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return s;
}

/* Plain names go into the dictionary, a chain for each. */
static void known_add_names(struct known *k, size_t at)
{
	const char *s = k->line[at].hosts;
	size_t n;

	if (k->line[at].mark != MARK_NONE || strpbrk(s, "*?!|") != NULL) {
		k->odd = mem_grow(k->odd, k->odds + 1, sizeof *k->odd);
		k->odd[k->odds++] = at;
		return;
	}
	for (;; s += n + 1) {
		n = strcspn(s, ",");
		k->name = mem_grow(k->name, k->names + 1, sizeof *k->name);
		k->name[k->names] = lower(mem_strndup(s, n));
		/* A line of several names is chained from each of them: a copy for each name keeps that simple. */
		if (s != k->line[at].hosts) {
			k->line = mem_grow(k->line, k->lines + 1, sizeof *k->line);
			k->line[k->lines] = k->line[at];
			k->lines++;
		}
		size_t mine = s == k->line[at].hosts ? at : k->lines - 1;
		k->line[mine].next = dict_get(&k->plain, k->name[k->names]);
		dict_put(&k->plain, k->name[k->names++], mine);
		if (s[n] == '\0')
			break;
	}
}

static void known_add_line(struct known *k, char *s, const char *file)
{
	struct line l = { .file = file, .next = NO_LINE };
	char *word = strsep(&s, " \t");

	if (word != NULL && word[0] == '@') {
		l.mark = strcmp(word, "@revoked") == 0 ? MARK_REVOKED : MARK_CA;
		while (s != NULL && (*s == ' ' || *s == '\t'))
			s++;
		word = strsep(&s, " \t");
	}
	l.hosts = word;
	while (s != NULL && (*s == ' ' || *s == '\t'))
		s++;
	l.type = strsep(&s, " \t");
	while (s != NULL && (*s == ' ' || *s == '\t'))
		s++;
	l.blob = strsep(&s, " \t\r");
	if (l.hosts == NULL || l.type == NULL || l.blob == NULL || l.hosts[0] == '\0' || l.blob[0] == '\0')
		return;
	k->line = mem_grow(k->line, k->lines + 1, sizeof *k->line);
	k->line[k->lines++] = l;
	known_add_names(k, k->lines - 1);
}

static int known_add_file(struct known *k, const char *file, struct err *e)
{
	struct buf b = { 0 };
	char *line, *rest;
	size_t i = k->files;
	int rc = 0;

	k->file = mem_grow(k->file, i + 1, sizeof *k->file);
	k->text = mem_grow(k->text, i + 1, sizeof *k->text);
	k->stamp = mem_grow(k->stamp, i + 1, sizeof *k->stamp);
	k->file[i] = mem_strdup(file);
	k->stamp[i] = stamp_of(file);
	k->text[i] = NULL;
	k->files++;
	if (k->stamp[i].size < 0)
		return 0;
	k->present++;
	if ((rc = fs_read(file, &b, FILE_MAX, e)) < 0) {
		buf_free(&b);
		return rc;
	}
	rest = k->text[i] = buf_take(&b);
	while ((line = strsep(&rest, "\n")) != NULL) {
		line += strspn(line, " \t");
		if (line[0] != '\0' && line[0] != '#' && line[0] != '\r')
			known_add_line(k, line, k->file[i]);
	}
	return 0;
}

const struct known *known_load(char *const *file, size_t files, struct err *e)
{
	struct known *k;
	int rc = 0;

	if (known_is(cache, file, files))
		return cache;
	known_free(cache);
	cache = NULL;
	k = mem_zalloc(1, sizeof *k);
	for (size_t i = 0; rc == 0 && i < files; i++)
		rc = known_add_file(k, file[i], e);
	if (rc < 0) {
		known_free(k);
		return NULL;
	}
	return cache = k;
}

/* "|1|SALT|HASH": HMAC-SHA1 of the name under the salt. */
static bool hashed_is(const char *s, const char *name)
{
	unsigned char salt[64], want[64], got[EVP_MAX_MD_SIZE];
	const char *bar = strncmp(s, "|1|", 3) == 0 ? strchr(s + 3, '|') : NULL;
	unsigned int n = 0;

	/* 20 octets are 28 characters of base64, of which the last is padding. */
	if (bar == NULL || bar - s != 31 || strlen(bar + 1) != 28 ||
	    EVP_DecodeBlock(salt, (const unsigned char *)s + 3, 28) != 21 ||
	    EVP_DecodeBlock(want, (const unsigned char *)bar + 1, 28) != 21)
		return false;
	return HMAC(EVP_sha1(), salt, 20, (const unsigned char *)name, strlen(name), got, &n) != NULL && n == 20 &&
	    memcmp(got, want, 20) == 0;
}

/* Patterns with commas between; one with "!" takes the line away. */
static bool patterns_match(const char *s, const char *name)
{
	bool found = false;
	size_t n;

	for (;; s += n + 1) {
		n = strcspn(s, ",");
		char *pattern = mem_strndup(s, n);
		/* Brackets are part of "[host]:port" and no wildcard. */
		struct buf b = { 0 };
		for (const char *p = pattern; *p != '\0'; p++)
			buf_addf(&b, "%s%c", *p == '[' || *p == ']' || *p == '\\' ? "\\" : "", *p);
		bool no = pattern[0] == '!', hit = fnmatch(buf_str(&b) + no, name, FNM_CASEFOLD) == 0;
		bool end = s[n] == '\0';
		buf_free(&b);
		free(pattern);
		if (hit && no)
			return false;
		found = found || hit;
		if (end)
			return found;
	}
}

static char *known_name(const char *name, int port)
{
	return lower(port == 0 || port == 22 ? mem_strdup(name) : mem_printf("[%s]:%d", name, port));
}

/* Call fn for each line of the host. */
static void known_each(const struct known *k, const char *name, int port,
    void (*fn)(void *ctx, const struct line *l), void *ctx)
{
	char *as = known_name(name, port);

	for (size_t i = dict_get(&k->plain, as); i != NO_LINE; i = k->line[i].next)
		fn(ctx, &k->line[i]);
	for (size_t i = 0; i < k->odds; i++) {
		const struct line *l = &k->line[k->odd[i]];
		if (l->hosts[0] == '|' ? hashed_is(l->hosts, as) : patterns_match(l->hosts, as))
			fn(ctx, l);
	}
	free(as);
}

struct judging {
	const char *type, *blob;
	const struct line *same, *changed, *other, *ca;
};

static void judge_line(void *ctx, const struct line *l)
{
	struct judging *j = ctx;

	if (l->mark == MARK_CA)
		j->ca = l;
	else if (l->mark == MARK_NONE && strcmp(l->blob, j->blob) == 0)
		j->same = l;
	else if (l->mark == MARK_NONE && strcmp(l->type, j->type) == 0)
		j->changed = l;
	else if (l->mark == MARK_NONE)
		j->other = l;
}

enum known_verdict known_judge(const struct known *k, const char *name, int port, const char *type,
    const char *blob, const char **where)
{
	struct judging j = { .type = type, .blob = blob };
	const struct line *l;

	*where = NULL;
	for (size_t i = 0; i < k->odds; i++)
		if ((l = &k->line[k->odd[i]])->mark == MARK_REVOKED && strcmp(l->blob, blob) == 0) {
			*where = l->file;
			return KNOWN_REVOKED;
		}
	known_each(k, name, port, judge_line, &j);
	l = j.same != NULL ? j.same : j.changed != NULL ? j.changed : j.other != NULL ? j.other : j.ca;
	if (l == NULL)
		return k->present > 0 ? KNOWN_UNKNOWN : KNOWN_NO_FILE;
	*where = l->file;
	return l == j.same ? KNOWN_OK : l == j.changed ? KNOWN_CHANGED : l == j.other ? KNOWN_OTHER : KNOWN_CA;
}

static void types_line(void *ctx, const struct line *l)
{
	struct buf *b = ctx;

	if (l->mark == MARK_NONE && strpbrk(l->type, ", ") == NULL && strstr(buf_str(b), l->type) == NULL)
		buf_addf(b, "%s%s", b->len > 0 ? "," : "", l->type);
}

char *known_types(const struct known *k, const char *name, int port)
{
	struct buf b = { 0 };

	known_each(k, name, port, types_line, &b);
	return buf_take(&b);
}
