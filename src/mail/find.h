/* The one envelope in a mail: found by its first characters, not parsed. */
#ifndef SC_MAIL_FIND_H
#define SC_MAIL_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mail/b64.h"
#include "mail/sink.h"

/* Every envelope's base64 begins so, whatever its version. */
#define FIND_MAGIC "U0NFQVU"
#define FIND_MAGIC_LEN (sizeof(FIND_MAGIC) - 1)

#define FIND_OUT_BYTES 16384
#define FIND_FIELD_BYTES 1000
#define FIND_TEXT_BYTES 256

/* What find_end() found. */
enum find_result {
	FIND_NONE,	/* not sealed: by policy left, moved or delivered */
	FIND_ONE	/* the sink has had the whole of it */
};

/* The two lines of the outer header that go to the log. */
struct find_head {
	uint8_t	line[FIND_FIELD_BYTES];	/* one field, unfolded */
	size_t	len;
	size_t	seen;		/* octets of header read */
	bool	over;		/* the field was longer: not taken */
	bool	start;		/* at the start of a line */
	bool	done;
	char	message_id[FIND_TEXT_BYTES];
	char	from[FIND_TEXT_BYTES];
};

/* Constant memory, whatever the mail; fields are private. */
struct find {
	struct sink	 sink;
	uint64_t	 max;
	uint64_t	 length;	/* octets of the envelope so far */
	int		 state;
	size_t		 matched;	/* characters of FIND_MAGIC */
	unsigned	 count;		/* envelopes begun */
	struct b64_dec	 dec;
	uint8_t		 out[FIND_OUT_BYTES];
	size_t		 nout;
	struct find_head head;
	struct err	 failed;	/* the first failure stays */
};

/*
 * find_init(f, sink, max):
 * Begin a mail.  The decoded envelope goes to ${sink} (copied) as it is found,
 * of at most ${max} octets.  What the sink has had is worth something only if
 * find_end() then says FIND_ONE: damage or a second envelope may follow.
 */
void find_init(struct find *f, struct sink sink, uint64_t max);

/*
 * find_add(f, p, len, e):
 * The next ${len} raw octets of the mail (borrowed), cut anywhere; lines of
 * any length.
 *
 * RC_OK: go on.  RC_INPUT, class FORMAT (damaged, or two envelopes) or TOOBIG:
 * discard what the sink has had; the rest need not be read.  Else what the
 * sink returned.  A failure stays: later calls repeat it.
 * Source: PROTOCOL 2.9 "Found, not parsed" and 2.19.19.
 */
enum rc find_add(struct find *f, const void *p, size_t len, struct err *e);

/* find_end(f, result, e): the mail is over.  ${result} is set on RC_OK only;
 * otherwise as find_add(). */
enum rc find_end(struct find *f, enum find_result *result, struct err *e);

/* find_length(f): octets of the envelope, after FIND_ONE. */
uint64_t find_length(const struct find *f);

/* For the log only, written by strangers: the outer Message-ID without < >,
 * and the address of the outer From; "" when missing, odd or long.  Lent,
 * printable ASCII. */
const char *find_message_id(const struct find *f);
const char *find_from(const struct find *f);

#endif
