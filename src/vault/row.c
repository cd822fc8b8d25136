#include "config.h"

#include <sodium.h>
#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "vault/row.h"

#define ROW_VERSION 1
#define ROW_PEER 'P'
#define ROW_SELF 'S'

/* Newer first: by year, generation, then own identity, so that there is one
 * order and the oldest falls off the end. */
static int
grant_order(const struct row_grant *a, struct bytes own, uint8_t gen,
    uint16_t year)
{
	size_t len = strlen(a->own);
	int c;

	if (a->year != year)
		return a->year > year ? -1 : 1;
	if (a->gen != gen)
		return a->gen > gen ? -1 : 1;
	c = memcmp(a->own, own.p, len < own.len ? len : own.len);
	return c != 0 ? c : len < own.len ? -1 : len > own.len;
}

static struct bytes
own_of(const struct row_grant *g)
{
	return (struct bytes){ (const uint8_t *)g->own, strlen(g->own) };
}

enum row_add
row_grant(struct row_peer *r, struct bytes own, uint8_t gen, uint16_t year,
    const uint8_t key[KDF_KEY_BYTES])
{
	size_t i = 0, last;
	struct row_grant *g;

	while (i < r->ngrants &&
	    grant_order(&r->grants[i], own, gen, year) < 0)
		i++;
	if (i == ROW_GRANTS_MAX)
		return ROW_HELD;
	g = &r->grants[i];
	if (i < r->ngrants && grant_order(g, own, gen, year) == 0)
		return same(g->key, key, KDF_KEY_BYTES) ?
		    ROW_HELD : ROW_CONFLICT;
	if (r->ngrants < ROW_GRANTS_MAX)
		r->ngrants++;
	last = r->ngrants - 1U;
	memmove(g + 1, g, (last - i) * sizeof(*g));
	memset(g, 0, sizeof(*g));
	g->year = year;
	g->gen = gen;
	memcpy(g->key, key, KDF_KEY_BYTES);
	memcpy(g->own, own.p, own.len);
	return ROW_ADDED;
}

const uint8_t *
row_key(const struct row_peer *r, struct bytes own, uint8_t gen,
    uint16_t year)
{
	for (size_t i = 0; i < r->ngrants; i++)
		if (grant_order(&r->grants[i], own, gen, year) == 0)
			return r->grants[i].key;
	return NULL;
}

uint8_t
row_best(const struct row_peer *r, struct bytes own, uint16_t year,
    uint8_t min)
{
	for (size_t i = 0; i < r->ngrants; i++) {
		const struct row_grant *g = &r->grants[i];

		if (g->year == year && g->gen >= min &&
		    bytes_eq(own_of(g), own))
			return g->gen;
	}
	return 0;
}

void
row_bar(struct row_peer *r, uint8_t desk, uint8_t min)
{
	size_t i = 0;

	while (i < r->nbars && r->bars[i].desk < desk)
		i++;
	if (i < r->nbars && r->bars[i].desk == desk) {
		if (r->bars[i].min < min)
			r->bars[i].min = min;
		return;
	}
	if (r->nbars == ROW_BARS_MAX) {
		if (i == 0)
			return;
		memmove(r->bars, r->bars + 1,
		    (ROW_BARS_MAX - 1) * sizeof(*r->bars));
		r->nbars--;
		i--;
	}
	memmove(r->bars + i + 1, r->bars + i,
	    (r->nbars - i) * sizeof(*r->bars));
	r->bars[i] = (struct row_bar){ desk, min };
	r->nbars++;
}

uint8_t
row_min(const struct row_peer *r, uint8_t desk)
{
	uint8_t min = r->min;

	for (size_t i = 0; i < r->nbars; i++)
		if (r->bars[i].desk >= desk && r->bars[i].min > min)
			min = r->bars[i].min;
	return min;
}

/* One total order, so that no order of arrival matters. */
static bool
entry_later(const struct row_peer *r, int64_t at, uint8_t gen, uint8_t flags,
    struct bytes route, struct bytes show)
{
	char text[REC_ROUTE_MAX + 1];
	int c;

