#include "config.h"

#include "store/db.h"
#include "store/store_inbox.h"

/* --- Patients ---------------------------------------------------------- */

/* The same name and birth date is that person, whoever else has the name;
 * without a birth date it may be any of them. */
static enum rc
patient_judge(struct store *st, const struct store_patient *p, int64_t now,
    bool *odd, struct err *e)
{
	static const uint8_t none[STORE_PATIENT_BYTES];
	const uint8_t *birth = p->born ? p->birth : none;
	int64_t others = 0, known = 0;
	enum rc rc;

	*odd = false;
	if (!p->named)
		return RC_OK;
	if ((rc = DB_INT(st, e, &known, "SELECT EXISTS (SELECT 1 "
	    "FROM patient WHERE name = ?1 AND birth = ?2)",
	    V_B(p->name, STORE_PATIENT_BYTES),
	    V_B(birth, STORE_PATIENT_BYTES))) != RC_OK ||
	    (known == 0 && (rc = DB_INT(st, e, &others, "SELECT EXISTS "
	    "(SELECT 1 FROM patient WHERE name = ?1)",
	    V_B(p->name, STORE_PATIENT_BYTES))) != RC_OK))
		return rc;
	*odd = others != 0;
	return !p->born ? RC_OK : DB_DO(st, e, "INSERT INTO patient (name, "
	    "birth, first_at, last_at) VALUES (?1, ?2, ?3, ?3) "
	    "ON CONFLICT (name, birth) DO UPDATE SET last_at = "
	    "max(last_at, ?3)", V_B(p->name, STORE_PATIENT_BYTES),
	    V_B(birth, STORE_PATIENT_BYTES), V_I(now));
}

static enum rc
judge_all(struct store *st, struct store_filing *f, struct err *e)
{
	enum rc rc = RC_OK;
	bool odd;

	BUG_ON(f->npatients > STORE_REPORTS_MAX);
	memset(f->odd, 0, sizeof(f->odd));
	for (size_t i = 0; rc == RC_OK && i < f->npatients; i++) {
		rc = patient_judge(st, &f->patients[i], f->at, &odd, e);
		if (odd)
			f->odd[i / 8] |= (uint8_t)(1U << i % 8);
		if (odd)
			f->flags |= STORE_INBOX_OTHER_BIRTH;
	}
	return rc;
}

/* --- Rows -------------------------------------------------------------- */

static enum rc
odd_load(struct store *st, const uint8_t t[STORE_T_BYTES],
    uint8_t odd[STORE_ODD_BYTES], bool *there, struct err *e)
{
	sqlite3_stmt *s;
	enum rc rc;

	memset(odd, 0, STORE_ODD_BYTES);
	if ((rc = DB_ASK(st, e, &s, "SELECT odd FROM inbox WHERE t = ?1 "
	    "AND filing = 0", V_B(t, STORE_T_BYTES))) != RC_OK ||
	    (rc = db_next(st, s, there, e)) != RC_OK || !*there)
		return rc;
	(void)db_blob(s, 0, odd, STORE_ODD_BYTES);
	db_stop(s);
	return RC_OK;
}

enum rc
store_inbox_odd(struct store *st, const uint8_t t[STORE_T_BYTES],
    uint8_t odd[STORE_ODD_BYTES], struct err *e)
{
	bool there;

	return odd_load(st, t, odd, &there, e);
}

/* Mostly nothing is odd, and that takes no room. */
static struct db_val
odd_val(const struct store_filing *f)
{
	const struct db_val none = V_NULL, all = V_B(f->odd, sizeof(f->odd));

	return (f->flags & STORE_INBOX_OTHER_BIRTH) != 0 ? all : none;
}

/* What was found at the first intent stays so: by then its own patients are
 * known, and would look as if they had always been. */
enum rc
inbox_intent(struct store *st, int64_t incoming,
    const uint8_t t[STORE_T_BYTES], struct store_filing *f, struct err *e)
{
	bool there;
	enum rc rc;

	if ((rc = odd_load(st, t, f->odd, &there, e)) != RC_OK)
		return rc;
	if (there)
		return DB_DO(st, e, "UPDATE inbox SET flags = ?2 | "
		    "(flags & 1), at = ?3 WHERE t = ?1 AND filing = 0",
		    V_B(t, STORE_T_BYTES), V_I(f->flags), V_I(f->at));
	if ((rc = judge_all(st, f, e)) != RC_OK)
		return rc;
	return DB_DO(st, e, "INSERT INTO inbox (t, filing, received_at, at, "
	    "sender, places, reports, flags, odd) SELECT ?2, 0, put_at, ?3, "
	    "?4, ?5, ?6, ?7, ?8 FROM incoming WHERE id = ?1", V_I(incoming),
	    V_B(t, STORE_T_BYTES), V_I(f->at), V_S(f->sender),
	    V_S(f->places), V_I(f->reports), V_I(f->flags), odd_val(f));
}

enum rc
inbox_filed(struct store *st, const uint8_t t[STORE_T_BYTES], int64_t now,
    struct err *e)
{
	return DB_DO(st, e, "UPDATE inbox SET filed = 1, at = ?2 "
	    "WHERE t = ?1 AND filing = 0", V_B(t, STORE_T_BYTES), V_I(now));
}

enum rc
inbox_refiled(struct store *st, int64_t incoming, const struct store_filing *f,
    struct err *e)
{
	return DB_DO(st, e, "INSERT OR IGNORE INTO inbox (t, filing, "
	    "received_at, at, filed, sender, places, reports, flags) "
	    "SELECT t, filing, ifnull((SELECT received_at FROM inbox b "
	    "WHERE b.t = incoming.t AND b.filing = 0), put_at), ?2, 1, ?3, "
	    "?4, ?5, ?6 FROM incoming WHERE id = ?1", V_I(incoming),
	    V_I(f->at), V_S(f->sender), V_S(f->places), V_I(f->reports),
	    V_I(f->flags));
}

enum rc
store_inbox_list(struct store *st, int64_t after, int64_t since,
    unsigned flags, struct store_inbox *out, size_t max, size_t *n,
    struct err *e)
{
	struct store_inbox *x;
	sqlite3_stmt *s;
	bool got;
	enum rc rc;

	*n = 0;
	if ((rc = DB_ASK(st, e, &s, "SELECT id, t, filing, received_at, at, "
	    "sender, places, reports, flags FROM inbox WHERE id > ?1 "
	    "AND filed = 1 AND at >= ?2 AND (?3 = 0 OR flags & ?3 <> 0) "
	    "ORDER BY id LIMIT ?4", V_I(after), V_I(since), V_I(flags),
	    V_I(max))) != RC_OK)
		return rc;
	while ((rc = db_next(st, s, &got, e)) == RC_OK && got) {
		x = &out[(*n)++];
		x->id = sqlite3_column_int64(s, 0);
		(void)db_blob(s, 1, x->t, sizeof(x->t));
		x->filing = (uint32_t)sqlite3_column_int64(s, 2);
		x->received_at = sqlite3_column_int64(s, 3);
		x->filed_at = sqlite3_column_int64(s, 4);
		db_text(s, 5, x->sender, sizeof(x->sender));
		db_text(s, 6, x->places, sizeof(x->places));
		x->reports = (unsigned)sqlite3_column_int(s, 7);
		x->flags = (unsigned)sqlite3_column_int(s, 8);
	}
	return rc;
}
