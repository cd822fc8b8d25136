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
put(uint32_t *slots, size_t nslots, uint32_t pos, uint32_t hash)
{
	size_t at = hash & (nslots - 1);

	while (slots[at] != 0)
		at = (at + 1) & (nslots - 1);
	slots[at] = pos + 1;
}

static bool
grow(struct index *ix, uint32_t (*hash_of)(const void *arg, uint32_t pos),
    const void *arg)
{
	size_t nslots = ix->nslots == 0 ? 16 : ix->nslots * 2;
	uint32_t *slots = calloc(nslots, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < ix->nslots; i++)
		if (ix->slots[i] != 0)
			put(slots, nslots, ix->slots[i] - 1,
			    hash_of(arg, ix->slots[i] - 1));
	free(ix->slots);
	ix->slots = slots;
	ix->nslots = nslots;
	return true;
}

bool
index_add(struct index *ix, uint32_t pos,
    uint32_t (*hash_of)(const void *arg, uint32_t pos), const void *arg)
{
	if ((ix->n + 1) * 2 > ix->nslots && !grow(ix, hash_of, arg))
		return false;
	put(ix->slots, ix->nslots, pos, hash_of(arg, pos));
	ix->n++;
	return true;
}

int64_t
index_first(const struct index *ix, uint32_t hash, size_t *at)
{
	if (ix->nslots == 0)
		return -1;
	*at = hash & (ix->nslots - 1);
	return (int64_t)ix->slots[*at] - 1;
}

int64_t
index_next(const struct index *ix, size_t *at)
{
	*at = (*at + 1) & (ix->nslots - 1);
	return (int64_t)ix->slots[*at] - 1;
}

void
index_free(struct index *ix)
{
	free(ix->slots);
	ix->slots = NULL;
	ix->nslots = ix->n = 0;
}
