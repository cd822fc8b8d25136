#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/lang.h"
#include "unit.h"

static void
test_dates_are_written_as_the_rfcs_say(void **state)
{
	char a[CLOCK_3339_BYTES], b[CLOCK_5322_BYTES];

	(void)state;
	clock_3339(1767250800, a);
	T_STR(a, "2026-01-01T07:00:00Z");
	clock_5322(1767250800, b);
	T_STR(b, "Thu, 01 Jan 2026 07:00:00 +0000");
	clock_3339(0, a);
	T_STR(a, "");
	clock_3339(CLOCK_FOREVER, a);
	T_STR(a, "never");
	clock_3339(-86400, a);
	T_STR(a, "1969-12-31T00:00:00Z");
	clock_3339(CLOCK_FOREVER - 1, a);
	T_STR(a, "never");
}

static void
test_dates_are_read_as_written(void **state)
{
	static const char *const wrong[] = { "", "never", "2026-01-01",
	    "2026-01-01T07:00:00", "2026-01-01T07:00:00Z ",
	    "2026-02-30T07:00:00Z", "2026-01-01T24:00:00Z",
	    "2026-1-1T07:00:00Z", "2026-01-01 07:00:00Z",
	    "-026-01-01T07:00:00Z" };
	int64_t at;

	(void)state;
	T_CHECK(clock_of_3339("2026-01-01T07:00:00Z", &at));
	T_CHECK(at == 1767250800);
	T_CHECK(clock_of_3339("1969-12-31T23:59:59Z", &at));
	T_CHECK(at == -1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		T_CHECK(!clock_of_3339(wrong[i], &at));
}

static void
test_utc_counts_days(void **state)
{
	struct tm tm;
	time_t t;

	(void)state;
	T_CHECK(clock_utc(1970, 1, 1) == 0);
	T_CHECK(clock_utc(2026, 1, 1) == 1767225600);
	T_CHECK(clock_utc(2024, 2, 29) + 86400 == clock_utc(2024, 3, 1));
	T_CHECK(clock_utc(2100, 2, 28) + 86400 == clock_utc(2100, 3, 1));
	for (int y = 1960; y < 2110; y++) {
		t = (time_t)clock_utc(y, 4, 1);
		T_CHECK(gmtime_r(&t, &tm) != NULL);
		T_CHECK(tm.tm_year + 1900 == y && tm.tm_mon == 3 &&
		    tm.tm_mday == 1 && tm.tm_hour == 0);
	}
}

static void
test_people_read_their_language(void **state)
{
	char s[CLOCK_SAY_BYTES];

	(void)state;
	setenv("TZ", "Europe/Paris", 1);
	tzset();
	lang_set("fr");
	clock_say(1767250800, s);
	T_STR(s, "1er\302\240janvier 2026, 8\302\240h\302\24000");
	lang_set("en");
	clock_say(1767250800, s);
	T_STR(s, "1 Jan 2026, 08:00");
}

#ifdef ENABLE_FAULT
static void
test_a_clock_can_be_set_for_tests(void **state)
{
	(void)state;
	setenv("SCEAU_FAULT_CLOCK", "@12345", 1);
	T_CHECK(clock_now() == 12345);
	T_CHECK(clock_used() > clock_utc(2026, 1, 1));	/* build date */
	setenv("SCEAU_FAULT_CLOCK", "-1000", 1);
	T_CHECK(clock_now() <= (int64_t)time(NULL) - 1000);
	unsetenv("SCEAU_FAULT_CLOCK");
	/* Built just now, wherever that is: never in the time to come. */
	T_CHECK(clock_used() - clock_now() < 2);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates_are_written_as_the_rfcs_say),
		cmocka_unit_test(test_dates_are_read_as_written),
		cmocka_unit_test(test_utc_counts_days),
		cmocka_unit_test(test_people_read_their_language),
#ifdef ENABLE_FAULT
		cmocka_unit_test(test_a_clock_can_be_set_for_tests),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
