#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "vault/gate.h"
#include "vault/gate_priv.h"

/* ---- a gate ------------------------------------------------------------ */

enum rc
gate_new(const char *store, const char *key, const struct secret *passphrase,
    struct gate **out, struct err *e)
{
	const struct keystore_at at = { store,
	    passphrase == NULL ? key : NULL, passphrase };
	struct gate *g = calloc(1, sizeof(*g));
	enum rc rc;

	*out = NULL;
	if (g == NULL)
		return err_set(e, RC_NOMEM, _("no memory for the keys"));
	rc = keystore_load(&at, &g->ks, e);
	if (rc == RC_OK &&
	    (g->scratch = secret_alloc(sizeof(*g->scratch))) == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory for the keys"));
	if (rc != RC_OK) {
		gate_free(&g);
		return rc;
	}
	if (g->ks->demo)
		snprintf(g->warning, sizeof(g->warning), "%s",
		    _("these are the demonstration's keys, which everybody "
		    "has: they protect nothing"));
	*out = g;
	return RC_OK;
}

void
gate_free(struct gate **g)
{
	if (*g == NULL)
		return;
	keystore_free(&(*g)->ks);
	secret_free(&(*g)->scratch);
	env_opener_free(&(*g)->opener);
	env_sealer_free(&(*g)->sealer);
	secret_free(&(*g)->room);
	gate_forget(*g);
	free(*g);
	*g = NULL;
}

const char *
gate_warning(const struct gate *g)
{
	return g->warning[0] != '\0' ? g->warning : NULL;
}

void
gate_forget(struct gate *g)
{
	gate_cache_free(&g->cache);
	gate_cache_free(&g->lent);
}

void
gate_row_free(struct gate_row *r)
{
	buf_free(&r->sealed);
	memset(r, 0, sizeof(*r));
}

int64_t
gate_time(int64_t now)
{
	return now != 0 ? now : clock_used();
}

/* ---- texts ------------------------------------------------------------- */

static void
put_bytes(char *out, struct bytes s)
{
	BUG_ON(s.len >= GATE_ID_BYTES);
	memset(out, 0, GATE_ID_BYTES);
	if (s.len > 0)
		memcpy(out, s.p, s.len);
}

void
gate_put_id(char *out, const struct identity *id)
{
	put_bytes(out, identity_bytes(id));
}

void
gate_put_name(char *out, const struct identity *id)
{
	put_bytes(out, identity_name(id));
}

enum rc
gate_peek(const void *p, size_t len, struct gate_head *out, struct err *e)
{
	struct env_head h;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = env_head_parse(p, len, &h, e)) != RC_OK)
		return rc;
	memcpy(out->t, h.tag, GATE_T_BYTES);
	gate_put_id(out->sender, &h.from);
	gate_put_id(out->recipient, &h.to);
	gate_put_name(out->sender_name, &h.from);
	gate_put_name(out->recipient_name, &h.to);
	out->year = h.year;
	out->source = (uint8_t)h.source;
	out->len = h.len;
	return RC_OK;
}

const char *
gate_alarm_say(enum gate_alarm_kind kind)
{
	switch (kind) {
	case GATE_AL_GRANT_CONFLICT:
		return _("another key is held for %s; it was kept, and the "
		    "new one refused: tell the association");
	case GATE_AL_MISSED_BULLETIN:
		return _("%s has seen a bulletin of the watch desk that has "
		    "not come here");
	case GATE_AL_OWN_BAR:
		return _("the association has barred your own key %s: nothing "
		    "is sent with it; import the key file that replaces it");
	case GATE_AL_BARRED:
		return _("the association has barred %s, or an old key of "
		    "his");
	case GATE_AL_NEW_GENERATION:
		return _("%s writes with a new key; his old one is void");
	case GATE_AL_DENIED:
		return _("the association gives no key for %s");
	case GATE_AL_ROW:
		return _("what was remembered of %s cannot be read any more "
		    "and is learnt anew");
	case GATE_AL_REPLACED_KEY:
		return _("%s has sealed for a key of yours that was "
		    "replaced: read with care");
	}
	return "%s";
}

