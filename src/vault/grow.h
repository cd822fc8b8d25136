/* Arrays of plain things that grow; what is secret grows elsewhere. */
#ifndef SC_VAULT_GROW_H
#define SC_VAULT_GROW_H

#include <stdbool.h>
#include <stddef.h>

/*
 * grow(p, cap, want, size):
 * Make ${*p}, which has room for ${*cap} elements of ${size} octets, have room
 * for ${want}; by half more at least, so that many calls cost little.  False:
 * memory, or more than SIZE_MAX octets; nothing has changed then.
 */
bool grow(void **p, size_t *cap, size_t want, size_t size);

#endif
