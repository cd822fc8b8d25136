#include "vault_unit.h"
#include "vault/mailbox.h"

static bool
takes(const char *s, const char *want)
{
	char out[IDENTITY_MAX_BYTES + 1];
	bool ok = mailbox_address(s, strlen(s), out);

	T_STR(out, ok ? want : "");
	return ok;
}

/* More of them are in tests/vectors/vault-inner.txt. */
static void
test_names(void **state)
{
	(void)state;
	T_CHECK(takes("a@b.c", "a@b.c"));
	T_CHECK(takes("<A@B.C>", "a@b.c"));
	T_CHECK(takes(" Dr. Jean Martin\t <a@b.c> ", "a@b.c"));
	T_CHECK(takes("\"Martin, J. (doc); 'x': [y]\" <a@b.c>", "a@b.c"));
	T_CHECK(takes("\"\" <a@b.c>", "a@b.c"));
	T_CHECK(takes("=?UTF-8?B?w6k=?= =?utf-8?Q?x=C3=A9y_z?= <a@b.c>",
	    "a@b.c"));
	T_CHECK(takes("=?us-ascii?q?x?= <a@b.c>", "a@b.c"));
	T_CHECK(takes("\"a \\\"b\\\\\" <a@b.c>", "a@b.c"));
	T_CHECK(takes("\"A@B.c\" <a@b.c>", "a@b.c"));
	T_CHECK(takes("a@b.c <a@b.c>", "a@b.c"));
	T_CHECK(!takes("\"a@b.cc\" <a@b.c>", NULL));
	T_CHECK(!takes("\"x a@b.c\" <a@b.c>", NULL));
	T_CHECK(!takes("\"a@b.c\"\" <a@b.c>", NULL));
	T_CHECK(!takes("\"\\a\" <a@b.c>", NULL));
	T_CHECK(!takes("\"a\\\" <a@b.c>", NULL));
	T_CHECK(!takes("\"=\\?utf-8?q?x?=\" <a@b.c>", NULL));
	T_CHECK(!takes("", NULL));
	T_CHECK(!takes("  ", NULL));
	T_CHECK(!takes("<", NULL));
	T_CHECK(!takes(">", NULL));
	T_CHECK(!takes("<>", NULL));
	T_CHECK(!takes("a@b", NULL));
	T_CHECK(!takes("a@b.c>", NULL));
	T_CHECK(!takes("<a@b.c", NULL));
	T_CHECK(!takes("\"<a@b.c>", NULL));
	T_CHECK(!takes("\"x<a@b.c>", NULL));
	T_CHECK(!takes("\"x\"y <a@b.c>", NULL));
	T_CHECK(!takes("x\"y\" <a@b.c>", NULL));
	T_CHECK(!takes("=? <a@b.c>", NULL));
	T_CHECK(!takes("=?= <a@b.c>", NULL));
	T_CHECK(!takes("=?utf-8?= <a@b.c>", NULL));
	T_CHECK(!takes("=?utf-8?q?= <a@b.c>", NULL));
	T_CHECK(!takes("=?utf-8?q?x?y?= <a@b.c>", NULL));
	T_CHECK(!takes("=?utf-8?x?x?= <a@b.c>", NULL));
	T_CHECK(!takes("=?koi8-r?q?x?= <a@b.c>", NULL));
	T_CHECK(!takes("=?iso-8859-1?q?=85?= <a@b.c>", NULL));
	T_CHECK(takes("=?windows-1252?q?=85?= <a@b.c>", "a@b.c"));
	T_CHECK(!takes("=?windows-1252?q?=40?= <a@b.c>", NULL));
	T_CHECK(!takes("=?utf-8?b?QA==?= <a@b.c>", NULL));
	T_CHECK(!takes("=?utf-8?b?QA=?= <a@b.c>", NULL));
}

/* No piece of an address, nothing invisible, nothing that turns the line
 * round; the characters on either side of them are letters like others. */
