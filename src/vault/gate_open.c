#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "vault/gate_priv.h"

static enum rc
nowhere_put(void *arg, const void *p, size_t len, struct err *e)
{
	(void)arg;
	(void)p;
	(void)len;
	(void)e;
	return RC_OK;
}

const struct gate_sink gate_nowhere = { nowhere_put, NULL };

/* ---- PROTOCOL 2.11, steps 2 to 6 --------------------------------------- */

/* Step 2, and what a key file among mail is told (2.19.11). */
static enum rc
check_source(const struct env_head *h, struct err *e)
{
	if (h->source == ENV_CHANNEL)
		return RC_OK;
	if (h->source == ENV_CODE || h->source == ENV_OLD_CODE)
		return err_class(e, EC_NOKEY, _("a key file for %s came by "
		    "mail: save it and run sceau key import"), h->to.s);
	return err_class(e, EC_FORMAT, _("a key store came by mail"));
}

/* Step 3: names, not identities (2.19.29). */
static enum rc
check_names(const struct gate *g, const struct env_head *h, struct err *e)
{
	if (keystore_top(g->ks, &h->to) == 0)
		return err_class(e, EC_NOTFORME, _("sealed for %s, who is not "
		    "served here"), h->to.s);
	if (keystore_top(g->ks, &h->from) != 0)
		return err_class(e, EC_NOTFORME,
		    _("sealed in our own name, %s"), h->from.s);
	return RC_OK;
}

/* Step 4: which of my keys; EXPIRED and NOKEY as in 2.19.29. */
static enum rc
find_self(const struct gate *g, const struct env_head *h, size_t *self,
    struct err *e)
{
	int i = keystore_find(g->ks, &h->to, h->year);
	uint16_t low, high;

	if (i >= 0) {
		*self = (size_t)i;
		return RC_OK;
	}
	BUG_ON(!keystore_years(g->ks, &h->to, &low, &high));
	if (h->year < low)
		return err_class(e, EC_EXPIRED, _("sealed with the keys of "
		    "%u, which are erased here"), h->year);
	if (h->year <= high && h->to.gen < keystore_top(g->ks, &h->to))
		return err_class(e, EC_EXPIRED, _("sealed for %s, a key that "
		    "was replaced and is not held here"), h->to.s);
	return err_class(e, EC_NOKEY, _("sealed for %s and %u: that key is "
	    "not here yet; import its key file"), h->to.s, h->year);
}

/* Step 5.  The key is C = KDF(K, sender). */
static enum rc
start_body(struct gate_open *o, struct err *e)
{
	uint8_t key[KDF_KEY_BYTES];
	enum rc rc;

	kdf_channel(key, keystore_key(o->g->ks, o->self), &o->h.from);
	rc = env_open_start(o->env, &o->h, key, payload_sink(&o->reader), e);
	wipe(key, sizeof(key));
	return rc;
}

/* Step 6. */
static enum rc
check_generation(struct gate_open *o, struct err *e)
{
	struct gate *g = o->g;
	bool damaged;
	size_t len;
	uint8_t min;
	enum rc rc;

	if ((rc = gate_read_self(g, &o->args.rows, &o->own, &o->own_was,
	    e)) != RC_OK ||
	    (rc = gate_peer(g, &o->args.rows, &o->h.from, &len, &damaged,
	    e)) != RC_OK)
		return rc;
	min = gate_min(g, &g->scratch->peer, o->own.desk, &o->h.from);
	wipe(&g->scratch->peer, sizeof(g->scratch->peer));
	if (min == IDENTITY_BARRED)
		return err_class(e, EC_BARRED, _("%s has been excluded by the "
		    "association"), o->h.from.s);
	if (o->h.from.gen < min)
		return err_class(e, EC_BARRED, _("sealed with the old key %s, "
		    "which may be in the hands of a thief"), o->h.from.s);
	return RC_OK;
}

/* ---- the mail inside --------------------------------------------------- */

static bool
is_silent(const struct gate_open *o)
{
	return o->args.mode == GATE_DIGEST || o->args.mode == GATE_LOOK;
}