	if (!r->has_entry || at != r->entry_at)
		return !r->has_entry || at > r->entry_at;
	if (gen != r->entry_gen)
		return gen > r->entry_gen;
	if (flags != r->entry_flags)
		return flags > r->entry_flags;
	memcpy(text, route.p, route.len);
	text[route.len] = '\0';
	if ((c = strcmp(text, r->route)) != 0)
		return c > 0;
	if (show.len > 0)
		memcpy(text, show.p, show.len);
	text[show.len] = '\0';
	return strcmp(text, r->show) > 0;
}

void
row_enter(struct row_peer *r, int64_t at, uint8_t gen, uint8_t flags,
    struct bytes route, struct bytes show)
{
	BUG_ON(route.len > REC_ROUTE_MAX || show.len > REC_DISPLAY_MAX);
	if (!entry_later(r, at, gen, flags, route, show))
		return;
	r->has_entry = true;
	r->entry_at = at;
	r->entry_gen = gen;
	r->entry_flags = flags;
	memset(r->route, 0, sizeof(r->route));
	memset(r->show, 0, sizeof(r->show));
	memcpy(r->route, route.p, route.len);
	if (show.len > 0)
		memcpy(r->show, show.p, show.len);
}

/* Of two of one moment the row's: key files are older than what follows. */
bool
row_entry(const struct row_peer *r, const struct ring *ring,
    const struct identity *name, struct ring_entry *out)
{
	const bool held = ring_entry(ring, name, out);

	if (!held)
		*out = (struct ring_entry){ 0, 0, "", "", "" };
	if (r == NULL || !r->has_entry || (held && r->entry_at < out->at))
		return held;
	out->flags = r->entry_flags;
	out->at = r->entry_at;
	out->route = r->route;
	out->show = r->show;
	return true;
}

