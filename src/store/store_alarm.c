/*
 * Alarms: what is one now is gathered in a table of this connection alone and
 * held against those that were.  Nothing is written while nothing changes.
 */
#include "config.h"

#include "store/db.h"

#define KEEP_S (30 * 86400)

/*
 * Each name for whom there is mail of which ${what} holds, and when by ${at}.
 * The index is named: SQLite expects a few rows of each state, and there are
 * years of those that are done.
 */
#define BY_NAME(index, at, what) \
	"SELECT name, " at " AS at, text FROM queue INDEXED BY " index \
	" WHERE kind = 1 AND routed = 0 AND " what " UNION ALL " \
	"SELECT r.name, " at " AS at, text FROM queue INDEXED BY " index \
	" JOIN queue_route r ON r.queue = id WHERE kind = 1 AND routed > 0 " \
	"AND r.ack_state NOT IN (2, 3, 16) AND " what
#define WAITING(at, what) BY_NAME("queue_open", at, "done = 0 AND " what)

#define NOW_INSERT "INSERT INTO alarm_now (rule, subject, since, n, level, " \
	"text) "

static enum rc
now_late(struct store *st, const struct store_alarm_at *at, struct err *e)
{
	return DB_DO(st, e, NOW_INSERT "SELECT ?2, name, min(at), count(*), "
	    "0, x'' FROM (" WAITING("queued_at", "queued_at < ?1")
	    ") GROUP BY name", V_I(at->late_before), V_I(STORE_RULE_LATE));
}

/* Nothing was heard since the first of those left that wait for him. */
static enum rc
now_silent(struct store *st, const struct store_alarm_at *at, struct err *e)
{
	return DB_DO(st, e, NOW_INSERT "SELECT ?2, w.name, ifnull(h.at, 0), "
	    "count(*), 0, x'' FROM (" WAITING("sent_at", "state = 4 "
	    "AND queued_at < ?1 AND sent_at < ?1") ") w LEFT JOIN heard h "
	    "ON h.name = w.name GROUP BY w.name "
	    "HAVING ifnull(h.at, 0) < min(w.at)", V_I(at->silent_before),
	    V_I(STORE_RULE_SILENT));
}

static enum rc
now_failed(struct store *st, struct err *e)
{
	return DB_DO(st, e, NOW_INSERT "SELECT ?1, name, min(at), count(*), "
	    "0, ifnull(text, x'') FROM (" BY_NAME("queue_failed",
	    "sent_at", "state = 5") ") GROUP BY name", V_I(STORE_RULE_FAILED));
}

static enum rc
now_follow(struct store *st, const struct store_alarm_at *at, struct err *e)
{
	static const char *const sql = NOW_INSERT "SELECT rule, name, "
	    "min(at), count(*), 0, x'' FROM follow WHERE rule = ?1 "
	    "AND at >= ?2 AND at < ?3 GROUP BY name";
	enum rc rc;

	if ((rc = DB_DO(st, e, sql, V_I(STORE_RULE_UNOPENED), V_I(INT64_MIN),
	    V_I(at->unopened_before))) != RC_OK)
		return rc;
	return DB_DO(st, e, sql, V_I(STORE_RULE_REFUSED),
	    V_I(at->refused_since), V_I(INT64_MAX));
}

static enum rc
now_own(struct store *st, const struct store_alarm *a, struct err *e)
{
	return DB_DO(st, e, NOW_INSERT "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	    V_I(a->rule), V_S(a->subject), V_I(a->since), V_I(a->n),
	    V_I(a->level), V_S(a->text));
}

static enum rc
now_gather(struct store *st, const struct store_alarm_at *at,
    const struct store_alarm *own, size_t n, struct err *e)
{
	enum rc rc;

	if ((rc = db_exec(st, "CREATE TEMP TABLE IF NOT EXISTS alarm_now ("
	    "rule INTEGER NOT NULL, subject BLOB NOT NULL, "
	    "since INTEGER NOT NULL, n INTEGER NOT NULL, "
	    "level INTEGER NOT NULL, text BLOB NOT NULL, "
	    "PRIMARY KEY (rule, subject)) WITHOUT ROWID; "
	    "DELETE FROM alarm_now", e)) != RC_OK ||
	    (rc = now_late(st, at, e)) != RC_OK ||
	    (rc = now_silent(st, at, e)) != RC_OK ||
	    (rc = now_failed(st, e)) != RC_OK)
		return rc;
	rc = now_follow(st, at, e);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = now_own(st, &own[i], e);
	return rc;
}

/* --- Against those that were ------------------------------------------- */

#define OVER "ended_at = 0 AND NOT EXISTS (SELECT 1 FROM alarm_now w " \
	"WHERE w.rule = alarm.rule AND w.subject = alarm.subject)"
#define SAME "alarm.rule = w.rule AND alarm.subject = w.subject " \
	"AND alarm.ended_at = 0"
#define OTHER "(alarm.since <> w.since OR alarm.n <> w.n OR " \
	"alarm.level <> w.level OR alarm.text <> w.text)"

static enum rc
changed(struct store *st, int64_t now, int64_t *yes, struct err *e)
{
	return DB_INT(st, e, yes, "SELECT EXISTS (SELECT 1 FROM alarm "
	    "WHERE " OVER ") OR EXISTS (SELECT 1 FROM alarm_now w "
	    "LEFT JOIN alarm ON " SAME " WHERE alarm.id IS NULL "
	    "OR " OTHER ") OR EXISTS (SELECT 1 FROM alarm "
	    "WHERE ended_at <> 0 AND ended_at < ?1)", V_I(now - KEEP_S));
}

