/* Envelopes of what was filed or relayed, kept so that it can be filed once
 * more. */
#ifndef SC_STORE_STORE_KEPT_H
#define SC_STORE_STORE_KEPT_H

#include "store/store_in.h"

/* Which ones: those whose T begins with ${t}, or that of what they were
 * relayed as; filed or relayed since ${since}. */
struct store_kept_ask {
	uint8_t	t[STORE_T_BYTES];
	size_t	t_len;			/* 0: any */
	int64_t	since;
};

/*
 * store_refile(st, ask, now, n, e):
 * Each of them (${n}) waits to be opened, as what was fetched does, with the
 * number of its filing in store_in.filing: 1 for the second, and so on.  Those
 * that wait already are counted too.  STORE_READ: only counted.
 */
enum rc store_refile(struct store *st, const struct store_kept_ask *ask,
    int64_t now, size_t *n, struct err *e);

/* store_refiled(st, id, f, e): that row of what was fetched is done, as ${f}
 * says (borrowed; NULL: it could not be filed), and its envelope is kept for
 * as long as before.  No patient is compared: f->odd is not looked at. */
enum rc store_refiled(struct store *st, int64_t id,
    const struct store_filing *f, struct err *e);

#endif