const char *
gate_alarm_name(enum gate_alarm_kind kind)
{
	switch (kind) {
	case GATE_AL_GRANT_CONFLICT:
		return "grant_conflict";
	case GATE_AL_MISSED_BULLETIN:
		return "missed_bulletin";
	case GATE_AL_OWN_BAR:
		return "own_bar";
	case GATE_AL_BARRED:
		return "barred";
	case GATE_AL_NEW_GENERATION:
		return "new_generation";
	case GATE_AL_DENIED:
		return "denied";
	case GATE_AL_ROW:
		return "row_unreadable";
	case GATE_AL_REPLACED_KEY:
		return "replaced_key";
	}
	return "unknown";
}

/* ---- digests ----------------------------------------------------------- */

struct gate_sum {
	struct kdf_hash	 h;
	uint64_t	 len;
};

struct gate_sum *
gate_sum_new(void)
{
	struct gate_sum *s = malloc(sizeof(*s));

	if (s != NULL) {
		kdf_hash_init(&s->h);
		s->len = 0;
	}
	return s;
}

void
gate_sum_add(struct gate_sum *s, const void *p, size_t len)
{
	kdf_hash_add(&s->h, p, len);
	s->len += len;
}

uint64_t
gate_sum_len(const struct gate_sum *s)
{
	return s->len;
}

void
gate_sum_end(struct gate_sum *s, uint8_t d[GATE_D_BYTES])
{
	kdf_hash_end(&s->h, d);
}

void
gate_sum_free(struct gate_sum **s)
{
	if (*s != NULL)
		wipe(*s, sizeof(**s));
	free(*s);
	*s = NULL;
}

void
gate_digest(const struct gate *g, const void *p, size_t len, uint8_t out[32])
{
	kdf(out, 32, keystore_digest(g->ks), KDF_DIGEST,
	    (struct bytes){ p, len });
}

/* ---- what is held ------------------------------------------------------ */

size_t
gate_nselves(const struct gate *g)
{
	return g->ks->nselves;
}

static void
put_holder(const struct gate *g, size_t i, enum rec_role_kind kind, char *out)
{
	const struct identity *id = keystore_holder(g->ks, i, kind);

	if (id != NULL)
		gate_put_id(out, id);
}

void
gate_self(const struct gate *g, size_t i, struct gate_self *out)
{
	const struct keystore_self *s;
	unsigned roles;

	BUG_ON(i >= g->ks->nselves);
	s = &g->ks->selves[i];
	roles = keystore_role(g->ks, i, &s->id);
	memset(out, 0, sizeof(*out));
	gate_put_id(out->identity, &s->id);
	gate_put_name(out->name, &s->id);
	put_bytes(out->address, identity_address(&s->id));
	out->year = s->year;
	out->from_at = s->from_at;
	out->send_until_at = s->send_until_at;
	out->read_until_at = s->read_until_at;
	out->npeers = ring_count(g->ks->ring, (uint16_t)i);
	put_holder(g, i, REC_ROLE_ISSUER, out->issuer);
	put_holder(g, i, REC_ROLE_WATCH, out->watch);
	put_holder(g, i, REC_ROLE_HUB, out->hub);
	out->replaced = keystore_top(g->ks, &s->id) > s->id.gen;
	out->over = keystore_over(g->ks, clock_now());
	if (out->over == 0 && (keystore_previous(g->ks) != NULL ||
	    g->ks->half_rolled))
		out->over = (uint16_t)(g->ks->selves[0].year - 1);
	out->is_issuer = (roles & 1U << REC_ROLE_ISSUER) != 0;
	out->is_hub = (roles & 1U << REC_ROLE_HUB) != 0;
	out->is_watch = (roles & 1U << REC_ROLE_WATCH) != 0;
	out->gen = s->id.gen;
}

bool
gate_entries(const struct gate *g, size_t *from, struct gate_entry *out)
{
	struct ring_entry x;

	if (*from >= ring_entries(g->ks->ring))
		return false;
	ring_entry_at(g->ks->ring, (*from)++, &x);
	out->flags = x.flags;
	snprintf(out->identity, sizeof(out->identity), "%s", x.identity);
	snprintf(out->route, sizeof(out->route), "%s", x.route);
	snprintf(out->show, sizeof(out->show), "%s", x.show);
	return true;
}
