/*
 * The log that a death has left is damaged: SQLite says nothing of what stands
 * behind the first frame that is not whole, and we do.
 */
#include "store_unit.h"

#include <fcntl.h>

#include "store/db.h"

#define HEAD_BYTES 32		/* of the log, and of a frame; sqlite.org */
#define FRAME_BYTES (24 + 4096)

static const struct bytes key = { (const uint8_t *)"self", 4 };
static const uint8_t since[1] = { 's' };

/* In a process that dies without closing: ${many} promises, and then what is
 * none. */
static void
died(struct world *w, int many)
{
	static uint32_t uid;
	int status;
	pid_t pid;

	world_close(w);
	uid += (uint32_t)many;
	if ((pid = fork()) == 0) {
		int64_t body;

		world_reopen(w);
		for (int i = 0; i < many; i++)
			(void)put_one_of(w, "a", uid - (uint32_t)i);
		_exit(store_body_begin(w->st, &body, &w->e) != RC_OK);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const char *
path_of(const struct world *w, const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	return path;
}

static off_t
log_size(const struct world *w)
{
	struct stat st;

	assert_int_equal(stat(path_of(w, "sceau.db-wal"), &st), 0);
	return st.st_size;
}

/* One bit; negative: from the end. */
static void
log_flip(const struct world *w, off_t at)
{
	int fd = open(path_of(w, "sceau.db-wal"), O_RDWR);
	uint8_t b;

	at = at < 0 ? log_size(w) + at : at;
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	(void)close(fd);
}

static enum rc
check(struct world *w)
{
	enum rc rc;

	world_close(w);
	OK(w, store_open(w->dir, STORE_READ, &w->st, &w->e));
	rc = store_check(w->st, &w->e);
	world_close(w);
	return rc;
}

static void
restored(struct world *w)
{
	struct store_row row = { key, { since, 1 }, NULL, 0 };
	struct store_restored got;
	struct buf value = BUF_INIT;

	OK(w, store_open(w->dir, STORE_MEND, &w->st, &w->e));
	OK(w, store_row_get(w->st, key, &value, &row.version, &w->e));
	buf_free(&value);
	OK(w, store_restored(w->st, NOW, &row, &got, &w->e));
	assert_true(got.gone > 0);
}

/* Refused to whoever writes, also again; told to whoever looks; and then it is
 * said that it was noticed. */
static void
assert_noticed(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		w->e = (struct err)ERR_INIT;
		assert_int_equal(store_open(w->dir, STORE_WRITE, &w->st,
		    &w->e), RC_CONF);
		assert_non_null(strstr(w->e.text, "sceau restored"));
		assert_int_equal(check(w), RC_CONF);
		/* a key import that had to come first */
		OK(w, store_open(w->dir, STORE_MEND, &w->st, &w->e));
		(void)put_one_of(w, "b", (uint32_t)i + 1);
		world_close(w);
	}
	restored(w);
	world_reopen(w);
	(void)put_one_of(w, "c", 99);
	world_reopen(w);
	assert_int_equal(check(w), RC_OK);
}

static void
test_a_death_alone_loses_nothing(void **state)
{
	struct world *w = *state;

	died(w, 3);
	assert_true(log_size(w) > HEAD_BYTES + 3 * FRAME_BYTES);
	assert_int_equal(check(w), RC_OK);
	world_reopen(w);
	assert_int_equal(get_in(w, 3).state, STORE_FETCHED);
}

static void
test_a_bit_anywhere_in_the_promises(void **state)
{
	struct world *w = *state;
	const off_t places[] = { 0, 20, HEAD_BYTES, HEAD_BYTES + 9,
	    HEAD_BYTES + 4000, HEAD_BYTES + FRAME_BYTES + 16 };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		died(w, 3);
		log_flip(w, places[i]);
		assert_noticed(w);
	}
}

static void
test_no_log_or_an_empty_one(void **state)
{
	struct world *w = *state;

	died(w, 1);
	assert_int_equal(truncate(path_of(w, "sceau.db-wal"), 0), 0);
	assert_noticed(w);
	died(w, 1);
	assert_int_equal(unlink(path_of(w, "sceau.db-wal")), 0);
	assert_noticed(w);
}

