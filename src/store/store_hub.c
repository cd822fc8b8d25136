#include "config.h"

#include "store/db.h"

enum rc
store_hub_origin(struct store *st, const uint8_t t[STORE_T_BYTES],
    const char *name, struct store_origin *out, struct err *e)
{
	char plain[STORE_IDENTITY_BYTES];
	sqlite3_stmt *s;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	peer_name(name, plain);
	if ((rc = DB_ASK(st, e, &s, "SELECT origin_t, d, origin FROM hub "
	    "WHERE t = ?1 AND name = ?2", V_B(t, STORE_T_BYTES),
	    V_S(plain))) != RC_OK ||
	    (rc = db_next(st, s, &out->known, e)) != RC_OK || !out->known)
		return rc;
	(void)db_blob(s, 0, out->t, sizeof(out->t));
	(void)db_blob(s, 1, out->d, sizeof(out->d));
	db_text(s, 2, out->identity, sizeof(out->identity));
	db_stop(s);
	return RC_OK;
}

/* The very same envelopes, to those who have not answered; once an hour, for a
 * replay by anybody comes here too. */
static enum rc
unanswered_again(struct store *st, const uint8_t t[STORE_T_BYTES],
    int64_t now, struct err *e)
{
	return DB_DO(st, e, OUT_RETRY "WHERE t IN (SELECT t FROM hub "
	    "WHERE origin_t = ?1) AND state >= 4 AND sent_at <= ?2 - 3600 "
	    "AND ack_state NOT IN (2, 3, 16) "
	    "AND body IS NOT NULL", V_B(t, STORE_T_BYTES), V_I(now));
}

enum rc
relayed_repeat(struct store *st, const uint8_t t[STORE_T_BYTES],
    int64_t due_at, int64_t now, struct err *e)
{
	char name[STORE_IDENTITY_BYTES], origin[STORE_IDENTITY_BYTES];
	uint8_t d[STORE_D_BYTES];
	struct ack_put a = { origin, t, name, 0, 0, d, due_at };
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	if ((rc = unanswered_again(st, t, now, e)) != RC_OK ||
	    (rc = DB_ASK(st, e, &s, "SELECT h.name, h.origin, h.d, "
	    "q.ack_state, q.ack_at FROM hub h JOIN queue q ON q.t = h.t "
	    "WHERE h.origin_t = ?1 AND q.ack_state IN (2, 3, 16)",
	    V_B(t, STORE_T_BYTES))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		db_text(s, 0, name, sizeof(name));
		db_text(s, 1, origin, sizeof(origin));
		(void)db_blob(s, 2, d, sizeof(d));
		a.state = (uint8_t)sqlite3_column_int(s, 3);
		a.at = sqlite3_column_int64(s, 4);
		if ((rc = ack_put(st, &a, e)) != RC_OK) {
			db_stop(s);
			return rc;
		}
	}
	return rc;
}

/* --- By day ------------------------------------------------------------ */

#define DAY_OF(now) ((now) / 86400)

static void
read_day(sqlite3_stmt *s, struct store_hub_day *out)
{
	db_text(s, 0, out->name, sizeof(out->name));
	out->messages = (uint64_t)sqlite3_column_int64(s, 1);
	out->bytes = (uint64_t)sqlite3_column_int64(s, 2);
	out->over_at = sqlite3_column_int64(s, 3);
}

enum rc
store_hub_day(struct store *st, const char *sender, int64_t now,
    struct store_hub_day *out, struct err *e)
{
	char name[STORE_IDENTITY_BYTES];
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	peer_name(sender, name);
	if ((rc = DB_ASK(st, e, &s, "SELECT name, messages, bytes, over_at "
	    "FROM hub_day WHERE name = ?1 AND day = ?2", V_S(name),
	    V_I(DAY_OF(now)))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	read_day(s, out);
	db_stop(s);
	return RC_OK;
}

enum rc
store_hub_over(struct store *st, const char *sender, int64_t now,
    struct err *e)
{
	char name[STORE_IDENTITY_BYTES];
	struct store_hub_day d;
	enum rc rc = store_hub_day(st, sender, now, &d, e);

	if (rc != RC_OK || d.over_at != 0)
		return rc;
	peer_name(sender, name);
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "UPDATE hub_day SET over_at = ?3 WHERE name = ?1 "
	    "AND day = ?2", V_S(name), V_I(DAY_OF(now)), V_I(now));
	return TX_END(st, rc, "hub.over", e);
}

enum rc
store_hub_overs(struct store *st, int64_t now, struct store_hub_day *out,
    size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT name, messages, bytes, over_at "
	    "FROM hub_day WHERE over_at <> 0 AND day = ?1 ORDER BY name "
	    "LIMIT ?2", V_I(DAY_OF(now)), V_I(max))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got)
		read_day(s, &out[(*n)++]);
	return rc;
}

