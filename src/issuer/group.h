/* Key files and letters on their way: many at the price of one. */
#ifndef SC_ISSUER_GROUP_H
#define SC_ISSUER_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "issuer/names.h"

#define GROUP_MAX 256			/* pairs: what a death costs */
#define GROUP_BYTES (64UL * 1024 * 1024)

enum group_what { GROUP_KEY, GROUP_LETTER, GROUP_WHATS };

/* Pairs under temporary names, in two folders. */
struct group;

/* group_open(keys, letters, g, e): of none yet, in those folders (borrowed),
 * which are there; owned.  RC_TEMP; RC_NOMEM. */
enum rc group_open(const char *keys, const char *letters, struct group **g,
    struct err *e);

/*
 * group_file(g, what, name, fd, e):
 * A new file, 0600, for the key file or the letter ${name}; it is written and
 * closed by the caller.  Both are made, key file first, then group_put(); or
 * group_drop().  RC_TEMP.
 */
enum rc group_file(const struct group *g, enum group_what what,
    const char *name, int *fd, struct err *e);
/* group_put(g, name, bytes): its two files are whole. */
void group_put(struct group *g, const char *name, uint64_t bytes);
/* group_drop(g, name): they are not, and go. */
void group_drop(const struct group *g, const char *name);
/* group_full(g): group_settle() is due. */
bool group_full(const struct group *g);

/*
 * group_settle(g, e):
 * All get their names, for good: the octets of all are on the disk before any
 * has its name, and the names of all key files before any letter has its own.
 * ${g} is empty then.  RC_TEMP: some have their names, others are gone; who
 * has his letter has his key file.
 */
enum rc group_settle(struct group *g, struct err *e);

/* group_close(g): what was not settled goes. */
void group_close(struct group **g);

#endif
