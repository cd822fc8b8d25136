/* A laboratory's table of its prescribers. */
#include "config.h"

#include <string.h>

#include "unit.h"

#include "document/alias.h"

static enum rc
read_text(const char *s, struct alias_table *t, struct err *e)
{
	return alias_read((const uint8_t *)s, strlen(s), t, e);
}

static const char *
find(const struct alias_table *t, const char *name)
{
	const struct bytes s = { (const uint8_t *)name, strlen(name) };
	const char *address = NULL;
	struct err e = ERR_INIT;

	T_RC(alias_find(t, s, &address, &e), RC_OK);
	return address == NULL ? "" : address;
}

static void
test_names_are_the_same_whatever_their_spelling(void **state)
{
	struct alias_table t;
	struct err e = ERR_INIT;

	(void)state;
	/* Latin-1, the ends of lines of Windows. */
	T_RC(read_text("# nos correspondants\r\n\r\n"
	    "CAB000001 = dr.martin@cabinet.example\r\n"
	    "Cabinet M\xe9" "dical des Lilas=demo/lilas@lilas.example\r\n"
	    "a=b = x@y\r\n", &t, &e), RC_OK);
	assert_int_equal(t.n, 3);
	T_STR(find(&t, "cab000001"), "dr.martin@cabinet.example");
	T_STR(find(&t, "CABINET MEDICAL  DES LILAS"),
	    "demo/lilas@lilas.example");
	T_STR(find(&t, " Cabinet M\xc3\xa9" "dical-des_Lilas. "),
	    "demo/lilas@lilas.example");
	T_STR(find(&t, "A B"), "x@y");
	T_STR(find(&t, "CAB00000"), "");
	T_STR(find(&t, "CAB0000011"), "");
	T_STR(find(&t, ""), "");
	T_STR(find(&t, "..."), "");
	alias_free(&t);
}

static void
test_what_is_wrong_is_told_with_its_line(void **state)
{
	static const struct { const char *text, *said; } bad[] = {
		{ "a = x@y\nb\n", "line 2" }, { "a = \n", "line 1" },
		{ "= x@y\n", "line 1" }, { "... = x@y\n", "line 1" },
		{ "a = x y@z\n", "line 1" }, { "a = x@\n", "line 1" },
		{ "a = @y", "line 1" }, { "a = nobody\n", "line 1" },
		{ "A = x@y\nb = x@y\n\n a. = z@y\n", "lines 1 and 4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct alias_table t;
		struct err e = ERR_INIT;

		T_RC(read_text(bad[i].text, &t, &e), RC_CONF);
		if (strncmp(e.text, bad[i].said, strlen(bad[i].said)) != 0)
			fail_msg("%s: %s", bad[i].text, e.text);
		alias_free(&t);
	}
}

static void
test_many_and_none(void **state)
{
	struct buf b = BUF_INIT;
	struct alias_table t;
	struct err e = ERR_INIT;
	char name[16], address[32];

	(void)state;
	T_RC(read_text("", &t, &e), RC_OK);
	T_STR(find(&t, "a"), "");
	alias_free(&t);
	for (unsigned i = 0; i < 5000; i++)
		T_CHECK(buf_addf(&b, "C%u = d%u@x\n", i * 7919 % 5000,
		    i * 7919 % 5000));
	/* The same said twice is said once. */
	T_CHECK(buf_adds(&b, "c17 = d17@x\n"));
	T_RC(read_text(buf_str(&b), &t, &e), RC_OK);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "C%u", i);
		snprintf(address, sizeof(address), "d%u@x", i);
		T_STR(find(&t, name), address);
	}
	alias_free(&t);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_names_are_the_same_whatever_their_spelling),
		cmocka_unit_test(test_what_is_wrong_is_told_with_its_line),
		cmocka_unit_test(test_many_and_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
