/*
 * Incoming mail: fetched, opened, delivered, released from its server.
 *
 * state      body  on the server          a crash here means
 * FETCHED    yes   yes                    opened from the store
 * INTENT     yes   yes                    opened again; names say where the
 *                                         file is if it was renamed in time
 * DELIVERED  no    by action, release_at  released again
 * HELD       yes   by action, release_at  nothing; waits for key or person
 * PASSED     no    by action, release_at  nothing; never stored, not ours
 * (I4 of DESIGN, released, is DELIVERED, HELD or PASSED with ${gone}.)
 *
 *                 FETCHED INTENT DELIVERED HELD PASSED
 * put, passed        - (not there before; else kept as it is)
 * intent          I       I        -       -     -
 * delivered       D       D        -       -     -      FETCHED only without
 * duplicate       D       D        -       -     -        a file to deliver
 * hold            H       H        -       H     -
 * retry           -       -        -       F     -
 * drop            -       -        -       P     -
 * listed no more  F       I      gone,     H   gone,
 *                              then forgotten  then forgotten
 */
#ifndef SC_STORE_STORE_IN_H
#define SC_STORE_STORE_IN_H

#include "store/store.h"
#include "store/store_ack.h"
#include "store/store_inbox.h"

enum store_in_state {
	STORE_FETCHED = 1,
	STORE_INTENT,
	STORE_DELIVERED,
	STORE_HELD,
	STORE_PASSED
};

/* What is to be done on the server; others are the caller's own (2 to 255).
 * The store gives it back with the release. */
#define STORE_ACTION_KEEP 0
#define STORE_ACTION_RELEASE 1	/* what the account's "after" says */

#define STORE_NAMES_MAX_BYTES (512U * 1024)	/* of the files of a message */

/* The name of a message on its server: UIDVALIDITY(4) UID(4), UIDL, or file
 * name. */
struct store_uid {
	uint8_t	p[STORE_UID_MAX_BYTES];
	uint8_t	len;
};

struct store_in {
	int64_t			id;
	enum store_in_state	state;
	char			account[STORE_LABEL_BYTES];
	struct store_uid	uid;
	int64_t			body;		/* 0: none */
	uint64_t		size;		/* octets of the envelope */
	int64_t			put_at;
	bool			has_t;
	uint8_t			t[STORE_T_BYTES];
	enum err_class		class;		/* HELD, PASSED */
	int64_t			held_at;	/* first so held */
	char			sender[STORE_IDENTITY_BYTES];	/* or "" */
	uint8_t			action;
	int64_t			release_at;
	bool			gone;
	uint32_t		filing;		/* 0: the first; else see
						 * store_kept.h */
};

/* --- Listing ----------------------------------------------------------- */

/*
 * store_account_at(st, account, place, other, e):
 * The account reads the mailbox ${place} from now on.  If it read another one
 * before (${other}), the names of that one mean nothing here (RFC 9051 2.3.1:
 * a UID is unique in its mailbox): nothing is released by them any more, and
 * all that is in the new one is wanted.  What was fetched stays.
 */
enum rc store_account_at(struct store *st, const char *account,
    const char *place, bool *other, struct err *e);

/*
 * store_list_begin(st, account, l, e), _add(), _lacks(), _end(), _free():
 * Compare what a server has now with what is known.  Add every id in any
 * number of calls (10^6 ids: constant memory), in the order in which they are
 * to be fetched; call _end() only when the listing came whole.  One listing
 * per account at a time, any number of accounts.  Without _end() nothing has
 * happened.
 *
 * _end() counts ${wanted} and writes only if something changed: a delivered or
 * passed message that is listed no more is marked gone, and forgotten when the
 * next whole listing lacks it too.  A name that was gone and is listed again
 * may mean another message (POP3 servers use theirs again; RFC 1939 7): what
 * it meant is not released any more, and what is there is wanted; T tells a
 * copy.  After _lacks(), for the server has more than it named, nothing counts
 * as gone.  Fetched, intended and held messages stay whatever the listing says,
 * so an empty or a wholly new listing (UIDVALIDITY) loses nothing and deletes
 * nothing.
 */
struct store_list;
enum rc store_list_begin(struct store *st, const char *account,
    struct store_list **l, struct err *e);
enum rc store_list_add(struct store_list *l, const struct store_uid *uids,
    size_t n, struct err *e);
void store_list_lacks(struct store_list *l);
enum rc store_list_end(struct store_list *l, size_t *wanted, struct err *e);

/* store_list_wanted(l, out, max, n, e): after _end(), the next ${max} ids to
 * fetch, in the order of _add(); ${n} 0 at the end. */
enum rc store_list_wanted(struct store_list *l, struct store_uid *out,
    size_t max, size_t *n, struct err *e);
void store_list_free(struct store_list **l);

/* --- Fetched ----------------------------------------------------------- */

