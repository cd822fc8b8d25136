/* base/log: one line an event, whatever a stranger puts into it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "unit.h"

/* What one event with that value writes after "why=", without the line end;
 * lent until the next call. */
static const char *
logged(const char *value)
{
	static char got[4096];
	char name[] = "/tmp/test_log.XXXXXX";
	int fd = mkstemp(name), old = dup(STDERR_FILENO);
	ssize_t n;
	char *why;

	assert_true(fd >= 0 && old >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	log_open(LOG_TO_STDERR, LOG_L_INFO);
	LOG(LOG_L_INFO, "unit.test", LK_S("why", value));
	assert_int_equal(dup2(old, STDERR_FILENO), STDERR_FILENO);
	close(old);
	n = pread(fd, got, sizeof(got) - 1, 0);
	close(fd);
	assert_true(n > 0);
	assert_int_equal(got[n - 1], '\n');
	got[n - 1] = '\0';
	assert_null(strchr(got, '\n'));
	why = strstr(got, " why=");
	assert_non_null(why);
	return why + 5;
}

static void
test_our_own_words_may_be_french(void **state)
{
	(void)state;
	assert_string_equal(logged("plain"), "plain");
	assert_string_equal(logged("cl\303\251 tenue\302\240; l\342\200\231an"),
	    "\"cl\303\251 tenue\302\240; l\342\200\231an\"");
}

static void
test_what_is_not_to_be_seen_is_escaped(void **state)
{
	static const char *const both[][2] = {
		{ "a\nb", "\"a\\x0ab\"" },
		{ "a\"b", "\"a\\x22b\"" },
		{ "a\\b", "\"a\\x5cb\"" },
		{ "\033[2J", "\"\\x1b[2J\"" },
		/* C1, not well-formed, overlong, cut short */
		{ "\302\233x", "\"\\xc2\\x9bx\"" },
		{ "\351", "\"\\xe9\"" },
		{ "\300\257", "\"\\xc0\\xaf\"" },
		{ "\340\200\257", "\"\\xe0\\x80\\xaf\"" },
		{ "\342\200", "\"\\xe2\\x80\"" },
		/* U+202E and U+2066 turn the line, U+200B and U+FEFF hide */
		{ "\342\200\256x", "\"\\xe2\\x80\\xaex\"" },
		{ "\342\201\246x", "\"\\xe2\\x81\\xa6x\"" },
		{ "\342\200\213", "\"\\xe2\\x80\\x8b\"" },
		{ "\357\273\277", "\"\\xef\\xbb\\xbf\"" },
		/* a surrogate, private use, four octets */
		{ "\355\240\200", "\"\\xed\\xa0\\x80\"" },
		{ "\356\200\200", "\"\\xee\\x80\\x80\"" },
		{ "\360\237\230\200", "\"\\xf0\\x9f\\x98\\x80\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
		assert_string_equal(logged(both[i][0]), both[i][1]);
}

static void
test_plain(void **state)
{
	static const char *const both[][2] = {
		{ "", "" },
		{ "r\303\251sultat \"a\\b\" d\342\200\231ici", NULL },
		{ "a\033[2J\r\nb\177", "a?[2J??b?" },
		{ "\302\233x\351\342\200", "??x???" },
		{ "\342\200\256x", "???x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		char s[64];

		snprintf(s, sizeof(s), "%s", both[i][0]);
		log_plain(s);
		assert_string_equal(s, both[i][both[i][1] != NULL]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_own_words_may_be_french),
		cmocka_unit_test(test_what_is_not_to_be_seen_is_escaped),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
