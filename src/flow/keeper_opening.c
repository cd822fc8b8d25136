/*
 * The messages of a batch on their way through vault and clerk, several at a
 * time: what is asked of them, and what they answer.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "flow/opening.h"
#include "flow/patients.h"
#include "store/store_out.h"

/* ---- headers -------------------------------------------------------- */

static enum rc
send_head(struct keeper *k, struct opening *o, enum gate_mode mode,
    const struct buf *part, struct err *e)
{
	uint8_t first[1 + GATE_HEADER_MAX] = { (uint8_t)mode };
	size_t len = part->len < GATE_HEADER_MAX ? part->len : GATE_HEADER_MAX;

	o->job = ++k->job;
	o->jobbed = true;
	if (len > 0)
		memcpy(first + 1, part->p, len);
	return chan_put(&k->vault.c, IPC_OPEN, o->job, first, 1 + len, e);
}

static struct opening *
opening_of(struct batch *b, uint32_t job)
{
	for (size_t i = 0; i < b->given; i++)
		if (b->o[i].job == job)
			return &b->o[i];
	return NULL;
}

/* Of whom the reports of a mail are, as far as this process may know. */
static enum rc
on_patients(struct keeper *k, struct batch *b, const struct frame *f,
    struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	struct opening *o = opening_of(b, f->job);

	if (o == NULL || o->told)
		return keeper_odd(k, e);
	if (!patients_unpack(&r, &o->patients, &o->filing.npatients))
		return err_set(e, RC_NOMEM, _("no memory left"));
	o->told = true;
	return rd_done(&r) ? RC_OK : keeper_odd(k, e);
}

