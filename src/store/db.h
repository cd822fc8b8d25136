/* Inside the floor: the handle, transactions, statements.  Not for others. */
#ifndef SC_STORE_DB_H
#define SC_STORE_DB_H

#include <sqlite3.h>
#include <string.h>

#include "base/fault.h"
#include "base/lang.h"
#include "store/store_alarm.h"
#include "store/store_hub.h"

#define DB_STMTS 512	/* slots; a power of two, never more than half used */
#define DB_SLOT_CONDEMNED 0	/* owner of a body to be deleted */

struct store {
	sqlite3		*db;
	enum store_mode	 mode;
	int		 lock_fd;
	int		 slot;		/* ours in the lock file; 0: none */
	int		 pass_fd;	/* the passes there were, or -1 */
	int		 changes;	/* when the transaction began */
	int64_t		 commits;	/* with the one that is at work */
	int64_t		 gone;		/* those that it has lost */
	bool		 lazy;		/* synchronous=NORMAL at the moment */
	bool		 in_tx;
	bool		 reading;	/* store_read_begin() */
	bool		 reap;		/* a condemned body is there */
	int64_t		 lists;		/* numbers of listings */
	/* peer_id()'s last answer in this transaction; 0: none */
	int64_t		 peer;
	char		 peer_is[STORE_IDENTITY_BYTES];
	/* of the register; NULL: another handle will chain it */
	void		(*hash)(const void *p, size_t len, uint8_t *out);
	struct {
		const char	*sql;	/* the literal is the key */
		sqlite3_stmt	*s;
	}		 stmt[DB_STMTS];
};

/* A value to bind. Text from strangers is bound as BLOB (V_S), our own words
 * as TEXT (V_T). */
struct db_val {
	char		 type;
	int64_t		 i;
	const void	*p;
	size_t		 len;
};
#define V_I(x) { 'i', (int64_t)(x), NULL, 0 }
#define V_B(q, n) { 'b', 0, (q), (n) }
#define V_S(s) { 's', 0, (s), 0 }	/* C string as BLOB; NULL is NULL */
#define V_T(s) { 't', 0, (s), 0 }
#define V_NULL { 'n', 0, NULL, 0 }
#define V_END { '\0', 0, NULL, 0 }
extern const struct db_val db_none[];

/* db_err(st, e, what): the decision behind SQLite's last error. */
enum rc db_err(struct store *st, struct err *e, const char *what);

/* db_damaged(e, why): RC_CONF, and what to do. */
enum rc db_damaged(struct err *e, const char *why);

/* db_exec(): text without values, not kept: pragmas, the schema. */
enum rc db_exec(struct store *st, const char *sql, struct err *e);

/* DB_DO(st, e, sql, values...): run to its end; expects no row. */
#define DB_DO(st, e, ...) DB_DO_(st, e, __VA_ARGS__, V_END)
#define DB_DO_(st, e, sql, ...) \
	db_do(st, sql, (const struct db_val[]){ __VA_ARGS__ }, e)
enum rc db_do(struct store *st, const char *sql, const struct db_val *v,
    struct err *e);

/* DB_ASK(st, e, &s, sql, values...): ready for db_next(). */
#define DB_ASK(st, e, s, ...) DB_ASK_(st, e, s, __VA_ARGS__, V_END)
#define DB_ASK_(st, e, s, sql, ...) \
	db_ask(st, s, sql, (const struct db_val[]){ __VA_ARGS__ }, e)
enum rc db_ask(struct store *st, sqlite3_stmt **s, const char *sql,
    const struct db_val *v, struct err *e);
/* db_next(): ${got} false at the end, and then ${s} is released. */
enum rc db_next(struct store *st, sqlite3_stmt *s, bool *got, struct err *e);
/* db_stop(): released before its end; NULL accepted. */
void db_stop(sqlite3_stmt *s);

/* DB_INT(st, e, &n, sql, values...): one number; 0 when there is no row. */
#define DB_INT(st, e, n, ...) DB_INT_(st, e, n, __VA_ARGS__, V_END)
#define DB_INT_(st, e, n, sql, ...) \
	db_int(st, n, sql, (const struct db_val[]){ __VA_ARGS__ }, e)
enum rc db_int(struct store *st, int64_t *n, const char *sql,
    const struct db_val *v, struct err *e);

/* Rows changed by the last DB_DO. */
size_t db_changed(struct store *st);

/* Columns: cut to ${size} with a NUL; false or 0 when NULL or another size. */
void db_text(sqlite3_stmt *s, int col, char *out, size_t size);
bool db_blob(sqlite3_stmt *s, int col, void *out, size_t len);
bool db_buf(sqlite3_stmt *s, int col, struct buf *out);	/* false: memory */

/* db_shut(): statements and handle; ${st} itself stays. */
void db_shut(struct store *st);

