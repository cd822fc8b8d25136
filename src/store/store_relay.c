/* Routes that are suspended, notices that are due, mail that came back. */
#include "config.h"

#include "store/db.h"

enum rc
store_relay_get(struct store *st, const char *relay, struct store_relay *out,
    struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	(void)snprintf(out->name, sizeof(out->name), "%s", relay);
	if ((rc = DB_ASK(st, e, &s, "SELECT since, until, tries, text "
	    "FROM relay WHERE name = ?1", V_T(relay))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	out->since = sqlite3_column_int64(s, 0);
	out->until = sqlite3_column_int64(s, 1);
	out->tries = (uint32_t)sqlite3_column_int64(s, 2);
	db_text(s, 3, out->text, sizeof(out->text));
	db_stop(s);
	return RC_OK;
}

enum rc
store_relay_suspend(struct store *st, const char *relay, int64_t now,
    uint32_t jitter, const char *text, int64_t *until, struct err *e)
{
	struct store_relay r;
	enum rc rc;

	*until = 0;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	if ((rc = store_relay_get(st, relay, &r, e)) == RC_OK) {
		/* Several sessions of one failure count once. */
		if (r.until <= now)
			r.until = now + store_backoff(++r.tries, jitter);
		if (r.since == 0)
			r.since = now;
		rc = DB_DO(st, e, "INSERT OR REPLACE INTO relay "
		    "(name, since, until, tries, text) "
		    "VALUES (?1, ?2, ?3, ?4, ?5)", V_T(relay), V_I(r.since),
		    V_I(r.until), V_I(r.tries), V_S(text));
	}
	if ((rc = TX_END(st, rc, "relay.suspend", e)) == RC_OK)
		*until = r.until;
	return rc;
}

enum rc
store_relay_ok(struct store *st, const char *relay, struct err *e)
{
	struct store_relay r;
	enum rc rc;

	if ((rc = store_relay_get(st, relay, &r, e)) != RC_OK || r.since == 0)
		return rc;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "DELETE FROM relay WHERE name = ?1", V_T(relay));
	return TX_END(st, rc, "relay.ok", e);
}

/* --- Notices ----------------------------------------------------------- */

enum rc
store_notice_next(struct store *st, int64_t after, struct store_out *out,
    size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT " OUT_COLS " FROM queue "
	    "WHERE notice = 1 AND id > ?1 ORDER BY id LIMIT ?2", V_I(after),
	    V_I(max))) != RC_OK)
		return rc;
	return out_read_all(st, s, out, n, e);
}

enum rc
store_notice_done(struct store *st, const int64_t *ids, size_t n,
    struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = DB_DO(st, e, "UPDATE queue SET notice = 2 "
		    "WHERE id = ?1 AND notice = 1", V_I(ids[i]));
	return TX_END(st, rc, "notice", e);
}

/* --- Came back --------------------------------------------------------- */

static enum rc
bounced(struct store *st, const uint8_t t[STORE_T_BYTES], int64_t in,
    uint8_t action, int64_t now, bool *known, struct err *e)
{
	struct in_now was;
	enum rc rc;

	if ((rc = DB_DO(st, e, "UPDATE queue SET bounced = 1 WHERE t = ?1",
	    V_B(t, STORE_T_BYTES))) != RC_OK)
		return rc;
	*known = db_changed(st) != 0;
	if (!*known || in == 0)
		return RC_OK;
	if ((rc = in_load(st, in, &was, e)) != RC_OK)
		return rc;
	if (!was.ours || was.state == 0 || was.state > STORE_INTENT)
		return RC_OK;
	return in_finish(st, in, &was, STORE_PASSED, action, now, e);
}

enum rc
store_out_bounced(struct store *st, const uint8_t t[STORE_T_BYTES],
    int64_t in, uint8_t action, int64_t now, bool *known, struct err *e)
{
	enum rc rc;

	*known = false;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = bounced(st, t, in, action, now, known, e);
	return TX_END(st, rc, "out.bounced", e);
}
