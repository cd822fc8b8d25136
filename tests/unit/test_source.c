/* Folders of files and Maildirs: what counts as a mail there, what becomes of
 * one that changes under our hands, and what is never touched. */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "folder.h"
#include "seen.h"

static char top[] = "/tmp/sceau-test-source-XXXXXX";

static int
set_up(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
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

/* A file that nobody has written to for ${age} seconds. */
static void
put(const char *name, const char *text, int age)
{
	struct timeval at[2];
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	gettimeofday(&at[0], NULL);
	at[0].tv_sec -= age;
	at[1] = at[0];
	assert_int_equal(futimes(fd, at), 0);
	close(fd);
}

static void
moves(const char *from, const char *to)
{
	char was[1024];

	snprintf(was, sizeof(was), "%s", path_of(from));
	assert_int_equal(rename(was, path_of(to)), 0);
}

static bool
there(const char *name)
{
	struct stat st;

	return lstat(path_of(name), &st) == 0;
}

static struct conf_account account;

static struct source *
opened(enum conf_protocol protocol, uint64_t max, size_t max_list)
{
	const struct source_limits limits = { max, max_list, 0 };
	struct err e = ERR_INIT;
	struct source *s;

	account = (struct conf_account){ .protocol = protocol, .path = top };
	T_RC(source_new(&account, &limits, &s, &e), RC_OK);
	T_RC(source_open(s, NULL, &e), RC_OK);
	return s;
}

static size_t
list(struct source *s)
{
	const struct bytes none = { NULL, 0 };
	struct err e = ERR_INIT;

	forget();
	if (source_list(s, none, on_list, NULL, &e) != RC_OK)
		fail_msg("%s", e.text);
	return seen.n;
}

static enum source_got
fetch(struct source *s, struct bytes id)
{
	struct err e = ERR_INIT;

	forget();
	if (source_fetch(s, &id, 1, &sink, &e) != RC_OK)
		fail_msg("%s", e.text);
	assert_int_equal(seen.ends, 1);
	return seen.got[0];
}

static enum source_done
removed(struct source *s, struct bytes id)
{
	enum source_done done = SOURCE_KEPT;
	struct err e = ERR_INIT;

	if (source_release(s, &id, 1, CONF_AFTER_DELETE, NULL, &done,
	    &e) != RC_OK)
		fail_msg("%s", e.text);
	return done;
}

/* ---- a folder of files ------------------------------------------------- */

static void
test_what_counts_as_a_mail_in_a_folder(void **state)
{
	struct source *s = opened(CONF_FOLDER, 100, 0);
	char longest[256];

	(void)state;
	memset(longest, 'n', 255);
	longest[255] = '\0';
	put("whole", "mail", 10);
	put("being-written", "ma", 0);
	put(".hidden", "mail", 10);
	put(longest, "mail", 10);
	assert_int_equal(mkdir(path_of("folder"), 0700), 0);
	assert_int_equal(symlink("whole", path_of("link")), 0);
	assert_int_equal(list(s), 2);
	/* One whose clock runs ahead is not written to for ever. */
	put("being-written", "mail", -3600);
	assert_int_equal(list(s), 3);
	source_close(&s);
}

/* The id of the only one. */
static struct bytes
only(struct source *s)
{
	static char id[SOURCE_ID_BYTES + 1];

	assert_int_equal(list(s), 1);
	memcpy(id, seen.id[0], sizeof(id));
	return bytes(id);
}

static void
test_a_file_that_was_replaced_is_another(void **state)
{
	struct source *s = opened(CONF_FOLDER, 100, 0);
	struct bytes id;

	(void)state;
	put("result", "one", 10);
	id = only(s);
	assert_int_equal(fetch(s, id), SOURCE_GOT);
	T_STR(buf_str(&seen.octets), "one");
	/* The same name and length: never taken, never removed for it. */
	put("new", "two", 20);
	moves("new", "result");
	assert_int_equal(fetch(s, id), SOURCE_GONE);
	assert_int_equal(seen.begun, 0);
	assert_int_equal(removed(s, id), SOURCE_RELEASED);
	T_CHECK(there("result"));
	assert_int_equal(removed(s, only(s)), SOURCE_RELEASED);
	T_CHECK(!there("result"));
	/* A folder of that name is none either. */
	assert_int_equal(mkdir(path_of("result"), 0700), 0);
	assert_int_equal(fetch(s, id), SOURCE_GONE);
	assert_int_equal(removed(s, id), SOURCE_RELEASED);
	T_CHECK(there("result"));
	source_close(&s);
}

static void
test_ids_that_name_nothing(void **state)
{
	static const char nul[] = "a\0b/1.2.3";
	struct source *s = opened(CONF_FOLDER, 100, 0);
	char name[SOURCE_ID_BYTES];

	(void)state;
	put("a", "mail", 10);
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	name[sizeof(name) - 2] = '/';
	assert_int_equal(fetch(s, bytes("a")), SOURCE_GONE);
	assert_int_equal(fetch(s, bytes(name)), SOURCE_GONE);
	assert_int_equal(fetch(s, (struct bytes){ (const uint8_t *)nul,
	    sizeof(nul) - 1 }), SOURCE_GONE);
	assert_int_equal(fetch(s, bytes("a/1.2.3")), SOURCE_GONE);
	assert_int_equal(removed(s, bytes("a/1.2.3")), SOURCE_RELEASED);
	T_CHECK(there("a"));
	source_close(&s);
}

static void
test_nowhere_to_move_to(void **state)
{
	enum conf_protocol kinds[] = { CONF_FOLDER, CONF_MAILDIR };
	struct bytes id = bytes("a");

	(void)state;
	put("a", "mail", 10);
	for (size_t i = 0; i < 2; i++) {
		struct source *s = opened(kinds[i], 100, 0);
		enum source_done done = SOURCE_KEPT;
		struct err e = ERR_INIT;

		T_RC(source_release(s, &id, 1, CONF_AFTER_MOVE, "x", &done,
		    &e), RC_CONF);
		assert_int_equal(done, SOURCE_PENDING);
		assert_int_equal(source_why(s), WHY_LOCAL);
		assert_non_null(strstr(e.text, "delete or keep"));
		source_close(&s);
	}
	T_CHECK(there("a"));
}

static void
test_a_place_that_is_not_there(void **state)
{
	enum conf_protocol kinds[] = { CONF_FOLDER, CONF_MAILDIR };
	char none[] = "/nonexistent/mails";
	const struct source_limits limits = { 100, 0, 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct conf_account a = { .protocol = kinds[i],
		    .path = none };
		struct err e = ERR_INIT;
		struct source *s;

		T_RC(source_new(&a, &limits, &s, &e), RC_CONF);
		T_CHECK(s == NULL);
		assert_non_null(strstr(e.text, none));
	}
}

static void
test_who_is_told_may_stop_it(void **state)
{
	const struct bytes none = { NULL, 0 };
	struct source *s = opened(CONF_FOLDER, 100, 0);
	struct bytes ids[2] = { bytes("a/1.1.1"), bytes("b/1.1.1") };
	struct err e = ERR_INIT;

	(void)state;
	put("a", "mail", 10);
	put("b", "mail", 10);
	seen.stop_at = 1;
	T_RC(source_list(s, none, on_list, NULL, &e), RC_TEMP);
	assert_int_equal(seen.n, 1);
	seen.at_end = RC_TEMP;
	T_RC(source_fetch(s, ids, 2, &sink, &e), RC_TEMP);
	assert_int_equal(seen.ends, 1);
	source_close(&s);
}

static void
test_a_consumer_that_fails_gets_no_more(void **state)
{
	enum rc *when[] = { &seen.at_begin, &seen.at_data };

	(void)state;
	put("a", "mail", 10);
	for (size_t i = 0; i < 2; i++) {
		struct source *s = opened(CONF_FOLDER, 100, 0);
		struct err e = ERR_INIT;
		struct bytes id = only(s);
		bool news = true;

		forget();
		*when[i] = RC_PERM;
		T_RC(source_fetch(s, &id, 1, &sink, &e), RC_PERM);
		assert_int_equal(seen.ends, 0);
		assert_int_equal(source_why(s), WHY_LOCAL);
		assert_int_equal(seen.octets.len, i == 0 ? 0 : 4);
		/* And nothing more of this source: half of it is lost. */
		T_RC(source_list(s, id, on_list, NULL, &e), RC_TEMP);
		T_RC(source_fetch(s, &id, 1, &sink, &e), RC_TEMP);
		T_RC(source_open(s, NULL, &e), RC_TEMP);
		T_RC(source_wait(s, 0, -1, &news, &e), RC_TEMP);
		T_CHECK(!news);
		T_RC(source_release(s, &id, 1, CONF_AFTER_DELETE, NULL,
		    &(enum source_done){ SOURCE_KEPT }, &e), RC_TEMP);
		assert_int_equal(source_why(s), WHY_NETWORK);
		source_close(&s);
	}
	T_CHECK(there("a"));
}

static void
test_larger_than_wanted(void **state)
{
	struct source *s = opened(CONF_FOLDER, 3, 0);

	(void)state;
	put("a", "mail", 10);
	assert_int_equal(fetch(s, only(s)), SOURCE_TOO_BIG);
	T_CHECK(seen.begun == 0 && seen.octets.len == 0);
	source_close(&s);
	s = opened(CONF_FOLDER, 4, 0);
	assert_int_equal(fetch(s, only(s)), SOURCE_GOT);
	source_close(&s);
}

/* ---- a Maildir --------------------------------------------------------- */

static void
maildir(void)
{
	assert_int_equal(mkdir(path_of("new"), 0700), 0);
	assert_int_equal(mkdir(path_of("cur"), 0700), 0);
}

static void
test_what_counts_as_a_mail_in_a_maildir(void **state)
{
	struct source *s = opened(CONF_MAILDIR, 100, 2);
	const struct bytes none = { NULL, 0 };
	struct err e = ERR_INIT;

	(void)state;
	maildir();
	put("new/1.a", "mail", 0);
	put("cur/2.b:2,S", "mail", 0);
	put("cur/:2,S", "mail", 0);
	put("new/.hidden", "mail", 0);
	assert_int_equal(mkdir(path_of("new/folder"), 0700), 0);
	assert_int_equal(symlink("1.a", path_of("new/link")), 0);
	assert_int_equal(list(s), 2);
	T_STR(seen.id[0], "1.a");
	T_STR(seen.id[1], "2.b");
	put("new/3.c", "mail", 0);
	forget();
	T_RC(source_list(s, none, on_list, NULL, &e), RC_TEMP);
	assert_int_equal(seen.n, 0);
	assert_non_null(strstr(e.text, "more than 2 messages"));
	source_close(&s);
}

static void
test_what_is_no_maildir(void **state)
{
	const struct bytes none = { NULL, 0 };
	struct source *s = opened(CONF_MAILDIR, 100, 0);
	struct err e = ERR_INIT;

	(void)state;
	T_RC(source_list(s, none, on_list, NULL, &e), RC_CONF);
	assert_non_null(strstr(e.text, "is not a Maildir: new"));
	assert_int_equal(source_why(s), WHY_LOCAL);
	assert_int_equal(mkdir(path_of("new"), 0700), 0);
	T_RC(source_list(s, none, on_list, NULL, &e), RC_CONF);
	assert_non_null(strstr(e.text, "is not a Maildir: cur"));
	assert_int_equal(mkdir(path_of("cur"), 0700), 0);
	put("new/1.a", "mail", 0);
	put("new/2.b", "mail", 0);
	seen.stop_at = 1;
	T_RC(source_list(s, none, on_list, NULL, &e), RC_TEMP);
	assert_int_equal(seen.n, 1);
	source_close(&s);
}

/* A reader of that mailbox moves and flags what we have listed. */
static void
test_a_mail_that_moves_is_found_again(void **state)
{
	struct source *s = opened(CONF_MAILDIR, 100, 0);
	struct bytes ids[3] = { bytes("1.a"), bytes("2.b"), bytes("3.c") };
	struct err e = ERR_INIT;

	(void)state;
	maildir();
	put("new/1.a", "one", 0);
	put("new/2.b", "two", 0);
	assert_int_equal(list(s), 2);
	moves("new/1.a", "cur/1.a:2,S");
	assert_int_equal(unlink(path_of("new/2.b")), 0);
	forget();
	/* Two that are not there cost one look, not two. */
	T_RC(source_fetch(s, ids, 3, &sink, &e), RC_OK);
	assert_int_equal(seen.ends, 3);
	assert_int_equal(seen.got[0], SOURCE_GOT);
	assert_int_equal(seen.got[1], SOURCE_GONE);
	assert_int_equal(seen.got[2], SOURCE_GONE);
	T_STR(buf_str(&seen.octets), "one");
	moves("cur/1.a:2,S", "cur/1.a:2,RS");
	assert_int_equal(removed(s, ids[0]), SOURCE_RELEASED);
	T_CHECK(!there("cur/1.a:2,RS"));
	source_close(&s);
}

/* What lies there under its name now is no file of ours. */
static void
test_a_mail_that_became_something_else(void **state)
{
	struct source *s = opened(CONF_MAILDIR, 100, 0);
	enum source_done done = SOURCE_KEPT;
	struct bytes id = bytes("1.a");
	struct err e = ERR_INIT;

	(void)state;
	maildir();
	put("new/1.a", "mail", 0);
	put("secret", "secret", 0);
	assert_int_equal(list(s), 1);
	assert_int_equal(unlink(path_of("new/1.a")), 0);
	assert_int_equal(symlink("../secret", path_of("new/1.a")), 0);
	assert_int_equal(fetch(s, id), SOURCE_UNREADABLE);
	assert_int_equal(seen.octets.len, 0);
	assert_int_equal(unlink(path_of("new/1.a")), 0);
	assert_int_equal(mkdir(path_of("new/1.a"), 0700), 0);
	T_CHECK(source_release(s, &id, 1, CONF_AFTER_DELETE, NULL, &done,
	    &e) != RC_OK);
	assert_int_equal(done, SOURCE_PENDING);
	T_CHECK(there("new/1.a") && there("secret"));
	source_close(&s);
}

static void
test_a_maildir_that_goes(void **state)
{
	struct source *s = opened(CONF_MAILDIR, 100, 0);
	enum source_done done = SOURCE_KEPT;
	struct bytes id = bytes("1.a");
	struct err e = ERR_INIT;

	(void)state;
	maildir();
	put("new/1.a", "mail", 0);
	assert_int_equal(list(s), 1);
	folder_remove(path_of("new"));
	T_RC(source_release(s, &id, 1, CONF_AFTER_DELETE, NULL, &done, &e),
	    RC_CONF);
	assert_int_equal(done, SOURCE_PENDING);
	T_RC(source_fetch(s, &id, 1, &sink, &e), RC_CONF);
	assert_int_equal(seen.ends, 0);
	source_close(&s);
}

/* ---- one mail on standard input ---------------------------------------- */

static void
test_standard_input_is_read_once(void **state)
{
	struct source *s = opened(CONF_STDIN, 100, 0);
	enum source_done done = SOURCE_PENDING;
	struct err e = ERR_INIT;
	int was = dup(STDIN_FILENO), p[2];
	struct bytes id = only(s);

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(dup2(p[0], STDIN_FILENO), STDIN_FILENO);
	close(p[0]);
	assert_int_equal(write(p[1], "mail", 4), 4);
	close(p[1]);
	assert_int_equal(fetch(s, bytes("another")), SOURCE_GONE);
	assert_int_equal(fetch(s, id), SOURCE_GOT);
	T_STR(buf_str(&seen.octets), "mail");
	assert_int_equal(fetch(s, id), SOURCE_GONE);
	assert_int_equal(list(s), 0);
	/* Whoever gave it has it until our exit code says otherwise. */
	T_RC(source_release(s, &id, 1, CONF_AFTER_DELETE, NULL, &done, &e),
	    RC_OK);
	assert_int_equal(done, SOURCE_KEPT);
	source_close(&s);
	dup2(was, STDIN_FILENO);
	close(was);
}

static void
test_standard_input_without_end_has_one(void **state)
{
	struct source *s = opened(CONF_STDIN, 3, 0);
	struct err e = ERR_INIT;
	int was = dup(STDIN_FILENO), p[2];
	struct bytes id = only(s);

	(void)state;
	forget();
	assert_int_equal(pipe(p), 0);
	assert_int_equal(dup2(p[0], STDIN_FILENO), STDIN_FILENO);
	close(p[0]);
	assert_int_equal(write(p[1], "mail", 4), 4);
	T_CHECK(source_fetch(s, &id, 1, &sink, &e) != RC_OK);
	T_CHECK(seen.ends == 0 && seen.octets.len == 0);
	assert_non_null(strstr(e.text, "larger than configured"));
	close(p[1]);
	source_close(&s);
	dup2(was, STDIN_FILENO);
	close(was);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_counts_as_a_mail_in_a_folder),
		TEST(test_a_file_that_was_replaced_is_another),
		TEST(test_ids_that_name_nothing),
		TEST(test_nowhere_to_move_to),
		TEST(test_a_place_that_is_not_there),
		TEST(test_who_is_told_may_stop_it),
		TEST(test_a_consumer_that_fails_gets_no_more),
		TEST(test_larger_than_wanted),
		TEST(test_what_counts_as_a_mail_in_a_maildir),
		TEST(test_what_is_no_maildir),
		TEST(test_a_mail_that_moves_is_found_again),
		TEST(test_a_mail_that_became_something_else),
		TEST(test_a_maildir_that_goes),
		TEST(test_standard_input_is_read_once),
		TEST(test_standard_input_without_end_has_one)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
