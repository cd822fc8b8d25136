/* Key files: PROTOCOL 2.3, 2.7, 2.8, 2.19.4, 2.19.11, 2.19.21, 2.19.27. */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit.h"
#include "assoc.h"
#include "base/file.h"
#include "vault/keyfile.h"

#define LABO_2 "demo/labo.central@labo.example#2"

static char path[] = "/tmp/sceau-test-XXXXXX";
static const uint8_t code[KDF_CODE_BYTES] = { 0x10, 0x11, 0x12, 0x13, 0x14,
    0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e };

static int
setup(void **state)
{
	struct err e = ERR_INIT;
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || secret_init(&e) != RC_OK)
		return -1;
	return close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

/* ---- the association's side, in small ---------------------------------- */

struct made {
	const char	*me;
	uint16_t	 year;
	const char	*issuer;
	const char	*said_issuer;	/* in ROLE; NULL: none */
	const char	*old;		/* renewal: whose key of year - 1 */
	const struct rec *more;		/* after the ring */
	size_t		 nmore;
	uint8_t		 key[KDF_KEY_BYTES];
};

static bool
next(void *ctx, size_t i, struct rec *r)
{
	struct made *m = ctx;
	const struct assoc_member *peer;

	memset(r, 0, sizeof(*r));
	if (i >= 2 * ASSOC_N) {
		if (i - 2 * ASSOC_N >= m->nmore)
			return false;
		*r = m->more[i - 2 * ASSOC_N];
		return true;
	}
	peer = &assoc_members[i % ASSOC_N];
	if (i < ASSOC_N) {
		r->type = REC_GRANT;
		assoc_channel(m->me, peer->id, m->year, m->key);
		r->grant = (struct rec_grant){ m->year, m->key,
		    assoc_id(peer->id) };
		return true;
	}
	r->type = REC_ENTRY;
	r->entry.flag = peer->flag;
	r->entry.id = assoc_id(peer->id);
	r->entry.route = (struct bytes){ (const uint8_t *)"a@b.example", 11 };
	r->entry.display = (struct bytes){ (const uint8_t *)peer->show,
	    strlen(peer->show) };
	return true;
}

static enum rc
into(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	T_CHECK(buf_add(ctx, p, len));
	return RC_OK;
}

static void
make(struct made *m)
{
	const struct rec_role roles[] = {
		{ REC_ROLE_WATCH, assoc_id(A_WATCH) },
		{ REC_ROLE_HUB, assoc_id(A_HUB) },
		{ REC_ROLE_ISSUER, assoc_id(m->said_issuer != NULL ?
		    m->said_issuer : A_ISSUER) },
	};
	struct keyfile_plan plan = { .source = m->old != NULL ? ENV_OLD_CODE :
	    ENV_CODE, .at = 1000, .roles = roles, .next = next, .ctx = m,
	    .nroles = m->said_issuer != NULL ? 3 : 2 };
	uint8_t self[KDF_KEY_BYTES], old[KDF_KEY_BYTES], c[KDF_KEY_BYTES];
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	assoc_member_key(m->me, m->year, self);
	plan.issuer = assoc_id(m->issuer);
	plan.self = (struct rec_self){ m->year, 1, 2, 3, self,
	    assoc_id(m->me) };
	kdf_code(c, m->year, code);
	if (m->old != NULL) {
		assoc_member_key(m->old, (uint16_t)(m->year - 1), old);
		kdf_renewal(c, old, m->year, code);
	}
	plan.key = c;
	T_RC(keyfile_write(&plan, (struct env_sink){ into, &out }, &e),
	    RC_OK);
	T_RC(file_write(path, out.p, out.len, 0600, &e), RC_OK);
	buf_free(&out);
}

static struct made
first(const char *me, uint16_t year)
{
	return (struct made){ .me = me, .year = year, .issuer = A_ISSUER,
	    .said_issuer = A_ISSUER };
}

static struct made
renewal(const char *me, uint16_t year, const char *old)
{
	struct made m = first(me, year);

	m.old = old;
	return m;
}

static struct keystore *
empty(void)
{
	struct keystore *ks;
	struct err e = ERR_INIT;

	T_RC(keystore_new(0, &ks, &e), RC_OK);
	return ks;
}

/* Import what was made; the class, EC_NONE when taken in. */
static enum err_class
import(struct keystore *ks, const uint8_t *with, struct keyfile_result *res)
{
	struct keyfile_result ignored;
	struct err e = ERR_INIT;
	enum rc rc = keyfile_import(ks, path, with,
	    res != NULL ? res : &ignored, &e);

	T_CHECK((rc == RC_OK) == (e.class == EC_NONE));
	return e.class;
}