/*
 * A transaction: tx_begin() or, for what need not be durable by itself,
 * tx_begin_lazy(); then TX_END commits when ${rc} is RC_OK, else rolls back,
 * and gives the result.  ${name} is a literal.
 */
enum rc tx_begin(struct store *st, struct err *e);
enum rc tx_begin_lazy(struct store *st, struct err *e);
enum rc tx_commit(struct store *st, struct err *e);
void tx_rollback(struct store *st);
#ifdef ENABLE_FAULT
#define TX_END(st, rc, name, e) \
	tx_end(st, rc, "store." name ".before", "store." name ".after", e)
#else
#define TX_END(st, rc, name, e) tx_end(st, rc, NULL, NULL, e)
#endif
enum rc tx_end(struct store *st, enum rc rc, const char *before,
    const char *after, struct err *e);

/* store_event.c, inside a transaction */
enum rc event_put(struct store *st, int64_t at, const char *name,
    const char *text, struct err *e);

/* schema.c */
extern const char *const schema_sql[];	/* NULL at the end */
extern const char *const schema_triggers[];	/* the register's */
/* triggers_make(), triggers_drop(): in a transaction. */
enum rc triggers_make(struct store *st, struct err *e);
enum rc triggers_drop(struct store *st, struct err *e);
#define SCHEMA_VERSION 3	/* 1, 2: before the first release */
#define SCHEMA_APPLICATION 0x53434541	/* "SCEA" */

/* slot.c: which processes are alive, by locks that die with them. */
enum rc slot_take(struct store *st, const char *dir, struct err *e);
/* slot_take_all(): nobody else has the store open to write, or RC_TEMP. */
enum rc slot_take_all(struct store *st, const char *dir, struct err *e);
void slot_drop(struct store *st);
bool slot_alive(struct store *st, int slot);

/* pass_open(st, dir): the passes there were; without them all goes on. */
void pass_open(struct store *st, const char *dir);
void pass_close(struct store *st);
/* store_pass.c's part of that file. */
#define PASS_NUMBER_BYTES 8
#define PASS_TEXT_AT 36
#define PASS_RECORD_BYTES (PASS_TEXT_AT + STORE_TEXT_BYTES)
#define PASS_FILE_BYTES \
	(PASS_NUMBER_BYTES + STORE_PASSES * PASS_RECORD_BYTES)

/*
 * commits.c: the durable transactions there were, counted in the database and
 * in the file of passes.  commits_add(): one more, in a transaction, last;
 * commits_done(): it is durable.  commits_look(): st->gone are in the file
 * only; who has found some counts none of his own, so that the two numbers
 * stay apart.  commits_check(): the same, and RC_CONF when any is;
 * commits_forgive(): none is any more, in a transaction.  commits_known(): the
 * file's number of the store in ${dir}; commits_put(): the database's, above
 * ${known}.
 */
enum rc commits_add(struct store *st, struct err *e);
void commits_done(struct store *st);
enum rc commits_look(struct store *st, struct err *e);
enum rc commits_check(struct store *st, struct err *e);
enum rc commits_forgive(struct store *st, struct err *e);
int64_t commits_known(const char *dir);
enum rc commits_put(struct store *st, int64_t known, struct err *e);

/* sweep.c: take over from the dead; ${opening}: what bears our own number is
 * of somebody before us. */
enum rc sweep(struct store *st, bool opening, struct err *e);

/* body.c, inside a transaction.  body_attach(): ${b} becomes visible; its id
 * in ${id}.  body_drop(): a large one is condemned, and body_reap() ends it
 * later in small transactions. */
enum rc body_attach(struct store *st, const struct store_body *b, int64_t *id,
    struct err *e);
enum rc body_drop(struct store *st, int64_t id, struct err *e);
enum rc body_reap(struct store *st, struct err *e);
/* body_disown(): after a failure, those that were handed over. */
void body_disown(struct store *st, const struct store_body *b);

/* identity without its "#gen" */
void peer_name(const char *identity, char out[STORE_IDENTITY_BYTES]);
/* a number for an identity, made when new; inside a transaction */
enum rc peer_id(struct store *st, const char *identity, int64_t *id,
    struct err *e);

/* store_register.c: what is new in it is chained; in a transaction, last. */
enum rc register_chain(struct store *st, struct err *e);

/* --- Parts of intents, for inside a transaction ------------------------- */

/* store_row.c */
enum rc row_put(struct store *st, const struct store_row *row, struct err *e);

/* A name that no server gives to a message: it has a control character and a
 * blank. */
#define NO_NAME "CAST(char(1) || 'no name ' || id AS BLOB)"

/* store_in.c: a row of incoming, in the order of IN_COLS */
#define IN_COLS "id, state, account, uid, body, (SELECT size FROM body " \
	"WHERE body.id = incoming.body), put_at, t, class, held_at, sender, " \
	"action, release_at, gone, filing"
void in_read(sqlite3_stmt *s, struct store_in *out);
enum rc in_read_all(struct store *st, sqlite3_stmt *s, struct store_in *out,
    size_t *n, struct err *e);

