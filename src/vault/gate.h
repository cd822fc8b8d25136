/*
 * The vault's one door: open, seal and resolve, for whoever holds no key.
 *
 * A gate is a loaded key store and what this process has learnt since.  It
 * touches no network, opens no file after gate_new() and knows nothing of
 * channels: octets come in by calls and go out by sinks.  Everything mutable
 * (generations, bars, return keys, years shown) lives in *rows*: small sealed
 * octet strings which the caller stores under a text key and lends when asked
 * (PROTOCOL 2.19.12).  What the gate changed it hands out with its verdict; the
 * caller commits that together with the delivery.
 */
#ifndef SC_VAULT_GATE_H
#define SC_VAULT_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define GATE_ID_BYTES 201	/* an identity or a name, with its NUL */
#define GATE_ROUTE_BYTES 255	/* a mailbox, with its NUL (2.19.7) */
#define GATE_SHOW_BYTES 201	/* a display name, UTF-8, with its NUL */
#define GATE_T_BYTES 32
#define GATE_D_BYTES 32
#define GATE_WITNESS_BYTES 32
#define GATE_HEADER_MAX 476	/* header and T: no envelope needs more */
#define GATE_ROUTES_MAX 100	/* 2.19.33 */
#define GATE_LATE_S (72 * 3600)	/* D5 */

struct gate;
struct gate_open;
struct gate_seal;
struct gate_sum;
struct gate_spool;

/* Where octets go; a failure of ${put} ends the call that fed it. */
struct gate_sink {
	enum rc	(*put)(void *arg, const void *p, size_t len, struct err *e);
	void	*arg;
};

/* For a first pass, whose octets nobody may see. */
extern const struct gate_sink gate_nowhere;

/*
 * Where rows come from.  ${get} puts the row stored under ${key} into ${out}
 * (emptied by the gate), or leaves it empty when there is none.  It is called
 * for "self" and the sender's name in gate_open_begin(); for the original
 * sender of relayed mail in gate_open_body(), once, before anything goes to
 * the sink; and for every name that a message changes or speaks of (bars,
 * grants) in gate_open_end().  NULL: there are no rows.
 *
 * keep     what was lent is not asked for again until gate_forget(): for the
 *          messages of one batch, whose rows are committed together and as
 *          changes to what was lent first.
 */
struct gate_rows {
	enum rc	(*get)(void *arg, const char *key, struct buf *out,
		    struct err *e);
	void	*arg;
	bool	 keep;
};

#define GATE_ROW_SELF "self"	/* every other row's key is a name */

/* A row to store: replaces what is there under ${key}. */
struct gate_row {
	char		key[GATE_ID_BYTES];
	struct buf	sealed;
};

/*
 * gate_new(store, key, passphrase, out, e):
 * Load the key store at path ${store}, sealed under the 32 octets of the file
 * ${key}, or under ${passphrase} when that is not NULL (borrowed).
 *
 * RC_OK; RC_CONF: not there, readable by others, wrong key or passphrase, or
 * damaged: the text says what to do; RC_NOMEM.  ${*out} is owned.
 * gate_warning() then tells what should be said once to the operator (a
 * demonstration store), or NULL.
 */
enum rc gate_new(const char *store, const char *key,
    const struct secret *passphrase, struct gate **out, struct err *e);
void gate_free(struct gate **g);
const char *gate_warning(const struct gate *g);

/*
 * gate_forget(g):
 * All rows handed out so far are committed (or will never be): forget them and
 * those that were lent, kept for other messages of the same batch.  Calling it
 * seldom costs memory, calling it early costs only that a fact is learnt once
 * more.
 */
void gate_forget(struct gate *g);

/* ---- looking without a key --------------------------------------------- */

/* What a header says; a hint, until gate_open_begin() has checked it. */
struct gate_head {
	uint8_t	t[GATE_T_BYTES];
	char	sender[GATE_ID_BYTES];		/* identity */
	char	recipient[GATE_ID_BYTES];	/* identity */
	char	sender_name[GATE_ID_BYTES];	/* its row's key */
	char	recipient_name[GATE_ID_BYTES];
	uint16_t year;
	uint8_t	source;
	size_t	len;		/* octets of header and T: the body follows */
	bool	authentic;	/* T was right: this is what was sealed */
	bool	replaced_key;	/* sealed to an older generation of mine */
};

