/*
 * Each statement of each function fails, once, for each reason there is: what
 * is said is what the reason asks for, nothing has changed, and the same call
 * again does what it would have done (store.h).
 */
#define _GNU_SOURCE	/* RTLD_NEXT */
#include "store_steps_all.h"

#include <dlfcn.h>

/* --- Statements that fail ---------------------------------------------- */

static const struct {
	int	code;
	enum rc	rc;
} reasons[] = {
	{ SQLITE_IOERR_READ, RC_TEMP }, { SQLITE_NOMEM, RC_NOMEM },
	{ SQLITE_FULL, RC_TEMP }, { SQLITE_CORRUPT, RC_CONF },
	{ SQLITE_BUSY, RC_TEMP }, { SQLITE_READONLY, RC_CONF }
};
#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

static struct {
	long	left;		/* calls before the one that fails; -1: none */
	bool	first;		/* the first to be prepared fails */
	int	code;
	bool	fired;
	bool	readied;	/* by that */
	bool	inside;		/* of a call of ours */
	bool	told;		/* what went wrong last was ours */
} bad = { .left = -1 };

/* Whether this call fails. */
static bool
bad_now(void)
{
	if (bad.inside || bad.left < 0)
		return false;
	bad.told = bad.left == 0;
	bad.left--;
	bad.fired = bad.fired || bad.told;
	return bad.told;
}

/* The same of one that is made ready, which it is once only. */
static bool
bad_ready(void)
{
	if (bad.inside || !bad.first)
		return false;
	bad.first = false;
	bad.left = -1;
	bad.told = bad.fired = bad.readied = true;
	return true;
}

/* The program's own come before the library's. */
#define REAL(name) *(void **)(void *)&real = dlsym(RTLD_NEXT, name)

int
sqlite3_step(sqlite3_stmt *s)
{
	static int (*real)(sqlite3_stmt *);
	bool was = bad.inside;
	int code;

	if (bad_now())
		return bad.code;
	if (real == NULL)
		REAL("sqlite3_step");
	bad.inside = true;
	code = real(s);
	bad.inside = was;
	return code;
}

int
sqlite3_prepare_v3(sqlite3 *db, const char *sql, int len, unsigned flags,
    sqlite3_stmt **s, const char **tail)
{
	static int (*real)(sqlite3 *, const char *, int, unsigned,
	    sqlite3_stmt **, const char **);
	bool was = bad.inside;
	int code;

	*s = NULL;
	if (bad_ready())
		return bad.code;
	if (real == NULL)
		REAL("sqlite3_prepare_v3");
	bad.inside = true;
	code = real(db, sql, len, flags, s, tail);
	bad.inside = was;
	return code;
}

/* That a ROLLBACK fails has no meaning: there is nothing it could keep. */
int
sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **,
    char **), void *arg, char **why)
{
	static int (*real)(sqlite3 *, const char *, int (*)(void *, int,
	    char **, char **), void *, char **);
	bool was = bad.inside;
	int code;

	if (strcmp(sql, "ROLLBACK") != 0 && bad_now())
		return bad.code;
	if (real == NULL)
		REAL("sqlite3_exec");
	bad.inside = true;
	code = real(db, sql, row, arg, why);
	bad.inside = was;
	return code;
}

int
sqlite3_blob_open(sqlite3 *db, const char *in, const char *table,
    const char *column, sqlite3_int64 row, int flags, sqlite3_blob **out)
{
	static int (*real)(sqlite3 *, const char *, const char *,
	    const char *, sqlite3_int64, int, sqlite3_blob **);
	bool was = bad.inside;
	int code;

	*out = NULL;
	if (bad_now())
		return bad.code;
	if (real == NULL)
		REAL("sqlite3_blob_open");
	bad.inside = true;
	code = real(db, in, table, column, row, flags, out);
	bad.inside = was;
	return code;
}

int
sqlite3_blob_read(sqlite3_blob *blob, void *p, int n, int at)
{
	static int (*real)(sqlite3_blob *, void *, int, int);

	if (bad_now())
		return bad.code;
	if (real == NULL)
		REAL("sqlite3_blob_read");
	return real(blob, p, n, at);
}

int
sqlite3_extended_errcode(sqlite3 *db)
{
	static int (*real)(sqlite3 *);

	if (bad.told)
		return bad.code;
	if (real == NULL)
		REAL("sqlite3_extended_errcode");
	return real(db);
}

int
sqlite3_errcode(sqlite3 *db)
{
	static int (*real)(sqlite3 *);

	if (bad.told)
		return bad.code & 0xff;
	if (real == NULL)
		REAL("sqlite3_errcode");
	return real(db);
}

