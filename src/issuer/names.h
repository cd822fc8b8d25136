/* What a member's files are called. */
#ifndef SC_ISSUER_NAMES_H
#define SC_ISSUER_NAMES_H

#include <stdbool.h>

#include "issuer/members.h"

#define NAMES_BYTES 256		/* of a name, with its NUL */

/* Names in one register, which must not grow meanwhile.  The caller's. */
struct names {
	const struct members *all;	/* borrowed */
	struct index	 by_local;
};

/* names_init(n, m): false: memory.  names_wipe() in any case. */
bool names_init(struct names *n, const struct members *m);
void names_wipe(struct names *n);

/*
 * names_of(n, w, year, out):
 * "dr.martin.2027", or with the domain for the second dr.martin and
 * where the local part begins with a dash, behind a "_" then; and
 * "dr.martin.2027-2" for his second generation, which is not to be taken for
 * the first.  A register only grows, so a name is the same whenever it is
 * asked for; no two are alike.
 */
void names_of(const struct names *n, const struct member *w, uint16_t year,
    char out[NAMES_BYTES]);

#endif
