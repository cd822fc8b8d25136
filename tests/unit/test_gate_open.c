/* Opening: PROTOCOL 2.11 steps 2 to 6, 9 and 11, and its classes. */
#include "config.h"

#include "gate_martin.h"

#define FIELD_LABO \
	"X-Sceau: sender=" A_LABO ";\r\n\tpath=direct;\r\n\t" \
	"sealed=2026-01-01T07:00:00Z\r\n"

/* ---- what is delivered ------------------------------------------------- */

static void
test_delivers_one_field_then_the_mail(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.head.authentic && x.v.has_mail && !x.v.relayed);
	T_STR(buf_str(&x.mail), FIELD_LABO MAIL_LABO);
	T_STR(x.v.author, A_LABO);
	assert_int_equal(x.v.sealed_at, NOW);
	assert_int_equal(x.v.mail_len, strlen(MAIL_LABO));
	opened_free(&x);
}

static void
test_same_result_one_octet_at_a_time(void **state)
{
	const struct gate_open_args args = { GATE_DELIVER, rows_of(&rows),
	    NOW };
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_steps(martin, &args, &env, 1, &x);
	T_RC(x.rc, RC_OK);
	T_STR(buf_str(&x.mail), FIELD_LABO MAIL_LABO);
	opened_free(&x);
}

static void
test_body_octets_pass_as_they_are(void **state)
{
	static const char head[] = "From: labo.central@labo.example\r\n\r\n";
	struct buf mail = BUF_INIT;
	struct opened x;
	const struct gate_open_args args = { GATE_RELAY, rows_of(&rows),
	    NOW };

	(void)state;
	T_CHECK(buf_adds(&mail, head));
	for (int i = 0; i < 200000; i++)
		T_CHECK(buf_add8(&mail, (uint8_t)(i % 255 + 1)));
	T_CHECK(buf_str(&mail) != NULL);
	forge_plain(A_LABO, A_MARTIN, (const char *)mail.p, &env);
	open_steps(martin, &args, &env, 7777, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.mail.len == mail.len);
	T_CHECK(memcmp(x.mail.p, mail.p, mail.len) == 0);
	opened_free(&x);
	buf_free(&mail);
}

static void
test_digest_mode_lets_nothing_out(void **state)
{
	const struct gate_open_args args = { GATE_DIGEST, rows_of(&rows),
	    NOW };
	struct opened x;
	uint8_t d[32];

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_steps(martin, &args, &env, 100, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.mail.len == 0);
	kdf_hash_of(MAIL_LABO, strlen(MAIL_LABO), d);
	assert_memory_equal(x.v.d, d, sizeof(d));
	opened_free(&x);
}

static void
test_late_and_duplicate_flags(void **state)
{
	struct gate_open_args args = { GATE_DELIVER, rows_of(&rows),
	    NOW + GATE_LATE_S };
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_steps(martin, &args, &env, 0, &x);
	T_CHECK(x.v.flags == 0);
	opened_free(&x);
	args.now++;
	open_steps(martin, &args, &env, 0, &x);
	T_CHECK(x.v.flags == GATE_F_LATE);
	T_CHECK(strstr(buf_str(&x.mail), "flags=late\r\n") != NULL);
	opened_free(&x);
}

static void
test_ruling_10_a_clock_in_1970_reads_and_says_so(void **state)
{
	const struct gate_open_args args = { GATE_DELIVER, rows_of(&rows),
	    1 };
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_steps(martin, &args, &env, 0, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.v.flags == GATE_F_AHEAD);
	opened_free(&x);
}

static void
test_dated_ahead_by_more_than_72_hours(void **state)
{
	struct gate_open_args args = { GATE_DELIVER, rows_of(&rows),
	    NOW - GATE_LATE_S };
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_steps(martin, &args, &env, 0, &x);
	T_CHECK(x.v.flags == 0);
	opened_free(&x);
	args.now--;
	open_steps(martin, &args, &env, 0, &x);
	T_CHECK(x.v.flags == GATE_F_AHEAD);
	T_CHECK(strstr(buf_str(&x.mail), "flags=dated-ahead\r\n") != NULL);
	opened_free(&x);
}

