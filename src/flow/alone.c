#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/sandbox.h"
#include "flow/alone.h"
#include "flow/composer.h"

enum { KEEPER, ROWS, CLERK, LINES, COMPOSER = LINES, PAIRS };

static struct chan *
line_of(struct alone *a, int i)
{
	struct chan *const lines[LINES] = { &a->keeper, &a->rows, &a->clerk };

	return lines[i];
}

static _Noreturn void
vault_child(const struct pass *p, const int fds[PAIRS])
{
	const struct chan none = CHAN_INIT;
	struct pass_ends x = { none, none, none, none, none, none };
	struct err e = ERR_INIT;
	enum rc rc;

	signal(SIGINT, SIG_IGN);
	chan_init(&x.keeper, fds[KEEPER]);
	chan_init(&x.rows, fds[ROWS]);
	chan_init(&x.clerk, fds[CLERK]);
	chan_init(&x.composer, fds[COMPOSER]);
	rc = vault_main(p, &x, &e);
	ipc_done(&x.keeper, rc, &e);
	sandbox_leave(rc_exit(rc));
}

/* It answers the vault by itself: who reads what is sealed may not also be
 * writing what is to be sealed. */
static _Noreturn void
composer_child(struct composer *mail, int fd)
{
	struct chan vault;
	struct err e = ERR_INIT;
	enum rc rc = RC_OK;

	signal(SIGINT, SIG_IGN);
	chan_init(&vault, fd);
	while (rc == RC_OK && vault.fd >= 0)
		rc = composer_serve(mail, &vault, &e);
	sandbox_leave(rc_exit(rc));
}

static void
close_pairs(int fds[PAIRS][2], int side)
{
	for (int i = 0; i < PAIRS; i++) {
		if (fds[i][side] >= 0)
			close(fds[i][side]);
		fds[i][side] = -1;
	}
}

static enum rc
fork_both(struct alone *a, const struct pass *p, int fds[PAIRS][2],
    struct err *e)
{
	const int theirs[PAIRS] = { fds[KEEPER][1], fds[ROWS][1],
	    fds[CLERK][1], fds[COMPOSER][1] };

	fflush(NULL);
	if ((a->pid = fork()) < 0)
		return err_sys(e, "fork");
	if (a->pid == 0) {
		close_pairs(fds, 0);
		vault_child(p, theirs);
	}
	close_pairs(fds, 1);
	if (a->mail == NULL)
		return RC_OK;
	if ((a->composer = fork()) < 0)
		return err_sys(e, "fork");
	if (a->composer == 0) {
		int fd = fds[COMPOSER][0];

		fds[COMPOSER][0] = -1;
		close_pairs(fds, 0);
		composer_child(a->mail, fd);
	}
	return RC_OK;
}

enum rc
alone_start(struct alone *a, const struct pass *p, struct err *e)
{
	int fds[PAIRS][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	enum rc rc = RC_OK;

	for (int i = 0; i < LINES; i++)
		*line_of(a, i) = (struct chan)CHAN_INIT;
	a->pid = a->composer = -1;
	a->gone = false;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; rc == RC_OK && i < PAIRS; i++)
		rc = chan_pair(fds[i], e);
	if (rc == RC_OK)
		rc = fork_both(a, p, fds, e);
	for (int i = 0; i < LINES; i++) {
		chan_init(line_of(a, i), fds[i][0]);
		fds[i][0] = -1;
	}
	a->keeper.max = CHAN_VERDICT_BYTES;
	close_pairs(fds, 0);
	close_pairs(fds, 1);
	return rc == RC_OK ? chan_nonblock(&a->keeper, e) : rc;
}

static void
wait_for(pid_t *pid)
{
	int status;

	if (*pid > 0)
		while (waitpid(*pid, &status, 0) < 0 && errno == EINTR)
			;
	*pid = -1;
}

void
alone_end(struct alone *a)
{
	for (int i = 0; i < LINES; i++)
		chan_close(line_of(a, i));
	wait_for(&a->pid);
	wait_for(&a->composer);
}

static enum rc
serve_row(struct alone *a, struct err *e)
{
	struct buf row = BUF_INIT;
	struct frame f;
	enum rc rc = chan_recv(&a->rows, &f, e);

	if (rc != RC_OK) {
		chan_close(&a->rows);
		return RC_OK;	/* the vault's last word says why */
	}
	if (f.type != IPC_ROW_GET)
		return ipc_bad(e);
	if (a->row != NULL)
		rc = a->row(a->arg, f.body, &row, e);
	if (rc == RC_OK)
		rc = chan_send(&a->rows, IPC_ROW, 0, row.p, row.len, e);
	buf_free(&row);
	return rc;
}

