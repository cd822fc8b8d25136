/* What is learnt: PROTOCOL 2.11 step 12, 2.19.21 to 24, 37; claim P20. */
#include "config.h"

#include "gate_martin.h"

static void
test_ruling_21_a_conflicting_grant_is_skipped_with_an_alarm(void **state)
{
	struct opened x;

	(void)state;
	rec_meta(&control, NOW, 0, A_YEAR);
	add_grant(A_LABO, A_YEAR, 9);
	forge(A_LABO, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.v.has_mail && has_alarm(&x.v, GATE_AL_GRANT_CONFLICT));
	opened_free(&x);
	/* The very key of the ring: nothing to say. */
	rec_meta(&control, NOW, 0, A_YEAR);
	add_return_key(A_LABO, A_MARTIN);
	forge(A_LABO, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.rc == RC_OK && x.v.nalarms == 0);
	opened_free(&x);
}

static void
test_a_grant_below_the_minimum_is_skipped(void **state)
{
	static const char name[] = "demo/neuf@neuf.example";
	struct opened x;

	(void)state;
	rec_meta(&control, NOW, 0, A_YEAR);
	add_bar(name, 2);
	forge(A_ISSUER, A_MARTIN, A_YEAR, &control, NULL, &env);
	expect_class(martin, &rows, &env, EC_NONE);
	for (int gen = 1; gen <= 2; gen++) {
		rec_meta(&control, NOW, 0, A_YEAR);
		add_grant(gen == 1 ? "demo/neuf@neuf.example#1" :
		    "demo/neuf@neuf.example#2", A_YEAR, 3);
		forge(A_ISSUER, A_MARTIN, A_YEAR, &control, NULL, &env);
		open_env(martin, &rows, &env, &x);
		T_RC(x.rc, RC_OK);
		T_CHECK(x.v.nrows == (gen == 1 ? 0 : 1));
		opened_free(&x);
	}
}

static void
test_a_grant_once_learnt_is_never_replaced(void **state)
{
	struct opened x;

	(void)state;
	for (uint8_t fill = 1; fill <= 2; fill++) {
		rec_meta(&control, NOW, 0, A_YEAR);
		add_grant(LABO_2, A_YEAR, fill);
		forge(LABO_2, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
		open_env(martin, &rows, &env, &x);
		T_RC(x.rc, RC_OK);
		T_CHECK(has_alarm(&x.v, GATE_AL_GRANT_CONFLICT) ==
		    (fill == 2));
		opened_free(&x);
	}
}

/* By the issuer's word alone, once for each key, and of our own people. */
static void
test_what_an_enrolment_brings(void **state)
{
	static const struct {
		const char	*from, *peer;
		bool		 enrolled;
	} v[] = {
		{ A_ISSUER, "demo/neuf@neuf.example#1", true },
		{ A_ISSUER, "demo/neuf@neuf.example#1", false },
		{ A_ISSUER, "demo/neuf@neuf.example#2", true },
		{ A_ISSUER, LABO_2, true },
		{ A_ISSUER, "autre/neuf@neuf.example#1", false },
		{ A_ISSUER, A_ISSUER, false },
		{ "demo/cabinet.durand@durand.example#2",
		    "demo/cabinet.durand@durand.example#2", false },
	};
	struct opened x;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rec_meta(&control, NOW, 0, A_YEAR);
		if (strcmp(v[i].from, v[i].peer) == 0)
			add_return_key(v[i].peer, A_MARTIN);
		else
			add_grant(v[i].peer, A_YEAR, 3);
		forge(v[i].from, A_MARTIN, A_YEAR, &control, NULL, &env);
		open_env(martin, &rows, &env, &x);
		T_RC(x.rc, RC_OK);
		T_CHECK(x.v.enrolled == v[i].enrolled);
		opened_free(&x);
	}
}

/* ---- bulletins (P20) --------------------------------------------------- */

