/* Mail that is not sealed, marked so that nobody takes it for more. */
#ifndef SC_MAIL_UNSEALED_H
#define SC_MAIL_UNSEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/addr.h"
#include "mail/sink.h"

#define UNSEALED_HEAD_MAX_BYTES 65536	/* as of a sealed one, PROTOCOL 2.15 */

/* Fields are private but for ${claimed}. */
struct unsealed {
	struct sink	 sink;
	struct buf	 head;		/* until the header is whole */
	bool		 body;
	char		 claimed[ADDR_MAX_BYTES + 1];
};

/* unsealed_init(u, sink): begin a mail; what is to be shown of it goes to
 * ${sink} (copied). */
void unsealed_init(struct unsealed *u, struct sink sink);

/*
 * unsealed_add(u, p, len, e), unsealed_end(u, e):
 * The next ${len} raw octets (borrowed), cut anywhere; no more of them.  A
 * From of our own comes first: the words "NOT SEALED" and the one address that
 * the mail's From claims (u->claimed; "" when there is not exactly one).  Its
 * Subject is marked; fields that say nothing of a sender stay; every other
 * one, X-Sceau and what no parser agrees on included, is renamed to
 * X-Claimed-...  The body is not changed.
 *
 * RC_OK; RC_INPUT, class TOOBIG: a header over UNSEALED_HEAD_MAX_BYTES;
 * RC_NOMEM; or what the sink returned.
 */
enum rc unsealed_add(struct unsealed *u, const void *p, size_t len,
    struct err *e);
enum rc unsealed_end(struct unsealed *u, struct err *e);
void unsealed_free(struct unsealed *u);

#endif