static enum rc
serve_opened(struct alone *a, struct err *e)
{
	struct frame f;

	if (chan_recv(&a->clerk, &f, e) != RC_OK) {
		chan_close(&a->clerk);
		return RC_OK;
	}
	return a->opened != NULL ? a->opened(a->arg, &f, e) : ipc_bad(e);
}

/* One turn: everything but the keeper's frames is served here. */
static enum rc
turn(struct alone *a, struct err *e)
{
	struct err gone = ERR_INIT;
	struct pollfd p[LINES];
	enum rc rc = RC_OK;

	for (int i = 0; i < LINES; i++)
		p[i] = (struct pollfd){ line_of(a, i)->fd, POLLIN, 0 };
	if (chan_pending(&a->keeper) > 0)
		p[KEEPER].events |= POLLOUT;
	if (poll(p, LINES, -1) < 0)
		return errno == EINTR ? RC_OK : err_sys(e, "poll");
	if (p[ROWS].revents != 0)
		rc = serve_row(a, e);
	if (rc == RC_OK && p[CLERK].revents != 0)
		rc = serve_opened(a, e);
	/* When it is gone its last word is read first, then that it is. */
	if (rc == RC_OK && (p[KEEPER].revents & POLLOUT) != 0)
		(void)chan_flush(&a->keeper, &gone);
	if (rc == RC_OK && (p[KEEPER].revents & ~POLLOUT) != 0)
		a->gone = chan_fill(&a->keeper, &gone) != RC_OK;
	return rc;
}

/* What the vault has said on its other lines is served before its answer is
 * believed: it said it earlier. */
static enum rc
drain(struct alone *a, struct err *e)
{
	struct pollfd p = { a->clerk.fd, POLLIN, 0 };
	enum rc rc = RC_OK;

	while (rc == RC_OK && a->clerk.fd >= 0 && (chan_ready(&a->clerk) ||
	    (poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0))) {
		rc = serve_opened(a, e);
		p.fd = a->clerk.fd;
	}
	return rc;
}

enum rc
alone_next(struct alone *a, struct frame *f, struct err *e)
{
	struct rd r;
	enum rc rc = RC_OK;

	for (;;) {
		if (chan_next(&a->keeper, f, &rc, e))
			break;
		if (rc == RC_OK && a->gone)
			rc = err_set(e, RC_TEMP,
			    _("a process of sceau has ended early"));
		if (rc != RC_OK || (rc = turn(a, e)) != RC_OK)
			return rc;
	}
	if ((rc = drain(a, e)) != RC_OK || f->type != IPC_DONE)
		return rc;
	r = rd_of(f->body.p, f->body.len);
	rc = unpack_err(&r, e);
	return rc == RC_OK ? ipc_bad(e) : rc;
}

enum rc
alone_wait(struct alone *a, enum ipc type, uint32_t job, struct frame *f,
    struct err *e)
{
	enum rc rc = alone_next(a, f, e);

	if (rc == RC_OK && (f->type != type || f->job != job))
		rc = ipc_bad(e);
	return rc;
}

enum rc
alone_send(struct alone *a, enum ipc type, uint32_t job, const void *p,
    size_t len, struct err *e)
{
	struct err gone = ERR_INIT;
	enum rc rc = chan_put(&a->keeper, (uint8_t)type, job, p, len, e);

	while (rc == RC_OK && !a->gone &&
	    chan_pending(&a->keeper) > CHAN_DATA_BYTES &&
	    !chan_ready(&a->keeper))
		rc = turn(a, e);
	/* A vault that left has said why: alone_next() reads it. */
	if (rc == RC_OK)
		(void)chan_flush(&a->keeper, &gone);
	return rc;
}

enum rc
alone_selves(const struct pass *p, struct gate_self **out, size_t *n,
    struct err *e)
{
	struct alone a = { .pid = -1 };
	struct frame f;
	enum rc rc;

	*out = NULL;
	*n = 0;
	rc = alone_start(&a, p, e);
	if (rc == RC_OK)
		rc = alone_send(&a, IPC_SELVES, 1, NULL, 0, e);
	if (rc == RC_OK)
		rc = alone_wait(&a, IPC_SELVES, 1, &f, e);
	if (rc == RC_OK && f.body.len % sizeof(**out) != 0)
		rc = ipc_bad(e);
	if (rc == RC_OK && f.body.len > 0) {
		if ((*out = malloc(f.body.len)) == NULL)
			rc = err_set(e, RC_NOMEM, _("no memory left"));
		else {
			memcpy(*out, f.body.p, f.body.len);
			*n = f.body.len / sizeof(**out);
		}
	}
	alone_end(&a);
	return rc;
}
