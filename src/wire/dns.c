#include "config.h"

#include <sys/types.h>
#include <netinet/in.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "conf/value.h"
#include "wire/dns.h"

/* SRV: priority, weight, port, name.  MX: preference, name. */
#define SRV_FIXED_BYTES 6
#define MX_FIXED_BYTES 2
#define ANSWER_BYTES 16384
#define TRIES 2
#define WAIT_S 2

static bool
host_parse(const ns_msg *m, const ns_rr *rr, enum dns_type type,
    struct dns_host *h)
{
	size_t fixed = type == DNS_SRV ? SRV_FIXED_BYTES : MX_FIXED_BYTES;
	const uint8_t *p = ns_rr_rdata(*rr);
	struct err ignored = ERR_INIT;
	char *name = NULL;

	memset(h, 0, sizeof(*h));
	if (ns_rr_rdlen(*rr) <= fixed ||
	    ns_name_uncompress(ns_msg_base(*m), ns_msg_end(*m), p + fixed,
	    h->name, sizeof(h->name)) < 0 ||
	    value_host(h->name, &name, &ignored) != RC_OK)
		return false;
	free(name);
	h->priority = (uint16_t)ns_get16(p);
	if (type == DNS_SRV) {
		h->weight = (uint16_t)ns_get16(p + 2);
		h->port = (uint16_t)ns_get16(p + 4);
	}
	return type == DNS_MX || h->port != 0;
}

static int
by_choice(const void *a, const void *b)
{
	const struct dns_host *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (y->weight > x->weight) - (y->weight < x->weight);
}

enum rc
dns_parse(const void *p, size_t len, enum dns_type type,
    struct dns_host out[DNS_MAX], size_t *n, struct err *e)
{
	ns_type want = type == DNS_SRV ? ns_t_srv : ns_t_mx;
	ns_msg m;
	ns_rr rr;

	*n = 0;
	if (len > NS_MAXMSG || ns_initparse(p, (int)len, &m) != 0)
		return err_set(e, RC_INPUT, _("the answer of the name server "
		    "cannot be read"));
	for (int i = 0; i < ns_msg_count(m, ns_s_an) && *n < DNS_MAX; i++) {
		if (ns_parserr(&m, ns_s_an, i, &rr) != 0)
			return err_set(e, RC_INPUT, _("the answer of the name "
			    "server cannot be read"));
		if (ns_rr_type(rr) == want && ns_rr_class(rr) == ns_c_in &&
		    host_parse(&m, &rr, type, &out[*n]))
			++*n;
	}
	qsort(out, *n, sizeof(out[0]), by_choice);
	return RC_OK;
}

static void
point_elsewhere(struct __res_state *r)
{
#ifdef ENABLE_FAULT
	const char *port = getenv("SCEAU_FAULT_DNS");

	if (port == NULL)
		return;
	r->nscount = 1;
	r->nsaddr_list[0] = (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)strtol(port, NULL, 10)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
#else
	(void)r;
#endif
}

enum rc
dns_ask(const char *name, enum dns_type type, struct dns_host out[DNS_MAX],
    size_t *n, struct err *e)
{
	static uint8_t answer[ANSWER_BYTES];
	struct __res_state r;
	int got, why;

	*n = 0;
	memset(&r, 0, sizeof(r));
	if (res_ninit(&r) != 0)
		return err_set(e, RC_TEMP, _("this machine names no name "
		    "server"));
	r.retry = TRIES;
	r.retrans = WAIT_S;
	point_elsewhere(&r);
	got = res_nquery(&r, name, ns_c_in, type == DNS_SRV ? ns_t_srv :
	    ns_t_mx, answer, sizeof(answer));
	why = r.res_h_errno;
	res_nclose(&r);
	if (got < 0 && (why == HOST_NOT_FOUND || why == NO_DATA))
		return RC_OK;
	if (got < 0)
		return err_set(e, RC_TEMP, _("no name server answered"));
	return dns_parse(answer, (size_t)got < sizeof(answer) ? (size_t)got :
	    sizeof(answer), type, out, n, e);
}
