/*
 * Preloaded into sceau by tests/world/fault.py: counts the calls of a class
 * over all processes of a run, and at the n-th of them kills or fails.  See
 * tests/fault/README.  Linux only, never installed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "places.h"

enum { ALLOC, OPEN, READ, WRITE, SYNC, RENAME, NET, IPC, SQL, LIE,
    GROW, LIB, SYS, CLASSES };
enum { OTHER = 7, PARTS = 8 };

static const char *const class_names[CLASSES] = { "alloc", "open", "read",
    "write", "sync", "rename", "net", "ipc", "sql", "lie",
    "grow", "lib", "sys" };
static const char *const part_names[PARTS] = { "starter", "keeper", "vault",
    "clerk", "fetch", "relay", "composer", "other" };

/* tests/world/fault.py reads it: a change here is a change there. */
struct shared {
	uint64_t	matched;	/* calls of the class and part asked;
					 * the number of a new one that fired */
	uint64_t	fired;
	uint64_t	leader;		/* of the process group of the run */
	uint64_t	count[PARTS][CLASSES];
};

static struct shared *shared;
static int want_class = -1, want_part = -1, want_errno, part;
static uint64_t want_nth;
static bool and_after, kill_one, kill_all, want_new;
static int death[2] = { -1, -1 };
static bool in_resolver;	/* it crashes by itself when memory ends */

/* --- What to do ------------------------------------------------------- */

static int
name_find(const char *const *names, int n, const char *s, size_t len)
{
	for (int i = 0; i < n; i++)
		if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0)
			return i;
	return -1;
}

/* CLASS[@PART]#N[+]:kill|killall|ERRNO, or #new for #N: the first call from a
 * place that has not failed yet; what is not so is no fault. */
static void
spec_read(const char *spec)
{
	size_t len = strcspn(spec, "@#");
	char *end;

	want_class = name_find(class_names, CLASSES, spec, len);
	spec += len;
	if (*spec == '@') {
		len = strcspn(++spec, "#");
		want_part = name_find(part_names, PARTS, spec, len);
		if (want_part < 0)
			want_class = -1;
		spec += len;
	}
	if (*spec != '#') {
		want_class = -1;
		return;
	}
	want_nth = strtoull(spec + 1, &end, 10);
	if ((want_new = strncmp(spec, "#new", 4) == 0))
		end = (char *)(uintptr_t)spec + 4;
	if ((and_after = *end == '+'))
		end++;
	kill_one = strcmp(end, ":kill") == 0;
	kill_all = strcmp(end, ":killall") == 0;
	if (!kill_one && !kill_all && *end == ':')
		want_errno = (int)strtol(end + 1, NULL, 10);
}

/* No part may send a signal to another: what is written here is one, from
 * the kernel, to the group of the run. */
