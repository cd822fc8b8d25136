/* issuer/desk: its folder, and the root that is not in it. */
#include "issuer_unit.h"

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
	path_in(deep, "years", path);
	assert_int_equal(mode_of(path), 0600);
	path_in(deep, "register", path);
	assert_int_equal(mode_of(path), 0600);
	T_RC(desk_open(deep, &d, &e), RC_OK);
	assert_int_equal(d->nyears, 1);
	T_CHECK(desk_knows(d, p.year) && desk_root(d, p.year) == NULL);
	T_CHECK(!desk_knows(d, (uint16_t)(p.year + 1)));
	desk_ready(d);
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
	T_RC(desk_open(deep, &d, &e), RC_OK);
	assert_int_equal(d->members->n, 4);
	T_CHECK(desk_root(d, p.year) == NULL);
	desk_ready(d);
	assert_memory_equal(desk_root(d, p.year), root, sizeof(root));
	desk_close(&d);
	folder_remove(dir);
}

/* Any two, in any order, also with those of others between them. */
static void
test_two_of_three(void **state)
{
	char dir[PATH_MAX];
	struct err e = ERR_INIT;
	uint8_t root[KDF_KEY_BYTES] = { 0 };
	struct custody c[3], pair[2];
	struct desk *d;

	(void)state;
	folder_new(dir);
	d = desk_of(dir);
	for (unsigned i = 0; i < 3; i++) {
		c[i] = sheet_of(dir, i + 1);
		assert_int_equal(custody_number(&c[i]), i + 1);
	}
	for (size_t i = 0; i < 9; i++) {
		desk_close(&d);
		T_RC(desk_open(dir, &d, &e), RC_OK);
		pair[0] = c[i / 3];
		pair[1] = c[i % 3];
		if (i / 3 == i % 3) {
			T_RC(desk_join(d, this_year(), pair, 2, &e), RC_INPUT);
			T_CHECK(strstr(e.text, "is missing") != NULL);
			T_CHECK(desk_root(d, this_year()) == NULL);
			continue;
		}
		T_RC(desk_join(d, this_year(), pair, 2, &e), RC_OK);
		if (i == 1)
			memcpy(root, desk_root(d, this_year()), sizeof(root));
		assert_memory_equal(desk_root(d, this_year()), root,
		    sizeof(root));
	}
	T_RC(desk_join(d, this_year(), c, 3, &e), RC_OK);
	desk_close(&d);
	folder_remove(dir);
}

static void
join_refused(struct desk *d, struct custody a, struct custody b,
    const char *why)
{
	const struct custody c[] = { a, b };
	struct err e = ERR_INIT;

	T_RC(desk_join(d, this_year(), c, 2, &e), RC_INPUT);
	T_CHECK(strstr(e.text, why) != NULL);
	T_CHECK(desk_root(d, this_year()) == NULL);
}

static void
test_wrong_custodians(void **state)
{
	char one[PATH_MAX], two[PATH_MAX];
	struct err e = ERR_INIT;
	struct custody a, b, x;
	struct desk *d, *o;

	(void)state;
	folder_new(one);
	folder_new(two);
	d = desk_of(one);
	o = desk_of(two);
	a = sheet_of(one, 1);
	b = sheet_of(one, 2);
	x = sheet_of(two, 2);
	T_RC(desk_join(d, this_year(), &a, 1, &e), RC_INPUT);
	T_CHECK(strstr(e.text, "part 1 is missing") != NULL);
	T_RC(desk_join(d, this_year(), NULL, 0, &e), RC_INPUT);
	T_RC(desk_join(d, (uint16_t)(this_year() + 1), &a, 1, &e), RC_CONF);
	join_refused(d, a, x, "custodian 2 is of no root");
	x = b;
	x.parts[0].share[7] ^= 4;
	join_refused(d, a, x, "do not fit together");
	x = b;
	x.parts[1].share[7] ^= 4;
	join_refused(d, a, x, "do not fit together");
	desk_close(&d);
	desk_close(&o);
	folder_remove(one);
	folder_remove(two);
}

/* A second year: its sheets do for it alone, and both may be on the table. */
static void
test_two_years(void **state)
{
	char dir[PATH_MAX], path[PATH_MAX + 32];
	const uint16_t next = (uint16_t)(this_year() + 1);
	struct err e = ERR_INIT;
	struct buf text = BUF_INIT;
	uint8_t root[KDF_KEY_BYTES];
	struct custody c[4];
	struct desk *d;

	(void)state;
	folder_new(dir);
	d = desk_of(dir);
	path_in(dir, "custodians", path);
	T_RC(desk_year_make(d, next, path, true, &e), RC_OK);
	memcpy(root, desk_root(d, next), sizeof(root));
	T_CHECK(desk_root(d, this_year()) == NULL);
	desk_close(&d);
	T_RC(desk_open(dir, &d, &e), RC_OK);
	assert_int_equal(d->nyears, 2);
	c[0] = sheet_of(dir, 1);
	c[2] = sheet_of(dir, 3);
	for (unsigned i = 0; i < 2; i++) {
		char name[64];

		snprintf(name, sizeof(name), "custodians/custodian-%u.%u.txt",
		    i + 2, next);
		path_in(dir, name, path);
		T_RC(file_read(path, CUSTODY_FILE_MAX, &text, &e), RC_OK);
		T_RC(custody_parse((const char *)text.p, text.len,
		    &c[2 * i + 1], &e), RC_OK);
	}
	buf_free(&text);
	join_refused(d, c[0], c[1], "of two custodians of");
	T_RC(desk_join(d, next, c, 4, &e), RC_OK);
	assert_memory_equal(desk_root(d, next), root, sizeof(root));
	T_CHECK(desk_root(d, this_year()) == NULL);
	T_RC(desk_join(d, this_year(), c, 4, &e), RC_OK);
	T_CHECK(memcmp(desk_root(d, this_year()), root, sizeof(root)) != 0);
	desk_close(&d);
	folder_remove(dir);
}

