/* A clock that leaps gives up nothing, forgets nothing, delays nothing. */
#include "store_unit.h"

#include "base/clock.h"

#define DAY 86400
#define AHEAD STORE_BACKOFF_MAX_S

static enum store_clock
look(struct world *w, int64_t now)
{
	enum store_clock is;

	OK(w, store_clock(w->st, now, AHEAD, &is, &w->e));
	return is;
}

static void
test_clock_goes_its_way(void **state)
{
	struct world *w = *state;

	assert_int_equal(look(w, NOW), STORE_CLOCK_STEADY);
	assert_int_equal(look(w, NOW - DAY), STORE_CLOCK_STEADY);
	assert_int_equal(look(w, NOW + 30 * DAY), STORE_CLOCK_STEADY);
	assert_int_equal(look(w, NOW + 60 * DAY), STORE_CLOCK_STEADY);
}

static bool
steady(struct world *w, int64_t now)
{
	bool is;

	(void)look(w, now);
	OK(w, store_clock_steady(w->st, now, &is, &w->e));
	return is;
}

/* Keys go by no clock of which nothing is known but what it says now. */
static void
test_the_first_clock_is_watched_for_a_week(void **state)
{
	struct world *w = *state;
	bool is;

	OK(w, store_clock_steady(w->st, NOW, &is, &w->e));
	T_CHECK(!is && !steady(w, NOW));
	world_reopen(w);
	T_CHECK(!steady(w, NOW + 7 * DAY - 1));
	T_CHECK(steady(w, NOW + 7 * DAY));
	T_CHECK(steady(w, NOW + 30 * DAY));
	T_CHECK(!steady(w, NOW + 90 * DAY));
	T_CHECK(!steady(w, NOW + 97 * DAY - 1));
	T_CHECK(steady(w, NOW + 97 * DAY));
}

static void
test_clock_that_leapt_is_steady_after_a_week(void **state)
{
	struct world *w = *state;

	(void)look(w, NOW);
	assert_int_equal(look(w, NOW + 30 * DAY + 1), STORE_CLOCK_LEAPT);
	assert_int_equal(look(w, NOW + 30 * DAY + 2), STORE_CLOCK_UNSURE);
	world_reopen(w);
	assert_int_equal(look(w, NOW + 37 * DAY), STORE_CLOCK_UNSURE);
	assert_int_equal(look(w, NOW + 37 * DAY + 1), STORE_CLOCK_STEADY);
	/* and back */
	assert_int_equal(look(w, NOW + 35 * DAY), STORE_CLOCK_LEAPT);
	assert_int_equal(look(w, NOW + 41 * DAY), STORE_CLOCK_UNSURE);
	assert_int_equal(look(w, NOW + 42 * DAY), STORE_CLOCK_STEADY);
}

/* What a pass with a clock a month ahead put off is not late by a month. */
static void
test_clock_that_was_wrong_delays_nothing(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out_end end;
	struct store_out got[4];
	int64_t until;
	size_t n;

	(void)submit(w, &m, NULL);
	OK(w, store_out_claim(w->st, "r", NOW + 20 * DAY,
	    NOW + 20 * DAY + 60, got, 4, &n, &w->e));
	assert_int_equal(n, 1);
	end = (struct store_out_end){ .id = got[0].id, .text = "later" };
	OK(w, store_out_defer(w->st, &end, 1, NOW + 20 * DAY, CLOCK_FOREVER,
	    &w->e));
	OK(w, store_relay_suspend(w->st, "r", NOW + 20 * DAY, 0, "down",
	    &until, &w->e));
	OK(w, store_out_claim(w->st, "r", NOW, NOW + 60, got, 4, &n, &w->e));
	assert_int_equal(n, 0);
	(void)look(w, NOW);
	OK(w, store_out_claim(w->st, "r", NOW, NOW + 60, got, 4, &n, &w->e));
	assert_int_equal(n, 1);
}

/* What a true clock put off stays so. */
static void
test_clock_leaves_what_is_put_off(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out_end end;
	struct store_out got[4];
	size_t n;

	(void)submit(w, &m, NULL);
	OK(w, store_out_claim(w->st, "r", NOW, NOW + 60, got, 4, &n, &w->e));
	end = (struct store_out_end){ .id = got[0].id, .text = "later",
	    .jitter = UINT32_MAX };
	OK(w, store_out_defer(w->st, &end, 1, NOW, CLOCK_FOREVER, &w->e));
	(void)look(w, NOW);
	OK(w, store_out_claim(w->st, "r", NOW, NOW + 60, got, 4, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
test_backoff_is_within_what_it_says(void **state)
{
	int64_t most = 0;

	(void)state;
	for (uint32_t tries = 1; tries < 100; tries++)
		for (uint32_t jitter = 0; jitter < 4000; jitter++)
			if (store_backoff(tries, jitter) > most)
				most = store_backoff(tries, jitter);
	assert_int_equal(most, STORE_BACKOFF_MAX_S);
}

/* A pass that finds nothing new writes nothing. */
static void
test_clock_writes_once_a_day(void **state)
{
	struct world *w = *state;
	char wal[128];
	struct stat was, is;

	(void)snprintf(wal, sizeof(wal), "%s/sceau.db-wal", w->dir);
	(void)look(w, NOW);
	assert_int_equal(stat(wal, &was), 0);
	for (int i = 1; i < 24; i++)
		(void)look(w, NOW + i * 3600);
	assert_int_equal(stat(wal, &is), 0);
	assert_int_equal(is.st_size, was.st_size);
	assert_int_equal(sql_number(w, "SELECT last_at FROM clock"), NOW);
	(void)look(w, NOW + DAY);
	assert_int_equal(sql_number(w, "SELECT last_at FROM clock"),
	    NOW + DAY);
}

/* By a clock of 1970, seen by nobody: neither too old nor for ever young. */
static void
test_queued_by_a_wrong_clock_counts_from_now(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR), n = make_out(2, DR);
	int64_t submission;
	size_t old;

	OK(w, store_out_submit(w->st, 100000, NULL, &m, 1, &submission,
	    &w->e));
	OK(w, store_out_submit(w->st, NOW + 999 * DAY, NULL, &n, 1,
	    &submission, &w->e));
	assert_int_equal(look(w, NOW), STORE_CLOCK_STEADY);
	OK(w, store_out_overdue(w->st, NOW, 5 * DAY, "old", &old, &w->e));
	assert_int_equal(old, 0);
	OK(w, store_out_overdue(w->st, NOW + 5 * DAY, 5 * DAY, "old", &old,
	    &w->e));
	assert_int_equal(old, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_clock_goes_its_way),
		WORLD_TEST(test_the_first_clock_is_watched_for_a_week),
		WORLD_TEST(test_clock_that_leapt_is_steady_after_a_week),
		WORLD_TEST(test_clock_that_was_wrong_delays_nothing),
		WORLD_TEST(test_clock_leaves_what_is_put_off),
		WORLD_TEST(test_backoff_is_within_what_it_says),
		WORLD_TEST(test_clock_writes_once_a_day),
		WORLD_TEST(test_queued_by_a_wrong_clock_counts_from_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