/* ---- tests ------------------------------------------------------------- */

static void
test_first_import_says_what_is_held(void **state)
{
	struct made m = first(A_LABO, 2026);
	struct keystore *ks = empty();
	struct keyfile_result r;
	struct keyfile_head h;
	struct err e = ERR_INIT;
	const struct identity martin = assoc_id(A_MARTIN);
	uint8_t want[KDF_KEY_BYTES];

	(void)state;
	make(&m);
	T_RC(keyfile_peek(path, &h, &e), RC_OK);
	T_CHECK(!h.renewal && h.year == 2026);
	T_STR(h.member.s, A_LABO);
	T_STR(h.issuer.s, A_ISSUER);
	T_CHECK(import(ks, code, &r) == EC_NONE);
	T_STR(r.self.s, A_LABO);
	T_CHECK(r.year == 2026 && r.from_at == 1 && r.send_until_at == 2 &&
	    r.read_until_at == 3);
	T_CHECK(r.first && !r.again && !r.renewal && r.nconflicts == 0);
	/* Not the key for himself. */
	T_CHECK(r.nkeys == ASSOC_N - 1 && r.nentries == ASSOC_N);
	assoc_channel(A_LABO, A_MARTIN, 2026, want);
	assert_memory_equal(ring_find(ks->ring, 0, &martin), want, 32);
	T_CHECK(ks->selves[0].nroles == 3);
	/* The same again adds nothing. */
	T_CHECK(import(ks, code, &r) == EC_NONE);
	T_CHECK(r.again && !r.first && r.nkeys == 0);
	T_CHECK(r.nheld == ASSOC_N - 1 && ks->nselves == 1);
	keystore_free(&ks);
}

static void
test_wrong_code_is_header_always(void **state)
{
	struct made m = first(A_LABO, 2026);
	struct keystore *ks = empty();
	struct err e = ERR_INIT;
	struct keyfile_result r;
	uint8_t bad[KDF_CODE_BYTES];

	(void)state;
	make(&m);
	for (size_t i = 0; i < sizeof(bad); i++) {
		memcpy(bad, code, sizeof(bad));
		bad[i] ^= 1;
		T_CHECK(import(ks, bad, NULL) == EC_HEADER);
	}
	T_RC(keyfile_import(ks, path, bad, &r, &e), RC_INPUT);
	T_CHECK(strstr(e.text, "code") != NULL);
	T_CHECK(strstr(e.text, "damaged") != NULL);
	T_CHECK(ks->nselves == 0);
	keystore_free(&ks);
}

static void
test_ruling_27_renewal_needs_the_old_key_and_the_code(void **state)
{
	struct made m = renewal(A_LABO, 2027, A_LABO);
	struct keystore *ks = empty();
	struct keyfile_result r;
	uint8_t bad[KDF_CODE_BYTES] = { 0 };

	(void)state;
	make(&m);
	T_CHECK(import(ks, code, NULL) == EC_NOKEY);
	assoc_self(ks, A_LABO, 2026);
	T_CHECK(import(ks, bad, NULL) == EC_HEADER);
	T_CHECK(import(ks, code, &r) == EC_NONE);
	T_CHECK(r.renewal && r.year == 2027 && ks->nselves == 2);
	keystore_free(&ks);
	/* P8: the code alone opens nothing, whoever else's key is held. */
	ks = empty();
	assoc_self(ks, A_DURAND, 2026);
	T_CHECK(import(ks, code, NULL) == EC_NOKEY);
	keystore_free(&ks);
}

static void
test_ruling_11_every_generation_held_is_tried(void **state)
{
	struct made m = renewal(A_LABO, 2027, LABO_2);
	struct keystore *ks = empty();

	(void)state;
	make(&m);
	assoc_self(ks, A_LABO, 2026);
	T_CHECK(import(ks, code, NULL) == EC_HEADER);
	assoc_self(ks, LABO_2, 2026);
	T_CHECK(import(ks, code, NULL) == EC_NONE);
	keystore_free(&ks);
}

static void
test_ruling_4_the_first_issuer_is_the_sender(void **state)
{
	struct made m = first(A_LABO, 2026);
	struct keystore *ks = empty();

	(void)state;
	m.said_issuer = A_WATCH;
	make(&m);
	T_CHECK(import(ks, code, NULL) == EC_AUTHORITY);
	keystore_free(&ks);
}

