#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "vault/gate_priv.h"

/* What one record, or the envelope itself, changes about a name; it works on
 * the row in scratch->peer. */
struct change {
	const struct identity	*name;
	const struct rec	*rec;	/* NULL: the envelope itself */
};

static bool
is_mine(const struct gate_open *o, const struct identity *name)
{
	return keystore_top(o->g->ks, name) != 0;
}

static void
rise(struct row_peer *p, uint8_t gen)
{
	if (gen > p->min)
		p->min = gen;
}

/* ---- one change each --------------------------------------------------- */

/* A newcomer, or somebody's next key: the watch desk tells him what is barred
 * (PROTOCOL 2.8).  Who shows a key of his own is known to it as he was. */
static bool
is_enrolment(const struct gate_open *o, const struct rec_grant *x)
{
	return (o->roles & 1U << REC_ROLE_ISSUER) != 0 &&
	    !identity_same_name(&x->peer, &o->h.from) &&
	    bytes_eq(identity_assoc(&x->peer), identity_assoc(&o->h.to));
}

static enum rc
learn_key(struct gate_open *o, const struct rec_grant *x, struct err *e)
{
	struct row_peer *p = &o->g->scratch->peer;
	const uint8_t *held = ring_find(o->g->ks->ring, (uint16_t)o->self,
	    &x->peer);
	enum row_add how;

	/* A key that is void already is skipped, not refused (2.19.1). */
	if (x->peer.gen < gate_min(o->g, p, o->own.desk, &x->peer))
		return RC_OK;
	if (held != NULL)
		how = same(held, x->key, KDF_KEY_BYTES) ? ROW_HELD :
		    ROW_CONFLICT;
	else
		how = row_grant(p, identity_bytes(&o->h.to), x->peer.gen,
		    x->year, x->key);
	if (how == ROW_ADDED && is_enrolment(o, x))
		o->v.enrolled = true;
	if (how == ROW_CONFLICT)
		return gate_alarm(o, GATE_AL_GRANT_CONFLICT,
		    identity_bytes(&x->peer), e);
	rise(p, x->peer.gen);
	return RC_OK;
}

static enum rc
learn_bar(struct gate_open *o, const struct rec_bar *b, struct err *e)
{
	struct gate *g = o->g;
	struct row_peer *p = &g->scratch->peer;
	uint8_t before = gate_min(g, p, o->own.desk, &b->name), after;
	uint8_t top = keystore_top(g->ks, &b->name);

	if (o->roles & 1U << REC_ROLE_ISSUER)
		rise(p, b->minimum);
	else
		row_bar(p, o->h.from.gen, b->minimum);
	after = gate_min(g, p, o->own.desk, &b->name);
	if (after <= before)
		return RC_OK;
	if (top != 0 && top < after)
		return gate_alarm(o, GATE_AL_OWN_BAR, identity_name(&b->name),
		    e);
	return gate_alarm(o, GATE_AL_BARRED, identity_name(&b->name), e);
}

static enum rc
learn_entry(struct gate_open *o, const struct rec_entry *x)
{
	struct row_peer *p = &o->g->scratch->peer;

	row_enter(p, o->v.sealed_at, x->id.gen, (uint8_t)x->flag, x->route,
	    x->display);
	if (!is_mine(o, &x->id))
		rise(p, x->id.gen);
	return RC_OK;
}

/* What an authentic envelope proves about its sender. */
static enum rc
learn_sender(struct gate_open *o, struct err *e)
{
	struct row_peer *p = &o->g->scratch->peer;
	const struct rec_meta *m = &o->reader.meta;
	uint8_t known = gate_min(o->g, p, o->own.desk, &o->h.from);

	rise(p, o->h.from.gen);
	if (m->year > p->shown_year)
		p->shown_year = m->year;
	if (m->version > p->shown_version)
		p->shown_version = m->version;
	if (o->reader.has_mail && !o->v.relayed && o->v.nroutes == 0)
		p->direct = true;
	if (known != 0 && known < o->h.from.gen)
		return gate_alarm(o, GATE_AL_NEW_GENERATION,
		    identity_bytes(&o->h.from), e);
	return RC_OK;
}

/* Somebody of another association is known: his address alone is enough to
 * write to him. */
static void
meet(struct gate_open *o, const struct identity *name)
{
	struct bytes assoc = identity_assoc(name);

	if (!bytes_eq(assoc, identity_assoc(&o->h.to)))
		row_meet(&o->own, assoc);
}

static enum rc
change_peer(struct gate_open *o, const struct change *c, struct err *e)
{
	if (c->rec == NULL || c->rec->type != REC_BAR)
		meet(o, c->name);
	if (c->rec == NULL)
		return learn_sender(o, e);
	switch (c->rec->type) {
	case REC_GRANT:
		return learn_key(o, &c->rec->grant, e);
	case REC_BAR:
		return learn_bar(o, &c->rec->bar, e);
	case REC_ENTRY:
		return learn_entry(o, &c->rec->entry);
	default:
		return RC_OK;
	}
}