static bool
death_set_up(pid_t leader)
{
	return pipe2(death, O_CLOEXEC | O_NONBLOCK) == 0 &&
	    fcntl(death[0], F_SETOWN, -leader) == 0 &&
	    fcntl(death[0], F_SETSIG, SIGKILL) == 0 &&
	    fcntl(death[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0;
}

/* The file is mapped before a sandbox forbids it; children inherit it. */
static void
shim_start(void)
{
	const char *path = getenv("SCEAU_FAULT_CALLS");
	const char *spec = getenv("SCEAU_FAULT_CALL");
	struct shared *s;
	uint64_t none = 0;
	int fd;

	if (path == NULL || strcmp(program_invocation_short_name, "sceau") ||
	    (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		return;
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (s == MAP_FAILED)
		return;
	if (spec != NULL)
		spec_read(spec);
	if (want_new && getenv("SCEAU_FAULT_PLACES") != NULL)
		places_map(getenv("SCEAU_FAULT_PLACES"));
	/* A group of our own, so that killing the run kills nobody else. */
	if (__atomic_compare_exchange_n(&s->leader, &none, (uint64_t)getpid(),
	    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		setpgid(0, 0);
	if (kill_all && !death_set_up((pid_t)s->leader))
		return;
	shared = s;
}

static void
strike(void)
{
	__atomic_add_fetch(&shared->fired, 1, __ATOMIC_SEQ_CST);
	if (kill_all)
		(void)syscall(SYS_write, death[1], "", 1);
	if (kill_all || kill_one)
		kill(getpid(), SIGKILL);
	errno = want_errno;
}

/* Which of the calls that may fire this one is, by those of each part. */
static uint64_t
number_of(int class)
{
	uint64_t n = 0;

	for (int i = 0; i < PARTS; i++)
		if (want_part < 0 || want_part == i)
			n += __atomic_load_n(&shared->count[i][class],
			    __ATOMIC_SEQ_CST);
	return n;
}

/* One call of that class: true if it must fail, errno set. */
static bool
hit(int class)
{
	uint64_t n;

	if (shared == NULL || in_resolver)
		return false;
	__atomic_add_fetch(&shared->count[part][class], 1, __ATOMIC_SEQ_CST);
	if (class != want_class || (want_part >= 0 && want_part != part))
		return false;
	if (want_new) {
		/* One of a run. */
		if (__atomic_load_n(&shared->fired, __ATOMIC_SEQ_CST) > 0 ||
		    !place_new((uint64_t)want_errno))
			return false;
		__atomic_store_n(&shared->matched, number_of(class),
		    __ATOMIC_SEQ_CST);
		strike();
		return want_errno != 0;
	}
	n = __atomic_add_fetch(&shared->matched, 1, __ATOMIC_SEQ_CST);
	if (n != want_nth && !(and_after && n > want_nth))
		return false;
	strike();
	return want_errno != 0;
}

/* From now on nothing is counted and nothing fails; for tests/tools/coverage,
 * which writes what it has counted at the end of a process. */
void shim_quiet(void);
void
shim_quiet(void)
{
	shared = NULL;
}

/* A file is read or written; a socket is of the network, all others and pipes
 * are between us.  The vault may not ask which: it has no other. */
static int
class_of(int fd, int class)
{
	int kept = errno, domain = AF_UNIX;
	socklen_t len = sizeof(domain);
	struct stat st;

	if (shared == NULL)
		return class;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
		class = domain == AF_UNIX ? IPC : NET;
	}
	errno = kept;
	return class;
}

/* --- The calls -------------------------------------------------------- */

#define NEXT(name) (next_##name != NULL ? next_##name : \
    (*(void **)&next_##name = dlsym(RTLD_NEXT, #name), next_##name))

#define HOOK(ret, name, params, args, class, failed)	\
static ret (*next_##name) params;			\
ret name params;					\
ret name params						\
{							\
	return hit(class) ? failed : NEXT(name) args;	\
}

#define HOOK_FD(name, params, args, class)		\
HOOK(ssize_t, name, params, args, class_of(fd, class), -1)


/* dlsym() itself may allocate: from here, and never given back.  Volatile,
 * since the compiler was told that dlsym() never calls us. */
static _Alignas(16) char early[8192];
static size_t early_used;
static volatile bool resolving;

static void *
early_alloc(size_t len)
{
	void *p = early + early_used;

	len = (len + 15) & ~(size_t)15;
	if (len > sizeof(early) - early_used)
		return NULL;
	early_used += len;
	return p;
}

static bool
early_is(const void *p)
{
	return (const char *)p >= early &&
	    (const char *)p < early + sizeof(early);
}

#define NEXT_ALLOC(name, fallback) do {				\
	if (resolving)						\
		return fallback;				\
	if (next_##name == NULL) {				\
		resolving = true;				\
		*(void **)&next_##name = dlsym(RTLD_NEXT, #name);	\
		resolving = false;				\
	}							\
} while (0)

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);

void *
malloc(size_t len)
{
	NEXT_ALLOC(malloc, early_alloc(len));
	return hit(ALLOC) ? NULL : next_malloc(len);
}

void *
calloc(size_t n, size_t len)
{
	NEXT_ALLOC(calloc, early_alloc(n * len));
	return hit(ALLOC) ? NULL : next_calloc(n, len);
}

void *
realloc(void *p, size_t len)
{
	NEXT_ALLOC(realloc, NULL);
	return hit(ALLOC) ? NULL : next_realloc(p, len);
}

void
free(void *p)
{
	if (p == NULL || early_is(p))
		return;
	NEXT_ALLOC(free, );	/* dlsym() frees what it said before */
	next_free(p);
}

static int (*next_posix_memalign)(void **, size_t, size_t);
int
posix_memalign(void **p, size_t align, size_t len)
{
	return hit(ALLOC) ? ENOMEM : NEXT(posix_memalign)(p, align, len);
}

HOOK(void *, aligned_alloc, (size_t align, size_t len), (align, len), ALLOC,
    NULL)
HOOK(char *, strdup, (const char *s), (s), ALLOC, NULL)
HOOK(char *, strndup, (const char *s, size_t n), (s, n), ALLOC, NULL)

/* A mode is there only with O_CREAT and O_TMPFILE. */
#define OPENS(name)						\
static int (*next_##name)(const char *, int, ...);		\
int								\
name(const char *path, int flags, ...)				\
{								\
	va_list ap;						\
	mode_t mode;						\
								\
	va_start(ap, flags);					\
	mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ?		\
	    (mode_t)va_arg(ap, int) : 0;			\
	va_end(ap);						\
	return hit(OPEN) ? -1 : NEXT(name)(path, flags, mode);	\
}

#define OPENSAT(name)						\
static int (*next_##name)(int, const char *, int, ...);	\
int								\
name(int fd, const char *path, int flags, ...)			\
{								\
	va_list ap;						\
	mode_t mode;						\
								\
	va_start(ap, flags);					\
	mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ?		\
	    (mode_t)va_arg(ap, int) : 0;			\
	va_end(ap);						\
	return hit(OPEN) ? -1 : NEXT(name)(fd, path, flags, mode);	\
}

OPENS(open)
OPENS(open64)
OPENSAT(openat)
OPENSAT(openat64)
HOOK(int, __open_2, (const char *path, int flags), (path, flags), OPEN, -1)
HOOK(int, __open64_2, (const char *path, int flags), (path, flags), OPEN, -1)
HOOK(int, __openat_2, (int fd, const char *path, int flags),
    (fd, path, flags), OPEN, -1)
HOOK(int, __openat64_2, (int fd, const char *path, int flags),
    (fd, path, flags), OPEN, -1)
HOOK(FILE *, fopen, (const char *path, const char *mode), (path, mode), OPEN,
    NULL)
HOOK(FILE *, fopen64, (const char *path, const char *mode), (path, mode),
    OPEN, NULL)
HOOK(int, mkstemp, (char *path), (path), OPEN, -1)
HOOK(int, mkstemp64, (char *path), (path), OPEN, -1)

HOOK_FD(read, (int fd, void *p, size_t n), (fd, p, n), READ)
HOOK_FD(__read_chk, (int fd, void *p, size_t n, size_t room),
    (fd, p, n, room), READ)
HOOK_FD(readv, (int fd, const struct iovec *v, int n), (fd, v, n), READ)
HOOK_FD(pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at), READ)
HOOK_FD(pread64, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at),
    READ)
HOOK_FD(__pread64_chk, (int fd, void *p, size_t n, off64_t at, size_t room),
    (fd, p, n, at, room), READ)
HOOK_FD(write, (int fd, const void *p, size_t n), (fd, p, n), WRITE)
HOOK_FD(writev, (int fd, const struct iovec *v, int n), (fd, v, n), WRITE)
HOOK_FD(pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at),
    WRITE)
HOOK_FD(pwrite64, (int fd, const void *p, size_t n, off64_t at),
    (fd, p, n, at), WRITE)
HOOK(int, ftruncate, (int fd, off_t len), (fd, len), WRITE, -1)
HOOK(int, ftruncate64, (int fd, off64_t len), (fd, len), WRITE, -1)

HOOK(int, fsync, (int fd), (fd), SYNC, -1)
HOOK(int, fdatasync, (int fd), (fd), SYNC, -1)
HOOK(int, syncfs, (int fd), (fd), SYNC, -1)

HOOK(int, rename, (const char *a, const char *b), (a, b), RENAME, -1)
HOOK(int, renameat, (int d, const char *a, int f, const char *b),
    (d, a, f, b), RENAME, -1)
HOOK(int, renameat2, (int d, const char *a, int f, const char *b,
    unsigned flags), (d, a, f, b, flags), RENAME, -1)
HOOK(int, link, (const char *a, const char *b), (a, b), RENAME, -1)
HOOK(int, linkat, (int d, const char *a, int f, const char *b, int flags),
    (d, a, f, b, flags), RENAME, -1)
HOOK(int, unlink, (const char *a), (a), RENAME, -1)
HOOK(int, unlinkat, (int d, const char *a, int flags), (d, a, flags), RENAME,
    -1)
HOOK(int, mkdir, (const char *a, mode_t mode), (a, mode), RENAME, -1)
HOOK(int, mkdirat, (int d, const char *a, mode_t mode), (d, a, mode), RENAME,
    -1)

HOOK(int, connect, (int fd, const struct sockaddr *to, socklen_t len),
    (fd, to, len), class_of(fd, NET), -1)
HOOK_FD(send, (int fd, const void *p, size_t n, int flags),
    (fd, p, n, flags), NET)
HOOK_FD(sendto, (int fd, const void *p, size_t n, int flags,
    const struct sockaddr *to, socklen_t len), (fd, p, n, flags, to, len),
    NET)

/* --- Frames that are not as they should be ------------------------------ */

/* base/chan.c: length(4) type(1) job(4) body, a frame in each call of those
 * that do not queue them. */
enum { HEAD = 9 };

static size_t
body_of(const struct msghdr *m)
{
	const uint8_t *p;
	size_t len;

	if (m->msg_iovlen == 0 || m->msg_iov[0].iov_len != HEAD)
		return SIZE_MAX;
	p = m->msg_iov[0].iov_base;
	len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 |
	    p[3];
	return len == (m->msg_iovlen > 1 ? m->msg_iov[1].iov_len : 0) ? len :
	    SIZE_MAX;
}

static ssize_t (*next_sendmsg)(int, const struct msghdr *, int);

/* 1 an octet less, 2 one more, 3 no body, 4 all ones, 5 another type, 6
 * another job, 7 twice. */
static ssize_t
lie(int fd, const struct msghdr *m, int flags, size_t len)
{
	uint8_t head[HEAD], *body = calloc(1, len + 1);
	struct iovec v[2] = { { head, HEAD }, { body, 0 } };
	struct msghdr other = *m;
	size_t n = len;

	if (body == NULL)
		return next_sendmsg(fd, m, flags);
	memcpy(head, m->msg_iov[0].iov_base, HEAD);
	if (len > 0)
		memcpy(body, m->msg_iov[1].iov_base, len);
	if (want_errno == 4)
		memset(body, 0xff, len);
	n = want_errno == 1 && len > 0 ? len - 1 : want_errno == 2 ? len + 1 :
	    want_errno == 3 ? 0 : len;
	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(n >> (24 - 8 * i));
	head[4] ^= want_errno == 5 ? 0x40 : 0;
	head[8] = (uint8_t)(head[8] + (want_errno == 6));
	v[1].iov_len = n;
	other.msg_iov = v;
	other.msg_iovlen = 2;
	if (want_errno == 7)
		(void)next_sendmsg(fd, m, flags);
	if (next_sendmsg(fd, &other, flags) < 0)
		return -1;
	free(body);
	return (ssize_t)(HEAD + len);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	size_t len = want_class == LIE ? body_of(m) : SIZE_MAX;

	if (hit(class_of(fd, NET)))
		return -1;
	(void)NEXT(sendmsg);
	return len != SIZE_MAX && hit(LIE) ? lie(fd, m, flags, len) :
	    next_sendmsg(fd, m, flags);
}

HOOK_FD(recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags), NET)
HOOK_FD(__recv_chk, (int fd, void *p, size_t n, size_t room, int flags),
    (fd, p, n, room, flags), NET)
HOOK_FD(recvfrom, (int fd, void *p, size_t n, int flags,
    struct sockaddr *from, socklen_t *len), (fd, p, n, flags, from, len), NET)
HOOK_FD(recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags), NET)

struct addrinfo;
static int (*next_getaddrinfo)(const char *, const char *,
    const struct addrinfo *, struct addrinfo **);
int getaddrinfo(const char *, const char *, const struct addrinfo *,
    struct addrinfo **);
int
getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
	int r;

	in_resolver = true;
	r = NEXT(getaddrinfo)(host, service, hints, list);
	in_resolver = false;
	return r;
}

/* calls.c */
bool shim_fails_lib(const void *caller);
bool
shim_fails_lib(const void *caller)
{
	return place_ours(caller) && hit(LIB);
}

bool shim_fails_sys(const void *caller);
bool
shim_fails_sys(const void *caller)
{
	return place_ours(caller) && hit(SYS);
}

bool shim_fails_sql(void);
bool
shim_fails_sql(void)
{
	return hit(SQL);
}

/* A buffer grows; tests/tools/coverage.c, whose program asks. */
bool shim_grow(void);
bool
shim_grow(void)
{
	return hit(GROW);
}

/* The starter names each child as soon as it is born: "sceau:PART". */
static int (*next_prctl)(int, ...);
int
prctl(int option, ...)
{
	unsigned long a, b, c, d;
	va_list ap;
	int found;

	va_start(ap, option);
	a = va_arg(ap, unsigned long);
	b = va_arg(ap, unsigned long);
	c = va_arg(ap, unsigned long);
	d = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_NAME &&
	    strncmp((const char *)a, "sceau:", 6) == 0) {
		const char *name = (const char *)a + 6;

		found = name_find(part_names, PARTS, name, strlen(name));
		part = found < 0 ? OTHER : found;
	}
	return NEXT(prctl)(option, a, b, c, d);
}

/* Counting begins with main(): what loads the program is not of it. */
typedef int main_fn(int, char **, char **);
typedef int start_fn(main_fn *, int, char **, void (*)(void), void (*)(void),
    void (*)(void), void *);
start_fn __libc_start_main;

int
__libc_start_main(main_fn *fn, int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*end)(void), void *stack)
{
	start_fn *next;

	*(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
	shim_start();
	return next(fn, argc, argv, init, fini, end, stack);
}
