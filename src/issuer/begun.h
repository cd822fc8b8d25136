/* Acts that would do something else when done again: which of them were cut
 * off. */
#ifndef SC_ISSUER_BEGUN_H
#define SC_ISSUER_BEGUN_H

#include <stdbool.h>

#include "base/err.h"
#include "issuer/desk.h"

/*
 * The file "reissuing" of the desk (0600) is there only while a member is
 * given another key: the identity that he is to have, a tab and the time, one a
 * line.  Whoever repeats `sceau issuer reissue` after it failed, and finds him
 * in the register with that identity already, finishes it, and does not raise
 * it once more.
 */

/* begun_is(d, id, is, e): does ${id} stand there since less than a day?  Later
 * it is another theft, which must not go for the end of the first.  RC_OK;
 * RC_TEMP; RC_CONF: it cannot be read; RC_NOMEM. */
enum rc begun_is(const struct desk *d, const struct identity *id, bool *is,
    struct err *e);

/* begun_note(d, id, e): he stands there, on disk; fine when he did. */
enum rc begun_note(const struct desk *d, const struct identity *id,
    struct err *e);

/* begun_end(d, id, e): he does not any more; the last one takes the file with
 * him. */
enum rc begun_end(const struct desk *d, const struct identity *id,
    struct err *e);

#endif
