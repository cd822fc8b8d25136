/*
 * Preloaded into sceau by tests/world/power.py: records, in order over all
 * processes of a run, what changes a file or a folder and what syncs it, so
 * that the disk can be made that a power cut would leave.  See
 * tests/fault/README.  Linux only, never installed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* tests/world/power.py reads these: a change here is a change there. */
enum { CREATE = 1, MKDIR, WRITE, TRUNCATE, MODE, SYNC, SYNC_ALL, LINK, UNLINK,
	RENAME };
enum { RECORDS = 1 << 18, DATA_BYTES = 1 << 29 };

struct rec {
	uint64_t	kind;		/* last to be written: 0, not there */
	uint64_t	ino, dir, dir2;	/* of the file, of the folders */
	uint64_t	n;		/* offset, length or mode */
	uint64_t	at, len;	/* octets, or names, in data */
};

struct log {
	uint64_t	records, data_len;
	uint64_t	dev;		/* of the disk that is recorded */
	uint64_t	lost;		/* what did not fit, or was not known */
	struct rec	rec[RECORDS];
	uint8_t		data[DATA_BYTES];
};

static struct log *disk;

/* ${r} with ${len} octets at ${p}; after the call, so that who hears of the
 * call's success comes after it here too. */
static void
note(struct rec r, const void *p, size_t len)
{
	uint64_t i = __atomic_fetch_add(&disk->records, 1, __ATOMIC_SEQ_CST);

	r.at = __atomic_fetch_add(&disk->data_len, len, __ATOMIC_SEQ_CST);
	r.len = len;
	if (i >= RECORDS || r.at + len > DATA_BYTES) {
		__atomic_add_fetch(&disk->lost, 1, __ATOMIC_SEQ_CST);
		return;
	}
	if (len > 0)
		memcpy(disk->data + r.at, p, len);
	disk->rec[i] = (struct rec){ .ino = r.ino, .dir = r.dir,
	    .dir2 = r.dir2, .n = r.n, .at = r.at, .len = r.len };
	__atomic_store_n(&disk->rec[i].kind, r.kind, __ATOMIC_SEQ_CST);
}

static bool
of_fd(int fd, struct stat *st)
{
	return disk != NULL && fstat(fd, st) == 0 && st->st_dev == disk->dev &&
	    (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode));
}

static void
note_fd(uint64_t kind, int fd, uint64_t n, const void *p, size_t len)
{
	int kept = errno;
	struct stat st;

	if (of_fd(fd, &st))
		note((struct rec){ .kind = kind, .ino = st.st_ino, .n = n }, p,
		    len);
	errno = kept;
}

/* The folder that ${path} is in, and its name there. */
static bool
split(int fd, const char *path, uint64_t *dir, const char **name)
{
	const char *slash = strrchr(path, '/');
	char up[PATH_MAX] = ".";
	struct stat st;

	*name = slash == NULL ? path : slash + 1;
	if (slash == path)
		memcpy(up, "/", 2);
	else if (slash != NULL)
		snprintf(up, sizeof(up), "%.*s", (int)(slash - path), path);
	if (fstatat(fd, up, &st, 0) != 0 || st.st_dev != disk->dev)
		return false;
	*dir = st.st_ino;
	return true;
}

/* What stands at ${path} now, under that name. */
static void
note_path(uint64_t kind, int fd, const char *path)
{
	int kept = errno;
	const char *name;
	struct rec r = { .kind = kind };
	struct stat st = { 0 };

	if (disk != NULL && split(fd, path, &r.dir, &name) &&
	    (kind == UNLINK ||
	    fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)) {
		r.ino = st.st_ino;
		r.n = st.st_mode & 07777;
		note(r, name, strlen(name));
	}
	errno = kept;
}

