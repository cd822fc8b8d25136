/* Between the files of the keeper's part of the outboxes. */
#ifndef SC_FLOW_KEEPER_OUTBOX_H
#define SC_FLOW_KEEPER_OUTBOX_H

#include "flow/keeper.h"

#define OUTFILES_MAX 64		/* of one group; see OUTDOCS_MAX */

/* One look at all outboxes, and where it is. */
struct outlook {
	uint32_t	 box;
	bool		 first;		/* of this box */
	char		 folder[256];	/* the last group */
	struct buf	 stem;
	struct buf	 taken;		/* keys of this box, as runs */
	int64_t		 began_at;
	unsigned	 troubles;
	bool		 waits;		/* something was left, or is wrong */
	/* Of this box: */
	unsigned	 nqueued, nleft;
	bool		 pointless;	/* nothing of it can be sent now */
	struct err	 left;		/* why the first was */
};

/* A group as the clerk told of it; all of it lent by the frame's copy. */
struct found {
	struct buf	 frame;
	struct bytes	 key[OUTFILES_MAX];
	size_t		 nkeys;
	uint64_t	 octets;
	struct err	 why;
	uint32_t	 line, oddities, odd_line;
	char		 code[32], odd_code[32];
	uint32_t	 nwhom;
	struct rd	 whom;		/* they stand there */
};

static inline const struct conf_outbox *
outlook_conf(const struct keeper *k)
{
	return &k->p->conf->outboxes[k->outlook->box];
}

/* outlook_ask(k, type, b, ok, answer, f, e): of the clerk; ${b}, ${ok}: as
 * ipc_put(). */
enum rc outlook_ask(struct keeper *k, enum ipc type, struct buf *b, bool ok,
    enum ipc answer, struct frame *f, struct err *e);
/* outlook_left(k, why): a group stays where it is; for the exit code. */
void outlook_left(struct keeper *k, const struct err *why);

/* outgroup_serve(k, x, e): sealed and queued and taken away, or refused, or
 * left.  RC_OK; others: of vault, clerk or store, not of this group. */
enum rc outgroup_serve(struct keeper *k, struct found *x, struct err *e);

#endif
