#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "vault/authority.h"
#include "vault/gate_priv.h"
#include "vault/grow.h"

static enum rc
no_memory(struct err *e)
{
	return err_set(e, RC_NOMEM, _("no memory for the records"));
}

enum rc
gate_alarm(struct gate_open *o, enum gate_alarm_kind kind, struct bytes who,
    struct err *e)
{
	struct gate_alarm *a;
	void *p = o->v.alarms;

	if (!grow(&p, &o->cap_alarms, o->v.nalarms + 1, sizeof(*a)))
		return no_memory(e);
	o->v.alarms = p;
	a = &o->v.alarms[o->v.nalarms++];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	memcpy(a->who, who.p, who.len);
	return RC_OK;
}

static const struct keystore_self *
mine(const struct gate_open *o)
{
	return &o->g->ks->selves[o->self];
}

static enum rc
refuse(const struct gate_open *o, uint8_t type, struct err *e)
{
	return err_class(e, EC_AUTHORITY, _("%s may not write a record %s "
	    "here"), o->h.from.s, rec_name(type));
}

/* ---- what the table leaves to us --------------------------------------- */

static bool
conditions_hold(const struct gate_open *o, const struct rec *r, unsigned also)
{
	if ((also & AUTHORITY_IF_RETURN_KEY) &&
	    !identity_eq(&r->grant.peer, &o->h.from))
		return false;
	/* A key of a year travels only in that year's envelopes (K3). */
	if ((also & AUTHORITY_IF_GRANT) && r->grant.year != o->h.year)
		return false;
	if ((also & AUTHORITY_IF_NOT_STATE_1) &&
	    r->ack.state == REC_ACK_RELAYED)
		return false;
	if ((also & AUTHORITY_IF_NO_ROLE) &&
	    !identity_same_name(&r->bar.name, &o->h.from) &&
	    keystore_role(o->g->ks, o->self, &r->bar.name) != 0)
		return false;
	return true;
}

static enum rc
judge(const struct gate_open *o, const struct rec *r, struct err *e)
{
	const struct keystore *ks = o->g->ks;
	struct authority_who who = { .kind = AUTHORITY_MAIL };
	unsigned also;

	/* 1 << enum rec_role_kind are the very bits of authority.h. */
	who.author = o->roles;
	who.reader = keystore_role(ks, o->self, &mine(o)->id);
	who.has_watch = keystore_holder(ks, o->self, REC_ROLE_WATCH) != NULL;
	if (!authority_may(r->type, &who, &also) ||
	    !conditions_hold(o, r, also))
		return refuse(o, r->type, e);
	return RC_OK;
}

/* ---- what is handed on ------------------------------------------------- */

static enum rc
keep_ack(struct gate_ack **list, size_t *n, size_t *cap,
    const struct rec_ack *a, struct err *e)
{
	struct gate_ack *to;
	void *p = *list;

	if (!grow(&p, cap, *n + 1, sizeof(*to)))
		return no_memory(e);
	*list = p;
	to = &(*list)[(*n)++];
	memset(to, 0, sizeof(*to));
	memcpy(to->t, a->tag, GATE_T_BYTES);
	to->state = (uint8_t)a->state;
	to->at = a->at;
	memcpy(to->d, a->digest, GATE_D_BYTES);
	if (a->name.len > 0)
		gate_put_name(to->name, &a->name);
	return RC_OK;
}

/* At most 100, no name twice, not the sender's, not ours (2.19.33). */
static enum rc
keep_route(struct gate_open *o, const struct identity *name, struct err *e)
{
	struct gate_verdict *v = &o->v;
	struct gate_route *to;
	void *p = v->routes;

	if (v->nroutes == GATE_ROUTES_MAX)
		return err_class(e, EC_RECORD, _("more than %d routes"),
		    GATE_ROUTES_MAX);
	if (identity_same_name(name, &o->h.from) ||
	    identity_same_name(name, &o->h.to))
		return err_class(e, EC_RECORD,
		    _("a route to its sender or to the gateway itself"));
	for (size_t i = 0; i < v->nroutes; i++)
		if (bytes_eqs(identity_name(name), v->routes[i].name))
			return err_class(e, EC_RECORD,
			    _("two routes to one name"));
	if (!grow(&p, &o->cap_routes, v->nroutes + 1, sizeof(*to)))
		return no_memory(e);
	v->routes = p;
	to = &v->routes[v->nroutes++];
	memset(to, 0, sizeof(*to));
	gate_put_name(to->name, name);
	return RC_OK;
}

