#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/lang.h"
#include "base/sandbox.h"

#ifdef __linux__

#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef HAVE_LIBSECCOMP
#include <seccomp.h>
#endif

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
#define LL_FS_V1 ((1ULL << 13) - 1)
#define LL_FS_REFER (1ULL << 13)	/* version 2 */
#define LL_FS_TRUNCATE (1ULL << 14)	/* version 3 */
#define LL_NET_BIND_TCP (1ULL << 0)	/* version 4 */
#define LL_NET_CONNECT_TCP (1ULL << 1)

struct ll_ruleset {
	uint64_t	fs;
	uint64_t	net;
};

struct ll_path {
	uint64_t	allowed;
	int32_t		fd;
} __attribute__((packed));

/* Shared libraries and what they load at run time; nothing of ours. */
static const char *const system_folders[] = { "/lib", "/lib64", "/usr/lib",
    "/usr/lib64", "/usr/local/lib", "/etc/ssl", "/usr/share/locale",
    "/usr/share/zoneinfo", "/etc/localtime", "/dev/null", "/dev/urandom",
    NULL };

static int
ll_version(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LL_VERSION_FLAG);
}

static enum rc
ll_allow(int ruleset, const char *path, uint64_t rights, bool needed,
    struct err *e)
{
	struct ll_path rule = { rights, -1 };
	enum rc rc = RC_OK;

	if ((rule.fd = open(path, O_PATH | O_CLOEXEC)) < 0)
		return needed ? err_sys(e, "%s", path) : RC_OK;
	if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH, &rule,
	    0) != 0) {
		/* A file takes fewer rights than a folder. */
		rule.allowed &= LL_FS_EXECUTE | LL_FS_WRITE_FILE |
		    LL_FS_READ_FILE;
		if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH,
		    &rule, 0) != 0)
			rc = err_sys(e, "landlock %s", path);
	}
	close(rule.fd);
	return rc;
}

static enum rc
ll_rules(int ruleset, enum sandbox_role role, const char *const *rw,
    uint64_t all, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; role != SB_VAULT && rc == RC_OK &&
	    system_folders[i] != NULL; i++)
		rc = ll_allow(ruleset, system_folders[i], LL_FS_READ_FILE |
		    LL_FS_READ_DIR | LL_FS_EXECUTE, false, e);
	for (size_t i = 0; rc == RC_OK && rw != NULL && rw[i] != NULL; i++)
		rc = ll_allow(ruleset, rw[i], all & ~LL_FS_EXECUTE, true, e);
	return rc;
}

static enum rc
ll_enter(enum sandbox_role role, const char *const *rw, struct err *e)
{
	int version = ll_version(), ruleset;
	struct ll_ruleset attr = { LL_FS_V1, 0 };
	enum rc rc;

	if (version < 1)
		return RC_OK;
	if (version >= 2)
		attr.fs |= LL_FS_REFER;
	if (version >= 3)
		attr.fs |= LL_FS_TRUNCATE;
	if (version >= 4)
		attr.net = role == SB_RELAY ? LL_NET_BIND_TCP :
		    LL_NET_BIND_TCP | LL_NET_CONNECT_TCP;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
	    version >= 4 ? sizeof(attr) : sizeof(attr.fs), 0);
	if (ruleset < 0)
		return err_sys(e, "landlock");
	rc = ll_rules(ruleset, role, rw, attr.fs, e);
	if (rc == RC_OK &&
	    syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		rc = err_sys(e, "landlock");
	close(ruleset);
	return rc;
}

#ifdef HAVE_LIBSECCOMP

#define LOAD_MAX_S 60

/* What no child has a use for, whatever its part. */
static const char *const never[] = { "execve", "execveat", "ptrace",
    "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd",
    "mount", "umount2", "move_mount", "open_tree", "fsopen", "fsmount",
    "pivot_root", "chroot", "setns", "unshare", "keyctl", "add_key",
    "request_key", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "kexec_load", "init_module",
    "finit_module", "delete_module", "reboot", "swapon", "swapoff", "acct",
    "settimeofday", "clock_settime", "adjtimex", "sethostname", "mknod",
    "mknodat", "quotactl", "open_by_handle_at", "fanotify_init", "setuid",
    "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
    "bind", "listen", "accept", "accept4", NULL };

static const char *const network[] = { "socket", "connect", NULL };

