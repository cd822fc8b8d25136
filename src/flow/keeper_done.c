/*
 * The second half of a batch: intents, names, delivered; what was known
 * already, and what is held.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/secret.h"
#include "flow/opening.h"

#define FORGET_DAYS 800		/* a T is kept past any year's read-until */

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

int64_t
keeper_ack_due(const struct keeper *k)
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

		if (strcmp(a->name, o->in.account) == 0)
			return keeper_release_at(a);
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

static void
witness_of(const struct opening *o, struct store_proof *w)
{
	const struct gate_verdict *v = &o->v;

	if (!v->has_witness)
		return;
	w->author = v->author;
	/* Through the gateway he named us without a generation (2.19.6). */
	w->recipient = v->relayed ? o->head.recipient_name : o->head.recipient;
	w->year = o->head.year;
	w->at = v->relayed ? v->orig_at : v->sealed_at;
	w->proof = v->witness;
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
		witness_of(o, &d->witness);
	}
	d->filed = o->fate == FATE_FILE;
	d->watch = o->fate == FATE_FILE && o->names.len > 0;
	if (o->fate == FATE_FILE && k->p->conf->keep_filed_s > 0)
		d->keep_until = clock_now() + k->p->conf->keep_filed_s;
	d->ack_at = clock_now();
	d->ack_due_at = keeper_ack_due(k);
	for (size_t i = 0; i < v->nrows; i++) {
		const struct gate_row *r = &v->rows[i];
		const char *slash = strchr(r->key, '/');
		struct store_row *row = &rows[d->nrows];

		if (!rows_next_version(k, r->key, o->order, &row->version))
			continue;
		row->key = (struct bytes){ (const uint8_t *)r->key,
		    strlen(r->key) };
		row->value = (struct bytes){ r->sealed.p, r->sealed.len };
		row->address = slash != NULL ? slash + 1 : NULL;
		d->nrows++;
	}
	acks_of(o, acks);
	d->news = (struct store_news){ v->desk, v->bulletin, v->missed };
	d->enrolled = v->enrolled;
	k->bulletin_more = k->bulletin_more || v->enrolled;
	d->rows = rows;
	d->acks = acks;
	d->nacks = v->nacks + v->nrelayed_acks;
	d->action = STORE_ACTION_RELEASE;
	d->release_at = release_at(k, o);
}

/* ---- intents, names, delivered -------------------------------------- */

/* What the journal knew meanwhile: two copies can be in one batch. */
static enum fate
after_intent(struct keeper *k, enum store_result result)
{
	switch (result) {
	case STORE_OK:
	case STORE_AGAIN:
		return FATE_FILE;
	case STORE_DUPLICATE:
		return FATE_DUPLICATE;
	case STORE_COPY:
		return FATE_DONE;
	case STORE_BUSY:
		k->busy = true;
		return FATE_LEAVE;
	case STORE_NOT:
		break;
	}
	return FATE_LEAVE;
}

enum rc
opening_file(struct keeper *k, struct opening *o, struct err *e)
{
	return chan_put(&k->clerk.c, IPC_FILE, o->job, o->filing.odd,
	    sizeof(o->filing.odd), e);
}

enum rc
batch_intents(struct keeper *k, struct batch *b, struct err *e)
{
	struct store_msg m[BATCH_MAX];
	const char *names[BATCH_MAX];
	struct opening *of[BATCH_MAX];
	size_t n = 0;
	enum rc rc;

	if (b->o[0].in.filing > 0)
		return batch_refile(k, b, e);
	for (size_t i = 0; i < b->n; i++) {
		struct opening *o = &b->o[i];

		if (o->fate != FATE_FILE)
			continue;
		if ((names[n] = buf_str(&o->names)) == NULL)
			return err_set(e, RC_NOMEM, _("no memory left"));
		opening_msg(o, &m[n]);
		o->filing.at = clock_now();
		m[n].filing = &o->filing;
		of[n++] = o;
	}
	if (n == 0)
		return RC_OK;
	FAULT("keeper.intent.before");
	rc = store_in_intent(k->st, m, names, n, e);
	FAULT("keeper.intent.after");
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		of[i]->fate = after_intent(k, m[i].result);
		rc = of[i]->fate == FATE_FILE ? opening_file(k, of[i], e) :
		    chan_put(&k->clerk.c, IPC_CANCEL, of[i]->job, NULL, 0, e);
	}
	if (rc == RC_OK)
		rc = chan_put(&k->clerk.c, IPC_SETTLE, 0, NULL, 0, e);
	return rc;
}

static enum rc
take_filed(struct keeper *k, struct opening *o, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = keeper_answer(k, &k->clerk, IPC_FILED, o->job, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if (unpack_err(&r, &o->why) != RC_OK) {
		o->fate = FATE_LEAVE;
		rc = follow_unfiled(k, &o->why, e);
	}
	return rd_done(&r) ? rc : keeper_odd(k, e);
}

enum rc
batch_filed(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < b->n; i++)
		if (b->o[i].fate == FATE_FILE)
			rc = take_filed(k, &b->o[i], e);
	return rc;
}