static void
bad_from(long nth, bool first, int code)
{
	bad.left = nth;
	bad.first = first;
	bad.code = code;
	bad.fired = bad.readied = bad.told = false;
}

static void
bad_none(void)
{
	bad.left = -1;
	bad.first = bad.told = false;
}

/* --- What is there ----------------------------------------------------- */

static uint64_t
mix(uint64_t h, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * UINT64_C(1099511628211);
	return h;
}

/* Numbers of bodies are never given twice, so a failure takes some. */
static bool
is_number(const char *table, sqlite3_stmt *s, int i)
{
	return strcmp(sqlite3_column_name(s, i), "body") == 0 ||
	    (i == 0 && strncmp(table, "body", 4) == 0) ||
	    strcmp(table, "sqlite_sequence") == 0;
}

static uint64_t
table_hash(sqlite3 *db, const char *name, bool numbers, uint64_t h)
{
	char sql[128];
	sqlite3_stmt *s;

	(void)snprintf(sql, sizeof(sql), "SELECT * FROM %s", name);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL),
	    SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(s); i++) {
			const void *p = sqlite3_column_blob(s, i);
			int len = sqlite3_column_bytes(s, i);

			if (!numbers && is_number(name, s, i))
				continue;
			h = mix(h, &len, sizeof(len));
			h = mix(h, p, (size_t)len);
		}
	(void)sqlite3_finalize(s);
	return h;
}

/* Every row of every table, but how many transactions there were is a number;
 * and nobody has a transaction open. */
static uint64_t
world_hash(const struct world *w, bool numbers)
{
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *s;
	uint64_t h = UINT64_C(14695981039346656037);

	(void)snprintf(path, sizeof(path), "%s/sceau.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT name FROM "
	    "sqlite_schema WHERE type = 'table' AND (?1 OR name <> 'commits') "
	    "ORDER BY name", -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_bind_int(s, 1, numbers), SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW)
		h = table_hash(db, (const char *)sqlite3_column_text(s, 0),
		    numbers, h);
	(void)sqlite3_finalize(s);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL),
	    SQLITE_OK);
	(void)sqlite3_close(db);
	return h;
}

/* --- The days of two stores -------------------------------------------- */

/* One failure of that step; false: there was none, and it is done. */
static bool
disturbed(struct world *w, const struct step *step, long n, bool first)
{
	uint64_t before = step->how == STEP_ONE ? world_hash(w, true) : 0;
	size_t why = (size_t)n % REASONS;
	enum rc rc;

	w->e = (struct err)ERR_INIT;
	bad_from(n, first, reasons[why].code);
	rc = step->run(w->st, &w->e);
	bad_none();
	if (!bad.fired && rc != RC_OK)
		fail_msg("%s, undisturbed: %s", step->name, w->e.text);
	if (!bad.fired || (rc == RC_OK && step->how == STEP_ANYHOW))
		return false;
	if (rc != reasons[why].rc || w->e.text[0] == '\0')
		fail_msg("%s, statement %ld, %d: %d \"%s\"", step->name, n,
		    reasons[why].code, (int)rc, w->e.text);
	if (step->how == STEP_ONE && world_hash(w, true) != before)
		fail_msg("%s, statement %ld: half done", step->name, n);
	return true;
}

/* The step, after it failed wherever it can; how often it did. */
static long
disturbed_all(struct world *w, const struct step *step)
{
	long n = 0, failed = 0;
	bool first = true;

	while (disturbed(w, step, n, first)) {
		failed++;
		/* What is made ready there first, then the statement. */
		n += bad.readied ? 0 : 1;
		first = !bad.readied;
	}
	return failed;
}

static void
test_each_statement_fails(void **state)
{
	struct world *w = *state, *calm;
	void *other = NULL;
	long failed = 0;

	assert_int_equal(world_setup(&other), 0);
	calm = other;
	for (const struct step *step = steps; step->name != NULL; step++) {
		OK(calm, step->run(calm->st, &calm->e));
		failed += disturbed_all(w, step);
		/* What may be left is swept away. */
		OK(w, store_sweep(w->st, &w->e));
		OK(calm, store_sweep(calm->st, &calm->e));
		if (world_hash(w, false) != world_hash(calm, false))
			fail_msg("%s: not as if nothing had failed",
			    step->name);
	}
	OK(w, store_check(w->st, &w->e));
	if (failed < 400)
		fail_msg("only %ld failures", failed);
	assert_int_equal(world_teardown(&other), 0);
}

/* --- Opening and mending ----------------------------------------------- */

