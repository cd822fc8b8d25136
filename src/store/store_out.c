#include "config.h"

#include "store/db.h"

#define BACKOFF_FIRST_S 300
#define BACKOFF_MAX_S (STORE_BACKOFF_MAX_S / 9 * 8)

/* Old enough to give up; a notice is due when somebody local asked for one. */
#define SQL_FAIL "state = 5, owner = NULL, done = 2, notice = kind <> 3 " \
	"AND EXISTS (SELECT 1 FROM submission s WHERE " \
	"s.id = queue.submission AND s.notice_to IS NOT NULL)"

static void
out_read(sqlite3_stmt *s, struct store_out *out)
{
	memset(out, 0, sizeof(*out));
	out->id = sqlite3_column_int64(s, 0);
	out->submission = sqlite3_column_int64(s, 1);
	out->state = (enum store_out_state)sqlite3_column_int(s, 2);
	out->kind = (enum store_kind)sqlite3_column_int(s, 3);
	(void)db_blob(s, 4, out->t, sizeof(out->t));
	(void)db_blob(s, 5, out->d, sizeof(out->d));
	db_text(s, 6, out->identity, sizeof(out->identity));
	db_text(s, 7, out->from_route, sizeof(out->from_route));
	db_text(s, 8, out->to_route, sizeof(out->to_route));
	db_text(s, 9, out->date, sizeof(out->date));
	db_text(s, 10, out->message_id, sizeof(out->message_id));
	db_text(s, 11, out->boundary, sizeof(out->boundary));
	db_text(s, 12, out->relay, sizeof(out->relay));
	db_text(s, 13, out->text, sizeof(out->text));
	db_text(s, 14, out->notice_to, sizeof(out->notice_to));
	out->meta_at = sqlite3_column_int64(s, 15);
	out->body = sqlite3_column_int64(s, 16);
	out->size = (uint64_t)sqlite3_column_int64(s, 17);
	out->queued_at = sqlite3_column_int64(s, 18);
	out->next_at = sqlite3_column_int64(s, 19);
	out->sent_at = sqlite3_column_int64(s, 20);
	out->tries = (uint32_t)sqlite3_column_int64(s, 21);
	out->ack_state = (uint8_t)sqlite3_column_int(s, 22);
	out->ack_at = sqlite3_column_int64(s, 23);
	out->bounced = sqlite3_column_int(s, 24) != 0;
	out->nrouted = (uint16_t)sqlite3_column_int(s, 25);
}

enum rc
out_read_all(struct store *st, sqlite3_stmt *s, struct store_out *out,
    size_t *n, struct err *e)
{
	bool got;
	enum rc rc;

	while ((rc = db_next(st, s, &got, e)) == RC_OK && got)
		out_read(s, &out[(*n)++]);
	return rc;
}

enum rc
out_body_drop(struct store *st, int64_t id, struct err *e)
{
	int64_t body;
	enum rc rc;

	if ((rc = DB_INT(st, e, &body, "SELECT body FROM queue WHERE id = ?1",
	    V_I(id))) != RC_OK)
		return rc;
	if ((rc = DB_DO(st, e, "UPDATE queue SET body = NULL WHERE id = ?1",
	    V_I(id))) != RC_OK)
		return rc;
	return body_drop(st, body, e);
}

int64_t
store_backoff(uint32_t tries, uint32_t jitter)
{
	int64_t s = BACKOFF_FIRST_S;

	for (uint32_t i = 1; i < tries && s < BACKOFF_MAX_S; i++)
		s *= 2;
	if (s > BACKOFF_MAX_S)
		s = BACKOFF_MAX_S;
	return s - s / 8 + (int64_t)(jitter % (uint32_t)(s / 4 + 1));
}

/* --- Claim ------------------------------------------------------------- */

/* An empty pass writes nothing. */
static enum rc
claim_any(struct store *st, const char *relay, int64_t now, bool *any,
    struct err *e)
{
	int64_t n;
	enum rc rc;

