/* A store that came from a backup: what it forgets, and what it keeps. */
#include "store_unit.h"

static const struct bytes key = { (const uint8_t *)"self", 4 };

static enum rc
put_back(struct world *w, int64_t now, uint32_t version,
    struct store_restored *out)
{
	const struct store_row row = { key, { (const uint8_t *)"since", 5 },
	    NULL, version };

	w->e = (struct err)ERR_INIT;
	return store_restored(w->st, now, &row, out, &w->e);
}

/* How many of uids 1 to 3 of "a" would be fetched. */
static size_t
wanted(struct world *w)
{
	struct store_uid uids[3] = { make_uid(1, 1), make_uid(1, 2),
	    make_uid(1, 3) };
	struct store_list *l;
	size_t n;

	OK(w, store_list_begin(w->st, "a", &l, &w->e));
	OK(w, store_list_add(l, uids, 3, &w->e));
	OK(w, store_list_end(l, &n, &w->e));
	store_list_free(&l);
	return n;
}

static size_t
due(struct world *w)
{
	struct store_in in[4];
	size_t n;

	OK(w, store_release_due(w->st, "a", NOW + 9, 0, in, 4, &n, &w->e));
	return n;
}

static void
test_restored_forgets_servers_and_no_message(void **state)
{
	struct world *w = *state;
	struct store_restored got;
	struct store_t t;
	struct store_in in;
	uint8_t bytes[STORE_T_BYTES];
	int64_t done = put_one_of(w, "a", 1), fetched = put_one_of(w, "a", 2);

	assert_int_equal(deliver(w, done, 1), STORE_OK);
	assert_int_equal(wanted(w), 1);
	assert_int_equal(due(w), 1);
	assert_int_equal(put_back(w, NOW, 0, &got), RC_OK);
	assert_int_equal(got.seen, 2);
	assert_int_equal(due(w), 0);
	/* what is fetched stays to be opened, under no name of a server */
	in = get_in(w, fetched);
	assert_int_equal(in.state, STORE_FETCHED);
	assert_int_equal(in.size, 600);
	assert_int_equal(wanted(w), 3);
	assert_int_equal(deliver(w, fetched, 2), STORE_OK);
	assert_int_equal(due(w), 0);
	/* and T are what they were */
	make_t(bytes, 1);
	OK(w, store_t_find(w->st, bytes, &t, &w->e));
	assert_int_equal(t.state, STORE_T_DONE);
}

static void
test_restored_makes_the_queue_young(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_restored got;
	int64_t id = submit(w, &m, NULL), later = NOW + 10 * 86400;
	size_t n;

	assert_int_equal(put_back(w, later, 0, &got), RC_OK);
	assert_int_equal(got.queued, 1);
	OK(w, store_out_overdue(w->st, later + 9, 5 * 86400, "old", &n,
	    &w->e));
	assert_int_equal(n, 0);
	assert_int_equal(get_out(w, id).state, STORE_QUEUED);
}

static void
test_restored_is_whole_or_nothing(void **state)
{
	struct world *w = *state;
	struct store_restored got;
	struct buf value = BUF_INIT;
	uint32_t version;

	(void)deliver(w, put_one_of(w, "a", 1), 1);
	/* somebody else wrote the row meanwhile */
	assert_int_equal(put_back(w, NOW, 7, &got), RC_TEMP);
	assert_int_equal(wanted(w), 2);
	assert_int_equal(put_back(w, NOW, 0, &got), RC_OK);
	OK(w, store_row_get(w->st, key, &value, &version, &w->e));
	assert_int_equal(version, 1);
	assert_int_equal(value.len, 5);
	buf_free(&value);
}

static void
test_restored_only_counts_when_it_reads(void **state)
{
	struct world *w = *state;
	struct store_restored got;

	(void)deliver(w, put_one_of(w, "a", 1), 1);
	store_close(&w->st);
	OK(w, store_open(w->dir, STORE_READ, &w->st, &w->e));
	OK(w, store_restored(w->st, NOW, NULL, &got, &w->e));
	assert_int_equal(got.seen, 1);
	assert_int_equal(wanted(w), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_restored_forgets_servers_and_no_message),
		WORLD_TEST(test_restored_makes_the_queue_young),
		WORLD_TEST(test_restored_is_whole_or_nothing),
		WORLD_TEST(test_restored_only_counts_when_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
