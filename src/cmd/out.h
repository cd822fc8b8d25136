/* What commands print: aligned text for people, one object a line for
 * programs. */
#ifndef SC_CMD_OUT_H
#define SC_CMD_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum out_kind { OUT_TEXT, OUT_NUMBER, OUT_TIME, OUT_BOOL };

/* A column: its key for programs, its title for people (NULL: not shown to
 * them). */
struct out_col {
	const char	*key;
	const char	*title;		/* N_() */
	enum out_kind	 kind;
};

struct out;

/* out_new(json, type, cols): ${cols} borrowed, ended by a NULL key; ${type}
 * goes into each object. Owned; NULL: memory. */
struct out *out_new(bool json, const char *type, const struct out_col *cols);
/* Fill the row at hand; a column not filled is empty (JSON: null). */
void out_text(struct out *o, const char *key, const char *s);
void out_number(struct out *o, const char *key, int64_t n);
/* Unix seconds; 0: never. JSON: RFC 3339, UTC. */
void out_time(struct out *o, const char *key, int64_t at);
void out_bool(struct out *o, const char *key, bool yes);
void out_row(struct out *o);
/* out_end(o, none, e): print what people read, or ${none} when there was no
 * row; frees. RC_TEMP: standard output failed; RC_NOMEM. */
enum rc out_end(struct out **o, const char *none, struct err *e);

#endif