	*any = false;
	if ((rc = DB_INT(st, e, &n, "SELECT EXISTS (SELECT 1 FROM relay "
	    "WHERE name = ?1 AND until > ?2)", V_T(relay), V_I(now))) !=
	    RC_OK || n != 0)
		return rc;
	rc = DB_INT(st, e, &n, "SELECT EXISTS (SELECT 1 FROM queue "
	    "WHERE state = 2 AND next_at <= ?2 AND (bound = 0 OR relay = ?1)) "
	    "OR EXISTS (SELECT 1 FROM queue WHERE state = 3 "
	    "AND claim_until <= ?2 AND owner IS NOT ?3)", V_T(relay), V_I(now),
	    V_I(st->slot));
	*any = n != 0;
	return rc;
}

static enum rc
claim_some(struct store *st, const char *relay, int64_t now, int64_t until,
    struct store_out *out, size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	/* Our own are in the hands of another session, which may have sent
	 * them already: the clock cannot take them away from it. */
	if ((rc = DB_DO(st, e, "UPDATE queue SET state = 2, owner = NULL "
	    "WHERE state = 3 AND claim_until <= ?1 AND owner IS NOT ?2",
	    V_I(now), V_I(st->slot))) != RC_OK)
		return rc;
	if ((rc = DB_ASK(st, e, &s, "SELECT " OUT_COLS " FROM queue "
	    "WHERE state = 2 AND next_at <= ?2 AND (bound = 0 OR relay = ?1) "
	    "ORDER BY next_at, id LIMIT ?3", V_T(relay), V_I(now),
	    V_I(max))) != RC_OK ||
	    (rc = out_read_all(st, s, out, n, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < *n; i++) {
		out[i].state = STORE_CLAIMED;
		memcpy(out[i].relay, relay, strlen(relay) + 1);
		rc = DB_DO(st, e, "UPDATE queue SET state = 3, owner = ?2, "
		    "claim_until = ?3, relay = ?4 WHERE id = ?1",
		    V_I(out[i].id), V_I(st->slot), V_I(until), V_T(relay));
	}
	return rc;
}

enum rc
store_out_claim(struct store *st, const char *relay, int64_t now,
    int64_t until, struct store_out *out, size_t max, size_t *n,
    struct err *e)
{
	bool any;
	enum rc rc;

	*n = 0;
	BUG_ON(strlen(relay) >= STORE_LABEL_BYTES);
	if ((rc = claim_any(st, relay, now, &any, e)) != RC_OK || !any)
		return rc;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = claim_some(st, relay, now, until, out, max, n, e);
	if ((rc = TX_END(st, rc, "out.claim", e)) != RC_OK)
		*n = 0;
	return rc;
}

/* --- The end of a claim ------------------------------------------------ */

enum end { END_SENT, END_DEFER, END_FAIL };

struct ending {
	enum end	end;
	int64_t		now;
	int64_t		give_up_s;
};

static enum rc
end_sent(struct store *st, const struct ending *g, const struct store_out_end
    *m, int64_t kind, struct err *e)
{
	enum rc rc;

	if ((rc = DB_DO(st, e, "UPDATE queue SET state = 4, owner = NULL, "
	    "sent_at = ?2, text = NULL WHERE id = ?1", V_I(m->id),
	    V_I(g->now))) != RC_OK || kind == STORE_MAIL)
		return rc;
	return out_body_drop(st, m->id, e);
}

static enum rc
end_fail(struct store *st, const struct ending *g, struct store_out_end *m,
    struct err *e)
{
	m->failed = true;
	return DB_DO(st, e, "UPDATE queue SET " SQL_FAIL ", sent_at = ?2, "
	    "text = ?3, tries = tries + 1 WHERE id = ?1", V_I(m->id),
	    V_I(g->now), V_S(m->text));
}

static enum rc
end_one(struct store *st, const struct ending *g, struct store_out_end *m,
    struct err *e)
{
	sqlite3_stmt *s;
	int64_t kind, since;
	uint32_t tries;
	bool got;
	enum rc rc;

	m->result = STORE_NOT;
	m->failed = false;
	if ((rc = DB_ASK(st, e, &s, "SELECT kind, since, tries + 1 FROM queue "
	    "WHERE id = ?1 AND state = 3 AND owner = ?2", V_I(m->id),
	    V_I(st->slot))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	kind = sqlite3_column_int64(s, 0);
	since = sqlite3_column_int64(s, 1);
	tries = (uint32_t)sqlite3_column_int64(s, 2);
	db_stop(s);
	m->result = STORE_OK;
	if (g->end == END_SENT)
		return end_sent(st, g, m, kind, e);
	if (g->end == END_FAIL || g->now - since >= g->give_up_s)
		return end_fail(st, g, m, e);
	return DB_DO(st, e, "UPDATE queue SET state = 2, owner = NULL, "
	    "next_at = ?2, tries = ?3, text = ?4 WHERE id = ?1", V_I(m->id),
	    V_I(g->now + store_backoff(tries, m->jitter)), V_I(tries),
	    V_S(m->text));
}

static enum rc
end_all(struct store *st, const struct ending *g, struct store_out_end *m,
    size_t n, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		rc = end_one(st, g, &m[i], e);
		if (rc == RC_OK && m[i].event != NULL)
			rc = event_put(st, g->now, m[i].event,
			    m[i].event_text, e);
	}
	return rc;
}

enum rc
store_out_sent(struct store *st, struct store_out_end *m, size_t n,
    int64_t now, struct err *e)
{
	const struct ending g = { END_SENT, now, 0 };
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = end_all(st, &g, m, n, e);
	return TX_END(st, rc, "out.sent", e);
}

enum rc
store_out_defer(struct store *st, struct store_out_end *m, size_t n,
    int64_t now, int64_t give_up_s, struct err *e)
{
	const struct ending g = { END_DEFER, now, give_up_s };
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = end_all(st, &g, m, n, e);
	return TX_END(st, rc, "out.defer", e);
}

enum rc
store_out_fail(struct store *st, struct store_out_end *m, size_t n,
    int64_t now, struct err *e)
{
	const struct ending g = { END_FAIL, now, 0 };
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = end_all(st, &g, m, n, e);
	return TX_END(st, rc, "out.fail", e);
}

enum rc
store_out_claimed(struct store *st, int64_t id, bool *ours, struct err *e)
{
	int64_t n;
	enum rc rc = DB_INT(st, e, &n, "SELECT EXISTS (SELECT 1 FROM queue "
	    "WHERE id = ?1 AND state = 3 AND owner = ?2)", V_I(id),
	    V_I(st->slot));

	*ours = n != 0;
	return rc;
}

enum rc
store_out_unclaim(struct store *st, const int64_t *ids, size_t n,
    struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = DB_DO(st, e, "UPDATE queue SET state = 2, owner = NULL "
		    "WHERE id = ?1 AND state = 3 AND owner = ?2", V_I(ids[i]),
		    V_I(st->slot));
	return TX_END(st, rc, "out.unclaim", e);
}

enum rc
store_out_overdue(struct store *st, int64_t now, int64_t give_up_s,
    const char *text, size_t *n, struct err *e)
{
	int64_t any;
	enum rc rc;

	*n = 0;
	if ((rc = DB_INT(st, e, &any, "SELECT EXISTS (SELECT 1 FROM queue "
	    "WHERE state = 2 AND since <= ?1)", V_I(now - give_up_s))) !=
	    RC_OK || !any || (rc = tx_begin(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "UPDATE queue SET " SQL_FAIL ", sent_at = ?2, "
	    "text = coalesce(text, ?3) WHERE state = 2 AND since <= ?1",
	    V_I(now - give_up_s), V_I(now), V_S(text));
	if (rc == RC_OK)
		*n = db_changed(st);
	if ((rc = TX_END(st, rc, "out.overdue", e)) != RC_OK)
		*n = 0;
	return rc;
}
