#include "config.h"

#ifdef __linux__

#include "base/sandbox_linux.h"

#ifdef HAVE_LIBSECCOMP

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOAD_MAX_S 60
#define REFUSED SCMP_ACT_ERRNO(EPERM)
#define LOW 0xffffffffULL	/* the kernel looks at no more of an int */

/* What no child has a use for, whatever its part. */
static const char *const never[] = {
	/* programs, processes and each other's memory */
	"execve", "execveat", "fork", "vfork", "uselib", "memfd_create",
	"memfd_secret", "ptrace", "process_vm_readv", "process_vm_writev",
	"process_madvise", "process_mrelease", "kcmp", "pidfd_open",
	"pidfd_getfd", "pidfd_send_signal", "tkill", "rt_sigqueueinfo",
	"rt_tgsigqueueinfo", "migrate_pages", "move_pages", "setrlimit",
	"setpriority", "sched_setscheduler", "sched_setattr",
	/* files by their name that Landlock does not watch over */
	"chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat",
	"setxattr", "lsetxattr", "setxattrat", "removexattr", "lremovexattr",
	"utime", "utimes", "futimesat", "mknod", "mknodat",
	"name_to_handle_at", "open_by_handle_at", "fanotify_init",
	"inotify_init", "inotify_init1", "quotactl", "quotactl_fd",
	/* the machine */
	"mount", "umount", "umount2", "move_mount", "mount_setattr",
	"open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "pivot_root",
	"chroot", "setns", "unshare", "keyctl", "add_key", "request_key",
	"bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
	"io_uring_enter", "io_uring_register", "io_setup", "kexec_load",
	"kexec_file_load", "init_module", "finit_module", "delete_module",
	"reboot", "swapon", "swapoff", "acct", "syslog", "vhangup", "iopl",
	"ioperm", "modify_ldt", "personality", "lookup_dcookie",
	"settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime",
	"sethostname", "setdomainname", "setuid", "setgid", "setreuid",
	"setregid", "setresuid", "setresgid", "setfsuid", "setfsgid",
	"setgroups", "capset",
	/* waiting for strangers */
	"bind", "listen", "accept", "accept4", NULL };

static const char *const network[] = { "socket", "socketpair", "connect",
    NULL };

/* All that the room of the keys may ask of the kernel, whatever for. */
static const char *const vault_may[] = { "read", "readv", "write", "writev",
    "sendmsg", "recvmsg", "sendto", "recvfrom", "poll", "ppoll", "lseek",
    "pread64", "pwrite64", "ftruncate", "close", "fstat", "newfstatat",
    "munmap", "mremap", "madvise", "brk", "mlock", "mlock2", "munlock",
    "getrandom", "clock_gettime", "gettimeofday", "time", "futex",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "getpid",
    "gettid", "exit", "exit_group", "restart_syscall", "sched_yield",
    "nanosleep", "clock_nanosleep", "alarm", "setitimer",
    "sched_getaffinity", "getrusage", NULL };

/* A rule about up to two arguments. */
struct rule {
	const char		*name;
	struct scmp_arg_cmp	 args[2];
	unsigned		 nargs;
};

#define ARG(n, op, value) { (n), SCMP_CMP_##op, (value), 0 }
#define MASKED(n, mask, value) { (n), SCMP_CMP_MASKED_EQ, (mask), (value) }
#define IS(n, value) MASKED(n, LOW, value)
#define HAS(n, bits) MASKED(n, bits, bits)
#define LACKS(n, bits) MASKED(n, bits, 0)
#define NO_ARGS { ARG(0, GE, 0) }, 0
#define RULE_END { NULL, NO_ARGS }

/* Refused to all but the vault, which is asked what it may instead: another
 * process, memory that is executed, dumps, the terminal's input, and signals
 * that a descriptor sends. */
static const struct rule never_so[] = {
	{ "clone", { LACKS(0, CLONE_THREAD) }, 1 },
	{ "mmap", { HAS(2, PROT_EXEC), HAS(3, MAP_ANONYMOUS) }, 2 },
	{ "mprotect", { HAS(2, PROT_EXEC) }, 1 },
	{ "pkey_mprotect", { HAS(2, PROT_EXEC) }, 1 },
	{ "prctl", { IS(0, PR_SET_DUMPABLE) }, 1 },
	{ "prctl", { IS(0, PR_SET_PTRACER) }, 1 },
	{ "prlimit64", { ARG(2, NE, 0) }, 1 },
	{ "fcntl", { IS(1, F_SETOWN) }, 1 },
	{ "fcntl", { IS(1, F_SETOWN_EX) }, 1 },
	{ "fcntl", { IS(1, F_SETSIG) }, 1 },
	{ "ioctl", { IS(1, TIOCSTI) }, 1 },
	{ "ioctl", { IS(1, TIOCLINUX) }, 1 },
	RULE_END
};

static const struct rule vault_may_so[] = {
	{ "mmap", { LACKS(2, PROT_EXEC) }, 1 },
	{ "mprotect", { LACKS(2, PROT_EXEC) }, 1 },
	{ "fcntl", { IS(1, F_GETFD) }, 1 },
	{ "fcntl", { IS(1, F_SETFD) }, 1 },
	{ "fcntl", { IS(1, F_GETFL) }, 1 },
	{ "fcntl", { IS(1, F_SETFL) }, 1 },
	{ "fcntl", { IS(1, F_GETLEASE) }, 1 },
	RULE_END
};

