#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "vault/gate_priv.h"

/* The longest record beside the mail: an ACK by the gateway's word. */
#define RECORD_ROOM (REC_HEAD_BYTES + 73 + IDENTITY_MAX_BYTES)

struct gate_seal {
	struct gate	*g;
	struct env_sealer *env;
	bool		 ended;		/* env has forgotten its key */
	struct env_head	 h;
	struct payload_plan plan;
	struct payload_sealer sealer;
	uint8_t		 d[GATE_D_BYTES];
	struct buf	 control;	/* lies in ${room}: holds a key */
	uint8_t		*room;		/* secret memory */
	size_t		 room_len;
	struct buf	*to_buf;	/* while beginning */
	const struct gate_sink *sink;	/* of this call */
};

/* ---- the records ------------------------------------------------------- */

/* All that the records are made from. */
struct making {
	struct gate_seal *s;
	const struct gate_seal_args *args;
	size_t		 self;
	const uint8_t	*member;	/* K of the self, lent */
	int64_t		 at;
};

static enum rc
add(struct making *m, const struct rec *r, struct err *e)
{
	/* Room for all was taken, so that no key is ever on the heap. */
	BUG_ON(m->s->control.cap - m->s->control.len < RECORD_ROOM);
	return rec_add(&m->s->control, r, e);
}

static enum rc
parse_name(const char *s, struct identity *out, struct err *e)
{
	if (identity_parse_name(s, strlen(s), out))
		return RC_OK;
	return err_set(e, RC_INPUT, _("%s is not a member's name"), s);
}

static enum rc
add_meta(struct making *m, const struct row_self *facts, struct err *e)
{
	const struct keystore *ks = m->s->g->ks;
	uint16_t low, high;
	struct rec r = { .type = REC_META };

	BUG_ON(!keystore_years(ks, &m->s->h.from, &low, &high));
	r.meta = (struct rec_meta){ m->at, facts->bulletin, high,
	    ENV_VERSION };
	return add(m, &r, e);
}

/* The key with which he can write back to me, always (D8). */
static enum rc
add_return_key(struct making *m, struct err *e)
{
	struct rec r = { .type = REC_GRANT };
	uint8_t key[KDF_KEY_BYTES];
	enum rc rc;

	kdf_channel(key, m->member, &m->s->h.to);
	r.grant = (struct rec_grant){ m->s->h.year, key, m->s->h.from };
	rc = add(m, &r, e);
	wipe(key, sizeof(key));
	return rc;
}

static enum rc
add_acks(struct making *m, uint8_t type, const struct gate_ack *acks,
    size_t n, struct err *e)
{
	struct rec r = { .type = type };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		memset(&r.ack, 0, sizeof(r.ack));
		r.ack.tag = acks[i].t;
		r.ack.state = (enum rec_ack_state)acks[i].state;
		r.ack.at = acks[i].at;
		r.ack.digest = acks[i].d;
		if (type == REC_RELAYED_ACK)
			rc = parse_name(acks[i].name, &r.ack.name, e);
		if (rc == RC_OK)
			rc = add(m, &r, e);
	}
	return rc;
}

static enum rc
add_bulletin(struct making *m, struct err *e)
{
	struct rec r = { .type = REC_BULLETIN };
	enum rc rc = RC_OK;

	if (m->args->bulletin != 0) {
		r.bulletin.number = m->args->bulletin;
		rc = add(m, &r, e);
	}
	for (size_t i = 0; i < m->args->nbars && rc == RC_OK; i++) {
		r = (struct rec){ .type = REC_BAR };
		r.bar.minimum = m->args->bars[i].min;
		rc = parse_name(m->args->bars[i].name, &r.bar.name, e);
		if (rc == RC_OK)
			rc = add(m, &r, e);
	}
	return rc;
}

/* What the association can check later: that I wrote this, then, to him. */
static enum rc
add_proof(struct making *m, struct bytes to, struct err *e)
{
	uint8_t witness[KDF_KEY_BYTES], proof[KDF_KEY_BYTES];
	struct rec r = { .type = REC_WITNESS };

	kdf_witness(witness, m->member);
	kdf_proof(proof, witness, m->at, to, m->s->d);
	wipe(witness, sizeof(witness));
	r.witness.proof = proof;
	return add(m, &r, e);
}

