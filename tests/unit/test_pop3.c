#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "wire/pop3.h"

static struct bytes
line(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static void
test_status_words(void **state)
{
	static const struct {
		const char		*s;
		enum pop3_status	 want;
	} cases[] = {
		{ "+OK", POP3_OK }, { "+OK ready", POP3_OK },
		{ "-ERR", POP3_ERR }, { "-ERR no", POP3_ERR },
		{ "+", POP3_MORE }, { "+ abc", POP3_MORE },
		{ "+OKAY", POP3_NONSENSE }, { "+ok", POP3_NONSENSE },
		{ "-ERRX", POP3_NONSENSE }, { "", POP3_NONSENSE },
		{ "* OK", POP3_NONSENSE }, { "+O", POP3_NONSENSE },
		{ "-ER", POP3_NONSENSE }, { " +OK", POP3_NONSENSE }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(pop3_status(line(cases[i].s)),
		    cases[i].want);
}

static void
test_codes_stand_right_after_the_status(void **state)
{
	(void)state;
	T_CHECK(pop3_code(line("-ERR [AUTH] no"), "AUTH"));
	T_CHECK(pop3_code(line("-ERR [auth]"), "AUTH"));
	T_CHECK(pop3_code(line("-ERR [SYS/TEMP] x"), "SYS"));
	T_CHECK(pop3_code(line("-ERR [IN-USE] x"), "IN-USE"));
	T_CHECK(!pop3_code(line("-ERR [AUTHX] no"), "AUTH"));
	T_CHECK(!pop3_code(line("-ERR [AUTH"), "AUTH"));
	T_CHECK(!pop3_code(line("-ERR so [AUTH]"), "AUTH"));
	T_CHECK(!pop3_code(line("-ERR"), "AUTH"));
	T_CHECK(!pop3_code(line(""), "AUTH"));
}

static void
test_list_lines(void **state)
{
	uint32_t n;
	uint64_t size;

	(void)state;
	T_CHECK(pop3_list(line("1 0"), &n, &size) && n == 1 && size == 0);
	T_CHECK(pop3_list(line("2147483647 9223372036854775807"), &n, &size) &&
	    n == INT32_MAX && size == INT64_MAX);
	T_CHECK(pop3_list(line("3 120 more"), &n, &size) && size == 120);
	T_CHECK(!pop3_list(line("0 100"), &n, &size));
	T_CHECK(!pop3_list(line("2147483648 1"), &n, &size));
	T_CHECK(!pop3_list(line("1 9223372036854775808"), &n, &size));
	T_CHECK(!pop3_list(line("1"), &n, &size));
	T_CHECK(!pop3_list(line("1 "), &n, &size));
	T_CHECK(!pop3_list(line(" 1 2"), &n, &size));
	T_CHECK(!pop3_list(line("1  2"), &n, &size));
	T_CHECK(!pop3_list(line("-1 2"), &n, &size));
	T_CHECK(!pop3_list(line("1 2x"), &n, &size));
	T_CHECK(!pop3_list(line("1\t120"), &n, &size));
	T_CHECK(!pop3_list(line(""), &n, &size));
}

static void
test_uidl_lines(void **state)
{
	char id70[80] = "1 ", id71[80] = "1 ";
	struct bytes id;
	uint32_t n;

	(void)state;
	memset(id70 + 2, '~', 70);
	memset(id71 + 2, '!', 71);
	T_CHECK(pop3_uidl(line("1 x"), &n, &id) && n == 1 && id.len == 1);
	T_CHECK(pop3_uidl(line("7 whqtswO00WBw418f9t5JxYwZ"), &n, &id) &&
	    bytes_eqs(id, "whqtswO00WBw418f9t5JxYwZ"));
	T_CHECK(pop3_uidl(line("7 padded  "), &n, &id) &&
	    bytes_eqs(id, "padded"));
	T_CHECK(pop3_uidl(line(id70), &n, &id) && id.len == 70);
	T_CHECK(!pop3_uidl(line(id71), &n, &id));
	T_CHECK(!pop3_uidl(line("1 "), &n, &id));
	T_CHECK(!pop3_uidl(line("1 a b"), &n, &id));
	T_CHECK(!pop3_uidl(line("1 \x80"), &n, &id));
	T_CHECK(!pop3_uidl(line("1 a\tb"), &n, &id));
	T_CHECK(!pop3_uidl((struct bytes){ (const uint8_t *)"1 a\0b", 5 }, &n,
	    &id));
	T_CHECK(!pop3_uidl(line("0 x"), &n, &id));
	T_CHECK(!pop3_uidl(line("1-x"), &n, &id));
}

static void
test_capabilities(void **state)
{
	struct pop3_capa c = { false, false, false, false, false, false };

	(void)state;
	pop3_capa(line("SASL LOGIN plain XOAUTH2"), &c);
	T_CHECK(c.sasl_plain && c.sasl_xoauth2 && !c.uidl);
	pop3_capa(line("uidl"), &c);
	pop3_capa(line("PIPELINING"), &c);
	pop3_capa(line("PIPELININGS"), &c);
	pop3_capa(line(""), &c);
	pop3_capa(line("  USER  "), &c);
	T_CHECK(c.uidl && c.pipelining && c.user && !c.stls);
}

static enum rc
collect(void *arg, const void *p, size_t len, struct err *e)
{
	(void)e;
	return buf_add(arg, p, len) ? RC_OK : RC_NOMEM;
}

/* Feed ${in} in pieces of ${step}; how many octets were taken. */
static size_t
unstuff(const void *in, size_t len, size_t step, struct buf *out, bool *done)
{
	struct pop3_body b = { 0, false };
	struct err e = ERR_INIT;
	size_t at = 0;
	enum rc rc;

	buf_wipe(out);
	while (at < len && !b.done) {
		size_t n = len - at < step ? len - at : step;
		size_t used = pop3_body_feed(&b, (const uint8_t *)in + at, n,
		    collect, out, &rc, &e);

		T_RC(rc, RC_OK);
		T_CHECK(b.done || used == n);
		at += used;
	}
	*done = b.done;
	return at;
}

static void
unstuffs(const char *in, size_t len, const char *want, size_t want_len)
{
	struct buf out = BUF_INIT;
	bool done;

	for (size_t step = 1; step <= len; step++) {
		assert_int_equal(unstuff(in, len, step, &out, &done), len);
		T_CHECK(done);
		assert_int_equal(out.len, want_len);
		assert_memory_equal(out.p == NULL ? (const void *)"" : out.p,
		    want, want_len);
	}
	/* Cut anywhere before its last octet it is not complete. */
	for (size_t cut = 0; cut < len; cut++) {
		unstuff(in, cut, len + 1, &out, &done);
		T_CHECK(!done);
	}
	buf_free(&out);
}

#define UNSTUFFS(in, want) \
	unstuffs(in, sizeof(in) - 1, want, sizeof(want) - 1)

static void
test_bodies_end_at_one_place_only(void **state)
{
	(void)state;
	UNSTUFFS(".\r\n", "");
	UNSTUFFS("a\r\n.\r\n", "a\r\n");
	UNSTUFFS("..\r\n.\r\n", ".\r\n");
	UNSTUFFS("...\r\n.\r\n", "..\r\n");
	UNSTUFFS("a\n.\nb\r\n.\r\n", "a\n.\nb\r\n");
	UNSTUFFS("a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n");
	UNSTUFFS("a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n");
	UNSTUFFS("a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n");
	UNSTUFFS("a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n");
	UNSTUFFS("a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n");
	UNSTUFFS("\r\r\n.\r\n", "\r\r\n");
	UNSTUFFS("a\r\n..\r\n.\r\n", "a\r\n.\r\n");
	UNSTUFFS("\0\xff\0\r\n.\0\r\n.\r\n", "\0\xff\0\r\n\0\r\n");
	UNSTUFFS("\r\n\r\n.\r\n", "\r\n\r\n");
}

static void
test_what_follows_a_body_is_left(void **state)
{
	static const char in[] = "x\r\n.\r\n+OK next\r\n";
	struct buf out = BUF_INIT;
	bool done;

	(void)state;
	assert_int_equal(unstuff(in, sizeof(in) - 1, sizeof(in), &out, &done),
	    6);
	T_CHECK(done && out.len == 3);
	buf_free(&out);
}

static enum rc
full(void *arg, const void *p, size_t len, struct err *e)
{
	(void)arg;
	(void)p;
	(void)len;
	return err_set(e, RC_TEMP, "full");
}

static void
test_a_consumer_that_fails_stops_it(void **state)
{
	struct pop3_body b = { 0, false };
	struct err e = ERR_INIT;
	enum rc rc;

	(void)state;
	pop3_body_feed(&b, (const uint8_t *)"abc\r\n.\r\n", 8, full, NULL, &rc,
	    &e);
	T_RC(rc, RC_TEMP);
	T_CHECK(!b.done);
	/* At a CR that was kept back behind its dot, too. */
	b = (struct pop3_body){ 0, false };
	assert_int_equal(pop3_body_feed(&b, (const uint8_t *)".\rx", 3, full,
	    NULL, &rc, &e), 2);
	T_RC(rc, RC_TEMP);
	T_CHECK(!b.done);
}

/* Whoever asks once more is given nothing more. */
static void
test_nothing_is_taken_behind_the_end(void **state)
{
	struct pop3_body b = { 0, false };
	struct err e = ERR_INIT;
	enum rc rc;

	(void)state;
	assert_int_equal(pop3_body_feed(&b, (const uint8_t *)".\r\n", 3, full,
	    NULL, &rc, &e), 3);
	T_CHECK(b.done);
	assert_int_equal(pop3_body_feed(&b, (const uint8_t *)"x", 1, full,
	    NULL, &rc, &e), 0);
	T_RC(rc, RC_OK);
}

/* What a server does to a body, and we undo, for any octets. */
static void
test_random_bodies_come_back(void **state)
{
	static const char pieces[] = "\r\n..x\0\xff";
	struct buf in = BUF_INIT, wire = BUF_INIT, out = BUF_INIT;
	bool done, start;

	(void)state;
	srand(1);
	for (int turn = 0; turn < 2000; turn++) {
		buf_wipe(&in);
		buf_wipe(&wire);
		for (int n = rand() % 40; n > 0; n--)
			buf_add8(&in, (uint8_t)pieces[(size_t)rand() % 8]);
		buf_adds(&in, "\r\n");
		start = true;
		for (size_t i = 0; i < in.len; i++) {
			if (start && in.p[i] == '.')
				buf_add8(&wire, '.');
			buf_add8(&wire, in.p[i]);
			start = i > 0 && in.p[i - 1] == '\r' &&
			    in.p[i] == '\n';
		}
		buf_adds(&wire, ".\r\n");
		assert_int_equal(unstuff(wire.p, wire.len,
		    1 + (size_t)rand() % 7, &out, &done), wire.len);
		T_CHECK(done && out.len == in.len);
		assert_memory_equal(out.p, in.p, in.len);
	}
	buf_free(&in);
	buf_free(&wire);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_words),
		cmocka_unit_test(test_codes_stand_right_after_the_status),
		cmocka_unit_test(test_list_lines),
		cmocka_unit_test(test_uidl_lines),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_bodies_end_at_one_place_only),
		cmocka_unit_test(test_what_follows_a_body_is_left),
		cmocka_unit_test(test_a_consumer_that_fails_stops_it),
		cmocka_unit_test(test_nothing_is_taken_behind_the_end),
		cmocka_unit_test(test_random_bodies_come_back)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
