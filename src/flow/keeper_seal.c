/* What this member says: submitted mail, and acknowledgements alone. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "flow/submission.h"
#include "mail/submit.h"
#include "store/store_outbox.h"

#define PEERS_MAX 64
#define ACKS_MAX GATE_ACKS_MAX
#define DEFER_S 3600
#define DIED_S 60
#define STAY_MS 10000	/* for the next of them */

enum rc
keeper_resolve(struct keeper *k, unsigned how, const char *own,
    const char *who, struct gate_dest *dest, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = buf_add8(&b, (uint8_t)how) && pack_str(&b, own) &&
	    pack_str(&b, who);
	uint32_t job = ++k->job;
	struct frame f;
	struct rd r;
	enum rc rc = ipc_put(&k->vault.c, IPC_RESOLVE, job, &b, ok, e);

	if (rc == RC_OK)
		rc = keeper_answer(k, &k->vault, IPC_DEST, job, &f, e);
	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if ((rc = unpack_err(&r, e)) != RC_OK)
		return rc;
	dest_unpack(&r, dest);
	return rd_done(&r) ? RC_OK : keeper_odd(k, e);
}

/* ---- acknowledgements ----------------------------------------------- */

static enum rc
acks_for(struct keeper *k, const char *peer, struct outgoing *o,
    struct err *e)
{
	if ((o->acks = calloc(ACKS_MAX, sizeof(*o->acks))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	return store_ack_list(k->st, peer, o->acks, ACKS_MAX, &o->nacks, e);
}

/* Sort them into the two kinds of record; owned by ${s}. */
static bool
acks_into(const struct outgoing *o, struct flow_seal *s)
{
	s->acks = calloc(o->nacks + 1, sizeof(*s->acks));
	s->relayed_acks = calloc(o->nacks + 1, sizeof(*s->relayed_acks));
	if (s->acks == NULL || s->relayed_acks == NULL)
		return false;
	for (size_t i = 0; i < o->nacks; i++) {
		const struct store_ack *a = &o->acks[i];
		struct gate_ack *to = a->routed[0] == '\0' ?
		    &s->acks[s->nacks++] :
		    &s->relayed_acks[s->nrelayed_acks++];

		memcpy(to->t, a->t, sizeof(to->t));
		memcpy(to->d, a->d, sizeof(to->d));
		to->state = a->state;
		to->at = a->at;
		memcpy(to->name, a->routed, sizeof(to->name));
	}
	return true;
}

static enum rc
seal(struct keeper *k, struct outgoing *o, struct flow_seal *s,
    struct err *e)
{
	struct buf b = BUF_INIT;
	uint32_t job = ++k->job;
	enum rc rc;
	bool ok;

	s->dest = o->dest;
	s->at = o->at = clock_now();
	ok = acks_into(o, s) && seal_pack(&b, s);
	rc = ipc_put(&k->vault.c, IPC_SEAL, job, &b, ok, e);
	return rc == RC_OK ? outgoing_take(k, job, NULL, o, e) : rc;
}

/* Sealed, kept and to be sent; what the vault says of this peer in ${why}. */
static enum rc
ack_seal(struct keeper *k, const char *peer, struct outgoing *o,
    struct err *why, struct err *e)
{
	struct flow_seal s = { .at = 0 };
	struct store_out_put put;
	int64_t submission;
	enum rc rc = acks_for(k, peer, o, e);

	if (rc != RC_OK || o->nacks == 0)
		return rc;
	if (seal(k, o, &s, why) == RC_OK) {
		outgoing_put(k, o, STORE_CONTROL, NULL, &put);
		FAULT("keeper.ack.before");
		rc = store_out_submit(k->st, clock_now(), NULL, &put, 1,
		    &submission, e);
		FAULT("keeper.ack.after");
		o->body.id = 0;
	}
	seal_free(&s);
	return rc;
}

/* It is this peer's trouble: the others hear. */
static enum rc
ack_put_off(struct keeper *k, const char *peer, const struct err *why,
    struct err *e)
{
	int64_t s = DEFER_S;

	keeper_event(k, "ack.deferred", "to=%s why=\"%.200s\"", peer,
	    why->text);
	if (why->rc != RC_PERM && why->rc != RC_CONF) {
		/* Died of it, or out of step: a new one, now and next time. */
		keeper_worse(k, why->rc, WHY_NONE);
		k->vault.done = true;
		s = k->p->stay ? DIED_S : 0;
	}
	return s == 0 ? RC_OK :
	    store_ack_defer(k->st, peer, clock_now() + s, e);
}

/* One envelope; ${full}: it holds as many as it can. */
static enum rc
ack_once(struct keeper *k, const char *peer, bool *full, struct err *why,
    struct err *e)
{
	struct outgoing o = { .at = 0 };
	enum rc rc = keeper_resolve(k, RESOLVE_CONTROL, NULL, peer,
	    &o.dest, why);

	*full = false;
	if (rc == RC_OK && o.dest.via_hub)
		rc = err_set(why, RC_PERM, _("no key for %s"), peer);
	if (rc != RC_OK)
		return RC_OK;
	rc = ack_seal(k, peer, &o, why, e);
	*full = o.nacks == ACKS_MAX;
	outgoing_free(k, &o);
	return rc;
}

/* All of them: what waits for another pass is told minutes later. */
static enum rc
ack_peer(struct keeper *k, const char *peer, struct err *e)
{
	struct err why = ERR_INIT;
	bool full;
	enum rc rc;

	do
		rc = ack_once(k, peer, &full, &why, e);
	while (rc == RC_OK && why.rc == RC_OK && full && !k->stop);
	if (rc != RC_OK || why.rc == RC_OK)
		return rc;
	return ack_put_off(k, peer, &why, e);
}

/*
 * Those that fill an envelope go while more is opened: there will not be more
 * envelopes for it, and the relay has its greetings behind it, and most of the
 * way, when the rest comes.
 */
enum rc
seal_full_acks(struct keeper *k, struct err *e)
{
	char names[PEERS_MAX][STORE_IDENTITY_BYTES];
	struct err why = ERR_INIT;
	size_t n = 1;
	bool full = false;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n > 0 && !k->stop && !k->acks_late) {
		rc = store_ack_many(k->st, clock_now(), ACKS_MAX, names,
		    PEERS_MAX, &n, e);
		for (size_t i = 0; rc == RC_OK && i < n && !k->acks_late; i++) {
			if ((rc = keeper_need_vault(k, e)) == RC_OK)
				rc = ack_once(k, names[i], &full, &why, e);
			if (rc == RC_OK && why.rc != RC_OK)
				rc = ack_put_off(k, names[i], &why, e);
			/* Not full: it would be asked for ever. */
			k->acks_late = why.rc != RC_OK || !full;
			k->stay_ms = clock_ms() + STAY_MS;
			k->out_more = true;
			k->queued++;
		}
	}
	return rc;
}

/* Each peer that is due once; then a new round. */
enum rc
seal_acks(struct keeper *k, bool *some, struct err *e)
{
	char names[PEERS_MAX][STORE_IDENTITY_BYTES];
	size_t n = 0;
	enum rc rc = store_ack_peers(k->st, clock_now(), k->acked, names,
	    PEERS_MAX, &n, e);

	*some = rc == RC_OK && n > 0;
	/* Each time: the vault may have died of the one before. */
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		if ((rc = keeper_need_vault(k, e)) == RC_OK)
			rc = ack_peer(k, names[i], e);
	if (*some)
		memcpy(k->acked, names[n - 1], sizeof(k->acked));
	else
		k->acked[0] = '\0';
	return rc;
}

/* ---- a submission --------------------------------------------------- */

static struct outgoing *
same_hub(struct submission *s, const struct gate_dest *d)
{
	for (size_t i = s->first; i < s->nout; i++)
		if (d->via_hub && s->out[i].dest.via_hub &&
		    strcmp(s->out[i].dest.to, d->to) == 0 &&
		    s->out[i].nroutes < GATE_ROUTES_MAX)
			return &s->out[i];
	return NULL;
}

static bool
known_already(const struct submission *s, const struct gate_dest *d)
{
	for (size_t i = s->first; i < s->nout; i++) {
		if (!s->out[i].dest.via_hub &&
		    strcmp(s->out[i].dest.name, d->name) == 0)
			return true;
		for (size_t n = 0; n < s->out[i].nroutes; n++)
			if (strcmp(s->out[i].routes[n], d->name) == 0)
				return true;
	}
	return false;
}

static enum rc
add_route(struct outgoing *o, const char *name, struct err *e)
{
	if (o->routes == NULL) {
		o->routes = calloc(GATE_ROUTES_MAX, sizeof(*o->routes));
		o->route_names = calloc(GATE_ROUTES_MAX,
		    sizeof(*o->route_names));
	}
	if (o->routes == NULL || o->route_names == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	snprintf(o->routes[o->nroutes], sizeof(o->routes[0]), "%s", name);
	o->route_names[o->nroutes] = o->routes[o->nroutes];
	o->nroutes++;
	return RC_OK;
}

/* They ride in the first envelope for him. */
static bool
has_acks(const struct submission *s, const char *to)
{
	for (size_t i = 0; i < s->nout; i++)
		if (strcmp(s->out[i].dest.to, to) == 0)
			return true;
	return false;
}

enum rc
submission_add(struct keeper *k, struct submission *s,
    const struct gate_dest *dest, struct err *e)
{
	struct outgoing *o;
	enum rc rc = RC_OK;

	if (known_already(s, dest))
		return RC_OK;
	if ((o = same_hub(s, dest)) == NULL) {
		bool first = !has_acks(s, dest->to);

		BUG_ON(s->nout == s->max);
		o = &s->out[s->nout++];
		o->dest = *dest;
		if (first)
			rc = acks_for(k, dest->to, o, e);
	}
	if (rc == RC_OK && dest->via_hub)
		rc = add_route(o, dest->name, e);
	return rc;
}

/* IPC_SUBMIT: dry(1) once own notice_to, n times: recipient. */
static enum rc
read_submission(struct keeper *k, struct submission *s, int64_t *id,
    struct err *e)
{
	struct rd r = rd_of(k->submission.p, k->submission.len);
	char who[GATE_ROUTE_BYTES];
	struct bytes once;
	struct gate_dest dest;
	enum rc rc = RC_OK;

	s->dry_run = rd_8(&r) != 0;
	once = unpack_run(&r);
	s->named = once.len == sizeof(s->once);
	if (s->named) {
		memcpy(s->once, once.p, once.len);
		rc = store_out_named(k->st, s->once, id, e);
	}
	if (rc != RC_OK || *id != 0)
		return rc;
	unpack_str(&r, s->own, sizeof(s->own));
	unpack_str(&r, s->notice_to, sizeof(s->notice_to));
	while (rc == RC_OK && r.left > 0 && !r.bad) {
		unpack_str(&r, who, sizeof(who));
		if (r.bad)
			break;
		if (s->nout == s->max)
			return ipc_bad(e);
		rc = keeper_resolve(k, 0, s->own, who, &dest, e);
		if (rc == RC_OK)
			rc = submission_add(k, s, &dest, e);
	}
	return rc == RC_OK && r.bad ? ipc_bad(e) : rc;
}

static enum rc
digest(struct keeper *k, struct submission *s, struct err *e)
{
	uint32_t job = ++k->job;
	struct frame f;
	struct rd r;
	enum rc rc = chan_put(&k->vault.c, IPC_DIGEST, job, NULL, 0, e);

	if (rc == RC_OK)
		rc = keeper_answer(k, &k->vault, IPC_DIGESTED, job, &f, e);
	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if ((rc = unpack_err(&r, e)) != RC_OK)
		return rc;
	rd_copy(&r, s->d, sizeof(s->d));
	s->mail_len = rd_64(&r);
	if (r.bad || r.left % STORE_PATIENT_BYTES != 0)
		return ipc_bad(e);
	for (size_t i = s->first; i < s->nout; i++) {
		memcpy(s->out[i].d, s->d, sizeof(s->d));
		buf_wipe(&s->out[i].patients);
		if (!buf_add(&s->out[i].patients, rd_at(&r), r.left))
			return err_set(e, RC_NOMEM, _("no memory left"));
	}
	return RC_OK;
}

static enum rc
seal_mail(struct keeper *k, const struct submission *s, struct outgoing *o,
    struct err *e)
{
	struct flow_seal f = { .at = 0 };
	enum rc rc = RC_OK;

	f.has_mail = true;
	f.mail_len = s->mail_len;
	memcpy(f.d, s->d, sizeof(f.d));
	if (o->nroutes > 0) {
		f.routes = calloc(o->nroutes, sizeof(*f.routes));
		if (f.routes == NULL)
			rc = err_set(e, RC_NOMEM, _("no memory left"));
		else
			memcpy(f.routes, o->routes,
			    o->nroutes * sizeof(*f.routes));
		f.nroutes = o->nroutes;
	}
	if (rc == RC_OK)
		rc = seal(k, o, &f, e);
	seal_free(&f);
	return rc;
}

enum rc
submission_seal(struct keeper *k, struct submission *s, struct err *e)
{
	enum rc rc = digest(k, s, e);

	if (rc == RC_OK && s->mail_len > k->p->conf->max_send)
		return err_set(e, RC_PERM,
		    _("%llu octets; more than max_send; nothing was sent"),
		    (unsigned long long)s->mail_len);
	for (; rc == RC_OK && s->first < s->nout; s->first++)
		rc = seal_mail(k, s, &s->out[s->first], e);
	return rc;
}

enum rc
submission_promise(struct keeper *k, struct submission *s,
    const struct bytes *files, size_t nfiles, int64_t *id, struct err *e)
{
	struct store_out_put *put = calloc(s->nout, sizeof(*put));
	const struct store_outbox_put all = { s->named ? s->once : NULL,
	    s->notice_to[0] != '\0' ?
	    s->notice_to : NULL, put, s->nout, files, nfiles };
	enum rc rc;

	if (put == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	for (size_t i = 0; i < s->nout; i++)
		outgoing_put(k, &s->out[i], STORE_MAIL, s->out[i].d, &put[i]);
	FAULT("keeper.submit.before");
	rc = store_outbox_submit(k->st, clock_now(), &all, id, e);
	FAULT("keeper.submit.after");
	for (size_t i = 0; i < s->nout; i++)
		s->out[i].body.id = 0;
	for (size_t i = 0; rc == RC_OK && i < s->nout; i++)
		keeper_event(k, "out.queued", "id=%lld to=%s routed=%zu",
		    (long long)put[i].id, s->out[i].dest.to,
		    s->out[i].nroutes);
	free(put);
	return rc;
}

static enum rc
submit_run(struct keeper *k, struct submission *s, int64_t *id,
    struct err *e)
{
	enum rc rc;

	if ((rc = keeper_need_vault(k, e)) != RC_OK ||
	    (rc = read_submission(k, s, id, e)) != RC_OK || *id != 0)
		return rc;
	if (s->nout == 0)
		return err_set(e, RC_PERM, _("no recipient; nothing was sent"));
	if (s->dry_run)
		return RC_OK;
	rc = submission_seal(k, s, e);
	return rc == RC_OK ? submission_promise(k, s, NULL, 0, id, e) : rc;
}

/* IPC_SUBMITTED: result, submission(8), n times: name, via hub(1), route. */
static enum rc
tell(struct keeper *k, const struct submission *s, enum rc said,
    const struct err *why, int64_t id, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = pack_err(&b, said, why) && buf_add64(&b, (uint64_t)id);

	for (size_t i = 0; ok && said == RC_OK && i < s->nout; i++) {
		const struct outgoing *o = &s->out[i];

		if (o->nroutes == 0)
			ok = pack_str(&b, o->dest.name) && buf_add8(&b, 0);
		for (size_t n = 0; ok && n < o->nroutes; n++)
			ok = pack_str(&b, o->routes[n]) && buf_add8(&b, 1);
	}
	return ipc_put(&k->x->starter, IPC_SUBMITTED, 0, &b, ok, e);
}

enum rc
submission_new(struct submission *s, size_t max, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->max = max;
	s->out = calloc(max, sizeof(*s->out));
	return s->out != NULL ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

void
submission_free(struct keeper *k, struct submission *s)
{
	for (size_t i = 0; i < s->nout; i++)
		outgoing_free(k, &s->out[i]);
	free(s->out);
	memset(s, 0, sizeof(*s));
}

enum rc
seal_submission(struct keeper *k, struct err *e)
{
	struct submission s;
	struct err why = ERR_INIT;
	int64_t id = 0;
	enum rc rc;

	if (submission_new(&s, SUBMIT_RCPT_MAX, e) != RC_OK)
		return e->rc;
	rc = submit_run(k, &s, &id, &why);
	if (rc != RC_OK)
		keeper_worse(k, rc, WHY_NONE);
	rc = tell(k, &s, rc, &why, id, e);
	submission_free(k, &s);
	return rc;
}