static enum rc
sc_rule(scmp_filter_ctx f, uint32_t action, const struct rule *rule,
    struct err *e)
{
	int nr = seccomp_syscall_resolve_name(rule->name), r;

	if (nr == __NR_SCMP_ERROR)
		return RC_OK;	/* unknown to this machine */
	if ((r = seccomp_rule_add_array(f, action, nr, rule->nargs,
	    rule->args)) == 0)
		return RC_OK;
	errno = -r;
	return err_sys(e, "seccomp %s", rule->name);
}

static enum rc
sc_names(scmp_filter_ctx f, uint32_t action, const char *const *names,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (; rc == RC_OK && *names != NULL; names++) {
		const struct rule rule = { *names, NO_ARGS };

		rc = sc_rule(f, action, &rule, e);
	}
	return rc;
}

static enum rc
sc_rules(scmp_filter_ctx f, uint32_t action, const struct rule *rules,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (; rc == RC_OK && rules->name != NULL; rules++)
		rc = sc_rule(f, action, rules, e);
	return rc;
}

/* Only to itself: abort(3), raise(3). */
static enum rc
sc_signals(scmp_filter_ctx f, enum sandbox_role role, struct err *e)
{
	const scmp_datum_t us = (scmp_datum_t)getpid();
	const struct rule may[] = { { "kill", { ARG(0, EQ, us) }, 1 },
	    { "tgkill", { ARG(0, EQ, us) }, 1 }, RULE_END };
	const struct rule not[] = { { "kill", { ARG(0, NE, us) }, 1 },
	    { "tgkill", { ARG(0, NE, us) }, 1 }, RULE_END };

	return role == SB_VAULT ? sc_rules(f, SCMP_ACT_ALLOW, may, e) :
	    sc_rules(f, REFUSED, not, e);
}

/* TCP and UDP over IP, and what curl wakes itself with: no socket of another
 * family leads to a service of this machine that asks for no password. */
static enum rc
sc_sockets(scmp_filter_ctx f, struct err *e)
{
	enum rc rc = RC_OK;

	for (scmp_datum_t d = 0; rc == RC_OK && d <= AF_INET6 + 1; d++) {
		struct rule no = { "socket", { ARG(0, EQ, d) }, 1 };

		if (d > AF_INET6)
			no.args[0].op = SCMP_CMP_GE;
		if (d != AF_INET && d != AF_INET6)
			rc = sc_rule(f, REFUSED, &no, e);
	}
	for (scmp_datum_t t = 0; rc == RC_OK && t <= 0xf; t++) {
		struct rule no = { "socket", { MASKED(1, 0xf, t) }, 1 };

		if (t != SOCK_STREAM && t != SOCK_DGRAM)
			rc = sc_rule(f, REFUSED, &no, e);
		no.name = "socketpair";
		if (rc == RC_OK && t != SOCK_STREAM)
			rc = sc_rule(f, REFUSED, &no, e);
	}
	return rc;
}

static enum rc
sc_role(scmp_filter_ctx f, enum sandbox_role role, struct err *e)
{
	const struct rule clone3 = { "clone3", NO_ARGS };
	enum rc rc = sc_signals(f, role, e);

	if (rc == RC_OK)
		rc = sc_rule(f, SCMP_ACT_ERRNO(ENOSYS), &clone3, e);
	if (rc == RC_OK && role == SB_VAULT)
		return (rc = sc_names(f, SCMP_ACT_ALLOW, vault_may, e)) ==
		    RC_OK ? sc_rules(f, SCMP_ACT_ALLOW, vault_may_so, e) : rc;
	if (rc == RC_OK)
		rc = sc_names(f, REFUSED, never, e);
	if (rc == RC_OK)
		rc = sc_rules(f, REFUSED, never_so, e);
	if (rc == RC_OK)
		rc = role == SB_RELAY ? sc_sockets(f, e) :
		    sc_names(f, REFUSED, network, e);
	return rc;
}

enum rc
filter_enter(enum sandbox_role role, struct err *e)
{
	scmp_filter_ctx f = seccomp_init(role == SB_VAULT ? REFUSED :
	    SCMP_ACT_ALLOW);
	enum rc rc;
	int r;

	if (f == NULL)
		return err_nomem(e);
	/* libseccomp 2.5 turns for ever where it finds no memory. */
	(void)alarm(LOAD_MAX_S);
	rc = sc_role(f, role, e);
	if (rc == RC_OK && (r = seccomp_load(f)) != 0) {
		errno = -r;
		rc = err_sys(e, "seccomp");
	}
	(void)alarm(0);
	seccomp_release(f);
	return rc;
}

bool
filter_offered(void)
{
	/* EFAULT: filters exist and the pointer was looked at. */
	return prctl(PR_SET_SECCOMP, 2, NULL, 0, 0) != 0 && errno == EFAULT;
}

#else

enum rc
filter_enter(enum sandbox_role role, struct err *e)
{
	(void)role;
	(void)e;
	return RC_OK;
}

bool
filter_offered(void)
{
	return false;
}

#endif

#else
typedef int seccomp_is_of_linux;
#endif
