/* A backup of the state was put back: the vault says so in a row, which is
 * committed with what has to be forgotten. */
#include "config.h"

#include <stdio.h>

#include "base/lang.h"
#include "flow/alone.h"

/* The vault's row as the store has it, and as which version. */
struct lent {
	struct store	*st;
	uint32_t	 version;
};

static enum rc
lend(void *arg, struct bytes key, struct buf *out, struct err *e)
{
	struct lent *l = arg;

	return store_row_get(l->st, key, out, &l->version, e);
}

static enum rc
keep(struct lent *l, int64_t at, const struct frame *f,
    struct store_restored *out, struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	struct store_row row = { .version = l->version };
	char text[96];
	enum rc rc;

	if ((rc = unpack_err(&r, e)) != RC_OK)
		return rc;
	row.key = unpack_run(&r);
	row.value = unpack_run(&r);
	if (!rd_done(&r) || row.key.len == 0)
		return ipc_bad(e);
	if ((rc = store_restored(l->st, at, &row, out, e)) != RC_OK)
		return rc;
	snprintf(text, sizeof(text), "seen=%zu queued=%zu gone=%zu",
	    out->seen, out->queued, out->gone);
	return store_event_add(l->st, at, "restored", text, e);
}

enum rc
alone_restored(const struct pass *p, const char *dir, int64_t at,
    struct store_restored *out, struct err *e)
{
	struct alone a = { .pid = -1 };
	struct lent l = { NULL, 0 };
	struct buf when = BUF_INIT;
	struct frame f;
	enum rc rc;

	a.row = lend;
	a.arg = &l;
	/* The vault is forked first: it has no business with the store. */
	if ((rc = alone_start(&a, p, e)) == RC_OK)
		rc = store_open(dir, p->dry_run ? STORE_READ : STORE_MEND,
		    &l.st, e);
	if (rc == RC_OK && !buf_add64(&when, (uint64_t)at))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = alone_send(&a, IPC_RESTORED, 1, when.p, when.len, e);
	if (rc == RC_OK)
		rc = alone_wait(&a, IPC_RESTORED, 1, &f, e);
	if (rc == RC_OK)
		rc = p->dry_run ? store_restored(l.st, at, NULL, out, e) :
		    keep(&l, at, &f, out, e);
	buf_free(&when);
	store_close(&l.st);
	alone_end(&a);
	return rc;
}
