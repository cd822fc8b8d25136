/* What a name server says: at most so many hosts, in order, and every name is
 * one that a host can have, with an end. */
/* links: wire conf mail base */
#include "config.h"

#include "conf/value.h"
#include "fuzz.h"
#include "wire/dns.h"

static void
check_host(const struct dns_host *h, enum dns_type type)
{
	struct err e = ERR_INIT;
	char *name = NULL;

	BUG_ON(memchr(h->name, '\0', sizeof(h->name)) == NULL);
	BUG_ON(value_host(h->name, &name, &e) != RC_OK);
	BUG_ON((type == DNS_SRV) != (h->port != 0));
	free(name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	for (int type = DNS_SRV; type <= DNS_MX; type++) {
		struct dns_host h[DNS_MAX];
		struct err e = ERR_INIT;
		size_t n;
		enum rc rc = dns_parse(p, len, (enum dns_type)type, h, &n, &e);

		BUG_ON(n > DNS_MAX || (rc != RC_OK && rc != RC_INPUT));
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			check_host(&h[i], (enum dns_type)type);
			BUG_ON(i > 0 && h[i - 1].priority > h[i].priority);
		}
	}
	return 0;
}
