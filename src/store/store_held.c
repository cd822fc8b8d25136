#include "config.h"

#include "store/db.h"

#define DAMAGE_S 3600	/* PROTOCOL 2.19.32: once per peer and hour */

/* --- Hold -------------------------------------------------------------- */

static enum rc
damage_may(struct store *st, const char *name, int64_t now, bool *may,
    struct err *e)
{
	int64_t said;
	enum rc rc;

	rc = DB_INT(st, e, &said, "SELECT EXISTS (SELECT 1 FROM damage_said "
	    "WHERE peer = ?1 AND at > ?2 AND at <= ?3)", V_S(name),
	    V_I(now - DAMAGE_S), V_I(now));
	*may = said == 0;
	return rc;
}

static enum rc
hold_say(struct store *st, struct store_hold *h, const struct journal *j,
    int64_t now, struct err *e)
{
	const struct ack_put ack = { h->sender, h->t, "", h->ack_state,
	    h->ack_at, h->d, h->ack_due_at };
	char name[STORE_IDENTITY_BYTES];
	bool may = true;
	enum rc rc = RC_OK;

	if (h->ack_state == STORE_ACK_NONE || j->ack_state == h->ack_state)
		return RC_OK;
	peer_name(h->sender, name);
	if (h->ack_state == STORE_ACK_DAMAGED)
		rc = damage_may(st, name, now, &may, e);
	if (rc != RC_OK || !may)
		return rc;
	if (h->ack_state == STORE_ACK_DAMAGED &&
	    (rc = DB_DO(st, e, "INSERT OR REPLACE INTO damage_said (peer, at) "
	    "VALUES (?1, ?2)", V_S(name), V_I(now))) != RC_OK)
		return rc;
	h->said = true;
	if ((rc = journal_ack(st, j, h->ack_state, h->ack_at, h->d, e)) !=
	    RC_OK)
		return rc;
	return ack_put(st, &ack, e);
}

static enum rc
hold_journal(struct store *st, struct store_hold *h, int64_t now,
    struct err *e)
{
	struct store_msg m = { .id = h->id, .sender = h->sender,
	    .year = h->year, .forget_at = h->forget_at };
	struct journal j;
	enum rc rc;

	/* Its files may lie there, and who opens it again must look. */
	if (h->t_state == STORE_T_NONE)
		return RC_OK;
	/* Another word on this message takes the place of its intent. */
	if ((rc = DB_DO(st, e, "DELETE FROM journal WHERE state = 1 "
	    "AND incoming = ?1 AND t = (SELECT t FROM incoming "
	    "WHERE id = ?1) AND ack_state = 0", V_I(h->id))) != RC_OK ||
	    (rc = DB_DO(st, e, "UPDATE journal SET incoming = NULL, state = "
	    "CASE ack_state WHEN 16 THEN 4 ELSE 3 END WHERE state = 1 "
	    "AND incoming = ?1 AND t = (SELECT t FROM incoming "
	    "WHERE id = ?1)", V_I(h->id))) != RC_OK)
		return rc;
	BUG_ON(h->sender == NULL);
	memcpy(m.t, h->t, STORE_T_BYTES);
	if ((rc = journal_load(st, h->t, &j, e)) != RC_OK)
		return rc;
	if (j.state == STORE_T_DONE ||
	    (j.state == STORE_T_INTENT && j.incoming != h->id))
		return RC_OK;
	if ((rc = journal_put(st, &j, &m, h->t_state, e)) != RC_OK)
		return rc;
	return hold_say(st, h, &j, now, e);
}

/* Held again for the same reason is not news (PROTOCOL 2.14: exit 65). */
static enum rc
hold_fresh(struct store *st, struct store_hold *h, struct err *e)
{
	int64_t known;
	enum rc rc;

	rc = DB_INT(st, e, &known, "SELECT EXISTS (SELECT 1 FROM incoming "
	    "WHERE id = ?1 AND class = ?2 AND held_at IS NOT NULL)",
	    V_I(h->id), V_I(h->class));
	h->fresh = known == 0;
	return rc;
}

