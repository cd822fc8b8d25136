/* What people ask of the queue, and the little that they may order. */
#include "config.h"

#include "store/db.h"

static enum rc
out_one(struct store *st, sqlite3_stmt *s, struct store_out *out,
    struct err *e)
{
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	return out_read_all(st, s, out, &n, e);
}

enum rc
store_out_find(struct store *st, const uint8_t t[STORE_T_BYTES],
    struct store_out *out, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	if ((rc = DB_ASK(st, e, &s, "SELECT " OUT_COLS " FROM queue "
	    "WHERE t = ?1", V_B(t, STORE_T_BYTES))) != RC_OK)
		return rc;
	return out_one(st, s, out, e);
}

enum rc
store_out_get(struct store *st, int64_t id, struct store_out *out,
    struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	if ((rc = DB_ASK(st, e, &s, "SELECT " OUT_COLS " FROM queue "
	    "WHERE id = ?1", V_I(id))) != RC_OK)
		return rc;
	return out_one(st, s, out, e);
}

enum rc
store_out_routed(struct store *st, int64_t id,
    struct store_routed out[STORE_ROUTES_MAX], size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	struct store_routed *r;
	bool got;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT name, ack_state, ack_at "
	    "FROM queue_route WHERE queue = ?1 ORDER BY name LIMIT ?2",
	    V_I(id), V_I(STORE_ROUTES_MAX))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		r = &out[(*n)++];
		db_text(s, 0, r->name, sizeof(r->name));
		r->ack_state = (uint8_t)sqlite3_column_int(s, 1);
		r->ack_at = sqlite3_column_int64(s, 2);
	}
	return rc;
}

/* --- Lists ------------------------------------------------------------- */

/* One literal each, so that the partial index of that question serves it. */
#define ASK(condition) "SELECT " OUT_COLS " FROM queue WHERE " condition \
	" AND id > ?1 AND (?2 IS NULL OR id IN (SELECT id FROM queue " \
	"WHERE name = ?2 UNION SELECT queue FROM queue_route " \
	"WHERE name = ?2)) AND queued_at >= ?3 AND (?4 = 0 OR " \
	"queued_at < ?4) AND (?5 = 0 OR kind = 1) ORDER BY id LIMIT ?6"

static const char *const ask_sql[] = {
	[STORE_ASK_ALL] = ASK("1"),
	[STORE_ASK_WAITING] = ASK("state <= 3"),
	[STORE_ASK_UNDELIVERED] = ASK("kind = 1 AND done = 0 AND state = 4"),
	[STORE_ASK_RECEIVED] = ASK("ack_state = 2"),
	[STORE_ASK_OPENED] = ASK("ack_state = 3"),
	[STORE_ASK_TROUBLE] = ASK("(state = 5 OR ack_state >= 16 "
	    "OR bounced = 1)")
};

enum rc
store_out_list(struct store *st, const struct store_filter *f, int64_t after,
    struct store_out *out, size_t max, size_t *n, struct err *e)
{
	char name[STORE_IDENTITY_BYTES];
	struct db_val peer = V_NULL;
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	BUG_ON(f->ask < STORE_ASK_ALL || f->ask > STORE_ASK_TROUBLE);
	if (f->peer != NULL) {
		peer_name(f->peer, name);
		peer = (struct db_val)V_S(name);
	}
	if ((rc = DB_ASK(st, e, &s, ask_sql[f->ask], V_I(after), peer,
	    V_I(f->since), V_I(f->before), V_I(f->mail_only), V_I(max))) !=
	    RC_OK)
		return rc;
	return out_read_all(st, s, out, n, e);
}

enum rc
store_out_late(struct store *st, int64_t late_before, int64_t after,
    struct store_out *out, size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT " OUT_COLS " FROM queue "
	    "WHERE kind = 1 AND done = 0 AND queued_at < ?1 AND id > ?2 "
	    "ORDER BY id LIMIT ?3", V_I(late_before), V_I(after),
	    V_I(max))) != RC_OK)
		return rc;
	return out_read_all(st, s, out, n, e);
}

/* --- Counts ------------------------------------------------------------ */

#define TROUBLE "(state = 5 OR ack_state >= 16 OR bounced = 1)"

