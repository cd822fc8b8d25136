/* The names that files of an outbox get where another has theirs. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#include "flow/outaway.h"

static char path[64];
static int top;

static int
setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/sceau-outaway-XXXXXX");
	if (mkdtemp(path) == NULL)
		return -1;
	top = open(path, O_RDONLY | O_DIRECTORY);
	return top < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	close(top);
	snprintf(command, sizeof(command), "exec rm -r '%s'", path);
	return system(command) == 0 ? 0 : -1;
}

static void
put(const char *name)
{
	int fd = openat(top, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	T_CHECK(fd >= 0 && write(fd, name, 1) == 1);
	close(fd);
}

static bool
is_there(const char *name)
{
	return faccessat(top, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
name_of(const char *name, const char *more, char *out)
{
	struct err e = ERR_INIT;

	T_RC(outaway_name(path, "", name, more, out, &e), RC_OK);
	T_CHECK(strlen(out) + strlen(more) <= NAME_MAX);
	T_CHECK(!is_there(out));
}

/* ${out} is ${stem}, something, ${end}. */
static void
is_like(const char *out, const char *stem, const char *end)
{
	size_t len = strlen(out), n = strlen(end);

	T_CHECK(strncmp(out, stem, strlen(stem)) == 0);
	T_CHECK(len > strlen(stem) + n && strcmp(out + len - n, end) == 0);
}

static void
test_a_free_name_is_kept_another_is_like_it(void **state)
{
	char out[NAME_MAX + 1], more[NAME_MAX + 1];

	(void)state;
	name_of("a.hpr", "", out);
	T_STR(out, "a.hpr");
	put("a.hpr");
	name_of("a.hpr", "", out);
	is_like(out, "a-2", ".hpr");
	put(out);
	/* Within one second; then it is another time. */
	name_of("a.hpr", "", more);
	is_like(more, "a-2", ".hpr");
	T_CHECK(strcmp(out, more) != 0);
	/* What is to stand beside it must be free as well. */
	put("b.hpr.txt");
	name_of("b.hpr", ".txt", out);
	is_like(out, "b-2", ".hpr");
	put("none");
	name_of("none", "", out);
	is_like(out, "none-2", "");
	put(".profile");
	name_of(".profile", "", out);
	is_like(out, ".profile-2", "");
	put("x.more-than-twenty-characters");
	name_of("x.more-than-twenty-characters", "", out);
	is_like(out, "x.more-than-twenty-characters-2", "");
}

static void
test_a_long_name_is_cut(void **state)
{
	char name[NAME_MAX + 1], out[NAME_MAX + 1];

	(void)state;
	memset(name, 'x', NAME_MAX);
	strcpy(name + NAME_MAX - 4, ".hpr");
	name_of(name, "", out);
	T_STR(out, name);
	name_of(name, ".reason.txt", out);
	is_like(out, "xxxx", ".hpr");
	put(name);
	name_of(name, "", out);
	is_like(out, "xxxx", ".hpr");
}

static void
test_folders_that_are_none(void **state)
{
	struct err e = ERR_INIT;
	char out[NAME_MAX + 1];

	(void)state;
	T_RC(outaway_name("/nowhere/at/all", "", "a", "", out, &e), RC_CONF);
	T_CHECK(symlinkat("/tmp", top, "link") == 0);
	T_RC(outaway_name(path, "link", "a", "", out, &e), RC_CONF);
	put("file");
	T_RC(outaway_name(path, "file", "a", "", out, &e), RC_CONF);
	T_RC(outaway_name(path, "new", "a", "", out, &e), RC_OK);
	T_CHECK(is_there("new"));
}

/* Its names cannot be looked at: all of them would seem to be taken. */
static void
test_a_folder_that_may_be_read_only(void **state)
{
	const struct outaway_to to = { path, "", "a" };
	struct err e = ERR_INIT;
	char out[NAME_MAX + 1];
	const bool root = geteuid() == 0;
	char from[] = "/tmp/sceau-outaway-from-XXXXXX";
	int fd, file;

	(void)state;
	T_CHECK(fchmod(top, 0444) == 0);
	T_CHECK(!root || seteuid(65534) == 0);
	T_RC(outaway_name(path, "", "a", "", out, &e), RC_CONF);
	T_CHECK(strstr(e.text, strerror(EACCES)) != NULL);
	e = (struct err)ERR_INIT;
	T_CHECK(mkdtemp(from) != NULL);
	T_CHECK((fd = open(from, O_RDONLY | O_DIRECTORY)) >= 0);
	T_CHECK((file = openat(fd, "a", O_WRONLY | O_CREAT, 0600)) >= 0);
	T_RC(outaway(fd, "a", NULL, &to, &e), RC_CONF);
	T_CHECK(strstr(e.text, strerror(EACCES)) != NULL);
	T_CHECK(unlinkat(fd, "a", 0) == 0 && rmdir(from) == 0);
	close(file);
	close(fd);
	T_CHECK(!root || seteuid(0) == 0);
	T_CHECK(fchmod(top, 0700) == 0);
}

/* The one that it was stays when another has its name by then. */
static void
test_recovered_names_replace_nothing(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	put(OUTAWAY_HIDDEN "a.hpr");
	put("b.hpr");
	put(OUTAWAY_HIDDEN "b.hpr");
	put("c.hpr");
	T_CHECK(linkat(top, "c.hpr", top, OUTAWAY_HIDDEN "c.hpr", 0) == 0);
	outaway_recover(top);
	T_CHECK(is_there("a.hpr") && is_there("b.hpr") && is_there("c.hpr"));
	T_CHECK(!is_there(OUTAWAY_HIDDEN "a.hpr") &&
	    !is_there(OUTAWAY_HIDDEN "b.hpr") &&
	    !is_there(OUTAWAY_HIDDEN "c.hpr"));
	T_RC(outaway(top, "a.hpr", NULL, NULL, &e), RC_OK);
	T_RC(outaway(top, "b.hpr", NULL, NULL, &e), RC_OK);
	T_RC(outaway(top, "c.hpr", NULL, NULL, &e), RC_OK);
	/* b.hpr's other, under a name like it, is all that is left. */
	T_CHECK(rmdir(path) != 0);
}

static void
test_what_is_hidden_already_is_not_replaced(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	put("a");
	put(OUTAWAY_HIDDEN "a");
	T_RC(outaway(top, "a", NULL, NULL, &e), RC_CONF);
	T_CHECK(is_there("a") && is_there(OUTAWAY_HIDDEN "a"));
}

static void
test_it_comes_back_when_it_cannot_go(void **state)
{
	const struct outaway_to nowhere = { "/nowhere/at/all", "", "a" },
	    taken = { path, "", "b" };
	struct err e = ERR_INIT;

	(void)state;
	put("a");
	put("b");
	T_RC(outaway(top, "a", NULL, &nowhere, &e), RC_CONF);
	T_CHECK(is_there("a"));
	T_RC(outaway(top, "a", NULL, &taken, &e), RC_CONF);
	T_CHECK(is_there("a") && is_there("b"));
	T_RC(outaway(top, "gone", NULL, NULL, &e), RC_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_free_name_is_kept_another_is_like_it),
		TEST(test_a_long_name_is_cut),
		TEST(test_folders_that_are_none),
		TEST(test_a_folder_that_may_be_read_only),
		TEST(test_recovered_names_replace_nothing),
		TEST(test_what_is_hidden_already_is_not_replaced),
		TEST(test_it_comes_back_when_it_cannot_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
