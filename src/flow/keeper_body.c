/* Bodies on their way into the store and out of it, part by part. */
#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "flow/keeper.h"

#define FEED_AHEAD (256 * 1024)	/* octets kept in a line's buffer */

/* ---- bodies --------------------------------------------------------- */

enum rc
gather_add(struct keeper *k, struct gather *g, const void *p, size_t len,
    struct err *e)
{
	bool crowd = !k->p->dry_run && accounts_crowd(k, g);
	enum rc rc = RC_OK;

	if (k->p->dry_run && g->buf.len + len > STORE_PART_MAX_BYTES) {
		/* Too large to be judged in memory: only counted. */
		buf_free(&g->buf);
		g->size += len;
		return RC_OK;
	}
	if (crowd || g->buf.len + len > STORE_PART_MAX_BYTES) {
		if (g->id == 0)
			rc = store_body_begin(k->st, &g->id, e);
		if (rc == RC_OK)
			rc = store_body_append(k->st, g->id, g->buf.p,
			    g->buf.len, e);
		if (crowd)
			buf_free(&g->buf);
		else
			buf_wipe(&g->buf);
	}
	if (rc == RC_OK && !buf_add(&g->buf, p, len))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	g->size += len;
	return rc;
}

enum rc
gather_end(struct keeper *k, struct gather *g, struct err *e)
{
	enum rc rc = RC_OK;

	if (g->id != 0 && g->buf.len > 0)
		rc = store_body_append(k->st, g->id, g->buf.p, g->buf.len, e);
	if (g->id != 0)
		buf_free(&g->buf);
	return rc;
}

void
gather_drop(struct keeper *k, struct gather *g)
{
	struct err ignored = ERR_INIT;

	if (g->id != 0)
		(void)store_body_abandon(k->st, g->id, &ignored);
	buf_free(&g->buf);
	memset(g, 0, sizeof(*g));
}

struct store_body
gather_body(const struct gather *g)
{
	struct store_body b = { g->id, g->id != 0 ? NULL : g->buf.p,
	    g->id != 0 ? 0 : g->buf.len };

	return b;
}

/* Octets of a body, in frames of a good size. */
enum rc
feed_put(struct feed *f, const uint8_t *p, size_t len, struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && len > 0) {
		size_t n = len < CHAN_DATA_BYTES ? len : CHAN_DATA_BYTES;

		rc = chan_put(&f->to->c, (uint8_t)f->type, f->job, p, n, e);
		p += n;
		len -= n;
	}
	return rc;
}

enum rc
feed_end(struct feed *f, struct err *e)
{
	struct line *to = f->to;

	f->to = NULL;
	return chan_put(&to->c, (uint8_t)f->end, f->job, NULL, 0, e);
}

static enum rc
feed_part(struct keeper *k, struct feed *f, struct err *e)
{
	struct buf part = BUF_INIT;
	size_t at = f->part == 0 ? f->skip : 0;
	enum rc rc = store_body_part(k->st, f->body, f->part++, &part, e);

	if (rc == RC_OK && part.len == 0)
		rc = feed_end(f, e);
	else if (rc == RC_OK && at < part.len)
		rc = feed_put(f, part.p + at, part.len - at, e);
	buf_free(&part);
	return rc;
}

enum rc
feed_pump(struct keeper *k, struct feed *f, struct err *e)
{
	bool more = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && more && (f->to != NULL || f->next != NULL) &&
	    chan_pending(f->to != NULL ? &f->to->c : &k->vault.c) <
	    FEED_AHEAD)
		rc = f->to != NULL ? feed_part(k, f, e) :
		    f->next(k, f->arg, &more, e);
	return rc;
}
