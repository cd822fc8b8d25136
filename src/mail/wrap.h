/* The outer mail: an envelope as an attachment of one that says nothing. */
#ifndef SC_MAIL_WRAP_H
#define SC_MAIL_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mail/b64.h"
#include "mail/sink.h"

#define WRAP_RANDOM_BYTES 16
#define WRAP_ID_BYTES 300	/* of a Message-ID with its NUL */

/*
 * What the outer header says: all there is.  The same values and the same
 * envelope give the same octets, so that a retry is the same mail.
 */
struct wrap_head {
	const char	*from;		/* route of the sender, an addr-spec */
	const char	*to;		/* route of the one recipient */
	int64_t		 date;		/* Unix seconds */
	const char	*message_id;	/* without < >; wrap_message_id() */
	const char	*boundary;	/* or NULL: made of the Message-ID */
};

struct wrap {
	struct wrap_head head;
	struct sink	 sink;
	struct b64_enc	 enc;
	char		 boundary[80];
};

/*
 * wrap_message_id(route, rnd, out):
 * A Message-ID at the domain of ${route} (an addr-spec), made of random
 * octets: to be kept with the queued envelope (PROTOCOL 2.19.18).
 */
void wrap_message_id(const char *route, const uint8_t rnd[WRAP_RANDOM_BYTES],
    char out[WRAP_ID_BYTES]);

/*
 * wrap_begin(w, head, sink, e):
 * Write everything that stands before the base64 to ${sink}.  The strings of
 * ${head} are borrowed until wrap_end().
 *
 * RC_OK; RC_INPUT: a route that is no addr-spec, or a Message-ID or boundary
 * that could not stand in a header; or what the sink returned.
 * Source: PROTOCOL 2.9, 2.19.18; RFC 5322, RFC 2046 5.1.
 */
enum rc wrap_begin(struct wrap *w, const struct wrap_head *head,
    struct sink sink, struct err *e);
/* wrap_add(w, p, len, e): the next octets of the envelope, cut anywhere. */
enum rc wrap_add(struct wrap *w, const void *p, size_t len, struct err *e);
/* wrap_end(w, e): what stands after it. */
enum rc wrap_end(struct wrap *w, struct err *e);

/*
 * wrap_length(head, len, out, e):
 * The exact octets of the mail for an envelope of ${len}, before it is made:
 * for SIZE (RFC 1870) and for policies.  Results as wrap_begin().
 */
enum rc wrap_length(const struct wrap_head *head, uint64_t len,
    uint64_t *out, struct err *e);

#endif
