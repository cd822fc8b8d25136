/* issuer/acts: a journal in which nothing is changed unseen. */
#include "issuer_unit.h"
#include "issuer/acts.h"

struct seen {
	unsigned	 n;
	bool		 whole[16];
	int64_t		 at[16];
	char		 act[16][32];
	char		 what[16][200];
};

static enum rc
see(void *ctx, const struct act *a, struct err *e)
{
	struct seen *s = ctx;

	(void)e;
	T_CHECK(s->n < 16 && a->line == s->n + 1);
	s->whole[s->n] = a->whole;
	s->at[s->n] = a->at;
	snprintf(s->act[s->n], sizeof(s->act[0]), "%s", a->act);
	snprintf(s->what[s->n], sizeof(s->what[0]), "%s", a->what);
	s->n++;
	return RC_OK;
}

static struct acts_sum
must_read(const char *dir, struct seen *s)
{
	struct err e = ERR_INIT;
	struct acts_sum sum;

	memset(s, 0, sizeof(*s));
	T_RC(acts_read(dir, see, s, &sum, &e), RC_OK);
	T_CHECK(sum.n == s->n);
	return sum;
}

struct world {
	char		 dir[PATH_MAX];
	char		 path[PATH_MAX];
	struct desk	*d;
	struct seen	 seen;
	struct err	 e;
};

static void
note(struct world *w, const char *act, const char *what)
{
	T_RC(acts_note(w->d, act, what, &w->e), RC_OK);
}

static void
setup(struct world *w)
{
	memset(w, 0, sizeof(*w));
	folder_new(w->dir);
	w->d = desk_of(w->dir);
	T_RC(desk_path(w->dir, "acts", w->path, &w->e), RC_OK);
	note(w, "add", "added=3 held=0 members=6");
	note(w, "batch", "year=2027 make=5");
	note(w, "leave", "identity=essai/a@b.example#1");
}

static void
end(struct world *w)
{
	desk_close(&w->d);
	folder_remove(w->dir);
}

static void
test_lines_in_order(void **state)
{
	struct world w;
	struct acts_sum sum;

	(void)state;
	setup(&w);
	sum = must_read(w.dir, &w.seen);
	assert_int_equal(w.seen.n, 4);
	assert_int_equal(sum.broken, 0);
	T_STR(w.seen.act[0], "init");
	T_STR(w.seen.act[2], "batch");
	T_STR(w.seen.what[2], "year=2027 make=5");
	for (size_t i = 0; i < 4; i++) {
		T_CHECK(w.seen.whole[i]);
		T_CHECK(w.seen.at[i] <= clock_now() &&
		    w.seen.at[i] > clock_now() - 3600);
	}
	assert_int_equal(strlen(sum.last), 2 * CHAIN_HASH_BYTES);
	assert_int_equal(mode_of(w.path), 0600);
	end(&w);
}

static void
test_a_line_stays_one_line(void **state)
{
	struct world w;

	(void)state;
	setup(&w);
	note(&w, "add", "a\tb\nc\x7f é");
	assert_int_equal(must_read(w.dir, &w.seen).broken, 0);
	assert_int_equal(w.seen.n, 5);
	T_STR(w.seen.what[4], "a?b?c? é");
	end(&w);
}

/* Each octet of it, changed alone: told at that line or, when it was a line's
 * end that joins two, at the first of them. */
static void
test_each_octet_changed(void **state)
{
	struct buf b = BUF_INIT;
	unsigned line = 1;
	struct world w;

	(void)state;
	setup(&w);
	T_RC(file_read(w.path, 65536, &b, &w.e), RC_OK);
	for (size_t i = 0; i + 1 < b.len; i++) {
		b.p[i] ^= 1;
		T_RC(file_write(w.path, b.p, b.len, 0600, &w.e), RC_OK);
		assert_int_equal(must_read(w.dir, &w.seen).broken, line);
		b.p[i] ^= 1;
		line += b.p[i] == '\n';
	}
	buf_free(&b);
	end(&w);
}

/* A line taken out, and two that change places. */
static void
test_lines_moved(void **state)
{
	struct buf b = BUF_INIT, c = BUF_INIT;
	size_t at[5] = { 0 }, n = 1;
	struct world w;

	(void)state;
	setup(&w);
	T_RC(file_read(w.path, 65536, &b, &w.e), RC_OK);
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] == '\n')
			at[n++] = i + 1;
	assert_int_equal(n, 5);
	T_CHECK(buf_add(&c, b.p, at[1]) &&
	    buf_add(&c, b.p + at[2], b.len - at[2]));
	T_RC(file_write(w.path, c.p, c.len, 0600, &w.e), RC_OK);
	assert_int_equal(must_read(w.dir, &w.seen).broken, 2);
	T_CHECK(w.seen.whole[0] && !w.seen.whole[1] && w.seen.whole[2]);
	buf_wipe(&c);
	T_CHECK(buf_add(&c, b.p + at[1], b.len - at[1]));
	T_RC(file_write(w.path, c.p, c.len, 0600, &w.e), RC_OK);
	assert_int_equal(must_read(w.dir, &w.seen).broken, 1);
	buf_wipe(&c);
	T_CHECK(buf_add(&c, b.p, at[1]) &&
	    buf_add(&c, b.p + at[2], at[3] - at[2]) &&
	    buf_add(&c, b.p + at[1], at[2] - at[1]) &&
	    buf_add(&c, b.p + at[3], b.len - at[3]));
	T_RC(file_write(w.path, c.p, c.len, 0600, &w.e), RC_OK);
	assert_int_equal(must_read(w.dir, &w.seen).broken, 2);
	buf_free(&b);
	buf_free(&c);
	end(&w);
}

