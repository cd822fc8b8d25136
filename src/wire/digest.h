/* What octets are called by what they are: SHA-256, in hexadecimal. */
#ifndef SC_WIRE_DIGEST_H
#define SC_WIRE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_CHARS (64 + 1)	/* and NUL */

/* Owned by who made it; one after the other, as many as one likes.  False, and
 * NULL: memory.  tls_load() was called before. */
struct digest;
struct digest *digest_new(void);
bool digest_begin(struct digest *d);
bool digest_add(struct digest *d, const void *p, size_t len);
bool digest_end(struct digest *d, char out[DIGEST_CHARS]);
void digest_free(struct digest **d);

#endif
