#include "config.h"

#include "base/fault_probe.h"

#if defined(ENABLE_FAULT) && defined(__linux__)

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define NUMBER(name) syscall(SYS_##name, -1L, NULL, NULL, NULL, NULL)

/* Each returns 0 or an error number. */

static int
done(long r)
{
	return r < 0 ? errno : 0;
}

static int
opened(int fd)
{
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int
try_socket(int domain, int type)
{
	return opened(socket(domain, type, 0));
}

static int
try_inet(void)
{
	return try_socket(AF_INET, SOCK_STREAM);
}

static int
try_inet6(void)
{
	return try_socket(AF_INET6, SOCK_DGRAM);
}

static int
try_unix(void)
{
	return try_socket(AF_UNIX, SOCK_STREAM);
}

static int
try_netlink(void)
{
	return try_socket(AF_NETLINK, SOCK_RAW);
}

static int
try_raw(void)
{
	int e = try_socket(AF_INET, SOCK_RAW);

	return e == EPROTONOSUPPORT ? 0 : e;
}

static int
try_pair(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) != 0)
		return errno;
	close(fds[0]);
	close(fds[1]);
	return 0;
}

typedef int end_call(int, const struct sockaddr *, socklen_t);

static int
with_end(end_call *call, uint16_t port)
{
	struct sockaddr_in at;
	int fd = socket(AF_INET, SOCK_STREAM, 0), e;

	if (fd < 0)
		return errno;
	memset(&at, 0, sizeof(at));
	at.sin_family = AF_INET;
	at.sin_port = htons(port);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	e = done(call(fd, (const struct sockaddr *)&at, sizeof(at)));
	close(fd);
	return e == ECONNREFUSED ? 0 : e;
}

static int
try_connect(void)
{
	return with_end(connect, 1);
}

static int
try_bind(void)
{
	return with_end(bind, 0);
}

