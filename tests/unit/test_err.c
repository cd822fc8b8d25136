#include "config.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "base/err.h"
#include "unit.h"

static void
test_a_stranger_cannot_break_the_line(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	T_RC(err_set(&e, RC_TEMP, "said %s", "a\r\nb\033c"), RC_TEMP);
	T_STR(e.text, "said a??b?c");
}

static void
test_a_long_text_is_cut_between_characters(void **state)
{
	struct err e = ERR_INIT;
	char s[2 * ERR_TEXT_BYTES];

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		size_t n = 0, len;

		memset(s, 'x', shift);
		for (n = shift; n + 3 < sizeof(s); n += 3)
			memcpy(s + n, "\342\202\254", 3);
		s[n] = '\0';
		err_set(&e, RC_INPUT, "%s", s);
		len = strlen(e.text);
		T_CHECK(len < ERR_TEXT_BYTES && (len - shift) % 3 == 0);
	}
}

static void
test_context_stands_before(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_class(&e, EC_BODY, "chunk %d", 3);
	T_RC(err_ctx(&e, "account %s", "x"), RC_INPUT);
	T_STR(e.text, "account x: chunk 3");
	T_CHECK(e.class == EC_BODY);
	errno = ENOMEM;
	T_RC(err_sys(&e, "read"), RC_NOMEM);
	errno = ENOSPC;
	T_RC(err_sys(&e, "write"), RC_TEMP);
	T_CHECK(strncmp(e.text, "write: ", 7) == 0);
}

static void
test_the_worst_is_the_one_to_hear_of_first(void **state)
{
	/* PROTOCOL 2.19: 78, 71, 75, 77, 69, 65, 0. */
	static const enum rc order[] = { RC_OK, RC_INPUT, RC_PERM, RC_TEMP,
	    RC_NOMEM, RC_CONF };
	static const int codes[] = { EX_OK, EX_DATAERR, EX_UNAVAILABLE,
	    EX_TEMPFAIL, EX_OSERR, EX_CONFIG };

	(void)state;
	for (int i = 0; i < 6; i++) {
		T_CHECK(rc_exit(order[i]) == codes[i]);
		for (int j = 0; j < 6; j++)
			T_RC(rc_worse(order[i], order[j]),
			    order[i > j ? i : j]);
	}
}

static void
test_every_class_has_its_words(void **state)
{
	(void)state;
	for (int c = EC_NONE; c < EC_N; c++) {
		T_CHECK(err_class_name((enum err_class)c)[0] != '\0');
		T_CHECK((err_class_say((enum err_class)c)[0] != '\0') ==
		    (c != EC_NONE));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stranger_cannot_break_the_line),
		cmocka_unit_test(test_a_long_text_is_cut_between_characters),
		cmocka_unit_test(test_context_stands_before),
		cmocka_unit_test(test_the_worst_is_the_one_to_hear_of_first),
		cmocka_unit_test(test_every_class_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
