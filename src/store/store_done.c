#include "config.h"

#include "store/db.h"

static void
now_read(struct store *st, sqlite3_stmt *s, struct in_now *now)
{
	now->state = sqlite3_column_int(s, 0);
	now->body = sqlite3_column_int64(s, 1);
	now->ours = sqlite3_column_type(s, 2) == SQLITE_NULL ||
	    sqlite3_column_int(s, 2) == st->slot;
}

enum rc
in_load(struct store *st, int64_t id, struct in_now *now, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(now, 0, sizeof(*now));
	if ((rc = DB_ASK(st, e, &s, "SELECT state, body, owner FROM incoming "
	    "WHERE id = ?1", V_I(id))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	now_read(st, s, now);
	db_stop(s);
	return RC_OK;
}

static bool
in_open(const struct in_now *now)
{
	return now->ours && (now->state == STORE_FETCHED ||
	    now->state == STORE_INTENT);
}

enum rc
in_finish(struct store *st, int64_t id, const struct in_now *was,
    enum store_in_state state, uint8_t action, int64_t release_at,
    struct err *e)
{
	enum rc rc;

	if ((rc = DB_DO(st, e, "UPDATE incoming SET state = ?2, body = NULL, "
	    "owner = NULL, names = NULL, class = 0, held_at = NULL, "
	    "action = ?3, release_at = ?4 WHERE id = ?1", V_I(id),
	    V_I(state), V_I(action), V_I(release_at))) != RC_OK)
		return rc;
	return body_drop(st, was->body, e);
}

/* --- Journal ----------------------------------------------------------- */

static void
journal_read(sqlite3_stmt *s, int col, struct journal *j)
{
	j->id = sqlite3_column_int64(s, col);
	j->state = sqlite3_column_int(s, col + 1);
	j->incoming = sqlite3_column_int64(s, col + 2);
	j->ack_state = (uint8_t)sqlite3_column_int(s, col + 3);
}

enum rc
journal_load(struct store *st, const uint8_t t[STORE_T_BYTES],
    struct journal *j, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(j, 0, sizeof(*j));
	if ((rc = DB_ASK(st, e, &s, "SELECT id, state, incoming, ack_state "
	    "FROM journal WHERE t = ?1", V_B(t, STORE_T_BYTES))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	journal_read(s, 0, j);
	db_stop(s);
	return RC_OK;
}

/* Both at once. */
static enum rc
load(struct store *st, const struct store_msg *m, struct in_now *now,
    struct journal *j, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(now, 0, sizeof(*now));
	memset(j, 0, sizeof(*j));
	if ((rc = DB_ASK(st, e, &s, "SELECT i.state, i.body, i.owner, j.id, "
	    "j.state, j.incoming, j.ack_state FROM incoming i "
	    "LEFT JOIN journal j ON j.t = ?2 WHERE i.id = ?1", V_I(m->id),
	    V_B(m->t, STORE_T_BYTES))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	now_read(st, s, now);
	journal_read(s, 3, j);
	db_stop(s);
	return RC_OK;
}

enum rc
journal_put(struct store *st, struct journal *j, const struct store_msg *m,
    enum store_t_state state, struct err *e)
{
	const struct db_val in = { state == STORE_T_INTENT ? 'i' : 'n', m->id,
	    NULL, 0 };
	int64_t peer;
	enum rc rc;

	if ((rc = peer_id(st, m->sender, &peer, e)) != RC_OK)
		return rc;
	if (j->id != 0)
		return DB_DO(st, e, "UPDATE journal SET state = ?2, "
		    "incoming = ?3, peer = ?4, year = ?5, forget_at = ?6 "
		    "WHERE id = ?1", V_I(j->id), V_I(state), in, V_I(peer),
		    V_I(m->year), V_I(m->forget_at));
	if ((rc = DB_DO(st, e, "INSERT INTO journal (t, state, incoming, "
	    "peer, year, forget_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	    V_B(m->t, STORE_T_BYTES), V_I(state), in, V_I(peer),
	    V_I(m->year), V_I(m->forget_at))) != RC_OK)
		return rc;
	j->id = sqlite3_last_insert_rowid(st->db);
	return RC_OK;
}

enum rc
journal_ack(struct store *st, const struct journal *j, uint8_t state,
    int64_t at, const uint8_t d[STORE_D_BYTES], struct err *e)
{
	return DB_DO(st, e, "UPDATE journal SET ack_state = ?2, ack_at = ?3, "
	    "d = ?4 WHERE id = ?1", V_I(j->id), V_I(state), V_I(at),
	    V_B(d, STORE_D_BYTES));
}

/* Does a message in state INTENT hold this T? */
static enum rc
intent_alive(struct store *st, int64_t incoming, const uint8_t *t,
    int64_t *alive, struct err *e)
{
	return DB_INT(st, e, alive, "SELECT EXISTS (SELECT 1 FROM incoming "
	    "WHERE id = ?1 AND state = 2 AND t = ?2)", V_I(incoming),
	    V_B(t, STORE_T_BYTES));
}

/* STORE_OK, AGAIN, DUPLICATE or BUSY, by T alone. */
static enum rc
judge_t(struct store *st, struct store_msg *m, const struct journal *j,
    struct err *e)
{
	int64_t alive = 0;
	enum rc rc = RC_OK;

	m->result = STORE_OK;
	if (j->state == STORE_T_DONE)
		m->result = STORE_DUPLICATE;
	else if (j->state == STORE_T_INTENT && j->incoming == m->id)
		m->result = STORE_AGAIN;
	else if (j->state == STORE_T_INTENT &&
	    (rc = intent_alive(st, j->incoming, m->t, &alive, e)) == RC_OK &&
	    alive)
		m->result = STORE_BUSY;
	return rc;
}

/* STORE_COPY or BUSY when another T brought or brings the same original. */
static enum rc
judge_original(struct store *st, struct store_msg *m, struct err *e)
{
	sqlite3_stmt *s;
	uint8_t t[STORE_T_BYTES];
	int64_t incoming, alive;
	int state;
	bool got;
	enum rc rc;

	if (m->original == NULL)
		return RC_OK;
	if ((rc = DB_ASK(st, e, &s, "SELECT j.state, j.incoming, j.t "
	    "FROM original o JOIN journal j ON j.id = o.journal "
	    "WHERE o.t = ?1 AND o.peer = (SELECT id FROM peer "
	    "WHERE identity = ?2) AND j.t <> ?3",
	    V_B(m->original_t, STORE_T_BYTES), V_S(m->original),
	    V_B(m->t, STORE_T_BYTES))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	state = sqlite3_column_int(s, 0);
	incoming = sqlite3_column_int64(s, 1);
	(void)db_blob(s, 2, t, sizeof(t));
	db_stop(s);
	if (state == STORE_T_DONE)
		m->result = STORE_COPY;
	if (state != STORE_T_INTENT)
		return RC_OK;
	rc = intent_alive(st, incoming, t, &alive, e);
	if (rc == RC_OK && alive)
		m->result = STORE_BUSY;
	return rc;
}

static enum rc
original_put(struct store *st, const struct store_msg *m,
    const struct journal *j, struct err *e)
{
	int64_t peer;
	enum rc rc;

	if (m->original == NULL)
		return RC_OK;
	if ((rc = peer_id(st, m->original, &peer, e)) != RC_OK)
		return rc;
	return DB_DO(st, e, "INSERT OR REPLACE INTO original "
	    "(t, peer, journal, forget_at) VALUES (?1, ?2, ?3, ?4)",
	    V_B(m->original_t, STORE_T_BYTES), V_I(peer), V_I(j->id),
	    V_I(m->forget_at));
}

/* --- Intent ------------------------------------------------------------ */

static enum rc
intent_one(struct store *st, struct store_msg *m, const char *names,
    struct err *e)
{
	struct in_now now;
	struct journal j;
	enum rc rc;

	BUG_ON(strlen(names) > STORE_NAMES_MAX_BYTES);
	m->result = STORE_NOT;
	if ((rc = load(st, m, &now, &j, e)) != RC_OK || !in_open(&now) ||
	    (rc = judge_t(st, m, &j, e)) != RC_OK)
		return rc;
	if (m->result == STORE_OK &&
	    (rc = judge_original(st, m, e)) != RC_OK)
		return rc;
	if (m->result != STORE_OK && m->result != STORE_AGAIN)
		return RC_OK;
	if ((rc = journal_put(st, &j, m, STORE_T_INTENT, e)) != RC_OK ||
	    (rc = original_put(st, m, &j, e)) != RC_OK ||
	    (m->filing != NULL && (rc = inbox_intent(st, m->id, m->t,
	    m->filing, e)) != RC_OK))
		return rc;
	return DB_DO(st, e, "UPDATE incoming SET state = 2, owner = ?2, "
	    "t = ?3, names = ?4, sender = ?5 WHERE id = ?1", V_I(m->id),
	    V_I(st->slot), V_B(m->t, STORE_T_BYTES), V_S(names),
	    V_S(m->sender));
}

enum rc
store_in_intent(struct store *st, struct store_msg *m,
    const char *const *names, size_t n, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = intent_one(st, &m[i], names[i], e);
	return TX_END(st, rc, "in.intent", e);
}

/* --- Delivered --------------------------------------------------------- */

static enum rc
witness_put(struct store *st, const struct store_done *m, struct err *e)
{
	const struct store_proof *w = &m->witness;

	return w->proof == NULL ? RC_OK : DB_DO(st, e, "INSERT OR IGNORE "
	    "INTO witness (t, author, recipient, year, at, d, proof, kept_at) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    V_B(m->msg.t, STORE_T_BYTES), V_S(w->author), V_S(w->recipient),
	    V_I(w->year), V_I(w->at), V_B(m->d, STORE_D_BYTES),
	    V_B(w->proof, STORE_PROOF_BYTES), V_I(m->ack_at));
}

/* Done, and said so: in one when its intent is there. */
static enum rc
journal_done(struct store *st, struct journal *j, const struct store_done *m,
    struct err *e)
{
	int64_t peer;
	enum rc rc;

	if (j->id == 0 || m->ack_state == STORE_ACK_NONE) {
		rc = journal_put(st, j, &m->msg, STORE_T_DONE, e);
		return rc != RC_OK || m->ack_state == STORE_ACK_NONE ? rc :
		    journal_ack(st, j, m->ack_state, m->ack_at, m->d, e);
	}
	if ((rc = peer_id(st, m->msg.sender, &peer, e)) != RC_OK)
		return rc;
	return DB_DO(st, e, "UPDATE journal SET state = 2, incoming = NULL, "
	    "peer = ?2, year = ?3, forget_at = ?4, ack_state = ?5, "
	    "ack_at = ?6, d = ?7 WHERE id = ?1", V_I(j->id), V_I(peer),
	    V_I(m->msg.year), V_I(m->msg.forget_at), V_I(m->ack_state),
	    V_I(m->ack_at), V_B(m->d, STORE_D_BYTES));
}

static enum rc
done_journal(struct store *st, struct store_done *m, struct journal *j,
    bool copy, struct err *e)
{
	const struct ack_put ack = { m->msg.sender, m->msg.t, "",
	    m->ack_state, m->ack_at, m->d, m->ack_due_at };
	enum rc rc;

	if ((rc = journal_done(st, j, m, e)) != RC_OK)
		return rc;
	if (!copy && (rc = original_put(st, &m->msg, j, e)) != RC_OK)
		return rc;
	if (m->ack_state == STORE_ACK_NONE ||
	    (rc = witness_put(st, m, e)) != RC_OK)
		return rc;
	return ack_put(st, &ack, e);
}

static enum rc
done_records(struct store *st, struct store_done *m, int64_t now,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < m->nrows; i++)
		rc = row_put(st, &m->rows[i], e);
	for (size_t i = 0; rc == RC_OK && i < m->nacks; i++)
		rc = ack_apply(st, &m->acks[i], now, m->ack_due_at, e);
	if (rc == RC_OK)
		rc = bulletin_note(st, m, now, e);
	if (rc != RC_OK || !m->watch)
		return rc;
	return DB_DO(st, e, "INSERT INTO watch (t, names, at) SELECT t, names, "
	    "?2 FROM incoming WHERE id = ?1 AND names IS NOT NULL",
	    V_I(m->msg.id), V_I(now));
}

enum rc
done_one(struct store *st, struct store_done *m, int64_t now, struct err *e)
{
	struct in_now was;
	struct journal j;
	bool copy;
	enum rc rc;

	m->msg.result = STORE_NOT;
	if ((rc = load(st, &m->msg, &was, &j, e)) != RC_OK ||
	    !in_open(&was) || (rc = judge_t(st, &m->msg, &j, e)) != RC_OK)
		return rc;
	if (m->msg.result == STORE_OK &&
	    (rc = judge_original(st, &m->msg, e)) != RC_OK)
		return rc;
	copy = m->msg.result == STORE_COPY;
	if (m->msg.result == STORE_DUPLICATE || m->msg.result == STORE_BUSY)
		return RC_OK;
	m->msg.result = STORE_OK;
	if ((rc = done_journal(st, m, &j, copy, e)) != RC_OK ||
	    (rc = heard_of(st, m->msg.sender, now, e)) != RC_OK ||
	    (m->msg.original != NULL &&
	    (rc = heard_of(st, m->msg.original, now, e)) != RC_OK) ||
	    (rc = done_records(st, m, now, e)) != RC_OK)
		return rc;
	/* The intent has noted it. */
	if (was.state != STORE_INTENT && (rc = DB_DO(st, e, "UPDATE incoming "
	    "SET t = ?2, sender = ?3 WHERE id = ?1", V_I(m->msg.id),
	    V_B(m->msg.t, STORE_T_BYTES), V_S(m->msg.sender))) != RC_OK)
		return rc;
	if (m->filed && (rc = inbox_filed(st, m->msg.t, now, e)) != RC_OK)
		return rc;
	if (m->event != NULL && (rc = event_put(st, now, m->event,
	    m->event_text, e)) != RC_OK)
		return rc;
	if (m->keep_until != 0 && (rc = kept_put(st, m->msg.t, &was.body, now,
	    m->keep_until, e)) != RC_OK)
		return rc;
	return in_finish(st, m->msg.id, &was, STORE_DELIVERED, m->action,
	    m->release_at, e);
}

enum rc
store_in_delivered(struct store *st, struct store_done *m, size_t n,
    int64_t now, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = done_one(st, &m[i], now, e);
	return TX_END(st, rc, "in.delivered", e);
}

/* --- Duplicate --------------------------------------------------------- */

/* 0x11 is said once per T (PROTOCOL 2.19.32). */
static enum rc
ack_repeat(struct store *st, const struct store_done *m, struct err *e)
{
	struct store_t t;
	const struct ack_put ack = { t.sender, m->msg.t, "", 0, 0, t.d,
	    m->ack_due_at };
	struct ack_put a = ack;
	enum rc rc;

	if ((rc = store_t_find(st, m->msg.t, &t, e)) != RC_OK ||
	    t.ack_state == STORE_ACK_NONE ||
	    t.ack_state == STORE_ACK_DAMAGED)
		return rc;
	a.state = t.ack_state;
	a.at = t.ack_at;
	return ack_put(st, &a, e);
}

static enum rc
duplicate_one(struct store *st, struct store_done *m, int64_t at,
    struct err *e)
{
	struct in_now now;
	struct journal j;
	enum rc rc;

	m->msg.result = STORE_NOT;
	if ((rc = load(st, &m->msg, &now, &j, e)) != RC_OK || !in_open(&now))
		return rc;
	if (j.state == STORE_T_NONE || j.state == STORE_T_INTENT)
		return RC_OK;
	m->msg.result = STORE_OK;
	if ((rc = ack_repeat(st, m, e)) != RC_OK ||
	    (rc = relayed_repeat(st, m->msg.t, m->ack_due_at, at,
	    e)) != RC_OK)
		return rc;
	return in_finish(st, m->msg.id, &now, STORE_DELIVERED, m->action,
	    m->release_at, e);
}

enum rc
store_in_duplicate(struct store *st, struct store_done *m, size_t n,
    int64_t now, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = duplicate_one(st, &m[i], now, e);
	return TX_END(st, rc, "in.duplicate", e);
}
