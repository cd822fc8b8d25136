/*
 * From fetched to delivered, many messages at a time (PROTOCOL 2.11):
 * headers, bodies, intents, names, delivered.  Each step is done for the whole
 * batch before the next, so that a batch costs two commits.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/secret.h"
#include "flow/opening.h"
#include "store/store_out.h"

#define BATCH_MAX 64
#define BATCH_BYTES (8U << 20)	/* of envelopes, but for the first */
#define FORGET_DAYS 800		/* a T is kept past any year's read-until */

struct batch {
	struct opening	o[BATCH_MAX];
	size_t		n;
};

void
opening_msg(const struct opening *o, struct store_msg *m)
{
	memset(m, 0, sizeof(*m));
	m->id = o->in.id;
	memcpy(m->t, o->head.t, sizeof(m->t));
	m->sender = o->head.sender;
	m->year = o->head.year;
	m->forget_at = clock_now() + (int64_t)FORGET_DAYS * 86400;
	if (o->v.relayed) {
		m->original = o->v.orig;
		memcpy(m->original_t, o->v.orig_t, sizeof(m->original_t));
	}
}

static int64_t
ack_due(const struct keeper *k)
{
	const struct conf *c = k->p->conf;
	uint32_t rnd;
	int64_t span = c->ack_delay_max_s - c->ack_delay_min_s + 1;

	random_bytes(&rnd, sizeof(rnd));
	return clock_now() + c->ack_delay_min_s +
	    (span > 1 ? (int64_t)rnd % span : 0);
}

static int64_t
release_at(const struct keeper *k, const struct opening *o)
{
	for (size_t i = 0; i < k->p->conf->naccounts; i++) {
		const struct conf_account *a = &k->p->conf->accounts[i];

		if (strcmp(a->name, o->in.account) != 0)
			continue;
		if (a->after != CONF_AFTER_KEEP)
			return clock_now();
		return a->keep_days == 0 ? CLOCK_FOREVER :
		    clock_now() + (int64_t)a->keep_days * 86400;
	}
	return CLOCK_FOREVER;
}

static void
acks_of(const struct opening *o, struct store_ack_in *acks)
{
	const struct gate_verdict *v = &o->v;
	size_t n = 0;

	for (size_t i = 0; i < v->nacks + v->nrelayed_acks; i++, n++) {
		const struct gate_ack *a = i < v->nacks ? &v->acks[i] :
		    &v->relayed_acks[i - v->nacks];

		memset(&acks[n], 0, sizeof(acks[n]));
		memcpy(acks[n].t, a->t, sizeof(a->t));
		memcpy(acks[n].d, a->d, sizeof(a->d));
		acks[n].state = a->state;
		acks[n].at = a->at;
		acks[n].peer = o->head.sender_name;
		acks[n].routed = i < v->nacks ? NULL : a->name;
	}
}

void
opening_done(struct keeper *k, const struct opening *o,
    struct store_done *d, struct store_row *rows, struct store_ack_in *acks)
{
	const struct gate_verdict *v = &o->v;

	memset(d, 0, sizeof(*d));
	opening_msg(o, &d->msg);
	if (v->has_mail) {
		d->ack_state = GATE_ACK_RECEIVED;
		memcpy(d->d, v->d, sizeof(d->d));
	}
	d->ack_at = clock_now();
	d->ack_due_at = ack_due(k);
	for (size_t i = 0; i < v->nrows; i++) {
		const struct gate_row *r = &v->rows[i];
		const char *slash = strchr(r->key, '/');

		rows[i].key = (struct bytes){ (const uint8_t *)r->key,
		    strlen(r->key) };
		rows[i].value = (struct bytes){ r->sealed.p, r->sealed.len };
		rows[i].address = slash != NULL ? slash + 1 : NULL;
		rows[i].version = rows_next_version(k, r->key);
	}
	acks_of(o, acks);
	d->rows = rows;
	d->nrows = v->nrows;
	d->acks = acks;
	d->nacks = v->nacks + v->nrelayed_acks;
	d->action = STORE_ACTION_RELEASE;
	d->release_at = release_at(k, o);
}

