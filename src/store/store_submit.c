#include "config.h"

#include <stdio.h>

#include "store/db.h"
#include "store/store_register.h"
#include "store/store_outbox.h"

enum rc
submission_put(struct store *st, int64_t now, const uint8_t *once,
    const char *notice_to, int64_t *id, struct err *e)
{
	const struct db_val name = { once == NULL ? 'n' : 'b', 0, once,
	    STORE_D_BYTES };
	enum rc rc;

	if ((rc = DB_DO(st, e, "INSERT INTO submission (at, notice_to, once) "
	    "VALUES (?1, ?2, ?3)", V_I(now), V_S(notice_to), name)) != RC_OK)
		return rc;
	*id = sqlite3_last_insert_rowid(st->db);
	return RC_OK;
}

static enum rc
routes_put(struct store *st, const struct store_out_put *m, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < m->nrouted; i++)
		rc = DB_DO(st, e, "INSERT INTO queue_route (queue, name) "
		    "VALUES (?1, ?2)", V_I(m->id), V_S(m->routed[i]));
	return rc;
}

/* Beside "queued", which a trigger writes. */
static enum rc
patients_put(struct store *st, int64_t now, const struct store_out_put *m,
    struct err *e)
{
	char who[STORE_PATIENT_WHO_BYTES];
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < m->patients.len;
	    i += STORE_PATIENT_BYTES) {
		store_register_patient(m->patients.p + i, who);
		rc = DB_DO(st, e, "INSERT INTO register (at, way, event, t, "
		    "d, who) SELECT ?1, 'out', '" STORE_PATIENT "', ?2, ?3, "
		    "?4 WHERE NOT EXISTS (SELECT 1 FROM register WHERE "
		    "t = ?2 AND event = '" STORE_PATIENT "' AND who = ?4)",
		    V_I(now), V_B(m->t, STORE_T_BYTES),
		    V_B(m->d, STORE_D_BYTES), V_S(who));
	}
	return rc;
}

enum rc
queue_put(struct store *st, int64_t now, int64_t submission,
    struct store_out_put *m, struct err *e)
{
	char name[STORE_IDENTITY_BYTES];
	int64_t body, size;
	enum rc rc;

	BUG_ON(m->nrouted > STORE_ROUTES_MAX);
	BUG_ON(m->patients.len % STORE_PATIENT_BYTES != 0);
	peer_name(m->identity, name);
	if ((rc = body_attach(st, &m->body, &body, e)) != RC_OK ||
	    (rc = DB_INT(st, e, &size, "SELECT size FROM body "
	    "WHERE id = ?1", V_I(body))) != RC_OK)
		return rc;
	if ((rc = DB_DO(st, e, "INSERT INTO queue (submission, state, kind, "
	    "t, d, identity, name, from_route, to_route, date, message_id, "
	    "boundary, meta_at, body, size, relay, bound, queued_at, since, "
	    "next_at, routed) VALUES (?1, 2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
	    "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17, ?17, ?18)",
	    V_I(submission), V_I(m->kind), V_B(m->t, STORE_T_BYTES),
	    V_B(m->d, STORE_D_BYTES), V_S(m->identity), V_S(name),
	    V_S(m->from_route), V_S(m->to_route), V_S(m->date),
	    V_S(m->message_id), V_S(m->boundary), V_I(m->meta_at), V_I(body),
	    V_I(size), V_T(m->relay), V_I(m->relay != NULL), V_I(now),
	    V_I(m->nrouted))) != RC_OK)
		return rc;
	m->id = sqlite3_last_insert_rowid(st->db);
	if ((rc = routes_put(st, m, e)) != RC_OK ||
	    (rc = patients_put(st, now, m, e)) != RC_OK)
		return rc;
	return ack_clear(st, m->acks, m->nacks, e);
}

static enum rc
put_all(struct store *st, int64_t now, const struct store_outbox_put *p,
    int64_t *submission, struct err *e)
{
	enum rc rc = submission_put(st, now, p->once, p->notice_to,
	    submission, e);

	for (size_t i = 0; rc == RC_OK && i < p->n; i++)
		rc = queue_put(st, now, *submission, &p->m[i], e);
	for (size_t i = 0; rc == RC_OK && i < p->nkeys; i++)
		rc = DB_DO(st, e, "INSERT OR IGNORE INTO outbox (key, at) "
		    "VALUES (?1, ?2)", V_B(p->keys[i].p, p->keys[i].len),
		    V_I(now));
	return rc;
}

enum rc
store_outbox_submit(struct store *st, int64_t now,
    const struct store_outbox_put *p, int64_t *submission, struct err *e)
{
	enum rc rc;

	*submission = 0;
	if ((rc = tx_begin(st, e)) == RC_OK) {
		rc = put_all(st, now, p, submission, e);
		rc = TX_END(st, rc, "out.submit", e);
	}
	if (rc == RC_OK)
		return RC_OK;
	*submission = 0;
	for (size_t i = 0; i < p->n; i++) {
		body_disown(st, &p->m[i].body);
		p->m[i].id = 0;
	}
	return rc;
}

enum rc
store_out_submit(struct store *st, int64_t now, const char *notice_to,
    struct store_out_put *m, size_t n, int64_t *submission, struct err *e)
{
	return store_out_once(st, now, NULL, notice_to, m, n, submission, e);
}

enum rc
store_out_once(struct store *st, int64_t now, const uint8_t *once,
    const char *notice_to, struct store_out_put *m, size_t n,
    int64_t *submission, struct err *e)
{
	const struct store_outbox_put p = { once, notice_to, m, n, NULL, 0 };

	return store_outbox_submit(st, now, &p, submission, e);
}

enum rc
store_out_named(struct store *st, const uint8_t once[STORE_D_BYTES],
    int64_t *submission, struct err *e)
{
	return DB_INT(st, e, submission, "SELECT id FROM submission "
	    "WHERE once = ?1", V_B(once, STORE_D_BYTES));
}
