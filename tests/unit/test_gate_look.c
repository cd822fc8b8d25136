/* Verified without being deciphered: the first of the filters' two passes. */
#include "config.h"

#include "gate_martin.h"

#define SEALED_CHUNK (ENV_CHUNK_BYTES + ENV_MAC_BYTES)
#define BODY_BYTES 300000

static char mail[sizeof(MAIL_LABO) + BODY_BYTES];

static enum err_class
opened_as(enum gate_mode mode, size_t step, struct opened *x)
{
	const struct gate_open_args args = { mode, rows_of(&rows), NOW };

	open_steps(martin, &args, &env, step, x);
	T_CHECK((x->rc == RC_OK) == (x->v.class == EC_NONE));
	T_CHECK(mode == GATE_RAW || x->mail.len == 0);
	return x->v.class;
}

/* What a look says is what reading all of it says. */
static enum err_class
same_class(size_t step)
{
	struct opened raw, look;
	enum err_class class = opened_as(GATE_RAW, 0, &raw);

	T_CHECK(opened_as(GATE_LOOK, step, &look) == class);
	T_CHECK(look.v.has_mail == raw.v.has_mail);
	T_CHECK(look.v.mail_len == raw.v.mail_len);
	T_CHECK(look.v.inner_ok == raw.v.inner_ok);
	T_STR(look.v.inner_why, raw.v.inner_why);
	opened_free(&raw);
	opened_free(&look);
	return class;
}

static void
test_says_what_reading_says(void **state)
{
	const size_t lens[] = { 0, 1, strlen(MAIL_LABO), 60000, 65536, 131072,
	    200000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (size_t more = 0; more < 300; more += 7) {
			mail[lens[i] + more] = '\0';
			forge_plain(A_LABO, A_MARTIN, mail, &env);
			T_CHECK(same_class(more * 1000) == EC_NONE);
			mail[lens[i] + more] = 'x';
			memcpy(mail, MAIL_LABO, strlen(MAIL_LABO));
		}
	/* A header that never ends is looked for until it may not be one. */
	memset(mail, 'x', sizeof(mail) - 1);
	forge_plain(A_LABO, A_MARTIN, mail, &env);
	T_CHECK(same_class(0) == EC_NONE);
}

static void
test_no_octet_is_left_out(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, mail, &env);
	T_CHECK(opened_as(GATE_LOOK, 0, &x) == EC_NONE);
	for (size_t at = x.head.len; at < env.len; at += 4999) {
		env.p[at] ^= 0x10;
		T_CHECK(same_class(0) == EC_BODY);
		env.p[at] ^= 0x10;
	}
	/* Two whole chunks that change places. */
	for (size_t i = 0; i < SEALED_CHUNK; i++) {
		uint8_t *a = env.p + x.head.len + SEALED_CHUNK + i;
		uint8_t b = a[SEALED_CHUNK];

		a[SEALED_CHUNK] = *a;
		*a = b;
	}
	T_CHECK(same_class(0) == EC_BODY);
	opened_free(&x);
}

static void
test_the_end_is_read(void **state)
{
	struct opened x;
	size_t head;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, mail, &env);
	T_CHECK(opened_as(GATE_LOOK, 0, &x) == EC_NONE);
	head = x.head.len;
	opened_free(&x);
	while (env.len > head) {
		env.len = head + (env.len - head - 1) / SEALED_CHUNK *
		    SEALED_CHUNK;
		T_CHECK(same_class(0) == EC_TRUNCATED);
	}
}

/* A sender who writes ${given} octets of a mail that he says is longer, then
 * ${after}, and ends the envelope there. */
static enum err_class
odd_end(size_t given, const char *after, size_t len)
{
	struct env_sealer *sealer = env_sealer_new();
	struct env_head h = { .source = ENV_CHANNEL, .year = A_YEAR };
	uint8_t key[KDF_KEY_BYTES], d[KDF_KEY_BYTES] = { 0 };
	struct payload_plan plan = { .has_mail = true, .digest = d,
	    .mail_len = (uint32_t)strlen(mail) };
	struct payload_sealer s;
	struct err e = ERR_INIT;

	rec_meta(&control, NOW, 0, A_YEAR);
	plan.control = (struct bytes){ control.p, control.len };
	h.from = assoc_id(A_LABO);
	h.to = assoc_id(A_MARTIN);
	assoc_channel(A_LABO, A_MARTIN, A_YEAR, key);
	payload_salt(&plan, key, h.salt);
	buf_wipe(&env);
	T_RC(payload_seal_start(&s, sealer, &plan, &h, key,
	    (struct env_sink){ into, &env }, &e), RC_OK);
	T_RC(payload_seal_mail(&s, mail, given, &e), RC_OK);
	T_RC(env_seal_put(sealer, after, len, &e), RC_OK);
	T_RC(env_seal_end(sealer, &e), RC_OK);
	env_sealer_free(&sealer);
	buf_wipe(&control);
	return same_class(0);
}

static void
test_what_follows_is_read(void **state)
{
	static const char zeros[2 * ENV_CHUNK_BYTES];
	size_t all = strlen(mail), pad;

	(void)state;
	for (size_t n = 1000; n < all; n += 16384)
		T_CHECK(odd_end(n, "", 0) == EC_RECORD);
	T_CHECK(odd_end(all, "", 0) == EC_RECORD);
	T_CHECK(odd_end(all, "\x20", 1) == EC_RECORD);
	T_CHECK(odd_end(all, "\0x", 2) == EC_RECORD);
	/* META, the head of MAIL, END: as long as it must be, and longer. */
	pad = (size_t)payload_padded(all + 20 + 5 + 1) - all - 20 - 5;
	T_CHECK(odd_end(all, zeros, pad) == EC_NONE);
	T_CHECK(odd_end(all, zeros, pad - 1) == EC_RECORD);
	T_CHECK(odd_end(all, zeros, pad + 1) == EC_RECORD);
}

static int
mail_fresh(void **state)
{
	memset(mail, 'x', sizeof(mail) - 1);
	memcpy(mail, MAIL_LABO, strlen(MAIL_LABO));
	return fresh(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_says_what_reading_says,
		    mail_fresh),
		cmocka_unit_test_setup(test_no_octet_is_left_out,
		    mail_fresh),
		cmocka_unit_test_setup(test_the_end_is_read,
		    mail_fresh),
		cmocka_unit_test_setup(test_what_follows_is_read,
		    mail_fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
