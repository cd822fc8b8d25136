/* Which delivery gets which document. */
#ifndef SC_FLOW_CLERK_ROUTE_H
#define SC_FLOW_CLERK_ROUTE_H

#include "document/hprim.h"
#include "flow/clerk.h"

/* Of one mail: bit i of a mask is delivery i. */
struct route {
	uint32_t	doc[EXTRACT_PARTS_MAX];	/* by number in the mail */
	uint32_t	all;			/* any document of it */
};

/*
 * route_mask(c, from, to, known):
 * Who gets a report from the address ${from} whose line 12 is ${to} (NULL: it
 * is none).  Deliveries without rules always; those whose rules it meets; when
 * there is none of the latter, those that take what is left; and when there
 * are none at all, everybody: never nobody.  ${known}: some rule was met.
 */
uint32_t route_mask(const struct clerk *c, const char *from,
    const struct hprim_party *to, bool *known);

/* route_strange(c, from, to): some delivery says for whom it is, and this is
 * for none of those. */
bool route_strange(const struct clerk *c, const char *from,
    const struct hprim_party *to);

/*
 * route_read(c, j, r, e):
 * For all documents of the mail of ${j}: what has no line 12 goes with the
 * reports of its mail.  What is read of them is in j->reports too.
 * Without rules, and where documents are taken out of mails anyway, nothing is
 * read.
 */
enum rc route_read(struct clerk *c, const struct job *j, struct route *r,
    struct err *e);

#endif