/* store_kept.c: the body of ${t} is kept, and ${*body} 0 then, unless one is;
 * kept_forget(): no longer. */
enum rc kept_put(struct store *st, const uint8_t t[STORE_T_BYTES],
    int64_t *body, int64_t now, int64_t until, struct err *e);
enum rc kept_forget(struct store *st, int64_t now, size_t budget, bool *more,
    struct err *e);

/* store_inbox.c: the row of a message, from its intent on; its patients. */
enum rc inbox_intent(struct store *st, int64_t incoming,
    const uint8_t t[STORE_T_BYTES], struct store_filing *f, struct err *e);
enum rc inbox_filed(struct store *st, const uint8_t t[STORE_T_BYTES],
    int64_t now, struct err *e);
enum rc inbox_refiled(struct store *st, int64_t incoming,
    const struct store_filing *f, struct err *e);

/* store_done.c: what a move needs to know */
struct in_now {
	int	state;		/* 0: not there */
	int64_t	body;
	bool	ours;		/* not claimed by another process */
};
enum rc in_load(struct store *st, int64_t id, struct in_now *now,
    struct err *e);
/* in_finish(): no body any more, what is left is the server's copy. */
enum rc in_finish(struct store *st, int64_t id, const struct in_now *was,
    enum store_in_state state, uint8_t action, int64_t release_at,
    struct err *e);

struct journal {
	int64_t	id;		/* 0: not there */
	int	state;		/* enum store_t_state */
	int64_t	incoming;
	uint8_t	ack_state;
};
enum rc journal_load(struct store *st, const uint8_t t[STORE_T_BYTES],
    struct journal *j, struct err *e);
/* journal_put(): made or changed, to ${state}; ${j->id} is set. */
enum rc journal_put(struct store *st, struct journal *j,
    const struct store_msg *m, enum store_t_state state, struct err *e);
enum rc journal_ack(struct store *st, const struct journal *j, uint8_t state,
    int64_t at, const uint8_t d[STORE_D_BYTES], struct err *e);
enum rc done_one(struct store *st, struct store_done *m, int64_t now,
    struct err *e);

/* store_ack.c */
int ack_rank(uint8_t state);
struct ack_put {
	const char	*peer;		/* name or identity */
	const uint8_t	*t;
	const char	*routed;	/* "" for an ACK */
	uint8_t		 state;
	int64_t		 at;
	const uint8_t	*d;
	int64_t		 due_at;
};

/* As a person wants it: due at once, ?2, and all that it met forgotten. */
#define OUT_RETRY "UPDATE queue SET state = 2, next_at = ?2, since = ?2, " \
	"tries = 0, notice = 0, done = 0 "

/* ack_put(): waits; replaces what it goes beyond. */
enum rc ack_put(struct store *st, const struct ack_put *a, struct err *e);
enum rc ack_clear(struct store *st, const struct store_ack *acks, size_t n,
    struct err *e);
/* store_acked.c */
enum rc ack_apply(struct store *st, struct store_ack_in *a, int64_t now,
    int64_t due_at, struct err *e);
/* relayed_repeat(): what recipients said of ${t}, to its sender again; and to
 * those who said nothing ${t} again, if that was an hour ago. */
enum rc relayed_repeat(struct store *st, const uint8_t t[STORE_T_BYTES],
    int64_t due_at, int64_t now, struct err *e);

/* store_follow.c: authentic news of ${who}, a name or identity; and what an
 * acknowledgement that moved something leaves to be looked at. */
enum rc heard_of(struct store *st, const char *who, int64_t now,
    struct err *e);
enum rc follow_acked(struct store *st, int64_t queue, const char *name,
    uint8_t state, int64_t now, struct err *e);

/* store_bar.c: what a message says of bulletins. */
enum rc bulletin_note(struct store *st, const struct store_done *m,
    int64_t now, struct err *e);

/* store_out.c: a row of queue, in the order of OUT_COLS */
#define OUT_COLS "id, submission, state, kind, t, d, identity, from_route, " \
	"to_route, date, message_id, boundary, relay, text, (SELECT " \
	"notice_to FROM submission s WHERE s.id = queue.submission), " \
	"meta_at, body, size, queued_at, next_at, sent_at, tries, " \
	"ack_state, ack_at, bounced, routed"
enum rc out_read_all(struct store *st, sqlite3_stmt *s,
    struct store_out *out, size_t *n, struct err *e);
/* out_body_drop(): the row is SENT and needs its body no more. */
enum rc out_body_drop(struct store *st, int64_t id, struct err *e);

/* store_submit.c */
enum rc queue_put(struct store *st, int64_t now, int64_t submission,
    struct store_out_put *m, struct err *e);
enum rc submission_put(struct store *st, int64_t now, const uint8_t *once,
    const char *notice_to, int64_t *id, struct err *e);

#endif
