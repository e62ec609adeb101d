/* Questions on plain lines: numbered menus, "back", one answer a line. */
#ifndef SEV1_LINE_ASK_H
#define SEV1_LINE_ASK_H

#include <stdbool.h>

#include "ask.h"

/* Print through put the question at hand; what is typed next answers it. */
void line_ask_show(struct ask *a, void (*put)(const char *line));
/* Take one line. ASK_MORE: the next question; ASK_DONE; ASK_BACK: "back" before the first. An error is
 * put. An empty line takes a field's preset, and gives no answer to a menu. */
enum ask_end line_ask_take(struct ask *a, const char *line, void (*put)(const char *line));

#endif
