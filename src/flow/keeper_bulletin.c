/*
 * At the watch desk: the bulletin, the whole list each time, to everybody.
 *
 * It is sealed in portions while earlier ones leave, so that neither memory
 * nor the queue knows how large the association is, and the desk's other mail
 * never waits behind more than WAITING_MAX of them.  How far it is stands in
 * the store with what was queued; a bar noted meanwhile begins it anew.
 *
 * Its number is the minute in which it is begun, or the last and one: a desk
 * put back from a backup, or a new desk, goes on above what was sent without
 * knowing of it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "flow/outgoing.h"
#include "store/store_bar.h"

#define DAY_S 86400
#define WEEK_S (7 * DAY_S)	/* PROTOCOL 2.8 */
#define WAITING_MAX 256
#define AT_ONCE 64		/* envelopes in one transaction */
#define ROOM_BYTES (4 << 20)	/* and octets of them, about */
#define LOOK_AT 1024		/* names in one portion */
#define BARS_AT_ONCE 64
#define AGAIN_S 3600		/* `run`: after trouble */

struct portion {
	struct store_desk	desk;		/* as far as it goes */
	struct outgoing		out[AT_ONCE];
	struct store_out_put	put[AT_ONCE];
	size_t			n, bytes;
};

/* ---- its beginning -------------------------------------------------- */

static uint32_t
next_number(const struct store_desk *d, int64_t now)
{
	uint32_t minute = (uint32_t)(now / 60), next = d->number + 1;

	/* Only one that was told 2^32 - 1 by hand comes to its end. */
	return next > minute || next == 0 ? next : minute;
}

/* A last one of tomorrow was begun by a clock that was wrong. */
static bool
is_due(const struct store_desk *d, int64_t now)
{
	return d->due || now >= d->at + WEEK_S || now < d->at - DAY_S;
}

static enum rc
ask_issued(struct keeper *k, uint32_t number, int64_t now, struct frame *f,
    struct rd *r, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = buf_add32(&b, number) && buf_add64(&b, (uint64_t)now);
	uint32_t job = ++k->job;
	enum rc rc = ipc_put(&k->vault.c, IPC_ISSUED, job, &b, ok, e);

	if (rc == RC_OK)
		rc = keeper_answer(k, &k->vault, IPC_ISSUED, job, f, e);
	if (rc != RC_OK)
		return rc;
	*r = rd_of(f->body.p, f->body.len);
	return unpack_err(r, e);
}

static enum rc
begin(struct keeper *k, struct store_desk *d, struct err *e)
{
	int64_t now = clock_now();
	uint32_t number = next_number(d, now);
	struct err ignored = ERR_INIT;
	struct store_row row = { .version = 0 };
	struct frame f;
	struct rd r;
	enum rc rc = ask_issued(k, number, now, &f, &r, e);

	if (rc != RC_OK)
		return rc;
	row.key = unpack_run(&r);
	row.value = unpack_run(&r);
	if (!rd_done(&r) || row.key.len == 0)
		return keeper_odd(k, e);
	(void)rows_next_version(k, GATE_ROW_SELF, 0, &row.version);
	FAULT("keeper.bulletin.begin");
	rc = store_desk_begin(k->st, number, &row, now, e);
	(void)chan_put(&k->vault.c, IPC_DROP, 0, NULL, 0, &ignored);
	rows_forget(k);
	if (rc == RC_OK)
		keeper_event(k, "bulletin.begun", "number=%lu",
		    (unsigned long)number);
	return rc == RC_OK ? store_desk(k->st, d, e) : rc;
}

/* ---- the list, to the vault ----------------------------------------- */

