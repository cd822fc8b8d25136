#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "vault/keystore.h"
#include "vault/keystore_priv.h"

#define DAY_S 86400

enum rc
keystore_new(int64_t now, struct keystore **ks, struct err *e)
{
	struct keystore *k = calloc(1, sizeof(*k));

	*ks = NULL;
	if (k != NULL) {
		k->secret = secret_alloc(sizeof(*k->secret));
		k->ring = ring_new(0);
	}
	if (k == NULL || k->secret == NULL || k->ring == NULL) {
		keystore_free(&k);
		return err_set(e, RC_NOMEM, _("no memory for keys"));
	}
	random_bytes(k->secret->local, KDF_KEY_BYTES);
	random_bytes(k->secret->digest, KDF_KEY_BYTES);
	k->since_at = now;
	*ks = k;
	return RC_OK;
}

void
keystore_free(struct keystore **ks)
{
	if (*ks == NULL)
		return;
	ring_free(&(*ks)->ring);
	secret_free(&(*ks)->secret);
	free(*ks);
	*ks = NULL;
}

enum rc
keystore_lock(const struct keystore_at *at, int *fd, struct err *e)
{
	size_t len = strlen(at->store) + sizeof(".lock");
	char *path = malloc(len);
	enum rc rc = RC_OK;

	*fd = -1;
	if (path == NULL)
		return err_set(e, RC_NOMEM, _("no memory for a path"));
	snprintf(path, len, "%s.lock", at->store);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0 || flock(*fd, LOCK_EX) != 0)
		rc = err_sys(e, "%s", path);
	if (rc != RC_OK && *fd >= 0)
		close(*fd);
	free(path);
	return rc;
}

const uint8_t *
keystore_key(const struct keystore *ks, size_t i)
{
	BUG_ON(i >= ks->nselves);
	return ks->secret->selves[i];
}

const uint8_t *
keystore_local(const struct keystore *ks)
{
	return ks->secret->local;
}

const uint8_t *
keystore_previous(const struct keystore *ks)
{
	return ks->has_previous ? ks->secret->previous : NULL;
}

void
keystore_drop_previous(struct keystore *ks)
{
	ks->has_previous = false;
	wipe(ks->secret->previous, KDF_KEY_BYTES);
}

const uint8_t *
keystore_digest(const struct keystore *ks)
{
	return ks->secret->digest;
}

void
keystore_fix(struct keystore *ks, const uint8_t local[KDF_KEY_BYTES],
    const uint8_t digest[KDF_KEY_BYTES])
{
	memcpy(ks->secret->local, local, KDF_KEY_BYTES);
	memcpy(ks->secret->digest, digest, KDF_KEY_BYTES);
}

int
keystore_find(const struct keystore *ks, const struct identity *id,
    uint16_t year)
{
	for (size_t i = 0; i < ks->nselves; i++)
		if (ks->selves[i].year == year &&
		    identity_eq(&ks->selves[i].id, id))
			return (int)i;
	return -1;
}

uint8_t
keystore_top(const struct keystore *ks, const struct identity *name)
{
	uint8_t top = 0;

	for (size_t i = 0; i < ks->nselves; i++)
		if (identity_same_name(&ks->selves[i].id, name) &&
		    ks->selves[i].id.gen > top)
			top = ks->selves[i].id.gen;
	return top;
}

bool
keystore_years(const struct keystore *ks, const struct identity *name,
    uint16_t *low, uint16_t *high)
{
	bool found = false;

	for (size_t i = 0; i < ks->nselves; i++) {
		uint16_t year = ks->selves[i].year;

		if (!identity_same_name(&ks->selves[i].id, name))
			continue;
		*low = !found || year < *low ? year : *low;
		*high = !found || year > *high ? year : *high;
		found = true;
	}
	return found;
}

unsigned
keystore_role(const struct keystore *ks, size_t i, const struct identity *name)
{
	const struct keystore_self *s = &ks->selves[i];
	unsigned set = 0;

	for (size_t r = 0; r < s->nroles; r++)
		if (identity_same_name(&s->roles[r].id, name))
			set |= 1U << s->roles[r].kind;
	return set;
}

const struct identity *
keystore_holder(const struct keystore *ks, size_t i, enum rec_role_kind kind)
{
	const struct keystore_self *s = &ks->selves[i];

	for (size_t r = 0; r < s->nroles; r++)
		if (s->roles[r].kind == kind)
			return &s->roles[r].id;
	return NULL;
}

