/* The ring at the sizes of PROTOCOL 2.15, and its rule of never replacing. */
#include "config.h"

#include <stdlib.h>

#include "unit.h"
#include "assoc.h"
#include "vault/ring.h"

#define MANY 200000

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return secret_init(&e) == RC_OK ? 0 : -1;
}

static struct identity
member(size_t i, unsigned gen)
{
	char text[80];

	snprintf(text, sizeof(text), "%s/membre%zu@cabinet%zu.example#%u",
	    i % 5 == 0 ? "autre" : "demo", i / 3, i % 3, gen);
	return assoc_id(text);
}

static void
key_for(size_t i, uint16_t self, uint8_t key[KDF_KEY_BYTES])
{
	memset(key, 0, KDF_KEY_BYTES);
	put_be64(key, i * 31 + self);
	key[31] = (uint8_t)(i ^ self);
}

static enum ring_add
add(struct ring *r, uint16_t self, const char *id, uint8_t fill)
{
	const struct identity peer = assoc_id(id);
	struct err e = ERR_INIT;
	uint8_t key[KDF_KEY_BYTES];
	enum ring_add how;

	memset(key, fill, sizeof(key));
	T_RC(ring_add(r, self, &peer, key, &how, &e), RC_OK);
	return how;
}

static void
test_ruling_21_the_index_is_self_and_identity(void **state)
{
	struct ring *r = ring_new(0);
	const struct identity labo = assoc_id(A_LABO);

	(void)state;
	T_CHECK(add(r, 0, A_LABO, 1) == RING_ADDED);
	T_CHECK(add(r, 0, A_LABO, 1) == RING_HELD);
	T_CHECK(add(r, 0, A_LABO, 2) == RING_CONFLICT);
	T_CHECK(ring_find(r, 0, &labo)[0] == 1);
	/* Another own identity or year: other keys, and no conflict. */
	T_CHECK(ring_find(r, 1, &labo) == NULL);
	T_CHECK(add(r, 1, A_LABO, 2) == RING_ADDED);
	T_CHECK(ring_find(r, 1, &labo)[0] == 2);
	T_CHECK(ring_find(r, 0, &labo)[0] == 1);
	T_CHECK(ring_count(r, 0) == 1 && ring_total(r) == 2);
	ring_free(&r);
	T_CHECK(r == NULL);
	ring_free(&r);
}

static void
test_best_is_the_highest_not_below_the_minimum(void **state)
{
	struct ring *r = ring_new(0);
	const struct identity name = assoc_id(A_LABO);

	(void)state;
	T_CHECK(ring_best(r, 0, &name, 0) == 0 && ring_proved(r, &name) == 0);
	add(r, 0, "demo/labo.central@labo.example#2", 1);
	add(r, 0, "demo/labo.central@labo.example#1", 1);
	add(r, 1, "demo/labo.central@labo.example#7", 1);
	T_CHECK(ring_best(r, 0, &name, 0) == 2);
	T_CHECK(ring_best(r, 0, &name, 2) == 2);
	T_CHECK(ring_best(r, 0, &name, 3) == 0);
	T_CHECK(ring_best(r, 1, &name, 3) == 7);
	T_CHECK(ring_proved(r, &name) == 7);
	ring_free(&r);
}

static void
test_bars_only_rise(void **state)
{
	struct ring *r = ring_new(0);
	const struct identity name = assoc_id(A_LABO);
	struct err e = ERR_INIT;

	(void)state;
	T_CHECK(ring_barred(r, &name) == 0);
	T_RC(ring_bar(r, &name, 3, &e), RC_OK);
	T_RC(ring_bar(r, &name, 2, &e), RC_OK);
	T_CHECK(ring_barred(r, &name) == 3);
	T_RC(ring_bar(r, &name, 255, &e), RC_OK);
	T_CHECK(ring_barred(r, &name) == 255 && ring_bars(r) == 1);
	ring_free(&r);
}

static void
enter(struct ring *r, const char *id, int64_t at, const char *route)
{
	const struct identity who = assoc_id(id);
	struct err e = ERR_INIT;

	T_RC(ring_enter(r, 1, at, &who, (struct bytes){
	    (const uint8_t *)route, strlen(route) }, (struct bytes){
	    (const uint8_t *)"Un nom", 6 }, &e), RC_OK);
}