/*
 * gate_peek(p, len, out, e):
 * Read a header without any key.  ${p} holds the first ${len} octets of an
 * envelope; GATE_HEADER_MAX of them are always enough.  RC_OK; RC_INPUT with
 * EC_FORMAT or EC_VERSION.
 */
enum rc gate_peek(const void *p, size_t len, struct gate_head *out,
    struct err *e);

/* ---- opening ----------------------------------------------------------- */

enum gate_mode {
	GATE_DELIVER,	/* sink gets one X-Sceau field, then the mail */
	GATE_DIGEST,	/* everything is checked, nothing goes out */
	GATE_RELAY,	/* all checks; sink gets the MAIL value unchanged */
	GATE_RAW,	/* filters: any octets, no inner check (2.19.14) */
	GATE_LOOK	/* the same, and nothing goes out; most of a long mail
			 * is verified without being deciphered */
};

enum gate_flag {
	GATE_F_LATE = 1,		/* sealed more than 72 h ago */
	GATE_F_REPLACED_KEY = 2,	/* sealed to an older key of mine */
	GATE_F_DUPLICATE = 4,		/* may have been shown already */
	GATE_F_RELAYED_DIRECT = 8,	/* relayed, though he writes directly */
	GATE_F_AHEAD = 16,		/* sealed more than 72 h from now */
	GATE_F_REFILED = 32		/* filed once more, on demand */
};

struct gate_open_args {
	enum gate_mode	 mode;
	struct gate_rows rows;
	int64_t		 now;	/* 0: clock_used() */
};

/*
 * gate_open_begin(g, args, p, len, head, o, e):
 * PROTOCOL 2.11 steps 2 to 6.  ${p}: the envelope's first octets, as for
 * gate_peek(); the body begins at ${head->len}.
 *
 * head  filled as far as the header can be read, in failure too.
 * o     owned, on RC_OK only; ${g} must outlive it.
 *
 * RC_OK; RC_INPUT with EC_FORMAT, EC_VERSION, EC_NOTFORME, EC_NOKEY,
 * EC_EXPIRED, EC_HEADER or EC_BARRED: see 2.19 "Errors" for what becomes of
 * the message; RC_TEMP from rows; RC_NOMEM.  Only after RC_OK or EC_BARRED
 * (${head->authentic}) may the sender hear of anything.
 */
enum rc gate_open_begin(struct gate *g, const struct gate_open_args *args,
    const void *p, size_t len, struct gate_head *head, struct gate_open **o,
    struct err *e);

/* gate_open_flag(o, flags): enum gate_flag bits that the caller knows
 * (GATE_F_DUPLICATE after a crash); before the first gate_open_body(). */
void gate_open_flag(struct gate_open *o, unsigned flags);

/*
 * gate_open_body(o, p, len, sink, e):
 * The next ${len} octets of the body, cut anywhere.  ${sink}: borrowed now;
 * NULL in GATE_DIGEST and GATE_LOOK.  It gets nothing before all records
 * ahead of MAIL are accepted and the inner header is (2.11 steps 9 to 11);
 * what it gets is authentic, but *incomplete* until gate_open_end() says
 * RC_OK: do not show it before.
 *
 * RC_OK; RC_INPUT with EC_BODY, EC_RECORD, EC_AUTHORITY, EC_INNER or
 * EC_TRUNCATED; what the sink returned; RC_NOMEM.  After a failure only
 * gate_open_end() and gate_open_free() may be called.
 */
enum rc gate_open_body(struct gate_open *o, const void *p, size_t len,
    const struct gate_sink *sink, struct err *e);

enum gate_ack_state {
	GATE_ACK_RELAYED = 1,
	GATE_ACK_RECEIVED = 2,
	GATE_ACK_OPENED = 3,
	GATE_ACK_REFUSED = 0x10,
	GATE_ACK_DAMAGED = 0x11
};

struct gate_ack {
	uint8_t	t[GATE_T_BYTES];
	uint8_t	state;		/* enum gate_ack_state */
	int64_t	at;
	uint8_t	d[GATE_D_BYTES];
	char	name[GATE_ID_BYTES];	/* RELAYED-ACK: whose; else "" */
};

