#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "engine/command.h"

struct args {
	struct pair {
		char *name, *value;
	} *pair;
	size_t pairs;
};

/* Known to every command. */
static const struct option common[] = {
	{ "plan", "HASH", N_("run exactly the plan with this hash") },
	{ "confirm", N_("PHRASE"), N_("the phrase that confirms the plan") },
	{ "json", NULL, N_("machine-readable output") },
	{ "pin-fd", "N", N_("read PINs and passphrases from this descriptor, a line each") },
	{ NULL, NULL, NULL }
};

struct args *args_new(void)
{
	return mem_zalloc(1, sizeof(struct args));
}

void args_free(struct args *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->pairs; i++) {
		free(a->pair[i].name);
		free(a->pair[i].value);
	}
	free(a->pair);
	free(a);
}

void args_add(struct args *a, const char *name, const char *value)
{
	a->pair = mem_grow(a->pair, a->pairs + 1, sizeof *a->pair);
	a->pair[a->pairs].name = mem_strdup(name);
	a->pair[a->pairs++].value = mem_strdup(value != NULL ? value : "");
}

void args_set(struct args *a, const char *name, const char *value)
{
	for (size_t i = 0; i < a->pairs; i++) {
		if (strcmp(a->pair[i].name, name) == 0) {
			free(a->pair[i].value);
			a->pair[i].value = mem_strdup(value != NULL ? value : "");
			return;
		}
	}
	args_add(a, name, value);
}

const char *args_nth(const struct args *a, const char *name, size_t n)
{
	for (size_t i = 0; i < a->pairs; i++)
		if (strcmp(a->pair[i].name, name) == 0 && n-- == 0)
			return a->pair[i].value;
	return NULL;
}

const char *args_get(const struct args *a, const char *name)
{
	const char *last = NULL;

	for (size_t i = 0; i < a->pairs; i++)
		if (strcmp(a->pair[i].name, name) == 0)
			last = a->pair[i].value;
	return last;
}

const char *args_at(const struct args *a, size_t i, const char **name)
{
	*name = i < a->pairs ? a->pair[i].name : NULL;
	return i < a->pairs ? a->pair[i].value : NULL;
}

bool args_has(const struct args *a, const char *name)
{
	return args_get(a, name) != NULL;
}

static const struct option *option_find(const struct option *o, const char *name, size_t len)
{
	for (; o != NULL && o->name != NULL; o++)
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

/* The letters that hands know from other tools: -o FILE, and -w and -x of pdsh. */
static const char *args_letter(const struct command *cmd, const char *word)
{
	static const struct {
		const char *letter, *name;
	} known[] = { { "-o", "output" }, { "-w", "only" }, { "-x", "exclude" } };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(word, known[i].letter) == 0 && option_find(cmd->options, known[i].name, strlen(known[i].name)) != NULL)
			return known[i].name;
	return NULL;
}

/* One "--name", "--name=value" or "--name value". Returns how many words it took, or an error. */
static int args_option(struct args *a, const struct command *cmd, int left, char *const argv[],
    struct err *e)
{
	const char *name = argv[0] + 2, *eq = strchr(name, '=');
	size_t len = eq != NULL ? (size_t)(eq - name) : strlen(name);
	const struct option *o = option_find(cmd->options, name, len);

	if (o == NULL)
		o = option_find(common, name, len);
	if (o == NULL) {
		err_set(e, ERR_USAGE, _("%s has no option --%.*s"), cmd->name, (int)len, name);
		return err_remedy(e, _("see: sev1 help %s"), cmd->name);
	}
	if (o->arg == NULL) {
		if (eq != NULL)
			return err_set(e, ERR_USAGE, _("--%s takes no value"), o->name);
		args_add(a, o->name, "");
		return 1;
	}
	if (eq == NULL && left < 2)
		return err_set(e, ERR_USAGE, _("--%s needs %s"), o->name, o->arg);
	args_add(a, o->name, eq != NULL ? eq + 1 : argv[1]);
	return eq != NULL ? 1 : 2;
}

int args_parse(struct args *a, const struct command *cmd, int argc, char *const argv[], struct err *e)
{
	const char *letter;
	bool words_only = false;
	int n;

	for (int i = 0; i < argc; i += n) {
		n = 1;
		if (!words_only && strcmp(argv[i], "--") == 0) {
			words_only = true;
		} else if (!words_only && (letter = args_letter(cmd, argv[i])) != NULL) {
			char *name = mem_printf("--%s", letter);
			char *const word[] = { name, i + 1 < argc ? argv[i + 1] : NULL };
			n = args_option(a, cmd, argc - i, word, e);
			free(name);
			if (n < 0)
				return n;
		} else if (!words_only && strncmp(argv[i], "--", 2) == 0) {
			if ((n = args_option(a, cmd, argc - i, argv + i, e)) < 0)
				return n;
		} else if (cmd->usage == NULL || cmd->usage[0] == '\0') {
			err_set(e, ERR_USAGE, _("%s takes no argument: '%s'"), cmd->name, argv[i]);
			return err_remedy(e, _("see: sev1 help %s"), cmd->name);
		} else {
			args_add(a, "", argv[i]);
		}
	}
	return 0;
}