static enum rc
hold_one(struct store *st, struct store_hold *h, int64_t now, struct err *e)
{
	const struct db_val t = { h->t_state == STORE_T_NONE ? 'n' : 'b', 0,
	    h->t, STORE_T_BYTES };
	struct in_now was;
	enum rc rc;

	BUG_ON(h->class == EC_NONE || h->t_state == STORE_T_INTENT ||
	    h->t_state == STORE_T_DONE);
	h->result = STORE_NOT;
	h->fresh = h->said = false;
	if ((rc = in_load(st, h->id, &was, e)) != RC_OK || !was.ours ||
	    (was.state != STORE_FETCHED && was.state != STORE_INTENT &&
	    was.state != STORE_HELD))
		return rc;
	h->result = STORE_OK;
	if ((rc = hold_journal(st, h, now, e)) != RC_OK ||
	    (rc = hold_fresh(st, h, e)) != RC_OK)
		return rc;
	return DB_DO(st, e, "UPDATE incoming SET state = 4, owner = NULL, "
	    "names = NULL, class = ?2, "
	    "held_at = CASE WHEN ?3 THEN ?4 ELSE held_at END, t = ?5, "
	    "sender = ?6, action = ?7, release_at = ?8 WHERE id = ?1",
	    V_I(h->id), V_I(h->class), V_I(h->fresh), V_I(now), t,
	    V_S(h->sender), V_I(h->action), V_I(h->release_at));
}

enum rc
store_in_hold(struct store *st, struct store_hold *h, size_t n, int64_t now,
    struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = hold_one(st, &h[i], now, e);
	return TX_END(st, rc, "in.hold", e);
}

/* --- Held -------------------------------------------------------------- */

enum rc
store_held_list(struct store *st, int64_t after, struct store_in *out,
    size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT " IN_COLS " FROM incoming "
	    "WHERE state = 4 AND id > ?1 ORDER BY id LIMIT ?2", V_I(after),
	    V_I(max))) != RC_OK)
		return rc;
	return in_read_all(st, s, out, n, e);
}

enum rc
store_held_fresh(struct store *st, int64_t since, size_t *n, struct err *e)
{
	int64_t count;
	enum rc rc;

	rc = DB_INT(st, e, &count, "SELECT count(*) FROM incoming "
	    "WHERE class <> 0 AND held_at >= ?1 AND state IN (4, 5)",
	    V_I(since));
	*n = (size_t)count;
	return rc;
}

enum rc
store_held_since(struct store *st, size_t *n, int64_t *since, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*n = 0;
	*since = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT count(*), min(held_at) FROM "
	    "incoming WHERE state = 4", V_END)) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	*n = (size_t)sqlite3_column_int64(s, 0);
	*since = sqlite3_column_int64(s, 1);
	db_stop(s);
	return RC_OK;
}

enum rc
store_held_retry(struct store *st, int64_t id, enum err_class class,
    size_t *n, struct err *e)
{
	enum rc rc;

	*n = 0;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	/* class and held_at stay: held again, it is the same old story. */
	rc = id != 0 ?
	    DB_DO(st, e, "UPDATE incoming SET state = 1 WHERE state = 4 "
	    "AND id = ?1", V_I(id)) :
	    DB_DO(st, e, "UPDATE incoming SET state = 1 WHERE state = 4 "
	    "AND class = ?1", V_I(class));
	if (rc == RC_OK)
		*n = db_changed(st);
	if ((rc = TX_END(st, rc, "held.retry", e)) != RC_OK)
		*n = 0;
	return rc;
}

enum rc
store_held_drop(struct store *st, int64_t id, uint8_t action, int64_t now,
    enum store_result *result, struct err *e)
{
	struct in_now was;
	enum rc rc;

	*result = STORE_NOT;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = in_load(st, id, &was, e);
	if (rc == RC_OK && was.state == STORE_HELD) {
		rc = in_finish(st, id, &was, STORE_PASSED, action, now, e);
		*result = STORE_OK;
	}
	if ((rc = TX_END(st, rc, "held.drop", e)) != RC_OK)
		*result = STORE_NOT;
	return rc;
}

/* --- Release ----------------------------------------------------------- */

enum rc
store_release_due(struct store *st, const char *account, int64_t now,
    int64_t after, struct store_in *out, size_t max, size_t *n,
    struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT " IN_COLS " FROM incoming "
	    "WHERE account = ?1 AND action <> 0 AND gone = 0 AND state >= 3 "
	    "AND release_at <= ?2 AND id > ?3 ORDER BY id LIMIT ?4",
	    V_T(account), V_I(now), V_I(after), V_I(max))) != RC_OK)
		return rc;
	return in_read_all(st, s, out, n, e);
}

static enum rc
each_of(struct store *st, const char *sql, const int64_t *ids, size_t n,
    struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = db_do(st, sql, (const struct db_val[]){ V_I(ids[i]),
		    V_END }, e);
	return TX_END(st, rc, "released", e);
}

enum rc
store_released(struct store *st, const int64_t *ids, size_t n, struct err *e)
{
	return each_of(st, "UPDATE incoming SET gone = 1 "
	    "WHERE id = ?1 AND state >= 3", ids, n, e);
}

enum rc
store_marked(struct store *st, const int64_t *ids, size_t n, struct err *e)
{
	return each_of(st, "UPDATE incoming SET action = 0 "
	    "WHERE id = ?1 AND state >= 3", ids, n, e);
}
