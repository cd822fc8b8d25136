/* What a custodian of a root holds: two of its three parts, on a sheet. */
#ifndef SC_ISSUER_CUSTODY_H
#define SC_ISSUER_CUSTODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/root.h"

#define CUSTODY_PARTS 2
#define CUSTODY_CODES (CUSTODY_PARTS * ROOT_PART_CODES)
#define CUSTODY_FILE_MAX 65536

/* A secret.  Custodian x holds the two parts other than x (PROTOCOL 2.17). */
struct custody {
	struct root_part parts[CUSTODY_PARTS];
};

/* custody_of(parts, number, c): what custodian ${number}, 1..3, holds. */
void custody_of(const struct root_part parts[ROOT_PARTS], unsigned number,
    struct custody *c);

/* custody_number(c): 1..3; 0: these two parts are nobody's. */
unsigned custody_number(const struct custody *c);

/* custody_mark(out): a new one, random, so that it says nothing of the root:
 * the sheets of one split bear the same. */
#define CUSTODY_MARK_BYTES 5
void custody_mark(char out[CUSTODY_MARK_BYTES]);

/* What stands on a sheet beside the codes. */
struct custody_sheet {
	const char	*assoc;
	const char	*call;		/* whom to call */
	uint16_t	 year;
	bool		 english;	/* else French */
	int64_t		 at;		/* when it was made */
	char		 mark[CUSTODY_MARK_BYTES];
};

/*
 * custody_format(s, c, out):
 * The sheet to be printed: UTF-8, one page.  As with letters, its words do not
 * depend on any catalogue.  ${out} holds a secret then.  False: memory.
 */
bool custody_format(const struct custody_sheet *s, const struct custody *c,
    struct buf *out);

/*
 * custody_codes(codes, c, e):
 * From the six codes of a sheet, in its order, as they were typed; borrowed.
 * RC_INPUT: which of them is wrong, or that they are not of one sheet.
 */
enum rc custody_codes(const char *const codes[CUSTODY_CODES],
    struct custody *c, struct err *e);

/*
 * custody_parse(text, len, c, e):
 * The same from a sheet's file, or from any text with one code a line, which a
 * number may precede.  ${text} is borrowed.  RC_OK; RC_INPUT; RC_NOMEM.
 */
enum rc custody_parse(const char *text, size_t len, struct custody *c,
    struct err *e);

#endif
