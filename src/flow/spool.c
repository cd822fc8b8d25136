#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "flow/spool.h"

#define READ_BYTES 65536

enum rc
spool_file(const char *dir, int *fd, struct err *e)
{
	char path[4096];

	*fd = -1;
	if (snprintf(path, sizeof(path), "%s/.sceau-XXXXXX", dir) >=
	    (int)sizeof(path))
		return err_set(e, RC_CONF, _("%s: the name is too long"), dir);
	if ((*fd = mkstemp(path)) < 0)
		return err_sys(e, "%s", dir);
	if (unlink(path) != 0 || fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0)
		return err_sys(e, "%s", path);
	return RC_OK;
}

static enum rc
file_put(void *arg, const void *p, size_t len, struct err *e)
{
	const struct spool *s = arg;

	return write_all(s->fd, p, len) ? RC_OK :
	    err_sys(e, _("the temporary file"));
}

enum rc
spool_open(struct spool *s, const char *dir, struct err *e)
{
	s->len = 0;
	s->fd = -1;
	if ((s->seal = gate_spool_new()) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	return spool_file(dir, &s->fd, e);
}

enum rc
spool_put(struct spool *s, const void *p, size_t len, struct err *e)
{
	const struct gate_sink sink = { file_put, s };

	s->len += len;
	return gate_spool_put(s->seal, p, len, &sink, e);
}

enum rc
spool_turn(struct spool *s, struct err *e)
{
	const struct gate_sink sink = { file_put, s };

	return gate_spool_turn(s->seal, &sink, e);
}

enum rc
spool_read(struct spool *s, const struct gate_sink *sink, struct err *e)
{
	uint8_t *p = malloc(READ_BYTES);
	enum rc rc = RC_OK;
	ssize_t n;

	if (p == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	if (lseek(s->fd, 0, SEEK_SET) != 0)
		rc = err_sys(e, _("the temporary file"));
	while (rc == RC_OK && (n = read_full(s->fd, p, READ_BYTES)) != 0)
		rc = n < 0 ? err_sys(e, _("the temporary file")) :
		    gate_spool_get(s->seal, p, (size_t)n, sink, e);
	if (rc == RC_OK)
		rc = gate_spool_end(s->seal, sink, e);
	free(p);
	return rc;
}

void
spool_close(struct spool *s)
{
	gate_spool_free(&s->seal);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
