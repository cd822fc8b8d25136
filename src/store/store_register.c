#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "store/db.h"
#include "store/store_register.h"

#define COLS "id, at, way, event, t, d, who, hash"
#define AT_ONCE 64

void
store_hash_with(struct store *st, void (*hash)(const void *p, size_t len,
    uint8_t out[STORE_HASH_BYTES]))
{
	st->hash = hash;
}

static void
entry_read(sqlite3_stmt *s, struct store_entry *x)
{
	char way[4];

	memset(x, 0, sizeof(*x));
	x->id = sqlite3_column_int64(s, 0);
	x->at = sqlite3_column_int64(s, 1);
	db_text(s, 2, way, sizeof(way));
	x->in = strcmp(way, "in") == 0;
	db_text(s, 3, x->event, sizeof(x->event));
	(void)db_blob(s, 4, x->t, sizeof(x->t));
	(void)db_blob(s, 5, x->d, sizeof(x->d));
	db_text(s, 6, x->who, sizeof(x->who));
	x->chained = db_blob(s, 7, x->hash, sizeof(x->hash));
}

static enum rc
read_all(struct store *st, sqlite3_stmt *s, struct store_entry *out, size_t *n,
    struct err *e)
{
	bool got;
	enum rc rc;

	while ((rc = db_next(st, s, &got, e)) == RC_OK && got)
		entry_read(s, &out[(*n)++]);
	return rc;
}

enum rc
store_register_list(struct store *st, int64_t after, const uint8_t *t,
    size_t len, struct store_entry *out, size_t max, size_t *n,
    struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	rc = len == 0 ? DB_ASK(st, e, &s, "SELECT " COLS " FROM register "
	    "WHERE id > ?1 ORDER BY id LIMIT ?2", V_I(after), V_I(max)) :
	    DB_ASK(st, e, &s, "SELECT " COLS " FROM register WHERE t >= ?3 "
	    "AND substr(t, 1, ?4) = ?3 AND id > ?1 ORDER BY id LIMIT ?2",
	    V_I(after), V_I(max), V_B(t, len), V_I(len));
	return rc == RC_OK ? read_all(st, s, out, n, e) : rc;
}

void
store_register_patient(const uint8_t digest[STORE_PATIENT_BYTES],
    char who[STORE_PATIENT_WHO_BYTES])
{
	char hex[2 * STORE_PATIENT_BYTES + 1];

	hex_format(digest, STORE_PATIENT_BYTES, hex);
	snprintf(who, STORE_PATIENT_WHO_BYTES, STORE_PATIENT_MARK "%s", hex);
}

enum rc
store_register_of(struct store *st, int64_t after, const char *who,
    struct store_entry *out, size_t max, size_t *n, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	*n = 0;
	rc = DB_ASK(st, e, &s, "SELECT " COLS " FROM register WHERE "
	    "event = '" STORE_PATIENT "' AND who = ?1 AND id > ?2 "
	    "ORDER BY id LIMIT ?3", V_S(who), V_I(after), V_I(max));
	return rc == RC_OK ? read_all(st, s, out, n, e) : rc;
}

enum rc
store_witness(struct store *st, const uint8_t t[STORE_T_BYTES],
    struct store_witness *out, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = DB_ASK(st, e, &s, "SELECT author, recipient, year, at, d, "
	    "proof FROM witness WHERE t = ?1", V_B(t, STORE_T_BYTES))) !=
	    RC_OK || (rc = db_next(st, s, &out->there, e)) != RC_OK ||
	    !out->there)
		return rc;
	db_text(s, 0, out->author, sizeof(out->author));
	db_text(s, 1, out->recipient, sizeof(out->recipient));
	out->year = (uint16_t)sqlite3_column_int(s, 2);
	out->at = sqlite3_column_int64(s, 3);
	(void)db_blob(s, 4, out->d, sizeof(out->d));
	(void)db_blob(s, 5, out->proof, sizeof(out->proof));
	db_stop(s);
	return RC_OK;
}

bool
store_register_line(const struct store_entry *x, struct buf *out)
{
	char at[CLOCK_3339_BYTES], t[2 * STORE_T_BYTES + 1],
	    d[2 * STORE_D_BYTES + 1];

	clock_3339(x->at, at);
	hex_format(x->t, sizeof(x->t), t);
	hex_format(x->d, sizeof(x->d), d);
	return buf_addf(out, "%" PRId64 " %s %s %s %s %s %s", x->id, at,
	    x->in ? "in" : "out", x->event, t, d, x->who);
}

bool
store_register_text(const uint8_t prev[STORE_HASH_BYTES],
    const struct store_entry *x, struct buf *out)
{
	char hex[STORE_HASH_HEX_BYTES];

	hex_format(prev, STORE_HASH_BYTES, hex);
	return buf_addf(out, "%s\n", hex) && store_register_line(x, out) &&
	    buf_adds(out, "\n");
}

/* ---- the chain -------------------------------------------------------- */

static enum rc
chain_one(struct store *st, uint8_t prev[STORE_HASH_BYTES],
    const struct store_entry *x, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = store_register_text(prev, x, &b);

	if (ok)
		st->hash(b.p, b.len, prev);
	buf_free(&b);
	if (!ok)
		return err_set(e, RC_NOMEM, _("store: out of memory"));
	return DB_DO(st, e, "UPDATE register SET hash = ?2 WHERE id = ?1",
	    V_I(x->id), V_B(prev, STORE_HASH_BYTES));
}

static enum rc
last_hash(struct store *st, int64_t before, uint8_t prev[STORE_HASH_BYTES],
    struct err *e)
{
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	memset(prev, 0, STORE_HASH_BYTES);
	if ((rc = DB_ASK(st, e, &s, "SELECT hash FROM register WHERE id < ?1 "
	    "ORDER BY id DESC LIMIT 1", V_I(before))) != RC_OK ||
	    (rc = db_next(st, s, &got, e)) != RC_OK || !got)
		return rc;
	(void)db_blob(s, 0, prev, STORE_HASH_BYTES);
	db_stop(s);
	return RC_OK;
}

enum rc
register_chain(struct store *st, struct err *e)
{
	struct store_entry x[AT_ONCE];
	uint8_t prev[STORE_HASH_BYTES];
	sqlite3_stmt *s;
	size_t n;
	enum rc rc;

	do {
		n = 0;
		if ((rc = DB_ASK(st, e, &s, "SELECT " COLS " FROM register "
		    "WHERE hash IS NULL ORDER BY id LIMIT ?1",
		    V_I(AT_ONCE))) != RC_OK ||
		    (rc = read_all(st, s, x, &n, e)) != RC_OK || n == 0)
			return rc;
		rc = last_hash(st, x[0].id, prev, e);
		for (size_t i = 0; rc == RC_OK && i < n; i++)
			rc = chain_one(st, prev, &x[i], e);
	} while (rc == RC_OK && n == AT_ONCE);
	return rc;
}
