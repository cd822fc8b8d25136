/* What may go from a server once it is here. */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/lang.h"
#include "flow/keeper.h"
#include "wire/source.h"

#define DUE_AT_ONCE 256
#define AHEAD 1000	/* delivered: enough for a server to be busy with */
/* Of the answer's frame, an octet longer for each; one has room behind it. */
#define RELEASE_FULL (CHAN_MAX_BYTES - 2 * STORE_UID_MAX_BYTES)

int64_t
keeper_release_at(const struct conf_account *a)
{
	if (a->after != CONF_AFTER_KEEP)
		return 0;	/* also by a clock that is set back later */
	return a->keep_days == 0 ? CLOCK_FOREVER :
	    clock_now() + (int64_t)a->keep_days * 86400;
}

static enum conf_after
after_of(const struct account *a, uint8_t action)
{
	if (action == ACTION_UNSEALED)
		return CONF_AFTER_MOVE;
	if (action != STORE_ACTION_RELEASE)
		return CONF_AFTER_KEEP;
	/* Due at all: its days are over. */
	return a->conf->after == CONF_AFTER_KEEP && a->conf->keep_days > 0 ?
	    CONF_AFTER_DELETE : a->conf->after;
}

/* One after the other into the frame, while the same is to become of them;
 * ${*full}: what is left is for another frame. */
static bool
ask_for(struct account *a, const struct store_in *due, size_t n,
    uint8_t *action, struct buf *b, bool *full)
{
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++) {
		if (after_of(a, due[i].action) == CONF_AFTER_KEEP) {
			a->release_after = due[i].id;
			continue;
		}
		*full = a->nasked == IPC_UIDS_MAX ||
		    b->len + a->nasked > RELEASE_FULL ||
		    (a->nasked > 0 && due[i].action != *action);
		if (*full)
			break;
		if (a->nasked == 0) {
			*action = due[i].action;
			ok = buf_add8(b, (uint8_t)after_of(a, *action)) &&
			    buf_add8(b, *action == ACTION_UNSEALED);
		}
		ok = ok && pack_run(b, due[i].uid.p, due[i].uid.len);
		a->release_after = due[i].id;
		a->asked_ids[a->nasked++] = due[i].id;
	}
	return ok;
}

static enum rc
release_more(struct keeper *k, struct account *a, bool *some, struct err *e)
{
	struct store_in *due = calloc(DUE_AT_ONCE, sizeof(*due));
	uint8_t action = STORE_ACTION_KEEP;
	bool ok = true, full = false;
	struct buf b = BUF_INIT;
	enum rc rc = RC_OK;
	size_t n;

	*some = false;
	if (due == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	do {
		rc = store_release_due(k->st, a->conf->name, clock_now(),
		    a->release_after, due, DUE_AT_ONCE, &n, e);
		if (rc == RC_OK)
			ok = ask_for(a, due, n, &action, &b, &full);
	} while (rc == RC_OK && ok && !full && n == DUE_AT_ONCE);
	free(due);
	if (rc == RC_OK && a->nasked > 0) {
		a->state = AC_RELEASING;
		*some = true;
		return ipc_put(&a->line.c, IPC_RELEASE, 0, &b, ok, e);
	}
	buf_free(&b);
	return rc;
}

/* POP3 deletes when it says goodbye: one release, then the end. */
static enum rc
release_account(struct keeper *k, struct account *a, struct err *e)
{
	bool some = false;
	enum rc rc = RC_OK;

	if (!k->p->dry_run && !(a->conf->protocol == CONF_POP3 &&
	    a->release_after > 0))
		rc = release_more(k, a, &some, e);
	if (rc != RC_OK || some)
		return rc;
	if (k->p->stay && !k->stop && a->conf->idle &&
	    a->conf->protocol == CONF_IMAP && accounts_may_wait(k)) {
		if ((rc = follow_account(k, a, e)) != RC_OK)
			return rc;
		account_refused(k, a);
		a->state = AC_WAITING;
		return chan_put(&a->line.c, IPC_WAIT, 0, NULL, 0, e);
	}
	a->state = AC_LEAVING;
	return chan_put(&a->line.c, IPC_FINISH, 0, "", accounts_waiting(k) ?
	    0 : 1, e);
}

enum rc
account_released(struct keeper *k, struct account *a, const struct frame *f,
    struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	int64_t *gone = calloc(2 * a->nasked + 1, sizeof(*gone));
	int64_t *marked = gone + a->nasked;
	size_t i = 0, n = 0, m = 0;
	enum rc rc = RC_OK;

	if (gone == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	while (r.left > 0 && !r.bad) {
		enum source_done done = (enum source_done)rd_8(&r);
		struct bytes id = unpack_run(&r);

		/* In the order in which they were asked for. */
		if (id.len > STORE_UID_MAX_BYTES || i == a->nasked)
			r.bad = true;
		else if (done == SOURCE_RELEASED || done == SOURCE_UNSURE)
			gone[n++] = a->asked_ids[i++];
		else if (done == SOURCE_MARKED)
			marked[m++] = a->asked_ids[i++];
		else
			i++;
	}
	if (!r.bad && n > 0)
		rc = store_released(k->st, gone, n, e);
	if (rc == RC_OK && !r.bad && m > 0)
		rc = store_marked(k->st, marked, m, e);
	free(gone);
	a->nasked = 0;
	a->state = AC_FETCHED;
	return rc == RC_OK && r.bad ? line_bad(&a->line, e) : rc;
}

enum rc
accounts_release(struct keeper *k, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < pass_naccounts(k->p); i++) {
		struct account *a = &k->accounts[i];

		if (a->state == AC_FETCHED && a->line.open)
			rc = release_account(k, a, e);
		else if (a->state == AC_WAITING && k->stop && a->line.open) {
			a->state = AC_LEAVING;
			rc = chan_put(&a->line.c, IPC_FINISH, 0, NULL, 0, e);
		}
	}
	return rc;
}

/* A server of IMAP takes its time to remove what is delivered, and its session
 * has nothing else to do while more is opened. */
enum rc
accounts_release_ahead(struct keeper *k, struct err *e)
{
	bool some;
	enum rc rc = RC_OK;

	if (k->delivered < AHEAD || k->p->dry_run)
		return RC_OK;
	k->delivered = 0;
	for (size_t i = 0; rc == RC_OK && i < pass_naccounts(k->p); i++) {
		struct account *a = &k->accounts[i];

		if (a->state != AC_FETCHED || !a->line.open ||
		    a->conf->protocol != CONF_IMAP ||
		    a->conf->after == CONF_AFTER_KEEP)
			continue;
		rc = release_more(k, a, &some, e);
		/* One before these may be delivered behind them. */
		a->release_after = 0;
	}
	return rc;
}
