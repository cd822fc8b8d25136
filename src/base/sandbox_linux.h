/* The two halves of a sandbox on Linux; only sandbox.c calls them. */
#ifndef SC_BASE_SANDBOX_LINUX_H
#define SC_BASE_SANDBOX_LINUX_H

#include <stdbool.h>

#include "base/sandbox.h"

/* landlock_enter(role, paths, e): files, TCP, signals, as far as this kernel's
 * version goes. */
bool landlock_offered(void);
enum rc landlock_enter(enum sandbox_role role,
    const struct sandbox_path *paths, struct err *e);

/* filter_enter(role, e): system calls.  Refused is EPERM, except clone3(),
 * whose callers take ENOSYS as a word to use clone(). */
bool filter_offered(void);
enum rc filter_enter(enum sandbox_role role, struct err *e);

#endif
