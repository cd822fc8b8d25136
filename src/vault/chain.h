/* The hash that the register of dissemination is chained with. */
#ifndef SC_VAULT_CHAIN_H
#define SC_VAULT_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#define CHAIN_HASH_BYTES 32

/* chain_hash(p, len, out): BLAKE2b of 32 octets, no key, no personalisation:
 * what `b2sum -l 256` prints.  Source: RFC 7693. */
void chain_hash(const void *p, size_t len, uint8_t out[CHAIN_HASH_BYTES]);

#endif
