#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "wire/reply.h"

/* Read ${text} in pieces of ${step}; the state after it. */
static enum reply_state
read_in(struct reply *r, const char *text, size_t len, size_t step,
    size_t *taken)
{
	enum reply_state state = REPLY_MORE;
	size_t used;

	*taken = 0;
	while (*taken < len && state == REPLY_MORE) {
		size_t n = len - *taken < step ? len - *taken : step;

		state = reply_read(r, text + *taken, n, &used);
		T_CHECK(used <= n);
		*taken += used;
	}
	return state;
}

static void
test_reads_the_same_in_any_pieces(void **state)
{
	static const char text[] = "550-5.1.1 no such\r\n550 5.1.1 user\r\n";

	(void)state;
	for (size_t step = 1; step <= sizeof(text); step++) {
		struct reply r = REPLY_INIT;
		size_t taken;

		assert_int_equal(read_in(&r, text, sizeof(text) - 1, step,
		    &taken), REPLY_DONE);
		assert_int_equal(taken, sizeof(text) - 1);
		assert_int_equal(r.result.code, 550);
		T_STR(r.result.enhanced, "5.1.1");
		T_STR(r.result.text, "no such user");
	}
}

static void
test_truncated_is_not_done(void **state)
{
	static const char text[] = "250-a\r\n250 b\r\n";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct reply r = REPLY_INIT;
		size_t taken;

		assert_int_equal(read_in(&r, text, len, 64, &taken),
		    REPLY_MORE);
	}
}

/* The forged "250 queued" behind the reply to STARTTLS stays unread. */
static void
test_stops_after_one_reply(void **state)
{
	static const char text[] = "220 go ahead\r\n250 queued\r\n";
	struct reply r = REPLY_INIT;
	size_t used;

	(void)state;
	assert_int_equal(reply_read(&r, text, sizeof(text) - 1, &used),
	    REPLY_DONE);
	assert_int_equal(used, strlen("220 go ahead\r\n"));
	assert_int_equal(reply_read(&r, text + used, sizeof(text) - 1 - used,
	    &used), REPLY_DONE);
	assert_int_equal(r.result.code, 250);
}

static void
test_refuses_what_is_no_reply(void **state)
{
	static const struct {
		const char	*p;
		size_t		 len;
	} bad[] = {
#define B(s) { s, sizeof(s) - 1 }
		B("hello\r\n"), B("22\r\n"), B("\r\n"), B("250 bare\n"),
		B(" 250 a\r\n"), B("+250 a\r\n"), B("250a\r\n"),
		B("250-a\r\n550 b\r\n"), B("250 a\0b\r\n"), B("100 a\r\n"),
		B("600 a\r\n"), B("999 a\r\n"),
		B("\n"), B("250\ta\r\n"), B("2x0 a\r\n"), B("25x a\r\n"),
		B("x50 a\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reply r = REPLY_INIT;
		size_t taken;

		assert_int_equal(read_in(&r, bad[i].p, bad[i].len, 1, &taken),
		    REPLY_BAD);
	}
}

/* RFC 5321 4.2: the words behind a code may be none at all. */
static void
test_a_code_without_words(void **state)
{
	static const char text[] = "250\r\n";
	struct reply r = REPLY_INIT;
	size_t used;

	(void)state;
	assert_int_equal(reply_read(&r, text, sizeof(text) - 1, &used),
	    REPLY_DONE);
	assert_int_equal(used, sizeof(text) - 1);
	assert_int_equal(r.result.code, 250);
	T_STR(r.result.text, "");
	/* Ours without a code: nothing behind it is nothing to translate. */
	T_STR(relay_words("0  "), "0  ");
}

static void
test_line_limit(void **state)
{
	char line[REPLY_LINE_BYTES + 8];
	struct reply r = REPLY_INIT;
	size_t used;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "220 ", 4);
	memcpy(line + REPLY_LINE_BYTES - 2, "\r\n", 2);
	assert_int_equal(reply_read(&r, line, REPLY_LINE_BYTES, &used),
	    REPLY_DONE);
	r = (struct reply)REPLY_INIT;
	line[REPLY_LINE_BYTES - 2] = 'x';
	memcpy(line + REPLY_LINE_BYTES - 1, "\r\n", 2);
	assert_int_equal(reply_read(&r, line, REPLY_LINE_BYTES + 1, &used),
	    REPLY_BAD);
}

static void
test_number_of_lines(void **state)
{
	struct reply r = REPLY_INIT;
	size_t used;

	(void)state;
	for (int i = 0; i < REPLY_LINES - 1; i++)
		assert_int_equal(reply_read(&r, "250-a\r\n", 7, &used),
		    REPLY_MORE);
	assert_int_equal(reply_read(&r, "250 a\r\n", 7, &used), REPLY_DONE);
	for (int i = 0; i < REPLY_LINES; i++)
		assert_int_equal(reply_read(&r, "250-a\r\n", 7, &used),
		    REPLY_MORE);
	assert_int_equal(reply_read(&r, "250-a\r\n", 7, &used), REPLY_BAD);
}

/* RFC 3463: of the code's class, three numbers of one to three digits. */
static void
test_what_is_no_enhanced_code_is_text(void **state)
{
	static const char *const none[] = { "5.1", "5.1.", "5..1 a", "5.1.1a",
	    "4.1.1 a", "5.1234.1 a", "5.1.1234 a", "5 1.1 a", "x.1.1 a",
	    "5.1.1.1 a" };
	struct relay_result res = { RELAY_SENT, 0, "", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		reply_set(&res, 550, none[i]);
		T_STR(res.enhanced, "");
		T_STR(res.text, none[i]);
	}
	reply_set(&res, 550, "5.123.456");
	T_STR(res.enhanced, "5.123.456");
	T_STR(res.text, "");
	reply_set(&res, 421, "4.3.2\tgoing\r\n\tdown  ");
	T_STR(res.enhanced, "");
	T_STR(res.text, "4.3.2 going down");
}

