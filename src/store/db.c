#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db.h"

const struct db_val db_none[] = { V_END };

enum rc
db_damaged(struct err *e, const char *why)
{
	return err_set(e, RC_CONF, _("the store is damaged (%s); it was left "
	    "as it is, and mail not yet fetched is safe on its server: run "
	    "\"sceau restored\", which keeps what can be read of it, or put "
	    "back a backup of its folder first"), why);
}

enum rc
db_err(struct store *st, struct err *e, const char *what)
{
	int code = sqlite3_extended_errcode(st->db);

	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return err_set(e, RC_NOMEM, _("store: out of memory"));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, RC_TEMP, _("the store is busy with another "
		    "sceau; nothing was changed, it will be tried again"));
	case SQLITE_FULL:
		return err_set(e, RC_TEMP, _("no room left for the store; "
		    "nothing was changed or lost: free some disk space"));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return db_damaged(e, sqlite3_errmsg(st->db));
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return err_set(e, RC_CONF, _("the store cannot be written "
		    "(%s): look at the owner and rights of its folder"),
		    sqlite3_errmsg(st->db));
	default:
		return err_set(e, RC_TEMP, _("store: %s: %s (%d); nothing was "
		    "changed"), what, sqlite3_errmsg(st->db), code);
	}
}

enum rc
db_exec(struct store *st, const char *sql, struct err *e)
{
	if (sqlite3_exec(st->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_err(st, e, sql);
	return RC_OK;
}

/* --- Statements -------------------------------------------------------- */

static enum rc
stmt_find(struct store *st, const char *sql, sqlite3_stmt **s, struct err *e)
{
	size_t at = ((uintptr_t)sql >> 2) * 2654435761U % DB_STMTS;
	size_t tried = 0;

	while (st->stmt[at].sql != NULL && st->stmt[at].sql != sql) {
		BUG_ON(++tried > DB_STMTS / 2);
		at = (at + 1) % DB_STMTS;
	}
	if (st->stmt[at].sql == NULL) {
		if (sqlite3_prepare_v3(st->db, sql, -1,
		    SQLITE_PREPARE_PERSISTENT, &st->stmt[at].s, NULL) !=
		    SQLITE_OK)
			return db_err(st, e, "prepare");
		st->stmt[at].sql = sql;
	}
	*s = st->stmt[at].s;
	BUG_ON(sqlite3_stmt_busy(*s));
	return RC_OK;
}

static int
bind_one(sqlite3_stmt *s, int at, const struct db_val *v)
{
	switch (v->type) {
	case 'i':
		return sqlite3_bind_int64(s, at, v->i);
	case 'b':
		return sqlite3_bind_blob64(s, at, v->p == NULL ? "" : v->p,
		    v->len, SQLITE_STATIC);
	case 's':
		return v->p == NULL ? sqlite3_bind_null(s, at) :
		    sqlite3_bind_blob64(s, at, v->p, strlen(v->p),
		    SQLITE_STATIC);
	case 't':
		return v->p == NULL ? sqlite3_bind_null(s, at) :
		    sqlite3_bind_text(s, at, v->p, -1, SQLITE_STATIC);
	default:
		return sqlite3_bind_null(s, at);
	}
}

enum rc
db_ask(struct store *st, sqlite3_stmt **s, const char *sql,
    const struct db_val *v, struct err *e)
{
	enum rc rc;

	*s = NULL;
	if ((rc = stmt_find(st, sql, s, e)) != RC_OK)
		return rc;
	for (int i = 0; v[i].type != '\0'; i++) {
		if (bind_one(*s, i + 1, &v[i]) != SQLITE_OK) {
			rc = db_err(st, e, "bind");
			db_stop(*s);
			return rc;
		}
	}
	return RC_OK;
}

void
db_stop(sqlite3_stmt *s)
{
	/* The result of a reset repeats that of the step, told already. */
	if (s != NULL) {
		(void)sqlite3_reset(s);
		(void)sqlite3_clear_bindings(s);
	}
}

enum rc
db_next(struct store *st, sqlite3_stmt *s, bool *got, struct err *e)
{
	int code = sqlite3_step(s);
	enum rc rc = RC_OK;

	*got = code == SQLITE_ROW;
	if (code == SQLITE_ROW)
		return RC_OK;
	if (code != SQLITE_DONE)
		rc = db_err(st, e, "step");
	db_stop(s);
	return rc;
}

enum rc
db_do(struct store *st, const char *sql, const struct db_val *v,
    struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	if ((rc = db_ask(st, &s, sql, v, e)) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK)
		return rc;
	BUG_ON(got);
	return RC_OK;
}

enum rc
db_int(struct store *st, int64_t *n, const char *sql,
    const struct db_val *v, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*n = 0;
	if ((rc = db_ask(st, &s, sql, v, e)) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK)
		return rc;
	if (got) {
		*n = sqlite3_column_int64(s, 0);
		db_stop(s);
	}
	return RC_OK;
}

size_t
db_changed(struct store *st)
{
	return (size_t)sqlite3_changes(st->db);
}

void
db_text(sqlite3_stmt *s, int col, char *out, size_t size)
{
	const void *p = sqlite3_column_blob(s, col);
	size_t len = (size_t)sqlite3_column_bytes(s, col);

	if (len >= size)
		len = size - 1;
	if (p != NULL)
		memcpy(out, p, len);
	out[p != NULL ? len : 0] = '\0';
}

bool
db_blob(sqlite3_stmt *s, int col, void *out, size_t len)
{
	const void *p = sqlite3_column_blob(s, col);

	if (p == NULL || (size_t)sqlite3_column_bytes(s, col) != len) {
		memset(out, 0, len);
		return false;
	}
	memcpy(out, p, len);
	return true;
}

bool
db_buf(sqlite3_stmt *s, int col, struct buf *out)
{
	const void *p = sqlite3_column_blob(s, col);
	size_t len = (size_t)sqlite3_column_bytes(s, col);

	return p == NULL || len == 0 || buf_add(out, p, len);
}

/* --- Transactions ------------------------------------------------------ */

enum rc
store_read_begin(struct store *st, struct err *e)
{
	enum rc rc;

	if (st->reading)
		return RC_OK;
	BUG_ON(st->in_tx);
	if ((rc = db_exec(st, "BEGIN", e)) == RC_OK)
		st->reading = true;
	return rc;
}

void
store_read_end(struct store *st)
{
	/* Nothing was written that could fail to be. */
	if (st->reading)
		(void)sqlite3_exec(st->db, "COMMIT", NULL, NULL, NULL);
	st->reading = false;
}

/* In WAL mode NORMAL never damages: it may lose the last commits when the
 * power fails, and any later FULL commit makes all earlier ones durable. */
static enum rc
tx_start(struct store *st, bool lazy, struct err *e)
{
	enum rc rc;

	BUG_ON(st->in_tx);
	if (st->mode == STORE_READ)
		return err_set(e, RC_CONF, _("the store was opened to be read "
		    "only: nothing is changed"));
	store_read_end(st);
	st->peer = 0;
	if (lazy != st->lazy) {
		if ((rc = db_exec(st, lazy ? "PRAGMA synchronous=NORMAL" :
		    "PRAGMA synchronous=FULL", e)) != RC_OK)
			return rc;
		st->lazy = lazy;
	}
	st->changes = sqlite3_total_changes(st->db);
	if ((rc = db_exec(st, "BEGIN IMMEDIATE", e)) == RC_OK)
		st->in_tx = true;
	return rc;
}

enum rc
tx_begin(struct store *st, struct err *e)
{
	return tx_start(st, false, e);
}

enum rc
tx_begin_lazy(struct store *st, struct err *e)
{
	return tx_start(st, true, e);
}

void
tx_rollback(struct store *st)
{
	/* Some errors have rolled back already. */
	if (!sqlite3_get_autocommit(st->db))
		(void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
	st->in_tx = false;
}

enum rc
tx_commit(struct store *st, struct err *e)
{
	enum rc rc = db_exec(st, "COMMIT", e);

	if (rc != RC_OK)
		tx_rollback(st);
	st->in_tx = false;
	return rc;
}

enum rc
tx_end(struct store *st, enum rc rc, const char *before, const char *after,
    struct err *e)
{
	bool counts;

	BUG_ON(!st->in_tx);
	if (rc == RC_OK && st->hash != NULL)
		rc = register_chain(st, e);
	counts = !st->lazy && st->gone == 0 &&
	    sqlite3_total_changes(st->db) != st->changes;
	if (rc == RC_OK && counts)
		rc = commits_add(st, e);
	if (rc != RC_OK) {
		tx_rollback(st);
		st->reap = false;
		return rc;
	}
	if (before != NULL)
		FAULT(before);
	if ((rc = tx_commit(st, e)) != RC_OK)
		return rc;
	if (counts)
		commits_done(st);
	if (after != NULL)
		FAULT(after);
	if (st->reap) {
		struct err ignored = ERR_INIT;

		/* What is left of it is swept another time. */
		st->reap = false;
		(void)body_reap(st, &ignored);
	}
	return RC_OK;
}

/* --- The end ------------------------------------------------------------ */

void
db_shut(struct store *st)
{
	for (size_t i = 0; i < DB_STMTS; i++) {
		(void)sqlite3_finalize(st->stmt[i].s);
		memset(&st->stmt[i], 0, sizeof(st->stmt[i]));
	}
	/* Fails only while statements are left. */
	(void)sqlite3_close(st->db);
	st->db = NULL;
}
