/* document/civil: dates and national numbers, as they are met. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "document/civil.h"

static const struct date today = { 2026, 11, 26 };

/* At the end of its block, so that a read beyond it is seen. */
static struct bytes
copy(const char *s)
{
	size_t len = strlen(s);
	uint8_t *p = malloc(len > 0 ? len : 1);

	T_CHECK(p != NULL);
	memcpy(p, s, len);
	return (struct bytes){ p, len };
}

static void
check_date(const char *s, enum date_form form, const char *want)
{
	struct bytes b = copy(s);
	char got[DATE_BYTES] = "";
	struct date d;

	assert_int_equal(date_parse(b, &today, &d), form);
	if (want != NULL) {
		date_format(&d, got);
		T_STR(got, want);
	}
	free((void *)(uintptr_t)b.p);
}

static void
test_dates(void **state)
{
	(void)state;
	check_date("12/05/1961", DATE_FULL, "1961-05-12");
	check_date("  12/05/1961 ", DATE_FULL, "1961-05-12");
	check_date("29/02/2000", DATE_FULL, "2000-02-29");
	check_date("23/11/2026 08:30", DATE_FULL, "2026-11-23");
	check_date("1961-05-12", DATE_OTHER, "1961-05-12");
	check_date("1 JAN 1911", DATE_OTHER, "1911-01-01");
	check_date("3 f\xc3\xa9vrier 1950", DATE_OTHER, "1950-02-03");
	check_date("1 juillet 1950", DATE_OTHER, "1950-07-01");
	check_date("1 JUN 1950", DATE_OTHER, "1950-06-01");
	check_date("15 ao\xc3\xbbt 1950", DATE_OTHER, "1950-08-15");
	check_date("1/5/1961", DATE_OTHER, "1961-05-01");
	check_date("12.05.1961", DATE_OTHER, "1961-05-12");
	/* the last century that is not to come */
	check_date("12/05/61", DATE_SHORT, "1961-05-12");
	check_date("26/11/26", DATE_SHORT, "2026-11-26");
	check_date("27/11/26", DATE_SHORT, "1926-11-27");
	check_date("", DATE_NONE, NULL);
	check_date(" \t ", DATE_NONE, NULL);
}

static void
test_no_dates(void **state)
{
	static const char *const bad[] = { "29/02/1900", "31/04/1961",
	    "00/05/1961", "12/00/1961", "12/13/1961", "12/05", "12/05/",
	    "12/05/196", "12/05/19611", "12/05/1961x", "/", "hier",
	    "1 BRUMAIRE 1911", "12 1961", "123/05/1961", "12051961",
	    "12/05/1961 8 heures", "\xff", "-1/05/1961" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_date(bad[i], DATE_BAD, NULL);
}

static void
test_day_of_a_time(void **state)
{
	struct date d, next = { 1970, 1, 2 };

	(void)state;
	date_of(86399, &d);
	T_CHECK(d.year == 1970 && d.month == 1 && d.day == 1);
	T_CHECK(date_compare(&d, &next) < 0 && date_compare(&next, &d) > 0);
	date_of(86400, &d);
	assert_int_equal(date_compare(&d, &next), 0);
}

static void
check_nir(const char *s, enum nir_form form, const char *want)
{
	struct bytes b = copy(s);
	char nir[NIR_BYTES];

	assert_int_equal(nir_parse(b, nir), form);
	T_STR(nir, want);
	free((void *)(uintptr_t)b.p);
}

/* 2610535000001 mod 97 is 75; of Corsica 19 and 18 are counted. */
static void
test_nir(void **state)
{
	(void)state;
	check_nir("2610535000001 22", NIR_GOOD, "2610535000001");
	check_nir("261053500000122", NIR_GOOD, "2610535000001");
	check_nir("2 61 05 35 000 001 22", NIR_GOOD, "2610535000001");
	check_nir("2610535000001", NIR_KEYLESS, "2610535000001");
	check_nir("2610535000001 23", NIR_BAD_KEY, "2610535000001");
	check_nir("2610535000010 22", NIR_BAD_KEY, "2610535000010");
	check_nir("", NIR_NONE, "");
	check_nir("261053500000", NIR_BAD, "");
	check_nir("2610535000001 2", NIR_BAD, "");
	check_nir("2610535000001 222", NIR_BAD, "");
	check_nir("2610535000001 2x", NIR_BAD, "");
	check_nir("261052C000001", NIR_BAD, "");
	check_nir("26105A2000001", NIR_BAD, "");
	check_nir("0610535000001 22", NIR_BAD, "");
}

static void
test_nir_of_corsica(void **state)
{
	char s[20];

	(void)state;
	/* 2610519000001 and 2610518000001 */
	for (int b = 0; b < 2; b++) {
		uint64_t n = b ? 2610518000001 : 2610519000001;
		char letter = b ? 'B' : 'A';

		snprintf(s, sizeof(s), "261052%c000001 %02u", letter,
		    97 - (unsigned)(n % 97));
		check_nir(s, NIR_GOOD, b ? "261052B000001" : "261052A000001");
		s[6] = (char)(letter | 0x20);
		check_nir(s, NIR_GOOD, b ? "261052B000001" : "261052A000001");
		s[6] = b ? 'A' : 'B';
		check_nir(s, NIR_BAD_KEY, b ? "261052A000001" :
		    "261052B000001");
	}
}

static void
test_nir_and_birth(void **state)
{
	struct date d = { 1961, 5, 12 };

	(void)state;
	T_CHECK(nir_born("2610535000001", &d));
	T_CHECK(!nir_born("2600535000001", &d));
	T_CHECK(!nir_born("2610635000001", &d));
	T_CHECK(nir_born("2613035000001", &d));	/* month not known */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_no_dates),
		cmocka_unit_test(test_day_of_a_time),
		cmocka_unit_test(test_nir),
		cmocka_unit_test(test_nir_of_corsica),
		cmocka_unit_test(test_nir_and_birth)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
