/* What the association prints: all letters at once, and its counterfoil. */
#ifndef SC_ISSUER_SHEETS_H
#define SC_ISSUER_SHEETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "issuer/members.h"

/* Letters in one document: what a printer's tray holds. */
#define SHEETS_LETTERS 200

struct sheets_plan {
	const char	*out;		/* folder; all borrowed */
	const char	*letters;	/* its folder of letters */
	const char	*assoc;
	uint16_t	 year;
	bool		 english;	/* counterfoil; else French */
	bool		 nothing_new;	/* no letter was made this time */
};

/* Documents being written; of what was there the counterfoil is held. */
struct sheets;

/*
 * sheets_open(plan, s, e):
 * Begin letters/print-NNN.html, of SHEETS_LETTERS letters each, and
 * counterfoil.html and counterfoil.txt in ${plan->out}, all 0600.  RC_OK,
 * ${*s} owned; RC_TEMP: files; RC_CONF: a name that is too long, or a former
 * counterfoil that is no lines of text; RC_NOMEM.
 */
enum rc sheets_open(const struct sheets_plan *plan, struct sheets **s,
    struct err *e);

/*
 * sheets_add(s, w, letter, e):
 * The letter of ${w} in the file ${letter}, plain text: a page to be printed,
 * and a line of the counterfoil, which never holds a code.  RC_OK; RC_CONF: no
 * letter is there, or it is damaged; RC_TEMP; RC_NOMEM.
 */
enum rc sheets_add(struct sheets *s, const struct member *w,
    const char *letter, struct err *e);

/*
 * sheets_close(s, rc, e):
 * With ${rc} RC_OK the documents take the places of former ones; else all is
 * undone.  A letter that was destroyed since, as it should be, is printed no
 * more, and keeps its line on the counterfoil; each line keeps what people
 * wrote into it.  With nothing new, former documents stay when their
 * counterfoil has lines of such letters.  Frees ${*s}.
 * RC_TEMP: files; else ${rc}.
 */
enum rc sheets_close(struct sheets **s, enum rc rc, struct err *e);

#endif
