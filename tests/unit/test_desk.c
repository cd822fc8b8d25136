/* issuer/desk: the folder that holds the root. */
#include "issuer_unit.h"
#include "vault/keystore.h"

static void
path_in(const char *dir, const char *name, char out[PATH_MAX + 32])
{
	int n = snprintf(out, PATH_MAX + 32, "%s/%s", dir, name);

	T_CHECK(n > 0 && n < PATH_MAX);
}

static void
test_init_and_open(void **state)
{
	char dir[PATH_MAX], path[PATH_MAX + 32], deep[PATH_MAX + 32];
	struct err e = ERR_INIT;
	struct desk_plan p;
	uint8_t root[KDF_KEY_BYTES];
	struct desk *d;

	(void)state;
	folder_new(dir);
	path_in(dir, "a/b", deep);
	p = plan_of(deep);
	T_RC(desk_init(&p, false, &e), RC_OK);
	T_CHECK(access(deep, F_OK) != 0);
	T_RC(desk_init(&p, true, &e), RC_OK);
	assert_int_equal(mode_of(deep), 0700);
	path_in(deep, "issuer.key", path);
	assert_int_equal(mode_of(path), 0400);
	path_in(deep, "issuer.store", path);
	assert_int_equal(mode_of(path), 0600);
	path_in(deep, "register", path);
	assert_int_equal(mode_of(path), 0600);
	T_RC(desk_open(deep, NULL, &d, &e), RC_OK);
	assert_int_equal(d->nyears, 1);
	T_CHECK(desk_root(d, p.year) != NULL);
	T_CHECK(desk_root(d, (uint16_t)(p.year + 1)) == NULL);
	memcpy(root, desk_root(d, p.year), sizeof(root));
	T_STR(d->issuer.s, "essai/association@asso.example#1");
	T_STR(members_desk(d->members, MEMBER_WATCH)->id.s,
	    "essai/veille@asso.example#1");
	T_STR(members_desk(d->members, MEMBER_HUB)->route,
	    "passerelle@poste.example");
	must_enter(d->members, "a@x.example", "", MEMBER_OTHER);
	T_RC(desk_save(d, &e), RC_OK);
	desk_close(&d);
	T_CHECK(d == NULL);
	T_RC(desk_open(deep, NULL, &d, &e), RC_OK);
	assert_int_equal(d->members->n, 4);
	assert_memory_equal(desk_root(d, p.year), root, sizeof(root));
	desk_close(&d);
	folder_remove(dir);
}

/* Two desks never have the same root, and the root is nowhere in clear. */
static void
test_root_is_fresh_and_sealed(void **state)
{
	char one[PATH_MAX], two[PATH_MAX], path[PATH_MAX + 32];
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct desk *d, *o;
	const uint8_t *root;

	(void)state;
	folder_new(one);
	folder_new(two);
	d = desk_of(one);
	o = desk_of(two);
	root = desk_root(d, this_year());
	T_CHECK(memcmp(root, desk_root(o, this_year()), KDF_KEY_BYTES) != 0);
	path_in(one, "issuer.store", path);
	T_RC(file_read(path, 65536, &b, &e), RC_OK);
	for (size_t i = 0; i + 8 <= b.len; i++)
		T_CHECK(memcmp(b.p + i, root, 8) != 0);
	buf_free(&b);
	desk_close(&d);
	desk_close(&o);
	folder_remove(one);
	folder_remove(two);
}

static void
test_passphrase(void **state)
{
	struct secret pass = SECRET_INIT, wrong = SECRET_INIT;
	char dir[PATH_MAX], path[PATH_MAX + 32];
	struct err e = ERR_INIT;
	struct desk_plan p;
	struct desk *d;

	(void)state;
	folder_new(dir);
	p = plan_of(dir);
	T_CHECK(secret_set(&pass, "correct cheval", 14));
	T_CHECK(secret_set(&wrong, "correct chevaux", 15));
	p.pass = &pass;
	T_RC(desk_init(&p, true, &e), RC_OK);
	path_in(dir, "issuer.key", path);
	T_CHECK(access(path, F_OK) != 0);
	T_RC(desk_open(dir, NULL, &d, &e), RC_CONF);
	T_CHECK(strstr(e.text, "--pass-file") != NULL);
	T_RC(desk_open(dir, &wrong, &d, &e), RC_CONF);
	T_CHECK(d == NULL && strstr(e.text, "wrong passphrase") != NULL);
	T_RC(desk_open(dir, &pass, &d, &e), RC_OK);
	desk_close(&d);
	secret_wipe(&pass);
	secret_wipe(&wrong);
	folder_remove(dir);
}

static void
refused(struct desk_plan p, const char *why)
{
	struct err e = ERR_INIT;

	T_RC(desk_init(&p, true, &e), RC_CONF);
	T_CHECK(strstr(e.text, why) != NULL);
}

