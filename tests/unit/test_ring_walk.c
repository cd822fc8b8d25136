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

static struct rings
rings_of(const struct members *m)
{
	struct rings r;

	T_CHECK(rings_init(&r, m));
	return r;
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
	struct rings rings = rings_of(m);
	struct ring_walk w = { .all = m, .keys = keys, .year = 2027,
	    .me = &m->v[MARTIN], .rings = &rings };

	(void)state;
	for (size_t i = 0; i < sizeof(keys); i++)
		keys[i] = (uint8_t)(i * 7);
	one_walk(&w, keys);
	one_walk(&w, keys);
	rings_wipe(&rings);
	members_free(&m);
}

/* Large associations: no line for whom there is no key. */
static void
test_names_of_the_ring(void **state)
{
	struct members *m = association(MEMBERS_LIST);
	uint8_t keys[N * KDF_KEY_BYTES] = { 0 };
	struct rings rings = rings_of(m);
	struct ring_walk w = { .all = m, .keys = keys, .year = 2027,
	    .me = &m->v[MARTIN], .rings = &rings };
	struct rec r;
	size_t i = 0;

	(void)state;
	m->names_ring = true;
	while (ring_walk_next(&w, i, &r))
		i++;
	assert_int_equal(w.grants, 3);
	assert_int_equal(w.entries, 3);
	rings_wipe(&rings);
	members_free(&m);
}

/* Does ${m->v[to]} belong into that part of the walk, by the rule itself? */
static bool
belongs(const struct ring_walk *w, uint8_t type, size_t to)
{
	const struct members *m = w->all;
	const struct member *x = &m->v[to];

	if (w->after_at != 0 && x->changed_at <= w->after_at)
		return false;
	if (type == REC_BAR)
		return x != w->me && (x->excluded || x->id.gen > 1);
	if (type == REC_GRANT || m->names_ring)
		return ring_walk_may(m, w->me, x);
	return x != w->me && !x->excluded && x->kind != MEMBER_ISSUER;
}

/* Each of whom it says so, once, in the order of the register, and nobody
 * else. */
static void
walk_all(struct ring_walk *w)
{
	static const uint8_t types[] = { REC_GRANT, REC_ENTRY, REC_BAR };
	const struct members *m = w->all;
	struct rec r;
	size_t i = 0;

	for (size_t t = 0; t < 3; t++)
		for (size_t to = 0; to < m->n; to++) {
			if (!belongs(w, types[t], to))
				continue;
			T_CHECK(ring_walk_next(w, i++, &r));
			assert_int_equal(r.type, types[t]);
			T_CHECK(identity_same_name(r.type == REC_GRANT ?
			    &r.grant.peer : r.type == REC_ENTRY ?
			    &r.entry.id : &r.bar.name, &m->v[to].id));
		}
	T_CHECK(!ring_walk_next(w, i, &r));
}

/* Lists that overlap, members on none: whichever way is taken. */
static void
test_each_way(void **state)
{
	enum { MANY = 60 };
	static const char *const lists[] = { "bio|cardio", "bio", "",
	    "cardio|nord|bio", "nord", "sud" };
	const uint8_t keys[MANY * KDF_KEY_BYTES] = { 0 };
	uint32_t news[MANY];
	char address[40];

	(void)state;
	for (int how = 0; how < 3 * 2 * 3; how++) {
		struct members *m = association(
		    (enum members_policy)(how % 3));
		struct rings rings;
		struct ring_walk w = { .all = m, .keys = keys, .year = 2027 };

		m->names_ring = how / 3 % 2 == 1;
		while (m->n < MANY) {
			snprintf(address, sizeof(address), "n%zu@x.example",
			    m->n);
			must_enter(m, address, lists[m->n % 6],
			    MEMBER_OTHER);
		}
		rings = rings_of(m);
		w.rings = &rings;
		/* All are wanted; a few; half of them. */
		for (size_t i = 0; i < MANY && how >= 6; i++) {
			m->v[i].changed_at = i % (how < 12 ? 29 : 2) == 1 ?
			    5 : 4;
			if (m->v[i].changed_at == 5)
				news[w.only.n++] = (uint32_t)i;
			w.only.p = news;
			w.after_at = 4;
		}
		for (size_t me = 1; me < MANY; me++) {
			w.me = &m->v[me];
			walk_all(&w);
		}
		rings_wipe(&rings);
		members_free(&m);
	}
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
		cmocka_unit_test(test_each_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