static void
test_ruling_35_the_later_entry_stays(void **state)
{
	struct ring *r = ring_new(0);
	const struct identity name = assoc_id(A_LABO);
	struct ring_entry x;

	(void)state;
	enter(r, A_LABO, 5, "a@b.example");
	enter(r, A_LABO, 4, "old@b.example");
	T_CHECK(ring_entry(r, &name, &x));
	T_STR(x.route, "a@b.example");
	T_STR(x.show, "Un nom");
	enter(r, "demo/labo.central@labo.example#2", 5, "gen@b.example");
	enter(r, A_LABO, 5, "less@b.example");
	T_CHECK(ring_entry(r, &name, &x));
	T_STR(x.route, "gen@b.example");
	T_CHECK(ring_entries(r) == 1 && ring_proved(r, &name) == 2);
	enter(r, A_LABO, 6, "new@b.example");
	T_CHECK(ring_entry(r, &name, &x));
	T_STR(x.route, "new@b.example");
	ring_free(&r);
}

struct seen {
	size_t	n;
	char	all[400];
};

static void
note(void *ctx, struct bytes name)
{
	struct seen *s = ctx;
	size_t len = strlen(s->all);

	s->n++;
	snprintf(s->all + len, sizeof(s->all) - len, "%.*s ", (int)name.len,
	    (const char *)name.p);
}

static void
test_each_name_of_an_address_once(void **state)
{
	static const char address[] = "labo.central@labo.example";
	struct ring *r = ring_new(0);
	struct seen s = { 0, "" };

	(void)state;
	add(r, 0, A_LABO, 1);
	add(r, 1, A_LABO, 1);
	add(r, 0, "demo/labo.central@labo.example#2", 1);
	add(r, 0, "demo/labo.centra@labo.example#1", 1);
	enter(r, A_LABO, 1, "a@b.example");
	enter(r, "autre/labo.central@labo.example#1", 1, "a@b.example");
	ring_names(r, (struct bytes){ (const uint8_t *)address,
	    sizeof(address) - 1 }, note, &s);
	T_CHECK(s.n == 2);
	T_STR(s.all, "demo/labo.central@labo.example "
	    "autre/labo.central@labo.example ");
	T_STR(ring_assocs(r, 0), "demo");
	T_STR(ring_assocs(r, 1), "autre");
	T_CHECK(ring_assocs(r, 2) == NULL);
	ring_free(&r);
}

static void
fill(struct ring *r)
{
	struct err e = ERR_INIT;
	uint8_t key[KDF_KEY_BYTES];
	enum ring_add how;

	for (size_t i = 0; i < MANY; i++) {
		const struct identity id = member(i, 1 + i % 4);

		key_for(i, 0, key);
		T_RC(ring_add(r, 0, &id, key, &how, &e), RC_OK);
		T_CHECK(how == RING_ADDED);
	}
}

static void
test_two_hundred_thousand_peers(void **state)
{
	struct ring *r = ring_new(MANY);
	int64_t t = clock_ms();
	uint8_t key[KDF_KEY_BYTES];

	(void)state;
	T_CHECK(r != NULL);
	fill(r);
	print_message("filled in %lld ms\n", (long long)(clock_ms() - t));
	T_CHECK(ring_total(r) == MANY && ring_count(r, 0) == MANY);
	t = clock_ms();
	for (size_t i = 0; i < MANY; i++) {
		const struct identity id = member(i, 1 + i % 4);
		const uint8_t *held = ring_find(r, 0, &id);

		key_for(i, 0, key);
		T_CHECK(held != NULL && memcmp(held, key, sizeof(key)) == 0);
		T_CHECK(ring_best(r, 0, &id, 0) == 1 + i % 4);
		T_CHECK(ring_best(r, 0, &id, 5) == 0);
	}
	print_message("found in %lld ms\n", (long long)(clock_ms() - t));
	for (size_t i = MANY; i < MANY + 1000; i++) {
		const struct identity id = member(i, 1);

		T_CHECK(ring_find(r, 0, &id) == NULL);
	}
	ring_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ruling_21_the_index_is_self_and_identity),
		cmocka_unit_test(
		    test_best_is_the_highest_not_below_the_minimum),
		cmocka_unit_test(test_bars_only_rise),
		cmocka_unit_test(test_ruling_35_the_later_entry_stays),
		cmocka_unit_test(test_each_name_of_an_address_once),
		cmocka_unit_test(test_two_hundred_thousand_peers),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
