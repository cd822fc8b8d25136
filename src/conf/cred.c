#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "conf/cred.h"

/* How often a command that keeps its output open is asked for its end. */
#define LOOK_MS 50

/* The first line of a stream, in locked memory; what follows is dropped. */
struct line {
	char	*p;	/* SECRET_MAX_BYTES + 1 octets */
	size_t	 len;
	bool	 whole;	/* its end has been seen */
};

static enum rc
line_new(struct line *l, struct err *e)
{
	*l = (struct line){ secret_alloc(SECRET_MAX_BYTES + 1), 0, false };
	return l->p != NULL ? RC_OK :
	    err_set(e, RC_NOMEM, _("no locked memory for a password"));
}

/* One read; 1: go on, 0: the end, -1: errno. */
static int
line_read(struct line *l, int fd)
{
	size_t room = SECRET_MAX_BYTES + 1 - l->len;
	char *at = l->p + l->len, *nl;
	char drop[512];
	ssize_t n;

	if (l->whole || room == 0) {
		n = read(fd, drop, sizeof(drop));
		wipe(drop, sizeof(drop));
	} else {
		n = read(fd, at, room);
	}
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -1;
	if (n == 0 || l->whole || room == 0)
		return n != 0;
	nl = memchr(at, '\n', (size_t)n);
	l->whole = nl != NULL;
	l->len = nl != NULL ? (size_t)(nl - l->p) : l->len + (size_t)n;
	return 1;
}

static enum rc
line_take(struct line *l, const char *name, struct secret *out, struct err *e)
{
	if (l->len > 0 && l->len <= SECRET_MAX_BYTES &&
	    l->p[l->len - 1] == '\r')
		l->len--;
	if (l->len == 0)
		return err_set(e, RC_CONF, _("%s: the first line is empty"),
		    name);
	if (l->len > SECRET_MAX_BYTES)
		return err_set(e, RC_CONF, _("%s: the first line has more "
		    "than %d octets"), name, SECRET_MAX_BYTES);
	if (memchr(l->p, '\0', l->len) != NULL ||
	    memchr(l->p, '\r', l->len) != NULL)
		return err_set(e, RC_CONF, _("%s: the first line holds a NUL "
		    "or CR octet"), name);
	return secret_set(out, l->p, l->len) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no locked memory for a password"));
}

static enum rc
file_line(int fd, const char *path, struct line *l, struct err *e)
{
	struct stat st;
	int more;

	/* the file that is open, whatever its name means by now */
	if (fstat(fd, &st) != 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, RC_CONF, _("%s is not a regular file"),
		    path);
	if ((st.st_mode & 077) != 0)
		return err_set(e, RC_CONF, _("%s can be read by others; type: "
		    "chmod go= %s"), path, path);
	while ((more = line_read(l, fd)) > 0)
		;
	if (more < 0)
		return err_set(e, RC_CONF, _("%s: %s"), path,
		    lang_errno(errno));
	return RC_OK;
}

enum rc
cred_file(const char *path, struct secret *out, struct err *e)
{
	struct line l;
	enum rc rc;
	int fd;

	secret_wipe(out);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, RC_CONF, _("%s: %s"), path,
		    lang_errno(errno));
	if ((rc = line_new(&l, e)) == RC_OK &&
	    (rc = file_line(fd, path, &l, e)) == RC_OK)
		rc = line_take(&l, path, out, e);
	secret_free(&l.p);
	close(fd);
	return rc;
}

/* In the child: nothing of ours but stderr; a group of its own, so that all
 * of it can be ended. */
static _Noreturn void
run(const char *command, int out)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(out, STDOUT_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static enum rc
start(const char *command, pid_t *pid, int *fd, struct err *e)
{
	int p[2];

	if (pipe(p) != 0)
		return err_sys(e, _("password or token command"));
	fcntl(p[0], F_SETFD, FD_CLOEXEC);
	fcntl(p[1], F_SETFD, FD_CLOEXEC);
	if ((*pid = fork()) < 0) {
		err_sys(e, _("password or token command"));
		close(p[0]);
		close(p[1]);
		return e->rc;
	}
	if (*pid == 0)
		run(command, p[1]);
	setpgid(*pid, *pid);
	close(p[1]);
	*fd = p[0];
	return RC_OK;
}

/* True when it has ended; an end that somebody else took is a failure. */
static bool
reap(pid_t pid, int *status, int flags)
{
	pid_t got;

	do
		got = waitpid(pid, status, flags);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		*status = SIGABRT;
	return got != 0;
}

/*
 * Until the end of its output; or of the command itself, because an agent it
 * started may keep the output open for ever.  False: the limit.
 */
static bool
collect(struct line *l, int fd, pid_t pid, int64_t deadline, int *status,
    bool *ended)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	bool open = true;

	*ended = false;
	for (;;) {
		int64_t left = deadline - clock_ms();
		int n, look = open ? LOOK_MS : 2;
		int wait = left < look ? (int)left : look;

		if (left <= 0)
			return false;
		n = poll(&pfd, open ? 1 : 0, wait);
		if (n > 0) {
			open = line_read(l, fd) > 0;
			continue;
		}
		if (*ended)
			return true;
		*ended = reap(pid, status, WNOHANG);
		if (*ended && !open)
			return true;
	}
}

static enum rc
verdict(int status, struct err *e)
{
	if (WIFSIGNALED(status))
		return err_set(e, RC_TEMP, _("the password or token command "
		    "was ended by signal %d"), WTERMSIG(status));
	if (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127)
		return err_set(e, RC_CONF, _("the password or token command "
		    "cannot be run (exit %d); run it by hand to see why"),
		    WEXITSTATUS(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(e, RC_TEMP, _("the password or token command "
		    "failed (exit %d); run it by hand to see why"),
		    WEXITSTATUS(status));
	return RC_OK;
}

enum rc
cred_command(const char *command, int limit_ms, struct secret *out,
    struct err *e)
{
	struct line l;
	int status = 0, fd = -1;
	bool ended = false;
	pid_t pid = -1;
	enum rc rc;

	secret_wipe(out);
	if ((rc = line_new(&l, e)) != RC_OK ||
	    (rc = start(command, &pid, &fd, e)) != RC_OK)
		goto out;
	if (collect(&l, fd, pid, clock_ms() + limit_ms, &status, &ended)) {
		rc = verdict(status, e);
	} else {
		kill(-pid, SIGKILL);
		rc = err_set(e, RC_TEMP, _("the password or token command "
		    "took more than %d s and was ended"), limit_ms / 1000);
	}
	if (!ended)
		reap(pid, &status, 0);
	if (rc == RC_OK)
		rc = line_take(&l, _("output of the password or token "
		    "command"), out, e);
out:
	if (fd >= 0)
		close(fd);
	secret_free(&l.p);
	return rc;
}

enum rc
cred_get(const struct conf_server *s, struct secret *out, struct err *e)
{
	secret_wipe(out);
	switch (s->auth) {
	case CONF_AUTH_NONE:
		return RC_OK;
	case CONF_AUTH_XOAUTH2:
		BUG_ON(s->token_command == NULL);
		return cred_command(s->token_command, CRED_LIMIT_MS, out, e);
	case CONF_AUTH_PASSWORD:
		break;
	}
	if (s->password_file != NULL)
		return cred_file(s->password_file, out, e);
	BUG_ON(s->password_command == NULL);
	return cred_command(s->password_command, CRED_LIMIT_MS, out, e);
}
