/* seal and open as filters: no configuration, no store, any octets. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "flow/alone.h"
#include "flow/composer.h"

#define QUIET 0x80	/* of the mode in IPC_OPEN: give nothing to the clerk */
#define FILTER_MAX UINT32_MAX	/* 4 GiB (2.19.15) */

static enum rc
answer_of(const struct frame *f, struct rd *r, struct err *e)
{
	*r = rd_of(f->body.p, f->body.len);
	return unpack_err(r, e);
}

/* ---- seal ----------------------------------------------------------- */

static enum rc
resolve(struct alone *a, const char *to, struct gate_dest *dest,
    struct err *e)
{
	struct buf b = BUF_INIT;
	struct frame f;
	struct rd r;
	enum rc rc;
	bool ok = buf_add8(&b, 0) && pack_str(&b, "") && pack_str(&b, to);

	rc = ok ? alone_send(a, IPC_RESOLVE, 1, b.p, b.len, e) :
	    err_set(e, RC_NOMEM, _("no memory left"));
	buf_free(&b);
	if (rc == RC_OK)
		rc = alone_wait(a, IPC_DEST, 1, &f, e);
	if (rc != RC_OK || (rc = answer_of(&f, &r, e)) != RC_OK)
		return rc;
	dest_unpack(&r, dest);
	return rd_done(&r) ? RC_OK : ipc_bad(e);
}

static enum rc
digest(struct alone *a, struct flow_seal *s, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = alone_send(a, IPC_DIGEST, 2, NULL, 0, e);

	if (rc == RC_OK)
		rc = alone_wait(a, IPC_DIGESTED, 2, &f, e);
	if (rc != RC_OK || (rc = answer_of(&f, &r, e)) != RC_OK)
		return rc;
	rd_copy(&r, s->d, sizeof(s->d));
	s->mail_len = rd_64(&r);
	s->has_mail = true;
	return rd_done(&r) ? RC_OK : ipc_bad(e);
}

static enum rc
out_put(int out, const void *p, size_t len, struct err *e)
{
	return write_all(out, p, len) ? RC_OK :
	    err_sys(e, _("standard output"));
}

static enum rc
seal_out(struct alone *a, int out, struct err *e)
{
	struct bytes header;
	struct frame f;
	struct rd r;
	enum rc rc = alone_wait(a, IPC_OUT_HEAD, 3, &f, e);

	if (rc != RC_OK || (rc = answer_of(&f, &r, e)) != RC_OK)
		return rc;
	(void)rd_take(&r, GATE_T_BYTES);
	header = unpack_run(&r);
	rc = rd_done(&r) ? out_put(out, header.p, header.len, e) : ipc_bad(e);
	while (rc == RC_OK && (rc = alone_next(a, &f, e)) == RC_OK) {
		if (f.type == IPC_OUT_END)
			return answer_of(&f, &r, e);
		rc = f.type == IPC_OUT ? out_put(out, f.body.p, f.body.len,
		    e) : ipc_bad(e);
	}
	return rc;
}

static enum rc
seal_run(struct alone *a, const char *to, int out, struct err *e)
{
	struct flow_seal s = { .at = 0 };
	struct buf b = BUF_INIT;
	enum rc rc;

	if ((rc = resolve(a, to, &s.dest, e)) != RC_OK ||
	    (rc = digest(a, &s, e)) != RC_OK)
		return rc;
	rc = seal_pack(&b, &s) ? alone_send(a, IPC_SEAL, 3, b.p, b.len, e) :
	    err_set(e, RC_NOMEM, _("no memory left"));
	buf_free(&b);
	return rc == RC_OK ? seal_out(a, out, e) : rc;
}

enum rc
filter_seal(const struct pass *p, const char *to, int in, int out,
    const char *tmp, struct err *e)
{
	struct composer mail = { .spool = { .fd = -1 } };
	struct alone a = { .pid = -1, .mail = &mail };
	enum rc rc = composer_take(&mail, in, tmp, true, FILTER_MAX, e);

	if (rc == RC_OK && mail.spool.len > FILTER_MAX)
		rc = err_class(e, EC_TOOBIG, _("more than 4 GiB"));
	if (rc == RC_OK && (rc = alone_start(&a, p, e)) == RC_OK)
		rc = seal_run(&a, to, out, e);
	alone_end(&a);
	composer_free(&mail);
	return rc;
}

/* ---- open ----------------------------------------------------------- */

struct opening_out {
	int	out;
};

