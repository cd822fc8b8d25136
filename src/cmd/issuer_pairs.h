/* Pairs of key file and letter, made for people who watch. */
#ifndef SC_CMD_ISSUER_PAIRS_H
#define SC_CMD_ISSUER_PAIRS_H

#include <limits.h>

#include "cmd/issuer_words.h"
#include "issuer/batch.h"

struct pairs {
	const struct issuer_words *words;
	const char	*act;		/* for the journal */
	const char	*what;		/* beside year and number, or "" */
	bool		 changed;	/* the register: to be saved first */
	const struct identity *begun;	/* for issuer/begun; or NULL */
	/* What came of it. */
	size_t		 made;		/* --dry-run: would be */
	size_t		 passed;	/* were there */
	size_t		 renewals;	/* of both */
};

/*
 * pairs_plan(app, d, w, plan):
 * What is common to all acts that make pairs: folder, language, and the year
 * that was asked for or all in which one can write (batch_years()).
 */
void pairs_plan(const struct app *app, struct desk *d,
    const struct issuer_words *w, struct batch_plan *plan);
/*
 * pairs_apart(d, plan, out, e):
 * For acts that make few pairs: where no folder was named, one of this day in
 * the desk's, which ${plan} borrows.  RC_CONF: too long a name.
 */
enum rc pairs_apart(const struct desk *d, struct batch_plan *plan,
    char out[PATH_MAX], struct err *e);

/*
 * pairs_run(app, plan, p, e):
 * batch_run(), with an object a pair for --json, and the time left on a
 * terminal.  Before it, unless nothing is to be made: the roots, which
 * custodians bring; then a line a year in the desk's journal, and the register
 * if it changed.  What people are told afterwards is the caller's.
 */
enum rc pairs_run(struct app *app, const struct batch_plan *plan,
    struct pairs *p, struct err *e);

/* pairs_say_count(app, p): how many were made and were there, on standard
 * output. */
void pairs_say_count(const struct app *app, const struct pairs *p);

/* pairs_say_where(d, plan): the folders, on standard output. */
void pairs_say_where(const struct desk *d, const struct batch_plan *plan);

#endif