static enum rc
give_list(struct keeper *k, struct err *e)
{
	struct store_bar *bars = calloc(BARS_AT_ONCE, sizeof(*bars));
	char after[STORE_IDENTITY_BYTES] = "";
	size_t n = BARS_AT_ONCE;
	bool first = true;
	enum rc rc = bars == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : RC_OK;

	while (rc == RC_OK && n == BARS_AT_ONCE) {
		struct buf b = BUF_INIT;
		bool ok = buf_add8(&b, first);

		first = false;
		rc = store_bar_list(k->st, after, bars, BARS_AT_ONCE, &n, e);
		for (size_t i = 0; ok && rc == RC_OK && i < n; i++)
			ok = pack_str(&b, bars[i].name) &&
			    buf_add8(&b, bars[i].min);
		if (rc == RC_OK && n > 0)
			memcpy(after, bars[n - 1].name, sizeof(after));
		if (rc == RC_OK)
			rc = ipc_put(&k->vault.c, IPC_BAR_LIST, 0, &b, ok, e);
		else
			buf_free(&b);
	}
	free(bars);
	return rc;
}

/* ---- for whom ------------------------------------------------------- */

/* ${more} false: the directory has no such line.  RC_PERM: not to him. */
static enum rc
ask_member(struct keeper *k, uint64_t nth, const char *who,
    struct gate_dest *dest, bool *more, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = buf_add64(&b, nth) && pack_str(&b, who);
	uint32_t job = ++k->job;
	struct frame f;
	struct rd r;
	enum rc rc = ipc_put(&k->vault.c, IPC_MEMBER, job, &b, ok, e);

	*more = true;
	if (rc == RC_OK)
		rc = keeper_answer(k, &k->vault, IPC_MEMBER, job, &f, e);
	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if ((rc = unpack_err(&r, e)) != RC_OK)
		return rc;
	*more = r.left > 0;
	if (*more)
		dest_unpack(&r, dest);
	return rd_done(&r) ? RC_OK : keeper_odd(k, e);
}

/* Newcomers stand in rows alone.  ${d->after} moves on to the next name. */
static enum rc
next_name(struct keeper *k, struct store_desk *d, bool *more, struct err *e)
{
	struct bytes after = { (const uint8_t *)d->after, strlen(d->after) };
	struct buf key = BUF_INIT, value = BUF_INIT;
	uint32_t version;
	enum rc rc = store_row_next(k->st, NULL, after, &key, &value,
	    &version, e);

	*more = rc == RC_OK && key.len > 0;
	if (*more && key.len < sizeof(d->after)) {
		memcpy(d->after, key.p, key.len);
		d->after[key.len] = '\0';
	}
	buf_free(&key);
	buf_free(&value);
	return rc;
}

/* The next one to whom it goes; ${said}: RC_PERM: not to this one. */
static enum rc
next_member(struct keeper *k, struct store_desk *d, struct gate_dest *dest,
    enum rc *said, struct err *why, struct err *e)
{
	bool more;

	if (d->after[0] == '\0') {
		*said = ask_member(k, d->nth, "", dest, &more, why);
		if (more) {
			d->nth++;
			return RC_OK;
		}
	}
	if (next_name(k, d, &more, e) != RC_OK)
		return e->rc;
	d->going = more;
	*said = err_set(why, RC_PERM, "%s", d->after);
	if (more && strchr(d->after, '/') != NULL)
		*said = ask_member(k, 0, d->after, dest, &more, why);
	return RC_OK;
}

/* ---- a portion ------------------------------------------------------ */

static enum rc
seal(struct keeper *k, struct portion *p, struct err *e)
{
	struct outgoing *o = &p->out[p->n];
	struct flow_seal s = { .dest = o->dest, .at = clock_now(),
	    .bulletin = p->desk.number };
	struct buf b = BUF_INIT;
	uint32_t job = ++k->job;
	bool ok = seal_pack(&b, &s);
	enum rc rc = ipc_put(&k->vault.c, IPC_SEAL, job, &b, ok, e);

	o->at = s.at;
	if (rc == RC_OK)
		rc = outgoing_take(k, job, NULL, o, e);
	if (rc != RC_OK) {
		outgoing_free(k, o);
		return rc;
	}
	outgoing_put(k, o, STORE_CONTROL, NULL, &p->put[p->n++]);
	p->bytes += o->body.buf.len;
	return RC_OK;
}

