#include "config.h"

#include "store/db.h"
#include "store/store_outbox.h"

enum rc
store_outbox_known(struct store *st, int64_t now, struct bytes key,
    bool *known, struct err *e)
{
	int64_t at = 0;
	enum rc rc = DB_INT(st, e, &at, "SELECT at FROM outbox "
	    "WHERE key = ?1", V_B(key.p, key.len));

	*known = rc == RC_OK && at != 0;
	if (rc != RC_OK || !*known || st->mode == STORE_READ || at >= now)
		return rc;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "UPDATE outbox SET at = ?2 WHERE key = ?1",
	    V_B(key.p, key.len), V_I(now));
	return TX_END(st, rc, "outbox.seen", e);
}

enum rc
store_outbox_forget(struct store *st, const struct bytes *keys, size_t n,
    struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = DB_DO(st, e, "DELETE FROM outbox WHERE key = ?1",
		    V_B(keys[i].p, keys[i].len));
	return TX_END(st, rc, "outbox.forget", e);
}

enum rc
store_outbox_sweep(struct store *st, struct bytes prefix, int64_t before,
    struct err *e)
{
	int64_t n;
	enum rc rc;

	/* Mostly there are none: nothing is written then. */
	if ((rc = DB_INT(st, e, &n, "SELECT EXISTS (SELECT 1 FROM outbox "
	    "WHERE at < ?2 AND substr(key, 1, ?3) = ?1)",
	    V_B(prefix.p, prefix.len), V_I(before), V_I(prefix.len))) !=
	    RC_OK || n == 0)
		return rc;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "DELETE FROM outbox WHERE at < ?2 AND "
	    "substr(key, 1, ?3) = ?1", V_B(prefix.p, prefix.len),
	    V_I(before), V_I(prefix.len));
	return TX_END(st, rc, "outbox.sweep", e);
}
