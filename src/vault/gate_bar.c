/* The watch desk: what it may say of whom (PROTOCOL 2.8, 2.19.23). */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "vault/gate_priv.h"

/* Our newest self that is the desk and may say so now. */
static const struct keystore_self *
desk_self(const struct gate *g, int64_t now)
{
	const struct keystore_self *best = NULL;

	for (size_t i = 0; i < g->ks->nselves; i++) {
		const struct keystore_self *x = &g->ks->selves[i];

		if ((keystore_role(g->ks, i, &x->id) &
		    1U << REC_ROLE_WATCH) == 0 || x->from_at > now ||
		    now >= x->read_until_at ||
		    keystore_top(g->ks, &x->id) > x->id.gen)
			continue;
		if (best == NULL || x->id.gen > best->id.gen)
			best = x;
	}
	return best;
}

uint8_t
gate_desk(const struct gate *g, int64_t now, char name[GATE_ID_BYTES])
{
	const struct keystore_self *x = desk_self(g, gate_time(now));

	if (name != NULL) {
		memset(name, 0, GATE_ID_BYTES);
		if (x != NULL)
			gate_put_name(name, &x->id);
	}
	return x != NULL ? x->id.gen : 0;
}

bool
gate_listed(const struct gate *g, const char *name)
{
	struct ring_entry x;
	struct identity id;

	return identity_parse_name(name, strlen(name), &id) &&
	    ring_entry(g->ks->ring, &id, &x);
}

bool
gate_is_issuer(const struct gate *g, const char *name)
{
	struct identity id;

	if (!identity_parse_name(name, strlen(name), &id))
		return false;
	for (size_t i = 0; i < g->ks->nselves; i++)
		if (keystore_role(g->ks, i, &id) & 1U << REC_ROLE_ISSUER)
			return true;
	return false;
}

/* Roles are kept by our own year: one of any year is respected. */
static bool
may_bar(const struct gate *g, const struct identity *name)
{
	unsigned roles = 0;

	for (size_t i = 0; i < g->ks->nselves; i++)
		if (!identity_same_name(&g->ks->selves[i].id, name))
			roles |= keystore_role(g->ks, i, name);
	return roles == 0;
}

bool
gate_may_bar(const struct gate *g, const char *name)
{
	struct identity id;

	return identity_parse_name(name, strlen(name), &id) &&
	    may_bar(g, &id);
}

bool
gate_bars(const struct gate *g, size_t *i, struct gate_bar *out)
{
	while (*i < ring_bars(g->ks->ring)) {
		const char *name = ring_bar_at(g->ks->ring, (*i)++,
		    &out->min);

		if (!gate_may_bar(g, name))
			continue;
		snprintf(out->name, sizeof(out->name), "%s", name);
		return true;
	}
	return false;
}

static uint8_t
higher(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}

/* Nobody sends the desk bars, so those in its rows are its own, and it has
 * told all of them again under its newest key. */
uint8_t
gate_row_min(const struct gate *g, const struct row_peer *peer, uint8_t desk)
{
	for (size_t i = 0; i < g->ks->nselves; i++)
		if (keystore_role(g->ks, i, &g->ks->selves[i].id) &
		    1U << REC_ROLE_WATCH)
			desk = 0;
	return row_min(peer, desk);
}

/* What is known of him beside bars; his row is in scratch->peer.  That the
 * issuer has raised his minimum cannot be told from a key that proved it. */
static void
look(const struct gate *g, uint8_t desk, const struct identity *name,
    struct gate_barring *out)
{
	struct row_peer *p = &g->scratch->peer;
	const uint8_t min = p->min;

	if (min != IDENTITY_BARRED)
		p->min = 0;
	out->before = higher(gate_row_min(g, p, desk),
	    ring_barred(g->ks->ring, name));
	p->min = min;
	out->known = higher(ring_proved(g->ks->ring, name),
	    min == IDENTITY_BARRED ? 0 : min);
	for (size_t i = 0; i < p->ngrants; i++)
		out->known = higher(out->known, p->grants[i].gen);
}

/* 0: the next one, if nobody can mean another. */
static enum rc
choose(uint8_t min, struct gate_barring *x, struct err *e)
{
	/* One whom we do not know has a first key. */
	unsigned next = higher(higher(x->known, x->before), 1) + 1U;

	x->min = min;
	if (min == IDENTITY_BARRED || x->before == IDENTITY_BARRED)
		return RC_OK;
	if (min == 0 && x->known > 1)
		return err_set(e, RC_PERM, _("%s has had %u keys: say "
		    "--generation %u if the newest is still good, --generation "
		    "%u if it is not; nothing was changed"), x->name, x->known,
		    x->known, x->known + 1U);
	if (min == 0 && x->before > 1)
		return err_set(e, RC_PERM, _("the keys of %s before generation "
		    "%u are barred already; if the next one is stolen too, "
		    "say --generation %u; nothing was changed"), x->name,
		    x->before, x->before + 1U);
	if (min == 0)
		x->min = (uint8_t)next;
	if (x->min > next)
		return err_set(e, RC_PERM, _("the highest key of %s that is "
		    "known here has generation %u: --generation may be %u at "
		    "most; nothing was changed"), x->name, next - 1U, next);
	return RC_OK;
}

