/* The field that the vault puts on an opened mail. */
#ifndef SC_FLOW_FIELD_H
#define SC_FLOW_FIELD_H

#include "base/buf.h"
#include "base/err.h"

#define FIELD_FLAGS 6
#define FIELD_MAX_BYTES 2048

struct field {
	char	address[256];		/* of who sealed it: local@domain */
	bool	flag[FIELD_FLAGS];	/* see field_say() */
};

/*
 * field_read(mail, f, e):
 * The X-Sceau field at the very start of a mail, of which FIELD_MAX_BYTES are
 * enough: no other is ours.  RC_INPUT, class POLICY: there is none.
 * Source: PROTOCOL 2.11 step 11, 2.19.13.
 */
enum rc field_read(struct bytes mail, struct field *f, struct err *e);

/* field_say(f, out): a line for each flag, translated; false: memory. */
bool field_say(const struct field *f, struct buf *out);

#endif
