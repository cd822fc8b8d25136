/* Where a domain says that its mail servers are. */
#ifndef SC_WIRE_DNS_H
#define SC_WIRE_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DNS_NAME_BYTES 256	/* RFC 1035 2.3.4, and the NUL */
#define DNS_MAX 16		/* of one answer; what is more is not read */

enum dns_type { DNS_SRV, DNS_MX };

/*
 * A stranger's word: nobody vouches for it.  To be proposed to a person, and
 * the server's certificate must bear the name all the same.
 */
struct dns_host {
	char		name[DNS_NAME_BYTES];	/* of a host, as value_host() */
	uint16_t	port;			/* SRV */
	uint16_t	priority;		/* the least comes first */
	uint16_t	weight;			/* SRV: of equals, the most */
};

/*
 * dns_parse(p, len, type, out, n, e):
 * The hosts of one answer of a name server, the first choice first; names that
 * no host can have, and ".", which says "not offered", are left out.
 *
 * RC_OK, also when there are none; RC_INPUT: this is no answer.
 * Source: RFC 1035 4, RFC 2782.
 */
enum rc dns_parse(const void *p, size_t len, enum dns_type type,
    struct dns_host out[DNS_MAX], size_t *n, struct err *e);

/*
 * dns_ask(name, type, out, n, e):
 * The same, asked of this machine's name servers.  A name that is not there
 * has no hosts; RC_TEMP: nobody answered, within 10 seconds.  Under
 * --enable-fault SCEAU_FAULT_DNS=PORT asks that port of 127.0.0.1.
 */
enum rc dns_ask(const char *name, enum dns_type type,
    struct dns_host out[DNS_MAX], size_t *n, struct err *e);

#endif
