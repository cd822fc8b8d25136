/* IMAP, with servers that say what they should not, or what is seldom said:
 * who was given what, what was taken off the server, and what was asked. */
#include "config.h"

#include "imap_script.h"

/* ---- listing ----------------------------------------------------------- */

static void
test_more_than_one_can_hold(void **state)
{
	const struct script_row many[] = { LOGIN_ROW, SELECT_ROW("3", "4"),
	    CAPABILITY_ROW(""), LOGOUT_ROW, END };
	const struct script_row more[] = { LOGIN_ROW, SELECT_ROW("1", "4"),
	    CAPABILITY_ROW(""), { "FETCH", SIZE("1", "1") SIZE("2", "2")
	    SIZE("3", "3") OK, 0 }, LOGOUT_ROW, END };
	struct err e = ERR_INIT;

	(void)state;
	open_at(many, 2);
	T_RC(list(&e), RC_TEMP);
	assert_non_null(strstr(e.text, "more than 2 messages"));
	assert_int_equal(seen.n, 0);
	T_CHECK(!leave("FETCH"));
	/* It said that there is one, and tells of three. */
	open_at(more, 2);
	T_RC(list(&e), RC_TEMP);
	assert_int_equal(seen.n, 2);
	leave("");
}

#define LARGE(n) "* " n " FETCH (UID " n " RFC822.SIZE 11)\r\n"

static void
test_none_of_many_large_ones_is_asked_for(void **state)
{
	const struct script_row rows[] = { LOGIN_ROW, SELECT_ROW("18", "19"),
	    CAPABILITY_ROW(""), { "FETCH", LARGE("1") LARGE("2") LARGE("3")
	    LARGE("4") LARGE("5") LARGE("6") LARGE("7") LARGE("8")
	    LARGE("9") LARGE("10") LARGE("11") LARGE("12") LARGE("13")
	    LARGE("14") LARGE("15") LARGE("16") LARGE("17") LARGE("17")
	    LARGE("18") OK, 0 }, LOGOUT_ROW, END };
	struct bytes last = bytes("7.18");
	struct err e = ERR_INIT;

	(void)state;
	open_at(rows, 0);
	T_RC(list(&e), RC_OK);
	assert_int_equal(seen.n, 19);
	T_RC(fetch(3, &e), RC_OK);
	T_RC(source_fetch(source, &last, 1, &sink, &e), RC_OK);
	assert_int_equal(seen.ends, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(seen.got[i], SOURCE_TOO_BIG);
	T_CHECK(!leave("BODY"));
}

static void
test_where_a_listing_begins(void **state)
{
	const struct script_row rows[] = { LOGIN_ROW, SELECT_ROW("2", "8"),
	    CAPABILITY_ROW(""), { "FETCH", SIZE("1", "5") SIZE("2", "7") OK,
	    0 }, LOGOUT_ROW, END };
	static const struct {
		const char *after, *asked;
	} cases[] = { { "7.5", "UID FETCH 6:*" }, { "6.5", "FETCH 1:2" },
	    { "7.4294967295", "FETCH 1:2" }, { "x", "FETCH 1:2" } };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_at(rows, 0);
		T_RC(source_list(source, bytes(cases[i].after), on_list, NULL,
		    &e), RC_OK);
		assert_int_equal(seen.n, i == 0 ? 1 : 2);
		if (!leave(cases[i].asked))
			fail_msg("%s", cases[i].after);
	}
	/* Nothing new: not asked at all.  Then what came before, too. */
	open_at(rows, 0);
	T_RC(source_list(source, bytes("7.7"), on_list, NULL, &e), RC_OK);
	assert_int_equal(seen.n, 0);
	T_RC(source_list(source, bytes("7.4"), on_list, NULL, &e), RC_OK);
	assert_int_equal(seen.n, 2);
	T_CHECK(leave("UID FETCH 5:*"));
}

static void
test_an_empty_mailbox(void **state)
{
	const struct script_row rows[] = { LOGIN_ROW, SELECT_ROW("0", "8"),
	    CAPABILITY_ROW(""), LOGOUT_ROW, END };
	struct err e = ERR_INIT;

	(void)state;
	open_at(rows, 0);
	T_RC(list(&e), RC_OK);
	assert_int_equal(seen.n, 0);
	T_CHECK(!leave("FETCH"));
}

