#include "config.h"

#include "store/db.h"

void
peer_name(const char *identity, char out[STORE_IDENTITY_BYTES])
{
	size_t len = strcspn(identity, "#");

	BUG_ON(len >= STORE_IDENTITY_BYTES);
	memcpy(out, identity, len);
	out[len] = '\0';
}

enum rc
peer_id(struct store *st, const char *identity, int64_t *id, struct err *e)
{
	size_t len = strlen(identity);
	enum rc rc;

	BUG_ON(!st->in_tx || len >= STORE_IDENTITY_BYTES);
	*id = st->peer;
	if (*id != 0 && strcmp(identity, st->peer_is) == 0)
		return RC_OK;
	if ((rc = DB_INT(st, e, id, "SELECT id FROM peer WHERE identity = ?1",
	    V_S(identity))) != RC_OK)
		return rc;
	if (*id == 0) {
		if ((rc = DB_DO(st, e, "INSERT INTO peer (identity) "
		    "VALUES (?1)", V_S(identity))) != RC_OK)
			return rc;
		*id = sqlite3_last_insert_rowid(st->db);
	}
	/* The next message is often of the same. */
	memcpy(st->peer_is, identity, len + 1);
	st->peer = *id;
	return RC_OK;
}
