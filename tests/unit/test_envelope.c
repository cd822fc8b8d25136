#include <sodium.h>

#include "vault_unit.h"

#define SALAMANDER T_SRC("tests/vectors/vault-salamander.txt")
#define SEALED_CHUNK (ENV_CHUNK_BYTES + ENV_MAC_BYTES)

static struct env_sealer *sealer;
static struct env_opener *opener;
static uint8_t key[KDF_KEY_BYTES];

/* An envelope of ${payload}, fed ${step} octets at a time. */
static struct buf
seal(const struct buf *payload, size_t step)
{
	struct env_head h = head_of(LABO, DR);
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n;

	T_RC(env_seal_start(sealer, &h, key, keep(&out), &e), RC_OK);
	T_CHECK(out.len == h.len);
	for (size_t i = 0; i < payload->len; i += n) {
		n = payload->len - i < step ? payload->len - i : step;
		T_RC(env_seal_put(sealer, payload->p + i, n, &e), RC_OK);
	}
	T_RC(env_seal_end(sealer, &e), RC_OK);
	T_CHECK(out.len == env_size(h.len, payload->len));
	return out;
}

/* Opens ${p} under ${k}, ${step} at a time; the class says how it went. */
static enum err_class
open_with(const uint8_t *k, const uint8_t *p, size_t len, size_t step,
    struct buf *out)
{
	struct err e = ERR_INIT;
	struct env_head h;
	enum rc rc;
	size_t n;

	buf_wipe(out);
	rc = env_head_parse(p, len, &h, &e);
	if (rc == RC_OK)
		rc = env_open_start(opener, &h, k, keep(out), &e);
	for (size_t i = h.len; rc == RC_OK && i < len; i += n) {
		n = len - i < step ? len - i : step;
		rc = env_open_feed(opener, p + i, n, &e);
	}
	if (rc == RC_OK)
		rc = env_open_end(opener, &e);
	T_CHECK(rc == RC_OK || (rc == RC_INPUT && e.class != EC_NONE));
	return rc == RC_OK ? EC_NONE : e.class;
}

static enum err_class
open_all(const struct buf *env, struct buf *out)
{
	return open_with(key, env->p, env->len, env->len, out);
}

/* The header. */

static void
test_header_of_2_18(void **state)
{
	struct buf env = slurp(T_SRC("tests/vectors/2.18.sceau"));
	uint8_t again[ENV_HEAD_MAX];
	struct err e = ERR_INIT;
	struct env_head h;
	size_t want, n = 0;

	(void)state;
	/* As much as it asks for is always enough to go on. */
	while ((want = env_head_want(env.p, n)) > n)
		n = want;
	T_RC(env_head_parse(env.p, n, &h, &e), RC_OK);
	T_CHECK(h.len == n && h.hash_len == n - ENV_TAG_BYTES);
	T_CHECK(h.source == ENV_CHANNEL && h.year == 2026);
	T_STR(h.from.s, LABO);
	T_STR(h.to.s, DR);
	same_as_vector(V218, "salt", h.salt, sizeof(h.salt));
	same_as_vector(V218, "T", h.tag, sizeof(h.tag));
	T_CHECK(env_head_verify(&h, key));
	env_head_format(&h, again);
	assert_memory_equal(again, env.p, h.len);
	for (size_t i = 0; i < n; i++) {
		T_RC(env_head_parse(env.p, i, &h, &e), RC_INPUT);
		T_CHECK(e.class == EC_FORMAT && h.len == 0);
	}
	buf_free(&env);
}

static void
expect_head(struct buf *env, size_t at, uint8_t v, enum err_class want)
{
	uint8_t was = env->p[at];
	struct err e = ERR_INIT;
	struct env_head h;

	env->p[at] = v;
	T_RC(env_head_parse(env->p, env->len, &h, &e), RC_INPUT);
	T_CHECK(e.class == want);
	T_CHECK(env_head_want(env->p, env->len) <= ENV_HEAD_MAX);
	env->p[at] = was;
}

