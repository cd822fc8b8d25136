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
		cmocka_unit_test(test_long_word),
		cmocka_unit_test(test_every_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
