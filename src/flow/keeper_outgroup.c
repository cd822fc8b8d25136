/*
 * A group of files out of an outbox: recipients, seals, one transaction with
 * the keys of the files, then the clerk takes them away.  A crash after the
 * transaction: the keys are known, and the files only go.
 *
 * A file that can never be sent as it is goes to the folder of what is
 * refused; all other trouble leaves it where it is, for the next look.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/secret.h"
#include "flow/keeper_outbox.h"
#include "flow/submission.h"
#include "store/store_outbox.h"

/* One of those that are answered by IPC_BOX_DONE. */
static enum rc
tell(struct keeper *k, enum ipc type, struct buf *b, bool ok, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = outlook_ask(k, type, b, ok, IPC_BOX_DONE, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	return unpack_err(&r, e);
}

/* ---- what becomes of a group ----------------------------------------- */

static void
event_refused(struct keeper *k, const struct found *x)
{
	keeper_worse(k, RC_INPUT, WHY_NONE);
	keeper_event(k, k->p->dry_run ? "outbox.would_refuse" :
	    "outbox.refused", "outbox=%s files=%zu line=%u code=%s",
	    outlook_conf(k)->name, x->nkeys, x->line, x->code);
}

static void
event_odd(struct keeper *k, const struct found *x)
{
	if (x->oddities > 0)
		keeper_event(k, "outbox.odd", "outbox=%s oddities=%u line=%u "
		    "code=%s", outlook_conf(k)->name, x->oddities, x->odd_line,
		    x->odd_code);
}

/* ${why}: of the vault; or NULL: what the clerk itself found. */
static enum rc
refuse(struct keeper *k, struct found *x, uint32_t line,
    const struct err *why, struct err *e)
{
	struct buf b = BUF_INIT;
	struct err not = ERR_INIT;
	bool ok = buf_add32(&b, line) &&
	    pack_str(&b, why == NULL ? "" : why->text);

	if (why != NULL) {
		x->line = line;
		snprintf(x->code, sizeof(x->code), "recipient");
	}
	if (k->p->dry_run) {
		buf_free(&b);
		event_refused(k, x);
		return RC_OK;
	}
	if (tell(k, IPC_BOX_REFUSE, &b, ok, &not) == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", not.text);
	if (not.rc == RC_OK)
		event_refused(k, x);
	else
		outlook_left(k, &not);
	return RC_OK;
}

/* Those of ${mask} are queued; that they stay is told, and tried again. */
static enum rc
take(struct keeper *k, const struct found *x, const uint8_t *mask,
    struct err *e)
{
	struct outlook *l = k->outlook;
	struct buf b = BUF_INIT;
	struct err not = ERR_INIT;
	bool ok = buf_add(&b, mask, x->nkeys);

	if (tell(k, IPC_BOX_TAKE, &b, ok, &not) == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", not.text);
	if (not.rc != RC_OK) {
		outlook_left(k, &not);
		return RC_OK;
	}
	for (size_t i = 0; ok && i < x->nkeys; i++)
		ok = mask[i] == 0 ||
		    pack_run(&l->taken, x->key[i].p, x->key[i].len);
	return ok ? RC_OK : err_set(e, RC_NOMEM, _("no memory left"));
}

/* After a crash: ${some} of them were queued by a pass before. */
static enum rc
take_known(struct keeper *k, const struct found *x, bool *some,
    struct err *e)
{
	uint8_t mask[OUTFILES_MAX] = { 0 };
	enum rc rc = RC_OK;
	bool known;

	*some = false;
	for (size_t i = 0; rc == RC_OK && i < x->nkeys; i++) {
		rc = store_outbox_known(k->st, clock_now(), x->key[i],
		    &known, e);
		mask[i] = rc == RC_OK && known;
		*some = *some || mask[i] != 0;
	}
	return rc == RC_OK && *some && !k->p->dry_run ?
	    take(k, x, mask, e) : rc;
}

/* ---- sealing --------------------------------------------------------- */

struct whom {
	bool		shown;
	char		who[GATE_ROUTE_BYTES], other[GATE_ROUTE_BYTES];
	uint32_t	line;
};

/* The name alone, then all that the line says. */
static enum rc
resolve(struct keeper *k, const struct whom *w, struct gate_dest *dest,
    struct err *why)
{
	const char *own = outlook_conf(k)->from;
	unsigned how = w->shown ? RESOLVE_SHOWN : 0;
	enum rc rc = keeper_resolve(k, how, own, w->who, dest, why);
	struct err again = ERR_INIT;

	if (rc == RC_PERM && why->class == EC_NONE && w->other[0] != '\0' &&
	    strcmp(w->who, w->other) != 0 &&
	    keeper_resolve(k, how, own, w->other, dest, &again) == RC_OK) {
		*why = (struct err)ERR_INIT;
		rc = RC_OK;
	}
	return rc;
}

/* "demo/labo@labo.example#1" to "labo@labo.example". */
static void
address_of(const char *id, char out[GATE_ID_BYTES])
{
	const char *slash = strchr(id, '/');

	snprintf(out, GATE_ID_BYTES, "%s", slash == NULL ? id : slash + 1);
	out[strcspn(out, "#")] = '\0';
}

static enum rc
compose(struct keeper *k, uint32_t n, const struct gate_dest *dest,
    struct submission *s, struct err *e)
{
	char from[GATE_ID_BYTES], to[GATE_ID_BYTES], date[CLOCK_5322_BYTES];
	char id[WRAP_ID_BYTES];
	uint8_t rnd[WRAP_RANDOM_BYTES];
	struct buf b = BUF_INIT;
	bool ok;

	address_of(dest->own, from);
	address_of(dest->name, to);
	snprintf(s->notice_to, sizeof(s->notice_to), "%s", from);
	random_bytes(rnd, sizeof(rnd));
	wrap_message_id(k->p->conf->route, rnd, id);
	clock_5322(clock_now(), date);
	ok = buf_add32(&b, n) && pack_str(&b, from) && pack_str(&b, to) &&
	    pack_str(&b, date) && pack_str(&b, id);
	return tell(k, IPC_BOX_COMPOSE, &b, ok, e);
}

/* One message of the group; all results are about it alone. */
static enum rc
seal_one(struct keeper *k, uint32_t n, const struct gate_dest *dest,
    struct submission *s, struct err *why)
{
	struct buf none = BUF_INIT;
	enum rc rc;

	if ((rc = compose(k, n, dest, s, why)) != RC_OK ||
	    (rc = submission_add(k, s, dest, why)) != RC_OK ||
	    (rc = submission_seal(k, s, why)) != RC_OK)
		return rc;
	return tell(k, IPC_BOX_CHECK, &none, true, why);
}

static enum rc
next_whom(struct found *x, struct whom *w, struct err *e)
{
	w->shown = rd_8(&x->whom) != 0;
	unpack_str(&x->whom, w->who, sizeof(w->who));
	unpack_str(&x->whom, w->other, sizeof(w->other));
	w->line = rd_32(&x->whom);
	return x->whom.bad ? ipc_bad(e) : RC_OK;
}

static void
would_send(struct keeper *k, const struct found *x,
    const struct gate_dest *dest)
{
	keeper_event(k, "outbox.would_send", "outbox=%s to=%s files=%zu "
	    "octets=%llu", outlook_conf(k)->name, dest->name, x->nkeys,
	    (unsigned long long)x->octets);
}

/* What the vault says of the recipient: never, or not now? */
static bool
is_never(const struct err *why)
{
	return why->rc == RC_PERM && why->class != EC_NOKEY;
}

/* All of its messages, as far as ${why} is RC_OK; ${line}: whose recipient
 * ${why} is about, ${never}: it will be so next time too. */
static enum rc
seal_all(struct keeper *k, struct found *x, struct submission *s,
    uint32_t *line, bool *never, struct err *why, struct err *e)
{
	struct gate_dest dest;
	struct whom w;

	for (uint32_t i = 0; i < x->nwhom && why->rc == RC_OK; i++) {
		if (next_whom(x, &w, e) != RC_OK)
			return e->rc;
		*line = w.line;
		if (resolve(k, &w, &dest, why) != RC_OK)
			*never = is_never(why);
		if (why->rc == RC_CONF)
			k->outlook->pointless = true;
		else if (why->rc != RC_OK)
			break;
		else if (k->p->dry_run)
			would_send(k, x, &dest);
		else
			(void)seal_one(k, i, &dest, s, why);
	}
	return why->rc == RC_NOMEM ? err_set(e, RC_NOMEM, "%s", why->text) :
	    RC_OK;
}

static enum rc
promise(struct keeper *k, const struct found *x, struct submission *s,
    struct err *why, struct err *e)
{
	uint8_t mask[OUTFILES_MAX];
	int64_t id = 0;

	FAULT("outbox.queue.before");
	if (submission_promise(k, s, x->key, x->nkeys, &id, why) != RC_OK) {
		k->outlook->troubles++;
		return RC_OK;
	}
	FAULT("outbox.queue.after");
	k->outlook->nqueued++;
	k->out_more = true;
	memset(mask, 1, sizeof(mask));
	return take(k, x, mask, e);
}

static enum rc
send_group(struct keeper *k, struct found *x, struct err *e)
{
	struct submission s;
	struct err why = ERR_INIT;
	uint32_t line = 0;
	bool never = false;
	enum rc rc = submission_new(&s, x->nwhom + 1, e);

	if (rc == RC_OK)
		rc = seal_all(k, x, &s, &line, &never, &why, e);
	if (rc == RC_OK && why.rc == RC_OK && !k->p->dry_run)
		rc = promise(k, x, &s, &why, e);
	submission_free(k, &s);
	if (rc != RC_OK)
		return rc;
	if (never)
		return refuse(k, x, line, &why, e);
	if (why.rc != RC_OK)
		outlook_left(k, &why);
	else
		event_odd(k, x);
	return RC_OK;
}

enum rc
outgroup_serve(struct keeper *k, struct found *x, struct err *e)
{
	bool known = false;
	enum rc rc = take_known(k, x, &known, e);

	/* What else is of that name is looked at next time. */
	if (rc != RC_OK || known)
		return rc;
	if (x->why.rc == RC_INPUT)
		return refuse(k, x, x->line, NULL, e);
	if (x->why.rc != RC_OK) {
		outlook_left(k, &x->why);
		return RC_OK;
	}
	return send_group(k, x, e);
}
