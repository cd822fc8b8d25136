#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "vault/gate_priv.h"

#define SAY_BYTES 256	/* of candidates in one message */

/* One search for a key with which one of my identities may write. */
struct search {
	struct gate	*g;
	const struct gate_rows *rows;
	int64_t		 now;
	bool		 control;	/* no MAIL: until read-until */
	bool		 bulletin;	/* to the barred too */
	struct identity	 own;		/* my name, at its highest generation */
	struct row_self	 facts;
};

/* ---- me ---------------------------------------------------------------- */

static bool
is_name_or_address(const struct identity *id, const char *who)
{
	return bytes_eqs(identity_name(id), who) ||
	    bytes_eqs(identity_address(id), who) ||
	    bytes_eqs(identity_bytes(id), who);
}

/* ASCII only: what a person types is folded, what we hold is never. */
static bool
fold(const char *who, char out[GATE_ID_BYTES])
{
	size_t len = strlen(who);

	if (len >= GATE_ID_BYTES)
		return false;
	for (size_t i = 0; i <= len; i++)
		out[i] = who[i] >= 'A' && who[i] <= 'Z' ?
		    (char)(who[i] - 'A' + 'a') : who[i];
	return true;
}

static enum rc
own_name(const struct gate *g, const char *who, struct identity *out,
    struct err *e)
{
	const struct keystore *ks = g->ks;
	char want[GATE_ID_BYTES];
	size_t n = 0;

	if (who != NULL && !fold(who, want))
		return err_set(e, RC_PERM, _("no such address here"));
	for (size_t i = 0; i < ks->nselves; i++) {
		const struct identity *id = &ks->selves[i].id;

		if (who != NULL && !is_name_or_address(id, want))
			continue;
		if (n > 0 && identity_same_name(out, id)) {
			if (id->gen > out->gen)
				*out = *id;
			continue;
		}
		if (n++ == 0)
			*out = *id;
	}
	if (n == 1)
		return RC_OK;
	if (n == 0)
		return err_set(e, RC_PERM, _("%s is not one of the identities "
		    "held here"), who);
	return err_set(e, RC_PERM, _("several identities are held here: "
	    "say which one writes"));
}

enum rc
gate_own(const struct gate *g, const char *who, char out[GATE_ID_BYTES],
    struct err *e)
{
	struct identity id;
	enum rc rc = own_name(g, who, &id, e);

	if (rc == RC_OK)
		gate_put_name(out, &id);
	return rc;
}

static bool
usable(const struct search *s, size_t i)
{
	const struct keystore_self *x = &s->g->ks->selves[i];

	return identity_eq(&x->id, &s->own) && x->from_at <= s->now &&
	    s->now < (s->control ? x->read_until_at : x->send_until_at);
}

/* My highest generation of the name, not barred, with a year that serves. */
static enum rc
check_own(struct search *s, struct err *e)
{
	struct gate *g = s->g;
	bool damaged;
	size_t len;
	uint8_t min;
	enum rc rc;

	s->own.gen = 0;
	for (size_t i = 0; i < g->ks->nselves; i++) {
		const struct identity *id = &g->ks->selves[i].id;

		if (identity_same_name(id, &s->own) && id->gen > s->own.gen)
			s->own = *id;
	}
	if ((rc = gate_read_self(g, s->rows, &s->facts,
	    &(struct row_self){ 0 }, e)) != RC_OK ||
	    (rc = gate_peer(g, s->rows, &s->own, &len, &damaged, e)) != RC_OK)
		return rc;
	min = row_min(&g->scratch->peer, s->facts.desk);
	if (ring_barred(g->ks->ring, &s->own) > min)
		min = ring_barred(g->ks->ring, &s->own);
	if (s->own.gen < min)
		return err_set(e, RC_CONF, _("the association has barred the "
		    "key %s held here: import the key file that replaces it, "
		    "nothing is sent until then"), s->own.s);
	for (size_t i = 0; i < g->ks->nselves; i++)
		if (usable(s, i))
			return RC_OK;
	return err_set(e, RC_CONF, _("no key of %s may be used for sending "
	    "now: import this year's key file with sceau key import (or is "
	    "the clock of this machine wrong?)"), s->own.s);
}

/* ---- a key ------------------------------------------------------------- */

