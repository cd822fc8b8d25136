/* The yearly root in three parts, any two custodians holding them all. */
#ifndef SC_VAULT_ROOT_H
#define SC_VAULT_ROOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vault/code.h"
#include "vault/kdf.h"

#define ROOT_PARTS 3
#define ROOT_PART_CODES 3	/* a part is printed as three codes */

/* One XOR part.  A secret; custodian x holds the two parts other than x. */
struct root_part {
	uint8_t	share[KDF_KEY_BYTES];
	uint8_t	number;			/* 1..3 */
	uint8_t	check[KDF_ROOTCK_BYTES];	/* of the root, in each */
};

/* root_split(root, parts): parts 1 and 2 random, 3 the rest (PROTOCOL 2.17). */
void root_split(const uint8_t root[KDF_KEY_BYTES],
    struct root_part parts[ROOT_PARTS]);

/*
 * root_join(parts, n, root, e):
 * Put the root together from ${n} parts in any order; the same part may be
 * there more than once (two custodians bring four).
 *
 * RC_OK; RC_INPUT: a part is missing, two with one number differ, or the
 * check fails; ${root} is then zeros.
 */
enum rc root_join(const struct root_part *parts, size_t n,
    uint8_t root[KDF_KEY_BYTES], struct err *e);

/* root_part_format(part, text): three codes; secrets. */
void root_part_format(const struct root_part *part,
    char text[ROOT_PART_CODES][CODE_TEXT_BYTES]);

/* root_part_parse(text, part, e): three typed codes, in order (borrowed).
 * RC_INPUT says which of them is wrong, as code_parse() does. */
enum rc root_part_parse(const char *const text[ROOT_PART_CODES],
    struct root_part *part, struct err *e);

#endif
