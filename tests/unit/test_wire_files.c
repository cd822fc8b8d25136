/* Calls of the system that fail under files that are written, found, read and
 * removed: what was not promised is not there, what was there stays. */
#include "config.h"

#include "no_system.h"

#include <stdio.h>

#include "folder.h"
#include "seen.h"

#include "base/buf.h"
#include "base/file.h"
#include "wire/drop.h"
#include "wire/pipe.h"

static char top[] = "/tmp/sceau-test-files-XXXXXX";
static const struct drop_place place = { top, false };

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
	forget();
	folder_remove(top);
	return 0;
}

static const char *
path_of(const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void
content_is(const char *name, const char *want)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	T_RC(file_read(path_of(name), 1000, &b, &e), RC_OK);
	T_STR(buf_str(&b), want);
	buf_free(&b);
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* How many files are in it, hidden ones too. */
static int
files(void)
{
	DIR *dir = opendir(top);
	struct dirent *d;
	int n = 0;

	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.' || strlen(d->d_name) > 2;
	closedir(dir);
	return n;
}

/* ---- drops ------------------------------------------------------------- */

static struct drop
written(const char *text)
{
	struct drop d = DROP_INIT;
	struct err e = ERR_INIT;

	T_RC(drop_open(&place, &d, &e), RC_OK);
	T_RC(drop_write(&d, text, strlen(text), &e), RC_OK);
	return d;
}

static void
test_what_is_not_on_the_disk_is_said(void **state)
{
	static const char *const calls[] = { "fsync", "close" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct drop d = written("mail");
		struct err e = ERR_INIT;

		fail_call(calls[i], 0, ENOSPC);
		T_CHECK(drop_sync(&d, &e) != RC_OK && has_failed());
		assert_non_null(strstr(e.text, top));
		assert_int_equal(d.fd, -1);
		drop_forget(&d);
		assert_int_equal(files(), 0);
	}
}

static void
test_a_file_that_cannot_be_begun(void **state)
{
	struct drop d = DROP_INIT;
	struct err e = ERR_INIT;

	(void)state;
	fail_call("mkstemp", 0, ENOSPC);
	T_CHECK(drop_open(&place, &d, &e) != RC_OK && has_failed());
	T_CHECK(d.fd == -1 && d.tmp[0] == '\0');
	drop_forget(&d);
	assert_int_equal(files(), 0);
}

static void
test_of_many_none_is_promised(void **state)
{
	struct drop a = written("a"), b = written("b");
	struct drop *both[] = { &a, &b };
	struct err e = ERR_INIT;

	(void)state;
	fail_call("close", 0, EIO);
	T_CHECK(drop_sync_many(&place, both, 2, &e) != RC_OK && has_failed());
	T_CHECK(b.fd >= 0);	/* not looked at any more */
	T_RC(drop_written(&b, &e), RC_OK);
	fail_call("fsync", 0, EIO);
	T_CHECK(drop_sync_many(&place, both, 2, &e) != RC_OK && has_failed());
	/* Somebody has taken the first away in between. */
	assert_int_equal(unlink(a.tmp), 0);
	e = (struct err)ERR_INIT;
	T_CHECK(drop_sync_many(&place, both, 2, &e) != RC_OK);
	assert_non_null(strstr(e.text, top));
	drop_forget(&a);
	drop_forget(&b);
	assert_int_equal(files(), 0);
}

static void
test_where_a_file_has_one_name_only(void **state)
{
	static const int errors[] = { EPERM, ENOTSUP, ENOSYS, EMLINK };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct drop d = written("new");
		struct err e = ERR_INIT;

		fail_call("link", 0, errors[i]);
		T_RC(drop_name(&place, &d, "result", &e), RC_OK);
		T_CHECK(has_failed() && d.tmp[0] == '\0');
		content_is("result", "new");
		/* What has that name already is never replaced. */
		put("result", "old");
		d = written("new");
		fail_call("link", 0, errors[i]);
		T_RC(drop_name(&place, &d, "result", &e), RC_OK);
		content_is("result", "old");
		assert_int_equal(files(), 1);
		assert_int_equal(unlink(path_of("result")), 0);
	}
}

