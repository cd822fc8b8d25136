/* Defaults that depend on other settings of the same section. */
#ifndef SC_CONF_FILL_H
#define SC_CONF_FILL_H

#include "conf/pairs.h"
#include "conf/table.h"

/* fill_section(s, base, w, e): after the defaults of the table, before what
 * cannot be is looked for. RC_NOMEM. */
enum rc fill_section(enum sect s, void *base, const struct written *w,
    struct err *e);

/* fill_deliveries(c, e): once all sections are read: those for mail that is
 * sealed first, each kind in its order.  RC_NOMEM. */
enum rc fill_deliveries(struct conf *c, struct err *e);

#endif
