/* A patient whom somebody looks for in the register, by name. */
#ifndef SC_CMD_REGISTER_PATIENT_H
#define SC_CMD_REGISTER_PATIENT_H

#include "cmd/cmd.h"
#include "store/store_register.h"

/*
 * register_patient_who(app, text, who, e):
 * The "who" that his entries may have: ${text} is surname, first names and
 * perhaps a birth date, as a person types them.  A vault of its own tells.
 *
 * who	appended: a NUL behind each
 *
 * RC_CONF: that is no name, or no date; others: no key store, as for the
 * other commands.
 */
enum rc register_patient_who(struct app *app, const char *text,
    struct buf *who, struct err *e);

/* register_patient_is(who, one): is ${one} among them? */
bool register_patient_is(const struct buf *who, const char *one);

/* register_patient_find(st, who, t, e): the messages in which one of them is:
 * their T, each once, appended. */
enum rc register_patient_find(struct store *st, const struct buf *who,
    struct buf *t, struct err *e);

#endif