static void
test_header_refusals(void **state)
{
	struct buf env = slurp(T_SRC("tests/vectors/2.18.sceau"));
	struct err e = ERR_INIT;
	struct env_head h;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		expect_head(&env, i, 'x', EC_FORMAT);
	expect_head(&env, 5, 0, EC_VERSION);
	expect_head(&env, 5, 2, EC_VERSION);
	expect_head(&env, 6, 2, EC_VERSION);
	for (int v = 0; v < 256; v++)
		if (v > 2 && (v < 0x11 || v > 0x13))
			expect_head(&env, 7, (uint8_t)v, EC_FORMAT);
	for (int v = 0; v < 256; v++)
		if (v != env.p[10])
			expect_head(&env, 10, (uint8_t)v, EC_FORMAT);
	expect_head(&env, 11, 'D', EC_FORMAT);
	/* A newer version may be of any form after its number. */
	T_RC(env_head_parse("SCEAU\2", 6, &h, &e), RC_INPUT);
	T_CHECK(e.class == EC_VERSION);
	T_RC(env_head_parse("SCEAU", 5, &h, &e), RC_INPUT);
	T_CHECK(e.class == EC_FORMAT);
	buf_free(&env);
}

static void
test_largest_header(void **state)
{
	char s[IDENTITY_MAX_BYTES];
	uint8_t out[ENV_HEAD_MAX];
	struct err e = ERR_INIT;
	struct env_head h = head_of(LABO, DR), back;

	(void)state;
	memset(s, 'd', sizeof(s));
	memcpy(s, "a/b@c.", 6);
	memcpy(s + sizeof(s) - 2, "#1", 2);
	T_CHECK(identity_parse(s, sizeof(s), &h.from));
	h.to = h.from;
	env_head_format(&h, out);
	T_CHECK(h.len == ENV_HEAD_MAX);
	T_CHECK(env_head_want(out, sizeof(out)) == ENV_HEAD_MAX);
	T_RC(env_head_parse(out, sizeof(out), &back, &e), RC_OK);
	T_CHECK(identity_eq(&back.to, &h.to));
}

/* P1: complete or nothing. */

static void
test_sizes_and_steps(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 4096, 65535, 65536,
		65537, 2 * 65536 - 1, 2 * 65536, 2 * 65536 + 1, 3000000 };
	static const size_t steps[] = { 1, 1000, 65536, 65552, 65553,
		SIZE_MAX };
	struct buf got = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf text = text_of(sizes[i]);
		struct buf env = seal(&text, SIZE_MAX);

		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			struct buf same_env = seal(&text, steps[k]);

			T_CHECK(bytes_eq(run(env.p, env.len),
			    run(same_env.p, same_env.len)));
			T_CHECK(open_with(key, env.p, env.len, steps[k],
			    &got) == EC_NONE);
			T_CHECK(bytes_eq(run(got.p, got.len),
			    run(text.p, text.len)));
			buf_free(&same_env);
		}
		buf_free(&env);
		buf_free(&text);
	}
	buf_free(&got);
}