enum rc
keystore_add_self(struct keystore *ks, const struct rec_self *self,
    size_t *index, struct err *e)
{
	int held = keystore_find(ks, &self->id, self->year);
	struct keystore_self *s;

	if (held >= 0) {
		*index = (size_t)held;
		if (same(ks->secret->selves[held], self->key, KDF_KEY_BYTES))
			return RC_OK;
		return err_class(e, EC_AUTHORITY, _("another key of %s for %u "
		    "is held already, and is kept"), self->id.s, self->year);
	}
	if (ks->nselves == KEYSTORE_SELVES_MAX)
		return err_class(e, EC_TOOBIG,
		    _("too many identities and years; erase a year"));
	s = &ks->selves[ks->nselves];
	memset(s, 0, sizeof(*s));
	s->id = self->id;
	s->year = self->year;
	s->from_at = self->from_at;
	s->send_until_at = self->send_until_at;
	s->read_until_at = self->read_until_at;
	memcpy(ks->secret->selves[ks->nselves], self->key, KDF_KEY_BYTES);
	ks->demo = bytes_eqs(identity_assoc(&s->id), KEYSTORE_DEMO);
	*index = ks->nselves++;
	return RC_OK;
}

enum rc
keystore_add_role(struct keystore *ks, size_t i, const struct rec_role *role,
    struct err *e)
{
	struct keystore_self *s = &ks->selves[i];

	for (size_t r = 0; r < s->nroles; r++)
		if (s->roles[r].kind == role->role &&
		    identity_eq(&s->roles[r].id, &role->id))
			return RC_OK;
	if (s->nroles == KEYSTORE_ROLES_MAX)
		return err_class(e, EC_TOOBIG, _("too many roles"));
	s->roles[s->nroles++] = (struct keystore_role){ role->role, role->id };
	return RC_OK;
}

/* Copy the keys of the selves that stay: ${to}[i] is their new number. */
static enum rc
copy_keys(const struct ring *from, struct ring *ring, const int *to,
    struct err *e)
{
	enum ring_add how;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ring_total(from) && rc == RC_OK; i++) {
		const uint8_t *key;
		struct identity id;
		uint16_t self;
		const char *s = ring_at(from, i, &self, &key);

		if (to[self] < 0)
			continue;
		BUG_ON(!identity_parse(s, strlen(s), &id));
		rc = ring_add(ring, (uint16_t)to[self], &id, key, &how, e);
	}
	return rc;
}

static enum rc
copy_rest(const struct ring *from, struct ring *ring, struct err *e)
{
	struct ring_entry x;
	struct identity id;
	enum rc rc = RC_OK;
	uint8_t min;

	for (size_t i = 0; i < ring_entries(from) && rc == RC_OK; i++) {
		ring_entry_at(from, i, &x);
		BUG_ON(!identity_parse(x.identity, strlen(x.identity), &id));
		rc = ring_enter(ring, x.flags, x.at, &id, (struct bytes){
		    (const uint8_t *)x.route, strlen(x.route) },
		    (struct bytes){ (const uint8_t *)x.show,
		    strlen(x.show) }, e);
	}
	for (size_t i = 0; i < ring_bars(from) && rc == RC_OK; i++) {
		const char *s = ring_bar_at(from, i, &min);

		BUG_ON(!identity_parse_name(s, strlen(s), &id));
		rc = ring_bar(ring, &id, min, e);
	}
	return rc;
}

/* Close the gaps; both arrays move alike. */
static void
drop_selves(struct keystore *ks, const int *to)
{
	size_t n = ks->nselves, kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (to[i] < 0)
			continue;
		kept++;
		if ((size_t)to[i] == i)
			continue;
		ks->selves[to[i]] = ks->selves[i];
		memcpy(ks->secret->selves[to[i]], ks->secret->selves[i],
		    KDF_KEY_BYTES);
	}
	wipe(ks->secret->selves[kept], (n - kept) * KDF_KEY_BYTES);
	ks->nselves = kept;
}

/* Past its time, by a day: clocks differ, and mail is under way. */
static bool
self_over(const struct keystore *ks, size_t i, int64_t now)
{
	const struct keystore_self *s = &ks->selves[i];
	uint16_t low, high;

	return s->read_until_at < now - DAY_S &&
	    keystore_years(ks, &s->id, &low, &high) && high > s->year;
}

uint16_t
keystore_over(const struct keystore *ks, int64_t now)
{
	uint16_t year = 0;

	for (size_t i = 0; i < ks->nselves; i++) {
		bool all = year == 0 || ks->selves[i].year < year;

		for (size_t n = 0; all && n < ks->nselves; n++)
			all = ks->selves[n].year != ks->selves[i].year ||
			    self_over(ks, n, now);
		if (all)
			year = ks->selves[i].year;
	}
	return year;
}

