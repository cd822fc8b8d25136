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
#include "flow/patients.h"
#include "store/store_out.h"

#define SKIPPED_MAX 16	/* more: it is not the mails */
#define BATCH_BYTES (8U << 20)	/* of envelopes, but for the first */

/* ---- headers -------------------------------------------------------- */

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
	enum rc rc = keeper_answer(k, &k->vault, IPC_HEAD, o->job, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	o->rc = unpack_err(&r, &o->why);
	head_unpack(&r, &o->head);
	o->jobbed = true;
	return rd_done(&r) ? RC_OK : keeper_odd(k, e);
}

static void
token_put(uint8_t token[IPC_TOKEN_BYTES], const uint8_t *t, uint32_t filing)
{
	memcpy(token, t, GATE_T_BYTES);
	put_be32(token + GATE_T_BYTES, filing);
}

enum rc
keeper_look(struct keeper *k, uint32_t job, const uint8_t *t, uint32_t filing,
    bool *there, struct err *e)
{
	uint8_t token[IPC_TOKEN_BYTES];
	struct frame f;
	enum rc rc;

	token_put(token, t, filing);
	rc = chan_put(&k->clerk.c, IPC_LOOK, job, token, sizeof(token), e);
	if (rc == RC_OK)
		rc = keeper_answer(k, &k->clerk, IPC_FOUND, job, &f, e);
	if (rc != RC_OK)
		return rc;
	if (f.body.len != 1)
		return keeper_odd(k, e);
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

/* Held, or left for a later pass, which must not pass for success. */
static void
not_opened(struct keeper *k, struct opening *o)
{
	o->fate = o->rc != RC_INPUT ? FATE_LEAVE :
	    o->in.filing > 0 ? FATE_UNFILED : FATE_HOLD;
	if (o->fate == FATE_LEAVE)
		keeper_fault(k, "open.failed", o->rc, WHY_LOCAL, &o->why);
}

/* The intent is another copy's, which will be opened or is being; unless it
 * was lost with a damaged store, and this one takes its place. */
static enum rc
others_intent(struct keeper *k, const struct opening *o,
    const struct store_t *t, bool *others, struct err *e)
{
	struct store_in in;
	enum rc rc;

	*others = false;
	if (t->in == o->in.id)
		return RC_OK;
	rc = store_in_get(k->st, t->in, &in, e);
	*others = rc == RC_OK && in.id != 0 && in.state == STORE_INTENT &&
	    memcmp(in.t, o->head.t, sizeof(in.t)) == 0;
	return rc;
}

/* What the journal says. */
static enum rc
judge_t(struct keeper *k, struct opening *o, struct err *e)
{
	struct store_t t;
	bool there = true, others = false;
	enum rc rc;

	if ((rc = store_t_find(k->st, o->head.t, &t, e)) != RC_OK ||
	    (t.state == STORE_T_INTENT &&
	    (rc = others_intent(k, o, &t, &others, e)) != RC_OK))
		return rc;
	if (t.state == STORE_T_DONE)
		o->fate = FATE_DUPLICATE;
	else if (others)
		o->fate = FATE_LEAVE;
	else if (t.state == STORE_T_INTENT &&
	    (rc = keeper_look(k, o->job, o->head.t, 0, &there, e)) == RC_OK &&
	    !there)
		o->flags = GATE_F_DUPLICATE;
	return rc;
}

static enum rc
judge_head(struct keeper *k, struct opening *o, struct err *e)
{
	bool there;

	if (o->rc != RC_OK && o->why.class == EC_NOTFORME &&
	    o->in.filing == 0)
		return returned(k, o, e);
	if (o->rc != RC_OK) {
		not_opened(k, o);
		return RC_OK;
	}
	if (o->in.filing == 0)
		return judge_t(k, o, e);
	o->flags = GATE_F_REFILED;
	return keeper_look(k, o->job, o->head.t, o->in.filing, &there, e);
}

/* ---- bodies --------------------------------------------------------- */

static enum rc
go(struct keeper *k, struct opening *o, struct err *e)
{
	uint8_t body[1 + IPC_TOKEN_BYTES];

	body[0] = o->flags;
	token_put(body + 1, o->head.t, o->in.filing);
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
		return keeper_odd(k, e);
	o->order = ++k->openings;
	o->rc = unpack_err(&r, &o->why);
	if (!verdict_unpack(&r, &o->v) || !rd_done(&r))
		return keeper_odd(k, e);
	return RC_OK;
}

/* Of whom its reports are, as far as this process may know. */
static enum rc
take_patients(struct keeper *k, struct opening *o, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = keeper_answer(k, &k->vault, IPC_PATIENTS, o->job, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if (!patients_unpack(&r, &o->patients, &o->filing.npatients))
		return err_set(e, RC_NOMEM, _("no memory left"));
	o->filing.patients = o->patients;
	o->filing.sender = o->v.author;
	o->filing.places = o->places;
	return rd_done(&r) ? RC_OK : keeper_odd(k, e);
}

/* Mail that was opened for the clerk has a file by now, or cannot have. */
static enum rc
take_ready(struct keeper *k, struct opening *o, struct err *e)
{
	struct frame f;
	struct bytes names;
	struct rd r;
	enum rc rc = keeper_answer(k, &k->clerk, IPC_READY, o->job, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	rc = unpack_err(&r, &o->why);
	names = unpack_run(&r);
	o->filing.flags = rd_32(&r) | patients_flags(o->v.flags);
	o->filing.reports = rd_32(&r);
	unpack_str(&r, o->places, sizeof(o->places));
	if (!rd_done(&r))
		return keeper_odd(k, e);
	if (rc == RC_INPUT) {
		/* More parts than we take apart: no later pass can either. */
		o->rc = rc;
		not_opened(k, o);
		return RC_OK;
	}
	if (rc != RC_OK) {
		err_ctx(&o->why, _("delivery"));
		o->fate = FATE_LEAVE;
		return follow_unfiled(k, &o->why, e);
	}
	o->fate = FATE_FILE;
	if (!buf_add(&o->names, names.p, names.len))
		return err_set(e, RC_NOMEM, _("no memory left"));
	return RC_OK;
}

/* Where the operator forgot "hub = yes" the clerk has what is to be relayed:
 * it may forget it. */
static enum rc
not_to_file(struct keeper *k, struct opening *o, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct frame f;
	struct rd r;
	enum rc rc;

	if (k->p->conf->hub || !o->v.has_mail)
		return RC_OK;
	if ((rc = take_patients(k, o, e)) != RC_OK ||
	    (rc = keeper_answer(k, &k->clerk, IPC_READY, o->job, &f, e)) !=
	    RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	return unpack_err(&r, &ignored) != RC_OK ? RC_OK :
	    chan_put(&k->clerk.c, IPC_CANCEL, o->job, NULL, 0, e);
}

static enum rc
judge(struct keeper *k, struct opening *o, struct err *e)
{
	bool seen = false;
	enum rc rc;

	if (o->rc != RC_OK) {
		not_opened(k, o);
		return RC_OK;
	}
	if (o->v.nroutes > 0) {
		o->fate = o->in.filing > 0 ? FATE_UNFILED : FATE_RELAY;
		return not_to_file(k, o, e);
	}
	o->fate = FATE_DONE;
	if (!o->v.has_mail)
		return RC_OK;
	if ((rc = take_patients(k, o, e)) != RC_OK ||
	    (rc = take_ready(k, o, e)) != RC_OK || o->fate != FATE_FILE ||
	    !o->v.relayed || o->in.filing > 0)
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
	if ((rc = go(k, o, e)) != RC_OK ||
	    (rc = take_verdict(k, o, &feed, e)) != RC_OK)
		return rc;
	return judge(k, o, e);
}

static enum rc
open_body(struct keeper *k, struct opening *o, struct err *e)
{
	struct feed feed = feed_of(k, o);
	enum rc rc;

	if ((rc = go(k, o, e)) != RC_OK ||
	    (rc = take_verdict(k, o, &feed, e)) != RC_OK)
		return rc;
	if (k->p->conf->hub && o->rc == RC_OK && o->v.has_mail &&
	    o->v.nroutes == 0)
		return open_own(k, o, e);
	return judge(k, o, e);
}

/* ---- a batch -------------------------------------------------------- */

static void
batch_free(struct keeper *k, struct batch *b)
{
	struct err ignored = ERR_INIT;

	hub_forget(k);
	for (size_t i = 0; i < b->n; i++) {
		verdict_free(&b->o[i].v);
		buf_free(&b->o[i].names);
		free(b->o[i].patients);
		if (b->o[i].jobbed && k->vault.open)
			(void)chan_put(&k->vault.c, IPC_DROP, b->o[i].job,
			    NULL, 0, &ignored);
	}
	if (k->vault.open)
		(void)chan_put(&k->vault.c, IPC_DROP, 0, NULL, 0, &ignored);
	rows_forget(k);
	free(b);
}

/* A command takes its time for each mail, and what it has taken is taken again
 * when the batch ends early. */
static size_t
batch_max(const struct keeper *k)
{
	return k->opened < k->alone_until || keeper_commands(k) > 0 ? 1 :
	    BATCH_MAX;
}

static enum rc
batch_take(struct keeper *k, struct batch *b, struct err *e)
{
	struct store_in in[BATCH_MAX];
	uint64_t bytes = 0;
	size_t n = 0;
	enum rc rc = store_in_next(k->st, k->opened, in, batch_max(k), &n, e);

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		/* The vault forgets at the end what these would change. */
		if (i > 0 && (bytes + in[i].size > BATCH_BYTES ||
		    in[i].filing != in[0].filing))
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

	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		struct opening *o = &b->o[i];

		rc = judge_head(k, o, e);
		if (rc == RC_OK && o->fate == FATE_OPEN)
			rc = hub_spare(k, o, e);
		if (rc == RC_OK && o->fate == FATE_OPEN)
			rc = open_body(k, o, e);
		if (rc == RC_OK && o->fate == FATE_RELAY)
			rc = hub_relay(k, o, e);
	}
	return rc == RC_OK ? hub_commit(k, e) : rc;
}

static enum rc
batch_run(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc;

	if ((rc = batch_heads(k, b, e)) == RC_OK &&
	    (rc = batch_bodies(k, b, e)) == RC_OK &&
	    (rc = batch_intents(k, b, e)) == RC_OK &&
	    (rc = batch_filed(k, b, e)) == RC_OK &&
	    (rc = batch_delivered(k, b, e)) == RC_OK &&
	    (rc = batch_duplicates(k, b, e)) == RC_OK)
		rc = batch_hold(k, b, e);
	return rc;
}

/* ---- a child that dies ---------------------------------------------- */

/* Both answer a question that costs nothing: what ended them was the mail. */
static enum rc
well(struct keeper *k, struct err *e)
{
	static const uint8_t no_t[GATE_T_BYTES];
	uint32_t job = ++k->job;
	struct frame f;
	bool there;
	enum rc rc = keeper_need_vault(k, e);

	if (rc == RC_OK)
		rc = chan_put(&k->vault.c, IPC_SELVES, job, NULL, 0, e);
	if (rc == RC_OK)
		rc = keeper_answer(k, &k->vault, IPC_SELVES, job, &f, e);
	return rc == RC_OK ? keeper_look(k, job, no_t, 0, &there, e) : rc;
}

/* Held only where others get through: what fails with every mail is no mail's
 * fault, and left as it is. */
static enum rc
hold_killer(struct keeper *k, struct batch *b, const struct err *why,
    struct err *e)
{
	struct opening *o = &b->o[0];

	k->opened = o->in.id;
	if (!k->works) {
		k->left = true;
		return ++k->skipped < SKIPPED_MAX ? RC_OK :
		    err_set(e, RC_TEMP, "%s", why->text);
	}
	err_class(&o->why, EC_POLICY, _("a process of sceau ended each time "
	    "it was opened; kept sealed, the others go on. Please report "
	    "it"));
	o->rc = RC_INPUT;
	not_opened(k, o);
	return o->fate == FATE_HOLD ? batch_hold(k, b, e) :
	    batch_refiled(k, b, e);
}

/* One mail must not keep the others from being read, now and at each pass to
 * come: those of a batch that was cut short go one by one, and the one that
 * ends vault or clerk twice when it is alone with them is put aside. */
static enum rc
batch_died(struct keeper *k, struct batch *b, const struct err *why,
    struct err *e)
{
	int64_t first = b->o[0].in.id;

	keeper_fault(k, "process.died", RC_TEMP, WHY_LOCAL, why);
	keeper_rest(k);
	for (size_t i = 0; i < b->n; i++)
		b->o[i].jobbed = false;		/* the vault that knew it */
	k->opened = first - 1;
	if (b->n > 1) {
		k->alone_until = b->o[b->n - 1].in.id;
		return RC_OK;
	}
	if (k->killer == first)
		return hold_killer(k, b, why, e);
	k->killer = first;
	return well(k, e);
}

static bool
died(const struct keeper *k, enum rc rc)
{
	return (rc == RC_TEMP || rc == RC_NOMEM) &&
	    ((k->vault.open && k->vault.done) ||
	    (k->clerk.open && k->clerk.done));
}

static enum rc
batch_open(struct keeper *k, struct batch *b, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc = keeper_need_vault(k, e);

	if (rc != RC_OK)
		return rc;
	rc = batch_run(k, b, &why);
	if (died(k, rc))
		return batch_died(k, b, &why, e);
	for (size_t i = 0; i < b->n; i++)
		k->left = k->left || b->o[i].fate == FATE_LEAVE;
	return rc == RC_OK ? RC_OK : err_set(e, rc, "%s", why.text);
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
		rc = batch_open(k, b, e);
	}
	batch_free(k, b);
	return rc;
}
