/* The passes there were; what the alarms look at, beside the queue. */
#include "config.h"

#include "store/db.h"

enum rc
store_pass_begin(struct store *st, struct store_pass *p, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	if ((rc = DB_DO(st, e, "INSERT INTO pass (began_at, seen_at) "
	    "VALUES (?1, ?1)", V_I(p->began_at))) == RC_OK)
		rc = DB_INT(st, e, &p->id, "SELECT last_insert_rowid()");
	if (rc == RC_OK)
		rc = DB_DO(st, e, "DELETE FROM pass WHERE id <= ?1",
		    V_I(p->id - STORE_PASSES));
	return TX_END(st, rc, "pass", e);
}

enum rc
store_pass_seen(struct store *st, const struct store_pass *p, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "UPDATE pass SET seen_at = ?2, ended_at = ?3, "
	    "code = ?4, text = ?5 WHERE id = ?1", V_I(p->id),
	    V_I(p->seen_at), V_I(p->ended_at), V_I(p->code), V_S(p->text));
	return TX_END(st, rc, "pass", e);
}

enum rc
store_pass_list(struct store *st, int64_t since, struct store_pass *out,
    size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	struct store_pass *p;
	bool got;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT id, began_at, seen_at, ended_at, "
	    "code, text FROM pass WHERE seen_at >= ?1 ORDER BY id DESC "
	    "LIMIT ?2", V_I(since), V_I(max))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		p = &out[(*n)++];
		p->id = sqlite3_column_int64(s, 0);
		p->began_at = sqlite3_column_int64(s, 1);
		p->seen_at = sqlite3_column_int64(s, 2);
		p->ended_at = sqlite3_column_int64(s, 3);
		p->code = sqlite3_column_int(s, 4);
		db_text(s, 5, p->text, sizeof(p->text));
	}
	return rc;
}

/* --- Accounts that fail ------------------------------------------------ */

enum rc
store_down(struct store *st, const char *account, int64_t *since,
    char text[STORE_TEXT_BYTES], struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*since = 0;
	text[0] = '\0';
	if ((rc = DB_ASK(st, e, &s, "SELECT since, text FROM down "
	    "WHERE name = ?1", V_T(account))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	*since = sqlite3_column_int64(s, 0);
	db_text(s, 1, text, STORE_TEXT_BYTES);
	db_stop(s);
	return RC_OK;
}

enum rc
store_down_set(struct store *st, const char *account, int64_t now,
    const char *text, bool *known, struct err *e)
{
	int64_t said;
	enum rc rc;

	*known = false;
	if ((rc = DB_INT(st, e, &said, "SELECT said_at FROM down "
	    "WHERE name = ?1 AND text = ?2", V_T(account), V_S(text))) !=
	    RC_OK)
		return rc;
	*known = said != 0 && now >= said && now < said + STORE_SAID_S;
	if (*known)
		return RC_OK;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "INSERT INTO down (name, since, said_at, text) "
	    "VALUES (?1, ?2, ?2, ?3) ON CONFLICT (name) DO UPDATE "
	    "SET said_at = ?2, text = ?3", V_T(account), V_I(now),
	    V_S(text));
	return TX_END(st, rc, "down", e);
}

enum rc
store_down_up(struct store *st, const char *account, struct err *e)
{
	char text[STORE_TEXT_BYTES];
	int64_t since;
	enum rc rc;

	if ((rc = store_down(st, account, &since, text, e)) != RC_OK ||
	    since == 0)
		return rc;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "DELETE FROM down WHERE name = ?1", V_T(account));
	return TX_END(st, rc, "down", e);
}

/* --- Our own keys, the clock ------------------------------------------- */

enum rc
store_keys(struct store *st, struct store_key out[STORE_KEYS_MAX], size_t *n,
    int64_t *looked_at, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*n = 0;
	*looked_at = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT name, until, looked_at, "
	    "barred FROM own_key LIMIT ?1", V_I(STORE_KEYS_MAX))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		db_text(s, 0, out[*n].name, sizeof(out[*n].name));
		out[*n].barred = sqlite3_column_int(s, 3) != 0;
		out[(*n)++].until = sqlite3_column_int64(s, 1);
		*looked_at = sqlite3_column_int64(s, 2);
	}
	if (rc != RC_OK || *n > 0)
		return rc;
	return DB_INT(st, e, looked_at, "SELECT began_at FROM pass "
	    "ORDER BY id LIMIT 1");
}

enum rc
store_keys_known(struct store *st, bool *known, struct err *e)
{
	int64_t n;
	enum rc rc = DB_INT(st, e, &n, "SELECT EXISTS (SELECT 1 FROM own_key)");

	*known = rc == RC_OK && n != 0;
	return rc;
}

enum rc
store_keys_put(struct store *st, int64_t now, const struct store_key *k,
    size_t n, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "DELETE FROM own_key");
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = DB_DO(st, e, "INSERT INTO own_key (name, until, "
		    "looked_at, barred) VALUES (?1, ?2, ?3, ?4) "
		    "ON CONFLICT (name) DO UPDATE SET until = max(until, ?2)",
		    V_S(k[i].name), V_I(k[i].until), V_I(now),
		    V_I(k[i].barred));
	return TX_END(st, rc, "keys", e);
}

enum rc
store_clock_since(struct store *st, int64_t *since, struct err *e)
{
	return DB_INT(st, e, since, "SELECT max(since, 0) FROM clock "
	    "WHERE id = 1");
}
