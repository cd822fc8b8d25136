#include "config.h"

#include "store/db.h"
#include "store/store_kept.h"

enum rc
kept_put(struct store *st, const uint8_t t[STORE_T_BYTES], int64_t *body,
    int64_t now, int64_t until, struct err *e)
{
	enum rc rc = DB_DO(st, e, "INSERT OR IGNORE INTO kept (t, body, at, "
	    "until) VALUES (?1, ?2, ?3, ?4)", V_B(t, STORE_T_BYTES),
	    V_I(*body), V_I(now), V_I(until));

	if (rc == RC_OK && db_changed(st) != 0)
		*body = 0;
	return rc;
}

/* At the hub, by the number that a recipient has, too. */
#define ASKED \
	"at >= ?1 AND (substr(t, 1, ?2) = ?3 OR t IN " \
	"(SELECT origin_t FROM hub WHERE substr(t, 1, ?2) = ?3))"

static enum rc
refile(struct store *st, const struct store_kept_ask *ask, int64_t now,
    struct err *e)
{
	enum rc rc = DB_DO(st, e, "INSERT INTO incoming (account, uid, state, "
	    "body, put_at, t, filing) SELECT '', t, 1, body, ?4, t, filings "
	    "FROM kept WHERE body IS NOT NULL AND " ASKED " ORDER BY at",
	    V_I(ask->since), V_I(ask->t_len), V_B(ask->t, ask->t_len),
	    V_I(now));

	return rc != RC_OK ? rc : DB_DO(st, e, "UPDATE kept SET body = NULL "
	    "WHERE " ASKED, V_I(ask->since), V_I(ask->t_len),
	    V_B(ask->t, ask->t_len));
}

enum rc
store_refile(struct store *st, const struct store_kept_ask *ask, int64_t now,
    size_t *n, struct err *e)
{
	int64_t count;
	enum rc rc;

	*n = 0;
	if ((rc = DB_INT(st, e, &count, "SELECT count(*) FROM kept WHERE "
	    ASKED, V_I(ask->since), V_I(ask->t_len),
	    V_B(ask->t, ask->t_len))) != RC_OK)
		return rc;
	*n = (size_t)count;
	if (count == 0 || st->mode == STORE_READ)
		return RC_OK;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	return TX_END(st, refile(st, ask, now, e), "refile", e);
}

/* A damaged store may have lost the row of ${kept}. */
static enum rc
refiled(struct store *st, int64_t id, const struct store_filing *f,
    struct err *e)
{
	int64_t body = 0;
	enum rc rc;

	if ((rc = DB_INT(st, e, &body, "SELECT body FROM incoming "
	    "WHERE id = ?1 AND filing > 0", V_I(id))) != RC_OK || body == 0)
		return rc;
	if ((rc = DB_DO(st, e, "UPDATE kept SET filings = filings + ?2, "
	    "body = ?3 WHERE t = (SELECT t FROM incoming WHERE id = ?1)",
	    V_I(id), V_I(f != NULL), V_I(body))) != RC_OK)
		return rc;
	if (db_changed(st) != 0)
		body = 0;
	if (f != NULL && (rc = inbox_refiled(st, id, f, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "DELETE FROM incoming WHERE id = ?1", V_I(id));
	return rc == RC_OK ? body_drop(st, body, e) : rc;
}

enum rc
store_refiled(struct store *st, int64_t id, const struct store_filing *f,
    struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	return TX_END(st, refiled(st, id, f, e), "refiled", e);
}

/* Whoever asked for it gets it, however late. */
enum rc
kept_forget(struct store *st, int64_t now, size_t budget, bool *more,
    struct err *e)
{
	int64_t body = 1;
	size_t n = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n < budget) {
		if ((rc = DB_INT(st, e, &body, "SELECT body FROM kept "
		    "WHERE until <= ?1 AND body IS NOT NULL LIMIT 1",
		    V_I(now))) != RC_OK || body == 0)
			return rc;
		if ((rc = DB_DO(st, e, "DELETE FROM kept WHERE body = ?1",
		    V_I(body))) == RC_OK)
			rc = body_drop(st, body, e);
		n++;
	}
	if (n == budget)
		*more = true;
	return rc;
}
