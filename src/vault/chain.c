#include "config.h"

#include <sodium.h>

#include "base/err.h"
#include "vault/chain.h"

void
chain_hash(const void *p, size_t len, uint8_t out[CHAIN_HASH_BYTES])
{
	BUG_ON(crypto_generichash(out, CHAIN_HASH_BYTES, p, len, NULL, 0) !=
	    0);
}