static void
test_no_sheet_is_replaced(void **state)
{
	char dir[PATH_MAX], second[PATH_MAX + 32], sheets[PATH_MAX + 32];
	struct err e = ERR_INIT;
	struct desk_plan p;
	struct desk *d;

	(void)state;
	folder_new(dir);
	d = desk_of(dir);
	desk_close(&d);
	path_in(dir, "second", second);
	path_in(dir, "custodians", sheets);
	p = plan_of(second);
	p.sheets = sheets;
	T_RC(desk_init(&p, true, &e), RC_CONF);
	T_RC(desk_open(dir, &d, &e), RC_OK);
	desk_ready(d);
	desk_close(&d);
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
	char dir[PATH_MAX];
	struct err e = ERR_INIT;
	struct desk *d, *second;

	(void)state;
	folder_new(dir);
	T_RC(desk_open(dir, &d, &e), RC_CONF);
	T_CHECK(chmod(dir, 0750) == 0);
	refused(plan_of(dir), "chmod");
	T_CHECK(chmod(dir, 0700) == 0);
	d = desk_of(dir);
	refused(plan_of(dir), "not empty");
	T_RC(desk_open(dir, &second, &e), RC_CONF);
	T_CHECK(strstr(e.text, "another sceau") != NULL);
	desk_close(&d);
	T_CHECK(chmod(dir, 0711) == 0);
	T_RC(desk_open(dir, &d, &e), RC_CONF);
	T_CHECK(chmod(dir, 0700) == 0);
	folder_remove(dir);
}

/* What is not as it was written is said, not guessed. */
static void
test_damage(void **state)
{
	static const char *const bad[] = { "", "sceau years 1",
	    "sceau years 2\n2026\t000102030405060708090a0b\n",
	    "sceau years 1\n2026\t000102030405060708090a0b",
	    "sceau years 1\n2026\t000102030405060708090a0\n",
	    "sceau years 1\n2026 000102030405060708090a0b\n",
	    "sceau years 1\n26\t000102030405060708090a0b\n",
	    ("sceau years 1\n2026\t000102030405060708090a0b\n"
	    "2026\t000102030405060708090a0b\n") };
	char dir[PATH_MAX], path[PATH_MAX + 32];
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct desk *d;

	(void)state;
	folder_new(dir);
	d = desk_of(dir);
	desk_close(&d);
	path_in(dir, "register", path);
	T_RC(file_read(path, 65536, &b, &e), RC_OK);
	b.p[20] ^= 1;
	T_RC(file_write(path, b.p, b.len, 0600, &e), RC_OK);
	T_RC(desk_open(dir, &d, &e), RC_CONF);
	b.p[20] ^= 1;
	T_RC(file_write(path, b.p, b.len, 0600, &e), RC_OK);
	path_in(dir, "years", path);
	T_RC(file_read(path, 65536, &b, &e), RC_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		T_RC(file_write(path, bad[i], strlen(bad[i]), 0600, &e),
		    RC_OK);
		T_RC(desk_open(dir, &d, &e), RC_CONF);
		T_CHECK(strstr(e.text, "damaged") != NULL);
	}
	T_CHECK(buf_add(&b, "\0x\n", 3));
	T_RC(file_write(path, b.p, b.len, 0600, &e), RC_OK);
	T_RC(desk_open(dir, &d, &e), RC_CONF);
	b.len -= 3;
	/* A check that no root has. */
	b.p[b.len - 2] = b.p[b.len - 2] == '0' ? '1' : '0';
	T_RC(file_write(path, b.p, b.len, 0600, &e), RC_OK);
	T_RC(desk_open(dir, &d, &e), RC_OK);
	join_refused(d, sheet_of(dir, 1), sheet_of(dir, 2), "of no root");
	desk_close(&d);
	buf_free(&b);
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
		cmocka_unit_test(test_two_of_three),
		cmocka_unit_test(test_wrong_custodians),
		cmocka_unit_test(test_two_years),
		cmocka_unit_test(test_no_sheet_is_replaced),
		cmocka_unit_test(test_plans_refused),
		cmocka_unit_test(test_folders_refused),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_dates),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
