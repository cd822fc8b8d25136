#include "config.h"

#include "store/db.h"

void
in_read(sqlite3_stmt *s, struct store_in *out)
{
	memset(out, 0, sizeof(*out));
	out->id = sqlite3_column_int64(s, 0);
	out->state = (enum store_in_state)sqlite3_column_int(s, 1);
	db_text(s, 2, out->account, sizeof(out->account));
	out->uid.len = (uint8_t)sqlite3_column_bytes(s, 3);
	(void)db_blob(s, 3, out->uid.p, out->uid.len);
	out->body = sqlite3_column_int64(s, 4);
	out->size = (uint64_t)sqlite3_column_int64(s, 5);
	out->put_at = sqlite3_column_int64(s, 6);
	out->has_t = db_blob(s, 7, out->t, sizeof(out->t));
	out->class = (enum err_class)sqlite3_column_int(s, 8);
	out->held_at = sqlite3_column_int64(s, 9);
	db_text(s, 10, out->sender, sizeof(out->sender));
	out->action = (uint8_t)sqlite3_column_int(s, 11);
	out->release_at = sqlite3_column_int64(s, 12);
	out->gone = sqlite3_column_int(s, 13) != 0;
	out->filing = (uint32_t)sqlite3_column_int(s, 14);
}

enum rc
in_read_all(struct store *st, sqlite3_stmt *s, struct store_in *out,
    size_t *n, struct err *e)
{
	bool got;
	enum rc rc;

	while ((rc = db_next(st, s, &got, e)) == RC_OK && got)
		in_read(s, &out[(*n)++]);
	return rc;
}

/* --- Fetched ----------------------------------------------------------- */

static enum rc
put_one(struct store *st, const char *account, int64_t now,
    struct store_in_put *m, struct err *e)
{
	int64_t body;
	enum rc rc;

	BUG_ON(m->uid.len == 0);
	if ((rc = DB_INT(st, e, &m->id, "SELECT id FROM incoming "
	    "WHERE account = ?1 AND uid = ?2", V_T(account),
	    V_B(m->uid.p, m->uid.len))) != RC_OK)
		return rc;
	if (m->id != 0 && m->body.id == 0)
		return RC_OK;
	if (m->id != 0) {
		st->reap = true;
		return DB_DO(st, e, "UPDATE body SET owner = 0 "
		    "WHERE id = ?1 AND owner = ?2", V_I(m->body.id),
		    V_I(st->slot));
	}
	if ((rc = body_attach(st, &m->body, &body, e)) != RC_OK ||
	    (rc = DB_DO(st, e, "INSERT INTO incoming (account, uid, state, "
	    "body, put_at, owner) VALUES (?1, ?2, 1, ?3, ?4, ?5)",
	    V_T(account), V_B(m->uid.p, m->uid.len), V_I(body), V_I(now),
	    V_I(st->slot))) != RC_OK)
		return rc;
	m->id = sqlite3_last_insert_rowid(st->db);
	return RC_OK;
}

enum rc
store_in_put(struct store *st, const char *account, int64_t now,
    struct store_in_put *m, size_t n, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) == RC_OK) {
		for (size_t i = 0; rc == RC_OK && i < n; i++)
			rc = put_one(st, account, now, &m[i], e);
		rc = TX_END(st, rc, "in.put", e);
	}
	for (size_t i = 0; rc != RC_OK && i < n; i++) {
		body_disown(st, &m[i].body);
		m[i].id = 0;
	}
	return rc;
}

enum rc
store_in_pass(struct store *st, const char *account, int64_t now,
    const struct store_uid *uids, size_t n, enum err_class class,
    uint8_t action, int64_t release_at, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = DB_DO(st, e, "INSERT INTO incoming (account, uid, state, "
		    "put_at, class, held_at, action, release_at) "
		    "VALUES (?1, ?2, 5, ?3, ?4, ?3, ?5, ?6) "
		    "ON CONFLICT (account, uid) DO NOTHING", V_T(account),
		    V_B(uids[i].p, uids[i].len), V_I(now), V_I(class),
		    V_I(action), V_I(release_at));
	return TX_END(st, rc, "in.pass", e);
}

/* --- To open ----------------------------------------------------------- */