static void
test_ruling_4_later_files_come_from_the_issuer_known(void **state)
{
	struct made m = first(A_LABO, 2027);
	struct keystore *ks = assoc_store(A_LABO, 2026);

	(void)state;
	m.issuer = m.said_issuer = A_DURAND;
	make(&m);
	T_CHECK(import(ks, code, NULL) == EC_AUTHORITY);
	/* By name: its next generation is the same issuer. */
	m.issuer = m.said_issuer = "demo/association@demo.example#2";
	make(&m);
	T_CHECK(import(ks, code, NULL) == EC_NONE);
	keystore_free(&ks);
}

static void
test_another_key_for_the_same_year_is_refused(void **state)
{
	struct made m = first(A_LABO, 2026);
	struct keystore *ks = empty();
	uint8_t key[KDF_KEY_BYTES] = { 1 };
	const struct rec_self self = { 2026, 0, 1, 2, key, assoc_id(A_LABO) };
	const struct rec_role role = { REC_ROLE_ISSUER, assoc_id(A_ISSUER) };
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	T_RC(keystore_add_self(ks, &self, &i, &e), RC_OK);
	T_RC(keystore_add_role(ks, i, &role, &e), RC_OK);
	make(&m);
	T_CHECK(import(ks, code, NULL) == EC_AUTHORITY);
	T_CHECK(keystore_key(ks, 0)[0] == 1);
	keystore_free(&ks);
}

static void
test_conflicting_keys_are_kept_and_counted(void **state)
{
	struct made m = first(A_LABO, 2026);
	struct keystore *ks = assoc_store(A_LABO, 2026);
	uint8_t other[KDF_KEY_BYTES] = { 9 };
	struct rec more[2] = { { .type = REC_GRANT }, { .type = REC_GRANT } };
	struct keyfile_result r;
	const struct identity martin = assoc_id(A_MARTIN);
	uint8_t want[KDF_KEY_BYTES];

	(void)state;
	more[0].grant = (struct rec_grant){ 2026, other, martin };
	more[1].grant = (struct rec_grant){ 2026, other, assoc_id(A_DURAND) };
	m.more = more;
	m.nmore = 2;
	make(&m);
	T_CHECK(import(ks, code, &r) == EC_NONE);
	T_CHECK(r.nconflicts == 2);
	T_STR(r.conflict.s, A_MARTIN);
	assoc_channel(A_LABO, A_MARTIN, 2026, want);
	assert_memory_equal(ring_find(ks->ring, 0, &martin), want, 32);
	keystore_free(&ks);
}

static enum err_class
with_more(const struct rec *more)
{
	struct made m = first(A_LABO, 2026);
	struct keystore *ks = empty();
	enum err_class c;

	m.more = more;
	m.nmore = 1;
	make(&m);
	c = import(ks, code, NULL);
	keystore_free(&ks);
	return c;
}

static void
test_what_does_not_belong_into_a_key_file(void **state)
{
	static const uint8_t octets[32] = { 1 };
	struct rec r = { .type = REC_GRANT };

	(void)state;
	r.grant = (struct rec_grant){ 2027, octets, assoc_id(A_MARTIN) };
	T_CHECK(with_more(&r) == EC_AUTHORITY);
	r = (struct rec){ .type = REC_BULLETIN };
	T_CHECK(with_more(&r) == EC_AUTHORITY);
	r = (struct rec){ .type = REC_SELF };
	r.self = (struct rec_self){ 2026, 0, 1, 2, octets, assoc_id(A_LABO) };
	T_CHECK(with_more(&r) == EC_FORMAT);
	r.self.id = assoc_id(A_DURAND);
	T_CHECK(with_more(&r) == EC_FORMAT);
}

static struct rec
bar(const char *name, uint8_t min)
{
	struct rec r = { .type = REC_BAR };

	r.bar.minimum = min;
	T_CHECK(identity_parse_name(name, strlen(name), &r.bar.name));
	return r;
}

static void
test_ruling_23_key_files_carry_bars(void **state)
{
	struct made m = first(A_LABO, 2026);
	struct keystore *ks = empty();
	struct keyfile_result r;
	const struct identity durand = assoc_id(A_DURAND);
	struct rec more[2];

	(void)state;
	more[0] = bar("demo/cabinet.durand@durand.example", 2);
	more[1] = bar("demo/labo.central@labo.example", 2);
	m.more = more;
	m.nmore = 2;
	make(&m);
	T_CHECK(import(ks, code, &r) == EC_NONE);
	T_CHECK(r.nbars == 2 && r.own_min == 2);
	T_CHECK(ring_barred(ks->ring, &durand) == 2);
	/* 2.19.27: the file of the replaced generation is void by BAR. */
	m = first(A_LABO, 2027);
	make(&m);
	T_CHECK(import(ks, code, NULL) == EC_BARRED);
	m = first(LABO_2, 2027);
	make(&m);
	T_CHECK(import(ks, code, NULL) == EC_NONE);
	keystore_free(&ks);
}

