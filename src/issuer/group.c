#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "issuer/group.h"

struct group {
	const char	*dir[GROUP_WHATS];
	/* Open since before the files: a sync through it tells of whatever
	 * went wrong meanwhile. */
	int		 fd[GROUP_WHATS];
	bool		 one_fs;	/* both folders lie on */
	uint64_t	 bytes;
	size_t		 n;
	char		 names[GROUP_MAX][NAMES_BYTES];
};

static void
path_of(const struct group *g, enum group_what what, const char *name,
    const char *end, char out[PATH_MAX])
{
	static const char *const ends[] = { ".cle", ".txt" };

	/* Folder and name fit: batch has looked. */
	(void)snprintf(out, PATH_MAX, "%s/%s%s%s", g->dir[what], name,
	    ends[what], end);
}

enum rc
group_open(const char *keys, const char *letters, struct group **g,
    struct err *e)
{
	struct group *n = calloc(1, sizeof(*n));
	struct stat st[GROUP_WHATS] = { { .st_dev = 0 } };
	enum rc rc = RC_OK;

	*g = NULL;
	if (n == NULL)
		return err_nomem(e);
	n->dir[GROUP_KEY] = keys;
	n->dir[GROUP_LETTER] = letters;
	for (size_t i = 0; i < GROUP_WHATS; i++)
		n->fd[i] = open(n->dir[i], O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC);
	for (size_t i = 0; i < GROUP_WHATS && rc == RC_OK; i++)
		if (n->fd[i] < 0 || fstat(n->fd[i], &st[i]) != 0)
			rc = err_sys(e, "%s", n->dir[i]);
	n->one_fs = st[GROUP_KEY].st_dev == st[GROUP_LETTER].st_dev;
	if (rc == RC_OK)
		*g = n;
	else
		group_close(&n);
	return rc;
}

enum rc
group_file(const struct group *g, enum group_what what, const char *name,
    int *fd, struct err *e)
{
	char tmp[PATH_MAX];

	path_of(g, what, name, ".tmp", tmp);
	*fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return *fd >= 0 ? RC_OK : err_sys(e, "%s", tmp);
}

void
group_put(struct group *g, const char *name, uint64_t bytes)
{
	BUG_ON(g->n == GROUP_MAX || strlen(name) >= NAMES_BYTES);
	memcpy(g->names[g->n++], name, strlen(name) + 1);
	g->bytes += bytes;
}

void
group_drop(const struct group *g, const char *name)
{
	char tmp[PATH_MAX];

	for (size_t i = 0; i < GROUP_WHATS; i++) {
		path_of(g, (enum group_what)i, name, ".tmp", tmp);
		(void)unlink(tmp);
	}
}

bool
group_full(const struct group *g)
{
	return g->n == GROUP_MAX || g->bytes >= GROUP_BYTES;
}

/* ---- the end ------------------------------------------------------------ */

static enum rc
sync_one(const char *tmp, struct err *e)
{
	int fd = open(tmp, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	enum rc rc = RC_OK;

	if (fd < 0)
		return err_sys(e, "%s", tmp);
	if (!file_sync(fd))
		rc = err_sys(e, "%s", tmp);
	close(fd);
	return rc;
}

static enum rc
sync_kind(const struct group *g, enum group_what what, struct err *e)
{
	char tmp[PATH_MAX];
	enum rc rc = RC_OK;

	if (!g->one_fs && file_sync_all(g->fd[what], g->n))
		return RC_OK;
	for (size_t i = 0; i < g->n && rc == RC_OK; i++) {
		path_of(g, what, g->names[i], ".tmp", tmp);
		rc = sync_one(tmp, e);
	}
	return rc;
}

static enum rc
sync_all(const struct group *g, struct err *e)
{
	enum rc rc = RC_OK;

	if (g->one_fs && file_sync_all(g->fd[GROUP_KEY], 2 * g->n))
		return RC_OK;
	for (size_t i = 0; i < GROUP_WHATS && rc == RC_OK; i++)
		rc = sync_kind(g, (enum group_what)i, e);
	return rc;
}

static enum rc
name_one(const struct group *g, enum group_what what, const char *name,
    struct err *e)
{
	char tmp[PATH_MAX], path[PATH_MAX];

	path_of(g, what, name, ".tmp", tmp);
	path_of(g, what, name, "", path);
	return rename(tmp, path) == 0 ? RC_OK : err_sys(e, "%s", path);
}

static enum rc
name_keys(const struct group *g, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < g->n && rc == RC_OK; i++) {
		FAULT("batch.key.before");
		rc = name_one(g, GROUP_KEY, g->names[i], e);
		FAULT("batch.key.after");
	}
	if (rc == RC_OK && !file_sync(g->fd[GROUP_KEY]))
		rc = err_sys(e, "%s", g->dir[GROUP_KEY]);
	return rc;
}

static enum rc
name_letters(const struct group *g, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < g->n && rc == RC_OK; i++) {
		FAULT("batch.letter.before");
		rc = name_one(g, GROUP_LETTER, g->names[i], e);
		FAULT("batch.letter.after");
	}
	if (rc == RC_OK && !file_sync(g->fd[GROUP_LETTER]))
		rc = err_sys(e, "%s", g->dir[GROUP_LETTER]);
	return rc;
}

static void
empty(struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		group_drop(g, g->names[i]);
	g->n = 0;
	g->bytes = 0;
}

enum rc
group_settle(struct group *g, struct err *e)
{
	enum rc rc;

	if (g->n == 0)
		return RC_OK;
	if ((rc = sync_all(g, e)) == RC_OK && (rc = name_keys(g, e)) == RC_OK)
		rc = name_letters(g, e);
	if (rc != RC_OK)
		empty(g);
	g->n = 0;
	g->bytes = 0;
	return rc;
}

void
group_close(struct group **g)
{
	if (*g == NULL)
		return;
	empty(*g);
	for (size_t i = 0; i < GROUP_WHATS; i++)
		if ((*g)->fd[i] >= 0)
			close((*g)->fd[i]);
	free(*g);
	*g = NULL;
}
