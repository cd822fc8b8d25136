/* The one address of a From field, or nothing. */
#ifndef SC_VAULT_MAILBOX_H
#define SC_VAULT_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "vault/identity.h"

/*
 * mailbox_address(s, len, out):
 * ${s}: the unfolded value of From.  Either local@domain alone, or a name and
 * then <local@domain>; the address in the letters of PROTOCOL 2.2, upper case
 * allowed.  The name is words, quoted strings and encoded words (UTF-8,
 * Latin-1, Latin-9, Windows-1252); once decoded it may hold no "@", "<", ">",
 * nor what looks like them, no control and no invisible character: so that no
 * reader can take it for an address.  Only the very same address may be its
 * own name.
 *
 * True, and ${out} the address in lower case with a NUL; false, ${out}
 * empty, for everything else: lists, groups, comments, routes, quoted local
 * parts, literals, unknown character sets.
 * Source: RFC 5322 3.4, RFC 2047; PROTOCOL 2.19.36.
 */
bool mailbox_address(const char *s, size_t len,
    char out[IDENTITY_MAX_BYTES + 1]);

#endif
