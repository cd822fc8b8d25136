/* What is learnt about a name, as a small sealed row that the store keeps. */
#ifndef SC_VAULT_ROW_H
#define SC_VAULT_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/identity.h"
#include "vault/kdf.h"
#include "vault/record.h"
#include "vault/ring.h"

#define ROW_BARS_MAX 8		/* generations of the watch desk */
#define ROW_GRANTS_MAX 24
#define ROW_ASSOCS_MAX 16	/* other associations */
#define ROW_ASSOC_BYTES 33
#define ROW_NONCE_BYTES 24
#define ROW_MAC_BYTES 16
#define ROW_MAX_BYTES 16384	/* sealed */

/* A key with which ${own} may write to this row's name at ${gen}. */
struct row_grant {
	uint16_t	year;
	uint8_t		gen;
	uint8_t		key[KDF_KEY_BYTES];
	char		own[IDENTITY_MAX_BYTES + 1];
};

/* A bar by the watch desk's generation ${desk}. */
struct row_bar {
	uint8_t	desk;
	uint8_t	min;
};

/*
 * About one name.  Everything only ever rises or is added, so that merging
 * any rows of one name, in any order and however often, gives the same row
 * (PROTOCOL 2.19.22 to 25; P20).  Holds keys: secret memory only.
 */
struct row_peer {
	uint8_t		 min;		/* by the issuer, or proved */
	bool		 direct;	/* he has written to us directly */
	uint16_t	 shown_year;
	uint8_t		 shown_version;
	uint8_t		 nbars;
	struct row_bar	 bars[ROW_BARS_MAX];	/* by desk, rising */
	bool		 has_entry;
	uint8_t		 entry_flags;
	uint8_t		 entry_gen;
	int64_t		 entry_at;
	char		 route[REC_ROUTE_MAX + 1];
	char		 show[REC_DISPLAY_MAX + 1];
	uint8_t		 ngrants;
	struct row_grant grants[ROW_GRANTS_MAX];	/* newest year first */
};

/* About ourselves. */
struct row_self {
	int64_t		since_at;
	uint8_t		desk;		/* of the newest complete list */
	uint32_t	bulletin;	/* its number */
	int64_t		bulletin_at;
	uint8_t		nassocs;	/* of whom somebody is known; sorted */
	char		assocs[ROW_ASSOCS_MAX][ROW_ASSOC_BYTES];
};

enum row_add {
	ROW_ADDED,
	ROW_HELD,
	ROW_CONFLICT
};

/* row_grant(r, own, gen, year, key): as ring_add(); a full row loses its
 * oldest year's lowest generation. */
enum row_add row_grant(struct row_peer *r, struct bytes own, uint8_t gen,
    uint16_t year, const uint8_t key[KDF_KEY_BYTES]);
/* row_key(r, own, gen, year): lent, or NULL. */
const uint8_t *row_key(const struct row_peer *r, struct bytes own,
    uint8_t gen, uint16_t year);
/* row_best(r, own, year, min): the highest generation with a key; 0: none. */
uint8_t row_best(const struct row_peer *r, struct bytes own, uint16_t year,
    uint8_t min);

/* row_bar(r, desk, min): a bar by that generation of the watch desk. */
void row_bar(struct row_peer *r, uint8_t desk, uint8_t min);
/* row_min(r, desk): the minimum generation in force, when the newest complete
 * list is that of generation ${desk}: bars of older desks are replaced. */
uint8_t row_min(const struct row_peer *r, uint8_t desk);

/* row_enter(): a line of the directory; the later envelope's stays. */
void row_enter(struct row_peer *r, int64_t at, uint8_t gen, uint8_t flags,
    struct bytes route, struct bytes show);

/*
 * row_entry(r, ring, name, out):
 * The line of the directory that holds for ${name}: the later one of his row
 * ${r}, NULL when there is none, and of ${ring}; its texts are lent from
 * either, "" in all when there is no line: false then.
 */
bool row_entry(const struct row_peer *r, const struct ring *ring,
    const struct identity *name, struct ring_entry *out);

/* row_merge(to, from), row_self_merge(to, from): all that either knows. */
void row_merge(struct row_peer *to, const struct row_peer *from);
void row_self_merge(struct row_self *to, const struct row_self *from);

/* row_bulletin(r, desk, number, at): later ones are ordered by (desk, number)
 * (2.19.24). */
void row_bulletin(struct row_self *r, uint8_t desk, uint32_t number,
    int64_t at);

/* row_meet(r, assoc): somebody of that association is known. */
void row_meet(struct row_self *r, struct bytes assoc);

/*
 * row_peer_format(r, out), row_peer_parse(p, r): octets and back, one
 * spelling, so that equal rows are equal octets.  ${out} must be secret
 * memory of ROW_MAX_BYTES; the length is returned.
 */
size_t row_peer_format(const struct row_peer *r, uint8_t *out);
bool row_peer_parse(struct bytes p, struct row_peer *r);
size_t row_self_format(const struct row_self *r, uint8_t *out);
bool row_self_parse(struct bytes p, struct row_self *r);

/*
 * row_seal(local, key, p, out, e):
 * Seal ${p} under the local key, bound to the text ${key} under which it is
 * stored; ${out} is emptied first.  RC_OK; RC_NOMEM.
 *
 * row_open(local, key, in, out, len, e): the reverse, into secret memory of
 * ROW_MAX_BYTES.  RC_OK; RC_INPUT: another key's, another name's, or damaged.
 */
enum rc row_seal(const uint8_t local[KDF_KEY_BYTES], const char *key,
    struct bytes p, struct buf *out, struct err *e);
enum rc row_open(const uint8_t local[KDF_KEY_BYTES], const char *key,
    struct bytes in, uint8_t *out, size_t *len, struct err *e);

/*
 * row_unseal(local, previous, key, in, out, len):
 * The same under today's local key, or under the one before the last erasure;
 * ${previous} may be NULL.  False: neither opens it.
 */
bool row_unseal(const uint8_t local[KDF_KEY_BYTES], const uint8_t *previous,
    const char *key, struct bytes in, uint8_t *out, size_t *len);

#endif
