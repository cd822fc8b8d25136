/* A message as a program submits it, and the MAIL that is made of it. */
#ifndef SC_MAIL_SUBMIT_H
#define SC_MAIL_SUBMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/addr.h"
#include "mail/sink.h"

#define SUBMIT_HEAD_MAX_BYTES 65536	/* PROTOCOL 2.15, empty line included */
#define SUBMIT_RCPT_MAX 1000

/* What is added when the message does not say it. */
struct submit_add {
	const char	*from;		/* local@domain of our identity; may be
					 * NULL if submit_has_from() */
	int64_t		 date;		/* Unix seconds */
	const char	*message_id;	/* without < > */
	bool		 recipients;	/* read To, Cc and Bcc (send -t) */
};

/* What the first pass has learnt; the rest is private. */
struct submit {
	bool		 converted;	/* bare LF throughout: made CRLF, say
					 * so */
	bool		 from_added, date_added, message_id_added;
	unsigned	 nremoved;	/* Bcc and X-Sceau* fields */
	struct addr	 from;		/* of the one From */
	struct addr	*rcpts;		/* lower-cased, each once; lent */
	size_t		 nrcpts;

	uint64_t	 max;
	struct buf	 head;	/* as submitted; after scan_end, as in MAIL */
	uint64_t	 nhead;	/* octets as submitted, empty line included */
	uint64_t	 nbody;
	uint64_t	 ncrlf, nlf;	/* ends of body lines; LF: bare ones */
	uint64_t	 copied;
	size_t		 line;	/* octets in this line so far */
	bool		 cr;	/* the last octet was CR */
	bool		 body;	/* the empty line has been seen */
};

/* submit_init(s, max): the MAIL may have ${max} octets. */
void submit_init(struct submit *s, uint64_t max);

/*
 * submit_scan(s, p, len, e):
 * First pass: the next ${len} octets, cut anywhere.  Only the header is kept.
 * RC_OK; RC_INPUT with class TOOBIG: header or message; RC_NOMEM.
 */
enum rc submit_scan(struct submit *s, const void *p, size_t len,
    struct err *e);

/*
 * submit_scan_end(s, add, e):
 * The message is over: check its header, and make the one of the MAIL: Bcc and
 * X-Sceau* removed with their folded lines, From, Date and Message-ID added
 * when missing, the ends of lines CRLF, nothing else changed.  A From that is
 * a name of this machine and no address, "root (Cron Daemon)", is missing: it
 * is removed.
 *
 * RC_INPUT, class INNER, with the line's number: nothing submitted, a line
 * that is no header line or only blanks, NUL or bare CR in the header, ends
 * of lines that are neither CRLF in the header nor bare LF throughout the
 * message, two of a field that may stand once, From that is not one address,
 * an address in To, Cc or Bcc that cannot be read.  Class TOOBIG: too large.
 * RC_NOMEM.
 * Source: PROTOCOL 2.10.2, 2.11 step 11, 2.19.13.
 */
enum rc submit_scan_end(struct submit *s, const struct submit_add *add,
    struct err *e);

/* submit_has_from(s): the header scanned so far has a From with an address:
 * then add->from is not needed. */
bool submit_has_from(const struct submit *s);

/* submit_length(s): octets of the MAIL, after submit_scan_end(). */
uint64_t submit_length(const struct submit *s);

/*
 * submit_copy(s, p, len, sink, e), submit_copy_end(s, e):
 * A further pass over the same octets, cut anywhere: the MAIL goes to
 * ${sink}.  After the end another pass may begin.  RC_TEMP: there were not as
 * many octets as in the first; or what the sink returned.
 */
enum rc submit_copy(struct submit *s, const void *p, size_t len,
    struct sink sink, struct err *e);
enum rc submit_copy_end(struct submit *s, struct err *e);

/* submit_free(s): wipes; a submit_init()ed one is fine. */
void submit_free(struct submit *s);

#endif
