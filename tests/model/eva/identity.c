/* Identities and names: all octets, and every length that is not refused for
 * itself, with some that are. */
#include "config.h"

#include "eva.h"
#include "vault/identity.c"

#define LONG (IDENTITY_MAX_BYTES + 4)

void
eva_identity(void)
{
	const char *end = (const char *)eva_end;
	struct identity id;

	(void)eva_octets();
	/*@ loop unroll LONG + 1; */
	for (size_t len = 0; len <= LONG; len++) {
		identity_parse(end - len, len, &id);
		identity_parse_name(end - len, len, &id);
	}
}
