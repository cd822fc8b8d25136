#include "config.h"

#include <stdlib.h>

#include "vault/index.h"

uint32_t
index_hash(const void *p, size_t len)
{
	const uint8_t *c = p;
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ c[i]) * 16777619U;
	/* The low bits choose the slot: fold the high ones in. */
	return h ^ h >> 15;
}

static void
put(struct index *ix, struct index_slot slot)
{
	size_t at = slot.hash & (ix->nslots - 1);

	while (ix->slots[at].pos != 0)
		at = (at + 1) & (ix->nslots - 1);
	ix->slots[at] = slot;
}

bool
index_room(struct index *ix, size_t n)
{
	struct index to = { NULL, ix->nslots == 0 ? 16 : ix->nslots, ix->n };

	while (to.nslots / 2 < n)
		to.nslots *= 2;
	if (to.nslots == ix->nslots)
		return true;
	if ((to.slots = calloc(to.nslots, sizeof(*to.slots))) == NULL)
		return false;
	for (size_t i = 0; i < ix->nslots; i++)
		if (ix->slots[i].pos != 0)
			put(&to, ix->slots[i]);
	free(ix->slots);
	*ix = to;
	return true;
}

bool
index_add(struct index *ix, uint32_t pos, uint32_t hash)
{
	if (!index_room(ix, ix->n + 1))
		return false;
	put(ix, (struct index_slot){ pos + 1, hash });
	ix->n++;
	return true;
}

static int64_t
from_here(const struct index *ix, struct index_at *at)
{
	for (;; at->slot = (at->slot + 1) & (ix->nslots - 1)) {
		const struct index_slot *s = &ix->slots[at->slot];

		if (s->pos == 0 || s->hash == at->hash)
			return (int64_t)s->pos - 1;
	}
}

int64_t
index_first(const struct index *ix, uint32_t hash, struct index_at *at)
{
	if (ix->nslots == 0)
		return -1;
	*at = (struct index_at){ hash & (ix->nslots - 1), hash };
	return from_here(ix, at);
}

int64_t
index_next(const struct index *ix, struct index_at *at)
{
	at->slot = (at->slot + 1) & (ix->nslots - 1);
	return from_here(ix, at);
}

void
index_free(struct index *ix)
{
	free(ix->slots);
	ix->slots = NULL;
	ix->nslots = ix->n = 0;
}
