#include "store_unit.h"

#include "store/store_kept.h"
#include "store/store_register.h"

static const struct store_filing again = { .sender = LABO, .places = "a",
    .flags = STORE_INBOX_AGAIN, .reports = 1, .at = NOW };

static int64_t
count(struct world *w, const char *table)
{
	char sql[100];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	return sql_number(w, sql);
}

/* Message ${n} is filed, and kept until a day later. */
static int64_t
file(struct world *w, uint32_t n, int64_t now)
{
	int64_t id = put_one_of(w, "a", n);
	struct store_done d = make_done(id, n);

	d.keep_until = now + 86400;
	OK(w, store_in_delivered(w->st, &d, 1, now, &w->e));
	assert_int_equal(d.msg.result, STORE_OK);
	return id;
}

static size_t
ask(struct world *w, uint64_t t, size_t t_len, int64_t since)
{
	struct store_kept_ask k = { .t_len = t_len, .since = since };
	size_t n;

	make_t(k.t, t);
	OK(w, store_refile(w->st, &k, NOW, &n, &w->e));
	return n;
}

/* What waits to be opened, and has a body. */
static size_t
waiting(struct world *w, struct store_in in[8])
{
	struct buf b = BUF_INIT;
	size_t n;

	OK(w, store_in_next(w->st, 0, in, 8, &n, &w->e));
	for (size_t i = 0; i < n; i++) {
		OK(w, store_body_part(w->st, in[i].body, 0, &b, &w->e));
		assert_int_equal(b.len, 600);
	}
	buf_free(&b);
	return n;
}

static void
expire(struct world *w, int64_t now)
{
	struct store_keep keep = { .events_s = 1, .hub_s = 1, .sent_s = 1,
	    .watch_s = 1, .budget = 1 };
	bool more = true;

	while (more)
		OK(w, store_expire(w->st, now, &keep, &more, &w->e));
	world_reopen(w);
}

static void
test_one_by_its_number(void **state)
{
	struct world *w = *state;
	struct store_in in[8];

	(void)file(w, 1, NOW);
	(void)file(w, 2, NOW);
	assert_int_equal(waiting(w, in), 0);
	assert_int_equal(ask(w, 3, 4, 0), 0);
	assert_int_equal(ask(w, 2, 4, 0), 1);
	assert_int_equal(ask(w, 2, STORE_T_BYTES, 0), 1);
	world_reopen(w);
	assert_int_equal(waiting(w, in), 1);
	assert_int_equal(in[0].filing, 1);
	assert_int_equal(in[0].state, STORE_FETCHED);
	OK(w, store_refiled(w->st, in[0].id, &again, &w->e));
	assert_int_equal(waiting(w, in), 0);
	assert_int_equal(ask(w, 2, 4, 0), 1);
	assert_int_equal(waiting(w, in), 1);
	assert_int_equal(in[0].filing, 2);
	/* it could not: the number is for the next time */
	OK(w, store_refiled(w->st, in[0].id, NULL, &w->e));
	assert_int_equal(ask(w, 2, 4, 0), 1);
	assert_int_equal(waiting(w, in), 1);
	assert_int_equal(in[0].filing, 2);
}

static void
test_those_of_some_days(void **state)
{
	struct world *w = *state;
	struct store_in in[8];

	(void)file(w, 1, NOW - 10);
	(void)file(w, 2, NOW);
	(void)file(w, 3, NOW + 10);
	assert_int_equal(ask(w, 0, 0, NOW), 2);
	assert_int_equal(waiting(w, in), 2);
	assert_int_equal(ask(w, 0, 0, NOW + 11), 0);
}

