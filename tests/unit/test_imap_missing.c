/* IMAP: what a server says is there and does not give, by what name or at
 * all, is known; what somebody else takes away meanwhile is no failure. */
#include "config.h"

#include "imap_script.h"

/* What it says is there and gives no name is counted; what somebody else takes
 * away meanwhile is not. */
static void
test_what_has_no_name_is_counted(void **state)
{
	static const struct {
		const char	*rows, *noop;
		size_t		 named, nameless;
	} cases[] = {
		{ SIZE("1", "1") SIZE("2", "2") SIZE("3", "3") OK, OK, 3, 0 },
		{ SIZE("3", "3") SIZE("1", "1") SIZE("2", "2") OK, OK, 3, 0 },
		{ SIZE("1", "0") SIZE("2", "2") SIZE("3", "3") OK, OK, 2, 1 },
		{ SIZE("1", "1") SIZE("3", "3") OK, OK, 2, 1 },
		{ SIZE("1", "1") SIZE("3", "3") OK, NO, 2, 1 },
		{ SIZE("1", "1") SIZE("3", "3") OK, "* 2 EXPUNGE\r\n" OK, 2,
		    0 },
		{ SIZE("1", "1") "* 3 FETCH (FLAGS (\\Seen))\r\n" OK,
		    "* 2 EXPUNGE\r\n* 7 EXISTS\r\n" OK, 1, 1 },
		{ SIZE("1", "2") SIZE("2", "2") SIZE("3", "3") OK, OK, 3, 1 },
		{ SIZE("1", "99") SIZE("2", "2") SIZE("3", "3") OK, OK, 3, 1 },
		{ OK, OK, 0, 3 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct script_row rows[] = { LOGIN_ROW,
		    SELECT_ROW("3", "4"), CAPABILITY_ROW(""),
		    { "FETCH", cases[i].rows, 0 },
		    { "NOOP", cases[i].noop, 0 }, LOGOUT_ROW, END };
		struct err e = ERR_INIT;

		open_at(rows, 0);
		T_RC(list(&e), RC_OK);
		assert_int_equal(seen.n, cases[i].named);
		if (source_info(source)->nameless != cases[i].nameless)
			fail_msg("%zu: %zu", i, source_info(source)->nameless);
		/* Asked only when something is missing. */
		T_CHECK(leave("NOOP") == (i > 1));
	}
}

/* Again in the same session, when some of it has been taken away. */
static void
test_what_has_no_name_in_a_later_listing(void **state)
{
	const struct script_row rows[] = { LOGIN_ROW, SELECT_ROW("3", "4"),
	    CAPABILITY_ROW(""), { "UID FETCH", SIZE("1", "2") OK, 0 },
	    { "FETCH", SIZE("1", "1") SIZE("2", "2") SIZE("3", "3")
	    "* 1 EXPUNGE\r\n" OK, 0 }, { "NOOP", OK, 0 }, LOGOUT_ROW, END };
	struct err e = ERR_INIT;

	(void)state;
	open_at(rows, 0);
	T_RC(list(&e), RC_OK);
	assert_int_equal(source_info(source)->nameless, 0);
	T_RC(list(&e), RC_OK);
	assert_int_equal(seen.n, 4);
	assert_int_equal(source_info(source)->nameless, 1);
	leave("");
}

/* Taken away by somebody else is no failure; there and not given is one. */
static void
test_what_is_there_and_not_given(void **state)
{
	const struct script_row there[] = NOT_GIVEN(BODY("1", "1") OK, OK,
	    "* SEARCH 9 3 2\r\n" OK);
	const struct script_row one[] = NOT_GIVEN(BODY("1", "1")
	    "* 2 FETCH (UID 2 FLAGS ())\r\n" OK, "* 2 EXPUNGE\r\n" OK,
	    "* SEARCH 3\r\n" OK);
	const struct script_row none_left[] = NOT_GIVEN(BODY("1", "1") OK, NO,
	    "* SEARCH\r\n" OK);
	const struct script_row says_no[] = NOT_GIVEN(BODY("1", "1") OK, OK,
	    NO);
	const struct script_row expunged[] = { LOGIN_ROW,
	    SELECT_ROW("3", "4"), CAPABILITY_ROW(""),
	    { "FETCH 1 (UID BODY", BODY("1", "1") OK, 0 },
	    { "BODY.PEEK", NO, 0 }, { "FETCH", SIZE("1", "1")
	    SIZE("2", "2") SIZE("3", "3") OK, 0 }, { "NOOP", OK, 0 },
	    { "SEARCH", "* SEARCH 3\r\n" OK, 0 }, LOGOUT_ROW, END };
	const struct script_row all_given[] = NOT_GIVEN(BODY("1", "1")
	    BODY("2", "2") BODY("3", "3") OK, NULL, NULL);
	const struct {
		const struct script_row	*rows;
		enum source_got		 second, third;
	} cases[] = { { there, SOURCE_UNREADABLE, SOURCE_UNREADABLE },
	    { one, SOURCE_GONE, SOURCE_UNREADABLE },
	    { none_left, SOURCE_GONE, SOURCE_GONE },
	    { says_no, SOURCE_UNREADABLE, SOURCE_UNREADABLE },
	    { expunged, SOURCE_GONE, SOURCE_UNREADABLE },
	    { all_given, SOURCE_GOT, SOURCE_GOT } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;

		open_at(cases[i].rows, 0);
		T_RC(fetch(3, &e), RC_OK);
		assert_int_equal(seen.ends, 3);
		assert_int_equal(seen.got[0], SOURCE_GOT);
		assert_int_equal(seen.got[1], cases[i].second);
		assert_int_equal(seen.got[2], cases[i].third);
		T_CHECK(leave("SEARCH") == (i < 5));
	}
}

static void
test_who_ends_when_asked_what_is_there(void **state)
{
	const struct script_row noop[] = NOT_GIVEN(OK, NULL, OK);
	const struct script_row search[] = NOT_GIVEN(OK, OK, NULL);
	const struct script_row *all[] = { noop, search };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct err e = ERR_INIT;

		open_at(all[i], 0);
		T_RC(fetch(3, &e), RC_TEMP);
		assert_int_equal(seen.ends, 0);
		assert_int_equal(source_why(source), WHY_NETWORK);
		leave("");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_has_no_name_is_counted),
		cmocka_unit_test(test_what_has_no_name_in_a_later_listing),
		cmocka_unit_test(test_what_is_there_and_not_given),
		cmocka_unit_test(test_who_ends_when_asked_what_is_there)
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
