/* From a name to a number, in constant time: for lists of tens of thousands of rows. */
#ifndef SEV1_DICT_H
#define SEV1_DICT_H

#include <stddef.h>

struct dict_slot;

/* All zeros is an empty one. */
struct dict {
	struct dict_slot *slot;
	size_t cap, count;
};

#define DICT_NONE ((size_t)-1)

/* The number of key, or DICT_NONE. */
size_t dict_get(const struct dict *d, const char *key);
/* Keep value under key, which is borrowed and must stay as it is until dict_free. */
void dict_put(struct dict *d, const char *key, size_t value);
void dict_free(struct dict *d);

#endif