static enum rc
put_out(struct gate_open *o, const void *p, size_t len, struct err *e)
{
	if (o->sink == NULL || len == 0)
		return RC_OK;
	return o->sink->put(o->sink->arg, p, len, e);
}

/* What the author's own envelope said of its time. */
static int64_t
author_time(const struct gate_open *o)
{
	return o->v.relayed ? o->v.orig_at : o->v.sealed_at;
}

static void
set_flags(struct gate_open *o)
{
	int64_t now = o->args.now != 0 ? o->args.now : clock_used();
	int64_t since = o->own.since_at, at = author_time(o);

	if (o->g->ks->since_at > since)
		since = o->g->ks->since_at;
	if (at < now && now - at > GATE_LATE_S &&
	    !(o->flags & GATE_F_REFILED))
		o->flags |= GATE_F_LATE;
	if (at > now && at - now > GATE_LATE_S)
		o->flags |= GATE_F_AHEAD;
	if (o->v.sealed_at < since || at < since)
		o->flags |= GATE_F_DUPLICATE;
	if (o->replaced)
		o->flags |= GATE_F_REPLACED_KEY;
}

static bool
add_flags(struct buf *b, unsigned flags)
{
	static const struct {
		unsigned	 flag;
		const char	*name;
	} names[] = {
		{ GATE_F_LATE, "late" },
		{ GATE_F_AHEAD, "dated-ahead" },
		{ GATE_F_REPLACED_KEY, "replaced-key" },
		{ GATE_F_DUPLICATE, "possible-duplicate" },
		{ GATE_F_REFILED, "filed-again" },
		{ GATE_F_RELAYED_DIRECT, "relayed-though-direct" },
	};
	const char *sep = ";\r\n\tflags=";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(flags & names[i].flag))
			continue;
		if (!buf_adds(b, sep) || !buf_adds(b, names[i].name))
			return false;
		sep = ",";
	}
	return buf_adds(b, "\r\n");
}

/* The one field that delivery adds (2.11 step 11, 2.19.13). */
static enum rc
put_field(struct gate_open *o, struct err *e)
{
	struct buf b = BUF_INIT;
	char at[CLOCK_3339_BYTES];
	bool ok;
	enum rc rc;

	clock_3339(author_time(o), at);
	ok = buf_addf(&b, "X-Sceau: sender=%s;\r\n\t", o->author.s);
	if (o->v.relayed)
		ok = ok && buf_addf(&b, "path=relayed; by=%s;\r\n\t",
		    o->h.from.s);
	else
		ok = ok && buf_adds(&b, "path=direct;\r\n\t");
	ok = ok && buf_addf(&b, "sealed=%s", at) && add_flags(&b, o->flags);
	rc = ok ? put_out(o, b.p, b.len, e) :
	    err_set(e, RC_NOMEM, _("no memory for a header field"));
	buf_free(&b);
	return rc;
}

/* The header section is whole, or as whole as it will be. */
static enum rc
judge_inner(struct gate_open *o, struct err *e)
{
	enum rc rc = inner_end(&o->inner, e);

	o->inner_said = true;
	if (rc == RC_OK && !inner_is(&o->inner, &o->author))
		rc = err_class(e, EC_INNER, _("the mail inside is not From "
		    "%s, who sealed it"), o->author.s);
	return rc;
}

static bool
is_filter(const struct gate_open *o)
{
	return o->args.mode == GATE_RAW || o->args.mode == GATE_LOOK;
}

/* Filters carry anything, and only say whether mail would have passed. */
static void
note_inner(struct gate_open *o, enum rc rc, const struct err *why)
{
	o->inner_said = true;
	o->v.inner_ok = rc == RC_OK;
	snprintf(o->v.inner_why, sizeof(o->v.inner_why), "%.*s",
	    (int)sizeof(o->v.inner_why) - 1, why->text);
}

