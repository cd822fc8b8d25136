/* The letter with a member's code, to be printed and posted. */
#ifndef SC_ISSUER_LETTER_H
#define SC_ISSUER_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "issuer/desk.h"
#include "issuer/members.h"

/* The first digits of b2sum -l 256 of a key file, and a NUL. */
#define LETTER_DIGITS_BYTES 9

struct letter {
	const char	*assoc;
	const char	*call;		/* whom to call, or "" */
	const struct member *to;
	const struct identity *issuer;
	uint16_t	 year;
	struct desk_dates dates;
	int64_t		 at;		/* of today */
	const char	*code;		/* as on paper: a secret */
	const char	*digits;
	const char	*key_file;	/* its name, without folders */
	bool		 english;	/* else French */
};

/*
 * letter_format(l, out):
 * Plain text, UTF-8, lines of at most 78 characters where no name is longer.
 * Its words do not depend on any catalogue: letters of an association are in
 * one language, whatever the machine speaks.  ${out} holds a secret then.
 * False: memory.
 */
bool letter_format(const struct letter *l, struct buf *out);

#endif
