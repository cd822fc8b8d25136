/* The ring, the directory and the bars: whatever is found by a name. */
#ifndef SC_VAULT_RING_H
#define SC_VAULT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/identity.h"
#include "vault/kdf.h"

#define RING_MAX 200000		/* keys of one ring (PROTOCOL 2.15) */
#define RING_KEYS_MAX (64 * RING_MAX)

/*
 * Keys are told apart by (self, peer identity), where ${self} is the caller's
 * number for one of his own identities and one year (2.19.21).  All keys lie
 * in one locked arena, all texts in one block, everything is found by
 * local@domain: some 90 octets a peer beside his texts.
 */
struct ring;

/* ring_new(expect): room for that many keys at once, more by growing; owned;
 * NULL: memory. */
struct ring *ring_new(size_t expect);
void ring_free(struct ring **r);	/* wiped */

enum ring_add {
	RING_ADDED,
	RING_HELD,	/* that very key was there */
	RING_CONFLICT	/* another key is there, and stays (K8) */
};

/*
 * ring_add(r, self, peer, key, how, e):
 * Hold ${key} for writing to ${peer}.  RC_OK, with what came of it in
 * ${how}; RC_NOMEM; RC_INPUT: EC_TOOBIG.
 */
enum rc ring_add(struct ring *r, uint16_t self, const struct identity *peer,
    const uint8_t key[KDF_KEY_BYTES], enum ring_add *how, struct err *e);

/* ring_find(r, self, peer): the key for exactly that identity, lent until the
 * next ring_add(); NULL: none. */
const uint8_t *ring_find(const struct ring *r, uint16_t self,
    const struct identity *peer);

/* ring_best(r, self, name, min): the highest generation held for the name of
 * ${name} under ${self}, not below ${min}; 0: none. */
uint8_t ring_best(const struct ring *r, uint16_t self,
    const struct identity *name, uint8_t min);

/* ring_proved(r, name): the highest generation that any key or directory
 * entry shows (2.19.23); 0: the name is not known here. */
uint8_t ring_proved(const struct ring *r, const struct identity *name);

/* ring_count(r, self): keys under ${self}. */
size_t ring_count(const struct ring *r, uint16_t self);
/* ring_total(r): keys in all; ring_at(r, i, ...): each of them, lent. */
size_t ring_total(const struct ring *r);
const char *ring_at(const struct ring *r, size_t i, uint16_t *self,
    const uint8_t **key);

/* One line of the directory; texts lent until the next change. */
struct ring_entry {
	uint8_t		 flags;
	int64_t		 at;	/* META time of the envelope it came in */
	const char	*identity;
	const char	*route;
	const char	*show;
};

/*
 * ring_enter(r, flags, at, id, route, show, e):
 * Put a line into the directory.  Of two for one name the later envelope's
 * stays, then the higher generation's (2.19.35).  RC_OK; RC_NOMEM.
 */
enum rc ring_enter(struct ring *r, uint8_t flags, int64_t at,
    const struct identity *id, struct bytes route, struct bytes show,
    struct err *e);
bool ring_entry(const struct ring *r, const struct identity *name,
    struct ring_entry *out);
size_t ring_entries(const struct ring *r);
void ring_entry_at(const struct ring *r, size_t i, struct ring_entry *out);

/* ring_bar(r, name, min, e): generations of ${name} below ${min} are void;
 * only ever rises.  ring_barred(r, name): that minimum, 0 when none. */
enum rc ring_bar(struct ring *r, const struct identity *name, uint8_t min,
    struct err *e);
uint8_t ring_barred(const struct ring *r, const struct identity *name);
size_t ring_bars(const struct ring *r);
const char *ring_bar_at(const struct ring *r, size_t i, uint8_t *min);

/*
 * ring_names(r, address, each, ctx):
 * Call ${each} once for every name (without generation) with that
 * local@domain.
 */
void ring_names(const struct ring *r, struct bytes address,
    void (*each)(void *ctx, struct bytes name), void *ctx);

/* ring_assocs(r, i): the short names of the associations met, one by one, up
 * to RING_ASSOCS_MAX; NULL: no more. */
#define RING_ASSOCS_MAX 32
const char *ring_assocs(const struct ring *r, size_t i);

#endif
