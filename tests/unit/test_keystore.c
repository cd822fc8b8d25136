/* The local store: PROTOCOL 2.7, 2.19.10, 2.19.12; DESIGN, ruling 9. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "assoc.h"
#include "base/clock.h"
#include "base/file.h"
#include "vault/keystore.h"
#include "vault/sealed.h"

#define MANY 200000
#define PRIVATE_ID "prive/labo.central@labo.example#1"

static char dir[] = "/tmp/sceau-test-XXXXXX";
static char store[64], machine[64];
static const struct keystore_at at = { store, machine, NULL };

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (mkdtemp(dir) == NULL || secret_init(&e) != RC_OK)
		return -1;
	snprintf(store, sizeof(store), "%s/store", dir);
	snprintf(machine, sizeof(machine), "%s/store.key", dir);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	unlink(store);
	unlink(machine);
	return 0;
}

static int
teardown(void **state)
{
	clean(state);
	return rmdir(dir);
}

static struct keystore *
load(void)
{
	struct keystore *ks;
	struct err e = ERR_INIT;

	if (keystore_load(&at, &ks, &e) != RC_OK)
		fail_msg("%s", e.text);
	return ks;
}

static void
test_everything_comes_back(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, 2026), *back;
	const struct identity durand = assoc_id(A_DURAND);
	const struct identity martin = assoc_id(A_MARTIN);
	struct err e = ERR_INIT;
	struct ring_entry x;

	(void)state;
	assoc_full(ks, assoc_self(ks, "demo/labo.central@labo.example#2",
	    2027));
	ks->since_at = 4711;
	ks->selves[1].from_at = 1;
	ks->selves[1].send_until_at = 2;
	ks->selves[1].read_until_at = 3;
	T_RC(ring_bar(ks->ring, &durand, 9, &e), RC_OK);
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	back = load();
	T_CHECK(back->nselves == 2 && back->since_at == 4711 && back->demo);
	for (size_t i = 0; i < 2; i++) {
		T_CHECK(identity_eq(&ks->selves[i].id, &back->selves[i].id));
		T_CHECK(ks->selves[i].year == back->selves[i].year);
		T_CHECK(back->selves[i].nroles == 3);
		assert_memory_equal(keystore_key(ks, i),
		    keystore_key(back, i), KDF_KEY_BYTES);
		assert_memory_equal(ring_find(ks->ring, (uint16_t)i, &martin),
		    ring_find(back->ring, (uint16_t)i, &martin),
		    KDF_KEY_BYTES);
	}
	T_CHECK(back->selves[1].from_at == 1 &&
	    back->selves[1].send_until_at == 2 &&
	    back->selves[1].read_until_at == 3);
	T_CHECK(ring_total(back->ring) == ring_total(ks->ring));
	T_CHECK(ring_barred(back->ring, &durand) == 9);
	T_CHECK(ring_entry(back->ring, &martin, &x));
	T_STR(x.show, "Dr Martin");
	assert_memory_equal(keystore_local(ks), keystore_local(back),
	    KDF_KEY_BYTES);
	assert_memory_equal(keystore_digest(ks), keystore_digest(back),
	    KDF_KEY_BYTES);
	keystore_free(&ks);
	keystore_free(&back);
}

static void
test_the_key_file_is_made_for_us_alone(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, 2026);
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	T_CHECK(stat(machine, &st) == 0 && st.st_size == 32);
	T_CHECK((st.st_mode & 0777) == 0400);
	T_CHECK(stat(store, &st) == 0 && (st.st_mode & 0077) == 0);
	/* Again, over what is there, under the same key. */
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	keystore_free(&ks);
	ks = load();
	keystore_free(&ks);
}

