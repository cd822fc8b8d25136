/* A POP3 conversation up to the point where messages can be asked for. */
#ifndef SC_WIRE_POP3_TALK_H
#define SC_WIRE_POP3_TALK_H

#include "wire/link.h"
#include "wire/pop3.h"

#define POP3_ROOM_BYTES (64 * 1024)

struct pop3_talk {
	struct link		 link;
	struct pop3_capa	 capa;
	enum wire_why		 why;	/* of the last failure */
	size_t			 at, len;	/* unread part of ${room} */
	uint8_t			*room;	/* POP3_ROOM_BYTES; owned */
};

/*
 * pop3_talk_open(t, secret, e):
 * Greeting, STLS where asked for, CAPA, login.  A server that refuses STLS,
 * or says anything before TLS that it was not asked, hears no password.
 * Source: RFC 1939, 2449, 2595, 5034; XOAUTH2 as Google documents.
 */
enum rc pop3_talk_open(struct pop3_talk *t, const struct secret *secret,
    struct err *e);

/* pop3_talk_send(t, cmd, e): those octets, line ends included. */
enum rc pop3_talk_send(struct pop3_talk *t, const struct buf *cmd,
    struct err *e);
enum rc pop3_talk_cmd(struct pop3_talk *t, const char *cmd, struct err *e);

/* pop3_talk_line(t, line, e): one line without its end, lent. */
enum rc pop3_talk_line(struct pop3_talk *t, struct bytes *line,
    struct err *e);

/* pop3_talk_status(t, st, line, e): an answer's first line; RC_TEMP when it
 * is none at all. */
enum rc pop3_talk_status(struct pop3_talk *t, enum pop3_status *st,
    struct bytes *line, struct err *e);

/*
 * pop3_talk_rows(t, fn, arg, e):
 * The lines of a multi-line answer whose first line is read, up to the dot.
 */
typedef enum rc pop3_row_fn(void *arg, struct bytes line, struct err *e);
enum rc pop3_talk_rows(struct pop3_talk *t, pop3_row_fn *fn, void *arg,
    struct err *e);

/* pop3_talk_fill(t, e): at least one octet more in ${room}. */
enum rc pop3_talk_fill(struct pop3_talk *t, struct err *e);

/* pop3_talk_lost(t, e): why the stream is dead. */
enum rc pop3_talk_lost(struct pop3_talk *t, struct err *e);
/* pop3_talk_odd(t, e): dead from now on: the server makes no sense. */
enum rc pop3_talk_odd(struct pop3_talk *t, struct err *e);

#endif
