/* Any mail: one verdict whole or octet by octet; a sender is an address. */
/* links: vault base */
#include <string.h>

#include "vault/inner.h"

static enum rc
judge(struct inner *in, const uint8_t *p, size_t len, size_t step)
{
	struct err e = ERR_INIT;
	enum rc rc = RC_OK;

	inner_init(in);
	for (size_t i = 0; rc == RC_OK && i < len; i += step)
		rc = inner_feed(in, p + i, len - i < step ? len - i : step,
		    &e);
	return rc == RC_OK ? inner_end(in, &e) : rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char name[IDENTITY_MAX_BYTES + 4] = "a/";
	struct inner a, b;
	struct identity id;
	enum rc rc = judge(&a, p, len, len + 1);

	BUG_ON(judge(&b, p, len, 1) != rc || strcmp(a.addr, b.addr) != 0);
	if (rc != RC_OK) {
		BUG_ON(a.addr[0] != '\0' || inner_done(&a));
		return 0;
	}
	strcat(name, a.addr);
	BUG_ON(!identity_parse_name(name, strlen(name), &id));
	BUG_ON(!inner_is(&a, &id));
	return 0;
}
