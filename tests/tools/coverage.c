/* Linked into all that tests/tools/coverage builds: a child's counts are
 * written when it leaves by _exit(), becomes another program or kills itself
 * at a FAULT point.  Into sceau too: no sandbox keeps it from writing them. */
#define _GNU_SOURCE	/* RTLD_DEFAULT */
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

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
enum rc __wrap_sandbox_enter(void);

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

enum rc
__wrap_sandbox_enter(void)
{
	return RC_OK;
}
