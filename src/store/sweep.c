#include "config.h"

#include "store/db.h"

#define DEAD_MAX 64	/* more die another time */

/* Owners of anything, that are not alive; ${n} of them. */
static enum rc
dead_find(struct store *st, bool opening, int dead[DEAD_MAX], size_t *n,
    struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;
	int slot;

	*n = 0;
	if ((rc = db_ask(st, &s,
	    "SELECT owner FROM body WHERE owner IS NOT NULL "
	    "UNION SELECT owner FROM incoming WHERE state <= 2 "
	    "AND owner IS NOT NULL "
	    "UNION SELECT owner FROM queue WHERE owner IS NOT NULL",
	    db_none, e)) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		slot = sqlite3_column_int(s, 0);
		if (*n < DEAD_MAX && (slot == DB_SLOT_CONDEMNED ||
		    (opening && slot == st->slot) || !slot_alive(st, slot)))
			dead[(*n)++] = slot;
	}
	return rc;
}

static enum rc
dead_bury(struct store *st, int slot, struct err *e)
{
	enum rc rc;

	st->reap = true;
	if (slot == DB_SLOT_CONDEMNED)
		return RC_OK;
	if ((rc = DB_DO(st, e, "UPDATE body SET owner = 0 WHERE owner = ?1",
	    V_I(slot))) != RC_OK)
		return rc;
	if ((rc = DB_DO(st, e, "UPDATE incoming SET owner = NULL "
	    "WHERE state <= 2 AND owner = ?1", V_I(slot))) != RC_OK)
		return rc;
	return DB_DO(st, e, "UPDATE queue SET owner = NULL, state = 2 "
	    "WHERE owner = ?1 AND state = 3", V_I(slot));
}

enum rc
sweep(struct store *st, bool opening, struct err *e)
{
	int dead[DEAD_MAX];
	size_t n;
	enum rc rc;

	if (st->mode == STORE_READ)
		return RC_OK;
	if ((rc = dead_find(st, opening, dead, &n, e)) != RC_OK || n == 0)
		return rc;
	/* Asked again inside: nobody can claim anything meanwhile. */
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = dead_find(st, opening, dead, &n, e);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = dead_bury(st, dead[i], e);
	return TX_END(st, rc, "sweep", e);
}

enum rc
store_sweep(struct store *st, struct err *e)
{
	return sweep(st, false, e);
}
