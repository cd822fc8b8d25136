#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "vault/gate_priv.h"
#include "vault/grow.h"

#define LENT_MAX 256	/* more: asked for again */

/* ---- what was handed out in this process ------------------------------- */

static uint32_t
key_hash(const char *key)
{
	return index_hash(key, strlen(key));
}

static int64_t
cache_at(const struct gate_cache *c, const char *key)
{
	struct index_at at;
	int64_t i = index_first(&c->ix, key_hash(key), &at);

	while (i >= 0 && strcmp(c->rows[i].key, key) != 0)
		i = index_next(&c->ix, &at);
	return i;
}

const struct buf *
gate_cache_find(const struct gate_cache *c, const char *key)
{
	int64_t i = cache_at(c, key);

	return i < 0 ? NULL : &c->rows[i].sealed;
}

static bool
cache_room(struct gate_cache *c)
{
	void *rows = c->rows;
	bool ok = grow(&rows, &c->cap, c->n + 1, sizeof(*c->rows));

	c->rows = rows;
	return ok;
}

enum rc
gate_cache_put(struct gate_cache *c, const char *key,
    const struct buf *sealed, struct err *e)
{
	int64_t i = cache_at(c, key);
	struct gate_row *r;

	if (i < 0) {
		if (!cache_room(c))
			return err_set(e, RC_NOMEM, _("no memory for a row"));
		r = &c->rows[c->n];
		memset(r, 0, sizeof(*r));
		snprintf(r->key, sizeof(r->key), "%s", key);
		if (!index_add(&c->ix, (uint32_t)c->n, key_hash(key)))
			return err_set(e, RC_NOMEM, _("no memory for a row"));
		i = (int64_t)c->n++;
	}
	r = &c->rows[i];
	buf_wipe(&r->sealed);
	if (!buf_add(&r->sealed, sealed->p, sealed->len))
		return err_set(e, RC_NOMEM, _("no memory for a row"));
	return RC_OK;
}

void
gate_cache_free(struct gate_cache *c)
{
	for (size_t i = 0; i < c->n; i++)
		buf_free(&c->rows[i].sealed);
	free(c->rows);
	index_free(&c->ix);
	memset(c, 0, sizeof(*c));
}

/* ---- one row ----------------------------------------------------------- */

static bool
unseal(struct gate *g, const char *key, const struct buf *in, size_t *len)
{
	return row_unseal(keystore_local(g->ks), keystore_previous(g->ks),
	    key, (struct bytes){ in->p, in->len }, g->scratch->plain, len);
}

/* A question to another process, for each message: so it is asked once. */
static enum rc
ask_row(struct gate *g, const struct gate_rows *rows, const char *key,
    struct buf *out, struct err *e)
{
	const struct buf *lent;
	enum rc rc;

	buf_wipe(out);
	if (rows == NULL || rows->get == NULL)
		return RC_OK;
	if (rows->keep && (lent = gate_cache_find(&g->lent, key)) != NULL)
		return buf_add(out, lent->p, lent->len) ? RC_OK :
		    err_set(e, RC_NOMEM, _("no memory for a row"));
	rc = rows->get(rows->arg, key, out, e);
	if (rc != RC_OK || !rows->keep)
		return rc;
	if (g->lent.n >= LENT_MAX)
		gate_cache_free(&g->lent);
	return gate_cache_put(&g->lent, key, out, e);
}

static bool
open_peer(struct gate *g, const char *key, const struct buf *in,
    struct row_peer *out)
{
	size_t len;
	bool ok = unseal(g, key, in, &len) && row_peer_parse(
	    (struct bytes){ g->scratch->plain, len }, out);

	if (!ok)
		memset(out, 0, sizeof(*out));
	return ok;
}

enum rc
gate_peer(struct gate *g, const struct gate_rows *rows,
    const struct identity *name, size_t *was_len, bool *damaged,
    struct err *e)
{
	struct gate_scratch *s = g->scratch;
	struct buf in = BUF_INIT;
	const struct buf *later;
	char key[GATE_ID_BYTES];
	enum rc rc;

	gate_put_name(key, name);
	*damaged = false;
	memset(&s->peer, 0, sizeof(s->peer));
	if ((rc = ask_row(g, rows, key, &in, e)) == RC_OK && in.len > 0)
		*damaged = !open_peer(g, key, &in, &s->peer);
	buf_free(&in);
	if (rc != RC_OK)
		return rc;
	*was_len = row_peer_format(&s->peer, s->was);
	if ((later = gate_cache_find(&g->cache, key)) != NULL &&
	    open_peer(g, key, later, &s->other))
		row_merge(&s->peer, &s->other);
	return RC_OK;
}

enum rc
gate_peer_changed(struct gate *g, const struct identity *name,
    size_t was_len, struct buf *out, bool *changed, struct err *e)
{
	struct gate_scratch *s = g->scratch;
	size_t len = row_peer_format(&s->peer, s->plain);
	char key[GATE_ID_BYTES];
	enum rc rc;

	*changed = len != was_len || !same(s->plain, s->was, len);
	if (!*changed)
		return RC_OK;
	gate_put_name(key, name);
	rc = row_seal(keystore_local(g->ks), key,
	    (struct bytes){ s->plain, len }, out, e);
	return rc == RC_OK ? gate_cache_put(&g->cache, key, out, e) : rc;
}