static void
test_a_name_that_cannot_be_given(void **state)
{
	static const char *const calls[] = { "link", "unlink", "rename" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct drop d = written("new");
		struct err e = ERR_INIT;

		fail_call(calls[i], 0, EIO);
		T_CHECK((i < 2 ? drop_name(&place, &d, "result", &e) :
		    drop_replace(&place, &d, "result", &e)) != RC_OK);
		/* Its first name is still there, and ours to take away. */
		T_CHECK(has_failed() && d.tmp[0] != '\0');
		assert_non_null(strstr(e.text, top));
		drop_forget(&d);
		(void)unlink(path_of("result"));
		assert_int_equal(files(), 0);
	}
}

static void
test_without_second_names_it_can_fail_too(void **state)
{
	struct drop d = written("new");
	struct err e = ERR_INIT;

	(void)state;
	put("result", "old");
	fail_call("link", 0, EPERM);
	/* The name is there: ours goes, and cannot. */
	assert_int_equal(unlink(d.tmp), 0);
	T_CHECK(drop_name(&place, &d, "result", &e) != RC_OK);
	content_is("result", "old");
	assert_int_equal(unlink(path_of("result")), 0);
	fail_call("link", 0, EPERM);
	T_CHECK(drop_name(&place, &d, "result", &e) != RC_OK);
	drop_forget(&d);
	assert_int_equal(files(), 0);
}

static void
test_a_folder_that_cannot_be_settled(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fail_call("fsync", 0, EIO);
	T_CHECK(drop_settle(&place, &e) != RC_OK && has_failed());
	assert_non_null(strstr(e.text, top));
}