enum rc
store_counts(struct store *st, int64_t late_before, struct store_counts *out,
    struct err *e)
{
	sqlite3_stmt *s;
	uint64_t *const to[] = { &out->to_open, &out->held, &out->passed,
	    &out->to_release, &out->queued, &out->claimed, &out->failed,
	    &out->undelivered, &out->late, &out->refused, &out->damaged,
	    &out->bounced, &out->acks_waiting };
	bool got;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = DB_ASK(st, e, &s, "SELECT "
	    "(SELECT count(*) FROM incoming WHERE state <= 2), "
	    "(SELECT count(*) FROM incoming WHERE state = 4), "
	    "(SELECT count(*) FROM incoming WHERE class <> 0 "
	    "AND held_at > -1 AND state = 5), "
	    "(SELECT count(*) FROM incoming WHERE action <> 0 AND gone = 0 "
	    "AND state >= 3), "
	    "(SELECT count(*) FROM queue WHERE state = 2), "
	    "(SELECT count(*) FROM queue WHERE state = 3), "
	    "(SELECT count(*) FROM queue WHERE state = 5), "
	    "(SELECT count(*) FROM queue WHERE kind = 1 AND done = 0 "
	    "AND state = 4), "
	    "(SELECT count(*) FROM queue WHERE kind = 1 AND done = 0 "
	    "AND queued_at < ?1), "
	    "(SELECT count(*) FROM queue WHERE " TROUBLE
	    " AND ack_state = 16), "
	    "(SELECT count(*) FROM queue WHERE " TROUBLE
	    " AND ack_state = 17), "
	    "(SELECT count(*) FROM queue WHERE " TROUBLE " AND bounced = 1), "
	    "(SELECT count(*) FROM ack), "
	    "(SELECT min(queued_at) FROM queue WHERE state <= 3)",
	    V_I(late_before))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		*to[i] = (uint64_t)sqlite3_column_int64(s, (int)i);
	out->oldest_queued_at = sqlite3_column_int64(s, 13);
	db_stop(s);
	return RC_OK;
}

/* --- Orders ------------------------------------------------------------ */

enum rc
store_out_retry(struct store *st, int64_t id, const char *to_route,
    int64_t now, enum store_result *result, struct err *e)
{
	enum rc rc;

	*result = STORE_NOT;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, OUT_RETRY ", to_route = ifnull(?3, to_route) "
	    "WHERE id = ?1 AND state <> 3 AND body IS NOT NULL", V_I(id),
	    V_I(now), V_S(to_route));
	if (rc == RC_OK && db_changed(st) == 1)
		*result = STORE_OK;
	return TX_END(st, rc, "out.retry", e);
}

static enum rc
out_drop(struct store *st, int64_t id, enum store_result *result,
    struct err *e)
{
	int64_t found, body;
	enum rc rc;

	if ((rc = DB_INT(st, e, &found, "SELECT id FROM queue WHERE id = ?1 "
	    "AND state <> 3", V_I(id))) != RC_OK || found == 0)
		return rc;
	*result = STORE_OK;
	if ((rc = DB_INT(st, e, &body, "SELECT body FROM queue WHERE id = ?1",
	    V_I(id))) != RC_OK ||
	    (rc = DB_DO(st, e, "DELETE FROM queue WHERE id = ?1",
	    V_I(id))) != RC_OK)
		return rc;
	return body_drop(st, body, e);
}

enum rc
store_out_drop(struct store *st, int64_t id, enum store_result *result,
    struct err *e)
{
	enum rc rc;

	*result = STORE_NOT;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = out_drop(st, id, result, e);
	return TX_END(st, rc, "out.drop", e);
}

enum rc
store_unused(struct store *st, bool *unused, struct err *e)
{
	int64_t used;
	enum rc rc = DB_INT(st, e, &used, "SELECT EXISTS (SELECT 1 FROM row) "
	    "OR EXISTS (SELECT 1 FROM queue) OR EXISTS (SELECT 1 FROM journal) "
	    "OR EXISTS (SELECT 1 FROM register) OR EXISTS (SELECT 1 FROM "
	    "incoming WHERE held_at IS NOT NULL)");

	*unused = rc == RC_OK && used == 0;
	return rc;
}
