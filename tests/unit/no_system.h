/* A call of the system that fails, by its name; linked with --wrap of each
 * (NO_SYSTEM).  Libraries' own calls are left alone. */
#ifndef SC_TESTS_NO_SYSTEM_H
#define SC_TESTS_NO_SYSTEM_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static struct {
	const char	*name;	/* NULL: none */
	long		 after;	/* so many succeed before */
	int		 error;
} failing;

static inline void
fail_call(const char *name, long after, int error)
{
	failing.name = name;
	failing.after = after;
	failing.error = error;
}

/* Whether it failed, and that it will not any more. */
static inline bool
has_failed(void)
{
	bool yes = failing.name == NULL;

	failing.name = NULL;
	return yes;
}

static inline bool
call_fails(const char *name)
{
	if (failing.name == NULL || strcmp(failing.name, name) != 0 ||
	    failing.after-- > 0)
		return false;
	failing.name = NULL;
	errno = failing.error;
	return true;
}

#define FAILING(ret, failed, name, params, args)			\
ret __real_##name params;						\
ret __wrap_##name params;						\
ret									\
__wrap_##name params							\
{									\
	return call_fails(#name) ? failed : __real_##name args;		\
}

FAILING(int, -1, rename, (const char *a, const char *b), (a, b))
FAILING(int, -1, link, (const char *a, const char *b), (a, b))
FAILING(int, -1, lstat, (const char *p, struct stat *st), (p, st))
FAILING(int, -1, fstat, (int fd, struct stat *st), (fd, st))
FAILING(int, -1, fstatat, (int d, const char *p, struct stat *st, int how),
    (d, p, st, how))
FAILING(int, -1, unlink, (const char *p), (p))
FAILING(int, -1, unlinkat, (int d, const char *p, int how), (d, p, how))
FAILING(int, -1, mkstemp, (char *p), (p))
FAILING(int, -1, fsync, (int fd), (fd))
FAILING(DIR *, NULL, fdopendir, (int fd), (fd))
FAILING(ssize_t, -1, read, (int fd, void *p, size_t n), (fd, p, n))
FAILING(ssize_t, -1, recv, (int fd, void *p, size_t n, int how),
    (fd, p, n, how))
FAILING(ssize_t, -1, send, (int fd, const void *p, size_t n, int how),
    (fd, p, n, how))
FAILING(int, -1, poll, (struct pollfd *p, nfds_t n, int ms), (p, n, ms))
FAILING(pid_t, -1, waitpid, (pid_t pid, int *st, int how), (pid, st, how))
FAILING(pid_t, -1, fork, (void), ())
FAILING(int, -1, socket, (int a, int b, int c), (a, b, c))

/* The descriptor is gone all the same, as it is on Linux. */
int __real_close(int fd);
int __wrap_close(int fd);
int
__wrap_close(int fd)
{
	bool fails = call_fails("close");
	int error = errno, r = __real_close(fd);

	if (fails)
		errno = error;
	return fails ? -1 : r;
}

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int
__wrap_openat(int dir, const char *path, int flags, ...)
{
	/* None of ours creates anything. */
	return call_fails("openat") ? -1 : __real_openat(dir, path, flags);
}

#endif
