#include "config.h"

#include "vault_unit.h"

static struct env_sealer *sealer;
static struct env_opener *opener;

/* Lengths. */

/* PROTOCOL 2.19.8: by its words, not by our code. */
static void
test_padding(void **state)
{
	static const struct {
		uint64_t n, want;
	} table[] = {
		{ 0, 4096 }, { 1, 4096 }, { 600, 4096 }, { 3072, 4096 },
		{ 4096, 4096 }, { 4097, 8192 }, { 8192, 8192 },
		{ 30000, 32768 }, { 32769, 65536 }, { 65536, 65536 },
		/* e = 16, s = 5: multiples of 2048 */
		{ 65537, 67584 }, { 67584, 67584 }, { 67585, 69632 },
		{ 131071, 131072 }, { 131072, 131072 },
		/* e = 17, s = 5: multiples of 4096 */
		{ 131073, 135168 },
		/* e = 20, s = 5: multiples of 32768 */
		{ 1048577, 1081344 },
		/* e = 32, s = 6: multiples of 2^26 */
		{ 4294967297, 4362076160 },
	};
	uint64_t last = 0, p;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(payload_padded(table[i].n), table[i].want);
	for (uint64_t n = 0; n < 300000; n += 7) {
		p = payload_padded(n);
		T_CHECK(p >= n && p >= last && payload_padded(p) == p);
		T_CHECK(n < 65536 || p - n < n / 8);
		last = p;
	}
}

/* One that counts what it is told. */
struct told {
	struct buf	mail;
	size_t		begins;
	size_t		control_len;
	uint32_t	mail_len;
	enum rc		answer;
};

static enum rc
told_begin(void *ctx, const struct payload_reader *r, uint32_t len,
    struct err *e)
{
	struct told *t = ctx;

	t->begins++;
	t->control_len = r->control.len;
	t->mail_len = len;
	return t->answer == RC_OK ? RC_OK :
	    err_class(e, EC_AUTHORITY, "not he");
}

static enum rc
told_mail(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct told *t = ctx;

	(void)e;
	T_CHECK(buf_add(&t->mail, p, len));
	return RC_OK;
}

/* Reads ${p} in pieces; keeps what was told in ${t} and digest in ${d}. */
static enum rc
read_it(const struct buf *p, size_t limit, size_t step, struct told *t,
    uint8_t *d)
{
	struct payload_events on = { t, told_begin, told_mail };
	struct payload_reader r;
	struct err e = ERR_INIT;
	enum rc rc = RC_OK;
	size_t n;

	payload_init(&r, limit, on);
	for (size_t i = 0; rc == RC_OK && i < p->len; i += n) {
		n = p->len - i < step ? p->len - i : step;
		rc = payload_feed(&r, p->p + i, n, &e);
	}
	if (rc == RC_OK)
		rc = payload_end(&r, &e);
	else
		T_RC(payload_feed(&r, "", 1, &e), RC_INPUT);
	T_CHECK(rc != RC_INPUT || e.class == EC_RECORD);
	if (rc == RC_OK) {
		T_CHECK(r.meta.sealed_at == SEALED_AT);
		T_CHECK(r.has_mail == (t->begins == 1));
		if (d != NULL)
			memcpy(d, r.digest, KDF_KEY_BYTES);
	}
	payload_free(&r);
	return rc;
}

static enum rc
reads(const struct buf *p)
{
	struct told t = { BUF_INIT, 0, 0, 0, RC_OK };
	enum rc whole, single;

	whole = read_it(p, PAYLOAD_MEMBER_MAX, SIZE_MAX, &t, NULL);
	buf_wipe(&t.mail);
	t.begins = 0;
	single = read_it(p, PAYLOAD_MEMBER_MAX, 1, &t, NULL);
	T_RC(single, whole);
	buf_free(&t.mail);
	return whole;
}