/* A store that could not be made, or opened, is so the next time. */
static long
opening(struct world *w, bool new)
{
	enum rc rc;
	long n = 0;

	do {
		if (new) {
			dir_remove(w->dir);
			T_CHECK(mkdir(w->dir, 0700) == 0);
		}
		bad_from(n++, false, SQLITE_IOERR_READ);
		rc = store_open(w->dir, STORE_WRITE, &w->st, &w->e);
		bad_none();
		if (rc != (bad.fired ? RC_TEMP : RC_OK) ||
		    (w->st == NULL) != bad.fired)
			fail_msg("open %ld: %d %s", n, (int)rc, w->e.text);
		world_reopen(w);
		OK(w, store_check(w->st, &w->e));
		store_close(&w->st);
	} while (bad.fired);
	return n;
}

static void
test_opening_fails(void **state)
{
	struct world *w = *state;

	store_close(&w->st);
	T_CHECK(opening(w, true) > 40);
	T_CHECK(opening(w, false) > 10);
}

/* To read only: what is not there is not made. */
static void
test_opening_to_read_fails(void **state)
{
	struct world *w = *state;
	enum rc rc;
	long n = 0;

	store_close(&w->st);
	do {
		bad_from(n++, false, SQLITE_NOMEM);
		rc = store_open(w->dir, STORE_READ, &w->st, &w->e);
		bad_none();
		T_RC(rc, bad.fired ? RC_NOMEM : RC_OK);
		T_CHECK((w->st == NULL) == bad.fired);
		store_close(&w->st);
	} while (bad.fired);
	T_CHECK(n > 10);
}

static void
file_read(const struct world *w, struct buf *out)
{
	char path[128];
	uint8_t part[4096];
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/sceau.db", w->dir);
	f = fopen(path, "rb");
	assert_non_null(f);
	buf_wipe(out);
	while ((len = fread(part, 1, sizeof(part), f)) > 0)
		assert_true(buf_add(out, part, len));
	(void)fclose(f);
}

/* A page in the midst of what is queued means nothing any more. */
static void
file_write(const struct world *w, const struct buf *was, size_t page)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/sceau.db", w->dir);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(was->p, 1, was->len, f), was->len);
	assert_int_equal(fseek(f, (long)(page * 4096), SEEK_SET), 0);
	for (int i = 0; i < 4096; i++)
		(void)fputc(0xa5, f);
	assert_int_equal(fclose(f), 0);
}

static enum rc
mend(struct world *w, struct store_mended *m)
{
	enum rc rc = store_mend_begin(w->dir, false, NOW, m, &w->e);

	return store_mend_end(w->dir, NOW, m, rc, &w->e);
}

/* One try, disturbed at its ${n}-th statement: a whole new store, or all as
 * it was; and then undisturbed. */
static bool
mend_from(struct world *w, const struct buf *was, size_t page, long n)
{
	struct store_mended m;
	struct buf before = BUF_INIT, after = BUF_INIT;
	enum rc rc;

	file_write(w, was, page);
	file_read(w, &before);
	bad_from(n, false, SQLITE_IOERR_READ);
	rc = mend(w, &m);
	bad_none();
	file_read(w, &after);
	if (rc != RC_OK && (after.len != before.len ||
	    memcmp(after.p, before.p, after.len) != 0))
		fail_msg("mend %ld: %s, and not as it was", n, w->e.text);
	if (rc != RC_OK && !bad.fired)
		fail_msg("mend: %s", w->e.text);
	if (rc != RC_OK)
		T_RC(mend(w, &m), RC_OK);
	world_reopen(w);
	OK(w, store_check(w->st, &w->e));
	store_close(&w->st);
	buf_free(&before);
	buf_free(&after);
	return bad.fired;
}

/* Where the schema lies nothing can be read, which is said. */
static bool
mendable(struct world *w, const struct buf *was, size_t page)
{
	struct store_mended m;
	enum rc rc;

	file_write(w, was, page);
	rc = mend(w, &m);
	T_CHECK(rc == RC_OK || rc == RC_CONF);
	return rc == RC_OK;
}

static void
test_mending_fails(void **state)
{
	struct world *w = *state;
	struct buf was = BUF_INIT;
	size_t pages, mended = 0;
	long n;

	for (const struct step *step = steps; step->name != NULL &&
	    step->run != step_once; step++)
		OK(w, step->run(w->st, &w->e));
	store_close(&w->st);
	file_read(w, &was);
	pages = was.len / 4096;
	for (size_t page = pages / 2; page < pages; page += 7) {
		if (!mendable(w, &was, page))
			continue;
		for (n = 0; mend_from(w, &was, page, n); n += 1 + n / 8)
			;
		mended += n > 20;
	}
	T_CHECK(mended > 1);
	buf_free(&was);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_each_statement_fails),
		WORLD_TEST(test_opening_fails),
		WORLD_TEST(test_opening_to_read_fails),
		WORLD_TEST(test_mending_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
