/* Acknowledgements: those that came, and those to send. */
#ifndef SC_STORE_STORE_ACK_H
#define SC_STORE_STORE_ACK_H

#include "store/store.h"

/* States of an ACK record (PROTOCOL 2.5); 0: none yet. */
enum store_ack_state {
	STORE_ACK_NONE = 0,
	STORE_ACK_RELAYED = 1,
	STORE_ACK_RECEIVED = 2,
	STORE_ACK_OPENED = 3,
	STORE_ACK_REFUSED = 0x10,
	STORE_ACK_DAMAGED = 0x11
};

/* --- That came --------------------------------------------------------- */

enum store_ack_result {
	STORE_ACK_APPLIED,
	STORE_ACK_REPEATED,	/* known, or behind what is known */
	STORE_ACK_UNKNOWN,	/* T (or T with that name) not in the queue */
	STORE_ACK_WRONG_PEER,	/* not him to whom it was sent: alarm */
	STORE_ACK_WRONG_D,	/* another mail than ours: alarm */
	STORE_ACK_WRONG_STATE	/* he may not say this (2.19.3): alarm */
};

/*
 * One ACK or RELAYED-ACK record of an authenticated message; applied in the
 * transaction that makes that message done (store_in.h).  Moves go forward
 * only: none, relayed, damaged, refused, received, opened.  Matched by T and
 * name; D compared for states 2 and 3.  Damaged: the row is due again at once
 * with the same body, the first time only.  Received, opened, refused: the
 * body goes and the row counts as sent.  At the hub, what a recipient says
 * (2, 3, 0x10) of a relayed message queues the RELAYED-ACK in the same
 * transaction.
 * Source: PROTOCOL 2.12, 2.19.2, .3, .32, .33.
 */
struct store_ack_in {
	uint8_t		 t[STORE_T_BYTES];
	uint8_t		 state;		/* enum store_ack_state */
	int64_t		 at;		/* as the record says */
	uint8_t		 d[STORE_D_BYTES];
	const char	*peer;		/* name or identity who says it */
	const char	*routed;	/* RELAYED-ACK: of whom; else NULL */

	enum store_ack_result result;	/* out */
	bool		 resend;	/* out: due again with the same body */
};

/* --- To send ----------------------------------------------------------- */

struct store_ack {
	int64_t	id;
	uint8_t	t[STORE_T_BYTES];
	uint8_t	state;
	int64_t	at;
	uint8_t	d[STORE_D_BYTES];
	char	routed[STORE_IDENTITY_BYTES];	/* RELAYED-ACK; else "" */
};

/*
 * store_ack_peers(st, now, after, names, max, n, e):
 * Up to ${max} names, in order and after ${after} ("" first), for whom an
 * acknowledgement is due at ${now}.
 */
enum rc store_ack_peers(struct store *st, int64_t now, const char *after,
    char (*names)[STORE_IDENTITY_BYTES], size_t max, size_t *n,
    struct err *e);

/*
 * store_ack_many(st, now, least, names, max, n, e):
 * Up to ${max} names for each of whom at least ${least} acknowledgements are
 * due at ${now}.
 */
enum rc store_ack_many(struct store *st, int64_t now, size_t least,
    char (*names)[STORE_IDENTITY_BYTES], size_t max, size_t *n,
    struct err *e);

/*
 * store_ack_list(st, peer, out, max, n, e):
 * What waits for ${peer} (name or identity), due or not, oldest first: to ride
 * in a mail to him or to go alone.  Name their ids in store_out_submit(),
 * which clears those that have not changed since.
 */
enum rc store_ack_list(struct store *st, const char *peer,
    struct store_ack *out, size_t max, size_t *n, struct err *e);

/* store_ack_defer(): nothing to ${peer} before ${due_at}: no key now. */
enum rc store_ack_defer(struct store *st, const char *peer, int64_t due_at,
    struct err *e);

/* store_ack_drop(): forget what waits for ${peer}: barred, left. */
enum rc store_ack_drop(struct store *st, const char *peer, struct err *e);

/* --- Taken by the practice's software: "opened" ------------------------ */

/*
 * Deliveries with ${watch} (store_in.h) keep T and their final names until
 * the practice's software has taken the files.  store_watch_next(): the one
 * after ${*id} (0: the first); ${*id} 0 when there is none.
 */
enum rc store_watch_next(struct store *st, int64_t *id, struct buf *names,
    struct err *e);

/* store_watch_taken(): these were taken at ${now}: acknowledgement "opened"
 * queued for ${due_at}.  ${opened} false: forgotten without a word. */
enum rc store_watch_taken(struct store *st, const int64_t *ids, size_t n,
    bool opened, int64_t now, int64_t due_at, struct err *e);

#endif