struct store_in_put {
	struct store_uid	uid;
	struct store_body	body;	/* taken, whatever becomes of it */
	int64_t			id;	/* out; of the row that was there, if
					 * this uid was known */
};

/*
 * store_in_put(st, account, now, m, n, e):
 * The promise that lets the server's copy go one day: ${n} messages FETCHED,
 * claimed by this process.
 */
enum rc store_in_put(struct store *st, const char *account, int64_t now,
    struct store_in_put *m, size_t n, struct err *e);

/* store_in_waiting(st, n, e): how many are still to be opened (FETCHED,
 * INTENT), whoever is at work on them. */
enum rc store_in_waiting(struct store *st, size_t *n, struct err *e);

/* store_in_pass(): ${n} messages that are not kept by us (not sealed, FORMAT,
 * TOOBIG): not wanted again, released by ${action} from ${release_at} on.
 * ${class} EC_NONE: plain mail. */
enum rc store_in_pass(struct store *st, const char *account, int64_t now,
    const struct store_uid *uids, size_t n, enum err_class class,
    uint8_t action, int64_t release_at, struct err *e);

/*
 * store_in_next(st, after, out, max, n, e):
 * Up to ${max} messages to open (FETCHED, INTENT) with id > ${after}, in order,
 * claimed by this process; those of other live processes are left out.
 */
enum rc store_in_next(struct store *st, int64_t after, struct store_in *out,
    size_t max, size_t *n, struct err *e);

/* store_in_get(): one row; RC_OK with id 0 when it is not there. */
enum rc store_in_get(struct store *st, int64_t id, struct store_in *out,
    struct err *e);
/* store_in_names(): the final names that the intent recorded; or empty. */
enum rc store_in_names(struct store *st, int64_t id, struct buf *out,
    struct err *e);

/* --- The journal of T -------------------------------------------------- */

enum store_t_state {
	STORE_T_NONE,
	STORE_T_INTENT,
	STORE_T_DONE,
	STORE_T_DAMAGED,	/* an intact copy is accepted (2.19.30) */
	STORE_T_REFUSED
};

struct store_t {
	enum store_t_state	state;
	int64_t			in;	/* INTENT: the message it belongs to */
	uint8_t			ack_state;	/* last; 0: none */
	int64_t			ack_at;
	uint8_t			d[STORE_D_BYTES];
	char			sender[STORE_IDENTITY_BYTES];
};

/* store_t_find(): RC_OK and STORE_T_NONE when unknown. */
enum rc store_t_find(struct store *st, const uint8_t t[STORE_T_BYTES],
    struct store_t *out, struct err *e);
/* store_t_relayed(): was (original identity, original T) seen under any T
 * but ${t}?  (2.19.33) */
enum rc store_t_relayed(struct store *st, const char *identity,
    const uint8_t original[STORE_T_BYTES], const uint8_t t[STORE_T_BYTES],
    bool *seen, struct err *e);

/* --- From intent to delivered ------------------------------------------ */

/* What is known of an authentic message, from its intent on. */
struct store_msg {
	int64_t		 id;		/* of struct store_in */
	uint8_t		 t[STORE_T_BYTES];
	const char	*sender;	/* identity */
	uint16_t	 year;
	int64_t		 forget_at;	/* read-until of that year */
	const char	*original;	/* RELAYED: identity; or NULL */
	uint8_t		 original_t[STORE_T_BYTES];
	/* What is to be filed of it, for intents; borrowed; NULL: no row. */
	struct store_filing *filing;
	enum store_result result;	/* out */
};

/*
 * store_in_intent(st, m, names, n, e):
 * Before any file appears: T on its way, with the final names (text of the
 * clerk's, one per message, at most STORE_NAMES_MAX_BYTES).  Its reports are
 * compared with those that came before, in the order of ${m}: see struct
 * store_filing; for an intent that is had again, the answer is the one given
 * first.
 * Result: STORE_OK; STORE_AGAIN: this message had its intent already (new
 * names are noted); STORE_DUPLICATE: see store_in_duplicate(); STORE_COPY: see
 * store_in_delivered(); STORE_BUSY: T or its original is on its way by another
 * message; STORE_NOT.
 */
enum rc store_in_intent(struct store *st, struct store_msg *m,
    const char *const *names, size_t n, struct err *e);

/* Of the mail with that T: see struct store_witness in store_register.h. */
struct store_proof {
	const char	*author, *recipient;	/* lent; NULL: none */
	uint16_t	 year;
	int64_t		 at;
	const uint8_t	*proof;			/* borrowed */
};

/* What it says of the watch desk's bulletins; store_bar.h. */
struct store_news {
	uint8_t		desk;		/* it is one, of that generation; 0 */
	uint32_t	number;
	uint32_t	missed;		/* its sender has seen that one; 0 */
};