static enum rc
opened_put(void *arg, const struct frame *f, struct err *e)
{
	const struct opening_out *x = arg;

	return f->type == IPC_MAIL ? out_put(x->out, f->body.p, f->body.len,
	    e) : RC_OK;
}

/* What comes from the pipe is sealed: it may lie in a file. */
static enum rc
take_sealed(int in, int file, struct err *e)
{
	uint8_t *p = malloc(CHAN_DATA_BYTES);
	enum rc rc = RC_OK;
	ssize_t n;

	if (p == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	while (rc == RC_OK && (n = read_full(in, p, CHAN_DATA_BYTES)) != 0) {
		if (n < 0)
			rc = err_sys(e, _("standard input"));
		else if (!write_all(file, p, (size_t)n))
			rc = err_sys(e, _("the temporary file"));
	}
	free(p);
	return rc;
}

static enum rc
open_head(struct alone *a, uint32_t job, uint8_t mode, int file,
    struct gate_head *h, struct err *e)
{
	uint8_t first[1 + GATE_HEADER_MAX];
	struct frame f;
	struct rd r;
	ssize_t n;
	enum rc rc;

	if (lseek(file, 0, SEEK_SET) != 0 ||
	    (n = read_full(file, first + 1, GATE_HEADER_MAX)) < 0)
		return err_sys(e, _("the temporary file"));
	first[0] = mode;
	rc = alone_send(a, IPC_OPEN, job, first, 1 + (size_t)n, e);
	if (rc == RC_OK)
		rc = alone_wait(a, IPC_HEAD, job, &f, e);
	if (rc != RC_OK)
		return rc;
	rc = answer_of(&f, &r, e);
	head_unpack(&r, h);
	return r.bad ? ipc_bad(e) : rc;
}

static enum rc
open_body(struct alone *a, uint32_t job, int file, size_t skip,
    struct err *e)
{
	static const uint8_t plain[1 + GATE_T_BYTES];
	uint8_t *p = malloc(CHAN_DATA_BYTES);
	enum rc rc;
	ssize_t n;

	if (p == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = alone_send(a, IPC_GO, job, plain, sizeof(plain), e);
	if (rc == RC_OK && lseek(file, (off_t)skip, SEEK_SET) < 0)
		rc = err_sys(e, _("the temporary file"));
	while (rc == RC_OK && (n = read_full(file, p, CHAN_DATA_BYTES)) != 0)
		rc = n < 0 ? err_sys(e, _("the temporary file")) :
		    alone_send(a, IPC_SEALED, job, p, (size_t)n, e);
	free(p);
	return rc == RC_OK ?
	    alone_send(a, IPC_SEALED_END, job, NULL, 0, e) : rc;
}

static enum rc
open_pass(struct alone *a, uint32_t job, uint8_t mode, int file,
    struct gate_head *h, struct gate_verdict *v, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc;

	if ((rc = open_head(a, job, mode, file, h, e)) != RC_OK ||
	    (rc = open_body(a, job, file, h->len, e)) != RC_OK ||
	    (rc = alone_wait(a, IPC_VERDICT, job, &f, e)) != RC_OK)
		return rc;
	rc = answer_of(&f, &r, e);
	verdict_free(v);
	if (!verdict_unpack(&r, v))
		return ipc_bad(e);
	return rc;
}

enum rc
filter_open(const struct pass *p, int in, int out, const char *tmp,
    struct gate_head *head, struct gate_verdict *v, struct err *e)
{
	struct opening_out x = { out };
	struct alone a = { .pid = -1, .opened = opened_put, .arg = &x };
	int file = -1;
	enum rc rc;

	memset(v, 0, sizeof(*v));
	memset(head, 0, sizeof(*head));
	if ((rc = spool_file(tmp, &file, e)) == RC_OK)
		rc = take_sealed(in, file, e);
	if (rc == RC_OK && (rc = alone_start(&a, p, e)) == RC_OK &&
	    (rc = open_pass(&a, 1, GATE_RAW | QUIET, file, head, v, e)) ==
	    RC_OK &&
	    /* The second pass judges by what was known before the first. */
	    (rc = alone_send(&a, IPC_DROP, 1, NULL, 0, e)) == RC_OK &&
	    (rc = alone_send(&a, IPC_DROP, 0, NULL, 0, e)) == RC_OK)
		rc = open_pass(&a, 2, GATE_RAW, file, head, v, e);
	alone_end(&a);
	if (file >= 0)
		close(file);
	return rc;
}