static enum rc
open_claim(struct store *st, int64_t after, size_t max, struct err *e)
{
	int64_t unclaimed;
	enum rc rc;

	if ((rc = DB_INT(st, e, &unclaimed, "SELECT EXISTS (SELECT 1 "
	    "FROM incoming WHERE state <= 2 AND id > ?1 AND owner IS NULL)",
	    V_I(after))) != RC_OK || !unclaimed)
		return rc;
	/* A claim lost with the power is a claim that lapsed. */
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "UPDATE incoming SET owner = ?2 WHERE id IN ("
	    "SELECT id FROM incoming WHERE state <= 2 AND id > ?1 "
	    "AND (owner IS NULL OR owner = ?2) ORDER BY id LIMIT ?3) "
	    "AND owner IS NULL", V_I(after), V_I(st->slot), V_I(max));
	return TX_END(st, rc, "in.claim", e);
}

enum rc
store_in_next(struct store *st, int64_t after, struct store_in *out,
    size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	if (st->mode == STORE_WRITE &&
	    (rc = open_claim(st, after, max, e)) != RC_OK)
		return rc;
	if ((rc = DB_ASK(st, e, &s, "SELECT " IN_COLS " FROM incoming "
	    "WHERE state <= 2 AND id > ?1 AND (owner = ?2 OR ?2 = 0) "
	    "ORDER BY id LIMIT ?3", V_I(after), V_I(st->slot), V_I(max))) !=
	    RC_OK)
		return rc;
	return in_read_all(st, s, out, n, e);
}

enum rc
store_in_waiting(struct store *st, size_t *n, struct err *e)
{
	int64_t count;
	enum rc rc = DB_INT(st, e, &count, "SELECT count(*) FROM incoming "
	    "WHERE state <= 2");

	*n = (size_t)count;
	return rc;
}

enum rc
store_in_get(struct store *st, int64_t id, struct store_in *out,
    struct err *e)
{
	sqlite3_stmt *s;
	size_t n = 0;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = DB_ASK(st, e, &s, "SELECT " IN_COLS " FROM incoming "
	    "WHERE id = ?1", V_I(id))) != RC_OK)
		return rc;
	return in_read_all(st, s, out, &n, e);
}

enum rc
store_in_names(struct store *st, int64_t id, struct buf *out, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	buf_wipe(out);
	if ((rc = DB_ASK(st, e, &s, "SELECT names FROM incoming WHERE id = ?1",
	    V_I(id))) != RC_OK || (rc = db_next(st, s, &got, e)) != RC_OK ||
	    !got)
		return rc;
	if (!db_buf(s, 0, out))
		rc = err_set(e, RC_NOMEM, _("store: out of memory"));
	db_stop(s);
	return rc;
}

/* --- The journal ------------------------------------------------------- */

enum rc
store_t_find(struct store *st, const uint8_t t[STORE_T_BYTES],
    struct store_t *out, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = DB_ASK(st, e, &s, "SELECT j.state, j.incoming, j.ack_state, "
	    "j.ack_at, j.d, p.identity FROM journal j LEFT JOIN peer p "
	    "ON p.id = j.peer WHERE j.t = ?1", V_B(t, STORE_T_BYTES))) !=
	    RC_OK || (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	out->state = (enum store_t_state)sqlite3_column_int(s, 0);
	out->in = sqlite3_column_int64(s, 1);
	out->ack_state = (uint8_t)sqlite3_column_int(s, 2);
	out->ack_at = sqlite3_column_int64(s, 3);
	(void)db_blob(s, 4, out->d, sizeof(out->d));
	db_text(s, 5, out->sender, sizeof(out->sender));
	db_stop(s);
	return RC_OK;
}

enum rc
store_t_relayed(struct store *st, const char *identity,
    const uint8_t original[STORE_T_BYTES], const uint8_t t[STORE_T_BYTES],
    bool *seen, struct err *e)
{
	int64_t n;
	enum rc rc;

	rc = DB_INT(st, e, &n, "SELECT EXISTS (SELECT 1 FROM original o "
	    "JOIN journal j ON j.id = o.journal WHERE o.t = ?1 AND o.peer = "
	    "(SELECT id FROM peer WHERE identity = ?2) AND j.state = 2 "
	    "AND j.t <> ?3)", V_B(original, STORE_T_BYTES), V_S(identity),
	    V_B(t, STORE_T_BYTES));
	*seen = n != 0;
	return rc;
}
