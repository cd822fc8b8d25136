/* A command and what its end means. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "base/clock.h"
#include "wire/pipe.h"

/* A file with that in it, behind no name. */
static int
input(const char *text)
{
	char path[] = "/tmp/sceau-test-XXXXXX";
	int fd = mkstemp(path);

	T_CHECK(fd >= 0 && unlink(path) == 0);
	T_CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static enum rc
ends(const char *command, struct err *e)
{
	int fd = input("text");
	enum rc rc = pipe_run(command, fd, e);

	close(fd);
	return rc;
}

static void
test_what_an_end_means(void **state)
{
	static const struct {
		const char	*command;
		enum rc		 rc;
	} are[] = {
		{ "exit 0", RC_OK }, { "exit 1", RC_TEMP },
		{ "exit 64", RC_CONF }, { "exit 65", RC_PERM },
		{ "exit 66", RC_PERM }, { "exit 67", RC_PERM },
		{ "exit 68", RC_PERM }, { "exit 69", RC_PERM },
		{ "exit 70", RC_PERM }, { "exit 71", RC_TEMP },
		{ "exit 75", RC_TEMP }, { "exit 76", RC_PERM },
		{ "exit 77", RC_PERM }, { "exit 78", RC_CONF },
		{ "/nonexistent/program", RC_CONF }, { "exit 126", RC_CONF },
		{ "kill -9 $$", RC_TEMP }, { "kill -15 $$", RC_TEMP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(are) / sizeof(are[0]); i++) {
		struct err e = ERR_INIT;

		if (ends(are[i].command, &e) != are[i].rc)
			fail_msg("%s: %s", are[i].command, e.text);
	}
}

/* Its standard input is the whole file, whatever was read of it before. */
static void
test_what_it_is_given(void **state)
{
	struct err e = ERR_INIT;
	int fd = input("text");

	(void)state;
	T_CHECK(lseek(fd, 2, SEEK_SET) == 2);
	T_RC(pipe_run("test \"$(cat)\" = text", fd, &e), RC_OK);
	close(fd);
	T_RC(pipe_run("true", -1, &e), RC_TEMP);
}

static void
test_a_command_too_long(void **state)
{
	char command[5000];
	struct err e = ERR_INIT;

	(void)state;
	memset(command, ' ', sizeof(command));
	memcpy(command, "exit 0;", 7);
	command[4095] = '\0';
	T_RC(ends(command, &e), RC_OK);
	command[4095] = ' ';
	command[4096] = '\0';
	T_RC(ends(command, &e), RC_TEMP);
}

/* Of our environment only what a command needs to find its way. */
static void
test_alone_it_knows_little(void **state)
{
	struct err e = ERR_INIT;
	int fd = input("");

	(void)state;
	T_CHECK(setenv("SCEAU_SECRET", "hunter2", 1) == 0);
	T_CHECK(setenv("TZ", "Europe/Paris", 1) == 0);
	T_RC(pipe_run("test \"$SCEAU_SECRET\" = hunter2", fd, &e), RC_OK);
	T_RC(pipe_run_alone("test -z \"$SCEAU_SECRET\" && "
	    "test \"$TZ\" = Europe/Paris && test -n \"$PATH\"", fd, 20, &e),
	    RC_OK);
	close(fd);
}

/* With whatever it has begun. */
static void
test_it_ends_in_time(void **state)
{
	struct err e = ERR_INIT;
	int fd = input("");
	int64_t began = clock_ms();

	(void)state;
	T_RC(pipe_run_alone("sleep 60 & sleep 60", fd, 1, &e), RC_TEMP);
	T_CHECK(clock_ms() - began < 30000);
	T_CHECK(strstr(e.text, "1 second") != NULL);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_an_end_means),
		cmocka_unit_test(test_what_it_is_given),
		cmocka_unit_test(test_a_command_too_long),
		cmocka_unit_test(test_alone_it_knows_little),
		cmocka_unit_test(test_it_ends_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
