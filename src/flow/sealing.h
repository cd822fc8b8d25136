/* The vault's facts as they travel between processes. */
#ifndef SC_FLOW_SEALING_H
#define SC_FLOW_SEALING_H

#include "base/buf.h"
#include "vault/gate.h"

/*
 * Verdicts and destinations cross the line between processes that one fork
 * made of one program: plain data goes as it lies in memory.
 */

/* gate_head and gate_dest. */
bool head_pack(struct buf *b, const struct gate_head *h);
void head_unpack(struct rd *r, struct gate_head *h);
bool dest_pack(struct buf *b, const struct gate_dest *d);
void dest_unpack(struct rd *r, struct gate_dest *d);

/* verdict_unpack(r, v): arrays owned; verdict_free(), after a failure too. */
bool verdict_pack(struct buf *b, const struct gate_verdict *v);
bool verdict_unpack(struct rd *r, struct gate_verdict *v);
void verdict_free(struct gate_verdict *v);

/* What is to be sealed: a mail from the composer, or only control records. */
struct flow_seal {
	struct gate_dest	 dest;
	int64_t			 at;
	uint32_t		 bulletin;	/* of IPC_BAR_LIST; 0: none */
	bool			 has_mail;
	uint64_t		 mail_len;
	uint8_t			 d[GATE_D_BYTES];
	struct gate_ack		*acks, *relayed_acks;	/* owned */
	size_t			 nacks, nrelayed_acks;
	char			(*routes)[GATE_ID_BYTES];	/* owned */
	size_t			 nroutes;
};

bool seal_pack(struct buf *b, const struct flow_seal *s);
bool seal_unpack(struct rd *r, struct flow_seal *s);
void seal_free(struct flow_seal *s);

#endif