static void
test_since_flags_what_was_sealed_before(void **state)
{
	struct err e = ERR_INIT;
	struct gate_rows r = rows_of(&rows);
	struct gate_row row;
	struct opened x;

	(void)state;
	T_RC(gate_restored(martin, &r, NOW + 1, &row, &e), RC_OK);
	rows_put(&rows, &row);
	gate_row_free(&row);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.v.flags == GATE_F_DUPLICATE);
	T_CHECK(strstr(buf_str(&x.mail), "possible-duplicate") != NULL);
	opened_free(&x);
}

static size_t
asked_for(const struct gate_open_args *args)
{
	size_t before = rows.asked;
	struct opened x;

	open_steps(martin, args, &env, 0, &x);
	T_RC(x.rc, RC_OK);
	opened_free(&x);
	return rows.asked - before;
}

static void
test_a_batch_asks_for_each_row_once(void **state)
{
	struct gate_open_args args = { GATE_DELIVER, rows_of(&rows), NOW };

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	T_CHECK(asked_for(&args) > 2);
	T_CHECK(asked_for(&args) > 2);
	args.rows.keep = true;
	T_CHECK(asked_for(&args) == 2);		/* ourselves, the sender */
	T_CHECK(asked_for(&args) == 0);
	gate_forget(martin);
	T_CHECK(asked_for(&args) == 2);
	args.rows.keep = false;
	T_CHECK(asked_for(&args) > 2);
}

/* What one message of a batch says holds for the next, rows lent or not. */
static void
test_a_batch_knows_what_it_has_changed(void **state)
{
	struct gate_open_args args = { GATE_DELIVER, rows_of(&rows), NOW };
	struct gate_rows r = rows_of(&rows);
	struct gate_facts f;
	struct err e = ERR_INIT;
	struct opened x;
	struct rec b = rec_of(REC_BULLETIN);

	(void)state;
	args.rows.keep = true;
	for (uint32_t number = 1; number < 4; number++) {
		rec_meta(&control, NOW, number, A_YEAR);
		b.bulletin.number = number;
		rec_to(&control, &b);
		forge(A_WATCH, A_MARTIN, A_YEAR, &control, NULL, &env);
		open_steps(martin, &args, &env, 0, &x);
		T_RC(x.rc, RC_OK);
		T_RC(gate_facts(martin, &r, &f, &e), RC_OK);
		T_CHECK(f.bulletin == number);
		rows_commit(&rows, &x.v);
		opened_free(&x);
	}
	gate_forget(martin);
	T_RC(gate_facts(martin, &r, &f, &e), RC_OK);
	T_CHECK(f.bulletin == 3);
}

/* ---- refused ----------------------------------------------------------- */

static void
test_every_flipped_octet_is_refused(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	for (size_t i = 0; i < env.len; i += i < 200 ? 1 : 97) {
		env.p[i] ^= 1;
		open_env(martin, &rows, &env, &x);
		T_CHECK(x.rc == RC_INPUT);
		T_CHECK(x.mail.len == 0);
		opened_free(&x);
		env.p[i] ^= 1;
	}
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_every_truncation_is_refused(void **state)
{
	size_t whole;
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	whole = env.len;
	for (env.len = 0; env.len < whole; env.len += env.len < 300 ? 1 : 61) {
		open_env(martin, &rows, &env, &x);
		T_RC(x.rc, RC_INPUT);
		T_CHECK(x.mail.len == 0);
		opened_free(&x);
	}
	env.len = whole;
	T_CHECK(buf_add8(&env, 0));
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_INPUT);
	opened_free(&x);
}

static void
test_notforme_compares_names(void **state)
{
	(void)state;
	forge_plain(A_LABO, A_DURAND, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_NOTFORME);
	/* In my own name, even in another generation (P3). */
	forge_plain("demo/dr.martin@cabinet.example#2", A_MARTIN, MAIL_LABO,
	    &env);
	expect_class(martin, &rows, &env, EC_NOTFORME);
}

static void
test_header_of_another_channel(void **state)
{
	struct opened x;

	(void)state;
	/* The laboratory's channel, relabelled as the other practice's. */
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	memcpy(env.p + 11, "demo/labo.centrak", 17);
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.v.class == EC_HEADER && !x.head.authentic);
	opened_free(&x);
}

