/* Working time, over nights, week-ends and the two days in the year on which
 * the clock on the wall leaps. */
#include "config.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/hours.h"
#include "unit.h"

#define HOUR 3600

/* That moment on the walls of Paris. */
static int64_t
paris(int year, int month, int day, int hour, int min)
{
	return clock_of_local(clock_utc(year, month, day) + hour * HOUR +
	    min * 60);
}

static struct hours
read_hours(const char *s)
{
	struct hours h = { .from = 0 };
	struct err e = ERR_INIT;

	if (hours_parse(s, &h, &e) != RC_OK)
		fail_msg("%s: %s", s, e.text);
	return h;
}

static void
test_the_wall_and_back(void **state)
{
	static const int64_t at[] = { 1767250800, 1774745999, 1774746000,
	    1774746001, 1792889999, 1792893600, 1792897200 };

	(void)state;
	/* 2026-03-29 02:00 is 03:00; 2026-10-25 03:00 is 02:00 again. */
	assert_int_equal(paris(2026, 3, 29, 3, 0), 1774746000);
	assert_int_equal(paris(2026, 3, 29, 1, 59), 1774746000 - 60);
	assert_int_equal(clock_local(1774746000) - clock_local(1774745999),
	    HOUR + 1);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		assert_int_equal(clock_local(clock_of_local(
		    clock_local(at[i]))), clock_local(at[i]));
}

static void
test_words(void **state)
{
	static const char *const bad[] = { "", "mon-fri", "8-20", "mon 20-8",
	    "mon 8-25", "monday 8-20", "mon-fri 8-20 x", " 8-20" };
	struct hours h = read_hours("ven-lun  9-17");
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(h.from, 9);
	assert_int_equal(h.to, 17);
	for (int i = 0; i < 7; i++)
		assert_int_equal(h.day[i], i <= 1 || i >= 5);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(hours_parse(bad[i], &h, &e), RC_CONF);
	assert_int_equal(h.to, 17);
}

static void
test_within_a_day_and_over_a_night(void **state)
{
	struct hours h = read_hours("mon-sat 8-20");

	(void)state;
	/* Monday 23 November 2026, 16:00 */
	assert_int_equal(hours_before(&h, paris(2026, 11, 23, 16, 0),
	    4 * HOUR), paris(2026, 11, 23, 12, 0));
	/* two of yesterday's hours count, the night does not */
	assert_int_equal(hours_before(&h, paris(2026, 11, 24, 10, 0),
	    4 * HOUR), paris(2026, 11, 23, 18, 0));
	/* at night the evening counts wholly; nothing is added until 8 */
	assert_int_equal(hours_before(&h, paris(2026, 11, 24, 3, 0),
	    4 * HOUR), paris(2026, 11, 23, 16, 0));
	assert_int_equal(hours_before(&h, paris(2026, 11, 24, 8, 0),
	    4 * HOUR), paris(2026, 11, 23, 16, 0));
}

static void
test_over_a_week_end(void **state)
{
	struct hours h = read_hours("mon-fri 8-18");

	(void)state;
	/* Monday 9:00: one hour, and three of Friday's */
	assert_int_equal(hours_before(&h, paris(2026, 11, 23, 9, 0),
	    4 * HOUR), paris(2026, 11, 20, 15, 0));
	assert_int_equal(hours_before(&h, paris(2026, 11, 22, 12, 0),
	    4 * HOUR), paris(2026, 11, 20, 14, 0));
	/* three weeks */
	assert_int_equal(hours_before(&h, paris(2026, 11, 23, 8, 0),
	    150 * HOUR), paris(2026, 11, 2, 8, 0));
}

/* From Saturday 22:00 to Sunday 8:00 are 9 hours in spring, 11 in autumn. */
static void
test_when_the_clock_on_the_wall_leaps(void **state)
{
	struct hours all = read_hours("mon-sun 0-24");

	(void)state;
	assert_int_equal(hours_before(&all, paris(2026, 3, 29, 8, 0),
	    9 * HOUR), paris(2026, 3, 28, 22, 0));
	assert_int_equal(hours_before(&all, paris(2026, 10, 25, 8, 0),
	    11 * HOUR), paris(2026, 10, 24, 22, 0));
	/* any moment of the two days: what is always work is the clock's */
	for (int64_t at = paris(2026, 3, 28, 20, 0);
	    at < paris(2026, 3, 30, 4, 0); at += 600)
		assert_int_equal(hours_before(&all, at, 7 * HOUR),
		    at - 7 * HOUR);
	for (int64_t at = paris(2026, 10, 24, 20, 0);
	    at < paris(2026, 10, 26, 4, 0); at += 600)
		assert_int_equal(hours_before(&all, at, 30 * HOUR),
		    at - 30 * HOUR);
}

/* The night of a leap lies between two working days and costs nothing. */
static void
test_a_leap_outside_of_working_hours(void **state)
{
	struct hours h = read_hours("mon-sun 8-20");

	(void)state;
	assert_int_equal(hours_before(&h, paris(2026, 3, 29, 10, 0),
	    4 * HOUR), paris(2026, 3, 28, 18, 0));
	assert_int_equal(hours_before(&h, paris(2026, 10, 25, 10, 0),
	    4 * HOUR), paris(2026, 10, 24, 18, 0));
}

static void
test_more_work_than_there_ever_was(void **state)
{
	struct hours h = read_hours("mon 8-9");

	(void)state;
	assert_int_equal(hours_before(&h, paris(2026, 11, 23, 12, 0),
	    INT64_C(3653) * 86400), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_wall_and_back),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_within_a_day_and_over_a_night),
		cmocka_unit_test(test_over_a_week_end),
		cmocka_unit_test(test_when_the_clock_on_the_wall_leaps),
		cmocka_unit_test(test_a_leap_outside_of_working_hours),
		cmocka_unit_test(test_more_work_than_there_ever_was),
	};

	setenv("TZ", "Europe/Paris", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
