#include "child/jump.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static bool jump_is_port(const char *s, size_t n)
{
	return n >= 1 && n <= 5 && strspn(s, "0123456789") >= n;
}

/* [USER@]HOST[:PORT] */
static bool jump_is_hop(const char *s, size_t n)
{
	char *hop = mem_strndup(s, n), *host = strrchr(hop, '@'), *port;
	bool ok;

	if (host != NULL)
		*host++ = '\0';
	else
		host = hop;
	ok = host == hop || text_is_word(hop);
	if (host[0] == '[' && (port = strchr(host, ']')) != NULL) {
		*port++ = '\0';
		ok = ok && (*port == '\0' || (*port == ':' && jump_is_port(port + 1, strlen(port + 1))));
		host++;
	} else if ((port = strchr(host, ':')) != NULL && strchr(port + 1, ':') == NULL) {
		*port++ = '\0';
		ok = ok && jump_is_port(port, strlen(port));
	}
	ok = ok && text_is_host(host, false);
	free(hop);
	return ok;
}

bool jump_is_chain(const char *s)
{
	size_t n;

	for (;; s += n + 1) {
		n = strcspn(s, ",");
		if (!jump_is_hop(s, n))
			return false;
		if (s[n] == '\0')
			return true;
	}
}

/* The next word; quotes around a whole word go. Owned by the caller, NULL at the end. */
static char *jump_word(const char **at)
{
	const char *p = *at + strspn(*at, " \t");
	char quote = *p == '"' || *p == '\'' ? *p : 0;
	size_t n;

	if (*p == '\0')
		return NULL;
	p += quote != 0;
	n = quote != 0 ? strcspn(p, quote == '"' ? "\"" : "'") : strcspn(p, " \t");
	*at = p + n + (p[n] != '\0');
	return mem_strndup(p, n);
}

struct command {
	char *host, *user, *port;
	bool forwards, odd;
};

static void jump_set(char **slot, const char *value)
{
	free(*slot);
	*slot = mem_strdup(value);
}

/* An option and what belongs to it: "-W %h:%p" or "-W%h:%p". */
static void jump_option(struct command *c, const char *word, const char **at)
{
	const char letter = word[1];
	char *next = word[2] == '\0' && strchr("Wplo", letter) != NULL ? jump_word(at) : NULL;
	const char *value = next != NULL ? next : word + 2;

	if (strcmp(word, "-q") == 0 || strcmp(word, "-x") == 0 || strcmp(word, "-a") == 0 || strcmp(word, "-T") == 0)
		;
	else if (letter == 'W')
		c->forwards = strcmp(value, "%h:%p") == 0 || strcmp(value, "[%h]:%p") == 0;
	else if (letter == 'p')
		jump_set(&c->port, value);
	else if (letter == 'l')
		jump_set(&c->user, value);
	else if (letter != 'o' || (strcasecmp(value, "BatchMode=yes") != 0 && strcasecmp(value, "ProxyCommand=none") != 0 &&
	    strncasecmp(value, "StrictHostKeyChecking=", 22) != 0)) /* its key is checked whatever that says */
		c->odd = true;
	free(next);
}

char *jump_of_command(const char *command)
{
	struct command c = { .odd = false };
	char *word = jump_word(&command), *jump = NULL;
	bool ssh = word != NULL && (strcmp(word, "ssh") == 0 || strcmp(word, "/usr/bin/ssh") == 0);

	for (free(word); ssh && (word = jump_word(&command)) != NULL; free(word)) {
		if (word[0] == '-')
			jump_option(&c, word, &command);
		else if (c.host == NULL)
			c.host = mem_strdup(word);
		else
			c.odd = true;
	}
	if (c.forwards && !c.odd && c.host != NULL) {
		bool at = strchr(c.host, '@') != NULL;
		jump = mem_printf("%s%s%s%s%s", c.user != NULL && !at ? c.user : "", c.user != NULL && !at ? "@" : "",
		    c.host, c.port != NULL ? ":" : "", c.port != NULL ? c.port : "");
		if (!jump_is_chain(jump) || strchr(jump, ',') != NULL) {
			free(jump);
			jump = NULL;
		}
	}
	free(c.host);
	free(c.user);
	free(c.port);
	return jump;
}
