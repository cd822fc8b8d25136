/* Acknowledgements to send. */
#include "config.h"

#include "store/db.h"

/* Forward is up (store_ack.h). */
int
ack_rank(uint8_t state)
{
	switch (state) {
	case STORE_ACK_RELAYED:
		return 1;
	case STORE_ACK_DAMAGED:
		return 2;
	case STORE_ACK_REFUSED:
		return 3;
	case STORE_ACK_RECEIVED:
		return 4;
	case STORE_ACK_OPENED:
		return 5;
	default:
		return 0;
	}
}

/* Unless one is there. */
static enum rc
put_new(struct store *st, const struct ack_put *a, int64_t due_at,
    struct err *e)
{
	char name[STORE_IDENTITY_BYTES];

	peer_name(a->peer, name);
	return DB_DO(st, e, "INSERT INTO ack (peer, t, routed, state, at, d, "
	    "due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
	    "ON CONFLICT (t, routed) DO NOTHING", V_S(name),
	    V_B(a->t, STORE_T_BYTES), V_S(a->routed), V_I(a->state),
	    V_I(a->at), V_B(a->d, STORE_D_BYTES), V_I(due_at));
}

enum rc
ack_put(struct store *st, const struct ack_put *a, struct err *e)
{
	sqlite3_stmt *s;
	int64_t id = 0, due_at = a->due_at;
	uint8_t state = 0;
	bool got;
	enum rc rc;

	if ((rc = put_new(st, a, due_at, e)) != RC_OK || db_changed(st) != 0)
		return rc;
	if ((rc = DB_ASK(st, e, &s, "SELECT id, state, due_at FROM ack "
	    "WHERE t = ?1 AND routed = ?2", V_B(a->t, STORE_T_BYTES),
	    V_S(a->routed))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK)
		return rc;
	if (!got)
		return RC_OK;
	id = sqlite3_column_int64(s, 0);
	state = (uint8_t)sqlite3_column_int(s, 1);
	if (sqlite3_column_int64(s, 2) < due_at)
		due_at = sqlite3_column_int64(s, 2);
	db_stop(s);
	if (ack_rank(a->state) <= ack_rank(state))
		return RC_OK;
	/* A new id: who sealed the old one does not clear the new. */
	rc = DB_DO(st, e, "DELETE FROM ack WHERE id = ?1", V_I(id));
	return rc == RC_OK ? put_new(st, a, due_at, e) : rc;
}

enum rc
ack_clear(struct store *st, const struct store_ack *acks, size_t n,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = DB_DO(st, e, "DELETE FROM ack WHERE id = ?1",
		    V_I(acks[i].id));
	return rc;
}

static enum rc
names_read(struct store *st, sqlite3_stmt *s,
    char (*names)[STORE_IDENTITY_BYTES], size_t *n, struct err *e)
{
	bool got;
	enum rc rc;

	while ((rc = db_next(st, s, &got, e)) == RC_OK && got)
		db_text(s, 0, names[(*n)++], STORE_IDENTITY_BYTES);
	return rc;
}

enum rc
store_ack_peers(struct store *st, int64_t now, const char *after,
    char (*names)[STORE_IDENTITY_BYTES], size_t max, size_t *n,
    struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT DISTINCT peer FROM ack "
	    "WHERE peer > ?1 AND due_at <= ?2 ORDER BY peer LIMIT ?3",
	    V_S(after), V_I(now), V_I(max))) != RC_OK)
		return rc;
	return names_read(st, s, names, n, e);
}

enum rc
store_ack_many(struct store *st, int64_t now, size_t least,
    char (*names)[STORE_IDENTITY_BYTES], size_t max, size_t *n,
    struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT peer FROM ack WHERE due_at <= ?1 "
	    "GROUP BY peer HAVING count(*) >= ?2 LIMIT ?3", V_I(now),
	    V_I(least), V_I(max))) != RC_OK)
		return rc;
	return names_read(st, s, names, n, e);
}

