/* What of our mail is still to be looked at, and of whom there is news. */
#include "config.h"

#include "store/db.h"

enum rc
heard_of(struct store *st, const char *who, int64_t now, struct err *e)
{
	char name[STORE_IDENTITY_BYTES];

	peer_name(who, name);
	return DB_DO(st, e, "INSERT INTO heard (name, at) VALUES (?1, ?2) "
	    "ON CONFLICT (name) DO UPDATE SET at = ?2 WHERE at <> ?2",
	    V_S(name), V_I(now));
}

/* Who never says "opened" is not waited for; who does is heard of first. */
static enum rc
follow_next(struct store *st, int64_t queue, const char *name, uint8_t state,
    int64_t now, struct err *e)
{
	enum rc rc;

	if (state != STORE_ACK_DAMAGED && (rc = DB_DO(st, e, "DELETE "
	    "FROM follow WHERE queue = ?1 AND name = ?2", V_I(queue),
	    V_S(name))) != RC_OK)
		return rc;
	switch (state) {
	case STORE_ACK_RECEIVED:
		return DB_DO(st, e, "INSERT INTO follow "
		    "(queue, name, rule, at) SELECT ?1, ?2, ?3, ?4 "
		    "FROM heard WHERE name = ?2 AND opened_at <> 0",
		    V_I(queue), V_S(name), V_I(STORE_RULE_UNOPENED),
		    V_I(now));
	case STORE_ACK_REFUSED:
		return DB_DO(st, e, "INSERT INTO follow "
		    "(queue, name, rule, at) VALUES (?1, ?2, ?3, ?4)",
		    V_I(queue), V_S(name), V_I(STORE_RULE_REFUSED), V_I(now));
	case STORE_ACK_OPENED:
		return DB_DO(st, e, "UPDATE heard SET opened_at = ?2 "
		    "WHERE name = ?1", V_S(name), V_I(now));
	}
	return RC_OK;
}

enum rc
follow_acked(struct store *st, int64_t queue, const char *name,
    uint8_t state, int64_t now, struct err *e)
{
	enum rc rc;

	if (state == STORE_ACK_RELAYED)
		return RC_OK;
	if ((rc = heard_of(st, name, now, e)) != RC_OK)
		return rc;
	return follow_next(st, queue, name, state, now, e);
}

/* --- What people ask --------------------------------------------------- */

static int64_t *
step_of(struct store_steps *s, const char *event)
{
	const struct { const char *event; int64_t *at; } steps[] = {
		{ "relayed", &s->relayed_at }, { "received", &s->received_at },
		{ "opened", &s->opened_at }, { "refused", &s->refused_at },
		{ "damaged", &s->damaged_at },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].event, event) == 0)
			return steps[i].at;
	return NULL;
}

/* "Relayed" is said once, by the gateway, of all who are behind it. */
static void
step_read(sqlite3_stmt *s, const char *name, struct store_steps *out)
{
	char event[16], who[STORE_IDENTITY_BYTES], bare[STORE_IDENTITY_BYTES];
	int64_t *at;

	db_text(s, 0, event, sizeof(event));
	db_text(s, 1, who, sizeof(who));
	peer_name(who, bare);
	if ((at = step_of(out, event)) != NULL &&
	    (strcmp(bare, name) == 0 || at == &out->relayed_at))
		*at = sqlite3_column_int64(s, 2);
}

enum rc
store_steps(struct store *st, int64_t id, const char *name,
    struct store_steps *out, struct err *e)
{
	char bare[STORE_IDENTITY_BYTES];
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	peer_name(name, bare);
	memset(out, 0, sizeof(*out));
	if ((rc = DB_ASK(st, e, &s, "SELECT event, who, at FROM register "
	    "WHERE t = (SELECT t FROM queue WHERE id = ?1) AND way = 'out' "
	    "ORDER BY id", V_I(id))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got)
		step_read(s, bare, out);
	if (rc != RC_OK)
		return rc;
	return DB_INT(st, e, &out->unopened_at, "SELECT at FROM follow "
	    "WHERE queue = ?1 AND name = ?2 AND rule = ?3", V_I(id),
	    V_S(bare), V_I(STORE_RULE_UNOPENED));
}

enum rc
store_heard(struct store *st, const char *name, int64_t *at, struct err *e)
{
	char bare[STORE_IDENTITY_BYTES];

	peer_name(name, bare);
	return DB_INT(st, e, at, "SELECT at FROM heard WHERE name = ?1",
	    V_S(bare));
}

enum rc
store_follow_list(struct store *st, int64_t before, int64_t after,
    struct store_out *out, size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT " OUT_COLS " FROM queue "
	    "WHERE id IN (SELECT queue FROM follow WHERE rule = ?1 "
	    "AND at < ?2) AND id > ?3 ORDER BY id LIMIT ?4",
	    V_I(STORE_RULE_UNOPENED), V_I(before), V_I(after), V_I(max))) !=
	    RC_OK)
		return rc;
	return out_read_all(st, s, out, n, e);
}
