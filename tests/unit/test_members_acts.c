/* issuer/members_acts: what becomes of a member. */
#include "issuer_unit.h"

enum { ISSUER, WATCH, HUB, LABO, MARTIN, N };

static struct members *
some(void)
{
	struct members *m = members_new("essai");

	T_CHECK(m != NULL);
	must_enter(m, "association@x.example", "", MEMBER_ISSUER);
	must_enter(m, "veille@x.example", "", MEMBER_WATCH);
	must_enter(m, "hub@x.example", "", MEMBER_HUB);
	must_enter(m, "labo@x.example", "", MEMBER_LABORATORY);
	must_enter(m, "dr.martin@x.example", "", MEMBER_PRACTICE);
	return m;
}

/* As if it had been saved and opened again. */
static struct members *
next_day(struct members *m)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct members *n;

	T_CHECK(members_format(m, &b));
	T_RC(members_parse(b.p, b.len, &n, &e), RC_OK);
	buf_free(&b);
	members_free(&m);
	return n;
}

static void
leave_refused(struct members *m, size_t i)
{
	const struct member was = m->v[i];
	struct err e = ERR_INIT;

	T_RC(members_leave(m, &m->v[i], &e), RC_INPUT);
	T_CHECK(m->v[i].excluded == was.excluded &&
	    m->v[i].changed_at == was.changed_at);
	T_CHECK(strstr(e.text, "nothing was changed") != NULL);
}

static void
test_leave(void **state)
{
	struct members *m = some();
	struct err e = ERR_INIT;

	(void)state;
	leave_refused(m, ISSUER);
	leave_refused(m, WATCH);
	leave_refused(m, HUB);
	m = next_day(m);
	T_RC(members_leave(m, &m->v[MARTIN], &e), RC_OK);
	T_CHECK(m->v[MARTIN].excluded);
	T_CHECK(m->v[MARTIN].changed_at > m->v[LABO].changed_at);
	leave_refused(m, MARTIN);
	T_RC(members_reissue(m, &m->v[MARTIN], &e), RC_INPUT);
	assert_int_equal(m->v[MARTIN].id.gen, 1);
	members_free(&m);
}

static void
test_reissue(void **state)
{
	struct members *m = some();
	struct err e = ERR_INIT;

	(void)state;
	T_RC(members_reissue(m, &m->v[ISSUER], &e), RC_INPUT);
	assert_int_equal(m->v[ISSUER].id.gen, 1);
	for (unsigned gen = 2; gen <= IDENTITY_GEN_MAX; gen++) {
		T_RC(members_reissue(m, &m->v[MARTIN], &e), RC_OK);
		assert_int_equal(m->v[MARTIN].id.gen, gen);
	}
	T_STR(m->v[MARTIN].id.s, "essai/dr.martin@x.example#254");
	T_RC(members_reissue(m, &m->v[MARTIN], &e), RC_INPUT);
	assert_int_equal(m->v[MARTIN].id.gen, IDENTITY_GEN_MAX);
	/* Desks may be robbed too. */
	T_RC(members_reissue(m, &m->v[WATCH], &e), RC_OK);
	T_CHECK(members_desk(m, MEMBER_WATCH) == &m->v[WATCH]);
	members_free(&m);
}

/* Later than whatever was before, on a clock that stands or goes back. */
static void
test_dates_only_rise(void **state)
{
	struct members *m = some();
	int64_t last = m->changed_at;

	(void)state;
	for (int day = 0; day < 5; day++) {
		m = next_day(m);
		assert_int_equal(m->changed_at, last);
		members_touch(m, &m->v[LABO]);
		T_CHECK(m->v[LABO].changed_at > last);
		members_touch(m, &m->v[MARTIN]);
		assert_int_equal(m->v[MARTIN].changed_at,
		    m->v[LABO].changed_at);
		last = m->changed_at;
		assert_int_equal(last, m->v[LABO].changed_at);
	}
	m->v[HUB].changed_at = clock_now() + 100000;
	m = next_day(m);
	members_touch(m, &m->v[LABO]);
	T_CHECK(m->v[LABO].changed_at > m->v[HUB].changed_at);
	members_free(&m);
}

static void
test_told(void **state)
{
	struct member w = { .excluded = false };

	(void)state;
	assert_int_equal(member_told(&w, 2026), -1);
	member_tell(&w, 2026, 5);
	member_tell(&w, 2027, 6);
	assert_int_equal(member_told(&w, 2026), 5);
	member_tell(&w, 2026, 7);
	assert_int_equal(member_told(&w, 2026), 7);
	assert_int_equal(member_told(&w, 2027), 6);
	member_tell(&w, 2028, 8);
	assert_int_equal(member_told(&w, 2026), -1);
	assert_int_equal(member_told(&w, 2027), 6);
	assert_int_equal(member_told(&w, 2028), 8);
}

static void
test_seek(void **state)
{
	static const char *const good[] = { "dr.martin@x.example",
	    "Dr.Martin@X.example", "essai/dr.martin@x.example" };
	static const char *const wrong[] = { "", "dr.martin", "x@x.example",
	    "drmartin@x.example", "autre/dr.martin@x.example",
	    "essai/dr.martin@x.example#1", "dr.martin@x.example " };
	struct members *m = some();
	struct err e = ERR_INIT;
	struct member *w;
	char many[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		T_RC(members_seek(m, good[i], &w, &e), RC_OK);
		T_CHECK(w == &m->v[MARTIN]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		T_RC(members_seek(m, wrong[i], &w, &e), RC_INPUT);
	memset(many, 'a', sizeof(many));
	many[999] = '\0';
	T_RC(members_seek(m, many, &w, &e), RC_INPUT);
	members_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leave),
		cmocka_unit_test(test_reissue),
		cmocka_unit_test(test_dates_only_rise),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_seek),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
