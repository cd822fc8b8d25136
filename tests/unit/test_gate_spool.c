/* The spool between the two passes (PROTOCOL 2.10.5), and digests. */
#include "config.h"

#include "gate_unit.h"

static void
test_sum_is_d(void **state)
{
	struct gate_sum *s = gate_sum_new();
	uint8_t a[32], b[32];

	(void)state;
	gate_sum_add(s, MAIL_LABO, 10);
	gate_sum_add(s, &MAIL_LABO[10], strlen(MAIL_LABO) - 10);
	T_CHECK(gate_sum_len(s) == strlen(MAIL_LABO));
	gate_sum_end(s, a);
	gate_sum_free(&s);
	kdf_hash_of(MAIL_LABO, strlen(MAIL_LABO), b);
	assert_memory_equal(a, b, 32);
}

static void
test_ruling_7_digests_are_of_one_store(void **state)
{
	struct gate *labo = gate_for(A_LABO), *martin = gate_for(A_MARTIN);
	uint8_t a[32], b[32], c[32];

	(void)state;
	gate_digest(labo, "NIR", 3, a);
	gate_digest(labo, "NIR", 3, b);
	gate_digest(martin, "NIR", 3, c);
	assert_memory_equal(a, b, 32);
	assert_memory_not_equal(a, c, 32);
	gate_free(&labo);
	gate_free(&martin);
}

static void
test_spool_gives_back_what_it_took(void **state)
{
	struct gate_spool *s = gate_spool_new();
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	const struct gate_sink in = { sink_into, &sealed };
	const struct gate_sink out = { sink_into, &plain };
	/* long enough that sealed octets are never these by chance */
	static const char clear[] = "Subject: INR";
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 5000; i++)
		T_RC(gate_spool_put(s, MAIL_LABO, strlen(MAIL_LABO), &in, &e),
		    RC_OK);
	T_RC(gate_spool_turn(s, &in, &e), RC_OK);
	for (size_t at = 0; at < sealed.len; at += 33)
		T_RC(gate_spool_get(s, sealed.p + at,
		    sealed.len - at < 33 ? sealed.len - at : 33, &out, &e),
		    RC_OK);
	T_RC(gate_spool_end(s, &out, &e), RC_OK);
	T_CHECK(plain.len == 5000 * strlen(MAIL_LABO));
	assert_memory_equal(plain.p + plain.len - strlen(MAIL_LABO),
	    MAIL_LABO, strlen(MAIL_LABO));
	T_CHECK(memmem(plain.p, plain.len, clear, strlen(clear)) != NULL);
	T_CHECK(memmem(sealed.p, sealed.len, clear, strlen(clear)) == NULL);
	gate_spool_free(&s);
	buf_free(&sealed);
	buf_free(&plain);
}

static void
test_spool_notices_every_change(void **state)
{
	struct buf sealed = BUF_INIT, plain = BUF_INIT;
	const struct gate_sink in = { sink_into, &sealed };
	const struct gate_sink out = { sink_into, &plain };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 130; i < 160; i++) {
		struct gate_spool *s = gate_spool_new();
		enum rc rc;

		buf_wipe(&sealed);
		T_RC(gate_spool_put(s, MAIL_LABO, strlen(MAIL_LABO), &in, &e),
		    RC_OK);
		T_RC(gate_spool_turn(s, &in, &e), RC_OK);
		sealed.p[i] ^= 1;
		rc = gate_spool_get(s, sealed.p, sealed.len, &out, &e);
		if (rc == RC_OK)
			rc = gate_spool_end(s, &out, &e);
		T_CHECK(rc == RC_INPUT && plain.len == 0);
		gate_spool_free(&s);
	}
	buf_free(&sealed);
	buf_free(&plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum_is_d),
		cmocka_unit_test(test_ruling_7_digests_are_of_one_store),
		cmocka_unit_test(test_spool_gives_back_what_it_took),
		cmocka_unit_test(test_spool_notices_every_change),
	};

	return cmocka_run_group_tests(tests, gate_setup, NULL);
}