static enum rc
write_changes(struct store *st, int64_t now, struct err *e)
{
	enum rc rc;

	if ((rc = DB_DO(st, e, "UPDATE alarm SET ended_at = ?1 WHERE " OVER,
	    V_I(now))) != RC_OK ||
	    (rc = DB_DO(st, e, "UPDATE alarm SET since = w.since, n = w.n, "
	    "level = w.level, text = w.text, told_at = CASE "
	    "WHEN w.level < alarm.level THEN 0 ELSE told_at END "
	    "FROM alarm_now w WHERE " SAME " AND " OTHER)) != RC_OK ||
	    (rc = DB_DO(st, e, "INSERT INTO alarm (rule, subject, since, n, "
	    "level, text, began_at) SELECT rule, subject, since, n, level, "
	    "text, ?1 FROM alarm_now w WHERE NOT EXISTS "
	    "(SELECT 1 FROM alarm WHERE " SAME ")", V_I(now))) != RC_OK)
		return rc;
	return DB_DO(st, e, "DELETE FROM alarm WHERE ended_at <> 0 "
	    "AND ended_at < ?1", V_I(now - KEEP_S));
}

enum rc
store_alarm_update(struct store *st, int64_t now,
    const struct store_alarm_at *at, const struct store_alarm *own, size_t n,
    struct err *e)
{
	int64_t yes;
	enum rc rc;

	if ((rc = now_gather(st, at, own, n, e)) != RC_OK ||
	    (rc = changed(st, now, &yes, e)) != RC_OK || yes == 0)
		return rc;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = write_changes(st, now, e);
	return TX_END(st, rc, "alarm", e);
}

/* --- Lists ------------------------------------------------------------- */

#define ALARM_COLS "id, rule, subject, since, n, level, text, began_at, " \
	"ended_at"

static enum rc
read_all(struct store *st, sqlite3_stmt *s, struct store_alarm *out,
    size_t *n, struct err *e)
{
	struct store_alarm *a;
	bool got;
	enum rc rc;

	*n = 0;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		a = &out[(*n)++];
		a->id = sqlite3_column_int64(s, 0);
		a->rule = (enum store_rule)sqlite3_column_int(s, 1);
		db_text(s, 2, a->subject, sizeof(a->subject));
		a->since = sqlite3_column_int64(s, 3);
		a->n = sqlite3_column_int64(s, 4);
		a->level = sqlite3_column_int64(s, 5);
		db_text(s, 6, a->text, sizeof(a->text));
		a->began_at = sqlite3_column_int64(s, 7);
		a->ended_at = sqlite3_column_int64(s, 8);
	}
	return rc;
}

enum rc
store_alarm_list(struct store *st, int64_t ended_since,
    struct store_alarm *out, size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc = ended_since == 0 ?
	    DB_ASK(st, e, &s, "SELECT " ALARM_COLS " FROM alarm "
	    "WHERE ended_at = 0 ORDER BY rule, since, subject LIMIT ?1",
	    V_I(max)) :
	    DB_ASK(st, e, &s, "SELECT " ALARM_COLS " FROM alarm "
	    "WHERE ended_at <> 0 AND ended_at >= ?2 "
	    "ORDER BY rule, since, subject LIMIT ?1", V_I(max),
	    V_I(ended_since));

	return rc == RC_OK ? read_all(st, s, out, n, e) : rc;
}

enum rc
store_alarm_counts(struct store *st, uint64_t out[STORE_RULE_N],
    struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;
	int rule;

	memset(out, 0, STORE_RULE_N * sizeof(out[0]));
	if ((rc = DB_ASK(st, e, &s, "SELECT rule, count(*) FROM alarm "
	    "WHERE ended_at = 0 GROUP BY rule")) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		rule = sqlite3_column_int(s, 0);
		if (rule > 0 && rule < STORE_RULE_N)
			out[rule] = (uint64_t)sqlite3_column_int64(s, 1);
	}
	return rc;
}

enum rc
store_alarm_untold(struct store *st, struct store_alarm *out, size_t max,
    size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	if ((rc = DB_ASK(st, e, &s, "SELECT " ALARM_COLS " FROM alarm "
	    "WHERE (ended_at = 0 AND told_at = 0) OR (ended_at <> 0 "
	    "AND told_at <> 0 AND end_told = 0) "
	    "ORDER BY ended_at <> 0, rule, since, subject LIMIT ?1",
	    V_I(max))) != RC_OK)
		return rc;
	return read_all(st, s, out, n, e);
}

enum rc
store_alarm_told(struct store *st, int64_t now, const struct store_alarm *a,
    size_t n, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = DB_DO(st, e, "UPDATE alarm SET "
		    "told_at = CASE ended_at WHEN 0 THEN ?2 ELSE told_at END, "
		    "end_told = (ended_at <> 0) WHERE id = ?1",
		    V_I(a[i].id), V_I(now));
	return TX_END(st, rc, "alarm.told", e);
}

/* --- The daily mail ---------------------------------------------------- */

enum rc
store_digest(struct store *st, int64_t *day, int64_t *at, struct err *e)
{
	enum rc rc;

	if ((rc = DB_INT(st, e, day, "SELECT day FROM digest WHERE id = 1")) !=
	    RC_OK)
		return rc;
	return DB_INT(st, e, at, "SELECT at FROM digest WHERE id = 1");
}

enum rc
store_digest_done(struct store *st, int64_t day, int64_t at, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "INSERT OR REPLACE INTO digest (id, day, at) "
	    "VALUES (1, ?1, ?2)", V_I(day), V_I(at));
	return TX_END(st, rc, "digest", e);
}
