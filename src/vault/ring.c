#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "vault/grow.h"
#include "vault/index.h"
#include "vault/ring.h"

#define TEXT_USUAL 96	/* octets of identity, route and shown name */

/* An identity or a name in the block of texts: text[off], NUL at the end. */
struct peer {
	uint32_t	id;
	uint16_t	self;
	uint8_t		gen;
};

struct entry {
	int64_t		at;
	uint32_t	id;
	uint32_t	route;	/* followed by its NUL, then show */
	uint8_t		flags;
	uint8_t		gen;
};

struct bar {
	uint32_t	name;
	uint8_t		min;
};

/* One table of things that begin with a text, and its index. */
struct table {
	struct index	 ix;
	void		*rows;
	size_t		 n;
	size_t		 cap;
	size_t		 size;	/* of a row */
};

struct ring {
	char		*text;
	size_t		 text_len;
	size_t		 text_cap;
	uint8_t		(*keys)[KDF_KEY_BYTES];	/* beside peers */
	size_t		 keys_cap;
	struct table	 peers;
	struct table	 entries;
	struct table	 bars;
	char		 assocs[RING_ASSOCS_MAX][IDENTITY_MAX_BYTES + 1];
	size_t		 nassocs;
};

static struct peer *
peer_at(const struct ring *r, size_t i)
{
	return (struct peer *)r->peers.rows + i;
}

static struct entry *
entry_at(const struct ring *r, size_t i)
{
	return (struct entry *)r->entries.rows + i;
}

static struct bar *
bar_at(const struct ring *r, size_t i)
{
	return (struct bar *)r->bars.rows + i;
}

/* local@domain of a text that was an identity or a name when it came in. */
static struct bytes
address_of(const char *s)
{
	const char *from = strchr(s, '/') + 1;

	return (struct bytes){ (const uint8_t *)from, strcspn(from, "#") };
}

static struct bytes
name_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strcspn(s, "#") };
}

static uint32_t
id_hash(const struct identity *name)
{
	struct bytes a = identity_address(name);

	return index_hash(a.p, a.len);
}

/* ${s} is that name, or an identity with it. */
static bool
has_name(const char *s, const struct identity *name)
{
	struct bytes want = identity_name(name);

	return strncmp(s, (const char *)want.p, want.len) == 0 &&
	    (s[want.len] == '#' || s[want.len] == '\0');
}

static bool
table_room(struct table *t, size_t more)
{
	return grow(&t->rows, &t->cap, t->n + more, t->size);
}

static bool
text_room(struct ring *r, size_t more)
{
	void *text = r->text;
	bool ok;

	if (more > UINT32_MAX - r->text_len)
		return false;
	ok = grow(&text, &r->text_cap, r->text_len + more, 1);
	r->text = text;
	return ok;
}

/* Room must be there.  Returns where it stands. */
static uint32_t
text_add(struct ring *r, struct bytes s)
{
	uint32_t at = (uint32_t)r->text_len;

	if (s.len > 0)
		memcpy(r->text + at, s.p, s.len);
	r->text[at + s.len] = '\0';
	r->text_len += s.len + 1;
	return at;
}

static bool
keys_room(struct ring *r)
{
	size_t cap = r->keys_cap == 0 ? 64 : r->keys_cap * 2;
	uint8_t (*keys)[KDF_KEY_BYTES];

	if (r->peers.n < r->keys_cap)
		return true;
	if ((keys = secret_alloc(cap * sizeof(*keys))) == NULL)
		return false;
	if (r->peers.n > 0)
		memcpy(keys, r->keys, r->peers.n * sizeof(*keys));
	secret_free(&r->keys);
	r->keys = keys;
	r->keys_cap = cap;
	return true;
}

