#include "config.h"

#include <unistd.h>
#ifdef ENABLE_SANITIZERS
#include <sanitizer/lsan_interface.h>
#include <stdbool.h>
#include <stdlib.h>
#endif

#include "base/fault.h"
#include "base/sandbox.h"

#ifdef ENABLE_FAULT
static const char *const role_names[] = { "fetch", "relay", "keeper", "vault",
    "clerk" };
#endif

#ifdef __linux__

#include <sys/prctl.h>

#include "base/sandbox_linux.h"

static enum rc
enter(enum sandbox_role role, const struct sandbox_path *paths, struct err *e)
{
	/* Asked first: the one may not be asked for inside the other. */
	bool files = landlock_offered(), calls = filter_offered();
	enum rc rc = RC_OK;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_sys(e, "no_new_privs");
	if (files)
		rc = landlock_enter(role, paths, e);
	if (rc == RC_OK && calls)
		rc = filter_enter(role, e);
	return rc;
}

const char *
sandbox_kind(void)
{
	bool files = landlock_offered(), calls = filter_offered();

	if (files && calls)
		return "landlock+seccomp";
	return files ? "landlock" : calls ? "seccomp" : "none";
}

#elif defined(HAVE_SANDBOX_H)

#include <limits.h>
#include <sandbox.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Deprecated since 10.8 and still what every browser on macOS uses. */
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

/* Of every role: to read the state of the system, to look at what a name is,
 * to end itself.  Whatever is not named is denied: files, network, other
 * programs, processes and services. */
#define ALWAYS "(version 1)(deny default)(allow sysctl-read)" \
    "(allow file-read-metadata)(allow signal (target self))"
/* Libraries and what they load at run time; nothing of ours. */
#define SYSTEM "(allow file-read* file-map-executable " \
    "(subpath \"/usr/lib\")(subpath \"/System/Library\")" \
    "(subpath \"/usr/local/lib\")(subpath \"/usr/local/Cellar\")" \
    "(subpath \"/opt/homebrew/lib\")(subpath \"/opt/homebrew/Cellar\"))" \
    "(allow file-read* (subpath \"/usr/share/locale\")" \
    "(subpath \"/usr/share/zoneinfo\")(subpath \"/private/var/db/timezone\")" \
    "(literal \"/private/etc/localtime\")" \
    "(literal \"/private/etc/ssl/cert.pem\")" \
    "(literal \"/private/etc/ssl/openssl.cnf\")" \
    "(literal \"/dev/null\")(literal \"/dev/urandom\"))"

/* A file that may be written may be removed. */
static const char *const may_words[] = {
	[SB_TREE] = "(allow file-read* file-write* (subpath \"",
	[SB_NAMES] = "(allow file-read-data (literal \"",
	[SB_FILE] = "(allow file-read* file-write* (literal \"",
	[SB_READ] = "(allow file-read* (subpath \"",
	/* Of its own names only: what is looked for below is asked for. */
	[SB_LIST] = "(allow file-read-data (literal \""
};

/* Rules are about true names: /var is /private/var.  What is missing has
 * none and needs no rule. */
static bool
profile_paths(struct buf *b, const struct sandbox_path *paths)
{
	char real[PATH_MAX];

	for (; paths != NULL && paths->path != NULL; paths++) {
		if (realpath(paths->path, real) == NULL)
			continue;
		if (strpbrk(real, "\"\\") != NULL ||
		    !buf_adds(b, may_words[paths->may]) ||
		    !buf_adds(b, real) || !buf_adds(b, "\"))"))
			return false;
	}
	return true;
}

static enum rc
enter(enum sandbox_role role, const struct sandbox_path *paths, struct err *e)
{
	struct buf b = BUF_INIT;
	char *why = NULL;
	enum rc rc = RC_OK;

	if (!buf_adds(&b, ALWAYS) ||
	    (role != SB_VAULT && !buf_adds(&b, SYSTEM)) ||
	    (role == SB_RELAY && !buf_adds(&b, "(allow network-outbound "
	    "(remote ip))")) || !profile_paths(&b, paths))
		rc = err_set(e, RC_CONF, "sandbox_init");
	else if (sandbox_init(buf_str(&b), 0, &why) != 0) {
		rc = err_set(e, RC_CONF, "sandbox_init: %s", why);
		sandbox_free_error(why);
	}
	buf_free(&b);
	return rc;
}

const char *
sandbox_kind(void)
{
	return "sandbox_init";
}

#else

static enum rc
enter(enum sandbox_role role, const struct sandbox_path *paths, struct err *e)
{
	(void)role;
	(void)paths;
	(void)e;
	return RC_OK;
}

const char *
sandbox_kind(void)
{
	return "none";
}

#endif

/* A look for leaks stops all threads by ptrace and reads /proc, which a sandbox
 * forbids: who is to be looked at enters none. */
#ifdef ENABLE_SANITIZERS
static bool entered;

static bool
looked_at(void)
{
#ifdef ENABLE_FAULT
	return getenv("SCEAU_FAULT_LEAKS") != NULL;
#else
	return false;
#endif
}

int
__lsan_is_turned_off(void)
{
	return entered;
}
#endif

enum rc
sandbox_enter(enum sandbox_role role, const struct sandbox_path *paths,
    struct err *e)
{
	enum rc rc = RC_OK;

	FAULT("sandbox.before");
#ifdef ENABLE_SANITIZERS
	entered = !looked_at();
	if (entered)
#endif
		rc = enter(role, paths, e);
	FAULT_OF("sandbox", role_names[role]);
	return rc;
}

void
sandbox_leave(int code)
{
#ifdef ENABLE_SANITIZERS
	if (looked_at())
		(void)__lsan_do_recoverable_leak_check();
#endif
	_exit(code);
}
