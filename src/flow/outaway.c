#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "flow/outaway.h"

#define HIDDEN OUTAWAY_HIDDEN
#define HIDDEN_LEN (sizeof(HIDDEN) - 1)
#define NAMES_MAX 1000

static enum rc
no_way(struct err *e, const char *where)
{
	return errno == ENOMEM || errno == ENOSPC || errno == EIO ?
	    err_sys(e, "%s", where) :
	    err_set(e, RC_CONF, _("%s: %s"), where, lang_errno(errno));
}

/* A name that replaces nothing, where the file system knows second names;
 * else only we give names there. */
static bool
rename_new(int from, const char *name, int to, const char *new)
{
	struct stat st, was;

	if (linkat(from, name, to, new, 0) == 0)
		return unlinkat(from, name, 0) == 0;
	/* A crash between the two left it with both. */
	if (errno == EEXIST && fstatat(from, name, &was,
	    AT_SYMLINK_NOFOLLOW) == 0 && fstatat(to, new, &st,
	    AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return was.st_ino == st.st_ino && was.st_dev == st.st_dev &&
		    unlinkat(from, name, 0) == 0;
	}
	if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS &&
	    errno != EMLINK)
		return false;
	if (fstatat(to, new, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return false;
	}
	return renameat(from, name, to, new) == 0;
}

/* errno EEXIST: another one may be. */
static bool
is_free(int fd, const char *name, const char *more)
{
	char both[NAME_MAX + 16];
	struct stat st;

	snprintf(both, sizeof(both), "%s%s", name, more);
	if (strlen(both) > NAME_MAX ||
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    (errno == ENOENT &&
	    fstatat(fd, both, &st, AT_SYMLINK_NOFOLLOW) == 0))
		errno = EEXIST;
	return errno == ENOENT;
}

/* "x.hpr", then "x-20261126-081500.hpr", then "x-20261126-081500-2.hpr". */
static bool
free_name(int fd, const char *name, const char *more,
    char out[NAME_MAX + 1])
{
	const char *dot = strrchr(name, '.');
	time_t now = (time_t)clock_now();
	char when[40] = "";
	struct tm tm;
	int stem;

	snprintf(out, NAME_MAX + 1, "%.*s", NAME_MAX, name);
	if (is_free(fd, out, more))
		return true;
	if (errno != EEXIST)
		return false;
	if (dot == NULL || dot == name || strlen(dot) > 20)
		dot = name + strlen(name);
	stem = dot - name < NAME_MAX - 80 ? (int)(dot - name) : NAME_MAX - 80;
	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(when, sizeof(when), "-%Y%m%d-%H%M%S", &tm);
	for (unsigned n = 1; n < NAMES_MAX; n++) {
		if (n == 1)
			snprintf(out, NAME_MAX + 1, "%.*s%s%.20s", stem, name,
			    when, dot);
		else
			snprintf(out, NAME_MAX + 1, "%.*s%s-%u%.20s", stem,
			    name, when, n, dot);
		if (is_free(fd, out, more))
			return true;
		if (errno != EEXIST)
			return false;
	}
	return false;
}

/* It was not the one: under its own name again, or one like it. */
static bool
put_back(int fd, const char *hidden, const char *name)
{
	char other[NAME_MAX + 1];
	const char *as = name;

	while (!rename_new(fd, hidden, fd, as)) {
		if (errno != EEXIST)
			return errno == ENOENT;
		if (!free_name(fd, name, "", other))
			return false;
		as = other;
	}
	return true;
}

static enum rc
open_folder(const char *path, const char *folder, int *fd, struct err *e)
{
	struct stat st;
	int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*fd = top;
	if (top < 0 || fstat(top, &st) != 0)
		return no_way(e, path);
	if (folder[0] == '\0')
		return RC_OK;
	if (mkdirat(top, folder, st.st_mode & 0777) != 0 && errno != EEXIST)
		*fd = -1;
	else
		*fd = openat(top, folder, O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		no_way(e, path);
	close(top);
	return *fd < 0 ? e->rc : RC_OK;
}

enum rc
outaway_name(const char *path, const char *folder, const char *name,
    const char *more, char *out, struct err *e)
{
	int fd = -1;
	enum rc rc = open_folder(path, folder, &fd, e);

	if (rc == RC_OK && !free_name(fd, name, more, out))
		rc = no_way(e, path);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Without one's own name there is no telling what came meanwhile. */
static enum rc
hide(int fd, const char *name, char hidden[NAME_MAX + 1], struct err *e)
{
	struct stat st;

	if (snprintf(hidden, NAME_MAX + 1, HIDDEN "%s", name) > NAME_MAX)
		snprintf(hidden, NAME_MAX + 1, "%s", name);
	else if (fstatat(fd, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, RC_CONF, _("the outbox: remove the file "
		    "that begins with %s"), HIDDEN);
	else if (renameat(fd, name, fd, hidden) != 0 && errno != ENOENT)
		return no_way(e, _("the outbox"));
	return RC_OK;
}

static enum rc
let_go(int fd, const char *hidden, const struct outaway_to *to,
    struct err *e)
{
	int other = -1;
	enum rc rc = RC_OK;

	if (to == NULL)
		return unlinkat(fd, hidden, 0) == 0 || errno == ENOENT ?
		    RC_OK : no_way(e, _("the outbox"));
	rc = open_folder(to->path, to->folder, &other, e);
	/* At once, or it would be there twice after a crash: nobody but us
	 * gives names in that folder, and this one was free. */
	if (rc == RC_OK && !is_free(other, to->name, "")) {
		rc = no_way(e, to->path);
	} else if (rc == RC_OK && (renameat(fd, hidden, other, to->name) !=
	    0 || !file_sync(other))) {
		rc = no_way(e, to->path);
	}
	if (other >= 0)
		close(other);
	return rc;
}

enum rc
outaway(int fd, const char *name, const struct outfile_id *id,
    const struct outaway_to *to, struct err *e)
{
	char hidden[NAME_MAX + 1];
	struct outfile_id is;
	struct stat st;
	bool ours;
	enum rc rc;

	FAULT("outbox.away.before");
	if ((rc = hide(fd, name, hidden, e)) != RC_OK)
		return rc;
	FAULT("outbox.away.hidden");
	if (fstatat(fd, hidden, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? RC_OK : no_way(e, _("the outbox"));
	is = outfile_id(&st);
	ours = id == NULL || outfile_same(&is, id);
	if (ours)
		rc = let_go(fd, hidden, to, e);
	if ((!ours || rc != RC_OK) && strcmp(hidden, name) != 0)
		(void)put_back(fd, hidden, name);
	FAULT("outbox.away.after");
	return rc;
}

enum rc
outaway_note(const char *path, const char *folder, const char *name,
    const struct buf *text, struct err *e)
{
	static const char tmp[] = HIDDEN "note";
	struct stat st;
	int fd = -1, file = -1;
	enum rc rc = open_folder(path, folder, &fd, e);

	if (rc != RC_OK)
		return rc;
	(void)unlinkat(fd, tmp, 0);
	if (fstat(fd, &st) != 0 || (file = openat(fd, tmp, O_WRONLY |
	    O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0 ||
	    fchmod(file, st.st_mode & 0666) != 0 ||
	    !write_all(file, text->p, text->len) || !file_sync(file) ||
	    renameat(fd, tmp, fd, name) != 0 || !file_sync(fd))
		rc = no_way(e, path);
	if (file >= 0)
		close(file);
	close(fd);
	return rc;
}

void
outaway_recover(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *d;

	if (dir == NULL && again >= 0)
		close(again);
	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, HIDDEN, HIDDEN_LEN) == 0 &&
		    d->d_name[HIDDEN_LEN] != '\0')
			(void)put_back(fd, d->d_name, d->d_name +
			    HIDDEN_LEN);
	if (dir != NULL)
		closedir(dir);
}

enum rc
outaway_prepare(const char *path, const char *like, struct err *e)
{
	struct stat st;
	enum rc rc;

	if (access(path, F_OK) == 0)
		return RC_OK;
	if (stat(like, &st) != 0)
		return no_way(e, like);
	if ((rc = file_mkdirs(path, 0700, e)) == RC_OK &&
	    chmod(path, st.st_mode & 07777) != 0)
		rc = no_way(e, path);
	return rc;
}
