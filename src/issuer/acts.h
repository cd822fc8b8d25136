/* The journal of the desk: what was done, one line an act, chained. */
#ifndef SC_ISSUER_ACTS_H
#define SC_ISSUER_ACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "issuer/desk.h"
#include "vault/chain.h"

/*
 * The file "acts" of the desk only grows.  A line is the time in UTC, the act,
 * what was done and a hash, with tabs between; the hash is that of the one of
 * the line before it (64 zeros for the first), a line end, this line up to its
 * last tab, a line end:
 *   printf '%s\n' HASH-BEFORE 'TIME<tab>ACT<tab>WHAT' | b2sum -l 256
 * It is in no language and holds no secret.
 */
#define ACTS_MAX_BYTES (256UL * 1024 * 1024)

/* acts_begin(d, e): the empty journal of a new desk. */
enum rc acts_begin(const struct desk *d, struct err *e);

/*
 * acts_note(d, act, what, e):
 * One more line, on disk when this returns.  To be called before the act: one
 * that was cut off and is done again then stands there twice, but none is ever
 * missing.  Of the journal only the end is read, however long it is.
 *
 * act    a word of small letters: "add", "reissue".
 * what   "year=2027 made=12 identity=...": never a secret or a code.  Tabs
 *        and other control characters are written as '?'.
 * RC_OK; RC_CONF: no journal, or its end is none; RC_TEMP: do not
 * act; RC_NOMEM.
 */
enum rc acts_note(const struct desk *d, const char *act, const char *what,
    struct err *e);

/* One line; texts are lent. */
struct act {
	unsigned	 line;		/* from 1 */
	bool		 whole;		/* its hash is the right one */
	int64_t		 at;		/* 0: it cannot be read */
	const char	*act;
	const char	*what;
	const char	*hash;
};

struct acts_sum {
	unsigned	 n;
	unsigned	 broken;	/* the first such line; 0: none */
	char		 last[2 * CHAIN_HASH_BYTES + 1];	/* or "" */
};

typedef enum rc acts_each(void *ctx, const struct act *a, struct err *e);

/*
 * acts_read(dir, each, ctx, sum, e):
 * All lines of the journal of the desk ${dir}, in order, each checked.  What a
 * power cut left of a line that was never confirmed is passed over.  RC_OK,
 * also when it is broken: see ${sum}; RC_CONF: no journal; RC_NOMEM; what
 * ${each} returned.
 */
enum rc acts_read(const char *dir, acts_each *each, void *ctx,
    struct acts_sum *sum, struct err *e);

#endif
