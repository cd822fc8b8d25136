#include "config.h"

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

#include "base/buf.h"
#include "base/file.h"
#include "wire/drop.h"
#include "wire/pipe.h"

static char top[] = "/tmp/sceau-test-drop-XXXXXX";

static const char token[] = "0123456789abcdef0123";

static int
set_up(void **state)
{
	(void)state;
	return folder_make(top) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	return folder_remove(top);
}

/* How many visible files lie in ${sub}; hidden ones too when ${all}. */
static int
count(const char *sub, bool all)
{
	char path[1024];
	struct dirent *d;
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", top, sub);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL)
		n += d->d_type == DT_REG && (all || d->d_name[0] != '.');
	closedir(dir);
	return n;
}

static void
content_is(const char *name, const char *want)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	T_RC(file_read(path, 1000, &b, &e), RC_OK);
	T_STR(buf_str(&b), want);
	buf_free(&b);
}

static void
put(const struct drop_place *place, const char *name, const char *text)
{
	struct drop d = DROP_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	T_RC(drop_open(place, &d, &e), RC_OK);
	assert_int_equal(fstat(d.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	T_RC(drop_write(&d, text, strlen(text), &e), RC_OK);
	T_RC(drop_sync(&d, &e), RC_OK);
	T_RC(drop_name(place, &d, name, &e), RC_OK);
	T_RC(drop_settle(place, &e), RC_OK);
	drop_forget(&d);
}

static void
test_what_is_hidden_lies_nowhere(void **state)
{
	const struct drop_place place = { top, false };
	struct drop d = DROP_INIT;
	struct err e = ERR_INIT;
	char got[3] = "";

	(void)state;
	T_RC(drop_prepare(&place, &e), RC_OK);
	T_RC(drop_open(&place, &d, &e), RC_OK);
	assert_int_equal(count("", true), 1);
	drop_hide(&d);
	assert_int_equal(count("", true), 0);
	T_RC(drop_write(&d, "ab", 2, &e), RC_OK);
	assert_int_equal(pread(d.fd, got, 2, 0), 2);
	T_STR(got, "ab");
	drop_forget(&d);
	drop_hide(&d);
	assert_int_equal(count("", true), 0);
}

static void
test_what_is_gone_is_like_nothing(void **state)
{
	const struct drop_place place = { top, false };
	struct drop a = DROP_INIT, b = DROP_INIT;
	struct err e = ERR_INIT;
	bool same = false;

	(void)state;
	T_RC(drop_prepare(&place, &e), RC_OK);
	T_RC(drop_open(&place, &a, &e), RC_OK);
	T_RC(drop_open(&place, &b, &e), RC_OK);
	T_RC(drop_write(&a, "one", 3, &e), RC_OK);
	T_RC(drop_write(&b, "one", 3, &e), RC_OK);
	T_RC(drop_alike(&a, &b, &same, &e), RC_OK);
	T_CHECK(same);
	assert_int_equal(unlink(b.tmp), 0);
	T_CHECK(drop_alike(&a, &b, &same, &e) != RC_OK && !same);
	same = true;
	T_CHECK(drop_alike(&b, &a, &same, &e) != RC_OK && !same);
	drop_forget(&a);
	drop_forget(&b);
	assert_int_equal(count("", true), 0);
}

static void
test_a_maildir(void **state)
{
	const struct drop_place place = { top, true };
	struct drop d = DROP_INIT;
	struct err e = ERR_INIT;
	char from[1024], to[1024];
	bool there;

	(void)state;
	T_RC(drop_prepare(&place, &e), RC_OK);
	T_RC(drop_open(&place, &d, &e), RC_OK);
	assert_int_equal(count("new", true), 0);
	assert_int_equal(count("tmp", true), 1);
	drop_forget(&d);
	assert_int_equal(count("tmp", true), 0);
	put(&place, "1.0123456789abcdef0123", "one");
	content_is("new/1.0123456789abcdef0123", "one");
	T_RC(drop_there(&place, token, &there, &e), RC_OK);
	T_CHECK(there);
	snprintf(from, sizeof(from), "%s/new/1.0123456789abcdef0123", top);
	snprintf(to, sizeof(to), "%s/cur/1.0123456789abcdef0123:2,S", top);
	assert_int_equal(rename(from, to), 0);
	T_RC(drop_there(&place, token, &there, &e), RC_OK);
	T_CHECK(there);
	T_RC(drop_there(&place, "9123456789abcdef0123", &there, &e), RC_OK);
	T_CHECK(!there);
}

static void
test_a_folder_replaces_nothing(void **state)
{
	const struct drop_place place = { top, false };
	struct err e = ERR_INIT;

	(void)state;
	T_RC(drop_prepare(&place, &e), RC_OK);
	put(&place, "DUPONT-0123456789abcdef0123.hpr", "first");
	put(&place, "DUPONT-0123456789abcdef0123.hpr", "second");
	content_is("DUPONT-0123456789abcdef0123.hpr", "first");
	assert_int_equal(count(".", true), 1);
}

static void
test_what_a_crash_left_is_swept(void **state)
{
	const struct drop_place place = { top, false };
	struct drop d = DROP_INIT;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(drop_prepare(&place, &e), RC_OK);
	put(&place, "kept-0123456789abcdef0123", "x");
	T_RC(drop_open(&place, &d, &e), RC_OK);
	assert_int_equal(count(".", false), 1);
	assert_int_equal(count(".", true), 2);
	close(d.fd);		/* as if killed here */
	T_RC(drop_prepare(&place, &e), RC_OK);
	assert_int_equal(count(".", true), 1);
}

static void
test_no_name_in_a_complaint(void **state)
{
	const struct drop_place place = { top, false };
	struct drop d = DROP_INIT;
	struct err e = ERR_INIT;
	char name[301];

	(void)state;
	memset(name, 'X', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	T_RC(drop_open(&place, &d, &e), RC_OK);
	T_CHECK(drop_name(&place, &d, name, &e) != RC_OK);
	T_CHECK(strstr(e.text, top) != NULL && strstr(e.text, "XXX") == NULL);
	T_CHECK(drop_replace(&place, &d, name, &e) != RC_OK);
	T_CHECK(strstr(e.text, "XXX") == NULL);
	drop_forget(&d);
}

static void
test_many_files_are_synced_together(void **state)
{
	const struct drop_place place = { top, true };
	struct drop d[20], *all[20];
	struct err e = ERR_INIT;
	char name[64];

	(void)state;
	T_RC(drop_prepare(&place, &e), RC_OK);
	for (size_t n = 3; n <= 20; n += 17) {
		for (size_t i = 0; i < n; i++) {
			all[i] = &d[i];
			T_RC(drop_open(&place, &d[i], &e), RC_OK);
			T_RC(drop_write(&d[i], "x", 1, &e), RC_OK);
			if (i % 2 == 0)
				T_RC(drop_written(&d[i], &e), RC_OK);
		}
		T_RC(drop_sync_many(&place, all, n, &e), RC_OK);
		for (size_t i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "%zu.%zu.%s", n, i,
			    token);
			T_RC(drop_name(&place, &d[i], name, &e), RC_OK);
		}
		T_RC(drop_settle(&place, &e), RC_OK);
	}
	assert_int_equal(count("new", true), 23);
	assert_int_equal(count("tmp", true), 0);
	/* One that is gone is not said to be on the disk. */
	T_RC(drop_open(&place, &d[0], &e), RC_OK);
	assert_int_equal(unlink(d[0].tmp), 0);
	T_RC(drop_sync_many(&place, all, 1, &e), RC_TEMP);
	drop_forget(&d[0]);
}

static void
test_a_command_gets_the_file(void **state)
{
	struct err e = ERR_INIT;
	char path[1024], command[2048];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/in", top);
	T_RC(file_write(path, "a\0b", 3, 0600, &e), RC_OK);
	fd = open(path, O_RDONLY);
	snprintf(command, sizeof(command), "cat >%s/out; wc -c <%s/out "
	    "| grep -q '^ *3$'", top, top);
	T_RC(pipe_run(command, fd, &e), RC_OK);
	T_RC(pipe_run("exit 75", fd, &e), RC_TEMP);
	T_RC(pipe_run("exit 67", fd, &e), RC_PERM);
	T_RC(pipe_run("exit 78", fd, &e), RC_CONF);
	T_RC(pipe_run("/nonexistent/x 2>/dev/null", fd, &e), RC_CONF);
	T_RC(pipe_run("kill -9 $$", fd, &e), RC_TEMP);
	T_RC(pipe_run("exit 1", fd, &e), RC_TEMP);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_what_is_hidden_lies_nowhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_what_is_gone_is_like_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_maildir, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_folder_replaces_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_what_a_crash_left_is_swept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_name_in_a_complaint,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_many_files_are_synced_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_command_gets_the_file,
		    set_up, tear_down)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
