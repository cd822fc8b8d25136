/* The passes there were; what the alarms look at, beside the queue. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/db.h"

/* ---- Passes --------------------------------------------------------- */

/*
 * They are no promise, and stand beside the database, in a ring of records
 * that is never synced: of a pass that finds nothing they would be all that
 * is written, and SQLite syncs a log twice to begin it and twice to end it.
 * The number of the last one stands first.
 */

void
pass_open(struct store *st, const char *dir)
{
	char path[1024];

	st->pass_fd = -1;
	if ((size_t)snprintf(path, sizeof(path), "%s/passes", dir) >=
	    sizeof(path))
		return;
	if (st->mode != STORE_READ)
		st->pass_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	/* What may only be read is known at least. */
	if (st->pass_fd < 0)
		st->pass_fd = open(path, O_RDONLY | O_CLOEXEC);
}

void
pass_close(struct store *st)
{
	if (st->pass_fd >= 0)
		(void)close(st->pass_fd);
	st->pass_fd = -1;
}

static off_t
place_of(int64_t id)
{
	return PASS_NUMBER_BYTES + id % STORE_PASSES * PASS_RECORD_BYTES;
}

/* 0: none yet, or not to be read. */
static int64_t
last_id(const struct store *st)
{
	uint8_t b[PASS_NUMBER_BYTES];
	int64_t id;

	if (st->pass_fd < 0 || pread(st->pass_fd, b, sizeof(b), 0) !=
	    (ssize_t)sizeof(b))
		return 0;
	id = (int64_t)get_be64(b);
	return id > 0 && id < INT64_MAX / 2 ? id : 0;
}

static enum rc
put(const struct store *st, const void *p, size_t len, off_t at,
    struct err *e)
{
	return pwrite(st->pass_fd, p, len, at) == (ssize_t)len ? RC_OK :
	    err_sys(e, "passes");
}

static enum rc
record_put(const struct store *st, const struct store_pass *p, struct err *e)
{
	uint8_t b[PASS_RECORD_BYTES] = { 0 };

	put_be64(b, (uint64_t)p->id);
	put_be64(b + 8, (uint64_t)p->began_at);
	put_be64(b + 16, (uint64_t)p->seen_at);
	put_be64(b + 24, (uint64_t)p->ended_at);
	put_be32(b + 32, (uint32_t)p->code);
	memcpy(b + PASS_TEXT_AT, p->text, STORE_TEXT_BYTES);
	return put(st, b, sizeof(b), place_of(p->id), e);
}

/* False: another stands in its place, or none. */
static bool
record_get(const struct store *st, int64_t id, struct store_pass *p)
{
	uint8_t b[PASS_RECORD_BYTES];

	if (pread(st->pass_fd, b, sizeof(b), place_of(id)) !=
	    (ssize_t)sizeof(b) || (int64_t)get_be64(b) != id)
		return false;
	p->id = id;
	p->began_at = (int64_t)get_be64(b + 8);
	p->seen_at = (int64_t)get_be64(b + 16);
	p->ended_at = (int64_t)get_be64(b + 24);
	p->code = (int)get_be32(b + 32);
	memcpy(p->text, b + PASS_TEXT_AT, STORE_TEXT_BYTES);
	p->text[STORE_TEXT_BYTES - 1] = '\0';
	return true;
}

enum rc
store_pass_begin(struct store *st, struct store_pass *p, struct err *e)
{
	const struct store_pass one = { .id = last_id(st) + 1,
	    .began_at = p->began_at, .seen_at = p->began_at };
	uint8_t b[PASS_NUMBER_BYTES];
	enum rc rc = record_put(st, &one, e);

	p->id = one.id;
	put_be64(b, (uint64_t)one.id);
	return rc == RC_OK ? put(st, b, sizeof(b), 0, e) : rc;
}

enum rc
store_pass_seen(struct store *st, const struct store_pass *p, struct err *e)
{
	return record_put(st, p, e);
}

enum rc
store_pass_list(struct store *st, int64_t since, struct store_pass *out,
    size_t max, size_t *n, struct err *e)
{
	int64_t last = last_id(st);

	(void)e;
	*n = 0;
	for (int64_t id = last; id > 0 && id > last - STORE_PASSES &&
	    *n < max; id--)
		if (record_get(st, id, &out[*n]) && out[*n].seen_at >= since)
			++*n;
	return RC_OK;
}