/* Through the gateway: each ROUTE and the WITNESS in its place (2.19.31). */
static enum rc
add_routes(struct making *m, struct err *e)
{
	const struct gate_seal_args *a = m->args;
	const char *const alone[1] = { a->dest->name };
	const char *const *names = a->routes != NULL ? a->routes : alone;
	size_t n = a->routes != NULL ? a->nroutes : 1;
	struct rec r;
	enum rc rc = RC_OK;

	if (n > GATE_ROUTES_MAX)
		return err_class(e, EC_TOOBIG, _("more than %d recipients "
		    "through the gateway in one message"), GATE_ROUTES_MAX);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		r = (struct rec){ .type = REC_ROUTE };
		rc = parse_name(names[i], &r.route.name, e);
		if (rc == RC_OK)
			rc = add(m, &r, e);
		if (rc == RC_OK)
			rc = add_proof(m, identity_name(&r.route.name), e);
	}
	return rc;
}

/* At the gateway: whose mail it is, with his witness and none of mine. */
static enum rc
add_relayed(struct making *m, struct err *e)
{
	const struct gate_seal_args *a = m->args;
	struct rec r = { .type = REC_WITNESS };
	enum rc rc = RC_OK;

	if (a->witness != NULL) {
		r.witness.proof = a->witness;
		rc = add(m, &r, e);
	}
	r = (struct rec){ .type = REC_RELAYED };
	r.relayed.tag = a->orig_t;
	r.relayed.at = a->orig_at;
	if (!identity_parse(a->orig, strlen(a->orig), &r.relayed.id))
		return err_set(e, RC_INPUT, _("relayed mail of nobody"));
	return rc == RC_OK ? add(m, &r, e) : rc;
}

static enum rc
add_before_mail(struct making *m, struct err *e)
{
	const struct gate_seal_args *a = m->args;

	if (!a->has_mail)
		return RC_OK;
	if (a->relayed)
		return add_relayed(m, e);
	if (a->dest->via_hub)
		return add_routes(m, e);
	return add_proof(m, identity_bytes(&m->s->h.to), e);
}

static enum rc
make_control(struct making *m, const struct row_self *facts, struct err *e)
{
	const struct gate_seal_args *a = m->args;
	enum rc rc;

	if ((rc = add_meta(m, facts, e)) != RC_OK ||
	    (rc = add_return_key(m, e)) != RC_OK ||
	    (rc = add_acks(m, REC_ACK, a->acks, a->nacks, e)) != RC_OK ||
	    (rc = add_acks(m, REC_RELAYED_ACK, a->relayed_acks,
	    a->nrelayed_acks, e)) != RC_OK ||
	    (rc = add_bulletin(m, e)) != RC_OK)
		return rc;
	return add_before_mail(m, e);
}

/* ---- begin ------------------------------------------------------------- */

/* Locking and guarding pages costs a third of sealing a short mail: the last
 * room serves again, if it is large enough. */
static bool
room_take(struct gate_seal *s, size_t len)
{
	struct gate *g = s->g;

	if (g->room != NULL && g->room_len >= len) {
		s->room = g->room;
		s->room_len = g->room_len;
		g->room = NULL;
	} else {
		s->room = secret_alloc(len);
		s->room_len = len;
	}
	s->control = (struct buf){ s->room, 0, s->room_len };
	return s->room != NULL;
}

static void
room_give(struct gate_seal *s)
{
	struct gate *g = s->g;

	if (s->room != NULL && g->room == NULL) {
		wipe(s->room, s->room_len);
		g->room = s->room;
		g->room_len = s->room_len;
	} else
		secret_free(&s->room);
}

static struct gate_seal *
seal_new(struct gate *g, const struct gate_seal_args *a)
{
	size_t n = 8 + a->nacks + a->nrelayed_acks + a->nbars +
	    2 * (a->nroutes + 1);
	struct gate_seal *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->g = g;
	s->env = g->sealer != NULL ? g->sealer : env_sealer_new();
	g->sealer = NULL;
	if (!room_take(s, n * RECORD_ROOM) || s->env == NULL)
		gate_seal_free(&s);
	return s;
}