static void
note_rename(int d, const char *a, int f, const char *b)
{
	int kept = errno;
	const char *old, *new;
	struct rec r = { .kind = RENAME };
	char both[2 * NAME_MAX + 2];
	struct stat st;
	int n;

	if (disk != NULL && split(d, a, &r.dir, &old) &&
	    split(f, b, &r.dir2, &new) &&
	    fstatat(f, b, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		r.ino = st.st_ino;
		n = snprintf(both, sizeof(both), "%s/%s", old, new);
		note(r, both, (size_t)n);
	}
	errno = kept;
}

/* --- The calls -------------------------------------------------------- */

#define NEXT(name) (next_##name != NULL ? next_##name : \
    (*(void **)&next_##name = dlsym(RTLD_NEXT, #name), next_##name))

/* ${done} is done where the call went well, which said ${got}. */
#define HOOK(ret, name, params, args, done)		\
static ret (*next_##name) params;			\
ret name params;					\
ret name params						\
{							\
	ret got = NEXT(name) args;			\
							\
	if (got >= 0)					\
		done;					\
	return got;					\
}

static bool
missing(int fd, const char *path)
{
	int kept = errno;
	struct stat st;
	bool none = disk != NULL && fstatat(fd, path, &st, 0) != 0;

	errno = kept;
	return none;
}

static void
opened(int fd, int dir, const char *path, int flags, bool created)
{
	if (fd >= 0 && created)
		note_path(CREATE, dir, path);
	else if (fd >= 0 && (flags & O_TRUNC) != 0)
		note_fd(TRUNCATE, fd, 0, NULL, 0);
}

#define OPENS(name, params, dir, args)				\
static int (*next_##name) params;				\
int name params;						\
int								\
name params							\
{								\
	va_list ap;						\
	mode_t mode;						\
	bool created;						\
	int fd;							\
								\
	va_start(ap, flags);					\
	mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ?		\
	    (mode_t)va_arg(ap, int) : 0;			\
	va_end(ap);						\
	created = (flags & O_CREAT) != 0 && missing(dir, path);	\
	fd = NEXT(name) args;					\
	opened(fd, dir, path, flags, created);			\
	return fd;						\
}

OPENS(open, (const char *path, int flags, ...), AT_FDCWD, (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), AT_FDCWD,
    (path, flags, mode))
OPENS(openat, (int at, const char *path, int flags, ...), at,
    (at, path, flags, mode))
OPENS(openat64, (int at, const char *path, int flags, ...), at,
    (at, path, flags, mode))

HOOK(int, mkstemp, (char *path), (path), note_path(CREATE, AT_FDCWD, path))
HOOK(int, mkstemp64, (char *path), (path), note_path(CREATE, AT_FDCWD, path))

static uint64_t
before(int fd, ssize_t n)
{
	return (uint64_t)(lseek(fd, 0, SEEK_CUR) - n);
}

static void
wrote(int fd, const void *p, ssize_t n)
{
	struct stat st;
	int kept = errno;

	if (of_fd(fd, &st))
		note_fd(WRITE, fd, before(fd, n), p, (size_t)n);
	errno = kept;
}

static void
wrote_parts(int fd, const struct iovec *v, ssize_t left)
{
	struct stat st;
	uint64_t at;

	if (!of_fd(fd, &st))
		return;
	at = before(fd, left);
	for (; left > 0; v++) {
		size_t n = v->iov_len < (size_t)left ? v->iov_len :
		    (size_t)left;

		note_fd(WRITE, fd, at, v->iov_base, n);
		at += n;
		left -= (ssize_t)n;
	}
}

HOOK(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n),
    wrote(fd, p, got))
HOOK(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n),
    wrote_parts(fd, v, got))
HOOK(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at),
    (fd, p, n, at), note_fd(WRITE, fd, (uint64_t)at, p, (size_t)got))
HOOK(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at),
    (fd, p, n, at), note_fd(WRITE, fd, (uint64_t)at, p, (size_t)got))
HOOK(int, ftruncate, (int fd, off_t len), (fd, len),
    note_fd(TRUNCATE, fd, (uint64_t)len, NULL, 0))
HOOK(int, ftruncate64, (int fd, off64_t len), (fd, len),
    note_fd(TRUNCATE, fd, (uint64_t)len, NULL, 0))
HOOK(int, fchmod, (int fd, mode_t mode), (fd, mode),
    note_fd(MODE, fd, mode, NULL, 0))

HOOK(int, fsync, (int fd), (fd), note_fd(SYNC, fd, 0, NULL, 0))
HOOK(int, fdatasync, (int fd), (fd), note_fd(SYNC, fd, 0, NULL, 0))
HOOK(int, syncfs, (int fd), (fd), note_fd(SYNC_ALL, fd, 0, NULL, 0))

HOOK(int, rename, (const char *a, const char *b), (a, b),
    note_rename(AT_FDCWD, a, AT_FDCWD, b))
HOOK(int, renameat, (int d, const char *a, int f, const char *b),
    (d, a, f, b), note_rename(d, a, f, b))
HOOK(int, link, (const char *a, const char *b), (a, b),
    note_path(LINK, AT_FDCWD, b))
HOOK(int, linkat, (int d, const char *a, int f, const char *b, int flags),
    (d, a, f, b, flags), note_path(LINK, f, b))
HOOK(int, unlink, (const char *a), (a), note_path(UNLINK, AT_FDCWD, a))
HOOK(int, unlinkat, (int d, const char *a, int flags), (d, a, flags),
    note_path(UNLINK, d, a))
HOOK(int, rmdir, (const char *a), (a), note_path(UNLINK, AT_FDCWD, a))
HOOK(int, mkdir, (const char *a, mode_t mode), (a, mode),
    note_path(MKDIR, AT_FDCWD, a))
HOOK(int, mkdirat, (int d, const char *a, mode_t mode), (d, a, mode),
    note_path(MKDIR, d, a))

/* Mapped before any sandbox, inherited by every child. */
__attribute__((constructor)) static void
power_start(void)
{
	const char *path = getenv("SCEAU_FAULT_DISK");
	struct log *p;
	int fd;

	if (path == NULL || strcmp(program_invocation_short_name, "sceau") ||
	    (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		return;
	p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_NORESERVE, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		disk = p;
}
