#include "config.h"

#ifdef __linux__

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sandbox_linux.h"

/* linux/landlock.h of Debian 12 stops at version 2: the numbers are ours. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define LL_VERSION_FLAG 1U
#define LL_RULE_PATH 1
#define LL_FS_EXECUTE (1ULL << 0)
#define LL_FS_WRITE_FILE (1ULL << 1)
#define LL_FS_READ_FILE (1ULL << 2)
#define LL_FS_READ_DIR (1ULL << 3)
#define LL_FS_REMOVE_FILE (1ULL << 5)
#define LL_FS_V1 ((1ULL << 13) - 1)
#define LL_FS_REFER (1ULL << 13)	/* version 2 */
#define LL_FS_TRUNCATE (1ULL << 14)	/* version 3 */
#define LL_FS_IOCTL_DEV (1ULL << 15)	/* version 5 */
#define LL_OF_A_FILE (LL_FS_WRITE_FILE | LL_FS_READ_FILE | LL_FS_TRUNCATE)
#define LL_NET_BIND_TCP (1ULL << 0)	/* version 4 */
#define LL_NET_CONNECT_TCP (1ULL << 1)
#define LL_SCOPE_UNIX (1ULL << 0)	/* version 6 */
#define LL_SCOPE_SIGNAL (1ULL << 1)

struct ll_ruleset {
	uint64_t	fs;
	uint64_t	net;
	uint64_t	scoped;
};

struct ll_path {
	uint64_t	allowed;
	int32_t		fd;
} __attribute__((packed));

/* Shared libraries and what they read at run time; nothing of ours, and
 * nothing to execute: mapping a library is not that. */
static const char *const system_paths[] = { "/lib", "/lib64", "/usr/lib",
    "/usr/lib64", "/usr/local/lib", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
    "/usr/share/locale", "/usr/share/zoneinfo", "/etc/localtime", "/dev/null",
    "/dev/urandom", NULL };

static int
ll_version(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LL_VERSION_FLAG);
}

static enum rc
ll_allow(int ruleset, const char *path, uint64_t rights,
    struct err *e)
{
	struct ll_path rule = { rights, -1 };
	enum rc rc = RC_OK;

	if ((rule.fd = open(path, O_PATH | O_CLOEXEC)) < 0)
		return RC_OK;	/* missing: there is nothing to open */
	if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH, &rule,
	    0) != 0) {
		/* A file takes fewer rights than a folder. */
		rule.allowed &= LL_OF_A_FILE;
		if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH,
		    &rule, 0) != 0)
			rc = err_sys(e, "landlock %s", path);
	}
	close(rule.fd);
	return rc;
}

static uint64_t
ll_rights(enum sandbox_may may, uint64_t all)
{
	switch (may) {
	case SB_TREE:
		return all & ~(LL_FS_EXECUTE | LL_FS_IOCTL_DEV);
	case SB_NAMES:
		return LL_FS_READ_DIR | LL_FS_REMOVE_FILE;
	case SB_READ:
		return LL_FS_READ_DIR | LL_FS_READ_FILE;
	case SB_LIST:
		return LL_FS_READ_DIR;
	case SB_FILE:
		break;
	}
	return all & LL_OF_A_FILE;
}

static enum rc
ll_rules(int ruleset, enum sandbox_role role,
    const struct sandbox_path *paths, uint64_t all, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; role != SB_VAULT && rc == RC_OK &&
	    system_paths[i] != NULL; i++)
		rc = ll_allow(ruleset, system_paths[i], LL_FS_READ_FILE |
		    LL_FS_READ_DIR, e);
	for (; rc == RC_OK && paths != NULL && paths->path != NULL; paths++)
		rc = ll_allow(ruleset, paths->path,
		    ll_rights(paths->may, all), e);
	return rc;
}

static struct ll_ruleset
ll_handled(int version, enum sandbox_role role, size_t *size)
{
	struct ll_ruleset r = { LL_FS_V1, 0, 0 };

	*size = sizeof(r.fs);
	if (version >= 2)
		r.fs |= LL_FS_REFER;
	if (version >= 3)
		r.fs |= LL_FS_TRUNCATE;
	if (version >= 4) {
		r.net = role == SB_RELAY ? LL_NET_BIND_TCP :
		    LL_NET_BIND_TCP | LL_NET_CONNECT_TCP;
		*size = sizeof(r.fs) + sizeof(r.net);
	}
	if (version >= 5)
		r.fs |= LL_FS_IOCTL_DEV;
	if (version >= 6) {
		r.scoped = LL_SCOPE_UNIX | LL_SCOPE_SIGNAL;
		*size = sizeof(r);
	}
	return r;
}

bool
landlock_offered(void)
{
	return ll_version() >= 1;
}

enum rc
landlock_enter(enum sandbox_role role, const struct sandbox_path *paths,
    struct err *e)
{
	size_t size;
	struct ll_ruleset attr = ll_handled(ll_version(), role, &size);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size,
	    0);
	enum rc rc;

	if (ruleset < 0)
		return err_sys(e, "landlock");
	rc = ll_rules(ruleset, role, paths, attr.fs, e);
	if (rc == RC_OK &&
	    syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		rc = err_sys(e, "landlock");
	close(ruleset);
	return rc;
}

#else
typedef int landlock_is_of_linux;
#endif
