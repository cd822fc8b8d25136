#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "document/alias.h"
#include "flow/outprobe.h"
#include "flow/outscan.h"

#define NOTE ".txt"

static void
earlier(int64_t *at, int64_t than)
{
	if (*at == 0 || than < *at)
		*at = than;
}

/* A file with its reasons beside it. */
static bool
is_note(int fd, const char *name)
{
	size_t len = strlen(name), end = sizeof(NOTE) - 1;
	char file[256];
	struct stat st;

	if (len <= end || len >= sizeof(file) ||
	    strcmp(name + len - end, NOTE) != 0)
		return false;
	memcpy(file, name, len - end);
	file[len - end] = '\0';
	return fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Takes ${fd}; ${below}: folders in it too. */
static void
count_notes(int fd, bool below, struct outprobe *p)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	struct stat st;

	if (dir == NULL && fd >= 0)
		close(fd);
	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (d->d_name[0] == '.' || fstatat(fd, d->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		else if (S_ISREG(st.st_mode) && is_note(fd, d->d_name)) {
			p->refused++;
			earlier(&p->refused_since, (int64_t)st.st_mtime);
		} else if (below && S_ISDIR(st.st_mode))
			count_notes(openat(fd, d->d_name, O_RDONLY |
			    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), false, p);
	if (dir != NULL)
		closedir(dir);
}

/* Nobody writes it any more, and every look since could have taken it.  A
 * name with a dot is a desktop's, not the laboratory's. */
static bool
is_left(const struct outscan *s, const struct outscan_entry *f)
{
	return !f->hidden && s->now - f->changed_at >
	    OUTSCAN_STALE_S + s->conf->quiet_s;
}

static void
count_held(const struct outscan *s, struct outprobe *p)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->entry[i].kind == OUTSCAN_OK)
			continue;
		p->waiting++;
		if (!is_left(s, &s->entry[i]))
			continue;
		p->left++;
		earlier(&p->left_since, s->entry[i].changed_at);
	}
}

enum rc
outprobe_count(const struct conf_outbox *conf, struct outprobe *p,
    struct err *e)
{
	struct outscan s;
	enum rc rc;

	memset(p, 0, sizeof(*p));
	rc = outscan_open(&s, conf, true, e);
	if (rc == RC_OK)
		do
			count_held(&s, p);
		while (outscan_more(&s));
	if (rc == RC_OK && s.trouble.rc != RC_OK)
		rc = err_set(e, s.trouble.rc, "%s", s.trouble.text);
	outscan_close(&s);
	count_notes(open(conf->refused, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	    true, p);
	return rc;
}

/* Made at the first pass; one that is there must take our files. */
static enum rc
check_target(const char *path, const char *outbox, struct err *e)
{
	struct stat a, b;

	if (path == NULL || (stat(path, &a) != 0 && errno == ENOENT))
		return RC_OK;
	if (access(path, W_OK | X_OK) != 0)
		return err_set(e, RC_CONF, _("%s cannot be written to (%s)"),
		    path, lang_errno(errno));
	if (stat(outbox, &b) == 0 && a.st_dev != b.st_dev)
		return err_set(e, RC_CONF, _("%s lies on another disk than "
		    "%s: files cannot be moved there"), path, outbox);
	return RC_OK;
}

static enum rc
check_aliases(const char *path, struct err *e)
{
	struct alias_table t;
	enum rc rc;

	if (path == NULL)
		return RC_OK;
	rc = alias_load(path, &t, e);
	alias_free(&t);
	return rc;
}

enum rc
outprobe(const struct conf_outbox *conf, struct outprobe *p, struct err *e)
{
	enum rc rc = outprobe_count(conf, p, e);

	if (rc == RC_OK && access(conf->path, W_OK | X_OK) != 0)
		rc = err_set(e, RC_CONF, _("%s cannot be written to (%s)"),
		    conf->path, lang_errno(errno));
	if (rc != RC_OK ||
	    (rc = check_target(conf->refused, conf->path, e)) != RC_OK ||
	    (rc = check_target(conf->sent, conf->path, e)) != RC_OK)
		return rc;
	return check_aliases(conf->aliases, e);
}