/* ---- rows -------------------------------------------------------------- */

/* Read a name's row, change it, keep it if it says more than before. */
static enum rc
apply(struct gate_open *o, const struct change *c, struct err *e)
{
	struct gate *g = o->g;
	struct buf sealed = BUF_INIT;
	char key[GATE_ID_BYTES];
	bool damaged, changed;
	size_t was;
	enum rc rc;

	if ((rc = gate_peer(g, &o->args.rows, c->name, &was, &damaged,
	    e)) != RC_OK)
		return rc;
	if (damaged)
		rc = gate_alarm(o, GATE_AL_ROW, identity_name(c->name), e);
	if (rc == RC_OK)
		rc = change_peer(o, c, e);
	if (rc == RC_OK)
		rc = gate_peer_changed(g, c->name, was, &sealed, &changed, e);
	if (rc == RC_OK && changed) {
		gate_put_name(key, c->name);
		rc = gate_cache_put(&o->changed, key, &sealed, e);
	}
	wipe(&g->scratch->peer, sizeof(g->scratch->peer));
	buf_free(&sealed);
	return rc;
}

/* Whose row a record changes; NULL: nobody's. */
static const struct identity *
whose(const struct gate_open *o, const struct rec *r)
{
	switch (r->type) {
	case REC_GRANT:
		return is_mine(o, &r->grant.peer) ? NULL : &r->grant.peer;
	case REC_BAR:
		return &r->bar.name;
	case REC_ENTRY:
		return &r->entry.id;
	default:
		return NULL;
	}
}

static enum rc
apply_records(struct gate_open *o, struct err *e)
{
	struct rd rd = rd_of(o->reader.control.p, o->reader.control.len);
	struct rec r;
	struct change c = { .rec = &r };
	enum rc rc = RC_OK;

	while (rc == RC_OK && rd.left > 0) {
		if ((rc = rec_next(&rd, &r, e)) != RC_OK)
			break;
		if ((c.name = whose(o, &r)) != NULL)
			rc = apply(o, &c, e);
		else if (r.type == REC_DENY)
			rc = gate_alarm(o, GATE_AL_DENIED,
			    identity_name(&r.deny.name), e);
	}
	return rc;
}

/* The desk's number first: which of its bars are in force depends on it. */
static void
learn_bulletin(struct gate_open *o)
{
	struct rd rd = rd_of(o->reader.control.p, o->reader.control.len);
	struct err ignored = ERR_INIT;
	struct rec r;

	while (rd.left > 0 && rec_next(&rd, &r, &ignored) == RC_OK)
		if (r.type == REC_BULLETIN) {
			row_bulletin(&o->own, o->h.from.gen,
			    r.bulletin.number, o->v.sealed_at);
			o->v.desk = o->h.from.gen;
			o->v.bulletin = r.bulletin.number;
		}
}

static bool
self_changed(const struct gate_open *o)
{
	const struct row_self *a = &o->own, *b = &o->own_was;

	return a->since_at != b->since_at || a->desk != b->desk ||
	    a->bulletin != b->bulletin || a->bulletin_at != b->bulletin_at ||
	    a->nassocs != b->nassocs || memcmp(a->assocs, b->assocs,
	    sizeof(a->assocs)) != 0;
}

static enum rc
apply_self(struct gate_open *o, struct err *e)
{
	struct buf sealed = BUF_INIT;
	enum rc rc;

	if (!self_changed(o))
		return RC_OK;
	rc = gate_write_self(o->g, &o->own, &sealed, e);
	if (rc == RC_OK)
		rc = gate_cache_put(&o->changed, GATE_ROW_SELF, &sealed, e);
	buf_free(&sealed);
	return rc;
}

/* Another association's watch desk counts bulletins of its own. */
static bool
same_desk(const struct gate_open *o)
{
	return bytes_eq(identity_assoc(&o->h.from), identity_assoc(&o->h.to));
}

enum rc
gate_apply(struct gate_open *o, struct err *e)
{
	const struct change sender = { &o->h.from, NULL };
	enum rc rc;

	if (o->replaced)
		return gate_alarm(o, GATE_AL_REPLACED_KEY,
		    identity_bytes(&o->h.from), e);
	learn_bulletin(o);
	if ((rc = apply(o, &sender, e)) != RC_OK ||
	    (rc = apply_records(o, e)) != RC_OK ||
	    (rc = apply_self(o, e)) != RC_OK)
		return rc;
	if (same_desk(o) && o->reader.meta.bulletin > o->own.bulletin) {
		o->v.missed = o->reader.meta.bulletin;
		rc = gate_alarm(o, GATE_AL_MISSED_BULLETIN,
		    identity_bytes(&o->h.from), e);
	}
	o->v.rows = o->changed.rows;
	o->v.nrows = o->changed.n;
	return rc;
}
