#include "store_unit.h"

static struct store_row
make_row(const char *key, const char *value, const char *address,
    uint32_t version)
{
	struct store_row r = {
		{ (const uint8_t *)key, strlen(key) },
		{ (const uint8_t *)value, strlen(value) }, address, version };

	return r;
}

/* --- Rows -------------------------------------------------------------- */

static void
test_row_versions(void **state)
{
	struct world *w = *state;
	struct store_row r = make_row("k", "one", NULL, 0);
	struct buf b = BUF_INIT;
	uint32_t v;

	OK(w, store_row_get(w->st, r.key, &b, &v, &w->e));
	assert_int_equal(v, 0);
	OK(w, store_row_put(w->st, &r, 1, &w->e));
	T_RC(store_row_put(w->st, &r, 1, &w->e), RC_TEMP);
	r = make_row("k", "two", NULL, 1);
	OK(w, store_row_put(w->st, &r, 1, &w->e));
	T_RC(store_row_put(w->st, &r, 1, &w->e), RC_TEMP);
	OK(w, store_row_get(w->st, r.key, &b, &v, &w->e));
	assert_int_equal(v, 2);
	assert_string_equal(buf_str(&b), "two");
	r = make_row("k", "", NULL, 1);
	T_RC(store_row_put(w->st, &r, 1, &w->e), RC_TEMP);
	r.version = 2;
	OK(w, store_row_put(w->st, &r, 1, &w->e));
	OK(w, store_row_get(w->st, r.key, &b, &v, &w->e));
	assert_int_equal(v, 0);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

static bool
unused(struct world *w)
{
	bool b = false;

	OK(w, store_unused(w->st, &b, &w->e));
	return b;
}

/* What comes is no use of the keys until it is opened. */
static void
test_used_or_not(void **state)
{
	struct world *w = *state;
	struct store_row r = make_row("k", "one", NULL, 0);
	struct store_done d = { .msg = { .sender = "demo/a@b.example#1",
	    .forget_at = NOW + 1000 }, .action = STORE_ACTION_RELEASE };

	T_CHECK(unused(w));
	OK(w, store_row_put(w->st, &r, 1, &w->e));
	T_CHECK(!unused(w));
	r = make_row("k", "", NULL, 1);
	OK(w, store_row_put(w->st, &r, 1, &w->e));
	T_CHECK(unused(w));
	d.msg.id = put_one_of(w, "a", 1);
	T_CHECK(unused(w));
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	T_CHECK(!unused(w));
}

static void
test_rows_all_or_none(void **state)
{
	struct world *w = *state;
	struct store_row r[2] = { make_row("a", "1", NULL, 0),
		make_row("b", "1", NULL, 7) };
	struct buf b = BUF_INIT;
	uint32_t v;

	T_RC(store_row_put(w->st, r, 2, &w->e), RC_TEMP);
	OK(w, store_row_get(w->st, r[0].key, &b, &v, &w->e));
	assert_int_equal(v, 0);
	buf_free(&b);
}

/* Does that text stand anywhere in the database of a store that is closed, in
 * pages of nobody too? */
static bool
is_on_disk(const struct world *w, const char *text)
{
	char path[128];
	uint8_t *p;
	size_t n;
	FILE *f;
	bool found;

	(void)snprintf(path, sizeof(path), "%s/sceau.db-wal", w->dir);
	assert_int_not_equal(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s/sceau.db", w->dir);
	assert_non_null(f = fopen(path, "rb"));
	assert_non_null(p = malloc(1 << 20));
	n = fread(p, 1, 1 << 20, f);
	assert_true(n > 0 && n < 1 << 20);
	(void)fclose(f);
	found = memmem(p, n, text, strlen(text)) != NULL;
	free(p);
	return found;
}

/* PROTOCOL 2.19.10 */
static void
test_what_is_gone_is_in_no_free_page(void **state)
{
	static const char text[] = "a row that is to be forgotten";
	struct world *w = *state;
	struct store_row r = make_row("k", text, NULL, 0);

	OK(w, store_row_put(w->st, &r, 1, &w->e));
	world_close(w);
	assert_true(is_on_disk(w, text));
	world_reopen(w);
	r = make_row("k", "", NULL, 1);
	OK(w, store_row_put(w->st, &r, 1, &w->e));
	world_close(w);
	assert_false(is_on_disk(w, text));
	world_reopen(w);
}

static size_t
walk(struct world *w, const char *address, char *seen)
{
	struct buf key = BUF_INIT, value = BUF_INIT;
	uint32_t v;
	size_t n = 0;

	for (;;) {
		OK(w, store_row_next(w->st, address,
		    (struct bytes){ key.p, key.len }, &key, &value, &v,
		    &w->e));
		if (key.len == 0)
			break;
		seen[n++] = (char)key.p[0];
		assert_int_equal(v, 1);
	}
	seen[n] = '\0';
	buf_free(&key);
	buf_free(&value);
	return n;
}

static void
test_rows_by_address_and_in_order(void **state)
{
	struct world *w = *state;
	struct store_row r[4] = { make_row("c", "1", "x@y.example", 0),
		make_row("a", "1", "x@y.example", 0),
		make_row("d", "1", "z@y.example", 0),
		make_row("b", "1", NULL, 0) };
	char seen[8];

	OK(w, store_row_put(w->st, r, 4, &w->e));
	(void)walk(w, NULL, seen);
	assert_string_equal(seen, "abcd");
	(void)walk(w, "x@y.example", seen);
	assert_string_equal(seen, "ac");
	assert_int_equal(walk(w, "n@y.example", seen), 0);
}

/* --- Bodies ------------------------------------------------------------ */

static void
test_body_in_parts(void **state)
{
	static uint8_t part[STORE_PART_MAX_BYTES];
	struct world *w = *state;
	struct store_in_put m = { make_uid(1, 1), { 0, NULL, 0 }, 0 };
	struct buf b = BUF_INIT;
	uint64_t size;

	OK(w, store_body_begin(w->st, &m.body.id, &w->e));
	for (int i = 0; i < 7; i++) {
		memset(part, 'a' + i, sizeof(part));
		OK(w, store_body_append(w->st, m.body.id, part, sizeof(part),
		    &w->e));
	}
	OK(w, store_body_append(w->st, m.body.id, "z", 1, &w->e));
	OK(w, store_body_size(w->st, m.body.id, &size, &w->e));
	assert_int_equal(size, 7 * sizeof(part) + 1);
	OK(w, store_in_put(w->st, "a", NOW, &m, 1, &w->e));
	T_RC(store_body_append(w->st, m.body.id, "z", 1, &w->e), RC_TEMP);
	world_reopen(w);
	for (uint32_t i = 0; i < 7; i++) {
		OK(w, store_body_part(w->st, m.body.id, i, &b, &w->e));
		assert_int_equal(b.len, sizeof(part));
		assert_int_equal(b.p[b.len - 1], 'a' + i);
	}
	OK(w, store_body_part(w->st, m.body.id, 7, &b, &w->e));
	assert_int_equal(b.len, 1);
	OK(w, store_body_part(w->st, m.body.id, 8, &b, &w->e));
	assert_int_equal(b.len, 0);
	/* a large one is deleted by and by, but wholly */
	assert_int_equal(deliver(w, m.id, 1), STORE_OK);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body_part"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 0);
	T_RC(store_body_size(w->st, m.body.id, &size, &w->e), RC_TEMP);
	T_RC(store_body_part(w->st, m.body.id, 0, &b, &w->e), RC_TEMP);
	buf_free(&b);
}

static void
test_body_abandoned(void **state)
{
	struct world *w = *state;
	struct store_in_put m = { make_uid(1, 1), { 0, NULL, 0 }, 0 };
	struct store_in_put two[2] = { m, m };

	OK(w, store_body_begin(w->st, &m.body.id, &w->e));
	OK(w, store_body_append(w->st, m.body.id, "abc", 3, &w->e));
	OK(w, store_body_abandon(w->st, m.body.id, &w->e));
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body_part"), 0);
	T_RC(store_in_put(w->st, "a", NOW, &m, 1, &w->e), RC_TEMP);
	/* one bad body: none of the batch, and none is left behind */
	two[1] = m;
	two[1].uid = make_uid(1, 2);
	OK(w, store_body_begin(w->st, &two[0].body.id, &w->e));
	OK(w, store_body_append(w->st, two[0].body.id, "abc", 3, &w->e));
	T_RC(store_in_put(w->st, "a", NOW, two, 2, &w->e), RC_TEMP);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM incoming"), 0);
}

static void
test_body_of_the_dead_is_swept(void **state)
{
	struct world *w = *state;
	int status;
	pid_t pid;

	world_close(w);
	if ((pid = fork()) == 0) {
		struct store *st;
		int64_t id;

		_exit(store_open(w->dir, STORE_WRITE, &st, &w->e) == RC_OK &&
		    store_body_begin(st, &id, &w->e) == RC_OK &&
		    store_body_append(st, id, "abc", 3, &w->e) == RC_OK ?
		    0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body_part"), 1);
	world_reopen(w);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body_part"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 0);
}

/* --- Events and forgetting --------------------------------------------- */

static void
test_events(void **state)
{
	struct world *w = *state;
	struct store_event v[4];
	char long_text[3000];
	size_t n;

	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	OK(w, store_event_add(w->st, NOW, "in.fetched", "n=3", &w->e));
	OK(w, store_event_add(w->st, NOW + 1, "x", long_text, &w->e));
	OK(w, store_event_list(w->st, 0, NOW, v, 4, &n, &w->e));
	assert_int_equal(n, 2);
	assert_string_equal(v[0].name, "in.fetched");
	assert_string_equal(v[0].text, "n=3");
	assert_int_equal(strlen(v[1].text), STORE_EVENT_MAX_BYTES - 1);
	OK(w, store_event_list(w->st, v[0].id, 0, v, 4, &n, &w->e));
	assert_int_equal(n, 1);
	OK(w, store_event_list(w->st, 0, NOW + 2, v, 4, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
test_expire_forgets_what_is_over(void **state)
{
	struct world *w = *state;
	const struct store_keep keep = { .events_s = 100, .sent_s = 1000,
	    .hub_s = 90 * 86400, .watch_s = 1000, .budget = 2 };
	struct store_out_put m = make_out(1, DR), open = make_out(2, DR);
	int64_t held = put_one_of(w, "a", 50), undone = put_one_of(w, "a", 51);
	struct store_hold h = make_hold(held, EC_NOKEY);
	struct store_t t;
	uint8_t key[32];
	bool more;
	int calls = 0;

	OK(w, store_in_hold(w->st, &h, 1, NOW, &w->e));
	assert_int_equal(intend(w, undone, 51, "x"), STORE_OK);
	for (uint32_t i = 1; i <= 5; i++)
		assert_int_equal(deliver(w, put_one_of(w, "a", i), i),
		    STORE_OK);
	(void)submit(w, &m, NULL);
	(void)submit(w, &open, NULL);
	(void)acked(w, 1, 2, DR, NULL);	/* done and sent */
	OK(w, store_event_add(w->st, NOW, "x", "", &w->e));
	OK(w, store_expire(w->st, NOW + 50, &keep, &more, &w->e));
	assert_false(more);
	make_t(key, 1);
	OK(w, store_t_find(w->st, key, &t, &w->e));
	assert_int_equal(t.state, STORE_T_DONE);
	do
		OK(w, store_expire(w->st, NOW + 1000001, &keep, &more,
		    &w->e));
	while (more);
	/* The time alone does it not: what can come again is known. */
	OK(w, store_t_find(w->st, key, &t, &w->e));
	assert_int_equal(t.state, STORE_T_DONE);
	OK(w, store_erased(w->st, 2025, &w->e));
	OK(w, store_expire(w->st, NOW + 1000001, &keep, &more, &w->e));
	OK(w, store_t_find(w->st, key, &t, &w->e));
	assert_int_equal(t.state, STORE_T_DONE);
	OK(w, store_erased(w->st, 2026, &w->e));
	OK(w, store_erased(w->st, 2025, &w->e));	/* never back */
	do {
		OK(w, store_expire(w->st, NOW + 1000001, &keep, &more,
		    &w->e));
		calls++;
	} while (more);
	assert_true(calls >= 3);
	OK(w, store_t_find(w->st, key, &t, &w->e));
	assert_int_equal(t.state, STORE_T_NONE);
	assert_int_equal(get_out(w, m.id).id, 0);
	assert_int_equal(get_out(w, open.id).state, STORE_QUEUED);
	assert_int_equal(get_in(w, held).state, STORE_HELD);
	assert_int_equal(get_in(w, undone).state, STORE_INTENT);
	make_t(key, 51);
	OK(w, store_t_find(w->st, key, &t, &w->e));
	assert_int_equal(t.state, STORE_T_INTENT);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM event"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM submission"), 1);
	OK(w, store_check(w->st, &w->e));
}

static void
test_expire_gives_pages_back(void **state)
{
	struct world *w = *state;
	static uint8_t part[STORE_PART_MAX_BYTES];
	const struct store_keep keep = { .events_s = 1, .sent_s = 1,
	    .hub_s = 1, .watch_s = 1, .budget = 100000 };
	int64_t id, before;
	bool more;

	memset(part, 1, sizeof(part));
	OK(w, store_body_begin(w->st, &id, &w->e));
	for (int i = 0; i < 3; i++)
		OK(w, store_body_append(w->st, id, part, sizeof(part),
		    &w->e));
	OK(w, store_body_abandon(w->st, id, &w->e));
	before = sql_number(w, "PRAGMA page_count");
	assert_true(before > 700);
	OK(w, store_expire(w->st, NOW, &keep, &more, &w->e));
	assert_true(sql_number(w, "PRAGMA page_count") < 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_row_versions),
		WORLD_TEST(test_used_or_not),
		WORLD_TEST(test_rows_all_or_none),
		WORLD_TEST(test_what_is_gone_is_in_no_free_page),
		WORLD_TEST(test_rows_by_address_and_in_order),
		WORLD_TEST(test_body_in_parts),
		WORLD_TEST(test_body_abandoned),
		WORLD_TEST(test_body_of_the_dead_is_swept),
		WORLD_TEST(test_events),
		WORLD_TEST(test_expire_forgets_what_is_over),
		WORLD_TEST(test_expire_gives_pages_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