static void
test_no_lasting_names(void **state)
{
	const struct script_row rows[] = { LOGIN_ROW, { "SELECT",
	    "* 1 EXISTS\r\n" OK, 0 }, CAPABILITY_ROW(""), LOGOUT_ROW, END };
	const struct source_limits limits = { 10, 0, 0 };
	struct err e = ERR_INIT;

	(void)state;
	script_start(&server, "* OK ready\r\n", rows);
	account.server.port = server.port;
	T_RC(source_new(&account, &limits, &source, &e), RC_OK);
	T_RC(source_open(source, &secret, &e), RC_CONF);
	assert_int_equal(source_why(source), WHY_SERVER);
	T_CHECK(!leave("FETCH"));
}

/* Words that came with the greeting, or with the word to begin, would be read
 * as if said under TLS. */
static void
test_words_before_tls(void **state)
{
	const struct script_row rows[] = { { "STARTTLS", OK, 0 }, LOGIN_ROW,
	    LOGOUT_ROW, END };
	const struct script_row late[] = { { "STARTTLS", OK "* OK more\r\n",
	    0 }, LOGIN_ROW, LOGOUT_ROW, END };
	const struct source_limits limits = { 10, 0, 0 };
	char pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		script_start(&server, i == 0 ? "* OK ready\r\n1 OK fine\r\n" :
		    "* OK ready\r\n", i == 0 ? rows : late);
		account.server.port = server.port;
		account.server.tls = CONF_TLS_STARTTLS;
		account.server.pin = pin;
		T_RC(source_new(&account, &limits, &source, &e), RC_OK);
		T_RC(source_open(source, &secret, &e), RC_TEMP);
		assert_int_equal(source_why(source), WHY_TLS);
		/* What follows the word to begin, libetpan refuses itself. */
		assert_non_null(strstr(e.text, i == 0 ? "before TLS began" :
		    "no STARTTLS is offered"));
		T_CHECK(!leave("LOGIN"));
	}
	account.server.tls = CONF_TLS_NONE;
	account.server.pin = NULL;
}

/* ---- fetching ---------------------------------------------------------- */

/* Which mail is it, when both have one name?  Neither is believed further. */
static void
test_the_same_message_twice(void **state)
{
	const struct script_row rows[] = FETCHING(BODY("1", "1")
	    BODY("1", "1") BODY("2", "2") OK);
	struct err e = ERR_INIT;

	(void)state;
	open_at(rows, 0);
	T_RC(fetch(2, &e), RC_TEMP);
	assert_non_null(strstr(e.text, "not asked for"));
	assert_int_equal(source_why(source), WHY_SERVER);
	assert_int_equal(seen.ends, 1);
	assert_int_equal(seen.got[0], SOURCE_GOT);
	leave("");
}

static void
test_other_words_are_no_mail(void **state)
{
	const struct script_row rows[] = FETCHING(
	    "* 1 FETCH (FLAGS (\\Seen))\r\n"
	    "* 1 FETCH (UID 1 RFC822.HEADER {4}\r\nhead)\r\n"
	    "* 1 FETCH (UID 1 BODY[] \"mail\")\r\n" OK);
	struct err e = ERR_INIT;

	(void)state;
	open_at(rows, 0);
	T_RC(fetch(1, &e), RC_OK);
	assert_int_equal(seen.ends, 1);
	assert_int_equal(seen.got[0], SOURCE_GOT);
	T_STR(buf_str(&seen.octets), "mail");
	leave("");
}

