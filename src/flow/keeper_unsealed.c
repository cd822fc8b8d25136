/*
 * Mail that is not sealed, where an account wants it delivered.  Nothing of
 * it is ever in the store: it goes from its server through here to the clerk,
 * and is passed over once it is filed.  Until then it is wanted at each pass;
 * its files are found again by names made of where it lies.
 */
#include "config.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "conf/place.h"
#include "flow/keeper.h"

#define AT_ONCE 64		/* filed with one sync */
#define AHEAD_BYTES (1U << 20)	/* that wait for the clerk */
#define CLERK_MS (60 * 1000)
#define TURN_MS (60 * 1000)	/* then what else there is has its own */

/* One of them on its way. */
struct raw {
	struct store_uid	uid;
	uint32_t		job;
	bool			ready, filed, never;
};

/* ---- from fetch --------------------------------------------------------- */

static enum rc
pace(struct keeper *k, struct err *e)
{
	struct pollfd p = { k->clerk.c.fd, POLLOUT, 0 };
	enum rc rc = RC_OK;

	while (rc == RC_OK && chan_pending(&k->clerk.c) > AHEAD_BYTES) {
		if (poll(&p, 1, CLERK_MS) == 0 || (p.revents & POLLERR) != 0)
			return err_set(e, RC_TEMP,
			    _("a process of sceau does not answer"));
		rc = chan_flush(&k->clerk.c, e);
	}
	return rc;
}

/* What the clerk cannot take is its end, and not this session's. */
static void
pass_on(struct keeper *k, struct account *a, const struct frame *f)
{
	struct err why = ERR_INIT;

	if (k->clerk.done || !k->clerk.open)
		return;
	if (chan_put(&k->clerk.c, IPC_RAW, a->raw_job, f->body.p, f->body.len,
	    &why) != RC_OK || pace(k, &why) != RC_OK)
		k->clerk.done = true;
}

enum rc
raw_frame(struct keeper *k, struct account *a, const struct frame *f,
    struct err *e)
{
	if (a->raw_job == 0)
		return line_bad(&a->line, e);	/* nothing was asked for */
	switch ((int)f->type) {
	case IPC_BEGIN:
		return RC_OK;
	case IPC_BODY:
		pass_on(k, a, f);
		return RC_OK;
	case IPC_END:
		if (f->body.len == 0)
			return line_bad(&a->line, e);
		a->raw_whole = f->body.p[0] == FETCHED_UNSEALED;
		/* Given when it was asked for first, and not now. */
		a->refused += !a->raw_whole && f->body.p[0] != FETCHED_GONE;
		return RC_OK;
	}
	a->raw_over = true;
	a->raw_job = 0;
	return RC_OK;
}

/* Fetch itself gives up what is slow: it is in a stranger's hands, and all
 * others wait. */
static enum rc
give_up(struct keeper *k, struct account *a, struct err *e)
{
	a->line.rc = err_set(&a->line.err, RC_TEMP,
	    _("a process of sceau does not answer"));
	chan_close(&a->line.c);
	a->line.open = false;
	return account_gone(k, a, e);
}

static enum rc
fetch_raw(struct keeper *k, struct account *a, const struct raw *m,
    struct err *e)
{
	int64_t until = clock_ms() + (int64_t)a->conf->server.session_s * 1000;
	struct buf b = BUF_INIT;
	bool ok = pack_run(&b, m->uid.p, m->uid.len);
	enum rc rc;

	a->raw_job = m->job;
	a->raw_over = a->raw_whole = false;
	rc = ipc_put(&a->line.c, IPC_WANT_RAW, 0, &b, ok, e);
	/* To its end also when the clerk is gone: what was left of it would be
	 * taken for the next one. */
	while (rc == RC_OK && !a->raw_over && a->line.open)
		rc = clock_ms() > until ? give_up(k, a, e) :
		    keeper_turn(k, 1000, e);
	a->raw_job = 0;
	return rc;
}

/* ---- to the clerk ------------------------------------------------------- */

/* The same for the same mail of the same mailbox, whatever became of us. */
static enum rc
token_of(const struct account *a, const struct store_uid *uid,
    uint8_t token[IPC_TOKEN_BYTES], struct err *e)
{
	struct gate_sum *sum = gate_sum_new();
	struct buf place = BUF_INIT;
	bool ok = sum != NULL && place_of_account(a->conf, &place);

	memset(token, 0, IPC_TOKEN_BYTES);
	if (ok) {
		gate_sum_add(sum, place.p, place.len);
		gate_sum_add(sum, "", 1);
		gate_sum_add(sum, uid->p, uid->len);
		gate_sum_end(sum, token);
	}
	gate_sum_free(&sum);
	buf_free(&place);
	return ok ? RC_OK : err_nomem(e);
}

static enum rc
not_filed(struct keeper *k, struct account *a, struct raw *m, enum rc said,
    struct err *why, struct err *e)
{
	if (said != RC_INPUT) {
		err_ctx(why, _("delivery"));
		a->raw_failed = true;
		return follow_unsealed(k, a->conf->name, why, e);
	}
	/* No later pass can do it either: for a person, where it lies. */
	m->never = true;
	keeper_event(k, "in.not_filed", "account=%s why=\"%.200s\"",
	    a->conf->name, why->text);
	return RC_OK;
}

