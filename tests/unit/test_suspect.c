/* The mail that ends sessions is found, and only that one. */
#include "unit.h"

#include "flow/suspect.h"

static struct store_uid
uid(unsigned n)
{
	struct store_uid u = { .len = 2 };

	u.p[0] = 'u';
	u.p[1] = (uint8_t)n;
	return u;
}

/* One pass over mails 1..${n} of which ${nbad} from ${bad} on kill: how many
 * sessions. */
static unsigned
pass(struct suspect *s, unsigned n, unsigned bad, unsigned nbad, bool died,
    unsigned *got)
{
	const struct store_uid *found;
	unsigned sessions = 0;
	bool again = true;

	*got = 0;
	for (unsigned next = 1; again;) {
		struct store_uid u[64];
		size_t m = 0;
		bool over = false;

		sessions++;
		again = false;
		while (next <= n && !over) {
			for (unsigned i = next; i <= n && m <
			    suspect_max(s, 64); i++) {
				u[m] = uid(i);
				if (!suspect_skips(s, &u[m]))
					m++;
			}
			if (m == 0)
				break;
			suspect_asked(s, u, m);
			for (size_t i = 0; i < m && !over; i++) {
				over = u[i].p[1] >= bad &&
				    u[i].p[1] < bad + nbad;
				if (over)
					break;
				suspect_came(s);
				(*got)++;
				next = u[i].p[1] + 1U;
			}
			m = 0;
		}
		if (over)
			again = suspect_over(s, died, &found);
	}
	return sessions;
}

static void
test_suspect_none(void **state)
{
	struct suspect s = { .nskip = 0 };
	unsigned got;

	(void)state;
	assert_int_equal(pass(&s, 200, 0, 0, true, &got), 1);
	assert_int_equal(got, 200);
}

static void
test_suspect_is_found_wherever_it_is(void **state)
{
	unsigned got;

	(void)state;
	for (unsigned bad = 1; bad <= 200; bad++)
		for (int died = 0; died < 2; died++) {
			struct suspect s = { .nskip = 0 };

			assert_int_equal(pass(&s, 200, bad, 1, died, &got), 4);
			assert_int_equal(got, 199);
			assert_int_equal(s.nskip, 1);
			assert_int_equal(s.skip[0].p[1], bad);
		}
}

/* Two in a row keep nobody behind them waiting: the next pass begins anew, and
 * would not get behind them either. */
static void
test_suspect_several(void **state)
{
	unsigned got;

	(void)state;
	for (unsigned bad = 1; bad < 200; bad++)
		for (int died = 0; died < 2; died++) {
			struct suspect s = { .nskip = 0 };

			pass(&s, 200, bad, 2, died, &got);
			assert_int_equal(got, 198);
			assert_int_equal(s.nskip, 2);
		}
}

/* A server that ends sessions for its own reasons is left alone soon. */
static void
test_suspect_ends(void **state)
{
	struct suspect s = { .nskip = 0 };
	const struct store_uid *found;
	struct store_uid u = uid(1);
	unsigned n = 0;

	(void)state;
	do {
		u.p[1] = (uint8_t)n++;
		suspect_asked(&s, &u, 1);
	} while (suspect_over(&s, false, &found));
	assert_int_equal(n, 10);
	assert_int_equal(s.nskip, 0);
	assert_false(suspect_over(&s, true, &found));	/* nothing asked */
}

static void
test_suspect_room(void **state)
{
	struct suspect s = { .nskip = 0 };
	const struct store_uid *found;
	unsigned n = 0;

	(void)state;
	for (;; n++) {
		struct store_uid u = uid(n / 2);

		suspect_asked(&s, &u, 1);
		if (!suspect_over(&s, true, &found))
			break;
		assert_true((found != NULL) == (n % 2 == 1));
	}
	assert_int_equal(s.nskip, SUSPECT_SKIP_MAX);
	assert_int_equal(n, 2 * SUSPECT_SKIP_MAX + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suspect_none),
		cmocka_unit_test(test_suspect_is_found_wherever_it_is),
		cmocka_unit_test(test_suspect_several),
		cmocka_unit_test(test_suspect_ends),
		cmocka_unit_test(test_suspect_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
