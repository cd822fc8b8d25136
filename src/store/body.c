#include "config.h"

#include "store/db.h"

#define SMALL_PARTS 4	/* deleted at once; a larger body by and by */
#define REAP_PARTS 16	/* in one small transaction */
#define PART_ID(body, n) ((body) * STORE_PARTS_MAX + (int64_t)(n))

static enum rc
part_add(struct store *st, int64_t body, int64_t n, const void *p, size_t len,
    struct err *e)
{
	return DB_DO(st, e, "INSERT INTO body_part (id, data) VALUES (?1, ?2)",
	    V_I(PART_ID(body, n)), V_B(p, len));
}

enum rc
store_body_begin(struct store *st, int64_t *body, struct err *e)
{
	enum rc rc;

	*body = 0;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "INSERT INTO body (size, parts, owner) "
	    "VALUES (0, 0, ?1)", V_I(st->slot));
	if (rc == RC_OK)
		*body = sqlite3_last_insert_rowid(st->db);
	if ((rc = TX_END(st, rc, "body.begin", e)) != RC_OK)
		*body = 0;
	return rc;
}

static enum rc
body_append(struct store *st, int64_t body, const void *p, size_t len,
    struct err *e)
{
	int64_t parts;
	enum rc rc;

	if ((rc = DB_INT(st, e, &parts, "SELECT parts + 1 FROM body "
	    "WHERE id = ?1 AND owner = ?2", V_I(body), V_I(st->slot))) !=
	    RC_OK)
		return rc;
	if (parts == 0)
		return err_set(e, RC_TEMP, _("a message being written to the "
		    "store is not there any more; it will be fetched again"));
	if (parts > STORE_PARTS_MAX)
		return err_set(e, RC_TEMP, _("message too large to store"));
	if ((rc = part_add(st, body, parts - 1, p, len, e)) != RC_OK)
		return rc;
	return DB_DO(st, e, "UPDATE body SET parts = ?2, size = size + ?3 "
	    "WHERE id = ?1", V_I(body), V_I(parts), V_I(len));
}

enum rc
store_body_append(struct store *st, int64_t body, const void *p, size_t len,
    struct err *e)
{
	enum rc rc;

	BUG_ON(len == 0 || len > STORE_PART_MAX_BYTES);
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = body_append(st, body, p, len, e);
	return TX_END(st, rc, "body.append", e);
}

enum rc
store_body_abandon(struct store *st, int64_t body, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "UPDATE body SET owner = 0 "
	    "WHERE id = ?1 AND owner = ?2", V_I(body), V_I(st->slot));
	st->reap = true;
	return TX_END(st, rc, "body.abandon", e);
}

void
body_disown(struct store *st, const struct store_body *b)
{
	struct err ignored = ERR_INIT;

	/* Left behind, it is swept when this process has ended. */
	if (b->id != 0)
		(void)store_body_abandon(st, b->id, &ignored);
}

enum rc
body_attach(struct store *st, const struct store_body *b, int64_t *id,
    struct err *e)
{
	enum rc rc;

	if (b->id != 0) {
		*id = b->id;
		rc = DB_DO(st, e, "UPDATE body SET owner = NULL "
		    "WHERE id = ?1 AND owner = ?2", V_I(b->id), V_I(st->slot));
		if (rc == RC_OK && db_changed(st) != 1)
			return err_set(e, RC_TEMP, _("a message being written "
			    "to the store is not there any more; nothing was "
			    "changed"));
		return rc;
	}
	BUG_ON(b->len > STORE_PART_MAX_BYTES);
	rc = DB_DO(st, e, "INSERT INTO body (size, parts) VALUES (?1, 1)",
	    V_I(b->len));
	if (rc != RC_OK)
		return rc;
	*id = sqlite3_last_insert_rowid(st->db);
	return part_add(st, *id, 0, b->p, b->len, e);
}