static void
test_mail_streams(void **state)
{
	static const size_t sizes[] = { 0, 1, 4000, 65536, 200000 };
	static const size_t steps[] = { 1, 17, 65536 };
	uint8_t d[KDF_KEY_BYTES], want[KDF_KEY_BYTES];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct buf p = BUF_INIT, text = text_of(sizes[i]);

		add_meta(&p);
		add(&p, REC_MAIL, text.p, text.len);
		add_end(&p);
		kdf_hash_of(text.p, text.len, want);
		for (size_t k = 0; k < 3; k++) {
			struct told t = { BUF_INIT, 0, 0, 0, RC_OK };

			T_RC(read_it(&p, PAYLOAD_MEMBER_MAX, steps[k], &t, d),
			    RC_OK);
			T_CHECK(t.begins == 1 && t.control_len == 20);
			T_CHECK(t.mail_len == text.len);
			T_CHECK(bytes_eq(run(t.mail.p, t.mail.len),
			    run(text.p, text.len)));
			assert_memory_equal(d, want, sizeof(d));
			buf_free(&t.mail);
		}
		buf_free(&p);
		buf_free(&text);
	}
}

/* The caller's word ends it before any octet of MAIL. */
static void
test_refused_before_mail(void **state)
{
	struct told t = { BUF_INIT, 0, 0, 0, RC_INPUT };
	struct payload_events on = { &t, told_begin, told_mail };
	struct payload_reader r;
	struct buf p = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	add_meta(&p);
	add(&p, REC_MAIL, "hello", 5);
	add_end(&p);
	payload_init(&r, PAYLOAD_MEMBER_MAX, on);
	T_RC(payload_feed(&r, p.p, p.len, &e), RC_INPUT);
	T_CHECK(e.class == EC_AUTHORITY && t.mail.len == 0 && r.has_mail);
	T_RC(payload_end(&r, &e), RC_INPUT);
	payload_free(&r);
	buf_free(&p);
}

/* The order of 2.19.31. */

/* One letter per record; returns how a payload of them is read. */
static enum rc
order(const char *s)
{
	static const uint8_t k[KDF_KEY_BYTES] = { 7 };
	struct buf p = BUF_INIT;
	struct rec r;
	enum rc rc;

	for (; *s != '\0'; s++) {
		memset(&r, 0, sizeof(r));
		switch (*s) {
		case 'M':
			add_meta(&p);
			break;
		case 'G':
			r.type = REC_GRANT;
			r.grant = (struct rec_grant){ 2026, k, who(LABO) };
			break;
		case 'A':
			r.type = REC_ACK;
			r.ack = (struct rec_ack){ k, REC_ACK_RECEIVED, 5, k,
			    { 0 } };
			break;
		case 'B':
			r.type = REC_BULLETIN;
			break;
		case 'R':
			r.type = REC_ROUTE;
			r.route.name = name("demo/dr.martin@cabinet.example");
			break;
		case 'W':
			r.type = REC_WITNESS;
			r.witness.proof = k;
			break;
		case 'Y':
			r.type = REC_RELAYED;
			r.relayed = (struct rec_relayed){ k, 1, who(LABO) };
			break;
		case 'm':
			add(&p, REC_MAIL, "hello", 5);
			break;
		case '?':
			add(&p, 0x90, "later", 5);
			break;
		case '!':
			add(&p, 0x0e, "", 0);
			break;
		case '%':
			add(&p, 0xff, "", 0);
			break;
		case 'E':
			add_end(&p);
			break;
		}
		if (r.type != 0)
			add_rec(&p, &r);
	}
	rc = reads(&p);
	buf_free(&p);
	return rc;
}

