/* Positions in a table, found again by a hash of what stands there. */
#ifndef SC_VAULT_INDEX_H
#define SC_VAULT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Open addressing, at most half full, eight octets a slot.  The hash stands
 * beside the position, so that neither looking nor growing touches what does
 * not have it.  Several positions may share one: whoever asks looks at each
 * and compares for himself.
 */
struct index_slot {
	uint32_t	 pos;	/* + 1; 0: free */
	uint32_t	 hash;
};

struct index {
	struct index_slot *slots;
	size_t		 nslots;	/* a power of two, or 0 */
	size_t		 n;
};

#define INDEX_INIT { NULL, 0, 0 }

/* index_hash(p, len): FNV-1a; names come from the association, not from
 * strangers who could choose them to collide. */
uint32_t index_hash(const void *p, size_t len);

/* index_room(ix, n): room for that many without growing; index_add(ix, pos,
 * hash): note position ${pos}.  False: memory, ${ix} unchanged. */
bool index_room(struct index *ix, size_t n);
bool index_add(struct index *ix, uint32_t pos, uint32_t hash);

/* A cursor over the positions with one hash. */
struct index_at {
	size_t		 slot;
	uint32_t	 hash;
};

/* index_first(ix, hash, at), index_next(ix, at): one by one; -1: no more. */
int64_t index_first(const struct index *ix, uint32_t hash,
    struct index_at *at);
int64_t index_next(const struct index *ix, struct index_at *at);
void index_free(struct index *ix);

#endif
