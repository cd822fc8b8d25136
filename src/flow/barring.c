#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "flow/alone.h"
#include "flow/barring.h"
#include "vault/grow.h"

/* The vault, the store, and as which version it was lent the row of ${name}. */
struct room {
	struct alone	 a;
	struct store	*st;
	uint32_t	 version;
};

static enum rc
lend(void *arg, struct bytes key, struct buf *out, struct err *e)
{
	struct room *room = arg;

	return store_row_get(room->st, key, out, &room->version, e);
}

/* The vault is forked first: it has no business with the store. */
static enum rc
begin(struct room *room, const struct pass *p, bool write, struct err *e)
{
	enum rc rc;

	memset(room, 0, sizeof(*room));
	room->a.row = lend;
	room->a.arg = room;
	if ((rc = alone_start(&room->a, p, e)) != RC_OK)
		return rc;
	return store_open(p->conf->state, write && !p->dry_run ? STORE_WRITE :
	    STORE_READ, &room->st, e);
}

static void
end(struct room *room)
{
	store_close(&room->st);
	alone_end(&room->a);
}

static enum rc
ask(struct room *room, enum ipc type, struct buf *b, bool ok,
    struct frame *f, struct err *e)
{
	enum rc rc = !ok ? err_set(e, RC_NOMEM, _("no memory left")) :
	    alone_send(&room->a, type, 1, b->p, b->len, e);

	buf_free(b);
	return rc == RC_OK ? alone_wait(&room->a, type, 1, f, e) : rc;
}

/* The last row that the vault asked for is the one that it changes. */
static enum rc
note(struct room *room, const struct pass *p, const char *reason,
    struct rd *r, struct gate_barring *out, struct err *e)
{
	struct store_row row = { .version = room->version };
	struct store_bar b = { .at = clock_now() };
	char text[512];
	enum rc rc;

	rd_copy(r, out, sizeof(*out));
	row.key = unpack_run(r);
	row.value = unpack_run(r);
	if (!rd_done(r))
		return ipc_bad(e);
	if (p->dry_run)
		return RC_OK;
	row.address = strchr(out->name, '/');
	if (row.address != NULL)
		row.address++;
	b.min = out->min;
	b.desk = out->desk;
	snprintf(b.name, sizeof(b.name), "%s", out->name);
	snprintf(b.reason, sizeof(b.reason), "%s", reason);
	if ((rc = store_bar_put(room->st, &b, row.key.len > 0 ? &row : NULL,
	    e)) != RC_OK)
		return rc;
	snprintf(text, sizeof(text), "who=%s generation=%u", b.name, b.min);
	return store_event_add(room->st, b.at, "bar.noted", text, e);
}

enum rc
barring_note(const struct pass *p, const char *who, uint8_t min,
    const char *reason, struct gate_barring *out, struct err *e)
{
	struct buf b = BUF_INIT;
	struct room room;
	struct frame f;
	struct rd r;
	bool ok;
	enum rc rc = begin(&room, p, true, e);

	if (rc == RC_OK) {
		ok = buf_add8(&b, min) && pack_str(&b, who);
		rc = ask(&room, IPC_BAR, &b, ok, &f, e);
	}
	if (rc == RC_OK) {
		r = rd_of(f.body.p, f.body.len);
		rc = unpack_err(&r, e);
	}
	if (rc == RC_OK)
		rc = note(&room, p, reason, &r, out, e);
	end(&room);
	return rc;
}

/* ---- the list ------------------------------------------------------- */

struct list {
	struct store_bar	*bars;
	size_t			 n, cap;
};

static enum rc
room_for(struct list *l, size_t more, struct err *e)
{
	void *p = l->bars;
	bool ok = grow(&p, &l->cap, l->n + more, sizeof(*l->bars));

	l->bars = p;
	return ok ? RC_OK : err_set(e, RC_NOMEM, _("no memory left"));
}

static enum rc
noted(struct room *room, struct list *l, struct err *e)
{
	char after[STORE_IDENTITY_BYTES] = "";
	size_t got = 1;
	enum rc rc = RC_OK;

	while (rc == RC_OK && got > 0) {
		if ((rc = room_for(l, 64, e)) != RC_OK ||
		    (rc = store_bar_list(room->st, after, l->bars + l->n, 64,
		    &got, e)) != RC_OK)
			return rc;
		l->n += got;
		if (got > 0)
			memcpy(after, l->bars[l->n - 1].name, sizeof(after));
	}
	return rc;
}

static enum rc
brought(struct room *room, struct list *l, struct err *e)
{
	struct buf none = BUF_INIT;
	struct frame f;
	struct rd r;
	enum rc rc = ask(room, IPC_BARS, &none, true, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	while (rc == RC_OK && r.left > 0 && !r.bad) {
		if ((rc = room_for(l, 1, e)) != RC_OK)
			break;
		memset(&l->bars[l->n], 0, sizeof(*l->bars));
		unpack_str(&r, l->bars[l->n].name, sizeof(l->bars->name));
		l->bars[l->n].min = rd_8(&r);
		l->n += !r.bad;
	}
	return rc == RC_OK && r.bad ? ipc_bad(e) : rc;
}

static enum rc
check_desk(struct room *room, struct err *e)
{
	struct buf none = BUF_INIT;
	struct gate_self self;
	struct frame f;
	enum rc rc = ask(room, IPC_SELVES, &none, true, &f, e);

	for (size_t at = 0; rc == RC_OK && at + sizeof(self) <= f.body.len;
	    at += sizeof(self)) {
		memcpy(&self, f.body.p + at, sizeof(self));
		if (self.is_watch)
			return RC_OK;
	}
	return rc != RC_OK ? rc : err_set(e, RC_CONF, _("the key held here is "
	    "not that of the watch desk: only the association's watch desk "
	    "can bar a key"));
}

enum rc
barring_list(const struct pass *p, struct store_bar **out, size_t *n,
    struct err *e)
{
	struct list l = { NULL, 0, 0 };
	struct room room;
	enum rc rc = begin(&room, p, false, e);

	if (rc == RC_OK && (rc = check_desk(&room, e)) == RC_OK &&
	    (rc = noted(&room, &l, e)) == RC_OK)
		rc = brought(&room, &l, e);
	end(&room);
	if (rc != RC_OK) {
		free(l.bars);
		l = (struct list){ NULL, 0, 0 };
	}
	*out = l.bars;
	*n = l.n;
	return rc;
}
