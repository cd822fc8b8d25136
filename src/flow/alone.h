/* The vault alone, for what needs a key and no pass: key list, restored. */
#ifndef SC_FLOW_ALONE_H
#define SC_FLOW_ALONE_H

#include <sys/types.h>

#include "flow/ipc.h"
#include "flow/pass.h"
#include "flow/sealing.h"
#include "store/store.h"

/* The command is the keeper here, and the clerk, and the composer. */
struct alone {
	struct chan	keeper, rows, clerk;
	pid_t		pid;		/* of the vault */
	pid_t		composer;	/* who feeds it, when there is mail */
	bool		gone;		/* the vault hung up */
	/* rows from the store, or NULL: there are none */
	enum rc		(*row)(void *arg, struct bytes key, struct buf *out,
			    struct err *e);
	void		*arg;
	struct composer	*mail;		/* what the vault may pull, or NULL */
	/* what the vault opens goes here, or NULL */
	enum rc		(*opened)(void *arg, const struct frame *f,
			    struct err *e);
};

/* alone_start(a, p, e): fork the vault; alone_end(), after a failure too. */
enum rc alone_start(struct alone *a, const struct pass *p, struct err *e);
void alone_end(struct alone *a);

/* alone_wait(a, type, job, f, e): serve the other lines until the vault
 * answers; the frame must be of ${type}. Its last word is the result when it
 * leaves. */
enum rc alone_wait(struct alone *a, enum ipc type, uint32_t job,
    struct frame *f, struct err *e);
/* alone_next(): the same with any type. */
enum rc alone_next(struct alone *a, struct frame *f, struct err *e);
/* alone_send(): while the other lines are served. */
enum rc alone_send(struct alone *a, enum ipc type, uint32_t job,
    const void *p, size_t len, struct err *e);

/* alone_selves(p, out, n, e): what the key store holds; owned array. */
enum rc alone_selves(const struct pass *p, struct gate_self **out, size_t *n,
    struct err *e);

/*
 * alone_restored(p, dir, at, out, e): the store in ${dir} was put back at
 * ${at} (PROTOCOL 2.19.12): what was sealed before is flagged from now on, and
 * see store_restored().  With p->dry_run only ${out} is filled.
 */
enum rc alone_restored(const struct pass *p, const char *dir, int64_t at,
    struct store_restored *out, struct err *e);

#endif
