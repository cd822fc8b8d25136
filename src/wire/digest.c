#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/digest.h"
#include "wire/late_ssl.h"

#define DIGEST_BYTES 32

struct digest {
	EVP_MD_CTX	*ctx;
};

struct digest *
digest_new(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (d != NULL && (d->ctx = EVP_MD_CTX_new()) == NULL)
		digest_free(&d);
	return d;
}

bool
digest_begin(struct digest *d)
{
	return EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) == 1;
}

bool
digest_add(struct digest *d, const void *p, size_t len)
{
	return EVP_DigestUpdate(d->ctx, p, len) == 1;
}

bool
digest_end(struct digest *d, char out[DIGEST_CHARS])
{
	uint8_t sum[DIGEST_BYTES];

	if (EVP_DigestFinal_ex(d->ctx, sum, NULL) != 1)
		return false;
	for (size_t i = 0; i < sizeof(sum); i++)
		(void)snprintf(out + 2 * i, 3, "%02x", sum[i]);
	return true;
}

void
digest_free(struct digest **d)
{
	if (*d == NULL)
		return;
	EVP_MD_CTX_free((*d)->ctx);
	free(*d);
	*d = NULL;
}
