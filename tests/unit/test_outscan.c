/* What lies in an outbox, which of it is whole, and how it goes. */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "flow/outaway.h"

struct world {
	char		 path[64], refused[96];
	struct conf_outbox conf;
	int		 fd;
	struct err	 e;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	strcpy(w->path, "/tmp/sceau-outscan-XXXXXX");
	assert_non_null(mkdtemp(w->path));
	snprintf(w->refused, sizeof(w->refused), "%s/refused", w->path);
	w->conf = (struct conf_outbox){ .path = w->path, .to = w->path,
	    .refused = w->refused, .ready = CONF_READY_RENAME };
	w->fd = open(w->path, O_RDONLY | O_DIRECTORY);
	assert_true(w->fd >= 0 && mkdirat(w->fd, "refused", 0700) == 0);
	*state = w;
	return 0;
}

/* So many names are quicker in memory. */
static int
setup_many(void **state)
{
	struct world *w;

	setup(state);
	w = *state;
	if (access("/dev/shm", W_OK | X_OK) != 0)
		return 0;
	assert_int_equal(unlinkat(w->fd, "refused", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(w->path), 0);
	close(w->fd);
	strcpy(w->path, "/dev/shm/sceau-outscan-XXXXXX");
	assert_non_null(mkdtemp(w->path));
	snprintf(w->refused, sizeof(w->refused), "%s/refused", w->path);
	w->fd = open(w->path, O_RDONLY | O_DIRECTORY);
	assert_true(w->fd >= 0 && mkdirat(w->fd, "refused", 0700) == 0);
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char line[96];

	close(w->fd);
	snprintf(line, sizeof(line), "rm -rf %s", w->path);
	assert_int_equal(system(line), 0);
	free(w);
	return 0;
}

static void
put(const struct world *w, const char *name, const char *text)
{
	int fd = openat(w->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t len = (ssize_t)strlen(text);

	assert_true(fd >= 0 && write(fd, text, (size_t)len) == len);
	close(fd);
}

static void
date(const struct world *w, const char *name, time_t at)
{
	const struct timespec t[2] = { { at, 0 }, { at, 0 } };

	assert_int_equal(utimensat(w->fd, name, t, 0), 0);
}

static bool
is_there(const struct world *w, const char *name)
{
	return faccessat(w->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct outfile_id
id_of(const struct world *w, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return outfile_id(&st);
}

/* "stem*n ..." of all groups that are whole. */
static void
expect(struct world *w, const char *want)
{
	char got[256] = "";
	struct outgroup g;
	struct outscan s;

	T_RC(outscan_open(&s, &w->conf, false, &w->e), RC_OK);
	while (outscan_next(&s, &g)) {
		size_t len = strlen(got);

		snprintf(got + len, sizeof(got) - len, "%.*s*%zu ",
		    (int)g.entry->stem, g.entry->name, g.n);
	}
	outscan_close(&s);
	T_STR(got, want);
}

static void
test_groups_by_what_stands_before_the_last_dot(void **state)
{
	struct world *w = *state;
	static const char *const names[] = { "b", "a.hpr", "a.pdf", "a.b.hpr",
	    "a-1.hpr", "refused/x.hpr", ".hidden.hpr" };

	expect(w, "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put(w, names[i], "x");
	expect(w, "a*2 a-1*1 a.b*1 b*1 ");
	put(w, "a.zip.part", "x");
	put(w, "b~", "x");
	expect(w, "a-1*1 a.b*1 ");
}

static void
test_a_group_is_found_again_behind_another(void **state)
{
	struct world *w = *state;
	struct outgroup g;
	struct outscan s;

	for (char name[] = "a.x"; name[0] <= 'e'; name[0]++)
		put(w, name, "x");
	T_RC(outscan_open(&s, &w->conf, false, &w->e), RC_OK);
	T_RC(outscan_seek(&s, "", (struct bytes){ (const uint8_t *)"c", 1 },
	    &w->e), RC_OK);
	T_CHECK(outscan_next(&s, &g) && g.entry->name[0] == 'd');
	outscan_close(&s);
}

static void
test_ok_is_no_older_than_its_file(void **state)
{
	struct world *w = *state;

	w->conf.ready = CONF_READY_OK;
	put(w, "a.hpr", "x");
	put(w, "a.pdf", "x");
	put(w, "a.ok", "");
	put(w, "b.hpr", "x");
	put(w, "b.hpr.OK", "");
	put(w, "b.hpx", "x");
	expect(w, "a*3 ");
	put(w, "b.hpx.ok", "");
	expect(w, "a*3 b*2 ");
	date(w, "a.ok", 1000);
	expect(w, "b*2 ");
	date(w, "a.hpr", 1000);
	date(w, "a.pdf", 1000);
	expect(w, "a*3 b*2 ");
}

static void
test_what_cannot_be_taken_away_is_not_listed(void **state)
{
	struct world *w = *state;
	struct outscan s;

	w->conf.path = w->refused;
	T_CHECK(rmdir(w->refused) == 0);
	T_RC(outscan_open(&s, &w->conf, false, &w->e), RC_CONF);
	outscan_close(&s);
}

/* ---- more names than are held ---------------------------------------- */

static void
put_many(const struct world *w, const char *stem, const char *end, int n)
{
	char name[64];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s%06d%s", stem, i, end);
		put(w, name, "");
	}
}

/* How many groups come, each of ${each} files and behind the one before. */
static size_t
groups(struct world *w, size_t each, struct outscan *s)
{
	char last[600] = "", is[600];
	struct outgroup g;
	size_t n = 0;

	T_RC(outscan_open(s, &w->conf, false, &w->e), RC_OK);
	for (; outscan_next(s, &g); n++) {
		T_CHECK(s->n <= OUTSCAN_MAX);
		snprintf(is, sizeof(is), "%s/%.*s", g.entry->folder,
		    (int)g.entry->stem, g.entry->name);
		if (g.n != each || strcmp(last, is) >= 0)
			fail_msg("%s: %zu files, behind %s", is, g.n, last);
		strcpy(last, is);
	}
	return n;
}

/* Where a limit cuts, a report would go without its attachment. */
static void
test_no_group_of_many_is_cut(void **state)
{
	struct world *w = *state;
	const int n = OUTSCAN_MAX * 3 / 4;
	struct outscan s;

	put_many(w, "", ".hpr", n);
	put_many(w, "", ".pdf", n);
	T_CHECK(groups(w, 2, &s) == (size_t)n && s.cut);
	T_RC(s.trouble.rc, RC_OK);
	outscan_close(&s);
}

static void
test_no_limit_is_within_a_group(void **state)
{
	struct world *w = *state;
	struct outscan s;

	put_many(w, "", ".hpr", OUTSCAN_MAX / 2);
	put_many(w, "", ".pdf", OUTSCAN_MAX / 2);
	T_CHECK(groups(w, 2, &s) == OUTSCAN_MAX / 2 && !s.cut);
	outscan_close(&s);
	put(w, "-.hpr", "");
	T_CHECK(renameat(w->fd, "000000.pdf", w->fd, "-.pdf") == 0);
	put(w, "000000.pdf", "");
	T_CHECK(groups(w, 2, &s) == OUTSCAN_MAX / 2 + 1 && s.cut);
	outscan_close(&s);
}

/* Those that are not whole are before all others, and stay. */
static void
test_many_that_wait_hold_up_nothing(void **state)
{
	struct world *w = *state;
	const struct bytes behind = { (const uint8_t *)"z000001", 7 };
	struct outgroup g;
	struct outscan s;

	put_many(w, "z", ".hpr", 4);
	put_many(w, "", ".tmp", OUTSCAN_MAX * 2);
	T_CHECK(groups(w, 1, &s) == 4 && s.cut);
	outscan_close(&s);
	T_RC(outscan_open(&s, &w->conf, false, &w->e), RC_OK);
	T_RC(outscan_seek(&s, "", behind, &w->e), RC_OK);
	T_CHECK(outscan_next(&s, &g));
	T_STR(g.entry->name, "z000002.hpr");
	outscan_close(&s);
}

static void
test_many_in_folders(void **state)
{
	struct world *w = *state;
	struct outscan s;

	w->conf.to = NULL;
	w->conf.route = CONF_OUTBOX_FOLDER;
	T_CHECK(mkdirat(w->fd, "a", 0700) == 0);
	T_CHECK(mkdirat(w->fd, "b", 0700) == 0);
	put_many(w, "b/", ".hpr", OUTSCAN_MAX - 1);
	put_many(w, "a/", ".hpr", OUTSCAN_MAX - 1);
	put_many(w, "c", ".hpr", 3);
	T_CHECK(groups(w, 1, &s) == 2 * OUTSCAN_MAX + 1 && s.cut);
	outscan_close(&s);
}

/* It could never be seen whole; what stays of it would go alone. */
static void
test_a_group_too_large_to_be_held_stays(void **state)
{
	struct world *w = *state;
	struct outscan s;

	put(w, "a.hpr", "");
	put_many(w, "x.", "", OUTSCAN_MAX);
	put(w, "y.hpr", "");
	T_CHECK(groups(w, 1, &s) == 2);
	T_RC(s.trouble.rc, RC_CONF);
	outscan_close(&s);
}

static void
test_ok_is_found_behind_the_limit(void **state)
{
	struct world *w = *state;
	struct outgroup g;
	struct outscan s;

	w->conf.ready = CONF_READY_OK;
	put_many(w, "", ".hpr", OUTSCAN_MAX - 4);
	put(w, "x.hpr", "");
	put(w, "x.pdf", "");
	put_many(w, "x-", ".hpr", 9);
	put(w, "x.hpr.ok", "");
	put(w, "x.pdf.ok", "");
	T_RC(outscan_open(&s, &w->conf, false, &w->e), RC_OK);
	T_CHECK(outscan_next(&s, &g) && g.n == 2 && s.cut);
	T_STR(g.entry->name, "x.hpr");
	T_CHECK(!outscan_next(&s, &g));
	outscan_close(&s);
}

/* ---- away ------------------------------------------------------------ */

static void
test_only_the_very_file_goes(void **state)
{
	struct world *w = *state;
	struct outfile_id id;

	put(w, "a.hpr", "one");
	id = id_of(w, "a.hpr");
	put(w, "b.hpr", "two");
	T_CHECK(renameat(w->fd, "b.hpr", w->fd, "a.hpr") == 0);
	T_RC(outaway(w->fd, "a.hpr", &id, NULL, &w->e), RC_OK);
	T_CHECK(is_there(w, "a.hpr") && !is_there(w, ".sceau_a.hpr"));
	id = id_of(w, "a.hpr");
	T_RC(outaway(w->fd, "a.hpr", &id, NULL, &w->e), RC_OK);
	T_CHECK(!is_there(w, "a.hpr") && !is_there(w, ".sceau_a.hpr"));
	T_RC(outaway(w->fd, "a.hpr", &id, NULL, &w->e), RC_OK);
}

static void
test_a_name_that_is_there_is_never_replaced(void **state)
{
	struct world *w = *state;
	struct outaway_to to = { w->refused, "", NULL };
	char name[NAME_MAX + 1];

	put(w, "refused/a.hpr", "older");
	put(w, "refused/b.hpr.txt", "a file of this name");
	put(w, "a.hpr", "newer");
	T_RC(outaway_name(w->refused, "", "b.hpr", ".txt", name, &w->e),
	    RC_OK);
	T_CHECK(strcmp(name, "b.hpr") != 0);
	T_RC(outaway_name(w->refused, "", "a.hpr", "", name, &w->e), RC_OK);
	T_CHECK(strncmp(name, "a-2", 3) == 0 && strstr(name, ".hpr") != NULL);
	to.name = "a.hpr";
	T_RC(outaway(w->fd, "a.hpr", NULL, &to, &w->e), RC_CONF);
	assert_int_equal(id_of(w, "a.hpr").size, 5);
	to.name = name;
	T_RC(outaway(w->fd, "a.hpr", NULL, &to, &w->e), RC_OK);
	T_CHECK(!is_there(w, "a.hpr"));
	assert_int_equal(id_of(w, "refused/a.hpr").size, 5);
}

static void
test_what_a_crash_left_gets_its_name_back(void **state)
{
	struct world *w = *state;
	struct outscan s;

	put(w, ".sceau_a.hpr", "one");
	put(w, ".sceau_b.hpr", "two");
	put(w, "b.hpr", "another");
	put(w, "c.hpr", "four");
	T_CHECK(linkat(w->fd, "c.hpr", w->fd, ".sceau_c.hpr", 0) == 0);
	outaway_recover(w->fd);
	T_CHECK(is_there(w, "a.hpr") && !is_there(w, ".sceau_a.hpr"));
	assert_int_equal(id_of(w, "b.hpr").size, 7);
	T_CHECK(!is_there(w, ".sceau_b.hpr"));
	T_RC(outscan_open(&s, &w->conf, false, &w->e), RC_OK);
	assert_int_equal(s.n, 4);
	T_CHECK(strncmp(s.entry[2].name, "b-2", 3) == 0);
	assert_int_equal(s.entry[2].id.size, 3);
	outscan_close(&s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define MANY(f) cmocka_unit_test_setup_teardown(f, setup_many, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_groups_by_what_stands_before_the_last_dot),
		T(test_a_group_is_found_again_behind_another),
		T(test_ok_is_no_older_than_its_file),
		T(test_what_cannot_be_taken_away_is_not_listed),
		MANY(test_no_group_of_many_is_cut),
		MANY(test_no_limit_is_within_a_group),
		MANY(test_many_that_wait_hold_up_nothing),
		MANY(test_many_in_folders),
		MANY(test_a_group_too_large_to_be_held_stays),
		MANY(test_ok_is_found_behind_the_limit),
		T(test_only_the_very_file_goes),
		T(test_a_name_that_is_there_is_never_replaced),
		T(test_what_a_crash_left_gets_its_name_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
