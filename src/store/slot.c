/*
 * Each process that has the store open holds one octet of store.lock locked;
 * the kernel lets go of it when the process ends, however it ends.  What a
 * process has claimed bears the number of its octet, so that the claims of a
 * dead process can be told from those of a slow one.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "store/db.h"

#define SLOT_MAX 1000

static struct flock
slot_lock(int slot)
{
	struct flock l;

	memset(&l, 0, sizeof(l));
	l.l_type = F_WRLCK;
	l.l_whence = SEEK_SET;
	l.l_start = slot;
	l.l_len = 1;
	return l;
}

static enum rc
lock_open(struct store *st, const char *dir, struct err *e)
{
	char path[1024];

	if ((size_t)snprintf(path, sizeof(path), "%s/store.lock", dir) >=
	    sizeof(path))
		return err_set(e, RC_CONF, _("the name of the store's folder "
		    "is too long"));
	st->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return st->lock_fd >= 0 ? RC_OK :
	    err_sys(e, _("cannot open %s"), path);
}

enum rc
slot_take(struct store *st, const char *dir, struct err *e)
{
	struct flock l;
	enum rc rc;

	if ((rc = lock_open(st, dir, e)) != RC_OK)
		return rc;
	for (int slot = 1; slot <= SLOT_MAX; slot++) {
		l = slot_lock(slot);
		if (fcntl(st->lock_fd, F_SETLK, &l) == 0) {
			st->slot = slot;
			return RC_OK;
		}
		if (errno != EAGAIN && errno != EACCES)
			return err_sys(e, _("cannot lock the store in %s"),
			    dir);
	}
	return err_set(e, RC_TEMP, _("too many sceau at once on one store"));
}

enum rc
slot_take_all(struct store *st, const char *dir, struct err *e)
{
	struct flock l = slot_lock(1);
	enum rc rc;

	if ((rc = lock_open(st, dir, e)) != RC_OK)
		return rc;
	l.l_len = SLOT_MAX;
	if (fcntl(st->lock_fd, F_SETLK, &l) == 0)
		return RC_OK;
	return err_set(e, RC_TEMP, _("the store is busy with another sceau; "
	    "nothing was changed, it will be tried again"));
}

void
slot_drop(struct store *st)
{
	if (st->lock_fd >= 0)
		(void)close(st->lock_fd);
	st->lock_fd = -1;
	st->slot = 0;
}

bool
slot_alive(struct store *st, int slot)
{
	struct flock l = slot_lock(slot);

	if (slot == st->slot)
		return true;
	/* When it cannot be known, nobody's work is taken from him. */
	return fcntl(st->lock_fd, F_GETLK, &l) != 0 || l.l_type != F_UNLCK;
}
