/* Positions in a table, found again by a hash of what stands there. */
#ifndef SC_VAULT_INDEX_H
#define SC_VAULT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Open addressing, at most half full, four octets a slot.  Several positions
 * may share a hash: whoever asks looks at each and compares for himself.
 */
struct index {
	uint32_t	*slots;	/* position + 1; 0: free */
	size_t		 nslots;	/* a power of two, or 0 */
	size_t		 n;
};

#define INDEX_INIT { NULL, 0, 0 }

/* index_hash(p, len): FNV-1a; names come from the association, not from
 * strangers who could choose them to collide. */
uint32_t index_hash(const void *p, size_t len);

/*
 * index_add(ix, pos, hash_of, arg):
 * Note position ${pos}; ${hash_of}(arg, pos) tells the hash of any position,
 * for growing.  False: memory, ${ix} unchanged.
 */
bool index_add(struct index *ix, uint32_t pos,
    uint32_t (*hash_of)(const void *arg, uint32_t pos), const void *arg);

/* index_first(ix, hash, at), index_next(ix, at): candidates one by one; ${at}
 * is the cursor; -1: no more. */
int64_t index_first(const struct index *ix, uint32_t hash, size_t *at);
int64_t index_next(const struct index *ix, size_t *at);
void index_free(struct index *ix);

#endif