enum rc
keystore_erase(struct keystore *ks, uint16_t year, struct err *e)
{
	struct ring *ring = ring_new(ring_total(ks->ring));
	int to[KEYSTORE_SELVES_MAX], kept = 0;
	enum rc rc;

	for (size_t i = 0; i < ks->nselves; i++)
		to[i] = ks->selves[i].year == year ? -1 : kept++;
	if (ring == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory for keys"));
	else if (kept == 0)
		rc = err_set(e, RC_CONF, _("%u is the only year held; "
		    "nothing was erased"), year);
	else
		rc = copy_keys(ks->ring, ring, to, e);
	if (rc == RC_OK)
		rc = copy_rest(ks->ring, ring, e);
	if (rc != RC_OK) {
		ring_free(&ring);
		return rc;
	}
	ring_free(&ks->ring);
	ks->ring = ring;
	drop_selves(ks, to);
	memcpy(ks->secret->previous, ks->secret->local, KDF_KEY_BYTES);
	ks->has_previous = true;
	random_bytes(ks->secret->local, KDF_KEY_BYTES);
	return RC_OK;
}

/* Some key of ours in both, for the same year: whoever made ${from} had it. */
static bool
shares_key(const struct keystore *ks, const struct keystore *from)
{
	for (size_t i = 0; i < from->nselves; i++) {
		int held = keystore_find(ks, &from->selves[i].id,
		    from->selves[i].year);

		if (held >= 0 && same(ks->secret->selves[held],
		    from->secret->selves[i], KDF_KEY_BYTES))
			return true;
	}
	return false;
}

/* Of an old year, whose time to read is over: erased here, or soon. */
static bool
is_past(const struct keystore *ks, const struct keystore_self *s)
{
	uint16_t low, high;

	return clock_now() >= s->read_until_at &&
	    keystore_find(ks, &s->id, s->year) < 0 &&
	    keystore_years(ks, &s->id, &low, &high) && s->year < high;
}

static enum rc
add_self_of(struct keystore *ks, const struct keystore *from, size_t i,
    int *to, struct err *e)
{
	const struct keystore_self *s = &from->selves[i];
	const struct rec_self self = { s->year, s->from_at, s->send_until_at,
	    s->read_until_at, from->secret->selves[i], s->id };
	size_t index = 0;
	enum rc rc = keystore_add_self(ks, &self, &index, e);

	*to = (int)index;
	for (size_t r = 0; rc == RC_OK && r < s->nroles; r++)
		rc = keystore_add_role(ks, index, &(struct rec_role){
		    s->roles[r].kind, s->roles[r].id }, e);
	return rc;
}

enum rc
keystore_merge(struct keystore *ks, const struct keystore *from,
    struct err *e)
{
	int to[KEYSTORE_SELVES_MAX];
	enum rc rc = RC_OK;

	if (!shares_key(ks, from))
		return err_class(e, EC_AUTHORITY, _("no key in it is held "
		    "here, so nothing shows that it comes from you. Take the "
		    "export into an empty state folder first, then the key "
		    "files"));
	for (size_t i = 0; rc == RC_OK && i < from->nselves; i++) {
		to[i] = -1;
		if (!is_past(ks, &from->selves[i]))
			rc = add_self_of(ks, from, i, &to[i], e);
	}
	if (rc == RC_OK)
		rc = copy_keys(from->ring, ks->ring, to, e);
	return rc == RC_OK ? copy_rest(from->ring, ks->ring, e) : rc;
}

/* Whoever holds a key: one of ours, or a correspondent's. */
struct holder {
	const uint8_t	*key;
	const char	*who;
};

static int
by_key(const void *a, const void *b)
{
	return memcmp(((const struct holder *)a)->key,
	    ((const struct holder *)b)->key, KDF_KEY_BYTES);
}

enum rc
keystore_twins(const struct keystore *ks, const char **one,
    const char **other, struct err *e)
{
	size_t nring = ring_total(ks->ring), n = nring + ks->nselves;
	struct holder *h = calloc(n + 1, sizeof(*h));
	uint16_t ignored;

	*one = *other = NULL;
	if (h == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < nring; i++)
		h[i].who = ring_at(ks->ring, i, &ignored, &h[i].key);
	for (size_t i = 0; i < ks->nselves; i++)
		h[nring + i] = (struct holder){ ks->secret->selves[i],
		    ks->selves[i].id.s };
	qsort(h, n, sizeof(*h), by_key);
	for (size_t i = 1; i < n && *one == NULL; i++)
		if (by_key(&h[i - 1], &h[i]) == 0) {
			*one = h[i - 1].who;
			*other = h[i].who;
		}
	free(h);
	return RC_OK;
}