/* Whatever it ends with, a consumer that fails is given no more. */
static void
test_a_consumer_that_fails(void **state)
{
	const struct script_row fine[] = FETCHING(BODY("1", "1")
	    BODY("2", "2") OK);
	const struct script_row refused[] = NOT_GIVEN(NO, OK,
	    "* SEARCH 1 2\r\n" OK);
	const struct script_row gone[] = NOT_GIVEN(OK, OK, "* SEARCH\r\n" OK);
	const struct script_row large[] = { LOGIN_ROW, SELECT_ROW("2", "3"),
	    CAPABILITY_ROW(""), { "FETCH", LARGE("1") LARGE("2") OK, 0 },
	    LOGOUT_ROW, END };
	const struct script_row *all[] = { fine, refused, gone, large };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct err e = ERR_INIT;

		open_at(all[i], 0);
		seen.at_end = RC_PERM;
		T_RC(fetch(2, &e), RC_PERM);
		T_STR(e.text, "at end");
		assert_int_equal(seen.ends, 1);
		assert_int_equal(source_why(source), WHY_LOCAL);
		leave("");
	}
}

static void
test_ids_of_another_mailbox(void **state)
{
	const struct script_row rows[] = FETCHING(BODY("1", "1") OK);
	const struct bytes foreign[] = { bytes("6.1"), bytes("x"),
	    bytes("7.0") };
	enum source_done done[3];
	struct err e = ERR_INIT;

	(void)state;
	open_at(rows, 0);
	T_RC(source_release(source, foreign, 3, CONF_AFTER_DELETE, NULL, done,
	    &e), RC_OK);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(done[i], SOURCE_RELEASED);
	seen.at_end = RC_PERM;
	T_RC(source_fetch(source, foreign, 3, &sink, &e), RC_PERM);
	assert_int_equal(seen.got[0], SOURCE_GONE);
	assert_int_equal(seen.ends, 1);
	/* Nothing was asked about, and nothing deleted. */
	T_CHECK(!leave("FETCH") && seen.begun == 0);
}

static void
test_one_at_a_time(void **state)
{
	const struct script_row rows[] = { LOGIN_ROW, SELECT_ROW("2", "3"),
	    CAPABILITY_ROW(""), { "FETCH 1 (UID BODY", BODY("1", "1") OK,
	    0 }, { "FETCH 2 (UID BODY", BODY("2", "2") OK, 0 },
	    { "FETCH", SIZE("1", "1") SIZE("2", "2") OK, 0 }, LOGOUT_ROW,
	    END };
	struct err e = ERR_INIT;

	(void)state;
	account.batch = 0;
	open_at(rows, 0);
	T_RC(fetch(2, &e), RC_OK);
	assert_int_equal(seen.ends, 2);
	account.batch = 1000000;
	T_CHECK(leave("FETCH 2 (UID BODY"));
}

/* ---- releasing --------------------------------------------------------- */

#define RELEASING(can, found, expunge) { LOGIN_ROW, SELECT_ROW("3", "4"), \
	CAPABILITY_ROW(can), { "STORE", OK, 0 },			\
	{ "SEARCH DELETED", found, 0 }, { "EXPUNGE", expunge, 0 },	\
	{ "SEARCH", "* SEARCH 2\r\n" OK, 0 }, LOGOUT_ROW, END }

static void
test_what_is_still_there_is_not_released(void **state)
{
	const struct script_row uidplus[] = RELEASING(" UIDPLUS", NO, OK);
	const struct script_row ours[] = RELEASING("",
	    "* SEARCH 3 1 2\r\n" OK, OK);
	const struct script_row theirs[] = RELEASING("",
	    "* SEARCH 1 9 2\r\n" OK, OK);
	const struct {
		const struct script_row	*rows;
		enum source_done	 second;
		bool			 expunges;
	} cases[] = { { uidplus, SOURCE_PENDING, true },
	    { ours, SOURCE_PENDING, true },
	    { theirs, SOURCE_MARKED, false } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		enum source_done done[3];
		struct err e = ERR_INIT;

		open_at(cases[i].rows, 0);
		T_RC(source_release(source, ids, 3, CONF_AFTER_DELETE, NULL,
		    done, &e), RC_OK);
		assert_int_equal(done[0], SOURCE_RELEASED);
		assert_int_equal(done[1], cases[i].second);
		assert_int_equal(done[2], SOURCE_RELEASED);
		T_CHECK(leave("EXPUNGE") == cases[i].expunges);
	}
}

