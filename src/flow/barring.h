/* sceau bar: the watch desk's vault and store, asked by a command. */
#ifndef SC_FLOW_BARRING_H
#define SC_FLOW_BARRING_H

#include "flow/pass.h"
#include "store/store_bar.h"
#include "vault/gate.h"

/*
 * barring_note(p, who, min, reason, out, e):
 * The keys of ${who} below generation ${min} (0, 255: see gate_bar()) are
 * void: noted durably, a bulletin is due.  With p->dry_run only ${out}.
 * As gate_bar(); RC_TEMP: also when another process was faster.
 */
enum rc barring_note(const struct pass *p, const char *who, uint8_t min,
    const char *reason, struct gate_barring *out, struct err *e);

/* barring_list(p, out, n, e): what stands in each bulletin, by name: what was
 * noted here, then what the key files brought (${at} 0); owned.  RC_CONF: this
 * is not the watch desk. */
enum rc barring_list(const struct pass *p, struct store_bar **out, size_t *n,
    struct err *e);

#endif
