/* Where installed data lies, and the user's own folders. */
#ifndef SEV1_PATHS_H
#define SEV1_PATHS_H

/* A file of the package: $SEV1_DATADIR/relative in an uninstalled tree, else PKGDATADIR/relative.
 * Owned by the caller. */
char *path_data(const char *relative);
/* The installed template of a notice, in the language that its fields are filled in with where there is one.
 * Owned by the caller. */
char *path_template(const char *name);
/* The folder of incident files where the configuration names none: /var/lib/sev1 for root, else
 * $XDG_STATE_HOME/sev1 or ~/.local/state/sev1. Owned by the caller. */
char *path_state(void);

#endif
