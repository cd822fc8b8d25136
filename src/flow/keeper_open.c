/*
 * From fetched to delivered, many messages at a time (PROTOCOL 2.11): opened,
 * intents, names, delivered.  Each step is done for the whole batch before the
 * next, so that a batch costs two commits.  The first of the next batch go to
 * the vault before the last step of one: vault and clerk open them while the
 * keeper writes.
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
/* The vault keeps the rows of so many, unless there are more: then it forgets
 * them, as its memory is not to grow. */
#define BATCHES_KEPT 4
#define ROWS_KEPT 64

/* ---- a batch -------------------------------------------------------- */

/* Vault and clerk are done with them. */
static enum rc
batch_drop(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < b->n; i++)
		if (b->o[i].jobbed && k->vault.open) {
			b->o[i].jobbed = false;
			rc = chan_put(&k->vault.c, IPC_DROP, b->o[i].job,
			    NULL, 0, e);
		}
	return rc;
}

static void
batch_free(struct keeper *k, struct batch *b)
{
	struct err ignored = ERR_INIT;

	if (b == NULL)
		return;
	hub_forget(k);
	(void)batch_drop(k, b, &ignored);
	for (size_t i = 0; i < b->n; i++) {
		verdict_free(&b->o[i].v);
		buf_free(&b->o[i].names);
		free(b->o[i].patients);
	}
	free(b);
}

/* What the vault knows of rows is what the store has, again. */
static void
forget(struct keeper *k)
{
	struct err ignored = ERR_INIT;

	if (k->vault.open)
		(void)chan_put(&k->vault.c, IPC_DROP, 0, NULL, 0, &ignored);
	rows_forget(k);
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

/* Only behind mails of the everyday kind, that are files by now: whoever ends
 * vault or clerk from here on is none of them. */
static bool
may_go_ahead(const struct keeper *k, const struct batch *b)
{
	if (k->p->conf->hub || k->stop || b->n == 1 || batch_max(k) == 1 ||
	    b->nth + 1 >= BATCHES_KEPT || rows_lent(k) > ROWS_KEPT ||
	    b->o[0].in.filing > 0)
		return false;
	for (size_t i = 0; i < b->n; i++)
		if (b->o[i].fate != FATE_FILE)
			return false;
	return true;
}

/* Acknowledgements of those in front, while nobody is being opened: the vault
 * has nothing else to answer, and these are files whatever becomes of it.
 * ${*same}: it is the one that knows what they change. */
static enum rc
seal_in_front(struct keeper *k, struct batch *b, bool *same, struct err *e)
{
	unsigned rests = k->rests;
	/* Its places for jobs are as many as there are in a batch. */
	enum rc rc = batch_drop(k, b, e);

	if (rc == RC_OK && b->nth > 0 && k->p->conf->route != NULL)
		rc = seal_full_acks(k, e);
	*same = k->rests == rests && !k->vault.done && !k->clerk.done;
	return rc;
}

/* The next ones to the vault; ${*behind}: owned, or NULL. */
static enum rc
go_ahead(struct keeper *k, struct batch *b, struct batch **behind,
    struct err *e)
{
	int64_t opened = k->opened;
	struct batch *next;
	bool same;
	enum rc rc;

	if (!may_go_ahead(k, b))
		return RC_OK;
	if ((rc = seal_in_front(k, b, &same, e)) != RC_OK || !same)
		return rc;
	if ((next = calloc(1, sizeof(*next))) == NULL)
		return err_nomem(e);
	rc = batch_take(k, next, e);
	if (rc != RC_OK || next->n == 0 || next->o[0].in.filing > 0) {
		k->opened = opened;
		free(next);
		return rc;
	}
	*behind = next;
	next->nth = b->nth + 1;
	return batch_ahead(k, next, e);
}

static enum rc
batch_run(struct keeper *k, struct batch *b, struct batch **behind,
    struct err *e)
{
	enum rc rc;

	if ((rc = batch_bodies(k, b, e)) == RC_OK &&
	    (rc = batch_intents(k, b, e)) == RC_OK &&
	    (rc = batch_filed(k, b, e)) == RC_OK &&
	    (rc = go_ahead(k, b, behind, e)) == RC_OK &&
	    (rc = batch_delivered(k, b, e)) == RC_OK &&
	    (rc = batch_duplicates(k, b, e)) == RC_OK)
		rc = batch_hold(k, b, e);
	store_read_end(k->st);
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
	opening_not(k, o);
	return o->fate == FATE_HOLD ? batch_hold(k, b, e) :
	    batch_refiled(k, b, e);
}

/* One mail must not keep the others from being read, now and at each pass to
 * come: those of a batch that was cut short go one by one, and the one that
 * ends vault or clerk twice when it is alone with them is put aside. */
static enum rc
batch_died(struct keeper *k, struct batch *b, struct batch *behind,
    const struct err *why, struct err *e)
{
	int64_t first = b->o[0].in.id;

	keeper_fault(k, "process.died", RC_TEMP, WHY_LOCAL, why);
	keeper_rest(k);
	rows_forget(k);
	/* The vault that knew them. */
	for (size_t i = 0; i < b->n; i++)
		b->o[i].jobbed = false;
	for (size_t i = 0; behind != NULL && i < behind->n; i++)
		behind->o[i].jobbed = false;
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
batch_open(struct keeper *k, struct batch *b, struct batch **behind,
    struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc = RC_OK;

	/* One that was begun goes on with those who know it. */
	if (b->given == 0)
		rc = keeper_need_vault(k, e);
	if (rc != RC_OK)
		return rc;
	rc = batch_run(k, b, behind, &why);
	if (died(k, rc)) {
		rc = batch_died(k, b, *behind, &why, e);
		batch_free(k, *behind);
		*behind = NULL;
		return rc;
	}
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
		return err_nomem(e);
	rc = batch_take(k, b, e);
	while (rc == RC_OK && b != NULL && b->n > 0) {
		struct batch *behind = NULL;

		*some = true;
		rc = batch_open(k, b, &behind, e);
		batch_free(k, b);
		b = behind;
	}
	batch_free(k, b);
	forget(k);
	return rc;
}