static void
test_wrong_keys_are_said_so(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, 2026), *back;
	static const uint8_t other[33] = { 1 }, zeros[32];
	struct err e = ERR_INIT;

	(void)state;
	T_RC(keystore_load(&at, &back, &e), RC_CONF);
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	/* A file system that lost them gives zeros: also before a store is
	 * sealed with them. */
	T_RC(file_write(machine, zeros, 32, 0400, &e), RC_OK);
	T_RC(keystore_load(&at, &back, &e), RC_CONF);
	T_RC(keystore_save(ks, &at, &e), RC_CONF);
	for (size_t len = 31; len <= 33; len++) {
		T_RC(file_write(machine, other, len, 0400, &e), RC_OK);
		T_RC(keystore_load(&at, &back, &e), RC_CONF);
		T_CHECK(back == NULL);
		T_CHECK((strstr(e.text, "does not open it") != NULL) ==
		    (len == 32));
	}
	unlink(machine);
	T_RC(keystore_load(&at, &back, &e), RC_CONF);
	keystore_free(&ks);
}

static void
test_every_damage_is_refused(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, 2026), *back;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	T_RC(file_read(store, 1 << 20, &b, &e), RC_OK);
	for (size_t i = 0; i < b.len; i += i < 160 ? 11 : 501) {
		b.p[i] ^= 4;
		T_RC(file_write(store, b.p, b.len, 0600, &e), RC_OK);
		T_RC(keystore_load(&at, &back, &e), RC_CONF);
		b.p[i] ^= 4;
		T_RC(file_write(store, b.p, i, 0600, &e), RC_OK);
		T_RC(keystore_load(&at, &back, &e), RC_CONF);
	}
	buf_free(&b);
	keystore_free(&ks);
}

static struct keystore *
private_store(void)
{
	struct keystore *ks;
	struct err e = ERR_INIT;
	uint8_t key[KDF_KEY_BYTES] = { 5 };
	const struct rec_self self = { 2026, 0, 10, 20, key,
	    assoc_id(PRIVATE_ID) };
	size_t i;

	T_RC(keystore_new(0, &ks, &e), RC_OK);
	T_RC(keystore_add_self(ks, &self, &i, &e), RC_OK);
	return ks;
}

static void
test_design_9_only_the_demo_may_be_read_by_others(void **state)
{
	struct keystore *ks = private_store(), *back;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	keystore_free(&ks);
	ks = load();
	T_CHECK(!ks->demo);
	keystore_free(&ks);
	chmod(store, 0644);
	T_RC(keystore_load(&at, &back, &e), RC_CONF);
	chmod(store, 0600);
	chmod(machine, 0440);
	T_RC(keystore_load(&at, &back, &e), RC_CONF);
	T_CHECK(strstr(e.text, "chmod") != NULL);
	clean(NULL);
	ks = assoc_store(A_LABO, 2026);
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	keystore_free(&ks);
	chmod(store, 0644);
	chmod(machine, 0444);
	ks = load();
	keystore_free(&ks);
}

/* META, LOCAL and SELF: all that there was before there were digests. */
static enum rc
emit_old(void *ctx, struct sealed_writer *w, struct err *e)
{
	uint8_t local[44] = { 0 };
	struct rec r = { .type = REC_META };
	enum rc rc;

	local[12] = 9;
	r.meta = (struct rec_meta){ 0, 0, 2026, ENV_VERSION };
	if ((rc = sealed_rec(w, &r, e)) != RC_OK || (rc = sealed_raw(w, 0x70,
	    (struct bytes){ local, sizeof(local) }, e)) != RC_OK)
		return rc;
	r = (struct rec){ .type = REC_SELF };
	r.self = (struct rec_self){ 2026, 0, 10, 20, ctx,
	    assoc_id(PRIVATE_ID) };
	return sealed_rec(w, &r, e);
}

static enum rc
into_buf(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	T_CHECK(buf_add(ctx, p, len));
	return RC_OK;
}

