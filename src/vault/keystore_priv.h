/* What keystore.c and keystore_file.c share, and nobody else reads. */
#ifndef SC_VAULT_KEYSTORE_PRIV_H
#define SC_VAULT_KEYSTORE_PRIV_H

#include "vault/keystore.h"

/* In secret memory. */
struct keystore_secret {
	uint8_t	local[KDF_KEY_BYTES];
	uint8_t	previous[KDF_KEY_BYTES];
	uint8_t	digest[KDF_KEY_BYTES];
	uint8_t	selves[KEYSTORE_SELVES_MAX][KDF_KEY_BYTES];
};

#endif
