/* The header of an envelope: all octets, every length. */
#include "config.h"

#include "eva.h"
#include "vault/identity.h"

static bool known_identity(const void *p, size_t len, struct identity *id);
#define rd_of eva_rd_of
#define rd_take(r, len) (eva_merge(), eva_rd_take(r, len))
#define identity_parse known_identity
#include "vault/envelope.c"

/* The real one, after which its length is no matter any more. */
#undef identity_parse
static bool
known_identity(const void *p, size_t len, struct identity *id)
{
	bool ok = identity_parse(p, len, id);

	eva_merge();
	return ok;
}

void
eva_envelope(void)
{
	size_t len = eva_octets();
	struct env_head h;
	struct err e;

	env_head_parse(eva_end - len, len, &h, &e);
}

/* How many octets are wanted, which looks at them too. */
void
eva_want(void)
{
	(void)eva_octets();
	/*@ loop unroll EVA_MOST + 1; */
	for (size_t len = 0; len <= EVA_MOST; len++)
		(void)env_head_want(eva_end - len, len);
}
