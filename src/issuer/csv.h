/* Tables that spreadsheets save: a strict reader. */
#ifndef SC_ISSUER_CSV_H
#define SC_ISSUER_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CSV_FIELDS_MAX 16
#define CSV_FIELD_MAX_BYTES 4096

/* A reader over octets in the caller's memory, which it changes. */
struct csv {
	uint8_t		*p;
	size_t		 left;
	unsigned	 next_line;
	char		 sep;		/* ',' or ';' */
	/* The record at hand. */
	unsigned	 line;		/* of its first character, from 1 */
	size_t		 n;
	struct bytes	 field[CSV_FIELDS_MAX];	/* lent until p is freed */
};

/*
 * csv_init(c, p, len):
 * Read the ${len} octets at ${p} (borrowed, and changed: quotes are taken
 * away in place).  A byte order mark is passed over; the separator is
 * whichever of "," and ";" comes first in the first line.
 */
void csv_init(struct csv *c, uint8_t *p, size_t len);

/*
 * csv_next(c, more, e):
 * The next record: fields without their quotes, and without blanks around
 * them when they were not quoted.  Lines with nothing but blanks and
 * separators are passed over.  Lines end in LF, CRLF, CR or the end.
 *
 * RC_OK, ${*more} false at the end; RC_INPUT, not to be called again: a quote
 * inside of a plain field, text behind a closing quote, a quote that is never
 * closed, too many fields, a field above CSV_FIELD_MAX_BYTES, a NUL, or octets
 * that are not UTF-8.  The text does not name the line: c->line does.
 * Source: RFC 4180.
 */
enum rc csv_next(struct csv *c, bool *more, struct err *e);

/* csv_is(f, word): that field is ${word}, ASCII letters of either case. */
bool csv_is(struct bytes f, const char *word);

#endif
