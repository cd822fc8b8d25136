/* The parent: holds nothing, is confined by nothing, starts the others. */
#ifndef SC_FLOW_STARTER_H
#define SC_FLOW_STARTER_H

#include "flow/pass.h"

/*
 * What the starter itself does beside starting: `send` feeds the mail to be
 * sealed.  step() is called with the composer's line to the vault whenever it
 * can be read, result() with the keeper's IPC_SUBMITTED.
 */
struct starter_job {
	void	*ctx;		/* of step() */
	void	*result_ctx;
	/* first frame to the keeper (IPC_SUBMIT), packed by the caller */
	const struct buf *submit;
	enum rc	(*step)(void *ctx, struct chan *vault, struct err *e);
	enum rc	(*result)(void *ctx, struct rd *r, struct err *e);
};

/*
 * starter_run(p, job, e):
 * Start the keeper, serve its wishes until it has said what the pass came to,
 * end every process.  ${job} borrowed, or NULL.  A signal TERM or INT lets
 * what is under way finish.
 *
 * code  the exit code of the pass, the worst of what it met; the pass itself
 *       may be RC_OK all the same.
 */
enum rc starter_run(const struct pass *p, const struct starter_job *job,
    int *code, struct err *e);

/*
 * starter_lock(conf, fd, e):
 * The lock of `poll` and `run`: dies with its processes.  RC_OK and ${*fd}
 * >= 0: ours; RC_OK and -1: another pass is at work.
 */
enum rc starter_lock(const struct conf *c, int *fd, struct err *e);

#endif