static void
test_order(void **state)
{
	static const char *const good[] = {
		"ME", "MmE", "MGE", "MGAAmE", "MGAWmE", "MGRWRWmE", "MGRRRmE",
		"MGWYmE", "MYmE", "M?mE", "M?E", "MG?Y?mE", "MGGAB?E", "MBE",
	};
	static const char *const bad[] = {
		"E", "mE", "GME", "?ME", "MME", "MGMmE", "M", "Mm", "MmmE",
		"MmGE", "Mm?E", "MmWE", "MYYmE", "MYE", "MYAmE", "MYWmE",
		"MRAmE", "MWGmE", "MAGE", "MBGmE", "MRE", "MWE",
		"M!E", "M!mE", "M%E", "M%mE",
		"M?ME", "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (order(good[i]) != RC_OK)
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (order(bad[i]) != RC_INPUT)
			fail_msg("%s was accepted", bad[i]);
}

/* A key file may give its grants after roles, and before entries. */
static void
test_order_of_key_files(void **state)
{
	static const uint8_t k[KDF_KEY_BYTES] = { 7 };
	struct told t = { BUF_INIT, 0, 0, 0, RC_OK };
	struct rec grant = { REC_GRANT, .grant = { 2026, k, who(LABO) } };
	struct rec bar = { REC_BAR, .bar = { 2, name("demo/dr@x.y") } };
	struct buf p = BUF_INIT;

	(void)state;
	add_meta(&p);
	add_rec(&p, &bar);
	add_rec(&p, &grant);
	add_rec(&p, &bar);
	add_rec(&p, &grant);
	add_end(&p);
	T_RC(read_it(&p, PAYLOAD_KEYFILE_MAX, 1, &t, NULL), RC_OK);
	T_RC(read_it(&p, PAYLOAD_DESK_MAX, 1, &t, NULL), RC_INPUT);
	buf_free(&p);
}

/* Nothing but zeros after END, and exactly as many as must be. */
static void
test_after_the_end(void **state)
{
	struct buf p = BUF_INIT;

	(void)state;
	add_meta(&p);
	add(&p, REC_MAIL, "hello", 5);
	add_end(&p);
	T_RC(reads(&p), RC_OK);
	for (size_t i = 31; i < p.len; i += i < 40 ? 1 : 97) {
		p.p[i] = 1;
		T_RC(reads(&p), RC_INPUT);
		p.p[i] = 0;
	}
	p.p[p.len - 1] = 0x80;
	T_RC(reads(&p), RC_INPUT);
	p.p[p.len - 1] = 0;
	for (size_t n = 0; n < p.len; n += n < 50 ? 1 : 101) {
		struct buf part = { p.p, n, p.cap };

		T_RC(reads(&part), RC_INPUT);
	}
	p.len--;
	T_RC(reads(&p), RC_INPUT);
	p.len++;
	T_CHECK(buf_add8(&p, 0));
	T_RC(reads(&p), RC_INPUT);
	/* 8192 is a padded length, but not that of these records. */
	while (p.len < 8192)
		T_CHECK(buf_add8(&p, 0));
	T_RC(reads(&p), RC_INPUT);
	buf_free(&p);
}

/* Sum of 5 + length before MAIL: exactly the limit, and one more. */
static void
test_limit(void **state)
{
	struct told t = { BUF_INIT, 0, 0, 0, RC_OK };
	struct buf text = text_of(PAYLOAD_DESK_MAX);

	(void)state;
	for (size_t limit = PAYLOAD_MEMBER_MAX; limit <= PAYLOAD_DESK_MAX;
	    limit *= 16) {
		for (size_t over = 0; over < 2; over++) {
			struct buf p = BUF_INIT;

			add_meta(&p);
			add(&p, 0x90, text.p, limit - 20 - 5 + over);
			add(&p, REC_MAIL, text.p, 100);
			add_end(&p);
			T_RC(read_it(&p, limit, 4096, &t, NULL),
			    over ? RC_INPUT : RC_OK);
			t.begins = 0;
			buf_free(&p);
		}
	}
	buf_free(&t.mail);
	buf_free(&text);
}

/* An announced length is never believed with memory. */
static void
test_huge_length(void **state)
{
	struct payload_reader r;
	struct buf p = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	add_meta(&p);
	T_CHECK(buf_add8(&p, 0x90) && buf_add32(&p, UINT32_MAX));
	payload_init(&r, PAYLOAD_KEYFILE_MAX, (struct payload_events){ 0 });
	T_RC(payload_feed(&r, p.p, p.len, &e), RC_INPUT);
	T_CHECK(e.class == EC_RECORD && r.control.cap < 4096);
	payload_free(&r);
	buf_free(&p);
}

/* Sealing. */

/* Seals MAIL = ${text} for labo -> dr; ${step} octets at a time. */
static struct buf
seal(const struct buf *text, bool has_mail, size_t step, uint8_t *salt)
{
	uint8_t key[KDF_KEY_BYTES], d[KDF_KEY_BYTES];
	struct env_head h = head_of(LABO, DR);
	struct buf control = BUF_INIT, out = BUF_INIT;
	struct payload_sealer s;
	struct payload_plan plan;
	struct err e = ERR_INIT;
	size_t n;

	channel(key, LABO, DR);
	add_meta(&control);
	kdf_hash_of(text->p, text->len, d);
	plan = (struct payload_plan){ { control.p, control.len }, has_mail,
	    (uint32_t)text->len, d, true };
	if (salt != NULL)
		memcpy(h.salt, salt, sizeof(h.salt));
	else
		payload_salt(&plan, key, h.salt);
	T_RC(payload_seal_start(&s, sealer, &plan, &h, key, keep(&out), &e),
	    RC_OK);
	for (size_t i = 0; has_mail && i < text->len; i += n) {
		n = text->len - i < step ? text->len - i : step;
		T_RC(payload_seal_mail(&s, text->p + i, n, &e), RC_OK);
	}
	T_RC(payload_seal_end(&s, &e), RC_OK);
	T_CHECK(out.len == env_size(h.len, payload_size(&plan)));
	buf_free(&control);
	return out;
}

/* PROTOCOL 2.18: to the octet. */
static void
test_envelope_of_2_18(void **state)
{
	struct buf text = vector(V218, "MAIL"), rnd = vector(V218, "rnd");
	struct buf salt = vector(V218, "salt"), d = vector(V218, "D");
	struct buf want = slurp(T_SRC("tests/vectors/2.18.sceau")), env;
	struct buf p0 = BUF_INIT;
	uint8_t hash[KDF_KEY_BYTES], key[KDF_KEY_BYTES];

	(void)state;
	add_meta(&p0);
	T_CHECK(buf_add8(&p0, REC_MAIL) &&
	    buf_add32(&p0, (uint32_t)text.len) && buf_add(&p0, d.p, d.len));
	kdf_hash_of(p0.p, p0.len, hash);
	channel(key, LABO, DR);
	kdf_salt(hash, key, rnd.p, hash);
	assert_memory_equal(hash, salt.p, sizeof(hash));

	env = seal(&text, true, SIZE_MAX, salt.p);
	T_CHECK(env.len == 4252);
	kdf_hash_of(env.p, env.len, hash);
	same_as_vector(V218, "b2sum of 2.18.sceau", hash, sizeof(hash));
	T_CHECK(bytes_eq(run(env.p, env.len), run(want.p, want.len)));
	buf_free(&env);
	buf_free(&want);
	buf_free(&text);
	buf_free(&rnd);
	buf_free(&salt);
	buf_free(&d);
	buf_free(&p0);
}

static void
open_and_compare(const struct buf *env, const struct buf *text, bool has_mail,
    size_t step)
{
	struct told t = { BUF_INIT, 0, 0, 0, RC_OK };
	struct payload_events on = { &t, told_begin, told_mail };
	struct payload_reader r;
	struct err e = ERR_INIT;
	uint8_t key[KDF_KEY_BYTES];
	struct env_head h;
	size_t n;

	channel(key, LABO, DR);
	payload_init(&r, PAYLOAD_MEMBER_MAX, on);
	T_RC(env_head_parse(env->p, env->len, &h, &e), RC_OK);
	T_RC(env_open_start(opener, &h, key, payload_sink(&r), &e), RC_OK);
	for (size_t i = h.len; i < env->len; i += n) {
		n = env->len - i < step ? env->len - i : step;
		T_RC(env_open_feed(opener, env->p + i, n, &e), RC_OK);
	}
	T_RC(env_open_end(opener, &e), RC_OK);
	T_RC(payload_end(&r, &e), RC_OK);
	T_CHECK(r.has_mail == has_mail);
	if (has_mail)
		T_CHECK(bytes_eq(run(t.mail.p, t.mail.len),
		    run(text->p, text->len)));
	buf_free(&t.mail);
	payload_free(&r);
}

/* Contents of every awkward size; L: sizes tell only the class. */
static void
test_round_trips(void **state)
{
	static const size_t sizes[] = { 0, 1, 600, 3000, 4070, 4071, 65510,
		65511, 65535, 65536, 65537, 5000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf text = text_of(sizes[i]);
		struct buf env = seal(&text, true, 65537, NULL), one;

		open_and_compare(&env, &text, true, 5000);
		if (sizes[i] < 100000) {
			open_and_compare(&env, &text, true, 1);
			one = seal(&text, true, 1, NULL);
			T_CHECK(one.len == env.len);
			buf_free(&one);
		}
		if (sizes[i] <= 4070)
			T_CHECK(env.len == 4252);
		buf_free(&env);
		env = seal(&text, false, 1, NULL);
		T_CHECK(env.len == 4252);
		open_and_compare(&env, &text, false, 100);
		buf_free(&env);
		buf_free(&text);
	}
}

/* A mail that changed between the two passes never becomes an envelope. */
static void
test_mail_that_changed(void **state)
{
	static const char *const now[] = { "hell", "hello!", "hellO" };
	uint8_t d[KDF_KEY_BYTES], key[KDF_KEY_BYTES] = { 1 };
	struct buf control = BUF_INIT, out = BUF_INIT;
	struct env_head h = head_of(LABO, DR);
	struct payload_sealer s;
	struct payload_plan plan;
	struct err e = ERR_INIT;
	enum rc rc;

	(void)state;
	add_meta(&control);
	kdf_hash_of("hello", 5, d);
	plan = (struct payload_plan){ { control.p, control.len }, true, 5, d,
	    true };
	for (size_t i = 0; i < 3; i++) {
		buf_wipe(&out);
		T_RC(payload_seal_start(&s, sealer, &plan, &h, key,
		    keep(&out), &e), RC_OK);
		rc = payload_seal_mail(&s, now[i], strlen(now[i]), &e);
		T_RC(rc, strlen(now[i]) > 5 ? RC_INPUT : RC_OK);
		T_RC(payload_seal_end(&s, &e), RC_INPUT);
		T_CHECK(out.len == h.len);
	}
	buf_free(&control);
	buf_free(&out);
}

/* P12: the random source stands still; another payload, another salt. */
static void
test_salt_is_hedged(void **state)
{
	uint8_t key[KDF_KEY_BYTES] = { 1 }, other[KDF_KEY_BYTES] = { 2 };
	uint8_t d[3][KDF_KEY_BYTES], salt[7][ENV_SALT_BYTES], again[32];
	struct buf control = BUF_INIT, control2 = BUF_INIT;
	struct payload_plan plan;

	(void)state;
#ifndef ENABLE_FAULT
	skip();
#endif
	setenv("SCEAU_FAULT_RANDOM", "7", 1);
	add_meta(&control);
	add_meta(&control2);
	add(&control2, 0x90, "", 0);
	kdf_hash_of("a", 1, d[0]);
	kdf_hash_of("b", 1, d[1]);
	plan = (struct payload_plan){ { control.p, control.len }, true, 1,
	    d[0], false };
	payload_salt(&plan, key, salt[0]);
	payload_salt(&plan, key, again);
	assert_memory_equal(salt[0], again, sizeof(again));
	plan.digest = d[1];
	payload_salt(&plan, key, salt[1]);
	plan.mail_len = 2;
	payload_salt(&plan, key, salt[2]);
	plan.has_mail = false;
	payload_salt(&plan, key, salt[3]);
	plan.control = run(control2.p, control2.len);
	payload_salt(&plan, key, salt[4]);
	payload_salt(&plan, other, salt[5]);
	payload_salt(&plan, NULL, salt[6]);
	for (size_t i = 0; i < 7; i++)
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(salt[i], salt[k], 32);
	unsetenv("SCEAU_FAULT_RANDOM");
	payload_salt(&plan, key, again);
	assert_memory_not_equal(salt[4], again, sizeof(again));
	buf_free(&control);
	buf_free(&control2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_mail_streams),
		cmocka_unit_test(test_refused_before_mail),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_of_key_files),
		cmocka_unit_test(test_after_the_end),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_huge_length),
		cmocka_unit_test(test_envelope_of_2_18),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_mail_that_changed),
		cmocka_unit_test(test_salt_is_hedged),
	};
	struct err e = ERR_INIT;
	int failed;

	T_RC(secret_init(&e), RC_OK);
	sealer = env_sealer_new();
	opener = env_opener_new();
	T_CHECK(sealer != NULL && opener != NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	env_sealer_free(&sealer);
	env_opener_free(&opener);
	return failed;
}