/* One ROUTE, with the WITNESS that stands in its place, if any. */
struct gate_route {
	char	name[GATE_ID_BYTES];
	bool	has_witness;
	uint8_t	witness[GATE_WITNESS_BYTES];
};

enum gate_alarm_kind {
	GATE_AL_GRANT_CONFLICT,	/* another key is held for who: kept that one */
	GATE_AL_MISSED_BULLETIN,/* who has seen a bulletin that I have not */
	GATE_AL_OWN_BAR,	/* who (mine) is barred: stop sending */
	GATE_AL_BARRED,		/* a bar was raised against who */
	GATE_AL_NEW_GENERATION,	/* who writes with a newer key than before */
	GATE_AL_DENIED,		/* the issuer denies a key for who */
	GATE_AL_ROW,		/* the row of who is unreadable: none */
	GATE_AL_REPLACED_KEY	/* who still seals to an older key of mine */
};

struct gate_alarm {
	enum gate_alarm_kind	kind;
	char			who[GATE_ID_BYTES];
};

/* gate_alarm_say(kind): a fixed sentence for people, with one %s for ${who};
 * gate_alarm_name(kind): one English word for logs. */
const char *gate_alarm_say(enum gate_alarm_kind kind);
const char *gate_alarm_name(enum gate_alarm_kind kind);

/* What an envelope said.  Arrays are lent until gate_open_free(). */
struct gate_verdict {
	enum err_class	 class;		/* EC_NONE: good */
	bool		 has_mail;	/* an authentic MAIL was seen: failures
					 * may be acknowledged (2.19.2) */
	uint8_t		 d[GATE_D_BYTES]; /* of MAIL; zeros when not whole, and
					 * for filters */
	uint64_t	 mail_len;
	int64_t		 sealed_at;	/* META; 0 when not read */
	unsigned	 flags;		/* enum gate_flag bits */
	bool		 inner_ok;	/* filters: would 2.11 step 11 pass? */
	char		 inner_why[160];/* if not, why, for people */

	bool		 relayed;
	uint8_t		 orig_t[GATE_T_BYTES];
	int64_t		 orig_at;
	char		 orig[GATE_ID_BYTES];	/* identity */
	char		 orig_name[GATE_ID_BYTES];
	char		 author[GATE_ID_BYTES];	/* orig if relayed, else the
						 * sender: who speaks */

	struct gate_ack	*acks;		/* from the sender himself */
	size_t		 nacks;
	struct gate_ack	*relayed_acks;	/* by the gateway's word */
	size_t		 nrelayed_acks;
	struct gate_route *routes;	/* I am the hub: relay to these */
	size_t		 nroutes;
	bool		 has_witness;	/* of mail without ROUTE */
	uint8_t		 witness[GATE_WITNESS_BYTES];
	bool		 from_hub;	/* the sender is the hub: its ACKs mean
					 * state 1 (2.19.3) */
	bool		 asked;		/* an ASK was there (not served) */
	uint8_t		 desk;		/* a bulletin: generation of its desk */
	uint32_t	 bulletin;	/* its number */
	uint32_t	 missed;	/* one that he has and I have not; 0 */
	bool		 enrolled;	/* the issuer brought a key, not held
					 * before, of our association */

	struct gate_row	*rows;		/* to be committed with the delivery */
	size_t		 nrows;
	struct gate_alarm *alarms;
	size_t		 nalarms;
};

/*
 * gate_open_end(o, sink, v, e):
 * No more body is coming: the verdict.  The last chunk (all of a short mail)
 * is opened only now, so ${sink} may still get octets, and what it got is
 * whole if, and only if, RC_OK is returned.  ${v} is always filled, with the
 * class of the failure, whether it came now or from an earlier call.  Rows,
 * acks and routes are there only when good.  RC_OK or as gate_open_body();
 * EC_BARRED when the original sender of relayed mail is (2.19.33).
 */
enum rc gate_open_end(struct gate_open *o, const struct gate_sink *sink,
    struct gate_verdict *v, struct err *e);
void gate_open_free(struct gate_open **o);

/* ---- digests ----------------------------------------------------------- */

/* The fingerprint D of a mail, octet by octet; owned.  NULL: memory. */
struct gate_sum *gate_sum_new(void);
void gate_sum_add(struct gate_sum *s, const void *p, size_t len);
uint64_t gate_sum_len(const struct gate_sum *s);
void gate_sum_end(struct gate_sum *s, uint8_t d[GATE_D_BYTES]);
void gate_sum_free(struct gate_sum **s);

