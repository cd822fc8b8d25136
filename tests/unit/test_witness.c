/* issuer/witness: claims, and the end of a root. */
#include "issuer_unit.h"
#include "issuer/witness.h"

static const char good[] = "essai/labo@a.example#1 essai/dr@b.example#2 2027 "
    "2026-01-01T07:00:00Z "
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";

static enum rc
parse(const char *s, size_t len, struct witness_claim *c)
{
	struct err e = ERR_INIT;

	return witness_claim_parse(s, len, c, &e);
}

static void
test_claims(void **state)
{
	static const struct {
		const char	*before, *after;
		enum rc		 rc;
	} of[] = { { "x ", "\n", RC_INPUT }, { "", " x\n", RC_INPUT },
	    { good, "\n", RC_INPUT }, { "", "", RC_OK },
	    { "  ", " \r\n", RC_OK },
	    { "a\n\n", "\nb c d e f g\n", RC_OK } };
	struct witness_claim c;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		snprintf(text, sizeof(text), "%s%s%s", of[i].before, good,
		    of[i].after);
		T_RC(parse(text, strlen(text), &c), of[i].rc);
	}
	snprintf(text, sizeof(text), "%s\n%s", good, good);
	T_RC(parse(text, strlen(text), &c), RC_INPUT);
	T_STR(c.author.s, "essai/labo@a.example#1");
	T_STR(c.recipient.s, "essai/dr@b.example#2");
	assert_int_equal(c.year, 2027);
	T_CHECK(c.at == 1767250800);
	assert_int_equal(c.d[31], 0x1f);
	assert_int_equal(c.proof[0], 0x20);
	for (size_t len = 0; len < strlen(good); len++)
		T_RC(parse(good, len, &c), RC_INPUT);
	for (size_t i = 0; i < strlen(good); i++) {
		memcpy(text, good, sizeof(good));
		text[i] = '\0';
		T_RC(parse(text, strlen(good), &c), RC_INPUT);
	}
}

/* By the root and by the archive alike; the year is then gone, the next one
 * still there. */
static void
test_destroy_and_judge(void **state)
{
	const uint16_t year = this_year(), next = (uint16_t)(year + 1);
	char dir[PATH_MAX], sheets[PATH_MAX];
	uint8_t key[KDF_KEY_BYTES], root[KDF_KEY_BYTES];
	struct witness_claim c = { .year = year, .at = 7 };
	struct err e = ERR_INIT;
	struct desk *d;
	size_t n;
	bool yes;

	(void)state;
	folder_new(dir);
	d = desk_of(dir);
	must_enter(d->members, "labo@a.example", "", MEMBER_LABORATORY);
	T_RC(desk_save(d, &e), RC_OK);
	desk_ready(d);
	T_RC(desk_path(dir, "custodians", sheets, &e), RC_OK);
	T_RC(desk_year_make(d, next, sheets, false, &e), RC_OK);
	memcpy(root, desk_root(d, next), sizeof(root));
	T_CHECK(identity_parse(good, 22, &c.author) &&
	    identity_parse(good + 23, 20, &c.recipient));
	kdf_member(key, desk_root(d, year), year, &c.author);
	kdf_witness(key, key);
	kdf_proof(c.proof, key, c.at, identity_bytes(&c.recipient), c.d);
	T_CHECK(!witness_archived(d, year));
	T_RC(witness_judge(d, &c, &yes, &e), RC_OK);
	T_CHECK(yes);
	T_RC(witness_destroy(d, year, &n, &e), RC_OK);
	assert_int_equal(n, 4);
	T_CHECK(!desk_knows(d, year) && desk_root(d, year) == NULL);
	assert_memory_equal(desk_root(d, next), root, sizeof(root));
	desk_close(&d);
	T_RC(desk_open(dir, &d, &e), RC_OK);
	T_CHECK(d->nyears == 1 && d->years[0] == next);
	T_CHECK(witness_archived(d, year) && !witness_archived(d, next));
	T_RC(witness_judge(d, &c, &yes, &e), RC_OK);
	T_CHECK(yes);
	c.at++;
	T_RC(witness_judge(d, &c, &yes, &e), RC_OK);
	T_CHECK(!yes);
	c.year = (uint16_t)(year - 1);
	T_RC(witness_judge(d, &c, &yes, &e), RC_CONF);
	desk_close(&d);
	folder_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_destroy_and_judge),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