static enum rc
take(struct keeper *k, struct account *a, struct raw *m, struct err *e)
{
	uint8_t token[IPC_TOKEN_BYTES];
	struct err why = ERR_INIT;
	enum rc said = RC_OK, rc;

	m->job = ++k->job;
	if ((rc = token_of(a, &m->uid, token, e)) != RC_OK ||
	    (rc = chan_put(&k->clerk.c, IPC_UNSEALED, m->job, token,
	    sizeof(token), e)) != RC_OK ||
	    (rc = fetch_raw(k, a, m, e)) != RC_OK)
		return rc;
	if (k->clerk.done)
		return err_set(e, RC_TEMP,
		    _("a process of sceau has ended early"));
	if (!a->raw_over || !a->raw_whole)
		return chan_put(&k->clerk.c, IPC_CANCEL, m->job, NULL, 0, e);
	if ((rc = chan_put(&k->clerk.c, IPC_RAW_END, m->job, NULL, 0, e)) !=
	    RC_OK || (rc = keeper_clerk_says(k, IPC_READY, m->job, &said,
	    &why, e)) != RC_OK)
		return rc;
	m->ready = said == RC_OK;
	return m->ready ? RC_OK : not_filed(k, a, m, said, &why, e);
}

static enum rc
file_all(struct keeper *k, struct account *a, struct raw *m, size_t n,
    struct err *e)
{
	enum rc rc = RC_OK;
	size_t some = 0;

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		if (m[i].ready) {
			some++;
			rc = chan_put(&k->clerk.c, IPC_FILE, m[i].job, NULL,
			    0, e);
		}
	if (rc == RC_OK && some > 0)
		rc = chan_put(&k->clerk.c, IPC_SETTLE, 0, NULL, 0, e);
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		struct err why = ERR_INIT;
		enum rc said = RC_OK;

		if (!m[i].ready)
			continue;
		rc = keeper_clerk_says(k, IPC_FILED, m[i].job, &said, &why, e);
		m[i].filed = rc == RC_OK && said == RC_OK;
		if (rc == RC_OK && said != RC_OK)
			rc = not_filed(k, a, &m[i], RC_TEMP, &why, e);
	}
	return rc;
}

/* ---- passed over -------------------------------------------------------- */

static enum rc
pass_these(struct keeper *k, struct account *a, const struct raw *m, size_t n,
    bool filed, struct err *e)
{
	struct store_uid uids[AT_ONCE];
	size_t some = 0;

	for (size_t i = 0; i < n; i++)
		if (filed ? m[i].filed : m[i].never)
			uids[some++] = m[i].uid;
	if (some == 0)
		return RC_OK;
	if (filed)
		keeper_event(k, "in.unsealed", "account=%s messages=%zu",
		    a->conf->name, some);
	FAULT("keeper.unsealed.before");
	return store_in_pass(k->st, a->conf->name, clock_now(), uids, some,
	    EC_NONE, filed ? STORE_ACTION_RELEASE : STORE_ACTION_KEEP,
	    filed ? keeper_release_at(a->conf) : 0, e);
}

/* One that ends the clerk each time stays for the next pass. */
static enum rc
clerk_died(struct keeper *k, struct account *a, size_t n,
    const struct err *why)
{
	keeper_fault(k, "process.died", RC_TEMP, WHY_LOCAL, why);
	keeper_rest(k);
	a->raw_alone = true;
	if (n == 1)
		a->raw_at++;
	return RC_OK;
}

/* A command takes its time for each mail, and what it has taken is taken again
 * when the batch ends early. */
static size_t
at_once(const struct keeper *k, const struct account *a)
{
	return a->raw_alone || keeper_commands(k) > 0 ? 1 : AT_ONCE;
}

static enum rc
batch(struct keeper *k, struct account *a, struct err *e)
{
	struct raw m[AT_ONCE];
	size_t n = a->nraw - a->raw_at, i;
	int64_t turn = clock_ms() + TURN_MS;
	struct err why = ERR_INIT;
	enum rc rc, end;

	if (n > at_once(k, a))
		n = at_once(k, a);
	memset(m, 0, sizeof(m));
	if ((rc = keeper_need_vault(k, e)) != RC_OK)
		return rc;
	for (i = 0; rc == RC_OK && i < n && a->line.open && !k->stop &&
	    (i == 0 || clock_ms() < turn); i++) {
		m[i].uid = a->raw[a->raw_at + i];
		rc = take(k, a, &m[i], &why);
	}
	if (rc == RC_OK) {
		n = i;
		rc = file_all(k, a, m, n, &why);
	}
	end = pass_these(k, a, m, n, true, e);
	if (end == RC_OK)
		end = pass_these(k, a, m, n, false, e);
	if (end != RC_OK)
		return end;
	if (rc != RC_OK && k->clerk.open && k->clerk.done)
		return clerk_died(k, a, n, &why);
	a->raw_at += n;
	return rc == RC_OK ? RC_OK : err_set(e, rc, "%s", why.text);
}

enum rc
unsealed_some(struct keeper *k, bool *some, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < pass_naccounts(k->p); i++) {
		struct account *a = &k->accounts[i];

		if (a->state != AC_UNSEALED)
			continue;
		*some = true;
		if (!k->stop && a->raw_at < a->nraw)
			rc = batch(k, a, e);
		else
			rc = account_want(k, a, e);
	}
	return rc;
}
