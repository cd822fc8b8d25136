#include "config.h"

#include <stdio.h>
#include <string.h>

#include "issuer/names.h"

static uint32_t
local_hash(const struct member *w)
{
	struct bytes s = identity_local(&w->id);

	return index_hash(s.p, s.len);
}

/* The first in the register with that local part, whom alone the index holds:
 * half of an association may be called "contact".  NULL: nobody yet. */
static const struct member *
find_first(const struct names *n, const struct member *w)
{
	struct bytes local = identity_local(&w->id);
	struct index_at cursor;
	int64_t i = index_first(&n->by_local, local_hash(w), &cursor);

	while (i >= 0 && !bytes_eq(local, identity_local(&n->all->v[i].id)))
		i = index_next(&n->by_local, &cursor);
	return i < 0 ? NULL : &n->all->v[i];
}

bool
names_init(struct names *n, const struct members *m)
{
	memset(n, 0, sizeof(*n));
	n->all = m;
	for (size_t i = 0; i < m->n; i++)
		if (find_first(n, &m->v[i]) == NULL &&
		    !index_add(&n->by_local, (uint32_t)i,
		    local_hash(&m->v[i])))
			return false;
	return true;
}

void
names_wipe(struct names *n)
{
	index_free(&n->by_local);
}

void
names_of(const struct names *n, const struct member *w, uint16_t year,
    char out[NAMES_BYTES])
{
	struct bytes local = identity_local(&w->id);
	/* A leading dash would look like an option; with the domain then, for
	 * the first local part could be somebody else's "_-x". */
	struct bytes s = local.p[0] != '-' && find_first(n, w) == w ? local :
	    identity_address(&w->id);
	const char *safe = s.p[0] == '-' ? "_" : "";
	char gen[8] = "";

	if (w->id.gen > 1)
		snprintf(gen, sizeof(gen), "-%u", w->id.gen);
	snprintf(out, NAMES_BYTES, "%s%.*s.%u%s", safe, (int)s.len,
	    (const char *)s.p, year, gen);
}
