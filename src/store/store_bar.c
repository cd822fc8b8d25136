#include "config.h"

#include <stdlib.h>

#include "store/db.h"
#include "store/store_bar.h"

/* --- The list ---------------------------------------------------------- */

enum rc
store_bar_put(struct store *st, const struct store_bar *b,
    const struct store_row *row, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "INSERT INTO bar (name, min, desk, at, reason) "
	    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET "
	    "min = ?2, desk = ?3, at = ?4, reason = ?5 WHERE min < ?2",
	    V_S(b->name), V_I(b->min), V_I(b->desk), V_I(b->at),
	    V_S(b->reason));
	if (rc == RC_OK && row != NULL)
		rc = row_put(st, row, e);
	if (rc == RC_OK)
		rc = DB_DO(st, e, "INSERT INTO desk (id, gen, due) VALUES "
		    "(1, ?1, 1) ON CONFLICT (id) DO UPDATE SET gen = ?1, "
		    "due = 1", V_I(b->desk));
	return TX_END(st, rc, "bar", e);
}

enum rc
store_bar_list(struct store *st, const char *after, struct store_bar *out,
    size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT name, min, desk, at, reason "
	    "FROM bar WHERE name > ?1 ORDER BY name LIMIT ?2", V_S(after),
	    V_I(max))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		struct store_bar *b = &out[(*n)++];

		db_text(s, 0, b->name, sizeof(b->name));
		b->min = (uint8_t)sqlite3_column_int(s, 1);
		b->desk = (uint8_t)sqlite3_column_int(s, 2);
		b->at = sqlite3_column_int64(s, 3);
		db_text(s, 4, b->reason, sizeof(b->reason));
	}
	return rc;
}

/* --- Bulletins of ours ------------------------------------------------- */

enum rc
store_desk(struct store *st, struct store_desk *out, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = DB_ASK(st, e, &s, "SELECT gen, number, at, due, going, nth, "
	    "after FROM desk WHERE id = ?1", V_I(1))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	out->gen = (uint8_t)sqlite3_column_int(s, 0);
	out->number = (uint32_t)sqlite3_column_int64(s, 1);
	out->at = sqlite3_column_int64(s, 2);
	out->due = sqlite3_column_int(s, 3) != 0;
	out->going = sqlite3_column_int(s, 4) != 0;
	out->nth = (uint64_t)sqlite3_column_int64(s, 5);
	db_text(s, 6, out->after, sizeof(out->after));
	db_stop(s);
	return RC_OK;
}

enum rc
store_desk_is(struct store *st, uint8_t gen, struct err *e)
{
	struct store_desk d;
	enum rc rc = store_desk(st, &d, e);

	if (rc != RC_OK || d.gen == gen)
		return rc;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	/* A new desk says the whole list at once. */
	rc = DB_DO(st, e, "INSERT INTO desk (id, gen, due) VALUES (1, ?1, 1) "
	    "ON CONFLICT (id) DO UPDATE SET gen = ?1, due = 1", V_I(gen));
	return TX_END(st, rc, "desk.is", e);
}

/* Ours counts as one that came: nobody sends it to us. */
static enum rc
begin(struct store *st, uint32_t number, int64_t now, struct err *e)
{
	enum rc rc = DB_DO(st, e, "UPDATE desk SET number = ?1, at = ?2, "
	    "due = 0, going = 1, nth = 0, after = x'' WHERE id = 1",
	    V_I(number), V_I(now));

	return rc != RC_OK ? rc : DB_DO(st, e, "UPDATE bulletin SET "
	    "missed = 0 WHERE missed <= ?1", V_I(number));
}

enum rc
store_desk_begin(struct store *st, uint32_t number,
    const struct store_row *row, int64_t now, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	if ((rc = begin(st, number, now, e)) == RC_OK)
		rc = row_put(st, row, e);
	return TX_END(st, rc, "desk.begin", e);
}

