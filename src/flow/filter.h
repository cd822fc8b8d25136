/* The filters of DESIGN, "Commands": a message to an envelope, and back. */
#ifndef SC_FLOW_FILTER_H
#define SC_FLOW_FILTER_H

#include "flow/pass.h"
#include "vault/gate.h"

/*
 * filter_seal(p, to, in, out, tmp, e):
 * Seal what can be read from ${in} for ${to}.  Up to 4 MiB from a pipe are
 * kept in memory meanwhile, more in a nameless file in ${tmp}, sealed; a file
 * is read twice.
 *
 * filter_open(p, in, out, tmp, head, v, e):
 * The other way: nothing goes to ${out} unless the whole is authentic.
 * ${head}: what its header said; ${v}: what it said, its lists dangling.
 *
 * After both this process may open nothing any more (SB_VAULT).  Results as
 * gate_resolve(), gate_seal_begin() and gate_open_begin(); RC_TEMP: reading
 * or writing failed.
 */
enum rc filter_seal(const struct pass *p, const char *to, int in, int out,
    const char *tmp, struct err *e);
enum rc filter_open(const struct pass *p, int in, int out, const char *tmp,
    struct gate_head *head, struct gate_verdict *v, struct err *e);

#endif
