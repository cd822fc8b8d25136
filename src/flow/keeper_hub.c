/*
 * At the association's gateway: what a member sealed for it is opened once
 * more for each recipient and sealed again chunk by chunk; one transaction
 * makes all of it true (DESIGN "Re-sealing at the hub"), and that of the
 * others that were opened with it: a sync is dear.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "flow/opening.h"
#include "flow/outgoing.h"
#include "store/store_hub.h"

#define HUB_AT_ONCE 32
#define HUB_BYTES (4U << 20)	/* of envelopes that wait for the commit */

/* One message for its routes; all arrays are owned, and as long as those. */
struct relay_job {
	struct opening			*o;
	struct outgoing			*out;
	struct store_out_put		*put;
	size_t				 nout;
	struct store_hub_refusal	*refused;
	size_t				 nrefused;
	uint64_t			 bytes;
	struct store_row		*rows;
	struct store_ack_in		*acks;
	char				 event[STORE_EVENT_MAX_BYTES];
};

/* Sealed again, and not committed yet. */
struct hub {
	struct relay_job	 job[HUB_AT_ONCE];
	size_t			 n;
	uint64_t		 bytes;
};

static enum rc
ask_again(struct keeper *k, const struct opening *o, size_t n,
    const struct gate_dest *dest, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = buf_add32(&b, (uint32_t)n) && dest_pack(&b, dest);

	return ipc_put(&k->vault.c, IPC_AGAIN, o->job, &b, ok, e);
}

/* ${refused}: by the vault, of this name only; the others go on.  Any other
 * failure is of this message, in ${e}. */
static enum rc
relay_one(struct keeper *k, const struct opening *o, size_t n,
    struct relay_job *j, bool *refused, struct err *e)
{
	struct outgoing *out = &j->out[j->nout];
	struct feed feed = { &k->vault, IPC_SEALED, IPC_SEALED_END, o->job,
	    o->in.body, 0, o->head.len, NULL, NULL };
	struct err why = ERR_INIT;
	enum rc rc;

	*refused = false;
	out->at = clock_now();
	rc = keeper_resolve(k, RESOLVE_BATCH, NULL, o->v.routes[n].name,
	    &out->dest, &why);
	if (rc == RC_OK && out->dest.via_hub)
		rc = err_set(&why, RC_PERM, _("no key for %s"),
		    o->v.routes[n].name);
	if (rc == RC_PERM) {
		keeper_event(k, "hub.refused", "to=%s why=\"%.200s\"",
		    o->v.routes[n].name, why.text);
		*refused = true;
		return RC_OK;
	}
	if (rc != RC_OK)
		return err_set(e, rc, "%s", why.text);
	if ((rc = ask_again(k, o, n, &out->dest, e)) != RC_OK ||
	    (rc = outgoing_take(k, o->job, &feed, out, e)) != RC_OK)
		return rc;
	outgoing_put(k, out, STORE_MAIL, o->v.d, &j->put[j->nout++]);
	j->bytes += out->body.size;
	return RC_OK;
}

static void
job_free(struct keeper *k, struct relay_job *j)
{
	for (size_t i = 0; j->out != NULL && i < j->o->v.nroutes; i++)
		outgoing_free(k, &j->out[i]);
	free(j->out);
	free(j->put);
	free(j->refused);
	free(j->rows);
	free(j->acks);
	memset(j, 0, sizeof(*j));
}

