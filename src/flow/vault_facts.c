#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "flow/pass.h"
#include "flow/sealing.h"
#include "flow/vault_facts.h"
#include "vault/grow.h"

/* IPC_SELVES: what the key store holds, without its keys. */
static enum rc
on_selves(struct facts *x, const struct frame *f, struct err *e)
{
	struct buf b = BUF_INIT;
	struct gate_self self;
	bool ok = true;
	enum rc rc = RC_OK;

	for (size_t i = 0; ok && i < gate_nselves(x->g) && i < 256; i++) {
		gate_self(x->g, i, &self);
		rc = gate_self_barred(x->g, &x->rows, i, &self.barred, e);
		ok = rc == RC_OK && buf_add(&b, &self, sizeof(self));
	}
	if (rc != RC_OK) {
		buf_free(&b);
		return rc;
	}
	return ipc_send(x->keeper, IPC_SELVES, f->job, &b, ok, e);
}

/* Of IPC_RESTORED, IPC_ISSUED, IPC_BAR: what was said, ${plain}, the row. */
static enum rc
give_row(struct facts *x, const struct frame *f, enum rc said,
    const struct err *why, const struct gate_barring *plain,
    struct gate_row *row, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = pack_err(&b, said, why);

	if (said == RC_OK && plain != NULL)
		ok = ok && buf_add(&b, plain, sizeof(*plain));
	if (said == RC_OK)
		ok = ok && pack_str(&b, row->key) &&
		    pack_run(&b, row->sealed.p, row->sealed.len);
	gate_row_free(row);
	if (said == RC_NOMEM) {
		buf_free(&b);
		return err_set(e, said, "%s", why->text);
	}
	return ipc_send(x->keeper, (enum ipc)f->type, f->job, &b, ok, e);
}

/* IPC_RESTORED: the fact itself, as a row; the command keeps it. */
static enum rc
on_restored(struct facts *x, const struct frame *f, struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	int64_t at = (int64_t)rd_64(&r);
	struct gate_row row = { .key = "" };
	struct err why = ERR_INIT;
	enum rc said;

	if (!rd_done(&r))
		return ipc_bad(e);
	said = gate_restored(x->g, &x->rows, at, &row, &why);
	return give_row(x, f, said, &why, NULL, &row, e);
}

/* IPC_ISSUED: the same of a bulletin of ours. */
static enum rc
on_issued(struct facts *x, const struct frame *f, struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	uint32_t number = rd_32(&r);
	int64_t at = (int64_t)rd_64(&r);
	struct gate_row row = { .key = "" };
	struct err why = ERR_INIT;
	enum rc said;

	if (!rd_done(&r))
		return ipc_bad(e);
	said = gate_issued(x->g, &x->rows, number, at, &row, &why);
	return give_row(x, f, said, &why, NULL, &row, e);
}

/* IPC_BAR: minimum(1) who. */
static enum rc
on_bar(struct facts *x, const struct frame *f, struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	uint8_t min = rd_8(&r);
	char who[GATE_ROUTE_BYTES];
	struct gate_barring bar = { .name = "" };
	struct gate_row row;
	struct err why = ERR_INIT;
	enum rc said;

	unpack_str(&r, who, sizeof(who));
	if (!rd_done(&r))
		return ipc_bad(e);
	said = gate_bar(x->g, &x->rows, who, min, clock_used(), &bar, &why);
	row = bar.row;
	memset(&bar.row, 0, sizeof(bar.row));
	return give_row(x, f, said, &why, &bar, &row, e);
}

/* IPC_BARS: what the key files brought. */
static enum rc
on_bars(struct facts *x, const struct frame *f, struct err *e)
{
	struct buf b = BUF_INIT;
	struct gate_bar bar;
	size_t i = 0;
	bool ok = true;

	while (ok && gate_bars(x->g, &i, &bar))
		ok = pack_str(&b, bar.name) && buf_add8(&b, bar.min);
	return ipc_send(x->keeper, IPC_BARS, f->job, &b, ok, e);
}

static bool
list_add(struct facts *x, const struct gate_bar *bar)
{
	void *p = x->bars;
	bool ok = grow(&p, &x->cap, x->nbars + 1, sizeof(*x->bars));

	x->bars = p;
	if (ok)
		x->bars[x->nbars++] = *bar;
	return ok;
}

/* IPC_BAR_LIST: first(1), n times: name minimum(1).  A name that has come to an
 * office since would make everybody refuse the whole. */
static enum rc
on_list(struct facts *x, const struct frame *f, struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	struct gate_bar bar;
	size_t i = 0;
	bool ok = true;

	if (rd_8(&r) != 0) {
		x->nbars = 0;
		while (ok && gate_bars(x->g, &i, &bar))
			ok = list_add(x, &bar);
	}
	while (ok && r.left > 0 && !r.bad) {
		unpack_str(&r, bar.name, sizeof(bar.name));
		bar.min = rd_8(&r);
		if (!r.bad && gate_may_bar(x->g, bar.name))
			ok = list_add(x, &bar);
	}
	if (!ok)
		return err_set(e, RC_NOMEM, _("no memory left"));
	return r.bad ? ipc_bad(e) : RC_OK;
}

