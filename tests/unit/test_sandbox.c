/* DESIGN, ruling 2: each process tries what it must not do. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/secret.h"
#include "unit.h"

#define CAN_READ 1	/* a file of ours */
#define CAN_WRITE 2	/* in the folder that was allowed */
#define CAN_SOCKET 4
#define CAN_EXEC 8
#define CAN_ESCAPE 16	/* write beside the folder */
#define FAILED 64

static char dir[] = "/tmp/sceau-sandbox-XXXXXX";

static bool
can_open(const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool
can_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool
can_exec(void)
{
	char name[] = "true", *argv[] = { name, NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execv("/bin/true", argv);
		_exit(1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* In a child: enter, then try everything. */
static int
what_can(enum sandbox_role role)
{
	char rw[256];
	const struct sandbox_path folders[] = { { rw, SB_TREE },
	    { NULL, SB_TREE } };
	struct err e = ERR_INIT;
	int status, can = 0;
	pid_t pid;

	snprintf(rw, sizeof(rw), "%s/rw", dir);
	if ((pid = fork()) == 0) {
		if (sandbox_enter(role, role == SB_KEEPER ||
		    role == SB_CLERK ? folders : NULL, &e) != RC_OK)
			_exit(FAILED);
		/* The watch over entering is called off: 60 s later there
		 * would be no vault. */
		if (alarm(0) != 0)
			_exit(FAILED);
		can |= can_open("secret", O_RDONLY) ? CAN_READ : 0;
		can |= can_open("rw/new", O_WRONLY | O_CREAT) ? CAN_WRITE : 0;
		can |= can_open("beside", O_WRONLY | O_CREAT) ?
		    CAN_ESCAPE : 0;
		can |= can_socket() ? CAN_SOCKET : 0;
		can |= can_exec() ? CAN_EXEC : 0;
		_exit(can);
	}
	assert_true(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_each_role_is_refused_what_it_must_not_do(void **state)
{
	static const struct {
		enum sandbox_role	role;
		int			can;
	} roles[] = {
		{ SB_FETCH, 0 },
		{ SB_RELAY, CAN_SOCKET },
		{ SB_KEEPER, CAN_WRITE },
		{ SB_VAULT, 0 },
		{ SB_CLERK, CAN_WRITE },
	};

	(void)state;
	if (strcmp(sandbox_kind(), "landlock+seccomp") != 0) {
		/* Then `check` says so, and nothing pretends. */
		print_message("this kernel offers: %s\n", sandbox_kind());
		for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
			assert_int_not_equal(what_can(roles[i].role), FAILED);
		return;
	}
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		assert_int_equal(what_can(roles[i].role), roles[i].can);
}

static void
test_nothing_is_refused_outside(void **state)
{
	(void)state;
	T_CHECK(can_open("secret", O_RDONLY));
	T_CHECK(can_socket());
	T_CHECK(can_exec());
}

static int
set_up(void **state)
{
	char path[256];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/rw", dir);
	return mkdir(path, 0700) != 0 ||
	    !can_open("secret", O_WRONLY | O_CREAT) ? -1 : 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "rw/new", "rw", "secret",
	    "beside", "" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)remove(path);
	}
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_refused_outside),
		cmocka_unit_test(
		    test_each_role_is_refused_what_it_must_not_do),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