static void
test_a_refusal_releases_nothing(void **state)
{
	/* libetpan keeps the list of a SEARCH that was refused: it hangs up. */
	const struct script_row search[] = RELEASING("", NULL, OK);
	const struct script_row expunge[] = RELEASING("",
	    "* SEARCH 1\r\n" OK, NO);
	const struct script_row deaf[] = { LOGIN_ROW, SELECT_ROW("3", "4"),
	    { "CAPABILITY", NO, 0 }, LOGOUT_ROW, END };
	const struct script_row *all[] = { search, expunge, deaf };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		enum source_done done[3];
		struct err e = ERR_INIT;

		open_at(all[i], 0);
		T_RC(source_release(source, ids, 3, i < 2 ? CONF_AFTER_DELETE :
		    CONF_AFTER_MOVE, "x", done, &e), RC_TEMP);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(done[k], SOURCE_PENDING);
		assert_int_equal(source_why(source), i == 0 ? WHY_NETWORK :
		    WHY_SERVER);
		leave("");
	}
}

#define MOVING(can, first, create) { LOGIN_ROW, SELECT_ROW("3", "4"),	\
	CAPABILITY_ROW(can), { "MOVE", first, 1 }, { "COPY", first, 1 },\
	{ "MOVE", OK, 0 }, { "CREATE", create, 0 },			\
	{ "SEARCH", "* SEARCH\r\n" OK, 0 }, LOGOUT_ROW, END }

static void
test_a_folder_that_is_not_there(void **state)
{
	const struct script_row made[] = MOVING(" MOVE", NO, OK);
	const struct script_row not_made[] = MOVING(" MOVE", NO, NO);
	const struct script_row by_copy[] = MOVING("", NO, NO);
	const struct script_row *all[] = { made, not_made, by_copy };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		enum source_done done[3];
		struct err e = ERR_INIT;

		open_at(all[i], 0);
		T_RC(source_release(source, ids, 3, CONF_AFTER_MOVE, "Faits",
		    done, &e), i == 0 ? RC_OK : RC_TEMP);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(done[k], i == 0 ? SOURCE_RELEASED :
			    SOURCE_PENDING);
		if (i > 0)
			assert_non_null(strstr(e.text, i == 1 ? "MOVE" :
			    "COPY"));
		T_CHECK(leave("CREATE"));
	}
}

static void
test_folders_that_have_no_name(void **state)
{
	static const char *const names[] = { NULL, "", "a\r\nDELETE b",
	    "\377" };
	const struct script_row rows[] = MOVING(" MOVE", OK, OK);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		enum source_done done[3];
		struct err e = ERR_INIT;

		open_at(rows, 0);
		T_RC(source_release(source, ids, 3, CONF_AFTER_MOVE, names[i],
		    done, &e), RC_CONF);
		assert_int_equal(done[0], SOURCE_PENDING);
		T_CHECK(!leave("MOVE"));
	}
}

/* ---- waiting ----------------------------------------------------------- */

#define WAITING(fetch, idle, done) { LOGIN_ROW, SELECT_ROW("1", "2"),	\
	CAPABILITY_ROW(" IDLE"), { "FETCH", fetch, 0 }, { "IDLE", idle, 0 }, \
	{ "DONE", done, 0 }, LOGOUT_ROW, END }

static void
test_what_is_news(void **state)
{
	const struct script_row came[] = WAITING(SIZE("2", "2") OK, OK, OK);
	const struct script_row comes[] = WAITING(OK,
	    "+ idling\r\n* 2 EXISTS\r\n", OK);
	const struct script_row talk[] = WAITING(OK,
	    "+ idling\r\n* OK still here\r\n", OK);
	const struct script_row quiet[] = WAITING(OK, "+ idling\r\n", OK);
	const struct {
		const struct script_row	*rows;
		bool			 news, idles;
		int			 timeout_s;
	} cases[] = { { came, true, false, 60 }, { comes, true, true, 86400 },
	    { talk, false, true, 60 }, { quiet, false, true, 0 } };

	(void)state;
	account.idle = true;
	for (size_t i = 0; i < 4; i++) {
		struct err e = ERR_INIT;
		bool news = false;

		open_at(cases[i].rows, 0);
		T_RC(source_wait(source, cases[i].timeout_s, -1, &news, &e),
		    RC_OK);
		T_CHECK(source_info(source)->can_idle);
		if (news != cases[i].news)
			fail_msg("%zu", i);
		T_CHECK(leave("IDLE") == cases[i].idles);
	}
	account.idle = false;
}

