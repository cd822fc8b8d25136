/* issuer/batch: pairs of key files and letters. */
#include "issuer_unit.h"

#include <dirent.h>

#include "issuer/batch.h"
#include "vault/code.h"
#include "vault/keyfile.h"

struct seen {
	size_t		 n, made;
	size_t		 of;
	char		 key[8][PATH_MAX];
	char		 letter[8][PATH_MAX];
	char		 digits[8][LETTER_DIGITS_BYTES];
	size_t		 grants[8];
	enum rc		 say;
};

static enum rc
see(void *ctx, const struct batch_done *d, struct err *e)
{
	struct seen *s = ctx;

	T_CHECK(s->n < 8 && d->at == s->n + 1);
	snprintf(s->key[s->n], PATH_MAX, "%s", d->key_path);
	snprintf(s->letter[s->n], PATH_MAX, "%s", d->letter_path);
	memcpy(s->digits[s->n], d->digits, LETTER_DIGITS_BYTES);
	s->grants[s->n++] = d->grants;
	s->made += d->made;
	s->of = d->of;
	return s->say == RC_OK ? RC_OK : err_set(e, s->say, "enough");
}

struct world {
	char		 dir[PATH_MAX];
	char		 out[PATH_MAX];
	struct desk	*d;
	struct batch_plan plan;
	struct seen	*seen;
};

static struct world
world_new(void)
{
	struct world w;

	folder_new(w.dir);
	folder_new(w.out);
	w.d = desk_of(w.dir);
	desk_ready(w.d);
	must_enter(w.d->members, "labo@x.example", "bio", MEMBER_LABORATORY);
	must_enter(w.d->members, "martin@x.example", "bio", MEMBER_PRACTICE);
	must_enter(w.d->members, "martin@y.example", "", MEMBER_PRACTICE);
	w.plan = (struct batch_plan){ .desk = w.d, .nyears = 1,
	    .years = { this_year() }, .really = true };
	w.seen = calloc(1, sizeof(*w.seen));
	T_CHECK(w.seen != NULL);
	return w;
}

static enum rc
run(struct world *w)
{
	struct err e = ERR_INIT;

	w->plan.out = w->out;
	memset(w->seen, 0, offsetof(struct seen, say));
	return batch_run(&w->plan, see, w->seen, &e);
}

static void
world_free(struct world *w)
{
	desk_close(&w->d);
	folder_remove(w->dir);
	folder_remove(w->out);
	free(w->seen);
}

static void
code_of(const char *letter, uint8_t code[CODE_BYTES])
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	const char *at;

	T_RC(file_read(letter, 65536, &b, &e), RC_OK);
	at = strstr(buf_str(&b), "Code");
	T_CHECK(at != NULL && (at = strchr(at, '\n')) != NULL);
	T_RC(code_parse(at - CODE_TEXT_BYTES + 1, CODE_TEXT_BYTES - 1, code,
	    &e), RC_OK);
	buf_free(&b);
}

static enum rc
import(const char *key, const char *letter, struct keyfile_result *res)
{
	uint8_t code[CODE_BYTES];
	struct err e = ERR_INIT;
	struct keystore *ks;
	enum rc rc;

	code_of(letter, code);
	T_RC(keystore_new(0, &ks, &e), RC_OK);
	rc = keyfile_import(ks, key, code, res, &e);
	if (rc == RC_INPUT)
		assert_int_equal(e.class, EC_HEADER);
	keystore_free(&ks);
	return rc;
}

/* Everybody but the issuer; every file opens with its own code only. */
static void
test_pairs(void **state)
{
	struct world w = world_new();
	struct keyfile_result res;

	(void)state;
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->n, 5);
	assert_int_equal(w.seen->of, 5);
	assert_int_equal(w.seen->made, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(mode_of(w.seen->key[i]), 0600);
		assert_int_equal(mode_of(w.seen->letter[i]), 0600);
		assert_int_equal(w.seen->grants[i], 4);
		T_RC(import(w.seen->key[i], w.seen->letter[i], &res), RC_OK);
		assert_int_equal(res.nkeys, 4);
		assert_int_equal(res.nentries, 4);
		assert_int_equal(res.year, this_year());
		T_STR(res.issuer.s, "essai/association@asso.example#1");
		T_STR(res.self.s, w.d->members->v[i + 1].id.s);
		T_RC(import(w.seen->key[i], w.seen->letter[(i + 1) % 5],
		    &res), RC_INPUT);
	}
	world_free(&w);
}