enum rc
body_drop(struct store *st, int64_t id, struct err *e)
{
	enum rc rc;

	if (id == 0)
		return RC_OK;
	if ((rc = DB_DO(st, e, "DELETE FROM body WHERE id = ?1 "
	    "AND parts <= ?2", V_I(id), V_I(SMALL_PARTS))) != RC_OK)
		return rc;
	if (db_changed(st) != 0)
		return DB_DO(st, e, "DELETE FROM body_part WHERE id >= ?1 "
		    "AND id < ?2", V_I(PART_ID(id, 0)),
		    V_I(PART_ID(id + 1, 0)));
	st->reap = true;
	return DB_DO(st, e, "UPDATE body SET owner = 0 WHERE id = ?1",
	    V_I(id));
}

/* The last parts first: ${parts} stays true of what is left. */
static enum rc
reap_some(struct store *st, int64_t *id, struct err *e)
{
	int64_t parts;
	enum rc rc;

	if ((rc = DB_INT(st, e, id, "SELECT min(id) FROM body "
	    "WHERE owner = ?1", V_I(DB_SLOT_CONDEMNED))) != RC_OK || *id == 0)
		return rc;
	if ((rc = DB_INT(st, e, &parts, "SELECT parts FROM body "
	    "WHERE id = ?1", V_I(*id))) != RC_OK)
		return rc;
	parts = parts > REAP_PARTS ? parts - REAP_PARTS : 0;
	if ((rc = DB_DO(st, e, "DELETE FROM body_part WHERE id >= ?1 "
	    "AND id < ?2", V_I(PART_ID(*id, parts)),
	    V_I(PART_ID(*id + 1, 0)))) != RC_OK)
		return rc;
	if (parts == 0)
		return DB_DO(st, e, "DELETE FROM body WHERE id = ?1",
		    V_I(*id));
	return DB_DO(st, e, "UPDATE body SET parts = ?2 WHERE id = ?1",
	    V_I(*id), V_I(parts));
}

enum rc
body_reap(struct store *st, struct err *e)
{
	int64_t id = 1;
	enum rc rc = RC_OK;

	while (rc == RC_OK && id != 0) {
		if ((rc = tx_begin_lazy(st, e)) != RC_OK)
			return rc;
		rc = reap_some(st, &id, e);
		rc = TX_END(st, rc, "body.reap", e);
	}
	return rc;
}

/* --- Reading ----------------------------------------------------------- */

static enum rc
body_lost(struct err *e)
{
	return err_set(e, RC_TEMP, _("this message is not in the store any "
	    "more"));
}

enum rc
store_body_size(struct store *st, int64_t body, uint64_t *size, struct err *e)
{
	int64_t n;
	enum rc rc;

	*size = 0;
	if ((rc = DB_INT(st, e, &n, "SELECT size + 1 FROM body "
	    "WHERE id = ?1 AND owner IS NOT 0", V_I(body))) != RC_OK)
		return rc;
	if (n == 0)
		return body_lost(e);
	*size = (uint64_t)n - 1;
	return RC_OK;
}

enum rc
store_body_part(struct store *st, int64_t body, uint32_t n, struct buf *out,
    struct err *e)
{
	sqlite3_stmt *s;
	int64_t parts;
	bool got;
	enum rc rc;

	buf_wipe(out);
	if ((rc = DB_ASK(st, e, &s, "SELECT p.data FROM body b JOIN "
	    "body_part p ON p.id = ?2 WHERE b.id = ?1 "
	    "AND b.owner IS NOT 0 AND b.parts > ?3", V_I(body),
	    V_I(PART_ID(body, n)), V_I(n))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK)
		return rc;
	if (got) {
		if (!db_buf(s, 0, out))
			rc = err_set(e, RC_NOMEM, _("store: out of memory"));
		db_stop(s);
		return rc;
	}
	if ((rc = DB_INT(st, e, &parts, "SELECT parts + 1 FROM body "
	    "WHERE id = ?1 AND owner IS NOT 0", V_I(body))) != RC_OK)
		return rc;
	return parts == 0 || n < parts - 1 ? body_lost(e) : RC_OK;
}