static struct bytes
text_bytes(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

void
row_merge(struct row_peer *to, const struct row_peer *from)
{
	if (from->min > to->min)
		to->min = from->min;
	if (from->shown_year > to->shown_year)
		to->shown_year = from->shown_year;
	if (from->shown_version > to->shown_version)
		to->shown_version = from->shown_version;
	to->direct = to->direct || from->direct;
	for (size_t i = 0; i < from->nbars; i++)
		row_bar(to, from->bars[i].desk, from->bars[i].min);
	if (from->has_entry)
		row_enter(to, from->entry_at, from->entry_gen,
		    from->entry_flags, text_bytes(from->route),
		    text_bytes(from->show));
	for (size_t i = 0; i < from->ngrants; i++)
		row_grant(to, own_of(&from->grants[i]), from->grants[i].gen,
		    from->grants[i].year, from->grants[i].key);
}

void
row_self_merge(struct row_self *to, const struct row_self *from)
{
	if (from->since_at > to->since_at)
		to->since_at = from->since_at;
	row_bulletin(to, from->desk, from->bulletin, from->bulletin_at);
	for (size_t i = 0; i < from->nassocs; i++)
		row_meet(to, (struct bytes){
		    (const uint8_t *)from->assocs[i],
		    strlen(from->assocs[i]) });
}

/* Of too many the first ones stay, in whatever order they come. */
void
row_meet(struct row_self *r, struct bytes assoc)
{
	char name[ROW_ASSOC_BYTES] = "";
	size_t i = 0;

	BUG_ON(assoc.len == 0 || assoc.len >= sizeof(name));
	memcpy(name, assoc.p, assoc.len);
	while (i < r->nassocs && strcmp(r->assocs[i], name) < 0)
		i++;
	if (i == ROW_ASSOCS_MAX ||
	    (i < r->nassocs && strcmp(r->assocs[i], name) == 0))
		return;
	if (r->nassocs < ROW_ASSOCS_MAX)
		r->nassocs++;
	memmove(r->assocs[i + 1], r->assocs[i],
	    (r->nassocs - i - 1) * sizeof(r->assocs[0]));
	memcpy(r->assocs[i], name, sizeof(name));
}

void
row_bulletin(struct row_self *r, uint8_t desk, uint32_t number, int64_t at)
{
	if (desk < r->desk || (desk == r->desk && number < r->bulletin))
		return;
	if (desk > r->desk || number > r->bulletin || at > r->bulletin_at)
		r->bulletin_at = at;
	r->desk = desk;
	r->bulletin = number;
}

static uint8_t *
put8(uint8_t *p, unsigned v)
{
	*p = (uint8_t)v;
	return p + 1;
}

static uint8_t *
put16(uint8_t *p, uint16_t v)
{
	put_be16(p, v);
	return p + 2;
}

static uint8_t *
put64(uint8_t *p, int64_t v)
{
	put_be64(p, (uint64_t)v);
	return p + 8;
}

static uint8_t *
put_text(uint8_t *p, const char *s)
{
	size_t len = strlen(s);

	*p = (uint8_t)len;
	memcpy(p + 1, s, len);
	return p + 1 + len;
}

size_t
row_peer_format(const struct row_peer *r, uint8_t *out)
{
	uint8_t *p = out;

	p = put8(p, ROW_PEER);
	p = put8(p, ROW_VERSION);
	p = put8(p, r->min);
	p = put8(p, r->direct);
	p = put16(p, r->shown_year);
	p = put8(p, r->shown_version);
	p = put8(p, r->nbars);
	for (size_t i = 0; i < r->nbars; i++)
		p = put8(put8(p, r->bars[i].desk), r->bars[i].min);
	p = put8(p, r->has_entry);
	if (r->has_entry) {
		p = put64(p, r->entry_at);
		p = put8(put8(p, r->entry_gen), r->entry_flags);
		p = put_text(put_text(p, r->route), r->show);
	}
	p = put8(p, r->ngrants);
	for (size_t i = 0; i < r->ngrants; i++) {
		p = put8(put16(p, r->grants[i].year), r->grants[i].gen);
		memcpy(p, r->grants[i].key, KDF_KEY_BYTES);
		p = put_text(p + KDF_KEY_BYTES, r->grants[i].own);
	}
	return (size_t)(p - out);
}

/* Room for ${max} octets and a NUL, all zero before. */
static bool
get_text(struct rd *rd, char *out, size_t max)
{
	struct bytes s = rd_take(rd, rd_8(rd));

	if (rd->bad || s.len > max)
		return false;
	if (s.len == 0)
		return true;
	memcpy(out, s.p, s.len);
	return memchr(s.p, 0, s.len) == NULL;
}

static bool
get_entry(struct rd *rd, struct row_peer *r)
{
	r->has_entry = rd_8(rd) != 0;
	if (!r->has_entry)
		return !rd->bad;
	r->entry_at = (int64_t)rd_64(rd);
	r->entry_gen = rd_8(rd);
	r->entry_flags = rd_8(rd);
	return get_text(rd, r->route, REC_ROUTE_MAX) &&
	    get_text(rd, r->show, REC_DISPLAY_MAX);
}

static bool
get_grants(struct rd *rd, struct row_peer *r)
{
	r->ngrants = rd_8(rd);
	if (rd->bad || r->ngrants > ROW_GRANTS_MAX)
		return false;
	for (size_t i = 0; i < r->ngrants; i++) {
		r->grants[i].year = rd_16(rd);
		r->grants[i].gen = rd_8(rd);
		rd_copy(rd, r->grants[i].key, KDF_KEY_BYTES);
		if (!get_text(rd, r->grants[i].own, IDENTITY_MAX_BYTES))
			return false;
	}
	return true;
}

bool
row_peer_parse(struct bytes p, struct row_peer *r)
{
	struct rd rd = rd_of(p.p, p.len);

	memset(r, 0, sizeof(*r));
	if (rd_8(&rd) != ROW_PEER || rd_8(&rd) != ROW_VERSION)
		return false;
	r->min = rd_8(&rd);
	r->direct = rd_8(&rd) != 0;
	r->shown_year = rd_16(&rd);
	r->shown_version = rd_8(&rd);
	r->nbars = rd_8(&rd);
	if (rd.bad || r->nbars > ROW_BARS_MAX)
		return false;
	for (size_t i = 0; i < r->nbars; i++) {
		r->bars[i].desk = rd_8(&rd);
		r->bars[i].min = rd_8(&rd);
	}
	return get_entry(&rd, r) && get_grants(&rd, r) && rd_done(&rd);
}

size_t
row_self_format(const struct row_self *r, uint8_t *out)
{
	uint8_t *p = out;

	p = put8(put8(p, ROW_SELF), ROW_VERSION);
	p = put64(p, r->since_at);
	p = put8(p, r->desk);
	put_be32(p, r->bulletin);
	p = put8(put64(p + 4, r->bulletin_at), r->nassocs);
	for (size_t i = 0; i < r->nassocs; i++)
		p = put_text(p, r->assocs[i]);
	return (size_t)(p - out);
}

bool
row_self_parse(struct bytes p, struct row_self *r)
{
	struct rd rd = rd_of(p.p, p.len);

	memset(r, 0, sizeof(*r));
	if (rd_8(&rd) != ROW_SELF || rd_8(&rd) != ROW_VERSION)
		return false;
	r->since_at = (int64_t)rd_64(&rd);
	r->desk = rd_8(&rd);
	r->bulletin = rd_32(&rd);
	r->bulletin_at = (int64_t)rd_64(&rd);
	r->nassocs = rd_8(&rd);
	if (rd.bad || r->nassocs > ROW_ASSOCS_MAX)
		return false;
	for (size_t i = 0; i < r->nassocs; i++) {
		if (!get_text(&rd, r->assocs[i], ROW_ASSOC_BYTES - 1) ||
		    strcmp(i > 0 ? r->assocs[i - 1] : "", r->assocs[i]) >= 0)
			return false;
	}
	return rd_done(&rd);
}

/* The key of rows, from the store's local key; wiped by the caller. */
static void
row_local(uint8_t out[KDF_KEY_BYTES], const uint8_t local[KDF_KEY_BYTES])
{
	kdf(out, KDF_KEY_BYTES, local, KDF_ROW, (struct bytes){ NULL, 0 });
}

enum rc
row_seal(const uint8_t local[KDF_KEY_BYTES], const char *key, struct bytes p,
    struct buf *out, struct err *e)
{
	uint8_t k[KDF_KEY_BYTES];

	buf_wipe(out);
	if (!buf_reserve(out, ROW_NONCE_BYTES + p.len + ROW_MAC_BYTES))
		return err_set(e, RC_NOMEM, _("no memory for a row"));
	random_bytes(out->p, ROW_NONCE_BYTES);
	row_local(k, local);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out->p + ROW_NONCE_BYTES,
	    NULL, p.p, p.len, (const uint8_t *)key, strlen(key), NULL, out->p,
	    k);
	wipe(k, sizeof(k));
	out->len = ROW_NONCE_BYTES + p.len + ROW_MAC_BYTES;
	return RC_OK;
}

