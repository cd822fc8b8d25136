#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/value.h"

static void
test_bool(void **state)
{
	static const char *const no[] = { "no", "NO", "false", "off", "non" };
	static const char *const yes[] = { "yes", "True", "on", "oui" };
	static const char *const bad[] = { "", "1", "y", "yes ", "maybe" };
	struct err e = ERR_INIT;
	bool b;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		T_RC(value_bool(no[i], &b, &e), RC_OK);
		T_CHECK(!b);
		T_RC(value_bool(bad[i], &b, &e), RC_CONF);
	}
	for (size_t i = 0; i < 4; i++) {
		T_RC(value_bool(yes[i], &b, &e), RC_OK);
		T_CHECK(b);
	}
}

static void
test_int(void **state)
{
	static const char *const bad[] = { "", "x", "1x", "-1", "0", "11",
	    "1 2", " 1", "99999999999999999999", "4294967297" };
	struct err e = ERR_INIT;
	int n = 0;

	(void)state;
	T_RC(value_int("1", 1, 10, &n, &e), RC_OK);
	T_RC(value_int("10", 1, 10, &n, &e), RC_OK);
	assert_int_equal(n, 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(value_int(bad[i], 1, 10, &n, &e), RC_CONF);
	T_STR(e.text, "it is not such a number; write one from 1 to 10");
}

static void
test_size(void **state)
{
	static const struct { const char *s; uint64_t n; } v[] = {
		{ "25 MB", 25U << 20 }, { "25M", 25U << 20 },
		{ "25 Mo", 25U << 20 }, { "25mib", 25U << 20 }, { "1", 1 },
		{ "800 kB", 800U << 10 }, { "4 GB", (uint64_t)4 << 30 },
		{ "4294967296", (uint64_t)4 << 30 }, { "10 o", 10 },
	};
	static const char *const bad[] = { "", "MB", "0", "0 MB", "-1", "1 X",
	    "4294967297", "5 GB", "18446744073709551615 GB", "1.5 MB",
	    "99999999999999999999999 kB" };
	struct err e = ERR_INIT;
	uint64_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		T_RC(value_size(v[i].s, &n, &e), RC_OK);
		T_CHECK(n == v[i].n);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(value_size(bad[i], &n, &e), RC_CONF);
}

static void
test_time(void **state)
{
	static const struct { const char *s; int n; } v[] = {
		{ "5 days", 432000 }, { "5 jours", 432000 }, { "300 s", 300 },
		{ "300", 300 }, { "0", 0 }, { "24h", 86400 }, { "1 j", 86400 },
		{ "2 heures", 7200 }, { "10 min", 600 },
		{ "2 semaines", 1209600 }, { "3653 d", 3653 * 86400 },
	};
	static const char *const bad[] = { "", "s", "-1", "5 dayz", "3654 d",
	    "99999999999 weeks", "1 h 30", "60-300" };
	struct err e = ERR_INIT;
	int n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		T_RC(value_time(v[i].s, &n, &e), RC_OK);
		assert_int_equal(n, v[i].n);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(value_time(bad[i], &n, &e), RC_CONF);
}

static void
test_wait(void **state)
{
	static const char *const bad[] = { "", "4 working", "4 working days",
	    "working hours", "4 ouvr\303\251es", "2 jours ouvr\303\251s",
	    "4  working  hours x", "99999999 working hours" };
	struct err e = ERR_INIT;
	bool working;
	int n;

	(void)state;
	T_RC(value_wait("4 working hours", &n, &working, &e), RC_OK);
	T_CHECK(n == 4 * 3600 && working);
	T_RC(value_wait("4 h ouvr\303\251es", &n, &working, &e), RC_OK);
	T_CHECK(n == 4 * 3600 && working);
	T_RC(value_wait("1 heure ouvr\303\251e", &n, &working, &e), RC_OK);
	T_CHECK(n == 3600 && working);
	T_RC(value_wait("90 working min", &n, &working, &e), RC_OK);
	T_CHECK(n == 90 * 60 && working);
	T_RC(value_wait("24 h", &n, &working, &e), RC_OK);
	T_CHECK(n == 86400 && !working);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(value_wait(bad[i], &n, &working, &e), RC_CONF);
}

static void
test_range(void **state)
{
	static const struct { const char *s; int lo, hi; } v[] = {
		{ "60-300", 60, 300 }, { "60-300 s", 60, 300 },
		{ "60 - 300 s", 60, 300 }, { "1-5 min", 60, 300 },
		{ "0", 0, 0 }, { "10 s", 10, 10 }, { "0-0", 0, 0 },
	};
	static const char *const bad[] = { "", "-", "60-", "-300", "300-60",
	    "a-b", "60-300 x", "60 s-300 s", "60--300", "1-99999 d" };
	struct err e = ERR_INIT;
	int lo = 0, hi = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		T_RC(value_range(v[i].s, &lo, &hi, &e), RC_OK);
		assert_int_equal(lo, v[i].lo);
		assert_int_equal(hi, v[i].hi);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(value_range(bad[i], &lo, &hi, &e), RC_CONF);
}

static void
test_path(void **state)
{
	static const struct { const char *s, *want; } v[] = {
		{ "/a/b c", "/a/b c" }, { "~/x", "/dr/x" },
		{ "~", "/dr" }, { "%h/x", "/dr/x" },
		{ "/a/%h", "/a//dr" }, { "/a%%b", "/a%b" },
		{ "/~/x", "/~/x" }, { "/a~", "/a~" },
	};
	static const char *const bad[] = { "", "a/b", "./a", "~dr/x", "/a%b",
	    "/a%", "/a\n", "/a\r", "/a\tb" };
	struct buf big = BUF_INIT;
	struct err e = ERR_INIT;
	char *out = NULL;

	(void)state;
	setenv("HOME", "/dr", 1);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		T_RC(value_path(v[i].s, &out, &e), RC_OK);
		T_STR(out, v[i].want);
		free(out);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(value_path(bad[i], &out, &e), RC_CONF);
	for (int i = 0; i < 5000; i++)
		assert_true(buf_adds(&big, "/"));
	T_RC(value_path(buf_str(&big), &out, &e), RC_CONF);
	buf_free(&big);
}

/* Each of these texts goes to a server or into a command line of SMTP. */
static void
test_names(void **state)
{
	static const char *const host[] = { "imap.example.fr", "localhost",
	    "127.0.0.1", "::1", "2001:db8::1", "xn--e1afmkfd.example" };
	static const char *const no_host[] = { "", "a b", "a\r\nb", "[::1]",
	    "imap.example.fr:993", "http://x", "a..b", "-a", "a_b",
	    "\xc3\xa9.fr", "a/b" };
	static const char *const helo[] = { "cabinet.example", "[127.0.0.1]",
	    "[IPv6:::1]" };
	static const char *const no_helo[] = { "", "127.0.0.1\r\n", "a b",
	    "[x]", "::1" };
	struct err e = ERR_INIT;
	char *out = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++) {
		T_RC(value_host(host[i], &out, &e), RC_OK);
		T_STR(out, host[i]);
		free(out);
	}
	for (size_t i = 0; i < sizeof(no_host) / sizeof(no_host[0]); i++)
		T_RC(value_host(no_host[i], &out, &e), RC_CONF);
	for (size_t i = 0; i < sizeof(helo) / sizeof(helo[0]); i++) {
		T_RC(value_helo(helo[i], &out, &e), RC_OK);
		free(out);
	}
	for (size_t i = 0; i < sizeof(no_helo) / sizeof(no_helo[0]); i++)
		T_RC(value_helo(no_helo[i], &out, &e), RC_CONF);
	T_RC(value_addr("dr@cabinet.example", &out, &e), RC_OK);
	free(out);
	T_RC(value_addr("Dr <dr@cabinet.example>", &out, &e), RC_CONF);
	assert_non_null(strstr(e.text, "write name@domain alone"));
	T_RC(value_addr("labo", &out, &e), RC_CONF);
	T_STR(e.text, "it is not a mail address: it has no @; write "
	    "name@domain");
	T_RC(value_addr("", &out, &e), RC_CONF);
	T_STR(e.text, "it is not a mail address: it is empty; write "
	    "name@domain");
	T_RC(value_text("a\nb", &out, &e), RC_CONF);
	T_RC(value_text("", &out, &e), RC_CONF);
}

