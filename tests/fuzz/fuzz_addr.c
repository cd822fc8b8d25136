/* Addresses: what a list gives, the strict parser takes, and nothing worse. */
/* links: mail base */
#include <stdlib.h>
#include <string.h>

#include "mail/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static enum rc
each(void *arg, const struct addr *a, struct err *e)
{
	struct addr b;

	(void)arg;
	if (a->len != strlen(a->s) || a->len > ADDR_MAX_BYTES ||
	    a->s[a->at] != '@' || strpbrk(a->s, " \t\r\n<>\"(),;\\") != NULL)
		abort();
	for (size_t i = 0; i < a->len; i++)
		if (a->s[i] <= ' ' || a->s[i] > '~')
			abort();
	if (addr_parse(a->s, a->len, &b, e) != RC_OK || strcmp(a->s, b.s) != 0)
		abort();
	return RC_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct err e = ERR_INIT;
	struct addr a;

	if (addr_parse(p, len, &a, &e) == RC_OK &&
	    (a.len != len || memcmp(a.s, p, len) != 0))
		abort();
	if (addr_list(p, len, each, NULL, &e) != RC_OK && e.text[0] == '\0')
		abort();
	return 0;
}
