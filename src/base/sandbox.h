/* What a process may still do once it has been set up. */
#ifndef SC_BASE_SANDBOX_H
#define SC_BASE_SANDBOX_H

#include <stdbool.h>

#include "base/err.h"

enum sandbox_role {
	SB_FETCH,	/* sockets it holds; opens no file of ours */
	SB_RELAY,	/* the same; may connect */
	SB_KEEPER,	/* its state folder; no network */
	SB_VAULT,	/* what it holds already; nothing to open */
	SB_CLERK	/* its delivery folders; no network */
};

/*
 * sandbox_enter(role, rw, e):
 * Drop everything that ${role} does not need, for ever.  ${rw}: folders (NULL
 * at the end) in which files may be made, or NULL.  Where the kernel offers
 * nothing it returns RC_OK and sandbox_kind() says "none".
 * Source: landlock(7), seccomp(2); sandbox_init(3) on macOS.
 */
enum rc sandbox_enter(enum sandbox_role role, const char *const *rw,
    struct err *e);

/* sandbox_kind(): "landlock+seccomp", "landlock", "seccomp", "sandbox_init"
 * or "none": what this machine offers; for `sceau check`. */
const char *sandbox_kind(void);

#endif
