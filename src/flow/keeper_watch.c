/*
 * Acknowledged filing: delivered files are looked for at each pass, and once
 * the practice's software has taken them the sender is told "opened".
 */
#include "config.h"

#include "base/clock.h"
#include "base/fault.h"
#include "flow/keeper.h"
#include "store/store_ack.h"

#define TAKEN_MAX 64
#define WATCH_S 60

/* What one round has found; a commit for many. */
struct found {
	int64_t	id[TAKEN_MAX];
	size_t	n;
};

static enum rc
settle(struct keeper *k, struct found *f, bool opened, struct err *e)
{
	size_t n = f->n;
	enum rc rc;

	f->n = 0;
	if (n == 0)
		return RC_OK;
	FAULT("keeper.watch.before");
	rc = store_watch_taken(k->st, f->id, n, opened, clock_now(),
	    keeper_ack_due(k), e);
	FAULT("keeper.watch.after");
	return rc;
}

static enum rc
add(struct keeper *k, struct found *f, int64_t id, bool opened, struct err *e)
{
	f->id[f->n++] = id;
	return f->n == TAKEN_MAX ? settle(k, f, opened, e) : RC_OK;
}

static enum rc
ask(struct keeper *k, const struct buf *names, enum watched *answer,
    struct err *e)
{
	uint32_t job = ++k->job;
	struct frame f;
	enum rc rc = keeper_need_vault(k, e);

	if (rc == RC_OK)
		rc = chan_put(&k->clerk.c, IPC_WATCH, job, names->p,
		    names->len, e);
	if (rc == RC_OK)
		rc = keeper_answer(k, &k->clerk, IPC_WATCHED, job, &f, e);
	if (rc != RC_OK)
		return rc;
	if (f.body.len != 1 || f.body.p[0] > WATCHED_FORGET)
		return keeper_odd(k, e);
	*answer = (enum watched)f.body.p[0];
	return RC_OK;
}

enum rc
watch_look(struct keeper *k, struct err *e)
{
	struct found taken = { .n = 0 }, forget = { .n = 0 };
	struct buf names = BUF_INIT;
	enum watched answer = WATCHED_THERE;
	int64_t id = 0;
	enum rc rc;

	k->watch_more = false;
	k->watch_at = clock_now() + WATCH_S;
	while ((rc = store_watch_next(k->st, &id, &names, e)) == RC_OK &&
	    id != 0 && !k->stop &&
	    (rc = ask(k, &names, &answer, e)) == RC_OK) {
		if (answer == WATCHED_TAKEN)
			rc = add(k, &taken, id, true, e);
		else if (answer == WATCHED_FORGET)
			rc = add(k, &forget, id, false, e);
		if (rc != RC_OK)
			break;
	}
	if (rc == RC_OK)
		rc = settle(k, &taken, true, e);
	if (rc == RC_OK)
		rc = settle(k, &forget, false, e);
	buf_free(&names);
	return rc;
}
