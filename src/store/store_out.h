/*
 * The queue: one row per sealed envelope and recipient.
 *
 * state    a crash here means
 * QUEUED   claimed again when next_at has come
 * CLAIMED  the claim lapses: with its process, or, for others, at claim_until
 * SENT     nothing; body kept until the ack says it is not needed
 * FAILED   notice still due, if any
 *
 *              QUEUED CLAIMED SENT FAILED
 * claim          C      C(1)   -     -     (1) when lapsed
 * sent           -      S      -     -
 * defer          -      Q/F    -     -     F when older than give_up_s
 * fail           -      F      -     -
 * overdue        F      -      -     -
 * retry          Q      -      Q(2)  Q(2)  (2) while its body is there
 * drop           gone   -      gone  gone
 * ack 2 3 0x10   S      S      S     S     body goes
 * ack 0x11       -      -      Q     -     first time, body there
 */
#ifndef SC_STORE_STORE_OUT_H
#define SC_STORE_STORE_OUT_H

#include "store/store.h"
#include "store/store_ack.h"

enum store_kind {
	STORE_MAIL = 1,		/* body kept until acknowledged */
	STORE_CONTROL,		/* acknowledgements, bulletins: dropped when
				 * sent */
	STORE_NOTICE		/* about a failure: never causes another */
};

enum store_out_state {
	STORE_QUEUED = 2,	/* the numbers of DESIGN */
	STORE_CLAIMED,
	STORE_SENT,
	STORE_FAILED
};

#define STORE_ROUTES_MAX 100	/* 2.19.33 */
#define STORE_MSGID_BYTES 320
#define STORE_TEXT_BYTES 200

/* One sealed envelope to queue; everything is borrowed but the body. */
struct store_out_put {
	enum store_kind		 kind;
	uint8_t			 t[STORE_T_BYTES];
	uint8_t			 d[STORE_D_BYTES];
	const char		*identity;	/* of the recipient; the hub's
						 * when routed */
	const char		*from_route;	/* "" : null return path */
	const char		*to_route;
	const char		*date;		/* RFC 5322, fixed for ever */
	const char		*message_id;	/* with its <> */
	const char		*boundary;
	int64_t			 meta_at;	/* time in META */
	struct store_body	 body;		/* taken, whatever becomes */
	const char		*relay;		/* that one only; or NULL */
	const char *const	*routed;	/* names, through the hub */
	size_t			 nrouted;
	/* Acknowledgements that ride in it: cleared. */
	const struct store_ack	*acks;
	size_t			 nacks;
	/* Whose reports are in it, for the register; STORE_PATIENT_BYTES
	 * each, one of them twice is one. */
	struct bytes		 patients;
	int64_t			 id;		/* out */
};

/*
 * store_out_submit(st, now, notice_to, m, n, submission, e):
 * Promise all of ${n} envelopes of one submission, or none.
 * notice_to: local address that hears of a failure, once; or NULL.
 * A T that is in the queue already: RC_TEMP, nothing kept.
 */
enum rc store_out_submit(struct store *st, int64_t now,
    const char *notice_to, struct store_out_put *m, size_t n,
    int64_t *submission, struct err *e);
/* store_out_once(): the same under the name ${once}, which no two submissions
 * bear: RC_TEMP, nothing kept. store_out_named(): its submission, or 0. */
enum rc store_out_once(struct store *st, int64_t now, const uint8_t *once,
    const char *notice_to, struct store_out_put *m, size_t n,
    int64_t *submission, struct err *e);
enum rc store_out_named(struct store *st, const uint8_t once[STORE_D_BYTES],
    int64_t *submission, struct err *e);