/* The day before is forgotten by the first of the next. */
static enum rc
count(struct store *st, const struct store_done *in, size_t n,
    int64_t submission, int64_t now, struct err *e)
{
	char name[STORE_IDENTITY_BYTES];
	int64_t bytes;
	enum rc rc;

	if ((rc = DB_INT(st, e, &bytes, "SELECT sum(size) FROM queue WHERE "
	    "submission = ?1", V_I(submission))) != RC_OK)
		return rc;
	peer_name(in->msg.sender, name);
	return DB_DO(st, e, "INSERT INTO hub_day (name, day, messages, bytes) "
	    "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET "
	    "messages = ?3 + iif(day = ?2, messages, 0), "
	    "bytes = ?4 + iif(day = ?2, bytes, 0), "
	    "over_at = iif(day = ?2, over_at, 0), day = ?2", V_S(name),
	    V_I(DAY_OF(now)), V_I(n), V_I(bytes));
}

/* --- Relay ------------------------------------------------------------- */

static enum rc
relay_one(struct store *st, const struct store_done *in,
    struct store_out_put *m, int64_t submission, int64_t now, struct err *e)
{
	char name[STORE_IDENTITY_BYTES];
	enum rc rc;

	if ((rc = queue_put(st, now, submission, m, e)) != RC_OK)
		return rc;
	peer_name(m->identity, name);
	return DB_DO(st, e, "INSERT INTO hub (t, name, origin_t, origin, d, "
	    "at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", V_B(m->t, STORE_T_BYTES),
	    V_S(name), V_B(in->msg.t, STORE_T_BYTES), V_S(in->msg.sender),
	    V_B(in->d, STORE_D_BYTES), V_I(now));
}

static enum rc
refuse_one(struct store *st, const struct store_done *in,
    const struct store_hub_refusal *r, int64_t now, struct err *e)
{
	const struct ack_put ack = { in->msg.sender, in->msg.t, r->name,
	    r->state, now, in->d, in->ack_due_at };

	return ack_put(st, &ack, e);
}

static enum rc
relay_all(struct store *st, struct store_done *in, struct store_out_put *out,
    size_t n, int64_t now, struct err *e)
{
	int64_t submission;
	enum rc rc = RC_OK;

	if (n != 0)
		rc = submission_put(st, now, NULL, NULL, &submission, e);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = relay_one(st, in, &out[i], submission, now, e);
	if (rc == RC_OK && n != 0)
		rc = count(st, in, n, submission, now, e);
	return rc;
}

static enum rc
hub_one(struct store *st, struct store_hub_put *m, int64_t now, struct err *e)
{
	enum rc rc = done_one(st, m->in, now, e);

	if (rc != RC_OK || m->in->msg.result != STORE_OK)
		return rc;
	rc = relay_all(st, m->in, m->out, m->n, now, e);
	for (size_t i = 0; rc == RC_OK && i < m->nrefused; i++)
		rc = refuse_one(st, m->in, &m->refused[i], now, e);
	return rc;
}

enum rc
store_hub_relay(struct store *st, struct store_hub_put *m, size_t n,
    int64_t now, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) == RC_OK) {
		for (size_t i = 0; rc == RC_OK && i < n; i++)
			rc = hub_one(st, &m[i], now, e);
		rc = TX_END(st, rc, "hub.relay", e);
	}
	for (size_t i = 0; i < n; i++)
		if (rc != RC_OK || m[i].in->msg.result != STORE_OK)
			for (size_t o = 0; o < m[i].n; o++)
				body_disown(st, &m[i].out[o].body);
	return rc;
}