static void
test_ruling_29_nokey_and_expired(void **state)
{
	static const char *const g1 = "demo/x.y@cabinet.example#1";
	static const char *const g2 = "demo/x.y@cabinet.example#2";
	static const char *const g3 = "demo/x.y@cabinet.example#3";
	struct keystore *ks = assoc_store(g2, 2026);
	struct gate *g;
	struct rows none = { .n = 0 };

	(void)state;
	assoc_full(ks, assoc_self(ks, g2, 2028));
	g = gate_over(ks);
	forge_plain(A_LABO, g1, MAIL_LABO, &env);
	expect_class(g, &none, &env, EC_EXPIRED);
	forge_plain(A_LABO, g3, MAIL_LABO, &env);
	expect_class(g, &none, &env, EC_NOKEY);
	for (uint16_t year = 2025; year <= 2029; year++) {
		rec_meta(&control, NOW, 0, year);
		forge(A_LABO, g2, year, &control, MAIL_LABO, &env);
		expect_class(g, &none, &env, year < 2026 ? EC_EXPIRED :
		    year == 2027 || year == 2029 ? EC_NOKEY : EC_NONE);
	}
	/* A year to come decides before an old generation does. */
	rec_meta(&control, NOW, 0, 2029);
	forge(A_LABO, g1, 2029, &control, MAIL_LABO, &env);
	expect_class(g, &none, &env, EC_NOKEY);
	rows_free(&none);
	gate_free(&g);
}

static void
test_ruling_11_a_key_file_in_mail(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_ISSUER, A_MARTIN, MAIL_LABO, &env);
	env.p[7] = ENV_CODE;
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.v.class == EC_NOKEY);
	T_CHECK(strstr(x.e.text, "key import") != NULL);
	opened_free(&x);
	env.p[7] = ENV_PASS1;
	expect_class(martin, &rows, &env, EC_FORMAT);
	env.p[7] = ENV_CHANNEL;
	env.p[5] = 2;
	expect_class(martin, &rows, &env, EC_VERSION);
}

static void
test_inner_from_must_be_the_sender(void **state)
{
	static const char *const bad[] = {
		"From: dr.other@labo.example\r\n\r\nx",
		"From: labo.central@labo.example\r\nFrom: a@b.c\r\n\r\nx",
		"From: labo.central@labo.example, a@b.example\r\n\r\nx",
		"To: labo.central@labo.example\r\n\r\nx",
		"From: labo.central@labo.example\r\nX-Sceau: a\r\n\r\nx",
		"From: labo.central@labo.example\r\nX-Sceau-Y: a\r\n\r\nx",
		"From: labo.central@labo.example\n\nx",
		"From: labo.central@labo.example\r\n",
		"",
	};
	struct opened x;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		forge_plain(A_LABO, A_MARTIN, bad[i], &env);
		open_env(martin, &rows, &env, &x);
		T_CHECK(x.rc == RC_INPUT && x.v.class == EC_INNER);
		T_CHECK(x.v.has_mail && x.mail.len == 0 && x.v.nrows == 0);
		opened_free(&x);
	}
	forge_plain(A_LABO, A_MARTIN,
	    "From: LABO.Central@Labo.Example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_raw_carries_anything_and_says_so(void **state)
{
	const struct gate_open_args args = { GATE_RAW, rows_of(&rows), NOW };
	static const char *const any[] = { "", "x", "From: a@b.c\n\n",
	    MAIL_LABO };
	static const uint8_t none[GATE_D_BYTES];
	struct opened x;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		forge_plain(A_LABO, A_MARTIN, any[i], &env);
		open_steps(martin, &args, &env, 0, &x);
		T_RC(x.rc, RC_OK);
		T_STR(buf_str(&x.mail), any[i]);
		T_CHECK(x.v.inner_ok == (i == 3));
		T_CHECK((x.v.inner_why[0] != '\0') == (i != 3));
		T_CHECK(memcmp(x.v.d, none, sizeof(none)) == 0);
		opened_free(&x);
	}
}

/* ---- generations ------------------------------------------------------- */

