/* issuer/ring_walk: who is given which keys. */
#include "issuer_unit.h"
#include "issuer/ring_walk.h"

enum { ISSUER, WATCH, HUB, LABO, MARTIN, DURAND, LEFT, N };

static struct members *
association(enum members_policy policy)
{
	struct members *m = members_new("essai");

	T_CHECK(m != NULL);
	must_enter(m, "association@x.example", "", MEMBER_ISSUER);
	must_enter(m, "veille@x.example", "", MEMBER_WATCH);
	must_enter(m, "hub@x.example", "", MEMBER_HUB);
	must_enter(m, "labo@x.example", "bio|cardio", MEMBER_LABORATORY);
	must_enter(m, "martin@x.example", "bio", MEMBER_PRACTICE);
	must_enter(m, "durand@x.example", "cardio", MEMBER_PRACTICE);
	must_enter(m, "parti@x.example", "bio", MEMBER_PRACTICE);
	m->v[LEFT].excluded = true;
	T_CHECK(identity_at_gen(&m->v[DURAND].id, 3, &m->v[DURAND].id));
	m->policy = policy;
	return m;
}

/* Rows: who writes; columns: to whom; in the order above. */
static void
check_policy(enum members_policy policy, const char *const want[N])
{
	struct members *m = association(policy);

	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			if (ring_walk_may(m, &m->v[i], &m->v[j]) !=
			    (want[i][j] == 'x'))
				fail_msg("%s to %s", m->v[i].id.s,
				    m->v[j].id.s);
	members_free(&m);
}

static void
test_full(void **state)
{
	static const char *const want[N] = {
		".xxxxx.", "..xxxx.", ".x.xxx.", ".xx.xx.", ".xxx.x.",
		".xxxx..", ".xxxxx." };

	(void)state;
	check_policy(MEMBERS_FULL, want);
}

static void
test_list(void **state)
{
	static const char *const want[N] = {
		".xxxxx.", "..xxxx.", ".x.xxx.", ".xx.xx.", ".xxx...",
		".xxx...", ".xxxx.." };

	(void)state;
	check_policy(MEMBERS_LIST, want);
}

static void
test_gateway(void **state)
{
	static const char *const want[N] = {
		".xxxxx.", "..xxxx.", ".x.xxx.", ".xx....", ".xx....",
		".xx....", ".xx...." };

	(void)state;
	check_policy(MEMBERS_GATEWAY, want);
}

static void
one_walk(struct ring_walk *w, const uint8_t *keys)
{
	static const char *const want = "GGG" "EEEE" "BB";
	const struct members *m = w->all;
	uint8_t c[KDF_KEY_BYTES];
	struct rec r;
	size_t i = 0;

	for (; ring_walk_next(w, i, &r); i++) {
		T_CHECK(want[i] != '\0');
		if (want[i] == 'G') {
			const size_t to = i < 2 ? WATCH + i : LABO;

			assert_int_equal(r.type, REC_GRANT);
			assert_int_equal(r.grant.year, 2027);
			T_STR(r.grant.peer.s, m->v[to].id.s);
			kdf_channel(c, keys + to * KDF_KEY_BYTES, &w->me->id);
			assert_memory_equal(r.grant.key, c, sizeof(c));
		} else
			assert_int_equal(r.type, want[i] == 'E' ? REC_ENTRY :
			    REC_BAR);
		if (i == 5)
			assert_int_equal(r.entry.flag, REC_ENTRY_LABORATORY);
		if (i == 7) {
			T_STR(r.bar.name.s, "essai/durand@x.example");
			assert_int_equal(r.bar.minimum, 3);
		}
		if (i == 8)
			assert_int_equal(r.bar.minimum, IDENTITY_BARRED);
	}
	assert_int_equal(i, strlen(want));
	assert_int_equal(w->grants, 3);
	assert_int_equal(w->entries, 4);
}

/* The same both times, as sealing needs it. */
static void
test_walks_twice(void **state)
{
	struct members *m = association(MEMBERS_LIST);
	uint8_t keys[N * KDF_KEY_BYTES];
	struct ring_walk w = { .all = m, .keys = keys, .year = 2027,
	    .me = &m->v[MARTIN] };

	(void)state;
	for (size_t i = 0; i < sizeof(keys); i++)
		keys[i] = (uint8_t)(i * 7);
	one_walk(&w, keys);
	one_walk(&w, keys);
	members_free(&m);
}

/* Large associations: no line for whom there is no key. */
static void
test_names_of_the_ring(void **state)
{
	struct members *m = association(MEMBERS_LIST);
	uint8_t keys[N * KDF_KEY_BYTES] = { 0 };
	struct ring_walk w = { .all = m, .keys = keys, .year = 2027,
	    .me = &m->v[MARTIN] };
	struct rec r;
	size_t i = 0;

	(void)state;
	m->names_ring = true;
	while (ring_walk_next(&w, i, &r))
		i++;
	assert_int_equal(w.grants, 3);
	assert_int_equal(w.entries, 3);
	members_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_walks_twice),
		cmocka_unit_test(test_names_of_the_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