static void
open_self(struct gate *g, const struct buf *in, struct row_self *out)
{
	size_t len;

	if (!unseal(g, GATE_ROW_SELF, in, &len) || !row_self_parse(
	    (struct bytes){ g->scratch->plain, len }, out))
		memset(out, 0, sizeof(*out));
}

enum rc
gate_read_self(struct gate *g, const struct gate_rows *rows,
    struct row_self *self, struct row_self *was, struct err *e)
{
	struct buf in = BUF_INIT;
	const struct buf *later;
	struct row_self other;
	enum rc rc;

	memset(self, 0, sizeof(*self));
	if ((rc = ask_row(g, rows, GATE_ROW_SELF, &in, e)) == RC_OK &&
	    in.len > 0)
		open_self(g, &in, self);
	buf_free(&in);
	*was = *self;
	if (rc != RC_OK)
		return rc;
	if ((later = gate_cache_find(&g->cache, GATE_ROW_SELF)) != NULL) {
		open_self(g, later, &other);
		row_self_merge(self, &other);
	}
	return RC_OK;
}

enum rc
gate_write_self(struct gate *g, const struct row_self *self, struct buf *out,
    struct err *e)
{
	size_t len = row_self_format(self, g->scratch->plain);
	enum rc rc = row_seal(keystore_local(g->ks), GATE_ROW_SELF,
	    (struct bytes){ g->scratch->plain, len }, out, e);

	if (rc != RC_OK)
		return rc;
	return gate_cache_put(&g->cache, GATE_ROW_SELF, out, e);
}

uint8_t
gate_min(const struct gate *g, const struct row_peer *peer, uint8_t desk,
    const struct identity *name)
{
	uint8_t min = gate_row_min(g, peer, desk);
	uint8_t barred = ring_barred(g->ks->ring, name);
	uint8_t proved = ring_proved(g->ks->ring, name);

	min = barred > min ? barred : min;
	return proved > min ? proved : min;
}

/* ---- rows as the commands use them ------------------------------------- */

enum rc
gate_facts(struct gate *g, const struct gate_rows *rows,
    struct gate_facts *out, struct err *e)
{
	struct row_self self, was;
	enum rc rc = gate_read_self(g, rows, &self, &was, e);

	memset(out, 0, sizeof(*out));
	if (rc != RC_OK)
		return rc;
	out->since_at = self.since_at > g->ks->since_at ? self.since_at :
	    g->ks->since_at;
	out->bulletin_gen = self.desk;
	out->bulletin = self.bulletin;
	out->bulletin_at = self.bulletin_at;
	return RC_OK;
}

static enum rc
self_row(struct gate *g, const struct row_self *self, struct gate_row *out,
    struct err *e)
{
	enum rc rc;

	memset(out, 0, sizeof(*out));
	snprintf(out->key, sizeof(out->key), "%s", GATE_ROW_SELF);
	if ((rc = gate_write_self(g, self, &out->sealed, e)) != RC_OK)
		gate_row_free(out);
	return rc;
}

enum rc
gate_restored(struct gate *g, const struct gate_rows *rows, int64_t now,
    struct gate_row *out, struct err *e)
{
	struct row_self self, was;
	enum rc rc = gate_read_self(g, rows, &self, &was, e);

	if (rc != RC_OK)
		return rc;
	if (now > self.since_at)
		self.since_at = now;
	return self_row(g, &self, out, e);
}

enum rc
gate_issued(struct gate *g, const struct gate_rows *rows, uint32_t number,
    int64_t now, struct gate_row *out, struct err *e)
{
	struct row_self self, was;
	enum rc rc = gate_read_self(g, rows, &self, &was, e);

	if (rc != RC_OK)
		return rc;
	row_bulletin(&self, gate_desk(g, now, NULL), number, now);
	return self_row(g, &self, out, e);
}

/* Of a peer's row: only keys of years that are still held. */
static void
drop_years(const struct gate *g, struct row_peer *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->ngrants; i++) {
		const struct row_grant *x = &r->grants[i];
		struct identity own;

		if (!identity_parse(x->own, strlen(x->own), &own) ||
		    keystore_find(g->ks, &own, x->year) < 0)
			continue;
		if (kept != i)
			r->grants[kept] = *x;
		kept++;
	}
	wipe(&r->grants[kept], (r->ngrants - kept) * sizeof(r->grants[0]));
	r->ngrants = (uint8_t)kept;
}

enum rc
gate_row_renew(struct gate *g, const char *key, const struct buf *in,
    struct buf *out, struct err *e)
{
	struct gate_scratch *s = g->scratch;
	size_t len;

	if (!unseal(g, key, in, &len))
		return err_set(e, RC_INPUT,
		    _("a row of the store is not ours or is damaged"));
	if (strcmp(key, GATE_ROW_SELF) != 0) {
		if (!row_peer_parse((struct bytes){ s->plain, len }, &s->peer))
			return err_set(e, RC_INPUT,
			    _("a row of the store is damaged"));
		drop_years(g, &s->peer);
		len = row_peer_format(&s->peer, s->plain);
	}
	return row_seal(keystore_local(g->ks), key,
	    (struct bytes){ s->plain, len }, out, e);
}
