/* Between relay.c and its two engines; nobody else includes this. */
#ifndef SC_WIRE_RELAY_ENGINE_H
#define SC_WIRE_RELAY_ENGINE_H

#include "wire/relay.h"
#include "wire/reply.h"

#define RELAY_ADDRESSES 8
#define RELAY_ADDRESS_BYTES 64
#define RELAY_HELO_BYTES 256
#define RELAY_LINE_MAX 998	/* RFC 5321 4.5.3.1.6, without CRLF */

/* The answer to the final dot may take longer (RFC 5321 4.5.3.2.6: ten
 * minutes where other steps have five): giving up too early sends it twice. */
#define RELAY_END_STEPS 5

struct relay;

struct relay_engine {
	const char	*name;
	enum rc	(*set_up)(struct relay *r, struct err *e);
	/* Sends while relay_take() gives; leaves an unanswered item open. */
	enum rc	(*run)(struct relay *r, struct err *e);
	enum rc	(*check)(struct relay *r, struct err *e);
	void	(*close)(struct relay *r);
};

/* The mail on its way, and what its octets have shown so far. */
struct relay_item {
	struct relay_mail	mail;
	bool		open;	/* done() is owed */
	bool		begun;	/* a server heard of it */
	bool		given;	/* read to its end, and it was a mail */
	const char	*bad;	/* why it can never be sent */
	uint64_t	octets;
	unsigned	column;
	char		last;
};

struct relay {
	const struct conf_relay	*conf;
	const struct relay_engine *ops;
	void			*engine;	/* of the ops */
	/* numeric */
	char	address[RELAY_ADDRESSES][RELAY_ADDRESS_BYTES];
	size_t	naddresses;
	char	helo[RELAY_HELO_BYTES];
	enum wire_why		 why;
	/* While relay_run() runs: */
	const struct secret	*secret;
	const struct relay_feed	*feed;
	struct relay_item	 item;
	struct relay_item	 given;	/* whole, no answer yet: of an engine
					 * that pipelines */
	enum rc			 feed_rc;	/* of a callback */
	struct err		 feed_err;
};

extern const struct relay_engine relay_smtp;
#ifdef HAVE_LIBESMTP
extern const struct relay_engine relay_esmtp;
#endif
#ifdef HAVE_LIBCURL
extern const struct relay_engine relay_curl;
#endif

/* relay_take(r): an item is open: the one that was, or the feed's next.  While
 * another was given and has no answer, one that is no mail stays open, with
 * item.bad: for relay_refuse(), in its turn. */
bool relay_take(struct relay *r);

/* relay_ready(r): relay_take() would not wait for the feed. */
bool relay_ready(const struct relay *r);

/*
 * relay_given(r): the open item was read to its end, and the next may be
 * taken; relay_answered(r, result): the verdict on it, before any of the next.
 */
void relay_given(struct relay *r);
void relay_answered(struct relay *r, const struct relay_result *result);

/*
 * relay_read(r, p, cap): the item's next octets, checked: their number, 0 at
 * the end, -1: send no more of it and never the end (item.bad or feed_rc).
 */
int relay_read(struct relay *r, char *p, size_t cap);

/* relay_done(r, result): give the verdict. */
void relay_done(struct relay *r, const struct relay_result *result);

/* relay_refuse(r): the open item is no mail (item.bad): RELAY_REFUSED. */
void relay_refuse(struct relay *r);

/* relay_trouble(r, why, e, fmt, ...): note whose trouble; RC_TEMP. */
enum rc relay_trouble(struct relay *r, enum wire_why why, struct err *e,
    const char *fmt, ...) SC_PRINTF(4, 5);

/*
 * relay_said(r, phase, res, e):
 * The words for the operator when a reply concerns the route; RC_TEMP.
 */
enum rc relay_said(struct relay *r, enum reply_phase phase,
    const struct relay_result *res, struct err *e);

/* relay_needs_login(r): conf asks for one. */
bool relay_needs_login(const struct relay *r);

#endif
