#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "wire/drop.h"

#define TMP_PREFIX ".sceau-"
#define DROP_T_OCTETS 10

void
drop_token(const uint8_t *t, uint32_t filing, char out[DROP_TOKEN_BYTES])
{
	hex_format(t, DROP_T_OCTETS, out);
	if (filing > 0)
		(void)snprintf(out + 2 * DROP_T_OCTETS, DROP_TOKEN_BYTES -
		    2 * DROP_T_OCTETS, "-%u", (unsigned)filing + 1);
}

static enum rc
join(char out[DROP_PATH_BYTES], const char *dir, const char *sub,
    const char *name, struct err *e)
{
	int n = snprintf(out, DROP_PATH_BYTES, "%s%s%s%s%s", dir,
	    sub[0] != '\0' ? "/" : "", sub, name[0] != '\0' ? "/" : "", name);

	return n > 0 && n < DROP_PATH_BYTES ? RC_OK :
	    err_set(e, RC_CONF, _("%s: the name is too long"), dir);
}

static const char *
tmp_of(const struct drop_place *place)
{
	return place->maildir ? "tmp" : "";
}

static const char *
new_of(const struct drop_place *place)
{
	return place->maildir ? "new" : "";
}

/* Ours only, whatever its age: one pass at a time holds the lock. */
static enum rc
sweep(const struct drop_place *place, struct err *e)
{
	char dir[DROP_PATH_BYTES];
	struct dirent *d;
	enum rc rc = join(dir, place->path, tmp_of(place), "", e);
	DIR *at;

	if (rc != RC_OK)
		return rc;
	if ((at = opendir(dir)) == NULL)
		return err_set(e, RC_CONF, _("%s: %s"), dir, lang_errno(errno));
	while ((d = readdir(at)) != NULL)
		if (strncmp(d->d_name, TMP_PREFIX, strlen(TMP_PREFIX)) == 0)
			(void)unlinkat(dirfd(at), d->d_name, 0);
	closedir(at);
	return RC_OK;
}

enum rc
drop_prepare(const struct drop_place *place, struct err *e)
{
	static const char *const subs[] = { "tmp", "new", "cur" };
	char dir[DROP_PATH_BYTES];
	enum rc rc = file_mkdirs(place->path, 0700, e);

	for (size_t i = 0; rc == RC_OK && place->maildir && i < 3; i++)
		if ((rc = join(dir, place->path, subs[i], "", e)) == RC_OK)
			rc = file_mkdirs(dir, 0700, e);
	return rc == RC_OK ? sweep(place, e) : rc;
}

enum rc
drop_open(const struct drop_place *place, struct drop *d, struct err *e)
{
	enum rc rc = join(d->tmp, place->path, tmp_of(place),
	    TMP_PREFIX "XXXXXX", e);

	d->fd = -1;
	if (rc == RC_OK && (d->fd = mkstemp(d->tmp)) < 0)
		rc = err_sys(e, "%s", place->path);
	if (rc == RC_OK && fcntl(d->fd, F_SETFD, FD_CLOEXEC) != 0)
		rc = err_sys(e, "%s", d->tmp);
	if (d->fd < 0)
		d->tmp[0] = '\0';
	return rc;
}

/* The folder is what a person knows; the same trouble reads the same; and a
 * file's own name may be a patient's, which no log or alarm is to hold. */
static enum rc
tmp_err(const struct drop *d, struct err *e)
{
	const char *end = strrchr(d->tmp, '/');

	return err_sys(e, "%.*s", end == NULL ? 0 : (int)(end - d->tmp),
	    d->tmp);
}

enum rc
drop_write(struct drop *d, const void *p, size_t len, struct err *e)
{
	return write_all(d->fd, p, len) ? RC_OK : tmp_err(d, e);
}

enum rc
drop_sync(struct drop *d, struct err *e)
{
	bool ok = file_sync(d->fd);

	if (!ok)
		tmp_err(d, e);
	if (close(d->fd) != 0 && ok)
		ok = tmp_err(d, e) == RC_OK;
	d->fd = -1;
	return ok ? RC_OK : e->rc;
}

enum rc
drop_written(struct drop *d, struct err *e)
{
	int fd = d->fd;

	d->fd = -1;
	return fd < 0 || close(fd) == 0 ? RC_OK : tmp_err(d, e);
}

static bool
sync_all(const struct drop_place *place, size_t n)
{
	int fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && file_sync_all(fd, n);

	if (fd >= 0)
		close(fd);
	return ok;
}

enum rc
drop_sync_many(const struct drop_place *place, struct drop *const *d,
    size_t n, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = drop_written(d[i], e);
	if (rc != RC_OK || sync_all(place, n))
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		d[i]->fd = open(d[i]->tmp, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		rc = d[i]->fd < 0 ? tmp_err(d[i], e) :
		    drop_sync(d[i], e);
	}
	return rc;
}

/* A second name, then the first goes: unlike rename(2) it replaces nothing.
 * Some file systems know no second names; one pass writes at a time. */