static void
test_pin(void **state)
{
#define P43 "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	static const char *const bad[] = { "", "sha256//", P43, P43 "A",
	    P43 "==", P43 "=\n", P43 " ", "sha1" P43, P43 "*" };
	struct err e = ERR_INIT;
	char *out = NULL;

	(void)state;
	T_RC(value_pin(P43 "=", &out, &e), RC_OK);
	T_STR(out, P43 "=");
	free(out);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(value_pin(bad[i], &out, &e), RC_CONF);
}

static void
test_title(void **state)
{
	static const char *const good[] = { "a", "cabinet-1_x",
	    "abcdefghijklmnopqrstuvwxyz012345" };
	static const char *const bad[] = { "", "A", "a b", "a/b", ".", "\xe9",
	    "abcdefghijklmnopqrstuvwxyz0123456" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		T_RC(value_title(good[i], &e), RC_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(value_title(bad[i], &e), RC_CONF);
}

static void
test_loopback(void **state)
{
	static const char *const yes[] = { "localhost", "LocalHost",
	    "127.0.0.1", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1" };
	static const char *const no[] = { "localhost.example", "128.0.0.1",
	    "126.255.255.255", "::2", "::", "0.0.0.0", "imap.example",
	    "127.0.0.1.example", "localhost.", "::ffff:127.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		T_CHECK(value_loopback(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		T_CHECK(!value_loopback(no[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_pin),
		cmocka_unit_test(test_title),
		cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