/* Such a store, whose header says that it is ${owner}'s. */
static void
put_old(const char *owner)
{
	static uint8_t key[KDF_KEY_BYTES] = { 5 };
	struct sealed_plan plan = { .key = key, .max = 1 << 20,
	    .emit = emit_old, .ctx = key };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	plan.head.source = ENV_CHANNEL;
	plan.head.year = 2026;
	plan.head.from = plan.head.to = assoc_id(owner);
	T_RC(sealed_seal(&plan, (struct env_sink){ into_buf, &out }, &e),
	    RC_OK);
	T_RC(file_write(store, out.p, out.len, 0600, &e), RC_OK);
	T_RC(file_create(machine, key, sizeof(key), 0400, &e), RC_OK);
	buf_free(&out);
}

/* Its rights are asked for by its header, before its keys are read: what these
 * are for, and it, say the same. */
static void
test_design_9_a_header_of_another(void **state)
{
	struct keystore *ks;
	struct err e = ERR_INIT;

	(void)state;
	put_old("demo/labo.central@labo.example#1");
	T_RC(keystore_load(&at, &ks, &e), RC_CONF);
	T_CHECK(strstr(e.text, "damaged") != NULL);
}

static void
test_passphrase(void **state)
{
	struct secret pass = SECRET_INIT, wrong = SECRET_INIT;
	const struct keystore_at by = { store, NULL, &pass };
	const struct keystore_at bad = { store, NULL, &wrong };
	struct keystore *ks = assoc_store(A_LABO, 2026), *back;
	struct err e = ERR_INIT;

	(void)state;
	T_CHECK(secret_set(&pass, "correct cheval agrafe", 21));
	T_CHECK(secret_set(&wrong, "correct cheval", 14));
	T_RC(keystore_save(ks, &by, &e), RC_OK);
	T_RC(keystore_load(&by, &back, &e), RC_OK);
	assert_memory_equal(keystore_key(ks, 0), keystore_key(back, 0), 32);
	keystore_free(&back);
	T_RC(keystore_load(&bad, &back, &e), RC_INPUT);
	T_CHECK(e.class == EC_HEADER);
	T_CHECK(strstr(e.text, "cheval") == NULL);
	keystore_free(&ks);
	secret_wipe(&pass);
	secret_wipe(&wrong);
}

static void
test_another_key_never_replaces(void **state)
{
	struct keystore *ks = private_store();
	uint8_t key[KDF_KEY_BYTES] = { 6 };
	struct rec_self self = { 2026, 0, 10, 20, key, assoc_id(PRIVATE_ID) };
	struct err e = ERR_INIT;
	size_t i = 9;

	(void)state;
	T_RC(keystore_add_self(ks, &self, &i, &e), RC_INPUT);
	T_CHECK(e.class == EC_AUTHORITY && keystore_key(ks, 0)[0] == 5);
	key[0] = 5;
	T_RC(keystore_add_self(ks, &self, &i, &e), RC_OK);
	T_CHECK(i == 0 && ks->nselves == 1);
	for (uint16_t y = 1; y < KEYSTORE_SELVES_MAX; y++) {
		self.year = y;
		T_RC(keystore_add_self(ks, &self, &i, &e), RC_OK);
	}
	self.year = 3000;
	T_RC(keystore_add_self(ks, &self, &i, &e), RC_INPUT);
	keystore_free(&ks);
}

