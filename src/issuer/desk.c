#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "issuer/desk.h"

struct desk_dates
desk_dates(uint16_t year, int64_t issued_at)
{
	struct desk_dates d = { clock_utc(year, 1, 1),
	    clock_utc(year + 1, 2, 1), clock_utc(year + 1, 4, 1) };

	if (issued_at > d.from_at)
		d.from_at = issued_at;
	return d;
}

enum rc
desk_path(const char *dir, const char *name, char out[PATH_MAX], struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_MAX - 16)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    dir);
	return RC_OK;
}

/* ---- the register ------------------------------------------------------- */

enum rc
desk_save(const struct desk *d, struct err *e)
{
	struct buf out = BUF_INIT;
	char path[PATH_MAX];
	enum rc rc = desk_path(d->dir, "register", path, e);

	if (rc == RC_OK && !members_format(d->members, &out))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = file_write(path, out.p, out.len, 0600, e);
	buf_free(&out);
	return rc;
}

static enum rc
read_register(struct desk *d, struct err *e)
{
	const struct member *issuer;
	struct buf in = BUF_INIT;
	char path[PATH_MAX];
	enum rc rc = desk_path(d->dir, "register", path, e);

	if (rc == RC_OK &&
	    (rc = file_read(path, MEMBERS_FILE_MAX, &in, e)) == RC_OK &&
	    (rc = members_parse(in.p, in.len, &d->members, e)) != RC_OK)
		err_ctx(e, "%s", path);
	buf_free(&in);
	if (rc != RC_OK)
		return rc;
	if ((issuer = members_desk(d->members, MEMBER_ISSUER)) == NULL)
		return err_set(e, RC_CONF, _("%s names no issuer"), path);
	d->issuer = issuer->id;
	return RC_OK;
}

/* ---- opening ------------------------------------------------------------ */

enum rc
desk_new(const char *dir, struct desk **d, struct err *e)
{
	*d = calloc(1, sizeof(**d));
	if (*d != NULL) {
		(*d)->lock = -1;
		(*d)->dir = strdup(dir);
		(*d)->roots = secret_alloc(DESK_YEARS_MAX * KDF_KEY_BYTES);
	}
	if (*d != NULL && (*d)->dir != NULL && (*d)->roots != NULL)
		return RC_OK;
	desk_close(d);
	return err_set(e, RC_NOMEM, _("no memory left"));
}

void
desk_close(struct desk **d)
{
	if (*d == NULL)
		return;
	members_free(&(*d)->members);
	if ((*d)->lock >= 0)
		close((*d)->lock);
	secret_free(&(*d)->roots);
	free((*d)->dir);
	free(*d);
	*d = NULL;
}

/* The folder itself is the lock: nothing of it stays behind. */
enum rc
desk_lock(struct desk *d, struct err *e)
{
	enum rc rc;

	if ((rc = file_private(d->dir, e)) != RC_OK)
		return rc;
	d->lock = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->lock < 0)
		return err_set(e, RC_CONF, _("%s: %s"), d->dir,
		    lang_errno(errno));
	if (flock(d->lock, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, RC_CONF, _("another sceau is at work in "
		    "%s; wait for it"), d->dir);
	return RC_OK;
}

enum rc
desk_open(const char *dir, struct desk **d, struct err *e)
{
	enum rc rc;

	if ((rc = desk_new(dir, d, e)) != RC_OK)
		return rc;
	if ((rc = desk_lock(*d, e)) != RC_OK ||
	    (rc = read_register(*d, e)) != RC_OK ||
	    (rc = desk_years_read(*d, e)) != RC_OK)
		desk_close(d);
	return rc;
}
