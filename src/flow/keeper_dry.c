/*
 * poll --dry-run: what was fetched is opened in memory and judged, and said;
 * nothing is stored, delivered, acknowledged or released.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "flow/keeper.h"

#define DRY_BYTES (16U << 20)	/* held in memory; more is only counted */

struct dry {
	struct dry	*next;
	struct buf	 mail;
	const char	*account;
};

static enum rc
put_all(struct keeper *k, uint32_t job, const struct buf *m, size_t at,
    struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && at < m->len) {
		size_t n = m->len - at < CHAN_DATA_BYTES ? m->len - at :
		    CHAN_DATA_BYTES;

		rc = chan_put(&k->vault.c, IPC_SEALED, job, m->p + at, n, e);
		at += n;
	}
	return rc == RC_OK ?
	    chan_put(&k->vault.c, IPC_SEALED_END, job, NULL, 0, e) : rc;
}

/* ${said}: what a real pass would have made of it. */
static enum rc
answer(struct keeper *k, enum ipc type, uint32_t job, struct err *said,
    struct rd *r, struct frame *f, struct err *e)
{
	enum rc rc = keeper_answer(k, &k->vault, type, job, f, e);

	if (rc != RC_OK)
		return rc;
	*r = rd_of(f->body.p, f->body.len);
	(void)unpack_err(r, said);
	return r->bad ? ipc_bad(e) : RC_OK;
}

static enum rc
open_one(struct keeper *k, const struct dry *d, struct gate_head *h,
    struct err *said, struct err *e)
{
	uint8_t first[1 + GATE_HEADER_MAX] = { GATE_DIGEST };
	static const uint8_t plain[1 + GATE_T_BYTES];
	size_t n = d->mail.len < GATE_HEADER_MAX ? d->mail.len :
	    GATE_HEADER_MAX;
	uint32_t job = ++k->job;
	struct frame f;
	struct rd r;
	enum rc rc;

	if (n > 0)
		memcpy(first + 1, d->mail.p, n);
	if ((rc = chan_put(&k->vault.c, IPC_OPEN, job, first, 1 + n, e)) !=
	    RC_OK || (rc = answer(k, IPC_HEAD, job, said, &r, &f, e)) !=
	    RC_OK)
		return rc;
	head_unpack(&r, h);
	if (said->rc == RC_OK &&
	    ((rc = chan_put(&k->vault.c, IPC_GO, job, plain, sizeof(plain),
	    e)) != RC_OK || (rc = put_all(k, job, &d->mail, h->len, e)) !=
	    RC_OK || (rc = answer(k, IPC_VERDICT, job, said, &r, &f, e)) !=
	    RC_OK))
		return rc;
	return chan_put(&k->vault.c, IPC_DROP, job, NULL, 0, e);
}

/* Off the list before it is opened: others come while we wait. */
static struct dry *
dry_take(struct keeper *k)
{
	struct dry *d = k->dry;

	k->dry = d->next;
	k->dry_bytes -= d->mail.len;
	return d;
}

static void
dry_drop(struct dry *d)
{
	buf_free(&d->mail);
	free(d);
}

static void
say(struct keeper *k, const struct dry *d, const struct gate_head *h,
    const struct err *said)
{
	if (said->rc == RC_OK)
		keeper_event(k, "in.would_open", "account=%s from=%s",
		    d->account, h->sender);
	else
		keeper_event(k, "in.would_hold", "account=%s class=%s "
		    "why=\"%.200s\"", d->account,
		    err_class_name(said->class), said->text);
}

enum rc
dry_open(struct keeper *k, struct err *e)
{
	struct gate_head h;
	struct err said;
	struct dry *d;
	enum rc rc = RC_OK;

	if (k->dry != NULL)
		rc = keeper_need_vault(k, e);
	while (rc == RC_OK && k->dry != NULL) {
		said = (struct err)ERR_INIT;
		d = dry_take(k);
		if ((rc = open_one(k, d, &h, &said, e)) == RC_OK)
			say(k, d, &h, &said);
		dry_drop(d);
	}
	return rc;
}

enum rc
dry_put(struct keeper *k, const char *account, struct gather *g,
    struct err *e)
{
	struct dry *d;

	if (g->size > g->buf.len || k->dry_bytes + g->buf.len > DRY_BYTES) {
		keeper_event(k, "in.would_fetch", "account=%s octets=%llu",
		    account, (unsigned long long)g->size);
		gather_drop(k, g);
		return RC_OK;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	d->mail = g->buf;
	d->account = account;
	d->next = k->dry;
	k->dry = d;
	k->dry_bytes += d->mail.len;
	memset(g, 0, sizeof(*g));
	return RC_OK;
}

void
dry_free(struct keeper *k)
{
	while (k->dry != NULL)
		dry_drop(dry_take(k));
}
