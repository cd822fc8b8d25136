#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "wire/pipe.h"

#define FEW_MAX 16

extern char **environ;

/* What a command needs to find its way, out of our own environment. */
static char **
few(char *out[])
{
	static const char *const names[] = { "PATH=", "HOME=", "SHELL=",
	    "USER=", "LOGNAME=", "LANG=", "LC_ALL=", "TZ=" };
	size_t n = 0;

	for (char **v = environ; *v != NULL && n < FEW_MAX; v++)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strncmp(*v, names[i], strlen(names[i])) == 0)
				out[n++] = *v;
	out[n] = NULL;
	return out;
}

static _Noreturn void
child(const char *command, int fd, bool alone)
{
	char *env[FEW_MAX + 1];
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
	execve("/bin/sh", argv, alone ? few(env) : environ);
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

static enum rc
run(const char *command, int fd, int limit_s, bool alone, struct err *e)
{
	int64_t until = clock_ms() + (int64_t)limit_s * 1000;
	int status = 0;
	pid_t pid = fork(), got;

	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		child(command, fd, alone);
	(void)setpgid(pid, pid);
	while ((got = waitpid(pid, &status, WNOHANG)) == 0 ||
	    (got < 0 && errno == EINTR)) {
		if (clock_ms() > until) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return err_set(e, RC_TEMP, _("the command did not "
			    "end within %d seconds"), limit_s);
		}
		poll(NULL, 0, 10);
	}
	return got == pid ? judge(status, e) : err_sys(e, "waitpid");
}

enum rc
pipe_run(const char *command, int fd, struct err *e)
{
	return run(command, fd, PIPE_LIMIT_S, false, e);
}

enum rc
pipe_run_alone(const char *command, int fd, int limit_s, struct err *e)
{
	return run(command, fd, limit_s, true, e);
}