/*
 * Among the years that serve and have a key of the peer: the older until he
 * has shown the newer; then his highest generation (2.19.25, 26).  His row is
 * in scratch->peer.  Index of the self, or -1; ${gen} his generation.
 */
static int
choose(const struct search *s, const struct identity *name, uint8_t min,
    uint8_t *gen)
{
	const struct row_peer *p = &s->g->scratch->peer;
	int best = -1;

	for (size_t i = 0; i < s->g->ks->nselves; i++) {
		const struct keystore_self *x = &s->g->ks->selves[i];
		uint8_t here, row;
		uint16_t was;

		if (!usable(s, i))
			continue;
		here = ring_best(s->g->ks->ring, (uint16_t)i, name, min);
		row = row_best(p, identity_bytes(&s->own), x->year, min);
		here = row > here ? row : here;
		if (here == 0)
			continue;
		was = best < 0 ? 0 : s->g->ks->selves[best].year;
		/* Not shown yet: the lowest.  Shown: the highest shown. */
		if (best < 0 || (x->year < was && was > p->shown_year) ||
		    (x->year > was && x->year <= p->shown_year)) {
			best = (int)i;
			*gen = here;
		}
	}
	return best;
}

/* His mailbox and how he is shown; his row is in scratch->peer. */
static void
put_entry(const struct gate *g, const struct identity *name, char *route,
    char *show)
{
	struct ring_entry x;

	(void)row_entry(&g->scratch->peer, g->ks->ring, name, &x);
	if (route != NULL)
		snprintf(route, GATE_ROUTE_BYTES, "%s", x.route);
	if (show != NULL)
		snprintf(show, GATE_SHOW_BYTES, "%s", x.show);
}

static enum rc
load_peer(const struct search *s, const struct identity *name, uint8_t *min,
    struct err *e)
{
	bool damaged;
	size_t len;
	enum rc rc = gate_peer(s->g, s->rows, name, &len, &damaged, e);

	/* Rule 2.19.25 keeps secrets from a thief; a bulletin is none, and he
	 * who is barred would go on writing to people who hold his mail. */
	if (rc == RC_OK)
		*min = s->bulletin ? 0 : gate_min(s->g, &s->g->scratch->peer,
		    s->facts.desk, name);
	return rc;
}

static void
put_dest(const struct search *s, int self, const struct identity *to,
    uint8_t gen, struct gate_dest *out)
{
	const struct keystore_self *x = &s->g->ks->selves[self];
	struct identity id;

	BUG_ON(!identity_at_gen(to, gen, &id));
	gate_put_id(out->to, &id);
	gate_put_id(out->own, &x->id);
	out->year = x->year;
	memcpy(out->to_address, identity_address(&id).p,
	    identity_address(&id).len);
	put_entry(s->g, &id, out->route, NULL);
}

/* The next key file may bring one. */
static enum rc
no_key_yet(struct err *e)
{
	e->class = EC_NOKEY;
	return e->rc;
}

/* No key for him: through the gateway, if one is known. */
static enum rc
by_hub(const struct search *s, const struct identity *name,
    struct gate_dest *out, struct err *e)
{
	const struct keystore *ks = s->g->ks;
	const struct identity *hub = NULL;
	uint8_t min, gen;
	int self;
	enum rc rc;

	for (size_t i = 0; i < ks->nselves && hub == NULL; i++)
		if (usable(s, i))
			hub = keystore_holder(ks, i, REC_ROLE_HUB);
	if (hub == NULL || identity_same_name(hub, name) ||
	    identity_same_name(hub, &s->own) || s->control) {
		err_set(e, RC_PERM, _("no key for %s, and no gateway that "
		    "could relay"), name->s);
		return no_key_yet(e);
	}
	if ((rc = load_peer(s, hub, &min, e)) != RC_OK)
		return rc;
	if ((self = choose(s, hub, min, &gen)) < 0) {
		err_set(e, RC_PERM, _("no key for %s, and none for the "
		    "gateway %s"), name->s, hub->s);
		return no_key_yet(e);
	}
	out->via_hub = true;
	put_dest(s, self, hub, gen, out);
	return RC_OK;
}

/* ${name} is a member's name: decided. */
static enum rc
to_name(const struct search *s, const struct identity *name,
    struct gate_dest *out, struct err *e)
{
	uint8_t min, gen;
	int self;
	enum rc rc;

