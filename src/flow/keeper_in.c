/* The keeper's side of fetching: what is wanted, what came, what may go. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/log.h"
#include "conf/place.h"
#include "flow/keeper.h"
#include "wire/source.h"

#define WANT_AT_ONCE 1000
#define WANT_TWICE 64	/* when some of them may be fetched once more */
#define LOGIN_AGAIN_S 3600

void
account_forget(struct account *a)
{
	for (size_t i = 0; i < a->nput; i++)
		buf_free(&a->bodies[i]);
	a->nput = 0;
	a->put_bytes = 0;
}

/* ---- commit --------------------------------------------------------- */

static enum rc
put_commit(struct keeper *k, struct account *a, struct err *e)
{
	enum rc rc = RC_OK;

	if (a->nput == 0)
		return RC_OK;
	for (size_t i = 0; i < a->nput; i++)
		if (a->put[i].body.id == 0) {
			a->put[i].body.p = a->bodies[i].p;
			a->put[i].body.len = a->bodies[i].len;
		}
	FAULT("keeper.fetched.before");
	rc = store_in_put(k->st, a->conf->name, clock_now(), a->put, a->nput,
	    e);
	FAULT("keeper.fetched.after");
	account_forget(a);
	k->open_more = k->open_more || (rc == RC_OK && !k->p->store_only);
	k->taken = k->taken || rc == RC_OK;
	return rc;
}

static void
uid_of(struct bytes id, struct store_uid *uid)
{
	BUG_ON(id.len > sizeof(uid->p));
	uid->len = (uint8_t)id.len;
	memcpy(uid->p, id.p, id.len);
}

static enum rc
put_one(struct keeper *k, struct account *a, struct bytes id, struct err *e)
{
	struct store_in_put *put = &a->put[a->nput];
	enum rc rc = gather_end(k, &a->mail, e);

	if (rc != RC_OK)
		return rc;
	memset(put, 0, sizeof(*put));
	uid_of(id, &put->uid);
	put->body.id = a->mail.id;
	a->bodies[a->nput] = a->mail.buf;
	a->put_bytes += a->mail.buf.len;
	a->nput++;
	memset(&a->mail, 0, sizeof(a->mail));
	if (a->nput < PUT_MAX && a->put_bytes < accounts_share(k))
		return RC_OK;
	return put_commit(k, a, e);
}

/* ---- frames --------------------------------------------------------- */

static enum rc
account_bind(struct keeper *k, const struct account *a, struct err *e)
{
	struct buf place = BUF_INIT;
	bool other = false;
	enum rc rc = place_of_account(a->conf, &place) ?
	    store_account_at(k->st, a->conf->name, (const char *)place.p,
		&other, e) : err_nomem(e);

	if (rc == RC_OK && other)
		keeper_event(k, "in.elsewhere", "account=%s place=\"%.200s\"",
		    a->conf->name, (const char *)place.p);
	buf_free(&place);
	return rc;
}

static enum rc
on_up(struct keeper *k, struct account *a, struct err *e)
{
	enum rc rc;

	a->failures = 0;
	a->let_in = true;
	a->turned_away = false;
	a->raw_failed = false;
	a->refused = a->refused_said = 0;
	store_list_free(&a->list);
	a->state = AC_LISTING;
	if ((rc = account_bind(k, a, e)) != RC_OK)
		return rc;
	rc = store_list_begin(k->st, a->conf->name, &a->list, e);
	return rc != RC_OK ? rc :
	    chan_put(&a->line.c, IPC_AFTER, 0, NULL, 0, e);
}

static enum rc
on_list(struct account *a, const struct frame *f, struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	struct store_uid uids[64];
	enum rc rc = RC_OK;
	size_t n = 0;

	while (rc == RC_OK && r.left > 0 && !r.bad) {
		(void)rd_64(&r);
		struct bytes id = unpack_run(&r);

		if (id.len == 0 || id.len > STORE_UID_MAX_BYTES)
			return line_bad(&a->line, e);
		uid_of(id, &uids[n++]);
		if (n == 64 || r.left == 0) {
			rc = store_list_add(a->list, uids, n, e);
			n = 0;
		}
	}
	return rc == RC_OK && r.bad ? line_bad(&a->line, e) : rc;
}

/* A session that is cut short must have filed some of what it passed. */
static size_t
want_max(const struct account *a)
{
	return suspect_max(&a->suspect, a->conf->unsealed ==
	    CONF_UNSEALED_DELIVER ? WANT_TWICE : WANT_AT_ONCE);
}

/* The next ids to ask for, but for those left aside. */
static enum rc
wanted(struct account *a, struct store_uid *uids, size_t *n, struct err *e)
{
	size_t got = 1;
	enum rc rc = RC_OK;

	*n = 0;
	while (rc == RC_OK && *n == 0 && got > 0) {
		rc = store_list_wanted(a->list, uids, want_max(a), &got, e);
		for (size_t i = 0; rc == RC_OK && i < got; i++)
			if (!suspect_skips(&a->suspect, &uids[i]))
				uids[(*n)++] = uids[i];
	}
	return rc;
}

