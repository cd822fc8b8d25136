/* Questions to a person, or to the lines of standard input. */
#ifndef SC_CMD_ASK_H
#define SC_CMD_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"

#define ASK_BYTES 1024

/*
 * Questions go to the standard error, answers come from standard input, a line
 * each.  A person at a terminal is told what is wrong with an answer and asked
 * again; from anywhere else a wrong answer, or none, ends it (RC_CONF).
 */
struct ask {
	bool	yes;		/* --yes: a question with an answer of its own
				 * is not asked */
	bool	terminal;
};

/* ask_begin(yes): from now on standard input is read by these alone, and
 * nothing of it is kept in memory of stdio. */
struct ask ask_begin(bool yes);

/*
 * ask_text(a, question, own, good, out, e):
 * A line of text.  ${own}: the answer to an empty line, or NULL: there must be
 * one.  ${good}: RC_OK or what is wrong with it; or NULL.
 */
enum rc ask_text(const struct ask *a, const char *question, const char *own,
    enum rc (*good)(const char *s, struct err *e), char out[ASK_BYTES],
    struct err *e);

/* ask_yes(a, question, own, out, e): yes or no, in French or English; with
 * --yes it is ${own}. */
enum rc ask_yes(const struct ask *a, const char *question, bool own,
    bool *out, struct err *e);

/* ask_choice(a, question, words, n, out, e): one of ${n} translated words, by
 * its number; the first is the own answer. */
enum rc ask_choice(const struct ask *a, const char *question,
    const char *const *words, size_t n, size_t *out, struct err *e);

/* ask_secret(a, question, out, e): a line that a terminal does not show; a
 * signal waits for its end. */
enum rc ask_secret(const struct ask *a, const char *question,
    struct secret *out, struct err *e);

#endif
