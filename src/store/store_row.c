#include "config.h"

#include "store/db.h"

#define KEY_MAX_BYTES 255

enum rc
store_row_get(struct store *st, struct bytes key, struct buf *out,
    uint32_t *version, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	buf_wipe(out);
	*version = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT value, version FROM row "
	    "WHERE key = ?1", V_B(key.p, key.len))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	*version = (uint32_t)sqlite3_column_int64(s, 1);
	if (!db_buf(s, 0, out))
		rc = err_set(e, RC_NOMEM, _("store: out of memory"));
	db_stop(s);
	return rc;
}

static enum rc
row_write(struct store *st, const struct store_row *row, struct err *e)
{
	if (row->value.len == 0)
		return DB_DO(st, e, "DELETE FROM row WHERE key = ?1 "
		    "AND version = ?2", V_B(row->key.p, row->key.len),
		    V_I(row->version));
	if (row->version == 0)
		return DB_DO(st, e, "INSERT INTO row "
		    "(key, value, address, version) VALUES (?1, ?2, ?3, 1) "
		    "ON CONFLICT (key) DO NOTHING",
		    V_B(row->key.p, row->key.len),
		    V_B(row->value.p, row->value.len), V_S(row->address));
	return DB_DO(st, e, "UPDATE row SET value = ?2, address = ?3, "
	    "version = version + 1 WHERE key = ?1 AND version = ?4",
	    V_B(row->key.p, row->key.len),
	    V_B(row->value.p, row->value.len), V_S(row->address),
	    V_I(row->version));
}

enum rc
row_put(struct store *st, const struct store_row *row, struct err *e)
{
	enum rc rc;

	BUG_ON(row->key.len == 0 || row->key.len > KEY_MAX_BYTES);
	if (row->value.len == 0 && row->version == 0)
		return RC_OK;
	if ((rc = row_write(st, row, e)) != RC_OK)
		return rc;
	if (db_changed(st) != 1)
		return err_set(e, RC_TEMP, _("another sceau changed the same "
		    "facts meanwhile; nothing was changed, it will be tried "
		    "again"));
	return RC_OK;
}

enum rc
store_row_put(struct store *st, const struct store_row *rows, size_t n,
    struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = row_put(st, &rows[i], e);
	return TX_END(st, rc, "row", e);
}

enum rc
store_row_next(struct store *st, const char *address, struct bytes after,
    struct buf *key, struct buf *value, uint32_t *version, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*version = 0;
	rc = address == NULL ?
	    DB_ASK(st, e, &s, "SELECT key, value, version FROM row "
	    "WHERE key > ?1 ORDER BY key LIMIT 1", V_B(after.p, after.len)) :
	    DB_ASK(st, e, &s, "SELECT key, value, version FROM row "
	    "WHERE key > ?1 AND address = ?2 ORDER BY key LIMIT 1",
	    V_B(after.p, after.len), V_S(address));
	if (rc != RC_OK || (rc = db_next(st, s, &got, e)) != RC_OK)
		return rc;
	/* ${after} may lie in ${key}: it has been read by now. */
	buf_wipe(key);
	buf_wipe(value);
	if (!got)
		return RC_OK;
	*version = (uint32_t)sqlite3_column_int64(s, 2);
	if (!db_buf(s, 0, key) || !db_buf(s, 1, value))
		rc = err_set(e, RC_NOMEM, _("store: out of memory"));
	db_stop(s);
	return rc;
}