static enum rc
keep_relayed(struct gate_open *o, const struct rec_relayed *r, struct err *e)
{
	struct gate_verdict *v = &o->v;

	if (identity_same_name(&r->id, &o->h.to) ||
	    identity_same_name(&r->id, &o->h.from))
		return err_class(e, EC_RECORD, _("relayed mail of its "
		    "recipient or of the gateway itself"));
	v->relayed = true;
	memcpy(v->orig_t, r->tag, GATE_T_BYTES);
	v->orig_at = r->at;
	gate_put_id(v->orig, &r->id);
	gate_put_name(v->orig_name, &r->id);
	o->author = r->id;
	return RC_OK;
}

static enum rc
keep(struct gate_open *o, const struct rec *r, struct err *e)
{
	struct gate_verdict *v = &o->v;

	switch (r->type) {
	case REC_ACK:
		return keep_ack(&v->acks, &v->nacks, &o->cap_acks, &r->ack, e);
	case REC_RELAYED_ACK:
		return keep_ack(&v->relayed_acks, &v->nrelayed_acks,
		    &o->cap_relayed, &r->ack, e);
	case REC_ROUTE:
		return keep_route(o, &r->route.name, e);
	case REC_RELAYED:
		return keep_relayed(o, &r->relayed, e);
	case REC_WITNESS:
		o->nwitness++;
		return RC_OK;
	case REC_ASK:
		v->asked = true;
		return RC_OK;
	default:
		return RC_OK;
	}
}

/* WITNESSes stand in the order of the ROUTEs, one each, or there is one for
 * the recipient himself (2.19.6). */
static enum rc
keep_witnesses(struct gate_open *o, struct err *e)
{
	struct rd rd = rd_of(o->reader.control.p, o->reader.control.len);
	struct gate_verdict *v = &o->v;
	size_t want = v->nroutes > 0 ? v->nroutes : 1, n = 0;
	struct rec r;

	if (o->nwitness == 0)
		return RC_OK;
	if (o->nwitness != want)
		return err_class(e, EC_RECORD, _("%zu witnesses for %zu "
		    "recipients"), o->nwitness, want);
	while (rd.left > 0 && rec_next(&rd, &r, e) == RC_OK) {
		if (r.type != REC_WITNESS)
			continue;
		if (v->nroutes == 0) {
			memcpy(v->witness, r.witness.proof, GATE_WITNESS_BYTES);
			v->has_witness = true;
			break;
		}
		v->routes[n].has_witness = true;
		memcpy(v->routes[n++].witness, r.witness.proof,
		    GATE_WITNESS_BYTES);
	}
	return RC_OK;
}

/*
 * Sealed for an older key of mine, which a thief may hold: only the mail
 * counts (2.19.22), and with it that it was relayed.  A gateway's routes would
 * be lost so, hence refused aloud.
 */
static enum rc
check_replaced(struct gate_open *o, const struct rec *r, struct err *e)
{
	if (r->type == REC_ROUTE)
		return refuse(o, r->type, e);
	if (r->type != REC_RELAYED)
		return RC_OK;
	if (judge(o, r, e) != RC_OK)
		return e->rc;
	return keep_relayed(o, &r->relayed, e);
}

enum rc
gate_check(struct gate_open *o, struct err *e)
{
	struct rd rd = rd_of(o->reader.control.p, o->reader.control.len);
	struct rec r;
	enum rc rc = RC_OK;

	o->author = o->h.from;
	o->v.sealed_at = o->reader.meta.sealed_at;
	while (rc == RC_OK && rd.left > 0) {
		if ((rc = rec_next(&rd, &r, e)) != RC_OK)
			break;
		if (o->replaced) {
			rc = check_replaced(o, &r, e);
			continue;
		}
		rc = judge(o, &r, e);
		if (rc == RC_OK)
			rc = keep(o, &r, e);
	}
	if (rc == RC_OK && o->v.relayed && o->v.nroutes > 0)
		rc = err_class(e, EC_RECORD, _("relayed mail with a route"));
	return rc == RC_OK ? keep_witnesses(o, e) : rc;
}

enum rc
gate_check_relayed(struct gate_open *o, struct err *e)
{
	struct gate *g = o->g;
	bool damaged;
	size_t len;
	uint8_t min;
	enum rc rc;

	if (!o->v.relayed)
		return RC_OK;
	if ((rc = gate_peer(g, &o->args.rows, &o->author, &len, &damaged,
	    e)) != RC_OK)
		return rc;
	if (g->scratch->peer.direct)
		o->flags |= GATE_F_RELAYED_DIRECT;
	min = gate_min(g, &g->scratch->peer, o->own.desk, &o->author);
	wipe(&g->scratch->peer, sizeof(g->scratch->peer));
	if (o->author.gen < min)
		return err_class(e, EC_BARRED, _("%s, whose mail was relayed, "
		    "is barred or has been replaced"), o->author.s);
	return RC_OK;
}