static enum rc
sealed(struct store *st, const struct store_desk *d, struct store_out_put *m,
    size_t n, int64_t now, struct err *e)
{
	int64_t submission;
	enum rc rc = RC_OK;

	if (n > 0)
		rc = submission_put(st, now, NULL, NULL, &submission, e);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = queue_put(st, now, submission, &m[i], e);
	return rc != RC_OK ? rc : DB_DO(st, e, "UPDATE desk SET nth = ?2, "
	    "after = ?3, going = ?4 WHERE number = ?1", V_I(d->number),
	    V_I(d->nth), V_S(d->after), V_I(d->going));
}

enum rc
store_desk_sealed(struct store *st, const struct store_desk *d,
    struct store_out_put *m, size_t n, int64_t now, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) == RC_OK) {
		rc = sealed(st, d, m, n, now, e);
		rc = TX_END(st, rc, "desk.sealed", e);
	}
	for (size_t i = 0; rc != RC_OK && i < n; i++)
		body_disown(st, &m[i].body);
	return rc;
}

enum rc
store_desk_waiting(struct store *st, size_t *n, struct err *e)
{
	int64_t count;
	enum rc rc = DB_INT(st, e, &count, "SELECT count(*) FROM queue "
	    "WHERE state <= 3 AND kind = 2 AND tries = 0");

	*n = (size_t)count;
	return rc;
}

/* --- Those that came --------------------------------------------------- */

enum rc
store_bulletin(struct store *st, struct store_bulletin *out, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = DB_ASK(st, e, &s, "SELECT since, desk, number, came_at, "
	    "missed, missed_at, missed_by FROM bulletin WHERE id = ?1",
	    V_I(1))) != RC_OK || (rc = db_next(st, s, &got, e)) != RC_OK ||
	    !got)
		return rc;
	out->since = sqlite3_column_int64(s, 0);
	out->desk = (uint8_t)sqlite3_column_int(s, 1);
	out->number = (uint32_t)sqlite3_column_int64(s, 2);
	out->came_at = sqlite3_column_int64(s, 3);
	out->missed = (uint32_t)sqlite3_column_int64(s, 4);
	out->missed_at = sqlite3_column_int64(s, 5);
	db_text(s, 6, out->missed_by, sizeof(out->missed_by));
	db_stop(s);
	return RC_OK;
}

enum rc
store_bulletin_expect(struct store *st, bool expect, int64_t now,
    struct err *e)
{
	struct store_bulletin b;
	enum rc rc = store_bulletin(st, &b, e);

	if (rc != RC_OK || expect == (b.since != 0))
		return rc;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "INSERT INTO bulletin (id, since) VALUES (1, ?1) "
	    "ON CONFLICT (id) DO UPDATE SET since = ?1",
	    V_I(expect ? now : 0));
	return TX_END(st, rc, "bulletin.expect", e);
}

/* A later one ends what was missed, and so does one of a newer desk: what the
 * others show may be of the old desk. */
static enum rc
came(struct store *st, const struct store_news *w, int64_t now,
    struct err *e)
{
	return DB_DO(st, e, "INSERT INTO bulletin (id, desk, number, came_at) "
	    "VALUES (1, ?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET "
	    "missed = iif(desk BETWEEN 1 AND ?1 - 1 OR ?2 >= missed, 0, "
	    "missed), "
	    "desk = ?1, number = ?2, came_at = ?3 "
	    "WHERE ?1 > desk OR (?1 = desk AND ?2 > number)", V_I(w->desk),
	    V_I(w->number), V_I(now));
}

enum rc
bulletin_note(struct store *st, const struct store_done *m, int64_t now,
    struct err *e)
{
	const struct store_news *w = &m->news;
	enum rc rc = RC_OK;

	if (m->enrolled)
		rc = DB_DO(st, e, "UPDATE desk SET due = 1 WHERE id = ?1 AND "
		    "gen <> 0", V_I(1));
	if (rc == RC_OK && w->desk != 0)
		rc = came(st, w, now, e);
	if (rc != RC_OK || w->missed == 0)
		return rc;
	return DB_DO(st, e, "INSERT INTO bulletin (id, missed, missed_at, "
	    "missed_by) VALUES (1, ?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET "
	    "missed_at = iif(missed = 0, ?2, missed_at), missed = ?1, "
	    "missed_by = ?3 WHERE missed < ?1", V_I(w->missed), V_I(now),
	    V_S(m->msg.sender));
}