static enum rc
give_name(const struct drop *d, const char *final, struct err *e)
{
	const char *tmp = d->tmp;
	struct stat st;
	bool ok;

	if (link(tmp, final) == 0 || errno == EEXIST)
		ok = unlink(tmp) == 0;
	else if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS &&
	    errno != EMLINK)
		ok = false;
	else if (lstat(final, &st) == 0)
		ok = unlink(tmp) == 0;
	else
		ok = rename(tmp, final) == 0;
	return ok ? RC_OK : tmp_err(d, e);
}

enum rc
drop_name(const struct drop_place *place, struct drop *d, const char *name,
    struct err *e)
{
	char final[DROP_PATH_BYTES];
	enum rc rc = join(final, place->path, new_of(place), name, e);

	FAULT("drop.name.before");
	if (rc == RC_OK)
		rc = give_name(d, final, e);
	FAULT("drop.name.after");
	if (rc == RC_OK)
		d->tmp[0] = '\0';
	return rc;
}

enum rc
drop_replace(const struct drop_place *place, struct drop *d,
    const char *name, struct err *e)
{
	char final[DROP_PATH_BYTES];
	enum rc rc = join(final, place->path, new_of(place), name, e);

	FAULT("drop.name.before");
	if (rc == RC_OK && rename(d->tmp, final) != 0)
		rc = tmp_err(d, e);
	FAULT("drop.name.after");
	if (rc == RC_OK)
		d->tmp[0] = '\0';
	return rc;
}

static enum rc
settle(const struct drop_place *place, const char *sub, struct err *e)
{
	char dir[DROP_PATH_BYTES];
	enum rc rc = join(dir, place->path, sub, "", e);

	return rc == RC_OK && !dir_sync(dir) ? err_sys(e, "%s", dir) : rc;
}

enum rc
drop_settle(const struct drop_place *place, struct err *e)
{
	enum rc rc = settle(place, new_of(place), e);

	/* A temporary name that came back would stay until the next mail. */
	return rc == RC_OK && place->maildir ?
	    settle(place, tmp_of(place), e) : rc;
}

static enum rc
alike(FILE *a, FILE *b, bool *same, struct err *e)
{
	int x, y;

	do {
		x = getc_unlocked(a);
		y = getc_unlocked(b);
	} while (x == y && x != EOF);
	*same = x == y;
	return ferror(a) || ferror(b) ? err_sys(e, _("a document")) : RC_OK;
}

enum rc
drop_alike(const struct drop *a, const struct drop *b, bool *same,
    struct err *e)
{
	FILE *x = fopen(a->tmp, "re"), *y = fopen(b->tmp, "re");
	enum rc rc;

	*same = false;
	rc = x == NULL ? tmp_err(a, e) : y == NULL ? tmp_err(b, e) :
	    alike(x, y, same, e);
	if (x != NULL)
		fclose(x);
	if (y != NULL)
		fclose(y);
	return rc;
}

void
drop_hide(struct drop *d)
{
	if (d->tmp[0] != '\0')
		(void)unlink(d->tmp);
	d->tmp[0] = '\0';
}

void
drop_forget(struct drop *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	drop_hide(d);
}

static enum rc
look_in(const char *path, const char *sub, const char *token, bool *there,
    struct err *e)
{
	char dir[DROP_PATH_BYTES];
	struct dirent *d;
	enum rc rc = join(dir, path, sub, "", e);
	DIR *at;

	if (rc != RC_OK)
		return rc;
	if ((at = opendir(dir)) == NULL)
		return err_sys(e, "%s", dir);
	while (!*there && (d = readdir(at)) != NULL)
		*there = strstr(d->d_name, token) != NULL;
	closedir(at);
	return RC_OK;
}

enum rc
drop_there(const struct drop_place *place, const char *token, bool *there,
    struct err *e)
{
	enum rc rc = RC_OK;

	*there = false;
	if (!place->maildir)
		return look_in(place->path, "", token, there, e);
	rc = look_in(place->path, "new", token, there, e);
	/* Between the two looks a reader may have moved it from new/. */
	return rc == RC_OK ? look_in(place->path, "cur", token, there, e) :
	    rc;
}

enum rc
drop_inode(const struct drop_place *place, uint64_t *inode, struct err *e)
{
	struct stat st;

	if (stat(place->path, &st) != 0)
		return err_sys(e, "%s", place->path);
	*inode = (uint64_t)st.st_ino;
	return RC_OK;
}

bool
drop_taken(const struct drop_place *place, uint64_t inode, const char *name)
{
	struct err ignored = ERR_INIT;
	char path[DROP_PATH_BYTES];
	struct stat st;
	uint64_t now = 0;

	return drop_inode(place, &now, &ignored) == RC_OK && now == inode &&
	    join(path, place->path, new_of(place), name, &ignored) == RC_OK &&
	    lstat(path, &st) != 0 && errno == ENOENT;
}