enum rc
store_ack_list(struct store *st, const char *peer, struct store_ack *out,
    size_t max, size_t *n, struct err *e)
{
	char name[STORE_IDENTITY_BYTES];
	sqlite3_stmt *s;
	struct store_ack *a;
	bool got;
	enum rc rc;

	*n = 0;
	peer_name(peer, name);
	if ((rc = DB_ASK(st, e, &s, "SELECT id, t, state, at, d, routed "
	    "FROM ack WHERE peer = ?1 ORDER BY id LIMIT ?2", V_S(name),
	    V_I(max))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		a = &out[(*n)++];
		a->id = sqlite3_column_int64(s, 0);
		(void)db_blob(s, 1, a->t, sizeof(a->t));
		a->state = (uint8_t)sqlite3_column_int(s, 2);
		a->at = sqlite3_column_int64(s, 3);
		(void)db_blob(s, 4, a->d, sizeof(a->d));
		db_text(s, 5, a->routed, sizeof(a->routed));
	}
	return rc;
}

enum rc
store_ack_defer(struct store *st, const char *peer, int64_t due_at,
    struct err *e)
{
	char name[STORE_IDENTITY_BYTES];
	enum rc rc;

	peer_name(peer, name);
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "UPDATE ack SET due_at = ?2 WHERE peer = ?1 "
	    "AND due_at < ?2", V_S(name), V_I(due_at));
	return TX_END(st, rc, "ack.defer", e);
}

enum rc
store_ack_drop(struct store *st, const char *peer, struct err *e)
{
	char name[STORE_IDENTITY_BYTES];
	enum rc rc;

	peer_name(peer, name);
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "DELETE FROM ack WHERE peer = ?1", V_S(name));
	return TX_END(st, rc, "ack.drop", e);
}

/* --- Taken by the practice's software ---------------------------------- */

enum rc
store_watch_next(struct store *st, int64_t *id, struct buf *names,
    struct err *e)
{
	int64_t after = *id;
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*id = 0;
	buf_wipe(names);
	if ((rc = DB_ASK(st, e, &s, "SELECT id, names FROM watch "
	    "WHERE id > ?1 ORDER BY id LIMIT 1", V_I(after))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	*id = sqlite3_column_int64(s, 0);
	if (!db_buf(s, 1, names))
		rc = err_set(e, RC_NOMEM, _("store: out of memory"));
	db_stop(s);
	return rc;
}

static enum rc
watch_opened(struct store *st, int64_t id, int64_t now, int64_t due_at,
    struct err *e)
{
	struct journal j;
	struct store_t t;
	uint8_t key[STORE_T_BYTES];
	const struct ack_put ack = { t.sender, key, "", STORE_ACK_OPENED, now,
	    t.d, due_at };
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	if ((rc = DB_ASK(st, e, &s, "SELECT t FROM watch WHERE id = ?1",
	    V_I(id))) != RC_OK || (rc = db_next(st, s, &got, e)) != RC_OK ||
	    !got)
		return rc;
	(void)db_blob(s, 0, key, sizeof(key));
	db_stop(s);
	if ((rc = store_t_find(st, key, &t, e)) != RC_OK ||
	    t.ack_state != STORE_ACK_RECEIVED)
		return rc;
	if ((rc = journal_load(st, key, &j, e)) != RC_OK ||
	    (rc = journal_ack(st, &j, STORE_ACK_OPENED, now, t.d, e)) !=
	    RC_OK)
		return rc;
	return ack_put(st, &ack, e);
}

enum rc
store_watch_taken(struct store *st, const int64_t *ids, size_t n,
    bool opened, int64_t now, int64_t due_at, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (opened)
			rc = watch_opened(st, ids[i], now, due_at, e);
		if (rc == RC_OK)
			rc = DB_DO(st, e, "DELETE FROM watch WHERE id = ?1",
			    V_I(ids[i]));
	}
	return TX_END(st, rc, "watch", e);
}