static void
test_names(void **state)
{
	struct world w = world_new();
	char want[64];

	(void)state;
	must_enter(w.d->members, "-x@x.example", "", MEMBER_OTHER);
	must_enter(w.d->members, "_-x@y.example", "", MEMBER_OTHER);
	T_RC(run(&w), RC_OK);
	snprintf(want, sizeof(want), "/keys/martin.%u.cle", this_year());
	T_CHECK(strstr(w.seen->key[3], want) != NULL);
	snprintf(want, sizeof(want), "/letters/martin.%u.txt", this_year());
	T_CHECK(strstr(w.seen->letter[3], want) != NULL);
	snprintf(want, sizeof(want), "/keys/martin@y.example.%u.cle",
	    this_year());
	T_CHECK(strstr(w.seen->key[4], want) != NULL);
	T_CHECK(strstr(w.seen->key[5], "/keys/_-x@x.example.") != NULL);
	assert_int_equal(w.seen->made, 7);
	world_free(&w);
}

static void
test_digits(void **state)
{
	struct world w = world_new();
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	uint8_t hash[KDF_KEY_BYTES];
	char hex[2 * KDF_KEY_BYTES + 1];

	(void)state;
	T_RC(run(&w), RC_OK);
	T_RC(file_read(w.seen->key[2], 65536, &b, &e), RC_OK);
	kdf_hash_of(b.p, b.len, hash);
	hex_format(hash, sizeof(hash), hex);
	assert_int_equal(strlen(w.seen->digits[2]), 8);
	assert_memory_equal(w.seen->digits[2], hex, 8);
	T_RC(file_read(w.seen->letter[2], 65536, &b, &e), RC_OK);
	T_CHECK(strstr(buf_str(&b), w.seen->digits[2]) != NULL);
	buf_free(&b);
	world_free(&w);
}

/* What has a letter is left alone; what has none is made again. */
static void
test_goes_on(void **state)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct world w = world_new();
	struct keyfile_result res;
	struct err e = ERR_INIT;
	char left[PATH_MAX + 32];

	(void)state;
	w.seen->say = RC_TEMP;
	T_RC(run(&w), RC_TEMP);
	assert_int_equal(w.seen->n, 1);
	w.seen->say = RC_OK;
	/* All pairs of a group were there before the first was told. */
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->n, 5);
	assert_int_equal(w.seen->made, 0);
	T_RC(file_read(w.seen->key[1], 65536, &before, &e), RC_OK);
	T_CHECK(unlink(w.seen->letter[2]) == 0);
	snprintf(left, sizeof(left), "%s.tmp", w.seen->letter[1]);
	T_RC(file_write(left, "x", 1, 0600, &e), RC_OK);
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->made, 1);
	T_CHECK(access(left, F_OK) != 0);
	T_RC(file_read(w.seen->key[1], 65536, &after, &e), RC_OK);
	T_CHECK(before.len == after.len &&
	    memcmp(before.p, after.p, after.len) == 0);
	T_RC(import(w.seen->key[2], w.seen->letter[2], &res), RC_OK);
	buf_free(&before);
	buf_free(&after);
	world_free(&w);
}

/* What the register on disk says now. */
static struct members *
saved(const struct world *w)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char path[PATH_MAX + 16];
	struct members *m;

	snprintf(path, sizeof(path), "%s/register", w->dir);
	T_RC(file_read(path, MEMBERS_FILE_MAX, &b, &e), RC_OK);
	T_RC(members_parse(b.p, b.len, &m, &e), RC_OK);
	buf_free(&b);
	return m;
}

/* Who has a key of the year, and knows whom; also of a run that broke off. */
static void
test_remembers(void **state)
{
	struct world w = world_new();
	struct members *all = w.d->members, *m;
	const uint16_t year = this_year();

	(void)state;
	w.seen->say = RC_TEMP;
	T_RC(run(&w), RC_TEMP);
	m = saved(&w);
	assert_int_equal(m->n, 6);
	assert_int_equal(member_told(&m->v[0], year), -1);
	for (size_t i = 1; i < 6; i++)
		assert_int_equal(member_told(&m->v[i], year), m->changed_at);
	members_free(&m);
	/* A letter of a run that died before it was noted. */
	memset(all->v[1].marks, 0, sizeof(all->v[1].marks));
	w.seen->say = RC_OK;
	T_RC(run(&w), RC_OK);
	m = saved(&w);
	assert_int_equal(member_told(&m->v[0], year), -1);
	assert_int_equal(member_told(&m->v[1], year), 0);
	for (size_t i = 2; i < 6; i++)
		assert_int_equal(member_told(&m->v[i], year), m->changed_at);
	members_free(&m);
	world_free(&w);
}