/* Half a line that was never confirmed is no act, and the next replaces it. */
static void
test_a_power_cut(void **state)
{
	struct buf b = BUF_INIT;
	struct world w;

	(void)state;
	setup(&w);
	T_RC(file_read(w.path, 65536, &b, &w.e), RC_OK);
	T_RC(file_write(w.path, b.p, b.len - 9, 0600, &w.e), RC_OK);
	assert_int_equal(must_read(w.dir, &w.seen).broken, 0);
	assert_int_equal(w.seen.n, 3);
	note(&w, "leave", "identity=essai/a@b.example#1");
	assert_int_equal(must_read(w.dir, &w.seen).broken, 0);
	assert_int_equal(w.seen.n, 4);
	buf_free(&b);
	end(&w);
}

/* A line longer than what is read at first, and half of such a line. */
static void
test_a_long_line(void **state)
{
	struct buf b = BUF_INIT;
	char what[10001];
	struct world w;

	(void)state;
	setup(&w);
	memset(what, 'x', sizeof(what));
	for (size_t len = 3900; len < sizeof(what); len += len < 4200 ? 1 :
	    len / 8) {
		what[len] = '\0';
		T_RC(file_write(w.path, "", 0, 0600, &w.e), RC_OK);
		note(&w, "batch", "year=2027 make=5");
		note(&w, "add", what);
		note(&w, "add", "a");
		assert_int_equal(must_read(w.dir, &w.seen).broken, 0);
		assert_int_equal(w.seen.n, 3);
		T_RC(file_read(w.path, 65536, &b, &w.e), RC_OK);
		what[len] = 'x';
		T_CHECK(buf_add(&b, what, len));
		T_RC(file_write(w.path, b.p, b.len, 0600, &w.e), RC_OK);
		note(&w, "leave", "identity=essai/a@b.example#1");
		assert_int_equal(must_read(w.dir, &w.seen).broken, 0);
		assert_int_equal(w.seen.n, 4);
	}
	buf_free(&b);
	end(&w);
}

/* Octets that this process has read; 0 where nobody counts them. */
static unsigned long long
octets_read(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	unsigned long long n = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "rchar: %llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

/* After many years it takes no longer. */
static void
test_only_the_end_is_read(void **state)
{
	struct buf b = BUF_INIT;
	unsigned long long before;
	struct world w;
	size_t one;

	(void)state;
	setup(&w);
	T_RC(file_read(w.path, 65536, &b, &w.e), RC_OK);
	one = b.len;
	while (b.len < 1000000)
		T_CHECK(buf_reserve(&b, one) && buf_add(&b, b.p, one));
	T_RC(file_write(w.path, b.p, b.len, 0600, &w.e), RC_OK);
	before = octets_read();
	note(&w, "add", "added=1");
	T_CHECK(octets_read() - before < 50000);
	T_RC(file_read(w.path, 2000000, &b, &w.e), RC_OK);
	T_CHECK(strstr(buf_str(&b), "\tadd\tadded=1\t") != NULL);
	buf_free(&b);
	end(&w);
}

static void
test_no_journal(void **state)
{
	struct acts_sum sum;
	struct world w;

	(void)state;
	setup(&w);
	T_RC(file_write(w.path, "anything\n", 9, 0600, &w.e), RC_OK);
	T_RC(acts_note(w.d, "add", "x", &w.e), RC_CONF);
	assert_int_equal(must_read(w.dir, &w.seen).broken, 1);
	T_CHECK(unlink(w.path) == 0);
	T_RC(acts_note(w.d, "add", "x", &w.e), RC_CONF);
	T_CHECK(access(w.path, F_OK) != 0);
	T_RC(acts_read(w.dir, see, &w.seen, &sum, &w.e), RC_CONF);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_in_order),
		cmocka_unit_test(test_a_line_stays_one_line),
		cmocka_unit_test(test_each_octet_changed),
		cmocka_unit_test(test_lines_moved),
		cmocka_unit_test(test_a_power_cut),
		cmocka_unit_test(test_a_long_line),
		cmocka_unit_test(test_only_the_end_is_read),
		cmocka_unit_test(test_no_journal),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