void
gate_seal_free(struct gate_seal **out)
{
	struct gate_seal *s = *out;

	if (s == NULL)
		return;
	if (s->ended && s->g->sealer == NULL)
		s->g->sealer = s->env;
	else
		env_sealer_free(&s->env);
	room_give(s);
	free(s);
	*out = NULL;
}

/* What the receiver would refuse is not sealed. */
static enum rc
check_args(const struct gate_seal_args *a, struct err *e)
{
	if (a->nacks + a->nrelayed_acks > GATE_ACKS_MAX || a->nbars > 4096)
		return err_class(e, EC_TOOBIG,
		    _("more records than one envelope may hold"));
	if (a->has_mail && a->mail_len > PAYLOAD_MAIL_MAX)
		return err_class(e, EC_TOOBIG, _("a mail of 4 GiB or more "
		    "cannot be sealed"));
	return RC_OK;
}

/* The self that ${dest} names, while it may still be used. */
static enum rc
find_self(struct gate_seal *s, const struct gate_seal_args *a, size_t *self,
    struct err *e)
{
	const struct gate_dest *d = a->dest;
	const struct keystore *ks = s->g->ks;
	int64_t now = clock_now();
	int i;

	if (!identity_parse(d->own, strlen(d->own), &s->h.from) ||
	    !identity_parse(d->to, strlen(d->to), &s->h.to) ||
	    (i = keystore_find(ks, &s->h.from, d->year)) < 0 ||
	    now >= (a->has_mail ? ks->selves[i].send_until_at :
	    ks->selves[i].read_until_at))
		return err_set(e, RC_PERM, _("the key of %s for %u may not be "
		    "used any more"), d->own, d->year);
	*self = (size_t)i;
	return RC_OK;
}

/* The channel to him, from the ring or his row. */
static enum rc
find_key(struct gate_seal *s, const struct gate_seal_args *a, size_t self,
    uint8_t key[KDF_KEY_BYTES], struct err *e)
{
	struct gate *g = s->g;
	const uint8_t *held = ring_find(g->ks->ring, (uint16_t)self,
	    &s->h.to);
	bool damaged;
	size_t len;
	enum rc rc;

	if (held == NULL) {
		if ((rc = gate_peer(g, &a->rows, &s->h.to, &len, &damaged,
		    e)) != RC_OK)
			return rc;
		held = row_key(&g->scratch->peer, identity_bytes(&s->h.from),
		    s->h.to.gen, s->h.year);
	}
	if (held != NULL)
		memcpy(key, held, KDF_KEY_BYTES);
	wipe(&g->scratch->peer, sizeof(g->scratch->peer));
	if (held == NULL)
		return err_set(e, RC_PERM, _("no key for %s in %u"),
		    s->h.to.s, s->h.year);
	return RC_OK;
}

static enum rc
put_out(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct gate_seal *s = ctx;

	if (s->to_buf == NULL)
		return s->sink->put(s->sink->arg, p, len, e);
	if (!buf_add(s->to_buf, p, len))
		return err_set(e, RC_NOMEM, _("no memory for sealing"));
	return RC_OK;
}

static enum rc
start(struct gate_seal *s, const struct gate_seal_args *a,
    const uint8_t key[KDF_KEY_BYTES], struct err *e)
{
	const struct env_sink out = { put_out, s };

	s->plan.control = (struct bytes){ s->control.p, s->control.len };
	s->plan.has_mail = a->has_mail;
	s->plan.mail_len = (uint32_t)a->mail_len;
	s->plan.digest = s->d;
	s->plan.check_digest = !a->d_sure;
	s->h.source = ENV_CHANNEL;
	payload_salt(&s->plan, key, s->h.salt);
	return payload_seal_start(&s->sealer, s->env, &s->plan, &s->h, key,
	    out, e);
}

/* Desks may say more in one envelope (2.19.35). */
static enum rc
check_size(const struct gate_seal *s, size_t self, struct err *e)
{
	const unsigned desks = 1U << REC_ROLE_ISSUER | 1U << REC_ROLE_WATCH;
	bool desk = keystore_role(s->g->ks, self, &s->h.from) & desks;

	if (s->control.len <= (desk ? PAYLOAD_DESK_MAX : PAYLOAD_MEMBER_MAX))
		return RC_OK;
	return err_class(e, EC_TOOBIG,
	    _("more records than one envelope may hold"));
}