/* Mail that was opened for the clerk has a file by now, or cannot have. */
static enum rc
on_ready(struct keeper *k, struct batch *b, const struct frame *f,
    struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	struct opening *o = opening_of(b, f->job);
	struct bytes names;

	if (o == NULL || o->ready)
		return keeper_odd(k, e);
	o->ready = true;
	(void)unpack_err(&r, &o->unready);
	names = unpack_run(&r);
	o->filing.flags = rd_32(&r);
	o->filing.reports = rd_32(&r);
	unpack_str(&r, o->places, sizeof(o->places));
	if (!rd_done(&r) || names.len > STORE_NAMES_MAX_BYTES)
		return keeper_odd(k, e);
	return buf_add(&o->names, names.p, names.len) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

/* The vault's or the clerk's next word on that one, while others are on their
 * way; what comes of mail that is open by now comes when it comes. */
static enum rc
says(struct keeper *k, struct batch *b, struct line *l, enum ipc type,
    const struct opening *o, struct frame *f, struct err *e)
{
	enum rc rc;

	while ((rc = keeper_wait(k, l, f, &b->feed, e)) == RC_OK) {
		if (l == &k->vault && f->type == IPC_PATIENTS)
			rc = on_patients(k, b, f, e);
		else if (l == &k->clerk && f->type == IPC_READY)
			rc = on_ready(k, b, f, e);
		else
			break;
		if (rc != RC_OK || f->type == type)
			return rc;
	}
	return rc != RC_OK || (f->type == type && f->job == o->job) ? rc :
	    keeper_odd(k, e);
}

static enum rc
take_head(struct keeper *k, struct batch *b, struct opening *o, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = says(k, b, &k->vault, IPC_HEAD, o, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	o->rc = unpack_err(&r, &o->why);
	head_unpack(&r, &o->head);
	return rd_done(&r) ? RC_OK : keeper_odd(k, e);
}

static void
token_put(uint8_t token[IPC_TOKEN_BYTES], const uint8_t *t, uint32_t filing)
{
	memcpy(token, t, GATE_T_BYTES);
	put_be32(token + GATE_T_BYTES, filing);
}

static enum rc
ask_look(struct keeper *k, uint32_t job, const uint8_t *t, uint32_t filing,
    struct err *e)
{
	uint8_t token[IPC_TOKEN_BYTES];

	token_put(token, t, filing);
	return chan_put(&k->clerk.c, IPC_LOOK, job, token, sizeof(token), e);
}

static enum rc
found(struct keeper *k, const struct frame *f, bool *there, struct err *e)
{
	if (f->body.len != 1)
		return keeper_odd(k, e);
	*there = f->body.p[0] != 0;
	return RC_OK;
}

enum rc
keeper_look(struct keeper *k, uint32_t job, const uint8_t *t, uint32_t filing,
    bool *there, struct err *e)
{
	struct frame f;
	enum rc rc;

	if ((rc = ask_look(k, job, t, filing, e)) != RC_OK ||
	    (rc = keeper_answer(k, &k->clerk, IPC_FOUND, job, &f, e)) !=
	    RC_OK)
		return rc;
	return found(k, &f, there, e);
}

/* The same while others of the batch are on their way. */
static enum rc
look(struct keeper *k, struct batch *b, struct opening *o, bool *there,
    struct err *e)
{
	struct frame f;
	enum rc rc;

	if ((rc = ask_look(k, o->job, o->head.t, o->in.filing, e)) != RC_OK ||
	    (rc = says(k, b, &k->clerk, IPC_FOUND, o, &f, e)) != RC_OK)
		return rc;
	return found(k, &f, there, e);
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

void
opening_not(struct keeper *k, struct opening *o)
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
judge_t(struct keeper *k, struct batch *b, struct opening *o, struct err *e)
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
	    (rc = look(k, b, o, &there, e)) == RC_OK && !there)
		o->flags = GATE_F_DUPLICATE;
	return rc;
}

static enum rc
judge_head(struct keeper *k, struct batch *b, struct opening *o,
    struct err *e)
{
	bool there;

	if (o->rc != RC_OK && o->why.class == EC_NOTFORME &&
	    o->in.filing == 0)
		return returned(k, o, e);
	if (o->rc != RC_OK) {
		opening_not(k, o);
		return RC_OK;
	}
	if (o->sent)
		return RC_OK;
	if (o->in.filing == 0)
		return judge_t(k, b, o, e);
	o->flags = GATE_F_REFILED;
	return look(k, b, o, &there, e);
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
take_verdict(struct keeper *k, struct batch *b, struct opening *o,
    struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = says(k, b, &k->vault, IPC_VERDICT, o, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	o->order = ++k->openings;
	o->rc = unpack_err(&r, &o->why);
	if (!verdict_unpack(&r, &o->v) || !rd_done(&r))
		return keeper_odd(k, e);
	return RC_OK;
}

/* What the vault and the clerk have to say of a mail that is good. */
static enum rc
take_rest(struct keeper *k, struct batch *b, struct opening *o, struct err *e)
{
	struct frame f;
	enum rc rc = RC_OK;

	while (rc == RC_OK && !o->told)
		rc = says(k, b, &k->vault, IPC_PATIENTS, o, &f, e);
	while (rc == RC_OK && !o->ready)
		rc = says(k, b, &k->clerk, IPC_READY, o, &f, e);
	return rc;
}

static enum rc
take_ready(struct keeper *k, struct batch *b, struct opening *o,
    struct err *e)
{
	enum rc rc = take_rest(k, b, o, e);

	if (rc != RC_OK)
		return rc;
	o->filing.patients = o->patients;
	o->filing.sender = o->v.author;
	o->filing.places = o->places;
	o->filing.flags |= patients_flags(o->v.flags);
	if (o->unready.rc == RC_OK) {
		o->fate = FATE_FILE;
		return RC_OK;
	}
	o->why = o->unready;
	if (o->why.rc == RC_INPUT) {
		/* More parts than we take apart: no later pass can either. */
		o->rc = RC_INPUT;
		opening_not(k, o);
		return RC_OK;
	}
	err_ctx(&o->why, _("delivery"));
	o->fate = FATE_LEAVE;
	return follow_unfiled(k, &o->why, e);
}

/* Where the operator forgot "hub = yes" the clerk has what is to be relayed:
 * it may forget it. */
static enum rc
not_to_file(struct keeper *k, struct batch *b, struct opening *o,
    struct err *e)
{
	enum rc rc;

	if (k->p->conf->hub || !o->v.has_mail)
		return RC_OK;
	rc = take_rest(k, b, o, e);
	return rc != RC_OK || o->unready.rc != RC_OK ? rc :
	    chan_put(&k->clerk.c, IPC_CANCEL, o->job, NULL, 0, e);
}

static enum rc
judge(struct keeper *k, struct batch *b, struct opening *o, struct err *e)
{
	bool seen = false;
	enum rc rc;

	if (o->rc != RC_OK) {
		opening_not(k, o);
		return RC_OK;
	}
	/* Once more, of the archive: for who is here. */
	if (o->v.nroutes > 0 && o->in.filing == 0) {
		o->fate = FATE_RELAY;
		return not_to_file(k, b, o, e);
	}
	o->fate = FATE_DONE;
	if (!o->v.has_mail)
		return RC_OK;
	if ((rc = take_ready(k, b, o, e)) != RC_OK || o->fate != FATE_FILE ||
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

/* From its first part on; ${skip}: what of that has been sent. */
static void
feed_body(struct keeper *k, struct batch *b, const struct opening *o)
{
	b->feed.to = &k->vault;
	b->feed.job = o->job;
	b->feed.body = o->in.body;
	b->feed.part = 0;
	b->feed.skip = o->head.len;
}

/* A T that the journal does not know, whether or not the header is authentic:
 * nothing but the vault's word is needed to open it. */
static enum rc
is_fresh(struct keeper *k, struct opening *o, const struct buf *part,
    bool *fresh, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct store_t t;
	enum rc rc;

	*fresh = false;
	if (o->in.filing > 0 || (k->p->conf->hub &&
	    o->in.size > HUB_SPARE_BYTES) ||
	    gate_peek(part->p, part->len, &o->head, &ignored) != RC_OK)
		return RC_OK;
	rc = store_t_find(k->st, o->head.t, &t, e);
	*fresh = t.state != STORE_T_DONE && t.state != STORE_T_INTENT;
	return rc;
}

/* The header, and the first part with it when that is all that it waits for:
 * the vault says of both what it has to say when it has read them. */
static enum rc
give(struct keeper *k, struct batch *b, struct opening *o, struct err *e)
{
	struct buf part = BUF_INIT;
	bool fresh = false;
	enum rc rc = store_read_begin(k->st, e);

	if (rc == RC_OK)
		rc = store_body_part(k->st, o->in.body, 0, &part, e);
	if (rc == RC_OK)
		rc = send_head(k, o, k->p->conf->hub ? GATE_DIGEST :
		    GATE_DELIVER, &part, e);
	if (rc == RC_OK)
		rc = is_fresh(k, o, &part, &fresh, e);
	o->wait = !fresh;
	if (rc == RC_OK && fresh && (rc = go(k, o, e)) == RC_OK) {
		feed_body(k, b, o);
		b->feed.part = 1;
		rc = feed_put(&b->feed, part.p + o->head.len,
		    part.len - o->head.len, e);
	}
	if (rc == RC_OK && fresh && part.len >= o->in.size)
		rc = feed_end(&b->feed, e);
	buf_free(&part);
	return rc;
}

/* The next ones go to the vault while it is busy with those before. */
static enum rc
give_next(struct keeper *k, void *arg, bool *more, struct err *e)
{
	struct batch *b = arg;

	*more = b->given < b->n &&
	    (b->given <= b->at || !b->o[b->given - 1].wait);
	return *more ? give(k, b, &b->o[b->given++], e) : RC_OK;
}

/* Mail for the gateway itself, or of its archive: it was only looked at. */
static bool
is_own(const struct keeper *k, const struct opening *o)
{
	return k->p->conf->hub && o->fate == FATE_OPEN && o->rc == RC_OK &&
	    o->v.has_mail && (o->v.nroutes == 0 || o->in.filing > 0);
}

/* Now for the clerk. */
static enum rc
open_own(struct keeper *k, struct batch *b, struct opening *o, struct err *e)
{
	struct buf part = BUF_INIT;
	enum rc rc;

	if ((rc = chan_put(&k->vault.c, IPC_DROP, o->job, NULL, 0, e)) !=
	    RC_OK)
		return rc;
	verdict_free(&o->v);
	rc = store_body_part(k->st, o->in.body, 0, &part, e);
	if (rc == RC_OK)
		rc = send_head(k, o, GATE_DELIVER, &part, e);
	buf_free(&part);
	if (rc != RC_OK || (rc = take_head(k, b, o, e)) != RC_OK)
		return rc;
	if (o->rc != RC_OK)
		return judge(k, b, o, e);
	feed_body(k, b, o);
	if ((rc = go(k, o, e)) != RC_OK ||
	    (rc = take_verdict(k, b, o, e)) != RC_OK)
		return rc;
	return judge(k, b, o, e);
}

/* Nothing more is asked of the vault: what it took to read the header is free
 * before the next one, and it is given no more of the body. */
static enum rc
let_go(struct keeper *k, struct batch *b, struct opening *o, struct err *e)
{
	if (b->feed.to != NULL && b->feed.job == o->job)
		b->feed.to = NULL;
	o->jobbed = false;
	return chan_put(&k->vault.c, IPC_DROP, o->job, NULL, 0, e);
}

static enum rc
open_one(struct keeper *k, struct batch *b, struct opening *o, struct err *e)
{
	enum rc rc;

	if ((rc = take_head(k, b, o, e)) != RC_OK ||
	    (rc = judge_head(k, b, o, e)) != RC_OK)
		return rc;
	if (!o->sent && o->fate == FATE_OPEN &&
	    (rc = hub_spare(k, o, e)) == RC_OK && o->fate == FATE_OPEN) {
		feed_body(k, b, o);
		rc = go(k, o, e);
	}
	if (rc != RC_OK)
		return rc;
	return o->fate == FATE_OPEN ? take_verdict(k, b, o, e) :
	    let_go(k, b, o, e);
}

/* ---- all of them ---------------------------------------------------- */

static void
feed_begin(struct batch *b)
{
	if (b->feed.next == NULL)
		b->feed = (struct feed){ .type = IPC_SEALED,
		    .end = IPC_SEALED_END, .next = give_next, .arg = b };
}

/* What the socket has taken makes room for as much again behind it. */
enum rc
batch_ahead(struct keeper *k, struct batch *b, struct err *e)
{
	struct err gone = ERR_INIT;
	enum rc rc = RC_OK;

	feed_begin(b);
	for (int i = 0; rc == RC_OK && i < 2; i++)
		/* A vault that is gone is seen when it is read. */
		if ((rc = feed_pump(k, &b->feed, e)) == RC_OK &&
		    chan_flush(&k->vault.c, &gone) != RC_OK)
			break;
	return rc;
}

enum rc
batch_bodies(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc = RC_OK;

	feed_begin(b);
	for (; rc == RC_OK && b->at < b->n; b->at++)
		rc = open_one(k, b, &b->o[b->at], e);
	for (size_t i = 0; rc == RC_OK && i < b->n; i++)
		if (b->o[i].fate == FATE_OPEN && !is_own(k, &b->o[i]))
			rc = judge(k, b, &b->o[i], e);
	/* These ask the vault more, and it has nothing else to answer now. */
	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		struct opening *o = &b->o[i];

		k->hub_busy = k->p->conf->hub;
		if (is_own(k, o))
			rc = open_own(k, b, o, e);
		if (rc == RC_OK && o->fate == FATE_RELAY)
			rc = hub_relay(k, o, e);
	}
	if (rc == RC_OK)
		rc = hub_commit(k, e);
	k->hub_busy = false;
	return rc;
}
