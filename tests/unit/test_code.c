#include "vault_unit.h"
#include "vault/code.h"

static const char text[] = "208H4-4RM2M-B1E60-S38DH-R78Y9";

static enum rc
parse(const char *s, uint8_t code[CODE_BYTES], struct err *e)
{
	return code_parse(s, strlen(s), code, e);
}

static void
test_known_answer(void **state)
{
	struct buf code = vector(V218, "code");
	char out[CODE_TEXT_BYTES];
	uint8_t back[CODE_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	code_format(code.p, out);
	T_STR(out, text);
	same_as_vector(V218, "code text", out, strlen(out));
	T_RC(parse(out, back, &e), RC_OK);
	assert_memory_equal(back, code.p, sizeof(back));
	buf_free(&code);
}

/* O for 0, I and L for 1, any case, blanks and dashes anywhere. */
static void
test_as_typed(void **state)
{
	static const char *const typed[] = {
		"208h44rm2mb1e60s38dhr78y9",
		"2o8h4-4rm2m-ble6O-s38dh-r78y9",
		" 2-0-8H4 4RM2M\tBiE60 S38DH--R78Y9-\r\n",
	};
	uint8_t want[CODE_BYTES], got[CODE_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	T_RC(parse(text, want, &e), RC_OK);
	for (size_t i = 0; i < 3; i++) {
		T_RC(parse(typed[i], got, &e), RC_OK);
		assert_memory_equal(got, want, sizeof(got));
	}
}

static void
expect_refused(const char *s, size_t len, const char *why)
{
	static const uint8_t zeros[CODE_BYTES];
	uint8_t code[CODE_BYTES];
	struct err e = ERR_INIT;

	T_RC(code_parse(s, len, code, &e), RC_INPUT);
	T_CHECK(strstr(e.text, why) != NULL);
	assert_memory_equal(code, zeros, sizeof(code));
}

/* The three ways to mistype are told apart. */
static void
test_refusals(void **state)
{
	(void)state;
	expect_refused("", 0, "0 were typed");
	expect_refused(text, strlen(text) - 1, "24 were typed");
	expect_refused("208H4-4RM2M-B1E60-S38DH-R78Y90", 30, "26 were typed");
	expect_refused("208H4-4RU2M-B1E60-S38DH-R78Y9", 29, "(group 2)");
	expect_refused("208H4-4RU2M-B1E60-S38DH-R78Y9", 29, "symbol 8");
	expect_refused("208H4-4RM2M-B1E60-S38DH-R78Y\0", 29, "(group 5)");
	expect_refused("208H4-4RM2M-B1\xc3\xa9" "60-S38DH-R78Y9", 30,
	    "(group 3)");
	expect_refused("208H4-4RM2M-B1E60-S38DH-R78YA", 29, "mistyped");
	expect_refused("208H4-4RM2M-B1E61-S38DH-R78Y9", 29, "mistyped");
}

/* "The check symbol catches 96.8 % of one-symbol errors." */
static void
test_check_symbol(void **state)
{
	static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t want[CODE_BYTES], got[CODE_BYTES];
	size_t tried = 0, missed = 0;
	struct err e = ERR_INIT;
	char s[sizeof(text)];

	(void)state;
	T_RC(parse(text, want, &e), RC_OK);
	memcpy(s, text, sizeof(s));
	for (size_t i = 0; i < strlen(text); i++) {
		for (size_t k = 0; k < 32 && text[i] != '-'; k++) {
			if (symbols[k] == text[i])
				continue;
			s[i] = symbols[k];
			tried++;
			if (parse(s, got, &e) != RC_OK)
				continue;
			missed++;
			T_CHECK(memcmp(got, want, sizeof(got)) != 0);
		}
		s[i] = text[i];
	}
	T_CHECK(tried == 25 * 31 && missed * 100 < tried * 6);
}

static void
test_every_bit_round_trips(void **state)
{
	uint8_t code[CODE_BYTES], got[CODE_BYTES];
	char out[CODE_TEXT_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t bit = 0; bit < CODE_BYTES * 8; bit++) {
		memset(code, 0, sizeof(code));
		code[bit / 8] = (uint8_t)(0x80 >> bit % 8);
		code_format(code, out);
		T_CHECK(strlen(out) == CODE_TEXT_BYTES - 1);
		T_RC(parse(out, got, &e), RC_OK);
		assert_memory_equal(code, got, sizeof(code));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_as_typed),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_check_symbol),
		cmocka_unit_test(test_every_bit_round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
