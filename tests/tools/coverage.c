/* Linked into all that tests/tools/coverage builds: a child's counts are
 * written when it leaves by _exit(), becomes another program or kills itself
 * at a FAULT point.  Into sceau too: no sandbox keeps it from writing them. */
#define _GNU_SOURCE	/* RTLD_DEFAULT, vasprintf() */
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sandbox.h"

extern void __gcov_dump(void);
extern _Noreturn void __real__exit(int code);
extern int __real_raise(int sig);
_Noreturn void __wrap__exit(int code);
int __wrap_raise(int sig);
extern int __real_execve(const char *path, char *const argv[],
    char *const env[]);
int __wrap_execve(const char *path, char *const argv[], char *const env[]);
extern int __real_execv(const char *path, char *const argv[]);
int __wrap_execv(const char *path, char *const argv[]);
int __wrap_execl(const char *path, const char *arg, ...);

#ifdef OURS	/* not what configure and the unit tests link */

/* --- Buffers that cannot grow ------------------------------------------- */

/* tests/fault/shim.c says when, if it is there.  A small one has room, so that
 * an allocation that fails never shows what comes of it. */
static bool (*shim_grow)(void);

__attribute__((constructor)) static void
find_shim(void)
{
	*(void **)&shim_grow = dlsym(RTLD_DEFAULT, "shim_grow");
}

/* What was reserved is there: that cannot fail, and nobody asks. */
static struct {
	const struct buf	*of;
	size_t			 to;
} reserved;

static bool
grows(const struct buf *b, size_t more)
{
	return (reserved.of == b && b->len + more <= reserved.to) ||
	    shim_grow == NULL || !shim_grow();
}

extern bool __real_buf_reserve(struct buf *b, size_t more);
bool __wrap_buf_reserve(struct buf *b, size_t more);
bool
__wrap_buf_reserve(struct buf *b, size_t more)
{
	if (!grows(b, more) || !__real_buf_reserve(b, more))
		return false;
	reserved.of = b;
	reserved.to = b->len + more;
	return true;
}

#define GROWS(ret, name, params, args, more, failed)			\
extern ret __real_##name params;					\
ret __wrap_##name params;						\
ret									\
__wrap_##name params							\
{									\
	return grows(b, more) ? __real_##name args : failed;		\
}

GROWS(bool, buf_add, (struct buf *b, const void *p, size_t n), (b, p, n), n,
    false)
GROWS(bool, buf_adds, (struct buf *b, const char *s), (b, s), strlen(s), false)
GROWS(bool, buf_add8, (struct buf *b, uint8_t v), (b, v), 1, false)
GROWS(bool, buf_add16, (struct buf *b, uint16_t v), (b, v), 2, false)
GROWS(bool, buf_add32, (struct buf *b, uint32_t v), (b, v), 4, false)
GROWS(bool, buf_add64, (struct buf *b, uint64_t v), (b, v), 8, false)
GROWS(const char *, buf_str, (struct buf *b), (b), 1, NULL)

bool __wrap_buf_addf(struct buf *b, const char *fmt, ...);
bool
__wrap_buf_addf(struct buf *b, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	bool ok;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	ok = n >= 0 && grows(b, (size_t)n + 1) &&
	    __real_buf_add(b, text, (size_t)n);
	free(text);
	return ok;
}

enum rc __wrap_sandbox_enter(void);
enum rc
__wrap_sandbox_enter(void)
{
	return RC_OK;
}

#endif

/* --- Counters ----------------------------------------------------------- */

/* What fails calls of ours (tests/fault/shim.c) leaves the counting alone. */
__attribute__((destructor(101))) static void
quiet(void)
{
	void (*shim)(void);

	*(void **)&shim = dlsym(RTLD_DEFAULT, "shim_quiet");
	if (shim != NULL)
		shim();
}

static void
dump(void)
{
	quiet();
	__gcov_dump();
}

_Noreturn void
__wrap__exit(int code)
{
	dump();
	__real__exit(code);
}

int
__wrap_raise(int sig)
{
	if (sig == SIGKILL)
		dump();
	return __real_raise(sig);
}

int
__wrap_execve(const char *path, char *const argv[], char *const env[])
{
	dump();
	return __real_execve(path, argv, env);
}

int
__wrap_execv(const char *path, char *const argv[])
{
	dump();
	return __real_execv(path, argv);
}

/* Up to fifteen arguments: more than any of ours. */
int
__wrap_execl(const char *path, const char *arg, ...)
{
	char *argv[16] = { (char *)(uintptr_t)arg };
	va_list ap;

	va_start(ap, arg);
	for (size_t i = 1; i < 15 && argv[i - 1] != NULL; i++)
		argv[i] = va_arg(ap, char *);
	va_end(ap);
	return __wrap_execv(path, argv);
}