/* Who has no key is left out, and told of; other trouble ends the portion. */
static enum rc
fill(struct keeper *k, struct portion *p, struct err *e)
{
	for (size_t i = 0; i < LOOK_AT && p->n < AT_ONCE &&
	    p->bytes < ROOM_BYTES && p->desk.going; i++) {
		struct gate_dest *dest = &p->out[p->n].dest;
		struct err why = ERR_INIT;
		enum rc said = RC_PERM;

		if (next_member(k, &p->desk, dest, &said, &why, e) != RC_OK)
			return e->rc;
		if (said == RC_OK)
			said = seal(k, p, &why);
		if (said == RC_PERM && why.class == EC_NOKEY)
			keeper_event(k, "bulletin.no_key", "why=\"%.200s\"",
			    why.text);
		if (said != RC_OK && said != RC_PERM)
			return err_set(e, said, "%s", why.text);
	}
	return RC_OK;
}

static enum rc
portion(struct keeper *k, const struct store_desk *d, struct err *e)
{
	struct portion *p = calloc(1, sizeof(*p));
	enum rc rc;

	if (p == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	p->desk = *d;
	if ((rc = give_list(k, e)) == RC_OK &&
	    (rc = fill(k, p, e)) == RC_OK) {
		FAULT("keeper.bulletin.before");
		rc = store_desk_sealed(k->st, &p->desk, p->put, p->n,
		    clock_now(), e);
		FAULT("keeper.bulletin.after");
		for (size_t i = 0; i < p->n; i++)
			p->out[i].body.id = 0;
	}
	if (rc == RC_OK && !p->desk.going)
		keeper_event(k, "bulletin.sealed", "number=%lu",
		    (unsigned long)p->desk.number);
	for (size_t i = 0; i < AT_ONCE; i++)
		outgoing_free(k, &p->out[i]);
	rows_forget(k);
	free(p);
	return rc;
}

/* What the desk cannot say now, it says in a later pass. */
static enum rc
failed(struct keeper *k, const struct err *why, struct err *e)
{
	keeper_fault(k, "bulletin.failed", why->rc, WHY_NONE, why);
	k->bulletin_at = clock_now() + AGAIN_S;
	if (why->rc == RC_TEMP)
		k->vault.done = true;	/* it may have died, or be behind */
	return why->rc == RC_NOMEM ? err_set(e, RC_NOMEM, "%s", why->text) :
	    RC_OK;
}

enum rc
bulletin_some(struct keeper *k, bool *some, struct err *e)
{
	struct err why = ERR_INIT;
	struct store_desk d;
	size_t waiting = 0;
	enum rc rc = store_desk(k->st, &d, e);

	k->bulletin_more = k->bulletin_waits = false;
	if (rc != RC_OK || d.gen == 0 || k->p->conf->route == NULL ||
	    clock_now() < k->bulletin_at ||
	    (!d.going && !is_due(&d, clock_now())) ||
	    (rc = store_desk_waiting(k->st, &waiting, e)) != RC_OK)
		return rc;
	k->bulletin_waits = waiting >= WAITING_MAX;
	if (k->bulletin_waits)
		return RC_OK;
	if ((rc = keeper_need_vault(k, e)) != RC_OK)
		return rc;
	if ((is_due(&d, clock_now()) && begin(k, &d, &why) != RC_OK) ||
	    portion(k, &d, &why) != RC_OK)
		return failed(k, &why, e);
	*some = k->bulletin_more = k->out_more = true;
	return RC_OK;
}

void
bulletin_self(struct bulletin_part *p, const struct gate_self *s)
{
	int64_t now = clock_now();

	if (s->replaced || s->from_at > now || now >= s->read_until_at)
		return;
	if (s->is_watch && s->gen > p->desk)
		p->desk = s->gen;
	p->expect = p->expect || (s->watch[0] != '\0' && !s->is_watch);
}

enum rc
bulletin_part(struct keeper *k, const struct bulletin_part *p, struct err *e)
{
	enum rc rc = store_desk_is(k->st, p->desk, e);

	return rc != RC_OK ? rc : store_bulletin_expect(k->st,
	    p->expect && p->desk == 0, clock_now(), e);
}