/* When the oldest that is remembered began; 0: none is. */
static int64_t
first_began(const struct store *st)
{
	int64_t last = last_id(st);
	int64_t id = last > STORE_PASSES ? last - STORE_PASSES + 1 : 1;
	struct store_pass p;

	for (; id <= last; id++)
		if (record_get(st, id, &p))
			return p.began_at;
	return 0;
}

/* --- Accounts that fail ------------------------------------------------ */

enum rc
store_down(struct store *st, const char *account, int64_t *since,
    char text[STORE_TEXT_BYTES], struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*since = 0;
	text[0] = '\0';
	if ((rc = DB_ASK(st, e, &s, "SELECT since, text FROM down "
	    "WHERE name = ?1", V_T(account))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	*since = sqlite3_column_int64(s, 0);
	db_text(s, 1, text, STORE_TEXT_BYTES);
	db_stop(s);
	return RC_OK;
}

enum rc
store_down_set(struct store *st, const char *account, int64_t now,
    const char *text, bool *known, struct err *e)
{
	int64_t said;
	enum rc rc;

	*known = false;
	if ((rc = DB_INT(st, e, &said, "SELECT said_at FROM down "
	    "WHERE name = ?1 AND text = ?2", V_T(account), V_S(text))) !=
	    RC_OK)
		return rc;
	*known = said != 0 && now >= said && now < said + STORE_SAID_S;
	if (*known)
		return RC_OK;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "INSERT INTO down (name, since, said_at, text) "
	    "VALUES (?1, ?2, ?2, ?3) ON CONFLICT (name) DO UPDATE "
	    "SET said_at = ?2, text = ?3", V_T(account), V_I(now),
	    V_S(text));
	return TX_END(st, rc, "down", e);
}

enum rc
store_down_up(struct store *st, const char *account, struct err *e)
{
	char text[STORE_TEXT_BYTES];
	int64_t since;
	enum rc rc;

	if ((rc = store_down(st, account, &since, text, e)) != RC_OK ||
	    since == 0)
		return rc;
	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "DELETE FROM down WHERE name = ?1", V_T(account));
	return TX_END(st, rc, "down", e);
}

/* --- Our own keys, the clock ------------------------------------------- */

enum rc
store_keys(struct store *st, struct store_key out[STORE_KEYS_MAX], size_t *n,
    int64_t *looked_at, struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*n = 0;
	*looked_at = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT name, until, looked_at, "
	    "barred FROM own_key LIMIT ?1", V_I(STORE_KEYS_MAX))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		db_text(s, 0, out[*n].name, sizeof(out[*n].name));
		out[*n].barred = sqlite3_column_int(s, 3) != 0;
		out[(*n)++].until = sqlite3_column_int64(s, 1);
		*looked_at = sqlite3_column_int64(s, 2);
	}
	if (rc == RC_OK && *n == 0)
		*looked_at = first_began(st);
	return rc;
}

enum rc
store_keys_known(struct store *st, bool *known, struct err *e)
{
	int64_t n;
	enum rc rc = DB_INT(st, e, &n, "SELECT EXISTS (SELECT 1 FROM own_key)");

	*known = rc == RC_OK && n != 0;
	return rc;
}

enum rc
store_keys_put(struct store *st, int64_t now, const struct store_key *k,
    size_t n, struct err *e)
{
	enum rc rc;

	if ((rc = tx_begin_lazy(st, e)) != RC_OK)
		return rc;
	rc = DB_DO(st, e, "DELETE FROM own_key");
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = DB_DO(st, e, "INSERT INTO own_key (name, until, "
		    "looked_at, barred) VALUES (?1, ?2, ?3, ?4) "
		    "ON CONFLICT (name) DO UPDATE SET until = max(until, ?2)",
		    V_S(k[i].name), V_I(k[i].until), V_I(now),
		    V_I(k[i].barred));
	return TX_END(st, rc, "keys", e);
}

enum rc
store_clock_since(struct store *st, int64_t *since, struct err *e)
{
	return DB_INT(st, e, since, "SELECT max(since, 0) FROM clock "
	    "WHERE id = 1");
}
