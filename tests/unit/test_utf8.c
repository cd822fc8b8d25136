#include <string.h>

#include "unit.h"
#include "base/utf8.h"

/* The number of characters, or -1. */
static int
count(const char *s, size_t len)
{
	uint32_t c;
	int n = 0;

	for (size_t i = 0; i < len; n++)
		if (!utf8_next((const uint8_t *)s, len, &i, &c))
			return -1;
	return n;
}

static void
test_good_and_bad(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3x",
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff",
		"\xf0\x9f\x98", "a\xe9", "\xc3\xa9\xa9",
	};

	(void)state;
	T_CHECK(count("", 0) == 0);
	T_CHECK(count("a\0b", 3) == 3);
	T_CHECK(count("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9) == 3);
	T_CHECK(count("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf", 10) == 4);
	T_CHECK(count("\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80", 10) == 3);
	T_CHECK(count("\xf4\x8f\xbf\xbf", 4) == 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_CHECK(count(bad[i], strlen(bad[i])) == -1);
}

static void
test_values(void **state)
{
	const uint8_t euro[] = { 0xe2, 0x82, 0xac };
	size_t at = 0;
	uint32_t c;

	(void)state;
	T_CHECK(utf8_next(euro, 3, &at, &c) && c == 0x20ac && at == 3);
	T_CHECK(utf8_control(0) && utf8_control(31) && !utf8_control(32));
	T_CHECK(!utf8_control(126) && utf8_control(127) && utf8_control(159));
	T_CHECK(!utf8_control(160));
}

/* Whatever it is looked at in blocks of: the first that is not ASCII. */
static void
test_ascii(void **state)
{
	uint8_t p[41];

	(void)state;
	for (size_t from = 0; from < 9; from++)
		for (size_t at = from; at < sizeof(p); at++) {
			memset(p, 0x7f, sizeof(p));
			p[at] = 0x80;
			T_CHECK(utf8_ascii(p + from, sizeof(p) - from) ==
			    at - from);
			T_CHECK(utf8_ascii(p + from, at - from) == at - from);
		}
}

static void
test_hidden(void **state)
{
	static const uint32_t hidden[] = { 0xad, 0x61c, 0x200b, 0x200e,
	    0x200f, 0x2028, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0xfeff,
	    0xe0041 };
	static const uint32_t seen[] = { 'a', 0xa0, 0xe9, 0x62e, 0x200c,
	    0x200d, 0x2019, 0x202f, 0x20ac, 0x1f600 };

	(void)state;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		T_CHECK(utf8_hidden(hidden[i]));
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		T_CHECK(!utf8_hidden(seen[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_and_bad),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
