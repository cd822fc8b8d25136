/* What was filed before and is asked for again: nobody is told of it, and
 * nothing of what it says is done twice. */
#include "config.h"

#include "base/clock.h"
#include "base/fault.h"
#include "flow/opening.h"
#include "store/store_kept.h"

/* Of itself nothing is warned: what was found when it came first is said. */
static enum rc
file_again(struct keeper *k, struct opening *o, struct err *e)
{
	enum rc rc = store_inbox_odd(k->st, o->head.t, o->filing.odd, e);

	for (size_t i = 0; i < o->filing.npatients; i++)
		if (store_odd(o->filing.odd, i))
			o->filing.flags |= STORE_INBOX_OTHER_BIRTH;
	return rc == RC_OK ? opening_file(k, o, e) : rc;
}

/* No intent: a crash leaves the row to be opened, and the names it gave. */
enum rc
batch_refile(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < b->n; i++)
		if (b->o[i].fate == FATE_FILE)
			rc = file_again(k, &b->o[i], e);
	return rc == RC_OK ?
	    chan_put(&k->clerk.c, IPC_SETTLE, 0, NULL, 0, e) : rc;
}

static void
say(struct keeper *k, const struct opening *o, bool filed)
{
	char t[2 * STORE_T_BYTES + 1];

	hex_format(o->in.t, sizeof(o->in.t), t);
	if (filed) {
		keeper_event(k, "in.refiled", "t=%.20s from=%s", t,
		    o->v.author);
		return;
	}
	keeper_worse(k, RC_INPUT, WHY_NONE);
	keeper_event(k, "in.not_refiled", "t=%.20s class=%s why=\"%.200s\"", t,
	    err_class_name(o->why.class), o->why.text);
}

enum rc
batch_refiled(struct keeper *k, struct batch *b, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		struct opening *o = &b->o[i];
		bool filed = o->fate == FATE_FILE;

		if (o->fate == FATE_LEAVE)
			continue;
		FAULT("keeper.refiled.before");
		o->filing.at = clock_now();
		rc = store_refiled(k->st, o->in.id, filed ? &o->filing : NULL,
		    e);
		FAULT("keeper.refiled.after");
		if (rc != RC_OK)
			return rc;
		k->works = k->works || filed;
		say(k, o, filed);
	}
	return rc;
}
