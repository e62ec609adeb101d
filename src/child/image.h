/* The forensic image: one POSIX shell script, the same on this machine and on a host. */
#ifndef SEV1_IMAGE_H
#define SEV1_IMAGE_H

#include "base/buf.h"

/* Arguments: the source (a block device or a file), the target folder, the name of the image there.
 * Says "progress DONE TOTAL" each second and, at the end, "sha256 HEX". Writes NAME.part, then NAME and
 * NAME.sha256. Refuses a target on the source device and one without room. An image that is
 * already complete is left and its digest said again. */
extern const char image_script[];

/* One line for a journal: the script by the first digits of its digest, and its arguments. Owned by
 * the caller. */
char *image_short(const char *source, const char *target, const char *name);

/* The whole as one command for a shell; owned by the caller. */
char *image_command(const char *source, const char *target, const char *name);

#endif