/* All that the room of the keys may ask of the kernel. */
static const char *const vault_may[] = { "read", "readv", "write", "writev",
    "sendmsg", "recvmsg", "sendto", "recvfrom", "poll", "ppoll", "lseek",
    "pread64", "pwrite64", "ftruncate", "close", "fstat", "newfstatat",
    "mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "mlock",
    "mlock2", "munlock", "getrandom", "clock_gettime", "gettimeofday", "time",
    "futex", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    "getpid", "gettid", "tgkill", "kill", "exit", "exit_group",
    "restart_syscall", "sched_yield", "nanosleep", "clock_nanosleep",
    "clone", "clone3", "set_robust_list", "rseq", "prctl", "fcntl",
    "sched_getaffinity", "getrusage", NULL };

static enum rc
sc_list(scmp_filter_ctx f, uint32_t action, const char *const *names,
    struct err *e)
{
	for (; *names != NULL; names++) {
		int nr = seccomp_syscall_resolve_name(*names);
		int r;

		if (nr == __NR_SCMP_ERROR)
			continue;	/* unknown to this machine */
		if ((r = seccomp_rule_add(f, action, nr, 0)) != 0) {
			errno = -r;
			return err_sys(e, "seccomp %s", *names);
		}
	}
	return RC_OK;
}

static enum rc
sc_rules(scmp_filter_ctx f, enum sandbox_role role, struct err *e)
{
	enum rc rc;
	int r;

	if (role == SB_VAULT)
		rc = sc_list(f, SCMP_ACT_ALLOW, vault_may, e);
	else
		rc = sc_list(f, SCMP_ACT_ERRNO(EPERM), never, e);
	if (rc == RC_OK && role != SB_VAULT && role != SB_RELAY)
		rc = sc_list(f, SCMP_ACT_ERRNO(EPERM), network, e);
	if (rc == RC_OK && (r = seccomp_load(f)) != 0) {
		errno = -r;
		rc = err_sys(e, "seccomp");
	}
	return rc;
}

static enum rc
sc_enter(enum sandbox_role role, struct err *e)
{
	scmp_filter_ctx f = seccomp_init(role == SB_VAULT ?
	    SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	enum rc rc;

	if (f == NULL)
		return err_set(e, RC_NOMEM, "seccomp");
	/* libseccomp 2.5 turns for ever where it finds no memory. */
	(void)alarm(LOAD_MAX_S);
	rc = sc_rules(f, role, e);
	(void)alarm(0);
	seccomp_release(f);
	return rc;
}

static bool
sc_offered(void)
{
	/* EFAULT: filters exist and the pointer was looked at. */
	return prctl(PR_SET_SECCOMP, 2, NULL, 0, 0) != 0 && errno == EFAULT;
}

#else

static enum rc
sc_enter(enum sandbox_role role, struct err *e)
{
	(void)role;
	(void)e;
	return RC_OK;
}

static bool
sc_offered(void)
{
	return false;
}

#endif

enum rc
sandbox_enter(enum sandbox_role role, const char *const *rw, struct err *e)
{
	enum rc rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_sys(e, "no_new_privs");
	if ((rc = ll_enter(role, rw, e)) != RC_OK || !sc_offered())
		return rc;
	return sc_enter(role, e);
}

const char *
sandbox_kind(void)
{
	bool ll = ll_version() >= 1, sc = sc_offered();

	if (ll && sc)
		return "landlock+seccomp";
	return ll ? "landlock" : sc ? "seccomp" : "none";
}

#elif defined(HAVE_SANDBOX_H)

#include <sandbox.h>
#include <stdio.h>

#include "base/buf.h"

/* Deprecated since 10.8 and still what every browser on macOS uses. */
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

static bool
profile_folders(struct buf *b, const char *const *rw)
{
	for (; rw != NULL && *rw != NULL; rw++) {
		if (strpbrk(*rw, "\"\\") != NULL)
			return false;
		if (!buf_addf(b, "(allow file-read* file-write* "
		    "(subpath \"%s\"))", *rw))
			return false;
	}
	return true;
}

enum rc
sandbox_enter(enum sandbox_role role, const char *const *rw, struct err *e)
{
	struct buf b = BUF_INIT;
	char *why = NULL;
	enum rc rc = RC_OK;

	if (!buf_adds(&b, "(version 1)(deny default)(allow sysctl-read)"
	    "(allow file-read-metadata)(allow ipc-posix-shm)") ||
	    (role != SB_VAULT && !buf_adds(&b, "(allow file-read* "
	    "(subpath \"/usr/lib\")(subpath \"/System/Library\"))")) ||
	    (role == SB_RELAY && !buf_adds(&b, "(allow network-outbound)")) ||
	    !profile_folders(&b, rw))
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

enum rc
sandbox_enter(enum sandbox_role role, const char *const *rw, struct err *e)
{
	(void)role;
	(void)rw;
	(void)e;
	return RC_OK;
}

const char *
sandbox_kind(void)
{
	return "none";
}

#endif
