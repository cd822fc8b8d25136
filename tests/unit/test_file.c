#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "unit.h"

static char dir[] = "/tmp/sceau-file-XXXXXX";
static char path[128];

static void
test_written_whole_or_not_at_all(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	T_RC(file_write(path, "one", 3, 0600, &e), RC_OK);
	T_RC(file_write(path, "three", 5, 0640, &e), RC_OK);
	T_RC(file_read(path, 5, &b, &e), RC_OK);
	T_CHECK(b.len == 5 && memcmp(b.p, "three", 5) == 0);
	T_CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640);
	T_RC(file_read(path, 4, &b, &e), RC_INPUT);	/* one too large */
	T_CHECK(b.len == 0);
	buf_free(&b);
}

/* A FIFO is not waited for, a device not read without end. */
static void
test_a_regular_file_alone(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char fifo[160];

	(void)state;
	T_RC(file_write(path, "one", 3, 0600, &e), RC_OK);
	T_RC(file_read_regular(path, 3, &b, &e), RC_OK);
	T_CHECK(b.len == 3 && memcmp(b.p, "one", 3) == 0);
	T_RC(file_read_regular(path, 2, &b, &e), RC_INPUT);
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	T_CHECK(mkfifo(fifo, 0600) == 0);
	T_RC(file_read_regular(fifo, 3, &b, &e), RC_CONF);
	T_CHECK(strstr(e.text, "not a regular file") != NULL && b.len == 0);
	T_RC(file_read_regular("/dev/null", 3, &b, &e), RC_CONF);
	T_RC(file_read_regular(dir, 3, &b, &e), RC_CONF);
	unlink(fifo);
	T_RC(file_read_regular(fifo, 3, &b, &e), RC_CONF);
	buf_free(&b);
}

static void
test_create_never_replaces(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(file_write(path, "old", 3, 0600, &e), RC_OK);
	T_RC(file_create(path, "new", 3, 0600, &e), RC_CONF);
	T_RC(file_read(path, 100, &b, &e), RC_OK);
	T_CHECK(memcmp(b.p, "old", 3) == 0);
	unlink(path);
	T_RC(file_create(path, "new", 3, 0600, &e), RC_OK);
	T_RC(file_read(path, 100, &b, &e), RC_OK);
	T_CHECK(memcmp(b.p, "new", 3) == 0);
	buf_free(&b);
}

static void
test_what_others_can_read_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	T_RC(file_write(path, "x", 1, 0600, &e), RC_OK);
	T_RC(file_private(path, &e), RC_OK);
	T_CHECK(chmod(path, 0640) == 0);
	T_RC(file_private(path, &e), RC_CONF);
	T_CHECK(strstr(e.text, "chmod go= ") != NULL);
}

/* Who owns it can give himself the right to change it. */
static void
test_what_is_anothers_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (geteuid() != 0)
		return;		/* nobody else's file can be made */
	T_RC(file_write(path, "x", 1, 0600, &e), RC_OK);
	T_CHECK(chown(path, 65534, (gid_t)-1) == 0);
	T_RC(file_private(path, &e), RC_CONF);
	T_CHECK(strstr(e.text, "another user") != NULL);
	T_CHECK(seteuid(65534) == 0);
	T_RC(file_private("/etc/passwd", &e), RC_CONF);
	T_CHECK(strstr(e.text, "chmod go= ") != NULL);	/* root's is fine */
	T_CHECK(seteuid(0) == 0);
	unlink(path);
}

static void
test_missing_and_folder(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char deep[256];

	(void)state;
	T_RC(file_read("/nonexistent/x", 10, &b, &e), RC_CONF);
	T_RC(file_read(dir, 10, &b, &e), RC_CONF);
	snprintf(deep, sizeof(deep), "%s/a/b/c", dir);
	T_RC(file_mkdirs(deep, 0700, &e), RC_OK);
	T_RC(file_mkdirs(deep, 0700, &e), RC_OK);
	T_CHECK(rmdir(deep) == 0);
	snprintf(deep, sizeof(deep), "%s/a/b", dir);
	T_CHECK(rmdir(deep) == 0);
	snprintf(deep, sizeof(deep), "%s/a", dir);
	T_CHECK(rmdir(deep) == 0);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/f", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);	/* fails when a temporary file was left */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_whole_or_not_at_all),
		cmocka_unit_test(test_a_regular_file_alone),
		cmocka_unit_test(test_create_never_replaces),
		cmocka_unit_test(test_what_others_can_read_is_refused),
		cmocka_unit_test(test_what_is_anothers_is_refused),
		cmocka_unit_test(test_missing_and_folder),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
