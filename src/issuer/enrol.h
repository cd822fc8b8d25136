/* What the members are told in the course of the year: new keys, bars. */
#ifndef SC_ISSUER_ENROL_H
#define SC_ISSUER_ENROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "issuer/batch.h"
#include "issuer/desk.h"

#define ENROL_BY_MARKS (-1)

struct enrol_plan {
	struct desk	*desk;
	size_t		 nyears;
	uint16_t	 years[BATCH_YEARS_MAX];
	int64_t		 since_at;	/* changes from then on; or
					 * ENROL_BY_MARKS: untold ones */
	bool		 really;	/* false: only count */
};

/* One envelope for one member.  All lent. */
struct enrol_done {
	const struct member *member;
	uint16_t	 year;
	size_t		 part;		/* from 1: of what he is told now */
	size_t		 grants;
	size_t		 entries;
	size_t		 bars;
	struct bytes	 envelope;	/* empty unless plan->really */
};

typedef enum rc enrol_each(void *ctx, const struct enrol_done *d,
    struct err *e);

/*
 * enrol_run(plan, each, ctx, e):
 * For each year, and each member who has a key of it and to whom something
 * that changed is news: GRANT and ENTRY of those whom he may write to, BAR of
 * replaced generations and of who has left, sealed by the issuer for him under
 * his channel of that year.  What does not fit into the 1 MiB of one envelope
 * goes into further ones.  Nobody is told what stands in his own ring, or was
 * told before: the register remembers, and is saved as it goes.
 *
 * ${plan->really}: the root of each year in which somebody is told something
 * is in memory, see desk_join().
 *
 * ${each} keeps an envelope.  With ${d} NULL it is to make durable what it was
 * given; the register, saved next, says that those were told.  Once it has
 * failed it must go on to fail, or the register would lie.  Memory: one
 * envelope, and 40 octets a member.
 *
 * RC_OK; RC_CONF: no root, or no more sense in that year; RC_NOMEM; what
 * ${each} returned.
 * Source: PROTOCOL 2.8 "Enrolment batch", 2.15, 2.19.35.
 */
enum rc enrol_run(const struct enrol_plan *plan, enrol_each *each, void *ctx,
    struct err *e);

#endif
