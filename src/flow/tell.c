#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "flow/erase.h"
#include "flow/ipc.h"
#include "flow/spool.h"
#include "flow/tell.h"
#include "wire/pipe.h"

static enum rc
run(const struct conf *c, const char *command, const void *p, size_t len,
    struct err *e)
{
	int fd = -1;
	enum rc rc = spool_file(c->state, &fd, e);

	if (rc == RC_OK)
		rc = write_all(fd, p, len) ?
		    pipe_run_alone(command, fd, TELL_LIMIT_S, e) :
		    err_sys(e, "%s", c->state);
	if (fd >= 0)
		close(fd);
	return rc;
}

enum rc
tell_do(const struct conf *c, enum tell what, const void *p, size_t len,
    struct err *e)
{
	enum rc rc = RC_OK;

	switch (what) {
	case TELL_ALARMS:
		if (c->alarm_command != NULL)
			rc = run(c, c->alarm_command, p, len, e);
		return rc == RC_OK ? RC_OK : err_ctx(e, "alarm_command");
	case TELL_DIGEST:
		if (c->digest_command != NULL)
			rc = run(c, c->digest_command, p, len, e);
		return rc == RC_OK ? RC_OK : err_ctx(e, "digest_command");
	case TELL_METRICS:
		if (c->metrics_file != NULL)
			rc = file_write(c->metrics_file, p, len, 0644, e);
		return rc;
	case TELL_ERASE:
		return len != 8 ? ipc_bad(e) :
		    erase_run(c, (int64_t)get_be64(p), e);
	}
	return err_set(e, RC_TEMP, "tell");
}