/* A key file has no line for its reader. */
static enum rc
whom(struct gate *g, const struct gate_rows *rows,
    const struct keystore_self *desk, const char *who, struct identity *name,
    struct err *e)
{
	struct bytes own = identity_address(&desk->id);

	if (strlen(who) != own.len ||
	    strncasecmp(who, (const char *)own.p, own.len) != 0)
		return gate_typed(g, rows, &desk->id, who, name, e);
	own = identity_name(&desk->id);
	if (!identity_parse_name((const char *)own.p, own.len, name))
		return err_set(e, RC_CONF, "%s", desk->id.s);
	return RC_OK;
}

/* Its own older keys, once a new one was imported: that is all which the desk
 * may say of itself. */
static enum rc
office(const struct keystore_self *desk, const struct identity *name,
    const struct gate *g, uint8_t *min, struct err *e)
{
	if (identity_same_name(&desk->id, name)) {
		if (desk->id.gen > 1 && (*min == 0 || *min == desk->id.gen)) {
			*min = desk->id.gen;
			return RC_OK;
		}
		return err_set(e, RC_PERM, _("%s is this watch desk itself: a "
		    "new key from the association replaces it"), name->s);
	}
	if (may_bar(g, name))
		return RC_OK;
	return err_set(e, RC_PERM, _("%s holds an office of the association: "
	    "only the issuer's desk can bar it"), name->s);
}

static enum rc
bar(struct gate *g, const struct gate_rows *rows, uint8_t min, uint8_t seen,
    const struct identity *name, struct gate_barring *out, struct err *e)
{
	bool damaged, changed = false;
	struct ring_entry x;
	size_t len;
	enum rc rc = gate_peer(g, rows, name, &len, &damaged, e);

	if (rc != RC_OK)
		return rc;
	look(g, seen, name, out);
	out->known = higher(out->known, keystore_top(g->ks, name));
	if (row_entry(&g->scratch->peer, g->ks->ring, name, &x))
		snprintf(out->show, sizeof(out->show), "%s", x.show);
	if ((rc = choose(min, out, e)) != RC_OK)
		return rc;
	if (out->min <= out->before) {
		out->min = out->before;
		return RC_OK;
	}
	row_bar(&g->scratch->peer, out->desk, out->min);
	rc = gate_peer_changed(g, name, len, &out->row.sealed, &changed, e);
	if (rc == RC_OK && changed)
		gate_put_name(out->row.key, name);
	return rc;
}

enum rc
gate_bar(struct gate *g, const struct gate_rows *rows, const char *who,
    uint8_t min, int64_t now, struct gate_barring *out, struct err *e)
{
	const struct keystore_self *desk = desk_self(g, gate_time(now));
	struct row_self self, was;
	struct identity name;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if (desk == NULL)
		return err_set(e, RC_CONF, _("the key held here is not that of "
		    "the watch desk: only the association's watch desk can "
		    "bar a key"));
	out->desk = desk->id.gen;
	if ((rc = whom(g, rows, desk, who, &name, e)) != RC_OK)
		return rc;
	gate_put_name(out->name, &name);
	if ((rc = office(desk, &name, g, &min, e)) != RC_OK ||
	    (rc = gate_read_self(g, rows, &self, &was, e)) != RC_OK)
		return rc;
	rc = bar(g, rows, min, self.desk, &name, out, e);
	wipe(&g->scratch->peer, sizeof(g->scratch->peer));
	if (rc != RC_OK)
		gate_row_free(&out->row);
	return rc;
}

enum rc
gate_self_barred(struct gate *g, const struct gate_rows *rows, size_t i,
    bool *barred, struct err *e)
{
	const struct identity *id = &g->ks->selves[i].id;
	struct row_self self, was;
	bool damaged;
	size_t len;
	uint8_t min;
	enum rc rc;

	*barred = false;
	if ((rc = gate_read_self(g, rows, &self, &was, e)) != RC_OK ||
	    (rc = gate_peer(g, rows, id, &len, &damaged, e)) != RC_OK)
		return rc;
	min = higher(row_min(&g->scratch->peer, self.desk),
	    ring_barred(g->ks->ring, id));
	wipe(&g->scratch->peer, sizeof(g->scratch->peer));
	*barred = id->gen < min;
	return RC_OK;
}
