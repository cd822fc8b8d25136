/* What the store makes of a machine's clock: it is not to be believed alone
 * (ATTACKS D11), where something would be given up or forgotten by it. */
#include "config.h"

#include "store/db.h"

#define DAY_S 86400
#define BACK_MAX_S DAY_S
#define ON_MAX_S (30 * DAY_S)
#define STEADY_S (7 * DAY_S)

struct seen {
	bool	there;
	int64_t	last_at;	/* when looked at, within a day */
	int64_t	since;		/* of the last leap; none: the first look,
				 * negative */
};

static enum rc
seen_read(struct store *st, struct seen *c, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	memset(c, 0, sizeof(*c));
	if ((rc = DB_ASK(st, e, &s, "SELECT last_at, since FROM clock "
	    "WHERE id = 1")) != RC_OK ||
	    (rc = db_next(st, s, &c->there, e)) != RC_OK || !c->there)
		return rc;
	c->last_at = sqlite3_column_int64(s, 0);
	c->since = sqlite3_column_int64(s, 1);
	db_stop(s);
	return RC_OK;
}

static enum rc
seen_write(struct store *st, const struct seen *c, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "INSERT INTO clock (id, last_at, since) "
	    "VALUES (1, ?1, ?2) ON CONFLICT (id) DO UPDATE "
	    "SET last_at = ?1, since = ?2", V_I(c->last_at), V_I(c->since));
	return TX_END(st, rc, "clock", e);
}

/* Nothing is put off so far ahead, or queued so long ago, but by a clock that
 * was wrong: it counts from now. */
#define WRONG_QUEUE "state = 2 AND (next_at > ?1 OR since > ?1 " \
	"OR since < ?2 - 366 * 86400)"

static enum rc
overdue(struct store *st, int64_t now, int64_t ahead_s, struct err *e)
{
	int64_t n, limit = now + ahead_s;
	enum rc rc;

	if ((rc = DB_INT(st, e, &n, "SELECT EXISTS (SELECT 1 FROM queue "
	    "WHERE " WRONG_QUEUE ") OR EXISTS (SELECT 1 FROM relay "
	    "WHERE until > ?1) OR EXISTS (SELECT 1 FROM ack "
	    "WHERE due_at > ?1)", V_I(limit), V_I(now))) != RC_OK || n == 0)
		return rc;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	if ((rc = DB_DO(st, e, "UPDATE queue SET next_at = ?2, since = ?2 "
	    "WHERE " WRONG_QUEUE, V_I(limit), V_I(now))) == RC_OK &&
	    (rc = DB_DO(st, e, "UPDATE relay SET until = ?2 WHERE until > ?1",
	    V_I(limit), V_I(now))) == RC_OK)
		rc = DB_DO(st, e, "UPDATE ack SET due_at = ?2 "
		    "WHERE due_at > ?1", V_I(limit), V_I(now));
	return TX_END(st, rc, "overdue", e);
}

enum rc
store_clock(struct store *st, int64_t now, int64_t ahead_s,
    enum store_clock *is, struct err *e)
{
	struct seen c;
	bool leap;
	enum rc rc;

	*is = STORE_CLOCK_UNSURE;
	if ((rc = seen_read(st, &c, e)) != RC_OK)
		return rc;
	leap = c.there && (now < c.last_at - BACK_MAX_S ||
	    now > c.last_at + ON_MAX_S);
	if (!c.there || leap || now >= c.last_at + DAY_S) {
		c.last_at = now;
		if (leap || !c.there)
			c.since = leap ? now : -now;
		if ((rc = seen_write(st, &c, e)) != RC_OK)
			return rc;
	}
	if (leap)
		*is = STORE_CLOCK_LEAPT;
	else if (c.since <= 0 || now >= c.since + STEADY_S)
		*is = STORE_CLOCK_STEADY;
	return overdue(st, now, ahead_s, e);
}

enum rc
store_clock_steady(struct store *st, int64_t now, bool *steady, struct err *e)
{
	struct seen c;
	enum rc rc = seen_read(st, &c, e);

	*steady = rc == RC_OK && c.there &&
	    now >= (c.since < 0 ? -c.since : c.since) + STEADY_S;
	return rc;
}

enum rc
store_erased(struct store *st, int year, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "INSERT INTO erased (id, year) VALUES (1, ?1) "
	    "ON CONFLICT (id) DO UPDATE SET year = max(year, ?1)",
	    V_I(year));
	return TX_END(st, rc, "erased", e);
}
