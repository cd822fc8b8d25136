/*
 * The one address of From: what the vault takes, the tolerant reader of
 * submitted mail reads as that one address too.
 */
/* links: vault mail base */
#include "config.h"

#include <strings.h>

#include "fuzz.h"
#include "mail/addr.h"
#include "vault/mailbox.h"

static enum rc
each(void *arg, const struct addr *a, struct err *e)
{
	const char **want = arg;

	(void)e;
	BUG_ON(*want == NULL || strcasecmp(*want, a->s) != 0);
	*want = NULL;
	return RC_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char out[IDENTITY_MAX_BYTES + 1], again[IDENTITY_MAX_BYTES + 1];
	char name[IDENTITY_MAX_BYTES + 4] = "a/";
	struct identity id;
	struct err e = ERR_INIT;
	struct addr a;
	const char *want = out;

	if (!mailbox_address((const char *)p, len, out)) {
		BUG_ON(out[0] != '\0');
		return 0;
	}
	strcat(name, out);
	BUG_ON(!identity_parse_name(name, strlen(name), &id));
	BUG_ON(!mailbox_address(out, strlen(out), again) ||
	    strcmp(out, again) != 0);
	/* An identity's domain may have longer labels than the DNS. */
	if (addr_parse(out, strlen(out), &a, &e) != RC_OK)
		return 0;
	BUG_ON(addr_list(p, len, each, &want, &e) != RC_OK || want != NULL);
	return 0;
}
