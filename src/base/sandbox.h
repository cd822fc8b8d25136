/* What a process may still do once it has been set up. */
#ifndef SC_BASE_SANDBOX_H
#define SC_BASE_SANDBOX_H

#include "base/err.h"

enum sandbox_role {
	SB_FETCH,	/* sockets it holds; opens no file of ours */
	SB_RELAY,	/* the same; may connect */
	SB_KEEPER,	/* the files of its store; no network */
	SB_VAULT,	/* what it holds already; nothing to open */
	SB_CLERK	/* its delivery folders; no network */
};

enum sandbox_may {
	SB_TREE,	/* read, write, make and remove below a folder */
	SB_NAMES,	/* list a folder and remove names in it, open nothing */
	SB_FILE,	/* read and write this file */
	SB_READ,	/* list and read below a folder, change nothing */
	SB_LIST		/* list below a folder, open nothing */
};

struct sandbox_path {
	const char		*path;
	enum sandbox_may	 may;
};

/*
 * sandbox_enter(role, paths, e):
 * Drop everything that ${role} does not need, for ever.  ${paths}: what it
 * may still open, ended by a NULL path, or NULL; those that are missing are
 * not let in later.  Where the kernel offers nothing it returns RC_OK and
 * sandbox_kind() says "none".  What each role is refused stands in
 * sceau-security(7); test_sandbox.py tries it.
 * Source: landlock(7), seccomp(2); sandbox_init(3) on macOS.
 */
enum rc sandbox_enter(enum sandbox_role role, const struct sandbox_path *paths,
    struct err *e);

/*
 * sandbox_leave(code):
 * _exit(), for whoever was forked and may have entered one.  With sanitizers,
 * fault points and SCEAU_FAULT_LEAKS in the environment it looks for leaks
 * first, which they report; nobody enters a sandbox then.
 */
_Noreturn void sandbox_leave(int code);

/* sandbox_kind(): "landlock+seccomp", "landlock", "seccomp", "sandbox_init"
 * or "none": what this machine offers; for `sceau check`. */
const char *sandbox_kind(void);

#endif