static size_t
files_in(const char *out, const char *folder)
{
	char path[PATH_MAX + 16];
	const struct dirent *entry;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", out, folder);
	T_CHECK((d = opendir(path)) != NULL);
	while ((entry = readdir(d)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

/* A name that cannot be given, the third of five: no letter is there, nobody
 * is told, nothing half stays; the next run makes all. */
static void
test_no_name(void **state)
{
	struct world w = world_new();
	const uint16_t year = this_year();
	struct keyfile_result res;
	char path[PATH_MAX];

	(void)state;
	T_RC(run(&w), RC_OK);
	for (size_t i = 0; i < 5; i++) {
		T_CHECK(unlink(w.seen->letter[i]) == 0);
		T_CHECK(unlink(w.seen->key[i]) == 0);
	}
	for (size_t i = 0; i < 6; i++)
		memset(w.d->members->v[i].marks, 0,
		    sizeof(w.d->members->v[i].marks));
	memcpy(path, w.seen->key[2], sizeof(path));
	T_CHECK(mkdir(path, 0700) == 0);
	T_RC(run(&w), RC_TEMP);
	assert_int_equal(w.seen->n, 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(member_told(&w.d->members->v[i], year), -1);
	assert_int_equal(files_in(w.out, "keys"), 3);
	assert_int_equal(files_in(w.out, "letters"), 1);	/* print-001 */
	T_CHECK(rmdir(path) == 0);
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->made, 5);
	T_RC(import(w.seen->key[0], w.seen->letter[0], &res), RC_OK);
	world_free(&w);
}

/* Those of the table who have no key, and nobody else. */
static void
test_table(void **state)
{
	struct world w = world_new();
	struct members *all = w.d->members;

	(void)state;
	T_RC(run(&w), RC_OK);
	must_enter(all, "added@x.example", "", MEMBER_PRACTICE);
	must_enter(all, "new@x.example", "", MEMBER_PRACTICE);
	all->v[6].listed = false;
	T_CHECK(all->v[5].listed && all->v[7].listed);
	w.plan.whom = BATCH_TABLE;
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->n, 1);
	/* Not "added", who can open nothing yet. */
	assert_int_equal(w.seen->grants[0], 5);
	T_CHECK(strstr(w.seen->key[0], "/keys/new.") != NULL);
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->n, 0);
	world_free(&w);
}

/* One member's new generation: files of their own, the rest untouched, and
 * his old name barred in whatever is made later. */
static void
test_one(void **state)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct world w = world_new();
	struct keyfile_result res;
	struct err e = ERR_INIT;
	struct members *m;
	char first[PATH_MAX];

	(void)state;
	T_RC(run(&w), RC_OK);
	memcpy(first, w.seen->key[3], sizeof(first));
	T_RC(file_read(first, 65536, &before, &e), RC_OK);
	w.plan.whom = BATCH_ONE;
	w.plan.one = &w.d->members->v[4];
	T_RC(members_reissue(w.d->members, &w.d->members->v[4], &e), RC_OK);
	w.seen->say = RC_TEMP;
	T_RC(run(&w), RC_TEMP);
	m = saved(&w);
	assert_int_equal(m->v[4].id.gen, 1);
	members_free(&m);
	w.seen->say = RC_OK;
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->n, 1);
	assert_int_equal(w.seen->made, 0);
	T_CHECK(unlink(w.seen->letter[0]) == 0);
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->made, 1);
	m = saved(&w);
	assert_int_equal(m->v[4].id.gen, 2);
	members_free(&m);
	T_RC(import(w.seen->key[0], w.seen->letter[0], &res), RC_OK);
	T_STR(res.self.s, "essai/martin@x.example#2");
	assert_int_equal(res.nbars, 0);
	T_RC(file_read(first, 65536, &after, &e), RC_OK);
	T_CHECK(before.len == after.len &&
	    memcmp(before.p, after.p, after.len) == 0);
	must_enter(w.d->members, "new@x.example", "", MEMBER_PRACTICE);
	w.plan.whom = BATCH_TABLE;
	T_RC(run(&w), RC_OK);
	T_RC(import(w.seen->key[0], w.seen->letter[0], &res), RC_OK);
	assert_int_equal(res.nbars, 1);
	buf_free(&before);
	buf_free(&after);
	world_free(&w);
}

static void
test_dry(void **state)
{
	struct world w = world_new();
	char keys[PATH_MAX + 8];

	(void)state;
	w.plan.really = false;
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->made, 5);
	snprintf(keys, sizeof(keys), "%s/keys", w.out);
	T_CHECK(access(keys, F_OK) != 0);
	world_free(&w);
}

static void
test_refuses(void **state)
{
	struct world w = world_new();

	(void)state;
	w.plan.years[0]++;
	T_RC(run(&w), RC_CONF);
	w.plan.years[0]--;
	/* The hub has left. */
	w.d->members->v[2].excluded = true;
	w.d->members->policy = MEMBERS_GATEWAY;
	T_RC(run(&w), RC_CONF);
	w.d->members->policy = MEMBERS_LIST;
	T_RC(run(&w), RC_OK);
	assert_int_equal(w.seen->n, 4);
	world_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_remembers),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_dry),
		cmocka_unit_test(test_refuses),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