static void
test_text_is_printable_and_cut(void **state)
{
	struct relay_result res = { RELAY_SENT, 0, "", "" };
	char text[1000];

	(void)state;
	reply_set(&res, 550, "5.7.1 a\x1b[2J\xc3\xa9\\ b\r\n c ");
	T_STR(res.enhanced, "5.7.1");
	T_STR(res.text, "a\\x1b[2J\\xc3\\xa9\\x5c b c");
	memset(text, '\xff', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	reply_set(&res, 550, text);
	T_CHECK(strlen(res.text) <= RELAY_TEXT_BYTES);
	assert_int_equal(strlen(res.text) % 4, 0);
	/* Another class than the code's is only text. */
	reply_set(&res, 450, "5.7.1 x");
	T_STR(res.enhanced, "");
	T_STR(res.text, "5.7.1 x");
	reply_set(&res, 550, "5.1000.1 x");
	T_STR(res.enhanced, "");
}

static void
test_judgements(void **state)
{
	static const struct {
		enum reply_phase	phase;
		int			code;
		const char		*enhanced;
		enum reply_scope	scope;
		enum relay_verdict	verdict;
	} cases[] = {
#define MAIL REPLY_ON_MAIL
#define ROUTE REPLY_ON_ROUTE
		{ REPLY_AT_CONTENT, 250, "2.0.0", MAIL, RELAY_SENT },
		{ REPLY_AT_RCPT, 550, "5.1.1", MAIL, RELAY_REFUSED },
		{ REPLY_AT_RCPT, 501, "5.1.3", MAIL, RELAY_REFUSED },
		{ REPLY_AT_RCPT, 553, "", MAIL, RELAY_REFUSED },
		{ REPLY_AT_RCPT, 450, "4.2.1", MAIL, RELAY_DEFERRED },
		{ REPLY_AT_RCPT, 552, "5.2.2", MAIL, RELAY_DEFERRED },
		{ REPLY_AT_RCPT, 530, "5.7.0", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_RCPT, 503, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_CONTENT, 554, "5.6.0", MAIL, RELAY_REFUSED },
		{ REPLY_AT_CONTENT, 451, "", MAIL, RELAY_DEFERRED },
		{ REPLY_AT_CONTENT, 421, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_DATA, 554, "", MAIL, RELAY_REFUSED },
		{ REPLY_AT_DATA, 250, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_MAIL, 552, "", MAIL, RELAY_REFUSED },
		{ REPLY_AT_MAIL, 554, "5.3.4", MAIL, RELAY_REFUSED },
		{ REPLY_AT_MAIL, 550, "5.1.8", MAIL, RELAY_DEFERRED },
		{ REPLY_AT_MAIL, 530, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_MAIL, 554, "5.7.8", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_GREETING, 554, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_GREETING, 421, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_HELLO, 550, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_STARTTLS, 454, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_AUTH, 535, "5.7.8", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_AUTH, 554, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_CONTENT, 354, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_CONTENT, 0, "", ROUTE, RELAY_DEFERRED },
		{ REPLY_AT_CONTENT, 650, "", ROUTE, RELAY_DEFERRED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct relay_result res = { RELAY_UNCERTAIN, cases[i].code,
		    "", "" };

		strcpy(res.enhanced, cases[i].enhanced);
		assert_int_equal(reply_judge(cases[i].phase, &res),
		    cases[i].scope);
		assert_int_equal(res.verdict, cases[i].verdict);
	}
	/* Nothing said at any place but the end is ever "sent". */
	for (int phase = 0; phase <= REPLY_AT_OTHER; phase++)
		for (int code = 0; code < 1000; code++) {
			struct relay_result res = { RELAY_SENT, code, "", "" };

			reply_judge((enum reply_phase)phase, &res);
			T_CHECK((res.verdict == RELAY_SENT) ==
			    (phase == REPLY_AT_CONTENT && code / 100 == 2));
		}
}

static void
test_phases(void **state)
{
	(void)state;
	assert_int_equal(reply_phase_of("MAIL FROM:<>\r\n", 14),
	    REPLY_AT_MAIL);
	assert_int_equal(reply_phase_of("DATA\r\n", 6), REPLY_AT_DATA);
	assert_int_equal(reply_phase_of("DATA", 4), REPLY_AT_OTHER);
	assert_int_equal(reply_phase_of("DATAX\r\n", 7), REPLY_AT_OTHER);
	assert_int_equal(reply_phase_of("", 0), REPLY_AT_OTHER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_the_same_in_any_pieces),
		cmocka_unit_test(test_truncated_is_not_done),
		cmocka_unit_test(test_stops_after_one_reply),
		cmocka_unit_test(test_refuses_what_is_no_reply),
		cmocka_unit_test(test_a_code_without_words),
		cmocka_unit_test(test_line_limit),
		cmocka_unit_test(test_number_of_lines),
		cmocka_unit_test(test_what_is_no_enhanced_code_is_text),
		cmocka_unit_test(test_text_is_printable_and_cut),
		cmocka_unit_test(test_judgements),
		cmocka_unit_test(test_phases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
