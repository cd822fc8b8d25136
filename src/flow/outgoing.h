/* An envelope that is being sealed for the queue. */
#ifndef SC_FLOW_OUTGOING_H
#define SC_FLOW_OUTGOING_H

#include "flow/keeper.h"
#include "mail/wrap.h"
#include "store/store_out.h"

/* What the queue must know of one envelope, and its octets. */
struct outgoing {
	struct gate_dest	 dest;
	uint8_t			 t[GATE_T_BYTES];
	int64_t			 at;		/* META */
	struct gather		 body;
	char			 date[40];
	char			 message_id[WRAP_ID_BYTES];
	struct store_ack	*acks;		/* owned: riding in it */
	size_t			 nacks;
	char			(*routes)[GATE_ID_BYTES];	/* owned */
	const char		**route_names;	/* owned; into routes */
	size_t			 nroutes;
	uint8_t			 d[GATE_D_BYTES];	/* of the mail */
	struct buf		 patients;	/* digests, for the register */
};

/* outgoing_take(k, job, o, e): the sealed octets that the vault sends for
 * ${job}, from IPC_OUT_HEAD to IPC_OUT_END; ${feed}: what must go to it
 * meanwhile, or NULL.  RC_PERM and others: as the vault says. */
enum rc outgoing_take(struct keeper *k, uint32_t job, struct feed *feed,
    struct outgoing *o, struct err *e);

/* outgoing_put(k, o, kind, d, put): the row for the queue, borrowed from
 * ${o}; ${d}: of the mail, or NULL. */
void outgoing_put(struct keeper *k, struct outgoing *o, enum store_kind kind,
    const uint8_t *d, struct store_out_put *put);

/* outgoing_free(k, o): also a body that no row has taken. */
void outgoing_free(struct keeper *k, struct outgoing *o);

#endif