static void
test_every_flipped_bit(void **state)
{
	struct buf env = slurp(T_SRC("tests/vectors/2.18.sceau"));
	struct buf got = BUF_INIT;
	struct env_head h;
	struct err e = ERR_INIT;
	enum err_class c;

	(void)state;
	T_RC(env_head_parse(env.p, env.len, &h, &e), RC_OK);
	for (size_t bit = 0; bit < env.len * 8; bit++) {
		env.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		c = open_all(&env, &got);
		T_CHECK(bit / 8 < h.len ? c == EC_FORMAT ||
		    c == EC_VERSION || c == EC_HEADER : c == EC_BODY);
		T_CHECK(got.len == 0);
		env.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	T_CHECK(open_all(&env, &got) == EC_NONE);
	buf_free(&env);
	buf_free(&got);
}

/* Each truncation, each class: the cut says what can be said. */
static void
test_every_truncation(void **state)
{
	struct buf env = slurp(T_SRC("tests/vectors/2.18.sceau"));
	struct buf got = BUF_INIT;
	struct env_head h;
	struct err e = ERR_INIT;
	enum err_class want;

	(void)state;
	T_RC(env_head_parse(env.p, env.len, &h, &e), RC_OK);
	for (size_t n = 0; n < env.len; n++) {
		want = n < h.len ? EC_FORMAT :
		    n < h.len + ENV_MAC_BYTES ? EC_TRUNCATED : EC_BODY;
		T_CHECK(open_with(key, env.p, n, n + 1, &got) == want);
		T_CHECK(got.len == 0);
	}
	for (int v = 0; v < 256; v++) {
		T_CHECK(buf_add8(&env, (uint8_t)v));
		T_CHECK(open_all(&env, &got) == EC_BODY);
		env.len--;
	}
	buf_free(&env);
	buf_free(&got);
}

/* Whole chunks away, added, or in another order. */
static void
test_chunk_games(void **state)
{
	struct buf text = text_of(2 * ENV_CHUNK_BYTES + 5), got = BUF_INIT;
	struct buf env = seal(&text, SIZE_MAX), full = BUF_INIT, b;
	uint8_t one[SEALED_CHUNK];
	size_t body = env.len - 2 * SEALED_CHUNK - 5 - ENV_MAC_BYTES;

	(void)state;
	/* Cut at the boundary after each chunk: nothing short is there. */
	for (size_t n = 0; n <= 2; n++)
		T_CHECK(open_with(key, env.p, body + n * SEALED_CHUNK, 999,
		    &got) == EC_TRUNCATED);
	T_CHECK(open_with(key, env.p, body + 2 * SEALED_CHUNK + 15, 999,
	    &got) == EC_TRUNCATED);
	T_CHECK(open_with(key, env.p, body + 2 * SEALED_CHUNK + 16, 999,
	    &got) == EC_BODY);
	/* The first left out, the two swapped, the last one twice. */
	memcpy(one, env.p + body, sizeof(one));
	memmove(env.p + body, env.p + body + SEALED_CHUNK, SEALED_CHUNK);
	T_CHECK(open_with(key, env.p, env.len - SEALED_CHUNK, 999, &got) ==
	    EC_BODY);
	memcpy(env.p + body + SEALED_CHUNK, one, sizeof(one));
	T_CHECK(open_all(&env, &got) == EC_BODY && got.len == 0);
	/* A full last chunk needs its empty end, and only one. */
	full = text_of(ENV_CHUNK_BYTES);
	b = seal(&full, SIZE_MAX);
	T_CHECK(open_with(key, b.p, b.len - 16, 999, &got) == EC_TRUNCATED);
	T_CHECK(buf_add(&b, b.p + b.len - 16, 16));
	T_CHECK(open_all(&b, &got) == EC_BODY);
	buf_free(&b);
	buf_free(&full);
	buf_free(&env);
	buf_free(&text);
	buf_free(&got);
}

/* P2, P3. */

/* Two keys, one ciphertext: the AEAD accepts both, the envelope one. */
static void
test_salamander(void **state)
{
	struct buf k1 = vector(SALAMANDER, "key 1");
	struct buf k2 = vector(SALAMANDER, "key 2");
	struct buf c1 = vector(SALAMANDER, "channel 1");
	struct buf c2 = vector(SALAMANDER, "channel 2");
	struct buf body = vector(SALAMANDER, "body"), got = BUF_INIT;
	struct buf env = vector(SALAMANDER, "envelope");
	static const uint8_t nonce[12];
	uint8_t m1[256], m2[256];

	(void)state;
	T_CHECK(crypto_aead_chacha20poly1305_ietf_decrypt(m1, NULL, NULL,
	    body.p, body.len, NULL, 0, nonce, k1.p) == 0);
	T_CHECK(crypto_aead_chacha20poly1305_ietf_decrypt(m2, NULL, NULL,
	    body.p, body.len, NULL, 0, nonce, k2.p) == 0);
	assert_memory_equal(m1, "INR = 2,1", 9);
	assert_memory_equal(m2 + 48, "INR = 9,8", 9);
	T_CHECK(open_with(c1.p, env.p, env.len, 7, &got) == EC_NONE);
	assert_memory_equal(got.p, m1, got.len);
	T_CHECK(open_with(c2.p, env.p, env.len, 7, &got) == EC_HEADER);
	T_CHECK(got.len == 0);
	buf_free(&k1);
	buf_free(&k2);
	buf_free(&c1);
	buf_free(&c2);
	buf_free(&body);
	buf_free(&env);
	buf_free(&got);
}

/* Other sender, other recipient, generation, direction, year: HEADER. */
static void
test_wrong_channels(void **state)
{
	static const char *const pairs[][2] = {
		{ "demo/eve@labo.example#1", DR },
		{ DR, LABO },
		{ LABO, LABO },
		{ "demo/labo.central@labo.example#2", DR },
		{ LABO, "demo/dr.martin@cabinet.example#2" },
		{ "autre/labo.central@labo.example#1", DR },
	};
	struct buf text = text_of(10), env = seal(&text, 1), got = BUF_INIT;
	uint8_t k[KDF_KEY_BYTES];
	struct err e = ERR_INIT;
	struct env_head h;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		channel(k, pairs[i][0], pairs[i][1]);
		T_CHECK(open_with(k, env.p, env.len, 99, &got) == EC_HEADER);
		T_CHECK(got.len == 0);
	}
	T_RC(env_head_parse(env.p, env.len, &h, &e), RC_OK);
	T_CHECK(env_head_verify(&h, key));
	h.year++;
	T_CHECK(!env_head_verify(&h, key));
	h.year--;
	h.source = ENV_CODE;
	T_CHECK(!env_head_verify(&h, key));
	buf_free(&text);
	buf_free(&env);
	buf_free(&got);
}

