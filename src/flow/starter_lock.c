/* The lock of `poll` and `run`. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "flow/starter.h"

enum rc
starter_lock(const struct conf *c, int *fd, struct err *e)
{
	char path[4096];
	enum rc rc;

	*fd = -1;
	if ((rc = file_mkdirs(c->state, 0700, e)) != RC_OK)
		return rc;
	if (snprintf(path, sizeof(path), "%s/lock", c->state) >=
	    (int)sizeof(path))
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    c->state);
	if ((*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
		return err_sys(e, "%s", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return RC_OK;
	rc = errno == EWOULDBLOCK ? RC_OK : err_sys(e, "%s", path);
	close(*fd);
	*fd = -1;
	return rc;
}