struct store_out {
	int64_t			id;
	int64_t			submission;
	enum store_out_state	state;
	enum store_kind		kind;
	uint8_t			t[STORE_T_BYTES];
	uint8_t			d[STORE_D_BYTES];
	char			identity[STORE_IDENTITY_BYTES];
	char			from_route[STORE_ROUTE_BYTES];
	char			to_route[STORE_ROUTE_BYTES];
	char			date[40];
	char			message_id[STORE_MSGID_BYTES];
	char			boundary[80];
	char			relay[STORE_LABEL_BYTES]; /* last */
	char			text[STORE_TEXT_BYTES];	/* last failure */
	char			notice_to[STORE_ROUTE_BYTES];	/* or "" */
	int64_t			meta_at;
	int64_t			body;		/* 0: gone */
	uint64_t		size;
	int64_t			queued_at;
	int64_t			next_at;	/* QUEUED: not before */
	int64_t			sent_at;	/* or failed */
	uint32_t		tries;
	uint8_t			ack_state;	/* when routed: of the hub */
	int64_t			ack_at;
	bool			bounced;	/* unverified (2.19.20) */
	uint16_t		nrouted;
};

/* --- Relaying ---------------------------------------------------------- */

/*
 * store_out_claim(st, relay, now, until, out, max, n, e):
 * Up to ${max} due rows, oldest first, for ${relay} until ${until}.  None
 * while that relay is suspended.  Not synced: a lost claim is one that lapsed.
 * What this process has claimed before does not lapse for it, whatever the
 * clock says: it ends it, or gives it back.
 */
enum rc store_out_claim(struct store *st, const char *relay, int64_t now,
    int64_t until, struct store_out *out, size_t max, size_t *n,
    struct err *e);

/* What the relay said of one row. */
struct store_out_end {
	int64_t		 id;
	const char	*text;		/* of a failure; borrowed, cut */
	uint32_t	 jitter;	/* defer: a random number */
	/* An event of the same transaction; NULL: none. */
	const char	*event, *event_text;
	enum store_result result;	/* out; NOT: not ours any more */
	bool		 failed;	/* out: given up */
};

/* 2xx: SENT; a control or notice body goes. */
enum rc store_out_sent(struct store *st, struct store_out_end *m, size_t n,
    int64_t now, struct err *e);
/* 4xx, or uncertain: again after store_backoff(tries), or FAILED when older
 * than ${give_up_s}. */
enum rc store_out_defer(struct store *st, struct store_out_end *m, size_t n,
    int64_t now, int64_t give_up_s, struct err *e);
/* 5xx: FAILED; its notice is due. */
enum rc store_out_fail(struct store *st, struct store_out_end *m, size_t n,
    int64_t now, struct err *e);
/* Not tried after all (the route was suspended, the process ended): due at
 * once, no try counted. */
enum rc store_out_unclaim(struct store *st, const int64_t *ids, size_t n,
    struct err *e);
/* store_out_claimed(): is it still claimed by this process?  Not so when its
 * recipient has said meanwhile that it arrived. */
enum rc store_out_claimed(struct store *st, int64_t id, bool *ours,
    struct err *e);
/* store_out_overdue(): QUEUED and older than ${give_up_s}: FAILED. */
enum rc store_out_overdue(struct store *st, int64_t now, int64_t give_up_s,
    const char *text, size_t *n, struct err *e);

/* store_backoff(tries, jitter): seconds to wait after the ${tries}-th
 * failure: 5 min doubling to 4 h, spread by an eighth to either side. */
int64_t store_backoff(uint32_t tries, uint32_t jitter);
#define STORE_BACKOFF_MAX_S (14400 + 14400 / 8)

/*
 * Network, DNS, TLS and password failures suspend the route:
 * store_relay_suspend() until the next step of the back-off, given back in
 * ${until}; store_relay_ok() ends it (writes only if it was suspended).
 */
enum rc store_relay_suspend(struct store *st, const char *relay, int64_t now,
    uint32_t jitter, const char *text, int64_t *until, struct err *e);
enum rc store_relay_ok(struct store *st, const char *relay, struct err *e);

struct store_relay {
	char		name[STORE_LABEL_BYTES];
	int64_t		since;		/* failing since; 0: it works */
	int64_t		until;		/* suspended */
	uint32_t	tries;
	char		text[STORE_TEXT_BYTES];
};
/* store_relay_get(): RC_OK with since 0 when never suspended. */
enum rc store_relay_get(struct store *st, const char *relay,
    struct store_relay *out, struct err *e);