static void
test_ruling_5_an_old_generation_is_barred(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(LABO_2, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_NEW_GENERATION));
	opened_free(&x);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.v.class == EC_BARRED && x.head.authentic);
	opened_free(&x);
	/* Also for another message of the batch, before anything was kept. */
	rows_free(&rows);
	expect_class(martin, &rows, &env, EC_BARRED);
	gate_forget(martin);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_a_refused_message_raises_nothing(void **state)
{
	(void)state;
	forge_plain(LABO_2, A_MARTIN, "From: a@b.c\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_INNER);
	T_CHECK(rows.n == 0);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_ruling_22_only_the_mail_counts_for_an_old_key_of_mine(void **state)
{
	struct keystore *ks = assoc_store(A_MARTIN, A_YEAR);
	struct rows none = { .n = 0 };
	struct gate *g;
	struct opened x;

	(void)state;
	assoc_full(ks, assoc_self(ks, "demo/dr.martin@cabinet.example#2",
	    A_YEAR));
	g = gate_over(ks);
	/* A thief of the old key pretends to be anybody and says anything. */
	rec_meta(&control, NOW, 77, A_YEAR + 1);
	add_grant(LABO_2, A_YEAR, 7);
	add_bar("demo/cabinet.durand@durand.example", 255);
	forge(LABO_2, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	open_env(g, &none, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.head.replaced_key && x.v.has_mail);
	T_CHECK(x.v.flags == GATE_F_REPLACED_KEY && x.v.nrows == 0);
	T_CHECK(has_alarm(&x.v, GATE_AL_REPLACED_KEY));
	T_CHECK(strstr(buf_str(&x.mail), "flags=replaced-key") != NULL);
	opened_free(&x);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	expect_class(g, &none, &env, EC_NONE);
	rows_free(&none);
	gate_free(&g);
}

struct failing {
	struct rows	*rows;
	size_t		 left;	/* calls that still work */
};

static enum rc
fail_later(void *arg, const char *key, struct buf *out, struct err *e)
{
	struct failing *f = arg;

	if (f->left-- == 0)
		return err_set(e, RC_TEMP, "the store is gone");
	return rows_get(f->rows, key, out, e);
}

static void
test_rows_that_cannot_be_had_keep_everything(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	for (size_t n = 0; n < 4; n++) {
		struct failing f = { &rows, n };
		const struct gate_open_args args = { GATE_DELIVER,
		    { .get = fail_later, .arg = &f }, NOW };
		static const uint8_t zeros[32];

		open_steps(martin, &args, &env, 0, &x);
		gate_forget(martin);
		T_RC(x.rc, n < 3 ? RC_TEMP : RC_OK);
		if (x.begun && n < 3) {
			T_CHECK(x.v.class == EC_IO && x.v.nrows == 0);
			assert_memory_equal(x.v.d, zeros, 32);
		}
		opened_free(&x);
	}
}

static void
test_damaged_body_is_told_apart(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	env.p[env.len - 1] ^= 1;
	expect_class(martin, &rows, &env, EC_BODY);
	env.p[env.len - 1] ^= 1;
	env.len = 200;
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.v.class == EC_BODY || x.v.class == EC_TRUNCATED);
	T_CHECK(!x.v.has_mail && x.head.authentic);
	opened_free(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_delivers_one_field_then_the_mail),
		T(test_same_result_one_octet_at_a_time),
		T(test_body_octets_pass_as_they_are),
		T(test_digest_mode_lets_nothing_out),
		T(test_late_and_duplicate_flags),
		T(test_ruling_10_a_clock_in_1970_reads_and_says_so),
		T(test_dated_ahead_by_more_than_72_hours),
		T(test_since_flags_what_was_sealed_before),
		T(test_a_batch_asks_for_each_row_once),
		T(test_a_batch_knows_what_it_has_changed),
		T(test_every_flipped_octet_is_refused),
		T(test_every_truncation_is_refused),
		T(test_notforme_compares_names),
		T(test_header_of_another_channel),
		T(test_ruling_29_nokey_and_expired),
		T(test_ruling_11_a_key_file_in_mail),
		T(test_inner_from_must_be_the_sender),
		T(test_raw_carries_anything_and_says_so),
		T(test_ruling_5_an_old_generation_is_barred),
		T(test_a_refused_message_raises_nothing),
		T(test_ruling_22_only_the_mail_counts_for_an_old_key_of_mine),
		T(test_rows_that_cannot_be_had_keep_everything),
		T(test_damaged_body_is_told_apart),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
