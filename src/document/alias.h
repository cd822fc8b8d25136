/* A laboratory's table of its prescribers: code or name = address. */
#ifndef SC_DOCUMENT_ALIAS_H
#define SC_DOCUMENT_ALIAS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct alias {
	const char	*text;		/* of the table */
	size_t		 name, address;	/* where they stand in it */
	unsigned	 line;
};

struct alias_table {
	struct buf	 text;		/* names as they are compared */
	struct buf	 rows;
	size_t		 n;
};

/*
 * alias_read(p, len, t, e):
 * Read such a file, in any character set; "#" begins a comment.  Names are
 * the same whatever their case, accents, signs and blanks.
 *
 * t  filled, to be freed by alias_free() whatever is returned
 *
 * RC_OK; RC_CONF, "line N: what is wrong"; RC_NOMEM.
 */
enum rc alias_read(const uint8_t *p, size_t len, struct alias_table *t,
    struct err *e);
/* alias_load(path, t, e): the same of a file; ${path} stands before what is
 * wrong in it. */
enum rc alias_load(const char *path, struct alias_table *t, struct err *e);
void alias_free(struct alias_table *t);

/* alias_find(t, name, address, e): that of ${name} (UTF-8), lent; NULL: it
 * has none.  RC_OK; RC_NOMEM. */
enum rc alias_find(const struct alias_table *t, struct bytes name,
    const char **address, struct err *e);

#endif
