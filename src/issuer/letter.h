/* The letter with a member's code, to be printed and posted. */
#ifndef SC_ISSUER_LETTER_H
#define SC_ISSUER_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "issuer/desk.h"
#include "issuer/members.h"
#include "issuer/words.h"

/* The first digits of b2sum -l 256 of a key file, and a NUL. */
#define LETTER_DIGITS_BYTES 9

struct letter {
	const char	*assoc;
	const char	*call;		/* whom to call, or "" */
	const struct member *to;
	const struct identity *issuer;
	uint16_t	 year;
	struct desk_dates dates;
	int64_t		 at;		/* of today */
	const char	*code;		/* as on paper: a secret */
	const char	*digits;
	const char	*key_file;	/* its name, without folders */
	bool		 english;	/* else French */
};

/* letter_day(at, english, out): the day of ${at} in UTC, as it is printed,
 * "28 November 2026" or "1er décembre 2026". */
#define LETTER_DAY_BYTES 40
void letter_day(int64_t at, bool english, char out[LETTER_DAY_BYTES]);

/*
 * letter_format(l, out):
 * Plain text, UTF-8, lines of at most 78 characters where no name is longer.
 * Its words do not depend on any catalogue: letters of an association are in
 * one language, whatever the machine speaks.  ${out} holds a secret then.
 * False: memory.
 */
bool letter_format(const struct letter *l, struct buf *out);

#define LETTER_NWORDS 12

/* What a letter says: assoc, today, to (the name, and below it the lines of the
 * postal address), address (in Sceau), year, code, file, digits, from, send,
 * read, call; lent. */
struct letter_words {
	struct word	 v[LETTER_NWORDS];
	bool		 english;
};

/*
 * letter_read(s, w):
 * What letter_format() put into the letter ${s} (borrowed, as long as ${w} is
 * used).  False: it is no such letter, or not whole.
 */
bool letter_read(struct bytes s, struct letter_words *w);

/*
 * letter_page(w, out):
 * The same letter as an element of HTML that is also XML: one A4 page, name and
 * postal address where envelopes DL and C5 have their window, the code as a
 * square too; its style is letter_style().  Names are data, never marks.
 * ${out} holds a secret then.  False: memory.
 */
bool letter_page(const struct letter_words *w, struct buf *out);

/* letter_style(): for the <style> of a document of such pages; static. */
const char *letter_style(void);

#endif
