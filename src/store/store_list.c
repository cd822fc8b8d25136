/*
 * What a server has, against what is known.  The listing lies in a temporary
 * table (a file of SQLite's own when it is large), so a million ids cost no
 * memory, and no write to the store.
 */
#include "config.h"

#include <stdlib.h>

#include "store/db.h"
#include "store/store_in.h"

struct store_list {
	struct store	*st;
	int64_t		 number;
	int64_t		 at;		/* wanted ids given so far */
	bool		 any;		/* or the table need not be asked */
	bool		 lacks;		/* some that are there */
	char		 account[STORE_LABEL_BYTES];
};

static enum rc
names_drop(struct store *st, const char *account, struct err *e)
{
	enum rc rc = DB_DO(st, e, "DELETE FROM incoming WHERE account = ?1 "
	    "AND state IN (3, 5)", V_T(account));

	return rc != RC_OK ? rc : DB_DO(st, e, "UPDATE incoming SET gone = 1, "
	    "uid = " NO_NAME " WHERE account = ?1", V_T(account));
}

enum rc
store_account_at(struct store *st, const char *account, const char *place,
    bool *other, struct err *e)
{
	int64_t known;		/* 1: at another place, 2: there */
	enum rc rc;

	*other = false;
	if ((rc = DB_INT(st, e, &known, "SELECT ifnull((SELECT 1 + "
	    "(place = ?2) FROM account WHERE name = ?1), 0)", V_T(account),
	    V_S(place))) != RC_OK)
		return rc;
	*other = known == 1;
	if (known == 2 || st->mode == STORE_READ)
		return RC_OK;
	if ((rc = tx_begin(st, e)) != RC_OK)
		return rc;
	if (*other)
		rc = names_drop(st, account, e);
	if (rc == RC_OK)
		rc = DB_DO(st, e, "INSERT OR REPLACE INTO account "
		    "(name, place) VALUES (?1, ?2)", V_T(account), V_S(place));
	return TX_END(st, rc, "account", e);
}

enum rc
store_list_begin(struct store *st, const char *account, struct store_list **l,
    struct err *e)
{
	BUG_ON(strlen(account) >= STORE_LABEL_BYTES);
	if ((*l = calloc(1, sizeof(**l))) == NULL)
		return err_set(e, RC_NOMEM, _("store: out of memory"));
	(*l)->st = st;
	(*l)->number = ++st->lists;
	memcpy((*l)->account, account, strlen(account) + 1);
	return RC_OK;
}

enum rc
store_list_add(struct store_list *l, const struct store_uid *uids, size_t n,
    struct err *e)
{
	struct store *st = l->st;
	enum rc rc;

	/* Touches the temporary file only: locks nobody out. */
	store_read_end(st);
	l->any = true;
	if ((rc = db_exec(st, "BEGIN", e)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = DB_DO(st, e, "INSERT OR IGNORE INTO listed (list, uid) "
		    "VALUES (?1, ?2)", V_I(l->number),
		    V_B(uids[i].p, uids[i].len));
	if (rc == RC_OK)
		return tx_commit(st, e);
	tx_rollback(st);
	return rc;
}

#define NOT_LISTED "NOT EXISTS (SELECT 1 FROM listed l WHERE l.list = ?2 " \
	"AND l.uid = incoming.uid)"

/* Is there anything that _end() has to write? */
static enum rc
list_differs(struct store_list *l, int64_t *differs, struct err *e)
{
	return DB_INT(l->st, e, differs, "SELECT EXISTS (SELECT 1 "
	    "FROM incoming i WHERE i.account = ?1 AND ("
	    "(i.gone = 1 AND i.state IN (3, 5)) OR "
	    "i.gone = EXISTS (SELECT 1 FROM listed l WHERE l.list = ?2 "
	    "AND l.uid = i.uid)))", V_T(l->account), V_I(l->number));
}

/* What cannot be forgotten, because its octets are here, loses its name. */
static enum rc
names_used_again(struct store_list *l, struct err *e)
{
	return DB_DO(l->st, e, "UPDATE incoming SET uid = " NO_NAME
	    " WHERE account = ?1 AND gone = 1 AND NOT " NOT_LISTED,
	    V_T(l->account), V_I(l->number));
}

static enum rc
list_apply(struct store_list *l, struct err *e)
{
	struct store *st = l->st;
	enum rc rc;

	if ((rc = DB_DO(st, e, "DELETE FROM incoming WHERE account = ?1 "
	    "AND gone = 1 AND state IN (3, 5)", V_T(l->account))) != RC_OK ||
	    (rc = names_used_again(l, e)) != RC_OK || l->lacks)
		return rc;
	return DB_DO(st, e, "UPDATE incoming SET gone = 1 "
	    "WHERE account = ?1 AND gone = 0 AND " NOT_LISTED,
	    V_T(l->account), V_I(l->number));
}

static enum rc
wanted_count(struct store_list *l, int64_t *n, struct err *e)
{
	*n = 0;
	if (!l->any)
		return RC_OK;
	return DB_INT(l->st, e, n, "SELECT count(*) FROM listed l "
	    "WHERE l.list = ?2 AND NOT EXISTS (SELECT 1 FROM incoming i "
	    "WHERE i.account = ?1 AND i.uid = l.uid)",
	    V_T(l->account), V_I(l->number));
}

void
store_list_lacks(struct store_list *l)
{
	l->lacks = true;
}

/* Counted before it is promised: a listing that failed has not been one. */
enum rc
store_list_end(struct store_list *l, size_t *wanted, struct err *e)
{
	struct store *st = l->st;
	int64_t n = 0, differs;
	enum rc rc;

	*wanted = 0;
	if ((rc = list_differs(l, &differs, e)) != RC_OK)
		return rc;
	if (!differs || st->mode == STORE_READ) {
		rc = wanted_count(l, &n, e);
	} else if ((rc = tx_begin(st, e)) == RC_OK) {
		if ((rc = list_apply(l, e)) == RC_OK)
			rc = wanted_count(l, &n, e);
		rc = TX_END(st, rc, "list", e);
	}
	if (rc == RC_OK)
		*wanted = (size_t)n;
	return rc;
}

enum rc
store_list_wanted(struct store_list *l, struct store_uid *out, size_t max,
    size_t *n, struct err *e)
{
	struct store *st = l->st;
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*n = 0;
	if (!l->any)
		return RC_OK;
	if ((rc = DB_ASK(st, e, &s, "SELECT l.id, l.uid FROM listed l "
	    "WHERE l.list = ?2 AND l.id > ?3 AND NOT EXISTS (SELECT 1 "
	    "FROM incoming i WHERE i.account = ?1 AND i.uid = l.uid) "
	    "ORDER BY l.id LIMIT ?4", V_T(l->account), V_I(l->number),
	    V_I(l->at), V_I(max))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		struct store_uid *u = &out[(*n)++];

		l->at = sqlite3_column_int64(s, 0);
		u->len = (uint8_t)sqlite3_column_bytes(s, 1);
		(void)db_blob(s, 1, u->p, u->len);
	}
	return rc;
}

void
store_list_free(struct store_list **l)
{
	struct err ignored = ERR_INIT;

	if (*l == NULL)
		return;
	/* What cannot be removed goes when the store is closed. */
	if ((*l)->any)
		(void)DB_DO((*l)->st, &ignored, "DELETE FROM listed "
		    "WHERE list = ?1", V_I((*l)->number));
	free(*l);
	*l = NULL;
}
