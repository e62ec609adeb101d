#include "base/dict.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct dict_slot {
	const char *key; /* NULL: free */
	size_t value;
};

/* FNV-1a, and at most half full: names are an operator's own, nobody chooses them to collide. */
static size_t dict_hash(const char *key)
{
	uint64_t h = 14695981039346656037u;

	for (; *key != '\0'; key++) {
		h ^= (unsigned char)*key;
		__builtin_mul_overflow(h, (uint64_t)1099511628211u, &h);
	}
	return (size_t)(h ^ h >> 32);
}

/* Where key stands or would. cap is a power of two and never full. */
static struct dict_slot *dict_find(const struct dict *d, const char *key)
{
	size_t at = dict_hash(key) & (d->cap - 1);

	while (d->slot[at].key != NULL && strcmp(d->slot[at].key, key) != 0)
		at = (at + 1) & (d->cap - 1);
	return &d->slot[at];
}

size_t dict_get(const struct dict *d, const char *key)
{
	const struct dict_slot *s = d->count > 0 ? dict_find(d, key) : NULL;

	return s != NULL && s->key != NULL ? s->value : DICT_NONE;
}

void dict_put(struct dict *d, const char *key, size_t value)
{
	struct dict_slot *s;

	if (d->count * 2 >= d->cap) {
		struct dict more = { .cap = d->cap > 0 ? d->cap * 2 : 64 };
		more.slot = mem_zalloc(more.cap, sizeof *more.slot);
		for (size_t i = 0; i < d->cap; i++)
			if (d->slot[i].key != NULL)
				*dict_find(&more, d->slot[i].key) = d->slot[i];
		free(d->slot);
		d->slot = more.slot;
		d->cap = more.cap;
	}
	s = dict_find(d, key);
	d->count += s->key == NULL;
	*s = (struct dict_slot){ key, value };
}

void dict_free(struct dict *d)
{
	free(d->slot);
	*d = (struct dict){ 0 };
}
