#include "config.h"

#include <fcntl.h>

#include "store_unit.h"

#include "store/db.h"

static mode_t
mode_of(const struct world *w, const char *name)
{
	char path[128];
	struct stat sb;

	(void)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	assert_int_equal(stat(path, &sb), 0);
	return sb.st_mode & 0777;
}

static void
refused(struct world *w, enum rc rc, const char *says)
{
	store_close(&w->st);
	w->e = (struct err)ERR_INIT;
	T_RC(store_open(w->dir, STORE_WRITE, &w->st, &w->e), rc);
	assert_null(w->st);
	if (strstr(w->e.text, says) == NULL)
		fail_msg("\"%s\" is not in: %s", says, w->e.text);
}

/* --- Rights ------------------------------------------------------------ */

static void
test_files_are_private(void **state)
{
	struct world *w = *state;
	char sub[128];
	struct store *st;
	struct stat sb;
	mode_t was = umask(0);

	(void)put_one_of(w, "a", 1);
	assert_int_equal(mode_of(w, "sceau.db"), 0600);
	assert_int_equal(mode_of(w, "sceau.db-wal"), 0600);
	assert_int_equal(mode_of(w, "sceau.db-shm"), 0600);
	assert_int_equal(mode_of(w, "store.lock"), 0600);
	(void)snprintf(sub, sizeof(sub), "%s/sub", w->dir);
	OK(w, store_open(sub, STORE_WRITE, &st, &w->e));
	assert_int_equal(stat(sub, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0700);
	(void)umask(was);
	store_close(&st);
	dir_remove(sub);
}

static void
test_readable_by_others_is_refused(void **state)
{
	struct world *w = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/sceau.db", w->dir);
	assert_int_equal(chmod(path, 0644), 0);
	refused(w, RC_CONF, "chmod");
}

/* --- Whose file it is -------------------------------------------------- */

static void
test_another_version_is_refused(void **state)
{
	struct world *w = *state;

	world_close(w);
	sql_do(w, "PRAGMA user_version=4");
	refused(w, RC_CONF, "newer");
	sql_do(w, "PRAGMA user_version=2");
	refused(w, RC_CONF, "before the first release");
	sql_do(w, "PRAGMA user_version=3");
	world_reopen(w);
}

static void
test_foreign_file_is_refused(void **state)
{
	struct world *w = *state;

	world_close(w);
	sql_do(w, "PRAGMA application_id=7");
	refused(w, RC_CONF, "not a store");
}

static void
test_schema_is_as_promised(void **state)
{
	struct world *w = *state;

	assert_int_equal(sql_number(w, "PRAGMA application_id"),
	    SCHEMA_APPLICATION);
	assert_int_equal(sql_number(w, "PRAGMA auto_vacuum"), 2);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM "
	    "pragma_table_list WHERE schema = 'main' AND strict = 0 "
	    "AND name NOT LIKE 'sqlite%'"), 0);
	OK(w, store_check(w->st, &w->e));
}

/* Each write at that moment would be a commit, and syncs, for nothing. */
static void
test_opening_writes_nothing(void **state)
{
	struct world *w = *state;
	struct stat sb;
	char path[128];

	world_reopen(w);
	OK(w, store_check(w->st, &w->e));
	(void)snprintf(path, sizeof(path), "%s/sceau.db-wal", w->dir);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_size, 0);
}

/* --- Damage ------------------------------------------------------------ */

static void
overwrite(const struct world *w, off_t at, const void *p, size_t len)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/sceau.db", w->dir);
	assert_true((fd = open(path, O_WRONLY)) >= 0);
	assert_int_equal(pwrite(fd, p, len, at), len);
	(void)close(fd);
}

static void
test_a_damaged_head_is_told(void **state)
{
	struct world *w = *state;

	world_close(w);
	overwrite(w, 0, "not a database at all", 21);
	refused(w, RC_CONF, "damaged");
}

/* Any page of the file, filled with nonsense: an error or the truth, never a
 * crash, and store_check() finds it. */
static void
test_any_damaged_page_is_told(void **state)
{
	struct world *w = *state;
	uint8_t junk[4096], good[4096];
	struct store_in in[8];
	struct buf b = BUF_INIT;
	char path[128];
	int64_t pages, found = 0;
	int fd;

	for (uint32_t i = 1; i <= 30; i++)
		(void)put_one_of(w, "a", i);
	world_close(w);
	pages = sql_number(w, "PRAGMA page_count");
	(void)snprintf(path, sizeof(path), "%s/sceau.db", w->dir);
	for (int64_t p = 1; p < pages; p++) {
		size_t n = 0;
		enum rc rc;

		memset(junk, (int)(p * 37 + 1), sizeof(junk));
		assert_true((fd = open(path, O_RDONLY)) >= 0);
		assert_int_equal(pread(fd, good, 4096, p * 4096), 4096);
		(void)close(fd);
		overwrite(w, p * 4096, junk, sizeof(junk));
		w->e = (struct err)ERR_INIT;
		rc = store_open(w->dir, STORE_WRITE, &w->st, &w->e);
		if (rc == RC_OK)
			rc = store_in_next(w->st, 0, in, 8, &n, &w->e);
		for (size_t i = 0; rc == RC_OK && i < n; i++)
			rc = store_body_part(w->st, in[i].body, 0, &b, &w->e);
		if (rc == RC_OK)
			rc = store_check(w->st, &w->e);
		assert_true(rc == RC_OK || rc == RC_CONF || rc == RC_TEMP);
		assert_true(rc == RC_OK || w->e.text[0] != '\0');
		found += rc != RC_OK;
		world_close(w);
		overwrite(w, p * 4096, good, sizeof(good));
	}
	/* pointer maps and free pages apart, every page is seen */
	assert_true(found >= pages - 10);
	world_reopen(w);
	OK(w, store_check(w->st, &w->e));
	buf_free(&b);
}

