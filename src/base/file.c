#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/secret.h"

bool
write_all(int fd, const void *p, size_t len)
{
	const uint8_t *at = p;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

ssize_t
read_full(int fd, void *p, size_t len)
{
	uint8_t *at = p;
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, at + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

bool
file_temporary(const char *name)
{
	static const char *const ends[] = { ".tmp", ".part", ".partial",
	    ".filepart", ".crdownload", ".swp", "~" };
	size_t len = strlen(name);

	if (name[0] == '.')
		return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);

		if (len >= end && strcasecmp(name + len - end, ends[i]) == 0)
			return true;
	}
	return false;
}

bool
file_sync(int fd)
{
#ifdef F_FULLFSYNC
	/* fsync(2) of macOS leaves the drive's cache alone. */
	if (fcntl(fd, F_FULLFSYNC) == 0)
		return true;
#endif
	return fsync(fd) == 0;
}

/* Below this many, syncing each is cheaper than the whole file system. */
#define SYNC_ALL_FROM 8

bool
file_sync_all(int dir, size_t n)
{
#ifdef HAVE_SYNCFS
	return n >= SYNC_ALL_FROM && syncfs(dir) == 0;
#else
	(void)dir;
	(void)n;
	return false;
#endif
}

bool
dir_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = file_sync(fd);
	close(fd);
	return ok;
}

static enum rc
read_fd(int fd, const char *path, size_t max, bool regular, struct buf *out,
    struct err *e)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "%s", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, RC_CONF, _("%s is a folder"), path);
	if (regular && !S_ISREG(st.st_mode))
		return err_set(e, RC_CONF, _("%s is not a regular file"),
		    path);
	for (;;) {
		size_t room = out->len < max ? max - out->len : 0;

		if (room > 65536)
			room = 65536;
		if (!buf_reserve(out, room + 1)) {
			(void)err_nomem(e);
			return err_ctx(e, "%s", path);
		}
		if ((n = read_full(fd, out->p + out->len, room + 1)) < 0)
			return err_sys(e, "%s", path);
		out->len += (size_t)n;
		if (out->len > max)
			return err_set(e, RC_INPUT,
			    _("%s is larger than %zu octets"), path, max);
		if ((size_t)n < room + 1)
			return RC_OK;
	}
}

/* Opening a FIFO waits for who writes into it, unless it is told not to. */
static enum rc
read_path(const char *path, size_t max, bool regular, struct buf *out,
    struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC |
	    (regular ? O_NONBLOCK | O_NOCTTY : 0));
	enum rc rc;

	buf_wipe(out);
	if (fd < 0)
		return err_set(e, RC_CONF, _("%s: %s"), path,
		    lang_errno(errno));
	rc = read_fd(fd, path, max, regular, out, e);
	close(fd);
	if (rc != RC_OK)
		buf_wipe(out);
	return rc;
}

enum rc
file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	return read_path(path, max, false, out, e);
}

enum rc
file_read_regular(const char *path, size_t max, struct buf *out,
    struct err *e)
{
	return read_path(path, max, true, out, e);
}

static void
dir_of(const char *path, char dir[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		memcpy(dir, ".", 2);
	else if (slash == path)
		memcpy(dir, "/", 2);
	else {
		memcpy(dir, path, (size_t)(slash - path));
		dir[slash - path] = '\0';
	}
}

static enum rc
write_fd(int fd, const char *tmp, const void *p, size_t len, mode_t mode,
    struct err *e)
{
	if (fchmod(fd, mode) != 0 || !write_all(fd, p, len) ||
	    !file_sync(fd))
		return err_sys(e, "%s", tmp);
	return RC_OK;
}

/* The second name of a file becomes its only one, or there is none: what is in
 * it may be a secret. */
static enum rc
link_only(const char *tmp, const char *path, struct err *e)
{
	enum rc rc = RC_OK;

	if (link(tmp, path) != 0)
		rc = err_set(e, errno == EEXIST ? RC_CONF : RC_TEMP,
		    _("%s: %s"), path, lang_errno(errno));
	if (unlink(tmp) != 0 && rc == RC_OK) {
		rc = err_sys(e, "%s", tmp);
		unlink(path);
	}
	return rc;
}

static enum rc
put_file(const char *path, const void *p, size_t len, mode_t mode,
    bool replace, struct err *e)
{
	char tmp[PATH_MAX], dir[PATH_MAX];
	enum rc rc;
	int fd;

	if (strlen(path) + 12 >= PATH_MAX)
		return err_set(e, RC_CONF, _("%s: the name is too long"), path);
	snprintf(tmp, sizeof(tmp), "%s.tmpXXXXXX", path);
	dir_of(path, dir);
	if ((fd = mkstemp(tmp)) < 0)
		return err_sys(e, "%s", path);
	rc = write_fd(fd, tmp, p, len, mode, e);
	if (close(fd) != 0 && rc == RC_OK)
		rc = err_sys(e, "%s", tmp);
	FAULT("file.rename.before");
	if (rc == RC_OK && replace && rename(tmp, path) != 0)
		rc = err_sys(e, "%s", path);
	if (rc == RC_OK && !replace)
		rc = link_only(tmp, path, e);
	else if (rc != RC_OK)
		unlink(tmp);
	FAULT("file.rename.after");
	if (rc == RC_OK && !dir_sync(dir)) {
		rc = err_sys(e, "%s", dir);
		if (!replace)
			unlink(path);
	}
	return rc;
}

enum rc
file_write(const char *path, const void *p, size_t len, mode_t mode,
    struct err *e)
{
	return put_file(path, p, len, mode, true, e);
}

enum rc
file_create(const char *path, const void *p, size_t len, mode_t mode,
    struct err *e)
{
	return put_file(path, p, len, mode, false, e);
}

enum rc
file_private(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_set(e, RC_CONF, _("%s: %s"), path,
		    lang_errno(errno));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, RC_CONF, _("%s belongs to another user, who "
		    "can read and change it: run sceau as that user (sudo -u), "
		    "or make the file yours (chown)"), path);
	if ((st.st_mode & 077) != 0)
		return err_set(e, RC_CONF,
		    _("%s can be read by others; type: chmod go= %s"), path,
		    path);
	return RC_OK;
}

/* Durably: what is put into a folder is lost with the folder's name. */
static enum rc
make_dir(const char *path, mode_t mode, struct err *e)
{
	char dir[PATH_MAX];

	if (mkdir(path, mode) != 0)
		return errno == EEXIST ? RC_OK : err_sys(e, "%s", path);
	dir_of(path, dir);
	return dir_sync(dir) ? RC_OK : err_sys(e, "%s", dir);
}

enum rc
file_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char dir[PATH_MAX];
	enum rc rc = RC_OK;

	if (strlen(path) >= sizeof(dir))
		return err_set(e, RC_CONF, _("%s: the name is too long"), path);
	memcpy(dir, path, strlen(path) + 1);
	for (char *p = dir + 1; rc == RC_OK && *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		rc = make_dir(dir, mode, e);
		*p = '/';
	}
	return rc == RC_OK ? make_dir(dir, mode, e) : rc;
}