	gate_put_name(out->name, name);
	if (keystore_top(s->g->ks, name) != 0)
		return err_set(e, RC_PERM, _("%s is served here: nothing is "
		    "sealed for oneself"), out->name);
	if ((rc = load_peer(s, name, &min, e)) != RC_OK)
		return rc;
	if (min == IDENTITY_BARRED)
		return err_set(e, RC_PERM, _("%s has been excluded by the "
		    "association"), out->name);
	put_entry(s->g, name, NULL, out->show);
	if ((self = choose(s, name, min, &gen)) < 0)
		return by_hub(s, name, out, e);
	put_dest(s, self, name, gen, out);
	return RC_OK;
}

/* ---- what a person typed ----------------------------------------------- */

struct found {
	size_t		n;
	struct identity	first;
	char		say[SAY_BYTES];
};

static void
add_found(void *ctx, struct bytes name)
{
	struct found *f = ctx;
	struct identity id;
	size_t len = strlen(f->say);

	if (!identity_parse_name(name.p, name.len, &id))
		return;
	if (f->n++ == 0)
		f->first = id;
	snprintf(f->say + len, sizeof(f->say) - len, "%s%s",
	    len > 0 ? ", " : "", id.s);
}

static enum rc
try_row(const struct search *s, const char *assoc, const char *address,
    struct found *f, struct err *e)
{
	const struct row_peer *p = &s->g->scratch->peer;
	char text[2 * GATE_ID_BYTES];
	struct identity id;
	bool damaged;
	size_t len;
	enum rc rc;
	int n = snprintf(text, sizeof(text), "%s/%s", assoc, address);

	if (n < 0 || !identity_parse_name(text, (size_t)n, &id) ||
	    ring_proved(s->g->ks->ring, &id) > 0)
		return RC_OK;
	if ((rc = gate_peer(s->g, s->rows, &id, &len, &damaged, e)) != RC_OK)
		return rc;
	if (p->has_entry || p->ngrants > 0)
		add_found(f, identity_name(&id));
	return RC_OK;
}

static bool
in_ring(const struct ring *ring, const char *assoc)
{
	const char *one;

	for (size_t i = 0; (one = ring_assocs(ring, i)) != NULL; i++)
		if (strcmp(one, assoc) == 0)
			return true;
	return false;
}

/* Newcomers, and members of other associations, are known by rows only: ask
 * for the name that this address would have in each association met. */
static enum rc
find_rows(const struct search *s, const char *address, struct found *f,
    struct err *e)
{
	const struct ring *ring = s->g->ks->ring;
	const struct row_self *met = &s->facts;
	struct bytes mine = identity_assoc(&s->own);
	char own[ROW_ASSOC_BYTES] = "";
	const char *assoc;
	enum rc rc = RC_OK;

	memcpy(own, mine.p, mine.len);
	for (size_t i = 0; rc == RC_OK &&
	    (assoc = ring_assocs(ring, i)) != NULL; i++)
		rc = try_row(s, assoc, address, f, e);
	for (size_t i = 0; rc == RC_OK && i < met->nassocs; i++)
		if (!in_ring(ring, met->assocs[i]) &&
		    strcmp(met->assocs[i], own) != 0)
			rc = try_row(s, met->assocs[i], address, f, e);
	if (rc == RC_OK && !in_ring(ring, own))
		rc = try_row(s, own, address, f, e);
	return rc;
}

static enum rc
by_address(const struct search *s, const char *address,
    struct identity *name, struct err *e)
{
	struct found f = { .n = 0 };
	enum rc rc;

	ring_names(s->g->ks->ring, (struct bytes){
	    (const uint8_t *)address, strlen(address) }, add_found, &f);
	if ((rc = find_rows(s, address, &f, e)) != RC_OK)
		return rc;
	if (f.n == 0)
		return err_set(e, RC_PERM, _("no member has the address %s; "
		    "nothing was sent"), address);
	if (f.n > 1)
		return err_set(e, RC_PERM, _("several members have the "
		    "address %s: write one of %s"), address, f.say);
	*name = f.first;
	return RC_OK;
}

/* An identity means its name: its newest key is used. */
static enum rc
typed(const struct search *s, const char *who, struct identity *name,
    struct err *e)
{
	char text[GATE_ID_BYTES];
	struct identity id;