struct store_done {
	struct store_msg	 msg;
	bool			 filed;		/* it had an intent */
	bool			 watch;		/* see store_watch_next() */
	int64_t			 keep_until;	/* its envelope; 0: not */
	/* Our acknowledgement; ack_state 0 for a message without MAIL. */
	uint8_t			 ack_state;
	uint8_t			 d[STORE_D_BYTES];
	struct store_proof	 witness;
	int64_t			 ack_at;
	int64_t			 ack_due_at;	/* and of RELAYED-ACKs that its
						 * acks cause, at the hub */
	/* What its records change. */
	const struct store_row	*rows;
	size_t			 nrows;
	struct store_ack_in	*acks;
	size_t			 nacks;
	struct store_news	 news;
	/* It brought the watch desk keys for others: a bulletin is due, one
	 * for all that is not sealed for everybody yet. */
	bool			 enrolled;
	/* An event of the same transaction; NULL: none. */
	const char		*event, *event_text;
	/* The server's copy. */
	uint8_t			 action;
	int64_t			 release_at;
};

/*
 * store_in_delivered(st, m, n, now, e):
 * After file and folder are synced; or at once for a message without MAIL, or
 * one that is STORE_COPY.  Per message: DELIVERED,
 * T done, original remembered, acknowledgement queued, rows written, acks
 * applied, body gone: all messages in one transaction.
 * Result: STORE_OK; STORE_DUPLICATE (T done by another message meanwhile: use
 * store_in_duplicate()); STORE_BUSY; STORE_NOT.  RC_TEMP: also when a row has
 * another version by now: forget the rows read, open again.
 */
enum rc store_in_delivered(struct store *st, struct store_done *m, size_t n,
    int64_t now, struct err *e);

/* store_in_duplicate(): T was done (or damaged, or refused): DELIVERED without
 * a word to anybody but the acknowledgements as before (at the hub, also what
 * recipients said), due at ${ack_due_at}; at the hub, who has not answered for
 * an hour gets the same envelope again (2.19.32).  Uses id, t,
 * ack_due_at, action and release_at.  Result: STORE_OK, STORE_NOT. */
enum rc store_in_duplicate(struct store *st, struct store_done *m, size_t n,
    int64_t now, struct err *e);

struct store_hold {
	int64_t			 id;
	enum err_class		 class;
	/* When authentic (after step 5); else t_state STORE_T_NONE. */
	enum store_t_state	 t_state;	/* NONE, DAMAGED, REFUSED */
	uint8_t			 t[STORE_T_BYTES];
	const char		*sender;	/* identity; or NULL */
	uint16_t		 year;
	int64_t			 forget_at;
	uint8_t			 ack_state;	/* 0; 0x10, 0x11: needs T */
	uint8_t			 d[STORE_D_BYTES];	/* zeros: unknown */
	int64_t			 ack_at;
	int64_t			 ack_due_at;
	uint8_t			 action;
	int64_t			 release_at;

	enum store_result	 result;	/* out */
	bool			 fresh;		/* out: newly held */
	bool			 said;		/* out: ack was queued */
};

/*
 * store_in_hold(st, h, n, now, e):
 * Kept sealed.  An acknowledgement goes out once per T and state; 0x11 also
 * once per peer and hour (2.19.32).  A T that is done stays done.
 */
enum rc store_in_hold(struct store *st, struct store_hold *h, size_t n,
    int64_t now, struct err *e);

/* --- Held -------------------------------------------------------------- */

/* store_held_list(): up to ${max} HELD with id > ${after}. */
enum rc store_held_list(struct store *st, int64_t after,
    struct store_in *out, size_t max, size_t *n, struct err *e);
/* store_held_fresh(): HELD or PASSED with an error class first so since
 * ${since}, for exit 65. */
enum rc store_held_fresh(struct store *st, int64_t since, size_t *n,
    struct err *e);
/* store_held_since(): how many are HELD, and since when the first of them. */
enum rc store_held_since(struct store *st, size_t *n, int64_t *since,
    struct err *e);
/* store_held_retry(): ${id} (or, with 0, all of ${class}) to be opened again
 * by the next store_in_next(); ${n}: how many. */
enum rc store_held_retry(struct store *st, int64_t id, enum err_class class,
    size_t *n, struct err *e);
/* store_held_drop(): a person gave it up: its octets go, its server copy by
 * ${action}. */
enum rc store_held_drop(struct store *st, int64_t id, uint8_t action,
    int64_t now, enum store_result *result, struct err *e);

/* --- Release ----------------------------------------------------------- */

/* store_release_due(): up to ${max} of ${account} whose action is due at
 * ${now}, id > ${after}. Only ids that a whole listing did not lack. */
enum rc store_release_due(struct store *st, const char *account, int64_t now,
    int64_t after, struct store_in *out, size_t max, size_t *n,
    struct err *e);
/* store_released(): the server confirmed that they are gone.  store_marked():
 * they are there, and nothing more is to be done about them. */
enum rc store_released(struct store *st, const int64_t *ids, size_t n,
    struct err *e);
enum rc store_marked(struct store *st, const int64_t *ids, size_t n,
    struct err *e);

#endif