static void
test_ruling_10_erasing_a_year(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, 2025), *back;
	const struct identity labo = assoc_id(A_LABO);
	const struct identity martin = assoc_id(A_MARTIN);
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	uint8_t old[KDF_KEY_BYTES], keep[KDF_KEY_BYTES];
	uint8_t before[KDF_KEY_BYTES], local[KDF_KEY_BYTES];
	uint8_t digest[KDF_KEY_BYTES];
	const int64_t over = 1000000 + 86400;

	(void)state;
	T_RC(keystore_erase(ks, 2025, &e), RC_CONF);
	ks->selves[0].read_until_at = 1000000;
	T_CHECK(keystore_over(ks, over + 1) == 0);
	assoc_full(ks, assoc_self(ks, A_LABO, 2026));
	T_CHECK(keystore_over(ks, over) == 0);
	T_CHECK(keystore_over(ks, over + 1) == 2025);
	ks->selves[0].read_until_at = CLOCK_FOREVER;
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	memcpy(old, keystore_key(ks, 0), sizeof(old));
	memcpy(keep, ring_find(ks->ring, 1, &martin), sizeof(keep));
	T_RC(file_read(machine, 32, &b, &e), RC_OK);
	memcpy(before, b.p, sizeof(before));
	memcpy(local, keystore_local(ks), sizeof(local));
	memcpy(digest, keystore_digest(ks), sizeof(digest));
	T_CHECK(memcmp(local, digest, sizeof(local)) != 0);
	T_RC(keystore_erase(ks, 2025, &e), RC_OK);
	assert_memory_equal(keystore_previous(ks), local, sizeof(local));
	assert_memory_not_equal(keystore_local(ks), local, sizeof(local));
	T_RC(keystore_roll(ks, &at, &e), RC_OK);
	T_CHECK(ks->nselves == 1 && keystore_find(ks, &labo, 2025) < 0);
	keystore_free(&ks);
	back = load();
	T_CHECK(back->nselves == 1 && back->selves[0].year == 2026);
	assert_memory_equal(ring_find(back->ring, 0, &martin), keep, 32);
	assert_memory_not_equal(keystore_key(back, 0), old, 32);
	/* What is digested under it can be digested from nothing else. */
	assert_memory_equal(keystore_digest(back), digest, sizeof(digest));
	T_CHECK(ring_total(back->ring) == ASSOC_N - 2);
	T_CHECK(keystore_previous(back) != NULL);
	T_RC(file_read(machine, 32, &b, &e), RC_OK);
	T_CHECK(memcmp(b.p, before, 32) != 0);
	keystore_drop_previous(back);
	T_CHECK(keystore_previous(back) == NULL);
	keystore_free(&back);
	buf_free(&b);
}

/* The file of an export may lie about for longer than the keys in it. */
static void
test_ruling_10_an_export_brings_no_erased_year_back(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, 2026);
	struct keystore *from = assoc_store(A_LABO, 2026);
	size_t total = ring_total(ks->ring);
	struct err e = ERR_INIT;

	(void)state;
	assoc_full(from, assoc_self(from, A_LABO, 2025));
	from->selves[1].read_until_at = clock_now() - 1;
	T_RC(keystore_merge(ks, from, &e), RC_OK);
	T_CHECK(ks->nselves == 1 && ring_total(ks->ring) == total);
	from->selves[1].read_until_at = clock_now() + 3600;
	T_RC(keystore_merge(ks, from, &e), RC_OK);
	T_CHECK(ks->nselves == 2 && ring_total(ks->ring) == 2 * total);
	keystore_free(&ks);
	keystore_free(&from);
}

static void
test_a_store_without_a_key_of_digests_gets_one(void **state)
{
	uint8_t digest[KDF_KEY_BYTES];
	struct keystore *ks;
	struct err e = ERR_INIT;

	(void)state;
	put_old(PRIVATE_ID);
	ks = load();
	memcpy(digest, keystore_digest(ks), sizeof(digest));
	T_CHECK(memcmp(digest, keystore_local(ks), sizeof(digest)) != 0);
	keystore_free(&ks);
	ks = load();
	assert_memory_equal(keystore_digest(ks), digest, sizeof(digest));
	/* A save writes it down, whatever the local key becomes. */
	keystore_fix(ks, (const uint8_t[KDF_KEY_BYTES]){ 1 }, digest);
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	keystore_free(&ks);
	ks = load();
	assert_memory_equal(keystore_digest(ks), digest, sizeof(digest));
	keystore_free(&ks);
}