static enum rc
raw_mail(struct gate_open *o, const uint8_t *p, size_t len, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc;

	if (!o->inner_said) {
		rc = inner_feed(&o->inner, p, len, &why);
		if (rc == RC_OK && inner_done(&o->inner))
			note_inner(o, judge_inner(o, &why), &why);
		else if (rc != RC_OK)
			note_inner(o, rc, &why);
		/* Nothing more is read out of it. */
		if (o->inner_said && o->args.mode == GATE_LOOK)
			env_open_skip(o->env, payload_skip(&o->reader));
	}
	return put_out(o, p, len, e);
}

static enum rc
let_out(struct gate_open *o, struct err *e)
{
	enum rc rc = RC_OK;

	if (o->args.mode == GATE_DELIVER)
		rc = put_field(o, e);
	if (rc == RC_OK)
		rc = put_out(o, o->held.p, o->held.len, e);
	buf_free(&o->held);
	return rc;
}

/* Octets of MAIL: held back until the inner header is accepted. */
static enum rc
take_mail(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct gate_open *o = ctx;
	enum rc rc;

	if (is_filter(o))
		return raw_mail(o, p, len, e);
	if (o->inner_said)
		return put_out(o, p, len, e);
	if (o->args.mode != GATE_DIGEST && !buf_add(&o->held, p, len))
		return err_set(e, RC_NOMEM, _("no memory for a header"));
	if ((rc = inner_feed(&o->inner, p, len, e)) != RC_OK)
		return rc;
	if (!inner_done(&o->inner))
		return RC_OK;
	if ((rc = judge_inner(o, e)) != RC_OK)
		return rc;
	return let_out(o, e);
}

/* Every control record is there, the mail begins. */
static enum rc
begin_mail(void *ctx, const struct payload_reader *r, uint32_t len,
    struct err *e)
{
	struct gate_open *o = ctx;
	enum rc rc;

	(void)r;
	o->v.has_mail = true;
	o->v.mail_len = len;
	if ((rc = gate_check(o, e)) != RC_OK ||
	    (rc = gate_check_relayed(o, e)) != RC_OK)
		return rc;
	set_flags(o);
	return RC_OK;
}

/* ---- begin ------------------------------------------------------------- */

static struct gate_open *
open_new(struct gate *g)
{
	struct gate_open *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->g = g;
	o->env = g->opener != NULL ? g->opener : env_opener_new();
	g->opener = NULL;
	if (o->env == NULL) {
		free(o);
		return NULL;
	}
	inner_init(&o->inner);
	return o;
}

static void
init_reader(struct gate_open *o)
{
	const struct payload_events on = { o, begin_mail, take_mail };
	const unsigned desks = 1U << REC_ROLE_ISSUER | 1U << REC_ROLE_WATCH;

	o->roles = keystore_role(o->g->ks, o->self, &o->h.from);
	payload_init(&o->reader, o->roles & desks ? PAYLOAD_DESK_MAX :
	    PAYLOAD_MEMBER_MAX, on);
	/* Who only wants the octets acknowledges nothing. */
	o->reader.no_digest = is_filter(o);
}

static enum rc
begin(struct gate_open *o, const void *p, size_t len, struct gate_head *head,
    struct err *e)
{
	struct gate *g = o->g;
	enum rc rc;

	if ((rc = env_head_parse(p, len, &o->h, e)) != RC_OK ||
	    (rc = check_source(&o->h, e)) != RC_OK ||
	    (rc = check_names(g, &o->h, e)) != RC_OK ||
	    (rc = find_self(g, &o->h, &o->self, e)) != RC_OK)
		return rc;
	init_reader(o);
	if ((rc = start_body(o, e)) != RC_OK)
		return rc;
	head->authentic = true;
	o->replaced = o->h.to.gen < keystore_top(g->ks, &o->h.to);
	head->replaced_key = o->replaced;
	o->author = o->h.from;
	return check_generation(o, e);
}

enum rc
gate_open_begin(struct gate *g, const struct gate_open_args *args,
    const void *p, size_t len, struct gate_head *head, struct gate_open **out,
    struct err *e)
{
	struct gate_open *o;
	enum rc rc;