struct ring *
ring_new(size_t expect)
{
	struct ring *r = calloc(1, sizeof(*r));
	size_t names;

	if (r == NULL)
		return NULL;
	r->peers.size = sizeof(struct peer);
	r->entries.size = sizeof(struct entry);
	r->bars.size = sizeof(struct bar);
	if (expect == 0)
		return r;
	if (expect <= RING_KEYS_MAX)
		r->keys = secret_alloc(expect * sizeof(*r->keys));
	r->keys_cap = r->keys == NULL ? 0 : expect;
	/* Keys of several years share a text. */
	names = expect < RING_MAX ? expect : RING_MAX;
	if (r->keys == NULL || !index_room(&r->peers.ix, expect) ||
	    !table_room(&r->peers, expect) ||
	    !text_room(r, names * TEXT_USUAL))
		ring_free(&r);
	return r;
}

void
ring_free(struct ring **r)
{
	if (*r == NULL)
		return;
	index_free(&(*r)->peers.ix);
	index_free(&(*r)->entries.ix);
	index_free(&(*r)->bars.ix);
	free((*r)->peers.rows);
	free((*r)->entries.rows);
	free((*r)->bars.rows);
	free((*r)->text);
	secret_free(&(*r)->keys);
	free(*r);
	*r = NULL;
}

static void
note_assoc(struct ring *r, const struct identity *id)
{
	struct bytes a = identity_assoc(id);

	for (size_t i = 0; i < r->nassocs; i++)
		if (bytes_eqs(a, r->assocs[i]))
			return;
	if (r->nassocs == RING_ASSOCS_MAX)
		return;
	memcpy(r->assocs[r->nassocs], a.p, a.len);
	r->assocs[r->nassocs++][a.len] = '\0';
}

/* From position ${i} on, the first peer with that name; -1: none. */
static int64_t
peer_from(const struct ring *r, const struct identity *name,
    struct index_at *at, int64_t i)
{
	while (i >= 0 && !has_name(r->text + peer_at(r, (size_t)i)->id, name))
		i = index_next(&r->peers.ix, at);
	return i;
}

static int64_t
peer_first(const struct ring *r, const struct identity *name, uint32_t hash,
    struct index_at *at)
{
	return peer_from(r, name, at, index_first(&r->peers.ix, hash, at));
}

static int64_t
peer_next(const struct ring *r, const struct identity *name,
    struct index_at *at)
{
	return peer_from(r, name, at, index_next(&r->peers.ix, at));
}

static int64_t
find_peer(const struct ring *r, int self, const struct identity *id,
    uint32_t hash)
{
	struct index_at at;
	int64_t i;

	for (i = peer_first(r, id, hash, &at); i >= 0;
	    i = peer_next(r, id, &at)) {
		const struct peer *p = peer_at(r, (size_t)i);

		if (p->gen == id->gen && (self < 0 || p->self == self))
			return i;
	}
	return -1;
}

static int64_t
find_entry(const struct ring *r, const struct identity *name, uint32_t hash)
{
	struct index_at at;
	int64_t i = index_first(&r->entries.ix, hash, &at);

	while (i >= 0 && !has_name(r->text + entry_at(r, (size_t)i)->id,
	    name))
		i = index_next(&r->entries.ix, &at);
	return i;
}

static int64_t
find_bar(const struct ring *r, const struct identity *name, uint32_t hash)
{
	struct index_at at;
	int64_t i = index_first(&r->bars.ix, hash, &at);

	while (i >= 0 && !has_name(r->text + bar_at(r, (size_t)i)->name, name))
		i = index_next(&r->bars.ix, &at);
	return i;
}

/* Where the text of an identity stands already, or -1: members of several
 * rings, and of ring and directory, have theirs once. */
static int64_t
text_of(const struct ring *r, const struct identity *id, uint32_t hash)
{
	int64_t i;

	if ((i = find_peer(r, -1, id, hash)) >= 0)
		return peer_at(r, (size_t)i)->id;
	i = find_entry(r, id, hash);
	if (i >= 0 && entry_at(r, (size_t)i)->gen == id->gen)
		return entry_at(r, (size_t)i)->id;
	return -1;
}

static uint32_t
text_id(struct ring *r, const struct identity *id, uint32_t hash)
{
	int64_t at = text_of(r, id, hash);

	note_assoc(r, id);
	return at >= 0 ? (uint32_t)at : text_add(r, identity_bytes(id));
}

