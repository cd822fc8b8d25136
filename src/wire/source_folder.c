#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "wire/source_impl.h"

/*
 * One mail per file.  A file is complete when its name is no temporary one
 * and nobody has written to it for a moment.  Names come back for other
 * files, so the id is "name/inode.mtime.size" (in hexadecimal): a file that
 * was replaced is another message, and is never removed in place of the old.
 */
#define QUIET_S 2

struct folder_in {
	int	folder;
};

static enum rc
set_up(struct source *s, struct err *e)
{
	struct folder_in *f = calloc(1, sizeof(*f));

	if ((s->impl = f) == NULL)
		return err_nomem(e);
	f->folder = open(s->account->path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->folder < 0)
		return err_set(e, RC_CONF, _("%s: %s"), s->account->path,
		    lang_errno(errno));
	return RC_OK;
}

static enum rc
start(struct source *s, const struct secret *secret, struct err *e)
{
	(void)s;
	(void)secret;
	(void)e;
	return RC_OK;
}

static bool
make_id(const char *name, const struct stat *st, char id[SOURCE_ID_BYTES + 1])
{
	int n = snprintf(id, SOURCE_ID_BYTES + 1,
	    "%s/%" PRIx64 ".%" PRIx64 ".%" PRIx64, name,
	    (uint64_t)st->st_ino, (uint64_t)st->st_mtime,
	    (uint64_t)st->st_size);

	return n > 0 && n <= SOURCE_ID_BYTES;
}

static bool
quiet(const struct stat *st)
{
	int64_t age = clock_now() - (int64_t)st->st_mtime;

	/* A time to come is a wrong clock, not a writer. */
	return age >= QUIET_S || age < -QUIET_S;
}

static enum rc
list(struct source *s, struct bytes after, source_list_fn *fn, void *arg,
    struct err *e)
{
	struct folder_in *f = s->impl;
	int fd = openat(f->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char id[SOURCE_ID_BYTES + 1];
	struct dirent *entry;
	struct stat st;
	enum rc rc = RC_OK;

	(void)after;
	if (dir == NULL) {
		rc = err_sys(e, "%s", s->account->path);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == RC_OK && (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;

		if (file_temporary(name) ||
		    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode) || !quiet(&st) ||
		    !make_id(name, &st, id))
			continue;
		rc = fn(arg, (struct bytes){ (const uint8_t *)id, strlen(id) },
		    (uint64_t)st.st_size, e);
	}
	closedir(dir);
	return rc;
}

/* The name in ${id}, if that very file is still there. */
static bool
same_file(const struct folder_in *f, struct bytes id, char name[NAME_MAX + 1])
{
	const uint8_t *slash = memchr(id.p, '/', id.len);
	char now[SOURCE_ID_BYTES + 1];
	struct stat st;
	size_t len;

	if (slash == NULL || (len = (size_t)(slash - id.p)) > NAME_MAX ||
	    memchr(id.p, '\0', len) != NULL)
		return false;
	memcpy(name, id.p, len);
	name[len] = '\0';
	return fstatat(f->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && make_id(name, &st, now) &&
	    bytes_eqs(id, now);
}

static enum rc
fetch(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct err *e)
{
	const struct folder_in *f = s->impl;
	char name[NAME_MAX + 1];
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		int fd;

		if (!same_file(f, ids[i], name)) {
			rc = sink->end(sink->arg, ids[i], SOURCE_GONE, e);
			continue;
		}
		fd = openat(f->folder, name, O_RDONLY | O_NOFOLLOW |
		    O_CLOEXEC);
		if (fd < 0) {
			rc = sink->end(sink->arg, ids[i], SOURCE_UNREADABLE,
			    e);
			continue;
		}
		rc = source_feed(s, fd, ids[i], sink, e);
		close(fd);
	}
	return rc;
}

static enum rc
release(struct source *s, const struct bytes *ids, size_t n,
    enum conf_after after, const char *folder, enum source_done *done,
    struct err *e)
{
	const struct folder_in *f = s->impl;
	char name[NAME_MAX + 1];
	enum rc worst = RC_OK;

	(void)folder;
	if (after == CONF_AFTER_MOVE)
		return err_set(e, RC_CONF, _("a folder of mails has nowhere "
		    "to move one to; write after = delete or keep"));
	for (size_t i = 0; i < n; i++) {
		if (!same_file(f, ids[i], name) ||
		    unlinkat(f->folder, name, 0) == 0 || errno == ENOENT)
			done[i] = SOURCE_RELEASED;
		else
			worst = rc_worse(worst, err_sys(e, "%s/%s",
			    s->account->path, name));
	}
	return worst;
}

static void
finish(struct source *s)
{
	struct folder_in *f = s->impl;

	if (f == NULL)
		return;
	if (f->folder >= 0)
		close(f->folder);
	free(f);
}

const struct source_ops source_folder = {
	.set_up = set_up, .open = start, .list = list, .fetch = fetch,
	.release = release, .close = finish
};
