#include "unit.h"

#include <string.h>

#include "base/buf.h"
#include "mail/addr.h"

#define L64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define D63 "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static void
test_good(void **state)
{
	static const char *const v[] = { "a@b", "dr.martin@cabinet.example",
	    "demo/dr.martin@cabinet.example", "A+b=c{d}@X-1.example",
	    "x@[127.0.0.1]", "x@[IPv6:2001:db8::1]", L64 "@b.example",
	    "a@" D63 ".fr" };
	struct err e = ERR_INIT;
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		T_RC(addr_parse(v[i], strlen(v[i]), &a, &e), RC_OK);
		T_STR(a.s, v[i]);
		assert_int_equal(a.len, strlen(v[i]));
		T_STR(addr_domain(&a), strchr(v[i], '@') + 1);
	}
}

static void
test_bad(void **state)
{
	static const char *const v[] = { "", "@", "a@", "@b", "a", "a@@b",
	    "a@b@c", ".a@b", "a.@b", "a..b@c", "a b@c", "a@b c", "a@b\r",
	    "a@b\n", "\na@b", "a@.b", "a@b.", "a@b..c", "a@-b", "a@b-",
	    "a@b-.c", "a@b.-c", "a@b_c", "\"a\"@b", "<a@b>", "a,b@c",
	    "a@[1.2.3]", "a@[1.2.3.4", "a@[]", "a@[IPv6:]", "a@[IPv6:1]",
	    "a@[x]", "a@1.2.3.4]", "\xc3\xa9@b", "a@\xc3\xa9", "a\\b@c",
	    "a(b)@c", "a;@b", "a:b@c", L64 "a@b", "a@" D63 "d" };
	struct err e = ERR_INIT;
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		if (addr_parse(v[i], strlen(v[i]), &a, &e) != RC_INPUT)
			fail_msg("accepted: %s", v[i]);
		assert_true(e.text[0] != '\0');
		assert_int_equal(a.len, 0);
	}
	T_RC(addr_parse("a\0b@c", 5, &a, &e), RC_INPUT);
	T_RC(addr_parse("a@b\0c", 5, &a, &e), RC_INPUT);
}

/* 254 octets, and one more. */
static void
test_length(void **state)
{
	static const char s[] = L64 "@" D63 "." D63 "." D63;
	struct err e = ERR_INIT;
	struct addr a;

	(void)state;
	assert_int_equal(strlen(s), 256);
	T_RC(addr_parse(s, 254, &a, &e), RC_OK);
	T_RC(addr_parse(s, 255, &a, &e), RC_INPUT);
}

static void
test_lower(void **state)
{
	struct err e = ERR_INIT;
	struct addr a;

	(void)state;
	T_RC(addr_parse("Dr.MARTIN@Cabinet.Example", 25, &a, &e), RC_OK);
	addr_lower(&a);
	T_STR(a.s, "dr.martin@cabinet.example");
}

static enum rc
join(void *arg, const struct addr *a, struct err *e)
{
	(void)e;
	assert_true(buf_addf(arg, "%s ", a->s));
	return RC_OK;
}

static enum rc
read_list(const void *p, size_t len, struct buf *out, struct err *e)
{
	buf_wipe(out);
	return addr_list(p, len, join, out, e);
}

static void
test_list(void **state)
{
	static const struct { const char *in, *out; } v[] = {
		{ "", "" }, { "  \r\n ", "" }, { ", ,", "" },
		{ "a@b", "a@b " }, { " a@b , c@d", "a@b c@d " },
		{ "Dr Jean Martin <dr@c.example>", "dr@c.example " },
		{ "\"Martin, Jean (dr)\" <dr@c.example>,x@y",
		    "dr@c.example x@y " },
		{ "<a@b>", "a@b " }, { "<\r\n a@b >", "a@b " },
		{ "a@b (comment, with <x@y> (nested) \\) )", "a@b " },
		{ "(c) a@b (d)", "a@b " },
		{ "=?utf-8?q?J=C3=A9?= <a@b>", "a@b " },
		{ "J\xc3\xa9r\xf4me <a@b>", "a@b " },
		{ "undisclosed-recipients:;", "" },
		{ "Cabinet: a@b, \"x\" <c@d>; , e@f", "a@b c@d e@f " },
		{ "a@b; c@d;", "a@b c@d " },
		{ "x@[IPv6:::1], y@[127.0.0.1]",
		    "x@[IPv6:::1] y@[127.0.0.1] " },
		{ "\"a \\\" b\" <a@b>", "a@b " },
		{ "demo/dr@c.example", "demo/dr@c.example " },
		{ "Dr. O'Neill [lab] <a@b>", "a@b " },
	};
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		if (read_list(v[i].in, strlen(v[i].in), &out, &e) != RC_OK)
			fail_msg("%s: %s", v[i].in, e.text);
		T_STR(buf_str(&out), v[i].out);
	}
	buf_free(&out);
}

static void
test_list_bad(void **state)
{
	static const struct { const char *in, *says; } v[] = {
		{ "Jean Martin", "address 1: a name without" },
		{ "a@b, Jean", "address 2: it has no @" },
		{ "a@b c@d", "address 1: a name without" },
		{ "\"a\"@b", "address 1: a name without" },
		{ "\"a@b\"", "address 1: a name without" },
		{ "x <>", "address 1: it is empty" },
		{ "x <a@b", "address 1: quotes" },
		{ "a@b>", "address 1: quotes" },
		{ "(a@b", "address 1: quotes" }, { "a@b)", "address 1: quot" },
		{ "\"a@b", "address 1: quotes" },
		{ "<a@b> <c@d>", "address 1: quotes" },
		{ "<a@b> c", "address 1: quotes" },
		{ "<a@b>\"c\"", "address 1: quotes" },
		{ "a@b, :", "address 2: quotes" },
		{ "<@x,@y:a@b>", "address 1: what stands" },
		{ "<\"a b\"@c>", "address 1: what stands" },
	};
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		if (read_list(v[i].in, strlen(v[i].in), &out, &e) !=
		    RC_INPUT)
			fail_msg("accepted: %s", v[i].in);
		if (strncmp(e.text, v[i].says, strlen(v[i].says)) != 0)
			fail_msg("%s: %s", v[i].in, e.text);
	}
	T_RC(read_list("a@b\0,c@d", 8, &out, &e), RC_INPUT);
	T_RC(read_list("J\0r <a@b>", 9, &out, &e), RC_OK);
	buf_free(&out);
}

/* A hundred thousand open parentheses need no stack. */
static void
test_list_deep(void **state)
{
	struct err e = ERR_INIT;
	struct buf in = BUF_INIT, out = BUF_INIT;

	(void)state;
	for (int i = 0; i < 100000; i++)
		assert_true(buf_adds(&in, "("));
	T_RC(read_list(in.p, in.len, &out, &e), RC_INPUT);
	for (int i = 0; i < 100000; i++)
		assert_true(buf_adds(&in, ")"));
	assert_true(buf_adds(&in, "a@b"));
	T_RC(read_list(in.p, in.len, &out, &e), RC_OK);
	T_STR(buf_str(&out), "a@b ");
	buf_free(&in);
	buf_free(&out);
}

static enum rc
stop(void *arg, const struct addr *a, struct err *e)
{
	(void)arg;
	(void)a;
	return err_set(e, RC_PERM, "stop");
}

static void
test_list_stops(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	T_RC(addr_list("a@b, (", 6, stop, NULL, &e), RC_PERM);
	T_STR(e.text, "stop");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_lower),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_bad),
		cmocka_unit_test(test_list_deep),
		cmocka_unit_test(test_list_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
