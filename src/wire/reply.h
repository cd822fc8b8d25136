/* What a relay says, read strictly, and what it means for a mail. */
#ifndef SC_WIRE_REPLY_H
#define SC_WIRE_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/relay.h"

/* RFC 5321 4.5.3.1.5: a reply line has at most 512 octets with its CRLF.
 * Real servers pass that; libesmtp cuts a line at 1023. */
#define REPLY_LINE_BYTES 1000
#define REPLY_LINES 100

/* Where in the conversation a reply was given. */
enum reply_phase {
	REPLY_AT_GREETING,	/* 220 */
	REPLY_AT_HELLO,		/* EHLO, HELO */
	REPLY_AT_STARTTLS,
	REPLY_AT_AUTH,
	REPLY_AT_MAIL,
	REPLY_AT_RCPT,
	REPLY_AT_DATA,		/* 354 awaited */
	REPLY_AT_CONTENT,	/* after the final dot */
	REPLY_AT_OTHER		/* RSET, QUIT */
};

enum reply_state { REPLY_MORE, REPLY_DONE, REPLY_BAD };

/* A reply being read, in pieces of any size. */
struct reply {
	struct relay_result	result;	/* code, enhanced, text; the verdict is
					 * not set */
	char	line[REPLY_LINE_BYTES];
	size_t	len;
	size_t	lines;
	bool	done;
};

#define REPLY_INIT { { RELAY_DEFERRED, 0, "", "" }, "", 0, 0, false }

/*
 * reply_read(r, p, len, used):
 * Read on until one whole reply is there; ${used} octets were taken.  After
 * REPLY_DONE the next call begins a new one.  REPLY_BAD: not a reply of RFC
 * 5321 4.2 (three digits, blank or hyphen, one code in all its lines, CRLF,
 * no NUL), or too long: this server's words prove nothing any more.
 */
enum reply_state reply_read(struct reply *r, const char *p, size_t len,
    size_t *used);

/*
 * reply_set(res, code, text):
 * Fill code, enhanced code (when ${text} begins with one that fits) and text
 * of ${res}, escaped and cut; the verdict is left alone.
 */
void reply_set(struct relay_result *res, int code, const char *text);

enum reply_scope {
	REPLY_ON_MAIL,	/* a verdict on this mail */
	REPLY_ON_ROUTE		/* about us, not about the mail: RC_TEMP */
};

/*
 * reply_judge(phase, res):
 * Set the verdict of ${res} from its codes and say whom it concerns.  One
 * table; each row names its source.
 */
enum reply_scope reply_judge(enum reply_phase phase, struct relay_result *res);

/* reply_phase_of(command, len): the phase that a command line begins;
 * REPLY_AT_OTHER when unknown. */
enum reply_phase reply_phase_of(const char *command, size_t len);

#endif
