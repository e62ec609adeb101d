/* HTML of ours, read strictly. */
#ifndef SEV1_STRICT_HTML_H
#define SEV1_STRICT_HTML_H

#include <stddef.h>

/* Fails the test unless p is a page of elements that we write, all closed in their order, each attribute quoted, nothing that
 * runs or reaches outside, and no character that is not escaped where it must be. Returns how many
 * elements there are. */
size_t strict_html(const char *p);

#endif