/* Without an issuer nobody could ever renew it. */
static void
test_a_file_that_names_no_issuer(void **state)
{
	struct made m = first(A_LABO, 2026);
	struct keystore *ks = empty();

	(void)state;
	m.said_issuer = NULL;
	make(&m);
	T_CHECK(import(ks, code, NULL) == EC_RECORD);
	keystore_free(&ks);
}

/* Stores are read by other commands, and say so. */
static void
test_a_store_is_no_key_file(void **state)
{
	static const uint8_t key[KDF_KEY_BYTES] = { 1 };
	char machine[sizeof(path) + 8];
	const struct keystore_at at = { path, machine, NULL };
	struct keystore *ks = assoc_store(A_LABO, 2026), *to = empty();
	struct secret pass = { 0 };
	struct keyfile_result r;
	struct err e = ERR_INIT;

	(void)state;
	snprintf(machine, sizeof(machine), "%s.key", path);
	T_RC(keystore_save_fixed(ks, &at, key, key, &e), RC_OK);
	T_CHECK(import(to, code, NULL) == EC_FORMAT);
	T_CHECK(unlink(machine) == 0 && unlink(path) == 0);
	T_CHECK(secret_set(&pass, "six words of some length", 24));
	T_RC(keystore_export(ks, &pass, path, &e), RC_OK);
	T_RC(keyfile_import(to, path, code, &r, &e), RC_INPUT);
	T_CHECK(e.class == EC_FORMAT && strstr(e.text, "passphrase") != NULL);
	T_RC(keyfile_import(to, "/nonexistent/x.cle", code, &r, &e),
	    RC_CONF);
	T_CHECK(to->nselves == 0);
	secret_wipe(&pass);
	keystore_free(&ks);
	keystore_free(&to);
}

static void
test_damaged_and_foreign_files(void **state)
{
	struct made m = first(A_LABO, 2026);
	struct keystore *ks;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct keyfile_head h;

	(void)state;
	make(&m);
	T_RC(file_read(path, 1 << 20, &b, &e), RC_OK);
	for (size_t i = 0; i < b.len; i += i < 180 ? 7 : 501) {
		ks = empty();
		b.p[i] ^= 0x20;
		T_RC(file_write(path, b.p, b.len, 0600, &e), RC_OK);
		T_CHECK(import(ks, code, NULL) != EC_NONE);
		b.p[i] ^= 0x20;
		T_RC(file_write(path, b.p, i, 0600, &e), RC_OK);
		T_CHECK(import(ks, code, NULL) != EC_NONE);
		T_RC(keyfile_peek(path, &h, &e), RC_INPUT);
		T_CHECK(e.class == EC_TRUNCATED);
		keystore_free(&ks);
	}
	b.p[7] = ENV_CHANNEL;
	T_RC(file_write(path, b.p, b.len, 0600, &e), RC_OK);
	T_RC(keyfile_peek(path, &h, &e), RC_INPUT);
	T_CHECK(e.class == EC_FORMAT);
	T_RC(keyfile_peek("/nonexistent/x.cle", &h, &e), RC_CONF);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_import_says_what_is_held),
		cmocka_unit_test(test_wrong_code_is_header_always),
		cmocka_unit_test(
		    test_ruling_27_renewal_needs_the_old_key_and_the_code),
		cmocka_unit_test(test_ruling_11_every_generation_held_is_tried),
		cmocka_unit_test(test_ruling_4_the_first_issuer_is_the_sender),
		cmocka_unit_test(
		    test_ruling_4_later_files_come_from_the_issuer_known),
		cmocka_unit_test(
		    test_another_key_for_the_same_year_is_refused),
		cmocka_unit_test(test_conflicting_keys_are_kept_and_counted),
		cmocka_unit_test(test_what_does_not_belong_into_a_key_file),
		cmocka_unit_test(test_ruling_23_key_files_carry_bars),
		cmocka_unit_test(test_a_file_that_names_no_issuer),
		cmocka_unit_test(test_a_store_is_no_key_file),
		cmocka_unit_test(test_damaged_and_foreign_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