/*
 * gate_digest(g, p, len, out):
 * A keyed digest for registers, under a key of this store that nothing else
 * uses: equal texts are found again here, also when a year has been erased,
 * and nowhere else (ruling 7).
 */
void gate_digest(const struct gate *g, const void *p, size_t len,
    uint8_t out[32]);

/* ---- whom one can write to --------------------------------------------- */

/* A recipient, resolved.  Plain data: may travel between processes. */
struct gate_dest {
	char	name[GATE_ID_BYTES];	/* whom the mail is for */
	char	to[GATE_ID_BYTES];	/* identity the envelope is for */
	char	own[GATE_ID_BYTES];	/* identity it is from */
	uint16_t year;
	bool	via_hub;		/* ${to} is the hub: add a ROUTE */
	char	route[GATE_ROUTE_BYTES]; /* mailbox of ${to}; "" when the
					 * directory has none: use to_address */
	char	to_address[GATE_ID_BYTES]; /* local@domain of ${to} */
	char	show[GATE_SHOW_BYTES];	/* display name of ${name}, or "" */
};

struct gate_resolve_args {
	const char	*who;	/* typed: name, identity or local@domain */
	const char	*own;	/* my name or address; NULL: my only one */
	bool		 control;/* no MAIL: until read-until (2.19.26) */
	bool		 bulletin;/* to the barred too: they must hear of it */
	bool		 shown;	/* ${who} is how the directory shows him */
	struct gate_rows rows;
	int64_t		 now;	/* 0: clock_now() */
};

/*
 * gate_resolve(g, args, out, e):
 * Whom does a person mean, and under which key can he be written to
 * (2.19.16, 25, 26).  Case does not matter in ${who}; of a shown name neither
 * do accents, signs and blanks.
 *
 * RC_OK; RC_PERM: no such member, several (the text lists them), or no key
 * and no hub, with class EC_NOKEY because one may come: refuse the whole
 * submission, exit 67; RC_CONF: none of my own
 * keys may be used for sending now; RC_TEMP from rows; RC_NOMEM.
 */
enum rc gate_resolve(struct gate *g, const struct gate_resolve_args *args,
    struct gate_dest *out, struct err *e);

/*
 * gate_reply(g, head, rows, now, out, e):
 * The same for an acknowledgement to the sender of an opened envelope, under
 * the key of its year if that still serves.
 */
enum rc gate_reply(struct gate *g, const struct gate_head *head,
    const struct gate_rows *rows, int64_t now, struct gate_dest *out,
    struct err *e);

/* gate_own(g, who, out, e): my name for a name or address (From); ${who}
 * NULL: my only one.  RC_OK; RC_PERM: not mine. */
enum rc gate_own(const struct gate *g, const char *who,
    char out[GATE_ID_BYTES], struct err *e);

/* ---- sealing ----------------------------------------------------------- */

struct gate_bar {
	char	name[GATE_ID_BYTES];
	uint8_t	min;		/* generation; 255: excluded */
};

#define GATE_ACKS_MAX 200	/* of both kinds together, in one envelope */

struct gate_seal_args {
	const struct gate_dest *dest;
	struct gate_rows rows;
	int64_t		 at;		/* META time; 0: clock_now() */
	const struct gate_ack *acks;
	size_t		 nacks;
	const struct gate_ack *relayed_acks;
	size_t		 nrelayed_acks;
	uint32_t	 bulletin;	/* the watch desk's; 0: none */
	const struct gate_bar *bars;	/* its whole list */
	size_t		 nbars;

	bool		 has_mail;
	uint64_t	 mail_len;
	uint8_t		 d[GATE_D_BYTES];
	bool		 d_sure;	/* the mail cannot have changed since:
					 * it is not hashed again */
	/* Through the hub: every name that this one envelope is for. */
	const char *const *routes;	/* NULL: dest->name, if via_hub */
	size_t		 nroutes;

	/* At the hub (gate_relay_args() fills these). */
	bool		 relayed;
	uint8_t		 orig_t[GATE_T_BYTES];
	int64_t		 orig_at;
	const char	*orig;		/* identity */
	const uint8_t	*witness;	/* GATE_WITNESS_BYTES or NULL */
};

