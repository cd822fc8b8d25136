#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "flow/ipc.h"

bool
pack_run(struct buf *b, const void *p, size_t len)
{
	BUG_ON(len > CHAN_MAX_BYTES);
	return buf_add32(b, (uint32_t)len) && buf_add(b, p, len);
}

bool
pack_str(struct buf *b, const char *s)
{
	return s == NULL ? buf_add32(b, 0) : pack_run(b, s, strlen(s));
}

struct bytes
unpack_run(struct rd *r)
{
	return rd_take(r, rd_32(r));
}

void
unpack_str(struct rd *r, char *out, size_t size)
{
	struct bytes got = unpack_run(r);

	out[0] = '\0';
	if (got.len >= size || (got.len > 0 &&
	    memchr(got.p, '\0', got.len) != NULL)) {
		r->bad = true;
		return;
	}
	if (got.len > 0)
		memcpy(out, got.p, got.len);
	out[got.len] = '\0';
}

bool
pack_err(struct buf *b, enum rc rc, const struct err *e)
{
	return buf_add8(b, (uint8_t)rc) &&
	    buf_add8(b, rc == RC_OK ? 0 : (uint8_t)e->class) &&
	    pack_str(b, rc == RC_OK ? "" : e->text);
}

enum rc
unpack_err(struct rd *r, struct err *e)
{
	uint8_t rc = rd_8(r), class = rd_8(r);
	char text[ERR_TEXT_BYTES];

	unpack_str(r, text, sizeof(text));
	if (r->bad || rc > RC_NOMEM || class >= EC_N) {
		r->bad = true;
		return ipc_bad(e);
	}
	e->rc = (enum rc)rc;
	e->class = (enum err_class)class;
	memcpy(e->text, text, sizeof(text));
	return e->rc;
}

enum rc
ipc_bad(struct err *e)
{
	return err_set(e, RC_TEMP,
	    _("a process of sceau sent what it should not"));
}

enum rc
ipc_send(struct chan *c, enum ipc type, uint32_t job, struct buf *b, bool ok,
    struct err *e)
{
	enum rc rc;

	if (!ok)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else
		rc = chan_send(c, (uint8_t)type, job, b->p, b->len, e);
	buf_free(b);
	return rc;
}

enum rc
ipc_hold(struct chan *c, enum ipc type, uint32_t job, struct buf *b, bool ok,
    struct err *e)
{
	enum rc rc;

	if (!ok)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else
		rc = chan_hold(c, (uint8_t)type, job, b->p, b->len, e);
	buf_free(b);
	return rc;
}

enum rc
ipc_put(struct chan *c, enum ipc type, uint32_t job, struct buf *b, bool ok,
    struct err *e)
{
	enum rc rc;

	if (!ok)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else
		rc = chan_put(c, (uint8_t)type, job, b->p, b->len, e);
	buf_free(b);
	return rc;
}

void
ipc_done(struct chan *c, enum rc rc, const struct err *e)
{
	struct buf b = BUF_INIT;
	struct err ignored;
	bool ok = pack_err(&b, rc, e);

	ipc_send(c, IPC_DONE, 0, &b, ok, &ignored);
}