static void
test_names_generations_and_roles(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, 2026);
	const struct identity labo = assoc_id(A_LABO);
	const struct identity desk2 =
	    assoc_id("demo/veille@demo.example#2");
	const struct identity martin = assoc_id(A_MARTIN);
	uint16_t low, high;

	(void)state;
	assoc_self(ks, "demo/labo.central@labo.example#3", 2028);
	T_CHECK(keystore_top(ks, &labo) == 3);
	T_CHECK(keystore_top(ks, &martin) == 0);
	T_CHECK(keystore_years(ks, &labo, &low, &high));
	T_CHECK(low == 2026 && high == 2028);
	T_CHECK(!keystore_years(ks, &martin, &low, &high));
	/* 2.19.4: a role belongs to the name. */
	T_CHECK(keystore_role(ks, 0, &desk2) == 1U << REC_ROLE_WATCH);
	T_CHECK(keystore_role(ks, 0, &martin) == 0);
	T_STR(keystore_holder(ks, 0, REC_ROLE_HUB)->s, A_HUB);
	keystore_free(&ks);
}

static void
test_two_hundred_thousand_peers(void **state)
{
	struct keystore *ks;
	struct err e = ERR_INIT;
	struct identity id = { 0 };
	uint8_t key[KDF_KEY_BYTES] = { 1 };
	char text[80];
	enum ring_add how;
	int64_t t;

	(void)state;
	T_RC(keystore_new(0, &ks, &e), RC_OK);
	assoc_self(ks, A_LABO, 2026);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "demo/membre%zu@cabinet.example#1",
		    i);
		id = assoc_id(text);
		put_be64(key, i);
		T_RC(ring_add(ks->ring, 0, &id, key, &how, &e), RC_OK);
		T_RC(ring_enter(ks->ring, 1, 0, &id, identity_address(&id),
		    (struct bytes){ (const uint8_t *)"Cabinet", 7 }, &e),
		    RC_OK);
	}
	t = clock_ms();
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	print_message("saved in %lld ms\n", (long long)(clock_ms() - t));
	keystore_free(&ks);
	t = clock_ms();
	ks = load();
	print_message("loaded in %lld ms\n", (long long)(clock_ms() - t));
	T_CHECK(ring_total(ks->ring) == MANY);
	T_CHECK(ring_entries(ks->ring) == MANY);
	assert_memory_equal(ring_find(ks->ring, 0, &id), key, 32);
	keystore_free(&ks);
}

static void
test_demo_stores_of_the_tree_load(void **state)
{
	static const char *const names[] = { "association", "cabinet.durand",
	    "dr.martin", "infirmiere.petit", "labo.central", "passerelle",
	    "veille" };
	struct err e = ERR_INIT;
	struct keystore *ks;
	char s[1000], k[1010];
	const struct keystore_at demo = { s, k, NULL };
	uint8_t want[KDF_KEY_BYTES];

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		snprintf(s, sizeof(s), "%s/%s.store", T_SRC("keys/demo"),
		    names[i]);
		snprintf(k, sizeof(k), "%s.key", s);
		if (keystore_load(&demo, &ks, &e) != RC_OK)
			fail_msg("%s", e.text);
		T_CHECK(ks->demo && ks->nselves == 1);
		assoc_member_key(ks->selves[0].id.s, A_YEAR, want);
		assert_memory_equal(keystore_key(ks, 0), want, 32);
		keystore_free(&ks);
	}
}

#define T(f) cmocka_unit_test_teardown(f, clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_everything_comes_back),
		T(test_the_key_file_is_made_for_us_alone),
		T(test_wrong_keys_are_said_so),
		T(test_every_damage_is_refused),
		T(test_design_9_only_the_demo_may_be_read_by_others),
		T(test_design_9_a_header_of_another),
		T(test_passphrase),
		T(test_another_key_never_replaces),
		T(test_ruling_10_erasing_a_year),
		T(test_ruling_10_an_export_brings_no_erased_year_back),
		T(test_a_store_without_a_key_of_digests_gets_one),
		T(test_names_generations_and_roles),
		T(test_two_hundred_thousand_peers),
		T(test_demo_stores_of_the_tree_load),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
