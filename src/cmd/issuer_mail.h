/* Sealed mails that the issuer's desk makes for members. */
#ifndef SC_CMD_ISSUER_MAIL_H
#define SC_CMD_ISSUER_MAIL_H

#include "issuer/desk.h"

/*
 * issuer_mail_wrap(d, to, envelope, out, e):
 * The mail from the desk to ${to} that carries ${envelope}; ${out} is emptied
 * first.  RC_OK; RC_INPUT: a route; RC_NOMEM.
 */
enum rc issuer_mail_wrap(const struct desk *d, const struct member *to,
    struct bytes envelope, struct buf *out, struct err *e);

#endif