/* IPC_MEMBER: nth(8) who: for whom a bulletin can be sealed; nothing after the
 * last line of the directory. */
static enum rc
on_member(struct facts *x, const struct frame *f, struct err *e)
{
	struct gate_resolve_args args = { .rows = x->rows, .control = true,
	    .bulletin = true };
	struct rd r = rd_of(f->body.p, f->body.len);
	size_t nth = (size_t)rd_64(&r);
	char who[GATE_ID_BYTES], own[GATE_ID_BYTES];
	struct gate_entry line;
	struct gate_dest dest;
	struct buf b = BUF_INIT;
	struct err why = ERR_INIT;
	bool ok, more = true;
	enum rc said = RC_OK;

	unpack_str(&r, who, sizeof(who));
	if (!rd_done(&r))
		return ipc_bad(e);
	gate_desk(x->g, clock_used(), own);
	args.own = own;
	args.who = who;
	if (who[0] == '\0') {
		more = gate_entries(x->g, &nth, &line);
		args.who = line.identity;
	} else if (gate_listed(x->g, who) || gate_is_issuer(x->g, who))
		/* Its enrolments made a row of it; it reads no mail. */
		said = err_set(&why, RC_PERM, "%s", who);
	if (said == RC_OK && more)
		said = gate_resolve(x->g, &args, &dest, &why);
	ok = pack_err(&b, said, &why);
	if (said == RC_OK && more)
		ok = ok && dest_pack(&b, &dest);
	return ipc_send(x->keeper, IPC_MEMBER, f->job, &b, ok, e);
}

/* IPC_RESOLVE: how(1) own who. */
static enum rc
on_resolve(struct facts *x, const struct frame *f, struct err *e)
{
	char own[GATE_ID_BYTES], who[GATE_ROUTE_BYTES];
	struct gate_resolve_args args = { .rows = x->rows };
	struct rd r = rd_of(f->body.p, f->body.len);
	struct err why = ERR_INIT;
	struct gate_dest dest;
	struct buf b = BUF_INIT;
	enum rc said;
	uint8_t how = rd_8(&r);
	bool ok;

	args.control = (how & RESOLVE_CONTROL) != 0;
	args.shown = (how & RESOLVE_SHOWN) != 0;
	args.rows.keep = (how & RESOLVE_BATCH) != 0;
	unpack_str(&r, own, sizeof(own));
	unpack_str(&r, who, sizeof(who));
	if (!rd_done(&r))
		return ipc_bad(e);
	args.who = who;
	args.own = own[0] != '\0' ? own : NULL;
	said = gate_resolve(x->g, &args, &dest, &why);
	ok = pack_err(&b, said, &why);
	if (said == RC_OK)
		ok = ok && dest_pack(&b, &dest);
	return ipc_send(x->keeper, IPC_DEST, f->job, &b, ok, e);
}

static const struct {
	enum ipc	 type;
	enum rc		(*serve)(struct facts *, const struct frame *,
			    struct err *);
} services[] = {
	{ IPC_SELVES, on_selves },
	{ IPC_RESTORED, on_restored },
	{ IPC_ISSUED, on_issued },
	{ IPC_BAR, on_bar },
	{ IPC_BARS, on_bars },
	{ IPC_BAR_LIST, on_list },
	{ IPC_MEMBER, on_member },
	{ IPC_RESOLVE, on_resolve },
};

enum rc
facts_serve(struct facts *x, const struct frame *f, struct err *e)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (services[i].type == f->type)
			return services[i].serve(x, f, e);
	return ipc_bad(e);
}

void
facts_free(struct facts *x)
{
	free(x->bars);
	x->bars = NULL;
}

/* ---- to begin with ---------------------------------------------------- */

enum rc
vault_enter(const struct pass *p, struct gate **g, struct err *e)
{
	enum rc rc = gate_new(p->conf->keystore, p->conf->keystore_key,
	    p->passphrase, g, e);

	if (rc == RC_OK && gate_warning(*g) != NULL)
		LOG(LOG_L_WARN, "key.demo", LK_S("why", gate_warning(*g)));
	if (rc == RC_OK)
		rc = sandbox_enter(SB_VAULT, NULL, e);
	if (rc == RC_OK && !secret_locked())
		LOG(LOG_L_WARN, "key.swap", LK_S("why", _("the memory of the "
		    "keys cannot be locked: they may be written to the swap "
		    "space. Raise the limit of locked memory (ulimit -l)")));
	return rc;
}