enum rc
row_open(const uint8_t local[KDF_KEY_BYTES], const char *key, struct bytes in,
    uint8_t *out, size_t *len, struct err *e)
{
	uint8_t k[KDF_KEY_BYTES];
	int bad;

	*len = 0;
	if (in.len < ROW_NONCE_BYTES + ROW_MAC_BYTES || in.len > ROW_MAX_BYTES)
		return err_set(e, RC_INPUT, _("a row has an impossible size"));
	row_local(k, local);
	bad = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL,
	    in.p + ROW_NONCE_BYTES, in.len - ROW_NONCE_BYTES,
	    (const uint8_t *)key, strlen(key), in.p, k);
	wipe(k, sizeof(k));
	if (bad != 0)
		return err_set(e, RC_INPUT,
		    _("a row of the store is not ours or is damaged"));
	*len = in.len - ROW_NONCE_BYTES - ROW_MAC_BYTES;
	return RC_OK;
}

bool
row_unseal(const uint8_t local[KDF_KEY_BYTES], const uint8_t *previous,
    const char *key, struct bytes in, uint8_t *out, size_t *len)
{
	struct err ignored = ERR_INIT;

	return row_open(local, key, in, out, len, &ignored) == RC_OK ||
	    (previous != NULL &&
	    row_open(previous, key, in, out, len, &ignored) == RC_OK);
}
