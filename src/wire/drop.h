/* Files that appear whole or not at all, in a Maildir or in a folder. */
#ifndef SC_WIRE_DROP_H
#define SC_WIRE_DROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DROP_PATH_BYTES 1024
/* The token in the names of all files of one message: 20 digits of T, and "-2"
 * of those of its second filing. */
#define DROP_TOKEN_BYTES 32

/* A folder that files are dropped into. */
struct drop_place {
	const char	*path;		/* borrowed */
	bool		 maildir;	/* tmp/ and new/, else ".sceau-*.tmp" */
};

/* One file under its temporary name. */
struct drop {
	char	tmp[DROP_PATH_BYTES];
	int	fd;			/* -1: closed */
};

#define DROP_INIT { "", -1 }

/* drop_token(t, filing, out): from the 32 octets of T; ${filing} 0: the first
 * one. */
void drop_token(const uint8_t *t, uint32_t filing,
    char out[DROP_TOKEN_BYTES]);

/* drop_prepare(place, e): the folders are there (0700 when made), and what a
 * crash left under temporary names is swept.  RC_CONF: cannot be. */
enum rc drop_prepare(const struct drop_place *place, struct err *e);

/* drop_open(place, d, e): a new file, mode 0600, on the file system of its
 * final place, under a name that nobody reads. drop_forget() ends it. */
enum rc drop_open(const struct drop_place *place, struct drop *d,
    struct err *e);
enum rc drop_write(struct drop *d, const void *p, size_t len,
    struct err *e);
/* drop_sync(d, e): its octets are on the disk; closed. */
enum rc drop_sync(struct drop *d, struct err *e);

/*
 * drop_written(d, e), drop_sync_many(place, d, n, e):
 * The same for many files at the price of one: each is closed when all is
 * written, then the octets of all ${n} (of one ${place}) are put on the disk,
 * by one sync of the file system where there is such a thing.
 */
enum rc drop_written(struct drop *d, struct err *e);
enum rc drop_sync_many(const struct drop_place *place, struct drop *const *d,
    size_t n, struct err *e);

/*
 * drop_name(place, d, name, e):
 * Give it its final ${name}, atomically; a name that is there already is
 * never replaced: the file of an interrupted delivery stays, ours goes.  Not
 * durable before drop_settle().  Source: maildir(5).
 */
enum rc drop_name(const struct drop_place *place, struct drop *d,
    const char *name, struct err *e);
/* drop_replace(): the same, and a file that has that name already goes. */
enum rc drop_replace(const struct drop_place *place, struct drop *d,
    const char *name, struct err *e);
/* drop_settle(place, e): the names given so far survive a power loss, and
 * their temporary ones do not. */
enum rc drop_settle(const struct drop_place *place, struct err *e);
/* drop_alike(a, b, alike, e): of two that are written: are their octets the
 * same? */
enum rc drop_alike(const struct drop *a, const struct drop *b, bool *alike,
    struct err *e);
/* drop_hide(d): it is only read by who has it open, and gone when closed. */
void drop_hide(struct drop *d);
/* drop_forget(d): unlink what is still under its temporary name. */
void drop_forget(struct drop *d);

/* drop_there(place, token, there, e): is a file whose name holds ${token} in
 * the folder (Maildir: new/ or cur/)? */
enum rc drop_there(const struct drop_place *place, const char *token,
    bool *there, struct err *e);

/*
 * drop_inode(place, inode, e): which folder that is.
 * drop_taken(place, inode, name): the file of that final name has gone from
 * the folder; false when it is there, and when nobody can tell: another folder
 * stands in its place, as where a network disk is not there.
 */
enum rc drop_inode(const struct drop_place *place, uint64_t *inode,
    struct err *e);
bool drop_taken(const struct drop_place *place, uint64_t inode,
    const char *name);

#endif
