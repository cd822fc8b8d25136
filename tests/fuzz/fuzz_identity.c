/* Any octets: an identity is what it is spelt, and its parts make it up. */
/* links: vault base */
#include <string.h>

#include "vault/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct identity id, again;
	struct bytes name;

	if (identity_parse_name(p, len, &id))
		BUG_ON(id.gen != 0 || id.len != len ||
		    memchr(id.s, '#', id.len) != NULL);
	if (!identity_parse(p, len, &id)) {
		BUG_ON(id.len != 0);
		return 0;
	}
	BUG_ON(len < IDENTITY_MIN_BYTES || len > IDENTITY_MAX_BYTES);
	BUG_ON(memcmp(id.s, p, len) != 0 || id.s[len] != '\0' || !id.gen);
	BUG_ON(identity_assoc(&id).len + identity_local(&id).len +
	    identity_domain(&id).len + 2 != id.name_len);
	BUG_ON(!identity_at_gen(&id, id.gen, &again) ||
	    !identity_eq(&id, &again));
	name = identity_name(&id);
	BUG_ON(!identity_parse_name(name.p, name.len, &again) ||
	    !identity_same_name(&id, &again));
	return 0;
}
