/* Mail on which the sessions of an account end: found, and left aside. */
#ifndef SC_FLOW_SUSPECT_H
#define SC_FLOW_SUSPECT_H

#include <stdbool.h>

#include "store/store_in.h"

#define SUSPECT_SKIP_MAX 16

/*
 * A mail that ends the process or the session that fetches it must not keep
 * what is listed behind it from being fetched.  Those that were asked for when
 * a session ended are asked for one at a time; the one that ends two sessions
 * alone is left where it is for this pass, and the others go on.  Zeroed at
 * the start of a pass.
 */
struct suspect {
	size_t			waiting;	/* asked for, not yet ended */
	size_t			alone;		/* so many more one at a time */
	struct store_uid	one;		/* asked for alone, or empty */
	struct store_uid	last;		/* one that ended a session */
	struct store_uid	skip[SUSPECT_SKIP_MAX];
	size_t			nskip;
	bool			came;		/* any, since one was found */
	unsigned		ended, died;	/* sessions, processes */
};

/* suspect_max(s, most): how many may be asked for at once. */
size_t suspect_max(const struct suspect *s, size_t most);
bool suspect_skips(const struct suspect *s, const struct store_uid *uid);
/* suspect_asked(s, uids, n): these are asked for now. */
void suspect_asked(struct suspect *s, const struct store_uid *uids, size_t n);
/* suspect_came(s): one of them has come, or will not. */
void suspect_came(struct suspect *s);

/*
 * suspect_over(s, died, found):
 * The session ended early; ${died}: its process, and nobody said why.  True:
 * start another at once.  ${found}: the mail that is left aside from here on,
 * lent, or NULL.
 */
bool suspect_over(struct suspect *s, bool died,
    const struct store_uid **found);

#endif