	if (!fold(who, text))
		return err_set(e, RC_PERM, _("the recipient's address is too "
		    "long"));
	if (identity_parse_name(text, strlen(text), name))
		return RC_OK;
	if (identity_parse(text, strlen(text), &id) &&
	    identity_parse_name(text, id.name_len, name))
		return RC_OK;
	if (strchr(text, '/') != NULL || strchr(text, '@') == NULL)
		return err_set(e, RC_PERM, _("%s is not an address of a "
		    "member (name@domain or association/name@domain)"), text);
	return by_address(s, text, name, e);
}

static enum rc
resolve(struct search *s, const struct gate_resolve_args *args,
    struct gate_dest *out, struct err *e)
{
	struct identity name;
	enum rc rc;

	if ((rc = own_name(s->g, args->own, &s->own, e)) != RC_OK)
		return rc == RC_PERM ? (e->rc = RC_CONF) : rc;
	if ((rc = check_own(s, e)) != RC_OK)
		return rc;
	rc = args->shown ? gate_shown(s->g, args->who, &name, e) :
	    typed(s, args->who, &name, e);
	return rc != RC_OK ? rc : to_name(s, &name, out, e);
}

enum rc
gate_resolve(struct gate *g, const struct gate_resolve_args *args,
    struct gate_dest *out, struct err *e)
{
	struct search s = { .g = g, .rows = &args->rows,
	    .now = gate_time(args->now), .control = args->control,
	    .bulletin = args->bulletin };
	enum rc rc;

	memset(out, 0, sizeof(*out));
	rc = resolve(&s, args, out, e);
	wipe(&g->scratch->peer, sizeof(g->scratch->peer));
	return rc;
}

enum rc
gate_typed(struct gate *g, const struct gate_rows *rows,
    const struct identity *own, const char *who, struct identity *name,
    struct err *e)
{
	struct search s = { .g = g, .rows = rows, .own = *own };
	enum rc rc = gate_read_self(g, rows, &s.facts, &(struct row_self){ 0 },
	    e);

	if (rc == RC_OK)
		rc = typed(&s, who, name, e);
	wipe(&g->scratch->peer, sizeof(g->scratch->peer));
	return rc;
}

/* ---- an acknowledgement's way back ------------------------------------- */

/* Under the year of what is answered, if that key still serves. */
static bool
same_year(const struct search *s, const struct identity *peer, uint16_t year,
    uint8_t min, struct gate_dest *out)
{
	const struct row_peer *p = &s->g->scratch->peer;
	int i = keystore_find(s->g->ks, &s->own, year);
	uint8_t gen, row;

	if (i < 0 || !usable(s, (size_t)i))
		return false;
	gen = ring_best(s->g->ks->ring, (uint16_t)i, peer, min);
	row = row_best(p, identity_bytes(&s->own), year, min);
	gen = row > gen ? row : gen;
	if (gen != 0)
		put_dest(s, i, peer, gen, out);
	return gen != 0;
}

static enum rc
reply(struct search *s, const struct gate_head *head, struct gate_dest *out,
    struct err *e)
{
	struct identity peer;
	uint8_t min;
	enum rc rc;

	if (!identity_parse(head->sender, strlen(head->sender), &peer) ||
	    !identity_parse(head->recipient, strlen(head->recipient),
	    &s->own) || keystore_top(s->g->ks, &s->own) == 0)
		return err_set(e, RC_PERM, _("nobody to answer"));
	if ((rc = check_own(s, e)) != RC_OK ||
	    (rc = load_peer(s, &peer, &min, e)) != RC_OK)
		return rc;
	if (same_year(s, &peer, head->year, min, out)) {
		gate_put_name(out->name, &peer);
		put_entry(s->g, &peer, NULL, out->show);
		return RC_OK;
	}
	return to_name(s, &peer, out, e);
}

enum rc
gate_reply(struct gate *g, const struct gate_head *head,
    const struct gate_rows *rows, int64_t now, struct gate_dest *out,
    struct err *e)
{
	struct search s = { .g = g, .rows = rows, .now = gate_time(now),
	    .control = true };
	enum rc rc;

	memset(out, 0, sizeof(*out));
	rc = reply(&s, head, out, e);
	wipe(&g->scratch->peer, sizeof(g->scratch->peer));
	return rc;
}
