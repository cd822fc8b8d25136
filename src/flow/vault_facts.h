/* What the vault answers beside mail: its keys, a backup that was put back,
 * the watch desk's list. */
#ifndef SC_FLOW_VAULT_FACTS_H
#define SC_FLOW_VAULT_FACTS_H

#include "flow/ipc.h"
#include "vault/gate.h"

struct facts {
	struct gate		*g;
	struct chan		*keeper;
	struct gate_rows	 rows;
	/* The bulletin being sealed: IPC_BAR_LIST. */
	struct gate_bar		*bars;		/* owned */
	size_t			 nbars, cap;
};

/* facts_serve(x, f, e): one question of the keeper's.  What failed is in the
 * answer; RC_TEMP: no question of ours; RC_NOMEM. */
enum rc facts_serve(struct facts *x, const struct frame *f, struct err *e);
void facts_free(struct facts *x);

#endif
