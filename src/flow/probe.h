/* Can an account or a relay be reached, proved and logged in to? */
#ifndef SC_FLOW_PROBE_H
#define SC_FLOW_PROBE_H

#include "flow/pass.h"
#include "wire/why.h"

/*
 * probe(p, part, index, why, e):
 * In a child, confined as the real one: connect to account or relay ${index}
 * (PART_FETCH, PART_RELAY), verify the server, log in, leave.  Nothing is
 * fetched, sent or changed.  RC_OK; RC_TEMP and RC_CONF as the real one.
 */
enum rc probe(const struct pass *p, enum part part, unsigned index,
    enum wire_why *why, struct err *e);

#endif
