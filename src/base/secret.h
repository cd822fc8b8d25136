/* Keys and passwords: locked, guarded memory, wiped when released. */
#ifndef SC_BASE_SECRET_H
#define SC_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A short text that must not be seen: a password, a token, a code.  The only
 * place for one between where it is read and where it is used.
 */
struct secret {
	char	*p;	/* NUL-terminated; NULL when empty */
	size_t	 len;
};

#define SECRET_INIT { NULL, 0 }
#define SECRET_MAX_BYTES 16384	/* an XOAUTH2 token can be long */

/* secret_init(): once, before anything else of this file; also turns core
 * dumps and ptrace off. RC_OK or RC_NOMEM. */
enum rc secret_init(struct err *e);

/* secret_set(s, p, len): a copy of ${p}; the former content is wiped.
 * False: memory, or longer than SECRET_MAX_BYTES. */
bool secret_set(struct secret *s, const void *p, size_t len);
void secret_wipe(struct secret *s);

/*
 * secret_alloc(len):
 * ${len} octets of locked, guarded memory, zeroed, or NULL.  One call each is
 * dear (pages, locks): take one arena for many keys.  Owned:
 * secret_free(&p) wipes it and clears the pointer; NULL is accepted.
 */
void *secret_alloc(size_t len);
/* secret_locked(): all that this process was given so, up to now, is kept out
 * of the swap space; false where the limit of locked memory was too low. */
bool secret_locked(void);
void secret_free_(void **p);
#define secret_free(pp) secret_free_((void **)(pp))

/* wipe(p, len): zeros that no compiler removes. */
void wipe(void *p, size_t len);
/* wipe_stack(len): the same for what calls made just before left below us on
 * the stack. */
void wipe_stack(size_t len);
/* same(a, b, len): equal, in constant time. */
bool same(const void *a, const void *b, size_t len);
/* random_bytes(p, len): from the system; under --enable-fault a constant
 * stream may be injected (P12). */
void random_bytes(void *p, size_t len);

#endif