static void
test_waiting_that_is_refused(void **state)
{
	const struct script_row fetch_no[] = WAITING(NO, OK, OK);
	const struct script_row idle_no[] = WAITING(OK, NO, OK);
	const struct script_row done_no[] = WAITING(OK,
	    "+ idling\r\n* 1 EXISTS\r\n", NO);
	const struct script_row can_no[] = { LOGIN_ROW, SELECT_ROW("1", "2"),
	    { "CAPABILITY", "* BYE\r\n", 0 }, LOGOUT_ROW, END };
	const struct script_row *all[] = { fetch_no, idle_no, done_no,
	    can_no };

	(void)state;
	account.idle = true;
	for (size_t i = 0; i < 4; i++) {
		struct err e = ERR_INIT;
		bool news = true;

		open_at(all[i], 0);
		T_RC(source_wait(source, 60, -1, &news, &e), RC_TEMP);
		T_CHECK(!news);
		assert_int_equal(source_why(source), WHY_SERVER);
		leave("");
	}
	account.idle = false;
}

/* Without IDLE the connection waits, and its end is news. */
static void
test_waiting_without_idle(void **state)
{
	const struct script_row rows[] = { LOGIN_ROW, SELECT_ROW("1", "2"),
	    CAPABILITY_ROW(""), { "FETCH", OK "* BYE\r\n", 0 }, LOGOUT_ROW,
	    END };
	struct err e = ERR_INIT;
	bool news = true;

	(void)state;
	open_at(rows, 0);
	T_RC(source_wait(source, 0, -1, &news, &e), RC_OK);
	T_CHECK(!news && !source_info(source)->can_idle);
	kill(server.pid, SIGKILL);
	T_RC(source_wait(source, 60, -1, &news, &e), RC_OK);
	T_CHECK(news);
	T_CHECK(!leave("IDLE"));
}

/* The last UID that there can be: there is nothing behind it to ask for. */
static void
test_after_the_last_uid(void **state)
{
	const struct script_row rows[] = { LOGIN_ROW,
	    SELECT_ROW("1", "1"), CAPABILITY_ROW(" IDLE"),
	    { "FETCH", SIZE("1", "4294967295") OK, 0 },
	    { "IDLE", "+ idling\r\n", 0 }, { "DONE", OK, 0 }, LOGOUT_ROW,
	    END };
	struct err e = ERR_INIT;
	bool news = true;

	(void)state;
	account.idle = true;
	open_at(rows, 0);
	/* Also when it says that the next one were the first. */
	T_RC(source_list(source, none, on_list, NULL, &e), RC_OK);
	assert_int_equal(seen.n, 1);
	T_RC(source_list(source, bytes("7.4294967294"), on_list, NULL, &e),
	    RC_OK);
	assert_int_equal(seen.n, 2);
	T_RC(source_wait(source, 0, -1, &news, &e), RC_OK);
	T_CHECK(!news && leave("IDLE"));
	account.idle = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_than_one_can_hold),
		cmocka_unit_test(test_none_of_many_large_ones_is_asked_for),
		cmocka_unit_test(test_where_a_listing_begins),
		cmocka_unit_test(test_an_empty_mailbox),
		cmocka_unit_test(test_no_lasting_names),
		cmocka_unit_test(test_words_before_tls),
		cmocka_unit_test(test_the_same_message_twice),
		cmocka_unit_test(test_other_words_are_no_mail),
		cmocka_unit_test(test_a_consumer_that_fails),
		cmocka_unit_test(test_ids_of_another_mailbox),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_what_is_still_there_is_not_released),
		cmocka_unit_test(test_a_refusal_releases_nothing),
		cmocka_unit_test(test_a_folder_that_is_not_there),
		cmocka_unit_test(test_folders_that_have_no_name),
		cmocka_unit_test(test_what_is_news),
		cmocka_unit_test(test_waiting_that_is_refused),
		cmocka_unit_test(test_waiting_without_idle),
		cmocka_unit_test(test_after_the_last_uid)
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