/* A path that just fits, and what is in it does not. */
static void
test_paths_have_an_end(void **state)
{
	char path[DROP_PATH_BYTES + 64], name[300];
	struct drop_place deep = { path, true };
	struct drop d = DROP_INIT;
	struct err e = ERR_INIT;
	uint64_t inode = 0;
	bool there = true;
	size_t n;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[200] = '\0';
	n = (size_t)snprintf(path, sizeof(path), "%s", top);
	while (n + 202 < DROP_PATH_BYTES) {
		n += (size_t)snprintf(path + n, sizeof(path) - n, "/%s", name);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	name[DROP_PATH_BYTES - n - 3] = '\0';
	snprintf(path + n, sizeof(path) - n, "/%s", name);
	assert_int_equal(strlen(path), DROP_PATH_BYTES - 2);
	T_RC(drop_prepare(&deep, &e), RC_CONF);
	T_RC(drop_open(&deep, &d, &e), RC_CONF);
	T_CHECK(d.fd == -1 && d.tmp[0] == '\0');
	T_RC(drop_there(&deep, "x", &there, &e), RC_CONF);
	T_CHECK(!there);
	T_RC(drop_settle(&deep, &e), RC_CONF);
	T_RC(drop_inode(&deep, &inode, &e), RC_OK);
	T_CHECK(!drop_taken(&deep, inode, "x"));
	deep.maildir = false;
	T_RC(drop_prepare(&deep, &e), RC_OK);
	T_RC(drop_open(&deep, &d, &e), RC_CONF);
	T_RC(drop_name(&deep, &d, "xy", &e), RC_CONF);
	T_RC(drop_replace(&deep, &d, "xy", &e), RC_CONF);
	path[DROP_PATH_BYTES - 2] = 'n';
	path[DROP_PATH_BYTES - 1] = '\0';
	assert_int_equal(mkdir(path, 0700), 0);
	path[DROP_PATH_BYTES - 1] = 'n';
	path[DROP_PATH_BYTES] = '\0';
	assert_int_equal(mkdir(path, 0700), 0);
	T_RC(drop_prepare(&deep, &e), RC_CONF);
}

static void
test_what_is_taken_was_there(void **state)
{
	const struct drop_place none = { "/nonexistent/folder", false };
	struct err e = ERR_INIT;
	uint64_t inode = 0;

	(void)state;
	T_CHECK(drop_inode(&none, &inode, &e) != RC_OK);
	assert_non_null(strstr(e.text, none.path));
	T_RC(drop_inode(&place, &inode, &e), RC_OK);
	put("file", "mail");
	T_CHECK(!drop_taken(&none, inode, "gone"));
	T_CHECK(!drop_taken(&place, inode + 1, "gone"));
	T_CHECK(!drop_taken(&place, inode, "file"));
	T_CHECK(drop_taken(&place, inode, "gone"));
	/* Nobody has taken what nobody could have put there. */
	T_CHECK(!drop_taken(&place, inode, "file/x"));
}

/* ---- sources ----------------------------------------------------------- */

static const struct bytes none = { NULL, 0 };
static struct conf_account account;

static struct source *
opened(enum conf_protocol protocol)
{
	const struct source_limits limits = { 100, 0, 0 };
	struct err e = ERR_INIT;
	struct source *s;

	forget();
	account = (struct conf_account){ .protocol = protocol, .path = top };
	T_RC(source_new(&account, &limits, &s, &e), RC_OK);
	T_RC(source_open(s, NULL, &e), RC_OK);
	return s;
}

static void
mails(void)
{
	struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

	assert_int_equal(mkdir(path_of("new"), 0700), 0);
	assert_int_equal(mkdir(path_of("cur"), 0700), 0);
	put("mail", "mail");
	put("new/1.a", "mail");
	assert_int_equal(utimensat(AT_FDCWD, path_of("mail"), old, 0), 0);
}

static const enum conf_protocol kinds[] = { CONF_FOLDER, CONF_MAILDIR };

static void
test_a_listing_that_fails_is_no_empty_one(void **state)
{
	static const char *const calls[] = { "openat", "fdopendir" };

	(void)state;
	mails();
	for (size_t i = 0; i < 4; i++) {
		struct source *s = opened(kinds[i % 2]);
		struct err e = ERR_INIT;

		fail_call(calls[i / 2], 0, EMFILE);
		T_CHECK(source_list(s, none, on_list, NULL, &e) != RC_OK);
		T_CHECK(has_failed() && seen.n == 0);
		assert_non_null(strstr(e.text, top));
		forget();
		T_RC(source_list(s, none, on_list, NULL, &e), RC_OK);
		assert_int_equal(seen.n, 1);
		source_close(&s);
	}
}

/* One that goes between its name and its size was not there. */
static void
test_a_file_that_goes_meanwhile(void **state)
{
	(void)state;
	mails();
	for (size_t i = 0; i < 2; i++) {
		struct source *s = opened(kinds[i]);
		struct err e = ERR_INIT;
		long n = 0;

		do {
			forget();
			fail_call("fstatat", n++, ENOENT);
			T_RC(source_list(s, none, on_list, NULL, &e), RC_OK);
		} while (seen.n == 1 && has_failed());
		failing.name = NULL;
		assert_int_equal(seen.n, n > 8 ? 1 : 0);
		source_close(&s);
	}
}

static void
test_a_mail_that_cannot_be_read(void **state)
{
	static const struct {
		const char	*call;
		int		 error;
		bool		 fine, ends;
	} cases[] = { { "openat", EACCES, true, true },
	    { "fstat", EIO, false, false }, { "read", EIO, false, false },
	    { "read", EINTR, true, true } };

	(void)state;
	mails();
	for (size_t i = 0; i < 4; i++) {
		struct source *s = opened(CONF_FOLDER);
		char name[SOURCE_ID_BYTES + 1];
		struct err e = ERR_INIT;
		struct bytes id;
		enum rc rc;

		T_RC(source_list(s, none, on_list, NULL, &e), RC_OK);
		memcpy(name, seen.id[0], sizeof(name));
		id = bytes(name);
		forget();
		fail_call(cases[i].call, 0, cases[i].error);
		rc = source_fetch(s, &id, 1, &sink, &e);
		T_CHECK(has_failed() && (rc == RC_OK) == cases[i].fine);
		assert_int_equal(seen.ends, cases[i].ends);
		assert_int_equal(seen.octets.len, i == 3 ? 4 : 0);
		if (cases[i].ends)
			assert_int_equal(seen.got[0], i == 0 ?
			    SOURCE_UNREADABLE : SOURCE_GOT);
		source_close(&s);
	}
}

static void
test_a_mail_that_cannot_be_removed(void **state)
{
	static const struct {
		int			error;
		enum source_done	done;
	} cases[] = { { EACCES, SOURCE_PENDING }, { ENOENT,
	    SOURCE_RELEASED } };

	(void)state;
	mails();
	for (size_t i = 0; i < 2; i++) {
		struct source *s = opened(CONF_FOLDER);
		enum source_done done = SOURCE_KEPT;
		char name[SOURCE_ID_BYTES + 1];
		struct err e = ERR_INIT;
		struct bytes id;
		enum rc rc;

		T_RC(source_list(s, none, on_list, NULL, &e), RC_OK);
		memcpy(name, seen.id[0], sizeof(name));
		id = bytes(name);
		forget();
		fail_call("unlinkat", 0, cases[i].error);
		rc = source_release(s, &id, 1, CONF_AFTER_DELETE, NULL, &done,
		    &e);
		T_CHECK(has_failed() && (rc == RC_OK) ==
		    (done == SOURCE_RELEASED));
		assert_int_equal(done, cases[i].done);
		content_is("mail", "mail");
		source_close(&s);
	}
}

/* ---- commands ---------------------------------------------------------- */

static void
test_a_command_that_cannot_run(void **state)
{
	char longest[5000];
	struct err e = ERR_INIT;
	int fd = open("/dev/null", O_RDONLY), p[2];

	(void)state;
	assert_true(fd >= 0 && pipe(p) == 0);
	fail_call("fork", 0, EAGAIN);
	T_RC(pipe_run("exit 0", fd, &e), RC_TEMP);
	T_CHECK(has_failed());
	fail_call("waitpid", 0, EINTR);
	T_RC(pipe_run("exit 0", fd, &e), RC_OK);
	T_CHECK(has_failed());
	fail_call("waitpid", 0, ECHILD);
	T_CHECK(pipe_run("exit 0", fd, &e) != RC_OK && has_failed());
	assert_non_null(strstr(e.text, "waitpid"));
	while (waitpid(-1, NULL, 0) > 0)
		;
	/* Its input must begin at its beginning, and it must be whole. */
	T_RC(pipe_run("exit 0", p[0], &e), RC_TEMP);
	memset(longest, ' ', sizeof(longest));
	memcpy(longest, "exit 0", 6);
	longest[sizeof(longest) - 1] = '\0';
	T_RC(pipe_run(longest, fd, &e), RC_TEMP);
	longest[4095] = '\0';
	T_RC(pipe_run(longest, fd, &e), RC_OK);
	close(p[0]);
	close(p[1]);
	close(fd);
}

extern char **environ;

static void
test_an_environment_without_end(void **state)
{
	char text[] = "PATH=/usr/bin:/bin", *many[40], **was = environ;
	struct err e = ERR_INIT;
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	for (size_t i = 0; i < 39; i++)
		many[i] = text;
	many[39] = NULL;
	environ = many;
	T_RC(pipe_run_alone("test \"$PATH\" = /usr/bin:/bin", fd, 10, &e),
	    RC_OK);
	environ = was;
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_not_on_the_disk_is_said),
		TEST(test_a_file_that_cannot_be_begun),
		TEST(test_of_many_none_is_promised),
		TEST(test_where_a_file_has_one_name_only),
		TEST(test_a_name_that_cannot_be_given),
		TEST(test_without_second_names_it_can_fail_too),
		TEST(test_a_folder_that_cannot_be_settled),
		TEST(test_paths_have_an_end),
		TEST(test_what_is_taken_was_there),
		TEST(test_a_listing_that_fails_is_no_empty_one),
		TEST(test_a_file_that_goes_meanwhile),
		TEST(test_a_mail_that_cannot_be_read),
		TEST(test_a_mail_that_cannot_be_removed),
		TEST(test_a_command_that_cannot_run),
		TEST(test_an_environment_without_end)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