enum rc
ring_add(struct ring *r, uint16_t self, const struct identity *peer,
    const uint8_t key[KDF_KEY_BYTES], enum ring_add *how, struct err *e)
{
	uint32_t hash = id_hash(peer);
	int64_t held = find_peer(r, self, peer, hash);
	struct peer *p;

	BUG_ON(peer->gen == 0);
	if (held >= 0) {
		*how = same(r->keys[held], key, KDF_KEY_BYTES) ?
		    RING_HELD : RING_CONFLICT;
		return RC_OK;
	}
	if (r->peers.n >= RING_KEYS_MAX)
		return err_class(e, EC_TOOBIG, _("too many keys"));
	if (!keys_room(r) || !table_room(&r->peers, 1) ||
	    !text_room(r, peer->len + 1U))
		return err_set(e, RC_NOMEM, _("no memory for a key"));
	p = peer_at(r, r->peers.n);
	*p = (struct peer){ text_id(r, peer, hash), self, peer->gen };
	memcpy(r->keys[r->peers.n], key, KDF_KEY_BYTES);
	if (!index_add(&r->peers.ix, (uint32_t)r->peers.n, hash))
		return err_set(e, RC_NOMEM, _("no memory for a key"));
	r->peers.n++;
	*how = RING_ADDED;
	return RC_OK;
}

const uint8_t *
ring_find(const struct ring *r, uint16_t self, const struct identity *peer)
{
	int64_t i = find_peer(r, self, peer, id_hash(peer));

	return i < 0 ? NULL : r->keys[i];
}

uint8_t
ring_best(const struct ring *r, uint16_t self, const struct identity *name,
    uint8_t min)
{
	uint8_t best = 0;
	struct index_at at;
	int64_t i;

	for (i = peer_first(r, name, id_hash(name), &at); i >= 0;
	    i = peer_next(r, name, &at)) {
		const struct peer *p = peer_at(r, (size_t)i);

		if (p->self == self && p->gen >= min && p->gen > best)
			best = p->gen;
	}
	return best;
}

uint8_t
ring_proved(const struct ring *r, const struct identity *name)
{
	uint32_t hash = id_hash(name);
	int64_t i = find_entry(r, name, hash);
	uint8_t best = i < 0 ? 0 : entry_at(r, (size_t)i)->gen;
	struct index_at at;

	for (i = peer_first(r, name, hash, &at); i >= 0;
	    i = peer_next(r, name, &at))
		if (peer_at(r, (size_t)i)->gen > best)
			best = peer_at(r, (size_t)i)->gen;
	return best;
}

size_t
ring_count(const struct ring *r, uint16_t self)
{
	size_t n = 0;

	for (size_t i = 0; i < r->peers.n; i++)
		n += peer_at(r, i)->self == self;
	return n;
}

size_t
ring_total(const struct ring *r)
{
	return r->peers.n;
}

const char *
ring_at(const struct ring *r, size_t i, uint16_t *self, const uint8_t **key)
{
	const struct peer *p = peer_at(r, i);

	*self = p->self;
	*key = r->keys[i];
	return r->text + p->id;
}

enum rc
ring_enter(struct ring *r, uint8_t flags, int64_t at,
    const struct identity *id, struct bytes route, struct bytes show,
    struct err *e)
{
	uint32_t hash = id_hash(id);
	int64_t held = find_entry(r, id, hash);
	struct entry *x;

	BUG_ON(id->gen == 0);
	if (held >= 0) {
		x = entry_at(r, (size_t)held);
		if (at < x->at || (at == x->at && id->gen <= x->gen))
			return RC_OK;
	}
	if (!table_room(&r->entries, 1) ||
	    !text_room(r, id->len + route.len + show.len + 3U))
		return err_set(e, RC_NOMEM, _("no memory for the directory"));
	x = entry_at(r, held >= 0 ? (size_t)held : r->entries.n);
	/* The identity first: it may be found where this very line has it. */
	x->id = text_id(r, id, hash);
	x->route = text_add(r, route);
	text_add(r, show);
	x->at = at;
	x->flags = flags;
	x->gen = id->gen;
	if (held >= 0)
		return RC_OK;
	if (!index_add(&r->entries.ix, (uint32_t)r->entries.n, hash))
		return err_set(e, RC_NOMEM, _("no memory for the directory"));
	r->entries.n++;
	return RC_OK;
}

