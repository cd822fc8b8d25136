#include "config.h"

#include "store/db.h"

static enum rc
count(struct store *st, struct store_restored *out, struct err *e)
{
	int64_t seen, queued;
	enum rc rc;

	if ((rc = DB_INT(st, e, &seen, "SELECT count(*) FROM incoming")) !=
	    RC_OK || (rc = DB_INT(st, e, &queued, "SELECT count(*) "
	    "FROM queue WHERE state IN (2, 3)")) != RC_OK)
		return rc;
	out->seen = (size_t)seen;
	out->queued = (size_t)queued;
	rc = st->mode == STORE_READ ? commits_look(st, e) : RC_OK;
	out->gone = (size_t)st->gone;
	return rc;
}

static enum rc
forget(struct store *st, int64_t now, struct err *e)
{
	enum rc rc;

	if ((rc = DB_DO(st, e, "DELETE FROM incoming "
	    "WHERE state IN (3, 5)")) != RC_OK ||
	    (rc = DB_DO(st, e, "UPDATE incoming SET uid = " NO_NAME)) !=
	    RC_OK)
		return rc;
	return DB_DO(st, e, "UPDATE queue SET since = ?1 "
	    "WHERE state IN (2, 3)", V_I(now));
}

enum rc
store_restored(struct store *st, int64_t now, const struct store_row *row,
    struct store_restored *out, struct err *e)
{
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if (st->mode == STORE_READ)
		return count(st, out, e);
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	if ((rc = count(st, out, e)) == RC_OK &&
	    (rc = row_put(st, row, e)) == RC_OK &&
	    (rc = commits_forgive(st, e)) == RC_OK)
		rc = forget(st, now, e);
	return TX_END(st, rc, "restored", e);
}
