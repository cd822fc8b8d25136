#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "unit.h"

static void
test_integers_are_big_endian(void **state)
{
	struct buf b = BUF_INIT;
	struct rd r;

	(void)state;
	T_CHECK(buf_add8(&b, 1) && buf_add16(&b, 0x0203) &&
	    buf_add32(&b, 0x04050607) && buf_add64(&b, 0x08090a0b0c0d0e0fULL));
	T_CHECK(b.len == 15);
	for (uint8_t i = 0; i < 15; i++)
		T_CHECK(b.p[i] == i + 1);
	r = rd_of(b.p, b.len);
	T_CHECK(rd_8(&r) == 1 && rd_16(&r) == 0x0203);
	T_CHECK(rd_32(&r) == 0x04050607);
	T_CHECK(!rd_done(&r));
	T_CHECK(rd_64(&r) == 0x08090a0b0c0d0e0fULL);
	T_CHECK(rd_done(&r));
	buf_free(&b);
}

static void
test_a_reader_stays_bad(void **state)
{
	const uint8_t p[3] = { 1, 2, 3 };
	struct rd r = rd_of(p, sizeof(p));

	(void)state;
	T_CHECK(rd_32(&r) == 0 && r.bad);
	T_CHECK(rd_8(&r) == 0);	/* though an octet is there */
	T_CHECK(!rd_done(&r));
}

static void
test_a_reader_says_where_it_is(void **state)
{
	const uint8_t p[3] = { 1, 2, 3 };
	struct rd r = rd_of(p, sizeof(p)), none = rd_of(NULL, 0);
	uint8_t two[2] = { 9, 9 };

	(void)state;
	T_CHECK(rd_at(&r) == p);
	T_CHECK(rd_8(&r) == 1 && rd_at(&r) == p + 1 && r.left == 2);
	T_CHECK(rd_take(&r, 3).p == NULL && r.bad);
	T_CHECK(rd_at(&r) == p + 1 && r.left == 2);	/* not moved */
	r.bad = false;
	rd_copy(&r, two, 2);
	T_CHECK(two[0] == 2 && two[1] == 3 && rd_done(&r));
	T_CHECK(rd_at(&r) == p + 3);
	rd_copy(&r, two, 2);
	T_CHECK(two[0] == 0 && two[1] == 0 && r.bad);
	T_CHECK(rd_at(&none) == NULL && rd_done(&none));
	T_CHECK(rd_take(&none, 0).len == 0 && rd_done(&none));
	T_CHECK(rd_8(&none) == 0 && none.bad);
}

static void
test_growing_keeps_and_drop_moves(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 10000; i++)
		T_CHECK(buf_add8(&b, (uint8_t)(i % 251)));
	buf_drop(&b, 5000);
	T_CHECK(b.len == 5000);
	for (size_t i = 0; i < b.len; i++)
		T_CHECK(b.p[i] == (i + 5000) % 251);
	buf_drop(&b, 5000);
	T_CHECK(b.len == 0);
	buf_free(&b);
	T_CHECK(b.p == NULL);
}

static void
test_hex_takes_exactly_its_digits(void **state)
{
	uint8_t out[2];
	char text[5];

	(void)state;
	T_CHECK(hex_parse("0aFf", out, 2) && out[0] == 10 && out[1] == 255);
	hex_format(out, 2, text);
	T_STR(text, "0aff");
	T_CHECK(!hex_parse("0af", out, 2));
	T_CHECK(!hex_parse("0afff", out, 2));
	T_CHECK(!hex_parse("0ag0", out, 2));
}

static void
test_a_stranger_cannot_make_us_overflow(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	T_CHECK(!buf_reserve(&b, SIZE_MAX));
	T_CHECK(buf_adds(&b, "abc"));
	T_CHECK(!buf_reserve(&b, SIZE_MAX - 1));
	T_CHECK(b.len == 3 && memcmp(b.p, "abc", 3) == 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_are_big_endian),
		cmocka_unit_test(test_a_reader_stays_bad),
		cmocka_unit_test(test_a_reader_says_where_it_is),
		cmocka_unit_test(test_growing_keeps_and_drop_moves),
		cmocka_unit_test(test_hex_takes_exactly_its_digits),
		cmocka_unit_test(test_a_stranger_cannot_make_us_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
