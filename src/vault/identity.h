/* Who somebody is: one byte string with one spelling. */
#ifndef SC_VAULT_IDENTITY_H
#define SC_VAULT_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define IDENTITY_MIN_BYTES 10
#define IDENTITY_MAX_BYTES 200
#define IDENTITY_GEN_MAX 254
#define IDENTITY_BARRED 255	/* as a minimum: no generation is left */

/*
 * assoc "/" local "@" domain "#" gen, or only the name (gen 0, no "#").  A
 * value: copy it freely.  ${s} ends in a NUL for messages.
 */
struct identity {
	uint8_t	len;		/* of s */
	uint8_t	name_len;	/* up to "#" */
	uint8_t	slash;		/* offset of "/" */
	uint8_t	at;		/* offset of "@" */
	uint8_t	gen;		/* 1..254; 0: a name only */
	char	s[IDENTITY_MAX_BYTES + 1];
};

/*
 * identity_parse(p, len, id):
 * Exactly the grammar, 10..200 octets, nothing folded: only what a person
 * typed may be folded, and only against the directory.  False, and ${id}
 * all zero, for any other spelling.
 * Source: PROTOCOL 2.2, 2.19.37.
 */
bool identity_parse(const void *p, size_t len, struct identity *id);

/* identity_parse_name(p, len, id): the same for a name without "#gen". */
bool identity_parse_name(const void *p, size_t len, struct identity *id);

/* identity_at_gen(id, gen, out): the same name with generation 1..254; false
 * when that is not an identity (254 is passed, or 200 octets). */
bool identity_at_gen(const struct identity *id, unsigned gen,
    struct identity *out);

/* Runs inside ${id}: lent as long as it lives. */
struct bytes identity_bytes(const struct identity *id);
struct bytes identity_name(const struct identity *id);	/* without "#gen" */
struct bytes identity_assoc(const struct identity *id);
struct bytes identity_local(const struct identity *id);
struct bytes identity_domain(const struct identity *id);
struct bytes identity_address(const struct identity *id); /* local@domain */

/* The same octets; the same person, of whatever generation. */
bool identity_eq(const struct identity *a, const struct identity *b);
bool identity_same_name(const struct identity *a, const struct identity *b);

#endif
