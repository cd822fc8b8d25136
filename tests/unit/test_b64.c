#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "mail/b64.h"

#define MAX 4096

/* Decode ${len} characters cut every ${step}; -1 when damaged. */
static long
decode(const void *in, size_t len, size_t step, uint8_t *out,
    enum b64_bad *bad)
{
	const uint8_t *p = in;
	struct b64_dec d;
	size_t n = 0, got;

	b64_dec_init(&d);
	for (size_t i = 0; i < len; i += step) {
		size_t k = len - i < step ? len - i : step;

		b64_dec_add(&d, p + i, k, out + n, &got);
		assert_true(got <= B64_DEC_BYTES(k));
		n += got;
	}
	b64_dec_end(&d, out + n, &got);
	n += got;
	*bad = d.bad;
	return d.bad == B64_GOOD ? (long)n : -1;
}

static size_t
encode(const uint8_t *in, size_t len, size_t step, uint8_t *out)
{
	struct b64_enc e;
	size_t n = 0;

	b64_enc_init(&e);
	for (size_t i = 0; i < len; i += step) {
		size_t k = len - i < step ? len - i : step;
		size_t got = b64_enc_add(&e, in + i, k, out + n);

		assert_true(got <= B64_ENC_BYTES(k));
		n += got;
	}
	return n + b64_enc_end(&e, out + n);
}

/* RFC 4648 10: the vectors of the standard, and our CRLF. */
static void
test_known(void **state)
{
	static const struct { const char *in, *out; } v[] = {
		{ "", "" }, { "f", "Zg==\r\n" }, { "fo", "Zm8=\r\n" },
		{ "foo", "Zm9v\r\n" }, { "foob", "Zm9vYg==\r\n" },
		{ "fooba", "Zm9vYmE=\r\n" }, { "foobar", "Zm9vYmFy\r\n" },
	};
	uint8_t out[64];
	enum b64_bad bad;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		size_t n = encode((const uint8_t *)v[i].in,
		    strlen(v[i].in), 100, out);

		assert_int_equal(n, strlen(v[i].out));
		assert_memory_equal(out, v[i].out, n);
		n = (size_t)decode(v[i].out, strlen(v[i].out), 100, out,
		    &bad);
		assert_int_equal(n, strlen(v[i].in));
		assert_memory_equal(out, v[i].in, n);
	}
}

/* Every length around a line; one octet at a time gives the same. */
static void
test_round_trip(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 56, 57, 58, 1000, MAX };
	uint8_t in[300], text[600], one[600], back[600];
	char want[600];
	enum b64_bad bad;

	(void)state;
	randombytes_buf_deterministic(in, sizeof(in),
	    (const unsigned char *)"seed of 32 octets for this test.");
	for (size_t len = 0; len <= sizeof(in); len++) {
		size_t n = encode(in, len, MAX, text);

		assert_int_equal(n, b64_enc_length(len));
		sodium_bin2base64(want, sizeof(want), in, len,
		    sodium_base64_VARIANT_ORIGINAL);
		for (size_t i = 0, w = 0; i < n; i++)
			if (text[i] != '\r' && text[i] != '\n')
				assert_int_equal(text[i], want[w++]);
		for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]);
		    s++) {
			assert_int_equal(encode(in, len, steps[s], one), n);
			assert_memory_equal(one, text, n);
			assert_int_equal(decode(text, n, steps[s], back,
			    &bad), len);
			assert_memory_equal(back, in, len);
		}
	}
}

static void
test_lines_are_76(void **state)
{
	uint8_t in[B64_LINE_OCTETS * 3] = { 0 }, out[400];
	size_t n = encode(in, sizeof(in), 10, out);

	(void)state;
	assert_int_equal(n, 3 * B64_LINE_BYTES);
	for (size_t i = 0; i < 3; i++)
		assert_memory_equal(out + i * 78 + 76, "\r\n", 2);
	/* one octet less and one more */
	assert_int_equal(encode(in, B64_LINE_OCTETS - 1, 9, out), 78);
	assert_int_equal(encode(in, B64_LINE_OCTETS + 1, 9, out), 78 + 6);
}

/* PROTOCOL 2.19.19: what is tolerated, what is damage. */
static void
test_strictness(void **state)
{
	static const struct { const char *in; long n; enum b64_bad bad; }
	v[] = {
		{ "Zm8=", 2, B64_GOOD }, { "Zm8", 2, B64_GOOD },
		{ "Zg==", 1, B64_GOOD }, { "Zg=", 1, B64_GOOD },
		{ "Zg", 1, B64_GOOD }, { " Z\tm\r\n9 v ", 3, B64_GOOD },
		{ "Zg = =\r\n", 1, B64_GOOD },
		{ "Zh==", -1, B64_BITS }, { "Zm9=", -1, B64_BITS },
		{ "Zh", -1, B64_BITS }, { "Zm9", -1, B64_BITS },
		{ "Z", -1, B64_CUT }, { "Zm9vZ", -1, B64_CUT },
		{ "Zg==Zg==", -1, B64_PADDING }, { "Zg===", -1, B64_PADDING },
		{ "Zm8==", -1, B64_PADDING }, { "Zm9v=", -1, B64_PADDING },
		{ "=", -1, B64_PADDING }, { "Z===", -1, B64_PADDING },
		{ "Zg=Z", -1, B64_PADDING }, { "Zm9v*", -1, B64_FOREIGN },
		{ "Zm-_", -1, B64_FOREIGN }, { "Zm\xe9v", -1, B64_FOREIGN },
		{ "Z.9v", -1, B64_FOREIGN },
	};
	uint8_t out[64];
	enum b64_bad bad;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (size_t step = 1; step < 10; step++) {
			assert_int_equal(decode(v[i].in, strlen(v[i].in),
			    step, out, &bad), v[i].n);
			assert_int_equal(bad, v[i].bad);
		}
}

/* Every octet that is neither a symbol, a blank nor "=" is damage. */
static void
test_every_octet(void **state)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
	    "klmnopqrstuvwxyz0123456789+/ \t\r\n";
	uint8_t out[64];
	enum b64_bad bad;

	(void)state;
	for (int c = 0; c < 256; c++) {
		char in[8] = { 'A', 'A', 'A', 'A', 'A', 'A', (char)c, 'A' };
		bool ok = c != 0 && strchr(good, c) != NULL;

		decode(in, sizeof(in), 8, out, &bad);
		if (c != '=')
			assert_int_equal(bad == B64_FOREIGN, !ok);
		assert_true(*b64_bad_say(bad) != '\0' || bad == B64_GOOD);
	}
}

/* After damage nothing more is taken, and the verdict stays. */
static void
test_damage_stays(void **state)
{
	struct b64_dec d;
	uint8_t out[16];
	size_t n;

	(void)state;
	b64_dec_init(&d);
	T_CHECK(!b64_dec_add(&d, (const uint8_t *)"Zm9v*Zm9v", 9, out, &n));
	assert_int_equal(n, 3);
	T_CHECK(!b64_dec_add(&d, (const uint8_t *)"Zm9v", 4, out, &n));
	assert_int_equal(n, 0);
	T_CHECK(!b64_dec_end(&d, out, &n));
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_lines_are_76),
		cmocka_unit_test(test_strictness),
		cmocka_unit_test(test_every_octet),
		cmocka_unit_test(test_damage_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
