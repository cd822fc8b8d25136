/* Who stands on which list: so that nobody is looked at in vain. */
#ifndef SC_ISSUER_RINGS_H
#define SC_ISSUER_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "issuer/members.h"

/* Positions of members, in their order: a part of an array, lent. */
struct run {
	const uint32_t	*p;
	size_t		 n;
};

/* Of one register, which must not change meanwhile.  The caller's. */
struct rings {
	uint32_t	*all;		/* owned; the others lie in it */
	uint32_t	*start;		/* owned; of each list, and the end */
	size_t		 nlists;
	struct run	 desks;		/* hub, watch: everybody's */
	struct run	 barred;	/* replaced, or has left */
};

/* rings_init(r, m): false: memory.  rings_wipe() in any case. */
bool rings_init(struct rings *r, const struct members *m);
void rings_wipe(struct rings *r);

/* rings_list(r, number): those on that list of ${m->lists}. */
struct run rings_list(const struct rings *r, uint16_t number);

#endif
