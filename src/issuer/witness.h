/* The witness keys of a year: whether it was he who wrote that mail, also when
 * the root is no more. */
#ifndef SC_ISSUER_WITNESS_H
#define SC_ISSUER_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "issuer/desk.h"

#define WITNESS_CLAIM_MAX (16UL * 1024 * 1024)	/* of a text with a claim */

/* What a recipient shows: `sceau register prove` prints it on one line. */
struct witness_claim {
	struct identity	author;
	struct identity	recipient;	/* or only his name */
	uint16_t	year;
	int64_t		at;
	uint8_t		d[KDF_KEY_BYTES];	/* of the mail */
	uint8_t		proof[KDF_KEY_BYTES];
};

/*
 * witness_claim_parse(p, len, c, e):
 * The one line with a witness in a text, borrowed: author, recipient, year,
 * time, digest and proof, a blank between.  RC_INPUT: none, or several.
 */
enum rc witness_claim_parse(const void *p, size_t len,
    struct witness_claim *c, struct err *e);

/* witness_is_of(c, p, len): the claim is about that mail, also as it was
 * filed, with the field that sceau puts before it. */
bool witness_is_of(const struct witness_claim *c, const uint8_t *p,
    size_t len);

/* witness_archived(d, year): there is an archive; false: the root is needed. */
bool witness_archived(const struct desk *d, uint16_t year);

/*
 * witness_judge(d, c, yes, e):
 * Whether the author made it, by the archive of the year or, while there is
 * none, by the root, which then is in memory.
 *
 * RC_OK; RC_INPUT: of another association, or nobody who was ever a member;
 * RC_CONF: no archive of that year, or not the one that the journal names;
 * RC_TEMP; RC_NOMEM.  Source: ATTACKS A3; PROTOCOL 2.5, 2.19.6.
 */
enum rc witness_judge(const struct desk *d, const struct witness_claim *c,
    bool *yes, struct err *e);

/*
 * witness_destroy(d, year, n, e):
 * Write the witness keys of everybody who was ever a member, in each of his
 * generations, to the file witness.YEAR (0600), whole and durably; then forget
 * the year.  Its root is in memory.  ${n}: how many.  Cut off anywhere, it can
 * be done again.  The keys open nothing; who has them can make witnesses.
 *
 * RC_OK; RC_TEMP, RC_CONF, RC_NOMEM: the year is still there.
 * Source: PROTOCOL 2.3; ATTACKS A4.
 */
enum rc witness_destroy(struct desk *d, uint16_t year, size_t *n,
    struct err *e);

#endif
