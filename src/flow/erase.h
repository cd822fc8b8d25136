/* The end of a year: its keys go, with what they opened. */
#ifndef SC_FLOW_ERASE_H
#define SC_FLOW_ERASE_H

#include "conf/conf.h"

/*
 * erase_run(c, now, e):
 * In a process of its own, with the files of the keys and of the store and
 * without network: erase every year that keystore_over() names at ${now}, which
 * the caller believes, roll the machine key, put each row of the store under
 * the new local key without the keys of that year, then forget the former local
 * key and roll once more.  One that was cut off goes on where it was.  The
 * caller has seen that the mailbox is drained, and holds no vault.
 *
 * RC_OK, also when there was nothing to do; RC_CONF, RC_TEMP, RC_NOMEM: it can
 * be called again.
 * Source: PROTOCOL 2.8, 2.19.10; P7.
 */
enum rc erase_run(const struct conf *c, int64_t now, struct err *e);

#endif
