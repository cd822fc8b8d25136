#include "vault_unit.h"

/* P5: one spelling; the list is shared with the other reader. */
static void
test_p5_spellings(void **state)
{
	struct buf file = slurp(T_SRC("tests/vectors/vault-identity.txt"));
	struct buf v = BUF_INIT;
	struct identity id;
	char key[64];
	size_t at = 0, ngood = 0, nbad = 0;

	(void)state;
	while (vector_next(&file, &at, key, &v)) {
		if (strcmp(key, "good") == 0) {
			T_CHECK(identity_parse(v.p, v.len, &id));
			T_CHECK(bytes_eq(identity_bytes(&id),
			    run(v.p, v.len)));
			ngood++;
		} else {
			T_CHECK(!identity_parse(v.p, v.len, &id));
			T_CHECK(id.len == 0 && id.s[0] == '\0');
			nbad++;
		}
	}
	T_CHECK(ngood >= 10 && nbad >= 22);
	buf_free(&v);
	buf_free(&file);
}

static void
test_parts(void **state)
{
	struct identity id = who("demo/dr.martin@cabinet.example#254"), b;

	(void)state;
	T_CHECK(id.gen == 254);
	T_STR(id.s, "demo/dr.martin@cabinet.example#254");
	T_CHECK(bytes_eqs(identity_assoc(&id), "demo"));
	T_CHECK(bytes_eqs(identity_local(&id), "dr.martin"));
	T_CHECK(bytes_eqs(identity_domain(&id), "cabinet.example"));
	T_CHECK(bytes_eqs(identity_address(&id), "dr.martin@cabinet.example"));
	T_CHECK(bytes_eqs(identity_name(&id),
	    "demo/dr.martin@cabinet.example"));
	b = who(DR);
	T_CHECK(identity_same_name(&id, &b) && !identity_eq(&id, &b));
	T_CHECK(identity_at_gen(&id, 1, &b) && b.gen == 1);
	T_STR(b.s, DR);
	id = who(DR);
	T_CHECK(identity_eq(&id, &b));
	b = who("demo/dr.martin@cabinet.example.org#1");
	T_CHECK(!identity_same_name(&id, &b));
}

static void
test_generations(void **state)
{
	struct identity id = who(DR), b;
	char want[64];

	(void)state;
	for (unsigned g = 1; g <= 254; g++) {
		T_CHECK(identity_at_gen(&id, g, &b) && b.gen == g);
		snprintf(want, sizeof(want),
		    "demo/dr.martin@cabinet.example#%u", g);
		T_STR(b.s, want);
	}
	T_CHECK(!identity_at_gen(&id, 0, &b));
	T_CHECK(!identity_at_gen(&id, 255, &b));
}

static void
test_names(void **state)
{
	char s[256];
	struct identity id;

	(void)state;
	id = name("demo/dr.martin@cabinet.example");
	T_CHECK(id.gen == 0 && id.len == id.name_len);
	T_CHECK(!identity_parse_name(DR, strlen(DR), &id));
	T_CHECK(!identity_parse_name("demo/dr@x.y ", 12, &id));
	T_CHECK(identity_parse_name("a/b@c.d", 7, &id));
	T_CHECK(!identity_parse_name("a/b@c.", 6, &id));
	/* 198 octets can still be followed by "#1", 199 by nothing. */
	memset(s, 'd', sizeof(s));
	memcpy(s, "a/b@c.", 6);
	T_CHECK(identity_parse_name(s, 198, &id));
	T_CHECK(identity_at_gen(&id, 9, &id));
	T_CHECK(identity_parse_name(s, 198, &id));
	T_CHECK(!identity_at_gen(&id, 10, &id));
	T_CHECK(!identity_parse_name(s, 199, &id));
}

/* Every octet at every place: accepted only as it is spelt. */
static void
test_every_octet(void **state)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789"
	    "._-/@#";
	char s[] = "ab/c.d@e-f.gh#12";
	size_t len = strlen(s);
	struct identity id;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char was = s[i];

		for (int c = 0; c < 256; c++) {
			s[i] = (char)c;
			if (!identity_parse(s, len, &id))
				continue;
			T_CHECK(c != 0 && strchr(allowed, c) != NULL);
			assert_memory_equal(id.s, s, len);
			T_CHECK(identity_at_gen(&id, id.gen, &id));
			assert_memory_equal(id.s, s, len);
		}
		s[i] = was;
	}
	for (size_t n = 0; n < len - 1; n++)
		T_CHECK(!identity_parse(s, n, &id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_p5_spellings),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_every_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