/* --- Full -------------------------------------------------------------- */

static void
test_full_is_temporary_and_harmless(void **state)
{
	static uint8_t large[STORE_PART_MAX_BYTES];
	struct world *w = *state;
	struct store_in_put m = { make_uid(1, 9), { 0, large, sizeof(large) },
	    0 };
	int64_t body;
	struct err e = ERR_INIT;

	OK(w, db_exec(w->st, "PRAGMA max_page_count=200", &w->e));
	T_RC(store_in_put(w->st, "a", NOW, &m, 1, &e), RC_TEMP);
	assert_non_null(strstr(e.text, "room"));
	OK(w, store_body_begin(w->st, &body, &w->e));
	T_RC(store_body_append(w->st, body, large, sizeof(large), &e),
	    RC_TEMP);
	OK(w, store_body_abandon(w->st, body, &w->e));
	OK(w, db_exec(w->st, "PRAGMA max_page_count=100000", &w->e));
	OK(w, store_in_put(w->st, "a", NOW, &m, 1, &w->e));
	OK(w, store_check(w->st, &w->e));
}

/* --- To be read only --------------------------------------------------- */

static void
test_dry_run_changes_nothing(void **state)
{
	struct world *w = *state;
	struct store_uid u[2] = { make_uid(1, 1), make_uid(1, 2) }, out[2];
	struct store_list *l;
	struct store_in in[2];
	struct err e = ERR_INIT;
	size_t wanted, n;

	(void)put_one_of(w, "a", 1);
	store_close(&w->st);
	OK(w, store_open(w->dir, STORE_READ, &w->st, &w->e));
	OK(w, store_list_begin(w->st, "a", &l, &w->e));
	OK(w, store_list_add(l, u, 2, &w->e));
	OK(w, store_list_end(l, &wanted, &w->e));
	assert_int_equal(wanted, 1);
	OK(w, store_list_wanted(l, out, 2, &n, &w->e));
	assert_int_equal(n, 1);
	store_list_free(&l);
	OK(w, store_in_next(w->st, 0, in, 2, &n, &w->e));
	assert_int_equal(n, 1);
	T_RC(store_in_pass(w->st, "a", NOW, u, 2, EC_NONE, 0, 0,
	    &e), RC_CONF);
	T_RC(store_event_add(w->st, NOW, "x", "y", &e), RC_CONF);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM incoming"), 1);
}

static void
test_dry_run_without_a_store(void **state)
{
	struct world *w = *state;
	char none[128];
	struct store *st;
	struct stat sb;
	struct store_in in[1];
	size_t n;

	(void)snprintf(none, sizeof(none), "%s/none", w->dir);
	OK(w, store_open(none, STORE_READ, &st, &w->e));
	OK(w, store_in_next(st, 0, in, 1, &n, &w->e));
	assert_int_equal(n, 0);
	store_close(&st);
	assert_int_equal(stat(none, &sb), -1);
}

/* --- Several processes ------------------------------------------------- */

static void
test_many_open_a_new_store_at_once(void **state)
{
	struct world *w = *state;
	char sub[128];
	pid_t pid[8];
	int status;

	(void)snprintf(sub, sizeof(sub), "%s/sub", w->dir);
	for (int i = 0; i < 8; i++) {
		if ((pid[i] = fork()) == 0) {
			struct store_in_put m = { make_uid(1, (uint32_t)i),
			    { 0, "x", 1 }, 0 };
			struct err e = ERR_INIT;
			struct store *st;
			enum rc rc = store_open(sub, STORE_WRITE, &st, &e);

			if (rc == RC_OK)
				rc = store_in_put(st, "a", NOW, &m, 1, &e);
			if (rc != RC_OK)
				fprintf(stderr, "%s\n", e.text);
			store_close(&st);
			_exit((int)rc);
		}
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	store_close(&w->st);
	OK(w, store_open(sub, STORE_WRITE, &w->st, &w->e));
	{
		struct store_in in[16];
		size_t n;

		OK(w, store_in_next(w->st, 0, in, 16, &n, &w->e));
		assert_int_equal(n, 8);
	}
	world_close(w);
	dir_remove(sub);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_files_are_private),
		WORLD_TEST(test_readable_by_others_is_refused),
		WORLD_TEST(test_another_version_is_refused),
		WORLD_TEST(test_foreign_file_is_refused),
		WORLD_TEST(test_schema_is_as_promised),
		WORLD_TEST(test_opening_writes_nothing),
		WORLD_TEST(test_a_damaged_head_is_told),
		WORLD_TEST(test_any_damaged_page_is_told),
		WORLD_TEST(test_full_is_temporary_and_harmless),
		WORLD_TEST(test_dry_run_changes_nothing),
		WORLD_TEST(test_dry_run_without_a_store),
		WORLD_TEST(test_many_open_a_new_store_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