static void
test_plans_refused(void **state)
{
	char dir[PATH_MAX], call[MEMBERS_CALL_BYTES + 2];
	struct desk_plan p, q;

	(void)state;
	folder_new(dir);
	p = plan_of(dir);
	q = p;
	q.assoc = "Essai";
	refused(q, "--assoc");
	q = p;
	q.assoc = "";
	refused(q, "--assoc");
	q = p;
	q.assoc = "a/b";
	refused(q, "--assoc");
	q = p;
	q.assoc = "abcdefghijklmnopqrstuvwxyz0123456";
	refused(q, "--assoc");
	q = p;
	q.domain = "localhost";
	refused(q, "association@localhost");
	q = p;
	q.year = (uint16_t)(p.year - 2);
	refused(q, "any more");
	q = p;
	q.year = (uint16_t)(p.year + 3);
	refused(q, "too far ahead");
	q = p;
	q.watch = "association@asso.example";
	refused(q, "association@asso.example");
	q = p;
	q.hub_route = "nowhere";
	refused(q, "route");
	q = p;
	q.call = "a\nb";
	refused(q, "--call");
	memset(call, 'c', sizeof(call));
	call[sizeof(call) - 1] = '\0';
	q = p;
	q.call = call;
	refused(q, "--call");
	assert_int_equal(rmdir(dir), 0);
}

static void
test_folders_refused(void **state)
{
	char dir[PATH_MAX], path[PATH_MAX + 32];
	struct err e = ERR_INIT;
	struct desk *d, *second;

	(void)state;
	folder_new(dir);
	T_RC(desk_open(dir, NULL, &d, &e), RC_CONF);
	T_CHECK(chmod(dir, 0750) == 0);
	refused(plan_of(dir), "chmod");
	T_CHECK(chmod(dir, 0700) == 0);
	d = desk_of(dir);
	refused(plan_of(dir), "not empty");
	T_RC(desk_open(dir, NULL, &second, &e), RC_CONF);
	T_CHECK(strstr(e.text, "another sceau") != NULL);
	desk_close(&d);
	path_in(dir, "issuer.key", path);
	T_CHECK(chmod(path, 0440) == 0);
	T_RC(desk_open(dir, NULL, &d, &e), RC_CONF);
	T_CHECK(strstr(e.text, "chmod") != NULL);
	T_CHECK(chmod(path, 0400) == 0);
	T_CHECK(chmod(dir, 0711) == 0);
	T_RC(desk_open(dir, NULL, &d, &e), RC_CONF);
	T_CHECK(chmod(dir, 0700) == 0);
	folder_remove(dir);
}

/* One octet in any of the three files. */
static void
test_damage(void **state)
{
	static const char *const names[] = { "issuer.key", "issuer.store",
	    "register" };
	char dir[PATH_MAX], path[PATH_MAX + 32];
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct desk *d;

	(void)state;
	folder_new(dir);
	d = desk_of(dir);
	desk_close(&d);
	for (size_t i = 0; i < 3; i++) {
		path_in(dir, names[i], path);
		T_RC(file_read(path, 65536, &b, &e), RC_OK);
		b.p[20] ^= 1;
		T_RC(file_write(path, b.p, b.len, 0400, &e), RC_OK);
		T_RC(desk_open(dir, NULL, &d, &e), RC_CONF);
		b.p[20] ^= 1;
		T_RC(file_write(path, b.p, b.len, 0600, &e), RC_OK);
		T_RC(desk_open(dir, NULL, &d, &e), RC_OK);
		desk_close(&d);
	}
	buf_free(&b);
	folder_remove(dir);
}

/* A desk's store is no member's store. */
static void
test_is_not_a_key_store(void **state)
{
	char dir[PATH_MAX], store[PATH_MAX + 32], key[PATH_MAX + 32];
	const struct keystore_at at = { store, key, NULL };
	struct err e = ERR_INIT;
	struct keystore *ks;
	struct desk *d;

	(void)state;
	folder_new(dir);
	d = desk_of(dir);
	desk_close(&d);
	path_in(dir, "issuer.store", store);
	path_in(dir, "issuer.key", key);
	T_CHECK(keystore_load(&at, &ks, &e) != RC_OK);
	folder_remove(dir);
}

/* PROTOCOL 2.19.26 */
static void
test_dates(void **state)
{
	struct desk_dates d = desk_dates(2027, clock_utc(2026, 11, 15));

	(void)state;
	T_CHECK(d.from_at == clock_utc(2027, 1, 1));
	T_CHECK(d.send_until_at == clock_utc(2028, 2, 1));
	T_CHECK(d.read_until_at == clock_utc(2028, 4, 1));
	d = desk_dates(2027, clock_utc(2027, 6, 3) + 5);
	T_CHECK(d.from_at == clock_utc(2027, 6, 3) + 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_and_open),
		cmocka_unit_test(test_root_is_fresh_and_sealed),
		cmocka_unit_test(test_passphrase),
		cmocka_unit_test(test_plans_refused),
		cmocka_unit_test(test_folders_refused),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_is_not_a_key_store),
		cmocka_unit_test(test_dates),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