/* ---- headers -------------------------------------------------------------- */

static enum rc
send_head(struct keeper *k, struct opening *o, struct err *e)
{
	uint8_t first[1 + GATE_HEADER_MAX];
	size_t len = 0;
	enum rc rc;

	o->job = ++k->job;
	first[0] = k->p->conf->hub ? GATE_DIGEST : GATE_DELIVER;
	rc = store_body_head(k->st, o->in.body, first + 1, GATE_HEADER_MAX,
	    &len, e);
	if (rc != RC_OK)
		return rc;
	return chan_put(&k->vault.c, IPC_OPEN, o->job, first, 1 + len, e);
}

static enum rc
take_head(struct keeper *k, struct opening *o, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = keeper_wait(k, &k->vault, &f, NULL, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if (f.type != IPC_HEAD || f.job != o->job)
		return ipc_bad(e);
	o->rc = unpack_err(&r, &o->why);
	head_unpack(&r, &o->head);
	o->jobbed = true;
	return rd_done(&r) ? RC_OK : ipc_bad(e);
}

/* Ask the clerk whether the file of an interrupted delivery is there. */
static enum rc
look(struct keeper *k, struct opening *o, bool *there, struct err *e)
{
	struct frame f;
	enum rc rc = chan_put(&k->clerk.c, IPC_LOOK, o->job, o->head.t,
	    sizeof(o->head.t), e);

	if (rc == RC_OK)
		rc = keeper_wait(k, &k->clerk, &f, NULL, e);
	if (rc != RC_OK)
		return rc;
	if (f.type != IPC_FOUND || f.job != o->job || f.body.len != 1)
		return ipc_bad(e);
	*there = f.body.p[0] != 0;
	return RC_OK;
}

/* A mail of ours that came back (2.19.20) is not for us and not held. */
static enum rc
returned(struct keeper *k, struct opening *o, struct err *e)
{
	bool known = false;
	enum rc rc = store_out_bounced(k->st, o->head.t, o->in.id,
	    STORE_ACTION_RELEASE, clock_now(), &known, e);

	o->fate = known ? FATE_RELAYED : FATE_HOLD;
	if (rc == RC_OK && known)
		keeper_event(k, "out.returned", "to=%s", o->head.recipient);
	return rc;
}

/* What the header and the journal say; ${flags} for the vault. */
static enum rc
judge_head(struct keeper *k, struct opening *o, uint8_t *flags, struct err *e)
{
	struct store_t t;
	bool there = true;
	enum rc rc;

	*flags = 0;
	if (o->rc != RC_OK && o->why.class == EC_NOTFORME)
		return returned(k, o, e);
	if (o->rc != RC_OK) {
		o->fate = o->rc == RC_INPUT ? FATE_HOLD : FATE_LEAVE;
		return RC_OK;
	}
	if ((rc = store_t_find(k->st, o->head.t, &t, e)) != RC_OK)
		return rc;
	if (t.state == STORE_T_DONE)
		o->fate = FATE_DUPLICATE;
	else if (t.state == STORE_T_INTENT && t.in != o->in.id)
		o->fate = FATE_LEAVE;
	else if (t.state == STORE_T_INTENT) {
		o->again = true;
		if ((rc = look(k, o, &there, e)) == RC_OK && !there)
			*flags |= GATE_F_DUPLICATE;
	}
	return rc;
}

/* ---- bodies ---------------------------------------------------------------- */

static enum rc
go(struct keeper *k, struct opening *o, uint8_t flags, struct err *e)
{
	uint8_t body[1 + GATE_T_BYTES];

	body[0] = flags;
	memcpy(body + 1, o->head.t, GATE_T_BYTES);
	o->sent = true;
	return chan_put(&k->vault.c, IPC_GO, o->job, body, sizeof(body), e);
}

static enum rc
take_verdict(struct keeper *k, struct opening *o, struct feed *feed,
    struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = keeper_wait(k, &k->vault, &f, feed, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if (f.type != IPC_VERDICT || f.job != o->job)
		return ipc_bad(e);
	o->rc = unpack_err(&r, &o->why);
	if (!verdict_unpack(&r, &o->v) || !rd_done(&r))
		return ipc_bad(e);
	return RC_OK;
}

/* Mail that was opened for the clerk has a file by now, or cannot have. */
static enum rc
take_ready(struct keeper *k, struct opening *o, struct err *e)
{
	struct frame f;
	struct bytes names;
	struct rd r;
	enum rc rc = keeper_wait(k, &k->clerk, &f, NULL, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if (f.type != IPC_READY || f.job != o->job)
		return ipc_bad(e);
	rc = unpack_err(&r, &o->why);
	names = unpack_run(&r);
	if (!rd_done(&r))
		return ipc_bad(e);
	if (rc != RC_OK) {
		err_ctx(&o->why, _("delivery"));
		keeper_fault(k, "deliver.failed", rc, WHY_LOCAL, &o->why);
		o->fate = FATE_LEAVE;
		return RC_OK;
	}
	o->fate = FATE_FILE;
	if (!buf_add(&o->names, names.p, names.len))
		return err_set(e, RC_NOMEM, _("no memory left"));
	return RC_OK;
}

static enum rc
judge(struct keeper *k, struct opening *o, struct err *e)
{
	bool seen = false;
	enum rc rc;

	if (o->rc != RC_OK) {
		o->fate = o->rc == RC_INPUT ? FATE_HOLD : FATE_LEAVE;
		return RC_OK;
	}
	if (o->v.nroutes > 0) {
		o->fate = FATE_RELAY;
		return RC_OK;
	}
	o->fate = FATE_DONE;
	if (!o->v.has_mail)
		return RC_OK;
	if ((rc = take_ready(k, o, e)) != RC_OK || o->fate != FATE_FILE ||
	    !o->v.relayed)
		return rc;
	rc = store_t_relayed(k->st, o->v.orig, o->v.orig_t, o->head.t, &seen,
	    e);
	if (rc == RC_OK && seen) {
		o->fate = FATE_DONE;
		rc = chan_put(&k->clerk.c, IPC_CANCEL, o->job, NULL, 0, e);
	}
	return rc;
}

static struct feed
feed_of(struct keeper *k, const struct opening *o)
{
	struct feed f = { &k->vault, IPC_SEALED, IPC_SEALED_END, o->job,
	    o->in.body, 0, o->head.len };

	return f;
}

/* Mail for the gateway itself: it was only looked at; now for the clerk. */
static enum rc
open_own(struct keeper *k, struct opening *o, struct err *e)
{
	uint8_t first[1 + GATE_HEADER_MAX] = { GATE_DELIVER };
	struct feed feed;
	size_t len = 0;
	enum rc rc;

	if ((rc = chan_put(&k->vault.c, IPC_DROP, o->job, NULL, 0, e)) !=
	    RC_OK)
		return rc;
	o->job = ++k->job;
	verdict_free(&o->v);
	if ((rc = store_body_head(k->st, o->in.body, first + 1,
	    GATE_HEADER_MAX, &len, e)) != RC_OK ||
	    (rc = chan_put(&k->vault.c, IPC_OPEN, o->job, first, 1 + len, e))
	    != RC_OK || (rc = take_head(k, o, e)) != RC_OK)
		return rc;
	if (o->rc != RC_OK)
		return judge(k, o, e);
	feed = feed_of(k, o);
	if ((rc = go(k, o, o->again ? GATE_F_DUPLICATE : 0, e)) != RC_OK ||
	    (rc = take_verdict(k, o, &feed, e)) != RC_OK)
		return rc;
	return judge(k, o, e);
}

static enum rc
open_body(struct keeper *k, struct opening *o, uint8_t flags, struct err *e)
{
	struct feed feed = feed_of(k, o);
	enum rc rc;

	if ((rc = go(k, o, flags, e)) != RC_OK ||
	    (rc = take_verdict(k, o, &feed, e)) != RC_OK)
		return rc;
	if (k->p->conf->hub && o->rc == RC_OK && o->v.has_mail &&
	    o->v.nroutes == 0)
		return open_own(k, o, e);
	return judge(k, o, e);
}

/* ---- intents, names, delivered ------------------------------------------------ */

static enum rc
intents(struct keeper *k, struct batch *b, struct err *e)
{
	struct store_msg m[BATCH_MAX];
	const char *names[BATCH_MAX];
	struct opening *of[BATCH_MAX];
	size_t n = 0;
	enum rc rc;

	for (size_t i = 0; i < b->n; i++) {
		struct opening *o = &b->o[i];

		if (o->fate != FATE_FILE)
			continue;
		if ((names[n] = buf_str(&o->names)) == NULL)
			return err_set(e, RC_NOMEM, _("no memory left"));
		opening_msg(o, &m[n]);
		of[n++] = o;
	}
	if (n == 0)
		return RC_OK;
	FAULT("keeper.intent.before");
	rc = store_in_intent(k->st, m, names, n, e);
	FAULT("keeper.intent.after");
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		bool ours = m[i].result == STORE_OK ||
		    m[i].result == STORE_AGAIN;

		if (!ours)
			of[i]->fate = FATE_LEAVE;
		rc = chan_put(&k->clerk.c, ours ? IPC_FILE : IPC_CANCEL,
		    of[i]->job, NULL, 0, e);
	}
	return rc;
}

static enum rc
take_filed(struct keeper *k, struct opening *o, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = keeper_wait(k, &k->clerk, &f, NULL, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if (f.type != IPC_FILED || f.job != o->job)
		return ipc_bad(e);
	if ((rc = unpack_err(&r, &o->why)) != RC_OK) {
		keeper_fault(k, "deliver.failed", rc, WHY_LOCAL, &o->why);
		o->fate = FATE_LEAVE;
	}
	return rd_done(&r) ? RC_OK : ipc_bad(e);
}

static enum rc
filed(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < b->n; i++)
		if (b->o[i].fate == FATE_FILE)
			rc = take_filed(k, &b->o[i], e);
	return rc;
}

static void
say_delivered(struct keeper *k, const struct opening *o)
{
	char d[2 * GATE_D_BYTES + 1];

	for (size_t i = 0; i < o->v.nalarms; i++)
		keeper_event(k, gate_alarm_name(o->v.alarms[i].kind),
		    "who=%s", o->v.alarms[i].who);
	if (!o->v.has_mail)
		return;
	hex_format(o->v.d, sizeof(o->v.d), d);
	keeper_event(k, o->fate == FATE_FILE ? "in.delivered" : "in.known",
	    "account=%s from=%s%s%s digest=%.16s%s", o->in.account,
	    o->v.author, o->v.relayed ? " by=" : "",
	    o->v.relayed ? o->head.sender : "", d,
	    o->v.flags != 0 ? " flagged=1" : "");
}

static void
say_acks(struct keeper *k, const struct store_done *d)
{
	static const char *const words[] = {
		[STORE_ACK_APPLIED] = NULL, [STORE_ACK_REPEATED] = NULL,
		[STORE_ACK_UNKNOWN] = "ack.unknown",
		[STORE_ACK_WRONG_PEER] = "ack.wrong_peer",
		[STORE_ACK_WRONG_D] = "ack.wrong_digest",
		[STORE_ACK_WRONG_STATE] = "ack.wrong_state",
	};

	for (size_t i = 0; i < d->nacks; i++)
		if (words[d->acks[i].result] != NULL)
			keeper_event(k, words[d->acks[i].result], "from=%s",
			    d->acks[i].peer);
}

/* Room for what one batch writes. */
struct delivered {
	struct store_done	 d[BATCH_MAX];
	struct opening		*of[BATCH_MAX];
	size_t			 n;
	struct store_row	*rows;
	struct store_ack_in	*acks;
};

static enum rc
delivered_room(struct batch *b, struct delivered *x, struct err *e)
{
	size_t rows = 1, acks = 1;

	for (size_t i = 0; i < b->n; i++) {
		rows += b->o[i].v.nrows;
		acks += b->o[i].v.nacks + b->o[i].v.nrelayed_acks;
	}
	x->rows = calloc(rows, sizeof(*x->rows));
	x->acks = calloc(acks, sizeof(*x->acks));
	return x->rows != NULL && x->acks != NULL ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

static enum rc
delivered(struct keeper *k, struct batch *b, struct err *e)
{
	struct delivered x = { .n = 0 };
	struct store_row *row;
	struct store_ack_in *ack;
	enum rc rc = delivered_room(b, &x, e);

	row = x.rows;
	ack = x.acks;
	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		struct opening *o = &b->o[i];

		if (o->fate != FATE_FILE && o->fate != FATE_DONE)
			continue;
		opening_done(k, o, &x.d[x.n], row, ack);
		row += x.d[x.n].nrows;
		ack += x.d[x.n].nacks;
		x.of[x.n++] = o;
	}
	FAULT("keeper.delivered.before");
	if (rc == RC_OK && x.n > 0)
		rc = store_in_delivered(k->st, x.d, x.n, clock_now(), e);
	FAULT("keeper.delivered.after");
	for (size_t i = 0; rc == RC_OK && i < x.n; i++)
		if (x.d[i].msg.result == STORE_OK) {
			say_delivered(k, x.of[i]);
			say_acks(k, &x.d[i]);
		}
	free(x.rows);
	free(x.acks);
	return rc;
}

static enum rc
duplicates(struct keeper *k, struct batch *b, struct err *e)
{
	struct store_done d[BATCH_MAX];
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->o[i].fate == FATE_DUPLICATE) {
			memset(&d[n], 0, sizeof(d[n]));
			opening_msg(&b->o[i], &d[n].msg);
			d[n].ack_due_at = ack_due(k);
			d[n].action = STORE_ACTION_RELEASE;
			d[n++].release_at = release_at(k, &b->o[i]);
		}
	return n == 0 ? RC_OK :
	    store_in_duplicate(k->st, d, n, e);
}

/* ---- held --------------------------------------------------------------------- */

/* What the sender hears (PROTOCOL 2.19 "Errors"); 0: nothing. */
static uint8_t
hold_ack(const struct opening *o)
{
	if (!o->head.authentic || o->head.replaced_key)
		return 0;
	switch (o->why.class) {
	case EC_RECORD:
	case EC_AUTHORITY:
	case EC_INNER:
		return o->v.has_mail ? GATE_ACK_REFUSED : 0;
	case EC_BODY:
	case EC_TRUNCATED:
		return GATE_ACK_DAMAGED;
	case EC_NONE: case EC_FORMAT: case EC_VERSION: case EC_NOTFORME:
	case EC_NOKEY: case EC_EXPIRED: case EC_HEADER: case EC_BARRED:
	case EC_DUPLICATE: case EC_POLICY: case EC_TOOBIG: case EC_IO:
	case EC_LOCKED: case EC_N:
		return 0;
	}
	return 0;
}

static void
hold_fill(struct keeper *k, const struct opening *o, struct store_hold *h)
{
	memset(h, 0, sizeof(*h));
	h->id = o->in.id;
	h->class = o->why.class;
	h->ack_state = hold_ack(o);
	if (h->ack_state != 0) {
		h->t_state = h->ack_state == GATE_ACK_DAMAGED ?
		    STORE_T_DAMAGED : STORE_T_REFUSED;
		memcpy(h->t, o->head.t, sizeof(h->t));
		h->year = o->head.year;
		h->forget_at = clock_now() + (int64_t)FORGET_DAYS * 86400;
		h->ack_at = clock_now();
		h->ack_due_at = ack_due(k);
	}
	h->sender = o->head.sender[0] != '\0' ? o->head.sender : NULL;
	h->action = STORE_ACTION_RELEASE;
	h->release_at = release_at(k, o);
}

static enum rc
hold_all(struct keeper *k, struct batch *b, struct err *e)
{
	struct store_hold h[BATCH_MAX];
	struct opening *of[BATCH_MAX];
	size_t n = 0;
	enum rc rc;

	for (size_t i = 0; i < b->n; i++)
		if (b->o[i].fate == FATE_HOLD) {
			hold_fill(k, &b->o[i], &h[n]);
			of[n++] = &b->o[i];
		}
	if (n == 0)
		return RC_OK;
	rc = store_in_hold(k->st, h, n, clock_now(), e);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		if (h[i].fresh) {
			keeper_worse(k, RC_INPUT, WHY_NONE);
			keeper_event(k, "in.held",
			    "account=%s class=%s from=%s why=\"%.200s\"",
			    of[i]->in.account, err_class_name(h[i].class),
			    of[i]->head.authentic ? of[i]->head.sender :
			    "unproven", of[i]->why.text);
		}
	return rc;
}

/* ---- a batch --------------------------------------------------------------------- */

static void
batch_free(struct keeper *k, struct batch *b)
{
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < b->n; i++) {
		verdict_free(&b->o[i].v);
		buf_free(&b->o[i].names);
		if (b->o[i].jobbed && k->vault.open)
			(void)chan_put(&k->vault.c, IPC_DROP, b->o[i].job,
			    NULL, 0, &ignored);
	}
	if (k->vault.open)
		(void)chan_put(&k->vault.c, IPC_DROP, 0, NULL, 0, &ignored);
	rows_forget(k);
	free(b);
}

