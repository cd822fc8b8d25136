/* Which files of an outbox have been queued, and are perhaps there still. */
#ifndef SC_STORE_STORE_OUTBOX_H
#define SC_STORE_STORE_OUTBOX_H

#include "store/store_out.h"

#define STORE_OUTBOX_KEEP_S (90 * 86400)	/* a key not seen again */

/* A submission made of files; all of it borrowed but the bodies. */
struct store_outbox_put {
	const uint8_t		*once;		/* as store_out_once() */
	const char		*notice_to;
	struct store_out_put	*m;
	size_t			 n;
	const struct bytes	*keys;		/* one for each file */
	size_t			 nkeys;
};

/*
 * store_outbox_submit(st, now, p, submission, e):
 * store_out_submit(), and the keys of the files in the same transaction: from
 * now on they only have to go.
 */
enum rc store_outbox_submit(struct store *st, int64_t now,
    const struct store_outbox_put *p, int64_t *submission, struct err *e);

/* store_outbox_known(st, now, key, known, e): was it queued?  That it was
 * asked for is noted. */
enum rc store_outbox_known(struct store *st, int64_t now, struct bytes key,
    bool *known, struct err *e);

/* store_outbox_forget(st, keys, n, e): these files are there no more.  Not
 * synced: a key that stays does no harm. */
enum rc store_outbox_forget(struct store *st, const struct bytes *keys,
    size_t n, struct err *e);

/* store_outbox_sweep(st, prefix, before, e): those that begin with ${prefix}
 * and were neither queued nor asked for since ${before} are forgotten. */
enum rc store_outbox_sweep(struct store *st, struct bytes prefix,
    int64_t before, struct err *e);

#endif
