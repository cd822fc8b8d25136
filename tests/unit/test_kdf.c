#include "vault_unit.h"

#define VKDF T_SRC("tests/vectors/vault-kdf.txt")

static uint8_t root[KDF_KEY_BYTES];

/* PROTOCOL 2.18. */
static void
test_known_answers(void **state)
{
	uint8_t k[KDF_KEY_BYTES], out[KDF_KEY_BYTES], code[KDF_CODE_BYTES];
	struct identity labo = who(LABO), dr = who(DR);
	struct buf mail = vector(V218, "MAIL");

	(void)state;
	kdf_member(k, root, 2026, &dr);
	same_as_vector(V218, "K(dr,2026)", k, sizeof(k));
	kdf_channel(out, k, &labo);
	same_as_vector(V218, "C(labo->dr)", out, sizeof(out));
	kdf_witness(out, k);
	same_as_vector(V218, "witness key", out, sizeof(out));
	for (uint8_t i = 0; i < sizeof(code); i++)
		code[i] = (uint8_t)(0x10 + i);
	kdf_code(out, 2027, code);
	same_as_vector(V218, "code key 2027", out, sizeof(out));
	kdf_renewal(out, k, 2027, code);
	same_as_vector(V218, "renewal key 2027", out, sizeof(out));
	kdf_hash_of(mail.p, mail.len, out);
	same_as_vector(V218, "D", out, sizeof(out));
	buf_free(&mail);
}

static void
test_argon2id(void **state)
{
	struct buf pass = vector(V218, "passphrase");
	struct buf salt = vector(V218, "passphrase salt");
	uint8_t out[KDF_KEY_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	T_RC(kdf_pass(out, 1, run(pass.p, pass.len), salt.p, &e), RC_OK);
	same_as_vector(V218, "Argon2id 1", out, sizeof(out));
	T_RC(kdf_pass(out, 2, run(pass.p, pass.len), salt.p, &e), RC_OK);
	same_as_vector(V218, "Argon2id 2", out, sizeof(out));
	buf_free(&pass);
	buf_free(&salt);
}

/* P4: each label gives something else, and what the other reader gives. */
static void
test_p4_every_label(void **state)
{
	uint8_t out[KDF_LABELS][64];

	(void)state;
	for (int i = 0; i < KDF_LABELS; i++) {
		kdf(out[i], 64, root, (enum kdf_label)i, run("abc", 3));
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(out[i], out[j], 64);
	}
	for (int i = 0; i <= KDF_PROOF; i++)
		same_as_vector(VKDF, kdf_label_name((enum kdf_label)i),
		    out[i], 64);
}

static void
test_proof(void **state)
{
	struct buf d = vector(V218, "D"), a = vector(V218, "witness key");
	struct identity labo = who(LABO);
	uint8_t out[KDF_KEY_BYTES];

	(void)state;
	kdf_proof(out, a.p, SEALED_AT, identity_bytes(&labo), d.p);
	same_as_vector(VKDF, "proof", out, sizeof(out));
	kdf_proof(out, a.p, SEALED_AT, identity_name(&labo), d.p);
	same_as_vector(VKDF, "proof of a name", out, sizeof(out));
	kdf_rootck(out, root);
	same_as_vector(VKDF, "rootck", out, KDF_ROOTCK_BYTES);
	buf_free(&d);
	buf_free(&a);
}

/* Year and identity, and n, cannot be confused with others (K11, P4). */
static void
test_k11_inputs_are_apart(void **state)
{
	uint8_t a[KDF_KEY_BYTES], b[KDF_KEY_BYTES], both[64];
	struct identity one = who("demo/dr@cabinet.example#1");
	struct identity twelve = who("demo/dr@cabinet.example#12");

	(void)state;
	kdf_member(a, root, 2026, &one);
	kdf_member(b, root, 2026, &twelve);
	assert_memory_not_equal(a, b, sizeof(a));
	kdf_member(b, root, 2027, &one);
	assert_memory_not_equal(a, b, sizeof(a));
	kdf_member(b, root, 0xea07, &one);
	assert_memory_not_equal(a, b, sizeof(a));
	kdf(both, 64, root, KDF_MEMBER, run("x", 1));
	kdf(a, 32, root, KDF_MEMBER, run("x", 1));
	assert_memory_not_equal(a, both, sizeof(a));
}

/* The longest identity: each of its octets counts (K12). */
static void
test_k12_identities_are_hashed_whole(void **state)
{
	static uint8_t keys[2 * IDENTITY_MAX_BYTES + 1][KDF_KEY_BYTES];
	char s[IDENTITY_MAX_BYTES + 1];
	struct identity id;
	size_t n = 0;

	(void)state;
	memset(s, 'a', sizeof(s));
	s[32] = '/';
	s[97] = '@';
	s[147] = '.';
	memcpy(s + IDENTITY_MAX_BYTES - 2, "#1", 3);
	for (size_t i = 0; i <= IDENTITY_MAX_BYTES; i++) {
		char was = s[i];

		if (was != 'a' && was != '\0' && was != '1')
			continue;
		s[i] = was == '\0' ? was : was == 'a' ? 'b' : '2';
		id = who(s);
		kdf_member(keys[n++], root, 2026, &id);
		kdf_channel(keys[n++], root, &id);
		s[i] = was;
	}
	T_CHECK(n == 2 * (IDENTITY_MAX_BYTES - 3));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(keys[i], keys[j],
			    KDF_KEY_BYTES);
}

static void
test_hash_in_pieces(void **state)
{
	struct buf t = text_of(1000);
	uint8_t whole[KDF_KEY_BYTES], parts[KDF_KEY_BYTES];
	struct kdf_hash h;

	(void)state;
	kdf_hash_of(NULL, 0, whole);
	same_as_vector(VKDF, "D of nothing", whole, sizeof(whole));
	kdf_hash_init(&h);
	kdf_hash_end(&h, parts);
	assert_memory_equal(whole, parts, sizeof(whole));
	kdf_hash_of(t.p, t.len, whole);
	for (size_t step = 1; step < 300; step += 31) {
		kdf_hash_init(&h);
		for (size_t i = 0; i < t.len; i += step)
			kdf_hash_add(&h, t.p + i,
			    t.len - i < step ? t.len - i : step);
		kdf_hash_end(&h, parts);
		assert_memory_equal(whole, parts, sizeof(whole));
	}
	buf_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_argon2id),
		cmocka_unit_test(test_p4_every_label),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_k11_inputs_are_apart),
		cmocka_unit_test(test_k12_identities_are_hashed_whole),
		cmocka_unit_test(test_hash_in_pieces),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);
	for (uint8_t i = 0; i < sizeof(root); i++)
		root[i] = i;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
