/*
 * At the association's gateway: what a member sealed for it is opened once
 * more for each recipient and sealed again chunk by chunk; one transaction
 * makes all of it true (DESIGN "Re-sealing at the hub").
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

struct relay_job {
	struct outgoing			 out[GATE_ROUTES_MAX];
	struct store_out_put		 put[GATE_ROUTES_MAX];
	size_t				 nout;
	struct store_hub_refusal	 refused[GATE_ROUTES_MAX];
	size_t				 nrefused;
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
	    o->in.body, 0, o->head.len };
	struct err why = ERR_INIT;
	enum rc rc;

	*refused = false;
	out->at = clock_now();
	rc = keeper_resolve(k, 0, NULL, o->v.routes[n].name, &out->dest,
	    &why);
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
	return RC_OK;
}

static enum rc
commit(struct keeper *k, struct opening *o, struct relay_job *j,
    struct err *e)
{
	struct store_row *rows = calloc(o->v.nrows + 1, sizeof(*rows));
	struct store_ack_in *acks = calloc(o->v.nacks +
	    o->v.nrelayed_acks + 1, sizeof(*acks));
	struct store_done d;
	enum rc rc;

	if (rows == NULL || acks == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else {
		opening_done(k, o, &d, rows, acks);
		d.ack_state = j->nout > 0 ? GATE_ACK_RELAYED :
		    GATE_ACK_REFUSED;
		FAULT("keeper.relay.before");
		rc = store_hub_relay(k->st, &d, j->put, j->nout, j->refused,
		    j->nrefused, clock_now(), e);
		FAULT("keeper.relay.after");
		/* The bodies are the store's from here on. */
		for (size_t i = 0; i < j->nout; i++)
			j->out[i].body.id = 0;
	}
	if (rc == RC_OK)
		k->moved = k->works = true;
	if (rc == RC_OK)
		keeper_event(k, "hub.relayed", "from=%s recipients=%zu "
		    "refused=%zu", o->head.sender, j->nout, j->nrefused);
	free(rows);
	free(acks);
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

#define SPARE_BYTES (256 * 1024)	/* more is not opened in vain */

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

/* Has he had his share of the day?  Counted before a message, so that one is
 * never cut in two. */
static enum rc
is_over(struct keeper *k, const char *sender, bool *over, struct err *e)
{
	const struct conf *c = k->p->conf;
	struct store_hub_day d;
	enum rc rc;

	*over = false;
	if (c->hub_messages == 0 && c->hub_size == 0)
		return RC_OK;
	if ((rc = store_hub_day(k->st, sender, clock_now(), &d, e)) != RC_OK)
		return rc;
	*over = (c->hub_messages > 0 &&
	    d.messages >= (uint64_t)c->hub_messages) ||
	    (c->hub_size > 0 && d.bytes >= c->hub_size);
	return RC_OK;
}

/* It stays sealed as it is, and is looked at again by each pass. */
static enum rc
leave(struct keeper *k, struct opening *o, struct err *e)
{
	o->fate = FATE_LEAVE;
	k->left = true;
	return store_hub_over(k->st, o->head.sender, clock_now(), e);
}

enum rc
hub_spare(struct keeper *k, struct opening *o, struct err *e)
{
	bool over;
	enum rc rc;

	if (!k->p->conf->hub || o->in.size <= SPARE_BYTES)
		return RC_OK;
	rc = is_over(k, o->head.sender, &over, e);
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
	struct relay_job *j;
	struct err why = ERR_INIT;
	bool over, served = members == NULL ||
	    is_served(members, o->head.sender_name);
	enum rc rc = is_over(k, o->head.sender, &over, e);

	if (rc != RC_OK || (over && served))
		return rc != RC_OK ? rc : leave(k, o, e);
	if ((j = calloc(1, sizeof(*j))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	if (!served)
		refuse_all(k, o, j);
	if (!served || relay_all(k, o, j, &why) == RC_OK) {
		rc = commit(k, o, j, e);
		if (rc == RC_OK)
			o->fate = FATE_RELAYED;
	} else if (why.rc != RC_TEMP && why.rc != RC_NOMEM) {
		keeper_fault(k, "hub.failed", why.rc, WHY_NONE, &why);
		o->fate = FATE_LEAVE;
		rc = RC_OK;
	} else
		rc = err_set(e, why.rc, "%s", why.text);
	for (size_t i = 0; i < GATE_ROUTES_MAX; i++)
		outgoing_free(k, &j->out[i]);
	free(j);
	return rc;
}
