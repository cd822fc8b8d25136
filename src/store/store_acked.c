/* Acknowledgements that came. */
#include "config.h"

#include "store/db.h"

/* The queue row that an acknowledgement speaks of. */
struct acked {
	int64_t	id;		/* 0: none */
	int	state;
	uint8_t	ack_state;	/* of the row, or of its routed name */
	bool	has_body;
	bool	routed;
	uint8_t	d[STORE_D_BYTES];
	char	name[STORE_IDENTITY_BYTES];
};

static enum rc
acked_load(struct store *st, const uint8_t t[STORE_T_BYTES], struct acked *q,
    struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(q, 0, sizeof(*q));
	if ((rc = DB_ASK(st, e, &s, "SELECT id, state, ack_state, "
	    "body IS NOT NULL, routed > 0, d, name FROM queue WHERE t = ?1",
	    V_B(t, STORE_T_BYTES))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	q->id = sqlite3_column_int64(s, 0);
	q->state = sqlite3_column_int(s, 1);
	q->ack_state = (uint8_t)sqlite3_column_int(s, 2);
	q->has_body = sqlite3_column_int(s, 3) != 0;
	q->routed = sqlite3_column_int(s, 4) != 0;
	(void)db_blob(s, 5, q->d, sizeof(q->d));
	db_text(s, 6, q->name, sizeof(q->name));
	db_stop(s);
	return RC_OK;
}

/* PROTOCOL 2.19.3, .32: who may say what of which envelope. */
static bool
state_allowed(const struct acked *q, const struct store_ack_in *a)
{
	switch (a->state) {
	case STORE_ACK_RELAYED:
		return q->routed && a->routed == NULL;
	case STORE_ACK_RECEIVED:
	case STORE_ACK_OPENED:
		return q->routed == (a->routed != NULL);
	case STORE_ACK_REFUSED:
		return true;
	case STORE_ACK_DAMAGED:
		return a->routed == NULL;
	default:
		return false;
	}
}

/* The state kept for a routed name takes the place of the row's. */
static enum rc
routed_load(struct store *st, struct acked *q, const char *name, bool *known,
    struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	if ((rc = DB_ASK(st, e, &s, "SELECT ack_state FROM queue_route "
	    "WHERE queue = ?1 AND name = ?2", V_I(q->id), V_S(name))) !=
	    RC_OK || (rc = db_next(st, s, known, e)) != RC_OK || !*known)
		return rc;
	q->ack_state = (uint8_t)sqlite3_column_int(s, 0);
	db_stop(s);
	return RC_OK;
}

static enum rc
ack_judge(struct store *st, struct acked *q, struct store_ack_in *a,
    struct err *e)
{
	char peer[STORE_IDENTITY_BYTES];
	bool known = true;
	enum rc rc;

	a->result = STORE_ACK_UNKNOWN;
	if ((rc = acked_load(st, a->t, q, e)) != RC_OK || q->id == 0)
		return rc;
	peer_name(a->peer, peer);
	a->result = STORE_ACK_WRONG_PEER;
	if (strcmp(peer, q->name) != 0)
		return RC_OK;
	if (a->routed != NULL &&
	    (rc = routed_load(st, q, a->routed, &known, e)) != RC_OK)
		return rc;
	if (!known)
		a->result = STORE_ACK_UNKNOWN;
	else if (!state_allowed(q, a))
		a->result = STORE_ACK_WRONG_STATE;
	else if ((a->state == STORE_ACK_RECEIVED ||
	    a->state == STORE_ACK_OPENED) &&
	    memcmp(a->d, q->d, STORE_D_BYTES) != 0)
		a->result = STORE_ACK_WRONG_D;
	else if (ack_rank(a->state) <= ack_rank(q->ack_state))
		a->result = STORE_ACK_REPEATED;
	else
		a->result = STORE_ACK_APPLIED;
	return RC_OK;
}

/* Whatever we thought of the relay: it is known to have arrived. */
static enum rc
arrived(struct store *st, const struct acked *q, int64_t now, struct err *e)
{
	if (q->state == STORE_SENT)
		return RC_OK;
	return DB_DO(st, e, "UPDATE queue SET state = 4, owner = NULL, "
	    "sent_at = ?2, notice = 0 WHERE id = ?1", V_I(q->id), V_I(now));
}

static enum rc
ended(struct store *st, const struct acked *q, bool received, struct err *e)
{
	enum rc rc;

	if ((rc = DB_DO(st, e, "UPDATE queue SET done = ?2 WHERE id = ?1",
	    V_I(q->id), V_I(received ? 1 : 2))) != RC_OK)
		return rc;
	return out_body_drop(st, q->id, e);
}

static enum rc
damaged(struct store *st, const struct acked *q, struct store_ack_in *a,
    int64_t now, struct err *e)
{
	if (q->state != STORE_SENT || !q->has_body)
		return RC_OK;
	a->resend = true;
	return DB_DO(st, e, "UPDATE queue SET state = 2, next_at = ?2, "
	    "since = ?2, tries = 0 WHERE id = ?1", V_I(q->id), V_I(now));
}

static enum rc
apply_direct(struct store *st, const struct acked *q, struct store_ack_in *a,
    int64_t now, struct err *e)
{
	enum rc rc;

	if ((rc = DB_DO(st, e, "UPDATE queue SET ack_state = ?2, ack_at = ?3 "
	    "WHERE id = ?1", V_I(q->id), V_I(a->state), V_I(a->at))) != RC_OK)
		return rc;
	if (a->state == STORE_ACK_DAMAGED)
		return damaged(st, q, a, now, e);
	if ((rc = arrived(st, q, now, e)) != RC_OK ||
	    a->state == STORE_ACK_RELAYED)
		return rc;
	return ended(st, q, a->state != STORE_ACK_REFUSED, e);
}

static enum rc
apply_routed(struct store *st, const struct acked *q, struct store_ack_in *a,
    int64_t now, struct err *e)
{
	int64_t open, refused;
	enum rc rc;

	if ((rc = DB_DO(st, e, "UPDATE queue_route SET ack_state = ?3, "
	    "ack_at = ?4 WHERE queue = ?1 AND name = ?2", V_I(q->id),
	    V_S(a->routed), V_I(a->state), V_I(a->at))) != RC_OK ||
	    (rc = arrived(st, q, now, e)) != RC_OK)
		return rc;
	if ((rc = DB_INT(st, e, &open, "SELECT count(*) FROM queue_route "
	    "WHERE queue = ?1 AND ack_state NOT IN (2, 3, 16)",
	    V_I(q->id))) != RC_OK || open != 0)
		return rc;
	if ((rc = DB_INT(st, e, &refused, "SELECT count(*) FROM queue_route "
	    "WHERE queue = ?1 AND ack_state = 16", V_I(q->id))) != RC_OK)
		return rc;
	return ended(st, q, refused == 0, e);
}

/* At the hub: tell the original sender what his recipient said. */
static enum rc
pass_on(struct store *st, const struct acked *q, const struct store_ack_in *a,
    int64_t due_at, struct err *e)
{
	struct store_origin o;
	const struct ack_put ack = { o.identity, o.t, q->name, a->state,
	    a->at, o.d, due_at };
	enum rc rc;

	if (a->routed != NULL || a->state == STORE_ACK_DAMAGED ||
	    a->state == STORE_ACK_RELAYED)
		return RC_OK;
	if ((rc = store_hub_origin(st, a->t, q->name, &o, e)) != RC_OK ||
	    !o.known)
		return rc;
	return ack_put(st, &ack, e);
}

enum rc
ack_apply(struct store *st, struct store_ack_in *a, int64_t now,
    int64_t due_at, struct err *e)
{
	struct acked q;
	enum rc rc;

	a->resend = false;
	if ((rc = ack_judge(st, &q, a, e)) != RC_OK ||
	    a->result != STORE_ACK_APPLIED)
		return rc;
	if ((rc = a->routed == NULL ? apply_direct(st, &q, a, now, e) :
	    apply_routed(st, &q, a, now, e)) != RC_OK ||
	    (rc = follow_acked(st, q.id, a->routed != NULL ? a->routed :
	    q.name, a->state, now, e)) != RC_OK)
		return rc;
	return pass_on(st, &q, a, due_at, e);
}