static enum rc
begin(struct gate_seal *s, const struct gate_seal_args *a, struct err *e)
{
	struct making m = { .s = s, .args = a, .at = gate_time(a->at) };
	struct row_self facts, was;
	uint8_t key[KDF_KEY_BYTES] = { 0 };
	enum rc rc;

	s->h.year = a->dest->year;
	memcpy(s->d, a->d, sizeof(s->d));
	if ((rc = check_args(a, e)) != RC_OK ||
	    (rc = find_self(s, a, &m.self, e)) != RC_OK ||
	    (rc = gate_read_self(s->g, &a->rows, &facts, &was, e)) != RC_OK)
		return rc;
	m.member = keystore_key(s->g->ks, m.self);
	if ((rc = make_control(&m, &facts, e)) != RC_OK ||
	    (rc = check_size(s, m.self, e)) != RC_OK)
		return rc;
	rc = find_key(s, a, m.self, key, e);
	if (rc == RC_OK)
		rc = start(s, a, key, e);
	wipe(key, sizeof(key));
	return rc;
}

enum rc
gate_seal_begin(struct gate *g, const struct gate_seal_args *args,
    struct buf *header, uint8_t t[GATE_T_BYTES], struct gate_seal **out,
    struct err *e)
{
	struct gate_seal *s = seal_new(g, args);
	enum rc rc;

	*out = NULL;
	buf_wipe(header);
	if (s == NULL)
		return err_set(e, RC_NOMEM, _("no memory for sealing"));
	s->to_buf = header;
	rc = begin(s, args, e);
	s->to_buf = NULL;
	if (rc != RC_OK) {
		gate_seal_free(&s);
		buf_wipe(header);
		return rc;
	}
	memcpy(t, s->h.tag, GATE_T_BYTES);
	*out = s;
	return RC_OK;
}

/* ---- mail and end ------------------------------------------------------ */

enum rc
gate_seal_mail(struct gate_seal *s, const void *p, size_t len,
    const struct gate_sink *sink, struct err *e)
{
	s->sink = sink;
	return payload_seal_mail(&s->sealer, p, len, e);
}

size_t
gate_seal_room(const struct gate_seal *s)
{
	return env_seal_room(s->env);
}

enum rc
gate_seal_end(struct gate_seal *s, const struct gate_sink *sink,
    struct err *e)
{
	enum rc rc;

	s->sink = sink;
	rc = payload_seal_end(&s->sealer, e);
	s->ended = rc == RC_OK;
	return rc;
}

static enum rc
into_buf(void *arg, const void *p, size_t len, struct err *e)
{
	if (!buf_add(arg, p, len))
		return err_set(e, RC_NOMEM, _("no memory for sealing"));
	return RC_OK;
}

enum rc
gate_seal_control(struct gate *g, const struct gate_seal_args *args,
    struct buf *out, uint8_t t[GATE_T_BYTES], struct err *e)
{
	const struct gate_sink sink = { into_buf, out };
	struct gate_seal *s;
	enum rc rc;

	BUG_ON(args->has_mail);
	if ((rc = gate_seal_begin(g, args, out, t, &s, e)) != RC_OK)
		return rc;
	rc = gate_seal_end(s, &sink, e);
	gate_seal_free(&s);
	return rc;
}

void
gate_relay_args(const struct gate_head *head, const struct gate_verdict *v,
    size_t n, const struct gate_dest *dest, struct gate_seal_args *out)
{
	const struct gate_route *r = &v->routes[n];

	BUG_ON(n >= v->nroutes);
	memset(out, 0, sizeof(*out));
	out->dest = dest;
	out->has_mail = true;
	out->mail_len = v->mail_len;
	memcpy(out->d, v->d, GATE_D_BYTES);
	out->relayed = true;
	memcpy(out->orig_t, head->t, GATE_T_BYTES);
	out->orig_at = v->sealed_at;
	out->orig = head->sender;
	out->witness = r->has_witness ? r->witness : NULL;
}
