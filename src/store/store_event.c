/* Events for people, and forgetting. */
#include "config.h"

#include "store/db.h"
#include "store/store_register.h"
#include "store/store_outbox.h"

enum rc
event_put(struct store *st, int64_t at, const char *name, const char *text,
    struct err *e)
{
	size_t len = strlen(text);

	if (len >= STORE_EVENT_MAX_BYTES)
		len = STORE_EVENT_MAX_BYTES - 1;
	return DB_DO(st, e, "INSERT INTO event (at, name, text) "
	    "VALUES (?1, ?2, ?3)", V_I(at), V_T(name), V_B(text, len));
}

enum rc
store_event_add(struct store *st, int64_t at, const char *name,
    const char *text, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	return TX_END(st, event_put(st, at, name, text, e), "event", e);
}

enum rc
store_event_list(struct store *st, int64_t after, int64_t since,
    struct store_event *out, size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	struct store_event *v;
	bool got;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT id, at, name, text FROM event "
	    "WHERE id > ?1 AND at >= ?2 ORDER BY id LIMIT ?3", V_I(after),
	    V_I(since), V_I(max))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		v = &out[(*n)++];
		v->id = sqlite3_column_int64(s, 0);
		v->at = sqlite3_column_int64(s, 1);
		db_text(s, 2, v->name, sizeof(v->name));
		db_text(s, 3, v->text, sizeof(v->text));
	}
	return rc;
}

/* --- Forgetting -------------------------------------------------------- */

/* ?1 the time before which, ?2 how many. */
#define FORGET(table, key, condition) "DELETE FROM " table " WHERE " key \
	" IN (SELECT " key " FROM " table " WHERE " condition " LIMIT ?2)"

static enum rc
forget(struct store *st, const char *sql, int64_t before, size_t budget,
    bool *more, struct err *e)
{
	enum rc rc;

	if ((rc = DB_DO(st, e, sql, V_I(before), V_I(budget))) != RC_OK)
		return rc;
	if (db_changed(st) == budget)
		*more = true;
	return RC_OK;
}

/* Sent and failed rows, with the bodies they still have. */
static enum rc
forget_sent(struct store *st, int64_t before, size_t budget, bool *more,
    struct err *e)
{
	int64_t id = 1, body;
	size_t n = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && id != 0 && n < budget) {
		if ((rc = DB_INT(st, e, &id, "SELECT id FROM queue "
		    "WHERE state >= 4 AND sent_at < ?1 AND notice <> 1 "
		    "LIMIT 1", V_I(before))) != RC_OK || id == 0)
			return rc;
		if ((rc = DB_INT(st, e, &body, "SELECT body FROM queue "
		    "WHERE id = ?1", V_I(id))) != RC_OK ||
		    (rc = DB_DO(st, e, "DELETE FROM queue WHERE id = ?1",
		    V_I(id))) != RC_OK)
			return rc;
		rc = body_drop(st, body, e);
		n++;
	}
	if (n == budget)
		*more = true;
	return rc;
}

static enum rc
expire(struct store *st, int64_t now, const struct store_keep *k, bool *more,
    struct err *e)
{
	const struct {
		const char	*sql;
		int64_t		 before;
	} f[] = {
		/* No clock alone: while its key is there, it can come again. */
		{ FORGET("journal", "id", "forget_at <= ?1 AND (state <> 1 "
		    "OR NOT EXISTS (SELECT 1 FROM incoming WHERE "
		    "incoming.id = journal.incoming AND "
		    "incoming.state IN (1, 2, 4))) "
		    "AND year <= (SELECT year FROM erased)"), now },
		/* WITHOUT ROWID: few go at a time, by their index. */
		{ "DELETE FROM original WHERE (t, peer) IN (SELECT t, peer "
		    "FROM original WHERE forget_at <= ?1 AND NOT EXISTS "
		    "(SELECT 1 FROM journal WHERE id = original.journal) "
		    "LIMIT ?2)", now },
		{ FORGET("event", "id", "at < ?1"), now - k->events_s },
		{ "DELETE FROM hub WHERE (t, name) IN (SELECT t, name "
		    "FROM hub WHERE at < ?1 LIMIT ?2)", now - k->hub_s },
		{ FORGET("incoming", "id", "gone = 1 AND state IN (3, 5) "
		    "AND put_at < ?1"), now - k->sent_s },
		{ FORGET("submission", "id", "at < ?1 AND NOT EXISTS "
		    "(SELECT 1 FROM queue WHERE "
		    "queue.submission = submission.id)"), now - k->sent_s },
		{ FORGET("witness", "t", "kept_at < ?1"), now -
		    STORE_REGISTER_YEARS * INT64_C(366) * 86400 },
		{ FORGET("damage_said", "peer", "at < ?1"), now - 86400 },
		{ FORGET("inbox", "id", "at < ?1"), now - k->inbox_s },
		{ "DELETE FROM patient WHERE (name, birth) IN (SELECT name, "
		    "birth FROM patient WHERE last_at < ?1 LIMIT ?2)", now -
		    k->patients_s },
		/* Nobody took it; rows are few, and have no index. */
		{ FORGET("watch", "id", "at < ?1"), now - k->watch_s },
		/* The file went without us: the same. */
		{ FORGET("outbox", "key", "at < ?1"), now -
		    STORE_OUTBOX_KEEP_S }
	};
	enum rc rc;

	rc = forget_sent(st, now - k->sent_s, k->budget, more, e);
	if (rc == RC_OK)
		rc = kept_forget(st, now, k->budget, more, e);
	for (size_t i = 0; rc == RC_OK && i < sizeof(f) / sizeof(f[0]); i++)
		rc = forget(st, f[i].sql, f[i].before, k->budget, more, e);
	return rc;
}

enum rc
store_expire(struct store *st, int64_t now, const struct store_keep *keep,
    bool *more, struct err *e)
{
	char sql[64];
	enum rc rc;

	*more = false;
	BUG_ON(keep->budget == 0);
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = expire(st, now, keep, more, e);
	if ((rc = TX_END(st, rc, "expire", e)) != RC_OK) {
		*more = false;
		return rc;
	}
	(void)snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%zu)",
	    keep->budget);
	return db_exec(st, sql, e);
}
