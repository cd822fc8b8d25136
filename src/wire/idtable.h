/* What a listing found: ids, found again by their octets. */
#ifndef SC_WIRE_IDTABLE_H
#define SC_WIRE_IDTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct idtable_row {
	const uint8_t	*id;	/* set by idtable_by_id() */
	size_t		 at;	/* of the id in ${text} */
	uint16_t	 len;	/* of the id */
	uint16_t	 more;	/* of what follows it */
	uint32_t	 number;
	uint64_t	 size;
};

struct idtable {
	struct idtable_row	*rows;
	size_t			 n, cap;
	struct buf		 text;
};

/* idtable_free(t): all rows; ${t} is empty and usable again. */
void idtable_free(struct idtable *t);

/*
 * idtable_add(t, id, more, number, size):
 * One row; ${id} and ${more} (may be empty) are copied.  False: memory.
 */
bool idtable_add(struct idtable *t, struct bytes id, struct bytes more,
    uint32_t number, uint64_t size);

/* idtable_id(), idtable_more(): of row number ${row}. */
struct bytes idtable_id(const struct idtable *t, size_t row);	/* lent */
struct bytes idtable_more(const struct idtable *t, size_t row);	/* lent */

/*
 * idtable_name(t, row, id):
 * That row has the id ${id} (copied) from now on, and nothing behind it; an
 * empty one: it has none.  The order is not what it was.  False: memory.
 */
bool idtable_name(struct idtable *t, size_t row, struct bytes id);

/* idtable_by_number(t): rows in the order of their numbers, from now on. */
void idtable_by_number(struct idtable *t);
/* idtable_number(t, number): that row (after idtable_by_number), or -1. */
long idtable_number(const struct idtable *t, uint32_t number);

/* idtable_by_id(t): rows in the order of their ids, from now on; so must it
 * be for idtable_find(): the first such row, or -1. */
void idtable_by_id(struct idtable *t);
long idtable_find(const struct idtable *t, struct bytes id);

/* idtable_run(t, row): how many rows from ${row} on, one behind the other,
 * have its id: of all that have it, after idtable_find(). */
size_t idtable_run(const struct idtable *t, size_t row);

#endif
