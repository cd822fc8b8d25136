/* Texts with places to fill in, and reading again what was filled in. */
#ifndef SC_ISSUER_WORDS_H
#define SC_ISSUER_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* "{name}" in a text stands for the octets of ${value}, borrowed. */
struct word {
	const char	*name;
	struct bytes	 value;
};

/* What is filled in is data: as it is, or never taken for HTML. */
enum words_as { WORDS_PLAIN, WORDS_HTML };

/* words_find(w, n, name): that value; an empty one: there is no such word. */
struct bytes words_find(const struct word *w, size_t n, const char *name);

/* words_escape(s, out): as text of HTML, also within quotes.  False: memory. */
bool words_escape(struct bytes s, struct buf *out);

/*
 * words_fill(text, w, n, as, out):
 * ${text} with the values put in: once, so braces in a value stay.  False:
 * memory.
 */
bool words_fill(const char *text, const struct word *w, size_t n,
    enum words_as as, struct buf *out);

/*
 * words_read(text, w, n, filled):
 * The values with which words_fill(WORDS_PLAIN) made ${filled} of ${text};
 * lent, as long as ${filled} is.  A value ends where what follows its place in
 * ${text} is found first: give it something that values do not hold.  False:
 * it was not made so.
 */
bool words_read(const char *text, struct word *w, size_t n,
    struct bytes filled);

#endif