/* The event of its delivery, which is kept in the same transaction. */
static void
event_of(const struct opening *o, struct store_done *d,
    char text[STORE_EVENT_MAX_BYTES])
{
	char hex[2 * GATE_D_BYTES + 1];

	if (!o->v.has_mail)
		return;
	hex_format(o->v.d, sizeof(o->v.d), hex);
	(void)snprintf(text, STORE_EVENT_MAX_BYTES,
	    "account=%s from=%s%s%s digest=%.16s%s", o->in.account,
	    o->v.author, o->v.relayed ? " by=" : "",
	    o->v.relayed ? o->head.sender : "", hex,
	    o->filing.flags != 0 ? " flagged=1" : "");
	log_plain(text);
	d->event = o->fate == FATE_FILE ? "in.delivered" : "in.known";
	d->event_text = text;
}

static void
say_delivered(struct keeper *k, const struct opening *o,
    const struct store_done *d)
{
	for (size_t i = 0; i < o->v.nalarms; i++) {
		keeper_event(k, gate_alarm_name(o->v.alarms[i].kind),
		    "who=%s", o->v.alarms[i].who);
		if (o->v.alarms[i].kind == GATE_AL_OWN_BAR)
			k->keys_more = true;
	}
	if (d->event != NULL)
		LOG(LOG_L_INFO, d->event, LK_S("text", d->event_text));
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
	char			(*text)[STORE_EVENT_MAX_BYTES];
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
	x->text = calloc(b->n, sizeof(*x->text));
	return x->rows != NULL && x->acks != NULL && x->text != NULL ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

/* Did the same envelope come before in this batch? */
static bool
came_before(const struct batch *b, size_t at)
{
	const struct opening *o = &b->o[at];

	for (size_t i = 0; i < at; i++)
		if ((b->o[i].fate == FATE_FILE || b->o[i].fate == FATE_DONE) &&
		    memcmp(b->o[i].head.t, o->head.t, STORE_T_BYTES) == 0)
			return true;
	return false;
}

enum rc
batch_delivered(struct keeper *k, struct batch *b, struct err *e)
{
	struct delivered x = { .n = 0 };
	struct store_row *row;
	struct store_ack_in *ack;
	enum rc rc;

	if (b->o[0].in.filing > 0)
		return batch_refiled(k, b, e);
	rc = delivered_room(b, &x, e);
	row = x.rows;
	ack = x.acks;
	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		struct opening *o = &b->o[i];

		/* The store would not write the rows of a second copy, and
		 * those that follow would count on their versions. */
		if (o->fate == FATE_DONE && came_before(b, i))
			o->fate = FATE_DUPLICATE;
		if (o->fate != FATE_FILE && o->fate != FATE_DONE)
			continue;
		opening_done(k, o, &x.d[x.n], row, ack);
		row += x.d[x.n].nrows;
		ack += x.d[x.n].nacks;
		event_of(o, &x.d[x.n], x.text[x.n]);
		x.of[x.n++] = o;
	}
	FAULT("keeper.delivered.before");
	if (rc == RC_OK && x.n > 0)
		rc = store_in_delivered(k->st, x.d, x.n, clock_now(), e);
	FAULT("keeper.delivered.after");
	for (size_t i = 0; rc == RC_OK && i < x.n; i++)
		if (x.d[i].msg.result == STORE_OK) {
			k->moved = k->works = true;
			k->delivered++;
			say_delivered(k, x.of[i], &x.d[i]);
			say_acks(k, &x.d[i]);
		}
	free(x.rows);
	free(x.acks);
	free(x.text);
	return rc;
}

enum rc
batch_duplicates(struct keeper *k, struct batch *b, struct err *e)
{
	struct store_done d[BATCH_MAX];
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->o[i].fate == FATE_DUPLICATE) {
			memset(&d[n], 0, sizeof(d[n]));
			opening_msg(&b->o[i], &d[n].msg);
			d[n].ack_due_at = keeper_ack_due(k);
			d[n].action = STORE_ACTION_RELEASE;
			d[n++].release_at = release_at(k, &b->o[i]);
		}
	return n == 0 ? RC_OK :
	    store_in_duplicate(k->st, d, n, clock_now(), e);
}

/* ---- held ----------------------------------------------------------- */

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
		/* Without MAIL it may be an acknowledgement: no loops. */
		return o->v.has_mail ? GATE_ACK_DAMAGED : 0;
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
		h->ack_due_at = keeper_ack_due(k);
	}
	h->sender = o->head.sender[0] != '\0' ? o->head.sender : NULL;
	h->action = STORE_ACTION_RELEASE;
	h->release_at = release_at(k, o);
}

enum rc
batch_hold(struct keeper *k, struct batch *b, struct err *e)
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