bool
ring_entry(const struct ring *r, const struct identity *name,
    struct ring_entry *out)
{
	int64_t i = find_entry(r, name, id_hash(name));

	if (i >= 0)
		ring_entry_at(r, (size_t)i, out);
	return i >= 0;
}

size_t
ring_entries(const struct ring *r)
{
	return r->entries.n;
}

void
ring_entry_at(const struct ring *r, size_t i, struct ring_entry *out)
{
	const struct entry *x = entry_at(r, i);

	out->flags = x->flags;
	out->at = x->at;
	out->identity = r->text + x->id;
	out->route = r->text + x->route;
	out->show = out->route + strlen(out->route) + 1;
}

enum rc
ring_bar(struct ring *r, const struct identity *name, uint8_t min,
    struct err *e)
{
	uint32_t hash = id_hash(name);
	int64_t i = find_bar(r, name, hash);

	if (i >= 0) {
		if (bar_at(r, (size_t)i)->min < min)
			bar_at(r, (size_t)i)->min = min;
		return RC_OK;
	}
	if (!table_room(&r->bars, 1) || !text_room(r, name->name_len + 1U))
		return err_set(e, RC_NOMEM, _("no memory for the bars"));
	*bar_at(r, r->bars.n) =
	    (struct bar){ text_add(r, identity_name(name)), min };
	if (!index_add(&r->bars.ix, (uint32_t)r->bars.n, hash))
		return err_set(e, RC_NOMEM, _("no memory for the bars"));
	r->bars.n++;
	return RC_OK;
}

uint8_t
ring_barred(const struct ring *r, const struct identity *name)
{
	int64_t i = find_bar(r, name, id_hash(name));

	return i < 0 ? 0 : bar_at(r, (size_t)i)->min;
}

size_t
ring_bars(const struct ring *r)
{
	return r->bars.n;
}

const char *
ring_bar_at(const struct ring *r, size_t i, uint8_t *min)
{
	*min = bar_at(r, i)->min;
	return r->text + bar_at(r, i)->name;
}

/* The first position with that name reports it, the others are silent. */
static bool
first_of_name(const struct ring *r, size_t pos, struct bytes name)
{
	struct identity id;
	struct index_at at;

	return identity_parse_name(name.p, name.len, &id) &&
	    peer_first(r, &id, id_hash(&id), &at) == (int64_t)pos;
}

void
ring_names(const struct ring *r, struct bytes address,
    void (*each)(void *ctx, struct bytes name), void *ctx)
{
	uint32_t hash = index_hash(address.p, address.len);
	struct identity id;
	struct index_at at, cur;
	int64_t i;

	for (i = index_first(&r->peers.ix, hash, &at); i >= 0;
	    i = index_next(&r->peers.ix, &at)) {
		const char *s = r->text + peer_at(r, (size_t)i)->id;

		if (bytes_eq(address_of(s), address) &&
		    first_of_name(r, (size_t)i, name_of(s)))
			each(ctx, name_of(s));
	}
	for (i = index_first(&r->entries.ix, hash, &at);
	    i >= 0; i = index_next(&r->entries.ix, &at)) {
		const char *s = r->text + entry_at(r, (size_t)i)->id;
		struct bytes name = name_of(s);

		if (bytes_eq(address_of(s), address) &&
		    identity_parse_name(name.p, name.len, &id) &&
		    peer_first(r, &id, hash, &cur) < 0)
			each(ctx, name);
	}
}

const char *
ring_assocs(const struct ring *r, size_t i)
{
	return i < r->nassocs ? r->assocs[i] : NULL;
}