	*out = NULL;
	if ((rc = gate_peek(p, len, head, e)) != RC_OK)
		return rc;
	if ((o = open_new(g)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory for opening"));
	o->args = *args;
	if ((rc = begin(o, p, len, head, e)) != RC_OK) {
		gate_open_free(&o);
		return rc;
	}
	*out = o;
	return RC_OK;
}

void
gate_open_flag(struct gate_open *o, unsigned flags)
{
	o->flags |= flags;
}

/* ---- body and end ------------------------------------------------------ */

static enum rc
fail(struct gate_open *o, enum rc rc, const struct err *e)
{
	if (rc != RC_OK && o->failed.rc == RC_OK)
		o->failed = *e;
	return rc;
}

static enum rc
said_before(const struct gate_open *o, struct err *e)
{
	*e = o->failed;
	return e->rc;
}

static enum rc
after_end(struct gate_open *o, struct err *e)
{
	return fail(o, err_class(e, EC_BODY, _("opening had failed before")),
	    e);
}

enum rc
gate_open_body(struct gate_open *o, const void *p, size_t len,
    const struct gate_sink *sink, struct err *e)
{
	enum rc rc;

	if (o->failed.rc != RC_OK)
		return said_before(o, e);
	if (o->env == NULL)
		return after_end(o, e);
	o->sink = is_silent(o) ? NULL : sink;
	rc = env_open_feed(o->env, p, len, e);
	return fail(o, rc, e);
}

/* ${ended}: it has forgotten the key, and can serve the next one. */
static void
opener_free(struct gate_open *o, bool ended)
{
	if (ended && o->g->opener == NULL)
		o->g->opener = o->env;
	else
		env_opener_free(&o->env);
	o->env = NULL;
}

/* The mail was shorter than a header section. */
static enum rc
end_inner(struct gate_open *o, struct err *e)
{
	struct err why = ERR_INIT;

	if (!o->v.has_mail || o->inner_said)
		return RC_OK;
	if (!is_filter(o))
		return judge_inner(o, e);
	note_inner(o, judge_inner(o, &why), &why);
	return RC_OK;
}

static enum rc
finish(struct gate_open *o, struct err *e)
{
	enum rc rc;

	if (o->failed.rc != RC_OK)
		return said_before(o, e);
	if (o->env == NULL)
		return after_end(o, e);
	rc = env_open_end(o->env, e);
	opener_free(o, true);
	if (rc != RC_OK || (rc = payload_end(&o->reader, e)) != RC_OK)
		return rc;
	if (!o->v.has_mail && (rc = gate_check(o, e)) != RC_OK)
		return rc;
	if ((rc = end_inner(o, e)) != RC_OK)
		return rc;
	if (o->v.has_mail)
		memcpy(o->v.d, o->reader.digest, GATE_D_BYTES);
	return gate_apply(o, e);
}

/* A failure keeps what tells the sender of it, and nothing else. */
static void
forget_lists(struct gate_verdict *v)
{
	v->nacks = v->nrelayed_acks = v->nroutes = v->nrows = 0;
	v->has_witness = false;
	memset(v->d, 0, sizeof(v->d));
}

enum rc
gate_open_end(struct gate_open *o, const struct gate_sink *sink,
    struct gate_verdict *v, struct err *e)
{
	enum rc rc;

	o->sink = is_silent(o) ? NULL : sink;
	rc = fail(o, finish(o, e), e);
	o->v.class = EC_NONE;
	if (rc != RC_OK) {
		o->v.class = rc == RC_INPUT ? e->class : EC_IO;
		forget_lists(&o->v);
	}
	o->v.has_mail = o->reader.has_mail;
	o->v.flags = o->flags;
	o->v.from_hub = (o->roles & 1U << REC_ROLE_HUB) != 0;
	gate_put_id(o->v.author, &o->author);
	*v = o->v;
	return rc;
}

void
gate_open_free(struct gate_open **out)
{
	struct gate_open *o = *out;

	if (o == NULL)
		return;
	opener_free(o, false);
	payload_free(&o->reader);
	inner_wipe(&o->inner);
	buf_free(&o->held);
	gate_cache_free(&o->changed);
	free(o->v.acks);
	free(o->v.relayed_acks);
	free(o->v.routes);
	free(o->v.alarms);
	wipe(o, sizeof(*o));
	free(o);
	*out = NULL;
}
