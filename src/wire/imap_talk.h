/* An IMAP conversation by libetpan over our own stream. */
#ifndef SC_WIRE_IMAP_TALK_H
#define SC_WIRE_IMAP_TALK_H

#include "wire/late_etpan.h"
#include "wire/link.h"

/*
 * libetpan 1.9 verifies no certificate and its parser can be crashed: so it
 * gets our stream, in a process without keys, and is never asked for what it
 * parses recursively (ENVELOPE, BODYSTRUCTURE).
 */
struct imap_talk {
	struct link	 link;
	mailimap	*session;	/* owned; holds the mailstream */
	mailstream	*io;		/* lent by ${session} */
	enum wire_why	 why;		/* of the last failure */
	bool		 capable;	/* capabilities were asked for */
	uint32_t	 validity;
	uint32_t	 next;		/* UIDNEXT at SELECT; 0: not told */
	uint32_t	 exists;	/* messages at SELECT */
};

#define IMAP_STEP_BYTES (256 * 1024)	/* more than any short answer */

/*
 * imap_talk_open(t, mailbox, secret, e):
 * Greeting (PREAUTH is refused: nothing proved who we are to whom), STARTTLS
 * where asked for, login, SELECT.  A server that refuses STARTTLS, or says
 * anything before TLS that it was not asked, hears no password.
 * Source: RFC 3501, 9051 11.1.
 */
enum rc imap_talk_open(struct imap_talk *t, const char *mailbox,
    const struct secret *secret, struct err *e);
void imap_talk_close(struct imap_talk *t, bool goodbye);

/* imap_talk_can(t, what, can, e): "UIDPLUS", "MOVE", "IDLE": as the server said
 * at login; else it is asked once, when first wanted. */
enum rc imap_talk_can(struct imap_talk *t, const char *what, bool *can,
    struct err *e);

/*
 * imap_talk_fail(t, r, what, e):
 * What libetpan's result ${r} (no success) means: the stream's own reason, a
 * refusal ("NO", the conversation can go on), or nonsense (dead from now on).
 * RC_TEMP or RC_NOMEM.
 */
enum rc imap_talk_fail(struct imap_talk *t, int r, const char *what,
    struct err *e);
/* imap_talk_refused(t, r): a plain NO: the conversation can go on. */
bool imap_talk_refused(const struct imap_talk *t, int r);

/*
 * imap_name(what, utf8, out, e):
 * A mailbox name in modified UTF-7, a NUL behind it; ${what} it is, for people.
 * RC_CONF: not UTF-8, or with a control character; RC_NOMEM.
 * Source: RFC 3501 5.1.3.
 */
enum rc imap_name(const char *what, const char *utf8, struct buf *out,
    struct err *e);

/* imap_set(uids, n): ascending ${uids} as few intervals; owned, NULL:
 * memory. */
struct mailimap_set *imap_set(const uint32_t *uids, size_t n);

/* imap_ask_for(type, att): ${type} takes ${att}, which may be NULL; false:
 * memory. */
bool imap_ask_for(struct mailimap_fetch_type *type,
    struct mailimap_fetch_att *att);

/* imap_id_parse(id, validity, uid): "VALIDITY.UID" in decimal, or false. */
bool imap_id_parse(struct bytes id, uint32_t *validity, uint32_t *uid);
#define IMAP_ID_CHARS 24
size_t imap_id_format(uint32_t validity, uint32_t uid,
    char out[IMAP_ID_CHARS]);

/* imap_io(s): the stream as libetpan wants it; owned by who gets it, ${s}
 * stays the caller's and must outlive it.  NULL: memory. */
mailstream *imap_io(struct stream *s);

#endif