/* --- Notices ----------------------------------------------------------- */

/* store_notice_next(): up to ${max} FAILED rows, id > ${after}, whose notice
 * is still due. store_notice_done(): given, never again. */
enum rc store_notice_next(struct store *st, int64_t after,
    struct store_out *out, size_t max, size_t *n, struct err *e);
enum rc store_notice_done(struct store *st, const int64_t *ids, size_t n,
    struct err *e);

/* --- By T -------------------------------------------------------------- */

/* store_out_find(): RC_OK with id 0 when T is not in the queue. */
enum rc store_out_find(struct store *st, const uint8_t t[STORE_T_BYTES],
    struct store_out *out, struct err *e);
/* store_out_bounced(): a mail of ours came back (2.19.20); ${known} false: T
 * is not in the queue. The incoming copy ${in} (0: none) is dropped, its
 * server copy by ${action}, in the same transaction. */
enum rc store_out_bounced(struct store *st, const uint8_t t[STORE_T_BYTES],
    int64_t in, uint8_t action, int64_t now, bool *known, struct err *e);

/* --- What people ask --------------------------------------------------- */

enum store_ask {
	STORE_ASK_ALL,
	STORE_ASK_WAITING,	/* QUEUED, CLAIMED */
	STORE_ASK_UNDELIVERED,	/* mail SENT, not received: neither 2, 3 */
	STORE_ASK_RECEIVED,	/* 2 */
	STORE_ASK_OPENED,	/* 3 */
	STORE_ASK_TROUBLE	/* FAILED, refused, damaged, bounced */
};

/* The filter of store_out_list(); zeros ask for everything. */
struct store_filter {
	enum store_ask	 ask;
	const char	*peer;		/* name or identity, a routed one too */
	int64_t		 since;		/* queued at or after */
	int64_t		 before;	/* queued before; 0: any */
	bool		 mail_only;
};

/* store_out_list(): up to ${max} rows with id > ${after}, in order. */
enum rc store_out_list(struct store *st, const struct store_filter *f,
    int64_t after, struct store_out *out, size_t max, size_t *n,
    struct err *e);
/* store_out_get(): RC_OK with id 0 when it is not there. */
enum rc store_out_get(struct store *st, int64_t id, struct store_out *out,
    struct err *e);

/* One name of a message through the hub: "by the gateway's word". */
struct store_routed {
	char	name[STORE_IDENTITY_BYTES];
	uint8_t	ack_state;
	int64_t	ack_at;
};
enum rc store_out_routed(struct store *st, int64_t id,
    struct store_routed out[STORE_ROUTES_MAX], size_t *n, struct err *e);

struct store_counts {
	/* Incoming, by enum store_in_state. */
	uint64_t	to_open, held, passed, to_release;
	/* Queue. */
	uint64_t	queued, claimed, failed;
	uint64_t	undelivered;	/* mail SENT, not received */
	uint64_t	late;		/* of those, for too long */
	uint64_t	refused, damaged, bounced;
	uint64_t	acks_waiting;
	int64_t		oldest_queued_at;	/* 0: none */
};
/* store_counts(): cost follows what is unfinished, never what is done. */
enum rc store_counts(struct store *st, int64_t late_before,
    struct store_counts *out, struct err *e);

/*
 * store_out_late(): up to ${max} mails, id > ${after}, queued before
 * ${late_before}, not received by all: each name of a routed one counts.
 */
enum rc store_out_late(struct store *st, int64_t late_before, int64_t after,
    struct store_out *out, size_t max, size_t *n, struct err *e);

/* queue retry: due at once, tries forgotten, to the mailbox ${to_route} from
 * now on (NULL: the same). queue drop: the row goes, no notice. */
enum rc store_out_retry(struct store *st, int64_t id, const char *to_route,
    int64_t now, enum store_result *result, struct err *e);
enum rc store_out_drop(struct store *st, int64_t id,
    enum store_result *result, struct err *e);

#endif