/*
 * gate_seal_begin(g, args, header, t, s, e):
 * Begin an envelope: META, my return key, acknowledgements, witnesses
 * (2.19.31).  ${header} (emptied first) gets its first octets, header and T at
 * least; what follows comes out of gate_seal_mail() and gate_seal_end().
 *
 * s  owned; ${g} must outlive it; ${args} and what it points to need not.
 * RC_OK; RC_PERM: the key is gone or expired since gate_resolve(); RC_INPUT:
 * EC_TOOBIG, more records than one envelope may hold; RC_TEMP from rows;
 * RC_NOMEM.
 */
enum rc gate_seal_begin(struct gate *g, const struct gate_seal_args *args,
    struct buf *header, uint8_t t[GATE_T_BYTES], struct gate_seal **s,
    struct err *e);

/* gate_seal_mail(s, p, len, sink, e): the next octets of the mail. RC_INPUT:
 * more than were announced. */
enum rc gate_seal_mail(struct gate_seal *s, const void *p, size_t len,
    const struct gate_sink *sink, struct err *e);

/* gate_seal_room(s): so many octets fill the chunk that is being filled, and
 * go into it; whole chunks after them are sealed where they lie. */
size_t gate_seal_room(const struct gate_seal *s);

/* gate_seal_end(s, sink, e): the padding and the last chunk.  RC_INPUT: the
 * mail was shorter than announced or had another D: throw all of it away. */
enum rc gate_seal_end(struct gate_seal *s, const struct gate_sink *sink,
    struct err *e);
void gate_seal_free(struct gate_seal **s);

/* gate_seal_control(g, args, out, t, e): a whole envelope without MAIL. */
enum rc gate_seal_control(struct gate *g, const struct gate_seal_args *args,
    struct buf *out, uint8_t t[GATE_T_BYTES], struct err *e);

/*
 * gate_relay_args(head, v, n, dest, out):
 * At the hub, after a first pass in GATE_DIGEST: fill ${out} for sealing what
 * was opened again for its route ${n}; everything is borrowed from ${head},
 * ${v} and ${dest}.  Then open again in GATE_RELAY, with a sink that calls
 * gate_seal_mail().
 */
void gate_relay_args(const struct gate_head *head,
    const struct gate_verdict *v, size_t n, const struct gate_dest *dest,
    struct gate_seal_args *out);

/*
 * A mail that is not at hand as a file, kept between the two passes as sealed
 * octets under a random key that never leaves memory (2.10.5).  Write it all
 * to a sink, then give the same octets back and get the mail: after each
 * gate_spool_end() once more, as often as wanted.
 */
struct gate_spool *gate_spool_new(void);	/* owned; NULL: memory */
enum rc gate_spool_put(struct gate_spool *s, const void *p, size_t len,
    const struct gate_sink *sink, struct err *e);
enum rc gate_spool_turn(struct gate_spool *s, const struct gate_sink *sink,
    struct err *e);	/* the last octets; from now on reading */
enum rc gate_spool_get(struct gate_spool *s, const void *p, size_t len,
    const struct gate_sink *sink, struct err *e);
/* RC_INPUT: not the octets that were written. */
enum rc gate_spool_end(struct gate_spool *s, const struct gate_sink *sink,
    struct err *e);
void gate_spool_free(struct gate_spool **s);

/* ---- what is held (check, key list) ------------------------------------ */

struct gate_self {
	char	identity[GATE_ID_BYTES];
	char	name[GATE_ID_BYTES];
	char	address[GATE_ID_BYTES];
	uint16_t year;
	int64_t	from_at;
	int64_t	send_until_at;	/* CLOCK_FOREVER: without end */
	int64_t	read_until_at;
	size_t	npeers;		/* keys in this ring */
	char	issuer[GATE_ID_BYTES];	/* identities; "" when none */
	char	watch[GATE_ID_BYTES];
	char	hub[GATE_ID_BYTES];
	uint8_t	replaced;	/* I hold a higher generation of this name */
	uint16_t over;		/* a year to be erased, or one whose erasure
				 * was cut off; 0: none; the same in all */
	/* 0 or 1: read out of a frame, where any octet may stand. */
	uint8_t	is_hub;
	uint8_t	is_watch;
	uint8_t	is_issuer;
	bool	barred;		/* see gate_self_barred(); else false */
	uint8_t	gen;
};

