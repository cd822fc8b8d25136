/* The grammar of POP3: pure functions over octets that strangers send. */
#ifndef SC_WIRE_POP3_H
#define SC_WIRE_POP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define POP3_LINE_BYTES 1024	/* of an answer; RFC 2449 4 says 512 */
#define POP3_UIDL_BYTES 70	/* RFC 1939 7 */

enum pop3_status {
	POP3_OK,
	POP3_ERR,
	POP3_MORE,	/* "+ ": a challenge, only after AUTH */
	POP3_NONSENSE
};

/* pop3_status(line): of an answer's first line, without its CRLF. */
enum pop3_status pop3_status(struct bytes line);

/*
 * pop3_code(line, code): the answer bears "[CODE...]" (RFC 2449 8), or one
 * that begins "CODE/"; the case is not looked at.
 */
bool pop3_code(struct bytes line, const char *code);

/* pop3_list(line, n, size): "NUMBER SIZE", one blank, number from 1; more
 * after another blank is let pass (RFC 1939 5).  False: anything else. */
bool pop3_list(struct bytes line, uint32_t *n, uint64_t *size);

/* pop3_uidl(line, n, id): "NUMBER ID", id of 1 to 70 octets 0x21-0x7e, lent. */
bool pop3_uidl(struct bytes line, uint32_t *n, struct bytes *id);

struct pop3_capa {
	bool	uidl, stls, user, pipelining;
	bool	sasl_plain, sasl_xoauth2;
};

/* pop3_capa(line, c): note one line of CAPA's answer; unknown ones pass. */
void pop3_capa(struct bytes line, struct pop3_capa *c);

/*
 * The body of a multi-line answer, octet by octet as it comes: undoes the
 * doubled dots and finds the end, which is CRLF "." CRLF and nothing else.
 * NUL, 8-bit octets, bare CR and bare LF pass unchanged.
 */
struct pop3_body {
	int	state;		/* 0 at the start */
	bool	done;
};

/*
 * pop3_body_feed(b, p, len, sink, arg, rc, e):
 * Take octets until the end or until ${len}; give runs of content to
 * ${sink} (its rc other than RC_OK stops, and is left in *${rc}).
 * Returns how many were taken: less than ${len} only when done or stopped.
 */
typedef enum rc pop3_sink(void *arg, const void *p, size_t len,
    struct err *e);
size_t pop3_body_feed(struct pop3_body *b, const uint8_t *p, size_t len,
    pop3_sink *sink, void *arg, enum rc *rc, struct err *e);

#endif
