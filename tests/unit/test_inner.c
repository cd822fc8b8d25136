#include "vault_unit.h"
#include "vault/inner.h"

#define ADDRESS "labo.central@labo.example"

static enum rc
judge(const uint8_t *p, size_t len, size_t step, struct inner *in)
{
	struct err e = ERR_INIT;
	enum rc rc = RC_OK;
	size_t n;

	inner_init(in);
	for (size_t i = 0; rc == RC_OK && i < len; i += n) {
		n = len - i < step ? len - i : step;
		rc = inner_feed(in, p + i, n, &e);
	}
	if (rc == RC_OK)
		rc = inner_end(in, &e);
	T_CHECK(rc == RC_OK || (rc == RC_INPUT && e.class == EC_INNER));
	T_CHECK(inner_done(in) == (rc == RC_OK));
	T_CHECK(rc == RC_OK || in->addr[0] == '\0');
	return rc;
}

/* P14, and every trick of ATTACKS M3 and M5; whole and octet by octet. */
static void
test_vectors(void **state)
{
	struct buf file = slurp(T_SRC("tests/vectors/vault-inner.txt"));
	struct buf v = BUF_INIT;
	struct inner in;
	char key[64];
	size_t at = 0, seen[2] = { 0, 0 };

	(void)state;
	while (vector_next(&file, &at, key, &v)) {
		bool good = strcmp(key, "good") == 0;

		for (size_t step = 1; step < 5000; step *= 7) {
			if (judge(v.p, v.len, step, &in) !=
			    (good ? RC_OK : RC_INPUT))
				fail_msg("%s, at octet %zu of the vectors",
				    key, at);
			if (good)
				T_STR(in.addr, ADDRESS);
		}
		seen[good]++;
	}
	T_CHECK(seen[0] > 70 && seen[1] > 15);
	buf_free(&v);
	buf_free(&file);
}

/* Cut anywhere before the empty line's end: refused. */
static void
test_truncations(void **state)
{
	static const char s[] = "Subject: a\r\n b\r\nFrom: " ADDRESS
	    "\r\nTo: x\r\n\r\n";
	struct inner in;

	(void)state;
	for (size_t n = 0; n < sizeof(s) - 1; n++)
		T_RC(judge((const uint8_t *)s, n, 5, &in), RC_INPUT);
	T_RC(judge((const uint8_t *)s, sizeof(s) - 1, 5, &in), RC_OK);
}

/* 64 KiB of header with its empty line, and one octet more. */
static void
test_limit(void **state)
{
	static const char head[] = "From: " ADDRESS "\r\nSubject: ";
	struct buf b = BUF_INIT;
	struct inner in;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		buf_wipe(&b);
		T_CHECK(buf_adds(&b, head));
		while (b.len < INNER_HEAD_MAX - 4 + over)
			T_CHECK(buf_add8(&b, 'x'));
		T_CHECK(buf_adds(&b, "\r\n\r\n"));
		T_RC(judge(b.p, b.len, 1000, &in), over ? RC_INPUT : RC_OK);
		T_CHECK(buf_adds(&b, "body"));
		T_RC(judge(b.p, b.len, 1, &in), over ? RC_INPUT : RC_OK);
	}
	buf_free(&b);
}

static void
test_from_limit(void **state)
{
	struct buf b = BUF_INIT;
	struct inner in;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		buf_wipe(&b);
		T_CHECK(buf_adds(&b, "From:" ADDRESS));
		while (b.len < 5 + INNER_FIELD_MAX + over)
			T_CHECK(buf_add8(&b, ' '));
		T_CHECK(buf_adds(&b, "\r\n\r\n"));
		T_RC(judge(b.p, b.len, 3, &in), over ? RC_INPUT : RC_OK);
	}
	buf_free(&b);
}

static void
test_compares_with_identity(void **state)
{
	static const char s[] = "From: LABO.central@labo.EXAMPLE\r\n\r\n";
	struct identity id = who(LABO), other = who(DR);
	struct inner in;

	(void)state;
	T_RC(judge((const uint8_t *)s, sizeof(s) - 1, 9, &in), RC_OK);
	T_CHECK(inner_is(&in, &id) && !inner_is(&in, &other));
	id = who("autre/labo.central@labo.example#7");
	T_CHECK(inner_is(&in, &id));
	id = who("demo/labo.central@labo.example.org#1");
	T_CHECK(!inner_is(&in, &id));
	T_RC(judge((const uint8_t *)s, 9, 9, &in), RC_INPUT);
	T_CHECK(!inner_is(&in, &id));
	inner_wipe(&in);
	T_CHECK(!inner_is(&in, &id) && in.addr[0] == '\0');
}

/* After a refusal nothing mends it; after the header nothing matters. */
static void
test_states(void **state)
{
	struct inner in;
	struct err e = ERR_INIT;

	(void)state;
	inner_init(&in);
	T_RC(inner_feed(&in, "From", 4, &e), RC_OK);
	T_RC(inner_feed(&in, "\n", 1, &e), RC_INPUT);
	T_RC(inner_feed(&in, ": " ADDRESS "\r\n\r\n", 31, &e), RC_INPUT);
	T_RC(inner_end(&in, &e), RC_INPUT);
	inner_init(&in);
	T_RC(inner_feed(&in, "From: " ADDRESS "\r\n\r\n\0\r\nFrom: x\n", 47,
	    &e), RC_OK);
	T_RC(inner_end(&in, &e), RC_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_from_limit),
		cmocka_unit_test(test_compares_with_identity),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