size_t gate_nselves(const struct gate *g);
void gate_self(const struct gate *g, size_t i, struct gate_self *out);
/* gate_self_barred(g, rows, i, barred, e): is that generation of ours void?
 * RC_TEMP from rows. */
enum rc gate_self_barred(struct gate *g, const struct gate_rows *rows,
    size_t i, bool *barred, struct err *e);

struct gate_entry {
	uint8_t	flags;		/* 2.19.7 */
	char	identity[GATE_ID_BYTES];
	char	route[GATE_ROUTE_BYTES];
	char	show[GATE_SHOW_BYTES];
};

/* gate_entries(g, from, out): the next directory entry at or after index
 * ${*from}, which moves on; false at the end. */
bool gate_entries(const struct gate *g, size_t *from, struct gate_entry *out);

struct gate_facts {
	int64_t	 since_at;		/* 0: never restored */
	uint8_t	 bulletin_gen;		/* 0: none seen */
	uint32_t bulletin;
	int64_t	 bulletin_at;
};

/* gate_facts(g, rows, out, e): what the "self" row says; RC_TEMP from rows. */
enum rc gate_facts(struct gate *g, const struct gate_rows *rows,
    struct gate_facts *out, struct err *e);

/* gate_restored(g, rows, now, out, e): this machine came back from a backup:
 * `since` = now.  ${out}: the row to store, owned. */
enum rc gate_restored(struct gate *g, const struct gate_rows *rows,
    int64_t now, struct gate_row *out, struct err *e);

/* gate_issued(g, rows, number, now, out, e): the same at the watch desk,
 * before it seals bulletin ${number}. */
enum rc gate_issued(struct gate *g, const struct gate_rows *rows,
    uint32_t number, int64_t now, struct gate_row *out, struct err *e);

/* ---- the watch desk (gate_bar.c) --------------------------------------- */

/* gate_desk(g, now, name): our generation as the watch desk, and as whom
 * (or NULL); 0: we are not. */
uint8_t gate_desk(const struct gate *g, int64_t now,
    char name[GATE_ID_BYTES]);

struct gate_barring {
	char	name[GATE_ID_BYTES];
	char	show[GATE_SHOW_BYTES];	/* as the directory shows him, or "" */
	uint8_t	known;		/* highest generation met; 0: of none */
	uint8_t	before;		/* the minimum until now, if barred */
	uint8_t	min;		/* as it is now */
	uint8_t	desk;		/* our own generation */
	struct gate_row row;	/* to be stored; key "": it was so already */
};

/*
 * gate_bar(g, rows, who, min, now, out, e):
 * At the watch desk: the keys of ${who} (as in gate_resolve()) below
 * generation ${min} are void, for this desk too.  ${min} 0: below the next,
 * where that cannot be misunderstood; 255: he is excluded.  Of itself the desk
 * may say that keys older than its newest are void.
 *
 * RC_OK, ${out->row} owned; RC_CONF: this is not the watch desk; RC_PERM: no
 * such member, several, one with an office (2.19.23), or ${min} must be
 * another: the text says which; RC_TEMP from rows; RC_NOMEM.
 */
enum rc gate_bar(struct gate *g, const struct gate_rows *rows,
    const char *who, uint8_t min, int64_t now, struct gate_barring *out,
    struct err *e);

/* gate_bars(g, i, out): the next bar at or after index ${*i}, which moves on,
 * that our key files brought (the issuer's) and the desk may repeat; false at
 * the end. gate_may_bar(g, name): does that name hold no office but ours? */
bool gate_bars(const struct gate *g, size_t *i, struct gate_bar *out);
bool gate_may_bar(const struct gate *g, const char *name);
/* gate_listed(g, name): the directory has a line for that name. */
bool gate_listed(const struct gate *g, const char *name);
/* gate_is_issuer(g, name): that name makes the keys, of any year of ours. */
bool gate_is_issuer(const struct gate *g, const char *name);

/* gate_row_renew(g, key, in, out, e): after a year was erased: the row under
 * the store's new local key, without keys of years no longer held. */
enum rc gate_row_renew(struct gate *g, const char *key,
    const struct buf *in, struct buf *out, struct err *e);
void gate_row_free(struct gate_row *r);

#endif