static void
bulletin(const char *desk, uint32_t number, const char *name, uint8_t min)
{
	struct rec r = rec_of(REC_BULLETIN);

	rec_meta(&control, NOW, number, A_YEAR);
	r.bulletin.number = number;
	rec_to(&control, &r);
	if (name != NULL)
		add_bar(name, min);
	forge(desk, A_MARTIN, A_YEAR, &control, NULL, &env);
}

static void
test_bulletin_bars_and_counts(void **state)
{
	struct gate_rows r = rows_of(&rows);
	struct gate_facts f;
	struct err e = ERR_INIT;
	struct opened x;

	(void)state;
	bulletin(A_WATCH, 4, DURAND, 2);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_BARRED));
	opened_free(&x);
	T_RC(gate_facts(martin, &r, &f, &e), RC_OK);
	T_CHECK(f.bulletin == 4 && f.bulletin_gen == 1);
	assert_int_equal(f.bulletin_at, NOW);
	forge_plain(A_DURAND, A_MARTIN,
	    "From: cabinet.durand@durand.example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_BARRED);
}

static void
test_ruling_23_the_desk_may_not_bar_a_role(void **state)
{
	(void)state;
	bulletin(A_WATCH, 1, "demo/association@demo.example", 2);
	expect_class(martin, &rows, &env, EC_AUTHORITY);
	bulletin(A_WATCH, 1, "demo/passerelle@demo.example", 255);
	expect_class(martin, &rows, &env, EC_AUTHORITY);
	bulletin(A_WATCH, 1, "demo/veille@demo.example", 2);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_ruling_23_a_new_desk_replaces_the_list_of_the_old(void **state)
{
	(void)state;
	/* The stolen desk excludes everybody; a new one repairs it. */
	bulletin(A_WATCH, 900, DURAND, 255);
	expect_class(martin, &rows, &env, EC_NONE);
	forge_plain(A_DURAND, A_MARTIN,
	    "From: cabinet.durand@durand.example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_BARRED);
	bulletin(WATCH_2, 1, NULL, 0);
	expect_class(martin, &rows, &env, EC_NONE);
	forge_plain(A_DURAND, A_MARTIN,
	    "From: cabinet.durand@durand.example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_NONE);
	bulletin(A_WATCH, 901, DURAND, 255);
	expect_class(martin, &rows, &env, EC_BARRED);
}

static void
test_ruling_23_the_issuers_bars_persist(void **state)
{
	(void)state;
	rec_meta(&control, NOW, 0, A_YEAR);
	add_bar(DURAND, 2);
	forge(A_ISSUER, A_MARTIN, A_YEAR, &control, NULL, &env);
	expect_class(martin, &rows, &env, EC_NONE);
	bulletin(WATCH_2, 1, NULL, 0);
	expect_class(martin, &rows, &env, EC_NONE);
	forge_plain(A_DURAND, A_MARTIN,
	    "From: cabinet.durand@durand.example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_BARRED);
}

/* A row's content, whatever its nonce was: the state after a history. */
static void
state_of(char *out, size_t size)
{
	struct gate_rows r = rows_of(&rows);
	struct gate_facts f;
	struct err e = ERR_INIT;
	static const char *const who[] = { A_DURAND, A_LABO, A_ISSUER,
	    A_WATCH };
	size_t len = 0;

	gate_forget(martin);
	T_RC(gate_facts(martin, &r, &f, &e), RC_OK);
	len = (size_t)snprintf(out, size, "%u/%u", f.bulletin_gen,
	    f.bulletin);
	for (size_t i = 0; i < 4; i++) {
		const struct gate_open_args args = { GATE_RAW, r, NOW };
		struct opened x;

		forge_plain(who[i], A_MARTIN, "", &env);
		open_steps(martin, &args, &env, 0, &x);
		len += (size_t)snprintf(out + len, size - len, " %s",
		    err_class_name(x.v.class));
		opened_free(&x);
		gate_forget(martin);
	}
}

static void
play(int which)
{
	struct opened x;

	switch (which) {
	case 0:
		bulletin(A_WATCH, 1, DURAND, 2);
		break;
	case 1:
		bulletin(A_WATCH, 2, "demo/labo.central@labo.example", 2);
		break;
	case 2:
		bulletin(A_WATCH, 3, DURAND, 255);
		break;
	case 3:
		bulletin(WATCH_2, 1, "demo/veille@demo.example", 2);
		break;
	case 4:
		bulletin(WATCH_2, 2, "demo/labo.central@labo.example", 3);
		break;
	default:
		rec_meta(&control, NOW, 0, A_YEAR);
		add_bar("demo/association@demo.example", 1);
		forge(A_ISSUER, A_MARTIN, A_YEAR, &control, NULL, &env);
		break;
	}
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.rc == RC_OK || x.v.class == EC_BARRED);
	opened_free(&x);
}

/* P20, ruling 24: all 720 orders, each with some repetitions. */
static void
test_p20_order_and_repetition_do_not_matter(void **state)
{
	char want[200] = "", got[200];
	int p[6];

	(void)state;
	for (int n = 0; n < 720; n++) {
		int left[6] = { 0, 1, 2, 3, 4, 5 }, k = n;

		rows_free(&rows);
		gate_forget(martin);
		for (int i = 0; i < 6; i++) {
			int at = k % (6 - i);

			k /= 6 - i;
			p[i] = left[at];
			memmove(left + at, left + at + 1,
			    (size_t)(5 - at) * sizeof(int));
			play(p[i]);
			if (n % 3 == 0)
				gate_forget(martin);
			play(p[i / 2]);
		}
		state_of(got, sizeof(got));
		if (n == 0)
			snprintf(want, sizeof(want), "%s", got);
		T_STR(got, want);
	}
	T_STR(want, "2/2 NONE BARRED NONE BARRED");
}

static void
test_p20_a_missing_number_alarms(void **state)
{
	struct opened x;

	(void)state;
	bulletin(A_WATCH, 4, NULL, 0);
	expect_class(martin, &rows, &env, EC_NONE);
	rec_meta(&control, NOW, 5, A_YEAR);
	forge(A_LABO, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_MISSED_BULLETIN));
	opened_free(&x);
}

static void
test_ruling_37_a_bar_of_my_own_name(void **state)
{
	struct gate_dest d;
	struct err e = ERR_INIT;
	struct opened x;

	(void)state;
	bulletin(A_WATCH, 1, "demo/dr.martin@cabinet.example", 2);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_OWN_BAR));
	opened_free(&x);
	/* Sending stops, reading goes on. */
	T_RC(dest_of(martin, &rows, A_LABO, &d, &e), RC_CONF);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_unreadable_rows_count_as_none_and_alarm(void **state)
{
	struct gate_row bad = { .sealed = BUF_INIT };
	struct opened x;

	(void)state;
	snprintf(bad.key, sizeof(bad.key), "demo/labo.central@labo.example");
	T_CHECK(buf_adds(&bad.sealed, "0123456789012345678901234567890123456"
	    "789012345678901234567890123"));
	rows_put(&rows, &bad);
	gate_row_free(&bad);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_ROW) && x.v.nrows == 1);
	opened_free(&x);
	open_env(martin, &rows, &env, &x);
	T_CHECK(!has_alarm(&x.v, GATE_AL_ROW) && x.v.nrows == 0);
	opened_free(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ruling_21_a_conflicting_grant_is_skipped_with_an_alarm),
		T(test_a_grant_below_the_minimum_is_skipped),
		T(test_a_grant_once_learnt_is_never_replaced),
		T(test_what_an_enrolment_brings),
		T(test_bulletin_bars_and_counts),
		T(test_ruling_23_the_desk_may_not_bar_a_role),
		T(test_ruling_23_a_new_desk_replaces_the_list_of_the_old),
		T(test_ruling_23_the_issuers_bars_persist),
		T(test_p20_order_and_repetition_do_not_matter),
		T(test_p20_a_missing_number_alarms),
		T(test_ruling_37_a_bar_of_my_own_name),
		T(test_unreadable_rows_count_as_none_and_alarm),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
