#include "vault_unit.h"
#include "vault/root.h"

#define VKDF T_SRC("tests/vectors/vault-kdf.txt")

static uint8_t root[KDF_KEY_BYTES];
static const uint8_t zeros[KDF_KEY_BYTES];

/* Any two custodians have all three parts, in any order, some twice. */
static void
test_split_and_join(void **state)
{
	static const int orders[][4] = {
		{ 0, 1, 2, 0 }, { 1, 2, 2, 0 }, { 2, 1, 0, 1 }, { 2, 0, 1, 2 }
	};
	struct root_part parts[ROOT_PARTS], got[4];
	uint8_t back[KDF_KEY_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	root_split(root, parts);
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < 4; k++)
			got[k] = parts[orders[i][k]];
		T_RC(root_join(got, 4, back, &e), RC_OK);
		assert_memory_equal(back, root, sizeof(root));
	}
	assert_memory_not_equal(parts[0].share, root, sizeof(root));
	assert_memory_not_equal(parts[2].share, root, sizeof(root));
}

static void
expect_refused(const struct root_part *parts, size_t n, const char *why)
{
	uint8_t back[KDF_KEY_BYTES];
	struct err e = ERR_INIT;

	T_RC(root_join(parts, n, back, &e), RC_INPUT);
	T_CHECK(strstr(e.text, why) != NULL);
	assert_memory_equal(back, zeros, sizeof(back));
}

static void
test_wrong_parts(void **state)
{
	struct root_part parts[4], other[3];
	uint8_t root2[KDF_KEY_BYTES];

	(void)state;
	root_split(root, parts);
	memset(root2, 9, sizeof(root2));
	root_split(root2, other);
	expect_refused(parts, 0, "part 1 is missing");
	expect_refused(parts, 2, "part 3 is missing");
	expect_refused(parts + 1, 2, "part 1 is missing");
	parts[3] = other[1];
	expect_refused(parts, 4, "both part 2");
	parts[1] = other[1];
	expect_refused(parts, 3, "do not belong together");
	parts[1].number = 4;
	expect_refused(parts, 3, "number 4");
	root_split(root, parts);
	parts[2].share[31] ^= 1;
	expect_refused(parts, 3, "do not belong together");
	parts[2].share[31] ^= 1;
	parts[2].check[11] ^= 1;
	expect_refused(parts, 3, "do not belong together");
}

/* What the other implementation prints for the same shares. */
static void
test_on_paper(void **state)
{
	struct buf p1 = vector(VKDF, "p1"), p2 = vector(VKDF, "p2"), want;
	char text[ROOT_PART_CODES][CODE_TEXT_BYTES], all[3 * CODE_TEXT_BYTES];
	struct root_part parts[ROOT_PARTS], back;
	const char *lines[ROOT_PART_CODES];
	struct err e = ERR_INIT;
	char key[16];

	(void)state;
	root_split(root, parts);
	for (size_t i = 0; i < KDF_KEY_BYTES; i++)
		parts[2].share[i] = root[i] ^ p1.p[i] ^ p2.p[i];
	memcpy(parts[0].share, p1.p, KDF_KEY_BYTES);
	memcpy(parts[1].share, p2.p, KDF_KEY_BYTES);
	for (size_t i = 0; i < ROOT_PARTS; i++) {
		root_part_format(&parts[i], text);
		snprintf(all, sizeof(all), "%s %s %s", text[0], text[1],
		    text[2]);
		snprintf(key, sizeof(key), "part %zu", i + 1);
		want = vector(VKDF, key);
		T_STR(all, buf_str(&want));
		buf_free(&want);
		for (size_t k = 0; k < ROOT_PART_CODES; k++)
			lines[k] = text[k];
		T_RC(root_part_parse(lines, &back, &e), RC_OK);
		assert_memory_equal(&back, &parts[i], sizeof(back));
	}
	lines[2] = "208H4";
	T_RC(root_part_parse(lines, &back, &e), RC_INPUT);
	T_CHECK(strstr(e.text, "code 3") != NULL);
	lines[2] = text[0];
	T_RC(root_part_parse(lines, &back, &e), RC_INPUT);
	T_CHECK(strstr(e.text, "order of the paper") != NULL);
	buf_free(&p1);
	buf_free(&p2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_and_join),
		cmocka_unit_test(test_wrong_parts),
		cmocka_unit_test(test_on_paper),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);
	for (uint8_t i = 0; i < sizeof(root); i++)
		root[i] = i;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
