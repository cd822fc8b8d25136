/* What stands in a member's key file, made as it is asked for. */
#ifndef SC_ISSUER_RING_WALK_H
#define SC_ISSUER_RING_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "issuer/members.h"
#include "issuer/rings.h"
#include "vault/kdf.h"
#include "vault/record.h"

/* One member's ring, directory and bars.  The caller's; a secret. */
struct ring_walk {
	const struct members *all;
	const uint8_t	*keys;	/* K of each of ${all}, in its order */
	const struct member *me;
	uint16_t	 year;
	/* Only those who changed after that; 0: everybody. */
	int64_t		 after_at;
	struct run	 only;	/* all of those; p NULL: not known */
	const struct rings *rings;	/* of ${all} */
	/* Where it stands. */
	int		 part;
	struct run	 runs[MEMBER_LISTS_MAX + 1];	/* what is left */
	size_t		 nruns;	/* 0: everybody from ${at} on */
	size_t		 at;
	size_t		 grants;	/* given out since the last start */
	size_t		 entries;
	uint8_t		 channel[KDF_KEY_BYTES];
};

/* What is kept of one walk's records so that it is walked once: more than a
 * ring of 10,000 with its directory takes. */
#define RING_WALK_KEPT_MAX (2UL * 1024 * 1024)
/* ring_walk_kept(m): as much of that as may be wanted with ${m}. */
size_t ring_walk_kept(const struct members *m);

/*
 * ring_walk_may(m, a, b): ${a} is given the key for writing to ${b}: never to
 * himself, to who has left, or to the issuer, who reads no mail; always from
 * and to hub and watch desk (2.19.34); else by the policy.
 */
bool ring_walk_may(const struct members *m, const struct member *a,
    const struct member *b);

/* ring_walk_entry(m, r): his line of the directory; lent. */
void ring_walk_entry(const struct member *m, struct rec *r);

/*
 * ring_walk_next(walk, i, r):
 * As keyfile_plan.next wants it: GRANTs, but for members who are ${keyless} in
 * that year, which the caller has set; an ENTRY for everybody else in office
 * (with names_ring: for whom there was a GRANT); a BAR for every replaced
 * generation and for whoever has left.  ${i} is 0 at the start, then one more
 * each time.
 */
bool ring_walk_next(void *walk, size_t i, struct rec *r);

#endif
