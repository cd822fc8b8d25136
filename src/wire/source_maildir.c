#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "wire/idtable.h"
#include "wire/source_impl.h"

/*
 * A Maildir that another program fills.  The id is the unique part of the
 * name, up to ':' (the flags may change); what is found later under another
 * name is looked for once more.
 */
struct maildir_in {
	int		folder;	/* descriptor of the Maildir */
	struct idtable	table;	/* more: "new/NAME" or "cur/NAME" */
	bool		listed;
	bool		again;	/* looked a second time, in this request */
};

static enum rc
set_up(struct source *s, struct err *e)
{
	struct maildir_in *m = calloc(1, sizeof(*m));

	if ((s->impl = m) == NULL)
		return err_nomem(e);
	m->folder = open(s->account->path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->folder < 0)
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

static enum rc
look_at(struct source *s, int dir, const char *part, const char *name,
    struct err *e)
{
	struct maildir_in *m = s->impl;
	struct bytes id = { (const uint8_t *)name, strcspn(name, ":") };
	char path[8 + 256];
	struct stat st;
	int len;

	len = snprintf(path, sizeof(path), "%s/%s", part, name);
	if (name[0] == '.' || id.len == 0 || len < 0 ||
	    (size_t)len >= sizeof(path) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return RC_OK;
	if (m->table.n >= s->limits.max_list)
		return err_set(e, RC_TEMP, _("more than %zu messages in the "
		    "mailbox; raise the limit or empty it"),
		    s->limits.max_list);
	if (!idtable_add(&m->table, id,
	    (struct bytes){ (const uint8_t *)path, (size_t)len }, 1,
	    (uint64_t)st.st_size))
		return err_nomem(e);
	return RC_OK;
}

static enum rc
scan(struct source *s, const char *part, struct err *e)
{
	struct maildir_in *m = s->impl;
	int fd = openat(m->folder, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	enum rc rc = RC_OK;

	if (dir == NULL) {
		rc = err_set(e, RC_CONF, _("%s is not a Maildir: %s (%s)"),
		    s->account->path, part, lang_errno(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == RC_OK && (entry = readdir(dir)) != NULL)
		rc = look_at(s, fd, part, entry->d_name, e);
	closedir(dir);
	return rc;
}

static enum rc
learn(struct source *s, struct err *e)
{
	struct maildir_in *m = s->impl;
	enum rc rc;

	idtable_free(&m->table);
	if ((rc = scan(s, "new", e)) == RC_OK)
		rc = scan(s, "cur", e);
	m->listed = rc == RC_OK;
	if (rc == RC_OK)
		idtable_by_id(&m->table);
	return rc;
}

static enum rc
list(struct source *s, struct bytes after, source_list_fn *fn, void *arg,
    struct err *e)
{
	struct maildir_in *m = s->impl;
	enum rc rc = learn(s, e);

	(void)after;
	/* By id is by time of arrival, as these names go. */
	for (size_t i = 0; rc == RC_OK && i < m->table.n; i++)
		rc = fn(arg, idtable_id(&m->table, i), m->table.rows[i].size,
		    e);
	return rc;
}

/* The path of ${id} below the Maildir as last seen; false: not seen. */
static bool
path_of(const struct maildir_in *m, struct bytes id, char path[8 + 256])
{
	long at = idtable_find(&m->table, id);
	struct bytes more;

	if (at < 0)
		return false;
	more = idtable_more(&m->table, (size_t)at);
	memcpy(path, more.p, more.len);
	path[more.len] = '\0';
	return true;
}

/* Open or unlink ${id}; a reader may have moved it since: look once more. */
static int
act(struct source *s, struct bytes id, bool unlink_it, enum rc *rc,
    struct err *e)
{
	struct maildir_in *m = s->impl;
	char path[8 + 256];
	int got = -1;

	*rc = RC_OK;
	for (int turn = 0; turn < 2; turn++) {
		if (((turn == 1 && !m->again) || !m->listed) &&
		    (*rc = learn(s, e)) != RC_OK)
			return -1;
		m->again = m->again || turn == 1;
		errno = ENOENT;
		if (!path_of(m, id, path))
			continue;
		got = unlink_it ? unlinkat(m->folder, path, 0) :
		    openat(m->folder, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (got >= 0 || errno != ENOENT)
			break;
	}
	return got;
}

static enum rc
fetch(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct err *e)
{
	struct maildir_in *m = s->impl;
	enum rc rc = RC_OK;

	m->again = false;
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		int fd = act(s, ids[i], false, &rc, e);

		if (rc != RC_OK)
			return rc;
		if (fd < 0) {
			rc = sink->end(sink->arg, ids[i], errno == ENOENT ?
			    SOURCE_GONE : SOURCE_UNREADABLE, e);
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
	struct maildir_in *m = s->impl;
	enum rc rc = RC_OK, worst = RC_OK;

	(void)folder;
	m->again = false;
	if (after == CONF_AFTER_MOVE)
		return err_set(e, RC_CONF, _("a Maildir has no folder to move "
		    "a message to; write after = delete or keep"));
	for (size_t i = 0; i < n; i++) {
		if (act(s, ids[i], true, &rc, e) == 0 ||
		    (rc == RC_OK && errno == ENOENT))
			done[i] = SOURCE_RELEASED;
		else if (rc == RC_OK)
			rc = err_sys(e, "%s", s->account->path);
		worst = rc_worse(worst, rc);
	}
	return worst;
}

static void
finish(struct source *s)
{
	struct maildir_in *m = s->impl;

	if (m == NULL)
		return;
	if (m->folder >= 0)
		close(m->folder);
	idtable_free(&m->table);
	free(m);
}

const struct source_ops source_maildir = {
	.set_up = set_up, .open = start, .list = list, .fetch = fetch,
	.release = release, .close = finish
};