static enum rc
job_new(struct opening *o, struct relay_job *j, struct err *e)
{
	size_t n = o->v.nroutes;

	memset(j, 0, sizeof(*j));
	j->o = o;
	j->out = calloc(n, sizeof(*j->out));
	j->put = calloc(n, sizeof(*j->put));
	j->refused = calloc(n, sizeof(*j->refused));
	j->rows = calloc(o->v.nrows + 1, sizeof(*j->rows));
	j->acks = calloc(o->v.nacks + o->v.nrelayed_acks + 1,
	    sizeof(*j->acks));
	return j->out != NULL && j->put != NULL && j->refused != NULL &&
	    j->rows != NULL && j->acks != NULL ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

static void
job_put(struct keeper *k, struct relay_job *j, struct store_done *d,
    struct store_hub_put *put)
{
	char t[2 * STORE_T_BYTES + 1];

	opening_done(k, j->o, d, j->rows, j->acks);
	d->ack_state = j->nout > 0 ? GATE_ACK_RELAYED : GATE_ACK_REFUSED;
	if (j->nout > 0 && k->p->conf->hub_archive_s > 0)
		d->keep_until = clock_now() + k->p->conf->hub_archive_s;
	hex_format(j->o->head.t, sizeof(j->o->head.t), t);
	keeper_words(j->event, "t=%.20s from=%s recipients=%zu refused=%zu",
	    t, j->o->head.sender, j->nout, j->nrefused);
	d->event = "hub.relayed";
	d->event_text = j->event;
	*put = (struct store_hub_put){ d, j->put, j->nout, j->refused,
	    j->nrefused };
}

/* What the journal knew meanwhile, of another sceau. */
static void
job_done(struct keeper *k, struct relay_job *j, enum store_result result)
{
	/* The bodies are the store's from here on. */
	for (size_t i = 0; i < j->nout; i++)
		j->out[i].body.id = 0;
	if (result == STORE_OK) {
		k->moved = k->works = k->out_more = true;
		k->queued++;
		keeper_say("hub.relayed", j->event);
		return;
	}
	j->o->fate = result == STORE_DUPLICATE ? FATE_DUPLICATE : FATE_LEAVE;
	k->busy = k->busy || result == STORE_BUSY;
}

enum rc
hub_commit(struct keeper *k, struct err *e)
{
	struct hub *h = k->hub;
	struct store_done d[HUB_AT_ONCE];
	struct store_hub_put put[HUB_AT_ONCE];
	enum rc rc;

	if (h == NULL || h->n == 0)
		return RC_OK;
	for (size_t i = 0; i < h->n; i++)
		job_put(k, &h->job[i], &d[i], &put[i]);
	FAULT("keeper.relay.before");
	rc = store_hub_relay(k->st, put, h->n, clock_now(), e);
	FAULT("keeper.relay.after");
	for (size_t i = 0; i < h->n; i++) {
		if (rc == RC_OK)
			job_done(k, &h->job[i], d[i].msg.result);
		else
			for (size_t n = 0; n < h->job[i].nout; n++)
				h->job[i].out[n].body.id = 0;
	}
	hub_forget(k);
	/* It need not wait for the rest of the batch. */
	return rc == RC_OK ? relays_start(k, e) : rc;
}

void
hub_forget(struct keeper *k)
{
	struct hub *h = k->hub;

	for (size_t i = 0; h != NULL && i < h->n; i++)
		job_free(k, &h->job[i]);
	free(h);
	k->hub = NULL;
}

/* It waits for the commit of all; lent and owned things of ${j} with it. */
static enum rc
keep(struct keeper *k, struct relay_job *j, struct err *e)
{
	if (k->hub == NULL)
		k->hub = calloc(1, sizeof(*k->hub));
	if (k->hub == NULL) {
		job_free(k, j);
		return err_set(e, RC_NOMEM, _("no memory left"));
	}
	j->o->fate = FATE_RELAYED;
	k->hub->bytes += j->bytes;
	k->hub->job[k->hub->n++] = *j;
	return k->hub->n == HUB_AT_ONCE || k->hub->bytes > HUB_BYTES ?
	    hub_commit(k, e) : RC_OK;
}

/* A second copy of what waits for the commit, or was in one since this batch
 * began: the store would not write its rows, and those that follow would count
 * on their versions. */
static enum rc
is_second(struct keeper *k, const struct opening *o, bool *second,
    struct err *e)
{
	struct store_t t;
	enum rc rc = store_t_find(k->st, o->head.t, &t, e);

	*second = t.state == STORE_T_DONE;
	for (size_t i = 0; k->hub != NULL && i < k->hub->n; i++)
		if (memcmp(k->hub->job[i].o->head.t, o->head.t,
		    sizeof(o->head.t)) == 0)
			*second = true;
	return rc;
}

static enum rc
relay_all(struct keeper *k, struct opening *o, struct relay_job *j,
    struct err *e)
{
	enum rc rc = RC_OK;
	bool refused;

	for (size_t i = 0; rc == RC_OK && i < o->v.nroutes; i++) {
		rc = relay_one(k, o, i, j, &refused, e);
		if (rc == RC_OK && refused) {
			j->refused[j->nrefused].name = o->v.routes[i].name;
			j->refused[j->nrefused++].state = GATE_ACK_REFUSED;
		}
	}
	return rc;
}

/* ---- for whom, and how much ----------------------------------------- */

/* One of the words of hub_members, an address or a name. */
static bool
is_served(const char *members, const char *name)
{
	const char *slash = strchr(name, '/');
	const char *address = slash != NULL ? slash + 1 : name;

	for (const char *p = members; *p != '\0';) {
		size_t n = strcspn(p, " ,\t\n");

		if ((n == strlen(name) && memcmp(p, name, n) == 0) ||
		    (n == strlen(address) && memcmp(p, address, n) == 0))
			return true;
		p += n;
		p += strspn(p, " ,\t\n");
	}
	return false;
}

static void
count_kept(const struct keeper *k, const struct opening *o,
    struct store_hub_day *d)
{
	for (size_t i = 0; k->hub != NULL && i < k->hub->n; i++) {
		const struct relay_job *j = &k->hub->job[i];

		if (strcmp(j->o->head.sender_name, o->head.sender_name) == 0) {
			d->messages += j->nout;
			d->bytes += j->bytes;
		}
	}
}

/* Has he had his share of the day?  Counted before a message, so that one is
 * never cut in two. */
static enum rc
is_over(struct keeper *k, const struct opening *o, bool *over, struct err *e)
{
	const struct conf *c = k->p->conf;
	struct store_hub_day d;
	enum rc rc;

	*over = false;
	if (c->hub_messages == 0 && c->hub_size == 0)
		return RC_OK;
	if ((rc = store_hub_day(k->st, o->head.sender, clock_now(), &d, e)) !=
	    RC_OK)
		return rc;
	count_kept(k, o, &d);
	*over = (c->hub_messages > 0 &&
	    d.messages >= (uint64_t)c->hub_messages) ||
	    (c->hub_size > 0 && d.bytes >= c->hub_size);
	return RC_OK;
}

/* It stays sealed as it is, and is looked at again by each pass. */
static enum rc
leave(struct keeper *k, struct opening *o, struct err *e)
{
	enum rc rc = hub_commit(k, e);	/* where his day is counted */

	o->fate = FATE_LEAVE;
	k->left = true;
	return rc != RC_OK ? rc : store_hub_over(k->st, o->head.sender,
	    clock_now(), e);
}

enum rc
hub_spare(struct keeper *k, struct opening *o, struct err *e)
{
	bool over;
	enum rc rc;

	if (!k->p->conf->hub || o->in.filing > 0 ||
	    o->in.size <= HUB_SPARE_BYTES)
		return RC_OK;
	rc = is_over(k, o, &over, e);
	return rc == RC_OK && over ? leave(k, o, e) : rc;
}

/* The policy of the association: he hears it of every recipient. */
static void
refuse_all(struct keeper *k, const struct opening *o, struct relay_job *j)
{
	for (size_t i = 0; i < o->v.nroutes; i++) {
		j->refused[j->nrefused].name = o->v.routes[i].name;
		j->refused[j->nrefused++].state = GATE_ACK_REFUSED;
	}
	keeper_event(k, "hub.not_served", "from=%s recipients=%zu",
	    o->head.sender, o->v.nroutes);
}

/* What the vault could not seal again stays as it is for the next pass, and
 * the other messages go on; not so when the vault itself is gone. */
enum rc
hub_relay(struct keeper *k, struct opening *o, struct err *e)
{
	const char *members = k->p->conf->hub_members;
	struct relay_job j;
	struct err why = ERR_INIT;
	bool second, over, served = members == NULL ||
	    is_served(members, o->head.sender_name);
	enum rc rc = is_second(k, o, &second, e);

	if (rc == RC_OK && second)
		o->fate = FATE_DUPLICATE;
	if (rc != RC_OK || second || (rc = is_over(k, o, &over, e)) != RC_OK)
		return rc;
	if (over && served)
		return leave(k, o, e);
	if ((rc = job_new(o, &j, e)) != RC_OK) {
		job_free(k, &j);
		return rc;
	}
	if (!served)
		refuse_all(k, o, &j);
	if (!served || relay_all(k, o, &j, &why) == RC_OK)
		return keep(k, &j, e);
	job_free(k, &j);
	if (why.rc == RC_TEMP || why.rc == RC_NOMEM)
		return err_set(e, why.rc, "%s", why.text);
	keeper_fault(k, "hub.failed", why.rc, WHY_NONE, &why);
	o->fate = FATE_LEAVE;
	return RC_OK;
}
