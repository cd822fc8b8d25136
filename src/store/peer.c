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
	enum rc rc;

	if ((rc = DB_INT(st, e, id, "SELECT id FROM peer WHERE identity = ?1",
	    V_S(identity))) != RC_OK || *id != 0)
		return rc;
	if ((rc = DB_DO(st, e, "INSERT INTO peer (identity) VALUES (?1)",
	    V_S(identity))) != RC_OK)
		return rc;
	*id = sqlite3_last_insert_rowid(st->db);
	return RC_OK;
}
