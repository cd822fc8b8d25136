/* Mail addresses: one, strictly; or a list out of a header line. */
#ifndef SC_MAIL_ADDR_H
#define SC_MAIL_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ADDR_MAX_BYTES 254	/* RFC 5321 4.5.3.1.3, without < and > */
#define ADDR_LOCAL_MAX_BYTES 64	/* RFC 5321 4.5.3.1.1 */

/* A checked addr-spec: printable ASCII without blank, quote or < >. */
struct addr {
	char	s[ADDR_MAX_BYTES + 1];
	size_t	len;
	size_t	at;	/* where "@" stands */
};

/*
 * addr_parse(p, len, a, e):
 * Read the ${len} octets as dot-atom "@" domain, or "@" address literal, and
 * nothing around it: safe in an SMTP command and in a header line.
 *
 * RC_OK; RC_INPUT with what is wrong, never the octets themselves.
 * Source: RFC 5321 4.1.2, without quoted local parts and UTF-8; PROTOCOL
 * 2.19.7.
 */
enum rc addr_parse(const void *p, size_t len, struct addr *a,
    struct err *e);

/* addr_lower(a): A-Z to a-z, in the local part too (PROTOCOL 2.19.36). */
void addr_lower(struct addr *a);

/* addr_domain(a): what stands after "@"; lent. */
const char *addr_domain(const struct addr *a);

/*
 * addr_list(value, len, each, arg, e):
 * Call ${each} for every address of a To, Cc, Bcc or From value, which may
 * hold display names in any octets, comments, folded lines, groups (empty
 * ones too), and ";" for ",".  Every address must satisfy addr_parse().
 *
 * RC_OK, also when there is none; RC_INPUT "address 3: ..." ; or what
 * ${each} returned, at once.
 * Source: RFC 5322 3.4 and 4.4.
 */
enum rc addr_list(const void *value, size_t len,
    enum rc (*each)(void *arg, const struct addr *a, struct err *e),
    void *arg, struct err *e);

#endif
