/* issuer/names: what a member's files are called. */
#include "issuer_unit.h"
#include "issuer/names.h"

static void
check(const struct names *n, const struct member *w, const char *want)
{
	char got[NAMES_BYTES];

	names_of(n, w, 2027, got);
	T_STR(got, want);
}

static void
test_names(void **state)
{
	struct members *m = members_new("essai");
	struct names n;

	(void)state;
	must_enter(m, "martin@x.example", "", MEMBER_OTHER);
	must_enter(m, "martin@y.example", "", MEMBER_OTHER);
	must_enter(m, "-x@x.example", "", MEMBER_OTHER);
	must_enter(m, "durand.2027@x.example", "", MEMBER_OTHER);
	T_CHECK(names_init(&n, m));
	check(&n, &m->v[0], "martin.2027");
	check(&n, &m->v[1], "martin@y.example.2027");
	check(&n, &m->v[2], "_-x@x.example.2027");
	check(&n, &m->v[3], "durand.2027.2027");
	T_CHECK(identity_at_gen(&m->v[0].id, 254, &m->v[0].id));
	check(&n, &m->v[0], "martin.2027-254");
	names_wipe(&n);
	members_free(&m);
}

/* The longest identity there is. */
static void
test_long(void **state)
{
	char address[IDENTITY_MAX_BYTES], want[NAMES_BYTES];
	struct members *m = members_new("essai");
	struct names n;

	(void)state;
	must_enter(m, "-@x.example", "", MEMBER_OTHER);
	memset(address, 'a', sizeof(address));
	memcpy(address, "-@", 2);
	for (size_t i = 62; i < 184; i += 61)
		address[i] = '.';
	memcpy(address + 187, ".fr", 4);
	must_enter(m, address, "", MEMBER_OTHER);
	assert_int_equal(m->v[1].id.len, 198);
	T_CHECK(identity_at_gen(&m->v[1].id, 100, &m->v[1].id));
	T_CHECK(names_init(&n, m));
	snprintf(want, sizeof(want), "_%s.2027-100", address);
	check(&n, &m->v[1], want);
	names_wipe(&n);
	members_free(&m);
}

/* All called alike: looked for once each, not once for each of the others. */
static void
test_namesakes(void **state)
{
	struct members *m = members_new("essai");
	char address[64], want[80];
	struct names n;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(address, sizeof(address), "contact@c%u.example", i);
		must_enter(m, address, "", MEMBER_OTHER);
	}
	T_CHECK(names_init(&n, m));
	assert_int_equal(n.by_local.n, 1);
	check(&n, &m->v[0], "contact.2027");
	for (unsigned i = 1; i < 1000; i++) {
		snprintf(want, sizeof(want), "contact@c%u.example.2027", i);
		check(&n, &m->v[i], want);
	}
	names_wipe(&n);
	members_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_namesakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
