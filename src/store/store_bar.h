/* Thefts and exclusions: what the watch desk has said and still has to say;
 * and, everywhere, which of its bulletins has come. */
#ifndef SC_STORE_STORE_BAR_H
#define SC_STORE_STORE_BAR_H

#include "store/store_out.h"

/* --- The watch desk's list --------------------------------------------- */

struct store_bar {
	char	name[STORE_IDENTITY_BYTES];
	uint8_t	min;		/* generation; 255: excluded */
	uint8_t	desk;		/* our generation when it was noted */
	int64_t	at;
	char	reason[STORE_TEXT_BYTES];	/* or "" */
};

/*
 * store_bar_put(st, b, row, e):
 * Note a bar, with what the vault has made of it; from now on a bulletin is
 * due.  A name's minimum only ever rises: a lower one changes nothing of it.
 * ${row}: borrowed, or NULL.  RC_TEMP: also when the row has another version
 * by now.
 */
enum rc store_bar_put(struct store *st, const struct store_bar *b,
    const struct store_row *row, struct err *e);
/* store_bar_list(): up to ${max} with a name after ${after} ("": the first),
 * in the order of names. */
enum rc store_bar_list(struct store *st, const char *after,
    struct store_bar *out, size_t max, size_t *n, struct err *e);

/* --- Its bulletins ----------------------------------------------------- */

/* What of the last one is still to be sealed. */
struct store_desk {
	uint8_t		gen;		/* ours, as the desk; 0: we are not */
	uint32_t	number;		/* of the last; 0: none yet */
	int64_t		at;		/* when it was begun */
	bool		due;		/* a bar was noted since, or a key
					 * came (struct store_done) */
	bool		going;		/* not yet sealed for all */
	/* For whom it is sealed already: so many lines of the directory, then
	 * the names of rows up to ${after}. */
	uint64_t	nth;
	char		after[STORE_IDENTITY_BYTES];
};

enum rc store_desk(struct store *st, struct store_desk *out, struct err *e);
/* store_desk_is(): we are the watch desk, with our generation ${gen}, or with
 * 0 no more; writes only when that is new. */
enum rc store_desk_is(struct store *st, uint8_t gen, struct err *e);
/* store_desk_begin(): number ${number} is on its way, to everybody, from
 * ${now}; ${row}: our facts with it, borrowed.  RC_TEMP: also when the row has
 * another version by now. */
enum rc store_desk_begin(struct store *st, uint32_t number,
    const struct store_row *row, int64_t now, struct err *e);
/* store_desk_sealed(): these ${n} envelopes are to be relayed, and the desk is
 * as far as ${d} says (nth, after, going): one transaction.  When another
 * bulletin was begun meanwhile only the envelopes are kept. */
enum rc store_desk_sealed(struct store *st, const struct store_desk *d,
    struct store_out_put *m, size_t n, int64_t now, struct err *e);
/* store_desk_waiting(): envelopes without MAIL that no relay has tried yet. */
enum rc store_desk_waiting(struct store *st, size_t *n, struct err *e);

/* --- Those that came --------------------------------------------------- */

struct store_bulletin {
	int64_t		since;		/* one is expected since; 0: none */
	uint8_t		desk;		/* generation of its desk; 0: none */
	uint32_t	number;
	int64_t		came_at;
	uint32_t	missed;		/* higher, shown by a peer; 0: none */
	int64_t		missed_at;	/* first, of those that still miss */
	char		missed_by[STORE_IDENTITY_BYTES];
};

/* They are noted with the message that says so: struct store_done. */
enum rc store_bulletin(struct store *st, struct store_bulletin *out,
    struct err *e);
/* store_bulletin_expect(): our keys name a watch desk that is not ourselves;
 * writes only when that is new. */
enum rc store_bulletin_expect(struct store *st, bool expect, int64_t now,
    struct err *e);

#endif
