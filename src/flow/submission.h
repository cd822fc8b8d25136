/* Mails on their way into the queue, all of them or none. */
#ifndef SC_FLOW_SUBMISSION_H
#define SC_FLOW_SUBMISSION_H

#include "flow/outgoing.h"

/*
 * Of each mail: submission_add() for every recipient, then submission_seal()
 * while the composer has it; after the last submission_promise().
 */
struct submission {
	char		notice_to[STORE_ROUTE_BYTES];	/* or "" */
	char		own[GATE_ID_BYTES];	/* From; or "" */
	bool		dry_run;
	bool		named;		/* by ${once}: see store_out_once() */
	uint8_t		once[GATE_D_BYTES];
	struct outgoing	*out;		/* one envelope each */
	size_t		nout, max;
	size_t		first;		/* of the mail that is not sealed */
	uint8_t		d[GATE_D_BYTES];	/* of that mail */
	uint64_t	mail_len;
};

/* submission_new(s, max, e): room for ${max} envelopes. */
enum rc submission_new(struct submission *s, size_t max, struct err *e);
void submission_free(struct keeper *k, struct submission *s);
enum rc submission_add(struct keeper *k, struct submission *s,
    const struct gate_dest *dest, struct err *e);
/* submission_seal(): RC_PERM: larger than max_send; others: as the vault
 * says. */
enum rc submission_seal(struct keeper *k, struct submission *s,
    struct err *e);
/* submission_promise(k, s, files, nfiles, id, e): Q2; ${files}: keys of an
 * outbox, see store_outbox_submit(). */
enum rc submission_promise(struct keeper *k, struct submission *s,
    const struct bytes *files, size_t nfiles, int64_t *id, struct err *e);

#endif