/* Manners. */

static void
test_sinks_that_fail(void **state)
{
	struct buf text = text_of(200000), env = seal(&text, 99999);
	enum rc full = RC_TEMP;
	struct env_sink no = { refuse_put, &full };
	struct err e = ERR_INIT;
	struct env_head h = head_of(LABO, DR);

	(void)state;
	T_RC(env_seal_start(sealer, &h, key, no, &e), RC_TEMP);
	T_RC(env_seal_put(sealer, text.p, 1, &e), RC_INPUT);
	T_RC(env_seal_end(sealer, &e), RC_INPUT);
	T_RC(env_head_parse(env.p, env.len, &h, &e), RC_OK);
	T_RC(env_open_start(opener, &h, key, no, &e), RC_OK);
	T_RC(env_open_feed(opener, env.p + h.len, env.len - h.len, &e),
	    RC_TEMP);
	T_STR(e.text, "the sink says no");
	T_RC(env_open_feed(opener, env.p, 1, &e), RC_INPUT);
	T_RC(env_open_end(opener, &e), RC_INPUT);
	T_CHECK(e.class == EC_BODY);
	buf_free(&text);
	buf_free(&env);
}

/* Once wrong, always wrong: what follows is not opened. */
static void
test_dead_after_damage(void **state)
{
	struct buf text = text_of(3 * ENV_CHUNK_BYTES), env = seal(&text, 7777);
	struct buf got = BUF_INIT;
	struct err e = ERR_INIT;
	struct env_head h;
	size_t at;

	(void)state;
	T_RC(env_head_parse(env.p, env.len, &h, &e), RC_OK);
	at = h.len + SEALED_CHUNK;
	env.p[at] ^= 1;
	T_RC(env_open_start(opener, &h, key, keep(&got), &e), RC_OK);
	T_RC(env_open_feed(opener, env.p + h.len, at - h.len, &e), RC_OK);
	T_RC(env_open_feed(opener, env.p + at, SEALED_CHUNK, &e), RC_INPUT);
	env.p[at] ^= 1;
	T_RC(env_open_feed(opener, env.p + at, env.len - at, &e), RC_INPUT);
	T_RC(env_open_end(opener, &e), RC_INPUT);
	T_CHECK(got.len == ENV_CHUNK_BYTES);
	/* And the same opener serves again. */
	T_CHECK(open_all(&env, &got) == EC_NONE && got.len == text.len);
	T_RC(env_open_end(opener, &e), RC_INPUT);
	buf_free(&text);
	buf_free(&env);
	buf_free(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_of_2_18),
		cmocka_unit_test(test_header_refusals),
		cmocka_unit_test(test_largest_header),
		cmocka_unit_test(test_sizes_and_steps),
		cmocka_unit_test(test_every_flipped_bit),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_chunk_games),
		cmocka_unit_test(test_salamander),
		cmocka_unit_test(test_wrong_channels),
		cmocka_unit_test(test_sinks_that_fail),
		cmocka_unit_test(test_dead_after_damage),
	};
	struct err e = ERR_INIT;
	int failed;

	T_RC(secret_init(&e), RC_OK);
	channel(key, LABO, DR);
	sealer = env_sealer_new();
	opener = env_opener_new();
	T_CHECK(sealer != NULL && opener != NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	env_sealer_free(&sealer);
	env_opener_free(&opener);
	return failed;
}