static void
test_forgotten_with_its_octets(void **state)
{
	struct world *w = *state;
	struct store_in in[8];

	(void)file(w, 1, NOW);
	(void)file(w, 2, NOW + 10);
	(void)file(w, 3, NOW + 10);
	assert_int_equal(ask(w, 3, 4, 0), 1);
	expire(w, NOW + 86399);
	assert_int_equal(count(w, "kept"), 3);
	expire(w, NOW + 86400);
	assert_int_equal(count(w, "kept"), 2);
	assert_int_equal(count(w, "body"), 2);
	/* what was asked for in time is filed all the same, then goes */
	expire(w, NOW + 2 * 86400);
	assert_int_equal(waiting(w, in), 1);
	assert_int_equal(count(w, "body"), 1);
	OK(w, store_refiled(w->st, in[0].id, &again, &w->e));
	expire(w, NOW + 2 * 86400);
	assert_int_equal(count(w, "kept"), 0);
	assert_int_equal(count(w, "body"), 0);
	assert_int_equal(count(w, "body_part"), 0);
}

/* The same T twice, as after a backup was put back: one body is kept. */
static void
test_no_body_is_left_behind(void **state)
{
	struct world *w = *state;
	struct store_done d;
	int64_t id;

	(void)file(w, 1, NOW);
	id = put_one_of(w, "a", 2);
	d = make_done(id, 1);
	d.keep_until = NOW + 86400;
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	assert_int_equal(d.msg.result, STORE_DUPLICATE);
	OK(w, store_in_duplicate(w->st, &d, 1, NOW, &w->e));
	world_reopen(w);
	assert_int_equal(count(w, "body"), 1);
	(void)put_one_of(w, "a", 3);
	id = put_one_of(w, "a", 4);
	assert_int_equal(deliver(w, id, 4), STORE_OK);
	world_reopen(w);
	assert_int_equal(count(w, "body"), 2);
	assert_int_equal(count(w, "kept"), 1);
}

/* A damaged store may have lost what was kept, and not what waits. */
static void
test_what_is_kept_no_more_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct store_in in[8];

	(void)file(w, 1, NOW);
	assert_int_equal(ask(w, 1, 4, 0), 1);
	assert_int_equal(waiting(w, in), 1);
	sql_do(w, "DELETE FROM kept");
	OK(w, store_refiled(w->st, in[0].id, &again, &w->e));
	assert_int_equal(waiting(w, in), 0);
	world_reopen(w);
	assert_int_equal(count(w, "body"), 0);
}

/* However long ago its author says that he sealed it (ATTACKS A3). */
static void
test_a_witness_stays_by_our_clock(void **state)
{
	struct world *w = *state;
	static const uint8_t proof[STORE_PROOF_BYTES] = { 1 };
	struct store_done d = make_done(put_one_of(w, "a", 1), 1);
	struct store_witness got;

	d.witness = (struct store_proof){ LABO, LABO, 2026, 0, proof };
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	expire(w, NOW + 86400);
	OK(w, store_witness(w->st, d.msg.t, &got, &w->e));
	assert_true(got.there);
	expire(w, NOW + INT64_C(11) * 366 * 86400);
	OK(w, store_witness(w->st, d.msg.t, &got, &w->e));
	assert_false(got.there);
}

static void
test_only_counted_when_read(void **state)
{
	struct world *w = *state;
	struct store_in in[8];

	(void)file(w, 1, NOW);
	store_close(&w->st);
	OK(w, store_open(w->dir, STORE_READ, &w->st, &w->e));
	assert_int_equal(ask(w, 1, 4, 0), 1);
	world_reopen(w);
	assert_int_equal(waiting(w, in), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_one_by_its_number),
		WORLD_TEST(test_those_of_some_days),
		WORLD_TEST(test_forgotten_with_its_octets),
		WORLD_TEST(test_no_body_is_left_behind),
		WORLD_TEST(test_what_is_kept_no_more_leaves_nothing),
		WORLD_TEST(test_a_witness_stays_by_our_clock),
		WORLD_TEST(test_only_counted_when_read),
	};

	return cmocka_run_group_tests_name("store kept", tests, NULL, NULL);
}
