#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "wire/pipe.h"

static _Noreturn void
child(const char *command, int fd)
{
	char sh[] = "sh", dash_c[] = "-c", copy[4096];
	char *argv[] = { sh, dash_c, copy, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (setpgid(0, 0) != 0 || strlen(command) >= sizeof(copy) ||
	    lseek(fd, 0, SEEK_SET) != 0 || dup2(fd, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(EX_TEMPFAIL);
	memcpy(copy, command, strlen(command) + 1);
	/* Nothing of ours goes along. */
	for (int i = 3; i < 1024; i++)
		close(i);
	execv("/bin/sh", argv);
	_exit(127);
}

static enum rc
judge(int status, struct err *e)
{
	int code;

	if (WIFSIGNALED(status))
		return err_set(e, RC_TEMP, _("the command was killed by "
		    "signal %d"), WTERMSIG(status));
	switch (code = WEXITSTATUS(status)) {
	case EX_OK:
		return RC_OK;
	case EX_DATAERR: case EX_NOINPUT: case EX_NOUSER: case EX_NOHOST:
	case EX_UNAVAILABLE: case EX_SOFTWARE: case EX_PROTOCOL:
	case EX_NOPERM:
		return err_set(e, RC_PERM, _("the command refused it: exit "
		    "%d"), code);
	case EX_USAGE: case EX_CONFIG: case 126: case 127:
		return err_set(e, RC_CONF, _("the command cannot work: exit "
		    "%d"), code);
	}
	return err_set(e, RC_TEMP, _("the command failed: exit %d"), code);
}

enum rc
pipe_run(const char *command, int fd, struct err *e)
{
	int64_t until = clock_ms() + PIPE_LIMIT_S * 1000;
	int status = 0;
	pid_t pid = fork(), got;

	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		child(command, fd);
	(void)setpgid(pid, pid);
	while ((got = waitpid(pid, &status, WNOHANG)) == 0 ||
	    (got < 0 && errno == EINTR)) {
		if (clock_ms() > until) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return err_set(e, RC_TEMP, _("the command did not "
			    "end within %d seconds"), PIPE_LIMIT_S);
		}
		poll(NULL, 0, 10);
	}
	return got == pid ? judge(status, e) : err_sys(e, "waitpid");
}