static int
try_exec(void)
{
	char name[] = "/nothing/of/that/name", *argv[] = { name, NULL };
	int e = done(execve(name, argv, argv + 1));

	return e == ENOENT ? 0 : e;
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static int
try_memfd(void)
{
	return opened((int)syscall(SYS_memfd_create, "probe", 0));
}

static int
try_mapped(int prot, int later)
{
	void *p = mmap(NULL, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int e;

	if (p == MAP_FAILED)
		return errno;
	e = done(mprotect(p, PAGE, later));
	munmap(p, PAGE);
	return e;
}

static int
try_mmap_exec(void)
{
	return try_mapped(PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ);
}

static int
try_mprotect_exec(void)
{
	return try_mapped(PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC);
}

static int
try_kill(void)
{
	return done(kill(getppid(), 0));
}

static int
try_pidfd(void)
{
	return opened((int)syscall(SYS_pidfd_open, getppid(), 0));
}

/* An address that no request has: nothing is seized where nobody refuses. */
static int
try_ptrace(void)
{
	int e = done(ptrace(PTRACE_SEIZE, getppid(), (void *)1, NULL));

	return e == EIO ? 0 : e;
}

static int
try_vm_read(void)
{
	static const char word = 'x';
	char c;
	struct iovec here = { &c, 1 }, there = { (void *)(uintptr_t)&word, 1 };

	return done(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static int
try_proc(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)getppid(), name);
	return opened(open(path, O_RDONLY));
}

static int
try_environ(void)
{
	return try_proc("environ");
}

static int
try_mem(void)
{
	return try_proc("mem");
}

static int
try_dumpable(void)
{
	return done(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

/* Never so, before a sandbox either. */
static int
try_dumped(void)
{
	int r = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

	return r == 0 ? EPERM : done(r);
}

static int
try_core(void)
{
	const struct rlimit none = { 0, 0 };

	return done(setrlimit(RLIMIT_CORE, &none));
}

/* A call with arguments that can do no harm: whoever answers anything but
 * EPERM has let it through. */
static int
reached(long r)
{
	return r < 0 && (errno == EPERM || errno == EACCES) ? errno : 0;
}

#define TRY(name)				\
static int					\
try_##name(void)				\
{						\
	return reached(NUMBER(name));		\
}

TRY(io_uring_setup)
TRY(bpf)
TRY(userfaultfd)
TRY(mount)
TRY(setns)
TRY(keyctl)
TRY(perf_event_open)
TRY(clock_settime)

static int
try_unshare(void)
{
	return reached(syscall(SYS_unshare, 0));
}

static int
try_chroot(void)
{
	return reached(syscall(SYS_chroot, ""));
}

static int
try_tiocsti(void)
{
	return reached(ioctl(-1, TIOCSTI, NULL));
}

static int
try_setown(void)
{
	return reached(fcntl(-1, F_SETOWN, 0));
}

static const struct {
	const char	*name;
	int		(*try)(void);
} acts[] = {
	{ "socket-inet", try_inet },
	{ "socket-inet6", try_inet6 },
	{ "connect", try_connect },
	{ "bind", try_bind },
	{ "socket-unix", try_unix },
	{ "socket-netlink", try_netlink },
	{ "socket-raw", try_raw },
	{ "socketpair-dgram", try_pair },
	{ "exec", try_exec },
	{ "fork", try_fork },
	{ "memfd", try_memfd },
	{ "mmap-exec", try_mmap_exec },
	{ "mprotect-exec", try_mprotect_exec },
	{ "kill", try_kill },
	{ "pidfd", try_pidfd },
	{ "ptrace", try_ptrace },
	{ "vm-read", try_vm_read },
	{ "proc-environ", try_environ },
	{ "proc-mem", try_mem },
	{ "dumped", try_dumped },	/* before the next sets it */
	{ "dumpable", try_dumpable },
	{ "core", try_core },
	{ "io-uring", try_io_uring_setup },
	{ "bpf", try_bpf },
	{ "userfaultfd", try_userfaultfd },
	{ "mount", try_mount },
	{ "setns", try_setns },
	{ "keyctl", try_keyctl },
	{ "perf", try_perf_event_open },
	{ "clock", try_clock_settime },
	{ "unshare", try_unshare },
	{ "chroot", try_chroot },
	{ "tiocsti", try_tiocsti },
	{ "setown", try_setown },
};

static int
try_make(const char *folder)
{
	char path[4200];
	int fd;

	if (snprintf(path, sizeof(path), "%s/.probe-%d", folder,
	    (int)getpid()) >= (int)sizeof(path))
		return ENAMETOOLONG;
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)) < 0)
		return errno;
	close(fd);
	return done(unlink(path));
}

static int
try_file(const char *how, const char *path)
{
	if (strcmp(how, "read") == 0)
		return opened(open(path, O_RDONLY));
	if (strcmp(how, "write") == 0)
		return opened(open(path, O_WRONLY));
	if (strcmp(how, "chmod") == 0)
		return done(chmod(path, 0600));
	return strcmp(how, "make") == 0 ? try_make(path) : EINVAL;
}

static void
say(int fd, const char *point, const char *how, const char *name, int e)
{
	char line[256], number[16];
	int len;

	snprintf(number, sizeof(number), "%d", e);
	len = snprintf(line, sizeof(line), "probe %s %s%s%s %s\n", point, how,
	    name[0] != '\0' ? "-" : "", name, e == 0 ? "yes" : e == EPERM ||
	    e == EACCES ? "no" : number);
	if (write(fd, line, (size_t)len) < 0)
		_exit(1);
}

static void
probe_files(const char *point, int fd, const char *files)
{
	char how[16], name[64], path[4096];

	while (files != NULL && sscanf(files, "%15s %63s %4095s", how, name,
	    path) == 3) {
		say(fd, point, how, name, try_file(how, path));
		files = strchr(files, '\n');
		files = files != NULL ? files + 1 : NULL;
	}
}

void
fault_probe(const char *point, int fd)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		say(fd, point, acts[i].name, "", acts[i].try());
	probe_files(point, fd, getenv("SCEAU_FAULT_PROBE"));
}

void
fault_core(void)
{
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0)
		abort();
}

#elif defined(ENABLE_FAULT)

void
fault_probe(const char *point, int fd)
{
	(void)point;
	(void)fd;
}

void
fault_core(void)
{
}

#else
typedef int fault_probes_are_compiled_to_nothing;
#endif
