/* Words with an SMTP server: commands in one write, replies one by one. */
#ifndef SC_WIRE_SMTP_TALK_H
#define SC_WIRE_SMTP_TALK_H

#include "wire/link.h"
#include "wire/reply.h"

#define SMTP_ROOM_BYTES 4096

/* What EHLO offers. */
struct smtp_offers {
	bool	pipelining, starttls, size;
	bool	plain, login, xoauth2;	/* of AUTH */
};

struct smtp_talk {
	struct link	 link;		/* its stream is NULL: not connected */
	struct smtp_offers offers;
	bool		 hello;		/* the reply to EHLO is awaited: no
					 * other offers anything */
	struct reply	 reply;		/* the last */
	enum wire_why	 why;		/* whose trouble the last failure was */
	struct buf	 out;		/* said, not sent yet */
	size_t		 at, len;	/* of ${room}: read, not looked at */
	char		 room[SMTP_ROOM_BYTES];
};

/* smtp_talk_say(t, p, len): octets for the next smtp_talk_send().  False:
 * memory. */
bool smtp_talk_say(struct smtp_talk *t, const void *p, size_t len);

/* smtp_talk_send(t, e): all that was said, in one write.  RC_TEMP: the
 * connection is dead. */
enum rc smtp_talk_send(struct smtp_talk *t, struct err *e);

/*
 * smtp_talk_reply(t, timeout_s, e):
 * The next reply, whole, into t->reply.  RC_TEMP: it did not come within
 * ${timeout_s}, or is none (RFC 5321 4.2): the connection is dead.
 */
enum rc smtp_talk_reply(struct smtp_talk *t, int timeout_s, struct err *e);

/*
 * smtp_talk_ask(t, command, e): one line, and the reply to it, within the
 * server's timeout.  What EHLO offers is kept.
 */
enum rc smtp_talk_ask(struct smtp_talk *t, const char *command,
    struct err *e);

/*
 * smtp_talk_quiet(t, e):
 * Nothing has come that was not asked for: it would be taken for the answer
 * to what is said next.  RC_TEMP: something has.
 */
enum rc smtp_talk_quiet(struct smtp_talk *t, struct err *e);

/* smtp_talk_odd(t, e): no word of it is believed from now on; RC_TEMP. */
enum rc smtp_talk_odd(struct smtp_talk *t, struct err *e);

/* smtp_talk_close(t): the connection, and what was said or read. */
void smtp_talk_close(struct smtp_talk *t);

#endif