static enum rc
batch_take(struct keeper *k, struct batch *b, struct err *e)
{
	struct store_in in[BATCH_MAX];
	uint64_t bytes = 0;
	size_t n = 0;
	enum rc rc = store_in_next(k->st, k->opened, in, BATCH_MAX, &n, e);

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (i > 0 && bytes + in[i].size > BATCH_BYTES)
			break;
		bytes += in[i].size;
		b->o[b->n++].in = in[i];
		k->opened = in[i].id;
	}
	return rc;
}

static enum rc
batch_heads(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < b->n; i++)
		rc = send_head(k, &b->o[i], e);
	for (size_t i = 0; rc == RC_OK && i < b->n; i++)
		rc = take_head(k, &b->o[i], e);
	return rc;
}

static enum rc
batch_bodies(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc = RC_OK;
	uint8_t flags;

	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		struct opening *o = &b->o[i];

		rc = judge_head(k, o, &flags, e);
		if (rc == RC_OK && o->fate == FATE_OPEN)
			rc = open_body(k, o, flags, e);
		if (rc == RC_OK && o->fate == FATE_RELAY)
			rc = hub_relay(k, o, e);
	}
	return rc;
}

static enum rc
batch_run(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc;

	if ((rc = batch_heads(k, b, e)) == RC_OK &&
	    (rc = batch_bodies(k, b, e)) == RC_OK &&
	    (rc = intents(k, b, e)) == RC_OK &&
	    (rc = filed(k, b, e)) == RC_OK &&
	    (rc = delivered(k, b, e)) == RC_OK &&
	    (rc = duplicates(k, b, e)) == RC_OK)
		rc = hold_all(k, b, e);
	return rc;
}

enum rc
open_batch(struct keeper *k, bool *some, struct err *e)
{
	struct batch *b = calloc(1, sizeof(*b));
	enum rc rc;

	*some = false;
	if (b == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = batch_take(k, b, e);
	if (rc == RC_OK && b->n > 0) {
		*some = true;
		rc = keeper_need_vault(k, e);
		if (rc == RC_OK)
			rc = batch_run(k, b, e);
	}
	batch_free(k, b);
	return rc;
}