enum rc
account_want(struct keeper *k, struct account *a, struct err *e)
{
	struct store_uid *uids = calloc(WANT_AT_ONCE, sizeof(*uids));
	const struct err none = ERR_INIT;
	struct buf b = BUF_INIT;
	bool ok = true;
	size_t n = 0;
	enum rc rc;

	if (uids == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = wanted(a, uids, &n, e);
	for (size_t i = 0; i < n && ok; i++)
		ok = pack_run(&b, uids[i].p, uids[i].len);
	suspect_asked(&a->suspect, uids, n);
	a->nraw = a->raw_at = 0;
	free(uids);
	if (rc == RC_OK && n > 0 && !k->stop) {
		a->state = AC_FETCHING;
		return ipc_put(&a->line.c, IPC_WANT, 0, &b, ok, e);
	}
	buf_free(&b);
	if (rc == RC_OK)
		rc = put_commit(k, a, e);
	if (rc == RC_OK && a->conf->unsealed == CONF_UNSEALED_DELIVER &&
	    !a->raw_failed)
		rc = follow_unsealed(k, a->conf->name, &none, e);
	a->state = AC_FETCHED;
	a->release_after = 0;
	return rc;
}

static enum rc
on_listed(struct keeper *k, struct account *a, const struct frame *f,
    struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	uint64_t nameless = rd_64(&r);
	size_t wanted = 0;
	enum rc rc;

	if (!rd_done(&r) || nameless > UINT32_MAX)
		return line_bad(&a->line, e);
	a->refused = (size_t)nameless;
	if (nameless > 0)
		store_list_lacks(a->list);
	if ((rc = store_list_end(a->list, &wanted, e)) != RC_OK)
		return rc;
	LOG(LOG_L_DEBUG, "in.listed", LK_S("account", a->conf->name),
	    LK_N("wanted", wanted));
	return account_want(k, a, e);
}

static enum rc
pass_over(struct keeper *k, struct account *a, struct bytes id,
    enum fetched as, struct err *e)
{
	struct store_uid uid;
	enum err_class class = as == FETCHED_FORMAT ? EC_FORMAT :
	    as == FETCHED_TOOBIG ? EC_TOOBIG : EC_NONE;
	uint8_t action = a->conf->unsealed_to != NULL ? ACTION_UNSEALED :
	    STORE_ACTION_KEEP;

	uid_of(id, &uid);
	return store_in_pass(k->st, a->conf->name, clock_now(), &uid, 1,
	    class, action, 0, e);
}

/* Not sealed, and to be delivered: once all that was asked for is here. */
static enum rc
raw_later(struct account *a, struct bytes id, struct err *e)
{
	if (a->raw == NULL &&
	    (a->raw = calloc(WANT_AT_ONCE, sizeof(*a->raw))) == NULL)
		return err_nomem(e);
	if (a->nraw == WANT_AT_ONCE)
		return line_bad(&a->line, e);
	uid_of(id, &a->raw[a->nraw++]);
	return RC_OK;
}

static enum rc
on_end(struct keeper *k, struct account *a, const struct frame *f,
    struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	enum fetched as = (enum fetched)rd_8(&r);
	struct bytes id = unpack_run(&r);
	char why[ERR_TEXT_BYTES], message_id[512], from[512];

	unpack_str(&r, why, sizeof(why));
	unpack_str(&r, message_id, sizeof(message_id));
	unpack_str(&r, from, sizeof(from));
	if (!rd_done(&r) || id.len == 0 || id.len > STORE_UID_MAX_BYTES)
		return line_bad(&a->line, e);
	suspect_came(&a->suspect);
	switch (as) {
	case FETCHED_SEALED:
		LOG(LOG_L_DEBUG, "in.fetched", LK_S("account", a->conf->name),
		    LK_S("from", from), LK_S("message_id", message_id),
		    LK_N("octets", a->mail.size));
		return k->p->dry_run ?
		    dry_put(k, a->conf->name, &a->mail, e) :
		    put_one(k, a, id, e);
	case FETCHED_UNSEALED:
	case FETCHED_FORMAT:
	case FETCHED_TOOBIG:
		gather_drop(k, &a->mail);
		keeper_event(k, as == FETCHED_UNSEALED ? "in.not_sealed" :
		    as == FETCHED_FORMAT ? "in.format" : "in.too_big",
		    "account=%s from=\"%.100s\" message_id=\"%.200s\" "
		    "why=\"%.200s\"", a->conf->name, from, message_id, why);
		if (as != FETCHED_UNSEALED)
			keeper_worse(k, RC_INPUT, WHY_NONE);
		else if (a->conf->unsealed == CONF_UNSEALED_DELIVER &&
		    !k->p->dry_run)
			return raw_later(a, id, e);
		return k->p->dry_run ? RC_OK : pass_over(k, a, id, as, e);
	case FETCHED_REFUSED:
		a->refused++;
		gather_drop(k, &a->mail);
		return RC_OK;
	case FETCHED_GONE:
		gather_drop(k, &a->mail);
		return RC_OK;
	}
	return line_bad(&a->line, e);
}

/* Fetch only ever answers: what it may say depends on what it was asked. */
static bool
is_due(const struct account *a, uint8_t type)
{
	switch ((int)type) {
	case IPC_UP:
		return a->state == AC_ASKED;
	case IPC_LIST:
	case IPC_LISTED:
		return a->state == AC_LISTING;
	case IPC_BEGIN:
	case IPC_BODY:
	case IPC_END:
	case IPC_FETCHED:
		return a->state == AC_FETCHING || a->state == AC_UNSEALED;
	case IPC_RELEASED:
		return a->state == AC_RELEASING;
	case IPC_WAITED:
		/* It may cross our wish that it leave. */
		return a->state == AC_WAITING || a->state == AC_LEAVING;
	}
	return false;
}

enum rc
account_frame(struct keeper *k, struct account *a, const struct frame *f,
    struct err *e)
{
	/* A part of the store holds less than a frame might. */
	if (!is_due(a, f->type) || (f->type == IPC_BODY &&
	    f->body.len > CHAN_DATA_BYTES))
		return line_bad(&a->line, e);
	if (a->state == AC_UNSEALED)
		return raw_frame(k, a, f, e);
	switch ((int)f->type) {
	case IPC_UP:
		return on_up(k, a, e);
	case IPC_LIST:
		return on_list(a, f, e);
	case IPC_LISTED:
		return on_listed(k, a, f, e);
	case IPC_BEGIN:
		gather_drop(k, &a->mail);
		return RC_OK;
	case IPC_BODY:
		return gather_add(k, &a->mail, f->body.p, f->body.len, e);
	case IPC_END:
		return on_end(k, a, f, e);
	case IPC_FETCHED:
		if (a->nraw == 0)
			return account_want(k, a, e);
		/* What is sealed goes first. */
		a->state = AC_UNSEALED;
		return put_commit(k, a, e);
	case IPC_RELEASED:
		return account_released(k, a, f, e);
	case IPC_WAITED:
		return a->state == AC_WAITING ? on_up(k, a, e) : RC_OK;
	}
	return RC_OK;
}

/* ---- the end of a session ------------------------------------------- */

static int
back_off_s(const struct account *a)
{
	int s = a->conf->every_s;

	for (unsigned i = 1; i < a->failures && s < 4 * 3600; i++)
		s *= 2;
	return s < 4 * 3600 ? s : 4 * 3600;
}

/* Whether a session that ended while it fetched is begun again at once. */
static bool
again_without(struct keeper *k, struct account *a)
{
	const struct store_uid *found;
	bool again;

	if (a->state != AC_FETCHING || a->line.why == WHY_LOCAL || k->stop ||
	    (a->until_ms != 0 && clock_ms() >= a->until_ms))
		return false;
	again = suspect_over(&a->suspect, !a->line.done, &found);
	if (found != NULL)
		keeper_event(k, "in.left", "account=%s uid=\"%.*s\"",
		    a->conf->name, (int)found->len, (const char *)found->p);
	return again;
}

/* Mail that the server lists and does not give is nobody's until a person
 * looks. */
void
account_refused(struct keeper *k, struct account *a)
{
	struct err why = ERR_INIT;

	if (a->refused == a->refused_said)
		return;
	err_set(&why, RC_TEMP, _("account %s: %zu of the messages that the "
	    "server lists are not given by it; they stay there, and will be "
	    "asked for again"), a->conf->name, a->refused);
	keeper_fault(k, "in.refused", RC_TEMP, WHY_SERVER, &why);
	a->refused_said = a->refused;
}

enum rc
account_over(struct keeper *k, struct account *a, struct err *e)
{
	struct line *l = &a->line;
	enum rc rc;

	a->turned_away = false;
	if (l->rc != RC_OK) {
		a->failures++;
		err_ctx(&l->err, _("account %s"), a->conf->name);
	}
	rc = follow_account(k, a, e);
	a->state = l->rc != RC_OK && again_without(k, a) ? AC_OFF : AC_DONE;
	a->again_at = clock_now() + (l->why == WHY_LOGIN ? LOGIN_AGAIN_S :
	    back_off_s(a));
	return rc;
}

/* The session is over, in order or not: what came whole is kept. */
enum rc
account_gone(struct keeper *k, struct account *a, struct err *e)
{
	struct line *l = &a->line;
	enum rc rc;

	gather_drop(k, &a->mail);
	a->nraw = a->raw_at = 0;
	a->raw_alone = false;
	rc = put_commit(k, a, e);
	store_list_free(&a->list);
	account_refused(k, a);
	if (!l->done && l->rc == RC_OK)
		l->rc = err_set(&l->err, RC_TEMP,
		    _("a process of sceau has ended early"));
	if (rc != RC_OK || !account_turned_away(k, a))
		return rc == RC_OK ? account_over(k, a, e) : rc;
	a->state = AC_OFF;
	return RC_OK;
}
