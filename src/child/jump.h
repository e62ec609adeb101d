/* Bastions in the words of ssh: what may follow -J, and commands that mean the same. */
#ifndef SEV1_JUMP_H
#define SEV1_JUMP_H

#include <stdbool.h>

/* Bastions as ssh -J takes them: "a,user@b:2222,[2001:db8::1]:22"; nothing in it can be an option or reach a
 * shell. */
bool jump_is_chain(const char *s);

/* The one bastion of a ProxyCommand that does what ProxyJump does, "ssh -W %h:%p [-q] [-p N] [-l USER]
 * [USER@]HOST", as -J takes it and owned by the caller; NULL for any other command. */
char *jump_of_command(const char *command);

#endif
