/* issuer/qr: the square; tests/e2e/test_letters.py has it read by a scanner. */
#include "issuer_unit.h"
#include "issuer/qr.h"

#define CODE "208H4-4RM2M-B1E60-S38DH-R78Y9"

static void
test_square(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	(void)state;
	T_CHECK(qr_svg(CODE, &a) && buf_str(&a) != NULL);
	/* 25 modules of version 2 and a border of 4; first a finder's edge */
	T_CHECK(strstr((const char *)a.p, "viewBox=\"0 0 33 33\"") != NULL);
	T_CHECK(strstr((const char *)a.p, "d=\"M4 4h7v1h-7z") != NULL);
	T_CHECK(strstr((const char *)a.p, "208H4") == NULL);
	T_CHECK(qr_svg("208H4-4RM2M-B1E60-S38DH-R78Y8", &b));
	T_CHECK(a.len != b.len || memcmp(a.p, b.p, a.len) != 0);
	buf_free(&a);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_square),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