/* As after a power cut, which may take it. */
static void
test_what_was_no_promise_may_go(void **state)
{
	struct world *w = *state;

	died(w, 2);
	log_flip(w, -10);
	assert_int_equal(check(w), RC_OK);
	world_reopen(w);
	assert_int_equal(get_in(w, 2).state, STORE_FETCHED);
}

/* Nothing is refused when it is not known what there was. */
static void
test_passes_that_are_behind_or_gone(void **state)
{
	struct world *w = *state;
	char before[128];

	died(w, 1);
	(void)snprintf(before, sizeof(before), "%s", path_of(w, "before"));
	assert_int_equal(link(path_of(w, "passes"), before), 0);
	assert_int_equal(unlink(path_of(w, "passes")), 0);
	world_reopen(w);
	(void)put_one_of(w, "a", 50);
	world_close(w);
	assert_int_equal(rename(before, path_of(w, "passes")), 0);
	assert_int_equal(check(w), RC_OK);
	world_reopen(w);
}

static int64_t
count(struct world *w)
{
	return commits_known(w->dir);
}

static void
test_what_changes_nothing_is_not_counted(void **state)
{
	struct world *w = *state;
	int64_t before;
	size_t n;

	(void)put_one_of(w, "a", 1);
	before = count(w);
	assert_true(before > 0);
	OK(w, store_held_retry(w->st, 0, EC_NOKEY, &n, &w->e));
	assert_int_equal(count(w), before);
	(void)put_one_of(w, "a", 2);
	assert_int_equal(count(w), before + 1);
}

/* An index, of which nothing is lost. */
static void
index_zero(struct world *w)
{
	static const uint8_t page[4096];
	sqlite3_stmt *s;
	sqlite3 *db;
	off_t root;
	int fd;

	assert_int_equal(sqlite3_open(path_of(w, "sceau.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage "
	    "FROM sqlite_schema WHERE name = 'queue_due'", -1, &s, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	root = sqlite3_column_int(s, 0);
	(void)sqlite3_finalize(s);
	(void)sqlite3_close(db);
	fd = open(path_of(w, "sceau.db"), O_RDWR);
	assert_int_equal(pwrite(fd, page, sizeof(page), (root - 1) * 4096),
	    4096);
	(void)close(fd);
}

/* The new store knows of what the log of the damaged one had lost. */
static void
test_a_damaged_store_whose_log_was_damaged(void **state)
{
	struct world *w = *state;
	struct store_mended m;

	for (int lost = 0; lost < 2; lost++) {
		died(w, 2);
		if (lost)
			assert_int_equal(unlink(path_of(w, "sceau.db-wal")),
			    0);
		index_zero(w);
		OK(w, store_mend_begin(w->dir, false, NOW + lost, &m, &w->e));
		assert_true(m.damaged);
		assert_int_equal(m.hurt, lost);
		OK(w, store_mend_end(w->dir, NOW + lost, &m, RC_OK, &w->e));
		world_reopen(w);
		(void)put_one_of(w, "c", 50);
		world_reopen(w);
	}
}

/* Its new store leaves it out, and may not be called whole. */
static void
test_a_row_that_breaks_a_rule_is_missed(void **state)
{
	struct world *w = *state;
	struct store_out_put put = make_out(1, DR);
	struct store_mended m;

	(void)submit(w, &put, NULL);
	world_close(w);
	sql_do(w, "PRAGMA ignore_check_constraints=ON;"
	    "UPDATE queue SET state = 9");
	OK(w, store_mend_begin(w->dir, false, NOW, &m, &w->e));
	assert_true(m.damaged);
	assert_true(m.hurt);
	OK(w, store_mend_end(w->dir, NOW, &m, RC_OK, &w->e));
	world_reopen(w);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM queue"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_a_death_alone_loses_nothing),
		WORLD_TEST(test_a_bit_anywhere_in_the_promises),
		WORLD_TEST(test_no_log_or_an_empty_one),
		WORLD_TEST(test_what_was_no_promise_may_go),
		WORLD_TEST(test_passes_that_are_behind_or_gone),
		WORLD_TEST(test_what_changes_nothing_is_not_counted),
		WORLD_TEST(test_a_damaged_store_whose_log_was_damaged),
		WORLD_TEST(test_a_row_that_breaks_a_rule_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