static void
test_deceptive_characters(void **state)
{
	static const struct {
		const char	*c;
		bool		 ok;
	} is[] = {
		{ "\xc2\xac", true }, { "\xc2\xad", false },	/* U+00AD */
		{ "\xd8\x9b", true }, { "\xd8\x9c", false },	/* U+061C */
		{ "\xe2\x80\x8a", true }, { "\xe2\x80\x8b", false },
		{ "\xe2\x80\x8f", false }, { "\xe2\x80\x90", true },
		{ "\xe2\x80\xa7", true }, { "\xe2\x80\xa8", false },
		{ "\xe2\x80\xae", false }, { "\xe2\x80\xaf", true },
		{ "\xe2\x81\x9f", true }, { "\xe2\x81\xa0", false },
		{ "\xe2\x81\xaf", false }, { "\xe2\x81\xb0", true },
		{ "\xef\xb9\xaa", true }, { "\xef\xb9\xab", false },
		{ "\xef\xbb\xbe", true }, { "\xef\xbb\xbf", false },
		{ "\xef\xbc\x9f", true }, { "\xef\xbc\xa0", false },
		{ "<", false }, { ">", false }, { "@", false },
		{ "\xff", false }, { "\x7f", false },
	};
	char s[64];

	(void)state;
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		snprintf(s, sizeof(s), "\"x%sy\" <a@b.c>", is[i].c);
		if (takes(s, "a@b.c") != is[i].ok)
			fail_msg("%zu: %s", i, s);
	}
}

static void
test_encoded_words(void **state)
{
	static const struct {
		const char	*s;
		bool		 ok;
	} is[] = {
		{ "=?iso-8859-15?q?=e9?= <a@b.c>", true },
		{ "=?ISO-8859-1?Q?=E9?= <a@b.c>", true },
		{ "=?utf-8?q?=e9?= <a@b.c>", false },
		{ "=?utf-8?q?=c3=a9?= <a@b.c>", true },
		{ "=?utf-8?q?=g9?= <a@b.c>", false },
		{ "=?utf-8?q?=9g?= <a@b.c>", false },
		{ "=?utf-8?q?=9?= <a@b.c>", false },
		{ "=?utf-8?q?=:0?= <a@b.c>", false },
		{ "=?utf-8?q?x?=y <a@b.c>", false },
		{ "=?utf-8?q?x?- <a@b.c>", false },
		{ "\"x =? y\" <a@b.c>", false },
		{ "\"x = ? y\" <a@b.c>", true },
		{ "\"x\\", false },
		{ "\"x\\\"y\" <a@b.c>", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++)
		if (takes(is[i].s, "a@b.c") != is[i].ok)
			fail_msg("%s", is[i].s);
}

/* An address longer than any identity. */
static void
test_long_address(void **state)
{
	char s[IDENTITY_MAX_BYTES + 16];

	(void)state;
	memset(s, 'a', sizeof(s));
	memcpy(s + sizeof(s) - 5, "@b.c", 5);
	T_CHECK(!takes(s, NULL));
}

/* An encoded word has at most 75 characters. */
static void
test_long_word(void **state)
{
	char s[100];

	(void)state;
	snprintf(s, sizeof(s), "=?utf-8?q?%.*s?= <a@b.c>", 63,
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	T_CHECK(takes(s, "a@b.c"));
	snprintf(s, sizeof(s), "=?utf-8?q?%.*s?= <a@b.c>", 64,
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	T_CHECK(!takes(s, NULL));
}

/* Any octet in the place of one of a name or an address. */
static void
test_every_octet(void **state)
{
	char out[IDENTITY_MAX_BYTES + 1];
	char s[] = "Dr X <a@b.c>";

	(void)state;
	for (int c = 0; c < 256; c++) {
		bool word = (c >= 0x21 && c < 0x7f &&
		    strchr("()<>[]:;@\\,\"", c) == NULL) || c == ' ' ||
		    c == '\t';
		bool local = (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '_' || c == '-';

		s[3] = (char)c;
		T_CHECK(mailbox_address(s, sizeof(s) - 1, out) == word);
		s[3] = 'X';
		s[6] = (char)c;
		T_CHECK(mailbox_address(s, sizeof(s) - 1, out) == local);
		s[6] = 'a';
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_deceptive_characters),
		cmocka_unit_test(test_encoded_words),
		cmocka_unit_test(test_long_address),
		cmocka_unit_test(test_long_word),
		cmocka_unit_test(test_every_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
