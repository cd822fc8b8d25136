/* A mail that is one text and nothing else, told from its header alone. */
#ifndef SC_DOCUMENT_PLAIN_H
#define SC_DOCUMENT_PLAIN_H

#include <stdbool.h>

#include "base/buf.h"

#define PLAIN_CHARSET_BYTES 32

struct plain {
	struct bytes	text;		/* not empty; lent: in the mail */
	char		charset[PLAIN_CHARSET_BYTES];	/* declared, or "" */
};

/*
 * plain_read(mail, out):
 * Is ${mail} (borrowed) beyond doubt one text, as it stands?  Its header has
 * nothing of MIME, or says no more than text/plain, a character set, and 7bit
 * or 8bit.  false: it is for a parser to say what it is, which would say the
 * same of all that is true.  Source: RFC 2045 5 and 6.
 */
bool plain_read(struct bytes mail, struct plain *out);

#endif
