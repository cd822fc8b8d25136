/* What the files of the key store share, and nobody else reads. */
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

/* keystore_path_new(path): where a roll puts what will be ${path}; owned,
 * NULL: memory. */
char *keystore_path_new(const char *path);

#endif
